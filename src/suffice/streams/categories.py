"""Columns of text as numbers: each text has a code, given when it is first met, and is found again by it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from suffice.runtime.errors import DataError
from suffice.streams.source import at_row

if TYPE_CHECKING:
    import pyarrow as pa

MOST = 100_000  # different texts of a column


class Categories:
    """The texts of a column and their codes, shared by all threads and readings.

    Args:
        where: what messages call the column.
        known: all that it may hold; None for whatever is met.
    """

    def __init__(self, where: str, known: Sequence[str] | None = None):
        self._where, self._open, self._lock = where, known is None, threading.Lock()
        self._texts = [] if known is None else [str(text) for text in known]
        self._codes = {text: float(i) for i, text in enumerate(self._texts)}

    def encode(self, column: pa.Array, row: int) -> np.ndarray:
        """Codes of a stretch that begins after ``row`` rows, NaN where missing.

        Raises:
            DataError: a text that is none of those known, or too many different ones.
        """
        import pyarrow as pa

        if not pa.types.is_dictionary(column.type):
            column = column.cast(pa.string()).dictionary_encode()
        places = column.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        texts = column.dictionary.cast(pa.string()).to_pylist()
        codes = np.array([*(self._code(text, places, i, row) for i, text in enumerate(texts)), np.nan])
        return codes[places]

    def _code(self, text: str | None, places: np.ndarray, place: int, row: int) -> float:
        if text is None:
            return np.nan
        code = self._codes.get(text)
        if code is not None:
            return code
        if not self._open:
            at = np.flatnonzero(places == place)
            if not len(at):  # of a dictionary, but of no row
                return np.nan
            known = ", ".join(self._texts[:20]) + (", …" if len(self._texts) > 20 else "")
            raise DataError(f"{self._where} must hold one of {known}, got {text!r} {at_row(row + int(at[0]) + 1)}")
        with self._lock:
            if len(self._texts) >= MOST and text not in self._codes:
                raise DataError(f"{self._where} holds more than {MOST:,} different texts: are these categories?")
            if text not in self._codes:
                self._texts.append(text)
                self._codes[text] = float(len(self._texts) - 1)
            return self._codes[text]

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Texts of codes."""
        return np.asarray(self._texts, dtype=str)[codes.astype(int)]
