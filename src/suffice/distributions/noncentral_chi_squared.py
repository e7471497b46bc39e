"""Noncentral chi-squared."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions import generic
from suffice.distributions.declaration import parameter
from suffice.distributions.distribution import Distribution
from suffice.numerics import domain, variates
from suffice.numerics.moments import mean_and_deviation, namespace
from suffice.numerics.special.noncentral_chi_squared import (
    log_noncentral_chi_squared,
    log_noncentral_chi_squared_tail,
    noncentral_chi_squared_quantile,
)


class NoncentralChiSquared(Distribution):
    """Noncentral chi-squared distribution, of the squared length of a normal vector with unit variances.

    p(x) = ½ exp(−(x + λ)/2) (x/λ)^(df/4−½) I_{df/2−1}(√(λx)), x > 0, with λ = noncentrality.

    Args:
        df: degrees of freedom, the dimension of the vector, > 0.
        noncentrality: squared length of its mean, >= 0; 0 gives the chi-squared distribution.

    Example:
        >>> import suffice as sf
        >>> round(float(sf.NoncentralChiSquared(df=2.0, noncentrality=3.0).cdf(4.0)), 6)
        0.493562
    """

    df: jax.Array = parameter(domain.positive, doc="degrees of freedom")
    noncentrality: jax.Array = parameter(domain.non_negative, 0.0, doc="squared length of the mean")

    sample_space: ClassVar[Any] = domain.positive
    unbounded_at_origin: ClassVar[bool] = True

    def _support(self) -> Any:
        return domain.non_negative

    def _arguments(self) -> tuple[jax.Array, jax.Array]:
        """(df, noncentrality), the latter with a trace added that takes 0 out of the formulae."""
        return self.df, self.noncentrality + float(jnp.finfo(self.df.dtype).tiny) ** 0.9

    def _log_prob(self, x: jax.Array) -> jax.Array:
        inside = log_noncentral_chi_squared(*self._arguments(), jnp.where(x > 0.0, x, 1.0))
        at_two = -0.5 * self.noncentrality - jnp.log(2.0)
        at_origin = jnp.where(self.df == 2.0, at_two, jnp.where(self.df > 2.0, -jnp.inf, jnp.inf))
        return jnp.where(x > 0.0, inside, at_origin)

    # tails are exponentials of their logarithms
    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return log_noncentral_chi_squared_tail(*self._arguments(), x, 0.0)

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return log_noncentral_chi_squared_tail(*self._arguments(), x, 1.0)

    def _icdf(self, q: jax.Array) -> jax.Array:
        return noncentral_chi_squared_quantile(*self._arguments(), jnp.log(q), jnp.log1p(-q))

    def _isf(self, q: jax.Array) -> jax.Array:
        return noncentral_chi_squared_quantile(*self._arguments(), jnp.log1p(-q), jnp.log(q))

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        # chi-squared with df + 2J degrees of freedom, J a Poisson count
        counting, drawing = jax.random.split(key)
        dtype = self.df.dtype
        count = variates.poisson(counting, 0.5 * self.noncentrality, shape).astype(dtype)
        return 2.0 * jnp.exp(variates.log_gamma(drawing, 0.5 * self.df + count, shape, dtype))

    def _mean(self) -> jax.Array:
        return self.df + self.noncentrality

    def _mode(self) -> jax.Array:
        return jnp.where(self.df < 2.0, 0.0, generic.peak(self))  # below 2 the density is infinite at 0

    def _variance(self) -> jax.Array:
        return 2.0 * self.df + 4.0 * self.noncentrality

    def _skewness(self) -> jax.Array:
        return jnp.sqrt(8.0) * (self.df + 3.0 * self.noncentrality) / (self.df + 2.0 * self.noncentrality) ** 1.5

    def _kurtosis(self) -> jax.Array:
        return 12.0 * (self.df + 4.0 * self.noncentrality) / (self.df + 2.0 * self.noncentrality) ** 2

    def _cumulant(self, t: jax.Array) -> jax.Array:
        inside = t < 0.5
        rest = 1.0 - 2.0 * jnp.where(inside, t, 0.0)
        return jnp.where(inside, self.noncentrality * t / rest - 0.5 * self.df * jnp.log(rest), jnp.inf)

    def _cf(self, t: jax.Array) -> jax.Array:
        rest = 1.0 - 2j * t
        return jnp.exp(1j * self.noncentrality * t / rest - 0.5 * self.df * jnp.log(rest))

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        # mean df + λ, variance 2 df + 4 λ
        xp = namespace(x)
        mean, deviation = mean_and_deviation(x, w)
        noncentrality = xp.clip(0.5 * deviation**2 - mean, 0.1 * mean, 0.9 * mean)
        return {"df": mean - noncentrality, "noncentrality": noncentrality}
