"""Order statistics against the laws they follow in closed form, and against simulation."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import scipy.stats

import suffice as sf

LEVELS = np.array([1e-300, 1e-30, 1e-4, 0.3, 0.5])
TAILS = ("cdf", "sf", "log_cdf", "log_sf")


def test_of_uniform_draws_is_beta():
    p, beta = sf.OrderStatistic(sf.Uniform(0.0, 1.0), rank=3, count=8), sf.Beta(3.0, 6.0)
    x = np.array([1e-60, 0.01, 0.4, 0.9, 0.999])
    for method in (*TAILS, "log_prob"):
        np.testing.assert_allclose(getattr(p, method)(x), getattr(beta, method)(x), rtol=1e-13)
    np.testing.assert_allclose(p.icdf(LEVELS), beta.icdf(LEVELS), rtol=1e-13)
    np.testing.assert_allclose(p.mean(), 1 / 3, rtol=1e-12)
    np.testing.assert_allclose(p.variance(), beta.variance(), rtol=1e-10)


def test_the_smallest_of_exponential_draws_is_exponential():
    """Also where its tail underflows: log sf = −n x to a few roundings."""
    p, least = sf.OrderStatistic(sf.Exponential(2.0), rank=1, count=50), sf.Exponential(100.0)
    x = np.array([1e-200, 1e-9, 0.01, 0.5, 3.0])
    for method in (*TAILS, "log_prob"):
        np.testing.assert_allclose(getattr(p, method)(x), getattr(least, method)(x), rtol=4e-13)
    far = np.array([400.0, 1e6])
    np.testing.assert_allclose(p.log_sf(far), -100.0 * far, rtol=1e-14)
    np.testing.assert_allclose(p.log_prob(far), np.log(100.0) - 100.0 * far, rtol=1e-13)
    for method in ("icdf", "isf"):
        np.testing.assert_allclose(getattr(p, method)(LEVELS), getattr(least, method)(LEVELS), rtol=1e-13)


def test_normal_draws_in_both_tails():
    """Against mpmath: 8 eps times the condition number in x and in the power, at most 40 |x|² here."""
    rank, count = 38, 40
    p = sf.OrderStatistic(sf.Normal(), rank=rank, count=count)
    x = np.array([-6.0, -1.0, 1.5, 4.0, 9.0, 30.0])
    with mpmath.workdps(450):  # so many that a logarithm next to 0 keeps fifty
        below = [mpmath.ncdf(v) for v in x]
        above = [mpmath.ncdf(-v) for v in x]
        cdf = [mpmath.betainc(rank, count - rank + 1, 0, f, regularized=True) for f in below]
        sf_ = [mpmath.betainc(count - rank + 1, rank, 0, s, regularized=True) for s in above]
        n = mpmath.factorial(count) / mpmath.factorial(rank - 1) / mpmath.factorial(count - rank)
        log_prob = [
            mpmath.log(n * f ** (rank - 1) * s ** (count - rank) * mpmath.npdf(v))
            for f, s, v in zip(below, above, x, strict=True)
        ]
        logs = [float(mpmath.log(v)) for v in cdf], [float(mpmath.log(v)) for v in sf_]
    slack = 8 * np.finfo(float).eps * 40.0 * np.maximum(x**2, 1.0)
    for method, exact in (("cdf", cdf), ("sf", sf_)):
        exact = np.array(exact, float)
        assert np.all(np.abs(np.asarray(getattr(p, method)(x)) - exact) <= slack * exact)
    for method, exact in (("log_cdf", logs[0]), ("log_sf", logs[1]), ("log_prob", np.array(log_prob, float))):
        np.testing.assert_allclose(getattr(p, method)(x), exact, rtol=1e-13)
    x = np.asarray(p.isf(LEVELS))
    np.testing.assert_allclose(p.log_sf(x), np.log(LEVELS), rtol=1e-12)
    assert np.all(np.isfinite(jax.vmap(jax.grad(p.log_prob))(jnp.asarray([-60.0, 0.0, 60.0]))))


def test_of_counts():
    """Probabilities are differences of binomial tails, quantiles invert them."""
    base = scipy.stats.poisson(3.0)
    p = sf.OrderStatistic(sf.Poisson(3.0), rank=2, count=5)
    k = np.arange(0.0, 40.0)
    cdf = scipy.stats.binom.sf(1, 5, base.cdf(k))
    above = scipy.stats.binom.sf(3, 5, base.sf(k))  # at least four of five above k
    np.testing.assert_allclose(p.cdf(k), cdf, rtol=1e-12)
    mass = np.where(k < 3, np.diff(cdf, prepend=0.0), -np.diff(above, prepend=1.0))
    np.testing.assert_allclose(p.prob(k[:12]), mass[:12], rtol=1e-10)
    levels = np.asarray(p.cdf(k[:8]))
    np.testing.assert_array_equal(p.icdf(levels), k[:8])
    np.testing.assert_array_equal(p.icdf(levels * (1.0 + 1e-12)), k[1:9])
    assert float(p.prob(1.5)) == 0.0


def test_of_a_sample_is_the_bootstrap():
    """The median of five draws with replacement from a sample, all of them counted."""
    values = np.array([1.0, 2.5, 2.5, 7.0])
    p = sf.OrderStatistic(sf.Empirical(values), rank=3, count=5)
    medians = np.median(np.stack(np.meshgrid(*[values] * 5)).reshape(5, -1), axis=0)
    np.testing.assert_allclose(p.prob([1.0, 2.0, 2.5, 7.0]), [(medians == v).mean() for v in (1.0, 2.0, 2.5, 7.0)])
    np.testing.assert_allclose(p.mean(), medians.mean(), rtol=1e-13)


def test_draws():
    """Kolmogorov's test of 1e4 draws of the largest of ten, false alarm 1e-9."""
    p = sf.OrderStatistic(sf.Logistic(1.0, 2.0), rank=np.array([1.0, 10.0]), count=10)
    draws = np.asarray(p.sample(10_000, rng=3))
    for j in range(2):
        assert scipy.stats.kstest(np.asarray(p.cdf(draws))[:, j], "uniform").pvalue > 1e-9


def test_refusals():
    with pytest.raises(ValueError, match="rank must be at most count"):
        sf.OrderStatistic(sf.Normal(), rank=4, count=3)
    with pytest.raises(ValueError, match="distribution of numbers"):
        sf.OrderStatistic(sf.Dirichlet([1.0, 2.0]), rank=1, count=3)
