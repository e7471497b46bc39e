"""Observations known only to lie in intervals: rows (left, right, lower, upper) of ends and truncation limits.

An observation lies in (left, right], or is left itself where both ends are equal: −∞ and ∞ are open ends. It would not
be among the data at all if it did not lie in (lower, upper].
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

LEFT, RIGHT, LOWER, UPPER = range(4)


def rows_of(left: Any, right: Any, lower: Any = -np.inf, upper: Any = np.inf) -> np.ndarray:
    """Rows of interval ends, (n, 4), from columns in which NaN leaves an end open."""
    columns = np.broadcast_arrays(*(np.asarray(end, float) for end in (left, right, lower, upper)))
    rows = np.stack(columns, axis=-1)
    for place, absent in ((LEFT, -np.inf), (RIGHT, np.inf), (LOWER, -np.inf), (UPPER, np.inf)):
        rows[:, place] = np.where(np.isnan(rows[:, place]), absent, rows[:, place])
    return rows


def is_exact(rows: np.ndarray) -> np.ndarray:
    """Whether the value itself is known."""
    return rows[:, LEFT] == rows[:, RIGHT]


def is_missing(rows: np.ndarray) -> np.ndarray:
    """Whether both ends are open, so that the row says nothing."""
    return (rows[:, LEFT] == -np.inf) & (rows[:, RIGHT] == np.inf)


def is_truncated(rows: np.ndarray) -> np.ndarray:
    """Whether the row has a truncation limit."""
    return (rows[:, LOWER] > -np.inf) | (rows[:, UPPER] < np.inf)


def clipped(rows: np.ndarray) -> np.ndarray:
    """The rows, their intervals cut to the truncation limits."""
    inside = rows.copy()
    inside[:, LEFT] = np.maximum(rows[:, LEFT], rows[:, LOWER])
    inside[:, RIGHT] = np.minimum(rows[:, RIGHT], rows[:, UPPER])
    return np.where(is_exact(rows)[:, None], rows, inside)


def middle(rows: np.ndarray) -> np.ndarray:
    """A value for each row where one is needed: itself, the middle of its interval, or the end that is not open."""
    left, right = rows[:, LEFT], rows[:, RIGHT]
    low, high = np.where(left == -np.inf, right, left), np.where(right == np.inf, left, right)
    return low + (high - low) / 2.0


def _outside(rows: np.ndarray) -> np.ndarray:
    left, right, lower, upper = rows.T
    beyond = np.where(is_exact(rows), (left <= lower) | (left > upper), (right <= lower) | (left >= upper))
    return beyond & ~is_missing(rows)


@dataclass(frozen=True)
class Rule:
    """What no row may do: where it is broken, and what to say of the first such row."""

    broken: Callable[[np.ndarray], np.ndarray]
    text: str

    def told(self, row: np.ndarray) -> str:
        left, right, lower, upper = (f"{end:.10g}" for end in row)
        return self.text.format(left=left, right=right, lower=lower, upper=upper)


RULES = (
    Rule(lambda r: r[:, LEFT] > r[:, RIGHT], "left must be <= right, got left = {left} and right = {right}"),
    Rule(lambda r: is_exact(r) & np.isinf(r[:, LEFT]), "values must be finite, got {left}"),
    Rule(lambda r: ~(r[:, LOWER] < r[:, UPPER]), "lower must be < upper, got lower = {lower} and upper = {upper}"),
    Rule(
        _outside,
        "what is observed must lie above lower and not above upper, got left = {left}, right = {right} with lower = "
        "{lower}, upper = {upper}",
    ),
)


@dataclass(frozen=True)
class Kinds:
    """How many observations (sums of weights) are known in which way; those of stretches add."""

    exact: float
    left: float
    right: float
    interval: float
    truncated: float

    @classmethod
    def of(cls, rows: np.ndarray, weights: np.ndarray | None) -> "Kinds":
        exact = is_exact(rows)
        left, right = ~exact & (rows[:, LEFT] == -np.inf), ~exact & (rows[:, RIGHT] == np.inf)
        masks = exact, left, right, ~(exact | left | right), is_truncated(rows)
        return cls(*(float(m.sum()) if weights is None else float(weights[m].sum()) for m in masks))

    def __add__(self, other: "Kinds") -> "Kinds":
        return Kinds(*(a + b for a, b in zip(self, other, strict=True)))

    def __iter__(self) -> Iterator[float]:
        return iter((self.exact, self.left, self.right, self.interval, self.truncated))
