"""Gamma and exponential."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax.scipy.special import xlogy

from suffice.distributions.declaration import parameter
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.normal import LOG_SQRT_2PI
from suffice.distributions.statistics import Sufficient
from suffice.numerics import domain, variates
from suffice.numerics.special.elementary import log1mexp, log1pmx, log_minus_excess
from suffice.numerics.special.gamma import (
    digamma,
    gammaln,
    inverse_log_minus_digamma,
    log_minus_digamma,
    stirling_error,
    trigamma,
)
from suffice.numerics.special.incomplete_gamma import gammainc, gammaincc, log_gammainc, log_gammaincc
from suffice.numerics.special.inverse_gamma import gammainccinv, gammaincinv


def standard_gamma_log_prob(a: jax.Array, x: jax.Array) -> jax.Array:
    """Log-density of the gamma with rate 1: by Stirling's form for a > 4, where the plain form would cancel."""
    error = stirling_error(a)
    saddle = a > 4.0
    positive = jnp.where(x > 0, x, 1.0)
    shape = jnp.where(saddle, a, 5.0)
    by_stirling = shape * log_minus_excess(positive / shape, (positive - shape) / shape)
    by_stirling = by_stirling + 0.5 * jnp.log(shape) - jnp.log(positive)
    small = jnp.where(saddle, 1.0, a)
    plain = xlogy(small - 1.0, x) - x - ((small - 0.5) * jnp.log(small) - small)
    value = jnp.where(saddle, by_stirling, plain) - error - LOG_SQRT_2PI
    return jnp.where(saddle & (x == 0), -jnp.inf, value)


class Gamma(ExponentialFamily):
    """Gamma distribution: p(x) = rate^a x^(a−1) exp(−rate x) / Γ(a), x > 0, with a = concentration.

    Args:
        concentration: shape a, dimensionless, > 0.
        rate: inverse scale, in 1 / unit of x, > 0.

    Example:
        >>> import suffice as sf
        >>> float(sf.Gamma(2.0, rate=0.5).mean())
        4.0
    """

    concentration: jax.Array = parameter(domain.positive, doc="shape")
    rate: jax.Array = parameter(domain.positive, 1.0, doc="inverse scale")

    sample_space: ClassVar[Any] = domain.positive
    unbounded_at_origin: ClassVar[bool] = True

    def _support(self) -> Any:
        return domain.non_negative

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return standard_gamma_log_prob(self.concentration, self.rate * x) + jnp.log(self.rate)

    def _cdf(self, x: jax.Array) -> jax.Array:
        return gammainc(self.concentration, self.rate * x)

    def _sf(self, x: jax.Array) -> jax.Array:
        return gammaincc(self.concentration, self.rate * x)

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return log_gammainc(self.concentration, self.rate * x)

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return log_gammaincc(self.concentration, self.rate * x)

    def _icdf(self, q: jax.Array) -> jax.Array:
        return gammaincinv(self.concentration, q) / self.rate

    def _isf(self, q: jax.Array) -> jax.Array:
        return gammainccinv(self.concentration, q) / self.rate

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return variates.gamma(key, self.concentration, shape, self.rate.dtype) / self.rate

    def _mean(self) -> jax.Array:
        return self.concentration / self.rate

    def _mode(self) -> jax.Array:
        return jnp.maximum(self.concentration - 1.0, 0.0) / self.rate

    def _variance(self) -> jax.Array:
        return self.concentration / self.rate**2

    def _skewness(self) -> jax.Array:
        return 2.0 / jnp.sqrt(self.concentration)

    def _kurtosis(self) -> jax.Array:
        return 6.0 / self.concentration

    def _entropy(self) -> jax.Array:
        a = self.concentration
        return a - jnp.log(self.rate) + gammaln(a) + (1.0 - a) * digamma(a)

    def _cumulant(self, t: jax.Array) -> jax.Array:
        share = t / self.rate
        inside = share < 1.0
        return jnp.where(inside, -self.concentration * jnp.log1p(-jnp.where(inside, share, 0.0)), jnp.inf)

    def _cf(self, t: jax.Array) -> jax.Array:
        return jnp.exp(-self.concentration * _log_one_minus_i(t / self.rate))

    # T = (log x, x), eta = (a − 1, −rate); phi(x) = −log x
    def _natural(self) -> jax.Array:
        return jnp.stack(jnp.broadcast_arrays(self.concentration - 1.0, -self.rate), axis=-1)

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "Gamma":
        return cls(eta[..., 0] + 1.0, -eta[..., 1])

    def _statistic(self, x: jax.Array) -> jax.Array:
        return jnp.stack([jnp.log(x), x], axis=-1)

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        return gammaln(eta[..., 0] + 1.0) - (eta[..., 0] + 1.0) * jnp.log(-eta[..., 1])

    def _divergence(self, step: jax.Array, centre: jax.Array) -> jax.Array:
        return -log1pmx(step / centre)

    def _slope(self) -> jax.Array:
        return 1.0 - self.concentration

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        a = inverse_log_minus_digamma(s.gap)
        return {"concentration": a, "rate": a / s.mean}

    def _covariance(self, count: Any) -> jax.Array:
        return inverse_information(self.concentration, self.rate) / count


def inverse_information(a: jax.Array, b: jax.Array) -> jax.Array:
    """Inverse of the Fisher information of a gamma in shape a and rate b, [[ψ'(a), −1/b], [−1/b, a/b²]]."""
    curvature = trigamma(a)
    excess = -a * jax.grad(log_minus_digamma)(a)  # a ψ'(a) − 1 without cancellation
    return jnp.stack([jnp.stack([a, b]), jnp.stack([b, b**2 * curvature])]) / excess


def _log_one_minus_i(t: jax.Array) -> jax.Array:
    """log(1 − i t)."""
    return 0.5 * jnp.log1p(t**2) - 1j * jnp.arctan(t)


class Exponential(ExponentialFamily):
    """Exponential distribution: p(x) = rate exp(−rate x), x >= 0.

    Args:
        rate: inverse mean, in 1 / unit of x, > 0.
    """

    rate: jax.Array = parameter(domain.positive, 1.0, doc="inverse mean")

    sample_space: ClassVar[Any] = domain.non_negative
    irregular_origin: ClassVar[bool] = True

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return jnp.log(self.rate) - self.rate * x

    def _cdf(self, x: jax.Array) -> jax.Array:
        return -jnp.expm1(-self.rate * x)

    def _sf(self, x: jax.Array) -> jax.Array:
        return jnp.exp(-self.rate * x)

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return log1mexp(-self.rate * x)

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return -self.rate * x

    def _icdf(self, q: jax.Array) -> jax.Array:
        return -jnp.log1p(-q) / self.rate

    def _isf(self, q: jax.Array) -> jax.Array:
        return -jnp.log(q) / self.rate

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return variates.exponential(key, shape, self.rate.dtype) / self.rate

    def _mean(self) -> jax.Array:
        return 1.0 / self.rate

    def _median(self) -> jax.Array:
        return jnp.log(2.0).astype(self.rate.dtype) / self.rate

    def _mode(self) -> jax.Array:
        return jnp.zeros_like(self.rate)

    def _variance(self) -> jax.Array:
        return self.rate**-2

    def _skewness(self) -> jax.Array:
        return jnp.full_like(self.rate, 2.0)

    def _kurtosis(self) -> jax.Array:
        return jnp.full_like(self.rate, 6.0)

    def _entropy(self) -> jax.Array:
        return 1.0 - jnp.log(self.rate)

    def _cumulant(self, t: jax.Array) -> jax.Array:
        share = t / self.rate
        inside = share < 1.0
        return jnp.where(inside, -jnp.log1p(-jnp.where(inside, share, 0.0)), jnp.inf)

    def _cf(self, t: jax.Array) -> jax.Array:
        return jnp.exp(-_log_one_minus_i(t / self.rate))

    def _natural(self) -> jax.Array:
        return -self.rate[..., None]

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "Exponential":
        return cls(-eta[..., 0])

    def _statistic(self, x: jax.Array) -> jax.Array:
        return x[..., None]

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        return -jnp.log(-eta[..., 0])

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        return {"rate": 1.0 / s.mean}

    def _covariance(self, count: Any) -> jax.Array:
        return (self.rate**2 / count)[None, None]

    @classmethod
    def _from_mean(cls, mean: jax.Array) -> "Exponential":
        return cls(1.0 / mean)
