"""Incomplete gamma functions and their inverses against Boost's tables and values of mpmath at 100 digits.

Errors are counted in units of 2⁻⁵² (1 + κ), κ = |a ∂F/∂a|/|F| + |x ∂F/∂x|/|F|: what rounding the arguments does.
"""

import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

from suffice.numerics.special.incomplete_gamma import gammainc, gammaincc, log_gammainc, log_gammaincc
from suffice.numerics.special.inverse_gamma import gammainccinv, gammainccinv_log, gammaincinv, gammaincinv_log

EPS = 2.0**-52
UNITS = 8
A, X, P, Q, LOG_P, LOG_Q, SCORE, CURVATURE = np.loadtxt(
    Path(__file__).parents[2] / "references" / "incomplete_gamma.csv", delimiter=",", skiprows=1, unpack=True
)
LOWER = LOG_P <= LOG_Q


@functools.cache
def slopes(function):
    return jax.jit(jax.grad(lambda a, x: jnp.sum(function(a, x)), (0, 1)))


def units(function, a, x, reference):
    """The error over 2⁻⁵² (1 + κ), where neither value nor slopes leave the range of double precision."""
    inside = (np.abs(reference) > 1e-290) & (np.abs(reference) < 1e300)
    count = np.count_nonzero(inside)
    # One length for all tables: one compilation.
    a, x, reference = (np.resize(np.asarray(v)[inside], 1000) for v in (a, x, reference))
    value = np.asarray(function(a, x))
    in_a, in_x = (np.asarray(d) for d in slopes(function)(a, x))
    condition = 1 + np.abs(a * in_a / reference) + np.abs(x * in_x / reference)
    assert np.all(np.isfinite(condition))
    return (np.abs(value / reference - 1) / (EPS * condition))[:count]


@pytest.mark.parametrize("name", ["small", "med", "int", "big"])
def test_boost(name, table):
    a, x, _, q, _, p = table(f"igamma_{name}_data")
    assert np.max(units(gammainc, a, x, p)) <= UNITS
    assert np.max(units(gammaincc, a, x, q)) <= UNITS


@pytest.mark.parametrize(
    ("function", "reference"), [(gammainc, P), (gammaincc, Q), (log_gammainc, LOG_P), (log_gammaincc, LOG_Q)]
)
def test_reference(function, reference):
    assert np.max(units(function, A, X, reference)) <= UNITS


def test_deep_tails():
    # Q(1, x) = exp(−x); P(a, x) → x^a/Γ(1 + a).
    x = np.array([1.0, 50.0, 1e3, 1e6, 1e300])
    np.testing.assert_allclose(log_gammaincc(1.0, x), -x, rtol=4 * EPS)
    np.testing.assert_allclose(log_gammainc(1e5, 1e-300), 1e5 * np.log(1e-300) - 1051299.2218991219, rtol=4 * EPS)
    np.testing.assert_allclose(gammaincc(1e-300, 1e-300), 6.901983122333122e-298, rtol=4 * EPS)


def test_limits():
    inf, nan = np.inf, np.nan
    a = np.array([1.0, 2.0, inf, 0.0, 0.0, inf, -1.0, 1.0, nan, 1.0])
    x = np.array([0.0, inf, 3.0, 1.0, 0.0, inf, 2.0, -1.0, 1.0, nan])
    p = np.array([0, 1, 0, 1, nan, nan, nan, nan, nan, nan])
    np.testing.assert_array_equal(gammainc(a, x), p)
    np.testing.assert_array_equal(gammaincc(a, x), 1 - p)
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(log_gammainc(a, x), np.log(p))
        np.testing.assert_array_equal(log_gammaincc(a, x), np.log(1 - p))
    a = np.array([2.0, 2.0, inf, 0.0, 1e-300, -1.0, 1.0, 1.0, nan, 1.0])
    p = np.array([0.0, 1.0, 0.3, 0.3, 0.3, 0.3, -0.1, 1.1, 0.3, nan])
    x = np.array([0, inf, inf, 0, 0, nan, nan, nan, nan, nan])
    np.testing.assert_array_equal(gammaincinv(a, p), x)
    np.testing.assert_array_equal(gammainccinv(a, 1 - p), x)
    np.testing.assert_array_equal(gammaincinv_log(2.0, np.array([-inf, 0.0, 1.0])), [0, inf, nan])
    np.testing.assert_array_equal(gammainccinv_log(2.0, np.array([-inf, 0.0, 1.0])), [inf, 0, nan])


def test_shapes():
    assert gammainc(jnp.ones((3, 1)), jnp.ones(4)).shape == (3, 4)
    assert gammaincinv(jnp.ones((3, 1)), jnp.full(4, 0.5)).shape == (3, 4)
    assert gammainc(jnp.ones((0,)), 2.0).shape == (0,)
    assert gammaincinv(2.0, jnp.ones((0,))).shape == (0,)
    assert jax.vmap(gammainc, (0, None))(jnp.arange(1.0, 4), 2.0).shape == (3,)


@pytest.mark.parametrize("function", [gammainc, gammaincc, log_gammainc, log_gammaincc])
def test_single_precision(function):
    rng = np.random.default_rng(3)
    a = (10 ** rng.uniform(-4, 6, 3000)).astype(np.float32)
    x = np.where(a > 0.3, a * np.exp(3 * rng.normal(size=3000) / np.sqrt(np.maximum(a, 0.3))), 10 ** rng.uniform(-6, 1))
    x = x.astype(np.float32)
    value = function(a, x)
    assert value.dtype == jnp.float32
    a, x = a.astype(float), x.astype(float)
    reference = np.asarray(function(a, x))
    in_a, in_x = slopes(function)(a, x)
    bound = np.abs(reference) + np.abs(a * in_a) + np.abs(x * in_x)
    # Below the smallest normal number the spacing is absolute.
    assert np.max(np.abs(value - reference) / (bound + 1e-37)) <= UNITS * 2.0**-23


def test_derivatives():
    """To 1e-11 of the size of the terms that make them: score = E[log t] − ψ(a), curvature = Var[log t] − ψ'(a)."""
    for side, function in ((LOWER, log_gammainc), (~LOWER, log_gammaincc)):
        a, x = A[side], X[side]
        first = jax.grad(function)
        np.testing.assert_allclose(jax.jit(jax.vmap(first))(a, x), SCORE[side], rtol=1e-11)
        second = jax.jit(jax.vmap(jax.grad(first)))(a, x)
        scale = np.abs(CURVATURE[side]) + SCORE[side] ** 2
        assert np.max(np.abs(second - CURVATURE[side]) / scale) <= 1e-10


def test_hessian_modes():
    def function(theta):
        a, b = theta
        return jnp.sum(gammaincc(a, b * jnp.array([1.0, 2.5, 3.5])))

    theta = jnp.array([3.7, 1.1])
    forward = jax.jit(jax.jacfwd(jax.jacfwd(function)))(theta)
    np.testing.assert_allclose(jax.jit(jax.hessian(function))(theta), forward, rtol=1e-12)


def test_interval_hessian(exact):
    """Second derivatives of an interval's log-probability, the likelihood of grouped data."""

    def interval(a, low, high):
        return mp.log(mp.gammainc(a, low, high, regularized=True))

    a, low = np.array([0.05, 0.7, 2.0, 9.0, 55.0, 700.0]), np.array([0.01, 0.3, 1.0, 6.0, 50.0, 690.0])
    high = low * 1.3
    reference = exact(
        lambda a, low, high: mp.diff(lambda a: interval(a, low, high), a, 2, h=a * mp.mpf(10) ** -12), a, low, high
    )
    second = jax.jit(
        jax.vmap(jax.hessian(lambda a, low, high: jnp.log(gammainc(a, high) - gammainc(a, low))), (0, 0, 0))
    )
    np.testing.assert_allclose(second(a, low, high), reference, rtol=1e-9)


@pytest.mark.parametrize("name", ["gamma_inv_data", "gamma_inv_small_data", "gamma_inv_big_data"])
def test_inverse_boost(name, table):
    a, p, lower, upper = table(name)
    assert np.max(units(gammaincinv, a, p, lower)) <= UNITS
    assert np.max(units(gammainccinv, a, p, upper)) <= UNITS


def test_inverse_shape_table(table):
    x, p, lower, upper = table("igamma_inva_data")
    assert np.max(units(gammaincinv, lower, p, x)) <= UNITS
    assert np.max(units(gammainccinv, upper, p, x)) <= UNITS


@pytest.mark.parametrize(("function", "log"), [(gammaincinv_log, LOG_P), (gammainccinv_log, LOG_Q)])
def test_inverse_log(function, log):
    assert np.max(units(function, A, log, X)) <= UNITS


def test_inverse_of_deep_tails():
    a = np.array([1e-5, 0.01, 0.5, 1.0, 3.0, 40.0, 1e3, 1e6, 1e10])[:, None]
    log = -(10.0 ** np.arange(0, 10, 0.5))
    a, log = (np.ravel(v) for v in np.broadcast_arrays(a, log))
    for inverse, forward in ((gammaincinv_log, log_gammainc), (gammainccinv_log, log_gammaincc)):
        x = np.asarray(inverse(a, log))
        inside = x > 1e-300
        assert np.max(units(forward, a[inside], x[inside], log[inside])) <= UNITS


@pytest.mark.parametrize("function", [gammaincinv, gammainccinv])
def test_inverse_single_precision(function):
    rng = np.random.default_rng(4)
    a, p = (10 ** rng.uniform(-1, 6, 2000)).astype(np.float32), rng.uniform(0.001, 0.999, 2000).astype(np.float32)
    value = function(a, p)
    assert value.dtype == jnp.float32
    a, p = a.astype(float), p.astype(float)
    reference = np.asarray(function(a, p))
    in_a, in_p = slopes(function)(a, p)
    bound = reference + np.abs(a * in_a) + np.abs(p * in_p)
    assert np.max(np.abs(value - reference) / (bound + 1e-37)) <= UNITS * 2.0**-23


def test_inverse_derivatives():
    """Against the identity gammaincinv(a, P(a, x)) = x, differentiated twice."""

    def identity(a, x):
        return gammaincinv(a, gammainc(a, x))

    def first(a, x):
        return jax.grad(identity, (0, 1))(a, x)

    a, x = np.array([0.3, 1.0, 4.0, 60.0, 2e4]), np.array([0.2, 1.7, 3.0, 70.0, 2.01e4])
    (in_a, in_x), second = jax.jit(jax.vmap(lambda a, x: (first(a, x), jax.jacfwd(first, (0, 1))(a, x))))(a, x)
    np.testing.assert_allclose(in_a, 0, atol=1e-11)
    np.testing.assert_allclose(in_x, 1, rtol=1e-12)
    np.testing.assert_allclose(second, np.zeros((2, 2, 5)), atol=1e-9)
