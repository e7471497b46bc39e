"""Modified Bessel functions of the second kind against mpmath."""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

from suffice.numerics.special import bessel_k

EPS = 2.0**-52
RNG = np.random.default_rng(23)
GRIDS = {
    "order 0": (np.zeros(30), 10.0 ** RNG.uniform(-300, 2, 30)),
    "low order": (RNG.uniform(0, 3, 40), 10.0 ** RNG.uniform(-5, 3, 40)),
    "half orders": (np.repeat([0.5, 1.5, 0.49999, 0.50001], 5), np.tile([1e-200, 1e-9, 1e-3, 1.0, 600.0], 4)),
    "wide": (10.0 ** RNG.uniform(-5, 3, 40), 10.0 ** RNG.uniform(-3, 4, 40)),
    "tiny argument": (10.0 ** RNG.uniform(-10, 1, 30), 10.0 ** RNG.uniform(-100, -3, 30)),
}


@pytest.mark.parametrize("grid", GRIDS)
def test_values(grid, exact):
    """mpmath needs 400 digits, or it answers with a few: K is a difference of functions of the first kind."""
    v, x = GRIDS[grid]
    reference = exact(lambda v, x: mp.log(mp.besselk(v, x)) + x, v, x, digits=400)
    tolerance = 8 * EPS * (1 + np.abs(reference) + v * np.abs(np.log(x)))
    assert np.all(np.abs(bessel_k.log_kve(v, x) - reference) <= tolerance)
    assert np.all(np.abs(bessel_k.log_kv(v, x) - (reference - x)) <= tolerance + EPS * x)
    usable = (np.abs(reference) < 600) & (np.abs(reference - x) < 600)
    v, x, reference, tolerance = v[usable], x[usable], reference[usable], tolerance[usable]
    # references are exponentials of logarithms: the tolerance is that of those
    assert np.all(np.abs(bessel_k.kve(-v, x) / np.exp(reference) - 1) <= 2 * tolerance)
    assert np.all(np.abs(bessel_k.kv(v, x) / np.exp(reference - x) - 1) <= 2 * tolerance + 2 * EPS * x)


def test_derivatives(exact):
    v, x = RNG.uniform(0.1, 5, 15), 10.0 ** RNG.uniform(-2, 2, 15)
    by_order, by_argument = jax.jit(jax.vmap(jax.grad(bessel_k.log_kv, (0, 1))))(v, x)
    reference = exact(lambda v, x: mp.diff(lambda u: mp.log(mp.besselk(u, x)), v), v, x, digits=80)
    np.testing.assert_allclose(by_order, reference, rtol=256 * EPS)
    reference = exact(lambda v, x: mp.diff(lambda u: mp.log(mp.besselk(v, u)), x), v, x, digits=80)
    np.testing.assert_allclose(by_argument, reference, rtol=256 * EPS)
    curvature = jax.jit(jax.vmap(jax.jacfwd(jax.grad(bessel_k.log_kv, (0, 1)), (0, 1))))(v, x)
    for j in range(2):
        f = [
            lambda v, x: (lambda u: mp.log(mp.besselk(u, x)), v),
            lambda v, x: (lambda u: mp.log(mp.besselk(v, u)), x),
        ][j]
        reference = exact(lambda v, x, f=f: mp.diff(*f(v, x), 2), v, x, digits=120)
        # in x a difference of terms of the size of (v/x)² + 1
        np.testing.assert_allclose(
            curvature[j][j], reference, rtol=1e-12, atol=32 * EPS * np.max(((v + 1) / x) ** 2 + 1)
        )
    assert abs(jax.grad(bessel_k.log_kv)(0.0, 1.0)) < EPS


def test_limits_and_types():
    v, x = np.array([0, 2, 0, -1, np.nan]), np.array([0, 0, np.inf, -1, 1])
    np.testing.assert_array_equal(bessel_k.log_kve(v, x), [np.inf, np.inf, -np.inf, np.nan, np.nan])
    np.testing.assert_array_equal(bessel_k.kv(v, x), [np.inf, np.inf, 0, np.nan, np.nan])
    v, x = RNG.uniform(0, 5, 100).astype(np.float32), RNG.uniform(0.1, 30, 100).astype(np.float32)
    value = bessel_k.log_kve(v, x)
    assert value.dtype == jnp.float32
    assert np.max(np.abs(value - bessel_k.log_kve(v.astype(float), x.astype(float)))) < 64 * 2.0**-23
    assert bessel_k.kv(jnp.zeros((0, 2)), 1.0).shape == (0, 2)
