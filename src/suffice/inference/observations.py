"""Data as the estimators see them: blocks to be folded, in memory or read from a source anew at each pass."""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from suffice.numerics.domain import Interval
from suffice.runtime.blocks import LARGE, SMALL, Block, blocks
from suffice.streams import BottomK, Bound, Chunk, Source, Summary, fold

Reduce = Callable[[Iterable[Block]], Any]
SAMPLE = 100_000
SMALL_SOURCE = 2**22  # rows; a source no longer than this is read once and kept
PILOT = 2**16
MOST_LEVELS = 2**16
EXACT = 2**52  # below this every half of an integer is a float64


class Nothing:
    """What an empty chunk adds."""

    def __add__(self, other: Any) -> Any:
        return other

    __radd__ = __add__


@dataclass(frozen=True)
class Table:
    """Integers tabulated: each distinct value once, with its frequency; None where there are too many."""

    values: np.ndarray | None
    counts: np.ndarray | None

    @classmethod
    def of(cls, x: np.ndarray, w: np.ndarray | None) -> Self:
        x = np.asarray(x, float)
        if len(x) and not np.all(x == np.floor(x)):
            return cls(None, None)
        values, place = np.unique(x, return_inverse=True)
        if len(values) > MOST_LEVELS:
            return cls(None, None)
        return cls(values, np.bincount(place, w, minlength=len(values)).astype(float))

    def __add__(self, other: "Table") -> "Table":
        if self.values is None or self.counts is None or other.values is None or other.counts is None:
            return Table(None, None)
        return Table.of(np.concatenate([self.values, other.values]), np.concatenate([self.counts, other.counts]))


@dataclass(frozen=True)
class Survey:
    """What one pass tells of a column: its summary, a uniform sample, and its table where it holds integers."""

    summary: Summary
    sample: BottomK
    table: Table

    def __add__(self, other: "Survey") -> "Survey":
        return Survey(self.summary + other.summary, self.sample + other.sample, self.table + other.table)


class Observations:
    """A sample that can be folded as often as an estimator asks; ``passes`` counts how often it was.

    Attributes:
        in_memory: whether folds are free, so that work on it may be shared between threads.
        width: of the interval that each value stands for, 0 if it is a point.
    """

    in_memory = False
    width = 0.0

    def __init__(self, source: Source) -> None:
        self.source, self.passes = source, 0
        self._outside: dict[Interval, tuple[int, float] | None] = {}

    @property
    def is_plain(self) -> bool:
        """Whether the values themselves are known, all of those there were, so that statistics of them say all."""
        return self.width == 0.0

    @property
    def is_small(self) -> bool:
        """Whether a search may look at all of it at every step."""
        return False

    def fold(self, reduce: Reduce) -> Any:
        """Add up ``reduce(blocks)`` over the data."""
        raise NotImplementedError

    def fold_chunks(self, reduce: Callable[[Chunk], Any]) -> Any:
        """Add up ``reduce(chunk)`` over checked chunks of NumPy arrays."""
        raise NotImplementedError

    def pilot(self, space: Interval) -> tuple[np.ndarray, np.ndarray]:
        """A small sample of values inside ``space`` and their weights, for iterations to start from."""
        raise NotImplementedError

    @cached_property
    def survey(self) -> Survey:
        """Summary, sample and table, in one pass; raises DataError for missing and infinite values."""
        bound = Bound()

        def look(chunk: Chunk) -> Survey:
            sample = BottomK.of(chunk, SAMPLE, self.source.identity, bound)
            return Survey(Summary.of(chunk), sample, Table.of(chunk.values, chunk.weights))

        return self.fold_chunks(look)

    def outside(self, space: Interval) -> tuple[int, float] | None:
        """Row (from 1) and value of the first observation outside ``space``, None if there is none."""
        if space not in self._outside:
            self.look_outside([space])
        return self._outside[space]

    def look_outside(self, spaces: Sequence[Interval]) -> None:
        """Look for the first observation outside each of several spaces, in one pass for all that have any."""
        summary, found = self.survey.summary, self._outside
        ends = np.array([summary.minimum, summary.maximum])
        for space in spaces:
            inside = np.all(space.contains(np.floor(ends) if space.integer else ends))
            if inside and (summary.all_integer or not space.integer):
                found[space] = None
        suspects, lock = [s for s in spaces if s not in found], threading.Lock()
        if not suspects:
            return
        first: dict[Interval, tuple[int, float]] = {}

        def look(chunk: Chunk) -> int:
            for space in suspects:
                bad = ~np.asarray(space.contains(chunk.values))
                if bad.any():
                    at = int(bad.argmax())
                    row = chunk.start + 1 + (at if chunk.index is None else int(chunk.index[at]))
                    with lock:
                        here = row, float(chunk.values[at])
                        first[space] = min(first.get(space, here), here)
            return 0

        self.fold_chunks(look)
        found.update({space: first.get(space) for space in suspects})


class Memory(Observations):
    """A column in memory with frequencies; with ``width``, values known only to half of it on either side.

    ``passes`` counts the reading of the source, not the loops over memory.
    """

    in_memory = True

    def __init__(
        self,
        source: Source,
        values: np.ndarray,
        weights: np.ndarray | None,
        width: float = 0.0,
        chunks: list[Chunk] | None = None,
    ) -> None:
        super().__init__(source)
        self.values, self.weights, self.width, self._chunks = values, weights, width, chunks

    @property
    def is_small(self) -> bool:
        return len(self.values) <= SMALL

    @cached_property
    def _blocks(self) -> list[Block]:
        half = self.width / 2.0
        columns = (self.values,) if half == 0.0 else (self.values - half, self.values + half)
        return list(blocks(columns, self.weights))

    def fold(self, reduce: Reduce) -> Any:
        if len(self.values) < 4 * LARGE:
            return reduce(self._blocks)
        middle = len(self._blocks) // 2
        with ThreadPoolExecutor(2) as pool:
            left, right = pool.map(reduce, (self._blocks[:middle], self._blocks[middle:]))
        return left + right

    def fold_chunks(self, reduce: Callable[[Chunk], Any]) -> Any:
        if self._chunks is None:
            return fold(self.source, reduce)
        first, *rest = (reduce(chunk) for chunk in self._chunks)
        return sum(rest, start=first)

    @cached_property
    def _pilot(self) -> tuple[np.ndarray, np.ndarray]:
        if len(self.values) <= SMALL:
            x = np.asarray(self.values, float)
            return x, np.ones(len(x)) if self.weights is None else np.asarray(self.weights, float)
        step = -(-len(self.values) // (4 * PILOT))
        return condensed(self.values[::step], None if self.weights is None else self.weights[::step])

    def pilot(self, space: Interval) -> tuple[np.ndarray, np.ndarray]:
        x, w = self._pilot
        lower, upper = np.maximum(x - self.width / 2.0, space.lower), np.minimum(x + self.width / 2.0, space.upper)
        return (lower + upper) / 2.0 if self.width else x, w


def condensed(x: np.ndarray, w: np.ndarray | None, groups: int = SMALL) -> tuple[np.ndarray, np.ndarray]:
    """Neighbouring values drawn together into a few groups of about equal size: their means and total weights.

    The likelihood of these is so close to that of the whole that its maximum saves most of the passes over the whole.
    """
    order = None if w is None else np.argsort(x)
    x = np.sort(x).astype(float) if order is None else x[order].astype(float)
    w = np.ones(len(x)) if w is None else w[order].astype(float)
    starts = np.arange(groups) * len(x) // groups
    weights = np.add.reduceat(w, starts)
    some = weights > 0
    return np.add.reduceat(w * x, starts)[some] / weights[some], weights[some]


class Stream(Observations):
    """A source that is read again at each pass, in bounded memory."""

    def __init__(self, source: Source, progress: Any = None) -> None:
        super().__init__(source)
        self.progress = progress

    def fold_chunks(self, reduce: Callable[[Chunk], Any]) -> Any:
        self.passes += 1
        return fold(self.source, lambda c: reduce(c) if len(c.values) else Nothing(), progress=self.progress)

    def fold(self, reduce: Reduce) -> Any:
        return self.fold_chunks(lambda chunk: reduce(list(blocks((chunk.values,), chunk.weights))))

    def pilot(self, space: Interval) -> tuple[np.ndarray, np.ndarray]:
        sample = self.survey.sample
        x = np.asarray(sample.values[:PILOT], float)
        return x, np.ones(len(x)) if sample.weights is None else np.asarray(sample.weights[:PILOT], float)


def loaded(source: Source) -> Memory | None:
    """The whole source in memory, where it is small enough to be read only once."""
    chunks, rows = [], source.rows or 0
    if rows <= SMALL_SOURCE:
        rows = 0
        for chunk in source.chunks():
            chunks.append(chunk)
            rows += chunk.rows
            if rows > SMALL_SOURCE:
                break
    if rows > SMALL_SOURCE:
        return None
    data = held(source, chunks)
    data.passes = 1
    return data


def held(source: Source, chunks: list[Chunk]) -> Memory:
    values = np.concatenate([c.values for c in chunks])
    some = any(c.weights is not None for c in chunks)
    heights = [np.ones(len(c.values)) if c.weights is None else c.weights for c in chunks] if some else None
    return Memory(source, values, None if heights is None else np.concatenate(heights), chunks=chunks)


def tabulated(data: Observations, width: float) -> Memory | None:
    """Integers as a table of distinct values and frequencies; None if there are too many.

    With ``width`` 1 each stands for the interval x ± ½, which is what a rounded measurement says; None where the
    integers are so large that there are no such numbers.
    """
    table = data.survey.table
    if table.values is None or np.abs(table.values).max() + width >= EXACT:
        return None
    seen = Memory(data.source, table.values, table.counts, width)
    seen.survey, seen._outside = data.survey, data._outside
    return seen
