"""Families whose support is estimated: uniform and Pareto."""

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.declaration import parameter
from suffice.distributions.distribution import Distribution
from suffice.distributions.hazard import Hazard
from suffice.distributions.statistics import Sufficient
from suffice.numerics import domain, variates
from suffice.numerics.special.elementary import horner

_SINH_SERIES = [1.0 / math.factorial(2 * k + 3) for k in range(9)]  # of (sinh(h)/h − 1)/h² in powers of h²


def log_sinhc(h: jax.Array) -> jax.Array:
    """log(sinh(h)/h): by the series of sinh(h)/h − 1 near 0, else with the larger exponential taken out."""
    small = jnp.abs(h) < 1.0
    square = jnp.where(small, h, 0.0) ** 2
    close = jnp.log1p(square * horner(square, _SINH_SERIES))
    far = jnp.where(small, 1.0, jnp.abs(h))
    return jnp.where(small, close, far + jnp.log(-jnp.expm1(-2.0 * far) / (2.0 * far)))


class BetweenEnds(Distribution, abstract=True):
    """A law on [low, high] whose ends are estimated by the smallest and largest observation."""

    low: jax.Array
    high: jax.Array

    irregular: ClassVar[tuple[str, ...]] = ("low", "high")
    needs_extremes: ClassVar[bool] = True

    def _condition(self) -> tuple[Any, str]:
        return self.low < self.high, "low must be < high"

    def _support(self) -> Any:
        return domain.Interval(self.low, self.high, closed=(True, True))

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        return {"low": s.lower, "high": s.upper}

    @classmethod
    def _support_of_rounded(cls, lower: Any, upper: Any) -> dict[str, Any]:
        return {"low": lower, "high": upper}


class Uniform(BetweenEnds):
    """Uniform distribution on [low, high]: p(x) = 1 / (high − low).

    Args:
        low: left end, in the unit of x.
        high: right end, in the unit of x, > low.
    """

    low: jax.Array = parameter(domain.real, 0.0, doc="left end")
    high: jax.Array = parameter(domain.real, 1.0, doc="right end")

    sample_space: ClassVar[Any] = domain.real

    def _width(self) -> jax.Array:
        return self.high - self.low

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return jnp.zeros_like(x) - jnp.log(self._width())

    def _cdf(self, x: jax.Array) -> jax.Array:
        return (x - self.low) / self._width()

    def _sf(self, x: jax.Array) -> jax.Array:
        return (self.high - x) / self._width()

    def _icdf(self, q: jax.Array) -> jax.Array:
        return jnp.where(q < 0.5, self.low + q * self._width(), self.high - (1.0 - q) * self._width())

    def _isf(self, q: jax.Array) -> jax.Array:
        return jnp.where(q < 0.5, self.high - q * self._width(), self.low + (1.0 - q) * self._width())

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return self.low + self._width() * variates.uniform(key, shape, self.low.dtype)

    def _mean(self) -> jax.Array:
        return 0.5 * self.low + 0.5 * self.high

    _median = _mode = _mean

    def _variance(self) -> jax.Array:
        return self._width() ** 2 / 12.0

    def _skewness(self) -> jax.Array:
        return jnp.zeros_like(self.low)

    def _kurtosis(self) -> jax.Array:
        return jnp.full_like(self.low, -1.2)

    def _entropy(self) -> jax.Array:
        return jnp.log(self._width())

    def _cumulant(self, t: jax.Array) -> jax.Array:
        return t * self._mean() + log_sinhc(0.5 * t * self._width())

    def _cf(self, t: jax.Array) -> jax.Array:
        return jnp.exp(1j * t * self._mean()) * jnp.sinc(t * self._width() / (2.0 * jnp.pi))


class Pareto(Hazard):
    """Pareto distribution: p(x) = a m^a / x^(a+1), x >= m, with a = concentration and m = scale.

    Args:
        concentration: tail exponent a, dimensionless, > 0.
        scale: the smallest possible value m, in the unit of x, > 0.
    """

    concentration: jax.Array = parameter(domain.positive, doc="tail exponent")
    scale: jax.Array = parameter(domain.positive, 1.0, doc="minimum")

    sample_space: ClassVar[Any] = domain.positive
    irregular: ClassVar[tuple[str, ...]] = ("scale",)
    needs_extremes: ClassVar[bool] = True

    def _support(self) -> Any:
        return domain.Interval(lower=self.scale, closed=(True, False))

    def _excess(self, x: jax.Array) -> jax.Array:
        """log(x / scale), without loss where x is close to the minimum."""
        return jnp.log1p((x - self.scale) / self.scale)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        a = self.concentration
        return jnp.log(a) - jnp.log(self.scale) - (a + 1.0) * self._excess(x)

    def _hazard(self, x: jax.Array) -> jax.Array:
        return self.concentration * self._excess(x)

    def _log_hazard(self, x: jax.Array) -> jax.Array:
        return jnp.log(self.concentration) + jnp.log(self._excess(x))

    def _at_hazard(self, h: jax.Array) -> jax.Array:
        return self.scale * jnp.exp(h / self.concentration)

    def _above(self, order: float, value: jax.Array, otherwise: float) -> jax.Array:
        return jnp.where(self.concentration > order, value, otherwise)

    def _mean(self) -> jax.Array:
        a = self.concentration
        return self._above(1.0, a * self.scale / (a - 1.0), jnp.inf)

    def _median(self) -> jax.Array:
        return self.scale * jnp.exp2(1.0 / self.concentration)

    def _mode(self) -> jax.Array:
        return self.scale

    def _variance(self) -> jax.Array:
        a = self.concentration
        return self._above(2.0, (self.scale / (a - 1.0)) ** 2 * a / (a - 2.0), jnp.inf)

    def _skewness(self) -> jax.Array:
        a = self.concentration
        return self._above(3.0, 2.0 * (1.0 + a) / (a - 3.0) * jnp.sqrt(jnp.maximum(a - 2.0, 0.0) / a), jnp.nan)

    def _kurtosis(self) -> jax.Array:
        a = self.concentration
        value = 6.0 * (a**3 + a**2 - 6.0 * a - 2.0) / (a * (a - 3.0) * (a - 4.0))
        return self._above(4.0, value, jnp.nan)

    def _entropy(self) -> jax.Array:
        a = self.concentration
        return jnp.log(self.scale) - jnp.log(a) + 1.0 / a + 1.0

    def _analytic_log_density(self, z: jax.Array) -> jax.Array:
        a, u = self.concentration, z - jnp.log(self.scale)
        outer = u.real > 0
        growth = jnp.where(outer, u, 0.0) + jnp.log1p(jnp.exp(jnp.where(outer, -u, u)))
        return jnp.log(a) + u - (a + 1.0) * growth

    def _tilt(self) -> jax.Array:
        return jnp.full_like(self.scale, jnp.pi / 4.0)

    def _coordinate(self, x: jax.Array) -> jax.Array:
        return jnp.log(x)

    def _from_coordinate(self, y: jax.Array) -> jax.Array:
        return jnp.exp(y)

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        return {"concentration": 1.0 / (s.mean - jnp.log(s.lower)), "scale": s.lower}

    @classmethod
    def _support_of_rounded(cls, lower: Any, upper: Any) -> dict[str, Any]:
        return {"scale": lower}
