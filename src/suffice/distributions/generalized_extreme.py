"""Generalised extreme values and generalised Pareto: smooth through shape 0."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions import generic
from suffice.distributions.declaration import parameter
from suffice.distributions.hazard import Hazard
from suffice.distributions.location_scale import EULER_GAMMA, Gumbel
from suffice.distributions.mapped import Mapped
from suffice.numerics import domain
from suffice.numerics.moments import namespace, quantiles
from suffice.numerics.special.elementary import horner
from suffice.numerics.special.gamma import gammaln1p

# at −1 and below, the likelihood is unbounded; at 2 and above, not even √X has a mean
_SHAPE = domain.Interval(lower=-1.0, upper=2.0)
_LOG_SERIES = [(-1.0) ** k / (k + 1.0) for k in range(20)]
_EXP_SERIES = [1.0 / math.factorial(k + 1) for k in range(14)]


def box_log(shape: jax.Array, z: jax.Array) -> jax.Array:
    """log(1 + shape·z)/shape, and z at shape 0; smooth in both."""
    w = shape * z
    near = jnp.abs(w) < 0.125
    # rounding must not carry a point inside the support to its end, w = −1
    inner, outer = jnp.where(near, w, 0.0), jnp.where(near, 1.0, jnp.maximum(w, -1.0 + jnp.finfo(w.dtype).epsneg))
    safe = jnp.where(near, 1.0, shape)
    return jnp.where(near, z * horner(inner, _LOG_SERIES), jnp.log1p(outer) / safe)


def box_exp(shape: jax.Array, y: jax.Array) -> jax.Array:
    """(exp(shape·y) − 1)/shape, and y at shape 0: the inverse of ``box_log``."""
    w = shape * y
    near = jnp.abs(w) < 0.25
    inner, outer = jnp.where(near, w, 0.0), jnp.where(near, 1.0, w)
    return jnp.where(near, y * horner(inner, _EXP_SERIES), jnp.expm1(outer) / jnp.where(near, 1.0, shape))


def _box_exp_roughly(shape: Any, y: float, xp: Any) -> Any:
    """``box_exp`` for starting points, in whatever array module."""
    k = xp.where(xp.abs(shape) < 1e-6, 1e-6, shape)
    return xp.expm1(k * y) / k


@dataclass(frozen=True, eq=False)
class _Around(domain.Interval):
    """An interval whose ends may be infinite for some members; ``point`` lies inside it for all."""

    point: Any = 0.0

    def interior(self, shape: tuple[int, ...] = ()) -> Any:
        return self.point


def _below(shape: jax.Array, order: float, value: jax.Array, otherwise: float) -> jax.Array:
    """A moment that exists for shapes below 1/order."""
    return jnp.where(order * shape < 1.0, value, otherwise)


def _cumulant(p: Any, t: jax.Array) -> jax.Array:
    """log E[exp(tX)] by quadrature over quantiles, and +inf where a heavy tail makes it diverge."""
    diverges = (t > 0.0) & ((p.shape > 0.0) | ((p.shape == 0.0) & (p.scale * t >= 1.0)))
    return jnp.where(diverges, jnp.inf, jnp.log(generic.transform(p, jnp.where(diverges, 0.0, t), jnp.exp)))


class GeneralizedPareto(Hazard):
    """Generalised Pareto distribution of excesses over a threshold: sf (1 + shape x/scale)^(−1/shape), x >= 0.

    At shape 0 the exponential, above it a Lomax, below it bounded by −scale/shape.

    Args:
        scale: in the unit of x, > 0.
        shape: tail index, dimensionless, between −1 and 2.
    """

    scale: jax.Array = parameter(domain.positive, 1.0, doc="scale")
    shape: jax.Array = parameter(_SHAPE, 0.0, doc="tail index")

    sample_space: ClassVar[Any] = domain.non_negative

    def _support(self) -> Any:
        bounded = self.shape < 0.0
        upper = jnp.where(bounded, self.scale * (-1.0 / jnp.where(bounded, self.shape, -1.0)), jnp.inf)
        return _Around(jnp.zeros_like(upper), upper, (True, False), point=0.5 * self.scale)

    def _hazard(self, x: jax.Array) -> jax.Array:
        return box_log(self.shape, x / self.scale)

    def _log_hazard(self, x: jax.Array) -> jax.Array:
        return jnp.log(self._hazard(x))

    def _at_hazard(self, h: jax.Array) -> jax.Array:
        return self.scale * box_exp(self.shape, h)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return -jnp.log(self.scale) - (1.0 + self.shape) * self._hazard(x)

    def _mean(self) -> jax.Array:
        return _below(self.shape, 1.0, self.scale / (1.0 - self.shape), jnp.inf)

    def _mode(self) -> jax.Array:
        return jnp.zeros_like(self.scale * self.shape)

    def _variance(self) -> jax.Array:
        k = self.shape
        return _below(k, 2.0, (self.scale / (1.0 - k)) ** 2 / (1.0 - 2.0 * k), jnp.inf)

    def _skewness(self) -> jax.Array:
        k = self.shape
        value = 2.0 * (1.0 + k) * jnp.sqrt(jnp.maximum(1.0 - 2.0 * k, 0.0)) / (1.0 - 3.0 * k)
        return _below(k, 3.0, value, jnp.nan)

    def _kurtosis(self) -> jax.Array:
        k = self.shape
        value = 3.0 * (1.0 - 2.0 * k) * (2.0 * k**2 + k + 3.0) / ((1.0 - 3.0 * k) * (1.0 - 4.0 * k)) - 3.0
        return _below(k, 4.0, value, jnp.nan)

    def _entropy(self) -> jax.Array:
        return jnp.log(self.scale) + 1.0 + self.shape

    def _cumulant(self, t: jax.Array) -> jax.Array:
        return _cumulant(self, t)

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        # quantiles at 1/2 and 3/4 are box_exp at log 2 and 2 log 2: their ratio is 1 + 2^shape
        xp = namespace(x)
        middle, high = quantiles(x, w, (0.5, 0.75))
        middle = xp.maximum(middle, 1e-300)
        shape = xp.clip(xp.log2(xp.maximum(high / middle - 1.0, 0.55)), -0.9, 1.9)
        scale = middle / _box_exp_roughly(shape, math.log(2.0), xp)
        return {"scale": xp.maximum(scale, -shape * x.max() / 0.95), "shape": shape}


class GeneralizedExtremeValue(Mapped):
    """Generalised extreme-value distribution of maxima: cdf exp(−(1 + shape z)^(−1/shape)), z = (x − loc)/scale.

    At shape 0 the Gumbel; above it Fréchet's, with a lower end at loc − scale/shape; below it Weibull's, with that as
    upper end.

    Args:
        loc: location, in the unit of x; the quantile at 1/e.
        scale: in the unit of x, > 0.
        shape: tail index, dimensionless, between −1 and 2; some authors take its negative.
    """

    loc: jax.Array = parameter(domain.real, 0.0, doc="location")
    scale: jax.Array = parameter(domain.positive, 1.0, doc="scale")
    shape: jax.Array = parameter(_SHAPE, 0.0, doc="tail index")

    sample_space: ClassVar[Any] = domain.real

    def _z(self, x: jax.Array) -> jax.Array:
        return (x - self.loc) / self.scale

    def _end(self, exists: jax.Array, otherwise: float) -> jax.Array:
        # a quotient, for a product and a sum would be rounded once in some programs and twice in others
        return jnp.where(exists, self.loc - self.scale / jnp.where(exists, self.shape, 1.0), otherwise)

    def _support(self) -> Any:
        ends = self._end(self.shape > 0.0, -jnp.inf), self._end(self.shape < 0.0, jnp.inf)
        return _Around(*ends, point=self.loc + 0.0 * self.scale)

    def _base(self) -> Gumbel:
        return Gumbel(jnp.zeros_like(self.scale), jnp.ones_like(self.scale))

    def _to_base(self, x: jax.Array) -> jax.Array:
        return box_log(self.shape, self._z(x))

    def _from_base(self, y: jax.Array) -> jax.Array:
        at_end = ((y == -jnp.inf) & (self.shape > 0.0)) | ((y == jnp.inf) & (self.shape < 0.0))
        return jnp.where(at_end, self._end(at_end, 0.0), self.loc + self.scale * box_exp(self.shape, y))

    def _log_slope(self, x: jax.Array) -> jax.Array:
        return -jnp.log(self.scale) - self.shape * self._to_base(x)

    def _log_moment(self, order: float) -> jax.Array:
        """log E[(1 + shape z)^order] = log Γ(1 − order·shape)."""
        share = order * self.shape
        return gammaln1p(-jnp.where(share < 1.0, share, 0.0))

    def _mean(self) -> jax.Array:
        k = jnp.where(jnp.abs(self.shape) < 1e-12, 1.0, self.shape)
        value = jnp.where(k == self.shape, jnp.expm1(self._log_moment(1.0)) / k, EULER_GAMMA)
        return _below(self.shape, 1.0, self.loc + self.scale * value, jnp.inf)

    def _mode(self) -> jax.Array:
        return self._from_base(-jnp.log1p(self.shape))

    # central moments: from those about 0 where tails are heavy, else by quadrature, where they would cancel
    def _standardised(self, order: int, raw: jax.Array, unit: Any) -> jax.Array:
        return jnp.where(self.shape < 0.1, generic.standardised(self, order, unit), raw)

    def _variance(self) -> jax.Array:
        g1, g2 = (jnp.exp(self._log_moment(order)) for order in (1.0, 2.0))
        raw = (self.scale / self.shape) ** 2 * (g2 - g1**2)
        return _below(self.shape, 2.0, self._standardised(2, raw, jnp.asarray(1.0)), jnp.inf)

    def _skewness(self) -> jax.Array:
        g1, g2, g3 = (jnp.exp(self._log_moment(order)) for order in (1.0, 2.0, 3.0))
        raw = (g3 - 3.0 * g1 * g2 + 2.0 * g1**3) / (g2 - g1**2) ** 1.5
        return _below(self.shape, 3.0, self._standardised(3, raw, jnp.sqrt(self._variance())), jnp.nan)

    def _kurtosis(self) -> jax.Array:
        g1, g2, g3, g4 = (jnp.exp(self._log_moment(order)) for order in (1.0, 2.0, 3.0, 4.0))
        raw = (g4 - 4.0 * g1 * g3 + 6.0 * g1**2 * g2 - 3.0 * g1**4) / (g2 - g1**2) ** 2
        return _below(self.shape, 4.0, self._standardised(4, raw, jnp.sqrt(self._variance())) - 3.0, jnp.nan)

    def _entropy(self) -> jax.Array:
        return jnp.log(self.scale) + EULER_GAMMA * (1.0 + self.shape) + 1.0

    def _cumulant(self, t: jax.Array) -> jax.Array:
        return _cumulant(self, t)

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        # quantiles at y = −1, 0.5 and 2 of the Gumbel: the ratio of their distances is exp(1.5 shape)
        xp = namespace(x)
        low, middle, high = quantiles(x, w, tuple(math.exp(-math.exp(-y)) for y in (-1.0, 0.5, 2.0)))
        ratio = (high - middle) / xp.where(middle > low, middle - low, 1.0)
        shape = xp.clip(xp.log(xp.where(ratio > 0, ratio, 1.0)) / 1.5, -0.9, 1.9)
        at_low, at_high = (_box_exp_roughly(shape, y, xp) for y in (-1.0, 2.0))
        scale = xp.where(high > low, high - low, 1.0) / (at_high - at_low)
        loc = low - scale * at_low
        # all observations inside the support
        furthest = xp.maximum(-shape * (x.min() - loc), -shape * (x.max() - loc))
        return {"loc": loc, "scale": xp.maximum(scale, furthest / 0.95), "shape": shape}
