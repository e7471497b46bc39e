"""Components seen through censored rows: the E-step takes the probability of an interval, the M-step a step of Newton's method.

A row is (point, left, right): the value lies in (left, right], or is left where both are equal; the point stands for it
where a number is needed, as for starts. With r_k the responsibilities under these probabilities, a step up
Σ_i w_i r_ik log P(left_i < X <= right_i | k) is one of EM, the label alone being hidden, and the log-likelihood cannot fall.
"""

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.family import Family
from suffice.distributions.generic import log_interval_and_gap, short_integrated
from suffice.numerics.domain import Interval
from suffice.numerics.newton import second_order
from suffice.runtime.errors import DataError
from suffice.streams.intervals import LEFT, RIGHT, is_truncated, middle

_NODES = 16  # of the quadrature over a short interval


def with_points(values: np.ndarray) -> np.ndarray:
    """Rows (point, left, right) from those of a source, (left, right, lower, upper)."""
    if is_truncated(values).any():
        raise DataError(
            "mixtures are fitted to censored values, not to truncated ones: what each component would have lost beyond the "
            "limits is not known apart from its weight; leave lower and upper out if nothing was lost"
        )
    return np.column_stack([middle(values), values[:, LEFT], values[:, RIGHT]])


def points_in(x: np.ndarray, space: Interval) -> np.ndarray:
    """A value in ``space`` for each row (point, left, right) that has one."""
    points = middle(np.clip(x[:, 1:], space.lower, space.upper))
    return np.ceil(points) if space.integer else points


def dearness(x: Any) -> Any:
    """0 of rows whose value is known, 1 of intervals with an open end, 2 of others: rows of a kind are worked on together."""
    left, right = x[:, 1], x[:, 2]
    return (left < right) * (2 - ((left == -np.inf) | (right == np.inf)))


def log_probabilities(p: Any, x: jax.Array, some: Any = True) -> jax.Array:
    """Log-likelihood of each row (point, left, right), (n,); of a harmless value where not ``some``."""
    inside = p._support().interior()
    left, right = jnp.where(some, x[:, 1], inside), jnp.where(some, x[:, 2], inside)
    exact = left == right
    value = p.log_prob(jnp.where(exact, left, inside))
    low, high = jnp.where(exact, -jnp.inf, left), jnp.where(exact, jnp.inf, right)
    kind = dearness(x).max()  # of the rows alone, so that under vmap over parameters only what they need is computed
    nothing = jnp.zeros_like(value), jnp.zeros_like(value)
    mass, gap = jax.lax.cond(kind > 0, lambda: log_interval_and_gap(p, low, high), lambda: nothing)
    mass = jax.lax.cond(kind > 1, lambda: short_integrated(p, low, high, mass, gap), lambda: mass)
    return jnp.where(exact, value, mass)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class CensoredKernel:
    """Probabilities of intervals under members of one family, and sums for one Newton step.

    Attributes:
        family: which; a pytree, so what it holds may change.
        how: "newton", or "held" where nothing is estimated.
    """

    family: Family
    how: str = field(metadata={"static": True})

    def width(self, prepared: Any) -> int:
        _, count, d = prepared["v"].shape
        return count * (_NODES + 4) * (1 + d * d)

    def densities(self, prepared: Any, x: jax.Array) -> tuple[jax.Array, Any]:
        """The log-densities with their derivatives, which take no program of their own: it would be most of the compilation."""
        if self.how == "held":
            return jax.vmap(jax.vmap(lambda v: log_probabilities(self.family.build(v), x)))(prepared["v"]), None
        found = jax.vmap(jax.vmap(lambda v: expanded(self.family, v, x)))(prepared["v"])
        return found[0], found

    def sums(self, prepared: Any, x: jax.Array, kept: Any, r: jax.Array) -> Any:
        return {} if kept is None else jax.tree.map(lambda a: contracted(r, a), kept)


def expanded(family: Family, v: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Log-likelihoods of rows (n,), with gradients (n, d) and Hessians (n, d, d) in the coordinates v."""
    return second_order(lambda v: log_probabilities(family.build(v), x), v)


def contracted(r: jax.Array, a: jax.Array) -> jax.Array:
    """Σ r a over rows, of r (..., n) and a (..., n, …), where r > 0."""
    rows = r.ndim - 1
    r = r.reshape(r.shape + (1,) * (a.ndim - r.ndim))
    return jnp.where(r > 0, r * a, 0.0).sum(rows)
