"""The integrals under the incomplete beta function: Gauss–Legendre quadrature in the logit, moments to any order."""

import functools
from collections.abc import Callable
from fractions import Fraction
from math import factorial, log

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_derivatives import SymbolicZero

from suffice.numerics.special.elementary import elementwise, horner, two_product, two_sum

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

_NEAR = 0.5  # windows shorter than this take ψ from its Taylor series, which has no cancellation
_DEGREE = 14
LEAST_SHAPE = 8


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


@elementwise(
    lambda c, a, b, x, y: y,
    lambda c, a, b, x, y: -x,
    lambda c, a, b, x, y: -(a + b),
    lambda c, a, b, x, y: jnp.zeros_like(c),
)
def offset_from_mean(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    """a y − b x = a − (a + b) x without rounding; of x and y the smaller is believed."""
    upper = x > y
    low, shape = jnp.where(upper, y, x), jnp.where(upper, b, a)
    (p, p_error), (q, q_error) = two_product(a, low), two_product(b, low)
    first, first_error = two_sum(shape, -p)
    second, second_error = two_sum(first, -q)
    offset = second + (first_error + second_error - p_error - q_error)
    return jnp.where(upper, -offset, offset)


def _rule(dtype: jnp.dtype, coarse: bool) -> tuple[float, np.ndarray, np.ndarray]:
    """(depth of the window, nodes, weights): for float64 beyond its accuracy, for float32 too; coarse: six digits."""
    if coarse or dtype != jnp.float64:
        nodes, weights = np.polynomial.legendre.leggauss(12 if coarse else 24)
        return 15.0 if coarse else 2 - log(jnp.finfo(dtype).eps), (1 + nodes) / 2, weights / 2
    return 2 - log(jnp.finfo(dtype).eps), _NODES, _WEIGHTS


def _window(depth: float, rate: jax.Array, sign: jax.Array, n: jax.Array, p: jax.Array, offset: jax.Array) -> jax.Array:
    """W with ψ(W) near the depth where the integrand vanishes: quadratic start, Newton on a convex function."""
    w = 2 * depth / (offset + jnp.sqrt(offset * offset + 2 * depth * n * p * (1 - p)))
    for _ in range(3):
        growth = jnp.expm1(sign * w)
        z = p * growth
        w += (depth - rate * w - n * jnp.log1p(z)) / (rate + sign * n * p * (1 + growth) / (1 + z))
    return w


@functools.cache
def beta_moments(*orders: tuple[int, int], coarse: bool = False) -> Callable[..., tuple[jax.Array, ...]]:
    """∫₀^∞ ψ_a^i ψ_b^j exp(−ψ) dw for each (i, j) in orders, ψ = a ψ_a + b ψ_b, as a function of (a, b, x, y, flat).

    ψ_a = −log(t/x), ψ_b = −log((1 − t)/y), logit t = logit x − w: log(1 + x(e^−w − 1)) = log(1 + y(e^w − 1)) − w is
    taken in the smaller of x and y; a >= LEAST_SHAPE unless flat. Where flat, ψ = b w − (a − 1) log(1 − y e^−w), and
    exp(−b w) is subtracted if i = 0.
    The derivatives in a and b are the next moments, negated.
    """

    def integrals(a, b, x, y, flat):
        depth, nodes, weights = _rule(a.dtype, coarse)
        lower = (x < y) & ~flat
        n = jnp.where(flat, 1 - a, a + b)
        p = jnp.where(lower, x, jnp.where(flat, -y, y))
        rate = jnp.where(lower, a, jnp.where(flat, b, -b))
        sign = jnp.where(lower | flat, -1, 1).astype(a.dtype)
        offset = jnp.where(flat, b, offset_from_mean(a, b, x, y))
        safe = (jnp.where(flat, t, u) for t, u in ((9, rate), (-1, sign), (18, n), (0.5, p), (0, offset)))
        window = lax.stop_gradient(jnp.where(flat, depth / (1 + b), _window(depth, *safe)))
        v, d = sign * window, 1 - 2 * p
        cumulants, power = [], n * p * (1 - p)
        for k, c in enumerate(_CUMULANTS, 2):
            power *= v
            cumulants.append(power * v * horner(d * d, c[k % 2 :: 2]) * (d if k % 2 else 1))
        near, rule = window < _NEAR, [jnp.asarray(t, a.dtype).reshape((1,) * a.ndim + (-1,)) for t in (nodes, weights)]

        def integrate(integrand, *leaves):
            # Without the barriers the leaves would be computed again at each node, and the nodes stored at each point.
            (nodes, weights), leaves = lax.optimization_barrier((rule, leaves))
            values = integrand(nodes, *(leaf[..., None] for leaf in leaves))
            integrals = [(value * weights).sum(-1) * window for value in values]
            return lax.optimization_barrier(integrals)

        def taylor(nodes, coefficients):
            psi = 0
            for c in reversed(coefficients):
                psi = (psi + c) * nodes
            return psi

        def close(nodes, *coefficients):
            return (jnp.exp(-taylor(nodes, coefficients)),)

        def direct(nodes, flat, p, v, rate, n):
            psi = rate * nodes + n * jnp.log1p(p * (jnp.expm1(v * nodes) + flat))
            return (jnp.exp(-psi) - flat * jnp.exp(-flat * rate * nodes),)

        def every(nodes, flat, p, v, rate, n, near, lower, *coefficients):
            growth = jnp.log1p(p * (jnp.expm1(v * nodes) + flat))
            value = jnp.exp(-jnp.where(near, taylor(nodes, coefficients), rate * nodes + n * growth))
            lessened = value - flat * jnp.exp(-flat * rate * nodes)
            by_a = jnp.where(flat == 1, -growth, growth - jnp.where(lower, v, 0) * nodes)
            by_b = jnp.where(flat == 1, 0, growth) - jnp.where(lower, 0, v) * nodes
            return [(value * by_a**i if i else lessened) * (by_b**j if j else 1) for i, j in orders]

        common = (flat.astype(a.dtype), p, v, rate * window, n)
        coefficients = (offset * window, *cumulants)
        if len(orders) > 1:
            return tuple(integrate(every, *common, near, lower, *coefficients))
        # One integral alone is twice as fast if the two forms of ψ do not meet in one loop.
        return (jnp.where(near, integrate(close, *coefficients)[0], integrate(direct, *common)[0]),)

    core = jax.custom_jvp(integrals)

    @functools.partial(core.defjvp, symbolic_zeros=True)
    def _(args, tangents):
        a, b, x, y, flat = args
        *shapes, dx, dy = (None if isinstance(t, SymbolicZero) else t for t in tangents[:4])
        values = core(*args)
        out = [jnp.zeros_like(value) for value in values]
        for shift, tangent in zip(((1, 0), (0, 1)), shapes, strict=True):
            if tangent is not None:
                higher = beta_moments(*((i + shift[0], j + shift[1]) for i, j in orders))(*args)
                out = [o - h * tangent for o, h in zip(out, higher, strict=True)]
        if dx is not None or dy is not None:
            along = [jnp.zeros_like(t) if d is None else d for t, d in ((x, dx), (y, dy))]
            in_x = jax.jvp(lambda x, y: integrals(a, b, x, y, flat), (x, y), tuple(along))[1]
            out = [o + t for o, t in zip(out, in_x, strict=True)]
        return values, tuple(out)

    return core
