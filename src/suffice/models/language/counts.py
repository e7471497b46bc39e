"""Counts of n-grams: what an n-gram model needs from text, a statistic that adds.

The n-grams of each order are sorted by (number of the prefix among those one shorter, last word), so an n-gram of any
order is found by one search among 64-bit keys, and what follows a context is one slice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import numpy as np

from suffice.models.language.text import Lines, Text, Unit, lines
from suffice.models.language.vocabulary import END_ID, START_ID, Vocabulary
from suffice.runtime.errors import DataError
from suffice.runtime.progress import Progress


@dataclass(frozen=True, eq=False)
class Level:
    """The n-grams of one order, sorted.

    Attributes:
        prefix: number of each without its last word, in the level below.
        word: its last word.
        suffix: number of each without its first word, in the level below.
        count: how often it was seen.
    """

    prefix: np.ndarray
    word: np.ndarray
    suffix: np.ndarray
    count: np.ndarray

    def __len__(self) -> int:
        return len(self.word)


@dataclass(frozen=True, eq=False)
class NgramCounts:
    """How often each n-gram of order 1, …, n was seen, each line as <s> w1 … wm </s>. ``a + b`` counts both texts.

    The sum does not depend on the order of the texts, nor on how they are cut at lines.

    Attributes:
        vocabulary: the words.
        levels: the n-grams of order 1 (one for each word, <unk> and <s> among them), 2, …
        unit: "word" or "char".

    Example:
        >>> import suffice as sf
        >>> counts = sf.ngram_counts(["a b a", "a b"], order=2)
        >>> counts.count(["a", "b"]), counts.count(["<s>", "a"]), counts.tokens
        (2, 2, 7)
    """

    vocabulary: Vocabulary
    levels: tuple[Level, ...]
    unit: Unit = "word"

    @property
    def order(self) -> int:
        """The largest n."""
        return len(self.levels)

    @property
    def documents(self) -> int:
        """Lines that were read."""
        return int(self.levels[0].count[START_ID])

    @property
    def tokens(self) -> int:
        """Tokens that were read, ends of lines among them."""
        return int(self.levels[0].count.sum()) - self.documents

    @cached_property
    def keys(self) -> tuple[np.ndarray, ...]:
        """prefix · V + word, sorted, of each order from 2."""
        return tuple(level.prefix * len(self.vocabulary) + level.word for level in self.levels[1:])

    def find(self, order: int, prefix: Any, word: Any) -> np.ndarray:
        """Numbers of n-grams from those of their prefixes and last words; −1 where there is none."""
        prefix, word = np.asarray(prefix), np.asarray(word)
        keys = self.keys[order - 2]
        wanted = prefix * len(self.vocabulary) + word
        at = np.searchsorted(keys, wanted)
        found = (prefix >= 0) & (at < len(keys))
        found[found] = keys[at[found]] == wanted[found]
        return np.where(found, at, -1)

    def ids(self, tokens: Any) -> np.ndarray:
        """Numbers of a list of tokens, or of a text of characters."""
        if isinstance(tokens, str) and self.unit == "word":
            raise TypeError(f"tokens must be a list of words, as {tokens.split()}, got the text {tokens!r}")
        return self.vocabulary.ids(list(tokens))

    def count(self, ngram: Any) -> int:
        """How often an n-gram, a list of tokens, was seen."""
        at = self.locate(self.ids(ngram))
        return 0 if at < 0 else int(self.levels[len(ngram) - 1].count[at])

    def locate(self, ids: np.ndarray) -> int:
        """Number of one n-gram among those of its order, −1 where it was not seen."""
        if not 1 <= len(ids) <= self.order:
            raise ValueError(f"an n-gram must have 1 to {self.order} tokens, got {len(ids)}")
        at = np.array([ids[0]])
        for order, word in enumerate(ids[1:], start=2):
            at = self.find(order, at, np.array([word]))
        return int(at[0])

    @cached_property
    def first(self) -> tuple[np.ndarray, ...]:
        """First word of each n-gram, by order."""
        found = [np.arange(len(self.vocabulary))]
        for level in self.levels[1:]:
            found.append(found[-1][level.prefix])
        return tuple(found)

    def __add__(self, other: "NgramCounts") -> "NgramCounts":
        if (self.order, self.unit) != (other.order, other.unit):
            raise ValueError(
                f"counts add where order and unit agree: {self.order} {self.unit}, {other.order} {other.unit}"
            )
        vocabulary = self.vocabulary.union(other.vocabulary)
        parts = (self, other)
        words = [vocabulary.ids(part.vocabulary.all) for part in parts]
        count = sum(
            np.bincount(w, part.levels[0].count, minlength=len(vocabulary))
            for w, part in zip(words, parts, strict=True)
        )
        levels, number = [_unigrams(np.asarray(count).astype(np.int64))], words
        for k in range(1, self.order):
            below, pairs = number, [part.levels[k] for part in parts]
            keys = [n[p.prefix] * len(vocabulary) + w[p.word] for n, w, p in zip(below, words, pairs, strict=True)]
            merged = np.sort(np.concatenate(keys))  # several times faster than union1d
            merged = merged[np.append(True, merged[1:] != merged[:-1])] if len(merged) else merged
            number = [np.searchsorted(merged, key) for key in keys]
            total, suffix = np.zeros(len(merged), np.int64), np.empty(len(merged), np.int64)
            for at, n, pair in zip(number, below, pairs, strict=True):
                total[at] += pair.count
                suffix[at] = n[pair.suffix]
            levels.append(Level(*np.divmod(merged, len(vocabulary)), suffix, total))
        return NgramCounts(vocabulary, tuple(levels), self.unit)


def _unigrams(count: np.ndarray) -> Level:
    """Level 1, which has no level below."""
    n = len(count)
    return Level(np.zeros(n, np.int64), np.arange(n), np.zeros(n, np.int64), count)


def ngram_counts(text: Text, order: int = 3, unit: Unit = "word", quiet: bool = True) -> NgramCounts:
    """Count the n-grams of order 1 to n of a text, read in blocks.

    Args:
        text: path of a file of lines (also .gz), or an iterable of lines.
        order: largest n, >= 1.
        unit: "word": what stands between whitespace; "char": characters.
        quiet: show no progress.

    Raises:
        DataError: the text has no tokens, is no UTF-8, or holds <s> or </s> as words.

    Example:
        >>> import suffice as sf
        >>> sf.ngram_counts(["banana"], order=3, unit="char").count("ana")
        2
    """
    if not isinstance(order, int | np.integer) or order < 1:
        raise ValueError(f"order must be an integer >= 1, got {order}")
    parts: list[NgramCounts] = []
    with Progress("counting", quiet=quiet, unit="lines") as progress:
        for block in lines(text, unit):
            if len(block.lengths):
                parts.append(_of_block(block, order, unit))
            progress.update(len(block.lengths))
            while len(parts) > 1 and len(parts[-1].levels[-1]) * 2 > len(parts[-2].levels[-1]):
                parts[-2:] = [parts[-2] + parts[-1]]  # neighbours of like size, so that each is merged few times
    if not parts:
        raise DataError("the text has no tokens")
    return reduce(lambda a, b: b + a, reversed(parts))


def framed(block: Lines, vocabulary: Vocabulary) -> tuple[np.ndarray, np.ndarray]:
    """Tokens of all lines with their marks, and how many of its line are left from each on."""
    sizes = block.lengths + 2
    ends = np.cumsum(sizes)
    tokens = np.empty(ends[-1], np.int64)
    inside = np.ones(ends[-1], bool)
    inside[ends - 1] = inside[ends - sizes] = False
    tokens[ends - sizes], tokens[ends - 1] = START_ID, END_ID
    tokens[inside] = vocabulary.ids(block.tokens)
    return tokens, np.repeat(ends, sizes) - np.arange(ends[-1])


def _of_block(block: Lines, order: int, unit: Unit) -> NgramCounts:
    vocabulary = Vocabulary.of(block.tokens)
    tokens, left = framed(block, vocabulary)
    levels = [_unigrams(np.bincount(tokens, minlength=len(vocabulary)))]
    levels += [level for level, _ in zip(_higher(tokens, left, len(vocabulary)), range(order - 1), strict=False)]
    return NgramCounts(vocabulary, tuple(levels), unit)


def _sorted(key: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keys in order, and the place of each: sorted as one number where both fit in 63 bits, as this is much faster."""
    bits = int(place[-1]).bit_length() if len(place) else 0
    if not len(key) or int(key.max()).bit_length() + bits > 63:
        rank = np.argsort(key)
        return key[rank], place[rank]
    both = key << bits
    both |= place
    both.sort()
    places = both & ((1 << bits) - 1)
    both >>= bits
    return both, places


def _higher(tokens: np.ndarray, left: np.ndarray, size: int) -> Iterator[Level]:
    """Levels 2, 3, …: each occurrence carries the number of its n-gram to the next."""
    number, order = tokens, 2
    while True:
        at = np.flatnonzero(left >= order)
        key = number[at] * size
        key += tokens[at + (order - 1)]
        key, places = _sorted(key, at)
        new = np.ones(len(key), bool)
        np.not_equal(key[1:], key[:-1], out=new[1:])
        starts = np.flatnonzero(new)
        own = np.full(len(tokens), -1, np.int64)
        own[places] = np.cumsum(new) - 1
        suffix = number[places[starts] + 1]
        yield Level(*np.divmod(key[starts], size), suffix, np.diff(starts, append=len(key)))
        number, order = own, order + 1
