"""Confidence intervals from a fit: one function for each method, and one that chooses among them."""

import itertools
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from statistics import NormalDist
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from suffice.distributions.family import Family
from suffice.inference.evidence import Evidence, expand_quantities
from suffice.inference.information import information
from suffice.inference.intervals import contour
from suffice.inference.likelihood import QUICKLY_COMPILED
from suffice.numerics.domain import Domain
from suffice.numerics.newton import CONVERGED, EXHAUSTED, RUNNING, UNBOUNDED


def normal_quantile(level: float) -> float:
    """z such that a standard normal variable lies between −z and z with probability ``level``.

    Raises:
        ValueError: ``level`` is not between 0 and 1.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must be between 0 and 1, got {level}")
    return NormalDist().inv_cdf(0.5 + level / 2.0)  # a plain number, also inside compiled code


def wald(
    estimates: Float[Array | np.ndarray, " p"],
    variances: Float[Array | np.ndarray, " p"],
    domains: Sequence[Domain],
    level: float,
) -> tuple[Float[np.ndarray, " p"], Float[np.ndarray, " p"]]:
    """Estimate ± z standard errors on the unconstrained scale of each parameter, mapped back into its domain.

    With g the map to the real line and s the standard error, the ends are g⁻¹(g(theta) ± z s g'(theta)).

    Raises:
        ValueError: ``level`` is not between 0 and 1.
    """
    z = normal_quantile(level)
    ends = []
    for theta, variance, domain in zip(estimates, variances, domains, strict=True):
        v, slope = jax.jvp(domain.to_real, (theta,), (jnp.ones_like(theta),))
        reach = z * jnp.sqrt(variance) * slope
        ends.append((domain.from_real(v - reach), domain.from_real(v + reach)))
    lower, upper = np.asarray(ends, float).T
    return lower, upper


class Quantities(NamedTuple):
    """Numbers that follow from the distribution, on scales on which they may take any value; hashable."""

    of: Callable[[Any], Any]  # from a distribution to (q,)
    number: int


type _Key = tuple[int, int]  # which quantity, and which end of its interval
type _Searches = dict[_Key, tuple[contour.Target, contour.Curve]]
_SIDES = (-1.0, 1.0)


def likelihood_ends(
    family: Family, evidence: Evidence, wanted: Quantities, level: float, method: str = "profile"
) -> np.ndarray:
    """Ends of intervals by the likelihood, (q, 2), of several quantities at once.

    All searches ask for their expansions together, so that a step is one pass over the data.

    Args:
        family: with the estimate as its member.
        evidence: what it was found from.
        wanted: the quantities.
        level: coverage aimed at.
        method: "profile" or "score"; the score's information is the expected one where the values themselves are
            known, else the observed one.
    """
    z = normal_quantile(level)
    searches = _started(family, evidence, wanted, z)
    _search(family, evidence, wanted, searches, method)
    ends = np.full((wanted.number, 2), np.nan)
    for (i, j), (_, curve) in searches.items():
        ends[i, j] = _end(family, wanted, curve, i, j)
    return ends


def _started(family: Family, evidence: Evidence, wanted: Quantities, z: float) -> _Searches:
    """Curves at Wald's ends, both for each quantity."""
    v = family.vector(family.member, np)
    keys = list(itertools.product(range(wanted.number), range(len(_SIDES))))
    # at as many points as steps will ask for, so that one program serves all
    value, _, hessian = evidence.expand([(family, v)] * (1 if evidence.statistic is None else len(keys)))[0]
    quantities = _quantities(family, wanted, [(i, v) for i, _ in keys])
    searches: _Searches = {}
    for (i, j), quantity in zip(keys, quantities, strict=True):
        target = contour.Target(v, -np.asarray(hessian), np.float64(value), np.float64(_SIDES[j]), z)
        with np.errstate(all="ignore"), suppress(np.linalg.LinAlgError):  # an estimate on the boundary has no curve
            searches[i, j] = target, contour.start(target, quantity)
    return searches


def _quantities(family: Family, wanted: Quantities, asked: Sequence[tuple[int, np.ndarray]]) -> list[Any]:
    """Expansions of quantities, each at its point."""
    places = np.array([i for i, _ in asked])
    found = jax.device_get(expand_quantities(family, np.stack([v for _, v in asked]), places, wanted.of))
    return list(zip(*found, strict=True))


def _search(family: Family, evidence: Evidence, wanted: Quantities, searches: _Searches, method: str) -> None:
    """Follow all curves, step by step, until each has ended."""
    expected = method == "score" and (evidence.statistic is not None or evidence.observations.is_plain)  # type: ignore[union-attr]
    while any(curve.status == RUNNING for _, curve in searches.values()):
        # a statistic is asked at all points, so that one program serves every step; data where it is needed
        asked = [k for k, (_, c) in searches.items() if evidence.statistic is not None or c.status == RUNNING]
        points = [searches[key][1].point for key in asked]
        likelihoods = evidence.expand([(family, point) for point in points])
        every = [(key[0], curve.point) for key, (_, curve) in searches.items()]
        quantities = dict(zip(searches, _quantities(family, wanted, every), strict=True))
        for key, point, likelihood in zip(asked, points, likelihoods, strict=True):
            target, curve = searches[key]
            if curve.status != RUNNING:
                continue
            info = -np.asarray(likelihood[2]) if method == "score" else None
            if expected:
                info = _count(evidence) * np.asarray(information(family, point))
            try:
                with np.errstate(all="ignore"):
                    searches[key] = target, contour.update(curve, target, likelihood, quantities[key], info)
            except np.linalg.LinAlgError:
                searches[key] = target, curve._replace(status=np.asarray(EXHAUSTED))


def _count(evidence: Evidence) -> float:
    s, data = evidence.statistic, evidence.observations
    return float(s.count) if s is not None else float(data.survey.summary.count)  # type: ignore[union-attr]


def _end(family: Family, wanted: Quantities, curve: contour.Curve, i: int, j: int) -> float:
    """The quantity where a search ended; infinite where the likelihood does not fall far enough."""
    if curve.status == CONVERGED:
        return float(jnp.asarray(wanted.of(family.build(jnp.asarray(curve.point))))[i])
    return (-np.inf, np.inf)[j] if curve.status == UNBOUNDED else np.nan


@dataclass(frozen=True)
class OnTheLine:
    """All reported parameters, mapped to the real line; equal ones are the same to the compiler."""

    free: tuple[Any, ...]

    def __call__(self, p: Any) -> Any:
        family = Family(p, self.free)
        theta = family.report(p)
        return jnp.stack([d.to_real(theta[i]) for i, d in enumerate(family.parameter_domains)])


@dataclass(frozen=True)
class _Single:
    """One number that follows from the distribution, as an array of one."""

    of: Callable[[Any], Any]

    def __call__(self, p: Any) -> Any:
        return jnp.reshape(jnp.asarray(self.of(p), float), 1)


def of_parameters(family: Family, evidence: Evidence, level: float, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends for each reported parameter, by profile or score."""
    domains = family.parameter_domains
    ends = likelihood_ends(family, evidence, Quantities(OnTheLine(family.free), len(domains)), level, method)
    back = [
        [float(np.asarray(d.from_real(np.asarray(e)))) for e in pair] for d, pair in zip(domains, ends, strict=True)
    ]
    lower, upper = np.asarray(back, float).reshape(-1, 2).T
    return lower, upper


def of_quantity(
    family: Family, evidence: Evidence, of: Callable[[Any], Any], level: float, method: str
) -> tuple[float, float]:
    """The interval of a function of the distribution, by profile or score."""
    ((low, high),) = likelihood_ends(family, evidence, Quantities(_Single(of), 1), level, method)
    return float(low), float(high)


@partial(jax.jit, static_argnames="of", compiler_options=QUICKLY_COMPILED)
def slope_of(family: Family, v: jax.Array, of: Any) -> jax.Array:
    """Gradient of a function of the distribution in unconstrained coordinates."""
    return jax.grad(lambda v: jnp.asarray(of(family.build(v)), float))(v)
