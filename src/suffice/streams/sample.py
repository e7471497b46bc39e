"""A uniform sample of a stream that merges exactly: the rows with the k smallest of independent random keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from suffice.streams.source import Chunk

GROUP = 32  # rows that are passed over together when the smallest of their keys is too large
SLICE = 2**11  # groups worked on together: their rows fit the cache
GOLDEN, MIX1, MIX2 = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


class Bound:
    """The smallest k-th key seen so far by any of the samples that share this bound.

    A row with a larger key cannot be in their sum, so `BottomK.of` passes over it. Share one among the chunks of one
    fold, whose samples are all added up: the sum is the same with and without it.
    """

    def __init__(self):
        self.key = np.inf


@dataclass(frozen=True)
class BottomK:
    """The k rows with the smallest keys among those seen, all of them while there are fewer.

    A row's key is a unit exponential made by hashing its number and a seed: the sample is uniform without replacement,
    and samples of disjoint rows add to just the sample of them all, however the rows are cut and ordered. Each row has
    the same chance; its weight is carried along. `seen` counts the rows.
    """

    k: int
    seen: int
    _keys: np.ndarray
    _values: np.ndarray
    _weights: np.ndarray | None
    _bound: Bound | None

    @classmethod
    def of(cls, chunk: Chunk, k: int = 100_000, seed: int = 0, bound: Bound | None = None) -> BottomK:
        """The sample of one chunk. Files whose samples are to be added need different seeds (`Source.identity`)."""
        at, keys = _small_keys(chunk.start, chunk.rows, seed, np.inf if bound is None else bound.key)
        if chunk.index is not None:
            kept = np.isin(at, chunk.index, assume_unique=True)
            at, keys = np.searchsorted(chunk.index, at[kept]), keys[kept]
        weights = None if chunk.weights is None else chunk.weights[at]
        return cls(k, len(chunk.values), keys, chunk.values[at], weights, bound)._cut()

    @property
    def values(self) -> np.ndarray:
        """The sampled values in the order of their keys: the first m of them are a uniform sample of m rows."""
        return self._values[np.argsort(self._keys)]

    @property
    def weights(self) -> np.ndarray | None:
        """The weights of `values`, None where there are none."""
        return None if self._weights is None else self._weights[np.argsort(self._keys)]

    def __add__(self, other: BottomK) -> BottomK:
        if self.k != other.k or (self._weights is None) != (other._weights is None):
            raise ValueError("samples add when they have the same k, and both or neither have weights")
        keys, values = (np.concatenate(pair) for pair in ((self._keys, other._keys), (self._values, other._values)))
        weights = (
            None if self._weights is None or other._weights is None else np.concatenate([self._weights, other._weights])
        )
        return BottomK(self.k, self.seen + other.seen, keys, values, weights, self._bound or other._bound)._cut()

    def _cut(self) -> BottomK:
        """The same without all but the k smallest keys, the largest of which is then a bound."""
        if len(self._keys) < self.k:
            return self
        smallest = np.argpartition(self._keys, self.k - 1)[: self.k]
        if self._bound is not None:
            self._bound.key = min(self._bound.key, float(self._keys[smallest[-1]]))
        weights = None if self._weights is None else self._weights[smallest]
        return BottomK(self.k, self.seen, self._keys[smallest], self._values[smallest], weights, self._bound)


def _small_keys(start: int, rows: int, seed: int, bound: float) -> tuple[np.ndarray, np.ndarray]:
    """Offsets from start, and keys, of the rows whose key is at most the bound.

    The smallest of a group's unit exponentials is an exponential of rate GROUP at any of its rows, and what the others
    have above it is unit exponential again. So one hash dismisses a group; only in the groups that remain is one made
    for each row.
    """
    salts = _hash(np.arange(2, dtype=np.uint64), np.uint64(seed % 2**64))
    groups = np.arange(start // GROUP, -(-(start + rows) // GROUP), dtype=np.uint64)
    hashes = _hash(groups, salts[0])
    live = _uniform(hashes) <= _reach(bound * GROUP)
    groups, hashes = groups[live], hashes[live]
    least = -np.log1p(-_uniform(hashes)) / GROUP
    place = (hashes % np.uint64(GROUP)).astype(np.intp)  # the low bits, which _uniform does not use

    members, keys = [np.empty(0, np.int64)], [np.empty(0)]
    for at in range(0, len(groups), SLICE):
        here = slice(at, at + SLICE)
        member = groups[here, None] * np.uint64(GROUP) + np.arange(GROUP, dtype=np.uint64)
        above = _uniform(_hash(member, salts[1]))
        above[np.arange(len(above)), place[here]] = 0.0
        few = np.flatnonzero(above <= _reach(bound - least[here, None]))
        members.append(member.ravel()[few].view(np.int64) - start)
        keys.append(least[here][few // GROUP] - np.log1p(-above.ravel()[few]))
    offset, key = np.concatenate(members), np.concatenate(keys)
    chosen = (key <= bound) & (offset >= 0) & (offset < rows)
    return offset[chosen], key[chosen]


def _reach(bound: Any) -> Any:
    """The uniform numbers of the exponentials up to a bound, and a margin: rounding must not dismiss one just below."""
    return -np.expm1(-bound * (1 + 2**-20) - 2**-50)


def _hash(numbers: np.ndarray, salt: np.uint64) -> np.ndarray:
    """Element `number` of the splitmix64 sequence that starts at the salt."""
    with np.errstate(over="ignore"):
        z = salt + GOLDEN * (numbers + np.uint64(1))
        z = (z ^ (z >> np.uint64(30))) * MIX1
        z = (z ^ (z >> np.uint64(27))) * MIX2
        return z ^ (z >> np.uint64(31))


def _uniform(hashes: np.ndarray) -> np.ndarray:
    """The upper 53 bits as a number in [0, 1)."""
    return (hashes >> np.uint64(11)) * 2.0**-53
