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
from suffice.distributions.statistics import Expansion
from suffice.inference.censored import Censored
from suffice.inference.estimate import check_possible
from suffice.inference.kinked import has_kink
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
    if not family.regular or has_kink(family):
        raise ValueError(f"{family.name}: its likelihood is not smooth, so it is fitted without a penalty or prior")
    if isinstance(data, Censored):
        data.check(family)
    check_possible(family, data)
    (begin,) = starting_points([family], data)
    if isinstance(begin, DataError):
        raise begin
    state = newton.start(family.vector(begin, np))
    jacobian, count = np.zeros((0, 0)), 0.0
    while state.status == RUNNING:
        e = _expansion(family, data, state.trial)
        added = jax.device_get(_log_prior(family, dict(prior or {}), state.trial, penalty))
        expanded = (a + b for a, b in zip((e.log_likelihood, e.gradient, e.hessian), added, strict=True))
        state = newton.update(state, *expanded, e.count, lambda _: False)
        jacobian, count = e.jacobian, e.count
    p = family.build(jnp.asarray(state.point))
    value = _expansion(family, data, state.point).log_likelihood
    spread = covariance(jacobian, state.hessian) if state.status == CONVERGED else np.nan * jacobian @ jacobian.T
    numbers: Any = spread, value, count, state.status, state.iterations, None, "penalised", -state.value
    return jax.device_put(Fit(replace(family, member=p), p, *numbers))


def _expansion(family: Family, data: Observations, v: np.ndarray) -> Expansion:
    return data.fold(lambda blocks: expansion(family, v, blocks))


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
