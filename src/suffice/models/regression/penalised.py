"""Paths of ridge, lasso and elastic net, with criteria and cross-validation, all from statistics of one reading."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, Literal, get_args

import numpy as np

from suffice.models.regression.least_squares.design import Design, Rows
from suffice.models.regression.least_squares.spectrum import triangle
from suffice.models.regression.least_squares.statistic import GramStatistic, RegressionStatistic
from suffice.models.regression.linear.model import LinearBasisModel

Criterion = Literal["cv", "one_se", "gcv", "aic", "bic"]


@dataclass(frozen=True, eq=False, repr=False)
class PenaltyPath:
    """Fits for a row of penalties, the largest first.

    Attributes:
        design: how inputs become columns.
        penalties: lambda, (L,).
        weights: of each, in the unit of the columns, (L, M).
        degrees_of_freedom: effective number of parameters, the constant among them, (L,).
        residual_sums: of squares, (L,).
        count: number of observations.
        cv_errors: mean squared error of prediction of rows left out, (L, folds), or None.
        optimality: by how much the conditions of the minimum are missed, at most, relative to lambda.
    """

    design: Design
    penalties: np.ndarray
    weights: np.ndarray
    degrees_of_freedom: np.ndarray
    residual_sums: np.ndarray
    count: float
    cv_errors: np.ndarray | None
    optimality: float

    @property
    def names(self) -> tuple[str, ...]:
        """Of the weights."""
        return self.design.names

    @property
    def gcv(self) -> np.ndarray:
        """Generalised cross-validation: n RSS/(n − degrees of freedom)² (Golub, Heath and Wahba 1979)."""
        return self.count * self.residual_sums / (self.count - self.degrees_of_freedom) ** 2

    @property
    def aic(self) -> np.ndarray:
        """n log(RSS/n) + 2 degrees of freedom."""
        return self.count * np.log(self.residual_sums / self.count) + 2.0 * self.degrees_of_freedom

    @property
    def bic(self) -> np.ndarray:
        """n log(RSS/n) + log(n) degrees of freedom."""
        return self.count * np.log(self.residual_sums / self.count) + np.log(self.count) * self.degrees_of_freedom

    def best(self, criterion: Criterion = "gcv") -> int:
        """Place of the best penalty: of least error of cross-validation, the largest within one standard error of it
        ("one_se"), or of least "gcv", "aic", "bic"."""
        if criterion not in get_args(Criterion):
            raise ValueError(f"criterion must be one of {', '.join(get_args(Criterion))}, got {criterion!r}")
        if criterion not in ("cv", "one_se"):
            return int(getattr(self, criterion).argmin())
        if self.cv_errors is None:
            raise ValueError("there was no cross-validation: give folds=")
        mean = self.cv_errors.mean(axis=1)
        least = int(mean.argmin())
        if criterion == "cv":
            return least
        error = self.cv_errors[least].std(ddof=1) / np.sqrt(self.cv_errors.shape[1])
        return int((mean <= mean[least] + error).argmax())

    def predict(self, x: Any, place: int) -> Any:
        """y(x, w) for the penalty at a place of the path."""
        return self.design.columns(self.design.inputs(x), reported=True).hi @ self.weights[place]

    def __repr__(self) -> str:
        cut = "" if self.cv_errors is None else f", {self.cv_errors.shape[1]} folds"
        return (
            f"PenaltyPath({len(self.penalties)} penalties from {self.penalties[0]:.3g} to {self.penalties[-1]:.3g} of "
            f"{len(self.names)} weights, n = {self.count:g}{cut})"
        )


def penalty_path(
    basis: Any,
    x: Any,
    t: Any = None,
    weights: Any = None,
    *,
    l1_ratio: float = 0.0,
    penalties: Sequence[float] | None = None,
    folds: int = 0,
    rng: int = 0,
    standardise: bool = True,
    intercept: bool = True,
) -> PenaltyPath:
    """Minimise |t − y(x, w)|²/(2n) + lambda (l1_ratio |w|₁ + (1 − l1_ratio) |w|²/2) for a row of lambdas.

    Ridge for ``l1_ratio`` 0, lasso for 1, elastic net between (Bishop 3.29); the constant is not penalised. All come
    from the sums of squares and products: ridge in principal axes, the others by coordinate descent that ends with
    an exact solution for the weights that are not 0. Cross-validation needs no further reading: the statistic of the
    rows kept is the sum of those of the other folds, and the error on a fold a square form in its own.

    Args:
        basis: as of ``LinearBasisModel``, or one.
        x, t, weights: as for ``LinearBasisModel.fit``; one target.
        l1_ratio: between 0 and 1.
        penalties: lambdas, > 0; by default 100, from where all weights are 0 (nearly, for ridge) down by 1e-4.
        folds: of cross-validation, drawn at random; 0 for none; data in memory.
        rng: seed of the folds.
        standardise: whether columns are scaled to variance 1 under the penalty.
        intercept: whether phi_0 = 1 comes first.

    Source: Friedman, Hastie and Tibshirani 2010, doi:10.18637/jss.v033.i01.

    Example:
        >>> import numpy as np, suffice as sf
        >>> x = np.random.default_rng(0).normal(size=(50, 5))
        >>> path = sf.penalty_path(None, x, 2.0 * x[:, 1] + 0.1 * x[:, 4] ** 2, l1_ratio=1.0, folds=5)
        >>> [name for name, w in zip(path.names, path.weights[path.best("one_se")]) if w != 0.0]
        ['intercept', 'x2']
    """
    if not 0.0 <= l1_ratio <= 1.0:
        raise ValueError(f"l1_ratio must be between 0 and 1, got {l1_ratio}")
    if folds < 0 or folds == 1:
        raise ValueError(f"folds must be 0 or at least 2, got {folds}")
    model = (
        basis
        if isinstance(basis, LinearBasisModel)
        else LinearBasisModel(*([] if basis is None else [basis]), intercept=intercept)
    )
    data = model.data(x, t, weights)
    if not data.single:
        raise ValueError("a path is of one target: give t of shape (n,)")
    if not folds:
        parts, whole = [], data.summarised().statistic
    else:
        parts = _folds(data.design, data.rows, folds, rng)
        whole = reduce(add, parts)
    problem = Problem.of(data.design, whole, standardise)
    if penalties is None:
        top = float(np.abs(problem.cross).max()) / max(l1_ratio, 1e-3)
        lambdas = top * np.logspace(0.0, -4.0, 100) if top > 0 else np.ones(1)
    else:
        lambdas = np.sort(np.asarray(penalties, float))[::-1]
        if lambdas.ndim != 1 or not len(lambdas) or not (np.isfinite(lambdas) & (lambdas > 0)).all():
            raise ValueError(f"penalties must be numbers > 0, got {penalties!r}")
    found = problem.solved(lambdas, l1_ratio)
    errors = None
    if parts:
        errors = np.stack([_error(data.design, parts, k, lambdas, l1_ratio, standardise) for k in range(folds)], axis=1)
    return PenaltyPath(
        data.design, lambdas, found.weights, found.freedom, found.sums, whole.count, errors, found.missed
    )


def _folds(design: Design, rows: Any, folds: int, rng: int) -> list[RegressionStatistic]:
    """The statistic of each fold."""
    if not isinstance(rows, Rows):
        raise ValueError("cross-validation is for data in memory")
    n = len(rows.targets)
    if folds > n:
        raise ValueError(f"folds must be at most the number of rows, {n}, got {folds}")
    label = np.random.default_rng(rng).permutation(n) % folds
    return [design.statistic(GramStatistic, rows.where(label == k).blocks()) for k in range(folds)]


def _error(design: Design, parts: list, k: int, lambdas: np.ndarray, l1_ratio: float, standardise: bool) -> np.ndarray:
    """Mean squared error on fold k of the weights from the others."""
    others = reduce(add, [p for i, p in enumerate(parts) if i != k])
    w = Problem.of(design, others, standardise).solved(lambdas, l1_ratio).weights
    columns, target = triangle(design, parts[k])
    m = len(design.names)
    return (((columns @ w.T - target[:m, None]) ** 2).sum(0) + (target[m:] ** 2).sum()) / parts[k].total_weight


@dataclass(frozen=True, eq=False)
class Solved:
    """Weights of each penalty, degrees of freedom, residual sums of squares, and the optimality that is missed."""

    weights: np.ndarray
    freedom: np.ndarray
    sums: np.ndarray
    missed: float


@dataclass(frozen=True, eq=False)
class Problem:
    """Sums of squares and products of the penalised columns over n, the constant projected out, and their scales."""

    gram: np.ndarray
    cross: np.ndarray
    whole: float
    scale: np.ndarray
    first: np.ndarray
    total: float

    @classmethod
    def of(cls, design: Design, statistic: RegressionStatistic, standardise: bool) -> "Problem":
        """From the statistic."""
        m, free, n = len(design.names), int(design.intercept), statistic.total_weight
        columns, target = triangle(design, statistic)
        part, t = columns[free:m, free:], target[free:m]
        if not part.size:
            raise ValueError("a path needs at least one column beside the constant")
        size = np.sqrt((part**2).sum(0) / n)
        scale = np.where(size > 0, size, 1.0) if standardise else np.ones(len(size))
        part = part / scale
        first = np.concatenate([[target[0]], columns[0]]) if free else np.zeros(0)
        return cls(part.T @ part / n, part.T @ t / n, float(target[free:] @ target[free:]) / n, scale, first, n)

    def solved(self, lambdas: np.ndarray, l1_ratio: float) -> Solved:
        """The weights of each penalty, each from the one before."""
        w, found, freedom, sums, missed = np.zeros(len(self.cross)), [], [], [], 0.0
        for value in lambdas:
            hard, soft = value * l1_ratio, value * (1.0 - l1_ratio)
            w = self._descended(w, hard, soft)
            slope = self.cross - self.gram @ w - soft * w
            gap = np.where(w != 0, np.abs(slope - hard * np.sign(w)), np.maximum(np.abs(slope) - hard, 0.0))
            missed = max(missed, float(gap.max()) / value)
            active = np.flatnonzero(w) if hard else np.arange(len(w))
            block = self.gram[np.ix_(active, active)]
            held = np.linalg.solve(block + soft * np.eye(len(active)), block) if soft else np.eye(len(active))
            freedom.append(float(np.trace(held)) + bool(len(self.first)))
            sums.append(self.total * float(self.whole - 2.0 * self.cross @ w + w @ self.gram @ w))
            found.append(self._reported(w))
        return Solved(np.array(found), np.array(freedom), np.array(sums), missed)

    def _reported(self, w: np.ndarray) -> np.ndarray:
        w = w / self.scale
        if not len(self.first):
            return w
        target, own, rest = self.first[0], self.first[1], self.first[2:]
        return np.concatenate([[(target - rest @ w) / own], w])

    def _descended(self, w: np.ndarray, hard: float, soft: float) -> np.ndarray:
        """Coordinate descent from w, then the exact solution on the weights that are not 0, where it agrees."""
        if not hard:
            return np.linalg.solve(self.gram + soft * np.eye(len(w)), self.cross)
        w, size = w.copy(), np.diagonal(self.gram) + soft
        for _ in range(10_000):
            before = w.copy()
            for j in range(len(w)):
                pull = self.cross[j] - self.gram[j] @ w + self.gram[j, j] * w[j]
                w[j] = np.sign(pull) * max(abs(pull) - hard, 0.0) / size[j] if size[j] > 0 else 0.0
            if np.abs(w - before).max() <= 1e-7 * max(np.abs(w).max(), 1e-300):
                polished = self._polished(w, hard, soft)
                if polished is not None:
                    return polished
            if np.abs(w - before).max() <= 1e-15 * np.abs(w).max():
                break
        return w

    def _polished(self, w: np.ndarray, hard: float, soft: float) -> np.ndarray | None:
        active = np.flatnonzero(w)
        block = self.gram[np.ix_(active, active)] + soft * np.eye(len(active))
        try:
            exact = np.linalg.solve(block, self.cross[active] - hard * np.sign(w[active]))
        except np.linalg.LinAlgError:
            return None
        full = np.zeros(len(w))
        full[active] = exact
        slope = np.abs(self.cross - self.gram @ full)
        slope[active] = 0.0
        agrees = (np.sign(exact) == np.sign(w[active])).all() and slope.max(initial=0.0) <= hard * (1.0 + 1e-12)
        return full if agrees else None
