"""Columns by name: a mapping from names to families takes those of a frame or table, in whatever order they stand there."""

from collections.abc import Mapping, Sequence
from typing import Any

from suffice.runtime.errors import DataError
from suffice.streams import Table


def names_of(data: Any) -> tuple[str, ...]:
    """Names of the columns of a frame (pandas, Polars, Arrow) or table; none of an array."""
    if isinstance(data, Table):
        return data.names
    found = getattr(data, "column_names", None)
    return tuple(map(str, getattr(data, "columns", ()) if found is None else found))


def asked_for(target: Any) -> tuple[str, ...]:
    """Names that a mapping, or a list of them, gives to its columns.

    Raises:
        ValueError: components of a list that name other columns.
    """
    kinds = target if isinstance(target, list) else [target]
    each = [tuple(map(str, kind)) if isinstance(kind, Mapping) else () for kind in kinds]
    if len(set(each)) > 1:
        raise ValueError("components listed must name the same columns in one order, got " + _told(dict.fromkeys(each)))
    return each[0] if each else ()


def taken(data: Any, names: Sequence[str]) -> Any:
    """The data with these columns, in this order; arrays as they are.

    Raises:
        DataError: a column that there is not. ValueError: a table whose columns stand in another order.
    """
    there = names_of(data)
    if not names or not there:
        return data
    if lost := [name for name in names if name not in there]:
        raise DataError(f"there is no column {lost[0]!r}; there are {', '.join(there)}")
    if isinstance(data, Table):
        if there != tuple(names):
            raise ValueError(f"columns of the table must be those named, in their order: columns={list(names)}")
        return data
    if tuple(names) == there:
        return data
    return data.select(list(names)) if hasattr(data, "select") else data.iloc[:, [there.index(n) for n in names]]


def _told(each: Any) -> str:
    return " and ".join(str(list(names)) for names in each)
