"""Text in blocks of whole lines, and lines in tokens: each line is a document, its tokens are words or characters."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute

from suffice.runtime.errors import DataError

pc: Any = pyarrow.compute  # its functions are made as it is imported, unseen by type checkers

Unit = Literal["word", "char"]
Text = str | os.PathLike[str] | Iterable[str]
UNKNOWN, START, END = "<unk>", "<s>", "</s>"
BLOCK = 2**24  # bytes of a file that are read at a time
MARK = b"\xef\xbb\xbf"  # with which some programs begin files in UTF-8; it is no part of the text


@dataclass(frozen=True)
class Lines:
    """Lines with at least one token.

    Attributes:
        tokens: of all lines one after the other, an Arrow array of strings.
        lengths: tokens of each line, (D,).
        sizes: bytes of each line with its end, (D,).
        first: number of the first line of this block in its file, from 1.
        numbers: of each line in this block, from 0, (D,).
    """

    tokens: pa.Array
    lengths: np.ndarray
    sizes: np.ndarray
    first: int
    numbers: np.ndarray


def lines(text: Text, unit: Unit, block: int = BLOCK) -> Iterator[Lines]:
    """The lines of a file (also .gz), or of any iterable of strings, block by block.

    Words are what stands between ASCII whitespace; characters are Unicode code points. Blank lines are left out.

    Raises:
        DataError: the file is no UTF-8, or a word of it is <s> or </s>, which mark the ends of lines.
    """
    if unit not in ("word", "char"):
        raise ValueError(f"unit must be 'word' or 'char', got {unit!r}")
    first, name = 1, os.fspath(text) if isinstance(text, str | os.PathLike) else "the text"
    for piece in _blocks(text, block):
        raw = np.frombuffer(piece, dtype=np.uint8)
        ends = np.flatnonzero(raw == 10).astype(np.int32) + 1
        rows = pa.StringArray.from_buffers(
            len(ends), pa.py_buffer(np.concatenate([[0], ends]).astype(np.int32)), pa.py_buffer(piece)
        )
        try:
            rows.validate(full=True)
        except pa.ArrowInvalid:
            raise DataError(f"{name} is not UTF-8: line {first + _first_bad(piece)}") from None
        yield _words(rows, first, name) if unit == "word" else _characters(rows, first)
        first += len(ends)


def _first_bad(piece: bytes) -> int:
    try:
        piece.decode()
    except UnicodeDecodeError as error:
        return piece[: error.start].count(b"\n")
    return 0


def _blocks(text: Text, block: int) -> Iterator[bytes]:
    if not isinstance(text, str | os.PathLike):
        held: list[bytes] = []
        size = 0
        for line in text:
            if not isinstance(line, str):
                raise TypeError(f"text must be a path or an iterable of strings, got a line {line!r}")
            held.append(line.replace("\n", " ").encode() + b"\n")
            size += len(held[-1])
            if size >= block:
                yield b"".join(held)
                held, size = [], 0
        if held:
            yield b"".join(held)
        return
    rest, start = b"", True
    if not os.path.exists(text):
        raise FileNotFoundError(2, "No such file or directory", os.fspath(text))
    with pa.input_stream(os.fspath(text), compression="detect") as source:
        while piece := source.read(block):
            if start:
                piece, start = piece.removeprefix(MARK), False
            cut = piece.rfind(b"\n") + 1
            if cut == 0:
                rest += piece
                if len(rest) >= 2**30:
                    raise DataError(f"{os.fspath(text)} has a line longer than a gigabyte")
                continue
            yield rest + piece[:cut]
            rest = piece[cut:]
    if rest:
        yield rest + b"\n"


def _words(rows: pa.Array, first: int, name: str) -> Lines:
    split = pc.ascii_split_whitespace(pc.ascii_trim_whitespace(rows))
    lengths, sizes = np.diff(split.offsets.to_numpy()), np.diff(_offsets(rows))
    tokens = split.flatten()
    blank = pc.equal(pc.binary_length(tokens), 0).to_numpy(zero_copy_only=False)  # what a blank line splits into
    if blank.any():
        owner = np.repeat(np.arange(len(lengths)), lengths)
        lengths = lengths - np.bincount(owner[blank], minlength=len(lengths))
        tokens = tokens.filter(pa.array(~blank))
    kept = np.flatnonzero(lengths)
    tokens = tokens.dictionary_encode()
    for mark in (START, END):
        code = pc.index(tokens.dictionary, mark).as_py()
        if code >= 0:
            at = int((tokens.indices.to_numpy() == code).argmax())
            line = int(np.searchsorted(np.cumsum(lengths), at, side="right"))
            raise DataError(f"{name}, line {first + line}: the word {mark} is kept for the ends of lines")
    return Lines(tokens, lengths[kept], sizes[kept], first, kept)


def _characters(rows: pa.Array, first: int) -> Lines:
    sizes = np.diff(_offsets(rows))
    texts = pc.utf8_rtrim(rows, characters="\r\n")
    lengths = pc.utf8_length(texts).to_numpy().astype(np.int64)
    codes = np.frombuffer("".join(texts.to_pylist()).encode("utf-32-le"), dtype=np.uint32)
    found, where = np.unique(codes, return_inverse=True)
    names = pa.array([chr(c) for c in found], pa.string())
    tokens = pa.DictionaryArray.from_arrays(pa.array(where.astype(np.int32)), names)
    kept = np.flatnonzero(lengths)
    return Lines(tokens, lengths[kept], sizes[kept], first, kept)


def _offsets(rows: Any) -> np.ndarray:
    return np.frombuffer(rows.buffers()[1], dtype=np.int32)[: len(rows) + 1]
