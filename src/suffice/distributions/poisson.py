"""Poisson distribution."""

from typing import Any

import jax
import jax.numpy as jnp

from suffice.distributions.counts import Counts
from suffice.distributions.declaration import parameter
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.normal import LOG_SQRT_2PI
from suffice.distributions.statistics import Sufficient
from suffice.numerics import domain, variates
from suffice.numerics.special.elementary import log_minus_excess
from suffice.numerics.special.gamma import gammaln, stirling_error
from suffice.numerics.special.incomplete_gamma import gammainc, gammaincc, log_gammainc, log_gammaincc


class Poisson(Counts, ExponentialFamily):
    """Poisson distribution: P(X = k) = rate^k exp(−rate) / k!, k = 0, 1, 2, …

    Args:
        rate: mean count, dimensionless, > 0.
    """

    rate: jax.Array = parameter(domain.positive, doc="mean count")

    def _log_prob(self, x: jax.Array) -> jax.Array:
        # Loader's saddle-point form: exact for large counts, where the plain form cancels
        k = jnp.where(x > 0, x, 1.0)
        saddle = (
            k * log_minus_excess(self.rate / k, (self.rate - k) / k)
            - stirling_error(k)
            - 0.5 * jnp.log(k)
            - LOG_SQRT_2PI
        )
        return jnp.where(x > 0, saddle, -self.rate)

    def _cdf(self, x: jax.Array) -> jax.Array:
        return gammaincc(x + 1.0, self.rate)

    def _sf(self, x: jax.Array) -> jax.Array:
        return gammainc(x + 1.0, self.rate)

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return log_gammaincc(x + 1.0, self.rate)

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return log_gammainc(x + 1.0, self.rate)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return variates.poisson(key, self.rate, shape)

    def _mean(self) -> jax.Array:
        return self.rate

    _variance = _mean

    def _skewness(self) -> jax.Array:
        return 1.0 / jnp.sqrt(self.rate)

    def _kurtosis(self) -> jax.Array:
        return 1.0 / self.rate

    def _mode(self) -> jax.Array:
        return jnp.floor(self.rate)

    def _cumulant(self, t: jax.Array) -> jax.Array:
        return self.rate * jnp.expm1(t)

    def _cf(self, t: jax.Array) -> jax.Array:
        return jnp.exp(self.rate * (jnp.exp(1j * t) - 1.0))

    def _natural(self) -> jax.Array:
        return jnp.log(self.rate)[..., None]

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "Poisson":
        return cls(jnp.exp(eta[..., 0]))

    def _statistic(self, x: jax.Array) -> jax.Array:
        return x[..., None]

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        return jnp.exp(eta[..., 0])

    def _log_base_measure(self, x: jax.Array) -> jax.Array:
        return -gammaln(x + 1.0)

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        return {"rate": s.mean}

    def _covariance(self, count: Any) -> jax.Array:
        return (self.rate / count)[None, None]
