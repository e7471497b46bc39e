"""Zeta functions and polylogarithms against mpmath."""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np

from suffice.numerics.special import log_zeta, sum_of_powers, zeta
from suffice.numerics.special.polylog import zeta_mean_power

EPS = 2.0**-52
RNG = np.random.default_rng(21)


def hurwitz(s, q):
    """ζ(s, q): a hundred terms and forty corrections."""
    end = q + 100
    corrections = (
        mp.bernoulli(2 * j) / mp.factorial(2 * j) * mp.rf(s, 2 * j - 1) * end ** (1 - 2 * j) for j in range(1, 41)
    )
    return mp.fsum((q + k) ** -s for k in range(100)) + end**-s * (end / (s - 1) + mp.mpf(1) / 2 + mp.fsum(corrections))


def points():
    s = 1.0 + 10.0 ** RNG.uniform(-10, 2.8, 60)
    q = 10.0 ** RNG.uniform(-2, 6, 60)
    q[:20], q[20:40] = 1.0, np.floor(10.0 ** RNG.uniform(0, 2, 20))
    return s, q


def test_values(exact):
    """ζ to 8 eps where it is a number; its logarithm to 8 eps of 1 + s log q, and at q = 1 relative to its own size.

    There it is about 2^(−s), which has the condition number s log 2.
    """
    s, q = points()
    log_value = exact(lambda s, q: mp.log(hurwitz(s, q)), s, q, digits=250)  # which 1 + 2^(−s) needs
    found = np.asarray(log_zeta(s, q))
    size = np.where(q == 1.0, np.abs(log_value) * (1.0 + s), 1.0 + np.abs(log_value) + s * np.abs(np.log(q)))
    assert np.all(np.abs(found - log_value) <= 8 * EPS * size + 1e-305)
    usable = np.abs(log_value) < 650
    value = exact(hurwitz, s[usable], q[usable])
    np.testing.assert_allclose(zeta(s[usable], q[usable]), value, rtol=8 * EPS)


def test_sums_of_powers(exact):
    s, n = 1.0 + 10.0 ** RNG.uniform(-12, 1, 40), np.floor(10.0 ** RNG.uniform(0, 2.5, 40))
    value = exact(lambda s, n: mp.fsum(mp.mpf(k) ** -s for k in range(1, int(n) + 1)), s, n)
    np.testing.assert_allclose(sum_of_powers(s, n), value, rtol=8 * EPS)
    # as long as there are numbers: 1 + … + 1/n where s is 1 to the last digit but one
    np.testing.assert_allclose(sum_of_powers(1.0 + EPS, 1e300), np.log(1e300) + 0.5772156649015329, rtol=1e-12)


def test_derivatives():
    """To second order, in both arguments, by differences at 60 digits."""
    s, q = np.array([1.0 + 1e-6, 1.3, 2.0, 7.0, 60.0]), np.array([1.0, 0.3, 50.0, 3.0, 1.0])
    slopes = jax.vmap(jax.grad(log_zeta, (0, 1)))(s, q)
    curvature = jax.vmap(jax.hessian(log_zeta, (0, 1)))(s, q)
    with mp.workdps(60):
        h = mp.mpf(10) ** -15
        for i, (a, b) in enumerate(zip(map(mp.mpf, s), map(mp.mpf, q), strict=True)):
            f = lambda u, v, a=a, b=b: mp.log(hurwitz(a + u * h, b + v * h))  # noqa: E731
            first = [(f(1, 0) - f(-1, 0)) / (2 * h), (f(0, 1) - f(0, -1)) / (2 * h)]
            second = [(f(1, 0) - 2 * f(0, 0) + f(-1, 0)) / h**2, (f(0, 1) - 2 * f(0, 0) + f(0, -1)) / h**2]
            for j in range(2):
                assert abs(slopes[j][i] / float(first[j]) - 1) <= 64 * EPS
                assert abs(curvature[j][j][i] / float(second[j]) - 1) <= 1e-13


def test_limits_and_types():
    s, q = np.array([1.0, 0.5, 2.0, 2.0, np.nan, 1e300]), np.array([1.0, 1.0, 0.0, np.nan, 1.0, 3.0])
    np.testing.assert_array_equal(np.isnan(log_zeta(s, q)), [True] * 5 + [False])
    s, q = RNG.uniform(1.1, 9, 100).astype(np.float32), RNG.uniform(1, 90, 100).astype(np.float32)
    value = zeta(s, q)
    assert value.dtype == jnp.float32
    np.testing.assert_allclose(value, zeta(s.astype(float), q.astype(float)), rtol=64 * 2.0**-23)
    assert zeta(jnp.zeros((0, 2)), 1.0).shape == (0, 2)


def test_polylogarithm():
    """On the unit circle and inside, from close to 1; to 64 eps, the sum of two hundred nodes of size 1."""
    for s in (1.001, 2.0, 3.5, 11.9, 12.0, 40.0):
        for c in (-1e-12, -0.01, -3.0, -200.0, 1e-9j, 0.02j, 1.0j, -3.1j):
            with mp.workdps(40):
                z = mp.exp(mp.mpmathify(c))
                value = complex(mp.polylog(mp.mpf(s), z) / z / mp.zeta(mp.mpf(s)))
            assert abs(complex(zeta_mean_power(s, jnp.asarray(c))) - value) <= 64 * EPS, (s, c)
