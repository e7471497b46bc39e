"""Asymmetric Laplace."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.declaration import parameter
from suffice.distributions.distribution import Distribution
from suffice.distributions.gamma import Exponential
from suffice.numerics import domain, variates
from suffice.numerics.moments import median, namespace
from suffice.numerics.quadrature import half_unit_nodes
from suffice.numerics.special.elementary import log1mexp, log1p_square


def _best_slope(middle: Any, weight: Any) -> Any:
    """The root t of tanh(t) + weight sinh(t − middle), which lies between 0 and ``middle``."""
    xp = namespace(middle)
    near, far = xp.zeros_like(middle), middle
    for _ in range(60):
        t = 0.5 * (near + far)
        beyond = (xp.tanh(t) + weight * xp.sinh(t - middle)) * xp.sign(middle) > 0.0
        near, far = xp.where(beyond, near, t), xp.where(beyond, t, far)
    return 0.5 * (near + far)


class AsymmetricLaplace(Distribution):
    """Asymmetric Laplace distribution: p(x) = exp(−κz) above loc and exp(z/κ) below, over scale (κ + 1/κ).

    Here z = (x − loc)/scale and κ = asymmetry: the law of loc + scale (U/κ − κV) with standard exponential U, V.

    The likelihood is highest with loc at an observation; if that is the smallest or largest, the supremum is the limit in
    which asymmetry tends to 0 or infinity: an exponential distribution on the one side of loc that has observations.

    Args:
        loc: mode, in the unit of x.
        scale: in the unit of x, > 0.
        asymmetry: κ, dimensionless, > 0; 1 gives the Laplace distribution, below 1 the upper tail is the heavier.

    Example:
        >>> import suffice as sf
        >>> round(float(sf.AsymmetricLaplace(asymmetry=2.0).sf(0.0)), 12)
        0.2
    """

    loc: jax.Array = parameter(domain.real, 0.0, doc="mode")
    scale: jax.Array = parameter(domain.positive, 1.0, doc="scale")
    asymmetry: jax.Array = parameter(domain.positive, 1.0, doc="root of the ratio of the scales below and above loc")

    sample_space: ClassVar[Any] = domain.real

    def _z(self, x: jax.Array) -> jax.Array:
        return (x - self.loc) / self.scale

    def _fall(self, z: jax.Array) -> jax.Array:
        """−log of the density over that at loc."""
        return jnp.where(z < 0.0, -z / self.asymmetry, z * self.asymmetry)

    def _sides(self) -> tuple[jax.Array, jax.Array]:
        """−log P(X <= loc) and −log P(X > loc)."""
        return log1p_square(1.0 / self.asymmetry), log1p_square(self.asymmetry)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        # κ + 1/κ = (1 + κ²)/κ
        scale = jnp.log(self.scale) + log1p_square(self.asymmetry) - jnp.log(self.asymmetry)
        return -self._fall(self._z(x)) - scale

    def _log_tail(self, x: jax.Array, upper: bool) -> jax.Array:
        z = self._z(x)
        below, above = self._sides()
        log_own = -self._fall(z) - jnp.where(z < 0.0, below, above)  # of the tail on the side of x
        return jnp.where((z >= 0.0) == upper, log_own, log1mexp(log_own))

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return self._log_tail(x, upper=False)

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return self._log_tail(x, upper=True)

    def _quantile_at(self, log_p: jax.Array, log_q: jax.Array) -> jax.Array:
        below, above = self._sides()
        left = jnp.minimum(log_p + below, 0.0) * self.asymmetry
        right = jnp.minimum(log_q + above, 0.0) / self.asymmetry
        return self.loc + self.scale * jnp.where(log_p < -below, left, -right)

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self._quantile_at(jnp.log(q), jnp.log1p(-q))

    def _isf(self, q: jax.Array) -> jax.Array:
        return self._quantile_at(jnp.log1p(-q), jnp.log(q))

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        u, v = variates.exponential(key, (2, *shape), self.scale.dtype)
        return self.loc + self.scale * (u / self.asymmetry - self.asymmetry * v)

    def _rule(self, count: int) -> tuple[jax.Array, jax.Array]:
        # over the quantiles of either side of loc
        below, above = self._sides()
        u, w = (jnp.asarray(v).reshape((1,) * max(below.ndim - 1, 0) + (-1,)) for v in half_unit_nodes(count))
        step = self.scale * jnp.log(2.0 * u)
        x = jnp.concatenate([self.loc + self.asymmetry * step, self.loc - step / self.asymmetry], -1)
        return x, jnp.concatenate([jnp.exp(-below) * 2.0 * w, jnp.exp(-above) * 2.0 * w], -1)

    def _mean(self) -> jax.Array:
        return self.loc + self.scale * (1.0 / self.asymmetry - self.asymmetry)

    def _mode(self) -> jax.Array:
        return self.loc + jnp.zeros_like(self.scale * self.asymmetry)

    def _variance(self) -> jax.Array:
        return self.scale**2 * (self.asymmetry**-2 + self.asymmetry**2)

    # in terms of the ratio r of the scales of the two sides, at most 1, nothing overflows
    def _ratio(self) -> jax.Array:
        return jnp.minimum(self.asymmetry, 1.0 / self.asymmetry) ** 2

    def _skewness(self) -> jax.Array:
        r = self._ratio()
        sign = jnp.sign(1.0 - self.asymmetry)
        return 2.0 * sign * (1.0 - r) * (1.0 + r + r**2) / (1.0 + r**2) ** 1.5 + jnp.zeros_like(self.scale)

    def _kurtosis(self) -> jax.Array:
        r = self._ratio()
        return 6.0 * (1.0 + r**4) / (1.0 + r**2) ** 2 + jnp.zeros_like(self.scale)

    def _entropy(self) -> jax.Array:
        return 1.0 + jnp.log(self.scale) + log1p_square(self.asymmetry) - jnp.log(self.asymmetry)

    def _cumulant(self, t: jax.Array) -> jax.Array:
        up, down = self.scale * t / self.asymmetry, -self.scale * t * self.asymmetry
        inside = (up < 1.0) & (down < 1.0)
        up, down = jnp.where(inside, up, 0.0), jnp.where(inside, down, 0.0)
        return jnp.where(inside, self.loc * t - jnp.log1p(-up) - jnp.log1p(-down), jnp.inf)

    def _cf(self, t: jax.Array) -> jax.Array:
        up, down = self.scale * t / self.asymmetry, -self.scale * t * self.asymmetry
        return jnp.exp(1j * self.loc * t) / ((1.0 - 1j * up) * (1.0 - 1j * down))

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        xp, loc = namespace(x), median(x, w)
        below, above = ((w * xp.maximum(side, 0.0)).sum() / w.sum() for side in (loc - x, x - loc))
        return {"loc": loc} | cls._from_sides(below, above, {})[0]

    @classmethod
    def _level(cls, held: dict[str, Any]) -> Any:
        return held["asymmetry"] ** 2 / (1.0 + held["asymmetry"] ** 2) if "asymmetry" in held else None

    # log p = −log(scale) − log(κ + 1/κ) − (κ above + below/κ)/scale; with all free κ⁴ = below/above
    @classmethod
    def _from_sides(cls, below: Any, above: Any, held: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        xp = namespace(below)
        least = xp.maximum(
            1e-32 * (below + above), 1e-300
        )  # so that the limits are members, and as likely to 16 digits
        below, above = xp.maximum(below, least), xp.maximum(above, least)
        slope = 0.25 * (xp.log(below) - xp.log(above))
        if "asymmetry" in held:
            slope = xp.log(held["asymmetry"])
        elif "scale" in held:
            slope = _best_slope(2.0 * slope, 2.0 * xp.sqrt(below) * xp.sqrt(above) / held["scale"])
        fall = xp.exp(slope) * above + xp.exp(-slope) * below
        scale = held.get("scale", fall)
        log_prob = -xp.log(scale) - xp.logaddexp(slope, -slope) - fall / scale
        return {"scale": scale, "asymmetry": xp.exp(slope)}, log_prob

    def _at_limit(self) -> Any:
        return (self.asymmetry < 1e-7) | (self.asymmetry > 1e7)

    def _limiting(self) -> type[Distribution] | None:
        """What the limit is with a free origin, where the catalogue has it."""
        return Exponential if self.asymmetry < 1.0 else None

    def _caution(self) -> str | None:
        if self.asymmetry < 1.0 or not self._at_limit():
            return None
        return "the limit is an exponential distribution below loc"

    def _information(self) -> jax.Array:
        # with S = ±1 the side of loc and E = κz or −z/κ, which is standard exponential and independent of it, the score
        # is (κ or −1/κ)/scale in loc, (E − 1)/scale in scale and (E[S] − S E)/κ in κ
        square = self.asymmetry**2
        sign = (1.0 - square) / (1.0 + square)
        across, skew = -2.0 / (1.0 + square), -sign / self.asymmetry
        rows = [[1.0, 0.0, across], [0.0, 1.0, skew], [across, skew, (2.0 - sign**2) / square]]
        unit = jnp.array([1.0 / self.scale, 1.0 / self.scale, 1.0])
        return jnp.array(rows) * jnp.outer(unit, unit)
