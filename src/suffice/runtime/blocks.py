"""Data in blocks of fixed size, so that a new number of observations compiles nothing new.

An array is cut into blocks of 2^20, then 2^16 values; the rest is padded with copies of its first value at weight 0.
Few values make one block of 2^7 or 2^10. Large float64 arrays are not copied: JAX reads NumPy's memory where it is
aligned to 64 bytes, and the few values before the first aligned address travel with the rest.
"""

from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

TINY, SMALL, MIDDLE, LARGE = 2**7, 2**10, 2**16, 2**20
_ALIGNMENT = 64


class Block(NamedTuple):
    """A piece of the data: columns of one fixed length, and frequencies; ``weights`` None means all 1."""

    columns: tuple[jax.Array, ...]
    weights: jax.Array | None


class Wide(Block):
    """Intervals (left, right) of any width; what has a negative weight undoes that it was certain to be seen there."""


def _aliased(array: np.ndarray) -> jax.Array:
    """The same memory as a JAX array where that is possible, else a copy."""
    if array.flags.writeable and array.ctypes.data % _ALIGNMENT == 0:
        return jax.dlpack.from_dlpack(array)
    return jnp.asarray(array)


def blocks(columns: tuple[np.ndarray, ...], weights: np.ndarray | None = None) -> Iterator[Block]:
    """Cut equally long columns (first axis) into blocks of fixed size."""
    n = len(columns[0])
    if n == 0:
        return
    start = 0
    if weights is None and n >= LARGE + MIDDLE:
        lead = -columns[0].ctypes.data % _ALIGNMENT // columns[0].itemsize
        start, stop = lead, lead + (n - lead) // LARGE * LARGE
        for at in range(start, stop, LARGE):
            yield Block(tuple(_aliased(c[at : at + LARGE]) for c in columns), None)
        rest = [np.concatenate([c[:lead], c[stop:]]) for c in columns]
        yield from blocks(tuple(rest))
        return
    size = next((size for size in (TINY, SMALL) if n <= size), MIDDLE)
    for start in range(0, n, size):
        stop = min(start + size, n)
        w = np.ones(stop - start) if weights is None else np.asarray(weights[start:stop], dtype=float)
        missing = size - (stop - start)
        pieces = [c[start:stop] for c in columns]
        if missing:
            pieces = [np.concatenate([c, np.broadcast_to(c[:1], (missing, *c.shape[1:]))]) for c in pieces]
            w = np.concatenate([w, np.zeros(missing)])
        yield Block(tuple(jnp.asarray(c) for c in pieces), jnp.asarray(w))
