"""Which columns are read of a file: what every reader begins with, and how it ends each batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from suffice.streams.categories import Categories
from suffice.streams.columns import choose, require_numbers, to_float
from suffice.streams.source import Block

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Wanted:
    """Columns of a file.

    Attributes:
        path: of the file.
        names: of the columns, once `among` a schema those to read, weights last; before, none for the only numeric one.
        weights: name of the column of weights.
        categories: of columns of text.
    """

    path: str
    names: tuple[str, ...] = ()
    weights: str | None = None
    categories: Mapping[str, Categories] = field(default_factory=dict)

    def among(self, schema: pa.Schema, typed: bool = True) -> Wanted:
        """With all names settled; where the file is ``typed`` all but the categories must be numbers."""
        names = choose(schema, self.names, self.weights, self.path)
        for name in (n for n in names if typed and n not in self.categories):
            require_numbers(schema.field(name).type, f"{self.path}: column {name!r}")
        return replace(self, names=names)

    def block(self, columns: Iterable[pa.Array], row: int) -> Block:
        """Columns in the order of the names, ``row`` rows after the first: values, or rows of them where there are
        several, and weights."""
        found = [
            self.categories[name].encode(column, row)
            if name in self.categories
            else to_float(column, f"{self.path}: column {name!r}", row)
            for name, column in zip(self.names, columns, strict=True)
        ]
        weights = None if self.weights is None else found.pop()
        return found[0] if len(found) == 1 else np.stack(found).T, weights
