"""Series as they come: numbers in time, with what was not observed."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.checks import as_argument, is_traced
from suffice.runtime.errors import DataError


class Series(NamedTuple):
    """Values (T', P), 0 where nothing was observed, whether they were, and the number of times before padding."""

    values: jax.Array
    seen: jax.Array
    length: int


def padded_length(n: int) -> int:
    """A length at least n, of few different ones, so that a new n compiles nothing: at most an eighth longer."""
    step = max(8, 2 ** max(n.bit_length() - 3, 0))
    return -(-n // step) * step


def series(x: Any, width: int) -> Series:
    """Values as (T', P), padded with times at which nothing was observed.

    Raises:
        DataError: no times, infinite values, nothing observed at all.
        ValueError: another number of columns than the model observes.
    """
    xp = jnp if is_traced(x) else np
    x = xp.asarray(as_argument(x))
    x = x.astype(float)  # as models have their matrices
    x = x[:, None] if x.ndim == 1 and width == 1 else x
    if x.ndim != 2 or x.shape[1] != width:
        wanted = "(T,)" if width == 1 else f"(T, {width})"
        raise ValueError(f"the series must have shape {wanted}, got {x.shape if width > 1 else x.shape[:1]}")
    if not len(x):
        raise DataError("the series is empty")
    if not is_traced(x):
        if np.isinf(x).any():
            time = int(np.argmax(np.isinf(x).any(1)))
            raise DataError(f"the series must be finite or NaN, got {x[time].tolist()} at time {time}")
        if np.isnan(x).all():
            raise DataError("nothing of the series was observed: all values are NaN")
    n = len(x)
    x = xp.pad(x, ((0, padded_length(n) - n), (0, 0)), constant_values=np.nan)
    seen = ~xp.isnan(x)
    return Series(jnp.asarray(xp.where(seen, x, 0.0)), jnp.asarray(seen.astype(x.dtype)), n)
