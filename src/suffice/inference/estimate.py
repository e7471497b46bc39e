"""The engine of maximum likelihood: order statistics and Newton's method over shared passes, closed forms where there are."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.distributions.family import Family, family
from suffice.distributions.generic import log_interval, own
from suffice.distributions.shifted import Shifted
from suffice.distributions.statistics import Expansion, Sufficient, sufficient
from suffice.inference.closed_form import (
    check_sufficient,
    degenerate,
    fit_sufficient,
    from_sufficient,
    has_sufficient,
    impossible,
)
from suffice.inference.likelihood import (
    covariance,
    expansion,
    log_likelihoods,
    reported_jacobian,
)
from suffice.inference.median import median_and_deviation
from suffice.inference.observations import MOST_LEVELS, Memory, Observations
from suffice.inference.result import Fit
from suffice.inference.search import Together, search, share
from suffice.inference.start import starting_points
from suffice.numerics import newton
from suffice.numerics.moments import median
from suffice.numerics.newton import AT_LIMIT, CONVERGED, UNBOUNDED
from suffice.runtime.blocks import Block
from suffice.runtime.errors import DataError


def fit_traced(family: Family, x: jax.Array, w: jax.Array, begin: Any = None, most: int = newton.MOST_STEPS) -> Fit:
    """The fit of one array inside compiled code, such as a bootstrap under ``vmap``.

    Args:
        begin: where iterations start; by default from the family's rough fit to the data.
        most: Newton steps at most.
    """
    if has_sufficient(family):
        return from_sufficient(family, sufficient(family.member, [Block((x,), w)]))
    if own(family.kind, "_from_median") is not None:
        middle = median(x, w)
        deviation = (w * jnp.abs(x - middle)).sum() / w.sum()
        return _at_median(family, middle, deviation, w.sum())
    if begin is None:
        begin = family.with_values(family.kind._start(x, w))  # type: ignore[attr-defined]

    def total(v: jax.Array) -> jax.Array:
        return w @ log_likelihoods(family.build(v), (x,))

    state = newton.maximise(total, family.vector(begin), w.sum(), most)
    p = family.build(state.point)
    spread = covariance(reported_jacobian(family, state.point), state.hessian)
    return Fit(replace(family, member=p), p, spread, state.value, w.sum(), state.status, state.iterations)


def summarise(family: Family, data: Observations) -> Sufficient:
    """The sufficient statistic of observations, checked."""
    family = _with_classes(family, data)
    s = data.fold(lambda blocks: sufficient(family.member, blocks))
    check_sufficient(family, s, data, needs_spread=False)
    return s


def expand(family: Family, at: Distribution, data: Observations) -> Expansion:
    """Log-likelihood, gradient and Hessian of observations at a member of the family."""
    if not isinstance(at, family.kind):
        raise TypeError(f"at must be a {family.kind.__name__}, got {type(at).__name__}")
    family = replace(family, member=at)
    _check_possible(family, data)
    v = family.vector(at, np)
    return data.fold(lambda blocks: expansion(family, v, blocks))


# -- families without a finite statistic ---------------------------------------------------------------------------


def _from_newton(family: Family, state: newton.State, last: Expansion, data: Observations) -> Fit:
    p = family.build(state.point)
    spread, limit = _unknown(family), None
    if state.status == CONVERGED:
        spread = covariance(last.jacobian, state.hessian)
        if _has_median(family) and family.is_plain:  # the likelihood has a kink there
            spread = p._covariance(data.survey.summary.count)
    elif state.status == AT_LIMIT:
        limit = fit_families([_limiting(family)], data)[0]
    if isinstance(p, Shifted) and p.base.unbounded_at_origin and state.status == CONVERGED:
        state = state._replace(status=UNBOUNDED)
    value = _exact_if_needed(p, state.value, last.error, data) if _width(data) else state.value
    told = limit if isinstance(limit, Fit) else None
    return _answer(family, p, spread, value, data, state.status, state.iterations, told)


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


def _exact_if_needed(p: Distribution, value: Any, error: float, data: Observations) -> Any:
    """The log-likelihood of intervals: from the distribution function where quadrature of the density is not enough."""
    if error <= 1e-11 * (abs(float(value)) + 1.0):
        return value
    return data.fold(lambda blocks: sum((_weighted_intervals(p, block) for block in blocks), jnp.zeros(())))


@jax.jit
def _weighted_intervals(p: Distribution, block: Block) -> jax.Array:
    values = log_interval(p, *block.columns)
    return values.sum() if block.weights is None else jnp.where(block.weights > 0, block.weights * values, 0.0).sum()


def _limiting(target: Family) -> Family:
    """The limiting family, with what the family itself holds."""
    (kind,) = {target.kind.limits[path[-1]] for path in target.free if path[-1] in target.kind.limits}
    free = {path[-1] for path in target.free}
    held = {n: getattr(target.member, n) for n in target.kind.field_names() if n not in free}
    return family(kind, **{name: value for name, value in held.items() if name in kind.field_names()})


def _from_median(family: Family, data: Observations) -> Fit:
    """A family whose location is the median and whose scale the mean distance from it."""
    middle, deviation, count = median_and_deviation(data)
    if deviation == 0.0 and family.dimension > 1:
        raise DataError(degenerate(family, count))
    return _at_median(family, jnp.asarray(middle), jnp.asarray(deviation), jnp.asarray(count))


def _at_median(family: Family, middle: jax.Array, deviation: jax.Array, count: jax.Array) -> Fit:
    p = family.with_values(family.kind._from_median(middle, deviation))  # type: ignore[attr-defined]
    value = count * (p.log_prob(middle) - deviation / p.scale)
    chosen = np.array([p.field_names().index(path[-1]) for path in family.free])
    spread = p._covariance(count)[np.ix_(chosen, chosen)]
    return Fit(replace(family, member=p), p, spread, value, count, jnp.asarray(CONVERGED), jnp.asarray(0))


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
    families = [_with_classes(f, data) for f in families]
    results: dict[int, Any] = {}
    by_statistic = [i for i, f in enumerate(families) if has_sufficient(f) and not _width(data)]
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
    return [results[i] for i in range(len(families))]


def _without_search(family: Family, data: Observations) -> Fit | DataError | None:
    """The fit of a family whose maximum lies at order statistics, or why it has none; None where it must be searched."""
    try:
        _check_possible(family, data)
        if isinstance(family.member, Shifted) and not family.regular:
            return _from_smallest(family, data)
        if not family.regular:
            return _from_rounded_extremes(family, data)
        return _from_median(family, data) if _has_median(family) and not _width(data) else None
    except DataError as error:
        return error


def _width(data: Observations) -> float:
    """Width of the interval that each observation stands for, 0 if it is a point."""
    return data.width if isinstance(data, Memory) else 0.0


def _has_median(family: Family) -> bool:
    return own(family.kind, "_from_median") is not None and ("loc",) in family.free


def _with_classes(family: Family, data: Observations) -> Family:
    """The family with as many classes as the data show, where its parameter is a vector over classes."""
    hook = own(family.kind, "_with_classes")
    if hook is None:
        return family
    largest = data.survey.summary.maximum
    return replace(family, member=hook(int(largest) + 1)) if 0 <= largest < MOST_LEVELS else family


def _check_possible(family: Family, data: Observations) -> None:
    """Raise where no member of the family could have made the data, or where it fits a single point ever better."""
    space, summary, half = family.kind.sample_space, data.survey.summary, _width(data) / 2.0
    if half:
        if summary.minimum + half <= space.lower or np.isfinite(space.upper):
            row, value = data.outside(space) or (1, summary.minimum)
            raise DataError(impossible(family, row, value))
    elif (found := data.outside(space)) is not None:
        raise DataError(impossible(family, *found))
    if summary.minimum == summary.maximum and not family.kind.discrete and family.dimension > 1:
        raise DataError(degenerate(family, summary.count))
    if half and isinstance(data, Memory) and 1 < len(data.values) <= family.dimension and family.regular:
        raise DataError(
            f"{family.name} cannot be fitted: {len(data.values)} distinct rounded values do not determine "
            f"{family.dimension} parameters"
        )


def _from_smallest(family: Family, data: Observations) -> Fit:
    """A family whose density jumps at a free origin: the origin is the smallest observation."""
    summary = data.survey.summary
    origin = summary.minimum - _width(data) / 2.0
    base = family.member.base._from_mean(jnp.asarray(summary.mean - origin))
    p = Shifted(base, jnp.asarray(origin))
    value = data.fold(lambda b: expansion(family, family.vector(p, np), b)).log_likelihood
    return _answer(family, p, _unknown(family), value, data)


def _from_rounded_extremes(target: Family, data: Observations) -> Fit:
    """A family whose support is estimated, from rounded values: the support reaches to the ends of their intervals."""
    summary, half = data.survey.summary, _width(data) / 2.0
    ends = target.kind._support_of_rounded(summary.minimum - half, summary.maximum + half)  # type: ignore[attr-defined]
    try:
        rest = family(target.kind, **ends)
    except ValueError as error:
        if "nothing is left to fit" not in str(error):
            raise DataError(f"{target.name} cannot be fitted to rounded values: {error}") from None
        p = target.kind(**ends)
        value = data.fold(lambda blocks: expansion(target, target.vector(p, np), blocks)).log_likelihood
        status, iterations = CONVERGED, 0
    else:
        inner = fit_families([rest], data)[0]
        if isinstance(inner, DataError):
            raise inner
        p, value, status, iterations = inner.distribution, inner.log_likelihood, inner.result, inner.iterations
    return _answer(target, p, _unknown(target), value, data, status, iterations)
