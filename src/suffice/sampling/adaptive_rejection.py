"""Adaptive rejection: exact draws from a log-concave density that is known at a few points only."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.checks import is_traced
from suffice.runtime.rng import RNG, as_key
from suffice.sampling.adapt import Density, Problem, adapt, around_mode, first_knots
from suffice.sampling.hull import Envelope
from suffice.sampling.strips import draw

_AUDIT = 2048  # points at which the bounds are compared with the density
_METHODS = ("tangent", "chord")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class AdaptiveRejection:
    """A sampler of one density, made by ``sf.adaptive_rejection``.

    Attributes:
        bounds: the density between its piecewise exponential bounds: ``bounds.log_upper(x)``, ``bounds.log_lower(x)``.
        order: knots in the order in which they came, (K,), +∞ where there is none.
    """

    bounds: Envelope
    order: jax.Array
    lower: jax.Array
    upper: jax.Array
    log_density: Density = field(metadata={"static": True})
    convex: Density | None = field(metadata={"static": True})
    method: str = field(metadata={"static": True})

    @property
    def _problem(self) -> Problem:
        return Problem(self.log_density, self.convex, self.lower, self.upper, self.method == "tangent")

    @property
    def acceptance(self) -> jax.Array:
        """A lower bound of the acceptance rate: area of the squeeze over that of the envelope."""
        return jnp.exp(self.bounds.log_lower_area - self.bounds.log_upper_area)

    @property
    def log_normaliser(self) -> tuple[jax.Array, jax.Array]:
        """(lower, upper) bound of log ∫ exp(log_density)."""
        return self.bounds.log_lower_area, self.bounds.log_upper_area

    def sample(self, shape: int | tuple[int, ...] = (), *, rng: RNG) -> jax.Array:
        """Independent exact draws.

        Under ``vmap``, each density has its own; NaN where the density is not log-concave.

        Raises:
            ValueError: a draw met a place where the density is not between its bounds.
        """
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        draws, place = draw(as_key(rng), math.prod(shape), self.bounds, self.log_density, self.convex)
        if is_traced(place):
            draws = jnp.where((place == -jnp.inf) & jnp.isnan(self.bounds.violation), draws, jnp.nan)
        elif float(place) != -math.inf:
            raise ValueError(_complaint(self.convex, float(place)))
        return draws.reshape(shape)

    def step(self, count: int) -> Envelope:
        """The bounds from the first ``count`` knots, in the order in which they came: to be drawn one after another.

        Raises:
            ValueError: fewer than two knots (three without derivatives), or more than there are.
        """
        least, most = (2 if self.method == "tangent" else 3), int(np.isfinite(np.asarray(self.order)).sum())
        if not least <= count <= most:
            raise ValueError(f"count must be from {least} to {most}, got {count}")
        capacity = self.order.shape[0]
        points = self._problem.at(self.order)
        return self._problem.bounds(first_knots(points, count, capacity))


def adaptive_rejection(
    log_density: Callable[[jax.Array], jax.Array],
    lower: Any = -np.inf,
    upper: Any = np.inf,
    *,
    start: Any = None,
    method: str = "tangent",
    convex: Callable[[jax.Array], jax.Array] | None = None,
    efficiency: float = 0.99,
    knots: int = 64,
) -> AdaptiveRejection:
    """A sampler of the density p(x) ∝ exp(log_density(x)), log-concave, by rejection under an envelope that is adapted to it.

    log p lies below its tangents and above its chords. Knots are added where the two are furthest apart, until the
    acceptance rate is ``efficiency`` at least; draws under the chords need no evaluation of the density. Works under
    ``jit`` and ``vmap``: thousands of densities at once.

    Args:
        log_density: logarithm of the density but for a constant, elementwise, in JAX.
        lower, upper: ends of the support.
        start: a point inside at which the density is positive; by default the middle, 0, or 1 inside a finite end.
        method: "tangent", with derivatives by automatic differentiation, or "chord", from values alone.
        convex: a convex function that is added to log_density, which need not be log-concave then; both must be
            finite at both ends.
        efficiency: acceptance rate to reach, below 1.
        knots: most of them.

    Returns:
        An ``AdaptiveRejection``, with ``sample``, ``acceptance``, bounds of the normaliser, and each ``step``.

    Raises:
        ValueError: the density is not log-concave, with the place; it does not fall towards an infinite end; it is not
            finite where it should be. Traced: NaN draws.

    Source: Gilks and Wild (1992), Gilks (1992), Görür and Teh (2011); where knots go: Leydold (2000), strips of equal
        area: Ahrens (1995). Bishop, section 11.1.3.

    Example:
        >>> import jax.numpy as jnp, suffice as sf
        >>> sampler = sf.adaptive_rejection(lambda x: 1.5 * jnp.log(x) - x, lower=0.0)  # gamma(2.5)
        >>> x = sampler.sample(100_000, rng=0)
        >>> round(float(x.mean()), 1), bool(sampler.acceptance > 0.99)
        (2.5, True)
    """
    if method not in _METHODS:
        raise ValueError(f"method must be one of {', '.join(_METHODS)}, got {method!r}")
    if not 0.0 < efficiency < 1.0:
        raise ValueError(f"efficiency must be in (0, 1), got {efficiency}")
    if knots < 5:
        raise ValueError(f"knots must be at least 5, got {knots}")
    traced = is_traced(lower, upper, start)
    if not traced and not np.all(np.asarray(lower) < np.asarray(upper)):
        raise ValueError(f"lower must be below upper, got {float(lower):g} and {float(upper):g}")
    dtype = jnp.result_type(float, *(v for v in (lower, upper, start) if isinstance(v, jax.Array)))
    low, high = jnp.asarray(lower, dtype), jnp.asarray(upper, dtype)
    begin = _inside(low, high) if start is None else jnp.asarray(start, dtype)
    if not traced and not low < begin < high:
        raise ValueError(f"start must lie between lower and upper, got {float(begin):g}")
    if convex is not None and not traced and not np.all(np.isfinite([lower, upper])):
        raise ValueError(f"a convex part needs finite ends, got {float(lower):g} and {float(upper):g}")
    problem = Problem(log_density, convex, low, high, method == "tangent")
    adapted = adapt(problem, around_mode(problem, begin, knots), efficiency)
    points = _audit_points(adapted.bounds)
    place = _seen(adapted.bounds, points, problem.log_prob(points))
    bounds = dataclasses.replace(adapted.bounds, violation=place)
    sampler = AdaptiveRejection(bounds, adapted.order, low, high, log_density, convex, method)
    if not is_traced(place):
        _refuse(sampler, begin, place)
    return sampler


def _inside(lower: jax.Array, upper: jax.Array) -> jax.Array:
    low, high = jnp.isfinite(lower), jnp.isfinite(upper)
    middle = 0.5 * jnp.where(low, lower, 0.0) + 0.5 * jnp.where(high, upper, 0.0)
    one_sided = jnp.where(low, lower + 1.0, jnp.where(high, upper - 1.0, 0.0))
    return jnp.where(low & high, middle, one_sided)


@jax.jit
def _audit_points(bounds: Envelope) -> jax.Array:
    return bounds.inverse((jnp.arange(_AUDIT) + 0.5) / _AUDIT)[0]


@jax.jit
def _seen(bounds: Envelope, x: jax.Array, log_p: jax.Array) -> jax.Array:
    """A place where log p is not between its bounds; NaN if there is none, ∞ if there are no bounds."""
    place = jnp.max(jnp.where(_leaves(bounds, x, log_p), x, -jnp.inf))
    place = jnp.where(place > -jnp.inf, place, bounds.violation)
    used = jnp.arange(bounds.knots.at.x.shape[0]) < bounds.knots.number
    sound = jnp.isfinite(bounds.log_upper_area) & jnp.all(jnp.where(used, jnp.isfinite(bounds.knots.at.total), True))
    return jnp.where(sound, place, jnp.inf)


def _leaves(bounds: Envelope, x: jax.Array, log_p: jax.Array) -> jax.Array:
    """Whether log p is outside its bounds by more than rounding of x, of log p and of the bounds."""
    eps = jnp.finfo(x.dtype).eps
    upper, lower = bounds.log_upper(x), bounds.log_lower(x)
    steep = jnp.max(jnp.where(jnp.isfinite(bounds.log_areas), jnp.abs(bounds.slopes), 0.0))
    slack = 64.0 * eps * (jnp.abs(upper) + jnp.abs(log_p) + steep * jnp.abs(x) + 1.0)
    slack = jnp.where(jnp.isfinite(slack), slack, 0.0)
    return ~(log_p <= upper + slack) | (log_p < lower - slack)


def _refuse(sampler: AdaptiveRejection, start: jax.Array, place: jax.Array) -> None:
    """Raise what is wrong with a density, if anything is."""
    values = (
        np.asarray(sampler.log_density(start)),
        np.asarray(0.0 if sampler.convex is None else sampler.convex(start)),
    )
    if not np.all(np.isfinite(values)):
        raise ValueError(f"log_density must be finite at start, got {sum(values):g} at {float(start):g}")
    used = np.isfinite(np.asarray(sampler.order))
    ends = np.asarray(sampler.bounds.knots.at.x)[[0, used.sum() - 1]]
    total = np.asarray(sampler.bounds.knots.at.total)[: used.sum()]
    if not np.all(np.isfinite(total)):
        raise ValueError("log_density and convex must be finite at both ends where there is a convex part")
    if float(place) == np.inf:
        raise ValueError(
            f"log_density does not fall towards both ends: looked from {ends[0]:g} to {ends[1]:g}; "
            "give finite ends, or a start near the mode"
        )
    if not math.isnan(float(place)):
        raise ValueError(_complaint(sampler.convex, float(place)))


def _complaint(convex: Density | None, place: float) -> str:
    if convex is None:
        return f"log_density is not concave near {place:g}: adaptive rejection needs a log-concave density"
    return f"log_density is not concave, or convex not convex, near {place:g}"
