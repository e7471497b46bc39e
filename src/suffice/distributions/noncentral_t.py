"""Noncentral t."""

from typing import Any

import jax
import jax.numpy as jnp

from suffice.distributions.declaration import parameter
from suffice.distributions.distribution import does_not_exist
from suffice.distributions.location_scale import LocationScale
from suffice.numerics import domain, variates
from suffice.numerics.inversion import increasing_root
from suffice.numerics.moments import namespace, robust_location_and_scale
from suffice.numerics.special.elementary import log1pmx
from suffice.numerics.special.gamma import stirling_error
from suffice.numerics.special.noncentral_t import (
    log_noncentral_t,
    log_noncentral_t_tail,
    noncentral_t_cf,
    noncentral_t_quantile,
)


class NoncentralT(LocationScale):
    """Noncentral t distribution, of loc + scale (Z + noncentrality)/√(V/df), Z normal and V chi-squared with df.

    p(x) = ∫ r φ(z r − noncentrality) g(r) dr / scale, z = (x − loc)/scale, with g the density of √(V/df).

    Args:
        df: degrees of freedom, dimensionless, > 0.
        noncentrality: mean of the normal in the numerator, dimensionless; 0 gives Student's t.
        loc: in the unit of x.
        scale: in the unit of x, > 0.

    Example:
        >>> import suffice as sf
        >>> round(float(sf.NoncentralT(df=5.0, noncentrality=2.0).cdf(1.0)), 6)
        0.158136
    """

    df: jax.Array = parameter(domain.positive, doc="degrees of freedom")
    noncentrality: jax.Array = parameter(domain.real, 0.0, doc="mean of the numerator")
    loc: jax.Array = parameter(domain.real, 0.0, doc="location")
    scale: jax.Array = parameter(domain.positive, 1.0, doc="scale", kw_only=True)

    _cumulant = does_not_exist("E[exp(t X)] is infinite for every t other than 0; the characteristic function exists")

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return log_noncentral_t(self.df, self.noncentrality, self._z(x)) - jnp.log(self.scale)

    # tails are exponentials of their logarithms
    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return log_noncentral_t_tail(self.df, self.noncentrality, self._z(x), 0.0)

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return log_noncentral_t_tail(self.df, self.noncentrality, self._z(x), 1.0)

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self._at(noncentral_t_quantile(self.df, self.noncentrality, jnp.log(q), jnp.log1p(-q)))

    def _isf(self, q: jax.Array) -> jax.Array:
        return self._at(noncentral_t_quantile(self.df, self.noncentrality, jnp.log1p(-q), jnp.log(q)))

    def _median(self) -> jax.Array:
        return self._icdf(jnp.full_like(self.df, 0.5))

    def _mode(self) -> jax.Array:
        # between noncentrality √(df/(df + 5/2)) and noncentrality √(df/(df + 1)) (van Aubel and Gawronski 2003)
        delta = jnp.abs(self.noncentrality)

        def fall(t: jax.Array) -> jax.Array:
            return -jax.jvp(lambda t: log_noncentral_t(self.df, delta, t), (t,), (jnp.ones_like(t),))[1]

        low, high = (delta * jnp.sqrt(self.df / (self.df + more)) for more in (2.5, 1.0))
        return self._at(jnp.sign(self.noncentrality) * increasing_root(fall, 0.5 * (low + high), low, high))

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        top, bottom = jax.random.split(key)
        half = 0.5 * self.df
        z = variates.normal(top, shape, self.scale.dtype) + self.noncentrality
        log_precision = variates.log_gamma(bottom, half, shape, self.scale.dtype) - jnp.log(half)
        return self._at(z * jnp.exp(-0.5 * log_precision))

    def _moments(self) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
        """Of T, where they exist: the mean and the central moments of orders 2 to 4.

        T is (Z + δ)W with E[W] = c; E[W^k]/c^k is the exponential of a number that is small where df is large.
        """
        df, delta = jnp.where(self.df > 1.0, self.df, 2.0), self.noncentrality
        b = 0.5 * (df - 1.0)
        log_c = -b * log1pmx(0.5 / b) + stirling_error(b) - stirling_error(b + 0.5) - 0.5 * jnp.log1p(-1.0 / df)
        two, three, four = (-jnp.log1p(-jnp.where(self.df > k, k / df, 0.5)) for k in (2.0, 3.0, 4.0))
        e2, e3, e4 = two - 2.0 * log_c, three - 2.0 * log_c, two + four - 4.0 * log_c
        c, share = jnp.exp(log_c), delta * delta
        x2, x3, x4 = jnp.expm1(e2), jnp.expm1(e3), jnp.expm1(e4)
        second = jnp.exp(two) + share * (c**2 * x2)
        third = c**3 * delta * (3.0 * (x3 - x2) + share * (x3 - 3.0 * x2))
        middle = (x4 - 2.0 * x3) + x2
        fourth = c**4 * (3.0 * jnp.exp(e4) + share * (6.0 * middle + share * (x4 - 4.0 * x3 + 6.0 * x2)))
        return delta * c, second, third, fourth

    def _above(self, order: float, value: Any, otherwise: Any) -> jax.Array:
        return jnp.where(self.df > order, value, otherwise)

    def _mean(self) -> jax.Array:
        return self._above(1.0, self._at(self._moments()[0]), jnp.nan)

    def _variance(self) -> jax.Array:
        return self._above(2.0, self.scale**2 * self._moments()[1], self._above(1.0, jnp.inf, jnp.nan))

    def _skewness(self) -> jax.Array:
        _, second, third, _ = self._moments()
        return self._above(3.0, third / self._above(2.0, second, 1.0) ** 1.5, jnp.nan)

    def _kurtosis(self) -> jax.Array:
        _, second, _, fourth = self._moments()
        value = fourth / self._above(2.0, second, 1.0) ** 2 - 3.0
        return self._above(4.0, value, self._above(2.0, jnp.inf, jnp.nan))

    def _cf(self, t: jax.Array) -> jax.Array:
        return jnp.exp(1j * self.loc * t) * noncentral_t_cf(self.df, self.noncentrality, self.scale * t)

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        xp = namespace(x)
        loc, deviation = robust_location_and_scale(x, w)
        return {"df": xp.full_like(loc, 6.0), "noncentrality": xp.zeros_like(loc), "loc": loc, "scale": 0.9 * deviation}
