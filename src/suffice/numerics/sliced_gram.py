"""AᵀA of tall matrices to some 27 digits at the speed of plain products.

The columns of at most 8,192 rows are cut into three slices: 20 bits, 20 bits, and what is left. Products of the first
two are sums of at most 2¹³ integers below 2⁴⁰ in one unit, exact in float64; those with the third are so small that
their rounding is far below the last digit kept. The slices lie side by side, so one product of matrices gives all.

Few columns are cut by NumPy, a block that fits the cache at a time, without a shift of the rows: the first slice takes
it, as it is a multiple of that slice's unit.

Source: Ozaki, Ogita, Oishi and Rump 2012, doi:10.1007/s11075-011-9478-1.
"""

import functools
import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.double_double import Double, add, double, multiply, require_exact, sqrt, two_sum
from suffice.numerics.moments import namespace

ROWS = 8192  # of a block, at most: 20 + 20 + 13 bits fill a float64
FEW = 4 * ROWS  # rows up to which nothing is compiled
NARROW = 16  # columns up to which NumPy cuts them
_BITS = 20
_STEPS = 8  # parts of a block that are cut one after the other in compiled code
_LENGTH = 512  # rows of one product at most
_SQUARE = 9  # columns up to which products of unlike factors are faster than symmetric ones
_ALONE = 2**18  # multiplications up to which OpenBLAS uses one thread: chunks are reduced in threads already


def _exponent(hi: Any, shift: Any) -> Any:
    """e of each column with |hi − shift| <= 2^e, (1, p)."""
    xp = namespace(hi)
    return xp.frexp(xp.maximum(hi.max(axis=0, keepdims=True) - shift, shift - hi.min(axis=0, keepdims=True)))[1]


def _slices(hi: Any, lo: Any, exponent: Any) -> list[Any]:
    """Columns as three slices, each (n, p), whose sum is hi + lo."""
    xp = namespace(hi)
    # adding 3 · 2^k and taking it away rounds to multiples of 2^(k − 51)
    large = xp.ldexp(xp.full(exponent.shape, 1.5), exponent + (53 - _BITS))
    first = (hi + large) - large
    rest = hi - first
    large = large * 2.0 ** -(_BITS + 1)
    second = (rest + large) - large
    return [first, second, (rest - second) + lo]


def _shifted(hi: Any, lo: Any, shift: Any) -> tuple[Any, Any]:
    """hi + lo − shift as an exact sum and its error."""
    s, e = two_sum(hi, -shift)
    return two_sum(s, e if lo is None else e + lo)


def _product(hi: Any, lo: Any, shift: Any, exponent: Any, apart: int) -> tuple[Any, ...]:
    """Products of slices side by side, (3p, 3p).

    Of the last columns ``apart``, in slices each (n, K): products with the others, (3, 3k, K), and among themselves those
    of slices (i, j >= i) of the same column, (6, K).
    """
    parts = (*_shifted(hi, lo, shift), exponent)
    k, xp = hi.shape[1] - apart, namespace(hi)
    a = xp.concatenate(_slices(*(part[:, :k] for part in parts)), axis=1)
    if not apart:
        return (a.T @ a,)
    last = _slices(*(part[:, k:] for part in parts))
    squares = [(last[i] * last[j]).sum(axis=0) for i in range(3) for j in range(i, 3)]
    return a.T @ a, xp.stack([a.T @ s for s in last]), xp.stack(squares)


def _combined(blocks: Double, p: int) -> Double:
    """Blocks (3p, 3p) of products of slices as one sum, (p, p)."""
    part = [[blocks.at(slice(i * p, (i + 1) * p), slice(j * p, (j + 1) * p)) for j in range(3)] for i in range(3)]
    sum_ = part[0][0]
    for i, j in ((0, 1), (0, 2), (1, 1), (1, 2), (2, 2)):
        sum_ = add(sum_, part[i][j])
        if i < j:
            sum_ = add(sum_, Double(part[i][j].hi.T, part[i][j].lo.T))
    return sum_


def _put_together(products: tuple[Any, ...], p: int, apart: int) -> Double:
    """The same as one sum, (p, p)."""
    k = p - apart
    whole = _combined(double(np.asarray(products[0])), k)
    if not apart:
        return whole
    cross, ends = double(np.zeros((k, apart))), double(np.zeros(apart))
    for i, j in np.ndindex(3, 3):
        cross = add(cross, double(np.asarray(products[1])[j, i * k : (i + 1) * k]))
    for factor, row in zip((1.0, 2.0, 2.0, 1.0, 2.0, 1.0), np.asarray(products[2]), strict=True):
        ends = add(ends, double(factor * row))
    parts = zip(whole, cross, ends, strict=True)
    return Double(*(np.block([[a, b], [b.T, np.diag(c)]]) for a, b, c in parts))


def squares_alone(matrix: Double, apart: int) -> Double:
    """A matrix with 0 for products of different columns among the last."""
    k = len(matrix.hi) - apart
    for part in matrix if apart else ():
        part[k:, k:] *= np.eye(apart)
    return matrix


@functools.partial(jax.jit, static_argnames="apart")
def _compiled_product(hi: Any, lo: Any, shift: Any, apart: int) -> tuple[Any, ...]:
    """``_product`` of a whole block, in steps that fit the cache and share the units of their slices."""
    exponent, size = _exponent(hi, shift), len(hi) // _STEPS

    def part(i: Any) -> tuple[Any, ...]:
        high, low = (None if a is None else jax.lax.dynamic_slice_in_dim(a, i * size, size) for a in (hi, lo))
        return _product(high, low, shift, exponent, apart)

    return jax.lax.fori_loop(1, _STEPS, lambda i, sums: jax.tree.map(jnp.add, sums, part(i)), part(0))


def gram(hi: Any, lo: Any = None, shift: Any = None, compiled: bool | None = None, apart: int = 0) -> Double:
    """(A − shift)ᵀ (A − shift) for A = hi + lo, with an error of at most 1e-27 of the norms of its columns.

    Args:
        hi: (n, p), float64.
        lo: (n, p), what hi lacks, or None.
        shift: (p,), taken from each row; None for none.
        compiled: whether blocks of 8,192 rows run compiled; by default where there are more than four of them.
        apart: how many of the last columns are not multiplied with each other, so that these products are 0.

    Returns:
        NumPy pairs, (p, p), symmetric.
    """
    n, p = hi.shape
    compiled = n > FEW if compiled is None else compiled
    if compiled:
        require_exact()
    shift = np.zeros((1, p)) if shift is None else np.reshape(shift, (1, p))
    pending: list[tuple[Any, ...]] = []
    sum_ = double(np.zeros((p, p)))
    for at in range(0, n, ROWS):
        block = hi[at : at + ROWS], None if lo is None else lo[at : at + ROWS]
        if not compiled:
            sum_ = add(sum_, _put_together(_product(*block, shift, _exponent(block[0], shift), apart), p, apart))
            continue
        pending.append(_compiled_product(*map(_full, block, (shift, 0.0)), shift, apart=apart))
        if len(pending) == 4:  # a few under way: no core waits, and memory stays bounded
            sum_ = add(sum_, _put_together(pending.pop(0), p, apart))
    for products in pending:
        sum_ = add(sum_, _put_together(products, p, apart))
    return sum_


def _full(block: Any, padding: Any) -> Any:
    """A block of 8,192 rows; those it lacks are ones that the shift makes 0."""
    if block is None or len(block) == ROWS:
        return block
    full = np.empty((ROWS, block.shape[1]))
    full[: len(block)], full[len(block) :] = block, padding
    return full


def narrow_gram(parts: list[tuple[Any, Any]], constant: bool, shift: np.ndarray, heights: Any = None) -> Double:
    """(A − shift)ᵀ diag(heights) (A − shift) for A = [1, parts], as exact as ``gram``, for few columns in any order.

    Args:
        parts: pairs (hi, lo) of arrays (n, k), lo None where hi is all.
        constant: whether a column of ones comes first.
        shift: (p,), 0 for the constant; such as ``coarse`` gives, else blocks take the longer way.
        heights: (n,), >= 0, or None for 1.

    Returns:
        NumPy pairs, (p, p), symmetric.
    """
    n, p = len(parts[0][0]), sum(hi.shape[1] for hi, _ in parts)
    own, column = (
        shift[int(constant) :, None],
        heights is not None and constant,
    )  # weighted, the constant is no constant
    paired, first, q = heights is not None or any(lo is not None for _, lo in parts), int(constant), p + int(column)
    size = 3 * q + 1
    length = min(_LENGTH, _ALONE // size**2)
    count = min(-(-n // length), ROWS // length)  # sums of whole blocks are exact
    raw, cut = np.empty((p, count * length)), np.ones((size, count * length))  # slices, and ones for their sums
    low = np.zeros((p if paired else 0, count * length))
    ends = np.cumsum([0, *(hi.shape[1] for hi, _ in parts)])
    places = [slice(a, b) for a, b in itertools.pairwise(ends)]
    pieces = cut.reshape(size, count, length).transpose(1, 0, 2)
    left = pieces[:, :-1] if q <= _SQUARE else pieces  # unlike factors: BLAS multiplies few columns faster as such
    high, error = np.zeros((2, left.shape[1], size))
    rows, apart = 0, double(np.zeros((p + first, p + first)))
    for at in range(0, n, count * length):
        m = min(count * length, n - at)
        for (hi, lo), place in zip(parts, places, strict=True):
            raw[place, :m] = hi[at : at + m].T
            if lo is not None:
                low[place, :m] = lo[at : at + m].T
        block = raw[:, :m]
        slices = [cut[i * q : (i + 1) * q, :m] for i in range(3)]
        if paired:
            _cut_pairs(block, low[:, :m], own, None if heights is None else heights[at : at + m], column, slices)
        else:
            reach = np.maximum(block.max(axis=1, keepdims=True) - own, own - block.min(axis=1, keepdims=True))
            large = np.ldexp(1.5, np.frexp(reach)[1] + (53 - _BITS))
            if not (((own + large) - large == own) & (np.abs(own) < large * 2.0**-22)).all():
                whole = block.T if not first else np.concatenate([np.ones((m, 1)), block.T], axis=1)
                apart = add(apart, gram(np.ascontiguousarray(whole), None, shift, compiled=False))
                continue
            _cut(block, large, own, *slices)
        cut[:, m:] = 0.0
        high, lost = two_sum(high, np.matmul(left, pieces.swapaxes(1, 2)).sum(axis=0))
        error, rows = error + lost, rows + m
    found = Double(*(np.triu(a) + np.triu(a, 1).T for a in _combined(Double(high, error), q)))
    if first and not column:
        edge = double(np.zeros(p))
        for k in range(3):
            edge = add(edge, Double(high[k * p : (k + 1) * p, 3 * p], error[k * p : (k + 1) * p, 3 * p]))
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


def _cut_pairs(hi: Any, lo: Any, shift: Any, heights: Any, column: bool, slices: list[Any]) -> None:
    """Rows hi + lo less their shift, times the roots of heights, as slices; these roots themselves first for a constant."""
    values = two_sum(hi, -shift)
    values = two_sum(values.hi, values.lo + lo)
    if heights is not None:
        root = sqrt(double(heights)).at(None)
        values = multiply(values, root)
        if column:
            values = Double(*(np.concatenate(pair) for pair in zip(root, values, strict=True)))
    reach = np.abs(values.hi).max(axis=1, keepdims=True)
    _cut(values.hi, np.ldexp(1.5, np.frexp(reach)[1] + (53 - _BITS)), np.zeros(()), *slices)
    slices[2] += values.lo


def coarse(shift: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """A shift rounded to 2⁻⁸ of how far columns reach from it, so that slices can take it."""
    _, exponent = np.frexp(reach)
    unit = np.ldexp(1.0, exponent - 8)
    with np.errstate(all="ignore"):
        near = np.round(shift / unit) * unit
    return np.where((reach > 0) & np.isfinite(near), near, shift)
