import numpy as np
import pytest

import suffice as sf
from suffice.report.empirical import BINS, Empirical, evaluate, masses, spread_places


def empirical(values, weights=None, tabulated=False):
    values = np.asarray(values, float)
    return Empirical(values, np.ones(len(values)) if weights is None else np.asarray(weights, float), tabulated, False)


def test_weights_count_as_repetitions(ranking, counts):
    assert Empirical.of(ranking).count == 200
    table = Empirical.of(counts)
    assert table.tabulated
    assert table.count == 2608
    np.testing.assert_array_equal(table.values, [*range(12), 13, 14])  # weight 0 is left out
    repeated = np.repeat(table.values, table.weights.astype(int))
    for q in (0.01, 0.25, 0.5, 0.9, 1.0):
        assert table.quantile(q) == np.quantile(repeated, q, method="inverted_cdf")


def test_shares_of_the_bins_and_beyond_them_add_up_to_one():
    x = np.sort(np.random.default_rng(0).pareto(1.2, 5000) + 1.0)
    data = empirical(x)
    assert data.heavy
    assert data.beyond()[1] > 0.0  # a tail that would flatten the histogram is not drawn
    assert data.shares().sum() + sum(data.beyond()) == pytest.approx(1.0, abs=1e-12)
    assert len(data.shares()) <= 2 * BINS


def test_bins_of_integers_have_whole_width_and_no_value_on_an_edge():
    data = empirical(np.arange(30.0, 90.0), tabulated=True)
    width = np.diff(data.bins)
    assert np.all(width == width[0])
    assert width[0] == np.floor(width[0])
    assert np.all(data.bins == np.floor(data.bins) + 0.5)
    assert data.shares().sum() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("values", [[3.0], [2.0, 2.5], [0.0, 1.0, 1e9]])
def test_few_values_have_bins_that_hold_them(values):
    data = empirical(values)
    assert len(data.bins) >= 2
    assert data.shares().sum() + sum(data.beyond()) == pytest.approx(1.0, abs=1e-12)


def test_few_places_keep_both_ends():
    assert np.array_equal(spread_places(10, 16), np.arange(10))
    places = spread_places(100_000, 384)
    assert len(places) <= 384
    assert (places[0], places[1], places[-1]) == (0, 1, 99_999)
    tail = empirical(np.arange(1.0, 10_001.0)).tail(100)
    assert len(tail) <= 100
    assert (tail[0], tail[-1]) == (0, 9999)


def test_evaluation_in_blocks_is_evaluation():
    x = np.linspace(-2.0, 3.0, 700)
    np.testing.assert_array_equal(evaluate(sf.Normal().cdf, x), np.asarray(sf.Normal().cdf(x)))


def test_masses_are_exact_in_the_far_tail():
    edges = np.array([30.0, 31.0, 32.0])
    expected = np.exp(-edges[:-1]) - np.exp(-edges[1:])  # no cancellation: neighbours differ by a factor e
    np.testing.assert_allclose(masses(sf.Exponential(rate=1.0), edges), expected, rtol=1e-13)
    p = sf.Poisson(rate=2.0)
    np.testing.assert_allclose(masses(p, np.arange(-0.5, 6.0)), p.prob(np.arange(6.0)), rtol=1e-13)
