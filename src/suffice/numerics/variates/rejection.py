"""Acceptance and rejection on vector machines: one pass over all elements, then a few lanes for the unlucky ones."""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from suffice.numerics.variates.blocks import flatten, in_blocks

_WORD = 32
_FEWEST_LANES = 512
_ELEMENTS_PER_LANE = 64

type Proposal = Callable[..., tuple[jax.Array, jax.Array]]


def accept_reject(
    key: jax.Array, shape: tuple[int, ...], propose: Proposal, *parameters: jax.Array, again: Proposal | None = None
) -> jax.Array:
    """One accepted proposal for every element of `shape`.

    `propose(key, shape, *parameters)` returns independent (values, accepted); parameters broadcast to the shape. Every
    element gets proposals of its own until its first acceptance, so its law depends on nobody else's luck. The first
    pass is full width. Its failures queue for a small number of lanes: a lane proposes for its element and takes the
    next from the queue as soon as that one is served. `again` replaces `propose` after the first pass.

    A proposal that is never accepted never ends: callers replace invalid parameters by valid ones first.
    """
    n, flat = math.prod(shape), flatten(shape, parameters)
    first, rest = jax.random.split(key)
    again = again or propose
    lanes = min(n, max(_FEWEST_LANES, n // _ELEMENTS_PER_LANE))
    if lanes == n:  # a lane for everyone
        kind = jax.eval_shape(lambda key, *p: again(key, (n,), *p)[0], first, *flat).dtype
        values, element = jnp.zeros(n, kind), jnp.arange(n, dtype=jnp.int32)
        if n == 0:
            return values.reshape(shape)
        queue = Queue.of(jnp.zeros(n, bool))
    else:
        values, accepted = in_blocks(propose, first, (n,), *flat)
        element = jnp.full(lanes, n, jnp.int32)
        queue = Queue.of(~accepted)

    def step(state):
        turn, taken, element, values = state
        idle = element == n
        place = taken + jnp.cumsum(idle, dtype=jnp.int32) - 1
        element = jnp.where(idle, queue.locate(place), element)
        own = [p if p.ndim == 0 else p.at[element].get(mode="clip") for p in flat]
        proposal, accepted = again(jax.random.fold_in(rest, turn), (lanes,), *own)
        values = values.at[jnp.where(accepted, element, n)].set(proposal, mode="drop")
        return turn + 1, place[-1] + 1, jnp.where(accepted, n, element), values

    def busy(state):
        return (state[1] < queue.pending) | jnp.any(state[2] < n)

    start = jnp.int32(0), jnp.int32(0), element, values
    return jax.lax.while_loop(busy, step, start)[3].reshape(shape)


class Queue(NamedTuple):
    """The elements that are pending, found by their place among them.

    Flags are packed into words: counting by words makes the sums short, and a place is found by bisection, first
    among the words, then among the bits of one word.
    """

    words: jax.Array
    ends: jax.Array  # pending elements up to the end of each word
    size: ArrayLike  # of all elements

    @classmethod
    def of(cls, pending: jax.Array) -> "Queue":
        n = pending.size
        flags = jnp.pad(pending, (0, -n % _WORD)).reshape(-1, _WORD).astype(jnp.uint32)
        words = (flags << jnp.arange(_WORD, dtype=jnp.uint32)[None]).sum(1, dtype=jnp.uint32)
        return cls(words, jnp.cumsum(jax.lax.population_count(words).astype(jnp.int32)), n)

    @property
    def pending(self) -> jax.Array:
        """How many there are."""
        return self.ends[-1]

    def locate(self, place: jax.Array) -> jax.Array:
        """Index of the place-th pending element, or the number of all elements if there is none."""
        words, ends = self.words, self.ends
        row = jnp.minimum(jnp.searchsorted(ends, place, side="right"), words.size - 1).astype(jnp.int32)
        word = words[row]
        count = jax.lax.population_count(word).astype(jnp.int32)
        rank = (place - (ends[row] - count)).astype(jnp.uint32)
        bit = jnp.zeros_like(row)
        for half in (16, 8, 4, 2, 1):
            below = jax.lax.population_count(word & ((1 << half) - 1))
            upper = rank >= below
            rank = jnp.where(upper, rank - below, rank)
            word = jnp.where(upper, word >> half, word)
            bit = jnp.where(upper, bit + half, bit)
        return jnp.where(place < ends[-1], row * _WORD + bit, self.size)
