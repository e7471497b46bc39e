"""Maximum of a penalised likelihood, and of a posterior density."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.distributions.family import Family
from suffice.distributions.generic import own
from suffice.distributions.statistics import Expansion
from suffice.inference.censored import Censored
from suffice.inference.estimate import check_possible
from suffice.inference.likelihood import covariance, expansion
from suffice.inference.observations import Observations
from suffice.inference.result import Fit
from suffice.inference.start import starting_points
from suffice.numerics import newton
from suffice.numerics.newton import CONVERGED, RUNNING, second_order
from suffice.runtime.errors import DataError

Penalty = Callable[[Any], jax.Array]


def fit_penalised(
    family: Family, data: Observations, penalty: Penalty | None, prior: Mapping[str, Distribution] | None
) -> Fit:
    """The member that maximises l(theta) − penalty(p) + Σ log prior_j(theta_j), by Newton's method on all of it."""
    check_prior(family, prior)
    if not family.regular or own(family.kind, "_from_median") is not None:
        raise ValueError(f"{family.name}: its likelihood is not smooth, so it is fitted without a penalty or prior")
    if isinstance(data, Censored):
        data.check(family)
    check_possible(family, data)
    (begin,) = starting_points([family], data)
    if isinstance(begin, DataError):
        raise begin
    state = newton.start(family.vector(begin, np))
    last: Expansion | None = None
    while last is None or state.status == RUNNING:
        v = state.trial
        last = data.fold(lambda blocks, v=v: expansion(family, v, blocks))
        added = jax.device_get(_log_prior(family, dict(prior or {}), v, penalty))
        expanded = (a + b for a, b in zip((last.log_likelihood, last.gradient, last.hessian), added, strict=True))
        state = newton.update(state, *expanded, last.count, lambda _: False)
    p = family.build(jnp.asarray(state.point))
    value = data.fold(lambda blocks: expansion(family, state.point, blocks)).log_likelihood
    spread = (
        covariance(last.jacobian, state.hessian)
        if state.status == CONVERGED
        else np.nan * last.jacobian @ last.jacobian.T
    )
    count: Any = last.count
    ended = state.status, state.iterations
    return jax.device_put(
        Fit(replace(family, member=p), p, spread, value, count, *ended, None, "penalised", -state.value)
    )


def check_prior(family: Family, prior: Mapping[str, Distribution] | None) -> None:
    """Raise where a prior is not on a parameter of the family, or not a distribution of one number."""
    for name, p in (prior or {}).items():
        if name not in family.parameter_names:
            told = ", ".join(family.parameter_names)
            raise ValueError(f"prior: {family.name} has no free parameter {name!r}; it has {told}")
        if not isinstance(p, Distribution) or p.event_ndim or p.batch_shape or p.discrete:
            raise TypeError(f"prior: that of {name!r} must be one continuous distribution of numbers, got {p!r}")


@partial(jax.jit, static_argnames="penalty")
def _log_prior(
    family: Family, prior: dict[str, Any], v: jax.Array, penalty: Penalty | None
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Value, gradient and Hessian of what is added to the log-likelihood."""

    def added(v: jax.Array) -> jax.Array:
        p = family.build(v)
        theta = dict(zip(family.parameter_names, family.report(p), strict=True))
        value = sum((density.log_prob(theta[name]) for name, density in prior.items()), jnp.zeros(()))
        return value if penalty is None else value - jnp.asarray(penalty(p))

    return second_order(added, jnp.asarray(v))
