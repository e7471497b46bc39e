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
SUSPECT = 1e-9  # what is left of a column that is looked at closely
MOST_TOLD = 3  # dependencies in a message


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


def lengths(rows: np.ndarray) -> np.ndarray:
    """Euclidean lengths along the last axis, also of numbers whose squares are no floats."""
    top = np.abs(rows).max(axis=-1, initial=0.0)
    unit = np.where((top > 0) & np.isfinite(top), top, 1.0)
    return unit * np.sqrt(((rows / unit[..., None]) ** 2).sum(-1))


def listed(dependencies: tuple[Dependency, ...]) -> str:
    """The first of them, and how many there are."""
    more = f"; and {len(dependencies) - MOST_TOLD} more" if len(dependencies) > MOST_TOLD else ""
    return "; ".join(map(str, dependencies[:MOST_TOLD])) + more


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
    deficient: Deficient | None = None,
    penalty: Penalty | None = None,
) -> Solution:
    """Coefficients of each target by least squares.

    Args:
        statistic: of [columns, targets].
        names: of the columns, M with the constant first where there is one.
        conversion: exact matrix from coefficients of columns to those reported, or None.
        deficient: what to do where columns depend on others; None where that cannot be chosen, and is an error.
        penalty: rows (m, M) and values (m,) that are added.

    Raises:
        DataError: a column depends on others, and ``deficient`` is "error" or None.
    """
    m = len(names)
    root, matrix = statistic.root(), None if conversion is None else from_fractions(conversion)
    if penalty is not None:
        root = _penalised(root, statistic, matrix, penalty)
    found = _independent(root, statistic, m, penalty is not None)
    dependencies = tuple(_told(d, names) for d in found.dependent)
    if dependencies and deficient in ("error", None):
        way = '; rank_deficient="pivot" leaves such columns out, "minimum_norm" takes the smallest weights'
        raise DataError(f"columns depend on each other: {listed(dependencies)}{way if deficient else ''}")
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
    """A column that those before it make: its place, what they leave of it, coefficients c with A c = 0, and which of
    these are more than rounding."""

    place: int
    left: float
    null: np.ndarray
    told: np.ndarray


class _Independent(NamedTuple):
    """Columns kept, those found dependent, and the triangular factor of the first and the targets."""

    kept: tuple[int, ...]
    dependent: tuple[_Dependent, ...]
    root: Double


def _independent(root: Double, statistic: RegressionStatistic, m: int, penalised: bool) -> _Independent:
    """Sort out columns that depend on those before them, one after the other.

    Data are rounded, so what they leave below the rounding of the column and of the multiples of others that make it is
    nothing; what a penalty leaves counts to the last digit.
    """
    size = np.sqrt((root.hi**2).sum(0))
    if not penalised:
        size = size + np.abs(statistic.shift) * np.sqrt(statistic.total_weight)
    kept, dependent, place = list(range(m)), [], 0
    while place < len(kept):
        j, before, left = kept[place], kept[:place], abs(float(root.hi[place, place]))
        if left > (1e-28 if penalised else SUSPECT) * size[j]:
            place += 1
            continue
        null = np.zeros(m)
        null[j] = 1.0
        if place:
            upper = root.at(slice(0, place), slice(0, place))
            null[before] = -solve_upper(upper, root.at(slice(0, place), slice(place, place + 1))).value[:, 0]
        if statistic.centred:
            null[0] -= null[1:] @ statistic.shift[1:m]
        parts = np.abs(null) * size[:m]
        if not penalised and left > TOLERANCE * parts.sum():
            place += 1
            continue
        told = parts > max(TOLERANCE * parts.sum(), left)
        dependent.append(_Dependent(j, left / size[j] if size[j] > 0 else 0.0, null, told))
        del kept[place]
        root = orthogonalise(root.at(slice(None), [i for i in range(root.hi.shape[1]) if i != place]))
    return _Independent(tuple(kept), tuple(dependent), root)


def _told(d: _Dependent, names: tuple[str, ...]) -> Dependency:
    """The finding in names; parts that are rounding are left out."""
    others = {n: float(-c) for i, (n, c) in enumerate(zip(names, d.null, strict=True)) if i != d.place and d.told[i]}
    return Dependency(names[d.place], d.left, others)


def _condition(inverse: np.ndarray) -> float:
    """Condition number of scaled columns from the inverse of their triangular factor."""
    if not len(inverse):
        return 1.0
    r = np.linalg.inv(inverse)
    values = np.linalg.svd(r / np.sqrt((r**2).sum(0)), compute_uv=False)
    return float(values[0] / values[-1])
