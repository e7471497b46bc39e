"""Maximum likelihood of classes by Newton's method in orthonormal columns, one reading of the data for each step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from suffice.models.regression.choice.labels import labelled, places
from suffice.models.regression.iterated.ascent import Ascent, Proposal, ascend
from suffice.models.regression.iterated.reweighted import Least, counted
from suffice.models.regression.least_squares.data import RegressionData
from suffice.models.regression.least_squares.design import Rows
from suffice.models.regression.least_squares.solution import solve
from suffice.models.regression.linear.model import LinearBasisModel
from suffice.streams.fold import Additive

SEPARATED = "separated: the likelihood has no maximum, it rises for ever along a direction of the weights"


class Score(Protocol):
    """What a law of classes says of rows, from columns q (n, m), places of their classes (n,) and parameters (P,)."""

    def sums(self, q: np.ndarray, place: np.ndarray, often: np.ndarray, point: np.ndarray) -> np.ndarray:
        """Log-likelihood, gradient (P,) and observed information (P, P) of the rows, ``often`` each, in one array."""
        ...

    def margins(self, q: np.ndarray, place: np.ndarray, step: np.ndarray) -> tuple[np.ndarray, float]:
        """By how much a step favours each row's own class, (n,), no more than 0; and the largest change it makes."""
        ...


class Climbed(NamedTuple):
    """Where the likelihood is greatest: parameters of orthonormal columns, and their covariance."""

    point: np.ndarray
    covariance: np.ndarray
    likelihood: float
    converged: bool
    steps: int
    message: str


@dataclass(frozen=True)
class ClassData:
    """Rows with their classes.

    Attributes:
        data: whose targets are labels or their places.
        classes: in order.
        count: number of observations.
        root: V with columns Phi V orthogonal of mean square 1, (M, m).
        weights_root: the same for the reported columns.
    """

    data: RegressionData
    classes: tuple
    count: float
    root: np.ndarray
    weights_root: np.ndarray

    @classmethod
    def of(cls, model: LinearBasisModel, x: Any, t: Any, weights: Any, classes: Any) -> "ClassData":
        """Data as people have them, in one reading.

        Raises:
            DataError: fewer than two classes, dependent columns.
        """
        data, found = labelled(model, x, t, weights, classes)
        statistic = data.summarised().statistic
        solution = solve(statistic, data.design.names, data.design.conversion)
        size = np.sqrt(statistic.count)
        return cls(data, found, statistic.count, solution.root * size, solution.weights_root * size)

    def folded[S: Additive](self, reduce: Callable[[np.ndarray, np.ndarray, np.ndarray], S]) -> S:
        """The sum of something over rows, of their orthonormal columns, places and frequencies."""

        def of(rows: Rows) -> S:
            q = np.asarray(self.data.design.columns(rows.inputs).hi @ self.root)
            return reduce(q, places(self.data, rows.targets, self.classes), counted(rows))

        return self.data.folded(of)

    def climbed(self, score: Score, start: np.ndarray) -> Climbed:
        """The maximum, or why there is none."""
        size = len(start)

        def read(point: np.ndarray) -> tuple[float, tuple[np.ndarray, np.ndarray]]:
            sums = np.asarray(self.folded(lambda q, place, often: score.sums(q, place, often, point)))
            value = float(sums[0]) if np.isfinite(sums).all() else -np.inf
            return value, (sums[1 : 1 + size], sums[1 + size :].reshape(size, size))

        def separates(step: np.ndarray) -> bool:
            def least(q: np.ndarray, place: np.ndarray, often: np.ndarray) -> Least:
                margins, reach = score.margins(q, place, step)
                return Least(float(np.where(often > 0, margins, 0.0).min(initial=0.0) + 1e-6 * reach))

            return self.folded(least).value >= 0.0

        apart = [False]

        def ended(_: np.ndarray, step: np.ndarray) -> bool:
            apart[0] = float(np.abs(step).max()) > 0.1 and separates(step)
            return apart[0]

        end = ascend(read, lambda found, _: Proposal(*newton(*found)), start, ended)
        covariance = np.linalg.pinv(end.found[1], hermitian=True)
        return Climbed(end.point, covariance, end.likelihood, end.converged, end.steps, _told(end, apart[0]))

    def fitted(self, end: Climbed, names: tuple[str, ...], jacobian: np.ndarray) -> dict[str, Any]:
        """What a ``ChoiceFit`` is made of: parameters of the reported columns, ``jacobian`` times those found."""
        return {
            "design": self.data.design, "classes": self.classes, "names": names, "parameters": jacobian @ end.point,
            "covariance": jacobian @ end.covariance @ jacobian.T, "dimension": len(names), "log_likelihood": end.likelihood,
            "count": self.count, "converged": end.converged, "iterations": end.steps, "message": end.message,
            "data": self.data,
        }  # fmt: skip


def _told(end: Ascent, separated: bool) -> str:
    return "" if end.converged else SEPARATED if separated else f"stopped after {end.steps} steps"


def newton(gradient: np.ndarray, information: np.ndarray) -> tuple[np.ndarray, float]:
    """Newton's step of a concave likelihood, and its length in standard errors."""
    scale = 1.0 / np.sqrt(np.maximum(np.diagonal(information), 1e-300))
    unit = scale[:, None] * information * scale
    values, axes = np.linalg.eigh(unit)
    step = scale * (axes @ ((axes.T @ (scale * gradient)) / np.maximum(values, 1e-14)))
    return step, float((np.abs(step) / scale).max())
