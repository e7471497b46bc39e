"""AᵀA of tall matrices to some 27 digits at the speed of plain products.

The columns of at most 8,192 rows are cut into three slices: 20 bits, 20 bits, and what is left. Products of the first
two are sums of at most 2¹³ integers below 2⁴⁰ in one unit, exact in float64; those with the third are so small that
their rounding is far below the last digit kept. The slices lie side by side, so one product of matrices gives all.

Source: Ozaki, Ogita, Oishi and Rump 2012, doi:10.1007/s11075-011-9478-1.
"""

from typing import Any

import jax
import numpy as np

from suffice.numerics.double_double import Double, add, double, require_exact, two_sum
from suffice.numerics.moments import namespace

ROWS = 8192  # of a block, at most: 20 + 20 + 13 bits fill a float64
FEW = 4 * ROWS  # rows up to which nothing is compiled
_BITS = 20


def _slices(hi: Any, lo: Any) -> Any:
    """Columns as three slices side by side, (n, 3p), whose sum is hi + lo."""
    xp = namespace(hi)
    _, exponent = xp.frexp(xp.max(xp.abs(hi), axis=0, keepdims=True))
    # adding 3 · 2^k and taking it away rounds to multiples of 2^(k − 51)
    large = xp.ldexp(xp.full(exponent.shape, 1.5), exponent + (53 - _BITS))
    first = (hi + large) - large
    rest = hi - first
    large = large * 2.0 ** -(_BITS + 1)
    second = (rest + large) - large
    return xp.concatenate([first, second, (rest - second) + lo], axis=1)


def _shifted(hi: Any, lo: Any, shift: Any) -> tuple[Any, Any]:
    """hi + lo − shift as an exact sum and its error."""
    s, e = two_sum(hi, -shift)
    return two_sum(s, e if lo is None else e + lo)


def _product(hi: Any, lo: Any, shift: Any) -> Any:
    a = _slices(*_shifted(hi, lo, shift))
    return a.T @ a


def _combined(blocks: Any, p: int) -> Double:
    """Blocks (3p, 3p) of products of slices as one sum, (p, p)."""
    part = [[blocks[i * p : (i + 1) * p, j * p : (j + 1) * p] for j in range(3)] for i in range(3)]
    sum_ = double(part[0][0])
    for i, j in ((0, 1), (0, 2), (1, 1), (1, 2), (2, 2)):
        sum_ = add(sum_, double(part[i][j]))
        if i < j:
            sum_ = add(sum_, double(part[i][j].T))
    return sum_


_compiled_product = jax.jit(_product)


def gram(hi: Any, lo: Any = None, shift: Any = None, compiled: bool | None = None) -> Double:
    """(A − shift)ᵀ (A − shift) for A = hi + lo, with an error of at most 1e-27 of the norms of its columns.

    Args:
        hi: (n, p), float64.
        lo: (n, p), what hi lacks, or None.
        shift: (p,), taken from each row; None for none.
        compiled: whether blocks of 8,192 rows run compiled; by default where there are more than four of them.

    Returns:
        NumPy pairs, (p, p), symmetric.
    """
    n, p = hi.shape
    compiled = n > FEW if compiled is None else compiled
    if compiled:
        require_exact()
    shift = np.zeros((1, p)) if shift is None else np.reshape(shift, (1, p))
    pending: list[jax.Array] = []
    sum_ = double(np.zeros((p, p)))
    for at in range(0, n, ROWS):
        block = hi[at : at + ROWS], None if lo is None else lo[at : at + ROWS]
        if not compiled:
            sum_ = add(sum_, _combined(_product(*block, shift), p))
            continue
        pending.append(_compiled_product(*map(_full, block, (shift, 0.0)), shift))
        if len(pending) == 4:  # a few under way: no core waits, and memory stays bounded
            sum_ = add(sum_, _combined(np.asarray(pending.pop(0)), p))
    for products in pending:
        sum_ = add(sum_, _combined(np.asarray(products), p))
    return sum_


def _full(block: Any, padding: Any) -> Any:
    """A block of 8,192 rows; those it lacks are ones that the shift makes 0."""
    if block is None or len(block) == ROWS:
        return block
    full = np.empty((ROWS, block.shape[1]))
    full[: len(block)], full[len(block) :] = block, padding
    return full
