"""From a column of whatever kind to floating-point numbers, or a DataError that says why not."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

import numpy as np

from suffice.runtime.errors import DataError
from suffice.streams.source import at_row

if TYPE_CHECKING:
    import pyarrow as pa

EXACT = 2**53  # beyond this a float64 does not hold every integer
NOUNS = {"U": "text", "S": "bytes", "c": "complex numbers", "M": "dates", "m": "time differences"}  # by NumPy's kind
INDEX = re.compile(r"__index_level_\d+__")  # the name pandas gives to an unnamed index when it writes a file


def to_float(column: np.ndarray | pa.Array, where: str, row: int = 0) -> np.ndarray:
    """The column as float64, or float32 if it is that, NaN where missing: the memory itself where no change is needed.

    Booleans and integers become float64; an integer beyond 2^53 is refused. `row` counts the rows before this column.
    """
    return (_from_numpy if isinstance(column, np.ndarray) else _from_arrow)(column, where, row)


def _from_arrow(column: pa.Array, where: str, row: int) -> np.ndarray:
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    require_numbers(column.type, where)
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    if not column.null_count or pa.types.is_floating(column.type):
        return _from_numpy(column.to_numpy(zero_copy_only=False), where, row)
    values = _from_numpy(column.fill_null(0).to_numpy(zero_copy_only=False), where, row)
    values[column.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return values


def _from_numpy(array: np.ndarray, where: str, row: int) -> np.ndarray:
    match array.dtype.kind:
        case "f":
            return np.ascontiguousarray(array, np.float32 if array.dtype.itemsize <= 4 else np.float64)
        case "b":
            return array.astype(np.float64)
        case "i" | "u":
            if array.dtype.itemsize == 8 and array.size and (array.max() > EXACT or array.min() < -EXACT):
                at = int(((array > EXACT) | (array < -EXACT)).argmax())
                raise DataError(
                    f"{where} has the integer {array[at]} {at_row(row + at + 1)}: beyond 2^53 float64 cannot hold it"
                )
            return array.astype(np.float64)
    raise DataError(f"{where} holds {NOUNS.get(array.dtype.kind, array.dtype)}, not numbers")


def is_number(kind: pa.DataType) -> bool:
    """Integers, floating point and booleans, also as the categories of a dictionary."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)


def require_numbers(kind: pa.DataType, where: str) -> None:
    """DataError unless the type can be read as numbers; a column of nulls can: as missing values."""
    import pyarrow as pa

    if is_number(kind) or pa.types.is_null(kind):
        return
    if pa.types.is_struct(kind):
        names = ", ".join(repr(field.name) for field in list(kind)[:20])
        raise DataError(f"{where} is a table with the columns {names}: pass one of them")
    hint = "; cast it to float64 if rounding is acceptable" if pa.types.is_decimal(kind) else ""
    raise DataError(f"{where} holds {kind}, not numbers{hint}")


def choose(schema: pa.Schema, columns: tuple[str, ...], weights: str | None, origin: str) -> tuple[str, ...]:
    """The names of the columns to read, weights last: those asked for, or else the only numeric one."""
    if not len(schema):
        raise DataError(f"{origin} has no columns")
    chosen = columns or (_only_number(schema, weights, origin),)
    names = chosen if weights is None else (*chosen, weights)
    for name in names:
        if name not in schema.names:
            close = difflib.get_close_matches(name, schema.names, n=3, cutoff=0.5)
            meant = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
            raise DataError(f"{origin} has no column {name!r}; {meant}it has {_listing(schema)}")
        if schema.names.count(name) > 1:
            raise DataError(f"{origin} has {schema.names.count(name)} columns named {name!r}: which one is not clear")
    if weights in chosen:
        raise DataError(f"{origin}: column {weights!r} cannot be its own weights")
    return names


def _only_number(schema: pa.Schema, weights: str | None, origin: str) -> str:
    import pyarrow as pa

    fields = [field for field in schema if field.name != weights and not INDEX.fullmatch(field.name)]
    if len(fields) > 1:
        fields = [field for field in fields if is_number(field.type) and not pa.types.is_boolean(field.type)]
    names = {field.name for field in fields}
    if len(names) != 1:
        found = "more than one numeric column" if names else "no numeric column"
        raise DataError(f"{origin} has {found}; name one of {_listing(schema)}")
    return names.pop()


def _listing(schema: pa.Schema) -> str:
    shown = ", ".join(f"{field.name!r} ({field.type})" for field in list(schema)[:20])
    return shown + (f" and {len(schema) - 20} more" if len(schema) > 20 else "")
