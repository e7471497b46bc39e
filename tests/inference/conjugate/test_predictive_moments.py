"""Moments of predictive laws: infinite where they are, else by the moments of the parameter."""

import mpmath
import numpy as np
import pytest

import suffice as sf

BETA_NEGATIVE_BINOMIAL = [
    (sf.Beta(0.9, 0.5), sf.Geometric, 1.0),
    (sf.Beta(1.4, 0.5), sf.Geometric, 1.0),
    (sf.Beta(2.05, 1.5), sf.family(sf.NegativeBinomial, concentration=2.5), 2.5),
    (sf.BetaPrime(1.5, 2.05), sf.family(sf.NegativeBinomial, concentration=2.5), 2.5),
    (sf.Beta(6.0, 1.5), sf.family(sf.NegativeBinomial, concentration=2.5), 2.5),
]


@pytest.mark.parametrize(("prior", "family", "r"), BETA_NEGATIVE_BINOMIAL)
def test_counts_until_successes(prior, family, r):
    """Against sums of k^j P(k), P from gamma functions at 30 digits, as hypergeometric series."""
    posterior = sf.update(prior, family, [0.0], [1e-300])  # all but the prior itself
    found = posterior.predictive
    a, b = (prior.beta, prior.alpha) if isinstance(prior, sf.BetaPrime) else (prior.alpha, prior.beta)
    a, b = float(a), float(b)
    with mpmath.workdps(30):

        def p(k):
            ways = mpmath.gamma(k + r) / mpmath.gamma(r) / mpmath.factorial(k)
            return ways * mpmath.beta(a + r, b + k) / mpmath.beta(a, b)

        def top(j):
            """E[k (k − 1) … (k − j + 1)], a hypergeometric sum."""
            return mpmath.factorial(j) * p(j) * mpmath.hyp2f1(j + r, b + j, a + b + r + j, 1) if a > j else mpmath.inf

        assert float(found.prob(3.0)) == pytest.approx(float(p(3)), rel=1e-12)
        mean, factorial = top(1), top(2)
        variance = factorial + mean - mean**2 if a > 2 else mpmath.inf
    assert float(found.mean()) == pytest.approx(float(mean), rel=1e-12)
    assert float(found.variance()) == pytest.approx(float(variance), rel=1e-11)
    assert np.isnan(float(found.kurtosis())) == (a <= 4.0)


def test_exponentials_of_heavy_tails_have_no_moment():
    for prior, family in (
        (sf.NormalInverseGamma(0.0, 1.0, 50.0, 1.0), sf.LogNormal),
        (sf.Gamma(50.0, 1.0), sf.family(sf.LogNormal, loc=0.0)),
        (sf.Gamma(50.0, 1.0), sf.family(sf.Pareto, scale=0.2)),
        (sf.Gamma(50.0, 1.0), sf.family(sf.Lomax, scale=0.2)),
        (sf.Gamma(50.0, 1.0), sf.family(sf.Burr12, alpha=2.0, scale=0.2)),
    ):
        found = sf.update(prior, family, [1.0, 2.0]).predictive
        assert float(found.mean()) == float(found.variance()) == np.inf
        assert np.isfinite(found.log_prob(1.0))


def test_inverse_gaussian():
    """E X is loc; Var X = loc³ E[1/λ], infinite for few observations."""
    family = sf.family(sf.InverseGaussian, loc=1.4)
    for a in (0.3, 1.5):
        found = sf.update(sf.Gamma(a, 2.0), family, [1.4], [1e-300]).predictive
        assert float(found.mean()) == pytest.approx(1.4, rel=1e-14)
        assert float(found.variance()) == (pytest.approx(1.4**3 * 2.0 / 0.5, rel=1e-12) if a > 1.0 else np.inf)
