"""Katz: counts discounted after Good and Turing, and what is left given to the order below."""

from dataclasses import dataclass

import numpy as np

from suffice.models.language.counts import NgramCounts
from suffice.models.language.smoothing.tables import Smoothing, Tables, counts_of_counts, safe, totals
from suffice.models.language.vocabulary import START_ID


@dataclass(frozen=True)
class Katz(Smoothing):
    """p(w|h) = d_c c(h w)/c(h) for what was seen, else backoff(h) p(w|h'), so that all sums to 1.

    d_r = (r*/r − a)/(1 − a) with r* = (r + 1) n_{r+1}/n_r and a = (k + 1) n_{k+1}/n_1 for counts r <= k, 1 above. Where
    that is not inside (0, 1), as in small texts, d_r = (r − ½)/r. A context of which nothing would be left counts one more;
    what is left where nothing is unseen goes back to what was seen.

    Args:
        most: k, the largest count that is discounted, >= 1.

    Katz, *Estimation of probabilities from sparse data* (1987).

    Example:
        >>> import suffice as sf
        >>> model = sf.ngram(["a b", "a a"], order=2, smoothing=sf.Katz())
        >>> float(model.conditional(["a"]).probs.sum().round(12))
        1.0
    """

    most: int = 5

    def __post_init__(self) -> None:
        if self.most < 1:
            raise ValueError(f"Katz.most must be >= 1, got {self.most}")

    def tables(self, counts: NgramCounts) -> Tables:
        size = len(counts.vocabulary)
        probs: list[np.ndarray] = []
        backoffs: list[np.ndarray] = []
        for k, level in enumerate(counts.levels, start=1):
            count = np.where((k == 1) & (level.word == START_ID), 0, level.count)
            contexts = 1 if k == 1 else len(counts.levels[k - 2])
            total = totals(count, level.prefix, contexts)
            kept = self.factors(count)[np.minimum(count, self.most + 1)] * count
            nothing = (
                total - totals(kept, level.prefix, contexts) <= 1e-12 * total
            )  # is left where all counts are large
            total = total + nothing
            kept = kept / safe(total)[level.prefix]
            left = np.maximum(1.0 - totals(kept, level.prefix, contexts), 0.0)
            if k == 1:
                unseen = (count == 0) & (np.arange(size) != START_ID)
                probs.append(kept + unseen * (left[0] / unseen.sum()) if unseen.any() else kept / kept.sum())
                continue
            below = probs[-1][level.suffix]
            free = 1.0 - totals(below, level.prefix, contexts)
            # all that can follow was seen: what is left goes back to it
            full = (free <= 1e-12) & (total > 0) & (left < 1.0)
            kept = kept * np.where(full, 1.0 / np.where(full, 1.0 - left, 1.0), 1.0)[level.prefix]
            ratio = np.where(full, 0.0, left / np.where(full | (free <= 0), 1.0, free))
            backoffs.append(np.where(total > 0, ratio, 1.0))
            probs.append(kept)
        return Tables(tuple(probs), tuple(backoffs))

    def factors(self, count: np.ndarray) -> np.ndarray:
        """d_r for r = 0, …, k + 1."""
        n = counts_of_counts(count, self.most + 1).astype(float)
        r = np.arange(1, self.most + 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            common = (self.most + 1) * n[self.most + 1] / n[1]
            d = ((r + 1) * n[r + 1] / n[r] / r - common) / (1.0 - common)
        d = np.where((d > 0.0) & (d < 1.0), d, (r - 0.5) / r)
        return np.concatenate([[0.0], d, [1.0]])
