"""JAX functions at NumPy arrays of any length, without a compilation for each."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

_PADDED = 4096


def blockwise(function: Callable[..., Any], *columns: Any) -> Any:
    """A JAX function of arrays at NumPy arrays, padded to whole blocks so that few lengths are compiled."""
    if any(isinstance(c, jax.Array) for c in columns):
        return function(*columns)
    n = len(columns[0])
    size = next((s for s in (128, _PADDED) if n <= s), -(-n // (8 * _PADDED)) * 8 * _PADDED)
    padded = (np.pad(np.asarray(c, float), (0, size - n), mode="edge" if n else "constant") for c in columns)
    return jax.tree.map(lambda a: np.asarray(a)[:n], function(*map(jnp.asarray, padded)))
