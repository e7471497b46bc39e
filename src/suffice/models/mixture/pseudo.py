"""Pseudo-observations that keep components from collapsing, of families without a statistic of fixed size.

A scale over the whole line is drawn to the spread of the data, shared out, as that of a normal component is: however heavy
the tails, it cannot vanish. Other families see values that look like the sample.
"""

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.family import Family
from suffice.models.mixture.censored import log_probabilities

_MOST = 256  # rows that stand for the sample


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class OfSpread:
    """The scale is that of ``count`` values of this deviation: −count (log scale + (deviation/scale)²/2)."""

    count: jax.Array
    deviation: jax.Array

    def log_density(self, p: Any) -> jax.Array:
        return -self.count * (jnp.log(p.scale) + 0.5 * (self.deviation / p.scale) ** 2)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class LikeSample:
    """Values x with frequencies w: Σ w log p(x); of censored rows (point, left, right) the logarithm of their probability."""

    x: jax.Array
    w: jax.Array
    censored: bool = field(metadata={"static": True})

    @property
    def count(self) -> jax.Array:
        return self.w.sum()

    def log_density(self, p: Any) -> jax.Array:
        return self.w @ (log_probabilities(p, self.x, self.w > 0) if self.censored else p.log_prob(self.x))


def pseudo_of(
    family: Family, prior: float, deviation: float, x: np.ndarray, w: np.ndarray, censored: bool
) -> OfSpread | LikeSample:
    """As many of them as ``prior``, from the deviation of the data shared out and values with frequencies."""
    space = family.member.sample_space
    on_the_line = (
        not family.member.event_ndim and not space.integer and space.lower == -np.inf and space.upper == np.inf
    )
    if on_the_line and ("scale",) in family.free:
        return OfSpread(jnp.asarray(prior), jnp.asarray(deviation))
    x, w = _thinned(x, w)
    return LikeSample(jnp.asarray(x), jnp.asarray(prior * w / w.sum()), censored)


def _thinned(x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of many rows those at even steps of cumulated frequency, in the order of the first column."""
    if len(x) <= _MOST:
        return x, w
    order = np.argsort(x if x.ndim == 1 else x[:, 0], kind="stable")
    reached = np.cumsum(w[order])
    levels = (np.arange(_MOST) + 0.5) / _MOST * reached[-1]
    return x[order[np.searchsorted(reached, levels)]], np.ones(_MOST)
