"""Geometric distribution."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.special import xlogy

from suffice.distributions.counts import Counts
from suffice.distributions.declaration import parameter
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.statistics import Sufficient
from suffice.numerics import domain, variates
from suffice.numerics.inversion import smallest_integer
from suffice.numerics.special.elementary import log1mexp


class Geometric(Counts, ExponentialFamily):
    """Geometric distribution of failures before the first success: P(X = k) = p (1 − p)^k, k = 0, 1, 2, …

    Args:
        probs: probability p of success, dimensionless, 0 < p <= 1.
    """

    probs: jax.Array = parameter(domain.Interval(0.0, 1.0, closed=(False, True)), doc="probability of success")

    def _log_failure(self) -> jax.Array:
        return jnp.log1p(-self.probs)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        repeated = x > 0
        return jnp.log(self.probs) + jnp.where(repeated, x * self._log_failure(), 0.0)

    def _cdf(self, x: jax.Array) -> jax.Array:
        return -jnp.expm1((x + 1.0) * self._log_failure())

    def _sf(self, x: jax.Array) -> jax.Array:
        return jnp.exp((x + 1.0) * self._log_failure())

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return log1mexp((x + 1.0) * self._log_failure())

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return (x + 1.0) * self._log_failure()

    def _icdf(self, q: jax.Array) -> jax.Array:
        guess = jnp.ceil(jnp.log1p(-q) / self._log_failure()) - 1.0
        return smallest_integer(lambda k: self._cdf(k) >= q, guess, 0.0)

    def _isf(self, q: jax.Array) -> jax.Array:
        guess = jnp.ceil(jnp.log(q) / self._log_failure()) - 1.0
        return smallest_integer(lambda k: self._sf(k) <= q, guess, 0.0)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return variates.geometric(key, self.probs, shape)

    def _mean(self) -> jax.Array:
        return (1.0 - self.probs) / self.probs

    def _variance(self) -> jax.Array:
        return (1.0 - self.probs) / self.probs**2

    def _skewness(self) -> jax.Array:
        return (2.0 - self.probs) / jnp.sqrt(1.0 - self.probs)

    def _kurtosis(self) -> jax.Array:
        return 6.0 + self.probs**2 / (1.0 - self.probs)

    def _mode(self) -> jax.Array:
        return jnp.zeros_like(self.probs)

    def _entropy(self) -> jax.Array:
        failure = 1.0 - self.probs
        return -jnp.log(self.probs) - xlogy(failure, failure) / self.probs

    def _cumulant(self, t: jax.Array) -> jax.Array:
        # E[exp(t X)] = 1 / (1 − (1 − p)/p · expm1(t))
        growth = (1.0 - self.probs) / self.probs * jnp.expm1(t)
        inside = growth < 1.0
        return jnp.where(inside, -jnp.log1p(-jnp.where(inside, growth, 0.0)), jnp.inf)

    def _cf(self, t: jax.Array) -> jax.Array:
        return self.probs / (1.0 - (1.0 - self.probs) * jnp.exp(1j * t))

    def _natural(self) -> jax.Array:
        return self._log_failure()[..., None]

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "Geometric":
        return cls(-jnp.expm1(eta[..., 0]))

    def _statistic(self, x: jax.Array) -> jax.Array:
        return x[..., None]

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        return -log1mexp(eta[..., 0])

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        return {"probs": 1.0 / (1.0 + s.mean)}

    def _covariance(self, count: Any) -> jax.Array:
        return (self.probs**2 * (1.0 - self.probs) / count)[None, None]
