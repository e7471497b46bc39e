"""The gamma function and its kin against mpmath and Boost's tables; bounds count units of 2⁻⁵² times condition."""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

from suffice.numerics.special import gamma

EPS = 2.0**-52
RNG = np.random.default_rng(21)
POSITIVE = np.concatenate([10.0 ** RNG.uniform(-30, 30, 150), RNG.uniform(0, 12, 300), 10.0 ** RNG.uniform(-3, 3, 150)])
NEAR = 10.0 ** RNG.uniform(-15, -1, 50)
ROOT = 1.4616321449683622


def loggamma_difference(a, k):
    """The k-th derivative of Stirling's error."""
    a = mp.mpf(a)
    with mp.workdps(60 if a < 1e3 else 200):
        if k == 0:
            return mp.loggamma(a) - ((a - 0.5) * mp.log(a) - a + mp.log(2 * mp.pi) / 2)
        body = [mp.log(a) - 1 / (2 * a), 1 / a + 1 / (2 * a**2), -1 / a**2 - 1 / a**3][k - 1]
        return mp.psi(k - 1, a) - body


def log_minus_digamma(a, k):
    """The k-th derivative of log a − ψ(a)."""
    a = mp.mpf(a)
    with mp.workdps(60 if a < 1e3 else 200):
        leading = mp.log(a) if k == 0 else (-1) ** (k - 1) * mp.factorial(k - 1) / a**k
        return leading - mp.psi(k, a)


def derivative(function, order):
    for _ in range(order):
        function = jax.grad(function)
    return jax.jit(jax.vmap(function))


def test_gammaln(exact):
    x = np.concatenate([POSITIVE, 1 + NEAR, 1 - NEAR, 2 + NEAR, 2 - NEAR, [1e300]])
    np.testing.assert_allclose(gamma.gammaln(x), exact(mp.loggamma, x), rtol=4 * EPS)


def test_gammaln_below_zero(exact):
    x = -RNG.uniform(0, 100, 200)
    reference = exact(lambda x: mp.log(abs(mp.gamma(x))), x)
    terms = exact(mp.loggamma, 1 - x)
    assert np.all(np.abs(gamma.gammaln(x) - reference) <= 3 * EPS * (terms + 3))


@pytest.mark.parametrize("name", ["factorials", "near_0", "near_1", "near_2", "near_m10", "near_m55"])
def test_gammaln_tables(name, table):
    x, _, reference = table(f"gamma_{name}")
    # The logarithm of Γ(x) for x < 0 is a difference of two terms of the size of log Γ(1 − x).
    scale = np.where(x > 0, np.abs(reference), gamma.gammaln(1 - np.minimum(x, 0)) + 3)
    assert np.all(np.abs(gamma.gammaln(x) - reference) <= 4 * EPS * scale)


def test_gammaln1p(exact, table):
    a = np.concatenate([NEAR, -NEAR, 1 + NEAR, 1 - NEAR, RNG.uniform(-1, 10, 200), 10.0 ** RNG.uniform(-30, 30, 100)])
    np.testing.assert_allclose(gamma.gammaln1p(a), exact(lambda a: mp.loggamma(1 + a), a), rtol=5 * EPS)
    a, minus_1 = table("gamma_1p_minus_1")
    np.testing.assert_allclose(jnp.expm1(gamma.gammaln1p(a)), minus_1, rtol=6 * EPS)


@pytest.mark.parametrize("order", range(4))
def test_stirling_error(order, exact):
    a = POSITIVE[POSITIVE < 1e12]
    value = derivative(gamma.stirling_error, order)(a)
    # Eight units for the cancellation at a = ¾; a derivative of a rational function of degree 11 may cost that factor.
    rtol = 8 * EPS * 11.0**order
    np.testing.assert_allclose(value, exact(lambda a: loggamma_difference(a, order), a), rtol=rtol)


@pytest.mark.parametrize("order", range(4))
def test_log_minus_digamma(order, exact):
    a = POSITIVE[POSITIVE < 1e12]
    value = derivative(gamma.log_minus_digamma, order)(a)
    np.testing.assert_allclose(value, exact(lambda a: log_minus_digamma(a, order), a), rtol=4 * EPS * 11.0**order)


def test_digamma(exact, table):
    x = np.concatenate([POSITIVE, ROOT + NEAR, ROOT - NEAR])
    np.testing.assert_allclose(gamma.digamma(x), exact(lambda x: mp.psi(0, x), x), rtol=4 * EPS)
    for name in ("digamma_data", "digamma_root_data", "digamma_small_data"):
        x, reference = table(name)
        np.testing.assert_allclose(gamma.digamma(x), reference, rtol=4 * EPS, err_msg=name)
    drawn = -RNG.uniform(0, 50, 200)
    x, reference = np.hstack([[drawn, exact(lambda x: mp.psi(0, x), drawn)], table("digamma_neg_data")])
    # ψ(1 − x) and π cot(πr), r = x − round(x), are added; rounding of the angle moves the second by π² |r| eps / sin²(πr),
    # which is all that is left where both vanish, at the root near −0.504.
    r = x - np.round(x)
    angle = np.pi**2 * np.abs(r) / np.sin(np.pi * r) ** 2
    bound = 4 * (np.abs(reference) + np.abs(gamma.digamma(1 - x))) + angle
    assert np.all(np.abs(gamma.digamma(x) - reference) <= EPS * bound)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_polygamma(order, exact):
    np.testing.assert_allclose(
        gamma.polygamma(order, POSITIVE), exact(lambda x: mp.psi(order, x), POSITIVE), rtol=6 * EPS
    )
    x = -RNG.uniform(0, 50, 100)
    reference = exact(lambda x: mp.psi(order, x), x)
    scale = np.abs(reference) + np.pi ** (order + 1) * 2.0**order
    assert np.all(np.abs(gamma.polygamma(order, x) - reference) <= 8 * EPS * scale)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_derivatives_of_gammaln(order, exact):
    x = POSITIVE[::4]
    value = derivative(gamma.gammaln, order)(x)
    np.testing.assert_allclose(value, exact(lambda x: mp.psi(order - 1, x), x), rtol=6 * EPS)


def test_inverse_digamma(exact):
    y = np.concatenate(
        [-(10.0 ** RNG.uniform(-3, 100, 100)), 10.0 ** RNG.uniform(-10, 2, 100), RNG.uniform(-4, 4, 100)]
    )
    x = np.asarray(gamma.inverse_digamma(y))
    # The first-order error of x, by one exact Newton step.
    error = exact(lambda x, y: (mp.psi(0, x) - y) / (mp.psi(1, x) * x), x, y)
    condition = np.abs(y) / (gamma.trigamma(x) * x)
    assert np.all(np.abs(error) <= 2 * EPS * (1 + condition))
    np.testing.assert_allclose(jax.vmap(jax.grad(gamma.inverse_digamma))(y), 1 / gamma.trigamma(x), rtol=2 * EPS)


def test_inverse_log_minus_digamma(exact):
    s = np.concatenate([10.0 ** RNG.uniform(-12, 20, 150), 10.0 ** RNG.uniform(-2, 2, 150)])
    a = np.asarray(gamma.inverse_log_minus_digamma(s))
    error = exact(lambda a, s: (log_minus_digamma(a, 0) - s) / (log_minus_digamma(a, 1) * a), a, s)
    assert np.max(np.abs(error)) <= 4 * EPS
    slope = jax.vmap(jax.grad(gamma.inverse_log_minus_digamma))(s)
    np.testing.assert_allclose(slope, exact(lambda a: 1 / log_minus_digamma(a, 1), a), rtol=16 * EPS)
    # Where 1/a and 1/(2a) are all there is.
    np.testing.assert_allclose(gamma.inverse_log_minus_digamma(np.array([1e300, 1e-300])), [1e-300, 5e299], rtol=EPS)


def test_log_beta(exact, table):
    grids = [(-100, 20), (-2, 2), (0, 30), (0, 4)]
    a, b = (np.concatenate([10.0 ** RNG.uniform(*g, 100) for g in grids]) for _ in range(2))
    reference = exact(lambda a, b: mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b), a, b, digits=200)
    assert np.all(np.abs(gamma.log_beta(a, b) - reference) <= 2 * EPS * (np.abs(reference) + 1))
    for name in ("beta_exp_data", "beta_small_data", "beta_med_data"):
        a, b, value = table(name)
        keep = (value > 1e-300) & (value < 1e300)
        reference = np.log(value[keep])
        error = np.abs(gamma.log_beta(a[keep], b[keep]) - reference)
        assert np.all(error <= 2 * EPS * (np.abs(reference) + 1)), name


def test_derivative_of_log_beta(exact):
    a, b = 10.0 ** RNG.uniform(-2, 2, (2, 200))
    value = jax.vmap(jax.grad(gamma.log_beta))(a, b)
    reference = exact(lambda a, b: mp.psi(0, a) - mp.psi(0, a + b), a, b)
    # Differences of log a − ψ(a), about 1/a.
    assert np.all(np.abs(value - reference) <= 2 * EPS * (np.abs(reference) + 1 / a + 1))
    hessian = jax.jit(jax.vmap(jax.hessian(gamma.log_beta)))(a, b)
    reference = exact(lambda a, b: mp.psi(1, a) - mp.psi(1, a + b), a, b)
    assert np.all(np.abs(hessian - reference) <= 8 * EPS * (np.abs(reference) + 1 / a**2 + 1))


def test_log_binomial(exact):
    n = np.floor(10.0 ** RNG.uniform(0.5, 15, 200))
    k = np.floor(n * RNG.uniform(0, 1, 200) ** 5)
    reference = exact(lambda n, k: mp.loggamma(n + 1) - mp.loggamma(k + 1) - mp.loggamma(n - k + 1), n, k)
    np.testing.assert_allclose(gamma.log_binomial(n, k), reference, rtol=4 * EPS)
    slope = jax.vmap(jax.grad(gamma.log_binomial))(n, k)
    np.testing.assert_allclose(slope, exact(lambda n, k: mp.psi(0, n + 1) - mp.psi(0, n - k + 1), n, k), rtol=8 * EPS)
    small = np.arange(13)
    counts = np.exp(gamma.log_binomial(12, small))
    np.testing.assert_allclose(counts, [float(mp.binomial(12, int(k))) for k in small], rtol=8 * EPS)
    edges = gamma.log_binomial(np.array([5, 5, 0, 5, 5]), np.array([0, 5, 0, 6, -1]))
    np.testing.assert_array_equal(edges, [0, 0, 0, np.nan, np.nan])


def test_log_multivariate_gamma(exact):
    a = RNG.uniform(2, 50, (5, 4))
    reference = exact(
        lambda a: mp.log(mp.pi) * 10 / 2 + sum(mp.loggamma(a - mp.mpf(j) / 2) for j in range(5)), a.ravel()
    )
    value = gamma.log_multivariate_gamma(5, a)
    assert value.shape == a.shape
    np.testing.assert_allclose(np.ravel(value)[a.ravel() > 2], reference[a.ravel() > 2], rtol=8 * EPS)
    assert np.isnan(gamma.log_multivariate_gamma(5, 2.0))


def test_limits():
    inf, nan = np.inf, np.nan
    for name, x, expected in [
        ("gammaln", [0, 1, 2, inf, -1, nan], [inf, 0, 0, inf, inf, nan]),
        ("gammaln1p", [-1, 0, 1, inf, -1.5, nan], [inf, 0, 0, inf, nan, nan]),
        ("digamma", [0, inf, -1, nan], [-inf, inf, nan, nan]),
        ("trigamma", [0, inf, -1, nan], [inf, 0, inf, nan]),
        ("stirling_error", [0, inf, -1, nan], [inf, 0, nan, nan]),
        ("log_minus_digamma", [0, inf, -1, nan], [inf, 0, nan, nan]),
        ("inverse_digamma", [-inf, inf, 800, nan], [0, inf, inf, nan]),
        ("inverse_log_minus_digamma", [0, inf, -1, nan], [inf, 0, nan, nan]),
    ]:
        np.testing.assert_array_equal(getattr(gamma, name)(np.array(x, float)), expected, err_msg=name)
    a, b = np.array([0, inf, inf, -1, 1]), np.array([1, 1, inf, 1, nan])
    np.testing.assert_array_equal(gamma.log_beta(a, b), [inf, -inf, -inf, nan, nan])


ONE_ARGUMENT = [
    "gammaln", "gammaln1p", "stirling_error", "digamma", "trigamma", "log_minus_digamma", "inverse_digamma",
    "inverse_log_minus_digamma",
]  # fmt: skip


@pytest.mark.parametrize("name", ONE_ARGUMENT)
def test_single_precision(name):
    function, x = getattr(gamma, name), RNG.gamma(1, 4, 500).astype(np.float32)
    value = function(x)
    assert value.dtype == jnp.float32
    # The condition number is below 10 here, except that of inverse_digamma, which is about x.
    np.testing.assert_allclose(value, function(x.astype(float)), rtol=2.0**-23 * (16 + 2 * x.max()))
    assert function(jnp.zeros((0, 3))).shape == (0, 3)
    assert function(2.5).weak_type
    assert function(2).dtype == jnp.float64
