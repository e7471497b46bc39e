"""One reading of the data with working targets and precisions: a step of every method that iterates least squares."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from suffice.models.bases.basis import Columns
from suffice.models.regression.least_squares.data import RegressionData
from suffice.models.regression.least_squares.design import Design, Rows
from suffice.models.regression.least_squares.statistic import (
    LIMIT,
    GramStatistic,
    RegressionStatistic,
    TriangleStatistic,
    joint_condition,
    pilot,
    statistic,
)
from suffice.numerics.sliced_gram import FEW


class Working(NamedTuple):
    """What some rows become: targets (n,), precisions (n,) or None, and numbers to be summed, each (n,)."""

    targets: np.ndarray
    precisions: np.ndarray | None
    summed: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Reading:
    """A statistic of the working targets, and sums with their frequencies."""

    statistic: RegressionStatistic
    sums: np.ndarray

    def __add__(self, other: "Reading") -> "Reading":
        return Reading(self.statistic + other.statistic, self.sums + other.sums)


@dataclass(frozen=True)
class Least:
    """The smaller of two."""

    value: float

    def __add__(self, other: "Least") -> "Least":
        return Least(min(self.value, other.value))


def counted(rows: Rows) -> np.ndarray:
    """Frequencies of rows."""
    return np.ones(len(rows.targets)) if rows.frequencies is None else rows.frequencies


def summed(rows: Rows, values: np.ndarray) -> float:
    """The sum of a number of each row, as often as it occurs; pairwise, and without a thread's waking for it."""
    return float((values if rows.frequencies is None else rows.frequencies * values).sum())


def reading(
    data: RegressionData, design: Design, work: Callable[[Any, Rows], Working], kind: type[RegressionStatistic]
) -> Reading:
    """The statistic of working targets in one reading.

    Args:
        data: what is read.
        design: of the columns, which may be others than those of the data's own design.
        work: from columns (n, M) and rows to working targets.
        kind: of the statistic.
    """

    def reduce(rows: Rows) -> Reading:
        made = design.columns(rows.inputs)
        found = work(made.hi, rows)
        parts = [made.kept(tuple(range(int(design.intercept), made.hi.shape[1]))), Columns(found.targets[:, None])]
        design.require_sizes(parts[:-1])
        shift, compiled = pilot(parts, design.intercept), len(rows.targets) > FEW
        part = statistic(kind, parts, design.intercept, shift, rows.frequencies, found.precisions, compiled)
        return Reading(part, np.array([summed(rows, s) for s in found.summed]))

    return data.folded(reduce)


def careful(found: RegressionStatistic, columns: int) -> type[RegressionStatistic]:
    """The kind of statistic that the columns' condition number asks for at the next reading."""
    if isinstance(found, TriangleStatistic):
        return TriangleStatistic
    root = found.root().at(slice(0, columns), slice(0, columns))
    return GramStatistic if joint_condition(root) <= LIMIT else TriangleStatistic
