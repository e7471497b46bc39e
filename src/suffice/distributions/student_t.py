"""Student t, and its first member by itself: Cauchy."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.declaration import Limit, parameter
from suffice.distributions.distribution import does_not_exist
from suffice.distributions.inverse_gamma import InverseGamma
from suffice.distributions.location_scale import LocationScale
from suffice.distributions.normal import Normal
from suffice.distributions.transforms import laplace
from suffice.numerics import domain, variates
from suffice.numerics.moments import namespace, quantiles, robust_location_and_scale
from suffice.numerics.special.elementary import log1p_square
from suffice.numerics.special.gamma import digamma, log_beta
from suffice.numerics.special.student_t import log_student_t_sf, student_t_isf, student_t_sf

LOG_PI = float(np.log(np.pi))


class Cauchy(LocationScale):
    """Cauchy distribution: p(x) = 1 / (π scale (1 + z²)), z = (x − loc)/scale. It has no moments.

    Args:
        loc: median, in the unit of x.
        scale: half the interquartile range, in the unit of x, > 0.
    """

    loc: jax.Array = parameter(domain.real, 0.0, doc="median")
    scale: jax.Array = parameter(domain.positive, 1.0, doc="half the interquartile range")

    _mean = does_not_exist("the mean does not exist, its integral diverges on both sides")
    _variance = does_not_exist("the variance does not exist, since the mean does not")
    _skewness = does_not_exist("the skewness does not exist, since the mean does not")
    _kurtosis = does_not_exist("the kurtosis does not exist, since the mean does not")
    _cumulant = does_not_exist("E[exp(t X)] is infinite for every t other than 0; the characteristic function exists")

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return -log1p_square(self._z(x)) - LOG_PI - jnp.log(self.scale)

    def _cdf(self, x: jax.Array) -> jax.Array:
        return jnp.arctan2(jnp.ones_like(x), -self._z(x)) / jnp.pi

    def _sf(self, x: jax.Array) -> jax.Array:
        return jnp.arctan2(jnp.ones_like(x), self._z(x)) / jnp.pi

    def _upper(self, q: jax.Array) -> jax.Array:
        """z with P(Z > z) = q: by the cotangent in the tails, by the tangent about the middle."""
        middle = jnp.abs(q - 0.5) < 0.25
        near_end = jnp.where(middle, 0.25, jnp.minimum(q, 1.0 - q))
        tail = jnp.sign(0.5 - q) / jnp.tan(jnp.pi * near_end)
        return jnp.where(middle, jnp.tan(jnp.pi * jnp.where(middle, 0.5 - q, 0.0)), tail)

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self._at(-self._upper(q))

    def _isf(self, q: jax.Array) -> jax.Array:
        return self._at(self._upper(q))

    def _entropy(self) -> jax.Array:
        return jnp.log(4.0 * jnp.pi * self.scale)

    def _cf(self, t: jax.Array) -> jax.Array:
        return jnp.exp(1j * self.loc * t - self.scale * jnp.abs(t))

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        loc, deviation = robust_location_and_scale(x, w)
        return {"loc": loc, "scale": deviation * 0.6745}


class StudentT(LocationScale):
    """Student t distribution: p(x) ∝ (1 + z²/df)^(−(df+1)/2) / scale, z = (x − loc)/scale.

    Args:
        df: degrees of freedom, dimensionless, > 0.
        loc: median, in the unit of x.
        scale: in the unit of x, > 0; the variance is scale² df / (df − 2).
    """

    df: jax.Array = parameter(domain.positive, doc="degrees of freedom")
    loc: jax.Array = parameter(domain.real, 0.0, doc="median")
    scale: jax.Array = parameter(domain.positive, 1.0, doc="scale", kw_only=True)

    _cumulant = does_not_exist("E[exp(t X)] is infinite for every t other than 0; the characteristic function exists")

    def _log_prob(self, x: jax.Array) -> jax.Array:
        df, root = self.df, jnp.sqrt(self.df)
        constant = log_beta(0.5 * df, 0.5) + jnp.log(root) + jnp.log(self.scale)
        # the barrier keeps the compiler from working these out anew for each element
        df, root, constant = jax.lax.optimization_barrier((df, root, constant))
        return -constant - (0.5 * df + 0.5) * log1p_square(self._z(x) / root)

    def _cdf(self, x: jax.Array) -> jax.Array:
        return student_t_sf(self.df, -self._z(x))

    def _sf(self, x: jax.Array) -> jax.Array:
        return student_t_sf(self.df, self._z(x))

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return log_student_t_sf(self.df, -self._z(x))

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return log_student_t_sf(self.df, self._z(x))

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self._at(-student_t_isf(self.df, q))

    def _isf(self, q: jax.Array) -> jax.Array:
        return self._at(student_t_isf(self.df, q))

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        top, bottom = jax.random.split(key)
        half = 0.5 * self.df
        z = variates.normal(top, shape, self.scale.dtype)
        log_precision = variates.log_gamma(bottom, half, shape, self.scale.dtype) - jnp.log(half)
        return self._at(z * jnp.exp(-0.5 * log_precision))  # gamma variates of a small shape underflow

    def _above(self, order: float, value: Any, otherwise: Any) -> jax.Array:
        return jnp.where(self.df > order, value, otherwise)

    def _mean(self) -> jax.Array:
        return self._above(1.0, self.loc, jnp.nan)

    def _variance(self) -> jax.Array:
        return self._above(2.0, self.scale**2 * self.df / (self.df - 2.0), self._above(1.0, jnp.inf, jnp.nan))

    def _skewness(self) -> jax.Array:
        return self._above(3.0, jnp.zeros_like(self.scale), jnp.nan)

    def _kurtosis(self) -> jax.Array:
        return self._above(4.0, 6.0 / (self.df - 4.0), self._above(2.0, jnp.inf, jnp.nan))

    def _entropy(self) -> jax.Array:
        half = 0.5 * self.df
        spread = (half + 0.5) * (digamma(half + 0.5) - digamma(half))
        return jnp.log(self.scale) + spread + 0.5 * jnp.log(self.df) + log_beta(half, 0.5)

    def _cf(self, t: jax.Array) -> jax.Array:
        # a normal whose variance is inverse gamma: E[exp(−t² V/2)]
        half = 0.5 * self.df
        damping = jnp.exp(laplace(InverseGamma(half, half * self.scale**2), -0.5 * t**2))
        return jnp.exp(1j * self.loc * t) * damping

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        loc, deviation = robust_location_and_scale(x, w)
        low, high = quantiles(x, w, (0.05, 0.95))
        # the ratio of two ranges is 2.44 for the normal and grows as tails become heavy
        heavy = (high - low) > 2.9 * 1.349 * deviation
        return {"df": namespace(x).where(heavy, 2.5, 6.0), "loc": loc, "scale": deviation * 0.9}

    # As df grows the likelihood may rise to its limit: the normal's.
    limits: ClassVar[dict[str, Any]] = {"df": Limit(Normal)}
