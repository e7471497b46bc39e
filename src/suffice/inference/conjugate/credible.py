"""Credible intervals of a number: with equal tails, or the shortest, in which the density is highest."""

from typing import Any, Literal, get_args

import jax.numpy as jnp
import numpy as np

from suffice.distributions import generic

Kind = Literal["equal", "highest"]
_HALVINGS = 50  # as far as doubles go


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
