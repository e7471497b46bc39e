"""Chi-squared and chi: squared length and length of a standard normal vector."""

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.declaration import parameter
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.gamma import Gamma, standard_gamma_log_prob
from suffice.distributions.mapped import Mapped
from suffice.distributions.normal import LOG_SQRT_2PI
from suffice.distributions.statistics import Sufficient
from suffice.numerics import domain, variates
from suffice.numerics.special.elementary import log1mexp, log1pmx
from suffice.numerics.special.gamma import (
    gammaln,
    gammaln1p,
    inverse_digamma,
    log_minus_digamma,
    stirling_error,
    trigamma,
)
from suffice.numerics.special.incomplete_gamma import gammainc, gammaincc, log_gammainc, log_gammaincc
from suffice.numerics.special.inverse_gamma import gammainccinv, gammaincinv

_LOG_2 = math.log(2.0)


class ChiSquared(Mapped, ExponentialFamily):
    """Chi-squared distribution, the gamma with concentration df/2 and rate 1/2.

    p(x) = x^(df/2−1) exp(−x/2) / (2^(df/2) Γ(df/2)), x > 0.

    Args:
        df: degrees of freedom, dimensionless, > 0; the mean.

    Example:
        >>> import suffice as sf
        >>> round(float(sf.ChiSquared(df=2.0).sf(2.0)), 6)
        0.367879
    """

    df: jax.Array = parameter(domain.positive, doc="degrees of freedom")

    sample_space: ClassVar[Any] = domain.positive
    unbounded_at_origin: ClassVar[bool] = True

    def _support(self) -> Any:
        return domain.non_negative

    def _base(self) -> Gamma:
        return Gamma(0.5 * self.df, jnp.full_like(self.df, 0.5))

    def _mean(self) -> jax.Array:
        return self.df

    def _mode(self) -> jax.Array:
        return jnp.maximum(self.df - 2.0, 0.0)

    def _variance(self) -> jax.Array:
        return 2.0 * self.df

    def _skewness(self) -> jax.Array:
        return jnp.sqrt(8.0 / self.df)

    def _kurtosis(self) -> jax.Array:
        return 12.0 / self.df

    def _entropy(self) -> jax.Array:
        return self._base()._entropy()

    def _cumulant(self, t: jax.Array) -> jax.Array:
        return self._base()._cumulant(t)

    def _cf(self, t: jax.Array) -> jax.Array:
        return self._base()._cf(t)

    # T = log x, eta = df/2 − 1, h(x) = exp(−x/2)
    def _natural(self) -> jax.Array:
        return (0.5 * self.df - 1.0)[..., None]

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "ChiSquared":
        return cls(2.0 * eta[..., 0] + 2.0)

    def _statistic(self, x: jax.Array) -> jax.Array:
        return jnp.log(x)[..., None]

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        return gammaln(eta[..., 0] + 1.0) + (eta[..., 0] + 1.0) * _LOG_2

    def _log_base_measure(self, x: jax.Array) -> jax.Array:
        return -0.5 * x

    def _coordinate(self, x: jax.Array) -> jax.Array:
        return jnp.log(x)

    def _from_coordinate(self, y: jax.Array) -> jax.Array:
        return jnp.exp(y)

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        return {"df": 2.0 * inverse_digamma(s.mean - _LOG_2)}

    def _covariance(self, count: Any) -> jax.Array:
        return (4.0 / (trigamma(0.5 * self.df) * count))[None, None]


def _log_gamma_step(a: jax.Array) -> jax.Array:
    """log(Γ(a + ½) / (Γ(a) √a)) to full relative accuracy."""
    return a * log1pmx(0.5 / a) + stirling_error(a + 0.5) - stirling_error(a)


class Chi(ExponentialFamily):
    """Chi distribution, the length of a standard normal vector with df coordinates; its square is chi-squared.

    p(x) = x^(df−1) exp(−x²/2) / (2^(df/2−1) Γ(df/2)), x > 0.

    Args:
        df: degrees of freedom, dimensionless, > 0.
    """

    df: jax.Array = parameter(domain.positive, doc="degrees of freedom")

    sample_space: ClassVar[Any] = domain.positive
    unbounded_at_origin: ClassVar[bool] = True

    def _support(self) -> Any:
        return domain.non_negative

    def _near_origin(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Where x²/2 would underflow, and x elsewhere: there the cdf is its leading power to the last digit."""
        tiny = x < float(jnp.finfo(x.dtype).tiny) ** 0.4
        return tiny, jnp.where(tiny, 1.0, x)

    def _log_power(self, x: jax.Array) -> jax.Array:
        """log of the leading power of the cdf, x^df / (2^a Γ(a + 1)) with a = df/2."""
        return self.df * jnp.log(x) - 0.5 * self.df * _LOG_2 - gammaln1p(0.5 * self.df)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        tiny, z = self._near_origin(x)
        direct = standard_gamma_log_prob(0.5 * self.df, 0.5 * z**2) + jnp.log(z)
        close = jnp.log(self.df) + self._log_power(jnp.where(x > 0, x, 1.0)) - jnp.log(jnp.where(x > 0, x, 1.0))
        one = 0.5 * _LOG_2 - 0.5 * math.log(math.pi)
        at_origin = jnp.where(self.df == 1.0, one, jnp.where(self.df > 1.0, -jnp.inf, jnp.inf))
        return jnp.where(tiny, jnp.where(x > 0, close, at_origin), direct)

    def _cdf(self, x: jax.Array) -> jax.Array:
        tiny, z = self._near_origin(x)
        return jnp.where(tiny, jnp.exp(self._log_power(x)), gammainc(0.5 * self.df, 0.5 * z**2))

    def _sf(self, x: jax.Array) -> jax.Array:
        tiny, z = self._near_origin(x)
        return jnp.where(tiny, -jnp.expm1(self._log_power(x)), gammaincc(0.5 * self.df, 0.5 * z**2))

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        tiny, z = self._near_origin(x)
        return jnp.where(tiny, self._log_power(x), log_gammainc(0.5 * self.df, 0.5 * z**2))

    def _log_sf(self, x: jax.Array) -> jax.Array:
        tiny, z = self._near_origin(x)
        power = jnp.where(tiny, self._log_power(x), -1.0)
        return jnp.where(tiny, log1mexp(power), log_gammaincc(0.5 * self.df, 0.5 * z**2))

    def _root(self, log_q: jax.Array, y: jax.Array) -> jax.Array:
        """√(2y), from the leading power of the cdf where y underflows."""
        log_x = (log_q + gammaln1p(0.5 * self.df)) / self.df + 0.5 * _LOG_2
        tiny = log_x < 0.4 * math.log(float(jnp.finfo(y.dtype).tiny))
        return jnp.where(tiny, jnp.exp(log_x), jnp.sqrt(2.0 * jnp.where(tiny, 1.0, y)))

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self._root(jnp.log(q), gammaincinv(0.5 * self.df, q))

    def _isf(self, q: jax.Array) -> jax.Array:
        return self._root(jnp.log1p(-q), gammainccinv(0.5 * self.df, q))

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        log_half_square = variates.log_gamma(key, 0.5 * self.df, shape, self.df.dtype)
        return math.sqrt(2.0) * jnp.exp(0.5 * log_half_square)

    def _mean(self) -> jax.Array:
        return jnp.sqrt(self.df) * jnp.exp(_log_gamma_step(0.5 * self.df))

    def _mode(self) -> jax.Array:
        return jnp.sqrt(jnp.maximum(self.df - 1.0, 0.0))

    def _variance(self) -> jax.Array:
        return -self.df * jnp.expm1(2.0 * _log_gamma_step(0.5 * self.df))

    def _skewness(self) -> jax.Array:
        variance = self._variance()
        return self._mean() * (1.0 - 2.0 * variance) / variance**1.5

    def _kurtosis(self) -> jax.Array:
        mean, variance = self._mean(), self._variance()
        return 2.0 * (1.0 - variance - mean**2 * (1.0 - 2.0 * variance) / variance) / variance

    def _entropy(self) -> jax.Array:
        a = 0.5 * self.df
        return LOG_SQRT_2PI - 0.5 * _LOG_2 + stirling_error(a) + (a - 0.5) * log_minus_digamma(a)

    def _analytic_log_density(self, z: jax.Array) -> jax.Array:
        # about the mode of log x, by Stirling's form
        a = 0.5 * self.df
        step = 2.0 * z - jnp.log(self.df)
        return _LOG_2 + 0.5 * jnp.log(a) - LOG_SQRT_2PI - stirling_error(a) - a * (jnp.expm1(step) - step)

    def _tilt(self) -> jax.Array:
        return jnp.minimum(0.125 * jnp.pi, 1.0 / jnp.sqrt(self.df))

    # T = log x, eta = df − 1, h(x) = exp(−x²/2)
    def _natural(self) -> jax.Array:
        return (self.df - 1.0)[..., None]

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "Chi":
        return cls(eta[..., 0] + 1.0)

    def _statistic(self, x: jax.Array) -> jax.Array:
        return jnp.log(x)[..., None]

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        half = 0.5 * (eta[..., 0] + 1.0)
        return gammaln(half) + (half - 1.0) * _LOG_2

    def _log_base_measure(self, x: jax.Array) -> jax.Array:
        return -0.5 * x**2

    def _coordinate(self, x: jax.Array) -> jax.Array:
        return jnp.log(x)

    def _from_coordinate(self, y: jax.Array) -> jax.Array:
        return jnp.exp(y)

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        return {"df": 2.0 * inverse_digamma(2.0 * s.mean - _LOG_2)}

    def _covariance(self, count: Any) -> jax.Array:
        return (4.0 / (trigamma(0.5 * self.df) * count))[None, None]
