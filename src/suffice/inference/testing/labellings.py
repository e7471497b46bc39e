"""Statistics of two samples as functions of who belongs where: of many labellings of one pooled sample at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

type Measure = Callable[[np.ndarray], np.ndarray]  # labels, 1 where from x, (b, N) → statistics (b,)


@dataclass(frozen=True)
class Pooled:
    """Two samples of numbers in one order.

    Attributes:
        values: distinct values, (k,).
        ends: place from 0 of the last observation at or below each, (k,).
        ties: how many observations are at each, (k,).
        labels: 1 where an observation comes from x, (N,).
    """

    values: np.ndarray
    ends: np.ndarray
    ties: np.ndarray
    labels: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray) -> "Pooled":
        both = np.concatenate([x, y])
        order = np.argsort(both, kind="stable")
        values, ties = np.unique(both, return_counts=True)
        return cls(values, np.cumsum(ties) - 1, ties, (order < len(x)).astype(np.int64))

    def counts(self, labels: np.ndarray) -> np.ndarray:
        """How many of x are at or below each distinct value, (b, k)."""
        below = np.cumsum(labels, axis=1)
        return below if len(self.ends) == below.shape[1] else below[:, self.ends]

    def gaps(self, labels: np.ndarray) -> np.ndarray:
        """F − G at each distinct value, (b, k)."""
        n, whole = int(labels[0].sum()), labels.shape[1]
        return (whole * self.counts(labels) - n * (self.ends + 1)) / (n * (whole - n))


def kolmogorov_smirnov(pooled: Pooled) -> Measure:
    """D = sup |F − G|. Source: Smirnov (1939)."""
    return lambda labels: np.abs(pooled.gaps(labels)).max(1)


def cramer_von_mises(pooled: Pooled) -> Measure:
    """T = nm/N² Σ (F − G)² over all observations. Source: Anderson (1962), equation 2."""

    def measure(labels: np.ndarray) -> np.ndarray:
        n, whole = labels[0].sum(), labels.shape[1]
        return n * (whole - n) / whole**2 * (pooled.gaps(labels) ** 2 @ pooled.ties)

    return measure


def energy_on_the_line(pooled: Pooled) -> Measure:
    """2 ∫ (F − G)², which is the energy distance of numbers. Source: Székely and Rizzo (2013), equation 3.1."""
    steps = 2.0 * np.diff(pooled.values)
    return lambda labels: pooled.gaps(labels)[:, :-1] ** 2 @ steps


def anderson_darling(pooled: Pooled) -> Measure:
    """(A²_aN − 1)/σ_N of midranks. Source: Scholz and Stephens (1987), equations 7 and 4."""
    whole = float(pooled.ends[-1] + 1)
    middle = pooled.ends + 1 - pooled.ties / 2.0  # observations below, and half of those at a value
    spread = middle * (whole - middle) - whole * pooled.ties / 4.0
    some = spread > 0.0
    weight = np.where(some, pooled.ties / np.where(some, spread, 1.0), 0.0)

    def measure(labels: np.ndarray) -> np.ndarray:
        n = float(labels[0].sum())
        m = whole - n
        below = pooled.counts(labels)
        here = np.diff(below, axis=1, prepend=0)
        excess = whole * (below - here / 2.0) - n * middle
        value = (whole - 1.0) / whole**2 * whole / (n * m) * (excess**2 @ weight)
        return (value - 1.0) / _deviation(n, m)

    return measure


def _deviation(n: float, m: float) -> float:
    """Standard deviation of the statistic of Anderson and Darling for two samples; 1 of less than four observations."""
    whole = n + m
    if whole < 4:
        return 1.0
    inverse = 1.0 / np.arange(1.0, whole)
    h = inverse.sum()
    g = (np.cumsum(inverse[::-1])[::-1][1:] / (whole - np.arange(1.0, whole - 1.0))).sum()
    total = 1.0 / n + 1.0 / m
    a = 4.0 * g - 6.0 + (10.0 - 6.0 * g) * total
    b = 4.0 * (2.0 * g - 4.0) + 16.0 * h + (2.0 * g - 14.0 * h - 4.0) * total - 8.0 * h + 4.0 * g - 6.0
    c = 4.0 * (6.0 * h + 2.0 * g - 2.0) + 2.0 * (4.0 * h - 4.0 * g + 6.0) + (2.0 * h - 6.0) * total + 4.0 * h
    d = 4.0 * (2.0 * h + 6.0) - 8.0 * h
    variance = (a * whole**3 + b * whole**2 + c * whole + d) / ((whole - 1.0) * (whole - 2.0) * (whole - 3.0))
    return float(np.sqrt(variance))


def of_pairs(pairs: np.ndarray, combine: Callable[..., Any]) -> Measure:
    """A statistic of the sums of a symmetric matrix over pairs within x, within y, and between."""
    rows = pairs.sum(1)
    total = rows.sum()

    def measure(labels: np.ndarray) -> np.ndarray:
        z = labels.astype(float)
        within = ((z @ pairs) * z).sum(1)
        outward = z @ rows
        n = int(labels[0].sum())
        return combine(n, labels.shape[1] - n, within, total - 2.0 * outward + within, outward - within)

    return measure


def energy(distances: np.ndarray) -> Measure:
    """2 E|X − Y| − E|X − X'| − E|Y − Y'|. Source: Székely and Rizzo (2013), equation 6.1."""
    return of_pairs(distances, lambda n, m, xx, yy, between: 2.0 * between / (n * m) - xx / n**2 - yy / m**2)


def discrepancy(distances: np.ndarray) -> Measure:
    """Unbiased squared maximum mean discrepancy of the Gaussian kernel exp(−d²/(2h²)), h the median distance.

    Source: Gretton, Borgwardt, Rasch, Schölkopf and Smola (2012), equation 3 and section 8.
    """
    apart = distances[np.triu_indices(len(distances), 1)]
    h = np.median(apart) or np.mean(apart) or 1.0
    kernel = np.exp(-0.5 * (distances / h) ** 2)
    np.fill_diagonal(kernel, 0.0)
    return of_pairs(
        kernel,
        lambda n, m, xx, yy, between: xx / (n * (n - 1)) + yy / (m * (m - 1)) - 2.0 * between / (n * m),
    )


def distances_between(rows: np.ndarray) -> np.ndarray:
    """Euclidean distances of all pairs of rows (N, d), (N, N); a coordinate at a time, so that nothing cancels."""
    squares = np.zeros((len(rows), len(rows)))
    for column in rows.T:
        squares += (column[:, None] - column[None, :]) ** 2
    return np.sqrt(squares)
