"""The data as figures need them: distinct values with their frequencies, cut down before anything is drawn."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from suffice.inference.censored import Censored
from suffice.inference.npmle import NonparametricEstimate, of_rows
from suffice.inference.rank import Ranking

ROWS = 1_000  # censored observations drawn at most
POINTS = 384  # points drawn at most
BINS = 50  # bars aimed at, at most; rounding their width may double them
_PAD = 512


@dataclass(frozen=True)
class Empirical:
    """Distinct values in order, with frequencies: of all the data, or of a uniform sample of it.

    Attributes:
        values: distinct, increasing, (m,).
        weights: frequencies, (m,).
        tabulated: whether the values are integers that were fitted as such.
        sampled: whether this is a sample of the data.
        estimate: of censored data, the distribution function that the values and frequencies stand for.
    """

    values: np.ndarray
    weights: np.ndarray
    tabulated: bool
    sampled: bool
    estimate: NonparametricEstimate | None = None

    @classmethod
    def of(cls, ranking: Ranking) -> Self:
        """The table of integers where there is one, else the sample that was kept of the data."""
        survey = ranking.observations.survey
        if isinstance(ranking.observations, Censored):
            return cls._of_censored(ranking.observations)
        if ranking.rounding and survey.table.values is not None and survey.table.counts is not None:
            return cls(survey.table.values, survey.table.counts, True, False)
        values, place = np.unique(np.asarray(survey.sample.values, float), return_inverse=True)
        weights = np.bincount(place, survey.sample.weights, minlength=len(values)).astype(float)
        return cls(values, weights, False, survey.sample.seen > len(survey.sample.values))

    @classmethod
    def _of_censored(cls, data: Censored) -> Self:
        """The masses that Kaplan and Meier or Turnbull give; what lies beyond all that was seen is put at its end."""
        rows, w = data.rows[:ROWS], None if data.weights is None else data.weights[:ROWS]
        estimate = of_rows(rows, w)
        mass = estimate.mass.copy()
        mass[-1] += 1.0 - mass.sum()
        total = len(rows) if w is None else w.sum()
        kept = mass > 1e-12
        values, place = np.unique(estimate.middle[kept], return_inverse=True)
        weights = np.bincount(place, total * mass[kept])
        return cls(values, weights, False, len(data.rows) > ROWS or not data.in_memory, estimate)

    @cached_property
    def count(self) -> float:
        """Sum of the frequencies."""
        return float(self.weights.sum())

    @cached_property
    def middle(self) -> np.ndarray:
        """Share of the data below each value, and half of that at it."""
        return (np.cumsum(self.weights) - self.weights / 2.0) / self.count

    @cached_property
    def at_least(self) -> np.ndarray:
        """Share of the data at or above each value."""
        return np.cumsum(self.weights[::-1])[::-1] / self.count

    def quantile(self, q: float) -> float:
        """The smallest value with at least a share ``q`` of the data at or below it."""
        at = np.searchsorted(np.cumsum(self.weights), q * self.count * (1.0 - 1e-12))
        return float(self.values[min(at, len(self.values) - 1)])

    @cached_property
    def window(self) -> tuple[float, float]:
        """Where a histogram is drawn: all the data, or their bulk where a tail would flatten it."""
        low, high = float(self.values[0]), float(self.values[-1])
        lower, upper = self.quantile(0.25), self.quantile(0.75)
        spread = upper - lower or self.quantile(0.995) - self.quantile(0.005)
        if spread > 0.0 and lower - low > 9.0 * spread:
            low = lower - 6.0 * spread
        if spread > 0.0 and high - upper > 9.0 * spread:
            high = upper + 6.0 * spread
        return (np.floor(low), np.ceil(high)) if self.tabulated else (low, high)

    @property
    def heavy(self) -> bool:
        """Whether positive values reach far above their median, not much further below: logarithms show them best."""
        if not self.values[0] > 0:
            return False
        median = self.quantile(0.5)
        above = self.values[-1] / median
        return bool(above > 10.0 and median / self.values[0] < 10.0 * above)

    @cached_property
    def bins(self) -> np.ndarray:
        """Edges of a histogram of the window: Freedman and Diaconis's width, rounded to 1, 2 or 5 times a power of 10.

        Integers get bins of whole width with edges at k ± ½.
        """
        low, high = self.window
        spread = self.quantile(0.75) - self.quantile(0.25)
        if spread == 0.0:
            spread = (
                1.5 * float(np.sqrt(np.cov(self.values, fweights=None, aweights=self.weights))) if low < high else 1.0
            )
        width = _round_width(max(2.0 * spread / np.cbrt(self.count), (high - low) / BINS))
        if self.tabulated:
            width = max(1.0, width)
            low, high = low - 0.5, high + 0.5
            return low + width * np.arange(np.ceil((high - low) / width - 1e-9) + 1.0)
        first = np.floor(low / width + 1e-9)
        return width * (first + np.arange(max(1.0, np.ceil(high / width - 1e-9) - first) + 1.0))

    def shares(self) -> np.ndarray:
        """Share of the data in each bin."""
        return np.histogram(self.values, self.bins, weights=self.weights)[0] / self.count

    def beyond(self) -> tuple[float, float]:
        """Share of the data below the first bin and above the last."""
        below = float(self.weights[self.values < self.bins[0]].sum()) / self.count
        return below, float(self.weights[self.values > self.bins[-1]].sum()) / self.count

    def tail(self, most: int = POINTS) -> np.ndarray:
        """Places of values for a plot of the tail, spread evenly in the logarithm of ``at_least``."""
        if len(self.values) <= most:
            return np.arange(len(self.values))
        wanted = np.geomspace(self.at_least[-1], 1.0, most)
        return np.unique(
            len(self.values) - 1 - np.searchsorted(self.at_least[::-1], wanted).clip(0, len(self.values) - 1)
        )


def _round_width(width: float) -> float:
    power = 10.0 ** np.floor(np.log10(width))
    return float(power * max(step for step in (1.0, 2.0, 5.0, 10.0) if step * power <= 1.3 * width))


def spread_places(n: int, most: int = POINTS) -> np.ndarray:
    """At most ``most`` of n places in order, both tails whole and the middle evenly."""
    if n <= most:
        return np.arange(n)
    tail = np.arange(most // 8)
    return np.unique(np.concatenate([tail, np.linspace(0, n - 1, most - 2 * len(tail)).astype(int), n - 1 - tail]))


def evaluate(method: Callable[[Any], Any], x: Any) -> np.ndarray:
    """A method of a distribution at many points, in blocks of one size, so that it is compiled once."""
    x = np.atleast_1d(np.asarray(x, float))
    padded = np.pad(x, (0, -len(x) % _PAD), mode="edge").reshape(-1, _PAD)
    return np.concatenate([np.asarray(method(row), float) for row in padded])[: len(x)]


def masses(p: Any, edges: np.ndarray) -> np.ndarray:
    """Probability that a distribution puts between consecutive edges, exact in both tails."""
    below, above = evaluate(p.cdf, edges), evaluate(p.sf, edges)
    return np.where(below[:-1] < 0.5, np.diff(below), -np.diff(above))
