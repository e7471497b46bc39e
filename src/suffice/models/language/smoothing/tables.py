"""Probabilities of seen n-grams and weights of backing off: what every smoothing makes of counts."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from suffice.models.language.counts import NgramCounts
from suffice.models.language.vocabulary import START_ID


class Tables(NamedTuple):
    """A back-off model: p(w|h) is ``probs`` of h w where that n-gram is listed, else backoff(h) p(w|h without its first).

    Attributes:
        probs: of each n-gram, by order.
        backoffs: of each n-gram as a context, by order, one fewer; 1 where nothing was seen after it.
    """

    probs: tuple[np.ndarray, ...]
    backoffs: tuple[np.ndarray, ...]


class Smoothing(ABC):
    """How counts become the tables of a back-off model."""

    @abstractmethod
    def tables(self, counts: NgramCounts) -> Tables:
        """Probabilities and back-off weights of every n-gram."""


Weigh = Callable[[int, np.ndarray, np.ndarray, int], tuple[np.ndarray, np.ndarray]]


def interpolated(counts: NgramCounts, used: Sequence[np.ndarray], weigh: Weigh, uniform: bool = False) -> Tables:
    """p_k(w|h) = u(w|h) + g(h) p_{k−1}(w|h'), from the uniform over all that can follow; h' is h without its first word.

    Args:
        counts: the n-grams.
        used: the count of each that enters, by order.
        weigh: of an order, its counts, the context of each and the number of contexts: u of each n-gram and g of each
            context; g is not looked at where a context has no count.
        uniform: every order is mixed with the uniform, not with the order below.
    """
    size = len(counts.vocabulary)
    probs: list[np.ndarray] = []
    backoffs: list[np.ndarray] = []
    for k, count in enumerate(used, start=1):
        level = counts.levels[k - 1]
        contexts = 1 if k == 1 else len(counts.levels[k - 2])
        if k == 1:
            count = np.where(np.arange(size) == START_ID, 0, count)
        u, g = weigh(k, count, level.prefix, contexts)
        below = np.full(len(level), 1.0 / (size - 1)) if k == 1 or uniform else probs[-1][level.suffix]
        p = u + g[level.prefix] * below
        if k == 1:
            p[START_ID] = 0.0
        else:
            backoffs.append(np.where(totals(count, level.prefix, contexts) > 0, g, 1.0))
        probs.append(p)
    return Tables(tuple(probs), tuple(backoffs))


def totals(count: np.ndarray, prefix: np.ndarray, contexts: int) -> np.ndarray:
    """Sum over what follows each context."""
    return np.bincount(prefix, weights=count, minlength=contexts)


def raw(counts: NgramCounts) -> list[np.ndarray]:
    """How often each n-gram was seen, by order."""
    return [level.count for level in counts.levels]


def safe(total: np.ndarray) -> np.ndarray:
    """Totals to divide by: 1 in place of 0."""
    return np.where(total > 0, total, 1.0)


def counts_of_counts(count: np.ndarray, most: int) -> np.ndarray:
    """How many n-grams have count 1, …, most; at 0 stands nothing."""
    whole = np.rint(count).astype(np.int64)
    found = np.bincount(np.minimum(whole, most + 1), minlength=most + 2)[: most + 1]
    found[0] = 0
    return found
