"""Log-uniform."""

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.declaration import parameter
from suffice.distributions.uniform import BetweenEnds
from suffice.numerics import domain, variates
from suffice.numerics.special.elementary import horner

# (cosh d − sinh(d)/d)/d² in powers of d²
_SPREAD_SERIES = [(2.0 * k + 2.0) / math.factorial(2 * k + 3) for k in range(10)]


def _log_ratio(x: jax.Array, y: jax.Array) -> jax.Array:
    """log(x/y), without loss where the two are close."""
    close = jnp.abs(x - y) < 0.5 * y
    return jnp.where(close, jnp.log1p(jnp.where(close, x - y, 0.0) / y), jnp.log(x) - jnp.log(y))


class LogUniform(BetweenEnds):
    """Log-uniform (reciprocal) distribution on [low, high]: p(x) = 1 / (x log(high/low)).

    Args:
        low: left end, in the unit of x, > 0.
        high: right end, in the unit of x, > low.
    """

    low: jax.Array = parameter(domain.positive, 1.0, doc="left end")
    high: jax.Array = parameter(domain.positive, 10.0, doc="right end")

    sample_space: ClassVar[Any] = domain.positive

    def _width(self) -> jax.Array:
        return _log_ratio(self.high, self.low)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return -jnp.log(x) - jnp.log(self._width())

    def _cdf(self, x: jax.Array) -> jax.Array:
        return _log_ratio(x, self.low) / self._width()

    def _sf(self, x: jax.Array) -> jax.Array:
        return -_log_ratio(x, self.high) / self._width()

    def _between(self, from_low: jax.Array, from_high: jax.Array) -> jax.Array:
        near_low = from_low < 0.5
        up = self.low * jnp.exp(jnp.where(near_low, from_low, 0.0) * self._width())
        return jnp.where(near_low, up, self.high * jnp.exp(-from_high * self._width()))

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self._between(q, 1.0 - q)

    def _isf(self, q: jax.Array) -> jax.Array:
        return self._between(1.0 - q, q)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return jnp.clip(self._icdf(variates.uniform(key, shape, self.low.dtype)), self.low, self.high)

    def _median(self) -> jax.Array:
        return jnp.sqrt(self.low) * jnp.sqrt(self.high)

    def _mode(self) -> jax.Array:
        return self.low

    def _mean(self) -> jax.Array:
        return (self.high - self.low) / self._width()

    def _variance(self) -> jax.Array:
        # low·high sinh(d)/d (cosh d − sinh(d)/d), d = log(high/low)/2
        d = 0.5 * self._width()
        near = d < 1.0
        inner, outer = jnp.where(near, d, 0.0), jnp.where(near, 1.0, d)
        spread = jnp.where(near, inner**2 * horner(inner**2, _SPREAD_SERIES), jnp.cosh(outer) - jnp.sinh(outer) / outer)
        return self._mean() * self._median() * spread

    def _entropy(self) -> jax.Array:
        return 0.5 * (jnp.log(self.low) + jnp.log(self.high)) + jnp.log(self._width())

    def _analytic_log_density(self, z: jax.Array) -> jax.Array:
        # of the logit of (x − low)/(high − low)
        right = z.real > 0
        away = jnp.exp(jnp.where(right, -z, z))
        x = jnp.where(right, self.low * away + self.high, self.low + self.high * away) / (1.0 + away)
        slope = jnp.where(right, -z, z) - 2.0 * jnp.log1p(away)
        return jnp.log((self.high - self.low) / self._width()) + slope - jnp.log(x)

    def _tilt(self) -> jax.Array:
        return jnp.full_like(self.low + self.high, 0.25 * jnp.pi)

    def _coordinate(self, x: jax.Array) -> jax.Array:
        return jnp.log(x)

    def _from_coordinate(self, y: jax.Array) -> jax.Array:
        return jnp.exp(y)
