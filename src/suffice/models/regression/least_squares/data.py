"""Data of a regression wherever they are: in memory, in a file, or already summed up."""

import functools
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from suffice.models.bases.basis import Basis
from suffice.models.bases.inputs import Inputs
from suffice.models.bases.local import MOST_CATEGORIES
from suffice.models.regression.least_squares.design import Design, Rows
from suffice.models.regression.least_squares.named import place
from suffice.models.regression.least_squares.statistic import (
    LIMIT,
    GramStatistic,
    RegressionStatistic,
    TriangleStatistic,
    joint_condition,
)
from suffice.numerics.sliced_gram import NARROW
from suffice.runtime.errors import DataError
from suffice.streams.fold import Additive, fold
from suffice.streams.sample import BottomK, Bound
from suffice.streams.source import Chunk, at_row
from suffice.streams.table import Table

SAMPLE = 100_000  # rows whose quantiles stand for those of a file


@dataclass(frozen=True)
class RegressionSummary:
    """All that a fit needs of data, with ``+``: chunks, files and workers add to the same fit.

    Attributes:
        design: how inputs become columns; both summands must have the same, so settle the basis first.
        statistic: sums over the rows.
        single: whether there is one target.
    """

    design: Design
    statistic: RegressionStatistic
    single: bool

    def __add__(self, other: "RegressionSummary") -> "RegressionSummary":
        if not isinstance(other, RegressionSummary) or self.design != other.design:
            raise TypeError(
                "statistics of different regressions do not add: give both the same basis, domain and centres"
            )
        return RegressionSummary(self.design, self.statistic + other.statistic, self.single)


@dataclass(frozen=True)
class Ends:
    """The range of each of several columns."""

    low: np.ndarray
    high: np.ndarray

    def __add__(self, other: "Ends") -> "Ends":
        return Ends(np.minimum(self.low, other.low), np.maximum(self.high, other.high))


@dataclass(frozen=True)
class Distinct:
    """The values of each of several columns, no more than are worth keeping."""

    values: tuple[np.ndarray, ...]

    def __add__(self, other: "Distinct") -> "Distinct":
        pairs = zip(self.values, other.values, strict=True)
        return Distinct(tuple(np.unique(np.concatenate(p))[: MOST_CATEGORIES + 1] for p in pairs))


@dataclass(frozen=True)
class Survey:
    """What bases may take from data, all in one reading."""

    ends: Ends
    sample: BottomK
    distinct: Distinct | None

    def __add__(self, other: "Survey") -> "Survey":
        both = self.distinct is not None and other.distinct is not None
        distinct = self.distinct + other.distinct if both else None  # type: ignore[operator]
        return Survey(self.ends + other.ends, self.sample + other.sample, distinct)


@dataclass(frozen=True)
class TableRows:
    """Rows of a file: which of its columns are inputs, targets, and what else rows have."""

    table: Table
    inputs: tuple[int, ...]
    targets: tuple[int, ...]
    precisions: int | None = None
    offset: int | None = None
    trials: int | None = None

    @classmethod
    def of(cls, table: Table, t: Any, **beside: str | None) -> "TableRows":
        """Targets, precisions, offset and trials by name, inputs all others.

        Raises:
            ValueError: there is no such column, or no input is left.
        """
        for what, name in beside.items():
            if not isinstance(name, str | None):
                raise TypeError(f"{what} of a table must be the name of a column, got {type(name).__name__}")
        named = (t,) if isinstance(t, str) else tuple(t)
        targets = tuple(place(table.names, name, "t") for name in named)
        others = {what: place(table.names, name, what) for what, name in beside.items() if name is not None}
        inputs = tuple(i for i in range(len(table.names)) if i not in (*targets, *others.values()))
        if not inputs:
            raise ValueError(f"the table must have a column beside {', '.join(named)}")
        return cls(table, inputs, targets, **others)

    def rows(self, chunk: Chunk) -> Rows:
        """A chunk as inputs and targets.

        Raises:
            DataError: a precision that is not above 0.
        """
        values = np.asarray(chunk.values, float)
        inputs = self._inputs(_taken(values, self.inputs), chunk.start if chunk.index is None else None)
        targets = _taken(values, self.targets)
        offset = None if self.offset is None else np.broadcast_to(values[:, [self.offset]], targets.shape)
        precisions = None if self.precisions is None else np.ascontiguousarray(values[:, self.precisions])
        if precisions is not None and not (precisions > 0).all():
            at = int((precisions > 0).argmin())
            row = chunk.start + 1 + (at if chunk.index is None else int(chunk.index[at]))
            raise DataError(f"precisions must be > 0, got {precisions[at]:g} {at_row(row)}")
        rows = Rows(inputs, targets, chunk.weights, precisions, offset)
        return rows if self.trials is None else rows.shares(values[:, self.trials])

    def _inputs(self, matrix: np.ndarray, start: int | None = 0) -> Inputs:
        """Columns as they are in the file, with their texts."""
        names = tuple(self.table.names[i] for i in self.inputs)
        columns = tuple(self._told(name, matrix[:, j]) for j, name in enumerate(names))
        return Inputs(names, columns, None if any(n in self.table.categories for n in names) else matrix, start=start)

    def _told(self, name: str, codes: np.ndarray) -> np.ndarray:
        return self.table.categories[name].decode(codes) if name in self.table.categories else codes

    def labels(self, targets: np.ndarray) -> np.ndarray:
        """The first target as it is in the file."""
        return self._told(self.names_of_targets[0], targets[:, 0])

    @property
    def names_of_targets(self) -> tuple[str, ...]:
        """What the targets are called."""
        return tuple(self.table.names[i] for i in self.targets)

    def sample(self, k: int) -> Rows:
        """At most k rows, uniformly drawn where there are more."""
        bound, seed = Bound(), self.table.source.identity
        found = fold(self.table.source, lambda chunk: BottomK.of(chunk, k, seed, bound))
        return self.rows(Chunk(found.values, found.weights, 0, len(found.values)))

    def settling(self, basis: Basis | None) -> Inputs:
        """Inputs from which a basis has all it needs, by one reading where that is anything.

        Ranges and categories are those of all rows; quantiles are of a uniform sample of ``SAMPLE`` rows where there are
        more.
        """
        names = tuple(self.table.names[i] for i in self.inputs)
        needs = 0 if basis is None else basis.needs()
        if needs < 2:
            ends = fold(self.table.source, self._ends) if needs else None
            if ends is None:
                return Inputs(names, tuple(np.zeros(1) for _ in names))
            return self._inputs(np.stack([ends.low, ends.high]))
        bound, seed = Bound(), self.table.source.identity

        def reduce(chunk: Chunk) -> Survey:
            values = _taken(np.asarray(chunk.values, float), self.inputs)
            distinct = Distinct(tuple(map(np.unique, values.T))) if needs > 2 else None
            return Survey(self._ends(chunk), BottomK.of(chunk, SAMPLE, seed, bound), distinct)

        found = fold(self.table.source, reduce)
        rows = _taken(np.asarray(found.sample.values, float), self.inputs)
        if found.sample.seen > len(rows):
            rows = np.concatenate([rows, [found.ends.low, found.ends.high]])
        inputs = self._inputs(rows)
        if found.distinct is None:
            return inputs
        return replace(inputs, distinct=tuple(map(self._told, names, found.distinct.values)))

    def _ends(self, chunk: Chunk) -> Ends:
        values = _taken(np.asarray(chunk.values, float), self.inputs)
        return Ends(values.min(axis=0, initial=np.inf), values.max(axis=0, initial=-np.inf))

    def statistic(self, design: Design, kind: type[RegressionStatistic]) -> RegressionStatistic:
        """Chunks reduced in threads and added."""
        few = len(design.names) + len(self.targets) <= NARROW

        def reduce(rows: Rows) -> RegressionStatistic:
            return design.statistic(kind, [rows] if few or not len(rows.targets) else rows.blocks())

        return self.folded(reduce)

    def folded[S: Additive](self, reduce: Callable[[Rows], S]) -> S:
        """The sum of something over chunks, reduced in threads."""
        return fold(self.table.source, lambda chunk: reduce(self.rows(chunk)))


def _taken(values: np.ndarray, columns: tuple[int, ...]) -> np.ndarray:
    """Some columns; without a copy where they are neighbours."""
    first, last = columns[0], columns[-1] + 1
    return values[:, first:last] if columns == tuple(range(first, last)) else values[:, list(columns)]


class Summarised(NamedTuple):
    """A statistic, the condition number of its columns scaled to length 1, and how often the data were read."""

    statistic: RegressionStatistic
    condition: float
    reading: int


@dataclass(frozen=True)
class RegressionData:
    """A design, and rows or their statistic.

    Attributes:
        design: how inputs become columns.
        single: whether there is one target, given without a second axis.
        rows: of a file or of arrays; None where there is a statistic.
        known: the statistic.
        targets: what they are called; empty where they have no names.
    """

    design: Design
    single: bool
    rows: Rows | TableRows | None
    known: RegressionStatistic | None = None
    targets: tuple[str, ...] = ()

    def sample(self, k: int) -> Rows | None:
        """At most k rows, uniformly drawn where there are more; a file is read for them. None where there are none."""
        return None if self.rows is None else self.rows.sample(k)

    def folded[S: Additive](self, reduce: Callable[[Rows], S]) -> S:
        """The sum of something over blocks of the rows, in one reading.

        Raises:
            ValueError: there are no rows, but their statistic only.
        """
        if self.rows is None:
            raise ValueError("this fit needs the data: a statistic is not enough")
        if isinstance(self.rows, TableRows):
            return self.rows.folded(lambda rows: _added(reduce, rows))
        return _added(reduce, self.rows)

    def statistic(self, kind: type[RegressionStatistic]) -> RegressionStatistic:
        """The sum over all rows."""
        if isinstance(self.rows, TableRows):
            return self.rows.statistic(self.design, kind)
        assert self.rows is not None
        return self.design.statistic(kind, self.rows.blocks())

    def summarised(self) -> Summarised:
        """The statistic in the form that its condition number asks for."""
        if self.known is not None:
            _require_digits(self.known, len(self.design.names))
            return Summarised(self.known, joint_condition(self.known.root()), 1)
        quick = self.statistic(GramStatistic)
        condition = joint_condition(quick.root())
        if condition <= LIMIT:
            return Summarised(quick, condition, 1)
        careful = self.statistic(TriangleStatistic)
        return Summarised(careful, joint_condition(careful.root()), 2)


def _added[S: Additive](reduce: Callable[[Rows], S], rows: Rows) -> S:
    parts = map(reduce, rows.blocks() if len(rows.targets) else [rows])
    return functools.reduce(operator.add, parts)


def _require_digits(statistic: RegressionStatistic, columns: int) -> None:
    """Refuse sums of products that have lost what the columns need."""
    if isinstance(statistic, GramStatistic):
        condition = joint_condition(statistic.root().at(slice(0, columns), slice(0, columns)))
        if condition > LIMIT:
            raise DataError(
                f"the condition number of the columns, {condition:.2g}, must be <= {LIMIT:.0e} for sums of products: take "
                "the statistics with careful=True, or fit the data themselves"
            )
