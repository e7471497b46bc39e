"""Beta-binomial distribution."""

from typing import Any

import jax
import jax.numpy as jnp

from suffice.distributions.counts import SummedCounts, Trials
from suffice.distributions.declaration import parameter
from suffice.distributions.negative_binomial import log_negative_binomial_law
from suffice.numerics import domain, variates
from suffice.numerics.moments import mean_and_deviation
from suffice.numerics.special.elementary import two_product
from suffice.numerics.special.gamma import log_beta


class BetaBinomial(Trials, SummedCounts):
    """Beta-binomial distribution: a binomial whose probability of success is Beta(alpha, beta).

    P(X = k) = C(n, k) B(k + alpha, n − k + beta) / B(alpha, beta), k = 0, …, n, with n = total_count.

    Args:
        total_count: number of trials, an integer >= 0; known, not estimated.
        alpha: weight of success, dimensionless, > 0.
        beta: weight of failure, dimensionless, > 0.

    Example:
        >>> import suffice as sf
        >>> round(float(sf.BetaBinomial(10, alpha=1.0, beta=1.0).prob(3)), 12)
        0.090909090909
    """

    total_count: jax.Array = parameter(domain.count, doc="number of trials")
    alpha: jax.Array = parameter(domain.positive, doc="weight of success")
    beta: jax.Array = parameter(domain.positive, doc="weight of failure")

    def _log_prob(self, x: jax.Array) -> jax.Array:
        # two negative binomial counts given their sum, with equal ratios of mean to concentration
        a, b, n = self.alpha, self.beta, self.total_count
        rest, total = n - x, a + b
        (p, p_error), (q, q_error) = two_product(x, b), two_product(rest, a)
        offset = ((p - q) + (p_error - q_error)) / total  # x − n a/(a + b)
        level = jnp.maximum(n, 1.0) / total
        successes = log_negative_binomial_law(x, a * level, a, offset)
        failures = log_negative_binomial_law(rest, b * level, b, -offset)
        return successes + failures - log_negative_binomial_law(n, jnp.maximum(n, 1.0), total, jnp.zeros_like(n))

    def _middle(self) -> jax.Array:
        # medians of the beta: (a − 1/3)/(a + b − 2/3), and from its leading term at an end where it is infinite
        a, b = self.alpha, self.beta
        log_half = log_beta(a, b) - jnp.log(2.0)
        low = jnp.exp(jnp.minimum((jnp.log(a) + log_half) / a, 0.0))
        high = 1.0 - jnp.exp(jnp.minimum((jnp.log(b) + log_half) / b, 0.0))
        inner = (a - 1.0 / 3.0) / jnp.maximum(a + b - 2.0 / 3.0, 1.0)
        share = jnp.where((a >= 1.0) & (b >= 1.0), inner, jnp.where(a < b, low, high))
        return self.total_count * share

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        mixing, counting = jax.random.split(key)
        share = variates.beta(mixing, self.alpha, self.beta, shape)
        return variates.binomial(counting, self.total_count, share, shape)

    def _mean(self) -> jax.Array:
        return self.total_count * (self.alpha / (self.alpha + self.beta))

    def _variance(self) -> jax.Array:
        a, b, n = self.alpha, self.beta, self.total_count
        total = a + b
        return n * (a / total) * (b / total) * ((total + n) / (total + 1.0))

    def _skewness(self) -> jax.Array:
        a, b, n = self.alpha, self.beta, self.total_count
        total = a + b
        size = jnp.sqrt((1.0 + total) / (n * a * b * (n + total)))
        return (total + 2.0 * n) / (total + 2.0) * (b - a) * size

    def _kurtosis(self) -> jax.Array:
        a, b, n = self.alpha, self.beta, self.total_count
        s, ab = a + b, a * b
        bracket = s * (s - 1.0 + 6.0 * n) + 3.0 * ab * (n - 2.0) + 6.0 * n**2
        bracket = bracket - 3.0 * (ab / s) * n * (6.0 - n) - 18.0 * (ab / s**2) * n**2
        return s**2 * (1.0 + s) / (n * ab * (s + 2.0) * (s + 3.0) * (s + n)) * bracket - 3.0

    def _mode(self) -> jax.Array:
        a, b, n = self.alpha, self.beta, self.total_count
        inner = (a > 1.0) & (b > 1.0)
        peak = jnp.floor((n + 1.0) * (a - 1.0) / jnp.where(inner, a + b - 2.0, 1.0))
        return jnp.where(inner, jnp.minimum(peak, n), jnp.where(a >= b, n, 0.0))

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        # the number of trials is not seen here: as if it were a little above the largest count
        mean, _ = mean_and_deviation(x, w)
        share = (mean + 0.5) / (x.max() + 1.0)
        return {"alpha": 2.0 * share, "beta": 2.0 * (1.0 - share)}
