"""The ways in: a file, a callable that yields arrays, an array in memory; each becomes a `Source`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from suffice.runtime.errors import DataError
from suffice.streams.categories import Categories
from suffice.streams.columns import require_numbers, to_float
from suffice.streams.intervals import rows_of
from suffice.streams.source import BATCH_ROWS, Block, Missing, Part, Source, at_row, rebatch
from suffice.streams.wanted import Wanted

if TYPE_CHECKING:
    import pyarrow as pa

DELIMITERS = {".csv": ",", ".tsv": "\t"}
PARQUET = (".parquet", ".pq")
ARROW = (".arrow", ".arrows", ".feather", ".ipc")


def scan(
    path: str | os.PathLike[str],
    column: str | None = None,
    *,
    weights: str | None = None,
    left: str | None = None,
    right: str | None = None,
    lower: str | float | None = None,
    upper: str | float | None = None,
    counts: str | None = None,
    missing: Missing = "error",
    batch_rows: int = BATCH_ROWS,
) -> Source:
    """One column of a file, or two with the ends of intervals, read in bounded chunks as often as needed.

    Args:
        path: a file of comma- or tab-separated text with a header line (`.csv`, `.tsv`, either also `.gz`), Parquet
            (`.parquet`, `.pq`) or Arrow (`.arrow`, `.arrows`, `.feather`, `.ipc`). The text of a number is read as
            the nearest float64.
        column: its name; may be left out where there is only one numeric column.
        weights: name of a column of frequencies, >= 0: a row of weight w counts as w observations.
        left, right: instead of ``column``, names of columns of interval ends: the observation lies in (left, right],
            or is their value where both are the same; a missing end is open.
        lower, upper: truncation limits, names of columns or numbers: observations not in (lower, upper] are not among
            the data; a missing limit is none.
        counts: in place of ``weights``, a column of frequencies that must be whole numbers, as of tabulated data.
        missing: "error" refuses missing values (empty, null, NaN) with their count and first row; "drop" leaves
            them out.
        batch_rows: the most rows a chunk has.

    Raises:
        DataError: the file cannot be read to its end, or holds what no fit can use; says what and in which row.
    """
    where = existing(path, batch_rows)
    if weights is not None and counts is not None:
        raise TypeError("a file has weights or counts, not both")
    weights = weights or counts
    layout = Layout.of(column, left, right, lower, upper)
    columns = layout.names
    rows, names, readers = opened(where, columns, weights, batch_rows)
    if counts is not None:
        readers = [(start, partial(_counted, read, start, f"{where}: column {counts!r}")) for start, read in readers]
    parts = tuple(
        Part(start, partial(layout.arranged, partial(_batched, read, batch_rows)), missing) for start, read in readers
    )
    if not layout.censored:
        return Source(names[0], where, f"{where}: column {names[0]!r}", rows, missing, parts)
    told = ", ".join(repr(name) for name in layout.names)
    return Source(column or left or right or names[0], where, f"{where}: columns {told}", rows, missing, parts, True)


def existing(path: str | os.PathLike[str], batch_rows: int) -> str:
    """The path of a file that is there and not empty."""
    if batch_rows < 1:
        raise ValueError(f"batch_rows must be >= 1, got {batch_rows}")
    where = os.fspath(path)
    file = Path(where)
    if not file.exists():
        raise DataError(f"{where} does not exist")
    if file.is_dir():
        raise DataError(f"{where} is a directory, not a file")
    if not file.stat().st_size:
        raise DataError(f"{where} is an empty file")
    return where


def opened(
    where: str,
    columns: tuple[str, ...],
    weights: str | None,
    batch_rows: int,
    categories: Mapping[str, Categories] = MappingProxyType({}),
) -> tuple[int | None, tuple[str, ...], list[tuple[int, Callable[[], Iterator[Block]]]]]:
    """Number of rows where it is known, names of the columns, weights last, and a reader of each part with its row."""
    file = Path(where)
    suffix = file.suffix.lower()
    text = file.with_suffix("").suffix.lower() if suffix == ".gz" else suffix

    wanted = Wanted(where, columns, weights, categories)
    if suffix in PARQUET:
        from suffice.streams.arrow import Parquet

        table = Parquet.of(wanted, batch_rows)
        return table.rows, table.wanted.names, table.parts()
    if suffix in ARROW:
        from suffice.streams.arrow import Arrow

        table = Arrow.of(wanted, batch_rows)
        return None, table.wanted.names, [(0, table.blocks)]
    if text in DELIMITERS:
        from suffice.streams.delimited import Delimited

        table = Delimited.of(wanted, DELIMITERS[text])
        return None, table.wanted.names, [(0, table.blocks)]
    known = ", ".join((*DELIMITERS, *(f"{text}.gz" for text in DELIMITERS), *PARQUET, *ARROW))
    raise DataError(f"{where}: the file's kind is not known by its ending; known are {known}")


def _counted(read: Callable[[], Iterator[Block]], row: int, where: str) -> Iterator[Block]:
    """Blocks whose weights are counts, or a DataError that says which is not."""
    for values, weights in read():
        if weights is not None:
            check_counts(weights, where, row)
        yield values, weights
        row += len(values)


def check_counts(counts: np.ndarray, where: str, row: int = 0) -> None:
    """DataError unless all are whole numbers >= 0; ``row`` counts those before."""
    bad = ~((counts >= 0) & (counts == np.floor(counts)) & (counts < np.inf))
    if bad.any():
        at = int(bad.argmax())
        raise DataError(f"{where}: counts must be whole numbers >= 0, got {counts[at]:g} {at_row(row + at + 1)}")


@dataclass(frozen=True)
class Layout:
    """Which columns of a file hold values, or the ends of intervals and truncation limits; numbers stand for themselves."""

    ends: tuple[str | float | None, ...]  # left, right, lower, upper; both of the first the same for values

    @classmethod
    def of(cls, column: str | None, left: Any, right: Any, lower: Any, upper: Any) -> Self:
        """Check what was asked for."""
        if column is not None and not left is right is None:
            raise TypeError("column is for values and left, right for the ends of intervals: give one or the other")
        for name, end in (("left", left), ("right", right)):
            if not isinstance(end, str | None):
                raise TypeError(f"{name} must be the name of a column, got {end!r}")
        if column is None and left is None is right is None and (lower is not None or upper is not None):
            raise TypeError("column must be named where there are truncation limits")
        if column is not None and column in (lower, upper):
            raise DataError(f"column {column!r} cannot be its own truncation limit")
        return cls((column, column, lower, upper) if left is right is None else (left, right, lower, upper))

    @property
    def censored(self) -> bool:
        """Whether the source has rows of interval ends."""
        return self.ends[0] != self.ends[1] or any(end is not None for end in self.ends[2:])

    @property
    def names(self) -> tuple[str, ...]:
        """Columns to read, each once; none for the only numeric one."""
        return tuple(dict.fromkeys(end for end in self.ends if isinstance(end, str)))

    def arranged(self, read: Callable[[], Iterator[Block]]) -> Iterator[Block]:
        """Blocks as the source wants them: rows of interval ends are put together."""
        if not self.censored:
            yield from read()
            return
        for values, weights in read():
            columns = dict(zip(self.names, np.atleast_2d(values.T), strict=True))
            ends = (columns[e] if isinstance(e, str) else np.nan if e is None else e for e in self.ends)
            yield rows_of(*ends), weights


def chunks(call: Callable[[], Iterable[Any]], *, missing: Missing = "error") -> Source:
    """A stream of array-likes as one column: `call()` returns a fresh iterable of them each time it is called.

    A fit may read more than once, hence a callable; a generator function is one. How the values are cut into
    arrays changes nothing.
    """
    if not callable(call):
        raise TypeError(f"chunks needs a callable that returns an iterable of arrays, got {type(call).__name__}")
    previous: list[Any] = []

    def read() -> Iterator[Block]:
        iterable = call()
        if previous and iterable is previous.pop() and iter(iterable) is iterable:
            raise DataError(
                "chunks: the callable returned the same, used-up iterator again; it must return a fresh one"
            )
        previous.append(iterable)
        row = 0
        for array in iterable:
            for piece in pieces(array, "chunks"):
                yield to_float(piece, "chunks", row), None
                row += len(piece)

    return Source("x", "chunks", "chunks", None, missing, (Part(0, partial(_batched, read, BATCH_ROWS), missing),))


def from_array(x: Any, weights: Any = None, *, missing: Missing = "error") -> Source:
    """Values in memory as a source: anything array-like, or a pandas, Polars or Arrow column, whose name is kept.

    Floating-point NumPy and Arrow memory is used as it is, without a copy; float32 stays float32.
    """
    name = getattr(x, "name", None)
    name, label = (name, f"column {name!r}") if isinstance(name, str) and name else ("x", "data")
    values = pieces(x, label)
    heights = None if weights is None else pieces(weights, "weights")
    rows = sum(map(len, values))
    if heights is not None and sum(map(len, heights)) != rows:
        raise ValueError(f"weights must have as many rows as the data, {rows}, got {sum(map(len, heights))}")

    def read(start: int) -> Iterator[Block]:
        window = _window(values, start, label)
        yield window, None if heights is None else _window(heights, start, "weights")

    parts = tuple(Part(start, partial(read, start), missing) for start in range(0, rows, BATCH_ROWS))
    return Source(name, "array", label, rows, missing, parts)


def _batched(read: Callable[[], Iterator[Block]], rows: int) -> Iterator[Block]:
    return rebatch(read(), rows)


def _window(pieces: list[np.ndarray | pa.Array], start: int, where: str) -> np.ndarray:
    """Rows start to start + BATCH_ROWS of the pieces laid end to end, as floating-point numbers."""
    found, first = [], 0
    for piece in pieces:
        low, high = max(start - first, 0), min(start + BATCH_ROWS - first, len(piece))
        if low < high:
            found.append(to_float(piece[low:high], where, first + low))
        first += len(piece)
    return found[0] if len(found) == 1 else np.concatenate(found)


def pieces(x: Any, where: str) -> list[np.ndarray | pa.Array]:
    """The column's contiguous pieces: NumPy memory where it lives there, Arrow memory where it lives there."""
    if isinstance(x, np.ma.MaskedArray):
        x = np.ma.filled(x.astype(np.result_type(x.dtype, np.float32)), np.nan)
    if not isinstance(getattr(x, "dtype", None), np.dtype) and (
        hasattr(x, "__arrow_c_stream__") or hasattr(x, "__arrow_c_array__")
    ):
        import pyarrow as pa

        column = pa.chunked_array(x) if hasattr(x, "__arrow_c_stream__") else pa.array(x)
        require_numbers(column.type, where)
        return list(column.chunks) if isinstance(column, pa.ChunkedArray) else [column]
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise DataError(f"{where} must be one column of numbers: {error}") from None
    if array.ndim != 1:
        hint = "; a stream of arrays goes through sf.chunks" if isinstance(x, Iterable) and not array.ndim else ""
        raise DataError(f"{where} must be one-dimensional, got shape {array.shape}{hint}")
    if array.dtype != object:
        return [array]
    import pyarrow as pa

    try:
        column = pa.array(array, from_pandas=True)
    except (pa.ArrowException, OverflowError) as error:
        raise DataError(f"{where} must hold numbers: {error}") from None
    require_numbers(column.type, where)
    return [column]
