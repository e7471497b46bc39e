"""Maximum likelihood from a statistic of fixed size, and what is wrong where there is none."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.distributions.family import Family
from suffice.distributions.generic import own
from suffice.distributions.statistics import Sufficient
from suffice.inference.likelihood import (
    covariance,
    mean_log_likelihood,
    reported_jacobian,
)
from suffice.inference.observations import Observations
from suffice.inference.result import Fit
from suffice.numerics import newton
from suffice.numerics.newton import CONVERGED, DEGENERATE, second_order
from suffice.runtime.errors import DataError


@jax.jit
def from_sufficient(family: Family, s: Sufficient) -> Fit:
    """The fit from a sufficient statistic: closed form or moment matching; Newton where parameters are held."""
    p, result, iterations = maximum(family, s)
    family = replace(family, member=p)
    if not family.regular:
        spread = jnp.full((len(family.parameter_names),) * 2, jnp.nan)
    elif own(p, "_covariance") is not None and family.is_plain:
        spread = p._covariance(s.count)
    else:
        v = family.vector(p)
        hessian = s.count * second_order(lambda v: mean_log_likelihood(family.build(v), s), v)[2]
        spread = covariance(reported_jacobian(family, v), hessian)
    certain = jnp.diagonal(spread) == 0.0  # an estimate on the boundary, such as a probability of 1, has no Wald error
    spread = jnp.where(certain[:, None] | certain[None, :], jnp.nan, spread)
    value = s.count * mean_log_likelihood(p, s)
    if family.dimension > 1:
        result = jnp.where(has_spread(family, s), result, DEGENERATE)
    return Fit(replace(family, member=p), p, spread, value, s.count, result, iterations)


def maximum(family: Family, s: Sufficient) -> tuple[Any, jax.Array, jax.Array]:
    """The member of highest likelihood, how the search for it ended, and its steps."""
    p = family.with_values(family.kind._estimate(s))  # type: ignore[attr-defined]
    if family.is_plain or not family.regular:
        return p, jnp.asarray(CONVERGED), jnp.asarray(0)
    state = _maximise_traced(replace(family, member=p), s, p)
    return family.build(state.point), state.status, state.iterations


def has_spread(family: Family, s: Sufficient) -> jax.Array:
    """Whether observations differ by more than rounding, as far as the statistic of the family tells."""
    if family.kind.needs_extremes:
        return s.upper > s.lower
    hook = own(family.member, "_divergence")
    if hook is None or family.member.event_ndim:
        return jnp.asarray(True)
    eps = 8.0 * jnp.finfo(s.mean.dtype).eps
    x = family.member._from_coordinate(s.mean)
    step = jnp.abs(family.member._coordinate(x * (1.0 + eps)) - s.mean) + eps * jnp.abs(s.mean)
    return ~(s.gap <= hook(step, s.mean))


def _maximise_traced(family: Family, s: Sufficient, begin: Distribution) -> newton.State:
    """Newton's method on the likelihood of a sufficient statistic, inside compiled code."""

    def total(v: jax.Array) -> jax.Array:
        return s.count * mean_log_likelihood(family.build(v), s)

    return newton.maximise(lambda v: second_order(total, v), family.vector(begin), s.count)


def fit_sufficient(family: Family, s: Sufficient, data: Observations | None = None) -> Fit | DataError:
    """The fit from a sufficient statistic, or what is wrong with the data it came from."""
    try:
        check_sufficient(family, s, data)
    except DataError as error:
        return error
    return _settled(from_sufficient(family, s), s)


def has_sufficient(family: Family) -> bool:
    """Whether the family is fitted from a statistic of fixed size."""
    return own(family.kind, "_estimate") is not None


def check_sufficient(family: Family, s: Sufficient, data: Observations | None) -> None:
    """Raise what is wrong with the data, if the statistic says that something is."""
    bad = not np.all(np.isfinite(s.mean)) or not np.all(np.isfinite(s.gap)) or float(s.outside) > 0
    if bad and data is not None:
        found = data.outside(family.member.sample_space)  # raises for missing and infinite values
        if found is not None:
            raise DataError(impossible(family, *found))
    if bad:
        reason = "are not finite" if float(s.outside) == 0.0 else f"hold values not {family.member.sample_space}"
        raise DataError(f"{family.name} cannot be fitted: the statistics {reason}")


def _settled(fit: Fit, s: Sufficient) -> Fit | DataError:
    """The fit, unless its maximum lies on the boundary of the parameters or leaves data outside the support."""
    p = fit.distribution
    if fit.result == DEGENERATE:
        return DataError(degenerate(fit.family, float(s.count)))
    if not np.all(np.asarray(p._valid())) or not np.isfinite(fit.log_likelihood):
        return DataError(not_inside(fit.family, p))
    if fit.family.kind.needs_extremes and not np.all(p._support().contains(np.array([s.lower, s.upper]))):
        return DataError(f"{fit.family.name} cannot be fitted: data from {s.lower:g} to {s.upper:g} are outside")
    return fit


def impossible(family: Family, row: int, value: float) -> str:
    """Why data outside the family's sample space rule it out."""
    return f"{family.name} needs values {family.member.sample_space}, got {value:.6g} in row {row}"


def not_inside(family: Family, p: Distribution) -> str:
    """Why a maximum on the boundary of the parameters is none."""
    values = family.report(p, np)
    told = ", ".join(f"{name} = {value:g}" for name, value in zip(family.parameter_names, values, strict=True))
    return f"{family.name} cannot be fitted: the maximum of the likelihood is not inside, {told}"


def degenerate(family: Family, count: float) -> str:
    """Why a sample without spread cannot be fitted."""
    return (
        f"{family.name} cannot be fitted: the observations are all equal, to within rounding (n = {count:,.10g}), "
        "and the likelihood keeps growing as the spread shrinks to nothing"
    )
