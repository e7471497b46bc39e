"""Count, mean, variance, extremes and sum of logarithms of a column in one pass, centred and merged pairwise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from suffice.streams.fold import Counter, fold
from suffice.streams.source import Chunk, Missing, Source
from suffice.streams.sources import from_array

BLOCK = 2**16  # a block and its copy fit the second-level cache
FACTORS = 16  # this many values are multiplied before a logarithm is taken
MODERATE = 2.0**60  # a product of that many between this and its reciprocal neither overflows nor underflows


@dataclass(frozen=True, slots=True)
class Summary:
    """What is known of a column after one pass; summaries of stretches add.

    Rows are as read, `missing` of them dropped. `count` is the sum of the weights (the number of values where there
    are none), and weight w counts as w observations in all that follows: the mean as `centre` + `rest`, twice the
    digits of one number; `moment2` = Σ w (x − mean)²; `log_sum` = Σ w log x, NaN where a value is <= 0; and the weight
    at zero and below it.
    """

    rows: int
    missing: int
    count: float
    centre: float
    rest: float
    moment2: float
    minimum: float
    maximum: float
    log_sum: float
    zeros: float
    negatives: float
    all_integer: bool

    @property
    def mean(self) -> float:
        """The mean, Σ w x / count."""
        return self.centre + self.rest

    @property
    def variance(self) -> float:
        """The population variance, moment2 / count."""
        return self.moment2 / self.count

    @property
    def mean_log(self) -> float:
        """The mean of log x: NaN where a value is <= 0."""
        return self.log_sum / self.count

    def __add__(self, other: Summary) -> Summary:
        count = self.count + other.count
        share = other.count / count if count else 0.0
        far, near = other.centre - self.centre, other.rest - self.rest
        centre, rest = _two_sum(self.centre, far * share)
        step = far + near
        return Summary(
            self.rows + other.rows,
            self.missing + other.missing,
            count,
            centre,
            rest + (self.rest + near * share),
            self.moment2 + other.moment2 + step * (step * (self.count * share)),
            min(self.minimum, other.minimum),
            max(self.maximum, other.maximum),
            self.log_sum + other.log_sum,
            self.zeros + other.zeros,
            self.negatives + other.negatives,
            self.all_integer and other.all_integer,
        )

    @classmethod
    def of(cls, chunk: Chunk) -> Summary:
        """The summary of a chunk, block by block."""
        scratch = np.empty(min(BLOCK, len(chunk.values)))
        blocks = [
            _block(
                chunk.values[at : at + BLOCK],
                None if chunk.weights is None else chunk.weights[at : at + BLOCK],
                scratch,
            )
            for at in range(0, len(chunk.values), BLOCK)
        ]
        return reduce(add, blocks, cls(chunk.rows, chunk.missing, 0, 0.0, 0.0, 0.0, np.inf, -np.inf, 0.0, 0, 0, True))


def describe(
    data: Any,
    weights: Any = None,
    *,
    missing: Missing = "error",
    workers: int | None = None,
    progress: Counter | None = None,
) -> Summary:
    """The summary of a column, by one fold over it.

    Args:
        data: array-like of shape (n,), a pandas, Polars or Arrow column, ``sf.scan(path, column=...)`` or
            ``sf.chunks(callable)``, which say themselves what their weights are.
        weights: frequencies of shape (n,), >= 0: weight w counts as w observations.
        missing: what to do with missing values: "error" or "drop".
        workers: threads; by default one per usable processor, at most 8.
        progress: told how many rows were read, after each chunk.

    Returns:
        A ``Summary``.

    Raises:
        DataError: missing or infinite values, or a file that cannot be read to its end.

    Squares are taken about the means of blocks, and blocks are merged pairwise (Chan, Golub and LeVeque 1983). A mean
    far from zero would lose the digits in which the blocks' means differ, so it is kept as a sum of two numbers. How
    the source is cut and ordered changes nothing beyond a relative 1e-12.
    """
    if not isinstance(data, Source):
        data = from_array(data, weights, missing=missing)
    elif weights is not None:
        raise TypeError("weights of a source are named when it is made: sf.scan(path, column=…, weights=…)")
    elif missing != "error":
        data = data.treating(missing)
    return fold(data, Summary.of, workers=workers, progress=progress)


def _block(values: np.ndarray, weights: np.ndarray | None, scratch: np.ndarray) -> Summary:
    rows = len(values)
    values = values.astype(np.float64, copy=False)
    deviations = scratch[:rows]
    minimum, maximum = float(values.min()), float(values.max())
    with np.errstate(over="ignore", invalid="ignore"):
        if weights is None:
            count = rows
            centre = float(values.sum()) / rows
            np.subtract(values, centre, out=deviations)
            rest = float(deviations.sum()) / rows
            moment2 = float(np.square(deviations, out=deviations).sum())
        else:
            count = float(weights.sum())
            centre = float(np.multiply(values, weights, out=deviations).sum()) / count
            np.subtract(values, centre, out=deviations)
            rest = float((deviations * weights).sum()) / count
            moment2 = float(np.multiply(np.square(deviations, out=deviations), weights, out=deviations).sum())
    return Summary(
        rows=0,
        missing=0,
        count=count,
        centre=centre,
        rest=rest,
        moment2=moment2,
        minimum=minimum,
        maximum=maximum,
        log_sum=_log_sum(values, weights, minimum, maximum) if minimum > 0 else np.nan,
        zeros=_weight(values == 0, weights) if minimum <= 0 <= maximum else 0,
        negatives=_weight(values < 0, weights) if minimum < 0 else 0,
        all_integer=_integers(values[:64]) and _integers(values),
    )


def _two_sum(a: float, b: float) -> tuple[float, float]:
    """a + b and what rounding took from it, exactly (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _log_sum(values: np.ndarray, weights: np.ndarray | None, minimum: float, maximum: float) -> float:
    """Σ w log x of positive values: where products cannot overflow, one logarithm serves several of them."""
    if weights is not None:
        return float((np.log(values) * weights).sum())
    if not 1 / MODERATE < minimum <= maximum < MODERATE:
        return float(np.log(values).sum())
    even = len(values) // FACTORS * FACTORS
    products = np.multiply.reduce(values[:even].reshape(FACTORS, -1))
    return float(np.log(products).sum() + np.log(values[even:]).sum())


def _weight(mask: np.ndarray, weights: np.ndarray | None) -> float:
    return int(mask.sum()) if weights is None else float(weights[mask].sum())


def _integers(values: np.ndarray) -> bool:
    return bool((np.rint(values) == values).all())
