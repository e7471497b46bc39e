"""Regularised incomplete beta function: both tails, their logarithms, and derivatives in every argument.

With u = logit t the lower tail is D ∫₀^∞ exp(−ψ(w)) dw, where D = x^a y^b/B(a, b), y = 1 − x, and ψ is convex:
ψ(w) = a w + (a + b) log(1 + x (e^−w − 1)). One fixed Gauss–Legendre rule serves the plane (`beta_kernel`). The smaller
tail is integrated, the other is its complement; shapes below 8 are first raised by a recurrence with positive terms.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.typing import ArrayLike

from suffice.numerics.special.beta_fraction import beta_fraction, converges
from suffice.numerics.special.beta_kernel import LEAST_SHAPE, beta_moments, offset_from_mean
from suffice.numerics.special.beta_lead import log_lead, log_lead_scale, log_over_mean, log_upper_lead
from suffice.numerics.special.chunks import in_chunks
from suffice.numerics.special.curve import Curve, one_sided
from suffice.numerics.special.elementary import elementwise, log1mexp, promote
from suffice.numerics.special.gamma import log_minus_digamma

_PARTIAL_SUMS = np.triu(np.ones((LEAST_SHAPE, LEAST_SHAPE + 1)), 1)
_LOG_HALF = -0.6931471805599453


def _jet(
    order: int, a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array, coarse: bool = False
) -> tuple[jax.Array, ...]:
    """L = log I_x(a, b) and its derivatives in (a, b): (L), (L, L_a, L_b) or (L, L_a, L_b, L_aa, L_ab, L_bb).

    Small a: I_x(a, b) = Σ_k x^{a+k} y^b/((a + k) B(a + k, b)) + I_x(a + 8, b). Where b < 1 and y is small the integrand
    is flat for long: 1 less the upper tail, y^b/(b B)·(1 + b ∫₀^∞ e^{−b r} ((1 − y e^−r)^{a−1} − 1) dr).
    """
    n = a + b
    flat = (b < 1) & (y < jnp.minimum(0.1, 1 / a))
    raised = (a < LEAST_SHAPE) & ~flat
    shape = jnp.where(raised, a + LEAST_SHAPE, a)
    orders = ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2))[: (1, 3, 6)[order]]
    m = beta_moments(*orders, coarse=coarse)(shape, b, x, y, flat)

    terms, term = [], jnp.ones_like(x)
    for k in range(LEAST_SHAPE):
        terms.append(jnp.where(raised, term, 0))
        term *= x * (n + k) / (a + (k + 1))
    terms.append(jnp.where(raised, term, 1) * shape * jnp.where(flat, 1, m[0]))
    total = sum(terms[1:], terms[0])

    small = jnp.where(flat, b, 0.5)
    excess = small * jnp.where(flat, m[0], 0)
    mass = 1 + excess
    log_upper = log_upper_lead(a, small, y) + jnp.log1p(excess)
    log_upper = jnp.where(flat, log_upper, -1)
    value = jnp.where(flat, log1mexp(log_upper), log_lead(a, b, x, y, log_lead_scale(a, b)) + jnp.log(total))
    if order == 0:
        return (value,)

    # log − ψ at once for a, b, n, 1 + a, 1 + b; and its slope
    points = jnp.stack([a, b, n, 1 + a, 1 + b])
    gaps, gap_slopes = jax.jvp(log_minus_digamma, (points,), (jnp.ones_like(points),))
    gap_a, gap_b, gap_n, gap_1a, gap_1b = gaps
    offset = offset_from_mean(a, b, x, y)
    x_excess, y_excess = log_over_mean(a, n, x, offset), log_over_mean(b, n, y, -offset)
    below_a, below_b = (
        jnp.where(s < 0.5, above - jnp.log1p(1 / s), here - 1 / s)
        for s, here, above in ((a, gap_a, gap_1a), (b, gap_b, gap_1b))
    )

    steps, sums = jnp.arange(LEAST_SHAPE, dtype=a.dtype), _PARTIAL_SUMS.astype(a.dtype)
    steps = steps.reshape((1,) * a.ndim + (-1,))
    up, down = n[..., None] + steps, a[..., None] + (1 + steps)
    weights = jnp.stack(terms, -1) / total[..., None]

    def cumulate(t):
        return jnp.where(raised[..., None], jnp.matmul(t, sums, precision="highest"), 0)

    def with_last(t, last):
        return t.at[..., -1].add(last)

    mean_a, mean_b = m[1] / m[0], m[2] / m[0]
    slope_a = with_last(cumulate(1 / up - 1 / down), 1 / shape - mean_a)
    slope_b = with_last(cumulate(1 / up), -mean_b)
    kernel_a, kernel_b = (weights * slope_a).sum(-1), (weights * slope_b).sum(-1)
    mass_a, mass_b = -small * m[1] / mass, (m[0] - small * m[2]) / mass
    upper_a = jnp.log1p(b / a) + (gap_a - gap_n) + mass_a
    upper_b = y_excess + below_b - gap_n + mass_b
    odds = -1 / jnp.expm1(-log_upper)
    by_a = jnp.where(flat, odds * upper_a, x_excess + below_a - gap_n + kernel_a)
    by_b = jnp.where(flat, odds * upper_b, y_excess + gap_b - gap_n + kernel_b)
    if order == 1:
        return value, by_a, by_b

    bend_a, bend_b, bend_n, bend_1a, bend_1b = gap_slopes
    mixed = 1 / n - bend_n
    below_aa, below_bb = (
        jnp.where(s < 0.5, 1 / n - 1 / (1 + s) + above, 1 / (s * s) + here - other / (s * n)) - bend_n
        for s, other, here, above in ((a, b, bend_a, bend_1a), (b, a, bend_b, bend_1b))
    )
    rise_aa, lead_bb = bend_a - b / (a * n) - bend_n, bend_b - a / (b * n) - bend_n
    curl = cumulate(-1 / (up * up))
    second_aa = with_last(cumulate(1 / (down * down)) + curl, m[3] / m[0] - mean_a * mean_a - 1 / (shape * shape))
    second_ab = with_last(curl, m[4] / m[0] - mean_a * mean_b)
    second_bb = with_last(curl, m[5] / m[0] - mean_b * mean_b)

    def kernel(p, q, second, mean_p, mean_q):
        return (weights * (p * q + second)).sum(-1) - mean_p * mean_q

    def upper(bend, p, q):
        return odds * (bend + (1 - odds) * p * q)

    flat_aa = upper(rise_aa + small * m[3] / mass - mass_a * mass_a, upper_a, upper_a)
    flat_ab = upper(mixed + (small * m[4] - m[1]) / mass - mass_a * mass_b, upper_a, upper_b)
    flat_bb = upper(below_bb + (small * m[5] - 2 * m[2]) / mass - mass_b * mass_b, upper_b, upper_b)
    aa = jnp.where(flat, flat_aa, below_aa + kernel(slope_a, slope_a, second_aa, kernel_a, kernel_a))
    ab = jnp.where(flat, flat_ab, mixed + kernel(slope_a, slope_b, second_ab, kernel_a, kernel_b))
    bb = jnp.where(flat, flat_bb, lead_bb + kernel(slope_b, slope_b, second_bb, kernel_b, kernel_b))
    return value, by_a, by_b, aa, ab, bb


def _lead_in_shapes(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Derivatives of log(x^a y^b/B(a, b)) in a and b."""
    n, offset = a + b, offset_from_mean(a, b, x, y)
    gap_a, gap_b, gap_n = log_minus_digamma(jnp.stack([a, b, n]))
    return log_over_mean(a, n, x, offset) + gap_a - gap_n, log_over_mean(b, n, y, -offset) + gap_b - gap_n


@elementwise(
    lambda value, *args: _lead_in_shapes(*args)[0],
    lambda value, *args: _lead_in_shapes(*args)[1],
    lambda value, a, b, x, y: a / x,
    lambda value, a, b, x, y: b / y,
)
def log_logit_density(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    """log(x^a y^b/B(a, b)): the log-density of logit x."""
    return log_lead(a, b, x, y, log_lead_scale(a, b)) + jnp.log(a)


def _hazard(args: tuple[jax.Array, ...], value: jax.Array) -> jax.Array:
    a, b, x, y = args
    return jnp.exp(log_logit_density(a, b, x, y) - value) / (x * y)


def coarse_log_lower_tail(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    """`log_lower_tail` to five digits, in a third of the time."""
    return _jet(0, a, b, x, y, coarse=True)[0]


def _piece_of_log_lower_tail(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    """By the continued fraction where it is quick for all elements, else by quadrature."""
    return lax.cond(
        jnp.all(converges(a, b, x, y)),
        lambda a, b, x, y: log_lead(a, b, x, y, log_lead_scale(a, b) + jnp.log(beta_fraction(a, b, x, y))),
        lambda *args: _jet(0, *args)[0],
        a, b, x, y,
    )  # fmt: skip


@jax.custom_jvp
def log_lower_tail(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    """log I_x(a, b) where that is not much above 1/2; 0 < x < 1, y = 1 − x. The derivative in x carries that in y."""
    return in_chunks(_piece_of_log_lower_tail, a, b, x, y)


@log_lower_tail.defjvp
def _(args, tangents):
    value, by_a, by_b = _log_lower_slopes(*args)
    da, db, dx, _ = tangents
    return value, by_a * da + by_b * db + _hazard(args, value) * dx


@jax.custom_jvp
def _log_lower_slopes(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> tuple[jax.Array, ...]:
    return _jet(1, a, b, x, y)


@_log_lower_slopes.defjvp
def _(args, tangents):
    value, by_a, by_b, aa, ab, bb = _jet(2, *args)
    da, db, dx, _ = tangents
    hazard = _hazard(args, value)
    cross_a, cross_b = (hazard * (d - l) for d, l in zip(_lead_in_shapes(*args), (by_a, by_b), strict=True))
    return (value, by_a, by_b), (
        by_a * da + by_b * db + hazard * dx,
        aa * da + ab * db + cross_a * dx,
        ab * da + bb * db + cross_b * dx,
    )


def _turn(a: jax.Array, b: jax.Array) -> jax.Array:
    """Logit of the point below which the lower tail is integrated.

    The mean; a shape below 1 puts the median far from it: then where x^a/(a B) or y^b/(b B), nearly the tail, is 1/2.
    """

    def logit_of_half(a, b):
        log_x = (_LOG_HALF + jnp.log1p(a / b)) / a - jnp.log1p(b)
        inside = (a < 1) & (log_x < 0)
        log_x = jnp.where(inside, log_x, -1)
        return jnp.where(inside, log_x - log1mexp(log_x), jnp.inf)

    return jnp.maximum(jnp.minimum(jnp.log(a) - jnp.log(b), logit_of_half(a, b)), -logit_of_half(b, a))


def _is_lower(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    """Whether `_smaller_tail` is the lower one."""
    turn = _turn(a, b)
    return jnp.where(x < y, x < jax.nn.sigmoid(turn), y > jax.nn.sigmoid(-turn))


def _smaller_tail(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    lower = _is_lower(a, b, x, y)
    return log_lower_tail(*(jnp.where(lower, s, t) for s, t in ((a, b), (b, a), (x, y), (y, x))))


def _ends(a: jax.Array, b: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Distance of logit x from the turn where the log-density has fallen by 45."""
    width, shift = jnp.sqrt(90 / a + 90 / b), jnp.abs(_turn(a, b) - jnp.log(a / b))
    return -(width + 45 / a + shift), width + 45 / b + shift


def _abscissa(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    return one_sided(jnp.log(x / y * jnp.exp(-_turn(a, b))), _is_lower(a, b, x, y))


def _points(a: jax.Array, b: jax.Array, u: jax.Array) -> tuple[jax.Array, jax.Array]:
    logit = _turn(a, b) + u
    return jax.nn.sigmoid(logit), jax.nn.sigmoid(-logit)


_CURVE = Curve(_smaller_tail, _ends, _abscissa, _points)


def _tails(a: ArrayLike, b: ArrayLike, x: ArrayLike, y: ArrayLike | None) -> tuple[jax.Array, jax.Array]:
    """(whether it is the lower, log of the integrated tail)."""
    a, b, x, y = promote(a, b, x, 1 - jnp.asarray(x) if y is None else y)
    zero = ((x == 0) & (a > 0)) | ((b == 0) & (a > 0) & (x < 1)) | ((a == jnp.inf) & (b < jnp.inf) & (x < 1))
    one = ((y == 0) & (b > 0)) | ((a == 0) & (b > 0) & (y < 1)) | ((b == jnp.inf) & (a < jnp.inf) & (y < 1))
    proper = (a > 0) & (b > 0) & (a < jnp.inf) & (b < jnp.inf)
    inside = proper & (x > 0) & (y > 0)
    valid = (a >= 0) & (b >= 0) & (x >= 0) & (y >= 0) & (inside | zero | one)
    a, b = (jnp.where(proper, t, 9) for t in (a, b))
    x, y = (jnp.where(inside, t, 0.5) for t in (x, y))
    return jnp.where(inside, _is_lower(a, b, x, y), zero), jnp.where(
        inside, _CURVE([a, b], [x, y]), jnp.where(valid, -jnp.inf, jnp.nan)
    )


@jax.jit
def betainc(a: ArrayLike, b: ArrayLike, x: ArrayLike, y: ArrayLike | None = None) -> jax.Array:
    """Regularised incomplete beta function I_x(a, b) = ∫₀ˣ t^{a−1} (1 − t)^{b−1} dt/B(a, b).

    Arguments: shapes a, b >= 0, not both 0; 0 <= x <= 1; y = 1 − x where the caller knows it better than x does (x near
    1), to be differentiated together with x. All broadcast. NaN outside; a = 0 or b = ∞ is a mass at 0, b = 0 or a = ∞
    a mass at 1. Differentiable twice in a, b and x, by closed forms over moments of the same quadrature.
    """
    lower, value = _tails(a, b, x, y)
    return jnp.where(lower, jnp.exp(value), -jnp.expm1(value))


@jax.jit
def betaincc(a: ArrayLike, b: ArrayLike, x: ArrayLike, y: ArrayLike | None = None) -> jax.Array:
    """1 − I_x(a, b) = I_y(b, a), without cancellation; arguments as for `betainc`."""
    lower, value = _tails(a, b, x, y)
    return jnp.where(lower, -jnp.expm1(value), jnp.exp(value))


@jax.jit
def log_betainc(a: ArrayLike, b: ArrayLike, x: ArrayLike, y: ArrayLike | None = None) -> jax.Array:
    """log I_x(a, b), however deep in the tail; arguments as for `betainc`."""
    lower, value = _tails(a, b, x, y)
    return jnp.where(lower, value, log1mexp(value))


@jax.jit
def log_betaincc(a: ArrayLike, b: ArrayLike, x: ArrayLike, y: ArrayLike | None = None) -> jax.Array:
    """log(1 − I_x(a, b)), however deep in the tail; arguments as for `betainc`."""
    lower, value = _tails(a, b, x, y)
    return jnp.where(lower, log1mexp(value), value)
