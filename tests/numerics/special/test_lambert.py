"""Lambert's W against mpmath; the condition number is 1/abs(1 + W)."""

import jax
import mpmath as mp
import numpy as np
import pytest

from suffice.numerics.special.lambert import lambert_w, lambert_w_lower

EPS = 2.0**-52
RNG = np.random.default_rng(25)
NEGATIVE = np.concatenate([-(10.0 ** RNG.uniform(-300, -0.45, 150)), -1 / np.e + 10.0 ** RNG.uniform(-15, -1, 150)])
POSITIVE = 10.0 ** RNG.uniform(-300, 300, 150)
BRANCHES = {lambert_w: (0, np.concatenate([NEGATIVE, POSITIVE])), lambert_w_lower: (-1, NEGATIVE)}


@pytest.mark.parametrize("function", BRANCHES)
def test_value_and_derivative(function, exact):
    branch, x = BRANCHES[function]
    reference = exact(lambda x: mp.lambertw(x, branch).real, x)
    condition = 1 + 1 / np.abs(1 + reference)
    assert np.all(np.abs(function(x) / reference - 1) <= 2 * EPS * condition)
    far = np.abs(1 + reference) > 0.1
    slope = exact(lambda x: 1 / (x + mp.exp(mp.lambertw(x, branch).real)), x)
    # x + exp(W) = exp(W)(1 + W), and exp(W) has the condition number abs(W).
    error = np.abs(jax.vmap(jax.grad(function))(x) / slope - 1)
    assert np.all((error <= 4 * EPS * condition * (2 + np.abs(reference)) ** 2)[far])


def test_limits():
    x = np.array([0, -1 / np.e, np.inf, -1, np.nan])
    np.testing.assert_array_equal(lambert_w(x), [0, -1, np.inf, np.nan, np.nan])
    x = np.array([0, -1 / np.e, 0.1, -1, np.nan])
    np.testing.assert_array_equal(lambert_w_lower(x), [-np.inf, -1, np.nan, np.nan, np.nan])
    assert jax.grad(lambert_w)(0.0) == 1


def test_single_precision():
    x = RNG.uniform(-0.36, 5, 300).astype(np.float32)
    value = lambert_w(x)
    assert value.dtype == np.float32
    np.testing.assert_allclose(value, lambert_w(x.astype(float)), rtol=16 * 2.0**-23)
    assert lambert_w(np.zeros((0, 2))).shape == (0, 2)
