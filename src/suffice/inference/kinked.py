"""Fits of families whose density has a kink at loc: Laplace and asymmetric Laplace.

The likelihood is highest at an observation, where its gradient in loc does not vanish and its Hessian does not know of
the kink. So known values are fitted through distances on either side of loc, and covariances come from E[s s'].
"""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import numpy as np

from suffice.distributions.family import Family
from suffice.distributions.generic import own
from suffice.inference.censored import Censored
from suffice.inference.closed_form import degenerate
from suffice.inference.kink import Profile, Sides, locate, locate_traced
from suffice.inference.likelihood import expansion, inverse, log_likelihood, reported_jacobian
from suffice.inference.observations import Observations
from suffice.inference.result import Fit
from suffice.inference.rows import meat
from suffice.inference.search import at_limit, climb
from suffice.inference.start import starting_points
from suffice.numerics import newton
from suffice.numerics.moments import namespace
from suffice.numerics.newton import AT_LIMIT, CONVERGED, State
from suffice.runtime.errors import DataError

_TRIED = 25
_HALVINGS = 48


def has_kink(family: Family) -> bool:
    """Whether the density of the family has a kink at its loc."""
    return own(family.kind, "_from_sides") is not None


def fit_sides(family: Family, data: Observations) -> Fit:
    """The fit to known values."""
    held = {name: np.asarray(value, float) for name, value in _held(family).items()}
    level, profile = _level_and_profile(family, held)
    sides = locate(held.get("loc"), level, profile, data)
    if sides.below + sides.above == 0.0 and "scale" not in held:
        raise DataError(degenerate(family, sides.count))
    return jax.device_put(_from_sides(family, sides, held))


def fit_sides_traced(family: Family, x: jax.Array, w: jax.Array) -> Fit:
    """The same for one array inside compiled code."""
    held = _held(family)
    level, profile = _level_and_profile(family, held)
    return _from_sides(family, locate_traced(held.get("loc"), level, profile, x, w), held)


def _held(family: Family) -> dict[str, Any]:
    names = family.kind.field_names()
    return {name: getattr(family.member, name) for name in names if (name,) not in family.free}


def _level_and_profile(family: Family, held: dict[str, Any]) -> tuple[Any, Profile]:
    kind: Any = family.kind
    return kind._level(held), lambda below, above: kind._from_sides(below, above, held)[1]


def _from_sides(family: Family, sides: Sides, held: dict[str, Any]) -> Fit:
    values, log_prob = family.kind._from_sides(sides.below, sides.above, held)  # type: ignore[attr-defined]
    p = family.with_values({"loc": sides.loc, **values})
    xp, limit = namespace(sides.loc), at_limit(p)
    spread = xp.where(limit, xp.nan, expected_covariance(family, p, sides.count))
    result = xp.where(limit, AT_LIMIT, CONVERGED)
    return Fit(replace(family, member=p), p, spread, sides.count * log_prob, sides.count, result, xp.asarray(0))


def expected_covariance(family: Family, p: Any, count: Any) -> Any:
    """Covariance of the estimates from the expected information of known values."""
    xp = namespace(count)
    chosen = np.array([p.field_names().index(path[-1]) for path in family.free])
    return xp.linalg.inv(xp.asarray(p._information())[np.ix_(chosen, chosen)]) / count


def fit_censored(family: Family, data: Censored) -> Fit:
    """The fit to values some of which are censored or truncated: the profile of loc, searched by its slope.

    The likelihood is smooth in all but loc: for each loc Newton's method finds the rest, and the slope in loc there is
    that of the profile. Halving finds where it changes sign, at a kink or between two, around the best of observations,
    of which ever narrower stretches are tried. The information is Σ w s s', which holds at a kink as well.
    """
    (p,) = starting_points([family], data)
    if isinstance(p, DataError):
        raise p
    profile = partial(_given_loc, family, data)
    x = np.unique(data.pilot(family.member.sample_space)[0])
    while True:
        grid = x[np.unique(np.linspace(0, len(x) - 1, _TRIED).astype(int))]
        found = [profile(p, loc) for loc in grid]
        best = int(np.argmax([state.value for state, _ in found]))
        state, p = found[best]
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
        if len(grid) == len(x):
            break
        x = x[(low <= x) & (x <= high)]
    width = high - low
    for _ in range(_HALVINGS):
        rises = _slope(family, data, p) > 0.0
        low, high = (p.loc, high) if rises else (low, p.loc)
        if low == high:  # at an end of the grid, which the maximum lies beyond
            width *= 2.0
            low, high = (low, low + width) if rises else (high - width, high)
            state, p = profile(p, high if rises else low)
        else:
            state, p = profile(p, low + 0.5 * (high - low))
    result, spread = AT_LIMIT if at_limit(p) else state.status, np.full((len(family.free),) * 2, np.nan)
    if result == CONVERGED:
        jacobian = np.asarray(reported_jacobian(family, family.vector(p)))
        spread = jacobian @ inverse(meat(replace(family, member=p), data, power=1).outer) @ jacobian.T
    count: Any = data.survey.summary.count
    fit: Any = Fit(replace(family, member=p), p, spread, state.value, count, result, _HALVINGS)  # type: ignore[arg-type]
    return jax.device_put(fit)


def _slope(family: Family, data: Observations, p: Any) -> Any:
    """Derivative of the log-likelihood in loc."""
    e = data.fold(lambda blocks: expansion(family, family.vector(p, np), blocks))
    return e.gradient[family.free.index(("loc",))]


def _given_loc(family: Family, data: Observations, p: Any, loc: Any) -> tuple[State, Any]:
    """The best member with that loc, from that of another."""
    rest = replace(family, member=p).holding({"loc": loc})
    if not rest.free:
        value = data.fold(lambda blocks: log_likelihood(rest.member, blocks))
        return newton.start(np.zeros(0))._replace(value=value, status=CONVERGED), rest.member
    ((state, _),) = climb([rest], [rest.vector(p, np)], data)
    return state, rest.build(state.point)
