"""Elementary functions against mpmath at 50 digits. Bounds count units of 2⁻⁵²: one per rounding of the formula."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

from suffice.numerics.special import elementary

EPS = 2.0**-52
RNG = np.random.default_rng(20)
SMALL = 10.0 ** RNG.uniform(-20, 0, 200)


def log1pmx(x):
    with mp.workdps(90):
        return mp.log1p(x) - x


def expm1mx(x):
    with mp.workdps(90):
        return mp.expm1(x) - x


CASES = {
    "log1pmx": (log1pmx, np.concatenate([SMALL, -SMALL, 10.0 ** RNG.uniform(0, 50, 100)])),
    "expm1mx": (expm1mx, np.concatenate([SMALL, -SMALL, RNG.uniform(-700, 700, 200)])),
    "log1mexp": (lambda x: mp.log(-mp.expm1(x)), np.concatenate([-SMALL, -RNG.uniform(0, 40, 200)])),
    "softplus": (lambda x: mp.log1p(mp.exp(x)), RNG.uniform(-700, 700, 200)),
    "log_sigmoid": (lambda x: -mp.log1p(mp.exp(-x)), RNG.uniform(-700, 700, 200)),
}
SLOPES = {
    "log1pmx": lambda x: -x / (1 + x),
    "expm1mx": mp.expm1,
    "log1mexp": lambda x: -mp.exp(x) / -mp.expm1(x),
    "softplus": lambda x: 1 / (1 + mp.exp(-x)),
    "log_sigmoid": lambda x: 1 / (1 + mp.exp(x)),
}


@pytest.mark.parametrize("name", CASES)
def test_value_and_derivative(name, exact):
    reference, x = CASES[name]
    function = getattr(elementary, name)
    np.testing.assert_allclose(function(x), exact(reference, x), rtol=4 * EPS)
    np.testing.assert_allclose(jax.vmap(jax.grad(function))(x), exact(SLOPES[name], x), rtol=4 * EPS)


def test_tables_of_log1p_and_expm1(table):
    x, log1p, expm1 = table("log1p_expm1_data")
    # Adding x back must return the tabulated value: one rounding more.
    np.testing.assert_allclose(elementary.log1pmx(x) + x, log1p, rtol=4 * EPS)
    np.testing.assert_allclose(elementary.expm1mx(x) + x, expm1, rtol=4 * EPS)


def test_logsubexp(exact):
    a = RNG.uniform(-50, 50, 200)
    b = a - 10.0 ** RNG.uniform(-12, 2, 200)
    value = exact(lambda a, b: mp.log(mp.exp(a) - mp.exp(b)), a, b)
    # a and log1mexp(b − a) are added: the error is in units of the larger.
    assert np.all(np.abs(elementary.logsubexp(a, b) - value) <= 3 * EPS * (np.abs(a) + np.abs(value)))
    slope = exact(lambda a, b: 1 / (1 - mp.exp(b - a)), a, b)
    np.testing.assert_allclose(jax.vmap(jax.grad(elementary.logsubexp))(a, b), slope, rtol=4 * EPS)
    lower = jax.vmap(jax.grad(elementary.logsubexp, 1))(a, b)
    reference = exact(lambda a, b: 1 / (1 - mp.exp(a - b)), a, b)
    # exp(b − a) has the condition number a − b.
    assert np.all(np.abs(lower / reference - 1) <= 3 * EPS * (1 + a - b))


def test_limits():
    inf, nan = np.inf, np.nan
    for name, x, expected in [
        ("log1pmx", [-1, 0, inf, -2, nan], [-inf, 0, -inf, nan, nan]),
        ("expm1mx", [-inf, 0, inf, nan], [inf, 0, inf, nan]),
        ("log1mexp", [-inf, 0, 1, nan], [0, -inf, nan, nan]),
        ("softplus", [-inf, inf, nan], [0, inf, nan]),
        ("log_sigmoid", [-inf, inf, nan], [-inf, 0, nan]),
    ]:
        np.testing.assert_array_equal(getattr(elementary, name)(np.array(x, float)), expected, err_msg=name)
    a, b = np.array([1.0, 1.0, -inf, inf, 0.0]), np.array([1.0, -inf, -inf, 0.0, 1.0])
    np.testing.assert_array_equal(elementary.logsubexp(a, b), [-inf, 1, -inf, inf, nan])


def test_weighted_logarithms_at_zero_weight():
    np.testing.assert_array_equal(
        elementary.xlogy(np.array([0, 0, 2, 0]), np.array([0, 3, 0.5, np.inf])), [0, 0, 2 * np.log(0.5), 0]
    )
    assert jax.grad(elementary.xlogy, 1)(0.0, 0.0) == 0
    assert jax.grad(elementary.xlog1py, 1)(0.0, -1.0) == 0
    assert jax.grad(elementary.xlogy, 1)(3.0, 2.0) == 1.5
    assert jax.grad(elementary.xlogy, 0)(3.0, 2.0) == jnp.log(2.0)
    assert jnp.isnan(elementary.xlogy(0.0, jnp.nan))
    assert elementary.xlog1py(0.0, -1.0) == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_error_free_transformations(dtype):
    a = (RNG.normal(size=300) * 10.0 ** RNG.uniform(-5, 5, 300)).astype(dtype)
    b = (RNG.normal(size=300) * 10.0 ** RNG.uniform(-5, 5, 300)).astype(dtype)
    s, e = jax.jit(elementary.two_sum)(a, b)
    p, f = jax.jit(elementary.two_product)(a, b)
    high, low = jax.jit(elementary.split)(a)
    for row in zip(a, b, s, e, p, f, high, low, strict=True):
        a_, b_, s_, e_, p_, f_, high_, low_ = (Fraction(float(v)) for v in row)
        assert s_ + e_ == a_ + b_
        assert p_ + f_ == a_ * b_
        assert high_ + low_ == a_
        assert Fraction(float(dtype(float(high_ * high_)))) == high_ * high_


def test_types_and_shapes():
    assert elementary.softplus(np.float32(1)).dtype == jnp.float32
    assert elementary.softplus(1).dtype == jnp.float64
    assert elementary.softplus(1.0).weak_type
    assert elementary.logsubexp(np.float32(1), 0.5).dtype == jnp.float32
    assert elementary.logsubexp(np.ones((3, 1)), np.zeros(2)).shape == (3, 2)
    assert elementary.log1pmx(np.zeros((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("name", CASES)
def test_single_precision(name):
    _, x = CASES[name]
    x = x[(np.abs(x) < 80) & (np.abs(x) > 1e-15)].astype(np.float32)
    x = x[x > -1] if name == "log1pmx" else x
    function = getattr(elementary, name)
    np.testing.assert_allclose(function(x), function(x.astype(float)), rtol=4 * 2.0**-23)
