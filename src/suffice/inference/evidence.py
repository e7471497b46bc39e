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
from suffice.inference.likelihood import expansions, mean_log_likelihood
from suffice.inference.observations import Observations
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
            return [jax.device_get(_expand_statistic(f, self.statistic, v)) for f, v in requests]
        data = self.observations
        if data is None:
            raise ValueError("this fit does not know its data any more: pass data=")
        families, points = [f for f, _ in requests], [v for _, v in requests]

        def reduce(blocks: Any) -> Together:
            return Together(expansions(families, points, blocks, lambda work, items: share(work, items, data)))

        return [(e.log_likelihood, e.gradient, e.hessian) for e in data.fold(reduce)]


@jax.jit
def _expand_statistic(family: Family, s: Sufficient, v: jax.Array) -> Expanded:
    value, gradient, hessian = second_order(lambda v: mean_log_likelihood(family.build(v), s), v)
    return s.count * value, s.count * gradient, s.count * hessian


@partial(jax.jit, static_argnames="of")
def expand_quantity(family: Family, v: jax.Array, of: Any) -> Expanded:
    """A function of the distribution, with gradient and Hessian in unconstrained coordinates."""
    return second_order(lambda v: jnp.asarray(of(family.build(v)), float), v)
