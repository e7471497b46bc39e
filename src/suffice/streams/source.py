"""The nouns of reading: a source is made of parts, a part yields chunks, a chunk is a checked stretch of one column."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, NoReturn

import numpy as np

from suffice.runtime.errors import DataError
from suffice.streams.intervals import RULES, clipped, is_missing

Missing = Literal["error", "drop"]
Block = tuple[np.ndarray, np.ndarray | None]  # values (rows of them), NaN where missing, and weights: not yet checked

BATCH_ROWS = 2**20


class Flaw(DataError):
    """A block holds what it must not: `Source.audit` then reads everything to say what, how often and where first."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a column, fit for arithmetic: finite values, weights that are finite and positive.

    Values that are known only to lie in intervals are rows (left, right, lower, upper) as `intervals` tells. `start` is the row, counted from 0 over the whole source, at which the stretch begins, and `rows` its length as
    read. Of these `missing` were missing and dropped; rows of weight 0 are left out as well. `index` holds the
    offsets from `start` of the values kept, None where all are.
    """

    values: np.ndarray
    weights: np.ndarray | None
    start: int
    rows: int
    missing: int = 0
    index: np.ndarray | None = None


@dataclass(frozen=True)
class Part:
    """A piece of a source that can be read by itself, as often as wanted: its first row and a way to read it."""

    start: int
    read: Callable[[], Iterator[Block]]
    missing: Missing
    tabular: bool = False  # rows are of several columns, not of interval ends

    def chunks(self) -> Iterator[Chunk]:
        row = self.start
        for values, weights in self.read():
            plain = values.ndim == 1 or self.tabular
            yield (admit if plain else admit_rows)(values, weights, row, self.missing)
            row += len(values)


@dataclass(frozen=True)
class Source:
    """One column of numbers, perhaps with weights, that can be read again and again in bounded memory.

    `name` is the column's name, `origin` the file or "array", `label` what messages call it, `rows` the number of rows
    where it is known beforehand, `censored` whether its values are rows of interval ends.
    """

    name: str
    origin: str
    label: str
    rows: int | None
    missing: Missing
    _parts: tuple[Part, ...] = field(repr=False)
    censored: bool = False

    def __post_init__(self):
        if self.missing not in ("error", "drop"):
            raise ValueError(f"missing must be 'error' or 'drop', got {self.missing!r}")

    def treating(self, missing: Missing) -> "Source":
        """The same source with another rule for missing values."""
        return replace(self, missing=missing, _parts=tuple(replace(part, missing=missing) for part in self._parts))

    @property
    def identity(self) -> int:
        """64 bits that tell this source's rows from those of another file or column."""
        label = f"{Path(self.origin).name}\0{self.name}"
        return int.from_bytes(hashlib.blake2b(label.encode(), digest_size=8).digest())

    def parts(self) -> tuple[Part, ...]:
        """Pieces that can be read independently, in order."""
        return self._parts

    def chunks(self) -> Iterator[Chunk]:
        """The whole column from its first row to its last; DataError where it is not fit to be used."""
        kept = 0
        try:
            for part in self._parts:
                for chunk in part.chunks():
                    kept += len(chunk.values)
                    yield chunk
        except Flaw:
            self.audit()
        if not kept:
            self.audit()

    def audit(self) -> NoReturn:
        """Read everything once more and raise the DataError that says what is wrong, how often and where first."""
        counts: dict[str, int] = {"unusable": 0, "infinite": 0, "missing": 0}
        first: dict[str, tuple[int, float]] = {}
        row = 0
        for values, weights in (block for part in self._parts for block in part.read()):
            if self.censored:
                self._audit_rows(values, row)
                suspects = {"missing": (values, is_missing(values))}
            else:
                if values.ndim == 2:  # of each row of a table its first flaw
                    values = np.take_along_axis(values, np.isfinite(values).argmin(1)[:, None], axis=1)[:, 0]
                suspects = {"infinite": (values, np.isinf(values)), "missing": (values, np.isnan(values))}
            if weights is not None:
                suspects["unusable"] = weights, ~((weights >= 0) & (weights < np.inf))
            for kind, (column, mask) in suspects.items():
                if mask.any() and not counts[kind]:
                    at = int(mask.argmax())
                    first[kind] = row + at + 1, float(np.ravel(column[at])[0])
                counts[kind] += int(mask.sum())
            row += len(values)

        where = self.label
        if counts["unusable"]:
            at, value = first["unusable"]
            raise DataError(
                f"{where}: weights must be finite and >= 0, got {value:g} {at_row(at)} ({counts['unusable']} such)"
            )
        if counts["infinite"]:
            at, value = first["infinite"]
            raise DataError(
                f"{where} has {plural(counts['infinite'], 'infinite value')}, the first {at_row(at)}: {value}"
            )
        if counts["missing"] and self.missing == "error":
            raise DataError(
                f"{where} has {plural(counts['missing'], 'missing value')}, the first {at_row(first['missing'][0])}; "
                'missing="drop" leaves them out and reports how many'
            )
        if not row:
            raise DataError(f"{where} has no rows")
        if counts["missing"] == row:
            raise DataError(f"{where}: all {row} values are missing")
        raise DataError(f"{where}: every row has weight 0 or is missing; at least one weight must be > 0")

    def _audit_rows(self, rows: np.ndarray, start: int) -> None:
        """Raise for the first row of a block that breaks a rule of intervals."""
        for rule in RULES:
            broken = rule.broken(rows)
            if broken.any():
                at = int(broken.argmax())
                raise DataError(f"{self.label}: {rule.told(rows[at])} {at_row(start + at + 1)}")


def admit(values: np.ndarray, weights: np.ndarray | None, start: int, missing: Missing) -> Chunk:
    """The block as a chunk, without its missing values and its rows of weight 0; Flaw for what is never allowed."""
    rows, dropped, keep = len(values), 0, None
    with np.errstate(all="ignore"):
        suspect = not np.isfinite(values.sum())  # a finite sum has no NaN and no infinity in it; but sums can overflow
    if suspect:
        gone = np.isnan(values).reshape(rows, -1).any(1)
        dropped = int(gone.sum())
        if np.isinf(values).any() or (dropped and missing == "error"):
            raise Flaw(f"values that are missing or infinite after row {start}")
        keep = ~gone if dropped else None
    return _chunk(values, weights, start, rows, dropped, keep)


def admit_rows(values: np.ndarray, weights: np.ndarray | None, start: int, missing: Missing) -> Chunk:
    """The same for rows of intervals, which are cut to their truncation limits."""
    gone = is_missing(values)
    dropped = int(gone.sum())
    if (dropped and missing == "error") or any(rule.broken(values).any() for rule in RULES):
        raise Flaw(f"rows that are missing or break a rule after row {start}")
    return _chunk(clipped(values), weights, start, len(values), dropped, ~gone if dropped else None)


def _chunk(
    values: np.ndarray, weights: np.ndarray | None, start: int, rows: int, dropped: int, keep: np.ndarray | None
) -> Chunk:
    """Values that were looked at as a chunk, without those not to be kept and those of weight 0."""
    if weights is not None:
        if not (weights.min(initial=0.0) >= 0 and weights.max(initial=0.0) < np.inf):
            raise Flaw(f"weights that are negative or not finite after row {start}")
        if not weights.all():
            keep = weights > 0 if keep is None else keep & (weights > 0)
        weights = weights.astype(float, copy=False)  # sums of single precision would not be the count
    if keep is None:
        return Chunk(values, weights, start, rows)
    kept = None if weights is None else weights[keep]
    return Chunk(values[keep], kept, start, rows, dropped, np.flatnonzero(keep))


def rebatch(pieces: Iterable[Block], rows: int) -> Iterator[Block]:
    """The same rows in blocks of `rows`, the last perhaps shorter; copies only where a block spans pieces."""
    held: list[Block] = []
    room = rows
    for values, weights in pieces:
        at = 0
        while at < len(values):
            cut = slice(at, at + room)
            held.append((values[cut], None if weights is None else weights[cut]))
            taken = len(held[-1][0])
            at, room = at + taken, room - taken
            if not room:
                yield join(held)
                held, room = [], rows
    if held:
        yield join(held)


def join(blocks: list[Block]) -> Block:
    """Blocks one after the other as one block; a single one is handed on as it is."""
    if len(blocks) == 1:
        return blocks[0]
    weights = [weights for _, weights in blocks if weights is not None]
    return np.concatenate([values for values, _ in blocks]), np.concatenate(weights) if weights else None


def at_row(row: int) -> str:
    return f"at row {row} (counting from 1)"


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
