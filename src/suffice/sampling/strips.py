"""Many draws under an envelope: strips of equal area, most of a strip accepted without a look at the density."""

import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

from suffice.numerics.checks import is_traced
from suffice.numerics.variates import uniform
from suffice.numerics.variates.bits import bits
from suffice.numerics.variates.blocks import in_blocks
from suffice.numerics.variates.elementary import unit, word_type
from suffice.numerics.variates.rejection import Queue
from suffice.sampling.adapt import Density, log_prob, loop
from suffice.sampling.hull import Envelope

_LOG_COLUMNS = 12
_MANY = 4096  # draws that pay for so many columns
_LARGE = 1.01  # a box larger than a column by this is not used
_FLAT = 1e-3  # a piece that falls by less is cut as if by this
_LANES = 65536, 8192, 1024
_ELEMENTS_PER_LANE = 32


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
    """Cut each piece, from its high end, into strips of which nearly all have boxes of the area of a column.

    A box is larger than its strip. Where the bound is exp(−s), a strip that begins with u columns left of all that
    follows has a box of one column if g(u) = u + ½ log(u + ½) falls by one, but for O(u⁻³).
    """
    columns = 1 << log_columns
    masses = jnp.exp(bounds.log_areas - bounds.log_upper_area)
    some = masses > 0
    width = jnp.where(some, bounds.edges[1:] - bounds.edges[:-1], 1.0)
    fall = jnp.maximum(jnp.abs(bounds.slopes) * width, _FLAT)

    def ends(column: jax.Array | float) -> tuple[jax.Array, jax.Array]:
        """u + ½ at the high and the low end of the pieces."""
        low = jnp.where(some, masses / (jnp.expm1(fall) * column), 0.0) + 0.5
        return low + masses / column, low

    def extra(high: jax.Array, low: jax.Array) -> jax.Array:
        return 0.5 * jnp.log(high / low)

    column = 1.0 / (columns - jnp.sum(some) - jnp.sum(extra(*ends(1.0 / columns))))
    high, low = ends(column)
    numbers = jnp.where(some, jnp.floor(high - low + extra(high, low)).astype(jnp.int32) + 1, 0)
    starts = jnp.cumsum(numbers) - numbers
    piece = jnp.repeat(jnp.arange(masses.shape[0]), numbers, total_repeat_length=columns)
    index = jnp.arange(columns)
    real = index < jnp.sum(numbers)
    which, number, high, low = index - starts[piece], numbers[piece], high[piece], low[piece]

    def share(i: jax.Array) -> jax.Array:
        """Of the area of the piece, from its high end to the end of the i-th strip."""
        part = i.astype(masses.dtype) / number.astype(masses.dtype)
        level = (1.0 - part) * (high + 0.5 * jnp.log(high)) + part * (low + 0.5 * jnp.log(low))
        v = jnp.where(level > 1.0, level - 0.5 * jnp.log(jnp.maximum(level, 1.0)), 0.5)
        for _ in range(4):  # Newton's method for v + ½ log v, from below
            v = v - (v + 0.5 * jnp.log(v) - level) / (1.0 + 0.5 / v)
        return jnp.where(i == number, 1.0, jnp.where(i == 0, 0.0, (high - v) / (high - low)))

    near, far = share(which), share(which + 1)
    rises = bounds.slopes[piece] > 0
    start, end = jnp.where(rises, 1.0 - far, near), jnp.where(rises, 1.0 - near, far)
    left = jnp.where(start == 0.0, bounds.edges[piece], bounds.within(piece, start))
    right = jnp.where(end == 1.0, bounds.edges[piece + 1], bounds.within(piece, end))
    log_top = jnp.maximum(bounds.line(piece, left), bounds.line(piece, right))
    width, mass = right - left, masses[piece] * (end - start)
    area = jnp.exp(log_top - bounds.log_upper_area) * width
    curved = ~(area <= _LARGE * column)  # also where the strip has no end
    left, width = jnp.where(curved, 0.0, left), jnp.where(curved, 0.0, width)
    log_bottom = jnp.where(curved, -jnp.inf, _least(bounds, left, right))
    area = jnp.where(real, jnp.where(curved, mass, area), 0.0)
    column = jnp.max(area)
    sure = jnp.where(real, jnp.exp(log_bottom - bounds.log_upper_area) * width, 0.0) / column
    some = sure > 0
    scale = jnp.where(some, width / jnp.where(some, sure, 1.0), 0.0)
    width = jnp.where(curved, jnp.inf, width)
    return Strips(left, scale, sure, area / column, width, log_top, log_bottom, piece, start, end)


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

    element: jax.Array  # at work, the number of all if none
    taken: jax.Array  # from the queue
    turn: jax.Array
    working: jax.Array  # lanes that are
    place: jax.Array  # at which the density leaves its bounds, −∞ if none was met

    @classmethod
    def idle(cls, lanes: int, count: int, dtype: DTypeLike) -> "Lanes":
        zero = jnp.zeros((), jnp.int32)
        return cls(jnp.full(lanes, count, jnp.int32), zero, zero, zero, jnp.asarray(-jnp.inf, dtype))

    def fewer(self, lanes: int, count: int) -> "Lanes":
        """The same with no more lanes than that, which must be enough for those that work."""
        at_work = np.asarray(self.element)
        at_work = at_work[at_work < count]
        element = np.pad(at_work, (0, lanes - len(at_work)), constant_values=count)
        return self._replace(element=jnp.asarray(element))


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
def _try(
    key: jax.Array, lanes: Lanes, values: jax.Array, queue: Queue, table: Strips, bounds: Envelope
) -> tuple[Lanes, Trial]:
    """The lanes take elements from the queue; a uniform point of the part of each box above what is sure.

    ``values`` (n,) are draws; where they are not settled the column, −1 if in no box.
    """
    n, dtype = values.shape[0], table.left.dtype
    idle = lanes.element == n
    order = lanes.taken + jnp.cumsum(idle, dtype=jnp.int32) - 1
    element = jnp.where(idle, queue.locate(order), lanes.element)
    one, two = jax.random.split(jax.random.fold_in(key, lanes.turn))
    fresh, sure = propose(one, table, element.shape)
    stored = jnp.where(idle, values.at[element].get(mode="clip"), -1.0)
    sure = sure & (stored < 0)
    column = jnp.where(stored < 0, jnp.where(sure, -1.0, fresh), stored)
    u, v = uniform(two, (2, *element.shape), dtype)
    j = jnp.maximum(column, 0.0).astype(jnp.int32)
    curved, piece, least = jnp.isinf(table.width[j]), table.piece[j], table.log_bottom[j]
    from_bound = bounds.within(piece, table.start[j] + (table.end[j] - table.start[j]) * u)
    x = jnp.where(curved, from_bound, table.left[j] + jnp.where(curved, 0.0, table.width[j]) * u)
    upper = bounds.line(piece, x)
    top = jnp.where(curved, upper, table.log_top[j])
    level = top + jnp.log(v + (1.0 - v) * jnp.exp(least - top))
    slack = 64.0 * jnp.finfo(dtype).eps * (jnp.abs(upper) + jnp.abs(x * bounds.slopes[piece]) + 1.0)
    lanes = Lanes(element, order[-1] + 1, lanes.turn + 1, lanes.working, lanes.place)
    return lanes, Trial(fresh, sure, x, level, (column >= 0) & (element < n), least - slack, upper + slack)


@functools.partial(jax.jit, donate_argnums=0)  # the draws are written in place
def _settle(values: jax.Array, lanes: Lanes, trial: Trial, log_p: jax.Array) -> tuple[jax.Array, Lanes]:
    n = values.shape[0]
    done = trial.sure | (trial.real & (trial.level <= log_p))
    drawn = jnp.where(trial.sure, trial.fresh, trial.x)
    values = values.at[jnp.where(done, lanes.element, n)].set(drawn, mode="drop")
    outside = trial.real & (~(log_p <= trial.most) | (log_p < trial.least))
    place = jnp.fmax(lanes.place, jnp.max(jnp.where(outside, trial.x, -jnp.inf)))
    element = jnp.where(done, n, lanes.element)
    return values, Lanes(element, lanes.taken, lanes.turn, jnp.sum(element < n, dtype=jnp.int32), place)


@jax.jit
def _busy(lanes: Lanes, queue: Queue) -> jax.Array:
    # a density that leaves its bounds ends it: one that is no number would never be accepted
    return ((lanes.taken < queue.pending) | (lanes.working > 0)) & (lanes.place == -jnp.inf)


@functools.partial(jax.jit, static_argnums=2)
def _begin(key: jax.Array, table: Strips, count: int) -> tuple[jax.Array, jax.Array, Queue]:
    first, rest = jax.random.split(key)
    values, sure = propose(first, table, (count,))
    return rest, values, Queue.of(~sure)


def draw(
    key: jax.Array, count: int, bounds: Envelope, log_density: Density, convex: Density | None
) -> tuple[jax.Array, jax.Array]:
    """(draws, a place at which the density leaves its bounds, −∞ if none was met)."""
    if count == 0:
        return jnp.zeros(0, bounds.edges.dtype), jnp.asarray(-jnp.inf, bounds.edges.dtype)
    capacity = bounds.log_areas.shape[0]
    fewest = (2 * capacity - 1).bit_length()
    table = strips(bounds, max(fewest, _LOG_COLUMNS) if count >= _MANY else fewest)
    rest, values, queue = _begin(key, table, count)

    def step(state: tuple[jax.Array, Lanes]) -> tuple[jax.Array, Lanes]:
        values, lanes = state
        lanes, trial = _try(rest, lanes, values, queue, table, bounds)
        return _settle(values, lanes, trial, log_prob(trial.x, log_density, convex))

    if is_traced(values):
        state = values, Lanes.idle(min(count, _lanes(count // _ELEMENTS_PER_LANE)), count, values.dtype)
        values, lanes = loop(lambda state: _busy(state[1], queue), step, state)
        return values, lanes.place
    pending = int(queue.pending)
    lanes = Lanes.idle(min(count, _lanes(pending)), count, values.dtype)
    while (int(lanes.taken) < pending or int(lanes.working)) and float(lanes.place) == -math.inf:
        if int(lanes.taken) >= pending:  # few are left
            lanes = lanes.fewer(min(count, _lanes(int(lanes.working))), count)
        values, lanes = step((values, lanes))
    return values, lanes.place


def _lanes(elements: int) -> int:
    """How many at once: one of few numbers, for each is compiled."""
    return next((lanes for lanes in _LANES if elements >= lanes), _LANES[-1])
