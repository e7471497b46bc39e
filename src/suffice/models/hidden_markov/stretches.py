"""A recursion through time in stretches that go side by side, to the result of one time after the other.

Every stretch begins where it is guessed that the one before it ends: the guess runs through the last times before it from
anywhere, since recursions of hidden chains forget where they began. Then the ends are compared with what was guessed, and
where they differ all stretches go again from them. The first stretch begins right, so each pass makes one more right
at the least, and what has agreed is the sequential result: exact for every chain, and one pass for those that forget.

Times are laid out as (L, ..., C): time within the stretch first, stretch last, so that a machine's vectors run over stretches.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental.layout import Layout, with_layout_constraint

_SHORTEST = 2**7  # times in a stretch
_RUN_UP = 2**7  # times from which a start is guessed, or a quarter of a stretch
_WIDE = {"cpu": 2**11, "other": 2**16}  # states times stretches: a row that stays in the nearest cache


def stretches(length: int, states: int) -> int:
    """Into how many stretches to cut a line: a power of two that divides ``padded_length``."""
    room = _WIDE.get(jax.default_backend(), _WIDE["other"]) // states
    return 2 ** (max(min(length // _SHORTEST, room), 1).bit_length() - 1)


def padded_length(n: int) -> int:
    """A length at least n, of few different ones, that can be cut into stretches."""
    step = max(2 ** max(n.bit_length() - 4, 0), 8)
    return -(-n // step) * step


def in_memory(a: jax.Array) -> jax.Array:
    """The array with its axes in memory as they are written, which the compiler would not choose, and computed once."""
    return jax.lax.optimization_barrier(with_layout_constraint(a, Layout(tuple(range(a.ndim)))))


def laid_out(a: jax.Array, count: int) -> jax.Array:
    """(T, ...) as (L, C, ...)."""
    return in_memory(jnp.swapaxes(a.reshape(count, -1, *a.shape[1:]), 0, 1))


def in_line(a: jax.Array) -> jax.Array:
    """(L, ..., C) as (T, ...): each time turned over by itself, in the nearest cache, and then put in its place."""
    turned = in_memory(jnp.moveaxis(a, -1, 1))
    return jnp.swapaxes(turned, 0, 1).reshape(-1, *a.shape[1:-1])


def ahead(a: jax.Array, last: Any) -> jax.Array:
    """What (L, ..., C) holds one time later; ``last`` after the end."""
    return jnp.concatenate([a[1:], _neighbour(a[0], jnp.full_like(a[0, ..., :1], last), True)[None]])


def scan(
    step: Callable[[Any, Any], tuple[Any, Any]],
    xs: Any,
    first: Any,
    anywhere: Any,
    differs: Callable[[Any, Any], jax.Array],
    *,
    reverse: bool = False,
) -> Any:
    """What ``jax.lax.scan`` puts out, over times in stretches.

    Args:
        step: of all stretches at a time: carry (..., C) and input to carry and output.
        xs: inputs, (L, ..., C).
        first: the carry before the first stretch, (..., 1).
        anywhere: a carry to guess from, (..., 1).
        differs: whether two carries, each (..., C), are not the same to within rounding.
        reverse: from the last time to the first.

    Returns:
        Outputs, (L, ..., C).
    """
    length, count = (jax.tree.leaves(xs)[0].shape[i] for i in (0, -1))
    if count == 1:
        return jax.lax.scan(step, first, xs, reverse=reverse)[1]

    def after(ends: Any) -> Any:
        return jax.tree.map(lambda a, b: _neighbour(a, b, reverse), ends, first)

    def go(state: tuple) -> tuple:
        passes, starts, _, _ = state
        ends, found = jax.lax.scan(step, starts, xs, reverse=reverse)
        return passes + 1, after(ends), starts, found

    def more(state: tuple) -> jax.Array:
        passes, now, before, _ = state
        return (passes == 0) | ((passes < count) & differs(now, before))

    run_up = min(max(_RUN_UP, length // 4), length)
    near = jax.tree.map(lambda a: a[:run_up] if reverse else a[-run_up:], xs)
    start = jax.tree.map(lambda a: jnp.broadcast_to(a, (*a.shape[:-1], count)), anywhere)
    guess = after(jax.lax.scan(step, start, near, reverse=reverse)[0])
    nothing = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), jax.eval_shape(go, (0, guess, guess, None))[3])
    return jax.lax.while_loop(more, go, (0, guess, guess, nothing))[3]


def _neighbour(a: jax.Array, first: jax.Array, reverse: bool) -> jax.Array:
    """Each stretch's (..., C) from the stretch next to it, the outermost from ``first``."""
    return jnp.concatenate([a[..., 1:], first] if reverse else [first, a[..., :-1]], axis=-1)
