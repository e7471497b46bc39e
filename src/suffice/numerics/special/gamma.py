"""Gamma function in logarithms, its derivatives and their inverses, the beta function and binomial coefficients."""

import functools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from suffice.numerics.special.elementary import elementwise, horner, promote, ratio

_HALF_LOG_2PI = 0.9189385332046728

# Rational functions with positive coefficients, (numerator, denominator), lowest power first; each interpolates
# its function at Chebyshev nodes and errs by less than one unit in the last place.
# log Γ(2 + t)/t on −1/2 <= t <= 1
_LOG_GAMMA_2P = (
    (
        0.42278433509846713, 1.0322392924250592, 0.9416928598448896, 0.4172589188705117, 0.09527665675843039,
        0.010761708654598556, 0.0005126144211989154, 6.546169219546809e-06,
    ),
    (
        1.0, 1.678804534788733, 1.1062047574607787, 0.36196916412627267, 0.061244858012688135, 0.005046343841908332,
        0.0001674204154721995, 1.2994531242674538e-06,
    ),
)  # fmt: skip
# ψ(1 + t)/(t − t₀) on 0 <= t <= 1, with 1 + t₀ the positive root of ψ
_DIGAMMA_1P = (
    (
        1.2503801375034054, 1.8675925104074453, 0.9711327526262392, 0.21631407251432455, 0.01996408274151926,
        0.0005811135063985677, 1.0894678528383955e-06,
    ),
    (
        1.0, 2.1771665986671342, 1.6630736963665909, 0.5710455727133128, 0.09111902253303285, 0.006100975692434821,
        0.00012043151172286901,
    ),
)  # fmt: skip
# Stirling's error times a, and (log a − ψ(a)) times a, in 1/a <= 4/3
_STIRLING = (
    (
        0.08333333333333333, 0.8159250881162793, 4.055504470384446, 12.416690968810045, 25.210848841452496,
        34.43379149416183, 31.13167810381525, 17.652461719911617, 5.605256957831539, 0.7693190419996344,
        0.03129784532294422, 9.130514163191067e-05,
    ),
    (
        1.0, 9.791101057395338, 48.699386977948535, 149.32666166086102, 304.1439751905217, 418.089804670041,
        383.2616098479702, 224.41363602219442, 77.47968060676568, 13.697827027620443, 1.0130666786299365,
        0.0209127142672451,
    ),
)  # fmt: skip
# −a² times its derivative, and a³ times its second derivative
_STIRLING_SLOPE = (
    (
        0.08333333333333331, 0.8414705149264218, 4.37871791490899, 14.181667904633786, 30.87158900863764,
        45.93242159685342, 46.16069388635485, 29.80599695291694, 11.072808726024578, 1.819682039389366,
        0.0875190909242491, 3.479493860086405e-05,
    ),
    (
        1.0, 10.097646179116845, 52.64461497893821, 171.18977947173963, 375.6759106117097, 567.8271956138764,
        589.0390486345872, 406.80748718948024, 176.43107330474336, 43.11004667675904, 4.936889317945571,
        0.1827505948895187,
    ),
)  # fmt: skip
_STIRLING_CURVATURE = (
    (
        0.1666666666666664, 3.181182400417015, 28.373634689859518, 153.53850908384442, 552.011646329401,
        1363.0655103975919, 2311.2312493496165, 2604.063224117182, 1784.7334513273697, 576.9856242341414,
        2.498255644786437e-10,
    ),
    (
        1.0, 19.087094402501005, 170.44180813929583, 925.048473375731, 3346.0153827194845, 8360.676023586795,
        14512.441834799318, 17168.181045746565, 13166.532010248766, 5877.4093995209605, 1153.9712484778852,
    ),
)  # fmt: skip
_LOG_MINUS_DIGAMMA = (
    (
        0.5, 5.176721777395861, 26.216644627264955, 80.8612757947107, 164.02035882554765, 223.86152170823428,
        204.52609099347302, 121.44243704146223, 44.081285693879416, 8.645334549614478, 0.7366110151523193,
        0.017588702673453104,
    ),
    (
        1.0, 10.186776888125076, 50.73549310650607, 153.2833027385153, 302.66328013689827, 398.1168185639545,
        345.17325127050145, 190.00607872965543, 61.99834595083467, 10.717281224520535, 0.810530154317837,
        0.01775723473813804,
    ),
)  # fmt: skip
# t₀ in three parts, the first exact in 32 bits
_DIGAMMA_ROOT = (0.4616321325302124, 1.2438149938918909e-08, 4.341643069426251e-25)


def _log_gamma_2p(t: jax.Array) -> jax.Array:
    """log Γ(2 + t), −1/2 <= t <= 1; relative accuracy at the zero t = 0."""
    return t * ratio(t, _LOG_GAMMA_2P)


def _stirling_error(a: jax.Array) -> jax.Array:
    """Stirling's error, a >= 3/4."""
    return ratio(1 / a, _STIRLING) / a


def _log_minus_digamma(a: jax.Array) -> jax.Array:
    """log a − ψ(a), a >= 3/4."""
    return ratio(1 / a, _LOG_MINUS_DIGAMMA) / a


def _digamma_1p(t: jax.Array) -> jax.Array:
    """ψ(1 + t), 0 <= t <= 1; relative accuracy at the root."""
    return (((t - _DIGAMMA_ROOT[0]) - _DIGAMMA_ROOT[1]) - _DIGAMMA_ROOT[2]) * ratio(t, _DIGAMMA_1P)


def _log_gamma(x: jax.Array) -> jax.Array:
    """log Γ(x) for x >= 0: Stirling from 3 on, the rational around 2 below, one or two steps down by recurrence."""
    large = x >= 3
    t = jnp.where(x >= 1.5, x - 2, jnp.where(x >= 0.5, x - 1, x))
    product = jnp.where(x >= 1.5, 1, jnp.where(x >= 0.5, x, x * (1 + x)))
    log = jnp.log(jnp.where(large, x, product))
    z = jnp.where(large, x, 3)
    return jnp.where(
        large,
        (z - 0.5) * (log - 1) + (_HALF_LOG_2PI - 0.5) + _stirling_error(z),
        _log_gamma_2p(jnp.where(large, 0, t)) - log,
    )


def _angle(x: jax.Array) -> jax.Array:
    """π·(x − round(x)): sin and cot of πx without the error of reducing a large argument."""
    return jnp.pi * (x - jnp.round(x))


@elementwise(lambda y, x: digamma(x))
def gammaln(x: jax.Array) -> jax.Array:
    """log |Γ(x)|, with full relative accuracy at its zeros 1 and 2.

    x >= 3: Stirling's formula with `stirling_error`; 1.5 <= x < 3: log Γ(2 + t)/t as a rational function; below by
    Γ(x + 1) = xΓ(x); x < 0: reflection, exact to a few units of the larger of its two terms. The derivative is digamma.
    """
    positive = _log_gamma(jnp.where(x < 0, 1 - x, x))
    reflected = jnp.log(jnp.pi / jnp.abs(jnp.sin(_angle(jnp.where(x < 0, x, 0.5))))) - positive
    return jnp.where(x < 0, reflected, positive)


@elementwise(lambda y, a: digamma(1 + a))
def gammaln1p(a: jax.Array) -> jax.Array:
    """log Γ(1 + a) for a > −1, with full relative accuracy at its zeros a = 0 and a = 1."""
    near, middle = jnp.abs(a) <= 0.5, (a > 0.5) & (a < 2)
    t = jnp.where(near, a, jnp.where(middle, a - 1, 0))
    x = 1 + a
    elsewhere = _log_gamma(jnp.where(near | middle, 3, jnp.where(x < 0, jnp.nan, x)))
    lower = _log_gamma_2p(t) - jnp.where(near, jnp.log1p(t), 0)
    return jnp.where(near | middle, lower, elsewhere)


# derivatives of Stirling's error: rational like it, for their code would grow with every level of differentiation


@elementwise()
def _stirling_curvature(a: jax.Array) -> jax.Array:
    small = a < 0.75
    u = 1 / jnp.where(small, 1 + a, a)
    product = jnp.where(small, a * (1 + a), 1)
    return u**3 * ratio(u, _STIRLING_CURVATURE) + jnp.where(small, 0.5 / (product * product), 0)


@elementwise(lambda y, a: _stirling_curvature(a))
def _stirling_slope(a: jax.Array) -> jax.Array:
    small = a < 0.75
    u = 1 / jnp.where(small, 1 + a, a)
    z = jnp.where(small, a, 1)
    below = jnp.log((1 + z) / z) - (z + 0.5) / (z * (1 + z))
    return jnp.where(small, below, 0) - u * u * ratio(u, _STIRLING_SLOPE)


@elementwise(lambda y, a: _stirling_slope(a))
def stirling_error(a: jax.Array) -> jax.Array:
    """δ(a) = log Γ(a) − ((a − ½) log a − a + ½ log 2π) for a > 0, to full relative accuracy; about 1/(12a).

    It is also log Γ(1 + a) − ((a + ½) log a − a + ½ log 2π). A rational function of 1/a from a = 3/4 on; below,
    δ(a) = δ(1 + a) + (a + ½) log((1 + a)/a) − 1.
    """
    small = a < 0.75
    below = (a + 0.5) * jnp.log((1 + a) / jnp.where(small, a, 1)) - 1
    return _stirling_error(jnp.where(small, 1 + a, a)) + jnp.where(small, below, 0)


@elementwise(lambda y, x: polygamma(1, x))
def digamma(x: jax.Array) -> jax.Array:
    """ψ(x) = Γ'(x)/Γ(x), with full relative accuracy at its positive root; NaN at the poles −1, −2, …

    x >= 2: log x − (log x − ψ(x)), a rational function of 1/x; below: (x − root) times a rational function, and
    ψ(x) = ψ(1 + x) − 1/x; x < 0: reflection.
    """
    negative = x < 0
    z = jnp.where(negative, 1 - x, x)
    large = z >= 2
    t = jnp.where(large, 0.5, jnp.where(z >= 1, z - 1, z))
    lower = _digamma_1p(t) - jnp.where(z >= 1, 0, 1 / z)
    upper = jnp.log(z) - _log_minus_digamma(jnp.where(large, z, 2))
    positive = jnp.where(large, upper, lower)
    cotangent = _cot_derivative(0, _angle(jnp.where(negative, x, 0.5)))
    return jnp.where(negative, positive - jnp.where(jnp.isinf(cotangent), jnp.nan, cotangent), positive)


@elementwise(lambda y, a: -_stirling_curvature(a) - 0.5 / (a * a))
def log_minus_digamma(a: jax.Array) -> jax.Array:
    """log a − ψ(a) > 0 for a > 0, to full relative accuracy; about 1/(2a) for large a and 1/a for small.

    A rational function of 1/a from a = 3/4 on; below, its value at 1 + a plus 1/a − log((1 + a)/a).
    """
    small = a < 0.75
    below = 1 / a - jnp.log((1 + a) / jnp.where(small & (a != 0), a, 1))
    return _log_minus_digamma(jnp.where(small, 1 + a, a)) + jnp.where(small, below, 0)


def _cot_derivative(n: int, angle: jax.Array) -> jax.Array:
    """The n-th derivative of π cot(πx) in x, where angle = πx: a polynomial in c = cot, since c' = −π(1 + c²)."""
    coefficients = [0.0, math.pi]
    for _ in range(n):
        slope = [-math.pi * k * c for k, c in enumerate(coefficients)][1:]
        coefficients = [a + b for a, b in zip([*slope, 0.0, 0.0], [0.0, 0.0, *slope], strict=True)]
    return horner(1 / jnp.tan(angle), coefficients)


# B₂ⱼ/(2j)!, j = 1 … 8
_BERNOULLI = (
    1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000, 1 / 74724249600,
    -3617 / 10670622842880000,
)  # fmt: skip


def _hurwitz(s: int, x: jax.Array) -> jax.Array:
    """ζ(s, x) = Σₖ (x + k)^(−s), integer s >= 2, x > 0: s + 8 terms and the rest by Euler–Maclaurin, all positive."""
    head = (1 / x) ** s
    for k in range(1, s + 8):
        head += (1 / (x + k)) ** s
    u = 1 / (x + (s + 8))
    correction = [b * math.prod(range(s, s + 2 * j + 1)) for j, b in enumerate(_BERNOULLI)]
    return head + u ** (s - 1) * (1 / (s - 1) + u * (0.5 + u * horner(u * u, correction)))


@functools.cache
def _polygamma(n: int) -> Callable[[ArrayLike], jax.Array]:
    @elementwise(lambda y, x: _polygamma(n + 1)(x))
    def derivative(x: jax.Array) -> jax.Array:
        positive = (-1) ** (n + 1) * math.factorial(n) * _hurwitz(n + 1, jnp.where(x < 0, 1 - x, x))
        return jnp.where(x < 0, (-1) ** n * positive - _cot_derivative(n, _angle(x)), positive)

    return derivative if n else digamma


def polygamma(n: int, x: ArrayLike) -> jax.Array:
    """ψ⁽ⁿ⁾(x), the n-th derivative of digamma, for a fixed small integer n >= 0.

    (−1)ⁿ⁺¹ n! ζ(n + 1, x), with the zeta function by Euler–Maclaurin: a sum of positive terms. x < 0: reflection.
    """
    return _polygamma(n)(x)


def trigamma(x: ArrayLike) -> jax.Array:
    """ψ'(x), the derivative of digamma."""
    return _polygamma(1)(x)


@elementwise(lambda x, y: 1 / trigamma(x))
def inverse_digamma(y: jax.Array) -> jax.Array:
    """x > 0 with ψ(x) = y, for every real y: Newton's steps from Minka's start.

    The relative condition number is y/(xψ'(x)): about abs(y) for large y.
    """
    start = jnp.where(y >= -2.22, jnp.exp(y) + 0.5, -1 / (jnp.minimum(y, -2.22) + 0.5772156649015329))

    def step(_: int, x: jax.Array) -> jax.Array:
        move = (y - digamma(x)) / trigamma(x)
        return jnp.where(jnp.isfinite(move), x + move, x)

    return jax.lax.fori_loop(0, 5, step, start)


@elementwise(lambda a, s: -1 / (_stirling_curvature(a) + 0.5 / (a * a)))
def inverse_log_minus_digamma(s: jax.Array) -> jax.Array:
    """a > 0 with log a − ψ(a) = s, for s > 0; inf at 0, NaN below.

    It is the maximum-likelihood shape of a gamma distribution, s = log(mean x) − mean(log x). Newton's steps on
    log-log scale, where the function is close to a line of slope −1, from Minka's start.
    """
    b = s - 3
    root = jnp.hypot(b, jnp.sqrt(24 * s))
    start = jnp.where(b < 0, (root - b) / (12 * s), 2 / (root + jnp.maximum(b, 0)))

    def step(_: int, a: jax.Array) -> jax.Array:
        value, slope = jax.jvp(log_minus_digamma, (a,), (a,))
        move = jnp.expm1(-jnp.log(value / s) * value / slope)
        # The start is within 2 %, and exact where the slope overflows or underflows.
        return jnp.where(jnp.abs(move) < 0.1, a + a * move, a)

    return jax.lax.fori_loop(0, 4, step, start)


def _digamma_difference(a: jax.Array, b: jax.Array) -> jax.Array:
    """ψ(a) − ψ(a + b) <= 0, without the cancellation of the logarithms."""
    return log_minus_digamma(a + b) - log_minus_digamma(a) - jnp.log1p(b / a)


@elementwise(lambda y, a, b: _digamma_difference(a, b), lambda y, a, b: _digamma_difference(b, a))
def log_beta(a: jax.Array, b: jax.Array) -> jax.Array:
    """log B(a, b) = log Γ(a) + log Γ(b) − log Γ(a + b), for a, b > 0 of any size.

    Stirling's formula with its exact errors: the large terms are cancelled by algebra, never by subtraction.
    The absolute error is a few units of the larger of 1 and the value (the value is 0 along a curve through (1, 1)).
    """
    low, high = jnp.minimum(a, b), jnp.maximum(a, b)
    total, ratio = low + high, low / high
    errors = (stirling_error(a) - stirling_error(total)) + stirling_error(b)
    # A ratio that underflows would turn low·log(ratio), then 0 for all purposes, into −inf.
    body = low * jnp.log(jnp.maximum(ratio, jnp.finfo(low.dtype).tiny)) - 0.5 * jnp.log(low)
    value = body - (total - 0.5) * jnp.log1p(ratio) + _HALF_LOG_2PI + errors
    return jnp.where((high == jnp.inf) & (low > 0), -jnp.inf, value)


@elementwise(
    lambda y, n, k: -_digamma_difference(n - k + 1, k),
    lambda y, n, k: digamma(n - k + 1) - digamma(k + 1),
)
def log_binomial(n: jax.Array, k: jax.Array) -> jax.Array:
    """log of the binomial coefficient Γ(n + 1)/(Γ(k + 1) Γ(n − k + 1)) for real 0 <= k <= n; NaN outside.

    Exactly 0 at k = 0 and k = n; else −log(k(n − k)/n · B(k, n − k)), in which the logarithms of `log_beta` merge.
    """
    low, high = jnp.minimum(k, n - k), jnp.maximum(k, n - k)
    inside = low > 0
    low, high = jnp.where(inside, low, 1), jnp.where(inside, high, 1)
    value = jnp.log1p(low / high) - jnp.log(low) - log_beta(low, high)
    return jnp.where(inside, value, jnp.where((k == 0) | (k == n), 0, jnp.nan))


def log_multivariate_gamma(dimension: int, a: ArrayLike) -> jax.Array:
    """log Γₚ(a) = p(p − 1)/4 · log π + Σⱼ log Γ(a − j/2), j = 0 … p − 1, for a > (p − 1)/2; NaN elsewhere."""
    (x,) = promote(a)
    steps = jnp.arange(dimension, dtype=x.dtype).reshape((1,) * x.ndim + (dimension,))
    terms = gammaln(x[..., None] - steps / 2)
    value = terms.sum(-1) + dimension * (dimension - 1) / 4 * math.log(math.pi)
    return jnp.where(x > (dimension - 1) / 2, value, jnp.nan)
