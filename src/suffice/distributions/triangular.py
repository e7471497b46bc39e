"""Triangular."""

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.declaration import parameter
from suffice.distributions.distribution import Distribution
from suffice.numerics import domain
from suffice.numerics.quadrature import unit_legendre
from suffice.numerics.special.elementary import horner

_LOG_2 = math.log(2.0)
_RAMP_SERIES = [2.0 / math.factorial(k + 2) for k in range(19)]


def _ramp(a: jax.Array) -> jax.Array:
    """∫₀¹ 2 (1 − y) exp(ay) dy = 2 (exp(a) − 1 − a)/a², for real or complex a."""
    near = jnp.abs(a) < 1.0
    far = jnp.where(near, 1.0, a)
    return jnp.where(near, horner(jnp.where(near, a, 0.0), _RAMP_SERIES), 2.0 * (jnp.exp(far) - 1.0 - far) / far**2)


def _log_ramp(a: jax.Array) -> jax.Array:
    """The logarithm of that for real a, also where the exponential overflows."""
    far = a > 40.0
    large = jnp.where(far, a, 40.0)
    return jnp.where(far, _LOG_2 + large - 2.0 * jnp.log(large), jnp.log(_ramp(jnp.where(far, 0.0, a))))


class Triangular(Distribution):
    """Triangular distribution on [low, high]: the density rises in a line to 2/(high − low) at peak, and falls in one.

    A fit finds the peak at an observation, and the ends beyond all of them.

    Args:
        low: left end, in the unit of x.
        high: right end, in the unit of x, > low.
        peak: mode, from low to high.

    Example:
        >>> import suffice as sf
        >>> float(sf.Triangular(low=0.0, high=4.0, peak=1.0).cdf(1.0))
        0.25
    """

    low: jax.Array = parameter(domain.real, 0.0, doc="left end")
    high: jax.Array = parameter(domain.real, 1.0, doc="right end")
    peak: jax.Array = parameter(domain.real, 0.5, doc="mode")

    sample_space: ClassVar[Any] = domain.real
    irregular: ClassVar[tuple[str, ...]] = ("low", "high", "peak")

    def _best_peak(self, x: np.ndarray, w: np.ndarray) -> float:
        """The likeliest peak for the ends of this one: of sorted, distinct observations x (Oliver 1972)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            sides = []
            for distance, height in ((x - self.low, w), ((self.high - x)[::-1], w[::-1])):
                log = np.log(np.asarray(distance))
                weight, total = (np.concatenate([[0.0], np.cumsum(v)[:-1]]) for v in (height, height * log))
                sides.append(np.where(weight > 0.0, total - weight * log, 0.0))
        return float(x[np.argmax(np.nan_to_num(sides[0] + sides[1][::-1], nan=-np.inf))])

    def _condition(self) -> tuple[Any, str]:
        inside = (self.low < self.high) & (self.low <= self.peak) & (self.peak <= self.high)
        return inside, "low must be < high, and peak between them"

    def _support(self) -> Any:
        return domain.Interval(self.low, self.high, closed=(True, True))

    def _widths(self) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Of the support, left of the peak, and right of it."""
        return self.high - self.low, self.peak - self.low, self.high - self.peak

    def _log_prob(self, x: jax.Array) -> jax.Array:
        width, left, right = self._widths()
        step = x - self.peak
        side = jnp.where(step < 0.0, left, right)
        off = step != 0.0
        share = jnp.where(step < 0.0, x - self.low, self.high - x) / jnp.where(off, side, 1.0)
        return _LOG_2 - jnp.log(width) + jnp.where(off, jnp.log(jnp.where(off, share, 1.0)), 0.0)

    def _rising(self, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Whether x is left of the peak; where it is, x − low over both widths, and elsewhere 1."""
        width, left, _ = self._widths()
        rising = x < self.peak
        above = jnp.where(rising, x - self.low, 1.0)
        return rising, above / jnp.where(rising, left, 1.0), above / jnp.where(rising, width, 1.0)

    def _mirrored(self) -> "Triangular":
        """The law of −X."""
        return Triangular(-self.high, -self.low, -self.peak)

    def _cdf(self, x: jax.Array) -> jax.Array:
        width, left, right = self._widths()
        rising, share, of_all = self._rising(x)
        right, height = jnp.where(right > 0.0, right, 1.0), self.high - jnp.maximum(x, self.peak)
        falling = left / width + jnp.where(rising, 0.0, x - self.peak) / width * (1.0 + height / right)
        falling = falling - jax.lax.stop_gradient(jnp.maximum(falling - 1.0, 0.0))  # what rounding adds to 1
        return jnp.where(rising, share * of_all, falling)

    def _sf(self, x: jax.Array) -> jax.Array:
        return self._mirrored()._cdf(-x)

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        rising, share, of_all = self._rising(x)
        cdf, sf = self._cdf(x), self._sf(x)
        small = cdf < 0.5
        falling = jnp.where(small, jnp.log(jnp.where(small, cdf, 0.5)), jnp.log1p(-jnp.where(small, 0.5, sf)))
        return jnp.where(rising & small, jnp.log(share) + jnp.log(of_all), falling)

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return self._mirrored()._log_cdf(-x)

    def _icdf(self, q: jax.Array) -> jax.Array:
        width, left, right = self._widths()
        more = jnp.maximum(q * width - left, 0.0)  # beyond the peak
        positive = more > 0.0
        height = jnp.where(positive, right + jnp.sqrt((1.0 - q) * width * right), 1.0)
        before = self.low + jnp.sqrt(q) * jnp.sqrt(width * left)
        return jnp.where(positive, self.peak + more * right / height, before)

    def _isf(self, q: jax.Array) -> jax.Array:
        return -self._mirrored()._icdf(q)

    def _rule(self, count: int) -> tuple[jax.Array, jax.Array]:
        # on either side of the peak by Gauss–Legendre quadrature in the root of the share of the way from the end
        width, left, right = self._widths()
        root, weights = (
            jnp.asarray(v).reshape((1,) * max(width.ndim - 1, 0) + (-1,)) for v in unit_legendre(count // 2)
        )
        share, mass = root**2, 4.0 * root**3 * weights
        x = jnp.concatenate([self.low + left * share, self.high - right * share], -1)
        return x, jnp.concatenate([left / width * mass, right / width * mass], -1)

    def _mean(self) -> jax.Array:
        return self.low / 3.0 + self.high / 3.0 + self.peak / 3.0

    def _mode(self) -> jax.Array:
        return self.peak + jnp.zeros_like(self.low * self.high)

    def _variance(self) -> jax.Array:
        width, left, right = self._widths()
        return (width**2 - left * right) / 18.0

    def _skewness(self) -> jax.Array:
        width, left, right = self._widths()
        p, r = left / width, right / width
        return math.sqrt(2.0) * (r - p) * (1.0 + p) * (1.0 + r) / (5.0 * (1.0 - p * r) ** 1.5)

    def _kurtosis(self) -> jax.Array:
        return jnp.full_like(self._widths()[0], -0.6)

    def _entropy(self) -> jax.Array:
        return 0.5 - _LOG_2 + jnp.log(self._widths()[0])

    # left of the peak X = peak − left·Y, right of it peak + right·Y, with Y of density 2 (1 − y)
    def _cumulant(self, t: jax.Array) -> jax.Array:
        width, left, right = self._widths()
        down = jnp.log(left / width) + _log_ramp(-left * t)
        return self.peak * t + jnp.logaddexp(down, jnp.log(right / width) + _log_ramp(right * t))

    def _cf(self, t: jax.Array) -> jax.Array:
        width, left, right = self._widths()
        mean = left / width * _ramp(-1j * left * t) + right / width * _ramp(1j * right * t)
        return jnp.exp(1j * self.peak * t) * mean
