"""Modified Bessel functions of the first kind, of real order, scaled and in logarithms, and the ratio of neighbours."""

from fractions import Fraction

import jax
import jax.numpy as jnp

from suffice.numerics.special.elementary import elementwise, horner, xlogy

_HALF_LOG_2PI = 0.9189385332046728
_TERMS = 10  # of Debye's expansion


def _raise(dtype: jnp.dtype) -> int:
    """How far the order is raised, for ten terms to be exact: each step down costs a rounding."""
    return 30 if dtype == jnp.float64 else 8


def _debye_coefficients() -> tuple[list[list[float]], list[list[float]]]:
    """Row k: the coefficients in t² of U_k(t)/tᵏ, and of (½U_k + tU_k')/tᵏ (DLMF 10.41.9–11)."""
    rows, first, second = [Fraction(1)], [], []
    for k in range(_TERMS):
        powers = [k + 2 * j for j in range(k + 1)]
        first.append([float(c) for c in rows])
        second.append([float(c * (p + Fraction(1, 2))) for c, p in zip(rows, powers, strict=True)])
        # U_{k+1} = ½t²(1 − t²)U_k' + ⅛∫(1 − 5t²)U_k, coefficient by coefficient.
        raised = [c * (Fraction(p, 2) + Fraction(1, 8 * (p + 1))) for c, p in zip(rows, powers, strict=True)]
        carried = [-c * (Fraction(p, 2) + Fraction(5, 8 * (p + 3))) for c, p in zip(rows, powers, strict=True)]
        rows = [a + b for a, b in zip([*raised, Fraction(0)], [Fraction(0), *carried], strict=True)]
    return first, second


_VALUE, _SLOPE = _debye_coefficients()


def _series(inverse: jax.Array, square: jax.Array, rows: list[list[float]]) -> jax.Array:
    total = jnp.zeros_like(inverse)
    for row in reversed(rows):
        total = total * inverse + horner(square, row)
    return total


def _from_raised(v: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """(w, s, log of √(2πs) I_v(x) exp(−s) ((w + s)/x)ᵛ, I_{v+1}(x)/(x·I_v(x))), w = v + 30, s = √(w² + x²), v, x >= 0.

    Debye's uniform expansion at order w = v + 30 (8 in single precision), where ten terms are exact, then the ratios
    down to v by I_{k−1} = I_{k+1} + (2k/x)·I_k, in which all terms are positive. The large powers of x and w are
    collected: what remains in the product is of order 1.
    """
    count = _raise(jnp.result_type(v, x))
    w = v + count
    s = jnp.hypot(w, x)
    t, inverse = w / s, 1 / s
    value, slope = _series(inverse, t * t, _VALUE), _series(inverse, t * t, _SLOPE)
    ratio = 1 / (s + w) - inverse * inverse * slope / value

    def lower(k: int, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        ratio, product = carry
        ratio = 1 / (2 * (w - k) + x * (x * ratio))
        return ratio, product * ((s + w) * ratio)

    ratio, product = jax.lax.fori_loop(0, count, lower, (ratio, jnp.ones_like(ratio)))
    return w, s, jnp.log(value / product), ratio


def _raised(v: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(log(exp(−x) I_v(x)), I_{v+1}(x)/(x·I_v(x))) for v, x >= 0."""
    w, s, log_rest, ratio = _from_raised(v, x)
    power = xlogy(v, (w + s) / x)
    log_value = w * (w / (s + x)) - power - 0.5 * jnp.log(s) - _HALF_LOG_2PI + log_rest
    outside = (v < 0) | (x < 0)
    return jnp.where(outside, jnp.nan, log_value), jnp.where(outside, jnp.nan, ratio)


def _order_slope(y: jax.Array, v: jax.Array, x: jax.Array) -> jax.Array:
    v, x = jnp.broadcast_arrays(v, x)
    return jax.jvp(lambda v: _raised(v, x)[0], (v,), (jnp.ones_like(v),))[1]


def _argument_slope(y: jax.Array, v: jax.Array, x: jax.Array) -> jax.Array:
    return bessel_ratio(v, x) - 1 + jnp.where(v == 0, 0, v / jnp.where(v == 0, 1, x))


@elementwise(_order_slope, _argument_slope)
def log_ive(v: jax.Array, x: jax.Array) -> jax.Array:
    """log(exp(−x) I_v(x)) for real v >= 0 and x >= 0, NaN elsewhere; differentiable in both.

    The absolute error is about 32 units of 2⁻⁵² times 1 + v·abs(log(x/v)): I_v has the condition number v in x.
    """
    return jnp.where(x == jnp.inf, -jnp.inf, _raised(v, x)[0])


@elementwise(lambda y, v, x: y * _order_slope(y, v, x), lambda y, v, x: y * _argument_slope(y, v, x))
def ive(v: jax.Array, x: jax.Array) -> jax.Array:
    """exp(−x) I_v(x), the modified Bessel function of the first kind, scaled, for real v >= 0 and x >= 0."""
    return jnp.exp(log_ive(v, x))


@elementwise()
def bessel_ratio(v: jax.Array, x: jax.Array) -> jax.Array:
    """I_{v+1}(x)/I_v(x) in [0, 1) for real v >= 0 and x >= 0, to full relative accuracy; NaN elsewhere."""
    return jnp.where(x == jnp.inf, 1, x * _raised(v, x)[1])


@elementwise()
def log_bessel_amplitude(v: jax.Array, x: jax.Array) -> jax.Array:
    """log I_v(x) − (√(v² + x²) − v·asinh(v/x)) for real v >= 0 and x > 0: what Debye's exponential leaves.

    About −¼ log(v² + x²) − ½ log 2π; the absolute error is some 1e-14 for all v and x, where `log_ive` has large terms.
    """
    w, s, log_rest, _ = _from_raised(v, x)
    length, count = jnp.hypot(v, x), _raise(s.dtype)
    beyond = count * (v + w) / (s + length)  # s − length
    ordinary = v > 0
    power = jnp.where(ordinary, v, 0.0) * jnp.log1p((count + beyond) / jnp.where(ordinary, v + length, 1.0))
    return beyond - power - 0.5 * jnp.log(s) - _HALF_LOG_2PI + log_rest
