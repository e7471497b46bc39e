"""Slice sampling: a level below the density, and a uniform point of what lies above it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from suffice.numerics import variates
from suffice.sampling.kernel import Info, Kernel, LogDensity, State, setting, told
from suffice.sampling.scaled import Scaled, apply

_MOST_SHRINKS = 200  # an interval that has shrunk so often is a point


def _level(key: jax.Array, log_density: jax.Array) -> jax.Array:
    return log_density + jnp.log(variates.uniform(key, (), log_density.dtype))


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Slice(Scaled):
    """Slice sampling of one coordinate after the other: an interval grows around the point, then shrinks to a point of the slice.

    Args:
        step_size: width of the first interval in units of the scale; 2 by default.
        scale: of each coordinate, (d,); None: found by warm-up from the draws.
        metric: "diagonal" or "unit".
        expand: "stepping" out by one width at a time, or "doubling" the interval.
        most: steps out, on both sides together, or doublings.

    Raises:
        ValueError: a setting out of its range.

    Source: Neal (2003), section 4; Bishop (2006), section 11.4.

    Example:
        >>> import suffice as sf
        >>> chains = sf.sample(lambda x: -0.5 * x**2, 0.0, kernel=sf.Slice(), rng=0)
        >>> bool(abs(chains.draws.mean()) < 0.2)
        True
    """

    expand: str = setting("stepping")
    most: int = setting(32)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.metric == "dense":
            raise ValueError("metric must be diagonal or unit: coordinates are sampled one by one")
        if self.expand not in ("stepping", "doubling"):
            raise ValueError(f"expand must be stepping or doubling, got {self.expand!r}")
        if not 1 <= self.most <= 64:
            raise ValueError(f"most must be from 1 to 64, got {self.most}")

    def _first_step(self, d: int) -> float:
        return 2.0

    def _step(self, f: LogDensity, key: jax.Array, state: State) -> tuple[State, Info]:
        def coordinate(i: jax.Array, carry: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
            v, value, used = carry
            width = self.step_size * (self.scale[i] if self.scale.ndim else self.scale)
            line = lambda x: f(v.at[i].set(x))  # noqa: E731
            x, value, more = _on_a_line(line, jax.random.fold_in(key, i), v[i], value, width, self.expand, self.most)
            return v.at[i].set(x), value, used + more

        d = state.position.shape[0]
        v, value, used = jax.lax.fori_loop(0, d, coordinate, (state.position, state.log_density, jnp.zeros((), int)))
        return State(v, value), told(1.0, used)


def _on_a_line(
    f: Callable[[jax.Array], jax.Array],
    key: jax.Array,
    x: jax.Array,
    value: jax.Array,
    width: jax.Array,
    expand: str,
    most: int,
) -> tuple[Any, Any, Any]:
    of_level, of_place, of_growth, of_shrinking = jax.random.split(key, 4)
    level = _level(of_level, value)
    left = x - width * variates.uniform(of_place, (), x.dtype)
    right = left + width
    if expand == "stepping":
        left, right, used = _stepped_out(f, of_growth, level, left, right, width, most)
        accepted = lambda y, inside: (inside, 0)  # noqa: E731
    else:
        ends, used = _doubled(f, of_growth, level, left, right, width, most)
        left, right = ends.left, ends.right
        accepted = lambda y, inside: _reachable(f, level, x, y, inside, ends, width)  # noqa: E731

    def shrink(s: tuple[Any, ...]) -> tuple[Any, ...]:
        n, used, low, high, y, fy, _ = s
        y = low + variates.uniform_at(of_shrinking, n, x.dtype) * (high - low)
        fy = f(y)
        done, more = accepted(y, fy > level)
        low, high = jnp.where(done | (y >= x), low, y), jnp.where(done | (y < x), high, y)
        return n + 1, used + 1 + more, low, high, y, fy, done

    start = (jnp.zeros((), int), used, left, right, x, value, jnp.asarray(False))
    _, used, _, _, y, fy, done = jax.lax.while_loop(lambda s: ~s[6] & (s[0] < _MOST_SHRINKS), shrink, start)
    return jnp.where(done, y, x), jnp.where(done, fy, value), used


def _stepped_out(
    f: Any, key: jax.Array, level: Any, left: Any, right: Any, width: Any, most: int
) -> tuple[Any, Any, Any]:
    """Figure 3 of Neal (2003): the limit on steps is shared between the sides at random."""
    steps = jnp.floor(most * variates.uniform(key, ())).astype(int)

    def side(end: Any, step: Any, limit: Any) -> tuple[Any, Any]:
        # the level at the end is found in the loop's body, so that the density is compiled once for each side
        def out(s: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
            end, n, _ = s
            above = f(end) > level
            return jnp.where(above, end + step, end), n + 1, above

        end, n, _ = jax.lax.while_loop(
            lambda s: s[2] & (s[1] < limit), out, (end, jnp.zeros((), int), jnp.asarray(True))
        )
        return end, n

    left, a = side(left, -width, steps)
    right, b = side(right, width, most - 1 - steps)
    return left, right, a + b


class _Ends(NamedTuple):
    """An interval, and whether the density at each end is below the level."""

    left: Any
    right: Any
    left_out: Any
    right_out: Any


def _doubled(
    f: Any, key: jax.Array, level: Any, left: Any, right: Any, width: Any, most: int
) -> tuple[_Ends, jax.Array]:
    """Figure 4 of Neal (2003), with the evaluations; each doubling moves one end."""

    def double(s: tuple[_Ends, Any]) -> tuple[_Ends, Any]:
        (left, right, left_out, right_out), n = s
        leftwards = variates.uniform_at(key, n, left.dtype) < 0.5
        end = jnp.where(leftwards, left - (right - left), right + (right - left))
        out = f(end) <= level
        moved = _Ends(
            jnp.where(leftwards, end, left),
            jnp.where(leftwards, right, end),
            jnp.where(leftwards, out, left_out),
            jnp.where(leftwards, right_out, out),
        )
        return moved, n + 1

    out = jax.vmap(f)(jnp.stack([left, right])) <= level
    begin = (_Ends(left, right, out[0], out[1]), jnp.zeros((), int))
    ends, n = jax.lax.while_loop(lambda s: ~(s[0].left_out & s[0].right_out) & (s[1] < most), double, begin)
    return ends, n + 2


def _reachable(f: Any, level: Any, x: Any, y: Any, inside: Any, ends: _Ends, width: Any) -> tuple[Any, Any]:
    """Whether doubling from y could have ended with the same interval: figure 6 of Neal (2003), with the evaluations."""

    def halve(s: tuple[Any, ...]) -> tuple[Any, ...]:
        (left, right, left_out, right_out), apart, _, n = s
        middle = 0.5 * (left + right)
        out, leftwards = f(middle) <= level, y < middle
        apart = apart | ((x < middle) != leftwards)
        half = _Ends(
            jnp.where(leftwards, left, middle),
            jnp.where(leftwards, middle, right),
            jnp.where(leftwards, left_out, out),
            jnp.where(leftwards, out, right_out),
        )
        return half, apart, ~(apart & half.left_out & half.right_out), n + 1

    begin = (ends, jnp.asarray(False), inside, jnp.zeros((), int))
    _, _, good, n = jax.lax.while_loop(lambda s: s[2] & (s[0].right - s[0].left > 1.1 * width), halve, begin)
    return good, n


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class HyperrectangleSlice(Scaled):
    """Slice sampling of all coordinates at once: a box placed at random around the point, which shrinks towards it.

    Args:
        step_size: width of the box in units of the scale; 4 by default.
        scale: of each coordinate, (d,); None: found by warm-up from the draws.
        metric: "diagonal" or "unit".

    Source: Neal (2003), section 5.1, figure 8.

    Example:
        >>> import suffice as sf
        >>> sf.sample(lambda x: -0.5 * (x**2).sum(), [0.0, 0.0], kernel=sf.HyperrectangleSlice(), rng=0).draws.shape
        (4, 1000, 2)
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.metric == "dense":
            raise ValueError("metric must be diagonal or unit: the box has its sides along the axes")

    def _first_step(self, d: int) -> float:
        return 4.0

    def _step(self, f: LogDensity, key: jax.Array, state: State) -> tuple[State, Info]:
        of_level, of_place, of_shrinking = jax.random.split(key, 3)
        x, level = state.position, _level(of_level, state.log_density)
        width = self.step_size * self.scale
        low = x - width * variates.uniform(of_place, x.shape, x.dtype)

        def shrink(s: tuple[Any, ...]) -> tuple[Any, ...]:
            n, low, high, _, _, _ = s
            u = variates.uniform(jax.random.fold_in(of_shrinking, n), x.shape, x.dtype)
            y = low + u * (high - low)
            fy = f(y)
            return n + 1, jnp.where(y < x, y, low), jnp.where(y < x, high, y), y, fy, fy > level

        start = (jnp.zeros((), int), low, low + width, x, state.log_density, jnp.asarray(False))
        n, _, _, y, fy, done = jax.lax.while_loop(lambda s: ~s[5] & (s[0] < _MOST_SHRINKS), shrink, start)
        return State(jnp.where(done, y, x), jnp.where(done, fy, state.log_density)), told(1.0, n)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class EllipticalSlice(Kernel):
    """Elliptical slice sampling, for a density that is a normal one times something: without a step size.

    z* = m + (z − m) cos a + (y − m) sin a with y from the normal law, the angle a shrinking towards 0 until what is left of the
    density is above a level.

    Args:
        loc: m of the normal law, (d,) or a number.
        scale: S with covariance S Sᵀ: standard deviations (d,) or a lower triangular factor (d, d). The target must contain
            the normal density; what else it contains is divided out.

    Source: Murray, Adams and MacKay (2010), figure 2.

    Example:
        >>> import suffice as sf
        >>> f = lambda x: -0.5 * (x**2).sum() - abs(x).sum()
        >>> sf.sample(f, [0.0, 0.0], kernel=sf.EllipticalSlice(), warmup=0, rng=0).draws.shape
        (4, 1000, 2)
    """

    loc: Any = 0.0
    scale: Any = 1.0

    def _step(self, f: LogDensity, key: jax.Array, state: State) -> tuple[State, Info]:
        of_level, of_partner, of_angle = jax.random.split(key, 3)
        x, dtype = state.position, state.position.dtype
        loc = jnp.broadcast_to(jnp.asarray(self.loc, dtype), x.shape)
        scale = jnp.asarray(self.scale, dtype)
        scale = jnp.broadcast_to(scale, x.shape) if scale.ndim < 2 else scale

        def rest(v: jax.Array, value: jax.Array) -> jax.Array:
            inner = v - loc
            z = jax.scipy.linalg.solve_triangular(scale, inner, lower=True) if scale.ndim == 2 else inner / scale
            return value + 0.5 * (z**2).sum()

        level = _level(of_level, rest(x, state.log_density))
        partner = apply(scale, variates.normal(of_partner, x.shape, dtype))
        whole = 2.0 * jnp.pi
        first = whole * variates.uniform_at(of_angle, jnp.zeros((), int), dtype)

        def shrink(s: tuple[Any, ...]) -> tuple[Any, ...]:
            n, low, high, angle, _, _, _ = s
            y = loc + (x - loc) * jnp.cos(angle) + partner * jnp.sin(angle)
            fy = f(y)
            low, high = jnp.where(angle < 0, angle, low), jnp.where(angle < 0, high, angle)
            following = low + variates.uniform_at(of_angle, n + 1, dtype) * (high - low)
            return n + 1, low, high, following, y, fy, rest(y, fy) > level

        start = (jnp.zeros((), int), first - whole, first, first, x, state.log_density, jnp.asarray(False))
        n, _, _, _, y, fy, done = jax.lax.while_loop(lambda s: ~s[6] & (s[0] < _MOST_SHRINKS), shrink, start)
        return State(jnp.where(done, y, x), jnp.where(done, fy, state.log_density)), told(1.0, n)
