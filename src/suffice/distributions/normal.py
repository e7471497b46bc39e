"""Normal and log-normal."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.declaration import parameter
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.statistics import Sufficient
from suffice.numerics import domain, variates
from suffice.numerics.special.normal import log_ndtr, ndtr, ndtri

LOG_SQRT_2PI = 0.5 * float(np.log(2.0 * np.pi))


class Normal(ExponentialFamily):
    """Normal distribution: p(x) = exp(−((x − loc)/scale)² / 2) / (scale √(2π)).

    Args:
        loc: mean, in the unit of x.
        scale: standard deviation, in the unit of x, > 0.

    Example:
        >>> import suffice as sf
        >>> round(float(sf.Normal(loc=1.0, scale=2.0).cdf(1.0)), 3)
        0.5
    """

    loc: jax.Array = parameter(domain.real, 0.0, doc="mean")
    scale: jax.Array = parameter(domain.positive, 1.0, doc="standard deviation")

    sample_space: ClassVar[Any] = domain.real

    def _z(self, x: jax.Array) -> jax.Array:
        return (x - self.loc) / self.scale

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return -0.5 * self._z(x) ** 2 - jnp.log(self.scale) - LOG_SQRT_2PI

    def _cdf(self, x: jax.Array) -> jax.Array:
        return ndtr(self._z(x))

    def _sf(self, x: jax.Array) -> jax.Array:
        return ndtr(-self._z(x))

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return log_ndtr(self._z(x))

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return log_ndtr(-self._z(x))

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self.loc + self.scale * ndtri(q)

    def _isf(self, q: jax.Array) -> jax.Array:
        return self.loc - self.scale * ndtri(q)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return self.loc + self.scale * variates.normal(key, shape, self.loc.dtype)

    def _mean(self) -> jax.Array:
        return self.loc

    _median = _mode = _mean

    def _variance(self) -> jax.Array:
        return self.scale**2

    def _skewness(self) -> jax.Array:
        return jnp.zeros_like(self.scale)

    _kurtosis = _skewness

    def _entropy(self) -> jax.Array:
        return 0.5 + LOG_SQRT_2PI + jnp.log(self.scale)

    def _cumulant(self, t: jax.Array) -> jax.Array:
        return self.loc * t + 0.5 * (self.scale * t) ** 2

    def _cf(self, t: jax.Array) -> jax.Array:
        return jnp.exp(1j * self.loc * t - 0.5 * (self.scale * t) ** 2)

    # T = (x, x²), eta = (loc / scale², −1 / (2 scale²)); phi(x) = x²
    def _natural(self) -> jax.Array:
        precision = self.scale**-2
        return jnp.stack(jnp.broadcast_arrays(self.loc * precision, -0.5 * precision), axis=-1)

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "Normal":
        variance = -0.5 / eta[..., 1]
        return cls(eta[..., 0] * variance, jnp.sqrt(variance))

    def _statistic(self, x: jax.Array) -> jax.Array:
        return jnp.stack([x, x**2], axis=-1)

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        return -(eta[..., 0] ** 2) / (4.0 * eta[..., 1]) - 0.5 * jnp.log(-2.0 * eta[..., 1]) + LOG_SQRT_2PI

    def _divergence(self, step: jax.Array, centre: jax.Array) -> jax.Array:
        return step**2

    def _slope(self) -> jax.Array:
        return -0.5 / self.scale**2

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        return {"loc": s.mean, "scale": jnp.sqrt(s.gap)}

    def _covariance(self, count: Any) -> jax.Array:
        return jnp.diag(jnp.stack([self.scale**2, 0.5 * self.scale**2])) / count


class LogNormal(ExponentialFamily):
    """Log-normal distribution: log X is Normal(loc, scale).

    p(x) = exp(−((log x − loc)/scale)² / 2) / (x scale √(2π)), x > 0.

    Args:
        loc: mean of log x, dimensionless.
        scale: standard deviation of log x, > 0.
    """

    loc: jax.Array = parameter(domain.real, 0.0, doc="mean of log x")
    scale: jax.Array = parameter(domain.positive, 1.0, doc="standard deviation of log x")

    sample_space: ClassVar[Any] = domain.positive
    unbounded_at_origin: ClassVar[bool] = True

    def _log(self) -> Normal:
        return Normal(self.loc, self.scale)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return self._log()._log_prob(jnp.log(x)) - jnp.log(x)

    def _cdf(self, x: jax.Array) -> jax.Array:
        return self._log()._cdf(jnp.log(x))

    def _sf(self, x: jax.Array) -> jax.Array:
        return self._log()._sf(jnp.log(x))

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return self._log()._log_cdf(jnp.log(x))

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return self._log()._log_sf(jnp.log(x))

    def _icdf(self, q: jax.Array) -> jax.Array:
        return jnp.exp(self._log()._icdf(q))

    def _isf(self, q: jax.Array) -> jax.Array:
        return jnp.exp(self._log()._isf(q))

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return jnp.exp(self._log()._sample(key, shape))

    def _mean(self) -> jax.Array:
        return jnp.exp(self.loc + 0.5 * self.scale**2)

    def _median(self) -> jax.Array:
        return jnp.exp(self.loc)

    def _mode(self) -> jax.Array:
        return jnp.exp(self.loc - self.scale**2)

    def _variance(self) -> jax.Array:
        return jnp.expm1(self.scale**2) * jnp.exp(2.0 * self.loc + self.scale**2)

    def _skewness(self) -> jax.Array:
        return (jnp.exp(self.scale**2) + 2.0) * jnp.sqrt(jnp.expm1(self.scale**2))

    def _kurtosis(self) -> jax.Array:
        # w⁴ + 2w³ + 3w² − 6 in u = w − 1, where nothing cancels for small scales
        u = jnp.expm1(self.scale**2)
        return u * (16.0 + u * (15.0 + u * (6.0 + u)))

    def _entropy(self) -> jax.Array:
        return 0.5 + LOG_SQRT_2PI + jnp.log(self.scale) + self.loc

    def _analytic_log_density(self, z: jax.Array) -> jax.Array:
        return self._log()._log_prob(z)

    def _tilt(self) -> jax.Array:
        return jnp.minimum(0.5 * jnp.pi, 2.0 * self.scale)

    # the form of the normal in log x, with base measure 1/x
    def _natural(self) -> jax.Array:
        return self._log()._natural()

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "LogNormal":
        normal = Normal._from_natural(eta)
        return cls(normal.loc, normal.scale)

    def _statistic(self, x: jax.Array) -> jax.Array:
        return self._log()._statistic(jnp.log(x))

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        return self._log()._log_partition(eta)

    def _log_base_measure(self, x: jax.Array) -> jax.Array:
        return -jnp.log(x)

    def _coordinate(self, x: jax.Array) -> jax.Array:
        return jnp.log(x)

    def _from_coordinate(self, y: jax.Array) -> jax.Array:
        return jnp.exp(y)

    def _divergence(self, step: jax.Array, centre: jax.Array) -> jax.Array:
        return step**2

    def _slope(self) -> jax.Array:
        return -0.5 / self.scale**2

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        return {"loc": s.mean, "scale": jnp.sqrt(s.gap)}

    def _covariance(self, count: Any) -> jax.Array:
        return jnp.diag(jnp.stack([self.scale**2, 0.5 * self.scale**2])) / count
