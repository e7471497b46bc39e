"""Samples drawn from a fit and refitted: what tests of fit and the bands around plots are made of."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.affine import Affine
from suffice.distributions.family import Family
from suffice.inference.estimate import at_smallest, fit_traced
from suffice.inference.likelihood import expand, log_likelihoods
from suffice.inference.observations import Observations
from suffice.inference.result import Fit
from suffice.numerics import newton

MOST_VALUES = 4096
MOST_CELLS = 1024
MOST_INTERVALS = 256  # fewer than of cells that are one integer: the mass of each takes a quadrature
_TAIL = 1e-10  # probability left out on either side of the cells
_STEPS = 25  # Newton steps of a refit; it starts at the fit the sample was drawn from
_ENTRIES = 2**19  # numbers held at once while replicates are worked on in batches


def padded_size(n: int) -> int:
    """A power of 2 that holds ``n`` values, so that few sizes are compiled."""
    return max(64, 1 << (n - 1).bit_length())


# -- values ----------------------------------------------------------------------------------------------------------


def sample_of(data: Observations, most: int, key: jax.Array) -> tuple[np.ndarray, bool, bool]:
    """A random sample of at most ``most`` observations, whether it is less than all, and whether weights are counts.

    Weights that are frequencies are respected; where they are not the values are taken without them.
    """
    sample = data.survey.sample
    x, w = np.asarray(sample.values, float), sample.weights
    if w is None or not are_frequencies(w):
        return x[:most], sample.seen > min(len(x), most), w is None
    places = np.repeat(np.arange(len(x)), w.astype(int)) if w.sum() <= most else drawn_places(w, most, key)
    return x[places], sample.seen > len(x) or len(places) < w.sum(), True


def are_frequencies(weights: np.ndarray) -> bool:
    """Whether weights are whole numbers, which float64 also adds up exactly."""
    return bool(np.all(weights == np.floor(weights)) and weights.sum() < 2**53)


def drawn_places(weights: np.ndarray, n: int, key: jax.Array) -> np.ndarray:
    """Places of n observations drawn without replacement from all that the frequencies stand for."""
    ends = np.cumsum(weights.astype(int))
    return np.searchsorted(ends, generator(key).choice(ends[-1], n, replace=False), side="right")


def generator(key: jax.Array) -> np.random.Generator:
    """A NumPy generator that follows from a key."""
    return np.random.default_rng(np.asarray(jax.random.key_data(key)))


def of_values(
    fit: Fit, statistic: Callable[..., jax.Array], n: int, replicates: int, key: jax.Array, refit: bool, *extra: Any
) -> np.ndarray:
    """``statistic(p, x, n, *extra)`` of samples x of n values from a fit, p being refitted to each of them.

    x is sorted, and padded with infinities to a size that is compiled once; p is the fit itself without ``refit``.
    """
    size = padded_size(n)
    batch = max(1, min(replicates, _ENTRIES // size))
    keys = jax.random.split(key, -(-replicates // batch) * batch).reshape(-1, batch)
    draw = partial(_of_values, fit, statistic=statistic, n=jnp.asarray(float(n)), size=size, refit=refit, extra=extra)
    return np.concatenate([np.asarray(draw(keys=k)) for k in keys])[:replicates]


@partial(jax.jit, static_argnames=("statistic", "size", "refit"))
def _of_values(
    fit: Fit, keys: jax.Array, statistic: Any, n: jax.Array, size: int, refit: bool, extra: tuple[Any, ...]
) -> jax.Array:
    inside = jnp.arange(size) < n

    def one(key: jax.Array) -> jax.Array:
        x = fit.distribution.sample((size,), rng=key).astype(float)
        x, p = jnp.where(inside, x, x[0]), fit.distribution
        if refit:
            p = fit_traced(fit.family, x, jnp.where(inside, 1.0, 0.0), p, most=_STEPS).distribution
        return statistic(p, jnp.sort(jnp.where(inside, x, jnp.inf)), n, *extra)

    return jax.vmap(one)(keys)


# -- integers --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cells:
    """A row of cells that holds a table and all but 1e-10 of a fitted probability on either side.

    A cell is an integer, or the interval x ± ½ of one, or of several neighbours where there would be too many.

    Attributes:
        columns: the integers, or the ends of the intervals, padded with copies of the last.
        real: false for the padding.
        counts: how many observations are in each.
        probabilities: of the fit.
    """

    columns: tuple[np.ndarray, ...]
    real: np.ndarray
    counts: np.ndarray
    probabilities: np.ndarray

    @classmethod
    def around(cls, fit: Fit, values: np.ndarray, counts: np.ndarray) -> "Cells | None":
        """The cells of a table of integers; None where a discrete family would need too many."""
        p = fit.distribution
        if p.discrete:
            low, high = min(float(p.icdf(_TAIL)), values[0]), max(float(p.isf(_TAIL)), values[-1])
            if not high - low < MOST_CELLS:
                return None
            columns: tuple[np.ndarray, ...] = (np.arange(low, high + 1.0),)
        else:
            edges = _edges(p, values[0] - 0.5, values[-1] + 0.5)
            columns = edges[:-1], edges[1:]
        m = len(columns[0])
        size = padded_size(m)
        columns = tuple(np.pad(c, (0, size - m), mode="edge") for c in columns)
        real = np.arange(size) < m
        probabilities = np.where(real, np.asarray(_probabilities(p, columns)), 0.0)
        placed = np.bincount(_places(columns[0][:m], values), counts, minlength=size)
        return cls(columns, real, placed, probabilities)

    @property
    def middles(self) -> np.ndarray:
        """The middle of each cell, without the padding."""
        return np.mean(self.columns, axis=0)[self.real]

    def places(self, values: np.ndarray) -> np.ndarray:
        """The cell in which each value lies."""
        return _places(self.columns[0][self.real], values)


def _places(starts: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.searchsorted(starts, values, side="right") - 1


def _edges(p: Any, low: float, high: float) -> np.ndarray:
    """Half-integers that part the line from ``low`` to ``high`` and beyond, as far as a distribution reaches.

    All of them where they are few; else those at quantiles, which lie evenly in the middle, and in the tails evenly in
    the logarithm of the probability beyond, so that little is lost by what shares a cell.
    """
    part = MOST_INTERVALS // 4 - 2
    levels = np.union1d(np.geomspace(_TAIL, 0.5, part), np.linspace(0.0, 0.5, part)[1:])
    below, above = np.floor(p.icdf(levels) + 0.5) - 0.5, np.ceil(p.isf(levels) - 0.5) + 0.5
    edges = np.concatenate([[low, high], below, above])
    edges = np.unique(edges[np.isfinite(edges)])
    few = edges[-1] - edges[0] <= MOST_INTERVALS
    return np.arange(edges[0], edges[-1] + 1.0) if few else edges


@jax.jit
def _probabilities(p: Any, columns: tuple[jax.Array, ...]) -> jax.Array:
    return jnp.exp(log_likelihoods(p, columns))


def of_cells(
    fit: Fit,
    cells: Cells,
    statistic: Callable[..., jax.Array],
    replicates: int,
    key: jax.Array,
    refit: bool,
    extra: Any,
) -> np.ndarray:
    """``statistic(probabilities, counts, extra)`` of tables drawn from a fit, the family being refitted to each."""
    shares = cells.probabilities / cells.probabilities.sum()
    drawn = generator(key).multinomial(int(cells.counts.sum()), shares, size=replicates).astype(float)
    batch = max(1, min(replicates, _ENTRIES // shares.size))
    padded = np.concatenate([drawn, np.repeat(drawn[:1], -replicates % batch, axis=0)]).reshape(-1, batch, shares.size)
    family = replace(fit.family, member=fit.distribution)
    parts = [_of_cells(family, cells.columns, cells.real, c, statistic, refit, extra) for c in padded]
    return np.concatenate([np.asarray(part) for part in parts])[:replicates]


@partial(jax.jit, static_argnames=("statistic", "refit"))
def _of_cells(
    family: Family, columns: Any, real: jax.Array, counts: jax.Array, statistic: Any, refit: bool, extra: Any
) -> jax.Array:
    def one(counts: jax.Array) -> jax.Array:
        p = _refitted_to_cells(family, columns, counts) if refit else family.member
        return statistic(jnp.where(real, jnp.exp(log_likelihoods(p, columns)), 0.0), counts, extra)

    return jax.vmap(one)(counts)


def _refitted_to_cells(family: Family, columns: Any, counts: jax.Array) -> Any:
    """The member that maximises the likelihood of a table; an estimated support ends with the outermost cells in use."""
    if not family.regular:
        if len(columns) == 1:
            return fit_traced(family, columns[0], counts).distribution
        start, end = columns
        lower, upper = jnp.where(counts > 0, start, jnp.inf).min(), jnp.where(counts > 0, end, -jnp.inf).max()
        if isinstance(family.member, Affine):
            return at_smallest(family, lower, counts @ (start + end) / 2.0 / counts.sum())
        family = family.holding(family.kind._support_of_rounded(lower, upper))  # type: ignore[attr-defined]

    if not family.free:
        return family.member
    used = tuple(
        jnp.where(counts > 0, column, column[jnp.argmax(counts)]) for column in columns
    )  # others may be outside
    begin = family.vector(family.member)
    return family.build(
        newton.maximise(lambda v: expand(family, v, used, counts)[:3], begin, counts.sum(), _STEPS).point
    )
