"""L3: the law of large numbers with its bounds, and the central limit theorem with its exact distance."""

import numpy as np
import pytest

import suffice as sf

FALSE_ALARM = 1e-9
SIZES = (10, 100, 1000)
REPLICATES = 4000


@pytest.fixture(scope="module")
def study():
    """The mean of exponential samples: truth 1, standard deviation 1."""
    return sf.simulate(lambda x: x.mean(), sf.Exponential(1.0), truth=1.0, sizes=SIZES, replicates=REPLICATES, rng=1)


def test_mean_error_is_below_the_deviation(study):
    """Row L3: E|mean − mu| <= sigma/√N (Jensen); the simulated mean may exceed it by six of its standard errors.

    Six standard errors: a false alarm of 1e-9 for each size, were the bound attained.
    """
    for row in study.table:
        assert row["mae"] <= 1.0 / np.sqrt(row["size"]) + 6.0 * row["mae_error"]
        assert abs(row["bias"]) <= 6.0 * row["bias_error"]
        assert abs(row["variance"] - 1.0 / row["size"]) <= 6.0 * row["variance_error"]


def test_tails_are_inside_chebyshev(study):
    """Row L3: P(|mean − mu| >= k sigma/√N) <= 1/k²; Hoeffding's bound on a frequency gives the margin."""
    margin = np.sqrt(np.log(1.0 / FALSE_ALARM) / (2.0 * REPLICATES))
    for k in (1.0, 1.5, 2.0, 3.0):
        share = study.tail_frequency(k / np.sqrt(np.array(SIZES))[:, None])
        assert np.all(share <= 1.0 / k**2 + margin)


def test_simulated_means_are_gamma(study):
    """Row L3: the mean of N exponentials is Gamma(N, rate N): the band of Dvoretzky, Kiefer, Wolfowitz and Massart."""
    band = np.sqrt(np.log(2.0 / FALSE_ALARM) / (2.0 * REPLICATES))
    for n, means in zip(SIZES, study.estimates[:, :, 0], strict=True):
        ordered = np.sort(means)
        share = np.arange(1, REPLICATES + 1) / REPLICATES
        assert np.max(np.abs(share - np.asarray(sf.Gamma(float(n), float(n)).cdf(ordered)))) <= band


def test_distance_from_the_normal_falls():
    """Row L3: the exact distance sup |P(√N (mean − 1) <= z) − Φ(z)| falls and is below the Berry–Esseen bound.

    The bound is C E|X − mu|³/(sigma³ √N) with C = 0.4748 (Shevtsova 2011) and E|X − 1|³ = 12/e − 2. To first order
    the distance is skewness/(6 √(2π N)): the rest is of the order 1/N. No alarm is false: nothing is random.
    """
    n = np.array([1.0, 4.0, 16.0, 64.0, 256.0, 1024.0])
    z = np.linspace(-5.0, 5.0, 4001)[:, None]
    exact = np.asarray(sf.Gamma(n, n).cdf(1.0 + z / np.sqrt(n)))
    distance = np.max(np.abs(exact - np.asarray(sf.Normal().cdf(z))), axis=0)
    third = 12.0 / np.e - 2.0
    assert np.all(np.diff(distance) < 0.0)
    assert np.all(distance <= 0.4748 * third / np.sqrt(n))
    assert np.all(np.abs(distance - 2.0 / (6.0 * np.sqrt(2.0 * np.pi * n))) <= 0.1 / n)


def test_study_of_a_family():
    """Row L3: a family is an estimator too: the MLE of an exponential rate has bias rate/(n − 1) exactly."""
    study = sf.simulate(sf.Exponential, sf.Exponential(2.0), sizes=(5, 50), replicates=REPLICATES, rng=2)
    assert study.names == ("rate",)
    for row in study.table:
        assert abs(row["bias"] - 2.0 / (row["size"] - 1)) <= 6.0 * row["bias_error"]
    assert "rate" in repr(study)
    with pytest.raises(TypeError, match="truth is needed"):
        sf.simulate(lambda x: x.mean(), sf.Exponential(2.0))
