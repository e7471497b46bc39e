"""Counts with extra zeros: sums over the counts say what every method must give."""

import numpy as np
import pytest
import scipy.stats

import suffice as sf

P = sf.ZeroInflated(sf.Geometric(0.4), zeros=0.25)
K = np.arange(400.0)
EXACT = 0.75 * 0.4 * 0.6**K + 0.25 * (K == 0)


def test_probabilities_and_tails():
    np.testing.assert_allclose(P.prob(K[:60]), EXACT[:60], rtol=1e-12)
    np.testing.assert_allclose(P.cdf(K[:60]), np.cumsum(EXACT)[:60], rtol=1e-13)
    upper = np.cumsum(EXACT[::-1])[::-1]
    np.testing.assert_allclose(P.sf(K[:60]), upper[1:61], rtol=1e-12)
    np.testing.assert_allclose(P.log_sf(K[:60]), np.log(upper[1:61]), rtol=1e-12)
    np.testing.assert_allclose(P.log_cdf(K[20:60]), np.log1p(-upper[21:61]), rtol=1e-12)


def test_quantiles_are_the_smallest_integers_that_reach_their_level():
    for q in (1e-9, 0.25, 0.5, 0.9, 1 - 1e-9):
        k = float(P.icdf(q))
        assert P.cdf(k) >= q
        assert k == 0 or P.cdf(k - 1) < q
    for q in (1e-100, 1e-9, 0.3, 0.9):
        k = float(P.isf(q))
        assert P.sf(k) <= q
        assert k == 0 or P.sf(k - 1) > q


def test_moments():
    mean = (K * EXACT).sum()
    variance = ((K - mean) ** 2 * EXACT).sum()
    np.testing.assert_allclose(P.mean(), mean, rtol=1e-12)
    np.testing.assert_allclose(P.variance(), variance, rtol=1e-12)
    np.testing.assert_allclose(P.skewness(), ((K - mean) ** 3 * EXACT).sum() / variance**1.5, rtol=1e-10)
    np.testing.assert_allclose(P.entropy(), scipy.stats.entropy(EXACT), rtol=1e-10)
    np.testing.assert_allclose(P.mgf(0.1), (np.exp(0.1 * K) * EXACT).sum(), rtol=1e-12)
    np.testing.assert_allclose(P.cf(0.7), (np.exp(0.7j * K) * EXACT).sum(), rtol=1e-12)
    assert P.mode() == 0.0


def test_draws_follow_the_distribution():
    """Chi-square over 0 to 20 of 100,000 draws; false alarm 1e-9."""
    draws = np.asarray(P.sample((100_000,), rng=2))
    seen = np.append(np.bincount(draws.astype(int), minlength=400)[:20], (draws >= 20).sum())
    expected = 1e5 * np.append(EXACT[:20], EXACT[20:].sum())
    assert ((seen - expected) ** 2 / expected).sum() < scipy.stats.chi2(20).isf(1e-9)


def test_maximum_likelihood_finds_the_extra_zeros():
    """Estimates lie within 5 standard errors of the truth, false alarm 1e-6; likelihood above that of the truth."""
    x = np.asarray(sf.ZeroInflated(sf.Poisson(2.0), zeros=0.25).sample((3000,), rng=1))
    fit = sf.fit(sf.family(sf.ZeroInflated, base=sf.Poisson), x)
    assert fit.converged
    for name, truth in (("rate", 2.0), ("zeros", 0.25)):
        assert abs(fit.parameters[name] - truth) < 5 * fit.standard_errors[name]
    assert fit.log_likelihood > sf.ZeroInflated(sf.Poisson(2.0), zeros=0.25).log_prob(x).sum()


def test_only_counts_from_zero_can_have_extra_zeros():
    with pytest.raises(ValueError, match="base must be a distribution of counts from 0, got Normal"):
        sf.ZeroInflated(sf.Normal(), zeros=0.1)
