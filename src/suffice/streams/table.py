"""Several columns of a file read together: rows of numbers in bounded chunks."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from suffice.runtime.errors import DataError
from suffice.streams.categories import Categories
from suffice.streams.columns import INDEX, is_number
from suffice.streams.source import BATCH_ROWS, Block, Missing, Part, Source, rebatch
from suffice.streams.sources import ARROW, DELIMITERS, PARQUET, existing, opened
from suffice.streams.wanted import Wanted


@dataclass(frozen=True)
class Table:
    """Columns of a file by name, with a source whose chunks have one row for each of the file's.

    Attributes:
        names: of the columns, in the order of the chunks'.
        source: what is read.
        categories: of columns of text, which the source has as codes.
    """

    names: tuple[str, ...]
    source: Source
    categories: Mapping[str, Categories] = field(default_factory=dict)


def scan_table(
    path: str | os.PathLike[str],
    columns: tuple[str, ...] | list[str] | None = None,
    *,
    categories: Sequence[str] | Mapping[str, Sequence[str] | None] = (),
    weights: str | None = None,
    missing: Missing = "error",
    batch_rows: int = BATCH_ROWS // 4,
) -> Table:
    """Columns of a file that is read in bounded chunks as often as needed, for models of several inputs.

    Args:
        path: a file of comma- or tab-separated text with a header line, Parquet or Arrow, as for ``scan``.
        columns: their names; by default all that hold numbers, and the categories.
        categories: names of columns that are read as text, for ``OneHot`` or as classes; a mapping gives the texts that
            each may hold, None for all that occur.
        weights: name of a column of frequencies, >= 0: a row of weight w counts as w observations.
        missing: "error" refuses missing values with their count and first row; "drop" leaves out rows that have one.
        batch_rows: the most rows a chunk has.

    Raises:
        DataError: the file cannot be read to its end, lacks a column, or holds a text that was not given; says what and
            in which row.
        ValueError: a column is named twice.

    Example:
        >>> import suffice as sf
        >>> table = sf.scan_table("examples/iris.csv", ["petal_length", "petal_width"])
        >>> sf.LinearBasisModel().fit(table, "petal_width").weights.round(4).tolist()
        [-0.3631, 0.4158]
    """
    where = existing(path, batch_rows)
    given = categories if isinstance(categories, Mapping) else dict.fromkeys(categories)
    texts = {name: Categories(f"{where}: column {name!r}", known) for name, known in given.items()}
    numeric = tuple(c for c in (numeric_columns(where, weights) if columns is None else columns) if c != weights)
    wanted = (*numeric, *(c for c in texts if c not in numeric))
    twice = next((c for c in wanted if wanted.count(c) > 1), None)
    if twice is not None:
        raise ValueError(f"columns must each be named once, got {twice!r} more than once")
    if not wanted:
        raise DataError(f"{where} has no numeric column")
    rows, names, readers = opened(where, wanted, weights, batch_rows, texts)
    names = names[: len(names) - (weights is not None)]
    parts = tuple(Part(at, partial(_rows, read, batch_rows), missing, tabular=True) for at, read in readers)
    told = ", ".join(repr(n) for n in names)
    return Table(names, Source(names[0], where, f"{where}: columns {told}", rows, missing, parts), texts)


def _rows(read: Callable[[], Iterator[Block]], batch_rows: int) -> Iterator[Block]:
    for values, weights in rebatch(read(), batch_rows):
        yield values.reshape(len(values), -1), weights


def numeric_columns(path: str | os.PathLike[str], weights: str | None = None) -> tuple[str, ...]:
    """Names of all columns of numbers in a file but that of the weights."""
    where = existing(path, 1)
    file = Path(where)
    suffix = file.suffix.lower()
    text = file.with_suffix("").suffix.lower() if suffix == ".gz" else suffix
    if suffix in PARQUET or suffix in ARROW:
        from suffice.streams import arrow

        schema = arrow.schema_of(where, suffix in PARQUET)
    elif text in DELIMITERS:
        from suffice.streams.delimited import Delimited

        schema = Delimited(Wanted(where), DELIMITERS[text], {}).schema()
    else:
        opened(where, ("",), None, 1)  # says which endings are known
        raise AssertionError
    return tuple(f.name for f in schema if f.name != weights and is_number(f.type) and not INDEX.fullmatch(f.name))
