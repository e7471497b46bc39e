"""Triangular factors in double-double: Cholesky, orthogonalisation, substitution, for small matrices on the host."""

import numpy as np

from suffice.numerics.double_double import Double, add, divide, double, multiply, sqrt, subtract, total


def cholesky(gram: Double, apart: int = 0) -> Double:
    """Upper triangular R with Rᵀ R = gram; a column whose pivot is not above 0 gets a row of zeros.

    Args:
        gram: symmetric, (p, p).
        apart: how many of the last columns are factored each by itself, as if there were no other of them; of their
            products only the squares are looked at.
    """
    p = len(gram.hi)
    k = p - apart
    a, squares = Double(gram.hi[:k].copy(), gram.lo[:k].copy()), _diagonal(gram, k)
    r = double(np.zeros((p, p)))
    for j in range(k):
        if not a.hi[j, j] > 0.0:
            continue
        root = sqrt(a.at(j, j))
        row = divide(a.at(j, slice(j, p)), root)
        r.hi[j, j:], r.lo[j, j:] = row
        rest, own = row.at(slice(1, None)), row.at(slice(k - j, None))
        outer = multiply(rest.at(slice(0, k - j - 1), None), rest.at(None, slice(None)))
        below = subtract(a.at(slice(j + 1, k), slice(j + 1, p)), outer)
        a.hi[j + 1 :, j + 1 :], a.lo[j + 1 :, j + 1 :] = below
        squares = subtract(squares, multiply(own, own))
    return _ended(r, sqrt(Double(*(np.where(squares.hi > 0.0, s, 0.0) for s in squares))))


def orthogonalise(a: Double, apart: int = 0) -> Double:
    """Upper triangular R with Rᵀ R = Aᵀ A by modified Gram–Schmidt on A, (n, p).

    A column of which nothing is left gets a row of zeros, so n may be less than p. ``apart`` as of ``cholesky``.
    """
    p = a.hi.shape[1]
    k = p - apart
    a = Double(a.hi.copy(), a.lo.copy())
    r = double(np.zeros((p, p)))
    for j in range(k):
        column = a.at(slice(None), j)
        norm = sqrt(total(multiply(column, column)))
        if not norm.hi > 0.0:
            continue
        q = divide(column, norm).at(slice(None), None)
        rest = a.at(slice(None), slice(j + 1, p))
        row = total(multiply(q, rest))
        r.hi[j, j], r.lo[j, j] = norm
        r.hi[j, j + 1 :], r.lo[j, j + 1 :] = row
        left = subtract(rest, multiply(q, row.at(None, slice(None))))
        a.hi[:, j + 1 :], a.lo[:, j + 1 :] = left
    own = a.at(slice(None), slice(k, None))
    return _ended(r, sqrt(total(multiply(own, own))))


def _diagonal(a: Double, first: int) -> Double:
    return Double(*(np.diagonal(part)[first:].copy() for part in a))


def _ended(r: Double, last: Double) -> Double:
    """R with the end of its diagonal."""
    at = np.arange(len(r.hi) - len(last.hi), len(r.hi))
    r.hi[at, at], r.lo[at, at] = last
    return r


def solve_upper(r: Double, b: Double) -> Double:
    """R⁻¹ B by back substitution, R (p, p) upper triangular without zeros on its diagonal, B (p, k)."""
    x = Double(b.hi.copy(), b.lo.copy())
    for i in reversed(range(len(r.hi))):
        row = divide(x.at(i), r.at(i, i))
        x.hi[i], x.lo[i] = row
        taken = multiply(r.at(slice(0, i), i).at(slice(None), None), row.at(None, slice(None)))
        x.hi[:i], x.lo[:i] = subtract(x.at(slice(0, i)), taken)
    return x


def matmul(a: Double, b: Double) -> Double:
    """A B, column by column of A."""
    c = double(np.zeros((a.hi.shape[0], b.hi.shape[1])))
    for k in range(a.hi.shape[1]):
        c = add(c, multiply(a.at(slice(None), k).at(slice(None), None), b.at(k).at(None, slice(None))))
    return c
