"""The ARPA format of back-off models: log10 p, the n-gram, log10 of its back-off weight, one n-gram a line."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from suffice.models.language.counts import Level, NgramCounts
from suffice.models.language.ngram import NgramModel
from suffice.models.language.text import MARK, UNKNOWN
from suffice.models.language.vocabulary import MARKS, START_ID, UNKNOWN_ID, Vocabulary
from suffice.runtime.errors import DataError

pc: Any = pyarrow.compute  # its functions are made as it is imported, unseen by type checkers

_NONE = -99.0  # stands for the log10 of 0, as SRILM writes it
_SPACES = {" ": "<space>", "\t": "<tab>", "\r": "<return>", "\x0b": "<vt>", "\x0c": "<ff>"}
_ROWS = 2**18
_ZERO = r"^[-+]?0(\.0*)?$"
_ABOVE_ONE = 1e-4  # a log-probability that is no rounding of 0


def write(model: NgramModel, path: Any) -> None:
    """Write a model beside its place first, then moved there. White characters as tokens become <space>, <tab> …

    Example:
        >>> import suffice as sf, tempfile, os
        >>> path = os.path.join(tempfile.mkdtemp(), "tiny.arpa")
        >>> model = sf.ngram(["a b a", "b b"], order=2)
        >>> model.write_arpa(path)
        >>> round(float(sf.read_arpa(path).score(["a b"]).log_prob[0] - model.score(["a b"]).log_prob[0]), 6)
        0.0
    """
    place = Path(os.path.realpath(path))
    beside = place.with_name(f".{place.name[:32]}.{os.getpid()}")
    try:
        with open(beside, "wb") as out:
            out.write(b"\\data\\\n")
            for k, level in enumerate(model.ngrams.levels, start=1):
                out.write(f"ngram {k}={len(level)}\n".encode())
            for piece in _pieces(model):
                out.write(piece)
            out.write(b"\n\\end\\\n")
        os.replace(beside, place)
    finally:
        beside.unlink(missing_ok=True)


def _pieces(model: NgramModel) -> Iterator[bytes]:
    names = model.vocabulary.all
    for white, name in _SPACES.items():
        names = _replaced(names, white, name)
    log10 = np.log(10.0)
    numbers: list[np.ndarray] = []  # the words of each n-gram
    for k, level in enumerate(model.ngrams.levels, start=1):
        numbers = [w[level.prefix] for w in numbers] + [level.word]
        yield f"\n\\{k}-grams:\n".encode()
        last = k == model.order
        for at in range(0, len(level), _ROWS):
            rows = slice(at, at + _ROWS)
            p = np.where(np.isneginf(model.log_probs[k - 1][rows]), _NONE, model.log_probs[k - 1][rows] / log10)
            words = pc.binary_join_element_wise(*(names.take(pa.array(w[rows])) for w in numbers), " ")
            columns: list[Any] = [_written(p), words]
            if not last:
                b = model.log_backoffs[k - 1][rows] / log10
                columns.append(_written(np.where(np.isneginf(b), _NONE, b)))
            text = pc.binary_join_element_wise(*columns, "\t")
            yield pc.binary_join(pa.ListArray.from_arrays([0, len(text)], text), "\n")[0].as_py().encode() + b"\n"


def _written(x: np.ndarray) -> pa.Array:
    """Numbers with the fewest digits that give them back."""
    return pc.cast(pa.array(x + 0.0), pa.string())


def read_arpa(path: Any, unit: Any = "word") -> NgramModel:
    r"""Read a back-off model from an ARPA file (also .gz), as KenLM, SRILM and others write them.

    A file without <unk> gives unknown words no probability. Counts are not in such a file: they are 0.

    Raises:
        DataError: the file is no such file, or an n-gram in it lacks its prefix or suffix; the line is named.

    Example:
        >>> import pathlib, suffice as sf, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "one.arpa")
        >>> _ = path.write_text("\\data\\\nngram 1=2\n\\1-grams:\n-0.5 a\n-0.2 </s>\n\\end\\\n")
        >>> round(float(sf.read_arpa(path).score(["a"]).log_prob[0] / 2.302585093), 6)
        -0.7
    """
    with pa.input_stream(os.fspath(path), compression="detect") as source:
        rows = _Rows(source.read(), os.fspath(path))
    sizes = rows.header()
    vocabulary, probs, backoffs = _unigrams(rows, sizes[0], len(sizes))
    n = len(vocabulary)
    empty = np.zeros(n, np.int64)
    levels, log_probs, log_backoffs = [Level(empty, np.arange(n), empty, empty)], [probs], [backoffs]
    for k, size in enumerate(sizes[1:], start=2):
        p, table, b, where = rows.section(k, size, last=k == len(sizes))
        ids = [vocabulary.ids(column) for column in table]
        for column, number in zip(table, ids, strict=True):
            lost = (number == UNKNOWN_ID) & pc.not_equal(column, UNKNOWN).to_numpy(zero_copy_only=False)
            if lost.any():
                at = int(lost.argmax())
                raise DataError(f"{path}, line {where[at]}: the word {column[at].as_py()} is not among the 1-grams")
        known = NgramCounts(vocabulary, tuple(levels), unit)
        prefix, suffix = _numbers(known, ids[:-1]), _numbers(known, ids[1:])
        for name, number in (("prefix", prefix), ("suffix", suffix)):
            if (number < 0).any():
                line = where[int((number < 0).argmax())]
                raise DataError(f"{path}, line {line}: the {name} of an n-gram is not in the file")
        rank = np.argsort(prefix * n + ids[-1], kind="stable")
        prefix, suffix, word = prefix[rank], suffix[rank], ids[-1][rank]
        same = np.flatnonzero((prefix[1:] == prefix[:-1]) & (word[1:] == word[:-1]))
        if same.size:
            raise DataError(f"{path}, line {where[rank[same[0] + 1]]}: an n-gram stands twice")
        levels.append(Level(prefix, word, suffix, np.zeros(size, np.int64)))
        log_probs.append(p[rank])
        log_backoffs.append(b[rank])
    rows.end()
    return NgramModel(NgramCounts(vocabulary, tuple(levels), unit), tuple(log_probs), tuple(log_backoffs[:-1]))


def _read(cells: pa.Array) -> pa.Array:
    """Tokens as the vocabulary has them."""
    for white, name in _SPACES.items():
        cells = _replaced(cells, name, white)
    return _replaced(cells, "<UNK>", UNKNOWN)


def _replaced(cells: pa.Array, old: str, new: str) -> pa.Array:
    found = pc.equal(cells, old)
    return pc.if_else(found, new, cells) if pc.any(found).as_py() else cells


def _numbers(known: NgramCounts, ids: list[np.ndarray]) -> np.ndarray:
    number = ids[0]
    for k, word in enumerate(ids[1:], start=2):
        number = known.find(k, number, word)
    return number


def _unigrams(rows: "_Rows", size: int, order: int) -> tuple[Vocabulary, np.ndarray, np.ndarray]:
    p, (names,), b, where = rows.section(1, size, last=order == 1)
    vocabulary = Vocabulary.of(names.filter(pc.invert(pc.is_in(names, pa.array(MARKS)))))
    at = vocabulary.ids(names)
    rank = np.argsort(at, kind="stable")
    twice = np.flatnonzero(np.diff(at[rank]) == 0)
    if twice.size:
        raise DataError(f"{rows.path}, line {where[rank[twice[0] + 1]]}: a word stands twice")
    probs, backoffs = np.full(len(vocabulary), -np.inf), np.zeros(len(vocabulary))
    probs[at], backoffs[at] = p, b
    probs[START_ID] = -np.inf
    if UNKNOWN not in names.to_pylist():
        probs[UNKNOWN_ID] = -np.inf
    return vocabulary, probs, backoffs


class _Rows:
    """The lines of an ARPA file, taken in turn."""

    def __init__(self, text: bytes, path: str):
        text = text.removeprefix(MARK)
        raw = np.frombuffer(text if text.endswith(b"\n") else text + b"\n", dtype=np.uint8)
        ends = np.flatnonzero(raw == 10)
        # blank lines go with the line after them, where they are white space before it
        size = np.diff(ends, prepend=-1) - 1
        blank = (size == 0) | ((size == 1) & (raw[np.maximum(ends - 1, 0)] == 13))
        self.path, self.at, self.text = path, 0, raw
        self.ends, self.lines = ends[~blank], np.flatnonzero(~blank) + 1

    @property
    def number(self) -> int:
        """Of the line that was taken last, from 1."""
        return int(self.lines[self.at - 1])

    def line(self) -> str:
        """The next line that is not blank."""
        while self.at < len(self.ends):
            start = self.ends[self.at - 1] + 1 if self.at else 0
            found = self.text[start : self.ends[self.at]].tobytes().decode(errors="replace").strip()
            self.at += 1
            if found:
                return found
        raise DataError(f"{self.path} is no whole ARPA file: it ends before \\end\\")

    def header(self) -> list[int]:
        """Numbers of n-grams by order."""
        while self.line() != "\\data\\":
            pass
        sizes: list[int] = []
        while (found := self.line()).startswith("ngram "):
            k, _, size = found[6:].partition("=")
            if not k.strip().isdigit() or int(k) != len(sizes) + 1 or not size.strip().isdigit():
                raise DataError(
                    f"{self.path}, line {self.number}: expected ngram {len(sizes) + 1}=COUNT, got {found!r}"
                )
            sizes.append(int(size))
        if not sizes:
            raise DataError(f"{self.path}, line {self.number}: expected ngram 1=COUNT, got {found!r}")
        self.at -= 1
        return sizes

    def section(self, k: int, size: int, last: bool) -> tuple[np.ndarray, list[pa.Array], np.ndarray, np.ndarray]:
        """log p, columns of words, log of the back-off weight, in nats, and the numbers of the lines."""
        if (found := self.line()) != f"\\{k}-grams:":
            raise DataError(f"{self.path}, line {self.number}: expected \\{k}-grams:, got {found!r}")
        if self.at + size > len(self.ends):
            raise DataError(f"{self.path} is no whole ARPA file: it ends among the {k}-grams")
        edges = self.ends[self.at - 1 : self.at + size] + 1
        where, base = self.lines[self.at : self.at + size], edges[0]
        rows = pa.LargeStringArray.from_buffers(
            size, pa.py_buffer(edges - base), pa.py_buffer(self.text[base : edges[-1]].tobytes())
        )
        self.at += size
        try:
            rows.validate(full=True)
        except pa.ArrowInvalid:
            raise DataError(f"{self.path}, among the {k}-grams: it is not UTF-8") from None
        split = pc.ascii_split_whitespace(pc.ascii_trim_whitespace(rows))
        offsets = split.offsets.to_numpy()
        width = np.diff(offsets)
        cells, has = split.flatten(), width == k + 2
        weights = cells.take(pa.array(offsets[:-1][has] + k + 1)).cast(pa.string())
        bad = (width != k + 1) & ~has
        if last:  # some write that nothing is left to an order below
            bad[has] = ~pc.match_substring_regex(weights, _ZERO).to_numpy(zero_copy_only=False)
        if bad.any():
            at = int(bad.argmax())
            raise DataError(
                f"{self.path}, line {where[at]}: expected a number and {k} words, got {rows[at].as_py().strip()!r}"
            )
        table = [_read(cells.take(pa.array(offsets[:-1] + i)).cast(pa.string())) for i in range(k + 1)]
        p = self._numbers(table[0], where)
        if (p > _ABOVE_ONE).any():
            at = int((p > _ABOVE_ONE).argmax())
            raise DataError(f"{self.path}, line {where[at]}: a log-probability is above 0: {table[0][at].as_py()}")
        b = np.zeros(size)
        if has.any() and not last:
            b[has] = self._numbers(weights, where[has])
        return p, table[1:], b, where

    def _numbers(self, cells: pa.Array, where: np.ndarray) -> np.ndarray:
        try:
            log10 = pc.cast(cells, pa.float64()).to_numpy()
        except pa.ArrowInvalid as error:
            raise DataError(f"{self.path}, from line {where[0]}: {error}") from None
        if np.isnan(log10).any():
            raise DataError(f"{self.path}, line {where[int(np.isnan(log10).argmax())]}: a number is NaN")
        return np.where(log10 <= _NONE, -np.inf, log10 * np.log(10.0))

    def end(self) -> None:
        """The line that closes the file."""
        if (found := self.line()) != "\\end\\":
            raise DataError(f"{self.path}, line {self.number}: expected \\end\\, got {found!r}")
