"""Targets, weights and offsets that are named columns of a table, taken out of its inputs."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from suffice.models.bases.inputs import Inputs
from suffice.runtime.errors import DataError


def place(names: Sequence[str], name: str, what: str) -> int:
    """Where a column is.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in names:
        raise ValueError(f"{what} must be a column of the table, one of {', '.join(names)}, got {name!r}")
    return names.index(name)


def are_names(t: Any) -> bool:
    """Whether targets are told by the names of their columns."""
    return isinstance(t, str) or (isinstance(t, list | tuple) and bool(t) and all(isinstance(n, str) for n in t))


def target_names(t: Any) -> tuple[str, ...]:
    """What targets are called: columns of a table, a series or a frame; none of arrays."""
    if are_names(t):
        return (t,) if isinstance(t, str) else tuple(t)
    names = getattr(t, "columns", None)  # of a frame
    if names is not None and np.ndim(t) == 2:
        return tuple(map(str, names))
    name = getattr(t, "name", None)
    return (name,) if isinstance(name, str) else ()


def apart(x: Any, t: Any, **beside: Any) -> tuple[Any, Any, dict[str, Any]]:
    """Inputs, targets and what else there is of rows apart, each as it is where it is no name.

    Args:
        x: inputs, or a table in memory with more columns.
        t: targets, or the names of their columns; labels, too, which must be more than one name.
        beside: columns of weights, precisions, offsets, or their names.

    Raises:
        ValueError: there is no such column, or no input is left.
    """
    told = {what: name for what, name in beside.items() if isinstance(name, str)}
    if not told and not are_names(t):
        return x, t, beside
    inputs = Inputs.of(x)
    if isinstance(t, list | tuple) and len(t) == len(inputs) and not set(t) & set(inputs.names):
        raise DataError(f"targets must be numbers, got text, {t[0]!r}")
    targets = [place(inputs.names, n, "t") for n in ([t] if isinstance(t, str) else t)] if are_names(t) else []
    others = {what: place(inputs.names, name, what) for what, name in told.items()}
    rest = [i for i in range(len(inputs.names)) if i not in targets and i not in others.values()]
    if not rest:
        taken = ", ".join(inputs.names[i] for i in (*targets, *others.values()))
        raise ValueError(f"the table must have a column beside {taken}")
    kept = Inputs(tuple(inputs.names[i] for i in rest), tuple(inputs.columns[i] for i in rest))
    if targets:
        t = inputs.columns[targets[0]] if isinstance(t, str) else np.stack([inputs.columns[i] for i in targets], axis=1)
    return kept, t, {**beside, **{what: inputs.columns[i] for what, i in others.items()}}
