"""Density, tails and quantiles of the noncentral t law, that of (Z + δ)/R with Z normal and R² chi-squared over df.

All are integrals over v = log R of positive functions with one peak. The trapezoidal rule in x, v = centre + unit sinh(x),
follows them through all their scales: the width of the peak, a cliff where Φ(tR − δ) sets in, exponential tails
(Trefethen and Weideman 2014).
"""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp

from suffice.numerics.inversion import increasing_root
from suffice.numerics.quadrature import sinh_window
from suffice.numerics.special.elementary import elementwise, expm1mx, log1mexp
from suffice.numerics.special.gamma import gammaln1p, stirling_error
from suffice.numerics.special.normal import log_ndtr, ndtri_exp

_LOG_2 = math.log(2.0)
_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)
_DEPTH = 42.0  # exp(−42) is below rounding, also after slowly varying factors
_NODES = 112  # of the density
_STEP = 0.08  # of the tails
_CF_NODES = 400  # of the characteristic function, which turns round many times
_WIDEST = 0.7  # unit: exp(2v) is all that limits the width of the strip where the integrand is analytic


def _log_unit(df: jax.Array) -> jax.Array:
    """What the log-density of v = log R has besides −df/2 (exp(2v) − 1 − 2v)."""
    a = 0.5 * df
    return _LOG_2 + 0.5 * jnp.log(a) - _HALF_LOG_2PI - stirling_error(a)


def _above(delta: jax.Array, t: jax.Array, v: jax.Array) -> jax.Array:
    """t exp(v) − δ, without loss where t is close to δ and v to 0."""
    far = v < -0.7
    return jnp.where(far, t * jnp.exp(v) - delta, (t - delta) + t * jnp.expm1(jnp.where(far, 0.0, v)))


def _peak(shape: jax.Array, df: jax.Array, delta: jax.Array, t: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(mode, width) in v of exp(shape v − (df exp(2v) + (t exp(v) − δ)²)/2)."""
    size = jnp.hypot(jnp.sqrt(df), t)
    lean = (t / size) * delta
    root = jnp.hypot(lean, 2.0 * jnp.sqrt(shape))
    y = jnp.where(lean > 0.0, 0.5 * (lean + root), 2.0 * shape / (root - jnp.minimum(lean, 0.0)))
    return jnp.log(y) - jnp.log(size), jnp.minimum(1.0 / jnp.sqrt(shape + y * y), _WIDEST)


def _log_kernel(power: int, df: jax.Array, delta: jax.Array, t: jax.Array) -> jax.Array:
    """log E[R^power φ(tR − δ)]: the density where power is 1, minus the derivative of the cdf in δ where it is 0."""
    df, delta, t = jnp.broadcast_arrays(df, delta, t)

    def log_term(df: jax.Array, delta: jax.Array, t: jax.Array, v: jax.Array) -> jax.Array:
        return power * v - 0.5 * _above(delta, t, v) ** 2 - 0.5 * df * expm1mx(2.0 * v)

    still = jax.lax.stop_gradient((df, delta, t))  # the nodes need no derivatives
    centre, unit = _peak(still[0] + power, *still)
    top = log_term(*still, centre)
    low, high = sinh_window(lambda v: log_term(*still, v), top - _DEPTH, centre, unit)
    step = (low + high) / (_NODES - 1)

    def add(i: jax.Array, total: jax.Array) -> jax.Array:
        x = i * step - low
        return total + jnp.exp(log_term(df, delta, t, centre + unit * jnp.sinh(x)) - top) * jnp.cosh(x)

    total = jax.lax.fori_loop(0, _NODES, add, jnp.zeros_like(df))
    return top + jnp.log(total * (unit * step)) + _log_unit(df) - _HALF_LOG_2PI


def _in(place: int, function: Callable[..., jax.Array], *arguments: jax.Array) -> jax.Array:
    """Derivative in one of the arguments."""
    arguments = tuple(jnp.broadcast_arrays(*arguments))

    def along(moved: jax.Array) -> jax.Array:
        return function(*arguments[:place], moved, *arguments[place + 1 :])

    return jax.jvp(along, (arguments[place],), (jnp.ones_like(arguments[place]),))[1]


def _density(df: jax.Array, delta: jax.Array, t: jax.Array) -> jax.Array:
    return _log_kernel(1, df, delta, t)


@elementwise(
    lambda v, df, delta, t: _in(0, _density, df, delta, t),
    lambda v, df, delta, t: _in(1, _density, df, delta, t),
    lambda v, df, delta, t: _in(2, _density, df, delta, t),
)
def log_noncentral_t(df: jax.Array, delta: jax.Array, t: jax.Array) -> jax.Array:
    """Log-density at t, for df > 0 and real noncentrality δ; they broadcast."""
    return _density(df, delta, t)


def _below_median(df: jax.Array, delta: jax.Array, t: jax.Array) -> jax.Array:
    """Whether t is below the median, about; or, where df is so small that R is spread far to the left, below 20 δ."""
    few = df < 0.5
    a = jnp.where(few, 0.5 * df, 1.0)
    small = jnp.exp((gammaln1p(a) - _LOG_2) / (2.0 * a)) / jnp.sqrt(a)
    median = jnp.where(few, small, jnp.maximum(1.0 - 2.0 / (9.0 * jnp.where(few, 1.0, df)), 0.0) ** 1.5)  # of R
    return t * jnp.maximum(median, 0.05) < delta


def _window(df: jax.Array, delta: jax.Array, t: jax.Array) -> tuple[jax.Array, ...]:
    """(reach of x to the left, to the right, centre, unit, about the top) of the integrand of the lower tail.

    Φ is like φ where that has its peak, unless t is above δ; then the cliff at R = δ/t is near the middle.
    """

    def envelope(v: jax.Array) -> jax.Array:
        return -0.5 * jnp.minimum(_above(delta, t, v), 0.0) ** 2 - 0.5 * df * expm1mx(2.0 * v)

    mode, _ = _peak(df, df, delta, t)
    active = t < delta
    ratio = delta / jnp.where(t == 0.0, 1.0, t)
    cliff = ~active & (ratio > 0.0) & (t != 0.0)
    centre = jnp.where(active, mode, jnp.where(cliff, jnp.log(jnp.where(cliff, ratio, 1.0)), 0.0))
    radius = jnp.exp(centre)
    unit = jnp.minimum(1.0 / jnp.hypot(jnp.sqrt(df) * jnp.hypot(1.0, radius), t * radius), _WIDEST)
    top = jnp.where(active, envelope(mode), 0.0)
    return *sinh_window(envelope, top - _DEPTH, centre, unit), centre, unit, top


def _log_lower(df: jax.Array, delta: jax.Array, t: jax.Array) -> jax.Array:
    """log P(T <= t) = log E[Φ(tR − δ)], where that is not much above ½."""

    still = jax.lax.stop_gradient((df, delta, t))  # the nodes need no derivatives
    low, high, centre, unit, top = _window(*still)
    finest = jnp.minimum(_STEP, 2.0 * _STEP / (unit * jnp.cosh(high)))
    needed = jnp.ceil((low + high) / jnp.maximum(finest, 0.1 * _STEP))
    sound = (df > 0.0) & (jnp.abs(top) < jnp.inf) & (needed > 0.0)
    count = jnp.max(jnp.where(sound, needed, 0.0), initial=1.0)
    step = (low + high) / count

    def add(i: jax.Array, total: jax.Array) -> jax.Array:
        x = i * step - low
        v = centre + unit * jnp.sinh(x)
        log_term = log_ndtr(_above(delta, t, v)) - 0.5 * df * expm1mx(2.0 * v)
        return total + jnp.exp(log_term - top) * jnp.cosh(x)

    total = jax.lax.fori_loop(0, count.astype(int) + 1, add, jnp.zeros_like(df))
    return top + jnp.log(total * (unit * step)) + _log_unit(df)


def _log_tail(df: jax.Array, delta: jax.Array, t: jax.Array, upper: jax.Array) -> jax.Array:
    df, delta, t, upper = jnp.broadcast_arrays(df, delta, t, upper)
    lower = _below_median(df, delta, t)
    sign = jnp.where(lower, 1.0, -1.0).astype(t.dtype)
    tail = jnp.minimum(_log_lower(df, sign * delta, sign * t), 0.0)
    return jnp.where(lower == (upper == 0.0), tail, log1mexp(tail))


def _in_delta(v: jax.Array, df: jax.Array, delta: jax.Array, t: jax.Array, upper: jax.Array) -> jax.Array:
    share = jnp.exp(_log_kernel(0, df, delta, t) - v)
    return jnp.where(upper == 0.0, -share, share)


def _in_t(v: jax.Array, df: jax.Array, delta: jax.Array, t: jax.Array, upper: jax.Array) -> jax.Array:
    share = jnp.exp(log_noncentral_t(df, delta, t) - v)
    return jnp.where(upper == 0.0, share, -share)


@elementwise(
    lambda v, df, delta, t, upper: _in(0, _log_tail, df, delta, t, upper),
    _in_delta,
    _in_t,
    lambda v, df, delta, t, upper: jnp.zeros_like(v),
)
def log_noncentral_t_tail(df: jax.Array, delta: jax.Array, t: jax.Array, upper: jax.Array) -> jax.Array:
    """log P(T > t) where upper, else log P(T <= t), for df > 0 and real noncentrality δ; they broadcast."""
    return _log_tail(df, delta, t, upper)


def noncentral_t_cf(df: jax.Array, delta: jax.Array, s: jax.Array) -> jax.Array:
    """E[exp(isT)] = E[exp(iδs/R − s²/(2R²))], on a line raised so far that exp(iδs/R) decays."""
    df, delta, s = jnp.broadcast_arrays(df, delta, s)
    moves = s != 0.0
    turned = s < 0.0  # the value at −s is the conjugate
    s = jnp.where(moves, jnp.abs(s), 1.0)
    angle = -jnp.sign(delta) * jnp.minimum(math.pi / 8.0, 1.5 / jnp.sqrt(df))

    def real(v: jax.Array) -> jax.Array:
        size = s * jnp.exp(-v)
        chi = expm1mx(2.0 * v) - 2.0 * jnp.exp(2.0 * v) * jnp.sin(angle) ** 2
        return delta * size * jnp.sin(angle) - 0.5 * df * chi - 0.5 * size * size * jnp.cos(2.0 * angle)

    def imaginary(v: jax.Array) -> jax.Array:
        size, turn = s * jnp.exp(-v), 2.0 * angle
        chi = jnp.exp(2.0 * v) * jnp.sin(turn) - turn
        return delta * size * jnp.cos(angle) - 0.5 * df * chi + 0.5 * size * size * jnp.sin(turn)

    # about the peak: df (exp(2v) − 1) = s² exp(−2v)
    root = 0.5 * (1.0 + jnp.sqrt(1.0 + 4.0 * (s / jnp.sqrt(df)) ** 2))
    centre = 0.5 * jnp.log(root)
    unit = jnp.minimum(1.0 / jnp.sqrt(2.0 * df * (2.0 * root - 1.0)), 0.5)
    low, high = sinh_window(real, real(centre) - _DEPTH, centre, unit)
    step = (low + high) / (_CF_NODES - 1)

    def add(i: jax.Array, total: jax.Array) -> jax.Array:
        x = i * step - low
        v = centre + unit * jnp.sinh(x)
        return total + jnp.exp(jax.lax.complex(real(v) + log_unit, imaginary(v))) * jnp.cosh(x)

    log_unit = _log_unit(df)
    zero = jnp.zeros_like(df)
    total = jax.lax.fori_loop(0, _CF_NODES, add, jax.lax.complex(zero, zero)) * (unit * step)
    return jnp.where(moves, jnp.where(turned, jnp.conj(total), total), 1.0)


def _at_sinh(df: jax.Array, delta: jax.Array, u: jax.Array, upper: jax.Array) -> jax.Array:
    return _log_tail(df, delta, jnp.sinh(u), upper)


@elementwise(
    lambda v, *arguments: _in(0, _at_sinh, *arguments),
    lambda v, df, delta, u, upper: _in_delta(v, df, delta, jnp.sinh(u), upper),
    lambda v, *arguments: _in(2, _at_sinh, *arguments),
    lambda v, *arguments: jnp.zeros_like(v),
)
def _log_tail_at_sinh(df: jax.Array, delta: jax.Array, u: jax.Array, upper: jax.Array) -> jax.Array:
    """`log_noncentral_t_tail` at t = sinh(u), where the density in t may underflow."""
    return _at_sinh(df, delta, u, upper)


def noncentral_t_quantile(df: jax.Array, delta: jax.Array, log_p: jax.Array, log_q: jax.Array) -> jax.Array:
    """t with log P(T <= t) = log_p and log P(T > t) = log_q, from the smaller of the two: Newton's method in asinh t."""
    df, delta, log_p, log_q = jnp.broadcast_arrays(df, delta, log_p, log_q)
    above = log_p >= log_q
    side = above.astype(df.dtype)

    def gap(u: jax.Array) -> jax.Array:
        value = _log_tail_at_sinh(df, delta, u, side)
        return jnp.where(above, log_q - value, value - log_p)

    log_tail = jnp.where(above, log_q, log_p)
    z = jnp.where(above, -1.0, 1.0) * ndtri_exp(log_tail)
    # tR is nearly normal with mean δ; far out the tail is a power
    loss = z * z / (2.0 * df)
    near = loss < 0.5
    loss = jnp.where(near, loss, 0.0)
    middle = (delta + z * jnp.sqrt(1.0 + delta * delta / (2.0 * df) - loss)) / (1.0 - loss)
    highest = 0.999 * math.log(float(jnp.finfo(df.dtype).max))
    size = 0.5 * jnp.log(df) + jnp.log1p(jnp.abs(delta)) + _LOG_2
    far = jnp.sign(z) * jnp.clip(size - log_tail / df, 0.0, highest)
    root = increasing_root(gap, jnp.where(near, jnp.arcsinh(middle), far), -highest, highest)
    return jnp.where(jnp.abs(root) >= highest, jnp.sign(root) * jnp.inf, jnp.sinh(root))
