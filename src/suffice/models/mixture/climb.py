"""EM as a climb: steps that never fall, made longer by SQUAREM, for several runs side by side.

An evaluation at a point gives the log-likelihood there and the image of the point under one step of EM. Every second
step is extrapolated from the last two (Varadhan and Roland 2008, doi:10.1111/j.1467-9469.2007.00585.x) and kept only if
the log-likelihood did not fall; else the plain step is taken, which cannot fall. Where the M-step is itself a step of
Newton's method, which may be too long, it is halved until it does not fall.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import jax
import numpy as np

from suffice.numerics.newton import CONVERGED, DEGENERATE, EXHAUSTED, RUNNING, STALLED

SLACK = 1e-12  # of a log-likelihood and the count together, which rounding may take
_NEAR_GAIN = 1e-2  # of log-likelihood for each observation: steps are extrapolated once they gain less
_HALVINGS = 40
_FLOOR = 1e-13
_LOOKS = 3  # at pairs of plain steps before a climb may end

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


def check_settings(starts: int, tolerance: float, most: int) -> None:
    """Refuse settings of a climb with which there is none."""
    if starts < 1:
        raise ValueError(f"starts must be >= 1, got {starts}")
    if not tolerance > 0.0:
        raise ValueError(f"tolerance must be > 0, got {tolerance}")
    if most < 1:
        raise ValueError(f"max_iterations must be >= 1, got {most}")


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
        accelerate: whether steps are extrapolated.
        gain: end as well where a step gains less log-likelihood than this for each observation.
    """
    accelerate = accelerate and model.accelerates
    runs = len(start.log_weights)
    trial, best, image = start, start, start
    values, logs = np.full(runs, -np.inf), np.full(runs, -np.inf)
    status, halvings = np.full(runs, RUNNING), np.zeros(runs, int)
    plain, leap, errors = np.zeros(runs, bool), np.zeros(runs, bool), np.full(runs, np.inf)
    longest, slowest, looks = np.full(runs, 4.0), np.ones(runs), np.zeros(runs, int)
    point = model.vector(start)
    traces: list[list[float]] = [[] for _ in range(runs)]
    evaluations = 0
    while evaluations < most and np.any(status == RUNNING):
        e = evaluate(trial)
        evaluations += 1
        running = status == RUNNING
        value = e.log_likelihood + model.penalty(trial)
        slack = SLACK * (np.abs(value) + count)
        accepted = running & np.isfinite(value) & ((value >= values - slack) | (values == -np.inf))
        with np.errstate(invalid="ignore"):
            gained = np.where(accepted, value - values, np.inf)
        here = model.vector(trial)
        fresh = model.maximise(trial, e)
        best, image = _chosen(accepted, trial, best), _chosen(accepted, fresh, image)
        values, logs = np.where(accepted, value, values), np.where(accepted, e.log_likelihood, logs)
        for i in np.flatnonzero(accepted):
            traces[i].append(float(value[i]))
        onwards = model.vector(image)
        here = np.where(accepted[:, None], here, point)
        step = _steady(onwards - here)
        last = _steady(here - point)
        size = np.abs(step).max(1)
        # the distance from the limit, from the ratio of two plain steps
        with np.errstate(all="ignore"):
            ratio = np.linalg.norm(step, axis=1) / np.linalg.norm(last, axis=1)
            stretch = np.linalg.norm(last, axis=1) / np.linalg.norm(step - last, axis=1)
        stretch = np.where(np.isfinite(stretch), np.maximum(stretch, 1.0), 1.0)
        known = accepted & plain
        # a leap hides the slowest mode for a step or two, so its rate is remembered
        slowest = np.where(known & (ratio < 1.0), np.maximum(slowest, stretch), slowest)
        looks += known
        far_off = np.where(accepted, np.inf, errors)
        errors = np.where(known & (ratio < 1.0), size * slowest, far_off)
        done = running & accepted & ((known & (looks >= _LOOKS) & (errors <= tolerance)) | (size <= _FLOOR))
        done |= running & accepted & plain & (gained < gain * count) & (gain > 0.0)
        collapsed = running & (~model.sound(image).all(1) | (~np.isfinite(value) & (values == -np.inf)))
        stuck = running & ~accepted & ~leap & (halvings >= _HALVINGS)
        status = np.where(collapsed, DEGENERATE, np.where(done, CONVERGED, np.where(stuck, STALLED, status)))

        # where to look next: the plain image, an extrapolation, or half the step that fell
        rejected_leap, rejected_step = running & ~accepted & leap, running & ~accepted & ~leap
        halvings = np.where(rejected_step, halvings + 1, 0)
        longest = np.where(rejected_leap, np.maximum(longest / 4.0, 1.0), longest)
        near = np.abs(gained) < _NEAR_GAIN * count
        jump = accepted & plain & near & accelerate & (stretch > 1.01)
        length = np.minimum(stretch, longest)
        longest = np.where(jump & (stretch > longest), longest * 4.0, longest)
        target = onwards.copy()
        far = point + 2.0 * length[:, None] * last + (length**2)[:, None] * (step - last)
        target = np.where(jump[:, None], far, target)
        half = here + 0.5 ** halvings[:, None] * (onwards - here)
        target = np.where((rejected_step & (halvings > 0))[:, None], half, target)
        moved = jump | (rejected_step & (halvings > 0))
        trial = image
        if moved.any():
            with np.errstate(all="ignore"):
                trial = _chosen(moved, model.build(target, image), image)
        point = here
        plain, leap = running & ~jump & (accepted | rejected_leap), jump
    status = np.where(status == RUNNING, EXHAUSTED, status)
    return Climb(best, values, logs, status, traces, evaluations)


def first_that_stands(begins: Sequence[Any], go: Callable[[Any], Climb]) -> Climb | None:
    """The climb from the first start that does not collapse, or else from the first that has a likelihood, if any has.

    Args:
        begins: parameters of one run each, best first.
        go: the climb from one of them.
    """
    found = None
    for begin in begins:
        end = go(begin)
        stands = end.status[0] != DEGENERATE
        if np.isfinite(end.values[0]) and (stands or found is None):
            found = end
            if stands:
                break
    return found


def _steady(v: np.ndarray) -> np.ndarray:
    """Differences, 0 where infinities or what is not a number came in."""
    return np.where(np.isfinite(v), v, 0.0)


def _chosen(which: np.ndarray, new: Any, old: Any) -> Any:
    """The new parameters in the runs where ``which``, the old ones elsewhere."""
    if which.all():
        return new
    return jax.tree.map(lambda a, b: np.where(which.reshape(-1, *(1,) * (a.ndim - 1)), a, b), new, old)
