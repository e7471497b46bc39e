"""What would have been seen of other values: how a sample came to be censored and truncated, drawn again.

Truncation limits stay with their rows. Where values are seen, others were lost beyond censoring times: known times stay
with their rows; unknown ones, of which it is only known what they did not hide, are drawn from the product-limit estimate
of their law, beyond what was seen (Efron 1981, section 3; Davison and Hinkley 1997, algorithm 3.1). That supposes times
independent of values. Where no value is seen, it was looked for at times: at all of them, where intervals part the line,
or at one, where each row has one end. Of other intervals nobody knows when their values would have been looked for had they
been others.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.truncated import Truncated
from suffice.inference.likelihood import log_likelihoods
from suffice.inference.rows import row_log_likelihoods
from suffice.numerics import variates
from suffice.runtime.errors import DataError
from suffice.streams.intervals import LEFT, LOWER, RIGHT, UPPER, is_exact, is_truncated

_UNTOLD = (
    "values are known to lie in intervals of their own, and nobody knows when they would have been looked for had they "
    "been others"
)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Times:
    """Censoring times: known ones, and the law of the others.

    Attributes:
        known: of each row, NaN where it is not, (n,).
        jumps: times the law puts mass on, increasing, (m,).
        left: probability of a later one after each, decreasing, (m,).
        beyond: probability of one beyond what was seen of each row, (n,).
    """

    known: jax.Array
    jumps: jax.Array
    left: jax.Array
    beyond: jax.Array

    @classmethod
    def of(
        cls, seen: np.ndarray, is_time: np.ndarray, entry: np.ndarray, filled: Callable[[np.ndarray], jax.Array]
    ) -> "Times":
        """From how far each row was seen, whether that is a censoring time, and from where on it could be seen."""
        jumps, here = np.unique(seen[is_time], return_counts=True)
        at_risk = np.searchsorted(np.sort(entry), jumps) - np.searchsorted(np.sort(seen), jumps)
        at_risk = at_risk - _count_at(seen[~is_time], jumps)  # a value at a censoring time was seen before it
        left = np.cumprod(1.0 - here / np.maximum(at_risk, here)) if len(jumps) else np.zeros(0)
        place = np.searchsorted(jumps, seen, side="right")
        beyond = np.concatenate([[1.0], left])[place]
        jumps, left = jnp.asarray(_lengthened(jumps, np.inf)), jnp.asarray(_lengthened(left, 0.0))
        return cls(filled(np.where(is_time, seen, np.nan)), jumps, left, filled(beyond))

    def draw(self, key: jax.Array) -> jax.Array:
        """One for each row; infinite where the law ends before."""
        level = variates.uniform(key, self.beyond.shape) * self.beyond
        place = jnp.searchsorted(-self.left, -level)  # the first after which less than the level is left
        some = (place < self.jumps.size) & (self.beyond > 0)
        drawn = jnp.where(some, self.jumps[jnp.minimum(place, self.jumps.size - 1)], jnp.inf)
        return jnp.where(jnp.isnan(self.known), drawn, self.known)


def _lengthened(values: np.ndarray, value: float) -> np.ndarray:
    """Filled up to one of few lengths."""
    return np.pad(values, (0, max(64, 1 << max(len(values) - 1, 0).bit_length()) - len(values)), constant_values=value)


def _count_at(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    ordered = np.sort(values)
    return np.searchsorted(ordered, places, side="right") - np.searchsorted(ordered, places)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Mechanism:
    """How values turn into rows (left, right, lower, upper).

    Attributes:
        limits: of truncation, (n, 2); None where nothing is truncated.
        looks: where no value is seen, the times at which each was looked for, (n, 1), or all were, (m,); else None.
        above: times of censoring from above, None where there are none.
        below: and from below, negative.
        tails: whether all that is hidden is hidden in a whole tail, with no truncation limit within it.
        size: number of rows.
    """

    limits: jax.Array | None
    looks: jax.Array | None
    above: Times | None
    below: Times | None
    tails: bool = field(metadata={"static": True})
    size: int = field(metadata={"static": True})

    @classmethod
    def of(cls, rows: np.ndarray, size: int) -> "Mechanism":
        """From rows as they were seen; what is kept of each is filled up with copies of the last to a size.

        Raises:
            DataError: the rows do not tell.
        """

        def filled(values: np.ndarray) -> jax.Array:
            return jnp.asarray(np.pad(values, [(0, size - len(rows)), *[(0, 0)] * (values.ndim - 1)], mode="edge"))

        left, right, lower, upper = rows.T
        exact = is_exact(rows)
        limits = filled(rows[:, [LOWER, UPPER]]) if is_truncated(rows).any() else None
        from_above, from_below = ~exact & (right == upper), ~exact & (left == lower)
        if not exact.any():
            points = _partition(rows)
            if points is not None:
                return cls(limits, jnp.asarray(_lengthened(points, np.inf)), None, None, False, size)
            if not np.all(from_above ^ from_below):
                raise DataError(_UNTOLD)
            return cls(limits, filled(np.where(from_above, left, right)[:, None]), None, None, False, size)
        if not np.all(exact | (from_above ^ from_below)):
            raise DataError(_UNTOLD)
        above = below = None
        if from_above.any():
            above = Times.of(np.where(from_above, left, right), from_above, lower, filled)
        if from_below.any():
            below = Times.of(-np.where(from_below, right, left), from_below, -upper, filled)
        tails = (above is None or np.all(upper == np.inf)) and (below is None or np.all(lower == -np.inf))
        return cls(limits, None, above, below, bool(tails), size)

    def draw(self, p: Any, key: jax.Array) -> jax.Array:
        """Rows of values drawn from a distribution, (n, 4)."""
        first, second, third = jax.random.split(key, 3)
        lower, upper = (
            jnp.full((2, self.size), jnp.array([[-jnp.inf], [jnp.inf]])) if self.limits is None else self.limits.T
        )
        x = self._values(p, first, lower, upper)
        if self.looks is not None:
            left, right = self._looked_for(x)
            return jnp.stack([jnp.maximum(left, lower), jnp.minimum(right, upper), lower, upper], axis=1)
        left = right = x
        if self.above is not None:
            highest = self.above.draw(second)
            hidden = x > highest
            left, right = jnp.where(hidden, highest, left), jnp.where(hidden, upper, right)
        if self.below is not None:
            lowest = -self.below.draw(third)
            hidden = x <= lowest
            left, right = jnp.where(hidden, lower, left), jnp.where(hidden, lowest, right)
        return jnp.stack([left, right, lower, upper], axis=1)

    def log_likelihood(self, p: Any, rows: jax.Array) -> jax.Array:
        """Of each row that this mechanism drew: ``row_log_likelihoods``, without what does not occur."""
        left, right, lower, upper = rows.T
        if not self.tails:
            value = row_log_likelihoods(p, rows, truncated=False)
        else:
            exact = left == right
            value = p.log_prob(jnp.where(exact, left, p._support().interior()))
            if self.above is not None:
                value = jnp.where(~exact & (left > lower), p.log_sf(left), value)
            if self.below is not None:
                value = jnp.where(~exact & (left == lower), p.log_cdf(right), value)
        return value if self.limits is None else value - log_likelihoods(p, (lower, upper), exact=True)

    def _looked_for(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        assert self.looks is not None
        if self.looks.ndim == 1:
            padded = jnp.concatenate([jnp.array([-jnp.inf]), self.looks, jnp.array([jnp.inf])])
            place = jnp.searchsorted(self.looks, x, side="left")
            return padded[place], padded[place + 1]
        time = self.looks[:, 0]
        return jnp.where(x > time, time, -jnp.inf), jnp.where(x > time, jnp.inf, time)

    def _values(self, p: Any, key: jax.Array, lower: jax.Array, upper: jax.Array) -> jax.Array:
        """From a distribution, between the limits of each row."""
        if self.limits is None:
            return p.sample(lower.shape, rng=key).astype(float)
        return Truncated(p, lower=lower, upper=upper).sample((), rng=key).astype(float)


def _partition(rows: np.ndarray) -> np.ndarray | None:
    """The points at which intervals meet, where each reaches from one to the next and none overlap."""
    points = np.unique(rows[:, [LEFT, RIGHT]])
    points = points[np.isfinite(points)]
    padded = np.concatenate([[-np.inf], points, [np.inf]])
    place = np.searchsorted(points, rows[:, RIGHT], side="left")
    return points if np.array_equal(padded[place], rows[:, LEFT]) else None
