"""From the statistic of a regression to coefficients: rank, condition, solution, all in double-double."""

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np

from suffice.models.regression.least_squares.statistic import RegressionStatistic
from suffice.numerics.double_double import Double, add, double, from_fractions, multiply, negative, subtract
from suffice.numerics.double_double_linalg import matmul, orthogonalise, solve_upper
from suffice.runtime.errors import DataError

Deficient = Literal["error", "pivot", "minimum_norm"]
TOLERANCE = 8 * float(np.finfo(float).eps)  # what is left of a column after those before it, below which it is none


@dataclass(frozen=True)
class Dependency:
    """A column that others determine.

    Attributes:
        column: its name.
        left: what the columns before it leave of it, relative to its size.
        others: their names, with the coefficients that make it of them.
    """

    column: str
    left: float
    others: dict[str, float]

    def __str__(self) -> str:
        made = " + ".join(f"{c:.6g} {name}" for name, c in self.others.items()) or "0"
        return f"{self.column} = {made} to within {self.left:.1e} of its size"


@dataclass(frozen=True)
class Solution:
    """Least squares solved.

    Attributes:
        coefficients: of the columns computed with, (p, K).
        root: V with covariance of the coefficients = variance of a target · V Vᵀ, (p, r).
        weights, weights_root: the same for the reported columns.
        residuals: V with residual sums of squares and products VᵀV, (K, K).
        rank: number of independent columns.
        condition_number: of the reported columns scaled to length 1; of those that were kept.
        dependencies: columns found to be determined by others.
        log_determinant: log |PhiᵀPhi| of the reported columns kept, with a penalty's part.
    """

    coefficients: np.ndarray
    root: np.ndarray
    weights: np.ndarray
    weights_root: np.ndarray
    residuals: np.ndarray
    rank: int
    condition_number: float
    dependencies: tuple[Dependency, ...]
    log_determinant: float

    def holding(self, coefficients: np.ndarray, conversion: Any) -> "Solution":
        """The same with other coefficients of one target, (M,)."""
        column = coefficients[:, None]
        weights = column if conversion is None else matmul(from_fractions(conversion), double(column)).value
        return replace(self, coefficients=column, weights=weights)


class Penalty(NamedTuple):
    """Rows that are added to the columns and targets: |P w − d|², in the reported weights.

    ``scale`` multiplies the data beside it, as the root of a noise precision does.
    """

    rows: np.ndarray
    values: np.ndarray
    scale: float = 1.0


def solve(
    statistic: RegressionStatistic,
    names: tuple[str, ...],
    conversion: Any,
    deficient: Deficient = "error",
    penalty: Penalty | None = None,
) -> Solution:
    """Coefficients of each target by least squares.

    Args:
        statistic: of [columns, targets].
        names: of the columns, M with the constant first where there is one.
        conversion: exact matrix from coefficients of columns to those reported, or None.
        deficient: what to do where columns depend on others.
        penalty: rows (m, M) and values (m,) that are added.

    Raises:
        DataError: a column depends on others, and ``deficient`` is "error".
    """
    m = len(names)
    root, matrix = statistic.root(), None if conversion is None else from_fractions(conversion)
    if penalty is not None:
        root = _penalised(root, statistic, matrix, penalty)
    found = _independent(root, statistic, m, penalty is not None)
    dependencies = tuple(_told(d, names) for d in found.dependent)
    if dependencies and deficient == "error":
        raise DataError(
            "columns depend on each other: " + "; ".join(map(str, dependencies)) + '; rank_deficient="pivot" leaves '
            'such columns out, "minimum_norm" takes the smallest weights'
        )
    kept, root, r = list(found.kept), found.root, len(found.kept)
    right = [
        np.concatenate(pair, axis=1)
        for pair in zip(double(np.eye(r)), root.at(slice(0, r), slice(r, None)), strict=True)
    ]
    full = double(np.zeros((m, right[0].shape[1])))
    full.hi[kept], full.lo[kept] = solve_upper(root.at(slice(0, r), slice(0, r)), Double(*right))
    full = _unshifted(full, statistic, r)
    reported = full if matrix is None else matmul(matrix, full)
    coefficients, weights = full.value, reported.value
    condition = _condition(weights[kept, :r])
    if dependencies and deficient == "minimum_norm":
        null = np.stack([d.null for d in found.dependent], axis=1)
        shown = null if matrix is None else matrix.value @ null
        step = np.linalg.lstsq(shown, weights, rcond=None)[0]
        coefficients, weights = coefficients - null @ step, weights - shown @ step
    return Solution(
        coefficients=coefficients[:, r:],
        root=coefficients[:, :r],
        weights=weights[:, r:],
        weights_root=weights[:, :r],
        residuals=root.value[r:, r:],
        rank=r,
        condition_number=condition,
        dependencies=dependencies,
        log_determinant=_log_size(root.hi[:r, :r]) - (0.0 if matrix is None else _log_size(matrix.hi[kept][:, kept])),
    )


def _log_size(triangle: np.ndarray) -> float:
    """log |RᵀR|."""
    return 2.0 * float(np.log(np.abs(np.diagonal(triangle))).sum())


def _penalised(root: Double, statistic: RegressionStatistic, matrix: Double | None, penalty: Penalty) -> Double:
    """The factor with the rows of a penalty below, these put into coefficients of the shifted columns."""
    m = penalty.rows.shape[1]
    rows, right = double(penalty.rows), double(penalty.values[:, None])
    rows = rows if matrix is None else matmul(rows, matrix)
    if statistic.centred:
        first, shift = rows.at(slice(None), [0]), statistic.shift
        rows = subtract(rows, multiply(first, double(shift[None, :m])))
        right = subtract(right, multiply(first, double(shift[None, m:])))
    scale = double(np.full((1, 1), penalty.scale))
    parts = zip(multiply(root, scale), zip(rows, right, strict=True), strict=True)
    return orthogonalise(Double(*(np.concatenate([a, np.concatenate(b, axis=1)]) for a, b in parts)))


def _unshifted(full: Double, statistic: RegressionStatistic, r: int) -> Double:
    """Coefficients for columns without their shift: the constant takes t's shift, and gives those of the columns."""
    if not statistic.centred:
        return full
    m = len(full.hi)
    shift = statistic.shift
    target = np.concatenate([np.zeros(r), shift[m:]])
    first = add(full.at(0), double(target))
    for j in range(1, m):
        first = add(first, negative(multiply(full.at(j), double(np.full(full.hi.shape[1], shift[j])))))
    full.hi[0], full.lo[0] = first
    return full


class _Dependent(NamedTuple):
    """A column that those before it make: its place, what they leave of it, and coefficients c with A c = 0."""

    place: int
    left: float
    null: np.ndarray


class _Independent(NamedTuple):
    """Columns kept, those found dependent, and the triangular factor of the first and the targets."""

    kept: tuple[int, ...]
    dependent: tuple[_Dependent, ...]
    root: Double


def _independent(root: Double, statistic: RegressionStatistic, m: int, penalised: bool) -> _Independent:
    """Sort out columns that depend on those before them, one after the other.

    Data are rounded, so what they leave below that is nothing; what a penalty leaves counts to the last digit.
    """
    size, tolerance = np.sqrt((root.hi**2).sum(0)), 1e-28
    if not penalised:
        size, tolerance = size + np.abs(statistic.shift) * np.sqrt(statistic.total_weight), TOLERANCE
    kept, dependent = list(range(m)), []
    while True:
        place = next((i for i, j in enumerate(kept) if not abs(root.hi[i, i]) > tolerance * size[j]), None)
        if place is None:
            return _Independent(tuple(kept), tuple(dependent), root)
        j, before = kept[place], kept[:place]
        left = abs(float(root.hi[place, place])) / size[j] if size[j] > 0 else 0.0
        null = np.zeros(m)
        null[j] = 1.0
        if place:
            upper = root.at(slice(0, place), slice(0, place))
            null[before] = -solve_upper(upper, root.at(slice(0, place), slice(place, place + 1))).value[:, 0]
        if statistic.centred:
            null[0] -= null[1:] @ statistic.shift[1:m]
        dependent.append(_Dependent(j, left, null))
        del kept[place]
        root = orthogonalise(root.at(slice(None), [i for i in range(root.hi.shape[1]) if i != place]))


def _told(d: _Dependent, names: tuple[str, ...]) -> Dependency:
    """The finding in names; coefficients that are rounding are left out."""
    others = {n: float(-c) for i, (n, c) in enumerate(zip(names, d.null, strict=True)) if i != d.place}
    largest = max(map(abs, others.values()), default=0.0)
    return Dependency(names[d.place], d.left, {n: c for n, c in others.items() if abs(c) > 1e-9 * largest})


def _condition(inverse: np.ndarray) -> float:
    """Condition number of scaled columns from the inverse of their triangular factor."""
    if not len(inverse):
        return 1.0
    r = np.linalg.inv(inverse)
    values = np.linalg.svd(r / np.sqrt((r**2).sum(0)), compute_uv=False)
    return float(values[0] / values[-1])
