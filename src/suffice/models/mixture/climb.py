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

from suffice.numerics.newton import CONVERGED, DEGENERATE, EXHAUSTED, RUNNING, STALLED

SLACK = 1e-12  # of a log-likelihood and the count together, which rounding may take
# Gains of log-likelihood for each observation, below which steps are lengthened. Mixing looks for where steps vanish, so far
# from a maximum it would end at saddles and at maxima that are lower.
_STRETCHED, _MIXED = 1e-2, 1e-8
_REMEMBERED = 10  # steps
_INDEPENDENT = 1e-10  # of changes of steps relative to the largest, below which they tell nothing new
_HALVINGS = 40
_FLOOR = 1e-13
_LOOKS = 3  # that have to find the limit near before a climb may end
_FLAT, _STILL = 2, 30  # points in a row at which the log-likelihood rose too little to go on, or not at all

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


@dataclass
class Memory:
    """How steps changed from point to point, of each run.

    Attributes:
        moves: from point to point, (R, remembered, m); 0 where nothing is known.
        changes: of the step between the same points.
        number: how many are known, (R,).
    """

    moves: np.ndarray
    changes: np.ndarray
    number: np.ndarray

    @classmethod
    def empty(cls, runs: int, m: int) -> "Memory":
        shape = runs, min(_REMEMBERED, max(m, 1)), m
        return cls(np.zeros(shape), np.zeros(shape), np.zeros(runs, int))

    @property
    def known(self) -> np.ndarray:
        """Whether steps have told anything."""
        return self.number > 0

    def add(self, which: np.ndarray, move: np.ndarray, change: np.ndarray) -> None:
        """The newest in place of the oldest, in some of the runs."""
        for held, new in ((self.moves, move), (self.changes, change)):
            held[which] = np.concatenate([held[which, 1:], new[which, None]], axis=1)
        self.number = np.minimum(self.number + which, self.moves.shape[1])

    def forget(self, which: np.ndarray) -> None:
        """All of some runs."""
        self.moves[which], self.changes[which], self.number[which] = 0.0, 0.0, 0

    def stretch(self) -> np.ndarray:
        """How many times the last move."""
        with np.errstate(all="ignore"):
            stretch = np.linalg.norm(self.moves[:, -1], axis=1) / np.linalg.norm(self.changes[:, -1], axis=1)
        return np.where(np.isfinite(stretch), np.maximum(stretch, 1.0), 1.0)

    def squared(self, length: np.ndarray) -> np.ndarray:
        """2 a r + a² v from before the last move."""
        a, r, v = length[:, None], self.moves[:, -1], self.changes[:, -1]
        return (2.0 * a - 1.0) * r + a**2 * v

    def to_limit(self, step: np.ndarray) -> np.ndarray:
        """From the points to where steps, now (R, m), would be 0, as far as they are known to change; else the steps."""
        size = np.linalg.norm(self.changes, axis=2, keepdims=True)
        unit = np.where(size > 0, size, 1.0)
        changes, moves = self.changes / unit, self.moves / unit
        share = np.linalg.pinv(np.swapaxes(changes, 1, 2), rcond=_INDEPENDENT) @ step[:, :, None]
        return step - (share * (moves + changes)).sum(1)


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
        accelerate: whether steps are lengthened.
        gain: end as well where two steps each gain less log-likelihood than this for each observation.
    """
    accelerate = accelerate and model.accelerates
    runs = len(start.log_weights)
    trial, best, image = start, start, start
    values, logs = np.full(runs, -np.inf), np.full(runs, -np.inf)
    status, halvings, leap = np.full(runs, RUNNING), np.zeros(runs, int), np.zeros(runs, bool)
    near, flat, still = (np.zeros(runs, int) for _ in range(3))  # points in a row
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
        ahead = _steady(model.vector(image) - point)
        memory.add(accepted & ~first, _steady(point - here), ahead - step)
        memory.forget(rejected_leap)
        here, step = (np.where(accepted[:, None], a, b) for a, b in ((point, here), (ahead, step)))
        onwards = memory.to_limit(step)
        reach = np.abs(onwards).max(1)

        def in_a_row(before: np.ndarray, holds: np.ndarray, accepted: np.ndarray = accepted) -> np.ndarray:
            return np.where(accepted, np.where(holds, before + 1, 0), before)

        near, flat = in_a_row(near, memory.known & (reach <= tolerance)), in_a_row(flat, gained < gain * count)
        still = in_a_row(still, gained <= slack)
        there = (near >= _LOOKS) | (flat >= _FLAT) | (still >= _STILL) | (np.abs(step).max(1) <= _FLOOR)
        collapsed = running & (~model.sound(image).all(1) | (~np.isfinite(value) & first))
        stuck = rejected_step & (halvings >= _HALVINGS)
        status = np.where(accepted & there, CONVERGED, np.where(stuck, STALLED, status))
        status = np.where(collapsed, DEGENERATE, status)

        # where to look next: the plain image, where steps would end, or half the step that fell
        halvings = np.where(rejected_step, halvings + 1, 0)
        longest = np.where(rejected_leap, np.maximum(longest / 4.0, 1.0), longest)
        mix = accepted & memory.known & (np.abs(gained) < _MIXED * count)
        stretch = memory.stretch()
        jump = accepted & plain & memory.known & (np.abs(gained) < _STRETCHED * count) & (stretch > 1.01) & ~mix
        length = np.minimum(stretch, longest)
        longest = np.where(jump & (stretch > longest), longest * 4.0, longest)
        target = here + 0.5 ** halvings[:, None] * step
        target = np.where(jump[:, None], here + memory.squared(length), target)
        target = np.where(mix[:, None], here + onwards, target)
        leap = (mix | jump) & accelerate
        plain = accepted & ~leap
        trial, moved = image, leap | rejected_step
        if moved.any():
            with np.errstate(all="ignore"):
                trial = _chosen(moved, model.build(target, image), image)
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
