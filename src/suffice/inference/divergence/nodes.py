"""Where densities on the line are looked at: Gauss–Kronrod panels between quantiles of both laws.

Panels end at quantiles down to 1e-287 of either law on both sides, at the ends of supports, at modes, and on demand where
the densities cross. In a panel the distance from the nearest median or end of a support grows geometrically, so that
powers at an end and in a tail are smooth.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions import generic

# Gauss's rule of seven nodes and Kronrod's of fifteen on [−1, 1]: the half from 0 on
_KRONROD = (
    (0.000000000000000000, 0.209482141084727828), (0.207784955007898468, 0.204432940075298892),
    (0.405845151377397167, 0.190350578064785410), (0.586087235467691130, 0.169004726639267903),
    (0.741531185599394440, 0.140653259715525919), (0.864864423359769073, 0.104790010322250184),
    (0.949107912342758525, 0.063092092629978553), (0.991455371120812640, 0.022935322010529225),
)  # fmt: skip
_GAUSS = (0.417959183673469388, 0.0, 0.381830050505118945, 0.0, 0.279705391489276668, 0.0, 0.129484966168869693, 0.0)


def _whole(half: np.ndarray, sign: float) -> np.ndarray:
    return np.concatenate([sign * half[:0:-1], half])


NODES = _whole(np.array([x for x, _ in _KRONROD]), -1.0)
WEIGHTS = np.stack([_whole(np.array([w for _, w in _KRONROD]), 1.0), _whole(np.array(_GAUSS), 1.0)])

# depths s of quantiles u = exp(−s)/2 on either side of the median
LADDER = np.array(
    [0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.5, 8.0, 10.0, 12.0, 15.0, 18.0, 22.0, 26.0, 31.0, 37.0, 45.0, 60.0,
     90.0, 150.0, 330.0, 660.0]
)  # fmt: skip
_CROSSINGS = 8
_STEEPEST = 10.0
_LARGEST, _LEAST = 1e300, 1e-300


class Nodes(NamedTuple):
    """Two densities at the nodes of all panels.

    Attributes:
        ratio: log p − log q, (panels, 15).
        log_mass: log (p + q) and the logarithm of the length a node stands for but for its weight, (panels, 15).
        tail: log-ratios at the last two rungs of the ladder, (laws, sides, 2).
        lost: probability beyond the last quantile that is a number inside the support, (laws, sides).
        edge: log-ratio there, (laws, sides).
    """

    ratio: jax.Array
    log_mass: jax.Array
    tail: jax.Array
    lost: jax.Array
    edge: jax.Array


def levels() -> jax.Array:
    return jnp.asarray(0.5 * np.exp(-LADDER))


@jax.jit
def ladder(p: Any) -> jax.Array:
    """Quantiles at all depths below the median and above it, (..., 2, rungs)."""
    rank = len(p.batch_shape)
    u = levels().reshape((-1,) + (1,) * rank)
    rungs = jnp.stack([p.icdf(u), p.isf(u)])
    rungs = rungs.at[1, 0].set(rungs[0, 0])  # one median, whatever the rounding
    return jnp.moveaxis(jnp.broadcast_to(rungs, (2, LADDER.size, *p.batch_shape)), (0, 1), (-2, -1))


def _inside(p: Any, x: jax.Array) -> jax.Array:
    """Points brought to numbers inside the support."""
    support = p._support()
    low, high = (jnp.clip(jnp.asarray(end, x.dtype), -_LARGEST, _LARGEST) for end in (support.lower, support.upper))
    x = jnp.clip(jnp.nan_to_num(x, nan=0.0, posinf=_LARGEST, neginf=-_LARGEST), -_LARGEST, _LARGEST)
    low, high = (
        jnp.maximum(jnp.nextafter(low, high), low + _LEAST),
        jnp.minimum(jnp.nextafter(high, low), high - _LEAST),
    )
    return jnp.clip(x, low, high)


def _ends(p: Any) -> jax.Array:
    support = p._support()
    return jnp.stack([jnp.asarray(end, float) for end in (support.lower, support.upper)])


def _modes(p: Any) -> list[jax.Array]:
    return [jnp.asarray(p.mode(), float)] if generic.own(p, "_mode") is not None else []


def crossings(f: Callable[[jax.Array], jax.Array], grid: jax.Array) -> jax.Array:
    """Up to eight points between neighbours of a sorted grid where f changes its sign, by bisection; else infinity."""
    signs = jnp.sign(f(grid))
    change = signs[1:] * signs[:-1] < 0.0
    first = jnp.argsort(~change, stable=True)[:_CROSSINGS]
    left = signs[first]

    def halve(_: Any, ends: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        a, b = ends
        middle = 0.5 * a + 0.5 * b
        before = jnp.sign(f(middle)) == left
        return jnp.where(before, middle, a), jnp.where(before, b, middle)

    low, high = jax.lax.fori_loop(0, 80, halve, (grid[first], grid[first + 1]))
    return jnp.where(change[first], 0.5 * low + 0.5 * high, jnp.inf)


def log_ratio(p: Any, q: Any, x: jax.Array) -> jax.Array:
    """log p(x) − log q(x); 0 where neither has a density."""
    a, b = p.log_prob(x), q.log_prob(x)
    return jnp.where((a == b) & jnp.isinf(a), 0.0, a - b)


def panels(breaks: jax.Array, ends: jax.Array, centres: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Nodes (panels, 15) between sorted breaks, each panel in two, and the logarithm of half the length they stand for."""
    a, b = breaks[:-1], breaks[1:]

    def left_of(points: jax.Array) -> jax.Array:
        return jnp.where(points[None] <= a[:, None], points[None], -jnp.inf).max(1)

    def right_of(points: jax.Array) -> jax.Array:
        return jnp.where(points[None] >= b[:, None], points[None], jnp.inf).min(1)

    def growth(near: jax.Array, far: jax.Array, most: jax.Array) -> jax.Array:
        usable = (near > 0.0) & jnp.isfinite(far) & (far > near)
        rate = jnp.log(jnp.where(usable, far, 2.0)) - jnp.log(jnp.where(usable, near, 1.0))
        return jnp.where(usable & (rate < most), rate, 0.0)

    # from the end of a support, or where there is none from a centre, but for a panel that all but begins there
    left, right = left_of(ends), right_of(ends)
    left_end, right_end = jnp.isfinite(left), jnp.isfinite(right)
    left, right = jnp.where(left_end, left, left_of(centres)), jnp.where(right_end, right, right_of(centres))
    from_left = growth(a - left, b - left, jnp.where(left_end, jnp.inf, _STEEPEST))
    from_right = growth(right - b, right - a, jnp.where(right_end, jnp.inf, _STEEPEST))
    rises, falls = (from_left >= from_right) & (from_left > 0.0), (from_right > from_left)
    rate = jnp.where(rises, from_left, jnp.where(falls, from_right, 1.0))[:, None, None]
    rule = jnp.asarray(0.25 * (NODES + 1.0))
    t = jnp.stack([rule, rule + 0.5])[None]
    rises, falls, a, b = (v[:, None, None] for v in (rises, falls, a, b))
    left, right = (jnp.where(c, v[:, None, None], 0.0) for c, v in ((rises, left), (falls, right)))
    up, down = (a - left) * jnp.exp(rate * t), (right - b) * jnp.exp(rate * (1.0 - t))
    x = jnp.where(rises, left + up, jnp.where(falls, right - down, a + (b - a) * t))
    length = jnp.where(rises, up * rate, jnp.where(falls, down * rate, (b - a) + 0.0 * t))
    log_length = jnp.where(b > a, jnp.log(jnp.where(length > 0.0, length, 1.0)) - np.log(4.0), -jnp.inf)
    return jnp.clip(x, a, b).reshape(-1, NODES.size), log_length.reshape(-1, NODES.size)


def _rungs(p: Any, q: Any, p_ladder: jax.Array, q_ladder: jax.Array) -> jax.Array:
    return jnp.stack([_inside(p, p_ladder), _inside(q, q_ladder)])


def line_panels(
    p: Any, q: Any, p_ladder: jax.Array, q_ladder: jax.Array, split: bool = False
) -> tuple[jax.Array, jax.Array]:
    """Nodes (panels, 15) over the line for single laws p and q, and the logarithm of half the length each stands for."""
    rungs = _rungs(p, q, p_ladder, q_ladder)
    ends, centres = jnp.concatenate([_ends(p), _ends(q)]), rungs[:, 0, 0]
    points = jnp.concatenate([rungs.reshape(-1), ends, *(m.reshape(1) for m in _modes(p) + _modes(q))])
    points = jnp.sort(jnp.clip(points, -_LARGEST, _LARGEST))
    if split:
        cuts = crossings(lambda x: log_ratio(p, q, x), points)
        points = jnp.clip(jnp.sort(jnp.concatenate([points, cuts])), -_LARGEST, points[-1])
    return panels(points, ends, centres)


def nodes_of(p: Any, q: Any, p_ladder: jax.Array, q_ladder: jax.Array, split: bool) -> Nodes:
    """The densities of single laws p and q."""
    rungs, raw = _rungs(p, q, p_ladder, q_ladder), jnp.stack([p_ladder, q_ladder])
    x, log_length = line_panels(p, q, p_ladder, q_ladder, split)
    a, b = p.log_prob(x), q.log_prob(x)
    none = (jnp.isinf(a) & (a == b)) | (a == jnp.inf) | (b == jnp.inf)  # also where x is rounded to an end
    log_mass = jnp.where(none, -jnp.inf, jnp.logaddexp(jnp.where(none, 0.0, a), jnp.where(none, 0.0, b))) + log_length
    kept = rungs == raw
    last = jnp.maximum(kept.sum(-1) - 1, 0)
    lost = jnp.where(kept.all(-1), 0.0, 0.5 * jnp.exp(-jnp.asarray(LADDER)[last]))
    edge = jnp.take_along_axis(rungs, last[..., None], -1)[..., 0]
    return Nodes(jnp.where(none, 0.0, a - b), log_mass, log_ratio(p, q, rungs[..., -2:]), lost, log_ratio(p, q, edge))
