"""Samples drawn from a fit and refitted: what tests of fit and the bands around plots are made of."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.family import Family
from suffice.inference.estimate import fit_traced
from suffice.inference.likelihood import log_likelihoods
from suffice.inference.observations import Observations
from suffice.inference.result import Fit
from suffice.numerics import newton

MOST_VALUES = 4096
MOST_CELLS = 1024
_STEPS = 25  # Newton steps of a refit; it starts at the fit the sample was drawn from
_ENTRIES = 2**19  # numbers held at once while replicates are worked on in batches


def padded_size(n: int) -> int:
    """A power of 2 that holds ``n`` values, so that few sizes are compiled."""
    return max(64, 1 << (n - 1).bit_length())


# -- values ----------------------------------------------------------------------------------------------------------


def sample_of(data: Observations, most: int, key: jax.Array) -> tuple[np.ndarray, bool, bool]:
    """A random sample of at most ``most`` observations, whether it is less than all, and whether weights are counts.

    Weights that are frequencies are respected; where they are not whole numbers the values are taken without them.
    """
    sample, rows = data.survey.sample, data.survey.summary.rows
    x, w = np.asarray(sample.values, float), sample.weights
    if w is None or np.any(w != np.floor(w)):
        return x[:most], rows > min(len(x), most), w is None
    if w.sum() > most:
        kept = generator(key).multivariate_hypergeometric(w.astype(int), most, method="marginals")
        return np.repeat(x, kept), True, True
    return np.repeat(x, w.astype(int)), rows > len(x), True


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
    """Consecutive integers that hold a table and all but 1e-10 of a fitted probability on either side.

    Attributes:
        columns: the integers, or the ends of the intervals they stand for, padded with copies of the last.
        real: false for the padding.
        counts: how often each was seen.
        probabilities: of the fit.
    """

    columns: tuple[np.ndarray, ...]
    real: np.ndarray
    counts: np.ndarray
    probabilities: np.ndarray

    @classmethod
    def around(cls, fit: Fit, values: np.ndarray, counts: np.ndarray, half: float) -> "Cells | None":
        """The cells of a table whose values are known to ``half`` on either side; None if there are too many."""
        p = fit.distribution
        low = min(np.floor(float(p.icdf(1e-10)) + half), values[0])
        high = max(np.ceil(float(p.isf(1e-10)) - half), values[-1])
        if not high - low < MOST_CELLS:
            return None
        k = np.arange(low, high + 1.0)
        size = padded_size(len(k))
        real, all_counts = np.arange(size) < len(k), np.zeros(size)
        all_counts[(values - low).astype(int)] = counts
        k = np.pad(k, (0, size - len(k)), mode="edge")
        columns = (k - half, k + half) if half else (k,)
        return cls(columns, real, all_counts, np.where(real, np.asarray(_probabilities(p, columns)), 0.0))

    @property
    def integers(self) -> np.ndarray:
        """The integers without the padding."""
        return np.mean(self.columns, axis=0)[self.real]


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
        def total(v: jax.Array) -> jax.Array:
            values = log_likelihoods(family.build(v), columns)
            return jnp.where(counts > 0, counts * jnp.where(counts > 0, values, 0.0), 0.0).sum()

        p = family.member
        if refit:
            p = family.build(newton.maximise(total, family.vector(p), counts.sum(), most=_STEPS).point)
        return statistic(jnp.where(real, jnp.exp(log_likelihoods(p, columns)), 0.0), counts, extra)

    return jax.vmap(one)(counts)
