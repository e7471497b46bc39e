"""Density, tails and quantiles of the noncentral chi-squared law.

With half-degrees a, half-noncentrality μ and y = x/2, either tail is the mean of the incomplete gamma function of shape
a + J over a Poisson count J of mean μ: a sum of positive terms, log-concave and analytic in J. Where it is longer than a
hundred terms it is sampled in steps, for which the trapezoidal rule is exact.
"""

import math

import jax
import jax.numpy as jnp

from suffice.numerics.inversion import increasing_root
from suffice.numerics.special.bessel import bessel_ratio
from suffice.numerics.special.elementary import elementwise, log1mexp, log_minus_excess
from suffice.numerics.special.gamma import gammaln1p, stirling_error
from suffice.numerics.special.incomplete_gamma import is_lower, log_tail
from suffice.numerics.special.normal import ndtri_exp
from suffice.numerics.special.skellam import log_skellam

_LOG_2 = math.log(2.0)
_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)
_MOST = 128  # terms


def _log_density(df: jax.Array, noncentrality: jax.Array, x: jax.Array) -> jax.Array:
    order, z = 0.5 * df, jnp.sqrt(noncentrality) * jnp.sqrt(x)
    lifted = df / x + noncentrality * (bessel_ratio(order, z) / z)
    return log_skellam(0.5 * x, 0.5 * noncentrality, order) + jnp.log(lifted) - _LOG_2


def _density_in_df(v: jax.Array, df: jax.Array, noncentrality: jax.Array, x: jax.Array) -> jax.Array:
    df, noncentrality, x = jnp.broadcast_arrays(df, noncentrality, x)
    return jax.jvp(lambda n: _log_density(n, noncentrality, x), (df,), (jnp.ones_like(df),))[1]


def _half_ratio(df: jax.Array, noncentrality: jax.Array, x: jax.Array) -> jax.Array:
    """I_a(z)/(2z I_{a−1}(z)), a = df/2 and z = √(noncentrality x)."""
    z = jnp.sqrt(noncentrality) * jnp.sqrt(x)
    return 0.5 / (df + z * bessel_ratio(0.5 * df, z))


@elementwise(
    _density_in_df,
    lambda v, df, noncentrality, x: x * _half_ratio(df, noncentrality, x) - 0.5,
    lambda v, df, noncentrality, x: (0.5 * df - 1.0) / x + noncentrality * _half_ratio(df, noncentrality, x) - 0.5,
)
def log_noncentral_chi_squared(df: jax.Array, noncentrality: jax.Array, x: jax.Array) -> jax.Array:
    """Log-density, by I_{a−1}(z) = (2a/z) I_a(z) + I_{a+1}(z) also for df < 2; df, noncentrality, x > 0."""
    return _log_density(df, noncentrality, x)


def _log_poisson(mean: jax.Array, j: jax.Array) -> jax.Array:
    k = jnp.where(j > 0.0, j, 1.0)
    deviance = k * log_minus_excess(mean / k, (mean - k) / k)
    return jnp.where(j > 0.0, deviance - stirling_error(k) - 0.5 * jnp.log(k) - _HALF_LOG_2PI, -mean)


def _log_smaller_tail(df: jax.Array, noncentrality: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(whether it is the lower, logarithm of a tail that is not much above ½)."""
    a, mean, y = 0.5 * df, 0.5 * noncentrality, 0.5 * x
    first_term = (
        a * jnp.log(y) - y - gammaln1p(a) - mean
    )  # of the lower tail, or less: if that is above ½, so is the tail
    lower = (y < a + mean) & (first_term < -_LOG_2)
    outer = lower == (y < a + mean)
    # the largest term: j² + a j = μ y far out, where Q or P changes by y/(a + j) from term to term, else j = μ
    product = 4.0 * mean * y
    far = product / (2.0 * (a + jnp.sqrt(a * a + product)))
    peak = jax.lax.stop_gradient(jnp.where(outer, far, mean))
    root = jnp.sqrt(peak)
    first = jnp.floor(jnp.maximum(peak - 11.0 * root - 6.0, 0.0))
    length = peak + 11.0 * root + 20.0 - first
    step = jnp.maximum(length / (_MOST - 1), 1.0)

    centre = jnp.where(step > 1.0, peak, jnp.round(peak))

    def add(i: jax.Array, sums: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        """The term at the centre comes first, as the unit of the others."""
        unit, total = sums
        j = jnp.where(i == 0, centre, first + step * (i - 1))
        shape = a + j
        tail = log_tail(shape, y)
        term = _log_poisson(mean, j) + jnp.where(is_lower(shape, y) == lower, tail, log1mexp(tail))
        unit = jnp.where(i == 0, jax.lax.stop_gradient(term), unit)
        return unit, total + jnp.where(i == 0, 0.0, jnp.exp(term - unit))

    needed = jnp.where(length > 0.0, jnp.minimum(jnp.ceil(length), _MOST), 0.0)  # 0 where a parameter is NaN
    count = jnp.max(needed, initial=0.0).astype(int)
    zero = jnp.zeros_like(a * mean * y)
    unit, total = jax.lax.fori_loop(0, count + 1, add, (zero, zero))
    return lower, unit + jnp.log(total * step)


def _log_tail_value(df: jax.Array, noncentrality: jax.Array, x: jax.Array, upper: jax.Array) -> jax.Array:
    df, noncentrality, x, upper = jnp.broadcast_arrays(df, noncentrality, x, upper)
    lower, tail = _log_smaller_tail(df, noncentrality, x)
    tail = jnp.minimum(tail, 0.0)
    return jnp.where(lower == (upper == 0.0), tail, log1mexp(tail))


def _in_df(v: jax.Array, df: jax.Array, noncentrality: jax.Array, x: jax.Array, upper: jax.Array) -> jax.Array:
    df, noncentrality, x = jnp.broadcast_arrays(df, noncentrality, x)
    return jax.jvp(lambda n: _log_tail_value(n, noncentrality, x, upper), (df,), (jnp.ones_like(df),))[1]


def _share(v: jax.Array, df: jax.Array, noncentrality: jax.Array, x: jax.Array, upper: jax.Array) -> jax.Array:
    share = jnp.exp(log_noncentral_chi_squared(df, noncentrality, x) - v)
    return jnp.where(upper == 0.0, share, -share)


# the derivative of the cdf in the noncentrality is minus the density with two more degrees of freedom
@elementwise(
    _in_df,
    lambda v, df, noncentrality, x, upper: -_share(v, df + 2.0, noncentrality, x, upper),
    _share,
    lambda v, df, noncentrality, x, upper: jnp.zeros_like(v),
)
def log_noncentral_chi_squared_tail(
    df: jax.Array, noncentrality: jax.Array, x: jax.Array, upper: jax.Array
) -> jax.Array:
    """log P(X > x) where upper, else log P(X <= x), for df, noncentrality, x > 0; they broadcast."""
    return _log_tail_value(df, noncentrality, x, upper)


def noncentral_chi_squared_quantile(
    df: jax.Array, noncentrality: jax.Array, log_p: jax.Array, log_q: jax.Array
) -> jax.Array:
    """x with log P(X <= x) = log_p and log P(X > x) = log_q, from the smaller of the two: Newton's method in log x."""
    df, noncentrality, log_p, log_q = jnp.broadcast_arrays(df, noncentrality, log_p, log_q)
    above = log_p >= log_q

    def gap(x: jax.Array) -> jax.Array:
        value = log_noncentral_chi_squared_tail(df, noncentrality, x, above.astype(x.dtype))
        return jnp.where(above, log_q - value, value - log_p)

    power = _LOG_2 + (log_p + 0.5 * noncentrality + gammaln1p(0.5 * df)) / (0.5 * df)  # close to 0 the cdf is a power
    lowest = 0.95 * math.log(float(jnp.finfo(df.dtype).tiny))
    tiny = power < lowest
    # a power of x is nearly normal (Wilson and Hilferty)
    mean = df + noncentrality
    spread = 2.0 * (mean + noncentrality) / (9.0 * mean**2)
    z = jnp.where(above, -ndtri_exp(log_q), ndtri_exp(log_p))
    cube = 1.0 - spread + z * jnp.sqrt(spread)
    start = jnp.where(cube > 0.3, jnp.log(mean) + 3.0 * jnp.log(jnp.maximum(cube, 0.3)), power)
    highest = 2.0 * jnp.log(jnp.sqrt(df) + jnp.sqrt(noncentrality) + jnp.sqrt(-2.0 * log_q) + 3.0) + 1.0
    root = increasing_root(lambda u: gap(jnp.exp(u)), jnp.where(tiny, 0.0, start), lowest, highest)
    # once more from the rounded exp(root), which has the digits that the logarithm lacks
    x = jnp.exp(root)
    value, slope = jax.jvp(gap, (x,), (jnp.ones_like(x),))
    return jnp.where(tiny, jnp.exp(jnp.minimum(power, lowest)), x - value / slope)
