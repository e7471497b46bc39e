"""Fits of the triangular distribution: its peak is at an observation, and its ends follow by Newton's method."""

from typing import Any

import numpy as np

from suffice.distributions.family import Family
from suffice.inference.likelihood import log_likelihood
from suffice.inference.observations import Memory, Observations
from suffice.inference.search import climb
from suffice.numerics.newton import CONVERGED
from suffice.runtime.errors import DataError

_STARTS = 9
_MOST_ROUNDS = 50


def fit_peak(family: Family, data: Observations) -> tuple[Any, float, int]:
    """The best member, its log-likelihood and how the search ended.

    Given the ends, every observation is tried as the peak; given the peak, Newton's method finds the ends; in turns,
    from several peaks, until the peak stays (Kotz and van Dorp, Beyond Beta, 2004, ch. 1).
    """
    if not isinstance(data, Memory) or not data.is_plain:
        raise DataError(f"{family.name} is fitted to known values in memory only: its likelihood has a kink at each")
    x, place = np.unique(np.asarray(data.values, float), return_inverse=True)
    w = np.bincount(place, data.weights)
    x, w = x[w > 0], w[w > 0]
    starts = [float(family.member.peak)]
    if ("peak",) in family.free:
        starts = np.unique(np.quantile(x, np.linspace(0.0, 1.0, _STARTS), method="nearest")).tolist()
    return max((_in_turns(family, data, x, w, peak) for peak in starts), key=lambda found: found[1])


def _in_turns(family: Family, data: Memory, x: np.ndarray, w: np.ndarray, peak: float) -> tuple[Any, float, int]:
    p, value, status = _best_ends(family, data, x, peak)
    for _ in range(_MOST_ROUNDS):
        if ("peak",) not in family.free or (peak := p._best_peak(x, w)) == p.peak:
            break
        p, value, status = _best_ends(family, data, x, peak)
    return p, value, status


def _best_ends(family: Family, data: Memory, x: np.ndarray, peak: float) -> tuple[Any, float, int]:
    """The best ends for a peak: the peak itself where no observation lies beyond it."""
    margin = np.ptp(x) / np.sqrt(len(x))
    start = {"peak": peak, "low": min(x[0] - margin, peak), "high": max(x[-1] + margin, peak)}
    ends = {name for name, beyond in (("low", peak <= x[0]), ("high", peak >= x[-1])) if beyond}
    q = family.with_values(start | dict.fromkeys(ends, peak))
    rest = Family(q, tuple(path for path in family.free if path[-1] not in {"peak", *ends}))
    if not rest.free:
        return q, float(data.fold(lambda blocks: log_likelihood(q, blocks))), CONVERGED
    ((state, _),) = climb([rest], [rest.vector(q, np)], data)
    return rest.build(state.point), float(state.value), int(state.status)
