"""Comma- or tab-separated text, also compressed: one part, read from front to back."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suffice.runtime.errors import DataError
from suffice.streams.source import Block, at_row, plural
from suffice.streams.wanted import Wanted

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import csv


@dataclass(frozen=True)
class Delimited:
    """A file of delimited text with a header line: the columns to read and how."""

    wanted: Wanted
    delimiter: str
    types: dict[str, pa.DataType]

    @classmethod
    def of(cls, wanted: Wanted, delimiter: str) -> Delimited:
        """Settle the columns and their types from the first lines."""
        import pyarrow as pa

        schema = cls(wanted, delimiter, {}).schema()
        if not wanted.names and all(map(_is_number, schema.names)):
            raise DataError(
                f"{wanted.path}: the first line looks like data, not like column names: {', '.join(schema.names)}; "
                "add a line of names, or pass the name if it is one"
            )
        wanted = wanted.among(schema, typed=False)
        # Whatever the first lines look like, numbers are wanted: text then is an error at its own row.
        boolean = {name: pa.types.is_boolean(schema.field(name).type) for name in wanted.names}
        types = {name: pa.bool_() if boolean[name] else pa.float64() for name in wanted.names}
        types |= {name: pa.string() for name in wanted.names if name in wanted.categories}
        return cls(wanted, delimiter, types)

    @property
    def path(self) -> str:
        return self.wanted.path

    def blocks(self) -> Iterator[Block]:
        """The columns' values and weights, in the order of the file."""
        import pyarrow as pa

        rows = 0
        try:
            with self._open(self.types) as reader:
                for batch in reader:
                    yield self.wanted.block(batch.columns, rows)
                    rows += len(batch)
        except (pa.ArrowException, OSError) as error:
            raise self._explain(error) from None

    def schema(self) -> pa.Schema:
        """Names and types, as the first block of the file has them."""
        import pyarrow as pa

        try:
            with self._open({}) as reader:
                reader.read_next_batch()
                _ = reader.schema.names  # decodes them
                return reader.schema
        except StopIteration:
            raise DataError(f"{self.path} has no rows") from None
        except UnicodeDecodeError as error:
            raise DataError(f"{self.path} is not UTF-8 text: {error}") from None
        except (pa.ArrowException, OSError) as error:
            if "Empty CSV file" in str(error):
                raise DataError(f"{self.path} has no rows") from None
            raise self._explain(error) from None

    def _open(self, types: dict[str, pa.DataType], use_threads: bool = True) -> csv.CSVStreamingReader:
        import pyarrow as pa
        from pyarrow import csv

        return csv.open_csv(
            pa.input_stream(self.path),
            csv.ReadOptions(use_threads=use_threads),
            csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True),
            csv.ConvertOptions(column_types=types, include_columns=list(types), strings_can_be_null=True),
        )

    def _explain(self, error: Exception) -> DataError:
        """Read again, as text and with one thread, to find the row and the reason."""
        import pyarrow as pa

        rows = 0
        try:
            with self._open(dict.fromkeys(self.types, pa.string()), use_threads=False) as reader:
                for batch in reader:
                    for name, kind, texts in zip(self.types, self.types.values(), batch.columns, strict=False):
                        if (at := _first_unlike(texts, kind)) is not None:
                            text, noun = texts[at].as_py(), "truth value" if pa.types.is_boolean(kind) else "number"
                            return DataError(
                                f"{self.path}: column {name!r} has {_short(text)} {at_row(rows + at + 1)}, "
                                f"not a {noun}{self._hint(text)}"
                            )
                    rows += len(batch)
        except pa.ArrowException as late:
            if torn := re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)(?:: (.*))?", str(late), re.DOTALL):
                row, expected, found, text = torn.groups(default="")
                return DataError(
                    f"{self.path}: row {int(row) - 1} (counting from 1) has {plural(int(found), 'field')}, "
                    f"the header {expected}: {_short(text)}{self._hint(text)}"
                )
            return DataError(f"{self.path} cannot be read beyond row {rows} (counting from 1): {late}")
        except OSError as late:
            return DataError(f"{self.path} cannot be read beyond line {self._lines()}: {late}")
        return DataError(f"{self.path} cannot be read: {error}")

    def _hint(self, text: str) -> str:
        if re.fullmatch(r"\s*[+-]?\d{1,3}(,\d{3})+(\.\d*)?\s*", text):
            lone = " or a decimal comma" if text.count(",") == 1 and "." not in text else ""
            return f"; a comma between thousands{lone}? Numbers have a decimal point and no other mark"
        if re.fullmatch(r"\s*[+-]?\d+,\d+\s*", text):
            return "; a decimal comma? Numbers need a decimal point"
        other = next((mark for mark in ";\t|" if mark in text and mark != self.delimiter), None)
        return "" if other is None else f"; does {other!r} separate the fields? It must be {self.delimiter!r}"

    def _lines(self) -> int:
        """Lines that can be read before the file breaks off."""
        import pyarrow as pa

        lines = 0
        try:
            with pa.input_stream(self.path) as stream:
                while piece := stream.read(2**12):
                    lines += piece.count(b"\n")
        except OSError:
            pass
        return lines


def _first_unlike(texts: pa.Array, kind: pa.DataType) -> int | None:
    """Index of the first text that is no value of the type; blanks around it do not matter, as in Arrow's reader."""
    import pyarrow as pa
    from pyarrow import compute

    trimmed = compute.call_function("utf8_trim", [texts], compute.TrimOptions(" \t"))

    def fails(end: int) -> bool:
        try:
            trimmed[:end].cast(kind)
        except pa.ArrowInvalid:
            return True
        return False

    return bisect.bisect_left(range(1, len(texts)), True, key=fails) if fails(len(texts)) else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
