"""The exact weighted median of any number of values, and the mean distance from it, in one pass after a sample."""

from dataclasses import dataclass

import numpy as np

from suffice.inference.observations import Observations
from suffice.numerics.domain import real
from suffice.numerics.moments import quantiles
from suffice.streams import Chunk

_ROUNDING = 1e-12  # relative, of sums of weights


@dataclass(frozen=True)
class _Central:
    """Weight and first moment on either side of a bracket, and everything inside it."""

    below: np.ndarray  # weight, Σ w (lower − x)
    above: np.ndarray  # weight, Σ w (x − upper)
    values: np.ndarray
    weights: np.ndarray

    def __add__(self, other: "_Central") -> "_Central":
        return _Central(
            self.below + other.below,
            self.above + other.above,
            np.concatenate([self.values, other.values]),
            np.concatenate([self.weights, other.weights]),
        )


def median_and_deviation(data: Observations) -> tuple[float, float, float]:
    """Weighted median, mean absolute deviation from it, and total weight.

    A sample brackets the median; one pass then keeps the few values inside the bracket and sums what lies outside. In
    the rare case that the bracket missed, it is opened on that side and the pass repeated.
    """
    x, w = data.pilot(real)
    margin = 4.0 / np.sqrt(len(x))
    low, high = quantiles(x, w, (max(0.5 - margin, 0.0), min(0.5 + margin, 1.0)))

    while True:

        def look(chunk: Chunk, low: float = low, high: float = high) -> _Central:
            x = np.asarray(chunk.values, float)
            w = np.ones(len(x)) if chunk.weights is None else chunk.weights
            under, over = x < low, x > high
            inside = ~(under | over)
            below = np.array([w[under].sum(), (w[under] * (low - x[under])).sum()])
            above = np.array([w[over].sum(), (w[over] * (x[over] - high)).sum()])
            return _Central(below, above, x[inside], w[inside])

        c = data.fold_chunks(look)
        total = c.below[0] + c.above[0] + c.weights.sum()
        half = 0.5 * total * (1.0 - _ROUNDING)
        if c.below[0] >= half:
            low = data.survey.summary.minimum
        elif c.above[0] >= half:
            high = data.survey.summary.maximum
        else:
            break
    order = np.argsort(c.values, kind="stable")
    cumulated = c.below[0] + np.cumsum(c.weights[order])
    # the first to reach half the weight and the first to pass it: any point between them will do
    lower, upper = c.values[order[np.searchsorted(cumulated, 0.5 * total * np.array([1 - _ROUNDING, 1 + _ROUNDING]))]]
    median = lower + 0.5 * (upper - lower)
    outer = c.below[1] + c.below[0] * (median - low) + c.above[1] + c.above[0] * (high - median)
    inner = (c.weights * np.abs(c.values - median)).sum()
    return float(median), float((outer + inner) / total), float(total)
