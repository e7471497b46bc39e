"""Sequences of values as one line of times, with where each begins and what was not observed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from suffice.models.hidden_markov.stretches import laid_out, padded_length, stretches
from suffice.numerics.checks import as_argument, is_traced
from suffice.runtime.errors import DataError


class Line(NamedTuple):
    """Sequences end to end, padded with one or more times at which nothing was observed, each a fresh start.

    Attributes:
        values: (T, ...), anything where nothing was observed.
        seen: whether there was an observation, (T,).
        fresh: whether a sequence starts, (T,).
        inside: whether the time is one of the sequences', (T,).
    """

    values: Any
    seen: Any
    fresh: Any
    inside: Any

    def laid_out(self, states: int) -> "Line":
        """With times in stretches, (L, C, ...)."""
        count = stretches(len(self.seen), states)
        return Line(*(laid_out(v, count) for v in self))


def line(x: Any, event_shape: tuple[int, ...]) -> tuple[Line, list[int], bool]:
    """Values, the length of each sequence, and whether there was a list of them.

    Raises:
        DataError: no sequence or an empty one, values that are infinite or missing in part.
        ValueError: values of another shape than the states emit.
    """
    several = isinstance(x, list | tuple) and len(x) > 0 and np.ndim(x[0]) == 1 + len(event_shape)
    parts: Sequence[Any] = x if several else [x]
    xp: Any = jnp if is_traced(x) else np
    arrays = []
    for i, part in enumerate(parts):
        a = xp.asarray(as_argument(part))
        name = f"sequence {i}" if several else "the sequence"
        if a.ndim != 1 + len(event_shape) or a.shape[1:] != event_shape:
            wanted = ", ".join(["T", *map(str, event_shape)]) + ("" if event_shape else ",")
            raise ValueError(f"{name} must have shape ({wanted}), got {a.shape}")
        if not len(a):
            raise DataError(f"{name} is empty")
        arrays.append(a if xp.issubdtype(a.dtype, np.floating) else a.astype(float))
    lengths = [len(a) for a in arrays]
    values = arrays[0] if len(arrays) == 1 else xp.concatenate(arrays)
    missing = xp.isnan(values).reshape(len(values), -1)
    if xp is np:
        _check(values, missing, lengths, several)
    total = len(values)
    more = padded_length(total + 1) - total
    fresh = np.zeros(total + more, bool)
    fresh[np.cumsum([0, *lengths[:-1]])] = True
    fresh[total:] = True
    inside = np.arange(total + more) < total
    values = xp.pad(values, ((0, more), *((0, 0),) * len(event_shape)), mode="edge")
    seen = xp.pad(~missing.any(1), (0, more))
    found = Line(jnp.asarray(values), jnp.asarray(seen), jnp.asarray(fresh), jnp.asarray(inside))
    return found, lengths, several


def _check(values: Any, missing: Any, lengths: list[int], several: bool) -> None:
    bad = np.isinf(values).reshape(len(values), -1).any(1)
    partly = missing.any(1) & ~missing.all(1)
    for wrong, what in ((bad, "be finite or NaN"), (partly, "be observed whole or not at all")):
        if wrong.any():
            at = int(np.argmax(wrong))
            which = int(np.searchsorted(np.cumsum(lengths), at, side="right"))
            time = at - sum(lengths[:which])
            place = f"time {time} of sequence {which}" if several else f"time {time}"
            raise DataError(f"values must {what}, got {values[at].tolist()} at {place}")


def split(values: Any, lengths: list[int], several: bool) -> Any:
    """What was found for each time, cut back into sequences."""
    if not several:
        return values[: lengths[0]]
    return [values[end - n : end] for n, end in zip(lengths, np.cumsum(lengths), strict=True)]
