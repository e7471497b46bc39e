"""Piecewise exponential bounds of a density from its values at knots: an envelope above it and a squeeze below."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp

from suffice.numerics.variates import uniform

_SLACK = 64.0  # units of rounding by which log-densities and slopes may contradict one another


class Point(NamedTuple):
    """What is known of log p = concave + convex at one point, or at many."""

    x: jax.Array
    value: jax.Array  # of the concave part
    slope: jax.Array
    convex: jax.Array
    convex_slope: jax.Array

    @property
    def total(self) -> jax.Array:
        """log p, but for a constant."""
        return self.value + self.convex


class Knots(NamedTuple):
    """Points in ascending order, the first ``number`` of K places; the others are at +∞."""

    at: Point
    number: jax.Array

    @classmethod
    def empty(cls, capacity: int, dtype: jnp.dtype) -> "Knots":
        nothing = jnp.zeros(capacity, dtype)
        return cls(Point(jnp.full(capacity, jnp.inf, dtype), nothing, nothing, nothing, nothing), jnp.asarray(0))

    def insert(self, point: Point) -> "Knots":
        """With one knot more; the same where that knot is there already, or there is no place."""
        capacity = self.at.x.shape[0]
        place = jnp.sum(self.at.x < point.x)
        index = jnp.arange(capacity)
        keep = jnp.any(self.at.x == point.x) | (self.number >= capacity) | ~jnp.isfinite(point.x)

        def put(old: jax.Array, new: jax.Array) -> jax.Array:
            moved = jnp.where(index < place, old, jnp.where(index == place, new, jnp.roll(old, 1)))
            return jnp.where(keep, old, moved)

        return Knots(jax.tree.map(put, self.at, point), self.number + jnp.where(keep, 0, 1))


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Envelope:
    """A density between two piecewise exponential functions: log upper and log lower are linear in each piece.

    Piece p lies between ``edges[p]`` and ``edges[p + 1]`` and belongs to knot p // 2: it ends there (even p) or begins
    there (odd p). Pieces that are not used have no width.

    Attributes:
        knots: where the density is known.
        edges: (2K + 1,).
        slopes: (2K,), of log upper.
        log_areas: (2K,), of the pieces under the upper bound.
        log_lower_areas: (K − 1,), between two knots, under the lower bound.
        violation: a place where the density is not what the bounds need, NaN if none was seen.
    """

    knots: Knots
    edges: jax.Array
    slopes: jax.Array
    log_areas: jax.Array
    log_lower_areas: jax.Array
    violation: jax.Array

    @property
    def heights(self) -> jax.Array:
        """log upper at the knot of each piece, (2K,)."""
        return jnp.repeat(self.knots.at.total, 2)

    @property
    def log_upper_area(self) -> jax.Array:
        """log of the area under the upper bound: at least log Z."""
        return jax.nn.logsumexp(self.log_areas)

    @property
    def log_lower_area(self) -> jax.Array:
        """log of the area under the lower bound: at most log Z."""
        return jax.nn.logsumexp(self.log_lower_areas)

    def log_upper(self, x: jax.Array) -> jax.Array:
        """log of the upper bound, of any shape; −∞ outside the support."""
        x = jnp.asarray(x, self.edges.dtype)
        piece = jnp.clip(jnp.searchsorted(self.edges, x, side="right") - 1, 0, 2 * self.knots.number - 1)
        inside = (x >= self.edges[0]) & (x <= self.edges[-1])
        return jnp.where(inside, self.line(piece, x), -jnp.inf)

    def line(self, piece: jax.Array, x: jax.Array) -> jax.Array:
        """log upper at points of known pieces."""
        return self.heights[piece] + self.slopes[piece] * (x - self.knots.at.x[piece // 2])

    def log_lower(self, x: jax.Array) -> jax.Array:
        """log of the lower bound, of any shape; −∞ outside the knots."""
        at, number = self.knots.at, self.knots.number
        x = jnp.asarray(x, at.x.dtype)
        i = jnp.clip(jnp.searchsorted(at.x, x, side="right") - 1, 0, number - 2)
        left, right = (jax.tree.map(lambda v, i=i: v[i], at) for i in (i, i + 1))
        part = (x - left.x) / (right.x - left.x)
        chord = left.value + part * (right.value - left.value)
        tangents = (p.convex + p.convex_slope * (x - p.x) for p in (left, right))
        inside = (x >= at.x[0]) & (x <= at.x[number - 1])
        return jnp.where(inside, chord + jnp.maximum(*tangents), -jnp.inf)

    def inverse(self, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        """(point, its piece) below which a share u of the area under the upper bound lies."""
        masses = jnp.exp(self.log_areas - jnp.max(self.log_areas))
        sums = jnp.cumsum(masses)
        target = u * sums[-1]
        piece = jnp.searchsorted(sums, target, side="right")
        piece = jnp.minimum(piece, jnp.max(jnp.where(masses > 0, jnp.arange(masses.shape[0]), 0)))
        share = jnp.clip((target - (sums - masses)[piece]) / masses[piece], 0.0, 1.0)
        return self.within(piece, share), piece

    def within(self, piece: jax.Array, share: jax.Array) -> jax.Array:
        """The point of a piece below which a share of the piece's area lies."""
        low, high, slope = self.edges[piece], self.edges[piece + 1], self.slopes[piece]
        rises = slope > 0
        share = jnp.where(rises, 1.0 - share, share)  # counted from the higher end
        steep = jnp.abs(slope)
        flat = steep * jnp.where(jnp.isfinite(high - low), high - low, 1.0) < 1e-30
        steep = jnp.where(flat, 1.0, steep)
        width = jnp.where(flat, 1.0, high - low)
        distance = -jnp.log1p(share * jnp.expm1(-steep * width)) / steep
        distance = jnp.where(flat, share * (high - low), distance)
        return jnp.clip(jnp.where(rises, high - distance, low + distance), low, high)

    def propose(self, key: jax.Array, shape: tuple[int, ...]) -> tuple[jax.Array, jax.Array]:
        """Draws from the law proportional to the upper bound, and their pieces."""
        return self.inverse(uniform(key, shape, self.edges.dtype))


def envelope(knots: Knots, lower: jax.Array, upper: jax.Array, tangent: bool) -> Envelope:
    """Bounds of a density between ``lower`` and ``upper`` from its knots: at least two, without tangents three.

    The upper bound of the concave part: tangents at the knots, or the chords of the neighbouring intervals extended;
    of the convex part: chords. The lower bound of the concave part: chords; of the convex part: tangents. A convex part
    needs knots at both ends.

    Source: Gilks and Wild (1992), Gilks (1992) without derivatives, Görür and Teh (2011) with a convex part.
    """
    at, number = knots
    index = jnp.arange(at.x.shape[0])
    used, last = index < number, index == number - 1
    x = jnp.where(used, at.x, 0.0)
    following = jax.tree.map(lambda v: jnp.roll(v, -1), at)
    between = index < number - 1
    width = jnp.where(between, following.x - x, 1.0)
    chord = (following.value - at.value) / width
    if tangent:
        right, left = at.slope, at.slope
    else:
        right = jnp.where(index == 0, jnp.inf, jnp.roll(chord, 1))
        left = jnp.where(last, -jnp.inf, chord)
    z, bad = _meeting(right, chord, jnp.roll(left, -1), width, _noise(at.value, following.value, width))
    convex_chord = jnp.where(between, (following.convex - at.convex) / width, 0.0)
    noise = _noise(at.convex, following.convex, width)
    y, bent = _meeting(-at.convex_slope, -convex_chord, -following.convex_slope, width, noise)
    violation = jnp.max(jnp.where(between & (bad | bent), x + 0.5 * width, -jnp.inf))

    right, left = (jnp.where(jnp.isfinite(s), s, 0.0) for s in (right, left))  # of pieces without width
    before = jnp.where(index == 0, 0.0, jnp.roll(convex_chord, 1))
    slopes = jnp.stack([left + before, right + jnp.where(between, convex_chord, 0.0)], axis=1).ravel()
    meet = jnp.where(between, x + z, upper)
    ends = jnp.stack([jnp.where(used, at.x, upper), meet], axis=1).ravel()
    edges = jnp.concatenate([jnp.reshape(lower, 1).astype(ends.dtype), ends])
    heights, anchor, real = jnp.repeat(at.total, 2), jnp.repeat(x, 2), jnp.repeat(used, 2)
    log_areas = jnp.where(real, _log_area(heights, anchor, slopes, edges[:-1], edges[1:]), -jnp.inf)

    middle = x + y
    areas = (
        _log_area(at.total, x, chord + at.convex_slope, x, middle),
        _log_area(following.total, x + width, chord + following.convex_slope, middle, x + width),
    )
    log_lower = jnp.where(between, jnp.logaddexp(*areas), -jnp.inf)[:-1]
    return Envelope(knots, edges, slopes, log_areas, log_lower, jnp.where(violation > -jnp.inf, violation, jnp.nan))


def _noise(value: jax.Array, following: jax.Array, width: jax.Array) -> jax.Array:
    """What rounding of values does to the slope of a chord."""
    eps = jnp.finfo(value.dtype).eps
    return _SLACK * eps * (jnp.abs(value) + jnp.abs(following) + 1.0) / width


def _meeting(
    right: jax.Array, chord: jax.Array, left: jax.Array, width: jax.Array, noise: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Where the line from the left knot meets that from the right one, and whether they contradict the chord.

    For a concave function right >= chord >= left.
    """
    eps = jnp.finfo(chord.dtype).eps
    above, below = right - chord, chord - left
    slack = noise + _SLACK * eps * jnp.abs(chord)
    total = above + below
    part = jnp.where(jnp.isinf(below), 1.0, jnp.where(total > 0, below, 0.5) / jnp.where(total > 0, total, 1.0))
    return width * jnp.clip(part, 0.0, 1.0), (above < -slack) | (below < -slack)


def _log_area(height: jax.Array, anchor: jax.Array, slope: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
    """log ∫ exp(height + slope (x − anchor)) dx from low to high; +∞ where that diverges, −∞ without width."""
    width = high - low
    empty = ~(width > 0)
    top = jnp.where(slope > 0, high, low)
    endless = jnp.isinf(width)
    diverges = endless & (jnp.isinf(top) | (slope == 0))
    steep = jnp.abs(slope)
    fall = steep * jnp.where(endless | empty, 1.0, width)
    tiny = fall < 1e-30
    shape = -jnp.expm1(-jnp.where(tiny, 1.0, fall)) / jnp.where(tiny, 1.0, fall)
    finite = jnp.log(jnp.where(endless | empty, 1.0, width)) + jnp.where(tiny, 0.0, jnp.log(shape))
    log_width = jnp.where(endless, -jnp.log(jnp.where(steep > 0, steep, 1.0)), finite)
    start = height + slope * (jnp.where(jnp.isinf(top), anchor, top) - anchor)
    return jnp.where(empty, -jnp.inf, jnp.where(diverges, jnp.inf, start + log_width))
