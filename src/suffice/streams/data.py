"""Data as people have them: values with weights, counts, censoring and truncation, in memory."""

from typing import Any, Self

import numpy as np

from suffice.runtime.errors import DataError
from suffice.streams.columns import to_float
from suffice.streams.intervals import LEFT, RIGHT, Kinds, is_exact, rows_of
from suffice.streams.source import Missing, Part, Source, at_row
from suffice.streams.sources import check_counts, pieces


class Data:
    """Observations with all that is known of them; ``fit``, ``rank``, ``statistics`` take them in place of an array.

    The likelihood of a row is its density where the value is known, P(left < X <= right) where it is censored, and
    either is divided by P(lower < X <= upper) where it is truncated.

    Args:
        values: what was observed, (n,).
        weights: frequencies, (n,), >= 0: weight w counts as w observations.
        left, right: in place of ``values``, ends of intervals, (n,): the observation lies in (left, right], or is their
            value where both are the same. A missing end (NaN, None, ±∞) is open: without ``left`` it is left-censored,
            without ``right`` right-censored.
        lower, upper: truncation limits, numbers or (n,): an observation not in (lower, upper] would not be among the data.
        counts: frequencies that must be whole numbers, as of tabulated data; in place of ``weights``.
        missing: rows without any value: "error" or "drop".

    Raises:
        DataError: left above right, weights below 0, counts that are not whole, limits inside out, values outside of
            them, missing or infinite values; names the row.

    Example:
        >>> import suffice as sf
        >>> data = sf.Data(left=[1.0, 2.0, None, 4.0], right=[1.0, None, 3.0, 5.0])
        >>> data
        Data(4 observations: 1 exact, 1 left-censored, 1 right-censored, 1 interval-censored)
        >>> round(sf.fit(sf.Exponential, data).parameters["rate"], 6)
        0.344125
    """

    def __init__(
        self,
        values: Any = None,
        weights: Any = None,
        *,
        left: Any = None,
        right: Any = None,
        lower: Any = None,
        upper: Any = None,
        counts: Any = None,
        missing: Missing = "error",
    ) -> None:
        if (values is None) == (left is None and right is None):
            raise TypeError("Data needs either values, or left and right")
        if weights is not None and counts is not None:
            raise TypeError("Data takes weights or counts, not both")
        given = values if values is not None else left if left is not None else right
        name = getattr(given, "name", None)
        self.name = name if isinstance(name, str) and name else "x"
        ends = (values, values, lower, upper) if values is not None else (left, right, lower, upper)
        names = ("values", "values", "lower", "upper") if values is not None else ("left", "right", "lower", "upper")
        columns: list[Any] = [
            None if end is None else _column(end, name) for end, name in zip(ends, names, strict=True)
        ]
        heights = weights if counts is None else counts
        told = "weights" if counts is None else "counts"
        frequencies: Any = None if heights is None else _column(heights, told)
        lengths = {n: len(c) for n, c in zip((*names, told), (*columns, frequencies), strict=True) if np.ndim(c)}
        if len(set(lengths.values())) > 1:
            raise DataError(
                f"columns of Data must be equally long, got {', '.join(f'{n} {k}' for n, k in lengths.items())}"
            )
        if not any(np.ndim(c) for c in columns[:2]):
            raise DataError(f"{names[0]} must be one-dimensional, got a single number")
        if frequencies is not None and np.ndim(frequencies) == 0:
            raise DataError(f"{told} must be one-dimensional, got a single number")
        if counts is not None and frequencies is not None:
            check_counts(frequencies, "data")
        rows = rows_of(*(np.nan if c is None else c for c in columns))
        if values is not None:  # a value is missing or infinite, never open
            absent = np.isnan(columns[0]) if columns[0] is not None else False
            rows[absent, LEFT], rows[absent, RIGHT] = -np.inf, np.inf
        parts = (Part(0, lambda: iter([(rows, frequencies)]), missing),)
        self.source = Source(self.name, "array", "data", len(rows), missing, parts, True)
        (self._chunk,) = self.source.chunks()  # checks every row

    @classmethod
    def binned(cls, edges: Any, counts: Any, **rest: Any) -> Self:
        """A histogram: ``counts[i]`` observations in (edges[i], edges[i + 1]].

        Args:
            edges: increasing, (m + 1,); the first may be −∞ and the last ∞.
            counts: whole numbers, (m,).
            rest: truncation limits.

        Example:
            >>> import suffice as sf
            >>> round(sf.fit(sf.Normal, sf.Data.binned([-2, -1, 0, 1, 2], [3, 8, 7, 2])).parameters["loc"], 4)
            -0.0998
        """
        ends = np.atleast_1d(_column(edges, "edges"))
        if len(ends) < 2 or not np.all(np.diff(ends) > 0):
            raise DataError("edges must be at least two increasing numbers")
        if len(np.atleast_1d(_column(counts, "counts"))) != len(ends) - 1:
            raise DataError(f"counts must be one fewer than edges, {len(ends) - 1}, got {np.size(counts)}")
        return cls(left=ends[:-1], right=ends[1:], counts=counts, **rest)

    @classmethod
    def lifetimes(cls, time: Any, event: Any, entry: Any = None, weights: Any = None) -> Self:
        """Times to an event: right-censored where it had not happened, truncated at the entry into observation.

        Args:
            time: of the event, or when observation ended without it, (n,).
            event: whether it happened, (n,).
            entry: when observation began, (n,): of those whose time was before, none are among the data.
            weights: frequencies.

        Example:
            >>> import suffice as sf
            >>> fit = sf.fit(sf.Exponential, sf.Data.lifetimes([2.0, 3.0, 5.0], [1, 0, 1]))
            >>> round(fit.parameters["rate"], 6)  # 2 events in 10 units of time
            0.2
        """
        happened = _column(event, "event")
        if not np.all((happened == 0) | (happened == 1)):
            at = int(np.argmax((happened != 0) & (happened != 1)))
            raise DataError(f"event must be 0 or 1, got {happened[at]:g} {at_row(at + 1)}")
        times = _column(time, "time")
        late = None if entry is None else np.broadcast_to(_column(entry, "entry") >= times, times.shape)
        if late is not None and late.any():
            at = int(late.argmax())
            raise DataError(f"time must be above entry, got {times[at]:g} {at_row(at + 1)}")
        return cls(left=times, right=np.where(happened == 1, times, np.inf), lower=entry, weights=weights)

    @property
    def rows(self) -> np.ndarray:
        """Rows (left, right, lower, upper) as they are used, (n, 4)."""
        return self._chunk.values

    @property
    def weights(self) -> np.ndarray | None:
        """Their frequencies, None where all are 1."""
        return self._chunk.weights

    @property
    def is_plain(self) -> bool:
        """Whether every value is known and nothing is truncated."""
        return bool(np.all(is_exact(self.rows))) and not self.kinds.truncated

    @property
    def kinds(self) -> Kinds:
        """How many observations are known in which way."""
        return Kinds.of(self.rows, self.weights)

    @property
    def count(self) -> float:
        """Number of observations, the sum of the weights."""
        return float(len(self.rows) if self.weights is None else self.weights.sum())

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"Data({self.count:,.10g} observations: {told_kinds(self.kinds)})"


def told_kinds(kinds: Kinds) -> str:
    """How observations are known, in words: "3 exact, 1 left-censored"."""
    nouns = "exact", "left-censored", "right-censored", "interval-censored", "truncated"
    return ", ".join(f"{number:,.10g} {noun}" for number, noun in zip(kinds, nouns, strict=True) if number)


def _column(x: Any, name: str) -> np.ndarray:
    """A column as floating-point numbers, NaN where missing; a number stays a number."""
    if np.ndim(x) == 0 and not hasattr(x, "__arrow_c_stream__") and not hasattr(x, "__arrow_c_array__"):
        try:
            return np.asarray(x, float)
        except (TypeError, ValueError):
            raise DataError(f"{name} must be numbers, got {x!r}") from None
    return np.concatenate([np.empty(0), *(to_float(piece, name).astype(float) for piece in pieces(x, name))])
