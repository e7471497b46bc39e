"""Pseudo-counts: additive smoothing, and the hierarchical Dirichlet prior."""

from dataclasses import dataclass

import numpy as np

from suffice.models.language.counts import NgramCounts
from suffice.models.language.smoothing.tables import Smoothing, Tables, interpolated, raw, safe, totals
from suffice.models.language.vocabulary import START_ID


@dataclass(frozen=True)
class Additive(Smoothing):
    """p(w|h) = (c(h w) + amount)/(c(h) + amount V): the posterior mean under a symmetric Dirichlet prior.

    With ``amount`` 0 it is the maximum-likelihood estimate of one categorical distribution for each context; contexts
    that were not seen are uniform.

    Args:
        amount: pseudo-count of each token, >= 0.

    Example:
        >>> import suffice as sf
        >>> model = sf.ngram(["a b", "a a"], order=2, smoothing=sf.Additive(0.0))
        >>> round(float(model.conditional(["a"]).prob(model.vocabulary.ids(["b"])[0])), 6)
        0.333333
    """

    amount: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.amount < np.inf:
            raise ValueError(f"Additive.amount must be >= 0, got {self.amount}")

    def tables(self, counts: NgramCounts) -> Tables:
        spread = self.amount * (len(counts.vocabulary) - 1)

        def weigh(k: int, count: np.ndarray, prefix: np.ndarray, contexts: int) -> tuple[np.ndarray, np.ndarray]:
            total = totals(count, prefix, contexts) + spread
            # lower orders answer only for contexts that begin a line; for others nothing was seen, so they are uniform
            answers = (counts.first[k - 1] == START_ID) | (k == counts.order)
            alone = np.where(answers, count / safe(total)[prefix], 0.0)
            shared = spread / safe(total)
            if k < counts.order:
                begins = np.zeros(contexts, bool) if k == 1 else counts.first[k - 2] == START_ID
                shared = np.where(begins, shared, 1.0)
            return alone, shared

        return interpolated(counts, raw(counts), weigh, uniform=True)


@dataclass(frozen=True)
class DirichletSmoothing(Smoothing):
    """p(w|h) = (c(h w) + strength p(w|h'))/(c(h) + strength): a Dirichlet prior around the context one word shorter.

    Args:
        strength: pseudo-counts in all, > 0: one number, or one for each order.

    MacKay and Peto, *A hierarchical Dirichlet language model* (1995).

    Example:
        >>> import suffice as sf
        >>> model = sf.ngram(["a b", "a a"], order=1, smoothing=sf.DirichletSmoothing(4.0))
        >>> round(float(model.conditional().prob(model.vocabulary.ids(["b"])[0])), 6)         # (1 + 4/4)/(6 + 4)
        0.2
    """

    strength: float | tuple[float, ...] = 10.0

    def tables(self, counts: NgramCounts) -> Tables:
        strength = by_order("DirichletSmoothing.strength", self.strength, counts.order)
        if not all(0.0 < s < np.inf for s in strength):
            raise ValueError(f"DirichletSmoothing.strength must be > 0, got {self.strength}")

        def weigh(k: int, count: np.ndarray, prefix: np.ndarray, contexts: int) -> tuple[np.ndarray, np.ndarray]:
            total = totals(count, prefix, contexts) + strength[k - 1]
            return count / total[prefix], strength[k - 1] / total

        return interpolated(counts, raw(counts), weigh)


def by_order(name: str, value: float | tuple[float, ...], order: int) -> tuple[float, ...]:
    """One number for each order."""
    given = tuple(value) if isinstance(value, tuple | list) else (float(value),) * order
    if len(given) != order:
        raise ValueError(f"{name} must be one number or one for each order, {order}, got {len(given)}")
    return given
