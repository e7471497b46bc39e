"""Absolute discounting, and Kneser–Ney: lower orders from the number of different words before an n-gram."""

from dataclasses import dataclass

import numpy as np

from suffice.models.language.counts import NgramCounts
from suffice.models.language.smoothing.tables import (
    Smoothing,
    Tables,
    counts_of_counts,
    interpolated,
    raw,
    safe,
    totals,
)
from suffice.models.language.vocabulary import START_ID

FALLBACK = (0.5, 1.0, 1.5)


@dataclass(frozen=True)
class AbsoluteDiscounting(Smoothing):
    """p(w|h) = max(c(h w) − D, 0)/c(h) + D N(h)/c(h) p(w|h'), N(h) the number of different words seen after h.

    Args:
        discount: D in (0, 1]: one number; None: n1/(n1 + 2 n2) of each order, n_r the number of n-grams seen r times.

    Ney, Essen and Kneser (1994).

    Example:
        >>> import suffice as sf
        >>> model = sf.ngram(["a b", "a b", "a c"], order=2, smoothing=sf.AbsoluteDiscounting(0.5))
        >>> round(float(model.conditional(["a"]).prob(model.vocabulary.ids(["b"])[0])), 4)   # 1.5/3 + 1/3 (1.5/9 + 2/9/5)
        0.5704
    """

    discount: float | None = None

    def __post_init__(self) -> None:
        if self.discount is not None and not 0.0 < self.discount <= 1.0:
            raise ValueError(f"AbsoluteDiscounting.discount must be in (0, 1], got {self.discount}")

    def tables(self, counts: NgramCounts) -> Tables:
        return discounted(counts, raw(counts), [self.of(k, c) for k, c in enumerate(raw(counts), start=1)])

    def of(self, k: int, count: np.ndarray) -> np.ndarray:
        """D of counts 0, 1, 2, 3 and more."""
        if self.discount is None:
            return single(_without_start(k, count))
        return np.array([0.0, *[self.discount] * 3])


@dataclass(frozen=True)
class KneserNey(Smoothing):
    """Kneser–Ney smoothing, interpolated, by default with three discounts in each order (modified).

    p(w|h) = (a(h w) − D(a))/Σ a(h ·) + g(h) p(w|h'). In the highest order a is the count; in lower ones the number of
    different words seen before the n-gram, or its count where it begins a line. Discounts come from the numbers n_r
    of n-grams with a = r: D_r = r − (r + 1) Y n_{r+1}/n_r, Y = n1/(n1 + 2 n2), for a = 1, 2 and 3 or more. Where
    these are not inside (0, r], as in small texts, they are 0.5, 1 and 1.5.

    Args:
        modified: three discounts; else one, Y.

    Chen and Goodman, *An empirical study of smoothing techniques for language modeling* (1999); ends of lines and
    unknown words are treated as KenLM does (Heafield et al., 2013).

    Example:
        >>> import suffice as sf                    # "york" is as frequent as "a", but follows one word only
        >>> model = sf.ngram(["new york", "new york", "see a", "in a"], order=2)
        >>> york, a = model.vocabulary.ids(["york", "a"])
        >>> bool(model.conditional(["see"]).prob(a) > model.conditional(["see"]).prob(york))
        True
    """

    modified: bool = True

    def tables(self, counts: NgramCounts) -> Tables:
        used = adjusted(counts)
        return discounted(counts, used, [self.discounts(k, a) for k, a in enumerate(used, start=1)])

    def discounts(self, k: int, count: np.ndarray) -> np.ndarray:
        """D of counts 0, 1, 2, 3 and more."""
        count = _without_start(k, count)
        if not self.modified:
            return single(count)
        n = counts_of_counts(count, 4).astype(float)
        r = np.arange(1, 4)
        with np.errstate(divide="ignore", invalid="ignore"):
            y = n[1] / (n[1] + 2.0 * n[2])
            d = r - (r + 1) * y * n[r + 1] / n[r]
        return np.concatenate([[0.0], d if np.all((d > 0.0) & (d <= r)) else FALLBACK])


def single(count: np.ndarray) -> np.ndarray:
    """One discount n1/(n1 + 2 n2) for all counts, ½ where nothing was seen once."""
    n = counts_of_counts(count, 2).astype(float)
    d = n[1] / (n[1] + 2.0 * n[2]) if n[1] else 0.5
    return np.array([0.0, d, d, d])


def adjusted(counts: NgramCounts) -> list[np.ndarray]:
    """Different words before each n-gram, by order; counts in the highest, and where an n-gram begins a line."""
    used = []
    for k, level in enumerate(counts.levels, start=1):
        if k == counts.order:
            used.append(level.count)
            continue
        before = np.bincount(counts.levels[k].suffix, minlength=len(level))
        used.append(np.where(counts.first[k - 1] == START_ID, level.count, before))
    return used


def discounted(counts: NgramCounts, used: list[np.ndarray], discounts: list[np.ndarray]) -> Tables:
    """Discounted counts, and what was taken given to the order below."""

    def weigh(k: int, count: np.ndarray, prefix: np.ndarray, contexts: int) -> tuple[np.ndarray, np.ndarray]:
        taken = np.minimum(discounts[k - 1][np.minimum(count, 3)], count)
        total = safe(totals(count, prefix, contexts))
        return (count - taken) / total[prefix], totals(taken, prefix, contexts) / total

    return interpolated(counts, used, weigh)


def _without_start(k: int, count: np.ndarray) -> np.ndarray:
    """Counts of what can follow something."""
    return np.delete(count, START_ID) if k == 1 else count
