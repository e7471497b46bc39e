"""Skew-normal."""

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.declaration import parameter
from suffice.distributions.distribution import Distribution
from suffice.numerics import domain, variates
from suffice.numerics.moments import mean_and_deviation, namespace
from suffice.numerics.special.normal import log_ndtr
from suffice.numerics.special.skew_normal import (
    dawson,
    log_skew_normal,
    log_skew_normal_cdf,
    log_skew_normal_sf,
    skew_normal_mode,
    skew_normal_quantile,
)

_ROOT = math.sqrt(2.0 / math.pi)
_LOG_2 = math.log(2.0)


class SkewNormal(Distribution):
    """Skew-normal distribution: p(x) = 2 φ(z) Φ(shape·z) / scale, z = (x − loc)/scale (Azzalini 1985).

    The law of loc + scale (shape·|U| + V)/√(1 + shape²) with standard normal U, V.

    Args:
        loc: in the unit of x; the mean where shape is 0.
        scale: in the unit of x, > 0.
        shape: how skewed, dimensionless; 0 gives the normal distribution.

    Example:
        >>> import suffice as sf
        >>> round(float(sf.SkewNormal(shape=1.0).cdf(0.0)), 12)
        0.25
    """

    loc: jax.Array = parameter(domain.real, 0.0, doc="location")
    scale: jax.Array = parameter(domain.positive, 1.0, doc="scale")
    shape: jax.Array = parameter(domain.real, 0.0, doc="shape, of the sign of the skewness")

    sample_space: ClassVar[Any] = domain.real

    def _z(self, x: jax.Array) -> jax.Array:
        return (x - self.loc) / self.scale

    def _at(self, z: jax.Array) -> jax.Array:
        return self.loc + self.scale * z

    def _delta(self) -> jax.Array:
        return self.shape / jnp.hypot(1.0, self.shape)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return log_skew_normal(self.shape, self._z(x)) - jnp.log(self.scale)

    # tails are exponentials of their logarithms
    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return log_skew_normal_cdf(self.shape, self._z(x))

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return log_skew_normal_sf(self.shape, self._z(x))

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self._at(skew_normal_quantile(self.shape, jnp.log(q), jnp.log1p(-q)))

    def _isf(self, q: jax.Array) -> jax.Array:
        return self._at(skew_normal_quantile(self.shape, jnp.log1p(-q), jnp.log(q)))

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        u, v = variates.normal(key, (2, *shape), self.scale.dtype)
        return self._at((self.shape * jnp.abs(u) + v) / jnp.hypot(1.0, self.shape))

    def _mean(self) -> jax.Array:
        return self._at(_ROOT * self._delta())

    def _mode(self) -> jax.Array:
        return self._at(skew_normal_mode(self.shape))

    def _variance(self) -> jax.Array:
        return self.scale**2 * (1.0 - (_ROOT * self._delta()) ** 2)

    def _skewness(self) -> jax.Array:
        m = _ROOT * self._delta()
        return 0.5 * (4.0 - math.pi) * (m / jnp.sqrt(1.0 - m**2)) ** 3 + jnp.zeros_like(self.scale)

    def _kurtosis(self) -> jax.Array:
        m = _ROOT * self._delta()
        return 2.0 * (math.pi - 3.0) * (m**2 / (1.0 - m**2)) ** 2 + jnp.zeros_like(self.scale)

    def _cumulant(self, t: jax.Array) -> jax.Array:
        s = self.scale * t
        return self.loc * t + 0.5 * s**2 + _LOG_2 + log_ndtr(self._delta() * s)

    def _cf(self, t: jax.Array) -> jax.Array:
        s, slope = self.scale * t, jnp.hypot(1.0, self.shape)
        imaginary = (
            math.sqrt(2.0) * _ROOT * jnp.exp(-0.5 * (s / slope) ** 2) * dawson(math.sqrt(0.5) * self._delta() * s)
        )
        return jnp.exp(1j * self.loc * t) * (jnp.exp(-0.5 * s**2) + 1j * imaginary)

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        # by the method of moments, away from shape 0, where the likelihood is stationary
        xp = namespace(x)
        mean, deviation = mean_and_deviation(x, w)
        skewness = (w * ((x - mean) / deviation) ** 3).sum() / w.sum()
        ratio = (xp.clip(xp.abs(skewness), 0.05, 0.9) / (0.5 * (4.0 - math.pi))) ** (2.0 / 3.0)  # m²/(1 − m²)
        m = xp.sqrt(ratio / (1.0 + ratio)) * xp.where(skewness < 0.0, -1.0, 1.0)
        scale, delta = deviation * xp.sqrt(1.0 + ratio), m / _ROOT
        return {"loc": mean - scale * m, "scale": scale, "shape": delta / xp.sqrt(1.0 - delta**2)}
