"""Sums of exponentials over rows too many to hold twice, at nearly the speed of reading them.

The reduction of an exponential that compilers make for the processor waits for one chain of sums, and calls a general
exponential. Here a row is cut into a few slices whose exponentials are added element by element, so that one loop over
the slices' width reads the row and writes a small part of it, in vectors, a block of rows at a time.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

_SLICES = 16  # of a row
_BLOCK = 2**18  # numbers that a block writes
_LOG2_E = 1.4426950408889634
_LOG_2 = 0.693115234375, 3.194618329871446e-05  # the first of few digits: its products with whole numbers are exact
# exp(r) for |r| <= log(2) / 2, to 2e-9 of it and 1 at 0: the least largest relative error of its degree
_TERMS = (0.001384364441037178, 0.008374162949621677, 0.04166800156235695, 0.16666431725025177, 0.4999999403953552,
          1.0, 1.0)  # fmt: skip
_MAGIC = 1.5 * 2.0**23 + 127.0  # added to t, leaves round(t) + 127 in the lowest bits


def sum_of_exp(rows: jax.Array, shift: jax.Array) -> jax.Array:
    """Σ_v exp(x_v − shift) for each row, summed in the widest precision after a few in that of the rows.

    Args:
        rows: (N, V), 16-bit numbers are widened as they are read.
        shift: (N,).

    Returns:
        (N,); above ``limit`` or NaN where the sum is not to be relied on.
    """
    return jax.lax.platform_dependent(rows, shift, cpu=_by_blocks, default=_at_once)


def limit(dtype: np.dtype) -> float:
    """The sum above which a term may have overflowed, for rows of a type."""
    return float(jnp.finfo(_working(dtype)).max) / 4.0


def _working(dtype: np.dtype) -> np.dtype:
    return jnp.promote_types(dtype, jnp.float32)


def _wide(dtype: np.dtype) -> np.dtype:
    return jnp.promote_types(jnp.result_type(float), dtype)


def _at_once(rows: jax.Array, shift: jax.Array) -> jax.Array:
    work = _working(rows.dtype)
    terms = jnp.exp(rows.astype(work) - shift.astype(work)[:, None])
    return terms.sum(1, dtype=_wide(work))


def _by_blocks(rows: jax.Array, shift: jax.Array) -> jax.Array:
    n, classes = rows.shape
    work = _working(rows.dtype)
    exp: Callable[[jax.Array], jax.Array] = _exp if work == jnp.float32 else jnp.exp
    slices = _SLICES if classes >= _SLICES**2 else 1
    width = classes // slices
    size = min(n, max(1, _BLOCK // width))
    # the barriers part what is one vectorised loop from what would be fused with it and is not
    shift = jax.lax.optimization_barrier(shift.astype(work))

    def block(k: jax.Array, out: jax.Array) -> jax.Array:
        first = jax.lax.optimization_barrier(jnp.minimum(k * size, n - size))
        here = jax.lax.optimization_barrier(jax.lax.dynamic_slice(shift, (first,), (size,)))

        def terms(start: int, length: int) -> jax.Array:
            piece = jax.lax.dynamic_slice(rows, (first, start), (size, length))
            return exp(piece.astype(work) - here[:, None])

        few = _added([terms(j * width, width) for j in range(slices)])
        total = jax.lax.optimization_barrier(few).sum(1, dtype=_wide(work))
        if classes % slices:
            total = total + terms(slices * width, classes % slices).sum(1, dtype=_wide(work))
        return jax.lax.dynamic_update_slice(out, total, (first,))

    return jax.lax.fori_loop(0, -(-n // size), block, jnp.zeros(n, _wide(work)))


def _added(terms: list[jax.Array]) -> jax.Array:
    """The sum in pairs."""
    while len(terms) > 1:
        terms = [a + b for a, b in zip(terms[::2], terms[1::2], strict=True)]
    return terms[0]


def _exp(x: jax.Array) -> jax.Array:
    """exp in 32 bits, to about their precision: exactly 1 at 0, 0 below −88, what it is at 88 above; NaN stays.

    exp(x) = 2^n exp(x − n log 2): the power by its bits, the rest by a polynomial.
    """
    low, high = jnp.float32(-88.0), jnp.float32(88.0)
    x = jnp.where(low > x, low, x)
    x = jnp.where(high < x, high, x)
    shifted = x * jnp.float32(_LOG2_E) + jnp.float32(_MAGIC)
    n = shifted - jnp.float32(_MAGIC)
    r = (x - n * jnp.float32(_LOG_2[0])) - n * jnp.float32(_LOG_2[1])
    value = jnp.float32(_TERMS[0])
    for term in _TERMS[1:]:
        value = value * r + jnp.float32(term)
    bits = jax.lax.bitcast_convert_type(shifted, jnp.int32)
    return value * jax.lax.bitcast_convert_type(bits << 23, jnp.float32)
