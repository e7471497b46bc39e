"""Joint confidence regions of two parameters: the contour of their profile likelihood."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from suffice.distributions.family import Family
from suffice.inference.evidence import Evidence, expand_quantities
from suffice.inference.intervals import contour
from suffice.inference.intervals.confidence import evidence_of, is_regular
from suffice.inference.intervals.from_likelihood import OnTheLine, normal_quantile
from suffice.inference.kinked import has_kink
from suffice.numerics.newton import CONVERGED, EXHAUSTED, RUNNING


@dataclass(frozen=True)
class Region:
    """A joint confidence region of two parameters.

    Attributes:
        names: of the parameters.
        estimate: (2,).
        points: of the boundary, in order around the estimate, (k, 2); NaN where the likelihood does not fall far enough.
        wald: of the boundary of Wald's region, an ellipse on the unconstrained scale, (k, 2).
        level: coverage aimed at.
    """

    names: tuple[str, str]
    estimate: np.ndarray
    points: np.ndarray
    wald: np.ndarray
    level: float

    def __repr__(self) -> str:
        (a, b), (c, d) = np.nanmin(self.points, axis=0), np.nanmax(self.points, axis=0)
        first, second = self.names
        return (
            f"Region({first} from {a:.4g} to {c:.4g}, {second} from {b:.4g} to {d:.4g}, {100 * self.level:g} % jointly)"
        )


def region_of(fit: Any, names: tuple[str, str] | None, level: float, number: int) -> Region:
    """The contour on which twice the fall of the profile log-likelihood is the quantile of χ² with two degrees."""
    family = fit.family
    normal_quantile(level)
    known = fit.parameter_names
    if names is None:
        if len(known) != 2:
            raise ValueError(f"names must choose two of {', '.join(known)}")
        names = (known[0], known[1])
    first, second = names
    if first == second or {first, second} - set(known):
        raise ValueError(f"names must be two of {', '.join(known)}, got {first!r} and {second!r}")
    if number < 8:
        raise ValueError(f"points must be >= 8, got {number}")
    if has_kink(family):
        raise ValueError(f"{family.name}: its likelihood has a kink, so there is no contour")
    if not is_regular(fit):
        raise ValueError("there is no contour: the fit did not converge, or its support is estimated")
    places = np.array([known.index(first), known.index(second)])
    inside, wald = _contour(family, evidence_of(fit), places, np.sqrt(-2.0 * np.log1p(-level)), number)
    domains = [family.parameter_domains[i] for i in places]

    def back(points: np.ndarray) -> np.ndarray:
        return np.stack([np.asarray(d.from_real(points[:, i])) for i, d in enumerate(domains)], axis=1)

    theta = np.asarray(family.report(fit.distribution, np), float)[places]
    return Region((first, second), theta, back(inside), back(wald), level)


def _contour(
    family: Family, evidence: Evidence, places: np.ndarray, z: float, number: int
) -> tuple[np.ndarray, np.ndarray]:
    """Points of the boundary and of Wald's ellipse, both on the line, (number, 2).

    A point is where a combination of the two is largest on the contour: combinations around a circle, once the two are
    made uncorrelated with variance one, give points evenly around it.
    """
    v = family.vector(family.member, np)
    ((value, _, hessian),) = evidence.expand([(family, v)])
    metric, pair = -np.asarray(hessian), OnTheLine(family.free)
    first = _expanded(family, v[None], places, pair)
    origin, slopes, _ = first
    half = np.linalg.cholesky(slopes[0] @ np.linalg.solve(metric, slopes[0].T))
    angle = 2.0 * np.pi * np.arange(number) / number
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    weights = circle @ np.linalg.inv(half)

    def combined(i: int, found: tuple[np.ndarray, ...], at: int) -> Any:
        return tuple(np.tensordot(weights[i], part[at], axes=1) for part in found)

    target = contour.Target(v, metric, np.float64(value), np.float64(1.0), z)
    curves = [contour.start(target, combined(i, first, 0)) for i in range(number)]
    while asked := [i for i, c in enumerate(curves) if c.status == RUNNING]:
        points = np.stack([curves[i].point for i in asked])
        filled = np.concatenate([points, np.repeat(points[:1], number - len(points), axis=0)])
        found = _expanded(family, filled, places, pair)
        # a statistic is asked at all points, so that one program serves every step; data where they are needed
        wanted = filled if evidence.statistic is not None else points
        likelihoods = evidence.expand([(family, point) for point in wanted])
        for k, i in enumerate(asked):
            curves[i] = curves[i]._replace(status=np.asarray(EXHAUSTED))
            with np.errstate(all="ignore"), suppress(np.linalg.LinAlgError):
                before = curves[i]._replace(status=np.asarray(RUNNING))
                curves[i] = contour.update(before, target, likelihoods[k], combined(i, found, k), None)
    ends = np.stack([c.point for c in curves])
    boundary, _, _ = _expanded(family, ends, places, pair)
    boundary = np.where([[c.status == CONVERGED] for c in curves], boundary, np.nan)
    return boundary, origin[0] + z * circle @ half.T


def _expanded(family: Family, points: np.ndarray, places: np.ndarray, pair: Any) -> tuple[np.ndarray, ...]:
    """Both parameters on the line with gradient and Hessian at each point: (k, 2), (k, 2, d), (k, 2, d, d)."""
    k = len(points)
    found = expand_quantities(family, np.repeat(points, 2, axis=0), np.tile(places, k), pair)
    return tuple(np.asarray(part).reshape(k, 2, *part.shape[1:]) for part in jax.device_get(found))
