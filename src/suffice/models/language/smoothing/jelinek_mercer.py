"""Jelinek–Mercer: a mixture of the orders, its weights from counts that leave one out."""

from dataclasses import dataclass

import numpy as np

from suffice.models.language.counts import NgramCounts
from suffice.models.language.smoothing.additive import by_order
from suffice.models.language.smoothing.tables import Smoothing, Tables, interpolated, raw, safe, totals
from suffice.models.language.vocabulary import START_ID


@dataclass(frozen=True)
class JelinekMercer(Smoothing):
    """p_k(w|h) = weight_k c(h w)/c(h) + (1 − weight_k) p_{k−1}(w|h').

    Args:
        weights: of the orders 1, …, n, each in [0, 1]: one number, or one for each; None: the maximum of the
            likelihood when each occurrence is predicted from the counts without it (deleted estimation).

    Jelinek and Mercer (1980); leaving one out: Ney, Essen and Kneser (1995).

    Example:
        >>> import suffice as sf
        >>> model = sf.ngram(["a b", "a a"], order=2, smoothing=sf.JelinekMercer((1.0, 0.5)))
        >>> round(float(model.conditional(["a"]).prob(model.vocabulary.ids(["b"])[0])), 6)    # (1/3 + 1/6)/2
        0.25
    """

    weights: float | tuple[float, ...] | None = None

    def tables(self, counts: NgramCounts) -> Tables:
        weights = (
            leave_one_out(counts)
            if self.weights is None
            else by_order("JelinekMercer.weights", self.weights, counts.order)
        )
        if not all(0.0 <= w <= 1.0 for w in weights):
            raise ValueError(f"JelinekMercer.weights must be in [0, 1], got {self.weights}")

        def weigh(k: int, count: np.ndarray, prefix: np.ndarray, contexts: int) -> tuple[np.ndarray, np.ndarray]:
            total = safe(totals(count, prefix, contexts))
            return weights[k - 1] * count / total[prefix], np.full(contexts, 1.0 - weights[k - 1])

        return interpolated(counts, raw(counts), weigh)


def leave_one_out(counts: NgramCounts, steps: int = 100) -> tuple[float, ...]:
    """Weights of the orders by EM, from the lowest up; each occurrence is left out of the counts that predict it."""
    weights: list[float] = []
    below = np.full(len(counts.vocabulary), 1.0 / (len(counts.vocabulary) - 1))
    for k, level in enumerate(counts.levels, start=1):
        count = np.where((k == 1) & (level.word == START_ID), 0, level.count)
        contexts = 1 if k == 1 else len(counts.levels[k - 2])
        rest = totals(count, level.prefix, contexts)[level.prefix] - 1.0
        back = below if k == 1 else below[level.suffix]
        own = np.where(rest > 0, (count - 1.0) / safe(rest), 0.0)
        told = (rest > 0) & (count > 0)  # where a context was seen once, nothing is left to mix
        weight = 0.5
        for _ in range(steps):
            mixed = weight * own[told] + (1.0 - weight) * back[told]
            n = count[told]
            last, weight = weight, float((n * weight * own[told] / mixed).sum() / n.sum()) if n.size else 0.5
            if abs(weight - last) < 1e-9:
                break
        weights.append(weight)
        below = np.where(told, weight * own + (1.0 - weight) * back, back)
    return tuple(weights)
