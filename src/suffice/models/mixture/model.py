"""A mixture as a whole: groups of components of one kind each, and the weights of all."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np

LOG_TINY = -60.0  # of a weight: less is nothing, and a climb towards it would not end


class Params(NamedTuple):
    """Parameters of R runs: log weights (R, K), and those of each group with axes (R, K of the group) in front."""

    log_weights: np.ndarray
    groups: tuple[Any, ...]

    def run(self, which: Any) -> "Params":
        """Some of the runs."""
        return jax.tree.map(lambda a: a[which], self)


class Expected(NamedTuple):
    """What one pass over the data gives under parameters: an E-step, reduced to what adds."""

    log_likelihood: np.ndarray
    counts: np.ndarray
    sums: tuple[Any, ...]
    entropy: np.ndarray | None = None


def _filled(count: int) -> int:
    """The next of 1, 2, 3, 4, 6, 9, 12, 16, 24, 32 …"""
    powers = [1 << i for i in range(count.bit_length() + 1)]
    return min(k for k in [*powers, *(3 * p for p in powers), 9] if k >= count)


def joined(runs: Sequence[Params]) -> Params:
    """Several runs side by side."""
    return jax.tree.map(lambda *a: np.concatenate(a), *runs)


@dataclass(frozen=True)
class Model:
    """Groups of components; a mixture of all of them.

    Attributes:
        groups: each a number of components of one kind.
        light: whether a pass over the data costs less than a program's compilation. Components without weight then fill
            groups up to numbers that few programs are compiled for.
    """

    groups: tuple[Any, ...]
    light: bool = False

    @property
    def count(self) -> int:
        """Number K of components."""
        return sum(g.count for g in self.groups)

    @property
    def dimension(self) -> int:
        """Number of free parameters."""
        return self.count - 1 + sum(g.dimension for g in self.groups)

    @property
    def censored(self) -> bool:
        """Whether rows are (point, left, right) of values known to lie in intervals."""
        return any(getattr(g, "censored", False) for g in self.groups)

    @property
    def accelerates(self) -> bool:
        return all(g.accelerates for g in self.groups)

    @property
    def kernels(self) -> tuple[Any, ...]:
        return tuple(g.kernel for g in self.groups)

    def places(self) -> list[slice]:
        """Where the components of each group stand among all."""
        ends = np.cumsum([0, *(g.count for g in self.groups)])
        return [slice(a, b) for a, b in itertools.pairwise(ends)]

    def prepare(self, p: Params) -> tuple[Any, ...]:
        """Parameters as the kernels want them."""
        return tuple(g.prepare(q) for g, q in zip(self.groups, p.groups, strict=True))

    def filled(self, p: Params) -> Params:
        """Parameters with copies of each group's first component, of weight 0, for a pass over light data."""
        more = [_filled(g.count) - g.count for g in self.groups]
        if not self.light or not any(more):
            return p

        def longer(a: np.ndarray, m: int) -> np.ndarray:
            return np.concatenate([a, np.broadcast_to(a[:, :1], (len(a), m, *a.shape[2:]))], axis=1)

        groups = tuple(jax.tree.map(lambda a, m=m: longer(a, m), q) for q, m in zip(p.groups, more, strict=True))
        nothing = [np.full((len(p.log_weights), m), -np.inf) for m in more]
        each = zip(self.places(), nothing, strict=True)
        return Params(np.concatenate([a for at, b in each for a in (p.log_weights[:, at], b)], axis=1), groups)

    def unfilled(self, e: Expected) -> Expected:
        """What such a pass gives for the components that there are."""
        if e.counts.shape[1] == self.count:
            return e
        sums = tuple(jax.tree.map(lambda a, g=g: a[:, : g.count], s) for g, s in zip(self.groups, e.sums, strict=True))
        return e._replace(counts=e.counts[:, self.kept], sums=sums)

    @property
    def kept(self) -> np.ndarray:
        """Where the components that there are stand among those that fill groups up."""
        begins = np.cumsum([0, *(_filled(g.count) for g in self.groups)])
        return np.concatenate([b + np.arange(g.count) for g, b in zip(self.groups, begins, strict=False)])

    def start(self, x: np.ndarray, w: np.ndarray, r: np.ndarray) -> Params:
        """Parameters of one run from rows, frequencies and responsibilities (K, n)."""
        r = r * w
        parts = tuple(g.start(x, r[at]) for g, at in zip(self.groups, self.places(), strict=True))
        return Params(self._weights(r.sum(1)[None]), parts)

    def _weights(self, counts: np.ndarray) -> np.ndarray:
        counts = np.maximum(counts, 0.0)
        with np.errstate(divide="ignore"):
            return np.maximum(np.log(counts) - np.log(counts.sum(-1, keepdims=True)), LOG_TINY)

    def maximise(self, p: Params, e: Expected) -> Params:
        """The M-step."""
        parts = zip(self.groups, p.groups, e.sums, self.places(), strict=True)
        return Params(self._weights(e.counts), tuple(g.maximise(q, e.counts[:, at], s) for g, q, s, at in parts))

    def penalty(self, p: Params) -> np.ndarray:
        """Logarithm of the prior up to a constant, (R,)."""
        return np.sum([g.penalty(q) for g, q in zip(self.groups, p.groups, strict=True)], axis=0)

    def vector(self, p: Params) -> np.ndarray:
        """Unconstrained coordinates, (R, m)."""
        parts = [p.log_weights, *(g.vector(q) for g, q in zip(self.groups, p.groups, strict=True))]
        return np.concatenate([v.reshape(len(p.log_weights), -1) for v in parts], axis=1)

    def build(self, v: np.ndarray, like: Params) -> Params:
        """The inverse of ``vector``; what is no coordinate is taken from ``like``."""
        k, at, parts = self.count, self.count, []
        log_weights = np.clip(v[:, :k], LOG_TINY, 0.0)
        log_weights = log_weights - np.log(np.exp(log_weights).sum(-1, keepdims=True))
        for g, q in zip(self.groups, like.groups, strict=True):
            shape = g.vector(q).shape
            size = int(np.prod(shape[1:]))
            parts.append(g.build(v[:, at : at + size].reshape(len(v), *shape[1:]), q))
            at += size
        return Params(log_weights, tuple(parts))

    def sound(self, p: Params) -> np.ndarray:
        """Whether no component has collapsed, (R, K)."""
        return np.concatenate([g.sound(q) for g, q in zip(self.groups, p.groups, strict=True)], axis=1)

    def limits(self, p: Params) -> list[tuple[int, str, Any]]:
        """Components of one run that run to a limit of their family, with the parameter and the family there, or None."""
        each = zip(self.groups, p.groups, self.places(), strict=True)
        return [(at.start + k, name, kind) for g, q, at in each for k, name, kind in g.limits(q)]

    def members(self, p: Params) -> list[Any]:
        """The components of one run as distributions."""
        return [m for g, q in zip(self.groups, p.groups, strict=True) for m in g.members(q)]

    def ordered(self, p: Params) -> Params:
        """One run with the components of each group in ascending order of where they stand."""
        log_weights, parts = p.log_weights.copy(), []
        for g, q, at in zip(self.groups, p.groups, self.places(), strict=True):
            order = list(range(g.count))
            if g.exchangeable:
                keys = [place_of(m) for m in g.members(q)]
                order.sort(key=keys.__getitem__)
            log_weights[:, at] = log_weights[:, at][:, order]
            parts.append(jax.tree.map(lambda a, order=order: a[:, order], q))
        return Params(log_weights, tuple(parts))


def place_of(p: Any) -> tuple[float, ...]:
    """Where a distribution stands: by its mean, or where there is none by its median or centre."""
    try:
        found = np.ravel(np.asarray(p.mean(), float))
    except ArithmeticError:
        found = np.ravel(np.asarray(p.mode() if p.event_ndim else p.median(), float))
    return tuple(np.where(np.isnan(found), np.inf, found))
