"""Discrete uniform distribution."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.counts import Counts
from suffice.distributions.declaration import parameter
from suffice.distributions.statistics import Sufficient
from suffice.distributions.uniform import log_sinhc
from suffice.numerics import domain


class DiscreteUniform(Counts):
    """Discrete uniform distribution: P(X = k) = 1/n, k = low, …, high, with n = high − low + 1.

    Args:
        low: smallest value, an integer.
        high: largest value, an integer >= low.

    Example:
        >>> import suffice as sf
        >>> float(sf.DiscreteUniform(1, 6).mean())
        3.5
    """

    low: jax.Array = parameter(domain.integer, 0.0, doc="smallest value")
    high: jax.Array = parameter(domain.integer, 1.0, doc="largest value")

    sample_space: ClassVar[Any] = domain.integer
    irregular: ClassVar[tuple[str, ...]] = ("low", "high")
    needs_extremes: ClassVar[bool] = True

    def _condition(self) -> tuple[Any, str]:
        return self.low <= self.high, "low must be <= high"

    def _support(self) -> Any:
        return domain.Interval(self.low, self.high, closed=(True, True), integer=True)

    def _size(self) -> jax.Array:
        return self.high - self.low + 1.0

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return jnp.zeros_like(x) - jnp.log(self._size())

    def _cdf(self, x: jax.Array) -> jax.Array:
        return (x - self.low + 1.0) / self._size()

    def _sf(self, x: jax.Array) -> jax.Array:
        return (self.high - x) / self._size()

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self._first(lambda k: self._cdf(k) >= q, self.low + jnp.ceil(q * self._size()) - 1.0)

    def _isf(self, q: jax.Array) -> jax.Array:
        return self._first(lambda k: self._sf(k) <= q, self.high - jnp.floor(q * self._size()))

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return jax.random.randint(key, shape, self.low.astype(int), self.high.astype(int) + 1, int)

    def _mean(self) -> jax.Array:
        return 0.5 * self.low + 0.5 * self.high

    def _variance(self) -> jax.Array:
        return (self.high - self.low) * (self._size() + 1.0) / 12.0

    def _skewness(self) -> jax.Array:
        return jnp.zeros_like(self.low + self.high)

    def _kurtosis(self) -> jax.Array:
        return -1.2 - 0.2 / self._variance()

    def _mode(self) -> jax.Array:
        return self.low

    def _entropy(self) -> jax.Array:
        return jnp.log(self._size())

    def _cumulant(self, t: jax.Array) -> jax.Array:
        half = 0.5 * t
        return t * self._mean() + log_sinhc(half * self._size()) - log_sinhc(half)

    def _cf(self, t: jax.Array) -> jax.Array:
        turn = t / (2.0 * jnp.pi)
        turn = turn - jnp.round(turn)  # a whole turn changes nothing
        wave = jnp.exp(2j * jnp.pi * turn * self._mean())
        return wave * jnp.sinc(turn * self._size()) / jnp.sinc(turn)

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        return {"low": s.lower, "high": s.upper}
