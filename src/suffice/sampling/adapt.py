"""Where to put the knots of an envelope: around the mode first, then where the bounds are furthest apart.

What needs no density is compiled once for all of them; the density itself is compiled as it stands. So the loops run in
Python, and in traced code as loops of JAX.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from suffice.numerics.checks import is_traced
from suffice.sampling.hull import Envelope, Knots, Point, envelope

_MOST_STEPS = 200  # outwards, before the mode counts as not found

type Density = Callable[[jax.Array], jax.Array]


def loop(more: Callable[[Any], jax.Array], step: Callable[[Any], Any], state: Any) -> Any:
    """While ``more(state)``: ``state = step(state)``, in Python where the state is known."""
    if is_traced(state):
        return jax.lax.while_loop(more, step, state)
    while more(state):
        state = step(state)
    return state


class Problem(NamedTuple):
    """log p(x) = log_density(x) + convex(x) between two ends; ``tangent``: with derivatives."""

    log_density: Density
    convex: Density | None
    lower: jax.Array
    upper: jax.Array
    tangent: bool

    def at(self, x: jax.Array) -> Point:
        """Values and slopes, elementwise."""
        return _point(x, self.log_density, self.convex, self.tangent)

    def log_prob(self, x: jax.Array) -> jax.Array:
        """log p, but for a constant, elementwise."""
        return log_prob(x, self.log_density, self.convex)

    def bounds(self, knots: Knots) -> Envelope:
        return bounds_of(knots, self.lower, self.upper, self.tangent)


bounds_of = jax.jit(envelope, static_argnums=3)


@functools.partial(jax.jit, static_argnums=(1, 2))
def log_prob(x: jax.Array, log_density: Density, convex: Density | None) -> jax.Array:
    return log_density(x) if convex is None else log_density(x) + convex(x)


@functools.partial(jax.jit, static_argnums=(1, 2, 3))
def _point(x: jax.Array, log_density: Density, convex: Density | None, tangent: bool) -> Point:
    def with_slope(f: Density) -> tuple[jax.Array, jax.Array]:
        return jax.jvp(f, (x,), (jnp.ones_like(x),))

    nothing = jnp.zeros_like(x)
    value, slope = with_slope(log_density) if tangent else (log_density(x), nothing)
    return Point(x, value, slope, *((nothing, nothing) if convex is None else with_slope(convex)))


class _Search(NamedTuple):
    """For a point above all good and found ones on each side, (2,): left and right."""

    good: jax.Array  # the last point uphill
    height: jax.Array
    found: jax.Array  # the first downhill
    bad: jax.Array  # nearest point at which the density is no number or nothing
    step: jax.Array
    done: jax.Array
    turn: jax.Array

    def trial(self, outwards: jax.Array) -> jax.Array:
        return jnp.where(jnp.isfinite(self.bad), 0.5 * (self.good + self.bad), self.good + outwards * self.step)


def around_mode(problem: Problem, start: jax.Array, capacity: int) -> Knots:
    """Knots at ``start`` and on both sides of the mode, found with doubling steps; towards a finite end one suffices.

    With a convex part the knots are the start and both ends.
    """
    if problem.convex is not None:
        return first_knots(problem.at(jnp.stack([problem.lower, start, problem.upper])), 3, capacity)
    ends = jnp.stack([problem.lower, problem.upper])
    bounded = jnp.isfinite(ends)
    centre = problem.at(jnp.stack([start, start]))
    first = jnp.where(bounded, 0.5 * jnp.abs(ends - start), jnp.maximum(1.0, 1e-3 * jnp.abs(start)))
    outwards = jnp.asarray([-1.0, 1.0], start.dtype)
    begin = _Search(centre.x, centre.total, centre.x, outwards * jnp.inf, first, jnp.zeros(2, bool), jnp.zeros((), int))

    def move(state: _Search) -> _Search:
        return _moved(state, problem.at(state.trial(outwards)), bounded, problem.tangent)

    # a step of the search is taken in any case, so that a traced density is seen in the state
    end = loop(lambda s: jnp.any(~s.done) & (s.turn < _MOST_STEPS), move, move(begin))
    return first_knots(problem.at(jnp.concatenate([jnp.stack([start]), end.good, end.found])), 5, capacity)


@functools.partial(jax.jit, static_argnums=3)
def _moved(state: _Search, point: Point, bounded: jax.Array, tangent: bool) -> _Search:
    outwards = jnp.asarray([-1.0, 1.0], point.x.dtype)
    finite = jnp.isfinite(point.total) & jnp.isfinite(point.slope)
    falls = outwards * point.slope < 0 if tangent else point.total < state.height
    ready = finite & (falls | bounded)
    uphill = finite & ~ready & ~state.done
    return _Search(
        jnp.where(uphill, point.x, state.good),
        jnp.where(uphill, point.total, state.height),
        jnp.where(ready & ~state.done, point.x, state.found),
        jnp.where(finite | state.done, state.bad, point.x),
        jnp.where(uphill, 2.0 * state.step, state.step),
        state.done | ready,
        state.turn + 1,
    )


@functools.partial(jax.jit, static_argnums=2)
def first_knots(points: Point, count: jax.Array | int, capacity: int) -> Knots:
    """The first ``count`` points as knots."""

    def insert(i: jax.Array, knots: Knots) -> Knots:
        return knots.insert(jax.tree.map(lambda v: v[i], points))

    return jax.lax.fori_loop(0, count, insert, Knots.empty(capacity, points.x.dtype))


class Adapted(NamedTuple):
    """Knots, the order in which they came (+∞ where there is none), the bounds from them, and whether there is an end."""

    knots: Knots
    order: jax.Array  # (K,)
    bounds: Envelope
    trial: jax.Array  # the next knot
    stop: jax.Array
    turn: jax.Array


def adapt(problem: Problem, knots: Knots, efficiency: float) -> Adapted:
    """Put knots where the bounds are furthest apart, until the lower area is a share ``efficiency`` of the upper.

    A knot halves the area under the upper bound of its interval. Stops where there is no place left, or a contradiction.
    """
    ends = problem.lower, problem.upper
    order = jnp.where(jnp.arange(knots.at.x.shape[0]) < knots.number, knots.at.x, jnp.inf)
    begin = _look(knots, order, ends, jnp.zeros((), int), efficiency, problem.tangent)

    def step(state: Adapted) -> Adapted:
        point = jax.tree.map(lambda v: v[0], problem.at(jnp.stack([state.trial, state.trial])))
        return _grown(state, point, ends, efficiency, problem.tangent)

    return loop(lambda s: ~s.stop, step, begin)


@functools.partial(jax.jit, static_argnums=5)
def _look(
    knots: Knots,
    order: jax.Array,
    ends: tuple[jax.Array, jax.Array],
    count: jax.Array,
    efficiency: float,
    tangent: bool,
) -> Adapted:
    bounds = envelope(knots, *ends, tangent)
    gap = _gaps(bounds)
    # the sum of the gaps, for 1 − ratio would be rounding
    enough = (jnp.sum(gap) <= 1.0 - efficiency) | ~jnp.isnan(bounds.violation) | ~jnp.isfinite(bounds.log_upper_area)
    capacity = order.shape[0]
    stop = enough | (knots.number >= capacity) | (count >= 2 * capacity)
    return Adapted(knots, order, bounds, _middle(bounds, jnp.argmax(gap)), stop, count)


@functools.partial(jax.jit, static_argnums=4)
def _grown(
    state: Adapted, point: Point, ends: tuple[jax.Array, jax.Array], efficiency: float, tangent: bool
) -> Adapted:
    # where rounding spoils the value there is no knot to be had
    real = jnp.isfinite(point.total) & jnp.isfinite(point.slope)
    grown = state.knots.insert(point)
    longer = (jnp.arange(state.order.shape[0]) == state.knots.number) & (grown.number > state.knots.number)
    new = _look(grown, jnp.where(longer, point.x, state.order), ends, state.turn + 1, efficiency, tangent)
    return jax.tree.map(lambda a, b: jnp.where(real, a, b), new, state._replace(stop=jnp.ones((), bool)))


def _gaps(bounds: Envelope) -> jax.Array:
    """Area between the bounds in each interval, (K + 1,), relative to all; 0 where no number lies between."""
    upper = jnp.exp(bounds.log_areas - bounds.log_upper_area)
    zero = jnp.zeros(1, upper.dtype)
    pairs = jnp.concatenate([zero, upper, zero]).reshape(-1, 2).sum(1)
    lower = jnp.concatenate([zero, jnp.exp(bounds.log_lower_areas - bounds.log_upper_area), zero])
    ends = jnp.minimum(jnp.concatenate([bounds.edges[:1], bounds.knots.at.x, bounds.edges[-1:]]), bounds.edges[-1])
    width, size = ends[1:] - ends[:-1], jnp.abs(ends[1:]) + jnp.abs(ends[:-1])
    room = (width == jnp.inf) | (width > 8.0 * jnp.finfo(ends.dtype).eps * size)
    return jnp.where(room, pairs - lower, 0.0)


def _middle(bounds: Envelope, interval: jax.Array) -> jax.Array:
    """The point that halves the area under the upper bound between two knots."""
    masses = jnp.exp(bounds.log_areas - bounds.log_upper_area)
    most = masses.shape[0]
    first, second = jnp.maximum(2 * interval - 1, 0), jnp.minimum(2 * interval, most - 1)
    both = jnp.where(interval == 0, 0.0, masses[first]), jnp.where(2 * interval >= most, 0.0, masses[second])
    half = 0.5 * (both[0] + both[1])
    in_first = half <= both[0]
    share = jnp.where(in_first, half, half - both[0]) / jnp.where(in_first, *both)
    return bounds.within(jnp.where(in_first, first, second), share)
