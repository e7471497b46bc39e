"""Ratios of gammas: beta prime and F."""

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.beta import Beta, softplus_divergence
from suffice.distributions.declaration import parameter
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.mapped import Mapped
from suffice.distributions.normal import LOG_SQRT_2PI
from suffice.distributions.statistics import Sufficient
from suffice.numerics import domain, variates
from suffice.numerics.moments import mean_and_deviation, namespace
from suffice.numerics.special.elementary import elementwise
from suffice.numerics.special.gamma import log_beta, log_minus_digamma, stirling_error
from suffice.numerics.special.incomplete_beta import betainc, betaincc, log_betainc, log_betaincc, log_logit_density
from suffice.numerics.special.inverse_beta import betaincinv_pair


@elementwise(lambda r, x: -r * r)
def _rest(x: jax.Array) -> jax.Array:
    """1/(1 + x)."""
    return 1.0 / (1.0 + x)


@elementwise(lambda s, x: _rest(x) ** 2)
def _share(x: jax.Array) -> jax.Array:
    """x/(1 + x), with a derivative that does not cancel."""
    large = x > 1.0
    return jnp.where(large, 1.0 / (1.0 + 1.0 / jnp.where(large, x, 1.0)), x / (1.0 + jnp.where(large, 0.0, x)))


def finite_exp(log_x: jax.Array) -> jax.Array:
    """exp(log_x), or the largest number where that is beyond it: draws from heavy tails are."""
    return jnp.minimum(jnp.exp(log_x), jnp.finfo(log_x.dtype).max)


class BetaPrime(ExponentialFamily):
    """Beta prime distribution, of a ratio of gammas: p(x) = x^(alpha−1) (1 + x)^(−alpha−beta) / B(alpha, beta), x > 0.

    Where X is beta prime, X/(1 + X) is Beta(alpha, beta).

    Args:
        alpha: first shape, dimensionless, > 0.
        beta: second shape, dimensionless, > 0; the exponent of the upper tail.

    Example:
        >>> import suffice as sf
        >>> round(float(sf.BetaPrime(alpha=2.0, beta=3.0).mean()), 12)
        1.0
    """

    alpha: jax.Array = parameter(domain.positive, doc="first shape")
    beta: jax.Array = parameter(domain.positive, doc="second shape, the exponent of the upper tail")

    sample_space: ClassVar[Any] = domain.positive
    unbounded_at_origin: ClassVar[bool] = True

    def _support(self) -> Any:
        return domain.non_negative

    def _arguments(self, x: jax.Array) -> tuple[jax.Array, ...]:
        """(alpha, beta, x/(1 + x), 1/(1 + x))."""
        return self.alpha, self.beta, _share(x), _rest(x)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        at = jnp.where(x > 0.0, x, 1.0)
        a, b = self.alpha, self.beta
        at_origin = jnp.where(a == 1.0, jnp.log(b), jnp.where(a > 1.0, -jnp.inf, jnp.inf))
        return jnp.where(x > 0.0, log_logit_density(*self._arguments(at)) - jnp.log(at), at_origin)

    def _cdf(self, x: jax.Array) -> jax.Array:
        return betainc(*self._arguments(x))

    def _sf(self, x: jax.Array) -> jax.Array:
        return betaincc(*self._arguments(x))

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return log_betainc(*self._arguments(x))

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return log_betaincc(*self._arguments(x))

    def _quantile_at(self, log_p: jax.Array, log_q: jax.Array) -> jax.Array:
        logit, share, rest = betaincinv_pair(self.alpha, self.beta, log_p, log_q)
        extreme = jnp.abs(logit) > -0.8 * math.log(float(jnp.finfo(logit.dtype).tiny))
        return jnp.where(extreme, jnp.exp(logit), share / jnp.where(extreme, 1.0, rest))

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self._quantile_at(jnp.log(q), jnp.log1p(-q))

    def _isf(self, q: jax.Array) -> jax.Array:
        return self._quantile_at(jnp.log1p(-q), jnp.log(q))

    def _log_draws(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        top, bottom = jax.random.split(key)
        dtype = self.alpha.dtype
        return variates.log_gamma(top, self.alpha, shape, dtype) - variates.log_gamma(bottom, self.beta, shape, dtype)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return finite_exp(self._log_draws(key, shape))

    def _above(self, order: float, value: jax.Array, otherwise: float) -> jax.Array:
        return jnp.where(self.beta > order, value, otherwise)

    def _mean(self) -> jax.Array:
        return self._above(1.0, self.alpha / (self.beta - 1.0), jnp.inf)

    def _mode(self) -> jax.Array:
        return jnp.maximum(self.alpha - 1.0, 0.0) / (self.beta + 1.0)

    def _variance(self) -> jax.Array:
        a, b = self.alpha, self.beta
        return self._above(2.0, a / (b - 1.0) * ((a + b - 1.0) / (b - 1.0)) / (b - 2.0), jnp.inf)

    def _skewness(self) -> jax.Array:
        a, b = self.alpha, jnp.where(self.beta > 3.0, self.beta, 4.0)
        return self._above(
            3.0, 2.0 * (2.0 * a + b - 1.0) / (b - 3.0) * jnp.sqrt((b - 2.0) / a / (a + b - 1.0)), jnp.nan
        )

    def _kurtosis(self) -> jax.Array:
        a, b = self.alpha, jnp.where(self.beta > 4.0, self.beta, 5.0)
        spread = (b - 1.0) / a * ((b - 1.0) / (a + b - 1.0)) * (b - 2.0)
        return self._above(4.0, 6.0 * (spread + 5.0 * b - 11.0) / ((b - 3.0) * (b - 4.0)), jnp.nan)

    def _entropy(self) -> jax.Array:
        # of log x, by Stirling's form, and E[log x]
        a, b = self.alpha, self.beta
        n = a + b
        errors = stirling_error(a) + stirling_error(b) - stirling_error(n)
        low_a, low_b, low_n = (log_minus_digamma(v) for v in (a, b, n))
        spread = a * low_a + b * low_b - n * low_n - 0.5 * jnp.log(a / n * b)
        return LOG_SQRT_2PI + errors + spread + jnp.log(a / b) - low_a + low_b

    # log x is the logit of a beta variable
    def _logit(self) -> Beta:
        return Beta(self.alpha, self.beta)

    def _analytic_log_density(self, z: jax.Array) -> jax.Array:
        return self._logit()._analytic_log_density(z)

    def _tilt(self) -> jax.Array:
        return self._logit()._tilt()

    # T = (log x, −log(1 + x)), eta = (alpha − 1, alpha + beta); y = log x, phi(y) = softplus y
    def _natural(self) -> jax.Array:
        return jnp.stack(jnp.broadcast_arrays(self.alpha - 1.0, self.alpha + self.beta), axis=-1)

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "BetaPrime":
        return cls(eta[..., 0] + 1.0, eta[..., 1] - eta[..., 0] - 1.0)

    def _statistic(self, x: jax.Array) -> jax.Array:
        return jnp.stack([jnp.log(x), -jnp.log1p(x)], axis=-1)

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        return log_beta(eta[..., 0] + 1.0, eta[..., 1] - eta[..., 0] - 1.0)

    def _coordinate(self, x: jax.Array) -> jax.Array:
        return jnp.log(x)

    def _from_coordinate(self, y: jax.Array) -> jax.Array:
        return jnp.exp(y)

    def _divergence(self, step: jax.Array, centre: jax.Array) -> jax.Array:
        return softplus_divergence(step, centre)

    def _slope(self) -> jax.Array:
        return -self.alpha - self.beta

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        return Beta._estimate(s)

    def _covariance(self, count: Any) -> jax.Array:
        return self._logit()._covariance(count)


class F(Mapped):
    """F distribution, of a ratio of mean squares (C₁/df1)/(C₂/df2) with independent chi-squared C₁, C₂.

    p(x) ∝ x^(df1/2−1) (1 + x df1/df2)^(−(df1+df2)/2), x > 0. As df2 grows it tends to C₁/df1, as df1 grows to df2/C₂.

    Args:
        df1: degrees of freedom of the numerator, > 0.
        df2: degrees of freedom of the denominator, > 0.

    Example:
        >>> import suffice as sf
        >>> round(float(sf.F(df1=2.0, df2=2.0).sf(3.0)), 12)
        0.25
    """

    df1: jax.Array = parameter(domain.positive, doc="degrees of freedom of the numerator")
    df2: jax.Array = parameter(domain.positive, doc="degrees of freedom of the denominator")

    sample_space: ClassVar[Any] = domain.positive
    unbounded_at_origin: ClassVar[bool] = True

    def _support(self) -> Any:
        return domain.non_negative

    def _ratio(self) -> jax.Array:
        return self.df1 / self.df2

    def _base(self) -> BetaPrime:
        return BetaPrime(0.5 * self.df1, 0.5 * self.df2)

    def _to_base(self, x: jax.Array) -> jax.Array:
        return self._ratio() * x

    def _from_base(self, y: jax.Array) -> jax.Array:
        return y / self._ratio()

    def _log_slope(self, x: jax.Array) -> jax.Array:
        return jnp.log(self._ratio())

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return finite_exp(self._base()._log_draws(key, shape) - jnp.log(self._ratio()))

    def _mean(self) -> jax.Array:
        return self._base()._above(1.0, self.df2 / (self.df2 - 2.0), jnp.inf)

    def _mode(self) -> jax.Array:
        return self._from_base(self._base()._mode())

    def _variance(self) -> jax.Array:
        return self._base()._variance() / self._ratio() ** 2

    def _skewness(self) -> jax.Array:
        return self._base()._skewness()

    def _kurtosis(self) -> jax.Array:
        return self._base()._kurtosis()

    def _entropy(self) -> jax.Array:
        return self._base()._entropy() - jnp.log(self._ratio())

    def _analytic_log_density(self, z: jax.Array) -> jax.Array:
        return self._base()._analytic_log_density(z + jnp.log(self._ratio()))

    def _tilt(self) -> jax.Array:
        return self._base()._tilt()

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        # log x has a variance of about 2/df1 + 2/df2
        _, deviation = mean_and_deviation(namespace(x).log(x), w)
        df = 4.0 / deviation**2
        return {"df1": df, "df2": df}

    def _at_limit(self) -> Any:
        return (self.df1 > 1e8) | (self.df2 > 1e8)

    def _caution(self) -> str | None:
        if not self._at_limit():
            return None
        known = "Gamma(df1/2, df1/2)" if self.df2 > self.df1 else "InverseGamma(df2/2, df2/2)"
        return f"the limit is {known}"
