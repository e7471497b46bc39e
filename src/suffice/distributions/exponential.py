"""Exponential families: p(x | eta) = h(x) exp(eta · T(x) − A(eta)), and what follows from that form by calculus."""

from typing import Any, Self

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from suffice.distributions.distribution import Distribution, _with_argument, _without_argument
from suffice.distributions.generic import own
from suffice.numerics.checks import as_argument


class ExponentialFamily(Distribution, abstract=True):
    """A distribution with a natural parameter and a sufficient statistic of fixed size.

    A member writes, besides the hooks of ``Distribution`` (whose ``_log_prob`` stays in the usual parameters: in
    natural coordinates it would lose its digits):

        _natural() -> eta (..., k)         _from_natural(eta)            usual parameters and back
        _statistic(x) -> T (..., k)        _log_partition(eta) -> A      the form itself
        _log_base_measure(x) -> log h(x)   where h is not 1

    and, for estimation, how its statistic is carried without cancellation: see ``statistics``.
    """

    @classmethod
    def _from_natural(cls, *args: Any, **held: Any) -> Self:
        raise NotImplementedError(f"{cls.__name__} must define _from_natural")

    def _natural(self) -> jax.Array:
        raise NotImplementedError(f"{type(self).__name__} must define _natural")

    def _statistic(self, x: jax.Array) -> jax.Array:
        raise NotImplementedError(f"{type(self).__name__} must define _statistic")

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        raise NotImplementedError(f"{type(self).__name__} must define _log_partition")

    @_without_argument
    def natural(self) -> jax.Array:
        """Natural parameter eta, of shape ``batch_shape + (k,)``."""
        return self._ranked(len(self.batch_shape), jnp.result_type(*jax.tree.leaves(self), float))._natural()

    @classmethod
    def from_natural(cls, eta: ArrayLike, **held: Any) -> Self:
        """Build the member with natural parameter ``eta`` of shape (..., k); what is always held comes by name."""
        return cls._from_natural(jnp.asarray(as_argument(eta), dtype=float), **held)

    @_with_argument
    def statistic(self, x: ArrayLike) -> jax.Array:
        """Sufficient statistic T(x), (..., k), its components in place of the event's axes."""
        p, x = self._event(x)
        return p._statistic(x)

    @_with_argument
    def log_partition(self, eta: ArrayLike) -> jax.Array:
        """Log-partition function A(eta) = log ∫ h(x) exp(eta · T(x)) dx; convex, with gradient E[T(X)]."""
        eta = jnp.asarray(eta)
        return self._log_partition(eta.astype(jnp.result_type(eta, float)))

    @_with_argument
    def log_base_measure(self, x: ArrayLike) -> jax.Array:
        """log h(x)."""
        p, x = self._event(x)
        return log_base_measure(p, x)

    @_without_argument
    def mean_parameters(self) -> jax.Array:
        """mu = E[T(X)] = ∇A(eta), of shape ``batch_shape + (k,)``."""
        return jax.grad(lambda eta: self._log_partition(eta).sum())(self.natural())

    @_without_argument
    def natural_fisher_information(self) -> jax.Array:
        """Fisher information in eta: the Hessian of A, which is Cov[T(X)]; shape ``batch_shape + (k, k)``."""
        eta = self.natural()
        mean = jax.grad(lambda eta: self._log_partition(eta).sum())

        def row(direction: jax.Array) -> jax.Array:
            return jax.jvp(mean, (eta,), (jnp.broadcast_to(direction, eta.shape),))[1]

        return jnp.moveaxis(jax.vmap(row)(jnp.eye(eta.shape[-1], dtype=eta.dtype)), 0, -2)

    @_with_argument
    def natural_log_prob(self, x: ArrayLike) -> jax.Array:
        """log h(x) + eta · T(x) − A(eta): equals ``log_prob`` on the support, with more rounding."""
        p, x = self._event(x)
        eta = p._natural()
        return log_base_measure(p, x) + (eta * p._statistic(x)).sum(-1) - p._log_partition(eta)


def log_base_measure(p: Any, x: jax.Array) -> jax.Array:
    """log h(x) of a family whose h need not be written when it is 1."""
    hook = own(p, "_log_base_measure")
    return jnp.zeros(x.shape[: x.ndim - p.event_ndim], x.dtype) if hook is None else hook(x)
