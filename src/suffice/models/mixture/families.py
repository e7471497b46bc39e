"""Components of any family of the catalogue: by sufficient statistics where there are, else by a Newton step."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.distributions.family import Family
from suffice.distributions.statistics import Sufficient, centred, merged
from suffice.inference.closed_form import has_spread, has_sufficient, maximum
from suffice.inference.likelihood import mean_log_likelihood
from suffice.inference.start import rough
from suffice.models.mixture.censored import CensoredKernel, points_in
from suffice.models.mixture.family_kernel import FamilyKernel
from suffice.models.mixture.normal import EMPTY
from suffice.models.mixture.pseudo import LikeSample, OfSpread
from suffice.models.mixture.runs import in_turn, of_runs
from suffice.numerics import linalg
from suffice.numerics.domain import real, unit
from suffice.numerics.newton import second_order

Params = dict[str, np.ndarray]
_LONGEST = 1.5  # longest Newton step, in standard deviations of one observation
_SHARPEST = 1e14  # information of one observation, in units of the data: more is of a spread of 1e-7, and collapse
_FARTHEST = 40.0  # logit of a probability: beyond, it is 0 or 1 to rounding, and a climb would not end


@partial(jax.jit, static_argnames="prior")
def _best(given: Any, runs: jax.Array, family: Family, whole: Any, prior: float) -> tuple[jax.Array, ...]:
    """From coordinates, pilots and sums: coordinates of highest likelihood, new pilots, and whether there was spread to
    find them."""

    def each(v: jax.Array, pilot: jax.Array, total: Any) -> Any:
        s: Sufficient = centred(family.member, pilot, total)
        if prior:
            s = merged(s, whole)
        some = total.count > EMPTY
        new = family.vector(maximum(family, s)[0])
        spread = has_spread(family, s) if family.dimension > 1 else jnp.asarray(True)
        return jnp.where(some, new, v), jnp.where(some, s.mean, pilot), spread | ~some

    return in_turn(lambda run: jax.vmap(jax.vmap(each))(*run), given, runs)


def _log_prior(family: Family, v: jax.Array, whole: Any) -> jax.Array:
    p = family.build(v)
    if isinstance(whole, OfSpread | LikeSample):
        return whole.log_density(p)
    return whole.count * mean_log_likelihood(p, whole)


@jax.jit
def _penalties(given: jax.Array, runs: jax.Array, family: Family, whole: Any) -> jax.Array:
    return in_turn(jax.vmap(jax.vmap(lambda v: _log_prior(family, v, whole))), given, runs)


@jax.jit
def _newton(given: Any, runs: jax.Array, family: Family, units: jax.Array, whole: Any) -> tuple[jax.Array, ...]:
    """A step of Newton's method where the function curves down, and as if it did where it curves up; whether the
    component stands: has not shrunk to a point, nor so far into an interval or beyond all values that it is free there;
    and which coordinates have run so far that it makes no difference any more, where they stay."""

    def each(v: jax.Array, n: jax.Array, total: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
        _, g, h = total
        if whole is not None:
            _, slope, bend = second_order(lambda v: _log_prior(family, v, whole), v)
            n, g, h = n + whole.count, g + slope, h + bend
        told = jnp.abs(jnp.diagonal(h)) * units**2 / jnp.maximum(n, EMPTY)  # by one observation
        flat = told <= 1.0 / _SHARPEST
        g, h = jnp.where(flat, 0.0, g), jnp.where(flat[:, None] | flat[None], -jnp.eye(len(g)), h)
        size = jnp.abs(jnp.diagonal(h))
        unit = 1.0 / jnp.sqrt(jnp.where(size > 0, size, 1.0))
        curvature, directions = linalg.eigh(-h * jnp.outer(unit, unit))
        downwards = jnp.maximum(jnp.abs(curvature), 1e-10 * jnp.max(jnp.abs(curvature)) + 1e-300)
        along = directions.T @ (unit * g)
        length = jnp.sqrt(jnp.sum(along**2 / downwards) / jnp.maximum(n, EMPTY))
        step = unit * (directions @ (along / downwards)) * jnp.minimum(1.0, _LONGEST / jnp.maximum(length, 1e-300))
        stands = (jnp.max(told) < _SHARPEST) & (~jnp.all(flat) | family.member.discrete)
        return jnp.where(n > EMPTY, v + step, v), stands | (n <= EMPTY), flat & (n > EMPTY)

    return in_turn(lambda run: jax.vmap(jax.vmap(each))(*run), given, runs)


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["family", "centre", "unit", "bounded", "whole"],
    meta_fields=["count", "columns", "prior", "censored"],
)
@dataclass(frozen=True)
class FamilyComponents:
    """K components of one family, of numbers or vectors.

    Attributes:
        count: K.
        columns: first and last column, exclusive, of their part of a row.
        family: which; without free parameters the components are held as they are.
        centre: coordinate in which sums are first taken, of the statistic.
        unit: of each unconstrained coordinate.
        bounded: which of them are logits, relative to a last that is 0: a number from 1 for each set, 0 elsewhere.
        prior: number of pseudo-observations.
        whole: these, where there are: the statistic of the sample with ``prior`` for its count, or others.
        censored: whether rows are (point, left, right) of values known to lie in intervals.
    """

    count: int
    columns: tuple[int, int]
    family: Family
    centre: np.ndarray
    unit: np.ndarray
    bounded: np.ndarray
    prior: float = 0.0
    whole: Any = None
    censored: bool = False

    @property
    def how(self) -> str:
        """How the M-step is made."""
        by_statistic = has_sufficient(self.family) and not self.censored
        return "held" if not self.family.free else "statistic" if by_statistic else "newton"

    @property
    def kernel(self) -> FamilyKernel | CensoredKernel:
        if self.censored:
            return CensoredKernel(self.family, self.how)
        return FamilyKernel(self.family, self.columns, self.how)

    @property
    def dimension(self) -> int:
        return self.count * self.family.dimension

    exchangeable = True
    accelerates = True

    def prepare(self, p: Params) -> Params:
        return {"v": p["v"], "pilot": p["pilot"], "count_of": p["v"][..., :1]}

    def _values(self, x: np.ndarray) -> np.ndarray:
        if self.censored:
            return points_in(x, self.family.member.sample_space)
        part = x[:, self.columns[0] : self.columns[1]]
        return part if self.family.member.event_ndim else part[:, 0]

    def start(self, x: np.ndarray, r: np.ndarray) -> Params:
        """Rough estimates from rows and responsibilities (K, n), of one run."""
        values = self._values(x)
        inside = np.asarray(self.family.member.sample_space.contains(values))
        found = [self._rough(values[inside], w[inside]) for w in r] if self.family.free else [np.zeros(0)] * self.count
        v = self._held_back(np.array(found, float).reshape(1, self.count, len(self.unit)))
        return self._run(v)

    def _run(self, v: np.ndarray) -> Params:
        """Parameters of one run at coordinates (1, K, m)."""
        pilot = np.broadcast_to(self.centre, (1, self.count, *np.shape(self.centre))).copy()
        return {"v": v, "pilot": pilot, "spread": np.ones((1, self.count), bool), "flat": np.zeros(v.shape, bool)}

    def _rough(self, values: np.ndarray, w: np.ndarray) -> np.ndarray:
        """Coordinates of a rough estimate; of all rows together where some are not enough."""
        w = w + 1e-3 * w.sum() / len(w) + 1e-9
        for heights in (w, np.ones(len(w)) * w.mean()):
            with np.errstate(all="ignore"):
                p = self.family.with_values(rough(self.family.member, values, heights))
                v = np.asarray(self.family.vector(p, np), float)
            if np.all(np.isfinite(v)) and np.all(np.asarray(p._valid())):
                return v
        return np.asarray(self.family.vector(self.family.member, np), float)

    def maximise(self, p: Params, n: np.ndarray, totals: Any) -> Params:
        """The M-step, or a step of Newton's method on what it would maximise."""
        if self.how == "held":
            return p
        if self.how == "newton":
            v, stands, flat = of_runs(_newton, (p["v"], n, totals), self.family, self.unit, self.whole)
            return p | {"v": self._held_back(v), "spread": stands, "flat": flat}
        given = p["v"], p["pilot"], totals
        v, pilot, spread = of_runs(_best, given, self.family, self.whole, prior=self.prior)
        return p | {"v": self._held_back(v), "pilot": pilot, "spread": spread}

    def _held_back(self, v: np.ndarray) -> np.ndarray:
        v = v.copy()
        for which in range(1, self.bounded.max(initial=0) + 1):
            at = self.bounded == which
            logits = np.concatenate([v[..., at], np.zeros((*v.shape[:-1], 1))], axis=-1)
            with np.errstate(invalid="ignore"):
                logits = np.maximum(np.nan_to_num(logits), logits.max(-1, keepdims=True) - _FARTHEST)
            v[..., at] = logits[..., :-1] - logits[..., -1:]
        return v

    def penalty(self, p: Params) -> np.ndarray:
        """Logarithm of the prior's density up to a constant, (R,)."""
        if self.whole is None:
            return np.zeros(len(p["v"]))
        return of_runs(_penalties, p["v"], self.family, self.whole).sum(-1)

    def vector(self, p: Params) -> np.ndarray:
        return p["v"] / self.unit

    def build(self, v: np.ndarray, like: Params) -> Params:
        return like | {"v": self._held_back(np.clip(v, -1e300, 1e300) * self.unit)}

    def sound(self, p: Params) -> np.ndarray:
        """Whether each component has finite parameters, and had spread to find them from."""
        return np.isfinite(p["v"]).all(-1) & p["spread"]

    def at_limit(self, p: Params) -> np.ndarray:
        """Which coordinates have run so far that the likelihood is flat in them, (R, K, m)."""
        return p["flat"]

    def limits(self, p: Params) -> list[tuple[int, str, Any]]:
        """Components of one run whose parameters run to where the family ends, with their names and the family there.

        A probability may be 0, where it is at a maximum and not at a limit.
        """
        shapes = zip(self.family.free, self.family._shapes(), strict=True)
        names = [self.family._reported(path)[1] for path, shape in shapes for _ in range(int(np.prod(shape)))]
        limits = {path[-1]: self.family.kind.limits.get(path[-1]) for path in self.family.free if len(path) == 1}
        places = np.argwhere(p["flat"][0] & (self.bounded == 0))
        return [(int(k), names[i], getattr(limits.get(names[i]), "kind", None)) for k, i in places]

    def of_members(self, members: list[Any]) -> Params:
        """Parameters of one run from distributions."""
        v = np.array([np.asarray(self.family.vector(m, np), float) for m in members]).reshape(
            1, self.count, len(self.unit)
        )
        return self._run(v)

    def member_at(self, v: Any) -> Any:
        """One component from its coordinates; traceable."""
        return self.family.build(v * self.unit)

    def directions(self, p: Params) -> np.ndarray:
        """Basis of the coordinates that vary, (free, K, m)."""
        m = self.family.dimension
        return np.eye(self.count * m).reshape(self.count * m, self.count, m)

    def bend(self, p: Params, slope: np.ndarray) -> np.ndarray:
        """Second derivatives of slope · v along the directions."""
        return np.zeros(2 * (self.dimension,))

    @property
    def size(self) -> int:
        """Number of coordinates of a component."""
        return self.family.dimension

    @property
    def example(self) -> Any:
        """Any component."""
        return self.family.member

    @property
    def reported(self) -> Family:
        """The family in whose parameters a component is told."""
        return self.family

    def members(self, p: Params) -> list[Distribution]:
        return [self.family.build(jnp.asarray(v)) for v in p["v"][0]]


def units_of(family: Family, deviation: float) -> tuple[np.ndarray, np.ndarray]:
    """The unit of each unconstrained coordinate, the data's for parameters that are any real number, else 1; and which are
    logits."""
    units, sets = [np.zeros(0)], [np.zeros(0, int)]
    for path, shape in zip(family.free, family._shapes(), strict=True):
        size, domain = int(np.prod(shape)), family._field(path)[1].metadata["domain"]
        logit = family._reported(path)[0] == "probs" or domain == unit
        units.append(np.full(size, deviation if domain is real and not logit else 1.0))
        sets.append(np.full(size, 1 + max(int(s.max(initial=0)) for s in sets) if logit else 0))
    return np.concatenate(units), np.concatenate(sets)
