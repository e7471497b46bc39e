"""Logarithms, exponentials and their differences, free of cancellation, and the tools of every special function."""

import functools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero
from jax.typing import ArrayLike

# (atanh(r)/r - 1)/r² in r², on r² <= 1/9, and (exp(v) - 1 - v)/v² on |v| <= 1: interpolation at Chebyshev nodes.
_ATANH = (
    0.3333333333333333, 0.20000000000007292, 0.1428571428355438, 0.11111111358713932, 0.09090894718066429,
    0.07692785032479312, 0.06657072104827468, 0.06000536404795356, 0.04400369243072337, 0.08082022805971766,
)  # fmt: skip
_EXPM1MX = (
    0.5, 0.16666666666666666, 0.04166666666666609, 0.008333333333333299, 0.0013888888888981404,
    0.00019841269841324198, 2.4801587246096818e-05, 2.7557319191381816e-06, 2.755733506893373e-07,
    2.5052117695907823e-08, 2.0874435575864273e-09, 1.6057679623801638e-10, 1.1639194124150522e-11,
    7.746178593018827e-13,
)  # fmt: skip


def promote(*args: ArrayLike) -> tuple[jax.Array, ...]:
    """The arguments as floating arrays of one dtype and one rank; Python numbers stay weakly typed."""
    dtype = jnp.result_type(float, *args)
    arrays = [jnp.asarray(a) for a in args]
    rank = max(a.ndim for a in arrays)
    arrays = [a.reshape((1,) * (rank - a.ndim) + a.shape) for a in arrays]
    return tuple(a if a.dtype == dtype else a.astype(dtype) for a in arrays)


def elementwise(*partials: Callable[..., jax.Array]) -> Callable[[Callable[..., jax.Array]], Callable[..., jax.Array]]:
    """Decorator: an elementwise function, compiled, with its arguments promoted and its derivatives given by hand.

    `partials[i](value, *args)` is the derivative in argument i; it is evaluated only where that argument varies.
    Without partials the function is differentiated as it is written. It is written for arrays; what is returned takes
    anything that NumPy would broadcast.
    """

    def decorate(function: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
        core: Callable[..., jax.Array] = function
        if partials:
            core = jax.custom_jvp(function)

            def rule(args, tangents):
                value = core(*args)
                terms = [
                    partial(value, *args) * tangent
                    for partial, tangent in zip(partials, tangents, strict=True)
                    if not isinstance(tangent, SymbolicZero)
                ]
                return value, sum(terms[1:], terms[0]) if terms else jnp.zeros_like(value)

            core.defjvp(rule, symbolic_zeros=True)

        @jax.jit
        @functools.wraps(function)
        def compiled(*args: ArrayLike) -> jax.Array:
            return core(*promote(*args))

        return compiled

    return decorate


def horner(x: jax.Array, coefficients: Sequence[float]) -> jax.Array:
    """Polynomial c₀ + c₁x + c₂x² + … by Horner's rule, unrolled."""
    total = jnp.full_like(x, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        total = total * x + c
    return total


def ratio(x: jax.Array, coefficients: tuple[Sequence[float], Sequence[float]]) -> jax.Array:
    """Rational function: the quotient of two polynomials, numerator first."""
    return horner(x, coefficients[0]) / horner(x, coefficients[1])


def split(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(high, low) with x = high + low, each of half the bits: their products are exact.

    `reduce_precision` is honoured by every compiler pass; the classical multiplication by 2²⁷ + 1 could be contracted.
    """
    exponent, mantissa = (8, 11) if x.dtype == jnp.float32 else (11, 25)
    high = jax.lax.stop_gradient(jax.lax.reduce_precision(x, exponent, mantissa))
    return high, x - high


def two_sum(a: jax.Array, b: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(s, e) with s = fl(a + b) and s + e = a + b exactly (Knuth)."""
    s = a + b
    v = s - a
    return s, (a - (s - v)) + (b - v)


def two_product(a: jax.Array, b: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(p, e) with p = fl(a·b) and p + e = a·b exactly, barring overflow and underflow (Dekker)."""
    p = a * b
    (ah, al), (bh, bl) = split(a), split(b)
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


@elementwise(lambda y, x: -x / (1 + x))
def log1pmx(x: jax.Array) -> jax.Array:
    """log(1 + x) − x to full relative accuracy for all x >= −1; NaN below.

    Near 0, with r = x/(2 + x): log(1 + x) = 2 atanh(r) and 2r − x = −r·x, so nothing cancels.
    """
    near = (x > -0.5) & (x < 1)
    z = jnp.where(near, x, 0)
    r = z / (2 + z)
    far = jnp.where(near, 1, x)
    direct = jnp.where(far == jnp.inf, -jnp.inf, jnp.log(1 + far) - far)  # the sum loses nothing so far from 0
    return jnp.where(near, r * (2 * r * r * horner(r * r, _ATANH) - z), direct)


def log_minus_excess(ratio: jax.Array, excess: jax.Array) -> jax.Array:
    """log(ratio) − excess, where excess = ratio − 1 is given to full accuracy: exact near 1 and near 0."""
    near = ratio > 0.1
    return jnp.where(near, log1pmx(jnp.where(near, excess, 0.0)), jnp.log(jnp.where(near, 1.0, ratio)) - excess)


@elementwise(lambda y, x: jnp.expm1(x))
def expm1mx(x: jax.Array) -> jax.Array:
    """exp(x) − 1 − x >= 0 to full relative accuracy."""
    near = jnp.abs(x) < 1
    z = jnp.where(near, x, 0)
    return jnp.where(near, z * z * horner(z, _EXPM1MX), jnp.expm1(x) - jnp.where(x == jnp.inf, 0, x))


@elementwise(lambda y, x: 2 / (1 + x * x) - y * y)
def _slope_of_log1p_square(x: jax.Array) -> jax.Array:
    return 2 / (x + 1 / x)  # nothing overflows, and it is 0 at 0


@elementwise(lambda y, x: _slope_of_log1p_square(x))
def log1p_square(x: jax.Array) -> jax.Array:
    """log(1 + x²), also where the square would overflow."""
    far = jnp.abs(x) > 1e8
    return jnp.where(far, 2, 1) * jnp.log1p(jnp.where(far, jnp.abs(x) - 1, x * x))


@elementwise(lambda y, x: -jnp.exp(x) / jnp.abs(jnp.expm1(x)))
def log1mexp(x: jax.Array) -> jax.Array:
    """log(1 − exp(x)) for x <= 0; −inf at 0, NaN above (Mächler 2012)."""
    near = x > -0.6931471805599453
    small = jnp.where(near, -jnp.expm1(x), 0.5)
    return jnp.where(near, jnp.log(small), jnp.log1p(-jnp.exp(jnp.where(near, -1, x))))


def log_of_smaller(p: jax.Array) -> jax.Array:
    """log min(p, 1 − p) to full relative accuracy: where 1 − p is the smaller it is exact."""
    return jnp.log(jnp.minimum(p, 1 - p))


@elementwise(lambda y, x: jax.nn.sigmoid(x))
def softplus(x: jax.Array) -> jax.Array:
    """log(1 + exp(x)), to full relative accuracy in both tails."""
    return jnp.maximum(x, 0) + jnp.log1p(jnp.exp(-jnp.abs(x)))


@elementwise(lambda y, x: jax.nn.sigmoid(-x))
def log_sigmoid(x: jax.Array) -> jax.Array:
    """log(1/(1 + exp(−x))) = −log(1 + exp(−x))."""
    return jnp.minimum(x, 0) - jnp.log1p(jnp.exp(-jnp.abs(x)))


def _gap(a: jax.Array, b: jax.Array) -> jax.Array:
    return jnp.where(b == -jnp.inf, -jnp.inf, b - a)


@elementwise(
    lambda y, a, b: -1 / jnp.expm1(_gap(a, b)),
    lambda y, a, b: jnp.exp(_gap(a, b)) / jnp.expm1(_gap(a, b)),
)
def logsubexp(a: jax.Array, b: jax.Array) -> jax.Array:
    """log(exp(a) − exp(b)) for a >= b; −inf where they are equal, NaN where a < b."""
    return a + log1mexp(_gap(a, b))


@elementwise(lambda z, x, y: jnp.log(y), lambda z, x, y: jnp.where(x == 0, 0, x / y))
def xlogy(x: jax.Array, y: jax.Array) -> jax.Array:
    """x log(y), and 0 where x = 0, with derivative 0 in y there even at y = 0."""
    return jnp.where((x == 0) & ~jnp.isnan(y), 0, x * jnp.log(y))


@elementwise(lambda z, x, y: jnp.log1p(y), lambda z, x, y: jnp.where(x == 0, 0, x / (1 + y)))
def xlog1py(x: jax.Array, y: jax.Array) -> jax.Array:
    """x log(1 + y), and 0 where x = 0, with derivative 0 in y there even at y = −1."""
    return jnp.where((x == 0) & ~jnp.isnan(y), 0, x * jnp.log1p(y))
