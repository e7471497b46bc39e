"""Long arrays in blocks: on a CPU the steps of a computation meet in the cache, elsewhere all blocks run at once."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike, DTypeLike

_BLOCK = 8192


def arguments(
    shape: tuple[int, ...] | None, dtype: DTypeLike | None, *parameters: ArrayLike
) -> tuple[tuple[int, ...], list[jax.Array]]:
    """(shape of the result, the parameters as arrays of one float type and of the result's rank, or scalars)."""
    dtype = jnp.result_type(float, *parameters) if dtype is None else dtype
    arrays = [jnp.asarray(p, dtype) for p in parameters]
    shape = jnp.broadcast_shapes(*(a.shape for a in arrays)) if shape is None else shape
    return shape, [a.reshape((1,) * (len(shape) - a.ndim) + a.shape) if a.ndim else a for a in arrays]


def flatten(shape: tuple[int, ...], parameters: tuple[jax.Array, ...]) -> list[jax.Array]:
    """The parameters, broadcast to the shape, as vectors; those of one element as scalars."""
    return [p.reshape(()) if p.size == 1 else jnp.broadcast_to(p, shape).ravel() for p in parameters]


def in_blocks(function: Callable[..., Any], key: jax.Array, shape: tuple[int, ...], *parameters: jax.Array) -> Any:
    """`function(key, shape, *parameters)` for an elementwise random function, whose results may be a tuple.

    Each block has a key of its own, so the results do not depend on whether blocks run one by one or together.
    """
    n, flat = math.prod(shape), flatten(shape, parameters)
    if n <= _BLOCK:
        result = function(key, (n,), *flat)
    else:
        blocks = -(-n // _BLOCK)
        long = [jnp.pad(p, (0, blocks * _BLOCK - n), mode="edge").reshape(blocks, _BLOCK) for p in flat if p.ndim]

        def one(arguments):
            key, own = arguments
            rest = iter(own)
            return function(key, (_BLOCK,), *(next(rest) if p.ndim else p for p in flat))

        operands = jax.random.split(key, blocks), long
        result = jax.lax.platform_dependent(
            operands, cpu=lambda x: jax.lax.map(one, x), default=lambda x: jax.vmap(one)(x)
        )
    return jax.tree.map(lambda x: x.ravel()[:n].reshape(shape), result)
