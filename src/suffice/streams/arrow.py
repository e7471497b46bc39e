"""Parquet and Arrow files."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from suffice.runtime.errors import DataError
from suffice.streams.source import Block
from suffice.streams.wanted import Wanted

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Parquet:
    """A Parquet file: parts are runs of row groups, each read by a file handle of its own that shares the metadata."""

    wanted: Wanted
    metadata: Any
    batch_rows: int

    @classmethod
    def of(cls, wanted: Wanted, batch_rows: int) -> Parquet:
        from pyarrow import parquet

        with _reading(wanted.path, lambda: 0), parquet.ParquetFile(wanted.path) as file:
            metadata, schema = file.metadata, file.schema_arrow
        return cls(wanted.among(schema), metadata, batch_rows)

    @property
    def rows(self) -> int:
        return self.metadata.num_rows

    def parts(self) -> list[tuple[int, Callable[[], Iterator[Block]]]]:
        """First row and reader of each part: small row groups are taken together, up to a batch."""
        runs: list[tuple[int, list[int]]] = []
        start = held = 0
        for group in range(self.metadata.num_row_groups):
            rows = self.metadata.row_group(group).num_rows
            if not rows:
                continue
            if runs and held + rows <= self.batch_rows:
                runs[-1][1].append(group)
                held += rows
            else:
                runs.append((start, [group]))
                held = rows
            start += rows
        return [(start, partial(self._read, start, groups)) for start, groups in runs]

    def _read(self, start: int, groups: list[int]) -> Iterator[Block]:
        from pyarrow import parquet

        row = start
        # One row group may be larger than memory: pages are streamed through a buffer, not column chunks loaded whole.
        options = {"metadata": self.metadata, "pre_buffer": False, "buffer_size": 2**20}
        path, names = self.wanted.path, list(self.wanted.names)
        with _reading(path, lambda: row), parquet.ParquetFile(path, **options) as file:
            for batch in file.iter_batches(self.batch_rows, groups, names, use_threads=False):
                yield self.wanted.block(map(batch.column, names), row)
                row += len(batch)


@dataclass(frozen=True)
class Arrow:
    """An Arrow file or stream: one part, record batch by record batch, from a memory map.

    A record batch may hold the whole column, larger than memory. Its pages are given back to the system once used;
    only a compressed batch has to be in memory whole.
    """

    wanted: Wanted
    batch_rows: int

    @classmethod
    def of(cls, wanted: Wanted, batch_rows: int) -> Arrow:
        return cls(wanted.among(schema_of(wanted.path, False)), batch_rows)

    def blocks(self) -> Iterator[Block]:
        row = 0
        with _reading(self.wanted.path, lambda: row):
            memory = _map(self.wanted.path)
            for batch in _batches(_open(memory)):
                for at in range(0, len(batch), self.batch_rows):
                    piece = batch.slice(at, self.batch_rows)
                    yield self.wanted.block(map(piece.column, self.wanted.names), row)
                    row += len(piece)
                    if hasattr(memory, "madvise"):
                        memory.madvise(mmap.MADV_DONTNEED)


def _map(path: str) -> mmap.mmap:
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def schema_of(path: str, is_parquet: bool) -> pa.Schema:
    """Names and types of a file's columns."""
    from pyarrow import parquet

    with _reading(path, lambda: 0):
        return parquet.read_schema(path) if is_parquet else _open(_map(path)).schema


def _open(memory: mmap.mmap) -> Any:
    """The reader: "ARROW1" begins a file, anything else must be a stream."""
    import pyarrow as pa

    kind = pa.ipc.open_file if memory[:6] == b"ARROW1" else pa.ipc.open_stream
    return kind(pa.BufferReader(pa.py_buffer(memory)))


def _batches(reader: Any) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    if isinstance(reader, pa.RecordBatchStreamReader):
        return iter(reader)
    return map(reader.get_batch, range(reader.num_record_batches))


@contextmanager
def _reading(path: str, row: Callable[[], int]) -> Iterator[None]:
    """Arrow's own errors as a DataError that says how far the reading came."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        reached = f" beyond row {row()} (counting from 1)" if row() else ""
        raise DataError(f"{path} cannot be read{reached}: {error}") from None
