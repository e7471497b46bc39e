"""AᵀA of tall matrices to some 27 digits at the speed of plain products.

The columns of at most 8,192 rows are cut into three slices: 20 bits, 20 bits, and what is left. Products of the first
two are sums of at most 2¹³ integers below 2⁴⁰ in one unit, exact in float64; those with the third are so small that
their rounding is far below the last digit kept. The slices lie side by side, so one product of matrices gives all.

Few columns are cut by NumPy, a block that fits the cache at a time, without a shift of the rows: the first slice takes
it, as it is a multiple of that slice's unit.

Source: Ozaki, Ogita, Oishi and Rump 2012, doi:10.1007/s11075-011-9478-1.
"""

from typing import Any

import jax
import numpy as np

from suffice.numerics.double_double import Double, add, double, require_exact, two_sum
from suffice.numerics.moments import namespace

ROWS = 8192  # of a block, at most: 20 + 20 + 13 bits fill a float64
FEW = 4 * ROWS  # rows up to which nothing is compiled
NARROW = 16  # columns up to which NumPy cuts them
_BITS = 20
_LENGTH = 512  # rows of one product at most
_SQUARE = 9  # columns up to which products of unlike factors are faster than symmetric ones
_ALONE = 2**18  # multiplications up to which OpenBLAS uses one thread: chunks are reduced in threads already


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


def _combined(blocks: Double, p: int) -> Double:
    """Blocks (3p, 3p) of products of slices as one sum, (p, p)."""
    part = [[blocks.at(slice(i * p, (i + 1) * p), slice(j * p, (j + 1) * p)) for j in range(3)] for i in range(3)]
    sum_ = part[0][0]
    for i, j in ((0, 1), (0, 2), (1, 1), (1, 2), (2, 2)):
        sum_ = add(sum_, part[i][j])
        if i < j:
            sum_ = add(sum_, Double(part[i][j].hi.T, part[i][j].lo.T))
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
            sum_ = add(sum_, _combined(double(_product(*block, shift)), p))
            continue
        pending.append(_compiled_product(*map(_full, block, (shift, 0.0)), shift))
        if len(pending) == 4:  # a few under way: no core waits, and memory stays bounded
            sum_ = add(sum_, _combined(double(np.asarray(pending.pop(0))), p))
    for products in pending:
        sum_ = add(sum_, _combined(double(np.asarray(products)), p))
    return sum_


def _full(block: Any, padding: Any) -> Any:
    """A block of 8,192 rows; those it lacks are ones that the shift makes 0."""
    if block is None or len(block) == ROWS:
        return block
    full = np.empty((ROWS, block.shape[1]))
    full[: len(block)], full[len(block) :] = block, padding
    return full


def narrow_gram(parts: list[np.ndarray], constant: bool, shift: np.ndarray) -> Double:
    """(A − shift)ᵀ (A − shift) for A = [1, parts], as exact as ``gram``, for few columns in memory of any order.

    Args:
        parts: arrays (n, k) of float64.
        constant: whether a column of ones comes first.
        shift: (p,), 0 for the constant; such as ``coarse`` gives, else blocks take the longer way.

    Returns:
        NumPy pairs, (p, p), symmetric.
    """
    n, p, first = len(parts[0]), sum(a.shape[1] for a in parts), int(constant)
    own, size = shift[first:, None], 3 * p + 1
    length = min(_LENGTH, _ALONE // size**2)
    count = min(-(-n // length), ROWS // length)  # sums of whole blocks are exact
    raw, cut = np.empty((p, count * length)), np.ones((size, count * length))  # slices, and ones for their sums
    pieces = cut.reshape(size, count, length).transpose(1, 0, 2)
    left = pieces[:, :-1] if p <= _SQUARE else pieces  # unlike factors: BLAS multiplies few columns faster as such
    high, low = np.zeros((2, left.shape[1], size))
    rows, apart = 0, double(np.zeros((p + first, p + first)))
    for at in range(0, n, count * length):
        m, place = min(count * length, n - at), 0
        block = raw[:, :m]
        for part in parts:
            block[place : place + part.shape[1]] = part[at : at + m].T
            place += part.shape[1]
        reach = np.maximum(block.max(axis=1, keepdims=True) - own, own - block.min(axis=1, keepdims=True))
        large = np.ldexp(1.5, np.frexp(reach)[1] + (53 - _BITS))
        if not (((own + large) - large == own) & (np.abs(own) < large * 2.0**-22)).all():
            whole = block.T if not first else np.concatenate([np.ones((m, 1)), block.T], axis=1)
            apart = add(apart, gram(np.ascontiguousarray(whole), None, shift, compiled=False))
            continue
        _cut(block, large, own, cut[:p, :m], cut[p : 2 * p, :m], cut[2 * p : 3 * p, :m])
        cut[:, m:] = 0.0
        high, error = two_sum(high, np.matmul(left, pieces.swapaxes(1, 2)).sum(axis=0))
        low, rows = low + error, rows + m
    i = 3 * p
    found = Double(*(np.triu(a) + np.triu(a, 1).T for a in _combined(Double(high, low), p)))
    if first:
        edge = double(np.zeros(p))
        for k in range(3):
            edge = add(edge, Double(high[k * p : (k + 1) * p, i], low[k * p : (k + 1) * p, i]))
        full = double(np.zeros((p + 1, p + 1)))
        for whole, middle, side, corner in zip(full, found, edge, (float(rows), 0.0), strict=True):
            whole[1:, 1:], whole[0, 1:], whole[1:, 0], whole[0, 0] = middle, side, side, corner
        found = full
    return add(found, apart)


def _cut(block: Any, large: Any, shift: Any, first: Any, second: Any, rest: Any) -> None:
    """Rows less their shift as three slices, written in place."""
    np.subtract(np.add(block, large, out=first), large, out=first)
    np.subtract(block, first, out=rest)
    if shift.any():
        first -= shift
    large = large * 2.0 ** -(_BITS + 1)
    np.subtract(np.add(rest, large, out=second), large, out=second)
    rest -= second


def coarse(shift: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """A shift rounded to 2⁻⁸ of how far columns reach from it, so that slices can take it."""
    _, exponent = np.frexp(reach)
    unit = np.ldexp(1.0, exponent - 8)
    with np.errstate(all="ignore"):
        near = np.round(shift / unit) * unit
    return np.where((reach > 0) & np.isfinite(near), near, shift)
