"""Binomial distribution."""

from typing import Any

import jax
import jax.numpy as jnp

from suffice.distributions.counts import Trials
from suffice.distributions.declaration import parameter
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.normal import LOG_SQRT_2PI
from suffice.distributions.statistics import Sufficient
from suffice.numerics import domain, variates
from suffice.numerics.special.beta_kernel import offset_from_mean
from suffice.numerics.special.elementary import log_minus_excess, softplus, xlog1py, xlogy
from suffice.numerics.special.gamma import log_binomial, stirling_error
from suffice.numerics.special.incomplete_beta import betainc, betaincc, log_betainc, log_betaincc


def log_binomial_law(k: jax.Array, rest: jax.Array, p: jax.Array, q: jax.Array, offset: jax.Array) -> jax.Array:
    """log C(n, k) p^k q^rest, n = k + rest, q = 1 − p, offset = k − n p, for k, rest >= 0: Loader's saddle-point form.

    The deviances of k from n p and of the rest from n q, in which nothing cancels, and Stirling's errors.
    """
    inner = (k > 0) & (rest > 0)
    a, b = jnp.where(inner, k, 1.0), jnp.where(inner, rest, 1.0)
    n = a + b
    deviance = a * log_minus_excess(p * (n / a), -offset / a) + b * log_minus_excess(q * (n / b), offset / b)
    errors = stirling_error(n) - stirling_error(a) - stirling_error(b)
    saddle = deviance + errors - 0.5 * (jnp.log(a) + jnp.log(b / n)) - LOG_SQRT_2PI
    return jnp.where(inner, saddle, jnp.where(k > 0, _power(k, p, q), _power(rest, q, p)))


def _power(k: jax.Array, p: jax.Array, q: jax.Array) -> jax.Array:
    """log p^k, where q = 1 − p: from the smaller of the two."""
    small = p < 0.5
    return jnp.where(small, xlogy(k, jnp.where(small, p, 1.0)), xlog1py(k, -jnp.where(small, 0.0, q)))


class Binomial(Trials, ExponentialFamily):
    """Binomial distribution: P(X = k) = C(n, k) p^k (1 − p)^(n − k), k = 0, …, n, with n = total_count, p = probs.

    Args:
        total_count: number of trials, an integer >= 0; known, not estimated.
        probs: probability of success, dimensionless, 0 <= p <= 1.

    Example:
        >>> import suffice as sf
        >>> sf.fit(sf.family(sf.Binomial, total_count=10), [3, 5, 1, 3]).parameters
        {'probs': 0.3}
    """

    total_count: jax.Array = parameter(domain.count, doc="number of trials")
    probs: jax.Array = parameter(domain.unit, doc="probability of success")

    def _log_prob(self, x: jax.Array) -> jax.Array:
        rest, p, q = self.total_count - x, self.probs, 1.0 - self.probs
        return log_binomial_law(x, rest, p, q, offset_from_mean(x, rest, p, q))

    def _cdf(self, x: jax.Array) -> jax.Array:
        return betainc(self.total_count - x, x + 1.0, 1.0 - self.probs, self.probs)

    def _sf(self, x: jax.Array) -> jax.Array:
        return betaincc(self.total_count - x, x + 1.0, 1.0 - self.probs, self.probs)

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return log_betainc(self.total_count - x, x + 1.0, 1.0 - self.probs, self.probs)

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return log_betaincc(self.total_count - x, x + 1.0, 1.0 - self.probs, self.probs)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return variates.binomial(key, self.total_count, self.probs, shape)

    def _mean(self) -> jax.Array:
        return self.total_count * self.probs

    def _variance(self) -> jax.Array:
        return self.total_count * self.probs * (1.0 - self.probs)

    def _skewness(self) -> jax.Array:
        return (1.0 - 2.0 * self.probs) / jnp.sqrt(self._variance())

    def _kurtosis(self) -> jax.Array:
        return 1.0 / self._variance() - 6.0 / self.total_count

    def _mode(self) -> jax.Array:
        # of two modes the upper one, however the product is rounded
        place = (self.total_count + 1.0) * self.probs
        return jnp.minimum(jnp.floor(place * (1.0 + 8.0 * jnp.finfo(place.dtype).eps)), self.total_count)

    def _cumulant(self, t: jax.Array) -> jax.Array:
        # n log(1 + p expm1(t)), with exp(t) taken out where it could overflow
        above = t > 0
        growth = jnp.where(above, 1.0 - self.probs, self.probs) * jnp.expm1(jnp.where(above, -t, t))
        return self.total_count * (jnp.where(above, t, 0.0) + jnp.log1p(growth))

    def _cf(self, t: jax.Array) -> jax.Array:
        p, q = self.probs, 1.0 - self.probs
        log_modulus = 0.5 * jnp.log1p(-4.0 * p * q * jnp.sin(0.5 * t) ** 2)
        angle = jnp.arctan2(p * jnp.sin(t), q + p * jnp.cos(t))
        return jnp.exp(self.total_count * (log_modulus + 1j * angle))

    # -- exponential family: eta = logit p, T = k, with the number of trials known -----------------------------------

    def _natural(self) -> jax.Array:
        return (jnp.log(self.probs) - jnp.log1p(-self.probs))[..., None]

    @classmethod
    def _from_natural(cls, eta: jax.Array, total_count: Any) -> "Binomial":
        return cls(total_count, jax.nn.sigmoid(eta[..., 0]))

    def _statistic(self, x: jax.Array) -> jax.Array:
        return x[..., None]

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        return self.total_count * softplus(eta[..., 0])

    def _log_base_measure(self, x: jax.Array) -> jax.Array:
        return log_binomial(self.total_count, jnp.minimum(x, self.total_count))  # x beyond is refused

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        return {"probs": s.mean / s.prototype.total_count}

    def _covariance(self, count: Any) -> jax.Array:
        return (self.probs * (1.0 - self.probs) / (self.total_count * count))[None, None]
