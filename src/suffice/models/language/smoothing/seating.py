"""The Chinese restaurants of a hierarchical Pitman–Yor process over n-grams: who sits where, and Gibbs' moves.

Each context is a restaurant, each n-gram the dish of some of its tables. A table is a customer of the n-gram without its
first word, one floor down; below the lowest floor all words are equally likely.
"""

import random

import numpy as np

from suffice.models.language.counts import NgramCounts
from suffice.models.language.smoothing.tables import totals
from suffice.models.language.vocabulary import START_ID


class Seating:
    """Sizes of all tables, by order and n-gram; ``discount`` and ``strength`` by order.

    Args:
        counts: the n-grams.
        rng: what every seat is drawn with.
        discount, strength: d in [0, 1) and theta > −d of each order, to begin with.
    """

    def __init__(self, counts: NgramCounts, rng: random.Random, discount: list[float], strength: list[float]):
        self.counts, self.draw = counts, rng.random
        self.discount, self.strength = discount, strength
        levels = counts.levels
        self.prefix = [level.prefix.tolist() for level in levels]
        self.suffix = [level.suffix.tolist() for level in levels]
        self.tables: list[list[list[int]]] = [[[] for _ in range(len(level))] for level in levels]
        sizes = [1] + [len(level) for level in levels[:-1]]
        self.customers = [[0] * n for n in sizes]  # of each restaurant
        self.laid = [[0] * n for n in sizes]  # its tables
        self.base = 1.0 / (len(counts.vocabulary) - 1)
        # who comes from outside: n-grams of the highest order, and shorter ones that begin a line
        self.guests: list[tuple[int, list[int]]] = []
        for k, level in enumerate(levels):
            begins = counts.first[k] == START_ID if k else np.zeros(len(level), bool)
            own = np.flatnonzero(begins | (k == counts.order - 1))
            own = own[(level.word[own] != START_ID) & (level.count[own] > 0)]
            self.guests.append((k, np.repeat(own, level.count[own]).tolist()))
        for k, guests in self.guests:
            for at in guests:
                self.seat(k, at)

    def sweep(self) -> None:
        """Every guest from outside leaves, and is seated anew given all others."""
        for k, guests in self.guests:
            for at in guests:
                self.leave(k, at)
                self.seat(k, at)

    def seat(self, k: int, at: int) -> None:
        """A customer sits down: at a table with n others ∝ n − d, at a new one ∝ (theta + d T) p one floor down."""
        d, house = self.discount[k], self.prefix[k][at]
        tables = self.tables[k][at]
        new = (self.strength[k] + d * self.laid[k][house]) * self._below(k, at)
        u = self.draw() * (sum(tables) - d * len(tables) + new) - new
        self.customers[k][house] += 1
        if u >= 0.0 and tables:
            for j, n in enumerate(tables):
                u -= n - d
                if u < 0.0:
                    tables[j] += 1
                    return
            tables[-1] += 1  # by rounding
            return
        tables.append(1)
        self.laid[k][house] += 1
        if k:
            self.seat(k - 1, self.suffix[k][at])

    def leave(self, k: int, at: int) -> None:
        """One of the customers of an n-gram, each as likely, stands up; an empty table goes."""
        house, tables = self.prefix[k][at], self.tables[k][at]
        self.customers[k][house] -= 1
        u = self.draw() * sum(tables)
        j = 0
        while u >= tables[j] and j < len(tables) - 1:
            u -= tables[j]
            j += 1
        tables[j] -= 1
        if not tables[j]:
            del tables[j]
            self.laid[k][house] -= 1
            if k:
                self.leave(k - 1, self.suffix[k][at])

    def _below(self, k: int, at: int) -> float:
        """p of an n-gram's word one floor down."""
        if k == 0:
            return self.base
        k, at = k - 1, self.suffix[k][at]
        d, theta, house = self.discount[k], self.strength[k], self.prefix[k][at]
        tables = self.tables[k][at]
        seated = sum(tables) - d * len(tables)
        return (seated + (theta + d * self.laid[k][house]) * self._below(k, at)) / (theta + self.customers[k][house])

    def weights(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """What each n-gram has of its own, and what each context leaves to the floor below."""
        tables = self.tables[k]
        n = np.array([sum(t) for t in tables], dtype=float)
        t = np.array([len(t) for t in tables], dtype=float)
        total = self.strength[k] + np.array(self.customers[k], dtype=float)
        total = np.where(total > 0, total, 1.0)
        own = (n - self.discount[k] * t) / total[self.counts.levels[k].prefix]
        return own, (self.strength[k] + self.discount[k] * np.array(self.laid[k], dtype=float)) / total

    def settings(self, rng: np.random.Generator) -> None:
        """Draw d and theta of each order given the seats; priors Beta(1, 1) and Gamma(1, 1) (Teh, 2006)."""
        for k in range(len(self.tables)):
            d, theta = self.discount[k], self.strength[k]
            laid = np.array(self.laid[k], dtype=np.int64)
            busy = laid >= 2
            # of each further table: whether theta or d called for it
            index = np.arange(laid[busy].sum() - busy.sum()) + 1
            first = np.cumsum(laid[busy] - 1) - (laid[busy] - 1)
            index = index - np.repeat(first, laid[busy] - 1)
            y = rng.random(len(index)) < theta / (theta + d * index)
            sizes = np.array([n for tables in self.tables[k] for n in tables if n >= 2], dtype=np.int64)
            within = np.arange((sizes - 1).sum()) - np.repeat(np.cumsum(sizes - 1) - (sizes - 1), sizes - 1) + 1
            z = rng.random(len(within)) < (within - 1) / (within - d)
            x = rng.beta(theta + 1.0, np.array(self.customers[k])[busy] - 1.0)
            self.discount[k] = float(np.clip(rng.beta(1.0 + (~y).sum(), 1.0 + (~z).sum()), 1e-6, 1.0 - 1e-6))
            self.strength[k] = float(rng.gamma(1.0 + y.sum(), 1.0 / (1.0 - np.log(x).sum())))

    def check(self) -> bool:
        """Whether customers, tables and the floors agree, for tests."""
        for k in range(len(self.tables)):
            level = self.counts.levels[k]
            n = np.array([sum(t) for t in self.tables[k]])
            t = np.array([len(t) for t in self.tables[k]])
            houses = len(self.customers[k])
            if not (totals(n, level.prefix, houses) == self.customers[k]).all():
                return False
            if not (totals(t, level.prefix, houses) == self.laid[k]).all():
                return False
        return True
