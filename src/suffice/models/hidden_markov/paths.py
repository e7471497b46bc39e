"""Paths of the hidden chain: the most probable one, and draws. Arrays are laid out in stretches of time, (L, K, C)."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from suffice.models.hidden_markov import stretches
from suffice.models.hidden_markov.recursion import Chain

_UNROLLED = 32  # states up to which a maximum is written out
_AGREE = 64  # roundings by which logarithms may differ


def viterbi(chain: Chain) -> jax.Array:
    """The path of highest probability, (L, C)."""
    log_transition, log_initial = jnp.log(chain.transition), jnp.log(chain.initial)

    def forward(best: jax.Array, now: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        b, new = now
        value, before = _best_move(best, log_transition)
        before = jnp.where(new[None], jnp.argmax(best, axis=0).astype(before.dtype)[None], before)
        value = jnp.where(new[None], log_initial[:, None], value) + b
        top = value.max(0)
        return value - jnp.where(jnp.isfinite(top), top, 0.0)[None], before

    def differ(a: jax.Array, b: jax.Array) -> jax.Array:
        gap = jnp.where(a == b, 0.0, jnp.abs(a - b))
        return (gap > _AGREE * jnp.finfo(a.dtype).eps * jnp.maximum(jnp.abs(b), 1.0)).any()

    def back(state: jax.Array, before: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jnp.take_along_axis(before, state[None], axis=0)[0].astype(int), state

    nothing = jnp.zeros((len(log_initial), 1), chain.log_likelihood.dtype)
    before = stretches.scan(forward, (chain.log_likelihood, chain.fresh), nothing, nothing, differ)
    # the line ends with a time outside all sequences, from whose every state the path goes on to the best one
    return _states(back, before)


def draw(key: jax.Array, laws: jax.Array, chain: Chain) -> jax.Array:
    """One draw of the path given all values, from the filtered laws, (L, C)."""
    k = laws.shape[1]
    uniform = jax.random.uniform(key, chain.fresh.shape, laws.dtype)

    def step(after: jax.Array, now: tuple[jax.Array, ...]) -> tuple[jax.Array, jax.Array]:
        law, u, end = now
        weight = jnp.cumsum(law * jnp.where(end[None], 1.0, chain.transition[:, after]), axis=0)
        state = jnp.clip((weight <= u[None] * weight[-1:]).sum(0), 0, k - 1)
        return state, state

    return _states(step, (laws, uniform, chain.last))


def log_prob(chain: Chain, path: jax.Array) -> jax.Array:
    """log p(x, path)."""
    before = jnp.roll(stretches.in_line(path), 1)
    before = stretches.laid_out(before, path.shape[1])
    moved = jnp.where(chain.fresh, jnp.log(chain.initial)[path], jnp.log(chain.transition)[before, path])
    seen = jnp.take_along_axis(chain.log_likelihood, path[:, None], axis=1)[:, 0]
    return jnp.where(chain.inside, seen + moved, 0.0).sum()


def _states(step: Callable, xs: Any) -> jax.Array:
    """Back from the last time, a state for each, (L, C)."""
    anywhere = jnp.zeros(1, int)
    return stretches.scan(step, xs, anywhere, anywhere, lambda a, b: (a != b).any(), reverse=True)


def _best_move(best: jax.Array, log_transition: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Of all states before, the largest value of a move to each state, and which."""
    k = len(best)
    small = jnp.uint8 if k <= 256 else jnp.int32
    if k > _UNROLLED:
        each = best[:, None] + log_transition[:, :, None]
        return each.max(0), jnp.argmax(each, axis=0).astype(small)
    value, before = best[0][None] + log_transition[0][:, None], jnp.zeros(best.shape, small)
    for i in range(1, k):
        here = best[i][None] + log_transition[i][:, None]
        better = here > value
        value, before = jnp.where(better, here, value), jnp.where(better, jnp.asarray(i, small), before)
    return value, before
