"""Families on the line with a location and a scale: logistic, Laplace, Gumbel."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.declaration import parameter
from suffice.distributions.distribution import Distribution
from suffice.numerics import domain
from suffice.numerics.moments import mean_and_deviation, namespace, robust_location_and_scale
from suffice.numerics.special.complex_gamma import complex_gammaln
from suffice.numerics.special.elementary import log1mexp, log_sigmoid
from suffice.numerics.special.gamma import gammaln

EULER_GAMMA = 0.57721566490153286061
GUMBEL_SKEWNESS = 1.13954709940464865749  # 12 √6 ζ(3) / π³


class LocationScale(Distribution, abstract=True):
    """Moves a standard law: x = loc + scale z. A member writes hooks of z that start with ``_standard``."""

    loc: jax.Array
    scale: jax.Array

    sample_space: ClassVar[Any] = domain.real

    def _z(self, x: jax.Array) -> jax.Array:
        return (x - self.loc) / self.scale

    def _at(self, z: jax.Array) -> jax.Array:
        return self.loc + self.scale * z

    def _median(self) -> jax.Array:
        return self.loc

    def _mode(self) -> jax.Array:
        return self.loc


class Logistic(LocationScale):
    """Logistic distribution: cdf 1 / (1 + exp(−z)), z = (x − loc)/scale.

    Args:
        loc: mean and median, in the unit of x.
        scale: in the unit of x, > 0; the standard deviation is π scale / √3.
    """

    loc: jax.Array = parameter(domain.real, 0.0, doc="mean")
    scale: jax.Array = parameter(domain.positive, 1.0, doc="scale")

    def _log_prob(self, x: jax.Array) -> jax.Array:
        z = jnp.abs(self._z(x))
        return -z - 2.0 * jnp.log1p(jnp.exp(-z)) - jnp.log(self.scale)

    # tails are exponentials of their logarithms: the slope of a sigmoid loses the far one
    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return log_sigmoid(self._z(x))

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return log_sigmoid(-self._z(x))

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self._at(jnp.log(q) - jnp.log1p(-q))

    def _isf(self, q: jax.Array) -> jax.Array:
        return self._at(jnp.log1p(-q) - jnp.log(q))

    def _mean(self) -> jax.Array:
        return self.loc

    def _variance(self) -> jax.Array:
        return (jnp.pi * self.scale) ** 2 / 3.0

    def _skewness(self) -> jax.Array:
        return jnp.zeros_like(self.scale)

    def _kurtosis(self) -> jax.Array:
        return jnp.full_like(self.scale, 1.2)

    def _entropy(self) -> jax.Array:
        return jnp.log(self.scale) + 2.0

    def _cumulant(self, t: jax.Array) -> jax.Array:
        angle = jnp.pi * self.scale * t
        inside = jnp.abs(angle) < jnp.pi
        return jnp.where(inside, self.loc * t - jnp.log(jnp.sinc(jnp.where(inside, angle, 0.0) / jnp.pi)), jnp.inf)

    def _cf(self, t: jax.Array) -> jax.Array:
        angle = jnp.abs(jnp.pi * self.scale * t)
        positive = jnp.where(angle > 0, angle, 1.0)
        damping = jnp.where(angle > 0, -2.0 * positive * jnp.exp(-positive) / jnp.expm1(-2.0 * positive), 1.0)
        return jnp.exp(1j * self.loc * t) * damping

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        loc, deviation = robust_location_and_scale(x, w)
        return {"loc": loc, "scale": deviation * 0.6}


class Laplace(LocationScale):
    """Laplace distribution: p(x) = exp(−|x − loc|/scale) / (2 scale).

    Args:
        loc: mean and median, in the unit of x.
        scale: mean absolute deviation, in the unit of x, > 0.
    """

    loc: jax.Array = parameter(domain.real, 0.0, doc="mean and median")
    scale: jax.Array = parameter(domain.positive, 1.0, doc="mean absolute deviation")

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return -jnp.abs(self._z(x)) - jnp.log(2.0 * self.scale)

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        z = self._z(x)
        half = 0.5 * jnp.exp(-jnp.abs(z))
        return jnp.where(z < 0, z - jnp.log(2.0), jnp.log1p(-half))

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return Laplace(-self.loc, self.scale)._log_cdf(-x)

    def _cdf(self, x: jax.Array) -> jax.Array:
        z = self._z(x)
        half = 0.5 * jnp.exp(-jnp.abs(z))
        return jnp.where(z < 0, half, 1.0 - half)

    def _sf(self, x: jax.Array) -> jax.Array:
        return Laplace(-self.loc, self.scale)._cdf(-x)

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self._at(jnp.where(q < 0.5, jnp.log(2.0 * q), -jnp.log(2.0 * (1.0 - q))))

    def _isf(self, q: jax.Array) -> jax.Array:
        return self._at(jnp.where(q < 0.5, -jnp.log(2.0 * q), jnp.log(2.0 * (1.0 - q))))

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return self._at(jax.random.laplace(key, shape, self.scale.dtype))

    def _mean(self) -> jax.Array:
        return self.loc

    def _variance(self) -> jax.Array:
        return 2.0 * self.scale**2

    def _skewness(self) -> jax.Array:
        return jnp.zeros_like(self.scale)

    def _kurtosis(self) -> jax.Array:
        return jnp.full_like(self.scale, 3.0)

    def _entropy(self) -> jax.Array:
        return 1.0 + jnp.log(2.0 * self.scale)

    def _cumulant(self, t: jax.Array) -> jax.Array:
        square = (self.scale * t) ** 2
        inside = square < 1.0
        return jnp.where(inside, self.loc * t - jnp.log1p(-jnp.where(inside, square, 0.0)), jnp.inf)

    def _cf(self, t: jax.Array) -> jax.Array:
        return jnp.exp(1j * self.loc * t) / (1.0 + (self.scale * t) ** 2)

    @classmethod
    def _level(cls, held: dict[str, Any]) -> float:
        return 0.5

    @classmethod
    def _from_sides(cls, below: Any, above: Any, held: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        scale = held.get("scale", below + above)
        return {"scale": scale}, -namespace(below).log(2.0 * scale) - (below + above) / scale

    def _information(self) -> jax.Array:
        return jnp.eye(2) / self.scale**2

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        loc, deviation = robust_location_and_scale(x, w)
        return {"loc": loc, "scale": deviation}


class Gumbel(LocationScale):
    """Gumbel distribution of maxima: cdf exp(−exp(−z)), z = (x − loc)/scale.

    Args:
        loc: mode, in the unit of x.
        scale: in the unit of x, > 0.
    """

    loc: jax.Array = parameter(domain.real, 0.0, doc="mode")
    scale: jax.Array = parameter(domain.positive, 1.0, doc="scale")

    def _log_prob(self, x: jax.Array) -> jax.Array:
        z = self._z(x)
        return -z - jnp.exp(-z) - jnp.log(self.scale)

    def _cdf(self, x: jax.Array) -> jax.Array:
        return jnp.exp(-jnp.exp(-self._z(x)))

    def _sf(self, x: jax.Array) -> jax.Array:
        return -jnp.expm1(-jnp.exp(-self._z(x)))

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return -jnp.exp(-self._z(x))

    def _log_sf(self, x: jax.Array) -> jax.Array:
        z = self._z(x)
        far = z > 40.0  # there log(1 − exp(−e)) is log e to the last digit, also where e underflows
        return jnp.where(far, -z, log1mexp(-jnp.exp(-jnp.where(far, 0.0, z))))

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self._at(-jnp.log(-jnp.log(q)))

    def _isf(self, q: jax.Array) -> jax.Array:
        return self._at(-jnp.log(-jnp.log1p(-q)))

    def _median(self) -> jax.Array:
        return self._at(-jnp.log(jnp.log(2.0)))

    def _mean(self) -> jax.Array:
        return self._at(jnp.asarray(EULER_GAMMA, self.scale.dtype))

    def _variance(self) -> jax.Array:
        return (jnp.pi * self.scale) ** 2 / 6.0

    def _skewness(self) -> jax.Array:
        return jnp.full_like(self.scale, GUMBEL_SKEWNESS)

    def _kurtosis(self) -> jax.Array:
        return jnp.full_like(self.scale, 2.4)

    def _entropy(self) -> jax.Array:
        return jnp.log(self.scale) + EULER_GAMMA + 1.0

    def _cumulant(self, t: jax.Array) -> jax.Array:
        share = self.scale * t
        inside = share < 1.0
        return jnp.where(inside, self.loc * t + gammaln(1.0 - jnp.where(inside, share, 0.0)), jnp.inf)

    def _cf(self, t: jax.Array) -> jax.Array:
        return jnp.exp(1j * self.loc * t + complex_gammaln(1.0 - 1j * self.scale * t))

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        mean, deviation = mean_and_deviation(x, w)
        scale = deviation * 0.7797
        return {"loc": mean - EULER_GAMMA * scale, "scale": scale}
