"""A band is checked against the exact law of order statistics, and for what refitting must do to it."""

import numpy as np
import pytest
from scipy import stats

import suffice as sf
from suffice.report.bands import compare
from suffice.report.empirical import Empirical


def comparison(ranking, place=0, **settings):
    return compare(ranking.candidates[place].fit, ranking, Empirical.of(ranking), **settings)


def test_band_with_parameters_held_is_the_law_of_order_statistics():
    """u_(i) of n uniforms is Beta(i, n + 1 − i). A 2.5 % quantile of 2,000 draws has standard deviation 0.0035 in
    probability; six of them, at 80 edges, are exceeded by chance with probability below 1e-7."""
    x = np.random.default_rng(1).uniform(2.0, 5.0, 40)
    c = comparison(sf.rank(x, [sf.Uniform]), replicates=2000)
    assert not c.refitted
    law = stats.beta(np.arange(1, 41), np.arange(40, 0, -1))
    assert np.abs(law.cdf(c.probability_band.low[0]) - 0.025).max() < 6 * np.sqrt(0.025 * 0.975 / 2000)
    assert np.abs(law.cdf(c.probability_band.high[0]) - 0.975).max() < 6 * np.sqrt(0.025 * 0.975 / 2000)


def test_band_of_a_location_and_scale_family_does_not_depend_on_them():
    """Draws and refits move along with the data, so in probabilities nothing changes but rounding, which the sum of
    40 terms and a density below 1 keep under 1e-12."""
    x = np.random.default_rng(2).normal(size=40)
    near, far = (comparison(sf.rank(v, [sf.Normal])) for v in (x, 100.0 + 8.0 * x))
    assert near.refitted
    for a, b in (
        (near.probability_band.low, far.probability_band.low),
        (near.probability_band.high, far.probability_band.high),
    ):
        np.testing.assert_allclose(a, b, atol=1e-12)
    np.testing.assert_allclose(far.quantile_band.low, 100.0 + 8.0 * np.array(near.quantile_band.low), rtol=1e-10)


def test_refitting_makes_the_band_narrower():
    x = np.random.default_rng(3).normal(size=40)
    c = comparison(sf.rank(x, [sf.Normal]))
    law = stats.beta(np.arange(1, 41), np.arange(40, 0, -1))
    middle = slice(10, 30)
    width = c.probability_band.high[0] - c.probability_band.low[0]
    assert np.all(width[middle] < 0.8 * (law.ppf(0.975) - law.ppf(0.025))[middle])


def test_points_are_quantiles_and_probabilities(ranking):
    c = comparison(ranking)
    p = ranking.best.distribution
    np.testing.assert_allclose(p.cdf(c.quantiles), c.shares, atol=1e-13)
    np.testing.assert_allclose(p.cdf(c.data), c.probabilities, atol=1e-13)
    assert c.count == 200
    assert not c.sampled


@pytest.mark.parametrize(
    ("family", "draw"),
    [
        (sf.Normal, lambda rng: rng.normal(size=40)),
        (sf.Poisson, lambda rng: rng.poisson(4.0, 300)),
    ],
    ids=["Normal", "Poisson"],
)
def test_points_of_a_true_family_lie_outside_one_time_in_twenty(family, draw):
    """Neighbouring points move together: the share outside one band has a standard deviation of about 0.1, the mean
    of 40 one of 0.016. It is 0.05, and exceeds 0.14 by chance with probability 1e-8."""
    found = [comparison(sf.rank(draw(np.random.default_rng(seed)), [family])) for seed in range(40)]
    assert np.mean([c.outside / len(c.data) for c in found]) < 0.14


def test_most_points_of_a_wrong_family_lie_outside(counts):
    c = comparison(counts, [c.name for c in counts.candidates].index("Geometric"))
    assert c.outside > len(c.data) / 2
    assert np.all(c.probability_band.low[1] <= c.probability_band.high[1])


def test_continuous_family_of_integers_is_compared_by_rounding_intervals(counts):
    c = comparison(counts, [c.name for c in counts.candidates].index("Normal"))
    p = counts.candidates[[c.name for c in counts.candidates].index("Normal")].fit.distribution
    below, above = p.cdf(c.data - 0.5), p.cdf(c.data + 0.5)
    np.testing.assert_allclose(c.probabilities, (below + above) / 2.0, atol=1e-9)


def test_wide_integers_are_compared_in_cells():
    """Values that share a cell lie on a line between its neighbours': no further off than what the widest cell holds,
    1/124. Of the points of a true family about one in twenty is outside, less than a third by far."""
    x = np.round(np.random.default_rng(8).lognormal(3.0, 2.0, 400))
    c = comparison(sf.rank(x, [sf.LogNormal]), replicates=39)
    p = sf.rank(x, [sf.LogNormal]).best.distribution
    np.testing.assert_allclose(c.probabilities, (p.cdf(c.data - 0.5) + p.cdf(c.data + 0.5)) / 2.0, atol=1 / 124)
    assert np.all(np.diff(c.quantiles) > 0)
    assert c.outside < len(c.data) / 3


def test_large_data_are_compared_by_a_sample():
    c = comparison(sf.rank(np.random.default_rng(5).normal(size=5000), [sf.Normal]), replicates=19)
    assert c.count == 4096
    assert c.sampled
    assert len(c.data) <= 384


def test_weights_that_are_no_frequencies_give_no_band():
    x = np.random.default_rng(6).normal(size=50)
    c = comparison(sf.rank(x, [sf.Normal], weights=np.full(50, 1.5)))
    assert c.quantile_band is None
    assert c.probability_band is None


def test_frequencies_are_repetitions():
    x = np.random.default_rng(7).normal(size=20)
    w = np.arange(20) % 3
    a = comparison(sf.rank(x, [sf.Normal], weights=w))
    b = comparison(sf.rank(np.repeat(x, w), [sf.Normal]))
    np.testing.assert_array_equal(a.data, b.data)
    np.testing.assert_allclose(a.probability_band.low, b.probability_band.low, atol=1e-12)
