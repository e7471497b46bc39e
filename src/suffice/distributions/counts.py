"""What laws of integers share: quantiles by a search on the tails."""

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.distribution import Distribution
from suffice.distributions.generic import cdf, sf
from suffice.numerics import domain
from suffice.numerics.inversion import smallest_integer
from suffice.numerics.special.normal import ndtri


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
        return self._first(lambda k: cdf(self, k) >= q, self._guess(ndtri(q)))

    def _isf(self, q: jax.Array) -> jax.Array:
        return self._first(lambda k: sf(self, k) <= q, self._guess(-ndtri(q)))
