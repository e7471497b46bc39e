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
        return jax.tree.map(lambda x: x.reshape(shape), function(key, (n,), *flat))
    starts = jnp.minimum(
        jnp.arange(-(-n // _BLOCK)) * _BLOCK, n - _BLOCK
    )  # the last block covers part of the one before
    operands = jax.random.split(key, len(starts)), starts, flat

    def one(key: jax.Array, start: jax.Array, flat: list[jax.Array]) -> Any:
        own = (jax.lax.dynamic_slice(p, (start,), (_BLOCK,)) if p.ndim else p for p in flat)
        return function(key, (_BLOCK,), *own)

    def one_by_one(operands: Any) -> Any:
        keys, starts, flat = operands
        kinds = jax.eval_shape(one, keys[0], starts[0], flat)

        def put(i: jax.Array, out: Any) -> Any:
            write = lambda whole, new: jax.lax.dynamic_update_slice(whole, new, (starts[i],))  # noqa: E731
            return jax.tree.map(write, out, one(keys[i], starts[i], flat))

        return jax.lax.fori_loop(0, len(starts), put, jax.tree.map(lambda k: jnp.zeros(n, k.dtype), kinds))

    def together(operands: Any) -> Any:
        keys, starts, flat = operands
        blocks = jax.vmap(lambda key, start: one(key, start, flat))(keys, starts)
        return jax.tree.map(lambda x: jnp.concatenate([x[:-1].ravel()[: n - _BLOCK], x[-1]]), blocks)

    result = jax.lax.platform_dependent(operands, cpu=one_by_one, default=together)
    return jax.tree.map(lambda x: x.reshape(shape), result)
