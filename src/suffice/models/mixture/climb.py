"""EM as a climb: steps that never fall, made longer, for several runs side by side.

An evaluation at a point gives the log-likelihood there and the image of the point under one step of EM. Far from a maximum
every second step is stretched by how the last two compare: SQUAREM (Varadhan and Roland 2008,
doi:10.1111/j.1467-9469.2007.00585.x). Near it all that the last steps told of how steps change is put together, and the climb
looks where they would vanish: Anderson's mixing (for EM, Henderson and Varadhan 2019, doi:10.1080/10618600.2019.1594835). A
lengthened step is kept only if the log-likelihood did not fall; else the plain one is taken, which cannot fall. Where the
M-step is itself a step of Newton's method, which may be too long, it is halved until it does not fall.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import jax
import numpy as np

from suffice.models.mixture.memory import Memory
from suffice.numerics.newton import CONVERGED, DEGENERATE, EXHAUSTED, RUNNING, STALLED

SLACK = 1e-12  # of a log-likelihood and the count together, which rounding may take
# Gains of log-likelihood for each observation, below which steps are lengthened. Mixing looks for where steps vanish, so far
# from a maximum it would end at saddles and at maxima that are lower.
_STRETCHED, _MIXED = 1e-2, 1e-8
_WARY = 4  # points without mixing after one that fell, as at a saddle, from which stretched steps lead away
_HALVINGS = 40
_FLOOR = 1e-13
_LOOKS = 3  # that have to find the limit near before a climb may end
_FLAT, _STILL = 2, 30  # points in a row that gain too little to go on, and that lengthened steps found no higher
_TRIED = 4  # starts from which a climb may go on, where the ones before collapse

Evaluate = Callable[[Any], Any]  # the log-likelihoods of parameters, and what their M-step needs


class Climbable(Protocol):
    """What is climbed: parameters are named tuples of arrays with runs in front, that have ``run`` and ``log_weights``."""

    @property
    def accelerates(self) -> bool:
        """Whether coordinates can be extrapolated."""
        ...

    def maximise(self, p: Any, e: Any) -> Any:
        """The M-step, from what ``evaluate`` gave."""
        ...

    def penalty(self, p: Any) -> np.ndarray:
        """Logarithm of the prior, (R,)."""
        ...

    def vector(self, p: Any) -> np.ndarray:
        """Unconstrained coordinates, (R, m)."""
        ...

    def build(self, v: np.ndarray, like: Any) -> Any:
        """The inverse of ``vector``."""
        ...

    def sound(self, p: Any) -> np.ndarray:
        """Whether components have not collapsed, (R, K)."""
        ...


@dataclass
class Climb:
    """Where runs ended.

    Attributes:
        params: of the best point of each run.
        values: objective there: log-likelihood and log prior, (R,).
        log_likelihoods: (R,).
        status: codes, (R,).
        traces: objective at every point accepted, by run.
        evaluations: passes over the data.
    """

    params: Any
    values: np.ndarray
    log_likelihoods: np.ndarray
    status: np.ndarray
    traces: list[list[float]]
    evaluations: int


def check_settings(starts: int, tolerance: float, most: int, prior: float = 0.0) -> None:
    """Refuse settings of a climb with which there is none."""
    if starts < 1:
        raise ValueError(f"starts must be >= 1, got {starts}")
    if not tolerance > 0.0:
        raise ValueError(f"tolerance must be > 0, got {tolerance}")
    if most < 1:
        raise ValueError(f"max_iterations must be >= 1, got {most}")
    if not 0.0 <= prior < np.inf:
        raise ValueError(f"prior must be a number of pseudo-observations >= 0, got {prior}")


def climb(
    model: Climbable,
    evaluate: Evaluate,
    start: Any,
    count: Any,
    *,
    most: int,
    tolerance: float,
    accelerate: bool = True,
    gain: float = 0.0,
) -> Climb:
    """Climb from each start.

    Args:
        evaluate: the E-step, one pass over the data.
        count: number of observations, by run or of all.
        most: evaluations at most.
        tolerance: largest distance from the limit, in coordinates of ``Model.vector``, as the last steps tell it.
        accelerate: whether steps are lengthened.
        gain: end as well where two steps each gain less log-likelihood than this for each observation.
    """
    accelerate = accelerate and model.accelerates
    runs = len(start.log_weights)
    trial, best, image = start, start, start
    values, logs = np.full(runs, -np.inf), np.full(runs, -np.inf)
    status, halvings, leap = np.full(runs, RUNNING), np.zeros(runs, int), np.zeros(runs, bool)
    near, flat, still = (np.zeros(runs, int) for _ in range(3))  # points in a row
    mixed, wait = np.zeros(runs, bool), np.zeros(runs, int)
    plain, longest = np.zeros(runs, bool), np.full(runs, 4.0)
    here = model.vector(start)
    step, memory = np.zeros_like(here), Memory.empty(*here.shape)
    traces: list[list[float]] = [[] for _ in range(runs)]
    evaluations = 0
    while evaluations < most and np.any(status == RUNNING):
        e = evaluate(trial)
        evaluations += 1
        running, first = status == RUNNING, values == -np.inf
        value = e.log_likelihood + model.penalty(trial)
        slack = SLACK * (np.abs(value) + count)
        accepted = running & np.isfinite(value) & ((value >= values - slack) | first)
        with np.errstate(invalid="ignore"):
            gained = np.where(accepted, value - values, np.inf)
        point, fresh = model.vector(trial), model.maximise(trial, e)
        best, image = _chosen(accepted, trial, best), _chosen(accepted, fresh, image)
        values, logs = np.where(accepted, value, values), np.where(accepted, e.log_likelihood, logs)
        for i in np.flatnonzero(accepted):
            traces[i].append(float(value[i]))

        rejected_leap, rejected_step = running & ~accepted & leap, running & ~accepted & ~leap
        ahead = _way(point, model.vector(image))
        memory.add(accepted & ~first, _way(here, point), ahead - step)
        memory.forget(rejected_leap)
        here, step = (np.where(accepted[:, None], a, b) for a, b in ((point, here), (ahead, step)))
        onwards, stretch, size = memory.to_limit(step), memory.stretch(), np.abs(step).max(1)
        reach = np.maximum(np.abs(onwards).max(1), stretch * size)

        near = _in_a_row(near, accepted, memory.known & (reach <= tolerance))
        flat = _in_a_row(flat, accepted, (gain > 0.0) & (gained < gain * count))
        still = _in_a_row(still, accepted, leap & (gained <= slack))
        there = (near >= _LOOKS) | (flat >= _FLAT) | (still >= _STILL) | (size <= _FLOOR)
        collapsed = running & (~model.sound(image).all(1) | (~np.isfinite(value) & first))
        stuck = rejected_step & (halvings >= _HALVINGS)
        status = np.where(accepted & there, CONVERGED, np.where(stuck, STALLED, status))
        status = np.where(collapsed, DEGENERATE, status)

        # where to look next: the plain image, where steps would end, or half the step that fell
        halvings = np.where(rejected_step, halvings + 1, 0)
        longest = np.where(rejected_leap & ~mixed, np.maximum(longest / 4.0, 1.0), longest)
        wait = np.where(rejected_leap & mixed, _WARY, np.where(accepted, np.maximum(wait - 1, 0), wait))
        mix = accepted & memory.known & (np.abs(gained) < _MIXED * count) & (wait == 0)
        jump = accepted & plain & memory.known & (np.abs(gained) < _STRETCHED * count) & (stretch > 1.01) & ~mix
        length = np.minimum(stretch, longest)
        longest = np.where(jump & (stretch > longest), longest * 4.0, longest)
        target = here + 0.5 ** halvings[:, None] * step
        target = np.where(jump[:, None], here + memory.stretched(length), target)
        target = np.where(mix[:, None], here + onwards, target)
        leap, mixed = (mix | jump) & accelerate, mix
        plain = running & ~leap & ~rejected_step
        trial, moved = image, leap | rejected_step
        if moved.any():
            with np.errstate(all="ignore"):
                trial = _chosen(moved, model.build(target, image), image)
        trial = _chosen(status == RUNNING, trial, best)  # the images of runs that collapsed are slow to evaluate
    status = np.where(status == RUNNING, EXHAUSTED, status)
    return Climb(best, values, logs, status, traces, evaluations)


def first_that_stands(begins: Sequence[Any], go: Callable[[Any], Climb]) -> Climb | None:
    """The climb from the first start that does not collapse, or else from the first that has a likelihood, if any has.

    Args:
        begins: parameters of one run each, best first, of which the first few are tried.
        go: the climb from one of them.
    """
    found = None
    for begin in begins[:_TRIED]:
        end = go(begin)
        stands = end.status[0] != DEGENERATE
        if np.isfinite(end.values[0]) and (stands or found is None):
            found = end
            if stands:
                break
    return found


def _in_a_row(before: np.ndarray, accepted: np.ndarray, holds: Any) -> np.ndarray:
    """At how many accepted points up to now it held without a break."""
    return np.where(accepted, np.where(holds, before + 1, 0), before)


def _way(here: np.ndarray, there: np.ndarray) -> np.ndarray:
    """From one point to the other; 0 in coordinates that are infinite or no number in either."""
    with np.errstate(invalid="ignore"):
        way = there - here
    return np.where(np.isfinite(way), way, 0.0)


def _chosen(which: np.ndarray, new: Any, old: Any) -> Any:
    """The new parameters in the runs where ``which``, the old ones elsewhere."""
    if which.all():
        return new
    return jax.tree.map(lambda a, b: np.where(which.reshape(-1, *(1,) * (a.ndim - 1)), a, b), new, old)
