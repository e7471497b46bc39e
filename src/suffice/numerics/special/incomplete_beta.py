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
_PARTIAL_SUMS = np.triu(np.ones((_RAISE, _RAISE + 1)), 1)
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
def _moments(*orders: tuple[int, int]) -> Callable[..., tuple[jax.Array, ...]]:
    """∫₀^∞ ψ_a^i ψ_b^j exp(−ψ) dw for each (i, j) in orders, ψ = a ψ_a + b ψ_b; arguments (a, b, x, y, flat), a >= 8 unless flat.

    ψ_a = −log(t/x), ψ_b = −log((1 − t)/y), logit t = logit x − w: log(1 + x(e^−w − 1)) = log(1 + y(e^w − 1)) − w is taken
    in the smaller of x and y. Where flat, ψ = b w − (a − 1) log(1 − y e^−w), less exp(−b w) if i = 0.
    The derivatives in a and b are the next moments, negated.
    """

    def integrals(a, b, x, y, flat):
        lower = (x < y) & ~flat
        n = jnp.where(flat, 1 - a, a + b)
        p = jnp.where(lower, x, jnp.where(flat, -y, y))
        rate = jnp.where(lower, a, jnp.where(flat, b, -b))
        sign = jnp.where(lower | flat, -1, 1).astype(a.dtype)
        offset = jnp.where(flat, b, _offset(a, b, x, y))
        safe = (jnp.where(flat, t, u) for t, u in ((9, rate), (-1, sign), (18, n), (0.5, p), (0, offset)))
        window = lax.stop_gradient(jnp.where(flat, _depth(a) / (1 + b), _window(*safe)))
        v, d = sign * window, 1 - 2 * p
        cumulants, power = [], n * p * (1 - p)
        for k, c in enumerate(_CUMULANTS, 2):
            power *= v
            cumulants.append(power * v * horner(d * d, c[k % 2 :: 2]) * (d if k % 2 else 1))
        near, nodes, weights = window < _NEAR, jnp.asarray(_NODES, a.dtype), jnp.asarray(_WEIGHTS, a.dtype)

        def integrate(f, *leaves):
            # Without the barriers the leaves would be computed again at each node, and the integrands stored.
            barred = [leaf[..., None] for leaf in lax.optimization_barrier(leaves)]
            return [lax.optimization_barrier((f(*order, *barred) * weights).sum(-1)) for order in orders]

        def factor(i, j, flat, lower, p, v):
            growth = jnp.log1p(p * (jnp.expm1(v * nodes) + flat))
            by_a = jnp.where(flat == 1, -growth, growth - jnp.where(lower, v, 0) * nodes)
            by_b = jnp.where(flat == 1, 0, growth) - jnp.where(lower, 0, v) * nodes
            return (by_a**i if i else 1) * (by_b**j if j else 1)

        def direct(i, j, rate, n, flat, lower, p, v):
            value = jnp.exp(-rate * nodes - n * jnp.log1p(p * (jnp.expm1(v * nodes) + flat)))
            value = value if i else value - flat * jnp.exp(-rate * nodes)
            return value * (factor(i, j, flat, lower, p, v) if i + j else 1)

        def series(i, j, flat, lower, p, v, *coefficients):
            psi = jnp.zeros_like(v)
            for c in reversed(coefficients):
                psi = (psi + c) * nodes
            return jnp.exp(-psi) * (factor(i, j, flat, lower, p, v) if i + j else 1)

        common = (flat.astype(a.dtype), lower, p, v)
        far = integrate(direct, rate * window, n, *common)
        close = integrate(series, *common, offset * window, *cumulants)
        return tuple(window * jnp.where(near, c, d) for c, d in zip(close, far, strict=True))

    core = jax.custom_jvp(integrals)

    @functools.partial(core.defjvp, symbolic_zeros=True)
    def _(args, tangents):
        a, b, x, y, flat = args
        *shapes, dx, dy = (None if isinstance(t, SymbolicZero) else t for t in tangents[:4])
        values = core(*args)
        out = [jnp.zeros_like(value) for value in values]
        for shift, tangent in zip(((1, 0), (0, 1)), shapes, strict=True):
            if tangent is not None:
                higher = _moments(*((i + shift[0], j + shift[1]) for i, j in orders))(*args)
                out = [o - h * tangent for o, h in zip(out, higher, strict=True)]
        if dx is not None or dy is not None:
            along = [jnp.zeros_like(t) if d is None else d for t, d in ((x, dx), (y, dy))]
            in_x = jax.jvp(lambda x, y: integrals(a, b, x, y, flat), (x, y), tuple(along))[1]
            out = [o + t for o, t in zip(out, in_x, strict=True)]
        return values, tuple(out)

    return core


@elementwise(
    lambda value, a, b: jnp.log1p(b / a) + (log_minus_digamma(a) - log_minus_digamma(a + b)),
    lambda value, a, b: jnp.log(a + b) - log_minus_digamma(a + b),
)
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


def _assemble(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array, flat: jax.Array, integral: jax.Array) -> jax.Array:
    """log I_x(a, b) from its integral.

    Small a: I_x(a, b) = Σ_k x^{a+k} y^b/((a + k) B(a + k, b)) + I_x(a + 8, b), all positive. Where b < 1 and y is small the
    integrand is flat for long: 1 less the upper tail, y^b/(b B)·(1 + b ∫₀^∞ e^{−b r} ((1 − y e^−r)^{a−1} − 1) dr).
    """
    raised = a < _RAISE
    steps = np.arange(_RAISE).astype(a.dtype)
    ratios = jnp.log(x[..., None] * ((a + b)[..., None] + steps) / (a[..., None] + (1 + steps)))
    terms = jnp.exp(jnp.matmul(ratios, _PARTIAL_SUMS.astype(a.dtype), precision="highest"))
    term, total = terms[..., -1], terms[..., :-1].sum(-1)
    rest = jnp.where(raised, term * (a + _RAISE), a) * jnp.where(flat, 1, integral)
    kernel = _log_lead(a, b, x, y) + jnp.log(jnp.where(raised, total, 0) + rest)
    small = jnp.where(flat, b, 0.5)
    upper = small * jnp.log(y) - gammaln1p(small) + log_gamma_rise(a, small)
    upper += jnp.log1p(small * jnp.where(flat, integral, 0))
    return jnp.where(flat, log1mexp(jnp.where(flat, upper, -1)), kernel)


def _region(a: jax.Array, b: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(is the integrand flat, the shape to integrate with)."""
    flat = (b < 1) & (y < jnp.minimum(0.2, 1 / a))
    return flat, jnp.where((a < _RAISE) & ~flat, a + _RAISE, a)


def _derivatives(order: int, a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> tuple[jax.Array, ...]:
    """log I_x(a, b) and its derivatives in (a, b), up to the order: (L), (L, L_a, L_b) or (L, L_a, L_b, L_aa, L_ab, L_bb)."""
    flat, shape = _region(a, b, y)
    orders = ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2))[: (1, 3, 6)[order]]
    moments = lax.optimization_barrier(_moments(*orders)(shape, b, x, y, flat))

    def value(s, t):
        # The integral is replaced by its Taylor polynomial, so that differentiation never meets it.
        total = sum(
            m * (-s) ** i * (-t) ** j / (factorial(i) * factorial(j)) if i + j else m
            for (i, j), m in zip(orders, moments, strict=True)
        )
        return _assemble(a + s, b + t, x, y, flat, total)

    def along(f, k):
        def slope(*st):
            return jax.jvp(lambda t: f(*st[:k], t, *st[k + 1 :]), (st[k],), (jnp.ones_like(a),))[1]

        return slope

    functions = [value]
    if order > 0:
        functions += [along(value, 0), along(value, 1)]
    if order > 1:
        functions += [along(functions[1], 0), along(functions[1], 1), along(functions[2], 1)]
    return tuple(f(jnp.zeros_like(a), jnp.zeros_like(b)) for f in functions)


def _hazard(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array, value: jax.Array) -> jax.Array:
    return jnp.exp(log_logit_density(a, b, x, y) - value) / (x * y)


@jax.custom_jvp
def log_lower_tail(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    """log I_x(a, b) where that is not much above 1/2; 0 < x < 1, y = 1 − x. The derivative in x carries that in y."""
    return _derivatives(0, a, b, x, y)[0]


@log_lower_tail.defjvp
def _(args, tangents):
    value, *slopes = _log_lower_slopes(*args)
    slopes.append(_hazard(*args, value))
    return value, sum(slope * tangent for slope, tangent in zip(slopes, tangents, strict=False))


@jax.custom_jvp
def _log_lower_slopes(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> tuple[jax.Array, ...]:
    return _derivatives(1, a, b, x, y)


@_log_lower_slopes.defjvp
def _(args, tangents):
    value, by_a, by_b, aa, ab, bb = _derivatives(2, *args)
    da, db, dx, _ = tangents
    hazard = _hazard(*args, value)
    cross_a = hazard * (_lead_in_a(*args) + 1 / args[0] - by_a)
    cross_b = hazard * (_lead_in_b(*args) - by_b)
    return (value, by_a, by_b), (
        by_a * da + by_b * db + hazard * dx,
        aa * da + ab * db + cross_a * dx,
        ab * da + bb * db + cross_b * dx,
    )


def _tails(a: ArrayLike, b: ArrayLike, x: ArrayLike, y: ArrayLike | None) -> tuple[jax.Array, ...]:
    """(is the lower tail the integrated one, log of that tail, validity and limits as masks)."""
    a, b, x, y = jnp.broadcast_arrays(*promote(a, b, x, 1 - jnp.asarray(x) if y is None else y))
    zero = ((x == 0) & (a > 0)) | ((b == 0) & (a > 0) & (x < 1)) | ((a == jnp.inf) & (b < jnp.inf) & (x < 1))
    one = ((y == 0) & (b > 0)) | ((a == 0) & (b > 0) & (y < 1)) | ((b == jnp.inf) & (a < jnp.inf) & (y < 1))
    inside = (a > 0) & (b > 0) & (x > 0) & (y > 0) & (a < jnp.inf) & (b < jnp.inf)
    valid = (a >= 0) & (b >= 0) & (x >= 0) & (y >= 0) & (inside | zero | one)
    a, b, x, y = (jnp.where(inside, t, safe) for t, safe in ((a, 9), (b, 9), (x, 0.5), (y, 0.5)))
    # The smaller tail by the mean; for a shape below 1 by a bound on the tail, x^a/(a B) or y^b/(b B), which is nearly 1 there.
    above = (a < 1) & (a * (jnp.log(x) + jnp.log1p(b)) - jnp.log1p(a / b) > _LOG_HALF)
    below = (b < 1) & (b * (jnp.log(y) + jnp.log1p(a)) - jnp.log1p(b / a) > _LOG_HALF)
    lower = ((a * y > b * x) & ~above) | below
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
