"""Censored and truncated observations as the estimators see them: blocks of values, of intervals, and of what is undone."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from suffice.distributions.family import Family
from suffice.inference.observations import (
    PILOT,
    SAMPLE,
    SMALL_SOURCE,
    Nothing,
    Observations,
    Reduce,
    Survey,
    Table,
)
from suffice.numerics.domain import Interval
from suffice.runtime.blocks import SMALL, Block, Wide, blocks
from suffice.runtime.errors import DataError
from suffice.streams import BottomK, Bound, Chunk, Source, Summary, fold
from suffice.streams.intervals import LEFT, LOWER, RIGHT, UPPER, Kinds, is_exact, is_truncated, middle


class Censored(Observations):
    """Rows (left, right, lower, upper) in memory, or read again at each pass where they are many.

    The log-likelihood is Σ w log p(x) over known values, Σ w log P(left < X <= right) over intervals, less
    Σ w log P(lower < X <= upper) over truncated rows: the last are intervals of negative weight.
    """

    def __init__(self, source: Source, chunks: list[Chunk] | None = None, progress: Any = None) -> None:
        super().__init__(source)
        self._chunks, self.progress = chunks, progress
        self.in_memory = chunks is not None

    @classmethod
    def of(cls, source: Source, progress: Any = None) -> "Censored":
        """Keep a small source in memory."""
        chunks, rows = [], 0
        for chunk in source.chunks():
            chunks.append(chunk)
            rows += chunk.rows
            if rows > SMALL_SOURCE:
                return cls(source, None, progress)
        data = cls(source, chunks)
        data.passes = 1
        return data

    @property
    def is_plain(self) -> bool:
        return False

    @property
    def is_small(self) -> bool:
        return self._chunks is not None and sum(len(c.values) for c in self._chunks) <= SMALL

    def fold_chunks(self, reduce: Callable[[Chunk], Any]) -> Any:
        if self._chunks is None:
            self.passes += 1
            return fold(self.source, lambda c: reduce(c) if len(c.values) else Nothing(), progress=self.progress)
        first, *rest = (reduce(chunk) for chunk in self._chunks)
        return sum(rest, start=first)

    @cached_property
    def _blocks(self) -> list[Block]:
        return list(cut(self.rows, self.weights))

    def fold(self, reduce: Reduce) -> Any:
        if self._chunks is not None:
            return reduce(self._blocks)
        return self.fold_chunks(lambda chunk: reduce(list(cut(chunk.values, chunk.weights))))

    @cached_property
    def rows(self) -> np.ndarray:
        """All rows, where they are in memory, else a uniform sample of them."""
        if self._chunks is None:
            return self.survey.sample.values
        return np.concatenate([c.values for c in self._chunks])

    @cached_property
    def weights(self) -> np.ndarray | None:
        """The weights of ``rows``."""
        if self._chunks is None:
            return self.survey.sample.weights
        heights = [c.weights for c in self._chunks]
        return None if heights[0] is None else np.concatenate(heights)  # type: ignore[arg-type]

    @cached_property
    def survey(self) -> Survey:
        bound = Bound()

        def look(chunk: Chunk) -> Survey:
            sample = BottomK.of(chunk, SAMPLE, self.source.identity, bound)
            return Survey(Summary.of(replace(chunk, values=middle(chunk.values))), sample, Table(None, None))

        return self.fold_chunks(look)

    @cached_property
    def kinds(self) -> Kinds:
        """How many observations are known in which way."""
        return self.fold_chunks(lambda chunk: Kinds.of(chunk.values, chunk.weights))

    def check(self, family: Family) -> None:
        """Raise where censoring leaves nothing to estimate a family from, or where its support is estimated."""
        if not family.regular:
            raise DataError(
                f"{family.name} cannot be fitted to censored or truncated values: its support is estimated, by the "
                "outermost of known values"
            )
        count = self.survey.summary.count
        for side, number in (("left", self.kinds.left), ("right", self.kinds.right)):
            if number == count:
                raise DataError(
                    f"{family.name} cannot be fitted: all {count:,.10g} observations are {side}-censored, so the "
                    "likelihood grows as the distribution moves beyond them all"
                )

        if not self.kinds.exact and self.in_memory and self.rows[:, LEFT].max() < self.rows[:, RIGHT].min():
            raise DataError(
                f"{family.name} cannot be fitted: all intervals share the values between "
                f"{self.rows[:, LEFT].max():g} and {self.rows[:, RIGHT].min():g}, and the likelihood grows as the "
                "distribution shrinks into them"
            )

    def pilot(self, space: Interval) -> tuple[np.ndarray, np.ndarray]:
        rows, w = self.rows[:PILOT], None if self.weights is None else self.weights[:PILOT]
        x = imputed(rows)
        inside = np.clip(x, space.lower, space.upper)
        ends = np.where(np.isfinite(rows[:, RIGHT]), rows[:, RIGHT], rows[:, LEFT])
        x = np.where(space.contains(inside), inside, (inside + np.where(np.isfinite(ends), ends, inside)) / 2.0)
        return x, np.ones(len(x)) if w is None else w

    def outside(self, space: Interval) -> tuple[int, float] | None:
        """Row and end of the first interval that has no point in ``space``."""
        if space not in self._outside:
            found: list[tuple[int, float]] = []

            def look(chunk: Chunk) -> int:
                bad = ~meets(chunk.values, space)
                if bad.any():
                    at = int(bad.argmax())
                    row = chunk.start + 1 + (at if chunk.index is None else int(chunk.index[at]))
                    left, right = chunk.values[at, [LEFT, RIGHT]]
                    found.append((row, float(right if right <= space.lower else left)))
                return 0

            self.fold_chunks(look)
            self._outside[space] = min(found, default=None)
        return self._outside[space]

    def look_outside(self, spaces: Sequence[Interval]) -> None:
        for space in spaces:
            self.outside(space)


def cut(rows: np.ndarray, weights: np.ndarray | None) -> Iterator[Block]:
    """Rows as blocks of known values, of intervals, and of truncation limits with negative weights."""
    w = np.ones(len(rows)) if weights is None else weights
    exact, truncated = is_exact(rows), is_truncated(rows)
    yield from blocks((np.ascontiguousarray(rows[exact, LEFT]),), w[exact])
    yield from _wide(rows[~exact, LEFT], rows[~exact, RIGHT], w[~exact])
    if truncated.any():
        limits, place = np.unique(rows[truncated][:, [LOWER, UPPER]], axis=0, return_inverse=True)
        yield from _wide(limits[:, 0], limits[:, 1], -np.bincount(place.ravel(), w[truncated]))


def _wide(left: np.ndarray, right: np.ndarray, weights: np.ndarray) -> Iterable[Block]:
    ends = np.ascontiguousarray(left), np.ascontiguousarray(right)
    return map(Wide._make, blocks(ends, weights))


def imputed(rows: np.ndarray) -> np.ndarray:
    """A plausible value for each row, for searches to start from.

    An open end is filled with the mean of the values known beyond the other, as if the censored shared their fate.
    """
    left, right = rows[:, LEFT], rows[:, RIGHT]
    x = middle(rows)
    closed = np.isfinite(left) & np.isfinite(right)
    known = np.sort(x[closed])
    if not len(known):
        return x
    sums = np.concatenate([[0.0], np.cumsum(known)])
    above = np.searchsorted(known, left, side="right")
    below = np.searchsorted(known, right, side="left")
    beyond = len(known) - above
    upper = np.where(beyond > 0, (sums[-1] - sums[above]) / np.maximum(beyond, 1), x)
    lower = np.where(below > 0, sums[below] / np.maximum(below, 1), x)
    return np.where(right == np.inf, upper, np.where(left == -np.inf, lower, x))


def meets(rows: np.ndarray, space: Interval) -> np.ndarray:
    """Whether each row has a point in ``space``."""
    left, right = rows[:, LEFT], rows[:, RIGHT]
    exact = is_exact(rows)
    with np.errstate(invalid="ignore"):
        inside = np.asarray(space.contains(np.where(exact, left, space.interior())))
        if space.integer:
            left, right = np.floor(left), np.floor(right)
        apart = (right <= space.lower) & ~space.contains(right) | (left >= space.upper) | (left >= right)
    return np.where(exact, inside, ~apart)
