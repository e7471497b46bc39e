"""L13: distributions that are special cases and limits of one another."""

import numpy as np
import pytest

import suffice as sf

X = np.array([1e-6, 0.01, 0.3, 1.0, 2.5, 7.0, 40.0])
UNIT = np.array([1e-6, 0.01, 0.3, 0.5, 0.9, 1 - 1e-6])
COUNTS = np.arange(8.0)

SAME = {
    "chi-square(k) = gamma(k/2, rate 1/2)": (sf.ChiSquared(5.0), sf.Gamma(2.5, rate=0.5), X),
    "gamma(1) = exponential": (sf.Gamma(1.0, rate=0.7), sf.Exponential(0.7), X),
    "beta(1, 1) = uniform": (sf.Beta(1.0, beta=1.0), sf.Uniform(), UNIT),
    "Weibull(1) = exponential": (sf.Weibull(1.0, scale=2.0), sf.Exponential(0.5), X),
    "Weibull(2) = Rayleigh": (sf.Weibull(2.0, scale=np.sqrt(2.0) * 3.0), sf.Rayleigh(3.0), X),
    "t(1) = Cauchy": (sf.StudentT(1.0, loc=1.0, scale=2.0), sf.Cauchy(loc=1.0, scale=2.0), X),
    "Bernoulli = binomial(1)": (sf.Bernoulli.from_probs(0.3), sf.Binomial(1.0, 0.3), np.array([0.0, 1.0])),
    "negative binomial(1) = geometric": (sf.NegativeBinomial(4.0, concentration=1.0), sf.Geometric(0.2), COUNTS),
    "beta-binomial(n, 1, 1) = uniform": (
        sf.BetaBinomial(7.0, alpha=1.0, beta=1.0),
        sf.DiscreteUniform(0.0, 7.0),
        COUNTS,
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_special_cases_are_equal(name):
    """To 1e-13: two formulae, each exact to its own rounding."""
    one, other, x = SAME[name]
    for method in ("log_prob", "cdf", "sf"):
        np.testing.assert_allclose(getattr(one, method)(x), getattr(other, method)(x), rtol=1e-13, atol=1e-15)


def test_f_of_one_and_k_is_the_square_of_t():
    k = sf.StudentT(4.0)
    np.testing.assert_allclose(sf.F(1.0, df2=4.0).sf(X**2), 2.0 * np.asarray(k.sf(X)), rtol=1e-12)


def test_the_sum_of_squares_of_normals_is_chi_square():
    """Kolmogorov's distance of 50,000 sums of 5 squares, false alarm 1e-9."""
    sums = np.sort((np.asarray(sf.Normal().sample((50_000, 5), rng=5)) ** 2).sum(1))
    expected = np.asarray(sf.ChiSquared(5.0).cdf(sums))
    distance = np.abs(expected - np.arange(1, 50_001) / 50_000).max()
    assert distance < np.sqrt(np.log(2 / 1e-9) / 100_000) + 1 / 50_000


def test_a_poisson_of_large_rate_is_near_the_normal():
    """Berry and Esseen: the distance of the distribution functions is below 0.4748/√rate, and falls as the rate grows."""
    distances = []
    for rate in (10.0, 1000.0, 100_000.0):
        k = np.floor(rate + np.sqrt(rate) * np.linspace(-5, 5, 2001))
        distances.append(np.abs(sf.Poisson(rate).cdf(k) - sf.Normal(rate, np.sqrt(rate)).cdf(k)).max())
        assert distances[-1] < 0.4748 / np.sqrt(rate)
    assert distances == sorted(distances, reverse=True)


def test_a_t_of_many_degrees_of_freedom_is_near_the_normal():
    z = np.array([-3.0, 0.5, 8.0])
    np.testing.assert_allclose(sf.StudentT(1e12).log_sf(z), sf.Normal().log_sf(z), rtol=1e-9)
