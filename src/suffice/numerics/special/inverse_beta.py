"""Inverse of the regularised incomplete beta function: quantiles from either tail or from its logarithm."""

from collections.abc import Callable
from math import log

import jax
import jax.numpy as jnp
from jax import lax
from jax.typing import ArrayLike

from suffice.numerics.special.beta_fraction import LARGEST_SHAPE, beta_fraction
from suffice.numerics.special.beta_lead import log_lead, log_lead_scale, log_upper_lead
from suffice.numerics.special.chunks import in_chunks
from suffice.numerics.special.curve import quantiles
from suffice.numerics.special.elementary import log1mexp, log_of_smaller, promote, softplus
from suffice.numerics.special.incomplete_beta import coarse_log_lower_tail, log_logit_density, log_lower_tail

_LOG_HALF = -0.6931471805599453


def _logit(log_x: jax.Array) -> jax.Array:
    return log_x - log1mexp(log_x)


def _saddle(a: jax.Array, b: jax.Array, log_p: jax.Array) -> jax.Array:
    """u below the mode with logit-density lower by z²/2, z the normal quantile of p: Newton on a concave function."""
    s = jnp.sqrt(-2 * log_p)
    z = jnp.maximum(s - (2.30753 + 0.27061 * s) / (1 + s * (0.99229 + 0.04481 * s)), 0.05)
    mode, n = jnp.log(a) - jnp.log(b), a + b
    # The nearer of a normal and of a gamma's upper tail in 1 − x.
    t = z / jnp.sqrt(b)
    u = mode - jnp.minimum(z * jnp.sqrt(1 / a + 1 / b), jnp.log1p(t + t * t / 2) + z / jnp.sqrt(a))
    right = mode > 0
    rate, sign = jnp.where(right, -b, a), jnp.where(right, -1, 1).astype(a.dtype)
    for _ in range(4):
        gap = rate * (u - mode) - n * (softplus(sign * u) - softplus(sign * mode)) + z * z / 2
        share = jax.nn.sigmoid(sign * u)
        slope = rate - sign * n * share
        bend = 0.5 * gap * n * share * (1 - share) / (slope * slope)
        u -= gap / slope / (1 + jnp.clip(bend, -0.5, 1e6))
    return u


def _start(a: jax.Array, b: jax.Array, log_p: jax.Array) -> jax.Array:
    """logit x near log I_x(a, b) = log_p <= log ½: x^a/(a B) = p far down, y^b/(b B) = 1 − p far up, else `_saddle`."""
    one = jnp.ones_like(a)
    log_x = (log_p - log_upper_lead(b, a, one)) / a
    log_y = (jnp.log1p(-jnp.exp(log_p)) - log_upper_lead(a, b, one)) / b
    down = log_x + jnp.log(jnp.maximum(b, 1)) < _LOG_HALF
    up = (b < 1) & (log_y < jnp.log(jnp.minimum(0.1, 0.25 / a)))
    edge = jnp.where(down, _logit(jnp.where(down, log_x, -1)), -_logit(jnp.where(up, log_y, -1)))
    # With a shape below 1 there is no mode at that end: what is not near the end is in the middle.
    lowest = jnp.where(a < 1, -2 - jnp.log(jnp.maximum(b, 1)), -jnp.inf)
    highest = jnp.where(b < 1, 4 + jnp.log(jnp.maximum(a, 1)), jnp.inf)
    return jnp.where(down | up, edge, jnp.clip(_saddle(a, b, log_p), lowest, highest))


Tail = Callable[[jax.Array, jax.Array], tuple[jax.Array, jax.Array]]


def _by_quadrature(tail: Callable[..., jax.Array], a: jax.Array, b: jax.Array) -> Tail:
    """log I_x(a, b) and its derivative in logit x, as a function of (x, 1 − x)."""

    def evaluate(x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        value = tail(a, b, x, y)
        return value, jnp.exp(log_logit_density(a, b, x, y) - value)

    return evaluate


def _by_fraction(a: jax.Array, b: jax.Array) -> Tail:
    """The same from F with I_x = x^a y^b/(a B)·F: the derivative is a/F."""
    log_scale = log_lead_scale(a, b)

    def evaluate(x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        fraction = beta_fraction(a, b, x, y)
        return log_lead(a, b, x, y, log_scale + jnp.log(fraction)), a / fraction

    return evaluate


def _halley(
    tail: Tail, log_p: jax.Array, a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """(gap in log I, Halley's step in logit x): log I is concave there, with derivatives h and h (a y − b x − h)."""
    value, slope = tail(x, y)
    gap = value - log_p
    bend = 0.5 * gap * ((a * y - b * x) / slope - 1) / slope
    return gap, -gap / slope / (1 - jnp.clip(bend, -1e3, 0.5))


def _steps(
    tail: Tail, log_p: jax.Array, a: jax.Array, b: jax.Array, u: jax.Array, highest: jax.Array, near: float
) -> jax.Array:
    """Halley's steps from u until none is longer than ``near``, nor any gap larger."""
    lowest = 0.92 * log(jnp.finfo(a.dtype).tiny)

    def step(state: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        count, u, active = state
        gap, move = _halley(tail, log_p, a, b, jax.nn.sigmoid(u), jax.nn.sigmoid(-u))
        u = jnp.where(active, jnp.clip(u + move, lowest, highest), u)
        return count + 1, u, active & ((jnp.abs(gap) > near) | (jnp.abs(move) > near))

    return lax.while_loop(lambda s: (s[0] < 16) & jnp.any(s[2]), step, (jnp.asarray(0), u, ~jnp.isnan(u)))[1]


def _polished(
    tail: Tail, log_p: jax.Array, a: jax.Array, b: jax.Array, u: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """(logit x, x, 1 − x) after one more step, each with all its digits."""
    x, y = jax.nn.sigmoid(u), jax.nn.sigmoid(-u)
    step = _halley(tail, log_p, a, b, x, y)[1]
    growth = jnp.expm1(step)
    return u + step, x * (1 + growth) / (1 + x * growth), y / (1 + x * growth)


def _solve(a: jax.Array, b: jax.Array, log_p: jax.Array) -> jax.Array:
    """logit x, x and 1 − x, stacked, with log I_x(a, b) = log_p <= log ½."""
    start = _start(a, b, log_p)
    limit = -0.92 * log(jnp.finfo(a.dtype).tiny)
    extreme = jnp.abs(start) > limit  # x or 1 − x is nearly 0 or underflows: the start is exact

    def fast(u: jax.Array) -> tuple[jax.Array, ...]:
        tail = _by_fraction(a, b)
        above = jnp.maximum(b - 0.9, b / 4)  # beyond lies more than half of the law, and the fraction cancels
        highest = jnp.log(a + b - above) - jnp.log(above)
        u = _steps(tail, log_p, a, b, jnp.minimum(u, highest), highest, 1e-5 if a.dtype == jnp.float64 else 1e-2)
        return _polished(tail, log_p, a, b, u)

    def general(u: jax.Array) -> tuple[jax.Array, ...]:
        u = _steps(_by_quadrature(coarse_log_lower_tail, a, b), log_p, a, b, u, jnp.full_like(u, limit), 1e-2)
        tail = _by_quadrature(log_lower_tail, a, b)
        # a loop, though it is only two steps: the tail is compiled once
        return lax.fori_loop(0, 2, lambda _, found: _polished(tail, log_p, a, b, found[0]), (u, u, u))

    easy = (jnp.maximum(a, b) <= LARGEST_SHAPE) & (b >= 0.4) & ~extreme
    found = lax.cond(jnp.all(easy), fast, general, jnp.where(extreme, 0, start))
    edge = start, jax.nn.sigmoid(start), jax.nn.sigmoid(-start)
    return jnp.stack([jnp.where(extreme, s, t) for s, t in zip(edge, found, strict=True)], axis=-1)


def _exact(a: jax.Array, b: jax.Array, level: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    lower = level < 0
    found = in_chunks(_solve, jnp.where(lower, a, b), jnp.where(lower, b, a), -jnp.abs(level))
    u, x, y = (found[..., i] for i in range(3))
    return jnp.where(lower, u, -u), jnp.where(lower, x, y), jnp.where(lower, y, x)


_CURVE = quantiles(_exact, ordinate=lambda found: found[0], value=lambda u: (u, jax.nn.sigmoid(u), jax.nn.sigmoid(-u)))


def _oriented(log_p: jax.Array, log_q: jax.Array) -> Callable[[jax.Array, jax.Array], jax.Array]:
    lower = log_p <= log_q
    return lambda s, t: jnp.where(lower, s, t)


@jax.custom_jvp
def _quantile(a: jax.Array, b: jax.Array, log_p: jax.Array, log_q: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    return _CURVE([a, b], [_oriented(log_p, log_q)(log_p, -log_q)])


@_quantile.defjvp
def _(args, tangents):
    a, b, log_p, log_q = args
    da, db, dp, dq = tangents
    u, x, y = _quantile(*args)
    pick = _oriented(log_p, log_q)
    # Beyond the smallest numbers logit x is all that moves, and the tail is a power.
    extreme = jnp.minimum(x, y) <= 4 * jnp.finfo(x.dtype).tiny
    point = pick(a, b), pick(b, a), *(jnp.where(extreme, 0.5, t) for t in (pick(x, y), pick(y, x)))
    value, by_shape = jax.jvp(log_lower_tail, point, (pick(da, db), pick(db, da), jnp.zeros_like(x), jnp.zeros_like(x)))
    slope = jnp.exp(log_logit_density(*point) - value)
    du = (pick(dp, dq) - by_shape) / slope
    du = jnp.where(extreme, jnp.nan, pick(du, -du))
    dx = jnp.where(extreme, 0, x * y * du)
    return (u, x, y), (du, dx, -dx)


@jax.jit
def betaincinv_pair(
    a: ArrayLike, b: ArrayLike, log_p: ArrayLike, log_q: ArrayLike
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """(logit x, x, 1 − x), each to full accuracy, where I_x(a, b) = p; given are both log p and log q = log(1 − p).

    Arguments: shapes a, b > 0 (any shape that broadcasts); the smaller of the two logarithms decides.
    logit x is finite where x or 1 − x underflows. Halley's method on the log of the smaller tail, concave in logit x.
    Derivatives are those of the implicit function; where x or 1 − x underflows that of logit x is NaN.
    """
    a, b, log_p, log_q = promote(a, b, log_p, log_q)
    shape = jnp.broadcast_shapes(a.shape, b.shape, log_p.shape, log_q.shape)
    proper = (a > 0) & (b > 0) & (a < jnp.inf) & (b < jnp.inf)
    valid = proper & (log_p <= 0) & (log_q <= 0)
    inside = valid & (log_p > -jnp.inf) & (log_q > -jnp.inf)
    safe = [jnp.where(proper, t, 1) for t in (a, b)]
    safe += [jnp.broadcast_to(jnp.where(inside, t, _LOG_HALF), shape) for t in (log_p, log_q)]
    out = _quantile(*safe)

    def with_ends(value, at_zero, at_one):
        return jnp.where(inside, value, jnp.where(valid, jnp.where(log_p == -jnp.inf, at_zero, at_one), jnp.nan))

    u, x, y = out
    return with_ends(u, -jnp.inf, jnp.inf), with_ends(x, 0, 1), with_ends(y, 1, 0)


def log_levels(p: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(log p, log(1 − p)) for `betaincinv_pair`: of the larger no more is said than that it is."""
    log, rest = log_of_smaller(p), -jnp.minimum(p, 1 - p)
    return jnp.where(p <= 0.5, log, rest), jnp.where(p <= 0.5, rest, log)


@jax.jit
def betaincinv(a: ArrayLike, b: ArrayLike, p: ArrayLike) -> jax.Array:
    """x with I_x(a, b) = p, for 0 <= p <= 1; NaN outside."""
    a, b, p = promote(a, b, p)
    return betaincinv_pair(a, b, *log_levels(p))[1]


@jax.jit
def betainccinv(a: ArrayLike, b: ArrayLike, q: ArrayLike) -> jax.Array:
    """x with 1 − I_x(a, b) = q, for 0 <= q <= 1; NaN outside."""
    a, b, q = promote(a, b, q)
    return betaincinv_pair(a, b, *log_levels(q)[::-1])[1]


@jax.jit
def betaincinv_log(a: ArrayLike, b: ArrayLike, log_p: ArrayLike) -> jax.Array:
    """x with log I_x(a, b) = log_p <= 0, for tails that underflow."""
    a, b, log_p = promote(a, b, log_p)
    return betaincinv_pair(a, b, log_p, log1mexp(log_p))[1]


@jax.jit
def betainccinv_log(a: ArrayLike, b: ArrayLike, log_q: ArrayLike) -> jax.Array:
    """x with log(1 − I_x(a, b)) = log_q <= 0, for tails that underflow."""
    a, b, log_q = promote(a, b, log_q)
    return betaincinv_pair(a, b, log1mexp(log_q), log_q)[1]
