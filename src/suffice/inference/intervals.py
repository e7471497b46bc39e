"""Confidence intervals from a fit: one function for each method, and one that chooses among them."""

from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from suffice.distributions.family import Family
from suffice.inference import contour
from suffice.inference.evidence import Evidence, expand_quantity
from suffice.inference.information import information
from suffice.numerics.domain import Domain, real
from suffice.numerics.newton import CONVERGED, RUNNING, UNBOUNDED


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


class Wanted(NamedTuple):
    """A quantity whose interval is looked for: a function of the distribution, and where its values may lie."""

    family: Family
    evidence: Evidence
    of: Callable[[Any], Any]
    domain: Domain


def likelihood_ends(wanted: Sequence[Wanted], level: float, method: str = "profile") -> np.ndarray:
    """Ends of intervals by the likelihood of several quantities at once, (k, 2), on the scale of each.

    All searches ask for their expansions together, so that a step is one pass over the data.

    Args:
        wanted: quantities; those of one evidence share passes.
        level: coverage aimed at.
        method: "profile" or "score"; the score's information is the expected one where the values themselves are
            known, else the observed one.
    """
    z = normal_quantile(level)
    ends = np.full((len(wanted), 2), np.nan)
    for evidence in {id(w.evidence): w.evidence for w in wanted}.values():
        places = [i for i, w in enumerate(wanted) if w.evidence is evidence]
        at_estimate = _distinct(evidence, [wanted[i].family for i in places])
        searches: dict[tuple[int, int], tuple[contour.Target, contour.Curve]] = {}
        for i in places:
            w = wanted[i]
            v = w.family.vector(w.family.member, np)
            value, _, hessian = at_estimate[id(w.family)]
            quantity = jax.device_get(expand_quantity(w.family, v, w.of))
            for j, side in enumerate((-1.0, 1.0)):
                target = contour.Target(v, -np.asarray(hessian), np.float64(value), np.float64(side), z)
                with np.errstate(all="ignore"):
                    searches[i, j] = target, contour.start(target, quantity)
        _search(evidence, wanted, searches, method)
        for (i, j), (_, curve) in searches.items():
            ends[i, j] = _end(wanted[i], curve, j)
    return ends


def _distinct(evidence: Evidence, families: list[Family]) -> dict[int, Any]:
    """Expansions at the estimates, one for each family."""
    once = list({id(f): f for f in families}.values())
    found = evidence.expand([(f, f.vector(f.member, np)) for f in once])
    return {id(f): e for f, e in zip(once, found, strict=True)}


def _search(evidence: Evidence, wanted: Sequence[Wanted], searches: dict[Any, Any], method: str) -> None:
    """Follow all curves, step by step, until each has ended."""
    expected = method == "score" and (evidence.statistic is not None or evidence.observations.is_plain)  # type: ignore[union-attr]
    while running := [key for key, (_, curve) in searches.items() if curve.status == RUNNING]:
        requests = [(wanted[i].family, searches[i, j][1].point) for i, j in running]
        for (i, j), likelihood in zip(running, evidence.expand(requests), strict=True):
            target, curve = searches[i, j]
            w = wanted[i]
            quantity = jax.device_get(expand_quantity(w.family, curve.point, w.of))
            info = None
            if expected:
                info = _count(evidence) * np.asarray(information(w.family, curve.point))
            elif method == "score":
                info = -np.asarray(likelihood[2])
            with np.errstate(all="ignore"):
                searches[i, j] = target, contour.update(curve, target, likelihood, quantity, info)


def _count(evidence: Evidence) -> float:
    s, data = evidence.statistic, evidence.observations
    return float(s.count) if s is not None else float(data.survey.summary.count)  # type: ignore[union-attr]


def _end(w: Wanted, curve: contour.Curve, j: int) -> float:
    """The quantity where a search ended; the end of its domain where the likelihood does not fall far enough."""
    if curve.status == CONVERGED:
        return float(w.of(w.family.build(jnp.asarray(curve.point))))
    if curve.status == UNBOUNDED:
        return (-np.inf, np.inf)[j]
    return np.nan


def of_parameters(family: Family, evidence: Evidence, level: float, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends for each reported parameter, by profile or score."""
    domains = family.parameter_domains
    places = range(len(domains))
    wanted = [Wanted(family, evidence, _on_the_line(family, i), domains[i]) for i in places]
    ends = likelihood_ends(wanted, level, method)
    back = [
        [float(np.asarray(d.from_real(np.asarray(e)))) for e in pair] for d, pair in zip(domains, ends, strict=True)
    ]
    lower, upper = np.asarray(back, float).reshape(-1, 2).T
    return lower, upper


class _OnTheLine(NamedTuple):
    """A reported parameter mapped to the real line; equal ones are the same to the compiler."""

    kind: type
    free: tuple[Any, ...]
    place: int

    def __call__(self, p: Any) -> Any:
        family = Family(p, self.free)
        return family.parameter_domains[self.place].to_real(family.report(p)[self.place])


def _on_the_line(family: Family, place: int) -> _OnTheLine:
    return _OnTheLine(family.kind, family.free, place)


def of_quantity(
    family: Family, evidence: Evidence, of: Callable[[Any], Any], level: float, method: str
) -> tuple[float, float]:
    """The interval of a function of the distribution, by profile or score."""
    (ends,) = likelihood_ends([Wanted(family, evidence, of, real)], level, method)
    return float(ends[0]), float(ends[1])
