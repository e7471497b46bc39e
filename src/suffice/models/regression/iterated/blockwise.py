"""JAX functions at NumPy arrays of any length, without a compilation for each."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

_FEW, _MANY = 128, 4096


def blockwise(function: Callable[..., Any], *columns: Any) -> Any:
    """A JAX function of arrays at NumPy arrays, block by block, the last padded, so that two lengths are compiled."""
    if any(isinstance(c, jax.Array) for c in columns):
        return function(*columns)
    n = len(columns[0])
    size = _FEW if n <= _FEW else _MANY
    found = []
    for at in range(0, max(n, 1), size):
        cut = (np.asarray(c[at : at + size], float) for c in columns)
        padded = (np.pad(c, (0, size - len(c)), mode="edge" if len(c) else "constant") for c in cut)
        found.append(function(*map(jnp.asarray, padded)))
    return jax.tree.map(lambda *parts: np.concatenate(parts)[:n], *found)
