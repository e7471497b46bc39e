"""Truncated distributions against mpmath, in the middle, far out in a tail, and next to a bound."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import scipy.stats

import suffice as sf

INF = np.inf
BOUNDS = [(9.0, 10.0), (-1.0, 2.0), (-INF, 1.0), (0.0, INF), (40.0, 41.0), (40.0, INF), (-50.0, -45.0), (0.0, 1e-6)]
LEVELS = [1e-200, 1e-9, 0.3, 0.9]
EPS = np.finfo(float).eps


def normal_mass(a, b):
    """P(a < X < b) of the standard normal, from the tail in which nothing cancels."""
    a, b = (mpmath.mpf(float(v)) for v in (a, b))
    return mpmath.ncdf(b) - mpmath.ncdf(a) if b < 0 else mpmath.ncdf(-a) - mpmath.ncdf(-b)


@pytest.mark.parametrize(("lower", "upper"), BOUNDS)
def test_tails_of_a_truncated_normal(lower, upper):
    """Within 1e-13, or 8 eps times the condition number in x and the bounds, of 50 digits at quantiles near both bounds."""
    p = sf.Truncated(sf.Normal(), lower=lower, upper=upper)
    x = np.concatenate([p.icdf(np.array(LEVELS)), p.isf(np.array(LEVELS))])
    with mpmath.workdps(260):
        total = normal_mass(lower, upper)
        density = [mpmath.npdf(mpmath.mpf(float(v))) / total for v in x]
        ends = [abs(v) * float(mpmath.npdf(v) / total) if np.isfinite(v) else 0.0 for v in (lower, upper)]
        for method, mass in (("cdf", lambda v: normal_mass(lower, v)), ("sf", lambda v: normal_mass(v, upper))):
            exact = [mass(v) / total for v in x]
            for got, want, v, f in zip(np.asarray(getattr(p, method)(x)), exact, x, density, strict=True):
                if want > 1e-300:
                    kappa = (abs(v) * float(f) + sum(ends)) / float(want)
                    assert abs(float(got / want - 1)) <= max(1e-13, 8 * EPS * kappa)
                else:
                    assert got <= 1e-300
            logs = np.asarray(getattr(p, f"log_{method}")(x))
            np.testing.assert_allclose(np.exp(logs), np.asarray(getattr(p, method)(x)), rtol=1e-13)


@pytest.mark.parametrize(("lower", "upper"), BOUNDS)
def test_quantiles_invert_the_tails(lower, upper):
    """To 1e-12 of the level, or to what rounding of x alone makes of it."""
    p = sf.Truncated(sf.Normal(), lower=lower, upper=upper)
    q = np.array(LEVELS)
    for quantile, tail in ((p.icdf, p.cdf), (p.isf, p.sf)):
        x = np.asarray(quantile(q))
        slack = np.asarray(p.prob(x)) * np.abs(x) * EPS
        assert np.all(np.abs(np.asarray(tail(x)) - q) <= 1e-12 * q + 4 * slack)


def test_the_normal_truncated_at_zero_is_the_half_normal():
    p, half = sf.Truncated(sf.Normal(), lower=0.0), sf.HalfNormal()
    x = np.array([1e-200, 1e-9, 0.5, 3.0, 37.0])
    for method in ("log_prob", "cdf", "sf", "log_cdf", "log_sf"):  # tails come from logarithms, of up to 690
        np.testing.assert_allclose(getattr(p, method)(x), getattr(half, method)(x), rtol=2e-13)
    q = np.array([1e-200, 1e-3, 0.5, 0.99])
    np.testing.assert_allclose(p.icdf(q), half.icdf(q), rtol=2e-13)
    np.testing.assert_allclose(p.isf(q), half.isf(q), rtol=2e-13)
    for method in ("mean", "variance", "skewness", "kurtosis", "entropy"):
        np.testing.assert_allclose(getattr(p, method)(), getattr(half, method)(), rtol=1e-11)


@pytest.mark.parametrize(
    ("base", "lower", "upper"),
    [
        (sf.Gamma(0.4, rate=2.0), 0.5, 3.0),
        (sf.Cauchy(loc=1.0, scale=2.0), -1e6, 40.0),
        (sf.Laplace(), -0.1, 0.2),
        (sf.Exponential(rate=3.0), -5.0, 1.0),
    ],
)
def test_other_bases_agree_with_differences_of_tails(base, lower, upper):
    p = sf.Truncated(base, lower=lower, upper=upper)
    low, high = float(p.support().lower), float(p.support().upper)
    x = low + (high - low) * np.array([0.01, 0.3, 0.8])
    total = float(base.cdf(high)) - float(base.cdf(low))
    rounding = 4 * EPS / total
    np.testing.assert_allclose(p.cdf(x), (base.cdf(x) - base.cdf(low)) / total, rtol=100 * rounding + 1e-13)
    np.testing.assert_allclose(p.prob(x), base.prob(x) / total, rtol=100 * rounding + 1e-13)
    np.testing.assert_allclose(p.cdf(x) + p.sf(x), 1.0, rtol=1e-13)
    np.testing.assert_allclose(p.icdf(p.cdf(x)), x, rtol=1e-12)
    assert p.prob(high + 1.0) == 0.0
    assert low <= float(p.mode()) <= high


def test_draws_follow_the_distribution():
    """Kolmogorov's bound for 100,000 draws, exceeded with probability 1e-9."""
    p = sf.Truncated(sf.Normal(loc=1.0, scale=2.0), lower=7.0, upper=7.5)
    x = np.sort(p.sample((100_000,), rng=3))
    expected = np.asarray(p.cdf(x))
    distance = np.abs(expected - np.arange(len(x)) / len(x)).max()
    assert distance < np.sqrt(np.log(2 / 1e-9) / (2 * len(x))) + 1 / len(x)


def test_truncated_counts_keep_both_bounds():
    p = sf.Truncated(sf.Poisson(3.0), lower=1.0, upper=4.0)
    k = np.arange(6.0)
    exact = scipy.stats.poisson(3.0).pmf(k) * ((k >= 1) & (k <= 4))
    np.testing.assert_allclose(p.prob(k), exact / exact.sum(), rtol=1e-13)
    np.testing.assert_allclose(p.cdf(k), np.cumsum(exact) / exact.sum(), rtol=1e-13)
    np.testing.assert_allclose(p.mean(), (k * exact).sum() / exact.sum(), rtol=1e-12)
    np.testing.assert_array_equal(p.icdf(np.asarray(p.cdf(k[1:5])) * (1 - 1e-12)), k[1:5])
    assert set(np.unique(p.sample((2000,), rng=0))) == {1.0, 2.0, 3.0, 4.0}


def test_bounds_that_keep_nothing_are_refused():
    with pytest.raises(ValueError, match="Truncated: lower must be below upper"):
        sf.Truncated(sf.Normal(), lower=3.0, upper=2.0)
    with pytest.raises(ValueError, match="some of the base's support between them"):
        sf.Truncated(sf.Gamma(2.0), upper=-1.0)
    with pytest.raises(TypeError, match=r"Truncated\.base must be a distribution, got float"):
        sf.Truncated(2.0, lower=3.0)


def test_compiled_batches_and_derivatives():
    def mean_log(loc, lower):
        return sf.Truncated(sf.Normal(loc=loc), lower=lower).log_prob(lower + 0.5)

    batch = jax.jit(jax.vmap(mean_log))(jnp.array([0.0, 1.0]), jnp.array([2.0, 9.0]))
    singles = [mean_log(0.0, 2.0), mean_log(1.0, 9.0)]
    np.testing.assert_allclose(batch, singles, rtol=1e-14)
    h = 1e-6
    numeric = (mean_log(h, 2.0) - mean_log(-h, 2.0)) / (2 * h)
    np.testing.assert_allclose(jax.grad(mean_log)(0.0, 2.0), numeric, rtol=1e-8)


def test_maximum_likelihood_with_known_bounds():
    """Against SciPy's optimum of SciPy's densities, whose tolerance leaves seven digits of the parameters."""
    x = np.random.default_rng(0).normal(1.0, 2.0, 4000)
    x = x[(x > 0.0) & (x < 3.0)]
    family = sf.family(sf.Truncated, base=sf.Normal, lower=0.0, upper=3.0)
    fit = sf.fit(family, x)
    assert family.name == "Truncated(base=Normal, lower=0, upper=3)"

    def negative(theta):
        normal = scipy.stats.norm(theta[0], np.exp(theta[1]))
        return len(x) * np.log(normal.cdf(3.0) - normal.cdf(0.0)) - normal.logpdf(x).sum()

    best = scipy.optimize.minimize(negative, [1.0, 0.5], method="BFGS", options={"gtol": 1e-6})
    assert float(fit.log_likelihood) == pytest.approx(-best.fun, rel=1e-10)
    assert fit.parameters["loc"] == pytest.approx(best.x[0], rel=1e-4)
    with pytest.raises(sf.DataError, match=r"needs values in \[0, 3\], got 4 in row 2"):
        sf.fit(family, [0.5, 4.0, 2.0])
    with pytest.raises(ValueError, match="the support of Uniform is estimated"):
        sf.family(sf.Truncated, base=sf.Uniform, lower=0.0)
    with pytest.raises(ValueError, match="base is not estimated and must be given"):
        sf.family(sf.Truncated, lower=0.0)


def test_fits_run_inside_compiled_code():
    x = np.random.default_rng(0).normal(1.0, 2.0, 400)
    x = x[(x > 0.0) & (x < 3.0)]
    family = sf.family(sf.Truncated, base=sf.Normal, lower=0.0, upper=3.0)
    compiled = jax.jit(lambda x: sf.fit(family, x))(x)
    assert compiled.converged
    assert float(compiled.log_likelihood) == pytest.approx(float(sf.fit(family, x).log_likelihood), rel=1e-12)
