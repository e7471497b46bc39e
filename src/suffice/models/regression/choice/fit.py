"""Targets that are one of several classes: labels, and what the fits of ordered and of unordered ones share."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from suffice.distributions.bernoulli import Categorical
from suffice.models.bases.inputs import Inputs
from suffice.models.regression.iterated import wald
from suffice.models.regression.iterated.ascent import Ascent
from suffice.models.regression.least_squares.data import RegressionData, TableRows
from suffice.models.regression.least_squares.design import Design
from suffice.models.regression.linear.model import LinearBasisModel
from suffice.runtime.errors import DataError
from suffice.streams.table import Table

MOST = 1000  # classes


@dataclass(frozen=True)
class Labels:
    """Distinct labels of some rows."""

    values: np.ndarray

    def __add__(self, other: "Labels") -> "Labels":
        return Labels(np.unique(np.concatenate([self.values, other.values])))


def labelled(model: LinearBasisModel, x: Any, t: Any, weights: Any, ordered: Any) -> tuple[RegressionData, tuple]:
    """Data whose targets are places of their classes, and the classes in order.

    Raises:
        DataError: fewer than two classes, or a label that is none of those given.
    """
    if isinstance(x, Table):
        data = model.data(x, t, weights)
        found = data.folded(lambda rows: Labels(np.unique(rows.targets[:, 0]))).values
        classes = tuple(float(v) for v in found) if ordered is None else tuple(map(float, ordered))
        _require(found, classes)
        return data, classes
    if isinstance(t, str):
        inputs = Inputs.of(x)
        if t not in inputs.names:
            raise ValueError(f"t must be a column of the table, one of {', '.join(inputs.names)}, got {t!r}")
        place = inputs.names.index(t)
        rest = [i for i in range(len(inputs.names)) if i != place]
        x, t = (
            Inputs(tuple(inputs.names[i] for i in rest), tuple(inputs.columns[i] for i in rest)),
            inputs.columns[place],
        )
    labels = np.asarray(t)
    if labels.ndim != 1:
        raise ValueError(f"targets must be labels (n,), got shape {labels.shape}")
    labels = labels.astype(str) if labels.dtype.kind == "O" else labels
    found = np.unique(labels)
    classes = tuple(found.tolist()) if ordered is None else tuple(ordered)
    _require(found, classes)
    places = {c: float(i) for i, c in enumerate(classes)}
    return model.data(x, np.array([places[v] for v in labels.tolist()]), weights), tuple(classes)


def _require(found: np.ndarray, classes: tuple) -> None:
    unknown = [v for v in found.tolist() if v not in classes]
    if unknown:
        raise DataError(f"targets must be one of {', '.join(map(str, classes))}, got {unknown[0]}")
    if not 2 <= len(classes) <= MOST:
        raise DataError(f"there must be 2 to {MOST} classes, got {len(classes)}")


def codes(data: RegressionData, targets: np.ndarray, classes: tuple) -> np.ndarray:
    """Places of the classes of targets as the data have them."""
    if isinstance(data.rows, TableRows):
        order = np.argsort(classes)
        return order[np.searchsorted(np.asarray(classes)[order], targets)]
    return targets.astype(int)


@dataclass(frozen=True, eq=False)
class ChoiceFit:
    """A fitted model of classes.

    Attributes:
        design: how inputs become columns.
        classes: in order.
        names: of the parameters, (P,).
        parameters: all of them, (P,).
        covariance: of the parameters, the inverse of the observed information, (P, P).
        log_likelihood: at the estimate.
        count: number of observations.
        converged: whether the steps came to an end.
        iterations: steps taken.
        message: why not; of separated data, that the likelihood has no maximum.
    """

    design: Design
    classes: tuple
    names: tuple[str, ...]
    parameters: np.ndarray
    covariance: np.ndarray
    log_likelihood: float
    count: float
    converged: bool
    iterations: int
    message: str

    @property
    def standard_errors(self) -> np.ndarray:
        """Of the parameters."""
        return np.sqrt(np.diagonal(self.covariance))

    @property
    def aic(self) -> float:
        """2 P − 2 log-likelihood."""
        return 2.0 * len(self.parameters) - 2.0 * self.log_likelihood

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Wald intervals of the parameters."""
        return wald.interval(self.parameters, self.standard_errors, level)

    def log_probabilities(self, x: Any) -> Any:
        """log p(class | x), (n, K)."""
        raise NotImplementedError

    def predict(self, x: Any) -> Any:
        """p(class | x), (n, K); works in compiled code."""
        return jnp.exp(self.log_probabilities(x))

    def predictive(self, x: Any) -> Categorical:
        """The law of the place of the class in ``classes``."""
        return Categorical(jnp.asarray(self.log_probabilities(x)))

    def __repr__(self) -> str:
        pairs = zip(self.names, self.parameters, self.standard_errors, strict=True)
        told = ", ".join(f"{n} {v:.6g} ± {e:.2g}" for n, v, e in list(pairs)[:12])
        more = f", … {len(self.names)} in all" if len(self.names) > 12 else ""
        end = f"converged in {self.iterations} steps" if self.converged else self.message
        return (
            f"{type(self).__name__}({told}{more}; log-likelihood {self.log_likelihood:.6g}, n = {self.count:g}, {end})"
        )


SEPARATED = "separated: the likelihood has no maximum, it rises for ever along a direction of the weights"


def told(end: Ascent, separated: bool) -> str:
    """Why a search did not converge."""
    return "" if end.converged else SEPARATED if separated else f"stopped after {end.steps} steps"


def newton(gradient: np.ndarray, information: np.ndarray) -> tuple[np.ndarray, float]:
    """Newton's step of a concave likelihood, and its length in standard errors."""
    scale = 1.0 / np.sqrt(np.maximum(np.diagonal(information), 1e-300))
    unit = scale[:, None] * information * scale
    values, axes = np.linalg.eigh(unit)
    step = scale * (axes @ ((axes.T @ (scale * gradient)) / np.maximum(values, 1e-14)))
    return step, float((np.abs(step) / scale).max())
