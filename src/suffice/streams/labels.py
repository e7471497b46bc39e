"""A column of labels, such as groups: as text, whatever its type."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from suffice.runtime.errors import DataError
from suffice.streams.columns import choose
from suffice.streams.source import at_row
from suffice.streams.sources import DELIMITERS


def labels(path: str | os.PathLike[str], column: str) -> np.ndarray:
    """The labels in a column of a file, one for each row, as text.

    Raises:
        DataError: no such column, a missing label, a file that cannot be read.
    """
    import pyarrow as pa
    from pyarrow import compute

    where = os.fspath(path)
    try:
        table = _table(where, column)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise DataError(f"{where}: column {column!r} cannot be read: {error}") from None
    (name,) = choose(table.schema, (column,), None, where)
    found = compute.call_function("cast", [table[name]], compute.CastOptions(pa.string()))
    if found.null_count:
        first = int(np.argmax(found.is_null().to_numpy(zero_copy_only=False))) + 1
        raise DataError(f"{where}: column {name!r} has {found.null_count} missing labels, the first {at_row(first)}")
    return np.asarray(found.to_pylist())


def _table(where: str, column: str) -> Any:
    """The file as a table; only the column where the format allows it."""
    suffix = Path(where).suffix.lower()
    if suffix in (".parquet", ".pq"):
        from pyarrow import parquet

        return parquet.read_table(where, columns=[column])
    if suffix in (".arrow", ".arrows", ".feather", ".ipc"):
        from suffice.streams.arrow import _map, _open

        return _open(_map(where)).read_all()
    from pyarrow import csv

    text = Path(where).with_suffix("").suffix.lower() if suffix == ".gz" else suffix
    parse = csv.ParseOptions(delimiter=DELIMITERS[text], newlines_in_values=True)
    return csv.read_csv(where, parse_options=parse, convert_options=csv.ConvertOptions(strings_can_be_null=True))
