"""Counts with more zeros than their law has."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions import generic
from suffice.distributions.declaration import component, parameter
from suffice.distributions.distribution import Distribution
from suffice.numerics import domain, variates
from suffice.numerics.inversion import smallest_integer


class ZeroInflated(Distribution):
    """0 with probability ``zeros``, else a draw of a base law of counts: p(k) = zeros·[k = 0] + (1 − zeros) base(k).

    Args:
        base: a distribution of counts from 0.
        zeros: probability of an extra zero, in [0, 1].

    Example:
        >>> import suffice as sf
        >>> p = sf.ZeroInflated(sf.Poisson(2.0), zeros=0.25)
        >>> round(float(p.prob(0)), 6), round(float(p.mean()), 6)
        (0.351501, 1.5)
    """

    base: Any = component(doc="law of the counts")
    zeros: jax.Array = parameter(domain.unit, doc="probability of an extra zero")

    discrete: ClassVar[bool] = True

    def _inconsistent(self) -> str | None:
        if not (self.base.discrete and self.base.sample_space.lower == 0.0):
            return f"base must be a distribution of counts from 0, got {type(self.base).__name__}"
        return super()._inconsistent()

    @property
    def sample_space(self) -> Any:  # type: ignore[override]
        return self.base.sample_space

    def _support(self) -> Any:
        return self.base._support()

    def _log_prob(self, x: jax.Array) -> jax.Array:
        counted = jnp.log1p(-self.zeros) + self.base._log_prob(x)
        return jnp.where(x == 0, jnp.logaddexp(jnp.log(self.zeros), counted), counted)

    def _cdf(self, x: jax.Array) -> jax.Array:
        return self.zeros + (1.0 - self.zeros) * generic.cdf(self.base, x)

    def _sf(self, x: jax.Array) -> jax.Array:
        return (1.0 - self.zeros) * generic.sf(self.base, x)

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return jnp.log1p(-self.zeros) + generic.log_sf(self.base, x)

    def _icdf(self, q: jax.Array) -> jax.Array:
        share = (q - self.zeros) / (1.0 - self.zeros)
        inside = (share > 0.0) & (share < 1.0)
        guess = jnp.where(inside, generic.icdf(self.base, jnp.where(inside, share, 0.5)), 0.0)
        return smallest_integer(lambda k: self._cdf(k) >= q, guess, 0.0)

    def _isf(self, q: jax.Array) -> jax.Array:
        share = q / (1.0 - self.zeros)
        inside = share < 1.0
        return jnp.where(inside, generic.isf(self.base, jnp.where(inside, share, 0.5)), 0.0)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        extra, counted = jax.random.split(key)
        draws = generic.sample(self.base, counted, shape)
        return jnp.where(variates.bernoulli(extra, self.zeros, shape), jnp.zeros_like(draws), draws)

    def _mean(self) -> jax.Array:
        return (1.0 - self.zeros) * generic.mean(self.base)

    def _variance(self) -> jax.Array:
        return (1.0 - self.zeros) * (generic.variance(self.base) + self.zeros * generic.mean(self.base) ** 2)

    def _mode(self) -> jax.Array:
        other = generic.mode(self.base)
        return jnp.where(self._log_prob(jnp.zeros_like(other)) >= self._log_prob(other), 0.0, other)

    def _cumulant(self, t: jax.Array) -> jax.Array:
        return jnp.logaddexp(jnp.log(self.zeros), jnp.log1p(-self.zeros) + generic.cumulant(self.base, t))

    def _cf(self, t: jax.Array) -> jax.Array:
        return self.zeros + (1.0 - self.zeros) * generic.cf(self.base, t)

    @classmethod
    def _start_beside(cls, x: Any, w: Any) -> dict[str, Any]:
        return {"zeros": 0.3 * (w * (x == 0)).sum() / w.sum() + 0.01}
