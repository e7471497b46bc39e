"""Tests of fit by other statistics: their formulae, where they apply, and their size in compiled code."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import suffice as sf
from suffice.inference.testing.distances import CELLS, VALUES, groups_of, members

RNG = np.random.default_rng(21)
P = sf.Normal(0.1, 1.2)


def of_values(name, x, p=P):
    padded = np.concatenate([np.sort(x), np.full(14, 99.0)])
    return float(VALUES[name](p, jnp.asarray(padded), float(len(x)), (False, False)))


def test_kolmogorov_smirnov_and_cramer_von_mises_are_scipys():
    x = RNG.normal(size=50)
    expected = scipy.stats.ks_1samp(x, scipy.stats.norm(0.1, 1.2).cdf).statistic
    assert of_values("kolmogorov-smirnov", x) == pytest.approx(expected, rel=1e-12)
    expected = scipy.stats.cramervonmises(x, scipy.stats.norm(0.1, 1.2).cdf).statistic
    assert of_values("cramer-von-mises", x) == pytest.approx(expected, rel=1e-12)


def test_watsons_statistic_does_not_depend_on_where_a_circle_is_cut():
    """Of uniform values on a circle of length 1, turned by a third."""
    x, p = RNG.uniform(size=40), sf.Uniform(0.0, 1.0)
    turned = of_values("watson", (x + 1 / 3) % 1.0, p)
    assert of_values("watson", x, p) == pytest.approx(turned, rel=1e-10)
    assert of_values("cramer-von-mises", x, p) != pytest.approx(of_values("cramer-von-mises", (x + 1 / 3) % 1.0, p))


def test_chi_square_of_values_has_cells_of_equal_probability():
    x = RNG.normal(size=60)
    k = int(np.ceil(2.0 * 60**0.4))
    counts, _ = np.histogram(scipy.stats.norm(0.1, 1.2).cdf(x), bins=k, range=(0.0, 1.0))
    assert of_values("chi-square", x) == pytest.approx(scipy.stats.chisquare(counts).statistic, rel=1e-12)


def test_statistics_of_cells_are_their_formulae():
    probs, counts = np.array([0.2, 0.3, 0.4, 0.1]), np.array([10.0, 40.0, 35.0, 15.0])
    z = np.cumsum(counts - 100 * probs)
    h = np.cumsum(probs)
    expected = {
        "kolmogorov-smirnov": np.abs(z).max() / 100,
        "cramer-von-mises": np.sum(z**2 * probs) / 100,
        "watson": np.sum((z - np.sum(z * probs)) ** 2 * probs) / 100,
        "anderson-darling": np.sum((z**2 * probs)[:3] / (h * (1 - h))[:3]) / 100,
    }
    for name, value in expected.items():
        found = CELLS[name](jnp.asarray(probs), jnp.asarray(counts), jnp.eye(4))
        assert float(found) == pytest.approx(value, rel=1e-12)


def test_cells_are_drawn_together_until_five_are_expected():
    expected = jnp.array([1.0, 3.0, 2.0, 7.0, 4.0, 2.0, 2.0, 1.0])
    assert groups_of(expected).tolist() == [0, 0, 0, 1, 2, 2, 2, 2]
    assert (expected @ members(groups_of(expected))).tolist() == [6.0, 7.0, 9.0, 0.0, 0.0, 0.0, 0.0, 0.0]


def test_a_fit_knows_its_data():
    x = RNG.gamma(3.0, 2.0, size=60)
    fit = sf.fit(sf.Gamma, x)
    with_data = sf.goodness_of_fit(fit, x, "watson", replicates=19)
    assert sf.goodness_of_fit(fit, statistic="watson", replicates=19) == with_data
    assert with_data.test == "watson"
    (ranked,) = sf.rank(x, [sf.Gamma]).goodness_of_fit(replicates=19, statistic="watson")
    assert ranked.statistic == pytest.approx(with_data.statistic, rel=1e-9)
    compiled = jax.jit(lambda x: sf.fit(sf.Gamma, x))(x)
    with pytest.raises(ValueError, match="does not know its data"):
        sf.goodness_of_fit(compiled)


def test_counts_and_rounded_values_by_a_distribution_function():
    """One in twenty p-values of a true family would be 1/20: the seed is fixed."""
    x = np.random.default_rng(5).poisson(4.0, size=100)
    for ranking in (sf.rank(x, [sf.Poisson]), sf.rank(x, [sf.Laplace, sf.Normal])):
        for t in ranking.goodness_of_fit(replicates=19, statistic="cramer-von-mises"):
            assert (t.test, t.count, t.reason) == ("cramer-von-mises", 100, "")
            assert t.statistic >= 0.0
    direct = sf.goodness_of_fit(sf.fit(sf.Poisson, x), statistic="cramer-von-mises", replicates=19)
    assert direct.p_value > 1 / 20


def test_rows_with_intervals_of_their_own_are_not_tested():
    data = sf.Data(left=[1.0, 2.0, 2.5, 4.0], right=[1.0, 2.0, 3.5, 4.0])
    t = sf.goodness_of_fit(sf.fit(sf.Exponential, data))
    assert np.isnan(t.p_value)
    assert t.count == 4
    assert "intervals of their own" in t.reason


def test_what_is_refused():
    fit = sf.fit(sf.Exponential, [1.0, 2.0, 4.0])
    with pytest.raises(ValueError, match="statistic must be one of anderson-darling"):
        sf.goodness_of_fit(fit, statistic="lilliefors")
    vectors = sf.fit(sf.MultivariateNormal, RNG.normal(size=(20, 2)))
    with pytest.raises(TypeError, match="one of vectors"):
        sf.goodness_of_fit(vectors)
    with pytest.raises(ValueError, match="families of numbers with a known support, got Uniform"):
        sf.bootstrap_test(sf.Uniform)
    with pytest.raises(ValueError, match="replicates must be >= 1"):
        sf.bootstrap_test(sf.Normal, replicates=0)
    with pytest.raises(ValueError, match="statistic must be one of"):
        sf.bootstrap_test(sf.Normal, "lilliefors")


@pytest.mark.parametrize(
    ("family", "truth", "statistics"),
    [
        pytest.param(sf.Normal, sf.Normal(3.0, 2.0), ("kolmogorov-smirnov", "anderson-darling"), id="Normal"),
        pytest.param(sf.Exponential, sf.Exponential(2.0), ("watson", "chi-square"), id="Exponential"),
    ],
)
def test_compiled_tests_have_their_size(family, truth, statistics):
    """400 samples of 25, 19 replicates: p <= 0.1 in 40 of them, standard deviation 6; six of these, 2e-9 on either side.

    By Kolmogorov's table, as if parameters were known, next to none would be.
    """
    test = sf.bootstrap_test(family, statistics, replicates=19)
    study = sf.simulate(test, truth, truth=np.zeros(2), sizes=[25], replicates=400, rng=3)
    for row in study.rejections(0.1):
        assert abs(row["rejected"] - 0.1) < 6.0 * np.sqrt(0.1 * 0.9 / 400)


def test_compiled_and_eager_tests_of_counts_agree():
    """The same statistic of the same cells: p-values of 199 samples each, apart by less than six standard errors (2e-9)."""
    x = np.random.default_rng(8).poisson(5.0, size=60).astype(float)
    (compiled,) = sf.bootstrap_test(sf.Poisson, replicates=199)(jnp.asarray(x), jax.random.key(1))
    eager = sf.goodness_of_fit(sf.fit(sf.Poisson, x), replicates=199).p_value
    assert abs(float(compiled) - eager) < 6.0 * np.sqrt(2 * 0.25 / 199)
    assert 0.0 < float(compiled) <= 1.0
