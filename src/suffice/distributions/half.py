"""Half-normal, Maxwell and half-Cauchy."""

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.chi import Chi
from suffice.distributions.declaration import parameter
from suffice.distributions.distribution import Distribution
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.location_scale import EULER_GAMMA
from suffice.distributions.mapped import Mapped
from suffice.distributions.normal import LOG_SQRT_2PI
from suffice.distributions.statistics import Sufficient
from suffice.numerics import domain, variates
from suffice.numerics.moments import namespace, quantiles
from suffice.numerics.special.elementary import log1p_square, xlogy
from suffice.numerics.special.normal import erfcx, erfinv, log_ndtr, ndtr, ndtri

_SQRT_2 = math.sqrt(2.0)
_LOG_2 = math.log(2.0)


class _NormalLength(ExponentialFamily, abstract=True):
    """Length of a vector of ``coordinates`` normal variates with mean 0 and standard deviation ``scale``.

    T = x², eta = −1/(2 scale²), h(x) = x^(coordinates − 1).
    """

    scale: jax.Array

    coordinates: ClassVar[int]

    def _natural(self) -> jax.Array:
        return (-0.5 / self.scale**2)[..., None]

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> Any:
        return cls(jnp.sqrt(-0.5 / eta[..., 0]))  # type: ignore[call-arg]

    def _statistic(self, x: jax.Array) -> jax.Array:
        return (x**2)[..., None]

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        half = 0.5 * self.coordinates
        return math.lgamma(half) - _LOG_2 - half * jnp.log(-eta[..., 0])

    def _log_base_measure(self, x: jax.Array) -> jax.Array:
        return xlogy(self.coordinates - 1.0, x)

    def _coordinate(self, x: jax.Array) -> jax.Array:
        return x**2

    def _from_coordinate(self, y: jax.Array) -> jax.Array:
        return jnp.sqrt(y)

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        return {"scale": jnp.sqrt(s.mean / cls.coordinates)}

    def _covariance(self, count: Any) -> jax.Array:
        return (self.scale**2 / (2.0 * self.coordinates * count))[None, None]

    def _analytic_log_density(self, z: jax.Array) -> jax.Array:
        return self._chi()._analytic_log_density(z - jnp.log(self.scale))

    def _tilt(self) -> jax.Array:
        return self._chi()._tilt()

    def _chi(self) -> Chi:
        return Chi(jnp.full_like(self.scale, self.coordinates))


class HalfNormal(_NormalLength):
    """Half-normal distribution, of abs(Z) for a normal Z with mean 0: p(x) = √(2/π) exp(−(x/scale)²/2)/scale, x >= 0.

    Args:
        scale: standard deviation of Z, in the unit of x, > 0.

    Example:
        >>> import suffice as sf
        >>> round(float(sf.HalfNormal(scale=2.0).mean()), 6)
        1.595769
    """

    scale: jax.Array = parameter(domain.positive, 1.0, doc="standard deviation of the normal")

    sample_space: ClassVar[Any] = domain.non_negative
    coordinates: ClassVar[int] = 1

    def _z(self, x: jax.Array) -> jax.Array:
        return x / self.scale

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return _LOG_2 - LOG_SQRT_2PI - jnp.log(self.scale) - 0.5 * self._z(x) ** 2

    def _cdf(self, x: jax.Array) -> jax.Array:
        return jax.lax.erf(self._z(x) / _SQRT_2)

    def _sf(self, x: jax.Array) -> jax.Array:
        z = self._z(x)
        return jnp.where(z < 0.5, 1.0 - jax.lax.erf(z / _SQRT_2), 2.0 * ndtr(-z))

    def _log_sf(self, x: jax.Array) -> jax.Array:
        z = self._z(x)
        return jnp.where(z < 0.5, jnp.log1p(-jax.lax.erf(jnp.where(z < 0.5, z, 0.0) / _SQRT_2)), _LOG_2 + log_ndtr(-z))

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self.scale * (_SQRT_2 * erfinv(q))

    def _isf(self, q: jax.Array) -> jax.Array:
        return -self.scale * ndtri(0.5 * q)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return self.scale * jnp.abs(variates.normal(key, shape, self.scale.dtype))

    def _mean(self) -> jax.Array:
        return self.scale * math.sqrt(2.0 / math.pi)

    def _mode(self) -> jax.Array:
        return jnp.zeros_like(self.scale)

    def _variance(self) -> jax.Array:
        return (1.0 - 2.0 / math.pi) * self.scale**2

    def _skewness(self) -> jax.Array:
        return jnp.full_like(self.scale, _SQRT_2 * (4.0 - math.pi) / (math.pi - 2.0) ** 1.5)

    def _kurtosis(self) -> jax.Array:
        return jnp.full_like(self.scale, 8.0 * (math.pi - 3.0) / (math.pi - 2.0) ** 2)

    def _entropy(self) -> jax.Array:
        return 0.5 + LOG_SQRT_2PI - _LOG_2 + jnp.log(self.scale)

    def _cumulant(self, t: jax.Array) -> jax.Array:
        # E[exp(tX)] = 2 exp(s²t²/2) Φ(st)
        st = self.scale * t
        down, up = jnp.where(st < 0, st, 0.0), jnp.where(st < 0, 0.0, st)
        return jnp.where(st < 0, jnp.log(erfcx(-down / _SQRT_2)), _LOG_2 + 0.5 * up**2 + log_ndtr(up))


class Maxwell(Mapped, _NormalLength):
    """Maxwell distribution, the length of a vector of three normal coordinates: speeds of the molecules of a gas.

    p(x) = √(2/π) x² exp(−(x/scale)²/2) / scale³, x > 0.

    Args:
        scale: standard deviation of each coordinate, in the unit of x, > 0.
    """

    scale: jax.Array = parameter(domain.positive, 1.0, doc="standard deviation of each coordinate")

    sample_space: ClassVar[Any] = domain.positive
    coordinates: ClassVar[int] = 3

    def _base(self) -> Chi:
        return self._chi()

    def _to_base(self, x: jax.Array) -> jax.Array:
        return x / self.scale

    def _from_base(self, y: jax.Array) -> jax.Array:
        return self.scale * y

    def _log_prob(self, x: jax.Array) -> jax.Array:
        z = x / self.scale
        return 2.0 * jnp.log(z) - 0.5 * z**2 - jnp.log(self.scale) + _LOG_2 - LOG_SQRT_2PI

    def _mean(self) -> jax.Array:
        return self.scale * math.sqrt(8.0 / math.pi)

    def _mode(self) -> jax.Array:
        return self.scale * _SQRT_2

    def _variance(self) -> jax.Array:
        return (3.0 - 8.0 / math.pi) * self.scale**2

    def _skewness(self) -> jax.Array:
        return jnp.full_like(self.scale, 2.0 * _SQRT_2 * (16.0 - 5.0 * math.pi) / (3.0 * math.pi - 8.0) ** 1.5)

    def _kurtosis(self) -> jax.Array:
        value = 4.0 * (40.0 * math.pi - 3.0 * math.pi**2 - 96.0) / (3.0 * math.pi - 8.0) ** 2
        return jnp.full_like(self.scale, value)

    def _entropy(self) -> jax.Array:
        return jnp.log(self.scale) + LOG_SQRT_2PI + EULER_GAMMA - 0.5


class HalfCauchy(Distribution):
    """Half-Cauchy distribution, of abs(Z) for a Cauchy Z around 0: p(x) = 2 / (π scale (1 + (x/scale)²)), x >= 0.

    Args:
        scale: median, in the unit of x, > 0. The mean is infinite.
    """

    scale: jax.Array = parameter(domain.positive, 1.0, doc="median")

    sample_space: ClassVar[Any] = domain.non_negative

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return math.log(2.0 / math.pi) - log1p_square(x / self.scale) - jnp.log(self.scale)

    def _cdf(self, x: jax.Array) -> jax.Array:
        return (2.0 / math.pi) * jnp.arctan(x / self.scale)

    def _sf(self, x: jax.Array) -> jax.Array:
        return (2.0 / math.pi) * jnp.arctan2(self.scale, x)

    def _tangent(self, q: jax.Array) -> jax.Array:
        """tan(π q/2), from the nearer end."""
        low = q < 0.5
        angle = jnp.tan(0.5 * math.pi * jnp.where(low, q, 1.0 - q))
        return jnp.where(low, angle, 1.0 / angle)

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self.scale * self._tangent(q)

    def _isf(self, q: jax.Array) -> jax.Array:
        return self.scale / self._tangent(q)

    def _median(self) -> jax.Array:
        return self.scale

    def _mode(self) -> jax.Array:
        return jnp.zeros_like(self.scale)

    def _mean(self) -> jax.Array:
        return jnp.full_like(self.scale, jnp.inf)

    _variance = _mean

    def _skewness(self) -> jax.Array:
        return jnp.full_like(self.scale, jnp.nan)

    _kurtosis = _skewness

    def _entropy(self) -> jax.Array:
        return jnp.log(2.0 * math.pi * self.scale)

    def _analytic_log_density(self, z: jax.Array) -> jax.Array:
        u = z - jnp.log(self.scale)
        away = jnp.where(u.real > 0, -u, u)
        return math.log(2.0 / math.pi) + away - jnp.log1p(jnp.exp(2.0 * away))

    def _tilt(self) -> jax.Array:
        return jnp.full_like(self.scale, 0.25 * jnp.pi)

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        (middle,) = quantiles(x, w, (0.5,))
        return {"scale": namespace(x).maximum(middle, 1e-300)}
