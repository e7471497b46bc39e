"""Laws whose tables were published: quantiles of counts, the hypergeometric law, the density of the beta law."""

from pathlib import Path

import numpy as np
import pytest

import suffice as sf

EPS = 2.0**-52
BOOST = Path(__file__).parents[1] / "references" / "boost"


def table(name):
    return np.loadtxt(BOOST / f"{name}.csv", delimiter=",", skiprows=1, unpack=True)


@pytest.mark.parametrize(
    ("name", "law"),
    [
        ("binomial_quantile", sf.Binomial),
        ("poisson_quantile", sf.Poisson),
        ("negative_binomial_quantile", sf.NegativeBinomial.from_probs),
    ],
)
def test_quantiles_of_counts(name, law):
    """The smallest k with cdf(k) >= p and with sf(k) <= p: what the table's real number, where they are equal, rounds up to.

    Where that number is an integer but for its rounding, either neighbour is right.
    """
    *parameters, p, lower, upper = table(name)
    distribution = law(*parameters)
    for quantile, real in (("icdf", lower), ("isf", upper)):
        found = np.asarray(getattr(distribution, quantile)(p))
        clear = np.abs(real - np.round(real)) > 1e-12 * (1.0 + real)
        assert np.mean(clear | (real == 0.0)) > 0.99
        np.testing.assert_array_equal(found[clear], np.ceil(real)[clear])
        assert np.all(np.abs(found - real)[~clear] < 1.0 + 1e-9)


def test_hypergeometric():
    """To 8 eps of 1 + |log p|: populations up to millions."""
    successes, draws, population, k, *expected = table("hypergeometric_dist_data2")
    law = sf.Hypergeometric(population=population, successes=successes, draws=draws)
    for name, value in zip(("prob", "cdf", "sf"), expected, strict=True):
        inside = value > 1e-290
        found = np.asarray(getattr(law, name)(k))
        allowed = np.maximum(1e-13, 8 * EPS * (1.0 - np.log(value[inside])))
        np.testing.assert_array_less(np.abs(found[inside] / value[inside] - 1.0), allowed)
        np.testing.assert_array_less(found[~inside], 1e-289)


@pytest.mark.parametrize("name", ["ibeta_derivative_data", "ibeta_derivative_small_data"])
def test_density_of_beta(name):
    """To 8 eps of the condition number, in which x counts |x d log p/dx| and 1 − x is rounded with it."""
    a, b, x, expected = table(name)
    found = np.asarray(sf.Beta(a, b).prob(x))
    condition = 1.0 + np.abs(np.log(expected)) + np.abs((a - 1.0) - (b - 1.0) * x / (1.0 - x))
    np.testing.assert_array_less(np.abs(found / expected - 1.0), np.maximum(1e-13, 8 * EPS * condition))
