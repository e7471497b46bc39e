"""Hypergeometric distribution."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.binomial import log_binomial_law
from suffice.distributions.counts import SummedCounts
from suffice.distributions.declaration import parameter
from suffice.numerics import domain, variates
from suffice.numerics.special.elementary import two_product


class Hypergeometric(SummedCounts):
    """Hypergeometric distribution: successes among n draws without replacement from N items, K of them successes.

    P(X = k) = C(K, k) C(N − K, n − k) / C(N, n), max(0, n + K − N) <= k <= min(n, K).

    Args:
        population: number N of items, an integer > 0; known, not estimated, as are the others.
        successes: number K of successes among them, an integer from 0 to N.
        draws: number n of items drawn, an integer from 0 to N.

    Example:
        >>> import suffice as sf
        >>> float(sf.Hypergeometric(population=52, successes=13, draws=4).mean())
        1.0
    """

    population: jax.Array = parameter(domain.Interval(lower=0.0, integer=True), doc="number of items")
    successes: jax.Array = parameter(domain.count, doc="number of successes among them")
    draws: jax.Array = parameter(domain.count, doc="number of items drawn")

    held: ClassVar[tuple[str, ...]] = ("population", "successes", "draws")
    open: ClassVar[tuple[str, ...]] = ("successes",)

    def _condition(self) -> tuple[Any, str]:
        fits = (self.successes <= self.population) & (self.draws <= self.population)
        return fits, "successes and draws must be <= population"

    def _support(self) -> Any:
        lower = jnp.maximum(0.0, self.draws - (self.population - self.successes))
        return domain.Interval(lower, jnp.minimum(self.draws, self.successes), closed=(True, True), integer=True)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        # binomial counts of drawn successes and drawn failures, given their sum, with p = n/N
        size, good, drawn = self.population, self.successes, self.draws
        bad, some = size - good, jnp.maximum(size, 1.0)
        p, q = drawn / some, (some - drawn) / some
        (seen, seen_error), (due, due_error) = two_product(x, some), two_product(good, drawn)
        offset = ((seen - due) + (seen_error - due_error)) / some  # x − n K/N
        failures = drawn - x
        value = log_binomial_law(x, good - x, p, q, offset) + log_binomial_law(failures, bad - failures, p, q, -offset)
        return value - log_binomial_law(drawn, size - drawn, p, q, jnp.zeros_like(size))

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        structure = jax.tree.structure(self)

        def mode(*own: jax.Array) -> jax.Array:
            return jax.tree.unflatten(structure, own)._mode()

        def log_mass(k: jax.Array, *own: jax.Array) -> jax.Array:
            p = jax.tree.unflatten(structure, own)
            inside = p._support().contains(k)
            return jnp.where(inside, p._log_prob(jnp.where(inside, k, p._mode())), -jnp.inf)

        valid = self._valid()
        parameters = [jnp.where(valid, v, 1.0) for v in (self.population, self.successes, self.draws)]
        return variates.log_concave(key, log_mass, mode, shape, *parameters).astype(int)

    def _mean(self) -> jax.Array:
        return self.draws * (self.successes / jnp.maximum(self.population, 1.0))

    def _variance(self) -> jax.Array:
        size, good, drawn = self.population, self.successes, self.draws
        return drawn * (good / size) * ((size - good) / size) * ((size - drawn) / jnp.maximum(size - 1.0, 1.0))

    def _skewness(self) -> jax.Array:
        size, good, drawn = self.population, self.successes, self.draws
        few = size <= 3.0  # then there are at most two values
        spread = jnp.sqrt((size - 1.0) / (drawn * good * (size - good) * (size - drawn)))
        many = (size - 2.0 * good) * spread * ((size - 2.0 * drawn) / jnp.where(few, 1.0, size - 2.0))
        share = self._mean() - self._support().lower
        return jnp.where(few, (1.0 - 2.0 * share) / jnp.sqrt(self._variance()), many)

    def _kurtosis(self) -> jax.Array:
        size, good, drawn = self.population, self.successes, self.draws
        bad, left, few = size - good, size - drawn, size <= 3.0
        first = (size - 1.0) * size**2 * (size * (size + 1.0) - 6.0 * good * bad - 6.0 * drawn * left)
        second = 6.0 * drawn * good * bad * left * (5.0 * size - 6.0)
        many = (first + second) / (drawn * good * bad * left * jnp.where(few, 1.0, (size - 2.0) * (size - 3.0)))
        return jnp.where(few, 1.0 / self._variance() - 6.0, many)

    def _mode(self) -> jax.Array:
        support = self._support()
        peak = jnp.floor((self.draws + 1.0) * ((self.successes + 1.0) / (self.population + 2.0)))
        return jnp.clip(peak, support.lower, support.upper)
