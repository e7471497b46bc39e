"""Inputs of a model: named columns of equal length, from whatever tables people have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.checks import is_traced
from suffice.numerics.moments import namespace
from suffice.runtime.errors import DataError


@dataclass(frozen=True)
class Inputs:
    """Columns of one length with their names.

    Attributes:
        names: one for each column.
        columns: arrays (n,) of floats, or of text where a ``OneHot`` is to read them.
        matrix: the columns side by side, (n, d), where they came so; else None.
        distinct: all values of each column in order, where the rows are only some of those that a basis is settled
            on; else None.
        start: how many rows lie before them in the data, None where rows are not neighbours there.
    """

    names: tuple[str, ...]
    columns: tuple[Any, ...]
    matrix: Any = None
    distinct: tuple[np.ndarray, ...] | None = None
    start: int | None = 0

    @classmethod
    def of(cls, x: Any, names: Sequence[str] | None = None, missing_ok: bool = False) -> Self:
        """Inputs from an array (n,) or (n, d), a mapping of columns, or a pandas, Polars or Arrow table.

        Raises:
            DataError: columns of unlike lengths, missing or infinite values, no column or row.
        """
        if isinstance(x, cls):
            return x
        matrix = None
        if is_traced(x) or isinstance(x, jax.Array):
            matrix = jnp.asarray(x, float)
            columns = _split(matrix)
            found = _default_names(len(columns))
        elif (table := _table(x)) is not None:
            found, columns = tuple(map(str, table)), tuple(_column(v, f"input {k!r}") for k, v in table.items())
        else:
            matrix = _numbers(np.asarray(x))
            columns = _split(matrix)
            name = getattr(x, "name", None)  # of a series
            found = (name,) if isinstance(name, str) and len(columns) == 1 else _default_names(len(columns))
        if names is not None:
            found = _named(found, names)
        numeric = matrix is not None and matrix.ndim == 2 and matrix.dtype.kind == "f"
        inputs = cls(found, columns, matrix if numeric else None)
        if not is_traced(columns) and not missing_ok:
            inputs._check()
        return inputs

    def __len__(self) -> int:
        return len(self.columns[0])

    def rows(self, cut: Any) -> "Inputs":
        """Some of the rows."""
        matrix = None if self.matrix is None else self.matrix[cut]
        start = None if self.start is None or not isinstance(cut, slice) else self.start + (cut.start or 0)
        return Inputs(self.names, tuple(c[cut] for c in self.columns), matrix, start=start)

    def numbers(self, places: tuple[int, ...]) -> Any:
        """Columns of numbers side by side, (n, k)."""
        if self.matrix is not None and places == tuple(range(len(self.names))):
            return self.matrix
        taken = [self.number(p) for p in places]
        return namespace(taken[0]).stack(taken, axis=1)

    def places(self, wanted: Any) -> tuple[int, ...]:
        """Indices of the columns named or counted from 0; all for None.

        Raises:
            ValueError: there is no such column.
        """
        if wanted is None:
            return tuple(range(len(self.names)))
        return tuple(self._place(w) for w in (wanted if isinstance(wanted, list | tuple) else [wanted]))

    def _place(self, wanted: Any) -> int:
        if isinstance(wanted, str) and wanted in self.names:
            return self.names.index(wanted)
        if isinstance(wanted, int | np.integer) and 0 <= wanted < len(self.names):
            return int(wanted)
        raise ValueError(f"inputs must be among {', '.join(self.names)} or count them from 0, got {wanted!r}")

    def number(self, place: int) -> Any:
        """A column of numbers."""
        column = self.columns[place]
        if isinstance(column, np.ndarray) and column.dtype.kind not in "f":
            raise DataError(
                f"input {self.names[place]!r} holds text, which only OneHot takes: name the inputs of others"
            )
        return column

    def _check(self) -> None:
        if not self.columns:
            raise DataError("inputs must have at least one column, got none")
        if len(set(self.names)) < len(self.names):
            twice = next(n for n in self.names if self.names.count(n) > 1)
            raise DataError(f"inputs must have different names, got {twice!r} more than once")
        lengths = {name: len(c) for name, c in zip(self.names, self.columns, strict=True)}
        if len(set(lengths.values())) > 1:
            raise DataError(f"inputs must have equally many rows, got {lengths}")
        if self.matrix is not None and np.isfinite(np.asarray(self.matrix).sum()):
            return
        for name, column in zip(self.names, self.columns, strict=True):
            require_finite(column, f"input {name!r}")


def require_finite(values: Any, what: str) -> None:
    """DataError for the first value that is missing or infinite; rows are counted from 1."""
    values = np.asarray(values)
    if values.dtype.kind != "f" or np.isfinite(values.sum()):
        return
    bad = ~np.isfinite(values)
    if bad.any():
        place = np.argwhere(bad)[0]
        raise DataError(
            f"{what} must be finite, got {values[tuple(place)]:g} at row {place[0] + 1} (counting from 1); "
            f"{int(bad.sum())} such"
        )


def are_default(names: tuple[str, ...]) -> bool:
    """Whether names only count columns."""
    return names == _default_names(len(names))


def _default_names(d: int) -> tuple[str, ...]:
    return ("x",) if d == 1 else tuple(f"x{i + 1}" for i in range(d))


def _named(found: tuple[str, ...], names: Sequence[str]) -> tuple[str, ...]:
    if len(names) != len(found):
        raise ValueError(f"names must be as many as inputs, {len(found)}, got {len(names)}")
    return tuple(names)


def _split(x: Any) -> tuple[Any, ...]:
    if x.ndim not in (1, 2):
        raise DataError(f"inputs must have shape (n,) or (n, d), got {x.shape}")
    return (x,) if x.ndim == 1 else tuple(x[:, j] for j in range(x.shape[1]))


def _numbers(x: np.ndarray, what: str = "inputs") -> np.ndarray:
    if x.dtype.kind not in "biufUSOT":
        raise DataError(f"{what} must be numbers or text, got {x.dtype}")
    if x.dtype.kind in "OT":
        try:
            return x.astype(float)
        except (TypeError, ValueError):
            return texts(x, what)
    return x if x.dtype.kind in "US" else x.astype(float, copy=False)


def texts(values: np.ndarray, what: str) -> np.ndarray:
    """Objects as text.

    Raises:
        DataError: one is missing.
    """
    missing = np.array([v is None or type(v).__name__ == "NAType" or v != v for v in values.ravel().tolist()])
    if missing.any():
        at = int(missing.argmax()) // max(int(np.prod(values.shape[1:])), 1)
        raise DataError(
            f"{what} must not be missing, got {values.ravel()[missing][0]} at row {at + 1} (counting from 1)"
        )
    return values.astype(str)


def _column(values: Any, what: str) -> Any:
    if isinstance(values, jax.Array):
        return values.astype(float)
    column = _numbers(np.asarray(values), what)
    if column.ndim != 1:
        raise DataError(f"a column of inputs must be one-dimensional, got shape {column.shape}")
    return column


def is_table(x: Any) -> bool:
    """Whether columns have the names that a user gave them: a mapping, or a pandas, Polars or Arrow table."""
    return isinstance(x, Mapping) or (hasattr(x, "__arrow_c_stream__") and hasattr(x, "columns"))


def _table(x: Any) -> dict[str, Any] | None:
    """Columns by name of what is a table."""
    if isinstance(x, Mapping):
        return dict(x)
    if is_table(x):
        import pyarrow as pa

        names = list(map(str, getattr(x, "column_names", x.columns)))
        if len(set(names)) < len(names):
            twice = next(n for n in names if names.count(n) > 1)
            raise DataError(f"inputs must have different names, got {twice!r} more than once")
        table = pa.table(x)
        return {name: table.column(name).to_numpy() for name in table.column_names if not name.startswith("__index")}
    return None
