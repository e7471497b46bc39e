"""Tests of two samples: beside SciPy where it computes the same, exact on small samples, and of the right size."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.special
import scipy.stats

import suffice as sf
from suffice.inference.testing.two_sample import kolmogorov_tail

RNG = np.random.default_rng(21)
STATISTICS = ("kolmogorov-smirnov", "anderson-darling", "cramer-von-mises", "energy", "mmd")


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 8), (30, 41), (200, 150)])
def test_kolmogorov_smirnov_is_scipys(n, m):
    x, y = RNG.normal(size=n), RNG.normal(0.4, 1.2, size=m)
    found, expected = sf.two_sample(x, y), scipy.stats.ks_2samp(x, y, method="exact")
    assert (found.method, found.counts) == ("exact", (n, m))
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-12)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)


def test_small_p_values_keep_their_digits():
    """Two samples of 300 apart: two labellings of all there are."""
    x = np.arange(300.0)
    expected = 2.0 * np.exp(-scipy.special.gammaln(601) + 2.0 * scipy.special.gammaln(301))
    assert sf.two_sample(x, x + 1000.0).p_value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("rounded", [False, True])
def test_anderson_darling_is_scipys(rounded):
    x, y = RNG.normal(size=30), RNG.normal(0.4, 1.2, size=41)
    if rounded:
        x, y = np.round(2 * x), np.round(2 * y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # their p-value is capped
        expected = scipy.stats.anderson_ksamp([x, y], variant="midrank", method=None).statistic
    assert sf.two_sample(x, y, "anderson-darling", replicates=9).statistic == pytest.approx(expected, rel=1e-10)


def test_cramer_von_mises_is_scipys():
    x, y = RNG.normal(size=6), RNG.normal(0.9, 1.2, size=5)
    found = sf.two_sample(x, y, "cramer-von-mises")
    expected = scipy.stats.cramervonmises_2samp(x, y, method="exact")
    assert found.method == "exact"
    assert found.replicates == 462
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-12)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-12)


def test_energy_is_the_square_of_scipys_distance():
    x, y = RNG.normal(size=30), RNG.normal(0.4, 1.2, size=41)
    expected = scipy.stats.energy_distance(x, y) ** 2
    assert sf.two_sample(x, y, "energy", replicates=9).statistic == pytest.approx(expected, rel=1e-10)
    plane = [np.stack([v, 2.0 * v], axis=1) / np.sqrt(5.0) for v in (x, y)]
    assert sf.two_sample(*plane, "energy", replicates=9).statistic == pytest.approx(expected, rel=1e-10)


def test_mmd_is_its_definition():
    x, y = RNG.normal(size=(7, 2)), RNG.normal(0.5, 1.0, size=(9, 2))
    both = np.concatenate([x, y])
    h = np.median([np.linalg.norm(a - b) for a, b in itertools.combinations(both, 2)])

    def mean(a, b, same=False):
        k = np.array([[np.exp(-np.sum((p - q) ** 2) / (2 * h**2)) for q in b] for p in a])
        return (k.sum() - np.trace(k)) / (len(a) * (len(a) - 1)) if same else k.mean()

    expected = mean(x, x, True) + mean(y, y, True) - 2 * mean(x, y)
    assert sf.two_sample(x, y, "mmd", replicates=9).statistic == pytest.approx(expected, rel=1e-10)


def test_with_ties_the_paths_count_what_all_labellings_give():
    x, y = [0, 0, 1, 1, 2], [1, 2, 2, 3]
    both, n = np.array(x + y), len(x)

    def distance(places):
        a, b = both[list(places)], np.delete(both, list(places))
        return max(abs(np.mean(a <= t) - np.mean(b <= t)) for t in both)

    every = np.array([distance(c) for c in itertools.combinations(range(len(both)), n)])
    expected = np.mean(every >= distance(range(n)) - 1e-12)
    assert sf.two_sample(x, y).p_value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_permutations_estimate_the_exact_value(statistic):
    """4,999 permutations against 252 labellings: six standard errors, 2e-9 on either side."""
    x, y = np.round(RNG.normal(size=5), 1), np.round(RNG.normal(0.8, 1.0, size=5), 1)
    exact = sf.two_sample(x, y, statistic, method="exact").p_value
    estimate = sf.two_sample(x, y, statistic, method="permutation", replicates=4999).p_value
    assert abs(estimate - exact) < 6.0 * np.sqrt(exact * (1.0 - exact) / 4999) + 1 / 5000


@pytest.mark.parametrize("statistic", STATISTICS[1:])
def test_p_values_have_their_size(statistic):
    """400 pairs of 15 and 10: p <= 0.1 in 40, standard deviation 6; six of these, 2e-9 on either side."""
    found = [
        sf.two_sample(RNG.normal(size=15), RNG.normal(size=10), statistic, replicates=99, rng=i).p_value
        for i in range(400)
    ]
    assert abs(np.mean(np.array(found) <= 0.1) - 0.1) < 6.0 * np.sqrt(0.1 * 0.9 / 400)


def test_vectors_that_differ_in_dependence_only():
    """Margins are equal; correlation .9 against −.9 at n = 80 is beyond any permutation."""
    x = np.asarray(sf.MultivariateNormal([0.0, 0.0], [[1.0, 0.9], [0.9, 1.0]]).sample((80,), rng=1))
    y = np.asarray(sf.MultivariateNormal([0.0, 0.0], [[1.0, -0.9], [-0.9, 1.0]]).sample((80,), rng=2))
    for statistic in ("energy", "mmd"):
        assert sf.two_sample(x, y, statistic, replicates=199).p_value == 1 / 200


def test_large_samples_take_kolmogorovs_distribution():
    x, y = RNG.normal(size=20_000), RNG.normal(size=15_000)
    found = sf.two_sample(x, y)
    assert found.method == "asymptotic"
    expected = scipy.special.kolmogorov(found.statistic * np.sqrt(20_000 * 15_000 / 35_000))
    assert found.p_value == pytest.approx(expected, rel=1e-10)
    assert [kolmogorov_tail(z) for z in (0.1, 0.7, 0.999, 1.0, 2.5)] == pytest.approx(
        scipy.special.kolmogorov([0.1, 0.7, 0.999, 1.0, 2.5]), rel=1e-12
    )


def test_equal_samples_and_the_seed():
    for statistic in STATISTICS:
        assert sf.two_sample([1.0, 1.0], [1.0, 1.0, 1.0], statistic).p_value == 1.0
    x, y = RNG.normal(size=40), pd.Series(RNG.normal(size=30))
    one, same, other = (sf.two_sample(x, y, "energy", rng=seed) for seed in (1, 1, 2))
    assert one == same
    assert one.statistic == other.statistic
    assert one.p_value != other.p_value


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1.0], [2.0], "t"), ValueError, "statistic must be one of kolmogorov-smirnov"),
        (([1.0], [2.0], "mmd"), sf.DataError, "mmd needs samples of at least 2, got 1 and 1"),
        (([1.0, np.nan], [2.0]), sf.DataError, "missing"),
        ((np.ones((3, 2)), np.ones((3, 2))), sf.DataError, "kolmogorov-smirnov is for numbers, got rows of 2"),
        ((np.ones((3, 2)), np.ones((3, 1)), "mmd"), sf.DataError, "as many columns, got 2 and 1"),
        ((np.array([[1.0, np.nan]]), np.ones((1, 2)), "energy"), sf.DataError, "x has 1 rows with missing"),
        ((np.zeros(6000), np.ones(6000), "mmd"), sf.DataError, "at most 10,000 rows, got 12,000"),
    ],
)
def test_what_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        sf.two_sample(*arguments)


def test_methods_that_are_refused():
    x = np.arange(40.0)
    with pytest.raises(ValueError, match="asymptotic p-value is that of kolmogorov-smirnov"):
        sf.two_sample(x, x, "energy", method="asymptotic")
    with pytest.raises(ValueError, match=r"about 10\^23 labellings, too many"):
        sf.two_sample(x, x, "energy", method="exact")
    with pytest.raises(ValueError, match="method must be one of"):
        sf.two_sample(x, x, method="guess")
    with pytest.raises(ValueError, match="replicates must be >= 1"):
        sf.two_sample(x, x, replicates=0)
