"""Locations where the density has a kink: the best lies at an observation, found exactly from any number of values.

Given the location, such a likelihood depends on the data through the mean distances of the values below and above it,
and falls in both. Where the family says which share of the weight lies below the best location, that is a quantile: one
pass after a sample. Else every observation is a candidate, and two passes leave only those that may be the best.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from suffice.inference.observations import Memory, Observations
from suffice.numerics.domain import real
from suffice.numerics.moments import namespace, quantiles
from suffice.streams import Chunk

type Profile = Callable[[Any, Any], Any]  # log-likelihood per observation from the mean distances below and above

_ROUNDING = 1e-12  # relative, of sums of weights
_CELLS = 2**14


class Sides(NamedTuple):
    """A location with Σ w (loc − x)₊/Σ w and Σ w (x − loc)₊/Σ w, and Σ w."""

    loc: Any
    below: Any
    above: Any
    count: Any


# -- a quantile --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Central:
    """Weight and first moment on either side of a bracket, and everything inside it."""

    below: np.ndarray  # weight, Σ w (lower − x)
    above: np.ndarray  # weight, Σ w (x − upper)
    values: np.ndarray
    weights: np.ndarray

    def __add__(self, other: "_Central") -> "_Central":
        return _Central(
            self.below + other.below,
            self.above + other.above,
            np.concatenate([self.values, other.values]),
            np.concatenate([self.weights, other.weights]),
        )


def at_quantile(data: Observations, level: float) -> Sides:
    """The weighted quantile: halfway between two observations where exactly that share of the weight lies below both.

    A sample brackets it; one pass then keeps the few values inside the bracket and sums what lies outside. In the rare
    case that the bracket missed, it is opened on that side and the pass repeated.
    """
    x, w = data.pilot(real)
    margin = 4.0 / np.sqrt(len(x))
    low, high = quantiles(x, w, (max(level - margin, 0.0), min(level + margin, 1.0)))

    while True:
        c = data.fold_chunks(lambda chunk, low=low, high=high: _split(chunk, low, high))
        total = c.below[0] + c.above[0] + c.weights.sum()
        if c.below[0] >= level * total * (1.0 - _ROUNDING):
            low = data.survey.summary.minimum
        elif c.above[0] >= (1.0 - level) * total * (1.0 - _ROUNDING):
            high = data.survey.summary.maximum
        else:
            break
    order = np.argsort(c.values, kind="stable")
    cumulated = c.below[0] + np.cumsum(c.weights[order])
    # the first to reach that share of the weight and the first to pass it: any point between them will do
    places = np.searchsorted(cumulated, level * total * np.array([1 - _ROUNDING, 1 + _ROUNDING]))
    lower, upper = c.values[order[np.minimum(places, len(order) - 1)]]
    loc = lower + 0.5 * (upper - lower)
    below = c.below[1] + c.below[0] * (loc - low) + (c.weights * np.maximum(loc - c.values, 0.0)).sum()
    above = c.above[1] + c.above[0] * (high - loc) + (c.weights * np.maximum(c.values - loc, 0.0)).sum()
    return Sides(float(loc), float(below / total), float(above / total), float(total))


def _split(chunk: Chunk, low: float, high: float) -> _Central:
    x, w = _columns(chunk)
    under, over = x < low, x > high
    inside = ~(under | over)
    below = np.array([w[under].sum(), (w[under] * (low - x[under])).sum()])
    above = np.array([w[over].sum(), (w[over] * (x[over] - high)).sum()])
    return _Central(below, above, x[inside], w[inside])


def _columns(chunk: Chunk) -> tuple[np.ndarray, np.ndarray]:
    x = np.asarray(chunk.values, float)
    return x, np.ones(len(x)) if chunk.weights is None else chunk.weights


# -- every observation a candidate -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Kept:
    """Values that may be the best location, with their weights."""

    values: np.ndarray
    weights: np.ndarray

    def __add__(self, other: "_Kept") -> "_Kept":
        return _Kept(
            np.concatenate([self.values, other.values]),
            np.concatenate([self.weights, other.weights]),
        )


def at_best(data: Observations, profile: Profile) -> Sides:
    """The observation at which the profile of the likelihood is highest.

    Without all values in memory, a sample cuts the line into cells. One pass sums weights and moments in each, which
    gives the profile at their edges; inside a cell it is no higher than with the lower distance of either edge. One more
    pass collects the values of those cells that may beat the best edge; the others' masses may stand at their means.
    """
    if isinstance(data, Memory):
        x = np.asarray(data.values, float)
        return _best(x, np.ones(len(x)) if data.weights is None else data.weights, profile)
    sample, summary = data.pilot(real)[0], data.survey.summary
    levels = np.quantile(sample, np.linspace(0.0, 1.0, _CELLS), method="lower")
    edges = np.unique(np.concatenate([[summary.minimum], levels, [summary.maximum]]))
    masses = data.fold_chunks(lambda chunk: _in_cells(edges, *_columns(chunk)))
    at, inside, moment = masses
    means = edges[:-1] + np.divide(moment, inside, out=np.zeros_like(moment), where=inside > 0)[:-1]
    x, w = np.stack([edges, np.append(means, edges[-1])], 1).ravel(), np.stack([at, inside], 1).ravel()
    below, above = (side[::2] for side in _distances(x, w))
    best = profile(below, above).max()
    promising = profile(below[:-1], above[1:]) >= best - 1e-12 * (1.0 + abs(best))
    found = data.fold_chunks(lambda chunk: _inside(edges, promising, *_columns(chunk)))
    w = np.stack([at, np.append(np.where(promising, 0.0, inside[:-1]), 0.0)], 1).ravel()
    x, w = np.concatenate([x, found.values]), np.concatenate([w, found.weights])
    return _best(x, w, profile)


def _places(edges: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The last edge not above each value, and whether the value is that edge."""
    place = np.searchsorted(edges, x, side="right") - 1
    return place, x == edges[place]


def _in_cells(edges: np.ndarray, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Weight at each edge, and weight and first moment of the values between it and the next, (3, edges)."""
    place, at = _places(edges, x)
    inner = np.where(at, 0.0, w)
    heights = (w - inner, inner, inner * (x - edges[place]))
    return np.stack([np.bincount(place, height, len(edges)) for height in heights])


def _inside(edges: np.ndarray, cells: np.ndarray, x: np.ndarray, w: np.ndarray) -> _Kept:
    place, at = _places(edges, x)
    keep = ~at & np.append(cells, False)[place]
    return _Kept(x[keep], w[keep])


def _distances(x: Any, w: Any) -> tuple[Any, Any]:
    """Mean distances from each of sorted values of those below and above it: sums of what is not negative."""
    xp = namespace(x)
    step, total = xp.diff(x), w.sum()
    none = xp.zeros_like(x[:1])
    below = xp.cumsum(xp.cumsum(w)[:-1] * step)
    above = xp.cumsum(xp.cumsum(w[::-1])[:-1] * step[::-1])[::-1]
    return xp.concatenate([none, below]) / total, xp.concatenate([above, none]) / total


def _best(x: Any, w: Any, profile: Profile) -> Sides:
    xp = namespace(x)
    order = xp.argsort(x)
    x, w = x[order], w[order]
    below, above = _distances(x, w)
    at = xp.argmax(xp.where(w > 0, profile(below, above), -xp.inf))
    return Sides(x[at], below[at], above[at], w.sum())


# -- wherever it is ----------------------------------------------------------------------------------------------------


def locate(loc: Any, level: Any, profile: Profile, data: Observations) -> Sides:
    """The best location: ``loc`` if it is known, the quantile of ``level`` if that is, else the best observation."""
    if loc is not None:
        loc = float(loc)
        c = data.fold_chunks(lambda chunk: _split(chunk, loc, loc))
        total = c.below[0] + c.above[0] + c.weights.sum()
        return Sides(loc, c.below[1] / total, c.above[1] / total, total)
    return at_best(data, profile) if level is None else at_quantile(data, float(level))


def locate_traced(loc: Any, level: Any, profile: Profile, x: jax.Array, w: jax.Array) -> Sides:
    """The same for one array inside compiled code."""
    if loc is None and level is None:
        return _best(x, w, profile)
    if loc is None:
        low, high = quantiles(x, w, (level, level * (1.0 + 2e-11)))
        loc = low + 0.5 * (high - low)
    total = w.sum()
    below, above = (w @ jnp.maximum(side, 0.0) / total for side in (loc - x, x - loc))
    return Sides(loc, below, above, total)
