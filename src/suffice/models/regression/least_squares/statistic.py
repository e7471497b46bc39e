"""The statistic of a regression: all that least squares needs of any number of rows, in numbers that add.

Two forms hold the same, for columns A = [1, Phi, t] less a shift near their means. ``GramStatistic`` is AᵀA to 27
digits or more, at the speed of plain products: enough while the condition number of A's scaled columns stays below
``LIMIT``. ``TriangleStatistic`` is R of A = QR in double-double: enough for all that float64 columns can hold, at
some thirty times the work.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from suffice.models.bases.basis import Columns, side_by_side
from suffice.numerics.double_double import Double, add, double, multiply, sqrt, two_sum
from suffice.numerics.double_double_linalg import cholesky, orthogonalise
from suffice.numerics.sliced_gram import NARROW, coarse, gram, narrow_gram, squares_alone

LIMIT = 1e6  # condition number below which AᵀA leaves every coefficient as right as float64 can show it
TOGETHER = 16  # targets up to which their products with each other are kept
PILOT = 1024
_BLOCK = 512  # rows orthogonalised at a time: what fits near the processor


@dataclass(frozen=True)
class RegressionStatistic:
    """What is the same in both forms.

    Attributes:
        shift: taken from each column, (p,); all 0 where the model has no constant in its first column.
        centred: whether the model has one.
        count: number of observations, the sum of frequencies.
        total_weight: sum of frequencies times precisions.
        log_precisions: sum of the logarithms of precisions.
        matrix: AᵀA or R, in double-double, (p, p).
        apart: how many of the last columns are targets of whose products with each other only the squares are kept.
    """

    shift: np.ndarray
    centred: bool
    count: float
    total_weight: float
    log_precisions: float
    matrix: Double
    apart: int = 0

    def __add__(self, other: Self) -> Self:
        alike = type(self) is type(other) and (self.centred, self.apart) == (other.centred, other.apart)
        if not alike or len(self.shift) != len(other.shift):
            raise TypeError("statistics of different regressions do not add")
        if not self.count or not other.count:
            return self if self.count else other
        return replace(
            self,
            count=self.count + other.count,
            total_weight=self.total_weight + other.total_weight,
            log_precisions=self.log_precisions + other.log_precisions,
            matrix=self._joined(other._moved(self.shift)),
        )

    def kept(self, columns: list[int]) -> Self:
        """The statistic of some of the columns, in their order."""
        return replace(self, shift=self.shift[columns], matrix=self._part(columns))

    def _part(self, columns: list[int]) -> Double:
        raise NotImplementedError

    def _moved(self, shift: np.ndarray) -> Double:
        """The matrix for another shift."""
        raise NotImplementedError

    def _joined(self, matrix: Double) -> Double:
        raise NotImplementedError

    def root(self) -> Double:
        """Upper triangular R with RᵀR = AᵀA."""
        raise NotImplementedError


class GramStatistic(RegressionStatistic):
    """The sum of squares and products."""

    def _part(self, columns: list[int]) -> Double:
        return self.matrix.at(*np.ix_(columns, columns))

    def _moved(self, shift: np.ndarray) -> Double:
        if np.array_equal(shift, self.shift):
            return self.matrix
        step = two_sum(self.shift, -shift)  # A' = A + (first column) stepᵀ
        rows = add(self.matrix, multiply(step.at(slice(None), None), self.matrix.at(0).at(None, slice(None))))
        moved = add(rows, multiply(rows.at(slice(None), 0).at(slice(None), None), step.at(None, slice(None))))
        return squares_alone(moved, self.apart)

    def _joined(self, matrix: Double) -> Double:
        return add(self.matrix, matrix)

    def root(self) -> Double:
        return cholesky(self.matrix, self.apart)


class TriangleStatistic(RegressionStatistic):
    """The triangular factor."""

    def _part(self, columns: list[int]) -> Double:
        return orthogonalise(self.matrix.at(slice(None), columns))

    def _moved(self, shift: np.ndarray) -> Double:
        step = two_sum(self.shift, -shift)
        first = multiply(self.matrix.at(0, 0), step)
        moved = Double(self.matrix.hi.copy(), self.matrix.lo.copy())
        moved.hi[0], moved.lo[0] = add(self.matrix.at(0), first)
        return moved

    def _joined(self, matrix: Double) -> Double:
        return orthogonalise(_stacked(self.matrix, matrix), self.apart)

    def root(self) -> Double:
        return self.matrix


def pilot(parts: list[Columns], centred: bool) -> np.ndarray:
    """A shift near the means of columns, 0 for the constant before them."""
    first = np.concatenate([p.hi[:PILOT] for p in parts], axis=1)
    if not centred or not len(first):
        return np.zeros(int(centred) + first.shape[1])
    shift = first.mean(axis=0)
    return np.concatenate([np.zeros(1), coarse(shift, np.abs(first - shift).max(axis=0))])


def statistic(
    kind: type[RegressionStatistic],
    parts: list[Columns],
    centred: bool,
    shift: np.ndarray,
    frequencies: Any = None,
    precisions: Any = None,
    compiled: bool | None = None,
    apart: int = 0,
) -> RegressionStatistic:
    """The statistic of rows.

    Args:
        kind: ``GramStatistic`` or ``TriangleStatistic``.
        parts: basis functions, if any, and targets, each (n, k).
        centred: whether a constant comes before them, so that they may be shifted.
        shift: taken from each column, such as ``pilot`` gives, (p,), the constant's first.
        frequencies: (n,), >= 0: how often a row occurs.
        precisions: (n,), > 0: of the noise of each row, relative to each other.
        compiled, apart: as of ``gram``.
    """
    if frequencies is not None and not frequencies.all():
        keep = frequencies > 0
        parts = [Columns(hi[keep], None if lo is None else lo[keep]) for hi, lo in parts]
        frequencies, precisions = (None if a is None else a[keep] for a in (frequencies, precisions))
    n, p = len(parts[0].hi), len(shift)
    often = np.ones(()) if frequencies is None else frequencies
    heights = frequencies if precisions is None else often * precisions
    common: Any = {
        "shift": shift,
        "centred": centred,
        "count": float(n if frequencies is None else frequencies.sum()),
        "total_weight": float(n if heights is None else heights.sum()),
        "apart": apart,
        "log_precisions": 0.0 if precisions is None else float((often * np.log(precisions)).sum()),
    }
    if not n:
        return kind(matrix=double(np.zeros((p, p))), **common)
    if kind is GramStatistic and p - centred <= NARROW:
        return kind(matrix=narrow_gram([*parts], centred, shift, heights), **common)
    hi, lo = side_by_side([Columns(np.ones((n, int(centred)))), *parts])
    if kind is GramStatistic and heights is None:
        return kind(matrix=gram(hi, lo, shift, compiled, apart), **common)
    rows = two_sum(hi, -shift[None, :])
    if lo is not None:
        rows = add(rows, Double(lo, np.zeros_like(lo)))
    if heights is not None:
        rows = multiply(rows, sqrt(double(heights[:, None])))
    if kind is GramStatistic:
        return kind(matrix=gram(rows.hi, rows.lo, None, compiled, apart), **common)
    found, step = None, max(_BLOCK, p)
    for at in range(0, n, step):
        block = rows.at(slice(at, at + step))
        found = orthogonalise(block if found is None else _stacked(found, block), apart)
    assert found is not None
    return kind(matrix=found, **common)


def _stacked(a: Double, b: Double) -> Double:
    return Double(np.concatenate([a.hi, b.hi]), np.concatenate([a.lo, b.lo]))


def joint_condition(root: Double) -> float:
    """Condition number of all columns, those of targets too, scaled to length 1; infinite where a pivot is lost."""
    size = np.sqrt((root.hi**2).sum(0))
    if not (np.abs(np.diagonal(root.hi)) > 1e-14 * size).all():
        return float("inf")
    values = np.linalg.svd(root.hi / size, compute_uv=False)
    return float(values[0] / values[-1])
