"""The normal distribution's functions against mpmath and Boost's tables; bounds count units of 2⁻⁵²."""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

from suffice.numerics.special import normal

EPS = 2.0**-52
RNG = np.random.default_rng(22)
INF, NAN = np.inf, np.nan


def log_cdf(x):
    if x < -1e4:
        y = -x
        return -y * y / 2 - mp.log(2 * mp.pi) / 2 + mp.log(1 / y - 1 / y**3 + 3 / y**5 - 15 / y**7)
    return mp.log1p(-mp.ncdf(-x)) if x > 0 else mp.log(mp.ncdf(x))


def hazard(x):
    """φ(x)/Φ(x)."""
    with mp.workdps(80):
        y = -x
        return y + 1 / y - 2 / y**3 + 10 / y**5 if x < -1e8 else mp.npdf(x) / mp.ncdf(x)


def log_interval(a, b):
    with mp.workdps(80):
        if a > 0:
            a, b = -b, -a
        return mp.log1p(-(mp.ncdf(a) + mp.ncdf(-b))) if b > 0 else mp.log(mp.ncdf(b) - mp.ncdf(a))


X = np.concatenate([RNG.uniform(-37.4, 8, 300), RNG.uniform(-3, 3, 200), -(10.0 ** RNG.uniform(-10, 0, 50))])
LOG_X = np.concatenate([X, RNG.uniform(8, 37, 50), -(10.0 ** RNG.uniform(0, 8, 50))])


def grad(function, argnums=0):
    return jax.jit(jax.vmap(jax.grad(function, argnums)))


def test_ndtr(exact):
    np.testing.assert_allclose(normal.ndtr(X), exact(mp.ncdf, X), rtol=5 * EPS)
    np.testing.assert_allclose(grad(normal.ndtr)(X), exact(mp.npdf, X), rtol=5 * EPS)
    np.testing.assert_allclose(grad(jax.grad(normal.ndtr))(X), exact(lambda x: -x * mp.npdf(x), X), rtol=6 * EPS)


def test_log_ndtr(exact):
    x = np.concatenate([LOG_X, -(10.0 ** RNG.uniform(8, 150, 50))])
    np.testing.assert_allclose(normal.log_ndtr(x), exact(log_cdf, x), rtol=6 * EPS)
    np.testing.assert_allclose(grad(normal.log_ndtr)(x), exact(hazard, x), rtol=6 * EPS)
    # The derivative of the rational function of degree 11 costs up to that factor; beyond −1e6 it is −1 + 1/x².
    second = exact(lambda x: -hazard(x) * (x + hazard(x)) if x > -1e6 else -1 + 1 / x**2, x, digits=80)
    np.testing.assert_allclose(grad(jax.grad(normal.log_ndtr))(x), second, rtol=55 * EPS)
    np.testing.assert_allclose(normal.log_ndtr(10.0), -7.61985302416052606597e-24, rtol=4 * EPS)


def test_erfc_and_erfcx(exact, table):
    x = RNG.uniform(-6, 26.5, 400)
    np.testing.assert_allclose(normal.erfc(x), exact(mp.erfc, x), rtol=5 * EPS)
    slope = exact(lambda x: -2 / mp.sqrt(mp.pi) * mp.exp(-x * x), x)
    np.testing.assert_allclose(grad(normal.erfc)(x), slope, rtol=5 * EPS)
    for name in ("erf_data", "erf_small_data", "erf_large_data"):
        x, _, reference = table(name)
        normal_range = reference > 1e-300
        np.testing.assert_allclose(normal.erfc(x)[normal_range], reference[normal_range], rtol=5 * EPS, err_msg=name)
    x = np.concatenate([RNG.uniform(-26, 30, 300), 10.0 ** RNG.uniform(-10, 3, 100)])
    np.testing.assert_allclose(normal.erfcx(x), exact(lambda x: mp.erfc(x) * mp.exp(x * x), x), rtol=5 * EPS)
    slope = exact(lambda x: 2 * x * mp.erfc(x) * mp.exp(x * x) - 2 / mp.sqrt(mp.pi), x, digits=80)
    np.testing.assert_allclose(grad(normal.erfcx)(x), slope, rtol=55 * EPS)


def test_ndtri(exact):
    offsets = 10.0 ** RNG.uniform(-16, -0.5, 100)
    p = np.concatenate(
        [RNG.uniform(0, 1, 200), 10.0 ** RNG.uniform(-307, 0, 200), 0.5 + offsets, 0.5 - offsets, 1 - offsets]
    )
    p = p[(p != 0.5) & (p < 1)]
    z = np.asarray(normal.ndtri(p))

    def error(z, p):
        """The first-order relative error of z."""
        residual = mp.ncdf(z) - p if z < 0 else (1 - p) - mp.ncdf(-z)
        return residual / (mp.npdf(z) * z)

    assert np.max(np.abs(exact(error, z, p))) <= 4 * EPS
    # The tail 1 − p is exact for p > ½, and so is its derivative.
    np.testing.assert_allclose(grad(normal.ndtri)(p), exact(lambda z, p: slope(z, p), z, p), rtol=8 * EPS)


def slope(z, p):
    """1/φ at Φ⁻¹(p), by one Newton step from z."""
    residual = mp.ncdf(z) - p if z < 0 else (1 - p) - mp.ncdf(-z)
    return 1 / mp.npdf(z - residual / mp.npdf(z))


def test_ndtri_exp(exact):
    log_half = -0.6931471805599453
    log_p = np.concatenate(
        [
            -(10.0 ** RNG.uniform(-300, 3, 300)), -RNG.uniform(0, 5, 100), log_half + 10.0 ** RNG.uniform(-16, -1, 50),
            [log_half], -RNG.uniform(650, 800, 100), -(10.0 ** RNG.uniform(3, 8, 50)),
        ]
    )  # fmt: skip
    z = np.asarray(normal.ndtri_exp(log_p))

    def error(z, log_p):
        if z < 0:
            return (log_cdf(z) - log_p) / (hazard(z) * z)
        return (-mp.expm1(log_p) - mp.ncdf(-z)) / (mp.npdf(z) * z)

    assert np.max(np.abs(exact(error, z, log_p))) <= 4 * EPS
    np.testing.assert_allclose(normal.log_ndtr(normal.ndtri_exp(-1e300)), -1e300, rtol=4 * EPS)
    below = np.abs(z) < 1e4
    np.testing.assert_allclose(
        grad(normal.ndtri_exp)(log_p)[below],
        exact(lambda z: 1 / hazard(z), z[below]),
        # Φ/φ at a rounded z: its condition number is z² for z > 0, below 1 for z < 0.
        rtol=8 * EPS * (1 + np.max(z) ** 2),
    )


def test_inverse_error_functions(table):
    p, reference = table("erf_inv_data")
    np.testing.assert_allclose(normal.erfinv(p), reference, rtol=6 * EPS)
    for name in ("erfc_inv_data", "erfc_inv_big_data"):
        p, reference = table(name)
        keep = p > 1e-300
        np.testing.assert_allclose(normal.erfcinv(p)[keep], reference[keep], rtol=6 * EPS, err_msg=name)
    y = RNG.uniform(-1, 1, 50)
    slope = np.sqrt(np.pi) / 2 * np.exp(np.asarray(normal.erfinv(y)) ** 2)
    np.testing.assert_allclose(grad(normal.erfinv)(y), slope, rtol=20 * EPS)
    np.testing.assert_allclose(grad(normal.erfcinv)(1 - y), -slope, rtol=20 * EPS)


GRIDS = {
    "anywhere": (RNG.uniform(-30, 15, 100), 10.0 ** RNG.uniform(-13, 1, 100)),
    "near 0": (RNG.uniform(-3, 3, 100), 10.0 ** RNG.uniform(-3, 1, 100)),
    "around 0": (-(10.0 ** RNG.uniform(-10, 1, 100)), 10.0 ** RNG.uniform(-10, 1, 100)),
    "far": (-(10.0 ** RNG.uniform(1, 1.5, 100)), 10.0 ** RNG.uniform(-5, 0.5, 100)),
}


@pytest.mark.parametrize("grid", GRIDS)
def test_log_ndtr_difference(grid, exact):
    a, width = GRIDS[grid]
    b = a + width
    function = normal.log_ndtr_difference
    np.testing.assert_allclose(function(a, b), exact(log_interval, a, b), rtol=6 * EPS)
    np.testing.assert_allclose(function(-b, -a), function(a, b), rtol=4 * EPS)
    density_a = exact(lambda a, b: mp.exp(-a * a / 2 - log_interval(a, b)) / mp.sqrt(2 * mp.pi), a, b)
    density_b = exact(lambda a, b: mp.exp(-b * b / 2 - log_interval(a, b)) / mp.sqrt(2 * mp.pi), a, b)
    # The quotient of the densities at the ends is exp((a² − b²)/2), conditioned by its exponent.
    rtol = 6 * EPS * (2 + np.abs((b - a) * (a + b)) / 2)
    visible = np.minimum(density_a, density_b) > 1e-300
    assert np.all(np.abs(grad(function, 0)(a, b) / -density_a - 1)[visible] <= rtol[visible])
    assert np.all(np.abs(grad(function, 1)(a, b) / density_b - 1)[visible] <= rtol[visible])
    hessian = jax.jit(jax.vmap(jax.hessian(function, (0, 1))))(a, b)
    scale = (density_a + density_b + np.abs(a) + np.abs(b)) ** 2
    for value, expected in [
        (hessian[0][0], density_a * (a - density_a)),
        (hessian[0][1], density_a * density_b),
        (hessian[1][1], -density_b * (b + density_b)),
    ]:
        assert np.all(np.abs(value - expected)[visible] <= (rtol * scale)[visible])


def test_interval_with_infinite_ends():
    value = normal.log_ndtr_difference
    np.testing.assert_allclose(value(-INF, -3.0), normal.log_ndtr(-3.0), rtol=2 * EPS)
    np.testing.assert_allclose(value(-INF, 3.0), normal.log_ndtr(3.0), rtol=2 * EPS)
    np.testing.assert_allclose(value(40.0, INF), normal.log_ndtr(-40.0), rtol=2 * EPS)
    second = jax.grad(jax.grad(normal.log_ndtr))
    hessian = jax.jit(jax.hessian(value, (0, 1)))
    for b in (-3.0, 3.0):
        np.testing.assert_allclose(hessian(-INF, b)[1][1], second(b), rtol=32 * EPS)
        np.testing.assert_allclose(hessian(-b, INF)[0][0], second(b), rtol=32 * EPS)
        assert hessian(-INF, b)[0] == (0, 0)
    a, b = np.array([-INF, INF, -INF, 1, 2, NAN]), np.array([INF, INF, -INF, 1, 1, 1])
    np.testing.assert_array_equal(value(a, b), [0, -INF, -INF, -INF, NAN, NAN])


def test_limits():
    for name, x, expected in [
        ("ndtr", [-INF, 0, INF, NAN], [0, 0.5, 1, NAN]),
        ("log_ndtr", [-INF, INF, NAN], [-INF, 0, NAN]),
        ("ndtri", [0, 0.5, 1, -1, 2, NAN], [-INF, 0, INF, NAN, NAN, NAN]),
        ("ndtri_exp", [-INF, 0, 1, NAN], [-INF, INF, NAN, NAN]),
        ("erfc", [-INF, 0, INF, NAN], [2, 1, 0, NAN]),
        ("erfcx", [-INF, 0, INF, NAN], [INF, 1, 0, NAN]),
        ("erfinv", [-1, 0, 1, 2, NAN], [-INF, 0, INF, NAN, NAN]),
        ("erfcinv", [0, 1, 2, 3, NAN], [INF, 0, -INF, NAN, NAN]),
    ]:
        value = getattr(normal, name)(np.array(x, float))
        np.testing.assert_allclose(value, expected, rtol=EPS, err_msg=name)


@pytest.mark.parametrize("name", ["ndtr", "log_ndtr", "erfc", "erfcx", "ndtri", "ndtri_exp", "erfinv", "erfcinv"])
def test_single_precision(name):
    x = {"ndtri": RNG.uniform(0, 1, 500), "erfcinv": RNG.uniform(0, 2, 500), "erfinv": RNG.uniform(-1, 1, 500)}
    x = x.get(name, -np.abs(RNG.normal(size=500)) * 4 if name == "ndtri_exp" else RNG.normal(size=500) * 3)
    x = np.clip(x, -9, 9).astype(np.float32)  # within the range of the exponent
    function = getattr(normal, name)
    value = function(x)
    assert value.dtype == jnp.float32
    np.testing.assert_allclose(value, function(x.astype(float)), rtol=8 * 2.0**-23)
    assert function(jnp.zeros((0, 3))).shape == (0, 3)
    assert function(0.25).weak_type


def test_interval_in_single_precision():
    a = (RNG.normal(size=500) * 4).astype(np.float32)
    b = a + RNG.gamma(1, 4, 500).astype(np.float32)
    value = normal.log_ndtr_difference(a, b)
    assert value.dtype == jnp.float32
    np.testing.assert_allclose(value, normal.log_ndtr_difference(a.astype(float), b.astype(float)), rtol=8 * 2.0**-23)
