"""Inverse incomplete gamma functions: x with P(a, x) = p or Q(a, x) = q, from the probability or from its logarithm.

All four solve for the logarithm of the smaller tail, which is a concave function h of u = log x. With D = x · density,
h' = D/P or −D/Q and h'' = h' · (a − x − h'), so that Halley's third-order step costs one evaluation of h.
"""

import math

import jax
import jax.numpy as jnp

from suffice.numerics.special.curve import quantiles
from suffice.numerics.special.elementary import elementwise, horner, log1mexp, log_of_smaller
from suffice.numerics.special.gamma import gammaln1p
from suffice.numerics.special.incomplete_gamma import (
    is_lower,
    log_density,
    log_gammainc,
    log_gammaincc,
    log_tail,
)

_LOG_HALF = -0.6931471805599453
_MAX_STEPS = 20
# Abramowitz and Stegun 26.2.23: normal quantile from t = √(−2 log tail), to 4.5e-4
_QUANTILE = ((2.515517, 0.802853, 0.010328), (1.0, 1.432788, 0.189269, 0.001308))


def _start(a: jax.Array, log: jax.Array, lower: jax.Array, log_power: jax.Array, log_gamma: jax.Array) -> jax.Array:
    """x to a few per cent: the larger of Wilson and Hilferty's and the power law; the asymptote of Q when x >> a."""
    t = jnp.sqrt(-2 * log)
    z = t - horner(t, _QUANTILE[0]) / horner(t, _QUANTILE[1])
    root = 1 - 1 / (9 * a) + jnp.where(lower, -z, z) / (3 * jnp.sqrt(a))
    x = jnp.maximum(a * jnp.maximum(root, 0) ** 3, jnp.exp(log_power))
    y = -log - log_gamma
    far = ~lower & (y > 2) & ((x > 3 * a) | (a < 1))
    asymptote = y + (a - 1) * jnp.log(jnp.where(far, jnp.maximum(y, 2), 1))
    for _ in range(2):
        asymptote = jnp.maximum(y + (a - 1) * jnp.log(jnp.maximum(asymptote, 1)), 1)
    return jnp.where(far, asymptote, x)


def _solve(a: jax.Array, level: jax.Array) -> jax.Array:
    """x > 0 with log P = level where level < 0, else log Q = −level, for |level| >= log 2 and 0 < a < ∞."""
    log, lower = -jnp.abs(level), level < 0
    info = jnp.finfo(log.dtype)
    tolerance = (0.1 * float(info.eps)) ** (1 / 3)
    log_factorial = gammaln1p(a)
    log_power = (jnp.where(lower, log, log1mexp(log)) + log_factorial) / a

    def step(carry):
        x, _, count = carry
        tail = log_tail(a, x)
        h = jnp.where(is_lower(a, x) == lower, tail, log1mexp(tail))
        magnitude = x * jnp.exp(log_density(a, x) - h)
        slope = jnp.where(lower, magnitude, -magnitude)
        newton = (log - h) / slope
        # h''/h', of known sign and size: far out it is a small difference of large numbers.
        bound = 1 + 2 * x / jnp.maximum(jnp.abs(x - a), jnp.sqrt(x))
        curvature = jnp.clip(a - x - slope, jnp.where(lower, -bound, 0), jnp.where(lower, 0, bound))
        change = jnp.clip(newton / jnp.maximum(1 + 0.5 * newton * curvature, 0.5), -2, 2)
        return jnp.maximum(x + x * jnp.expm1(change), info.tiny), jnp.abs(change) * (1 + jnp.sqrt(a)), count + 1

    def unfinished(carry):
        return jnp.any(carry[1] > tolerance) & (carry[2] < _MAX_STEPS)

    x = jnp.clip(_start(a, log, lower, log_power, log_factorial - jnp.log(a)), info.tiny, info.max)
    x, _, _ = jax.lax.while_loop(unfinished, step, (x, jnp.full_like(x, jnp.inf), 0))
    return jnp.where(log_power < math.log(float(info.tiny)), jnp.exp(log_power), x)


_CURVE = quantiles(_solve, ordinate=jnp.log, value=jnp.exp)


def _inverse(a: jax.Array, log: jax.Array, lower: jax.Array) -> jax.Array:
    """`_solve` with its limits: 0 and ∞ where the tail is 0, and where a is; NaN out of the domain."""
    proper, positive = (a > 0) & (a < jnp.inf), log > -jnp.inf
    level = jnp.where(positive, log, _LOG_HALF)
    x = _CURVE([jnp.where(proper, a, 1)], [jnp.where(lower, level, -level)])
    limit = jnp.where(a == 0, 0, jnp.where(a == jnp.inf, jnp.inf, jnp.nan))
    x = jnp.where(proper & positive, x, jnp.where(positive, limit, jnp.where(lower, 0, jnp.inf)))
    return jnp.where((a >= 0) & (log <= 0), x, jnp.nan)


def _in_a(log_tail):
    """∂x/∂a at a fixed tail, from the implicit function theorem."""

    def derivative(x: jax.Array, a: jax.Array, _: jax.Array) -> jax.Array:
        value, in_a = jax.jvp(lambda a: log_tail(a, x), (a,), (jnp.ones_like(a),))
        slope = jnp.exp(log_density(a, x) - value)
        return -in_a / slope if log_tail is log_gammainc else in_a / slope

    return derivative


@elementwise(_in_a(log_gammainc), lambda x, a, p: jnp.exp(-log_density(a, x)))
def gammaincinv(a: jax.Array, p: jax.Array) -> jax.Array:
    """x with P(a, x) = p: the quantile of the gamma distribution.

    Args: shape a >= 0 and 0 <= p <= 1; they broadcast. NaN outside. Returns x, in the broadcast shape.
    """
    lower = p <= 0.5
    return _inverse(a, log_of_smaller(p), lower)


@elementwise(_in_a(log_gammaincc), lambda x, a, q: -jnp.exp(-log_density(a, x)))
def gammainccinv(a: jax.Array, q: jax.Array) -> jax.Array:
    """x with Q(a, x) = q: the upper quantile of the gamma distribution.

    Args: shape a >= 0 and 0 <= q <= 1; they broadcast. NaN outside. Returns x, in the broadcast shape.
    """
    lower = q > 0.5
    return _inverse(a, log_of_smaller(q), lower)


@elementwise(_in_a(log_gammainc), lambda x, a, log_p: jnp.exp(log_p - log_density(a, x)))
def gammaincinv_log(a: jax.Array, log_p: jax.Array) -> jax.Array:
    """x with log P(a, x) = log_p, for p that would underflow or round to 1.

    Args: shape a >= 0 and log_p <= 0; they broadcast. NaN outside. Returns x, in the broadcast shape.
    """
    lower = log_p <= _LOG_HALF
    return _inverse(a, jnp.where(lower, log_p, log1mexp(log_p)), lower)


@elementwise(_in_a(log_gammaincc), lambda x, a, log_q: -jnp.exp(log_q - log_density(a, x)))
def gammainccinv_log(a: jax.Array, log_q: jax.Array) -> jax.Array:
    """x with log Q(a, x) = log_q, for q that would underflow or round to 1.

    Args: shape a >= 0 and log_q <= 0; they broadcast. NaN outside. Returns x, in the broadcast shape.
    """
    lower = log_q > _LOG_HALF
    return _inverse(a, jnp.where(lower, log1mexp(log_q), log_q), lower)
