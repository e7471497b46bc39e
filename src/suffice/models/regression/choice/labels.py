"""Labels of classes: found in data, or given; and their places."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from suffice.models.bases.inputs import require_finite, texts
from suffice.models.regression.least_squares.data import RegressionData, TableRows
from suffice.models.regression.least_squares.named import apart, target_names
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


def told(label: Any) -> str:
    """A label in the name of a parameter: of a file numbers are floats, and 2.0 is 2."""
    return f"{label:.15g}" if isinstance(label, float) else str(label)


def labelled(model: LinearBasisModel, x: Any, t: Any, weights: Any, ordered: Any) -> tuple[RegressionData, tuple]:
    """Data whose targets are places of their classes, and the classes in order.

    Classes are those of rows that count, sorted; of a pandas column of categories in their order.

    Raises:
        DataError: fewer than two classes, or a label that is none of those given.
        ValueError: a class is given twice.
    """
    if isinstance(x, Table):
        data = model.data(x, t, weights)
        assert isinstance(data.rows, TableRows)
        labels = data.rows.labels
        found = data.folded(lambda rows: Labels(np.unique(labels(rows.targets)))).values
        classes = tuple(found.tolist()) if ordered is None else _like(found, ordered)
        _require(found, classes)
        return data, classes
    names = target_names(None if isinstance(t, list | tuple) else t)
    ordered = _categories(x, t) if ordered is None else ordered
    x, named, beside = apart(x, t if isinstance(t, str) else None, weights=weights)
    labels = np.asarray(named if isinstance(t, str) else t)
    if labels.ndim != 1:
        raise ValueError(f"targets must be labels (n,), got shape {labels.shape}")
    labels = texts(labels, "targets") if labels.dtype.kind in "OT" else labels
    require_finite(labels, "targets")
    weights = beside["weights"]
    counts = np.ones(len(labels)) if weights is None else np.asarray(weights)
    found = np.unique(labels[counts > 0] if counts.shape == labels.shape else labels)
    classes = tuple(found.tolist()) if ordered is None else tuple(ordered)
    _require(found, classes)
    known = {c: float(i) for i, c in enumerate(classes)}
    data = model.data(x, np.array([known.get(v, 0.0) for v in labels.tolist()]), weights)
    return replace(data, targets=names), classes


def _categories(x: Any, t: Any) -> tuple | None:
    """The categories of a pandas column in their order, those that occur; None of other columns."""
    column = x[t] if isinstance(t, str) and hasattr(x, "dtypes") and t in x else t
    known = getattr(getattr(column, "dtype", None), "categories", None)
    if known is None:
        return None
    occur = set(np.asarray(column).tolist())
    return tuple(c for c in known.tolist() if c in occur)


def _like(found: np.ndarray, ordered: Any) -> tuple:
    """Classes of a file in their order, numbers where it holds numbers."""
    try:
        return tuple(map(type(found.tolist()[0]), ordered))
    except ValueError:
        raise DataError(f"classes must be numbers as the targets are, got {', '.join(map(str, ordered))}") from None


def _require(found: np.ndarray, classes: tuple) -> None:
    twice = next((c for c in classes if classes.count(c) > 1), None)
    if twice is not None:
        raise ValueError(f"classes must be different, got {told(twice)} more than once")
    unknown = [v for v in found.tolist() if v not in classes]
    if unknown:
        raise DataError(f"targets must be one of {', '.join(map(told, classes))}, got {told(unknown[0])}")
    if not 2 <= len(classes) <= MOST:
        raise DataError(f"there must be 2 to {MOST} classes, got {len(classes)}")


def places(data: RegressionData, targets: np.ndarray, classes: tuple) -> np.ndarray:
    """Places of the classes of targets as the data have them."""
    if isinstance(data.rows, TableRows):
        order = np.argsort(classes)
        return order[np.searchsorted(np.asarray(classes)[order], data.rows.labels(targets))]
    return targets[:, 0].astype(int)
