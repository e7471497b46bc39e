"""What laws of integers share: quantiles by a search on the tails, and tails by summation where there is no better."""

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.distributions.generic import cdf, column, sf
from suffice.numerics import domain
from suffice.numerics.checks import is_traced
from suffice.numerics.inversion import around, smallest_integer
from suffice.numerics.special.elementary import log1mexp
from suffice.numerics.special.normal import ndtri
from suffice.numerics.tail_sums import log_tail_sum


class Counts(Distribution, abstract=True):
    """Integers: quantiles by a search on the tails, from the normal approximation corrected for skewness."""

    discrete: ClassVar[bool] = True
    sample_space: ClassVar[Any] = domain.count

    def _guess(self, z: jax.Array) -> jax.Array:
        mean, deviation = self._mean(), jnp.sqrt(self._variance())
        return mean + deviation * (z + self._skewness() * (z**2 - 1.0) / 6.0)

    def _mean(self) -> jax.Array:
        raise NotImplementedError

    def _variance(self) -> jax.Array:
        raise NotImplementedError

    def _skewness(self) -> jax.Array:
        raise NotImplementedError

    def _first(self, holds: Callable[[jax.Array], jax.Array], guess: jax.Array) -> jax.Array:
        """The smallest integer of the support at which ``holds`` is true, as it is at the last."""
        support = self._support()
        low, high = support.lower, support.upper
        guess = jnp.clip(jnp.where(jnp.isnan(guess), low, guess), low, high)
        guess = jnp.where(self._valid(), guess, jnp.nan)  # there is nothing to search for
        return smallest_integer(lambda k: (k >= high) | holds(jnp.minimum(k, high - 1.0)), guess, low)

    def _icdf(self, q: jax.Array) -> jax.Array:
        reached, _ = around(q)
        return self._first(lambda k: cdf(self, k) >= reached, self._guess(ndtri(q)))

    def _isf(self, q: jax.Array) -> jax.Array:
        _, reached = around(q)
        return self._first(lambda k: sf(self, k) <= reached, self._guess(-ndtri(q)))


class Trials(Counts, abstract=True):
    """Successes among ``total_count`` trials: their number is known, and data beyond it are refused."""

    held: ClassVar[tuple[str, ...]] = ("total_count",)
    total_count: jax.Array

    def _support(self) -> Any:
        return domain.Interval(0.0, self.total_count, closed=(True, True), integer=True)

    @property
    def sample_space(self) -> Any:  # type: ignore[override]
        if is_traced(self) or self.batch_shape:
            return self._support()
        return domain.Interval(0.0, float(self.total_count), closed=(True, True), integer=True)


class SummedCounts(Counts, abstract=True):
    """Integers whose tails are sums: from the point outwards, away from the middle, and the other tail is the rest."""

    def _middle(self) -> jax.Array:
        """Where lower tails end and upper tails begin, near the median."""
        return self._mean()

    def _nearer_tail(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Whether the lower tail at ``x`` is the one summed, and its logarithm; differentiable in forward mode."""
        x = jnp.broadcast_to(x, np.broadcast_shapes(x.shape, self.batch_shape))
        support = self._support()
        bounded = not isinstance(support.upper, float)
        lower = x + 0.5 < self._middle()
        start = jnp.where(lower, x, x + 1.0).astype(float)
        end = jnp.where(lower, support.lower, support.upper).astype(float)
        valid = self._valid()  # what is not could go on for ever
        start, end = jnp.where(valid, start, 0.0), jnp.where(valid, end, 0.0)
        value = log_tail_sum(column(self)._log_prob, start, end, bounded)
        return lower, jnp.minimum(value, 0.0).astype(x.dtype)

    def _tail_of(self, x: jax.Array, below: bool) -> jax.Array:
        lower, log_tail = self._nearer_tail(x)
        return jnp.where(lower == below, jnp.exp(log_tail), -jnp.expm1(log_tail))

    def _log_tail_of(self, x: jax.Array, below: bool) -> jax.Array:
        lower, log_tail = self._nearer_tail(x)
        own = lower == below
        return jnp.where(own, log_tail, log1mexp(jnp.where(own, -1.0, log_tail)))

    def _cdf(self, x: jax.Array) -> jax.Array:
        return self._tail_of(x, below=True)

    def _sf(self, x: jax.Array) -> jax.Array:
        return self._tail_of(x, below=False)

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return self._log_tail_of(x, below=True)

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return self._log_tail_of(x, below=False)
