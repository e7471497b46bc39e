"""L29: E[X] = E[E[X | Y]] and Var[X] = E[Var[X | Y]] + Var[E[X | Y]], by Monte Carlo with its errors.

Each comparison is a z-score beyond which |z| > 6.2 has probability 6e-10; n is large enough for the normal tail.
"""

import numpy as np
import pytest

import suffice as sf

N = 40_000
LIMIT = 6.2


def z_of_mean(values, known):
    return (values.mean() - known) / (values.std() / np.sqrt(len(values)))


def z_of_variance(values, known):
    """The squares of deviations from the sample's mean, as if it were the true one: off by 1/n."""
    return z_of_mean((values - values.mean()) ** 2, known)


# Y, X given Y, X
MIXED = {
    "Poisson of a gamma rate is negative binomial": (
        sf.Gamma(3.0, 0.5),
        lambda y: sf.Poisson(y),
        sf.NegativeBinomial(6.0, 3.0),
    ),
    "exponential of a gamma rate is Lomax": (sf.Gamma(6.0, 2.0), lambda y: sf.Exponential(y), sf.Lomax(6.0, 2.0)),
    "normal of a normal mean is normal": (
        sf.Normal(1.0, 2.0),
        lambda y: sf.Normal(y, 1.5),
        sf.Normal(1.0, 2.5),
    ),
    "binomial of a beta probability is beta-binomial": (
        sf.Beta(2.0, 3.0),
        lambda y: sf.Binomial(10, y),
        sf.BetaBinomial(10, 2.0, 3.0),
    ),
}


@pytest.mark.parametrize("name", MIXED)
def test_tower_property_and_total_variance(name):
    of_y, given, of_x = MIXED[name]
    y = np.asarray(of_y.sample(N, rng=291))
    x = np.asarray(given(y).sample(rng=292)).astype(float)
    mean, variance = (np.asarray(v) for v in (given(y).mean(), given(y).variance()))
    assert abs(z_of_mean(mean, float(of_x.mean()))) < LIMIT  # E[E[X | Y]] = E[X]
    assert abs(z_of_mean(x, float(of_x.mean()))) < LIMIT
    # E[Var[X | Y]] + Var[E[X | Y]] = Var[X]
    total = variance + (mean - mean.mean()) ** 2
    assert abs(z_of_mean(total, float(of_x.variance()))) < LIMIT
    assert abs(z_of_variance(x, float(of_x.variance()))) < LIMIT


def test_both_terms_are_needed():
    """For the Poisson with a gamma rate: E[Var] = 6 and Var[E] = 12 of the 18 of the negative binomial."""
    of_y, given, of_x = MIXED["Poisson of a gamma rate is negative binomial"]
    y = np.asarray(of_y.sample(N, rng=293))
    assert float(of_x.variance()) == pytest.approx(18.0, rel=1e-12)
    assert abs(z_of_mean(np.asarray(given(y).variance()), 6.0)) < LIMIT
    assert abs(z_of_variance(np.asarray(given(y).mean()), 12.0)) < LIMIT


def test_tower_property_of_a_test_function():
    """E[g(X)] = E[E[g(X) | Y]] for a probability: P(X <= 3) of the mixture is the mean of the conditional ones."""
    of_y, given, of_x = MIXED["Poisson of a gamma rate is negative binomial"]
    y = np.asarray(of_y.sample(N, rng=294))
    assert abs(z_of_mean(np.asarray(given(y).cdf(3.0)), float(of_x.cdf(3.0)))) < LIMIT
