"""Skellam distribution."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.counts import SummedCounts
from suffice.distributions.declaration import parameter
from suffice.numerics import domain, variates
from suffice.numerics.moments import mean_and_deviation, namespace
from suffice.numerics.special.skellam import log_skellam


class Skellam(SummedCounts):
    """Skellam distribution: the difference of two independent Poisson counts, of means rate1 and rate2.

    P(X = k) = exp(−rate1 − rate2) (rate1/rate2)^(k/2) I_k(2 √(rate1 rate2)), k = …, −1, 0, 1, …

    Args:
        rate1: mean of the count that is added, dimensionless, > 0.
        rate2: mean of the count that is subtracted, dimensionless, > 0.

    Example:
        >>> import suffice as sf
        >>> float(sf.Skellam(5.0, 3.0).variance())
        8.0
    """

    rate1: jax.Array = parameter(domain.positive, doc="mean of the count added")
    rate2: jax.Array = parameter(domain.positive, doc="mean of the count subtracted")

    sample_space: ClassVar[Any] = domain.integer

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return log_skellam(self.rate1, self.rate2, x)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        more, less = jax.random.split(key)
        draws = variates.poisson(more, self.rate1, shape) - variates.poisson(less, self.rate2, shape)
        return jnp.where(self._valid(), draws.astype(self.rate1.dtype), jnp.nan)

    def _mean(self) -> jax.Array:
        return self.rate1 - self.rate2

    def _variance(self) -> jax.Array:
        return self.rate1 + self.rate2

    def _skewness(self) -> jax.Array:
        return (self.rate1 - self.rate2) / (self.rate1 + self.rate2) ** 1.5

    def _kurtosis(self) -> jax.Array:
        return 1.0 / (self.rate1 + self.rate2)

    def _mode(self) -> jax.Array:
        best = jnp.floor(self._mean()) - 1.0
        for step in range(3):  # unimodal, and the mode is next to the mean
            following = jnp.floor(self._mean()) + step
            best = jnp.where(self._log_prob(following) > self._log_prob(best), following, best)
        return best

    def _cumulant(self, t: jax.Array) -> jax.Array:
        return self.rate1 * jnp.expm1(t) + self.rate2 * jnp.expm1(-t)

    def _cf(self, t: jax.Array) -> jax.Array:
        growth = -2.0 * jnp.sin(0.5 * t) ** 2  # cos t − 1
        return jnp.exp((self.rate1 + self.rate2) * growth + 1j * (self.rate1 - self.rate2) * jnp.sin(t))

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        mean, deviation = mean_and_deviation(x, w)
        xp = namespace(x)
        total = xp.maximum(deviation**2, 1.1 * xp.abs(mean) + 0.1)
        return {"rate1": 0.5 * (total + mean), "rate2": 0.5 * (total - mean)}
