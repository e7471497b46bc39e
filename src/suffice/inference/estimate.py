"""The engine of maximum likelihood: order statistics and Newton's method over shared passes, closed forms where there are."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.affine import Affine
from suffice.distributions.distribution import Distribution
from suffice.distributions.family import Family, as_family
from suffice.distributions.family import family as with_held
from suffice.distributions.generic import own
from suffice.distributions.statistics import Expansion, Sufficient, sufficient
from suffice.inference.censored import Censored
from suffice.inference.closed_form import (
    check_sufficient,
    degenerate,
    fit_sufficient,
    from_sufficient,
    has_sufficient,
    impossible,
    not_inside,
)
from suffice.inference.evidence import Evidence
from suffice.inference.kinked import (
    expected_covariance,
    fit_censored,
    fit_sides,
    fit_sides_traced,
    has_kink,
)
from suffice.inference.likelihood import (
    covariance,
    expand,
    expansion,
    log_likelihood,
    reported_jacobian,
)
from suffice.inference.observations import Memory, Observations
from suffice.inference.peak import fit_peak
from suffice.inference.result import Fit
from suffice.inference.search import Together, at_limit, search, share
from suffice.inference.start import rough, starting_points
from suffice.numerics import newton
from suffice.numerics.newton import AT_LIMIT, CONVERGED, DEGENERATE, INVALID, UNBOUNDED
from suffice.runtime.blocks import Block
from suffice.runtime.errors import DataError

MOST_CLASSES = 2**10  # a covariance of more is no help to anyone


def fit_traced(family: Family, x: jax.Array, w: jax.Array, begin: Any = None, most: int = newton.MOST_STEPS) -> Fit:
    """The fit of one array inside compiled code, such as a bootstrap under ``vmap``; NaN where the data rule it out.

    Args:
        begin: where iterations start; by default from the family's rough fit to the data.
        most: Newton steps at most.
    """
    if own(family.member, "_sized") is not None and not family.member.event_ndim:
        raise ValueError(f"{family.name} is not fitted inside compiled code: the data say how many classes there are")
    if own(family.kind, "_best_peak") is not None:
        raise ValueError(f"{family.name} is not fitted inside compiled code: every observation is tried as the peak")
    fit = _fit_traced(family, x, w, begin, most)
    inside = jnp.all(family.member.sample_space.contains(x) | (w == 0.0)) & jnp.all(w >= 0.0)
    usable = inside & fit.distribution._valid() & (fit.result != DEGENERATE)
    p = jax.tree.map(lambda leaf: jnp.where(usable, leaf, jnp.nan), fit.distribution)
    return replace(
        fit,
        family=replace(family, member=p),
        distribution=p,
        covariance=jnp.where(usable, fit.covariance, jnp.nan),
        log_likelihood=jnp.where(usable, fit.log_likelihood, jnp.nan),
        result=jnp.where(usable | (fit.result == DEGENERATE), fit.result, INVALID),
    )


def _fit_traced(family: Family, x: jax.Array, w: jax.Array, begin: Any, most: int) -> Fit:
    if has_sufficient(family):
        return from_sufficient(family, sufficient(family.member, [Block((x,), w)]))
    if has_kink(family):
        return fit_sides_traced(family, x, w)
    if isinstance(family.member, Affine) and not family.regular:
        p = at_smallest(family, jnp.where(w > 0, x, jnp.inf).min(), w @ x / w.sum())
        unknown, done = jnp.asarray(_unknown(family)), jnp.asarray(CONVERGED)
        return Fit(replace(family, member=p), p, unknown, w @ p._log_prob(x), w.sum(), done, jnp.asarray(0))
    if begin is None:
        begin = family.with_values(rough(family.member, x, w))

    state = newton.maximise(lambda v: expand(family, v, (x,), w)[:3], family.vector(begin), w.sum(), most)
    p = family.build(state.point)
    spread: Any = covariance(reported_jacobian(family, state.point), state.hessian)
    return Fit(replace(family, member=p), p, spread, state.value, w.sum(), state.status, state.iterations)


def summarise(family: Family, data: Observations) -> Sufficient:
    """The sufficient statistic of observations, checked."""
    family = _with_classes(family, data)
    s = data.fold(lambda blocks: sufficient(family.member, blocks))
    check_sufficient(family, s, data)
    return s


def expand_at(family: Family, at: Distribution, data: Observations) -> Expansion:
    """Log-likelihood, gradient and Hessian of observations at a member of the family."""
    if not isinstance(at, family.kind):
        raise TypeError(f"at must be a {family.kind.__name__}, got {type(at).__name__}")
    family = replace(family, member=at)
    check_possible(family, data)
    v = family.vector(at, np)
    return data.fold(lambda blocks: expansion(family, v, blocks))


# -- families without a finite statistic ---------------------------------------------------------------------------


def _from_newton(family: Family, state: newton.State, last: Expansion, data: Observations) -> Fit:
    p = family.build(state.point)
    spread, limit = _unknown(family), None
    if at_limit(p):
        state = state._replace(status=AT_LIMIT)
    if state.status == CONVERGED:
        spread = covariance(last.jacobian, state.hessian)
        if has_kink(family) and ("loc",) in family.free:
            spread = expected_covariance(family, p, data.survey.summary.count)
    elif state.status == AT_LIMIT:
        limit = _limit(family, p, data)
    if isinstance(p, Affine) and p.base.unbounded_at_origin and state.status == CONVERGED:
        state = state._replace(status=UNBOUNDED)
    return _answer(family, p, spread, state.value, data, state.status, state.iterations, limit)


def _answer(
    family: Family,
    p: Distribution,
    spread: Any,
    value: Any,
    data: Observations,
    result: Any = CONVERGED,
    iterations: Any = 0,
    limit: Fit | None = None,
) -> Fit:
    """A fit whose numbers, found on the host, become arrays."""
    count: Any = data.survey.summary.count
    return jax.device_put(Fit(replace(family, member=p), p, spread, value, count, result, iterations, limit))


def _unknown(family: Family) -> np.ndarray:
    return np.full((len(family.parameter_names),) * 2, np.nan)


def _limit(target: Family, p: Distribution, data: Observations) -> Fit | None:
    """The fit of the family that a parameter leads to as it grows, with what is held held there as well."""
    limit = next((target.kind.limits[path[-1]] for path in target.free if path[-1] in target.kind.limits), None)
    if limit is None:
        return _one_sided_limit(target, p, data)
    free = {limit.names.get(path[-1], path[-1]) for path in target.free}
    values = {limit.names.get(name, name): getattr(p, name) for name in target.kind.field_names()}
    of_kind = as_family(limit.kind)
    limiting = of_kind.holding({name: value for name, value in values.items() if name not in free})
    if not limiting.free:
        value = data.fold(lambda blocks: log_likelihood(limiting.member, blocks))
        return _answer(limiting, limiting.member, _unknown(limiting), value, data)
    found = fit_families([limiting], data)[0]
    return found if isinstance(found, Fit) else None


def _one_sided_limit(target: Family, p: Distribution, data: Observations) -> Fit | None:
    """The fit of the family, with a free origin, that is left when all observations lie on one side of loc."""
    hook = own(p, "_limiting")
    kind = None if hook is None or not target.is_plain else hook()
    if kind is None:
        return None
    found = fit_families([with_held(kind, loc="free")], data)[0]
    return found if isinstance(found, Fit) else None


# -- several families at once --------------------------------------------------------------------------------------


def fit_observations(family: Family, data: Observations) -> Fit:
    """Fit one family to observations."""
    (result,) = fit_families([family], data)
    if isinstance(result, DataError):
        raise result
    return result


def fit_families(families: Sequence[Family], data: Observations) -> list[Fit | DataError]:
    """Fit several families with shared passes over the data; a family the data rule out yields its error.

    Families with a statistic of fixed size take one pass together, the iterative ones a pass per Newton step together.
    """
    families, results = list(families), {}
    for i, f in enumerate(families):
        try:
            families[i] = _with_classes(f, data)
        except DataError as error:
            results[i] = error
    by_statistic = [i for i, f in enumerate(families) if i not in results and has_sufficient(f) and data.is_plain]
    statistics: Any = ()
    if by_statistic:
        statistics = data.fold(
            lambda blocks: Together(share(lambda i: sufficient(families[i].member, blocks), by_statistic, data))
        )

        def finish(place: int) -> tuple[int, Fit | DataError]:
            i = by_statistic[place]
            return i, fit_sufficient(families[i], statistics[place], data)

        results.update(share(finish, range(len(by_statistic)), data))

    rest = [i for i in range(len(families)) if i not in results]
    closed = dict(zip(rest, share(lambda i: _without_search(families[i], data), rest, data), strict=True))
    open_ = [i for i in rest if closed[i] is None]
    starts: dict[int, Any] = dict(zip(open_, starting_points([families[i] for i in open_], data), strict=True))
    searched = [i for i in open_ if not isinstance(starts[i], DataError)]
    ends = search([families[i] for i in searched], [starts[i] for i in searched], data)
    results |= closed | starts
    results |= {i: _from_newton(families[i], *end, data) for i, end in zip(searched, ends, strict=True)}
    kept = dict(zip(by_statistic, statistics, strict=True))
    return [_resting(results[i], Evidence(data, kept.get(i))) for i in range(len(families))]


def _resting(found: Fit | DataError, evidence: Evidence) -> Fit | DataError:
    return found if isinstance(found, DataError) else found.resting_on(evidence)


def _without_search(family: Family, data: Observations) -> Fit | DataError | None:
    """The fit of a family whose maximum lies at order statistics, or why it has none; None where it must be searched."""
    try:
        if isinstance(data, Censored):
            data.check(family)
        check_possible(family, data)
        if isinstance(family.member, Affine) and not family.regular:
            return _from_smallest(family, data)
        if own(family.kind, "_best_peak") is not None:
            p, value, status = fit_peak(family, data)
            if not (np.isfinite(value) and np.all(np.asarray(p._valid()))):
                raise DataError(not_inside(family, p))
            return _answer(family, p, _unknown(family), value, data, status)
        if not family.regular:
            return _from_rounded_extremes(family, data)
        if has_kink(family) and data.is_plain:
            found = fit_sides(family, data)
            return found if found.converged else replace(found, limit=_limit(family, found.distribution, data))
        if has_kink(family) and ("loc",) in family.free and isinstance(data, Censored) and data.kinds.exact:
            return fit_censored(family, data)
        return None
    except DataError as error:
        return error


def _with_classes(family: Family, data: Observations) -> Family:
    """The family with as many classes as the data show, where its parameter is a vector over classes."""
    hook = own(family.member, "_sized")
    if hook is None:
        return family
    largest = data.survey.summary.maximum
    if largest >= MOST_CLASSES:
        raise DataError(f"{family.name} takes classes below {MOST_CLASSES}, got {largest:g}")
    return replace(family, member=hook(int(largest) + 1)) if largest >= 0 else family


def check_possible(family: Family, data: Observations) -> None:
    """Raise where no member of the family could have made the data, or where it fits a single point ever better."""
    space, summary, half = family.member.sample_space, data.survey.summary, data.width / 2.0
    if half:
        if summary.minimum + half <= space.lower or np.isfinite(space.upper):
            row, value = data.outside(space) or (1, summary.minimum)
            raise DataError(impossible(family, row, value))
    elif (found := data.outside(space)) is not None:
        raise DataError(impossible(family, *found))
    reach = summary.maximum - summary.minimum
    constant = reach <= 8.0 * np.finfo(float).eps * max(abs(summary.minimum), abs(summary.maximum))
    if constant and not family.member.discrete and (family.dimension > 1 or summary.minimum - half <= space.lower):
        raise DataError(degenerate(family, summary.count))
    distinct = len(data.values) if half and isinstance(data, Memory) else 0
    neighbours = reach == distinct - 1  # so that nothing between them says how fast the density falls
    if 1 < distinct <= family.dimension and neighbours and family.regular:
        raise DataError(
            f"{family.name} cannot be fitted: {distinct} neighbouring rounded values do not determine "
            f"{family.dimension} parameters"
        )


def at_smallest(family: Family, origin: jax.Array, mean: jax.Array) -> Affine:
    """The best member of a family whose density jumps at a free origin, given the origin: what is held stays."""
    base, held = family.member.base, all(path[0] != "base" for path in family.free)
    return Affine(base if held else base._from_mean(mean - origin), origin, jnp.asarray(1.0))


def _from_smallest(family: Family, data: Observations) -> Fit:
    """A family whose density jumps at a free origin: the origin is the smallest observation."""
    summary = data.survey.summary
    origin = summary.minimum - data.width / 2.0
    p = at_smallest(family, jnp.asarray(origin), jnp.asarray(summary.mean))
    value = data.fold(lambda b: expansion(family, family.vector(p, np), b)).log_likelihood
    return _answer(family, p, _unknown(family), value, data)


def _from_rounded_extremes(target: Family, data: Observations) -> Fit:
    """A family whose support is estimated, from rounded values: the support reaches to the ends of their intervals."""
    summary, half = data.survey.summary, data.width / 2.0
    rest = target.holding(target.kind._support_of_rounded(summary.minimum - half, summary.maximum + half))  # type: ignore[attr-defined]
    if not np.all(np.asarray(rest.member._valid())):
        raise DataError(f"{target.name} cannot be fitted to rounded values: {not_inside(target, rest.member)}")
    if rest.free:
        inner = fit_families([rest], data)[0]
        if isinstance(inner, DataError):
            raise inner
        return replace(inner, family=replace(target, member=inner.distribution), covariance=_unknown(target))
    value = data.fold(lambda blocks: expansion(target, target.vector(rest.member, np), blocks)).log_likelihood
    return _answer(target, rest.member, _unknown(target), value, data)
