"""The Dirichlet distribution of shares that sum to 1."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.declaration import parameter
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.statistics import Sufficient
from suffice.numerics import array_domain, linalg, variates
from suffice.numerics.special.gamma import digamma, gammaln, inverse_digamma, log_minus_digamma, trigamma
from suffice.numerics.special.simplex import log_dirichlet


class Dirichlet(ExponentialFamily):
    """Dirichlet distribution on shares that sum to 1: p(x) = Γ(Σa)/∏Γ(a) ∏ x_k^(a_k − 1), a = concentration.

    Args:
        concentration: (..., K), dimensionless, each > 0.

    Example:
        >>> import suffice as sf
        >>> p = sf.Dirichlet([1.0, 2.0, 3.0])
        >>> p.mean().round(4)
        Array([0.1667, 0.3333, 0.5   ], dtype=float64)
        >>> round(float(p.log_prob([0.2, 0.3, 0.5])), 6)
        1.504077
    """

    concentration: jax.Array = parameter(array_domain.positive_vector, doc="weights of the shares, (..., K)")

    event_ndim: ClassVar[int] = 1
    sample_space: ClassVar[Any] = array_domain.simplex

    def _sized(self, dimension: int) -> "Dirichlet":
        return type(self)(jnp.ones(dimension))

    def _event_shape(self) -> tuple[int, ...]:
        return self.concentration.shape[-1:]

    @property
    def _total(self) -> jax.Array:
        return self.concentration.sum(-1, keepdims=True)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return log_dirichlet(x, self.concentration)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        logs = variates.log_gamma(key, self.concentration, (*shape, *self.event_shape))
        return jax.nn.softmax(logs, axis=-1)

    def _mean(self) -> jax.Array:
        return self.concentration / self._total

    def _covariance_matrix(self) -> jax.Array:
        m = self._mean()
        return (linalg.diagonal(m) - m[..., :, None] * m[..., None, :]) / (1.0 + self._total[..., None])

    def _mode(self) -> jax.Array:
        # where some a are below 1 the density is infinite where their shares vanish, and highest among the others
        a = self.concentration
        flat = jnp.all(a == 1.0, axis=-1, keepdims=True)
        weight = jnp.where(flat, 1.0, jnp.maximum(a - 1.0, 0.0))
        vertex = jax.nn.one_hot(jnp.argmax(a, axis=-1), a.shape[-1], dtype=a.dtype)
        weight = jnp.where(weight.sum(-1, keepdims=True) > 0, weight, vertex)
        return weight / weight.sum(-1, keepdims=True)

    def _entropy(self) -> jax.Array:
        a, total = self.concentration, self._total
        share = a / total
        gap = log_minus_digamma(total) - log_minus_digamma(a)  # ψ(a) − ψ(Σa) − log share
        return -((a - 1.0) * gap).sum(-1) - log_dirichlet(share, a)

    # -- exponential family: eta = a, T = log x, h = 1/∏x ------------------------------------------------------------

    def _natural(self) -> jax.Array:
        return self.concentration

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "Dirichlet":
        return cls(eta)

    def _statistic(self, x: jax.Array) -> jax.Array:
        return jnp.log(x)

    def _log_base_measure(self, x: jax.Array) -> jax.Array:
        return -jnp.log(x).sum(-1)

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        return gammaln(eta).sum(-1) - gammaln(eta.sum(-1))

    def _coordinate(self, x: jax.Array) -> jax.Array:
        return jnp.log(x)

    def _mean_log_prob(self, s: Sufficient) -> jax.Array:
        # log p at the point whose logarithms are the mean ones but for a constant, and what that constant adds
        lift, a = jax.nn.logsumexp(s.mean), self.concentration
        log_centre = s.mean - lift
        return log_dirichlet(jnp.exp(log_centre), a) + a.sum(-1) * lift + log_centre.sum(-1) + s.log_base

    @classmethod
    def _degenerate(cls, s: Sufficient) -> str | None:
        """Why a sample has no maximum of the likelihood."""
        if not np.all(np.isfinite(s.mean)):
            return f"share {int(np.argmin(np.isfinite(s.mean)))} is 0 in some rows, and the density there 0 or infinite"
        gap = -float(jax.nn.logsumexp(s.mean))
        return None if gap > 1e-14 * s.mean.shape[-1] else "the observations are all equal, to within rounding"

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        """ψ(a) − ψ(Σa) = mean log x: Newton's method on the sum of the concentrations (Minka 2000)."""

        def shares(total: jax.Array) -> jax.Array:
            return inverse_digamma(digamma(total) + s.mean)

        def step(_: int, log_total: jax.Array) -> jax.Array:
            total = jnp.exp(log_total)
            a = shares(total)
            excess = jnp.log(a.sum(-1)) - log_total
            slope = (trigamma(total) / trigamma(a)).sum(-1) * total / a.sum(-1) - 1.0
            return log_total - jnp.clip(excess / slope, -2.0, 2.0)

        k = s.mean.shape[-1]
        gap = -jnp.log(jnp.exp(s.mean).sum(-1))  # Σ of the geometric means falls short of 1 by about (K − 1)/(2 Σa)
        start = jnp.log(0.5 * (k - 1.0) / jnp.maximum(gap, jnp.finfo(s.mean.dtype).tiny))
        log_total = jax.lax.fori_loop(0, 40, step, start)
        return {"concentration": shares(jnp.exp(log_total))}
