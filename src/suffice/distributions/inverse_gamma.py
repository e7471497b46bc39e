"""Inverse gamma."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.declaration import parameter
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.gamma import inverse_information, standard_gamma_log_prob
from suffice.distributions.normal import LOG_SQRT_2PI
from suffice.distributions.statistics import Sufficient
from suffice.numerics import domain, variates
from suffice.numerics.special.elementary import log1pmx
from suffice.numerics.special.gamma import (
    digamma,
    gammaln,
    inverse_log_minus_digamma,
    stirling_error,
)
from suffice.numerics.special.incomplete_gamma import gammainc, gammaincc, log_gammainc, log_gammaincc
from suffice.numerics.special.inverse_gamma import gammainccinv, gammaincinv


class InverseGamma(ExponentialFamily):
    """Inverse gamma distribution: 1/X is Gamma(concentration, rate=scale).

    p(x) = scale^a x^(−a−1) exp(−scale/x) / Γ(a), x > 0, with a = concentration.

    Args:
        concentration: shape a, dimensionless, > 0.
        scale: in the unit of x, > 0.
    """

    concentration: jax.Array = parameter(domain.positive, doc="shape")
    scale: jax.Array = parameter(domain.positive, 1.0, doc="scale")

    sample_space: ClassVar[Any] = domain.positive

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return standard_gamma_log_prob(self.concentration, self.scale / x) + jnp.log(self.scale) - 2.0 * jnp.log(x)

    def _cdf(self, x: jax.Array) -> jax.Array:
        return gammaincc(self.concentration, self.scale / x)

    def _sf(self, x: jax.Array) -> jax.Array:
        return gammainc(self.concentration, self.scale / x)

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return log_gammaincc(self.concentration, self.scale / x)

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return log_gammainc(self.concentration, self.scale / x)

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self.scale / gammainccinv(self.concentration, q)

    def _isf(self, q: jax.Array) -> jax.Array:
        return self.scale / gammaincinv(self.concentration, q)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return self.scale / variates.gamma(key, self.concentration, shape, self.scale.dtype)

    def _above(self, order: float, value: jax.Array, otherwise: float) -> jax.Array:
        """A moment that exists for concentrations above ``order``."""
        return jnp.where(self.concentration > order, value, otherwise)

    def _mean(self) -> jax.Array:
        return self._above(1.0, self.scale / (self.concentration - 1.0), jnp.inf)

    def _mode(self) -> jax.Array:
        return self.scale / (self.concentration + 1.0)

    def _variance(self) -> jax.Array:
        a = self.concentration
        return self._above(2.0, (self.scale / (a - 1.0)) ** 2 / (a - 2.0), jnp.inf)

    def _skewness(self) -> jax.Array:
        a = self.concentration
        return self._above(3.0, 4.0 * jnp.sqrt(jnp.maximum(a - 2.0, 0.0)) / (a - 3.0), jnp.nan)

    def _kurtosis(self) -> jax.Array:
        a = self.concentration
        return self._above(4.0, 6.0 * (5.0 * a - 11.0) / ((a - 3.0) * (a - 4.0)), jnp.nan)

    def _entropy(self) -> jax.Array:
        a = self.concentration
        return a + jnp.log(self.scale) + gammaln(a) - (1.0 + a) * digamma(a)

    def _analytic_log_density(self, z: jax.Array) -> jax.Array:
        # about the mode of log x, by Stirling's form: no large terms cancel
        a = self.concentration
        u = jnp.log(self.scale / a) - z
        excess = jnp.maximum(u.real - 600.0, 0.0)
        growth = jnp.expm1(u - excess) + 1e260 * excess  # a straight line instead of overflow
        return 0.5 * jnp.log(a) - LOG_SQRT_2PI - stirling_error(a) - a * (growth - u)

    def _tilt(self) -> jax.Array:
        return jnp.minimum(0.25 * jnp.pi, 2.0 / jnp.sqrt(self.concentration))

    # T = (log x, 1/x), eta = (−a − 1, −scale); y = 1/x, phi(y) = −log y
    def _natural(self) -> jax.Array:
        return jnp.stack(jnp.broadcast_arrays(-self.concentration - 1.0, -self.scale), axis=-1)

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "InverseGamma":
        return cls(-eta[..., 0] - 1.0, -eta[..., 1])

    def _statistic(self, x: jax.Array) -> jax.Array:
        return jnp.stack([jnp.log(x), 1.0 / x], axis=-1)

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        a = -eta[..., 0] - 1.0
        return gammaln(a) - a * jnp.log(-eta[..., 1])

    def _coordinate(self, x: jax.Array) -> jax.Array:
        return 1.0 / x

    def _from_coordinate(self, y: jax.Array) -> jax.Array:
        return 1.0 / y

    def _divergence(self, step: jax.Array, centre: jax.Array) -> jax.Array:
        return -log1pmx(step / centre)

    def _slope(self) -> jax.Array:
        return -1.0 - self.concentration

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        a = inverse_log_minus_digamma(s.gap)
        return {"concentration": a, "scale": a / s.mean}

    def _covariance(self, count: Any) -> jax.Array:
        return inverse_information(self.concentration, self.scale) / count
