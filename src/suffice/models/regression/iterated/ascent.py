"""Climbing a likelihood by proposed steps, one reading of the data for each."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

STEPS = 200


class Proposal(NamedTuple):
    """A step from some point, and its length in standard errors."""

    step: np.ndarray
    size: float


class Ascent(NamedTuple):
    """Where a search ended."""

    point: np.ndarray
    likelihood: float
    found: Any
    converged: bool
    steps: int


def ascend(
    read: Callable, propose: Callable, point: np.ndarray, ended: Callable[[np.ndarray, np.ndarray], bool]
) -> Ascent:
    """Steps of ``propose``, halved while they would lose likelihood.

    Args:
        read: from a point to its log-likelihood and what ``propose`` needs.
        propose: from that and the point to a step.
        point: the start.
        ended: whether the search runs away at a point, of it and the last step.
    """
    likelihood, found = read(point)
    last = np.inf
    for step in range(1, STEPS + 1):
        move, size = propose(found, point)
        part, tried = 1.0, read(point + move)
        while not tried[0] >= likelihood - 1e-12 * abs(likelihood) and part > 1e-6:
            part *= 0.5
            tried = read(point + part * move)
        point, (likelihood, found), size = point + part * move, tried, part * size
        if ended(point, part * move):
            return Ascent(point, likelihood, found, False, step)
        if step > 1 and (size < 1e-12 or (size < 1e-8 and size > 0.5 * last)):
            return Ascent(point, likelihood, found, True, step)
        last = size
    return Ascent(point, likelihood, found, False, STEPS)
