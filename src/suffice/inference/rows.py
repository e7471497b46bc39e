"""Observations row by row: the log-likelihood and the score of each, and the covariance that rests on their spread."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.family import Family
from suffice.inference.censored import Censored
from suffice.inference.likelihood import log_likelihoods
from suffice.inference.observations import Memory, Observations
from suffice.runtime.blocks import MIDDLE, TINY
from suffice.runtime.errors import DataError
from suffice.streams import Chunk


def rows_of(data: Observations) -> tuple[tuple[np.ndarray, ...], np.ndarray | None]:
    """Columns of the data: values, ends of rounded values, or rows of censored ones; and their weights."""
    if isinstance(data, Memory):
        half = data.width / 2.0
        x = np.asarray(data.values, float)
        return ((x,) if half == 0.0 else (x - half, x + half)), data.weights
    if isinstance(data, Censored) and data.in_memory:
        return (data.rows,), data.weights
    raise DataError("resampling needs the data in memory; profile intervals read them as often as they need")


def row_log_likelihoods(p: Any, rows: jax.Array, truncated: bool = True) -> jax.Array:
    """Log-likelihood of each row (left, right, lower, upper), truncation taken off where ``truncated``."""
    left, right, lower, upper = rows.T
    exact = left == right
    value = p.log_prob(jnp.where(exact, left, p._support().interior()))
    censored = log_likelihoods(p, (jnp.where(exact, -jnp.inf, left), jnp.where(exact, jnp.inf, right)), exact=True)
    value = jnp.where(exact, value, censored)
    return value - log_likelihoods(p, (lower, upper), exact=True) if truncated else value


def scores(family: Family, data: Observations) -> tuple[np.ndarray, np.ndarray | None]:
    """Score of each row at the family's member in unconstrained coordinates, (n, d), and the rows' weights."""
    columns, weights = rows_of(data)
    return _scores(family, columns), weights


@jax.jit
def _row_scores(family: Family, v: jax.Array, columns: tuple[jax.Array, ...]) -> jax.Array:
    def each(v: jax.Array) -> jax.Array:
        p = family.build(v)
        return row_log_likelihoods(p, columns[0]) if columns[0].ndim == 2 else log_likelihoods(p, columns, exact=True)

    return jax.jacfwd(each)(v)


def padded(columns: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """Columns filled up with copies of their last row to a length that few programs are compiled for."""
    n = len(columns[0])
    size = max(TINY, 1 << (n - 1).bit_length()) if n <= MIDDLE else -(-n // MIDDLE) * MIDDLE
    return tuple(np.pad(c, [(0, size - n)] + [(0, 0)] * (c.ndim - 1), mode="edge") for c in columns)


def _scores(family: Family, columns: tuple[np.ndarray, ...]) -> np.ndarray:
    return np.asarray(_row_scores(family, family.vector(family.member), padded(columns)))[: len(columns[0])]


class Meat:
    """Σ w² s sᵀ, Σ w and Σ w² of stretches of data, which add."""

    def __init__(self, outer: Any, total: float, squares: float) -> None:
        self.outer, self.total, self.squares = outer, total, squares

    def __add__(self, other: "Meat") -> "Meat":
        return Meat(self.outer + other.outer, self.total + other.total, self.squares + other.squares)

    @property
    def effective(self) -> float:
        """Kish's effective number of observations, (Σ w)²/Σ w²."""
        return self.total**2 / self.squares


def meat(family: Family, data: Observations, power: int = 2) -> Meat:
    """The spread of the scores at the family's member: what the sandwich covariance is filled with.

    With ``power`` 1 of the weights it is an estimate of the information, if weights are frequencies.
    """

    def of(columns: tuple[np.ndarray, ...], weights: np.ndarray | None) -> Meat:
        s = _scores(family, columns)
        w = np.ones(len(s)) if weights is None else weights
        return Meat(np.einsum("n,ni,nj->ij", w**power, s, s), float(w.sum()), float((w**2).sum()))

    def look(chunk: Chunk) -> Meat:
        return of((np.asarray(chunk.values, float),), chunk.weights)

    return of(*rows_of(data)) if data.in_memory else data.fold_chunks(look)
