"""Elementwise work cut into pieces, so that few elements wait for the slowest among them."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

CHUNK = 4096  # elements worked on together: they fit the cache, and only they wait for the slowest among them


def in_chunks(function: Callable[..., jax.Array], *args: jax.Array) -> jax.Array:
    """An elementwise function of arrays of one shape, applied to pieces that fit the cache, one after the other.

    What it returns may have a further axis.
    """
    shape, size = args[0].shape, args[0].size
    if size <= CHUNK:
        return function(*args)
    count = -(-size // CHUNK)

    def cut(x: jax.Array) -> jax.Array:
        return jnp.pad(x.ravel(), (0, count * CHUNK - size), mode="edge").reshape(count, CHUNK)

    pieces = lax.map(lambda piece: function(*piece), tuple(cut(x) for x in args))
    rest = pieces.shape[2:]
    return pieces.reshape(-1, *rest)[:size].reshape(*shape, *rest)
