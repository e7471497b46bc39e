"""Credible intervals of a number: with equal tails, or the shortest, in which the density is highest."""

from typing import Any, Literal, get_args

import jax.numpy as jnp
import numpy as np

Kind = Literal["equal", "highest"]
_HALVINGS = 50  # as far as doubles go
_TAIL = 1e-12  # probability left out on either side of the integers gone through


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
    return _highest(p, level)


def _highest(p: Any, level: float) -> tuple[float, float]:
    """Ends where the density is the same, by bisection on how much lies below the lower one.

    Of a density with one peak the difference of the log-densities at the ends of [icdf(t), isf(1 − level − t)] rises
    with t. Where it never vanishes, as for a density that only falls, the interval begins at the end of the support.
    """
    room = 1.0 - level
    near, far = 0.0, room
    for _ in range(_HALVINGS):
        middle = 0.5 * (near + far)
        up = p.log_prob(p.isf(room - middle)) > p.log_prob(p.icdf(middle))
        near, far = (middle, far) if up else (near, middle)
    share = 0.0 if near == 0.0 else room if far == room else 0.5 * (near + far)
    low, high = p.icdf(share), p.isf(room - share)
    if p.log_prob(p.icdf(share + 0.5 * level)) < min(p.log_prob(low), p.log_prob(high)) - 1e-9:
        raise ValueError(f"{p!r} has its highest density at both ends of its support: that region is no interval")
    return float(low), float(high)


def _highest_of_integers(p: Any, level: float) -> tuple[float, float]:
    """The fewest neighbouring integers of that probability, of equally many those with the most."""
    x = np.arange(float(p.icdf(_TAIL)), float(p.isf(_TAIL)) + 1.0)
    padded = np.arange(x[0], x[0] + float(1 << (len(x) - 1).bit_length()))  # few lengths, so few programs
    mass = np.asarray(p.prob(jnp.asarray(padded)))[: len(x)]
    below = np.concatenate([[0.0], np.cumsum(mass)])
    ends = np.searchsorted(below, below[:-1] + level * (1.0 - 1e-12))
    starts = np.flatnonzero(ends < len(below))
    width, held = ends[starts] - starts, below[ends[starts]] - below[starts]
    i = starts[np.lexsort((-held, width))[0]]
    inside, outside = mass[i : ends[i]], np.concatenate([mass[:i], mass[ends[i] :]])
    middle = inside[1:-1].min(initial=np.inf)  # of two peaks what lies between could be left out
    spare = middle < min(inside[0], inside[-1]) and inside.sum() - middle >= level
    if spare or inside.min() < outside.max(initial=0.0) * (1.0 - 1e-9):
        raise ValueError(f"{p!r} has its highest probabilities apart from each other: that region is no interval")
    return float(x[i]), float(x[ends[i] - 1])
