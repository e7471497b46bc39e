"""The distribution function without a family: Kaplan and Meier's estimate, and Turnbull's for any censoring."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from suffice.inference.intervals.from_likelihood import normal_quantile
from suffice.streams import Data
from suffice.streams.intervals import LEFT, LOWER, RIGHT, UPPER, is_exact, is_truncated

_MOST_STEPS = 5_000
_EXACT = 1e-9  # change of any mass, at which the steps end


@dataclass(frozen=True)
class NonparametricEstimate:
    """Masses on a row of intervals (left, right], where the likelihood of censored data puts them.

    Attributes:
        left, right: ends of the intervals, equal for points, (m,).
        mass: probabilities, (m,); what is missing from 1 lies beyond all that was seen.
        method: "kaplan-meier" or "turnbull".
        lower, upper: 95 % confidence band of the distribution function at ``right``, (m,); NaN for Turnbull's.
        converged: whether the masses moved no more.
    """

    left: np.ndarray
    right: np.ndarray
    mass: np.ndarray
    method: str
    lower: np.ndarray
    upper: np.ndarray
    converged: bool = True

    def cdf(self, x: Any) -> np.ndarray:
        """P(X <= x), at its least where x lies inside an interval, (...)."""
        place = np.searchsorted(self.right, np.asarray(x, float), side="right")
        return np.concatenate([[0.0], np.cumsum(self.mass)])[place]

    def sf(self, x: Any) -> np.ndarray:
        """P(X > x) = 1 − ``cdf``: what has not happened by x."""
        return 1.0 - self.cdf(x)

    @property
    def middle(self) -> np.ndarray:
        """A point for each interval: its middle, or the end that is finite."""
        low = np.where(np.isfinite(self.left), self.left, self.right)
        high = np.where(np.isfinite(self.right), self.right, self.left)
        return low + (high - low) / 2.0


def distribution_function(data: Any, weights: Any = None, *, level: float = 0.95) -> NonparametricEstimate:
    """Nonparametric maximum-likelihood estimate of the distribution function of data censored and truncated in any way.

    Values known or right-censored, perhaps truncated on the left: Kaplan and Meier's F = 1 − Π (1 − d_j/n_j) over events
    d_j among those at risk n_j, with Greenwood's band on the scale of log(−log S). Anything else: Turnbull's masses on the
    innermost intervals, by the EM algorithm.

    Args:
        data: ``sf.Data``, or values as an array.
        weights: frequencies, for an array.
        level: of the pointwise band.

    Source: Kaplan and Meier (1958), Turnbull (1976).

    Example:
        >>> import suffice as sf
        >>> f = sf.distribution_function(sf.Data.lifetimes([2.0, 3.0, 5.0, 7.0], [1, 0, 1, 1]))
        >>> f.sf([2.0, 5.0]).round(4).tolist()
        [0.75, 0.375]
    """
    normal_quantile(level)  # checks it
    given = data if isinstance(data, Data) else Data(data, weights)
    return of_rows(given.rows, given.weights, level)


def of_rows(rows: np.ndarray, weights: np.ndarray | None, level: float = 0.95) -> NonparametricEstimate:
    """The same for rows (left, right, lower, upper)."""
    rows, place = np.unique(rows, axis=0, return_inverse=True)
    w = np.bincount(place.ravel(), weights, minlength=len(rows)).astype(float)
    right_only = (is_exact(rows) | (rows[:, RIGHT] == np.inf)) & (rows[:, UPPER] == np.inf)
    return _kaplan_meier(rows, w, level) if right_only.all() and is_exact(rows).any() else _turnbull(rows, w)


def _kaplan_meier(rows: np.ndarray, w: np.ndarray, level: float) -> NonparametricEstimate:
    events = is_exact(rows)
    times, place = np.unique(rows[events, LEFT], return_inverse=True)
    d = np.bincount(place, w[events])
    # at risk: entered before, and not gone before; those censored at a time are still at risk at it
    order, entry = np.sort(rows[:, LEFT]), np.sort(rows[:, LOWER])
    gone = np.concatenate([[0.0], np.cumsum(w[np.argsort(rows[:, LEFT])])])[np.searchsorted(order, times)]
    come = np.concatenate([[0.0], np.cumsum(w[np.argsort(rows[:, LOWER])])])[np.searchsorted(entry, times)]
    n = come - gone
    survival = np.cumprod(1.0 - d / n)
    before = np.concatenate([[1.0], survival[:-1]])
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(np.cumsum(d / (n * (n - d)))) / np.abs(np.log(survival))
        reach = np.exp(normal_quantile(level) * spread)
        low, high = survival**reach, survival ** (1.0 / reach)
    return NonparametricEstimate(times, times, before - survival, "kaplan-meier", 1.0 - high, 1.0 - low)


def _turnbull(rows: np.ndarray, w: np.ndarray) -> NonparametricEstimate:
    left, right = _innermost(rows)
    inside = _holds(rows[:, LEFT], rows[:, RIGHT], is_exact(rows), left, right)
    truncated = bool(is_truncated(rows).any())
    seen = unseen = np.zeros((0, 0))
    if truncated:
        seen = _holds(rows[:, LOWER], rows[:, UPPER], np.zeros(len(rows), bool), left, right)
        unseen = 1.0 - seen
    mass, moved = np.full(left.shape[0], 1.0 / left.shape[0]), np.inf
    for _ in range(_MOST_STEPS):
        expected = (w / (inside @ mass)) @ inside
        if truncated:  # and of those that were not seen, as many as there must be
            expected = expected + (w / (seen @ mass)) @ unseen
        new = mass * expected
        new /= new.sum()
        moved, mass = float(np.abs(new - mass).max()), new
        if moved < _EXACT:
            break
    unknown = np.full(len(mass), np.nan)
    return NonparametricEstimate(left[:, 0], right[:, 0], mass, "turnbull", unknown, unknown, moved < _EXACT)


def _innermost(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intervals (left, right] between a left end and the right end that follows it next, as (value, order), (m, 2).

    Ends at one value come in the order: just below it, where a known value begins; at it, where intervals end; just
    above it, where others begin.
    """
    exact = is_exact(rows)
    starts = np.stack([rows[:, LEFT], np.where(exact, 0.0, 2.0)], 1)
    ends = np.stack([rows[:, RIGHT], np.ones(len(rows))], 1)
    both = np.concatenate([starts, ends])
    kind = np.repeat([0, 1], len(rows))
    order = np.lexsort((both[:, 1], both[:, 0]))
    both, kind = both[order], kind[order]
    at = np.flatnonzero((kind[:-1] == 0) & (kind[1:] == 1))
    return both[at], both[at + 1]


def _holds(low: np.ndarray, high: np.ndarray, exact: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Whether each interval (low, high] holds each innermost one, (n, m)."""
    order = np.where(exact, 0.0, 2.0)
    after = (low[:, None] < left[:, 0]) | ((low[:, None] == left[:, 0]) & (order[:, None] <= left[:, 1]))
    return (after & (right[:, 0] <= high[:, None])).astype(float)
