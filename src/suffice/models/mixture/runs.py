"""Runs of a climb, one after the other in one compiled program that serves any number of them."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

_SLOTS, _LIGHT = 32, 2**11  # numbers of runs are filled up to a multiple, where one has fewer numbers than that


def in_turn(work: Callable[[Any], Any], given: Any, runs: jax.Array) -> Any:
    """What is found for each of the first runs; for use in compiled code.

    Args:
        work: for one run, whose arrays and results have an axis of one in front.
        given: arrays with an axis of runs in front.
        runs: how many there are; what the arrays hold beyond is padding, and so in the result.
    """

    def of(run: Any) -> Any:
        return work(jax.tree.map(lambda a: jax.lax.dynamic_slice_in_dim(a, run, 1), given))

    def put(run: Any, found: Any) -> Any:
        return jax.tree.map(lambda a, b: jax.lax.dynamic_update_slice_in_dim(a, b, run, 0), found, of(run))

    slots = len(jax.tree.leaves(given)[0])
    each = jax.tree.map(lambda s: jnp.zeros((slots, *s.shape[1:]), s.dtype), jax.eval_shape(of, 0))
    return jax.lax.fori_loop(0, runs, put, each)


def of_runs(program: Callable[..., Any], given: Any, *others: Any, **settings: Any) -> Any:
    """What a compiled ``program(given, runs, *others)`` finds, with so much padding that few are compiled.

    Args:
        program: of arrays with an axis of runs in front, and how many there are, as for ``in_turn``.
        given: the arrays.
        others, settings: handed on.
    """
    leaves = jax.tree.leaves(given)
    runs = len(leaves[0])
    more = -runs % _SLOTS if sum(np.size(a) for a in leaves) <= _LIGHT * runs else 0
    if more:
        given = jax.tree.map(lambda a: np.concatenate([a, np.broadcast_to(a[:1], (more, *a.shape[1:]))]), given)
    found = jax.device_get(program(given, np.int64(runs), *others, **settings))
    return jax.tree.map(lambda a: a[:runs], found)
