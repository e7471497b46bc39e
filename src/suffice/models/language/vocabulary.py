"""Words and their numbers: three marks first, then the words in the order of their bytes."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from suffice.models.language.text import END, START, UNKNOWN

pc: Any = pyarrow.compute  # its functions are made as it is imported, unseen by type checkers

MARKS = (UNKNOWN, START, END)
UNKNOWN_ID, START_ID, END_ID = range(3)


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Sorted words without repetition; ``<unk>``, ``<s>`` and ``</s>`` are 0, 1 and 2, the words follow.

    Example:
        >>> from suffice.models.language.vocabulary import Vocabulary
        >>> v = Vocabulary.of(["b", "a", "b"])
        >>> v.ids(["a", "b", "c"]).tolist(), v.word(3), len(v)
        ([3, 4, 0], 'a', 5)
    """

    words: pa.Array

    @classmethod
    def of(cls, tokens: Any) -> "Vocabulary":
        """Of all tokens, an Arrow array or any iterable of strings."""
        tokens = tokens if isinstance(tokens, pa.Array | pa.ChunkedArray) else pa.array(tokens, pa.string())
        if pa.types.is_dictionary(tokens.type):
            tokens = tokens.dictionary
        found = pc.unique(tokens)
        found = found.filter(pc.invert(pc.is_in(found, pa.array([UNKNOWN]))))
        return cls(found.take(pc.sort_indices(found)))

    def __len__(self) -> int:
        return len(self.words) + len(MARKS)

    @cached_property
    def all(self) -> pa.Array:
        """The marks and the words."""
        return pa.concat_arrays([pa.array(MARKS, pa.string()), self.words])

    def ids(self, tokens: Any) -> np.ndarray:
        """Number of each token, 0 where the vocabulary lacks it."""
        tokens = tokens if isinstance(tokens, pa.Array) else pa.array(tokens, pa.string())
        if pa.types.is_dictionary(tokens.type):
            return self.ids(tokens.dictionary)[tokens.indices.to_numpy()]
        at = pc.index_in(tokens, value_set=self.all)
        return pc.fill_null(at, UNKNOWN_ID).to_numpy(zero_copy_only=False).astype(np.int64)

    def word(self, number: int) -> str:
        """The token of a number."""
        return self.all[int(number)].as_py()

    def text(self, numbers: Iterable[int]) -> list[str]:
        """The tokens of numbers."""
        return self.all.take(pa.array(np.asarray(numbers, dtype=np.int64))).to_pylist()

    def union(self, other: "Vocabulary") -> "Vocabulary":
        """The words of both."""
        return Vocabulary.of(pa.chunked_array([self.words, other.words]).combine_chunks())
