"""Modified Bessel functions against mpmath and Boost's tables."""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

from suffice.numerics.special import bessel

EPS = 2.0**-52
RNG = np.random.default_rng(23)
GRIDS = {
    "low order": (RNG.uniform(0, 3, 60), 10.0 ** RNG.uniform(-5, 2, 60)),
    "order 0": (np.zeros(60), 10.0 ** RNG.uniform(-3, 3, 60)),
    "middle": (RNG.uniform(0, 60, 60), 10.0 ** RNG.uniform(-1, 2.7, 60)),
    "wide": (10.0 ** RNG.uniform(-5, 2.5, 60), 10.0 ** RNG.uniform(-3, 3, 60)),
    "tiny argument": (10.0 ** RNG.uniform(-10, 1, 60), 10.0 ** RNG.uniform(-100, -3, 60)),
}


def bessel_i(v, x):
    return mp.besseli(v, x, maxterms=10**6)


def tolerance(v, x, value):
    """The expansion at order v + 30 cancels terms of about 30; I_v has the condition number v in x."""
    return EPS * (64 + 4 * np.abs(value) + 2 * v)


@pytest.mark.parametrize("grid", GRIDS)
def test_value_and_ratio(grid, exact):
    v, x = GRIDS[grid]
    reference = exact(lambda v, x: mp.log(bessel_i(v, x)) - x, v, x)
    assert np.all(np.abs(bessel.log_ive(v, x) - reference) <= tolerance(v, x, reference))
    ratio = exact(lambda v, x: bessel_i(v + 1, x) / bessel_i(v, x), v, x)
    np.testing.assert_allclose(bessel.bessel_ratio(v, x), ratio, rtol=12 * EPS)


@pytest.mark.parametrize("name", ["bessel_i_data", "bessel_i_int_data"])
def test_table(name, table):
    v, x, reference = table(name)
    keep = (v >= 0) & (x >= 0) & (reference > 1e-300) & (reference < 1e300)
    v, x, value = v[keep], x[keep], np.log(reference[keep])
    assert np.all(np.abs(bessel.log_ive(v, x) + x - value) <= tolerance(v, x, value) + 2 * EPS * x)
    assert np.all(np.abs(bessel.ive(v, x) / (reference[keep] * np.exp(-x)) - 1) <= tolerance(v, x, value) + 2 * EPS * x)


def test_derivatives(exact):
    v, x = RNG.uniform(0, 5, 40), RNG.uniform(0.1, 30, 40)
    by_order, by_argument = jax.jit(jax.vmap(jax.grad(bessel.log_ive, (0, 1))))(v, x)
    reference = exact(lambda v, x: v / x + bessel_i(v + 1, x) / bessel_i(v, x) - 1, v, x)
    assert np.max(np.abs(by_argument - reference) / (1 + v / x)) <= 8 * EPS
    # In the order: differences of terms of about log(w + s) at w = v + 30.
    reference = exact(lambda v, x: mp.diff(lambda u: mp.log(bessel_i(u, x)), v), v, x)
    assert np.max(np.abs(by_order - reference)) <= 64 * EPS
    second = jax.grad(jax.grad(bessel.log_ive, 1), 1)(1.0, 2.0)
    np.testing.assert_allclose(second, -0.0872905078625591792964, rtol=64 * EPS)


def test_limits_and_types():
    v, x = np.array([0, 1, 0, -1, 1, np.nan]), np.array([0, 0, np.inf, 1, -1, 1])
    value = np.asarray(bessel.log_ive(v, x))
    assert abs(value[0]) < 64 * EPS
    np.testing.assert_array_equal(value[1:], [-np.inf, -np.inf, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(bessel.bessel_ratio(v, x), [0, 0, 1, np.nan, np.nan, np.nan])
    v, x = RNG.uniform(0, 5, 200).astype(np.float32), RNG.uniform(0.1, 30, 200).astype(np.float32)
    value = bessel.log_ive(v, x)
    assert value.dtype == jnp.float32
    assert np.max(np.abs(value - bessel.log_ive(v.astype(float), x.astype(float)))) < 128 * 2.0**-23
    assert bessel.ive(jnp.zeros((0, 2)), 1.0).shape == (0, 2)
