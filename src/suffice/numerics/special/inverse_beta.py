"""Inverse of the regularised incomplete beta function: quantiles from either tail or its logarithm."""

import jax
import jax.numpy as jnp
from jax import lax
from jax.typing import ArrayLike

from suffice.numerics.special.elementary import log1mexp, promote, softplus
from suffice.numerics.special.incomplete_beta import (
    coarse_log_lower_tail,
    log_logit_density,
    log_lower_tail,
    log_upper_lead,
)

_DEEP = -650.0


def _start(a, b, target):
    """logit x"""
    n = a + b
    lead_a = -log_upper_lead(b, a, jnp.ones_like(a))  # log(a B(a, b))
    lead_b = -log_upper_lead(a, b, jnp.ones_like(a))
    log_x = (target + lead_a) / a
    log_y = (jnp.log1p(-jnp.exp(target)) + lead_b) / b
    # saddle
    s = jnp.sqrt(-2 * target)
    z = s - (2.30753 + 0.27061 * s) / (1 + s * (0.99229 + 0.04481 * s))
    z = jnp.maximum(z, 0.05)
    mode = jnp.log(a) - jnp.log(b)
    s = z / jnp.sqrt(b)
    u = mode - jnp.minimum(z * jnp.sqrt(1 / a + 1 / b), jnp.log1p(s + s * s / 2) + z / jnp.sqrt(a))
    right = mode > 0
    rate, sign = jnp.where(right, -b, a), jnp.where(right, -1, 1).astype(a.dtype)
    for _ in range(4):
        # log-density of the logit, less its maximum, + z²/2: in the smaller of x and 1 − x
        gap = rate * (u - mode) - n * (softplus(sign * u) - softplus(sign * mode)) + z * z / 2
        share = jax.nn.sigmoid(sign * u)
        slope = rate - sign * n * share
        bend = 0.5 * gap * n * share * (1 - share) / (slope * slope)
        u -= gap / slope / (1 + jnp.clip(bend, -0.5, 1e6))
    flat = (b < 1) & (log_y < jnp.log(jnp.minimum(0.1, 0.25 / a)))
    power = log_x + jnp.log(jnp.maximum(b, 1)) < -0.7
    logit = lambda l: l - log1mexp(l)
    return jnp.where(
        power,
        logit(jnp.where(power, log_x, -1)),
        jnp.where(flat, -logit(jnp.where(flat, log_y, -1)), u),
    )


def _solve(a, b, target):
    start = _start(a, b, target)
    deep = jnp.abs(start) > 600
    u0 = jnp.where(deep, 0, start)

    def halley(tail, u):
        x, y = jax.nn.sigmoid(u), jax.nn.sigmoid(-u)
        value = tail(a, b, x, y)
        slope = jnp.exp(log_logit_density(a, b, x, y) - value)
        gap = value - target
        bend = 0.5 * gap * ((a * y - b * x) / slope - 1) / slope
        return x, y, gap, -gap / slope / (1 - jnp.clip(bend, -1e3, 0.5))

    def body(state):
        k, u, active = state
        _, _, gap, step = halley(coarse_log_lower_tail, u)
        u = jnp.where(active, jnp.clip(u + step, -640, 640), u)
        return k + 1, u, active & ((jnp.abs(gap) > 1e-2) | (jnp.abs(step) > 1e-2))

    _, u, _ = lax.while_loop(lambda s: (s[0] < 16) & jnp.any(s[2]), body, (0, u0, ~deep & ~jnp.isnan(u0)))
    for _ in range(2):
        x, y, _, step = halley(log_lower_tail, u)
        u += step
    growth = jnp.expm1(step)
    x, y = x * (1 + growth) / (1 + x * growth), y / (1 + x * growth)
    return jnp.where(deep, start, u), *(jnp.where(deep, jax.nn.sigmoid(s), t) for s, t in ((start, x), (-start, y)))


@jax.custom_jvp
def _quantile(a, b, log_p, log_q):
    lower = log_p <= log_q
    sel = lambda s, t: jnp.where(lower, s, t)
    target = sel(log_p, log_q)
    u, x, y = _solve(sel(a, b), sel(b, a), target)
    return jnp.where(lower, u, -u), sel(x, y), sel(y, x)


@_quantile.defjvp
def _(args, tangents):
    a, b, log_p, log_q = args
    u, x, y = _quantile(*args)
    lower = log_p <= log_q
    sel = lambda s, t: jnp.where(lower, s, t)
    zero = jnp.zeros_like(x)
    a1, b1, x1, y1 = sel(a, b), sel(b, a), sel(x, y), sel(y, x)
    da, db, dp, dq = tangents
    deep = (x1 < 1e-280) | (y1 < 1e-280)
    xs, ys = jnp.where(deep, 0.5, x1), jnp.where(deep, 0.5, y1)
    value, by_shape = jax.jvp(log_lower_tail, (a1, b1, xs, ys), (sel(da, db), sel(db, da), zero, zero))
    slope = jnp.exp(log_logit_density(a1, b1, xs, ys) - value)
    du = (sel(dp, dq) - by_shape) / slope
    du = sel(du, -du)
    dx = x * y * du
    return (u, x, y), (du, dx, -dx)


def betaincinv_pair(a: ArrayLike, b: ArrayLike, log_p: ArrayLike, log_q: ArrayLike):
    """(logit x, x, 1-x)"""
    a, b, log_p, log_q = jnp.broadcast_arrays(*promote(a, b, log_p, log_q))
    ok = (a > 0) & (b > 0) & (a < jnp.inf) & (b < jnp.inf)
    valid = ok & (log_p <= 0) & (log_q <= 0)
    inside = valid & (log_p > -jnp.inf) & (log_q > -jnp.inf)
    safe = [jnp.where(inside, t, s) for t, s in ((a, 1.0), (b, 1.0), (log_p, -0.6931471805599453), (log_q, -0.6931471805599453))]
    out = _quantile(*safe)
    edge = jnp.where(valid, jnp.where(log_p == -jnp.inf, -jnp.inf, jnp.inf), jnp.nan)
    return tuple(jnp.where(inside, o, f(edge)) for o, f in zip(out, (lambda e: e, jax.nn.sigmoid, lambda e: jax.nn.sigmoid(-e))))


def betaincinv(a, b, p):
    a, b, p = promote(a, b, p)
    return betaincinv_pair(a, b, jnp.log(p), jnp.log1p(-p))[1]


def betainccinv(a, b, q):
    a, b, q = promote(a, b, q)
    return betaincinv_pair(a, b, jnp.log1p(-q), jnp.log(q))[1]


def betaincinv_log(a, b, log_p):
    a, b, log_p = promote(a, b, log_p)
    return betaincinv_pair(a, b, log_p, log1mexp(log_p))[1]


def betainccinv_log(a, b, log_q):
    a, b, log_q = promote(a, b, log_q)
    return betaincinv_pair(a, b, log1mexp(log_q), log_q)[1]
