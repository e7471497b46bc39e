"""Owen's T function against Boost's table and the integral by mpmath."""

import jax
import mpmath as mp
import numpy as np

from suffice.numerics.special.owen import owens_t

EPS = 2.0**-52
RNG = np.random.default_rng(24)
INF = np.inf


def integral(h, a):
    """T for h >= 0 and a >= 0; at a > 1 by the reflection formula, for the integrand's sake."""
    if a > 1:
        upper, lower = mp.ncdf(-h), mp.ncdf(-a * h)
        return (upper + lower) / 2 - upper * lower - integral(a * h, 1 / a)
    width = min(a, 14 / h)
    value = mp.quad(lambda x: mp.exp(-h * h * x * x / 2) / (1 + x * x), mp.linspace(0, width, 5))
    return value * mp.exp(-h * h / 2) / (2 * mp.pi)


def test_table(table):
    h, a, reference = table("owens_t")
    np.testing.assert_allclose(owens_t(h, a), reference, rtol=8 * EPS)
    np.testing.assert_allclose(owens_t(-h, -a), -reference, rtol=8 * EPS)


def test_wide_grid(exact):
    h, a = 10.0 ** RNG.uniform(-3, 1.5, 80), 10.0 ** RNG.uniform(-5, 5, 80)
    np.testing.assert_allclose(owens_t(h, a), exact(integral, h, a, digits=30), rtol=8 * EPS)


def test_derivatives(exact):
    h, a = RNG.uniform(0.1, 5, 40), RNG.uniform(0.1, 3, 40)
    by_h, by_a = jax.jit(jax.vmap(jax.grad(owens_t, (0, 1))))(h, a)
    np.testing.assert_allclose(
        by_h, exact(lambda h, a: -mp.npdf(h) * mp.erf(a * h / mp.sqrt(2)) / 2, h, a), rtol=8 * EPS
    )
    reference = exact(lambda h, a: mp.exp(-h * h * (1 + a * a) / 2) / (2 * mp.pi * (1 + a * a)), h, a)
    # The density at h√(1 + a²) has the condition number of its exponent.
    assert np.all(np.abs(by_a / reference - 1) <= EPS * (8 + 2 * h * h * (1 + a * a)))


def test_limits():
    h, a = np.array([0, 0, 1, 1, INF, np.nan, 0, 0]), np.array([1, INF, 0, INF, 1, 1, -INF, 0])
    expected = [0.125, 0.25, 0, 0.5 * 0.15865525393145705, 0, np.nan, -0.25, 0]
    np.testing.assert_allclose(owens_t(h, a), expected, rtol=4 * EPS)
    assert owens_t(np.float32(1), 0.5).dtype == np.float32
    assert owens_t(np.zeros((0, 1)), np.ones(3)).shape == (0, 3)
