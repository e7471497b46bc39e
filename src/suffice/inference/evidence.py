"""What a fit rests on, kept beside it: the log-likelihood of its family anywhere, from a statistic or from data."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.family import Family
from suffice.distributions.statistics import Sufficient
from suffice.inference.likelihood import QUICKLY_COMPILED, expansions, mean_log_likelihood
from suffice.inference.observations import Observations, tabulated
from suffice.inference.search import Together, share
from suffice.numerics.newton import second_order

type Expanded = tuple[Any, Any, Any]  # log-likelihood, gradient, Hessian


@dataclass(frozen=True)
class Evidence:
    """Where the log-likelihood comes from.

    Attributes:
        observations: the data, None where only a statistic was given.
        statistic: the sufficient statistic, None where the family or the data have none.
    """

    observations: Observations | None = None
    statistic: Sufficient | None = None

    def expand(self, requests: Sequence[tuple[Family, np.ndarray]]) -> list[Expanded]:
        """Log-likelihood, gradient and Hessian at unconstrained points of families, in one pass over the data."""
        if not requests:
            return []
        if self.statistic is not None:
            return _of_statistic(requests, self.statistic)
        data = self.observations
        if data is None:
            raise ValueError("this fit does not know its data any more: pass data=")
        families, points = [f for f, _ in requests], [v for _, v in requests]
        if all(f.member.discrete for f in families) and data.in_memory and data.is_plain:
            data = tabulated(data, 0.0) or data  # counts repeat

        def reduce(blocks: Any) -> Together:
            return Together(expansions(families, points, blocks, lambda work, items: share(work, items, data)))

        return [(e.log_likelihood, e.gradient, e.hessian) for e in data.fold(reduce)]


def _of_statistic(requests: Sequence[tuple[Family, np.ndarray]], s: Sufficient) -> list[Expanded]:
    """One compiled call for all points of a family."""
    found: list[Any] = [None] * len(requests)
    for family in {id(f): f for f, _ in requests}.values():
        places = [i for i, (f, _) in enumerate(requests) if f is family]
        expanded = jax.device_get(_expand_statistic(family, s, np.stack([requests[i][1] for i in places])))
        for i, each in zip(places, zip(*expanded, strict=True), strict=True):
            found[i] = each
    return found


@partial(jax.jit, compiler_options=QUICKLY_COMPILED)
def _expand_statistic(family: Family, s: Sufficient, points: jax.Array) -> Expanded:
    def at(v: jax.Array) -> Expanded:
        return second_order(lambda v: s.count * mean_log_likelihood(family.build(v), s), v)

    return jax.vmap(at)(points)


@partial(jax.jit, static_argnames="of", compiler_options=QUICKLY_COMPILED)
def expand_quantities(family: Family, points: jax.Array, places: jax.Array, of: Any) -> Expanded:
    """One entry each of a function of the distribution, with gradient and Hessian in unconstrained coordinates.

    Args:
        family: whose members the points are.
        points: unconstrained, (k, d).
        places: which entry is asked for at each, (k,).
        of: function of the distribution, with values of shape (q,).
    """

    def at(v: jax.Array, place: jax.Array) -> Expanded:
        return second_order(lambda v: jnp.asarray(of(family.build(v)), float)[place], v)

    return jax.vmap(at)(points, places)
