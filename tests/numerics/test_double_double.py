"""Error-free transformations, compiled and not, against exact fractions; what is made of them against mpmath's digits."""

import math
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from suffice.numerics import double_double as dd
from suffice.numerics.double_double_linalg import cholesky, matmul, orthogonalise, solve_upper
from suffice.numerics.sliced_gram import ROWS, coarse, gram, narrow_gram

RNG = np.random.default_rng(21)


def exact(pair, *index):
    return Fraction(float(np.asarray(pair.hi)[index])) + Fraction(float(np.asarray(pair.lo)[index]))


def wild(n):
    return RNG.normal(size=n) * 10.0 ** RNG.integers(-40, 40, n)


@pytest.mark.parametrize("compiled", [False, True])
def test_transformations_lose_nothing(compiled):
    """10,000 random pairs, over eighty decades: sums and products equal their fractions."""
    a, b = wild(10_000), wild(10_000)
    near = a * (1.0 + RNG.normal(size=10_000) * 1e-8)  # sums that cancel
    run = (lambda f, *x: jax.jit(f)(*map(jnp.asarray, x))) if compiled else (lambda f, *x: f(*x))
    total, cancelled, product = run(dd.two_sum, a, b), run(dd.two_sum, a, -near), run(dd.two_prod, a, b)
    for i in range(10_000):
        x, y, z = Fraction(a[i]), Fraction(b[i]), Fraction(near[i])
        assert exact(total, i) == x + y
        assert exact(cancelled, i) == x - z
        assert exact(product, i) == x * y


@pytest.mark.parametrize("compiled", [False, True])
def test_arithmetic_has_thirty_digits(compiled):
    hi = [RNG.uniform(0.5, 2.0, 1000) for _ in range(2)]
    a, b = (dd.Double(*dd.two_sum(h, h * RNG.normal(size=1000) * 1e-17)) for h in hi)
    if compiled:
        a, b = jax.tree.map(jnp.asarray, (a, b))

    def all_of(a, b):
        return dd.add(a, b), dd.subtract(a, b), dd.multiply(a, b), dd.divide(a, b), dd.sqrt(a)

    found = (jax.jit(all_of) if compiled else all_of)(a, b)
    for i in range(1000):
        x, y = exact(a, i), exact(b, i)
        for got, want in zip(found[:4], (x + y, x - y, x * y, x / y), strict=True):
            assert abs(exact(got, i) - want) <= 2.0**-102 * (abs(x) + abs(y))
        assert abs(exact(found[4], i) ** 2 - x) <= 2.0**-101 * x


def test_sums_roots_of_zero_and_fractions():
    x = dd.double(np.array([1.0, 1e16, 1.0, -1e16, 1e-10]))
    assert exact(dd.total(x)) == 2 + Fraction(1e-10)
    assert dd.total(dd.double(np.zeros((0, 3)))).hi.tolist() == [0.0, 0.0, 0.0]
    assert dd.sqrt(dd.double(np.array([0.0]))).value.tolist() == [0.0]
    third = dd.from_fractions([Fraction(1, 3)])
    assert abs(exact(third, 0) - Fraction(1, 3)) < Fraction(1, 10**32)


def test_compiled_code_keeps_roundings():
    dd.require_exact()  # raises where it does not
    slip = jax.jit(lambda a, b: (a + b) - b)
    assert float(slip(jnp.float64(1.0), jnp.float64(1e16))) == 0.0


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("n", [1, 7, 300, ROWS + 5])
def test_gram(n, compiled):
    """Columns of unlike size, two nearly parallel, shifted; the compiled blocks as well. Error below 1e-27 of norms."""
    x = RNG.normal(size=(n, 3)) * np.array([1.0, 1e-7, 1e9])
    x[:, 1] = x[:, 0] * (1.0 + 1e-6 * RNG.normal(size=n))
    low, shift = x * 1e-17 * RNG.uniform(-1, 1, x.shape), np.array([0.0, 0.3, 1e8])
    found = gram(x, low, shift, compiled)
    rows = [
        [Fraction(a) + Fraction(b) - Fraction(c) for a, b, c in zip(*r, shift, strict=True)]
        for r in zip(x, low, strict=True)
    ]
    for i in range(3):
        for j in range(3):
            want = sum(r[i] * r[j] for r in rows)
            norm = float(sum(r[i] ** 2 for r in rows) * sum(r[j] ** 2 for r in rows)) ** 0.5
            assert abs(float(exact(found, i, j) - want)) <= 1e-27 * norm


@pytest.mark.parametrize("compiled", [False, True])
def test_gram_without_products_of_the_last(compiled):
    """The same products to 27 digits, 0 for those left out; the factor of each last column is that of it alone."""
    x = RNG.normal([0.0, 3.0, 1e3, 0.0, 5.0], size=(ROWS + 300, 5))
    low, shift = x * 1e-17 * RNG.uniform(-1, 1, x.shape), np.array([0.0, 2.9, 1e3, 0.1, 5.2])
    whole, part = gram(x, low, shift, compiled), gram(x, low, shift, compiled, apart=3)
    size = np.sqrt(np.diagonal(whole.hi))
    kept = np.ones((5, 5), bool)
    kept[2:, 2:] = np.eye(3, dtype=bool)
    gap = (whole.hi - part.hi) + (whole.lo - part.lo)
    assert (np.abs(gap)[kept] <= 1e-27 * np.outer(size, size)[kept]).all()
    assert not part.hi[~kept].any()
    assert not part.lo[~kept].any()
    for root in (cholesky(part, apart=3), orthogonalise(dd.Double(x - shift, low), apart=3)):
        for j in (2, 3, 4):
            columns = [0, 1, j]
            alone = cholesky(whole.at(*np.ix_(columns, columns)))
            assert root.hi[np.ix_(columns, columns)] == pytest.approx(alone.hi, rel=1e-13, abs=1e-13 * size[j])


def test_factors():
    """Cholesky of AᵀA and Gram–Schmidt on A give one R, which solves A's normal equations."""
    x = RNG.normal(size=(60, 6))
    a, b = cholesky(gram(x)), orthogonalise(dd.double(x))
    assert np.abs(dd.subtract(a, b).hi).max() <= 1e-29 * np.abs(a.hi).max()
    inverse = solve_upper(a, dd.double(np.eye(6)))
    unit = matmul(a, inverse)
    assert np.abs(dd.subtract(unit, dd.double(np.eye(6))).hi).max() <= 1e-29


def test_factors_of_dependent_columns():
    """A column that is a multiple of another leaves nothing, by both ways; fewer rows than columns do no harm."""
    x = RNG.integers(-5, 5, size=(3, 2)).astype(float)
    wide = np.column_stack([x, 2.0 * x[:, 0] - x[:, 1], x[:, 0] * 4.0])
    for r in (cholesky(gram(wide)), orthogonalise(dd.double(wide))):
        size = np.sqrt((r.hi**2).sum(0))
        assert abs(r.hi[2, 2]) <= 1e-13 * size[2]  # the root of a difference of numbers of 28 digits
        assert np.isfinite(r.hi).all()


def whole(hi, lo, shift):
    """Rows as exact fractions, the constant first."""
    return [
        [Fraction(1)] + [Fraction(v) + Fraction(e) - Fraction(s) for v, e, s in zip(r, d, shift[1:], strict=True)]
        for r, d in zip(hi.tolist(), lo.tolist(), strict=True)
    ]


def holds(found, rows, heights):
    """Whether products are right to 27 digits of the norms, and symmetric."""
    heights, p = [Fraction(h) for h in heights], len(rows[0])
    size = [math.sqrt(sum(h * r[i] ** 2 for h, r in zip(heights, rows, strict=True))) for i in range(p)]
    for i in range(p):
        for j in range(i + 1):
            exact = sum(h * r[i] * r[j] for h, r in zip(heights, rows, strict=True))
            both = Fraction(float(found.hi[i, j])) + Fraction(float(found.lo[i, j]))
            assert abs(float(both - exact)) <= 1e-27 * size[i] * size[j]
            assert found.hi[i, j] == found.hi[j, i]


@pytest.mark.parametrize("centre", [[0.0, 0.0, 0.0], [1e3, -5e6, 0.3], [3e9, 1e-5, 1e4], [1e17, 0.0, 0.0]])
def test_narrow_gram_is_exact_to_27_digits(centre):
    """Beside exact fractions: columns far from 0, in memory of either order, more rows than one block, a step in scale."""
    rng = np.random.default_rng(4)
    a = rng.normal(size=(9000, 3)) * [1.0, 1e3, 1e-3] + centre
    a[8500:, 1] *= 1e6
    mean = a[:1000].mean(axis=0)
    shift = np.r_[0.0, coarse(mean, np.abs(a[:1000] - mean).max(axis=0))]
    found = narrow_gram([(np.asfortranarray(a[:, :2]), None), (a[:, 2:], None)], True, shift)
    holds(found, whole(a, 0.0 * a, shift.tolist()), np.ones(9000))


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("weighed", [False, True])
def test_narrow_gram_of_weighted_rows_and_pairs(pairs, weighed):
    rng = np.random.default_rng(5)
    a = rng.normal(size=(9000, 3)) * [1.0, 1e3, 1e-3] + [10.0, 0.0, 5.0]
    low = a * rng.uniform(-1e-16, 1e-16, size=a.shape) * [0.0, 1.0, 1.0] * pairs
    heights = rng.integers(0, 4, 9000) * rng.uniform(0.3, 2.0, 9000) if weighed else np.ones(9000)
    shift = np.array([0.0, 10.3, 1.7, 5.1])
    parts = [(a[:, :1], None), (a[:, 1:], low[:, 1:] if pairs else None)]
    found = narrow_gram(parts, True, shift, heights if weighed else None)
    holds(found, whole(a, low, shift.tolist()), heights)
    bare = narrow_gram(parts, False, shift[1:], heights if weighed else None)
    assert np.allclose(bare.hi, found.hi[1:, 1:], rtol=1e-14)
