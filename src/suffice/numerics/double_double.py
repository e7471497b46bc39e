"""Arithmetic with pairs of float64, value = hi + lo, about 32 digits: error-free transformations and what is made of them.

Written for NumPy and JAX arrays alike. Compiled code must not reassociate sums or contract a product into the sum
that takes its error; products are therefore split by their bits, so that every product but the first is exact, and
``require_exact`` looks once whether the compiler keeps to that.

Sources: Dekker 1971, doi:10.1007/BF01397083; Hida, Li and Bailey 2001, doi:10.1109/ARITH.2001.930115.
"""

import functools
from fractions import Fraction
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.moments import namespace

_HALF, _MASK = 0x0000000004000000, 0xFFFFFFFFF8000000  # half a unit of the upper 26 bits, and these bits


class Double(NamedTuple):
    """Numbers hi + lo with |lo| at most half a unit in the last place of hi; a pytree, indexed like an array by ``at``."""

    hi: Any
    lo: Any

    def at(self, *index: Any) -> "Double":
        """Both parts at an index."""
        return Double(self.hi[index], self.lo[index])

    @property
    def value(self) -> Any:
        """The nearest float64."""
        return self.hi + self.lo


def double(x: Any) -> Double:
    """A float64 array as pairs."""
    return Double(x, namespace(x).zeros_like(x))


def from_fractions(values: Any) -> Double:
    """Pairs nearest to an array of ``Fraction``."""
    exact = np.asarray(values, dtype=object)
    flat = [Fraction(v) for v in exact.ravel()]
    hi = [float(v) for v in flat]
    lo = [float(v - Fraction(h)) for v, h in zip(flat, hi, strict=True)]
    return Double(np.reshape(np.array(hi, float), exact.shape), np.reshape(np.array(lo, float), exact.shape))


# -- error-free transformations ---------------------------------------------------------------------------------------


def two_sum(a: Any, b: Any) -> Double:
    """a + b rounded, and its rounding error (Knuth)."""
    s = a + b
    t = s - a
    return Double(s, (a - (s - t)) + (b - t))


def fast_two_sum(a: Any, b: Any) -> Double:
    """The same where |a| >= |b| (Dekker)."""
    s = a + b
    return Double(s, b - (s - a))


def _upper(x: Any) -> Any:
    """x rounded to its upper 26 bits; what is left has 26 bits with a sign."""
    if isinstance(x, jax.Array):
        bits = jax.lax.bitcast_convert_type(x, jnp.uint64)
        return jax.lax.bitcast_convert_type((bits + np.uint64(_HALF)) & np.uint64(_MASK), x.dtype)
    x = np.asarray(x, float)
    bits = np.ascontiguousarray(x).view(np.uint64)
    return ((bits + np.uint64(_HALF)) & np.uint64(_MASK)).view(float).reshape(x.shape)


def two_prod(a: Any, b: Any) -> Double:
    """a b rounded, and its rounding error, exact while nothing over- or underflows."""
    p = a * b
    a1, b1 = _upper(a), _upper(b)
    a2, b2 = a - a1, b - b1
    return Double(p, ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2)


# -- arithmetic -------------------------------------------------------------------------------------------------------


def add(a: Double, b: Double) -> Double:
    """a + b, with a relative error of at most 3 · 2⁻¹⁰⁶ whatever the signs."""
    s, e = two_sum(a.hi, b.hi)
    t, f = two_sum(a.lo, b.lo)
    s, e = fast_two_sum(s, e + t)
    return fast_two_sum(s, e + f)


def negative(a: Double) -> Double:
    """−a."""
    return Double(-a.hi, -a.lo)


def subtract(a: Double, b: Double) -> Double:
    """a − b."""
    return add(a, negative(b))


def multiply(a: Double, b: Double) -> Double:
    """a b."""
    p, e = two_prod(a.hi, b.hi)
    return fast_two_sum(p, e + (a.hi * b.lo + a.lo * b.hi))


def divide(a: Double, b: Double) -> Double:
    """a / b by long division."""
    q1 = a.hi / b.hi
    r = subtract(a, multiply(b, double(q1)))
    q2 = r.hi / b.hi
    r = subtract(r, multiply(b, double(q2)))
    return add(fast_two_sum(q1, q2), double(r.hi / b.hi))


def sqrt(a: Double) -> Double:
    """√a by one Newton step from the float64 root; 0 of 0."""
    xp = namespace(a.hi)
    x = xp.sqrt(a.hi)
    safe = xp.where(x > 0, x, 1.0)
    left = subtract(a, two_prod(x, x)).hi
    root = fast_two_sum(x, left / (2.0 * safe))
    return Double(root.hi, xp.where(x > 0, root.lo, 0.0))


def total(a: Double, axis: int = 0) -> Double:
    """Sum along an axis, pairwise."""
    xp = namespace(a.hi)
    hi, lo = xp.moveaxis(a.hi, axis, 0), xp.moveaxis(a.lo, axis, 0)
    if not len(hi):
        return double(xp.zeros(hi.shape[1:]))
    while len(hi) > 1:
        half = len(hi) // 2
        odd = Double(hi[2 * half :], lo[2 * half :])
        pair = add(Double(hi[:half], lo[:half]), Double(hi[half : 2 * half], lo[half : 2 * half]))
        hi, lo = (xp.concatenate([p, o]) for p, o in zip(pair, odd, strict=True)) if len(odd.hi) else pair
    return Double(hi[0], lo[0])


@functools.cache
def require_exact() -> None:
    """Raise unless compiled code keeps the rounding of each operation; looks once.

    Raises:
        RuntimeError: XLA was told to reorder floating-point operations.
    """
    error = jax.jit(lambda a, b: two_sum(a, b).lo)(jnp.float64(1.0), jnp.float64(1e16))
    slip = jax.jit(lambda a, b: (a + b) - b)(jnp.float64(1.0), jnp.float64(1e16))
    if float(error) != 1.0 or float(slip) != 0.0:
        raise RuntimeError(
            "compiled code reorders floating-point operations (--xla_cpu_enable_fast_math in XLA_FLAGS?), so that "
            "regression would lose its digits; remove that flag"
        )
