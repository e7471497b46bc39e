"""Do two samples come from one distribution? Permutation tests, exact where that is cheap."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from math import lgamma, log
from typing import Any, Literal, get_args

import numpy as np

from suffice.inference.observations import Memory
from suffice.inference.observe import observe
from suffice.inference.testing import labellings
from suffice.inference.testing.labellings import Measure, Pooled
from suffice.inference.testing.replicates import generator
from suffice.runtime.errors import DataError
from suffice.runtime.rng import RNG, as_key

Statistic = Literal["kolmogorov-smirnov", "anderson-darling", "cramer-von-mises", "energy", "mmd"]
Method = Literal["auto", "permutation", "exact", "asymptotic"]

_SAME = 1e-9  # statistics this close, relatively to the largest, are ties
_ENTRIES = 2**19  # labels held at once
_MOST_PAIRED = 10_000  # rows of which all pairs are compared
_MOST_STEPS = 2**26  # of the exact distribution of Kolmogorov and Smirnov's statistic


@dataclass(frozen=True)
class TwoSample:
    """The outcome of a test of two samples.

    Attributes:
        test: name of the statistic.
        statistic: its value.
        p_value: the chance of one at least as large where both samples come from one distribution.
        counts: sizes of the samples.
        method: how the p-value was found: "exact", "permutation" or "asymptotic".
        replicates: permutations; of an exact value by enumeration all there are, 0 where none were needed.
    """

    test: str
    statistic: float
    p_value: float
    counts: tuple[int, int]
    method: str
    replicates: int


def two_sample(
    x: Any,
    y: Any,
    statistic: Statistic = "kolmogorov-smirnov",
    *,
    method: Method = "auto",
    replicates: int = 999,
    rng: RNG = 0,
) -> TwoSample:
    """Test whether two samples come from one distribution: p = (1 + #{T_r >= T}) / (1 + replicates) over permutations.

    Given the pooled sample all labellings are equally likely under the hypothesis, ties or not, so that the p-value
    holds for every sample size.

    Args:
        x, y: samples of shape (n,) and (m,), arrays, table columns or sources; for "energy" and "mmd" also (n, d), (m, d).
        statistic: "kolmogorov-smirnov" sup |F − G|; "anderson-darling", with weight in the tails, standardised;
            "cramer-von-mises" nm/N² Σ (F − G)²; "energy" 2E|X − Y| − E|X − X'| − E|Y − Y'|; "mmd", the unbiased squared
            maximum mean discrepancy of a Gaussian kernel as wide as the median distance.
        method: "permutation"; "exact", by counting paths for Kolmogorov–Smirnov and by all labellings for the others;
            "asymptotic", Kolmogorov's distribution, for its statistic only. "auto": exact for Kolmogorov–Smirnov up to
            some ten thousand observations, asymptotic beyond; of others exact where there are no more than
            ``replicates`` labellings, else by permutation.
        replicates: permutations, >= 1.
        rng: int, NumPy generator or JAX key.

    Returns:
        A ``TwoSample``.

    Raises:
        DataError: missing or infinite values, shapes that do not fit, too few observations.
        ValueError: an unknown statistic, or a method it does not have.

    Source: Smirnov (1939), Schröer and Trenkler (1995) for ties; Scholz and Stephens (1987); Anderson (1962);
        Székely and Rizzo (2013); Gretton, Borgwardt, Rasch, Schölkopf and Smola (2012).

    Example:
        >>> import suffice as sf
        >>> sf.two_sample([0.1, 0.4, 0.7, 0.9], [1.2, 1.3, 1.9, 2.5, 3.1])
        TwoSample(test='kolmogorov-smirnov', statistic=1.0, p_value=0.015873015873015872, counts=(4, 5), method='exact', replicates=0)
    """
    if statistic not in get_args(Statistic):
        raise ValueError(f"statistic must be one of {', '.join(get_args(Statistic))}, got {statistic!r}")
    if method not in get_args(Method):
        raise ValueError(f"method must be one of {', '.join(get_args(Method))}, got {method!r}")
    if replicates < 1:
        raise ValueError(f"replicates must be >= 1, got {replicates}")
    a, b = _rows(x, "x"), _rows(y, "y")
    n, m = len(a), len(b)
    least = 2 if statistic == "mmd" else 1
    if min(n, m) < least:
        raise DataError(f"{statistic} needs samples of at least {least}, got {n} and {m} observations")
    measure, labels = _measure(a, b, statistic)
    observed = float(measure(labels[None])[0])
    if statistic == "kolmogorov-smirnov" and method != "permutation":
        pooled = Pooled.of(a[:, 0], b[:, 0])
        if method == "exact" or (method == "auto" and (n + m) * min(n, m) <= _MOST_STEPS):
            return TwoSample(statistic, observed, _exact_smirnov(pooled), (n, m), "exact", 0)
        p = kolmogorov_tail(observed * np.sqrt(n * m / (n + m)))
        return TwoSample(statistic, observed, p, (n, m), "asymptotic", 0)
    if method == "asymptotic":
        raise ValueError(f"the asymptotic p-value is that of kolmogorov-smirnov, got {statistic}")
    labellings = lgamma(n + m + 1) - lgamma(n + 1) - lgamma(m + 1)  # logarithm of their number
    if method == "exact" or (method == "auto" and labellings <= log(replicates) + 1e-9):
        if labellings > log(10**7):
            told = labellings / log(10.0)
            raise ValueError(f"there are about 10^{told:.0f} labellings, too many to go through: method='permutation'")
        found = np.concatenate([measure(z) for z in _all_labellings(n, m)])
        return TwoSample(statistic, observed, _extreme(found, observed) / len(found), (n, m), "exact", len(found))
    found = np.concatenate([measure(z) for z in _permutations(labels, replicates, rng)])
    p = (1.0 + _extreme(found, observed)) / (1.0 + replicates)
    return TwoSample(statistic, observed, p, (n, m), "permutation", replicates)


def _rows(data: Any, name: str) -> np.ndarray:
    """A sample as rows, (n, d), checked."""
    x = np.asarray(data.to_numpy()) if hasattr(data, "to_numpy") else data
    if np.ndim(x) == 2:
        x = np.asarray(x)
        if x.dtype.kind not in "biuf":
            raise DataError(f"{name} must hold numbers, got {x.dtype}")
        bad = ~np.isfinite(x).all(1)
        if bad.any():
            raise DataError(
                f"{name} has {bad.sum()} rows with missing or infinite values, the first is row {bad.argmax() + 1}"
            )
        return x.astype(float)
    seen = observe(data)
    if not isinstance(seen, Memory) or seen.weights is not None:
        raise DataError(f"{name} must be known values in memory, without weights")
    _ = seen.survey  # which refuses missing and infinite values
    return np.asarray(seen.values, float)[:, None]


def _measure(x: np.ndarray, y: np.ndarray, statistic: str) -> tuple[Measure, np.ndarray]:
    """The statistic as a function of labels, and the labels of the samples."""
    if x.shape[1] != y.shape[1]:
        raise DataError(f"x and y must have as many columns, got {x.shape[1]} and {y.shape[1]}")
    if statistic in _ON_THE_LINE and (x.shape[1] == 1):
        pooled = Pooled.of(x[:, 0], y[:, 0])
        return _ON_THE_LINE[statistic](pooled), pooled.labels
    if statistic not in _OF_PAIRS:
        raise DataError(f"{statistic} is for numbers, got rows of {x.shape[1]}; energy and mmd take them")
    if len(x) + len(y) > _MOST_PAIRED:
        raise DataError(f"{statistic} compares all pairs of at most {_MOST_PAIRED:,} rows, got {len(x) + len(y):,}")
    labels = np.repeat(np.array([1, 0]), [len(x), len(y)])
    return _OF_PAIRS[statistic](labellings.distances_between(np.concatenate([x, y]))), labels


_ON_THE_LINE = {
    "kolmogorov-smirnov": labellings.kolmogorov_smirnov,
    "anderson-darling": labellings.anderson_darling,
    "cramer-von-mises": labellings.cramer_von_mises,
    "energy": labellings.energy_on_the_line,
}
_OF_PAIRS = {"energy": labellings.energy, "mmd": labellings.discrepancy}


def _extreme(found: np.ndarray, observed: float) -> float:
    """How many are at least as large, what rounding tells apart being equal."""
    return float(np.sum(found >= observed - _SAME * np.abs(found).max()))


def _permutations(labels: np.ndarray, replicates: int, rng: RNG) -> Iterator[np.ndarray]:
    draw, batch = generator(as_key(rng)), max(1, _ENTRIES // len(labels))
    for begin in range(0, replicates, batch):
        yield draw.permuted(np.tile(labels, (min(batch, replicates - begin), 1)), axis=1)


def _all_labellings(n: int, m: int) -> Iterator[np.ndarray]:
    size = max(1, _ENTRIES // (n + m))
    for places in itertools.batched(itertools.combinations(range(n + m), n), size):
        labels = np.zeros((len(places), n + m), np.int64)
        np.put_along_axis(labels, np.array(places), 1, axis=1)
        yield labels


def _exact_smirnov(pooled: Pooled) -> float:
    """P(D >= d) given the pooled sample: the share of lattice paths that reach d where a run of ties ends.

    Along the pooled order the chance that i of the first k observations are from x is carried forward; what reaches d
    is taken out and added up, so that small p-values keep their digits.
    """
    whole = len(pooled.labels)
    labels = pooled.labels if 2 * pooled.labels.sum() <= whole else 1 - pooled.labels  # the work grows with the ones
    n = int(labels.sum())
    m = whole - n
    places = pooled.ends + 1
    below = np.cumsum(labels)[pooled.ends]
    reached = int(np.abs(below * m - (places - below) * n).max())
    ends = np.zeros(whole + 1, bool)
    ends[places] = True
    i = np.arange(n + 1)
    chance = np.zeros(n + 1)
    chance[0] = 1.0
    beyond = 0.0
    for k in range(1, whole + 1):
        left = whole - k + 1
        step = chance * np.maximum(n - i, 0) / left  # the next is from x
        chance = chance * np.clip(m - (k - 1 - i), 0, None) / left
        chance[1:] += step[:-1]
        if ends[k]:
            out = np.abs(i * m - (k - i) * n) >= reached
            beyond += chance[out].sum()
            chance[out] = 0.0
    return float(min(1.0, beyond)) if reached else 1.0


def kolmogorov_tail(z: float) -> float:
    """P(K > z) = 2 Σ (−1)^(k−1) exp(−2 k² z²) of Kolmogorov's distribution."""
    if z <= 0.0:
        return 1.0
    k = np.arange(1.0, 21.0)
    if z < 1.0:
        return float(1.0 - np.sqrt(2.0 * np.pi) / z * np.exp(-((2.0 * k - 1.0) ** 2) * np.pi**2 / (8.0 * z**2)).sum())
    return float(2.0 * ((-1.0) ** (k - 1.0) * np.exp(-2.0 * (k * z) ** 2)).sum())
