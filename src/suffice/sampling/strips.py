"""Many draws under an envelope: strips of equal area, most of a strip accepted without a look at the density."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from suffice.numerics.variates import uniform
from suffice.numerics.variates.bits import bits
from suffice.numerics.variates.blocks import in_blocks
from suffice.numerics.variates.elementary import unit, word_type
from suffice.numerics.variates.rejection import Queue
from suffice.sampling.adapt import Density, log_prob, loop
from suffice.sampling.hull import Envelope

_LOG_COLUMNS = 12
_MANY = 4096  # draws that pay for so many columns
_CURVED = 1.05  # a box larger than its strip by this is not used
_FEWEST_LANES = 512
_ELEMENTS_PER_LANE = 64


class Strips(NamedTuple):
    """2ᵐ columns of equal area that cover the upper bound. Column j holds the box over left[j] … left[j] + width[j].

    A uniform r below ``sure[j]`` is the point left + scale·r of the part under the lower bound; below ``box[j]`` it is
    a point of the rest of the box, above which nothing is. Where the upper bound bends much, in tails, there is no box:
    points come from the bound itself, and the width is ∞.
    """

    left: jax.Array
    scale: jax.Array
    sure: jax.Array
    box: jax.Array
    width: jax.Array
    log_top: jax.Array
    log_bottom: jax.Array  # −∞ where no part is sure
    piece: jax.Array
    start: jax.Array  # shares of the piece's area between which the strip lies
    end: jax.Array


@functools.partial(jax.jit, static_argnums=1)
def strips(bounds: Envelope, log_columns: int) -> Strips:
    """Cut each piece into strips of equal area under the upper bound, each a little smaller than a column."""
    columns = 1 << log_columns
    masses = jnp.exp(bounds.log_areas - bounds.log_upper_area)
    pieces = jnp.sum(masses > 0)
    # one strip a piece at least, and the box of a strip is larger than the strip
    numbers = jnp.where(masses > 0, jnp.floor(masses * (columns - pieces)).astype(jnp.int32) + 1, 0)
    starts = jnp.cumsum(numbers) - numbers
    piece = jnp.repeat(jnp.arange(masses.shape[0]), numbers, total_repeat_length=columns)
    index = jnp.arange(columns)
    real = index < jnp.sum(numbers)
    which, number = index - starts[piece], numbers[piece]
    low, high = (((which + i) / number).astype(masses.dtype) for i in (0, 1))
    left = jnp.where(which == 0, bounds.edges[piece], bounds.within(piece, low))
    right = jnp.where(which + 1 == number, bounds.edges[piece + 1], bounds.within(piece, high))
    log_top = jnp.maximum(bounds.line(piece, left), bounds.line(piece, right))
    width, mass = right - left, masses[piece] / number.astype(masses.dtype)
    area = jnp.exp(log_top - bounds.log_upper_area) * width
    curved = ~(area <= _CURVED * mass)  # also where the strip has no end
    left, width = jnp.where(curved, 0.0, left), jnp.where(curved, 0.0, width)
    log_bottom = jnp.where(curved, -jnp.inf, _least(bounds, left, right))
    area = jnp.where(real, jnp.where(curved, mass, area), 0.0)
    column = jnp.max(area)
    sure = jnp.where(real, jnp.exp(log_bottom - bounds.log_upper_area) * width, 0.0) / column
    some = sure > 0
    scale = jnp.where(some, width / jnp.where(some, sure, 1.0), 0.0)
    width = jnp.where(curved, jnp.inf, width)
    return Strips(left, scale, sure, area / column, width, log_top, log_bottom, piece, low, high)


def _least(bounds: Envelope, left: jax.Array, right: jax.Array) -> jax.Array:
    """A lower bound of log p over strips that lie within one piece."""
    at, count = bounds.knots.at, bounds.knots.number
    middle = 0.5 * (left + right)
    i = jnp.clip(jnp.searchsorted(at.x, middle, side="right") - 1, 0, count - 2)
    first, second = (jax.tree.map(lambda v, i=i: v[i], at) for i in (i, i + 1))
    slope = (second.value - first.value) / (second.x - first.x)
    ends = []
    for tangent in (first, second):  # each a line below log p: the best of their least values
        constant = first.value - slope * first.x + tangent.convex - tangent.convex_slope * tangent.x
        rise = slope + tangent.convex_slope
        ends.append(constant + rise * jnp.where(rise > 0, left, right))
    inside = (left >= at.x[0]) & (right <= at.x[count - 1])
    return jnp.where(inside, jnp.maximum(*ends), -jnp.inf)


@functools.partial(jax.jit, static_argnums=2)
def propose(key: jax.Array, table: Strips, shape: tuple[int, ...]) -> tuple[jax.Array, jax.Array]:
    """(a draw, True), or (its column, −1 if it lies in no box, False), one of which for each element."""
    dtype = table.left.dtype
    word, width, _ = word_type(dtype)
    log_columns = table.left.shape[0].bit_length() - 1

    def one(key: jax.Array, shape: tuple[int, ...]) -> tuple[jax.Array, jax.Array]:
        words = bits(key, shape, word)
        column = (words >> (width - log_columns)).astype(jnp.int32)
        r = unit(words << log_columns, dtype)
        sure = r < table.sure[column]
        x = table.left[column] + table.scale[column] * r
        return jnp.where(sure, x, jnp.where(r < table.box[column], column.astype(dtype), -1.0)), sure

    return in_blocks(one, key, shape)


class Lanes(NamedTuple):
    """What is left to settle, a few elements at a time."""

    values: jax.Array  # (n,), draws; where they are not settled the column, −1 if in no box
    element: jax.Array  # at work, n if none
    taken: jax.Array  # from the queue
    turn: jax.Array
    place: jax.Array  # at which the density leaves its bounds, −∞ if none was met


class Trial(NamedTuple):
    """What the lanes look at in one turn."""

    fresh: jax.Array
    sure: jax.Array  # fresh is a draw
    x: jax.Array  # else this, if log p there is at least
    level: jax.Array
    real: jax.Array
    least: jax.Array  # bounds of log p
    most: jax.Array


@jax.jit
def _try(key: jax.Array, state: Lanes, queue: Queue, table: Strips, bounds: Envelope) -> tuple[Lanes, Trial]:
    """The lanes take elements from the queue; a uniform point of the part of each box above what is sure."""
    n, dtype = state.values.shape[0], table.left.dtype
    idle = state.element == n
    order = state.taken + jnp.cumsum(idle, dtype=jnp.int32) - 1
    element = jnp.where(idle, queue.locate(order), state.element)
    one, two = jax.random.split(jax.random.fold_in(key, state.turn))
    fresh, sure = propose(one, table, element.shape)
    sure = sure & ~idle
    column = jnp.where(idle, state.values.at[element].get(mode="clip"), jnp.where(sure, -1.0, fresh))
    u, v = uniform(two, (2, *element.shape), dtype)
    j = jnp.maximum(column, 0.0).astype(jnp.int32)
    curved, piece, least = jnp.isinf(table.width[j]), table.piece[j], table.log_bottom[j]
    from_bound = bounds.within(piece, table.start[j] + (table.end[j] - table.start[j]) * u)
    x = jnp.where(curved, from_bound, table.left[j] + jnp.where(curved, 0.0, table.width[j]) * u)
    upper = bounds.line(piece, x)
    top = jnp.where(curved, upper, table.log_top[j])
    level = top + jnp.log(v + (1.0 - v) * jnp.exp(least - top))
    slack = 64.0 * jnp.finfo(dtype).eps * (jnp.abs(upper) + jnp.abs(x * bounds.slopes[piece]) + 1.0)
    state = state._replace(element=element, taken=order[-1] + 1, turn=state.turn + 1)
    return state, Trial(fresh, sure, x, level, (column >= 0) & (element < n), least - slack, upper + slack)


@functools.partial(jax.jit, donate_argnums=0)  # the draws are written in place
def _settle(state: Lanes, trial: Trial, log_p: jax.Array) -> Lanes:
    n = state.values.shape[0]
    done = trial.sure | (trial.real & (trial.level <= log_p))
    values = state.values.at[jnp.where(done, state.element, n)].set(
        jnp.where(trial.sure, trial.fresh, trial.x), mode="drop"
    )
    outside = trial.real & (~(log_p <= trial.most) | (log_p < trial.least))
    place = jnp.fmax(state.place, jnp.max(jnp.where(outside, trial.x, -jnp.inf)))
    return state._replace(values=values, element=jnp.where(done, n, state.element), place=place)


@jax.jit
def _busy(state: Lanes, queue: Queue) -> jax.Array:
    # a density that leaves its bounds ends it: one that is no number would never be accepted
    return ((state.taken < queue.pending) | jnp.any(state.element < state.values.shape[0])) & (state.place == -jnp.inf)


@functools.partial(jax.jit, static_argnums=2)
def _begin(key: jax.Array, table: Strips, count: int) -> tuple[Lanes, Queue]:
    values, sure = propose(key, table, (count,))
    lanes = min(count, max(_FEWEST_LANES, count // _ELEMENTS_PER_LANE))
    zero = jnp.zeros((), jnp.int32)
    none = jnp.asarray(-jnp.inf, values.dtype)
    return Lanes(values, jnp.full(lanes, count, jnp.int32), zero, zero, none), Queue.of(~sure)


def draw(
    key: jax.Array, count: int, bounds: Envelope, log_density: Density, convex: Density | None
) -> tuple[jax.Array, jax.Array]:
    """(draws, a place at which the density leaves its bounds, NaN if none was met)."""
    if count == 0:
        return jnp.zeros(0, bounds.edges.dtype), jnp.asarray(jnp.nan, bounds.edges.dtype)
    capacity = bounds.log_areas.shape[0]
    fewest = (2 * capacity - 1).bit_length()
    table = strips(bounds, max(fewest, _LOG_COLUMNS) if count >= _MANY else fewest)
    first, rest = jax.random.split(key)
    begin, queue = _begin(first, table, count)

    def step(state: Lanes) -> Lanes:
        state, trial = _try(rest, state, queue, table, bounds)
        return _settle(state, trial, log_prob(trial.x, log_density, convex))

    end = loop(lambda state: _busy(state, queue), step, begin)
    return end.values, jnp.where(end.place > -jnp.inf, end.place, jnp.nan)
