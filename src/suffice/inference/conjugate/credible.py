"""Credible intervals of a number: with equal tails, or the shortest, in which the density is highest."""

from functools import partial
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions import generic

Kind = Literal["equal", "highest"]


def interval(p: Any, level: float, kind: Kind = "equal") -> tuple[float, float]:
    """An interval of probability ``level`` (discrete: at least) under one distribution of numbers.

    Raises:
        ValueError: a level not between 0 and 1, an unknown kind, or a region of highest density that is no interval.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must be between 0 and 1, got {level}")
    if kind not in get_args(Kind):
        raise ValueError(f"kind must be one of {', '.join(get_args(Kind))}, got {kind!r}")
    if kind == "equal":
        tail = 0.5 * (1.0 - level)
        return float(p.icdf(tail)), float(p.isf(tail))
    if p.discrete:
        return _highest_of_integers(p, level)
    low, high, dips = (float(v) for v in _highest(p, level))
    if dips:
        raise ValueError(f"{p!r} has its highest density at both ends of its support: that region is no interval")
    return low, high


@partial(jax.jit)
def _highest(p: Any, level: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Ends where the density is the same, by bisection on how much lies below the lower one.

    Of a density with one peak the difference of the log-densities at the ends of [icdf(t), isf(1 − level − t)] rises
    with t. Where it never vanishes, as for a density that only falls, the interval begins at the end of the support.
    """
    room = 1.0 - level

    def ends(t: jax.Array) -> tuple[jax.Array, jax.Array]:
        return p.icdf(t), p.isf(room - t)

    def rises(t: jax.Array) -> jax.Array:
        """Whether the upper end is the higher, so that the interval must move up."""
        low, high = ends(t)
        return p.log_prob(high) > p.log_prob(low)

    def halve(_: int, bracket: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        below, above = bracket
        middle = 0.5 * (below + above)
        up = rises(middle)
        return jnp.where(up, middle, below), jnp.where(up, above, middle)

    near, far = jax.lax.fori_loop(0, 60, halve, (jnp.zeros_like(room), room))
    share = jnp.where(near == 0.0, 0.0, jnp.where(far == room, room, 0.5 * (near + far)))
    low, high = ends(share)
    inner = p.log_prob(p.icdf(share + 0.5 * level))
    dips = inner < jnp.minimum(p.log_prob(low), p.log_prob(high)) - 1e-9
    return low, high, dips


def _highest_of_integers(p: Any, level: float) -> tuple[float, float]:
    """The fewest neighbouring integers of that probability: from the mode outwards, always to the likelier side."""
    low = high = float(generic.mode(p))
    mass = float(p.prob(low))
    while mass < level * (1.0 - 1e-12):
        below, above = np.asarray(p.prob(jnp.asarray([low - 1.0, high + 1.0])))
        low, high = (low - 1.0, high) if below >= above else (low, high + 1.0)
        mass += float(max(below, above))
        if below == above == 0.0:
            break
    return low, high
