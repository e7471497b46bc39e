"""L10: the score has mean zero and its covariance is the Fisher information; the sample mean reaches the Cramér–Rao bound."""

import numpy as np
import pytest
from scipy import stats

import suffice as sf


@pytest.mark.parametrize(
    "p", [sf.Normal(1.0, 2.0), sf.Gamma(2.5, 1.5), sf.Poisson(3.0)], ids=lambda p: type(p).__name__
)
def test_score_and_information(p):
    """Each mean of 20,000 scores and of their products within 5.9 standard errors: false alarm below 1e-7 over all."""
    s = np.asarray(sf.score(p, p.sample((20_000,), rng=7)))
    products = np.einsum("ni,nj->nij", s, s).reshape(len(s), -1)
    for values, expected in ((s, np.zeros(s.shape[1])), (products, np.asarray(sf.fisher_information(p)).ravel())):
        error = values.std(0, ddof=1) / np.sqrt(len(values))
        assert np.all(np.abs(values.mean(0) - expected) < 5.9 * error)


def test_the_sample_mean_is_efficient():
    """Its variance over the bound is χ²/df: within the exact band at false alarm 1e-7."""
    p, n, replicates = sf.Normal(1.0, 2.0), 10, 2000
    study = sf.simulate(lambda x: x.mean(), p, truth=1.0, sizes=(n,), replicates=replicates, rng=1)
    bound = float(sf.cramer_rao_bound(p, n)[0, 0])
    ratio = study.table[0]["variance"] / bound
    low, high = stats.chi2(replicates - 1).ppf([0.5e-7, 1 - 0.5e-7]) / (replicates - 1)
    assert low < ratio < high


def test_observed_information_tends_to_the_expected():
    """Minus the mean curvature of 20,000 observations is within 5.9 standard errors of I."""
    p = sf.Weibull(2.0, 3.0)
    x = np.asarray(p.sample((20_000,), rng=3))
    halves = np.array([sf.observed_information(p, part) / len(part) for part in np.split(x, 50)])
    error = halves.std(0, ddof=1) / np.sqrt(len(halves))
    # a t with 49 degrees of freedom beyond 6.5 has probability 4e-8
    assert np.all(np.abs(halves.mean(0) - np.asarray(sf.fisher_information(p))) < 6.5 * error)
