"""Incomplete beta function, its inverses and Student's t against Boost's tables and series summed at 60 digits.

Errors are counted in units of 2⁻⁵² (1 + κ), κ = Σ |θ ∂F/∂θ|/|F| over the arguments: what rounding the arguments does.
"""

import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

from suffice.numerics.special.incomplete_beta import betainc, betaincc, log_betainc, log_betaincc
from suffice.numerics.special.inverse_beta import (
    betainccinv,
    betainccinv_log,
    betaincinv,
    betaincinv_log,
    betaincinv_pair,
)
from suffice.numerics.special.normal import log_ndtr, ndtri
from suffice.numerics.special.student_t import log_student_t_sf, student_t_isf, student_t_isf_log, student_t_sf

EPS = 2.0**-52
UNITS = 8
A, B, X, LOG_P, LOG_Q, *DERIVATIVES = np.loadtxt(
    Path(__file__).parents[2] / "references" / "incomplete_beta.csv", delimiter=",", skiprows=1, unpack=True
)
HALVES = (0.1, 1.0, 2.5, 30.0, 1e4)


@functools.cache
def value_and_slopes(function):
    return jax.jit(jax.vmap(jax.value_and_grad(function, (0, 1, 2))))


def units(function, a, b, x, reference):
    """The error over 2⁻⁵² (1 + κ), where the value does not leave the range of double precision."""
    inside = (np.abs(reference) > 1e-290) & (x > 0) & (x < 1)
    count = np.count_nonzero(inside)
    # One length for all tables: one compilation.
    a, b, x, reference = (np.resize(np.asarray(v)[inside], 1000) for v in (a, b, x, reference))
    value, slopes = value_and_slopes(function)(a, b, x)
    condition = 1 + sum(np.abs(t * d / reference) for t, d in zip((a, b, x), slopes, strict=True))
    assert np.all(np.isfinite(condition))
    return (np.abs(value / reference - 1) / (EPS * condition))[:count]


@pytest.mark.parametrize("name", ["ibeta", "ibeta_int_data", "ibeta_large_data", "ibeta_large_asym_data"])
def test_boost(name, table):
    a, b, x, p, q = table(name)
    assert np.max(units(betainc, a, b, x, p)) <= UNITS
    assert np.max(units(betaincc, a, b, x, q)) <= UNITS


@pytest.mark.parametrize(("function", "reference"), [(log_betainc, LOG_P), (log_betaincc, LOG_Q)])
def test_logarithms(function, reference):
    assert np.max(units(function, A, B, X, reference)) <= UNITS


def test_shape_derivatives():
    # Each derivative is a sum of terms no larger than 1/a, 1/b, |log x|, |log y| (squared, for the second); its error is
    # theirs, a few units in the last place.
    chosen = np.isfinite(DERIVATIVES[0])
    a, b, x = (np.compress(chosen, t) for t in (A, B, X))
    ones, none = np.ones_like(a), np.zeros_like(a)

    def along(f, i):
        return lambda a, b: jax.jvp(f, (a, b), ((ones, none) if i == 0 else (none, ones)))[1]

    def every(a, b):
        def f(a, b):
            return log_betainc(a, b, x)

        first = along(f, 0), along(f, 1)
        second = along(first[0], 0), along(first[0], 1), along(first[1], 1)
        return [g(a, b) for g in first + second]

    scale = 1 / a + 1 / b - np.log(x) - np.log1p(-x)
    for i, (value, reference) in enumerate(zip(jax.jit(every)(a, b), DERIVATIVES, strict=True)):
        exact = np.compress(chosen, reference)
        bound = (
            64
            * EPS
            * (
                np.abs(exact)
                + (scale if i < 2 else scale**2) * np.exp(np.minimum(0, np.compress(chosen, LOG_Q - LOG_P)))
            )
        )
        assert np.all(np.abs(value - exact) <= bound)


def test_hessian_of_an_interval(exact):
    def function(log, value):
        return lambda a, b: log(value(a, b, 0.6) - value(a, b, 0.3))

    hessian = jax.jit(jax.hessian(lambda s: function(jnp.log, betainc)(s[0], s[1])))(jnp.array([2.5, 1.5]))
    reference = function(mp.log, lambda a, b, x: mp.betainc(a, b, 0, mp.mpf(x), regularized=True))
    for i, j in ((0, 0), (0, 1), (1, 1)):
        order = (2 - i - j, i + j)
        expected = exact(lambda a, b, order=order: mp.diff(reference, (a, b), order), [2.5], [1.5])[0]
        assert hessian[i, j] == pytest.approx(expected, rel=1e-13)
    assert hessian[1, 0] == pytest.approx(float(hessian[0, 1]), rel=1e-14)


def test_limits():
    x = np.array([0.0, 1.0, -0.1, 1.1, np.nan])
    np.testing.assert_array_equal(betainc(2.0, 3.0, x), [0, 1, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(betaincc(2.0, 3.0, x), [1, 0, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(log_betainc(2.0, 3.0, x), [-np.inf, 0, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(log_betaincc(2.0, 3.0, x), [0, -np.inf, np.nan, np.nan, np.nan])
    a, b = np.array([0, 3, 0, np.inf, 3, -1]), np.array([3, 0, 0, 3, np.inf, 2])
    np.testing.assert_array_equal(betainc(a, b, 0.5), [1, 0, np.nan, 0, 1, np.nan])
    assert betainc(np.zeros((0, 2)), 1.0, 0.5).shape == (0, 2)
    assert betaincinv(np.zeros((3, 1)) + 2, np.ones((1, 2)), 0.25).shape == (3, 2)


def test_complement_near_one():
    # I_{1−y}(a, 1) = (1 − y)^a, 1 − I = −expm1(a log1p(−y)), with y below the resolution of x.
    y = np.array([1e-300, 1e-40, 1e-17, 1e-9])
    # Rounding the logarithm of the tail moves the tail by that many units.
    error = betaincc(3.0, 1.0, 1 - y, y) / -np.expm1(3 * np.log1p(-y)) - 1
    assert np.all(np.abs(error) <= EPS * (4 - np.log(y)))


def test_single_precision():
    chosen = (X > 1e-30) & (X < 1 - 1e-6) & (A < 1e6) & (B < 1e6) & (LOG_P > -60) & (LOG_Q > -60)
    a, b, x = (np.compress(chosen, t).astype(np.float32) for t in (A, B, X))
    double = [t.astype(float) for t in (a, b, x)]
    for function in (betainc, betaincc):
        value = function(a, b, x)
        assert value.dtype == jnp.float32
        reference, slopes = value_and_slopes(function)(*double)
        condition = 1 + sum(np.abs(t * d / reference) for t, d in zip(double, slopes, strict=True))
        assert np.max(np.abs(value / reference - 1) / condition) <= UNITS * 2.0**-23
    assert betaincinv(a, b, np.float32(0.3)).dtype == jnp.float32
    assert np.all(np.isfinite(betaincinv(a, b, np.float32(0.3))))


def inverse_bound(a, b, x, p):
    """What rounding a, b and p does to log x, in units of 2⁻⁵²."""
    slopes = jax.jit(jax.vmap(jax.grad(betaincinv, (0, 1, 2))))(a, b, p)
    return UNITS * EPS * (1 + sum(np.abs(t * d / x) for t, d in zip((a, b, p), slopes, strict=True)))


def test_boost_inverse(table):
    a, b, p, lower, upper = table("ibeta_inv")
    seen = (lower > 1e-290) & (lower < 1)
    bound = inverse_bound(a, b, lower, p)
    assert np.all((np.abs(betaincinv(a, b, p) / lower - 1) <= bound)[seen])
    seen = (upper > 1e-290) & (upper < 1)
    bound = inverse_bound(a, b, upper, 1 - p) + UNITS * EPS  # 1 − p is rounded
    assert np.all((np.abs(betainccinv(a, b, p) / upper - 1) <= bound)[seen])


def test_inverse_shape_table(table):
    known, x, p, a_lower, a_upper, b_lower, b_upper = table("ibeta_inva_data")
    assert np.max(units(betaincinv, a_lower, known, p, x)) <= UNITS
    assert np.max(units(betainccinv, a_upper, known, p, x)) <= UNITS
    assert np.max(units(betaincinv, known, b_lower, p, x)) <= UNITS
    assert np.max(units(betainccinv, known, b_upper, p, x)) <= UNITS


def test_inverse_from_logarithms():
    # The residual of the log tail, in units of its own condition: |log p| for its rounding, and the density times x for x.
    logit, x, y = betaincinv_pair(A, B, LOG_P, LOG_Q)
    lower = LOG_P <= LOG_Q
    value = np.where(lower, log_betainc(A, B, x, y), log_betaincc(A, B, x, y))
    target = np.where(lower, LOG_P, LOG_Q)
    _, (_, _, slope) = value_and_slopes(log_betainc)(*np.where(lower, [A, B, X], [B, A, 1 - X]))
    steep = slope * np.where(lower, X, 1 - X)
    assert np.all(np.abs(value - target) <= UNITS * EPS * (1 + np.abs(target) + np.abs(steep)))
    np.testing.assert_allclose(logit, np.log(x) - np.log(y), rtol=4 * EPS, atol=4 * EPS)
    np.testing.assert_array_equal(betaincinv_log(A, B, LOG_P)[LOG_P < -1], x[LOG_P < -1])
    np.testing.assert_array_equal(betainccinv_log(A, B, LOG_Q)[LOG_Q < -1], x[LOG_Q < -1])


def test_inverse_limits():
    p = np.array([0, 1, 0.5, -0.1, 1.1, np.nan])
    np.testing.assert_allclose(betaincinv(1.0, 1.0, p), [0, 1, 0.5, np.nan, np.nan, np.nan], rtol=EPS)
    np.testing.assert_allclose(betainccinv(1.0, 1.0, p), [1, 0, 0.5, np.nan, np.nan, np.nan], rtol=EPS)


def test_inverse_derivatives(exact):
    def quantile(a, b, p):
        return mp.findroot(lambda x: mp.betainc(a, b, 0, x, regularized=True) - p, 0.27)

    slopes = jax.jit(jax.grad(betaincinv, (0, 1, 2)))(2.0, 3.0, 0.3)
    for slope, order in zip(slopes, np.eye(3, dtype=int).tolist(), strict=True):
        expected = exact(lambda *t, order=tuple(order): mp.diff(quantile, t, order), [2.0], [3.0], [0.3])[0]
        assert slope == pytest.approx(expected, rel=1e-13)


def student_tail(df, t):
    """P(T > t), by mpmath."""
    return mp.betainc(df / 2, mp.mpf(1) / 2, 0, df / (df + t * t), regularized=True) / 2


def grid(*columns):
    return [c.ravel() for c in np.meshgrid(*columns)]


def test_student_tails(exact):
    df, t = grid(HALVES, [1e-12, 1e-3, 0.5, 2.0, 10.0, 1e3, 1e100, 1e180])
    expected = exact(lambda n, t: mp.log(student_tail(n, t)), df, t)
    np.testing.assert_allclose(log_student_t_sf(df, t), expected, rtol=UNITS * EPS)
    expected = exact(lambda n, t: 1 - student_tail(n, t), df, t)
    np.testing.assert_allclose(student_t_sf(df, -t), expected, rtol=UNITS * EPS)
    np.testing.assert_allclose(log_student_t_sf(np.array([1e20, 1e40, np.inf]), 3.0), log_ndtr(-3.0), rtol=UNITS * EPS)
    np.testing.assert_array_equal(
        student_t_sf(np.array([2, 2, 2, -1, np.nan]), np.array([np.inf, -np.inf, 0, 1, 1])), [0, 1, 0.5, np.nan, np.nan]
    )


def test_student_derivatives(exact):
    df, t = grid([0.5, 3.3, 40.0], [-1.5, 0.0, 0.3, 20.0])

    def log_tail(n, t):
        return mp.log(student_tail(n, t) if t > 0 else 1 - student_tail(n, t))

    gradient = jax.jit(jax.vmap(jax.grad(log_student_t_sf, (0, 1))))(df, t)
    hessian = jax.jit(jax.vmap(jax.hessian(log_student_t_sf, (0, 1))))(df, t)
    away = t != 0
    for value, order in ((gradient[0], (1, 0)), (hessian[0][0], (2, 0))):
        expected = exact(lambda n, t, order=order: mp.diff(lambda m: log_tail(m, t), n, order[0]), df, t)
        # The tail's mean of log(1 + t²/df) cancels to 1/df² of it: that many digits less.
        np.testing.assert_allclose(value[away], expected[away], rtol=1e-11)
        np.testing.assert_array_equal(np.asarray(value)[~away], 0)
    # At t = 0, where |t| enters the formula, the mixed derivative is −2 ∂/∂df of the density.
    mixed = exact(lambda n: mp.diff(lambda m: -2 / mp.sqrt(m) / mp.beta(m / 2, mp.mpf(1) / 2), n), df[~away])
    np.testing.assert_allclose(np.asarray(hessian[0][1])[~away], mixed, rtol=1e-12)


def test_student_interval_hessian(exact):
    hessian = jax.jit(jax.hessian(lambda n: jnp.log(student_t_sf(n, 0.3) - student_t_sf(n, 1.7))))(3.3)
    expected = exact(
        lambda n: mp.diff(lambda m: mp.log(student_tail(m, mp.mpf(0.3)) - student_tail(m, mp.mpf(1.7))), n, 2), [3.3]
    )
    assert hessian == pytest.approx(expected[0], rel=1e-12)


def test_student_quantiles():
    df, q = grid((0.5, 1.0, 5.0, 1e3, 1e6, 1e10, 1e20, np.inf), (1e-100, 1e-20, 0.01, 0.3, 0.4999999, 0.6, 1 - 1e-10))
    t = student_t_isf(df, q)
    slope = np.abs(t * jax.vmap(jax.grad(student_t_sf, 1))(df, t) / q)
    assert np.all(np.abs(student_t_sf(df, t) / q - 1) <= UNITS * EPS * (1 + np.abs(np.log(q)) + slope))
    np.testing.assert_allclose(student_t_isf(1.0, 0.25), 1.0, rtol=UNITS * EPS)
    np.testing.assert_allclose(student_t_isf(np.inf, q), -ndtri(q), rtol=1e-13)
    edges = student_t_isf(3.0, np.array([0, 0.5, 1, -0.1, np.nan]))
    np.testing.assert_array_equal(edges, [np.inf, 0, -np.inf, np.nan, np.nan])
    # P(T > t) → (√3/t)³ · 2/(√3 π) · … for df = 3: three times the log of t is what the log of the tail leaves.
    far = student_t_isf_log(3.0, np.array([-1e3, -1.1e3]))
    np.testing.assert_allclose(3 * np.log(far[1] / far[0]), 100.0, rtol=1e-12)
