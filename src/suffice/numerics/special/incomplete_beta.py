"""Regularised incomplete beta function: both tails, their logarithms, and derivatives in every argument.

One kernel serves the plane. With u = logit t, the lower tail is D ∫₀^∞ exp(−ψ(w)) dw, where D = x^a y^b/B(a, b), y = 1 − x,
and ψ(w) = a w + (a + b) log(1 + x (e^−w − 1)) is convex: Gauss–Legendre on [0, W], ψ(W) = −log(ε) + 2, has the accuracy of
the arithmetic. The smaller tail is integrated, the other is its complement.
"""

import functools
from collections.abc import Callable
from fractions import Fraction
from math import factorial, log, pi

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_derivatives import SymbolicZero
from jax.typing import ArrayLike

from suffice.numerics.special.elementary import elementwise, horner, log1mexp, log1pmx, promote, two_product, two_sum
from suffice.numerics.special.gamma import digamma, gammaln1p, log_minus_digamma, stirling_error

# Gauss–Legendre rule with 36 nodes on [0, 1], lower half: NumPy's own costs a factor of five in accuracy.
_HALF_NODES = np.array([
    0.001084768757957082, 0.005706760548893881, 0.013986154475151025, 0.025863507800246228, 0.04125111274217047,
    0.060035099554801435, 0.08207641650376235, 0.10721188493389675, 0.1352554142032217, 0.16599938170723946,
    0.19921617093200975, 0.23465985703687742, 0.27206802778328987, 0.3111637264401554, 0.35165750232798587,
    0.39324955384156723, 0.4356319480953076, 0.4784909007631457,
])  # fmt: skip
_HALF_WEIGHTS = np.array([
    0.0027828598321225227, 0.006457973642032787, 0.010090757648867736, 0.01364931074928439, 0.017106905385153616,
    0.020437875461822446, 0.02361754174513299, 0.02662235698887996, 0.02943007212266241, 0.03201989867750774,
    0.034372661917868225, 0.03647094250282653, 0.038299205322935334, 0.0398439144560358, 0.04109363335216985,
    0.042039109489830966, 0.04267334286966931, 0.042991637835197376,
])  # fmt: skip
_NODES = np.concatenate([_HALF_NODES, 1 - _HALF_NODES[::-1]])
_WEIGHTS = np.concatenate([_HALF_WEIGHTS, _HALF_WEIGHTS[::-1]])

_RAISE = 8  # an integrated tail of shape below this is raised by as many steps of the recurrence in a
_NEAR = 0.5  # windows shorter than this take ψ from its Taylor series, which has no cancellation
_DEGREE = 14
_LOG_HALF = -0.6931471805599453
# Coefficients of Stirling's error in 1/A, 1/A³, …
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)


def _logistic_cumulants(degree: int) -> tuple[tuple[float, ...], ...]:
    """Polynomials P_k(d) with κ_k/k! = p q P_k(d), d = q − p: the cumulants of a Bernoulli variable, k = 2 … degree."""
    polynomial, out = [Fraction(1)], []
    for k in range(2, degree + 1):
        out.append(tuple(float(c / factorial(k)) for c in polynomial))
        following = [Fraction(0), *polynomial]  # d P − (1 − d²)/2 P'
        for i, c in enumerate(polynomial[1:], 1):
            following[i - 1] -= i * c / 2
            following[i + 1] += i * c / 2
        polynomial = following
    return tuple(out)


_CUMULANTS = _logistic_cumulants(_DEGREE)


@elementwise(lambda c, a, b, x, y: y, lambda c, a, b, x, y: -x, lambda c, a, b, x, y: -(a + b), lambda c, a, b, x, y: 0 * x)
def _offset(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    """a y − b x = a − (a + b) x without rounding; of x and y the smaller is believed."""
    upper = x > y
    low, shape = jnp.where(upper, y, x), jnp.where(upper, b, a)
    (p, p_error), (q, q_error) = two_product(a, low), two_product(b, low)
    first, first_error = two_sum(shape, -p)
    second, second_error = two_sum(first, -q)
    offset = second + (first_error + second_error - p_error - q_error)
    return jnp.where(upper, -offset, offset)


def _log_over_mean(a: jax.Array, n: jax.Array, x: jax.Array, offset: jax.Array) -> jax.Array:
    """log(x/(a/n)), with offset = a − n x."""
    near = jnp.abs(offset) < a / 2
    return jnp.where(near, jnp.log1p(jnp.where(near, -offset, 0) / a), jnp.log(x) + jnp.log(n / a))


def _minus_digamma(a: jax.Array) -> jax.Array:
    """log a − ψ(1 + a)."""
    small = a < 0.5
    return jnp.where(small, jnp.log(a) - digamma(1 + jnp.where(small, a, 0)), log_minus_digamma(a) - 1 / a)


def _lead_in_a(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    n = a + b
    return _log_over_mean(a, n, x, _offset(a, b, x, y)) + _minus_digamma(a) - log_minus_digamma(n)


def _lead_in_b(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    n = a + b
    return _log_over_mean(b, n, y, _offset(b, a, y, x)) + log_minus_digamma(b) - log_minus_digamma(n)


def _deviance(a: jax.Array, n: jax.Array, x: jax.Array, offset: jax.Array) -> jax.Array:
    """a log(n x/a) + offset <= 0."""
    near = jnp.abs(offset) < a / 2
    z = jnp.where(near, -offset, 0) / a
    return jnp.where(near, a * log1pmx(z), a * _log_over_mean(a, n, x, offset) + offset)


@elementwise(
    lambda v, a, b, x, y: _lead_in_a(a, b, x, y),
    lambda v, a, b, x, y: _lead_in_b(a, b, x, y),
    lambda v, a, b, x, y: a / x,
    lambda v, a, b, x, y: b / y,
)
def _log_lead(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    """log(x^a y^b/(a B(a, b))), y = 1 − x in (0, 1), by Stirling's form with exact errors."""
    n, offset = a + b, _offset(a, b, x, y)
    low, high = jnp.minimum(a, b), jnp.maximum(a, b)
    errors = (stirling_error(n) - stirling_error(high)) - stirling_error(low)
    body = _deviance(a, n, x, offset) + _deviance(b, n, y, -offset)
    return body + 0.5 * jnp.log((b / a) / n / (2 * pi)) + errors


def log_logit_density(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    """log(x^a y^b/B(a, b)): the log-density of logit x."""
    return _log_lead(a, b, x, y) + jnp.log(a)


def _window(rate: jax.Array, sign: jax.Array, n: jax.Array, p: jax.Array, offset: jax.Array) -> jax.Array:
    """W with ψ(W) near the depth where the integrand vanishes: quadratic start, Newton on a convex function."""
    depth = _depth(n)
    w = 2 * depth / (offset + jnp.sqrt(offset * offset + 2 * depth * n * p * (1 - p)))
    for _ in range(3):
        growth = jnp.expm1(sign * w)
        z = p * growth
        w += (depth - rate * w - n * jnp.log1p(z)) / (rate + sign * n * p * (1 + growth) / (1 + z))
    return w


def _depth(n: jax.Array) -> float:
    return 2 - log(jnp.finfo(n.dtype).eps)


@functools.cache
def _moment(i: int, j: int) -> Callable[..., jax.Array]:
    """∫₀^∞ ψ_a^i ψ_b^j exp(−ψ) dw, with ψ = a ψ_a + b ψ_b, as a function of (a, b, x, y, flat), a >= 8 unless flat.

    ψ_a = −log(t/x), ψ_b = −log((1 − t)/y), logit t = logit x − w: log(1 + x(e^−w − 1)) = log(1 + y(e^w − 1)) − w is taken
    in the smaller of x and y. Where flat, ψ = b w − (a − 1) log(1 − y e^−w), less exp(−b w) if i = 0.
    """

    def integral(a, b, x, y, flat):
        lower = (x < y) & ~flat
        n = jnp.where(flat, 1 - a, a + b)
        p = jnp.where(lower, x, jnp.where(flat, -y, y))
        rate = jnp.where(lower, a, jnp.where(flat, b, -b))
        sign = jnp.where(lower | flat, -1, 1).astype(a.dtype)
        offset = jnp.where(flat, b, _offset(a, b, x, y))
        safe = (jnp.where(flat, t, u) for t, u in ((9, rate), (-1, sign), (18, n), (0.5, p), (0, offset)))
        window = lax.stop_gradient(jnp.where(flat, _depth(a) / (1 + b), _window(*safe)))
        v, d, scale = sign * window, 1 - 2 * p, n * p * (1 - p)
        cumulants = [
            scale * v**k * horner(d * d, c[k % 2 :: 2]) * (d if k % 2 else 1) for k, c in enumerate(_CUMULANTS, 2)
        ]
        # Without the barrier these would be computed again at each node.
        leaves = (window < _NEAR, lower, flat, n, p, v, rate * window, window, offset * window, *cumulants)
        leaves = (leaf[..., None] for leaf in lax.optimization_barrier(leaves))
        near, is_lower, is_flat, n, p, v, rate, w, *taylor = leaves
        nodes, weights = jnp.asarray(_NODES, a.dtype), jnp.asarray(_WEIGHTS, a.dtype)
        series = jnp.zeros_like(v)
        for coefficient in reversed(taylor):
            series = (series + coefficient) * nodes
        log_growth = jnp.log1p(p * (jnp.expm1(v * nodes) + jnp.where(is_flat, 1, 0)))
        value = jnp.exp(-jnp.where(near, series, rate * nodes + n * log_growth))
        if i == 0:
            value -= jnp.where(is_flat, jnp.exp(-rate * nodes), 0)
        if i:
            value *= (jnp.where(is_flat, -log_growth, log_growth) + jnp.where(is_lower, w * nodes, 0)) ** i
        if j:
            value *= (jnp.where(is_flat, 0, log_growth) + jnp.where(is_lower, 0, jnp.where(is_flat, w, -w) * nodes)) ** j
        return window * (value * weights).sum(-1)

    core = jax.custom_jvp(integral)

    def jvp(args, tangents):
        da, db, dx, dy = tangents[:4]
        zero = [isinstance(t, SymbolicZero) for t in (da, db, dx, dy)]
        out = jnp.zeros_like(args[0])
        if not zero[0]:
            out -= _moment(i + 1, j)(*args) * da
        if not zero[1]:
            out -= _moment(i, j + 1)(*args) * db
        if not (zero[2] and zero[3]):
            dx, dy = (jnp.zeros_like(t) if z else u for t, u, z in ((args[2], dx, zero[2]), (args[3], dy, zero[3])))
            out += jax.jvp(lambda x, y: integral(args[0], args[1], x, y, args[4]), args[2:4], (dx, dy))[1]
        return core(*args), out

    core.defjvp(jvp, symbolic_zeros=True)
    return core


def log_gamma_rise(a: jax.Array, b: jax.Array) -> jax.Array:
    """log(Γ(a + b)/Γ(a)) with relative accuracy as b → 0: ten steps up, then Stirling's series in divided differences."""
    steps = jnp.log1p(b[..., None] / (a[..., None] + np.arange(10.0).astype(a.dtype))).sum(-1)
    a += 10
    u, v = 1 / a, 1 / (a + b)
    value, difference = jnp.full_like(a, _STIRLING[-1]), jnp.zeros_like(a)
    for c in _STIRLING[-2::-1]:
        difference = difference * u * u + value
        value = value * v * v + c
    errors = -b * u * v * (value + u * (u + v) * difference)
    return a * log1pmx(b * u) - 0.5 * jnp.log1p(b * u) + b * jnp.log(a + b) + errors - steps


def log_lower_value(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    """log I_x(a, b) by the kernel.

    Small a: I_x(a, b) = Σ_k x^{a+k} y^b/((a + k) B(a + k, b)) + I_x(a + 8, b), all positive. Where b < 1 and y is small the
    integrand is flat for long: 1 less the upper tail, y^b/(b B)·(1 + b ∫₀^∞ e^{−b r} ((1 − y e^−r)^{a−1} − 1) dr).
    """
    flat = (b < 1) & (y < jnp.minimum(0.2, 1 / a))
    raised = (a < _RAISE) & ~flat
    term, total = jnp.ones_like(x), jnp.zeros_like(x)
    for k in range(_RAISE):
        total += term
        term *= x * (a + b + k) / (a + (k + 1))
    shape = jnp.where(raised, a + _RAISE, a)
    integral = _moment(0, 0)(shape, b, x, y, flat)
    rest = jnp.where(raised, term, 1) * shape * jnp.where(flat, 1, integral)
    kernel = _log_lead(a, b, x, y) + jnp.log(jnp.where(raised, total, 0) + rest)
    small = jnp.where(flat, b, 0.5)
    upper = small * jnp.log(y) - gammaln1p(small) + log_gamma_rise(a, small)
    upper += jnp.log1p(small * jnp.where(flat, integral, 0))
    return jnp.where(flat, log1mexp(jnp.where(flat, upper, -1)), kernel)


def _slope(argument: int) -> Callable[..., jax.Array]:
    """The derivative of log I_x in a (0) or b (1); its own derivative in x needs no integral."""

    def raw(*args):
        def partial(t):
            return log_lower_value(*args[:argument], t, *args[argument + 1 :])

        return jax.jvp(partial, (args[argument],), (jnp.ones_like(args[argument]),))[1]

    def in_shape(k: int):
        def derivative(value, *args):
            return jax.jvp(lambda t: raw(*args[:k], t, *args[k + 1 :]), (args[k],), (jnp.ones_like(args[k]),))[1]

        return derivative

    def in_x(value, *args):
        lead = (_lead_in_a, _lead_in_b)[argument](*args) + (1 / args[0] if argument == 0 else 0)
        return _hazard(*args) * (lead - value)

    return elementwise(in_shape(0), in_shape(1), in_x, lambda value, *args: jnp.zeros_like(value))(raw)


def _hazard(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    return jnp.exp(log_logit_density(a, b, x, y) - log_lower_tail(a, b, x, y)) / (x * y)


_slope_in_a, _slope_in_b = _slope(0), _slope(1)


@elementwise(
    lambda value, *args: _slope_in_a(*args),
    lambda value, *args: _slope_in_b(*args),
    lambda value, *args: _hazard(*args),
    lambda value, *args: jnp.zeros_like(value),
)
def log_lower_tail(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    """log I_x(a, b) where that is not much above 1/2; 0 < x < 1, y = 1 − x. The derivative in x carries that in y."""
    return log_lower_value(a, b, x, y)


def _tails(a: ArrayLike, b: ArrayLike, x: ArrayLike, y: ArrayLike | None) -> tuple[jax.Array, ...]:
    """(is the lower tail the integrated one, log of that tail, validity and limits as masks)."""
    a, b, x, y = jnp.broadcast_arrays(*promote(a, b, x, 1 - jnp.asarray(x) if y is None else y))
    zero = ((x == 0) & (a > 0)) | ((b == 0) & (a > 0) & (x < 1)) | ((a == jnp.inf) & (b < jnp.inf) & (x < 1))
    one = ((y == 0) & (b > 0)) | ((a == 0) & (b > 0) & (y < 1)) | ((b == jnp.inf) & (a < jnp.inf) & (y < 1))
    inside = (a > 0) & (b > 0) & (x > 0) & (y > 0) & (a < jnp.inf) & (b < jnp.inf)
    valid = (a >= 0) & (b >= 0) & (x >= 0) & (y >= 0) & (inside | zero | one)
    a, b, x, y = (jnp.where(inside, t, safe) for t, safe in ((a, 9), (b, 9), (x, 0.5), (y, 0.5)))
    lead = lax.stop_gradient(_log_lead(a, b, x, y))
    # x^a y^b/(a B) is less than the lower tail: where it is above 1/2 the upper tail is the smaller, and the other way round.
    lower = (a * y > b * x) & (lead < _LOG_HALF) | (lead + jnp.log(a / b) > _LOG_HALF)
    value = log_lower_tail(*(jnp.where(lower, s, t) for s, t in ((a, b), (b, a), (x, y), (y, x))))
    value = jnp.where(inside, value, -jnp.inf)
    lower = jnp.where(inside, lower, zero)
    return lower, jnp.where(valid, value, jnp.nan), inside


def betainc(a: ArrayLike, b: ArrayLike, x: ArrayLike, y: ArrayLike | None = None) -> jax.Array:
    """Regularised incomplete beta function I_x(a, b)."""
    lower, value, _ = _tails(a, b, x, y)
    return jnp.where(lower, jnp.exp(value), -jnp.expm1(value))


def betaincc(a: ArrayLike, b: ArrayLike, x: ArrayLike, y: ArrayLike | None = None) -> jax.Array:
    """1 − I_x(a, b) without cancellation."""
    lower, value, _ = _tails(a, b, x, y)
    return jnp.where(lower, -jnp.expm1(value), jnp.exp(value))


def log_betainc(a: ArrayLike, b: ArrayLike, x: ArrayLike, y: ArrayLike | None = None) -> jax.Array:
    """log I_x(a, b)."""
    lower, value, inside = _tails(a, b, x, y)
    return jnp.where(lower, value, log1mexp(jnp.where(inside | jnp.isnan(value), value, -jnp.inf)))


def log_betaincc(a: ArrayLike, b: ArrayLike, x: ArrayLike, y: ArrayLike | None = None) -> jax.Array:
    """log(1 − I_x(a, b))."""
    lower, value, inside = _tails(a, b, x, y)
    return jnp.where(lower, log1mexp(value), value)
