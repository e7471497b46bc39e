"""Beta."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax.scipy.special import xlog1py, xlogy

from suffice.distributions.declaration import parameter
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.normal import LOG_SQRT_2PI
from suffice.distributions.statistics import Sufficient
from suffice.numerics import domain, variates
from suffice.numerics.special.elementary import expm1mx, log1pmx, log_minus_excess
from suffice.numerics.special.gamma import digamma, log_beta, log_minus_digamma, stirling_error, trigamma
from suffice.numerics.special.incomplete_beta import (
    betainc,
    betaincc,
    log_betainc,
    log_betaincc,
)
from suffice.numerics.special.inverse_beta import betainccinv, betaincinv


def softplus_divergence(step: jax.Array, centre: jax.Array) -> jax.Array:
    """Bregman divergence of log(1 + exp(y)) from centre to centre + step; symmetric under a change of both signs."""
    flip = jnp.where(centre > 0, -1.0, 1.0)
    share, step = jax.nn.sigmoid(flip * centre), flip * step
    return share * expm1mx(step) + log1pmx(share * jnp.expm1(step))


class Beta(ExponentialFamily):
    """Beta distribution: p(x) = x^(alpha−1) (1 − x)^(beta−1) / B(alpha, beta), 0 < x < 1.

    Args:
        alpha: first shape, dimensionless, > 0.
        beta: second shape, dimensionless, > 0.
    """

    alpha: jax.Array = parameter(domain.positive, doc="first shape")
    beta: jax.Array = parameter(domain.positive, doc="second shape")

    sample_space: ClassVar[Any] = domain.unit_open

    def _support(self) -> Any:
        return domain.unit

    def _log_prob(self, x: jax.Array) -> jax.Array:
        # about the mean, by Stirling's form, where both shapes are large and the plain form would cancel
        saddle = (self.alpha > 4.0) & (self.beta > 4.0)
        a, b = (jnp.where(saddle, v, 5.0) for v in (self.alpha, self.beta))
        n, at = a + b, jnp.where((x > 0.0) & (x < 1.0), x, 0.5)
        excess = at * n - a
        deviance = a * log_minus_excess(at * n / a, excess / a) + b * log_minus_excess((1.0 - at) * n / b, -excess / b)
        errors = stirling_error(a) + stirling_error(b) - stirling_error(n)
        by_stirling = deviance + 0.5 * jnp.log(a / n * b) - LOG_SQRT_2PI - errors - jnp.log(at) - jnp.log1p(-at)
        a, b = (jnp.where(saddle, 1.0, v) for v in (self.alpha, self.beta))
        plain = xlogy(a - 1.0, x) + xlog1py(b - 1.0, -x) - log_beta(a, b)
        return jnp.where(saddle, jnp.where(at == x, by_stirling, -jnp.inf), plain)

    def _cdf(self, x: jax.Array) -> jax.Array:
        return betainc(self.alpha, self.beta, x)

    def _sf(self, x: jax.Array) -> jax.Array:
        return betaincc(self.alpha, self.beta, x)

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return log_betainc(self.alpha, self.beta, x)

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return log_betaincc(self.alpha, self.beta, x)

    def _icdf(self, q: jax.Array) -> jax.Array:
        return betaincinv(self.alpha, self.beta, q)

    def _isf(self, q: jax.Array) -> jax.Array:
        return betainccinv(self.alpha, self.beta, q)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return variates.beta(key, self.alpha, self.beta, shape, self.alpha.dtype)

    def _mean(self) -> jax.Array:
        return self.alpha / (self.alpha + self.beta)

    def _mode(self) -> jax.Array:
        a, b = self.alpha, self.beta
        inner = (a > 1.0) & (b > 1.0)
        return jnp.where(inner, (a - 1.0) / jnp.where(inner, a + b - 2.0, 1.0), jnp.where(a >= b, 1.0, 0.0))

    def _variance(self) -> jax.Array:
        a, b = self.alpha, self.beta
        return a / (a + b) * (b / (a + b)) / (a + b + 1.0)

    def _skewness(self) -> jax.Array:
        a, b = self.alpha, self.beta
        return 2.0 * (b - a) * jnp.sqrt(a + b + 1.0) / ((a + b + 2.0) * jnp.sqrt(a) * jnp.sqrt(b))

    def _kurtosis(self) -> jax.Array:
        a, b = self.alpha, self.beta
        n = a + b
        return 6.0 * ((a - b) ** 2 * (n + 1.0) - a * b * (n + 2.0)) / (a * b * (n + 2.0) * (n + 3.0))

    def _entropy(self) -> jax.Array:
        a, b = self.alpha, self.beta
        return log_beta(a, b) - (a - 1.0) * digamma(a) - (b - 1.0) * digamma(b) + (a + b - 2.0) * digamma(a + b)

    def _analytic_log_density(self, z: jax.Array) -> jax.Array:
        # about the mode of logit x, by Stirling's form; from whichever side does not overflow
        a, b = self.alpha, self.beta
        n = a + b
        step = z - jnp.log(a / b)
        right = step.real > 0
        share = jnp.where(right, b, a) / n
        away = jnp.where(right, -step, step)
        rest = jnp.log1p(share * jnp.expm1(away)) - share * away
        errors = stirling_error(a) + stirling_error(b) - stirling_error(n)
        return 0.5 * jnp.log(a / n * b) - LOG_SQRT_2PI - errors - n * rest

    def _tilt(self) -> jax.Array:
        return jnp.minimum(0.25 * jnp.pi, 2.0 * jnp.sqrt(1.0 / self.alpha + 1.0 / self.beta))

    # T = (log x, log(1 − x)), eta = (alpha − 1, beta − 1); y = logit x, phi(y) = softplus y
    def _natural(self) -> jax.Array:
        return jnp.stack(jnp.broadcast_arrays(self.alpha - 1.0, self.beta - 1.0), axis=-1)

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "Beta":
        return cls(eta[..., 0] + 1.0, eta[..., 1] + 1.0)

    def _statistic(self, x: jax.Array) -> jax.Array:
        return jnp.stack([jnp.log(x), jnp.log1p(-x)], axis=-1)

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        return log_beta(eta[..., 0] + 1.0, eta[..., 1] + 1.0)

    def _coordinate(self, x: jax.Array) -> jax.Array:
        return jnp.log(x) - jnp.log1p(-x)

    def _from_coordinate(self, y: jax.Array) -> jax.Array:
        return jax.nn.sigmoid(y)

    def _divergence(self, step: jax.Array, centre: jax.Array) -> jax.Array:
        return softplus_divergence(step, centre)

    def _slope(self) -> jax.Array:
        return 2.0 - self.alpha - self.beta

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        """Moment matching in (log alpha, log beta) by Newton, in terms of L(a) = log a − digamma(a) > 0.

        With e = L(alpha) − L(beta), the two equations E[y] = ȳ and E[softplus y] = softplus(ȳ) + J read
        log(alpha/beta) = ȳ + e and L(beta) − L(alpha + beta) + log1p(sigmoid(ȳ) expm1(e)) = J: no large terms left.
        """
        share = jax.nn.sigmoid(s.mean)

        def residual(v: jax.Array) -> jax.Array:
            a, b = jnp.exp(v[0]), jnp.exp(v[1])
            low_a, low_b = log_minus_digamma(a), log_minus_digamma(b)
            excess = low_a - low_b
            gap = low_b - log_minus_digamma(a + b) + jnp.log1p(share * jnp.expm1(excess))
            return jnp.stack([v[0] - v[1] - s.mean - excess, jnp.log(gap) - jnp.log(s.gap)])

        # J is about var(y) p(1 − p)/2 and var(y) about 1/(n p(1 − p)), n = alpha + beta, when n is large
        total = jnp.maximum(0.5 / s.gap, 0.5)
        start = jnp.log(jnp.stack([share * total, (1.0 - share) * total]))

        def step(_: int, v: jax.Array) -> jax.Array:
            (f0, f1), ((a, b), (c, d)) = residual(v), jax.jacfwd(residual)(v)
            determinant = a * d - b * c
            move = jnp.stack([d * f0 - b * f1, a * f1 - c * f0]) / determinant
            return v - jnp.clip(move, -1.0, 1.0)

        alpha, beta = jnp.exp(jax.lax.fori_loop(0, 30, step, start))
        return {"alpha": alpha, "beta": beta}

    def _covariance(self, count: Any) -> jax.Array:
        shared = trigamma(self.alpha + self.beta)
        a, d = trigamma(self.alpha) - shared, trigamma(self.beta) - shared
        return jnp.stack([jnp.stack([d, shared]), jnp.stack([shared, a])]) / ((a * d - shared**2) * count)
