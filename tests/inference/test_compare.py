"""Vuong's test and cross-validation: their formulae, their size, and what they say of bad input."""

import jax
import numpy as np
import pytest
import scipy.stats

import suffice as sf

RNG = np.random.default_rng(21)


def test_vuong_is_its_formula():
    x = RNG.gamma(3.0, 2.0, size=80)
    one, other = sf.fit(sf.Gamma, x), sf.fit(sf.Exponential, x)
    m = np.asarray(one.distribution.log_prob(x) - other.distribution.log_prob(x))
    for correction, taken in (("none", 0.0), ("aic", 1.0), ("bic", np.log(80) / 2)):
        found = sf.vuong(one, other, correction)
        z = (m.sum() - taken) / (np.sqrt(80) * m.std())
        assert found.statistic == pytest.approx(z, rel=1e-9)
        assert found.p_value == pytest.approx(2 * scipy.stats.norm.sf(abs(z)), rel=1e-8)
        assert found.p_first == pytest.approx(scipy.stats.norm.sf(z), rel=1e-8)
        back = sf.vuong(other, one, correction)
        assert back.statistic == pytest.approx(-found.statistic, rel=1e-12)


def test_vuong_of_frequencies_and_of_censored_values():
    x, w = RNG.gamma(3.0, 2.0, size=30), RNG.integers(1, 4, size=30).astype(float)
    weighted = sf.vuong(sf.fit(sf.Gamma, x, w), sf.fit(sf.LogNormal, x, w))
    written = np.repeat(x, w.astype(int))
    plain = sf.vuong(sf.fit(sf.Gamma, written), sf.fit(sf.LogNormal, written))
    assert weighted.statistic == pytest.approx(plain.statistic, rel=1e-6)
    right = np.where(x > 8.0, np.inf, x)
    data = sf.Data(left=np.minimum(x, 8.0), right=right)
    one, other = sf.fit(sf.Gamma, data), sf.fit(sf.Exponential, data)
    difference = float(one.log_likelihood - other.log_likelihood)
    assert sf.vuong(one, other).difference == pytest.approx(difference, rel=1e-9)


def test_vuong_has_its_size():
    """Laplace samples, between two normals as far away: |z| > 1.96 in 100 of 2,000, deviation 9.7; six of these, 2e-9.

    At n = 60 it would be 8 in 100: the test is one for large samples.
    """
    x = RNG.laplace(size=(2000, 500))
    scores = []
    for loc in (-0.3, 0.3):
        scale = np.sqrt(((x - loc) ** 2).mean(1, keepdims=True))
        scores.append(scipy.stats.norm(loc, scale).logpdf(x))
    m = scores[0] - scores[1]
    z = m.sum(1) / (np.sqrt(500) * m.std(1))
    left, right = (sf.fit(sf.family(sf.Normal, loc=loc), x[0]) for loc in (-0.3, 0.3))
    assert sf.vuong(left, right).statistic == pytest.approx(z[0], rel=1e-8)
    assert abs(np.mean(np.abs(z) > 1.96) - 0.05) < 6 * np.sqrt(0.05 * 0.95 / 2000)


def test_what_vuong_refuses():
    x = RNG.gamma(3.0, 2.0, size=30)
    fit = sf.fit(sf.Gamma, x)
    same = sf.vuong(fit, fit)
    assert np.isnan(same.statistic)
    assert np.isnan(same.p_value)
    with pytest.raises(ValueError, match="correction must be one of none, aic, bic, got 'dic'"):
        sf.vuong(fit, fit, "dic")
    with pytest.raises(ValueError, match="the fits must be of the same data, got 30 and 20"):
        sf.vuong(fit, sf.fit(sf.Gamma, x[:20]))
    with pytest.raises(ValueError, match="does not know its data"):
        sf.vuong(fit, jax.jit(lambda x: sf.fit(sf.Gamma, x))(x))


def test_leave_one_out_is_its_definition():
    x = RNG.normal(size=12)
    expected = []
    for i in range(12):
        rest = np.delete(x, i)
        expected.append(scipy.stats.norm(rest.mean(), rest.std()).logpdf(x[i]))
    found = sf.cross_validate(sf.Normal, x, folds=12)
    assert found.scores[0] == pytest.approx(expected, rel=1e-9)
    assert found.means["Normal"] == pytest.approx(np.mean(expected), rel=1e-9)
    assert found.standard_errors["Normal"] == pytest.approx(np.std(expected, ddof=1) / np.sqrt(12), rel=1e-9)


def test_families_are_compared_in_pairs():
    x = RNG.gamma(3.0, 2.0, size=200)
    found = sf.cross_validate([sf.Exponential, sf.Gamma, sf.Beta], x, folds=4, rng=1)
    first, second = found.table()
    assert (first["family"], second["family"], found.best) == ("Gamma", "Exponential", "Gamma")
    apart = found.scores[0] - found.scores[1]
    assert second["difference"] == pytest.approx(apart.mean(), rel=1e-12)
    assert second["difference_error"] == pytest.approx(apart.std(ddof=1) / np.sqrt(200), rel=1e-12)
    assert found.impossible["Beta"].startswith("Beta needs values in (0, 1)")
    assert "impossible" in repr(found)
    assert repr(found).startswith("Held-out log scores of 200 observations, 4 folds\n  Gamma")


def test_a_fit_that_rules_out_what_was_held_out_scores_minus_infinity():
    found = sf.cross_validate(sf.Uniform, RNG.uniform(size=20), folds=20)
    assert found.means["Uniform"] == -np.inf
    assert np.isnan(found.standard_errors["Uniform"])


def test_integers_are_scored_by_probabilities():
    x = RNG.poisson(6.0, size=60)
    found = sf.cross_validate([sf.Poisson, sf.Normal], x, folds=3, rng=1)
    assert np.all(found.scores < 0.0)
    alone = sf.cross_validate(sf.Normal, x, folds=3, rng=1)
    assert abs(found.means["Normal"] - alone.means["Normal"]) < 0.02  # the mass of x ± ½ is close to the density


def test_vectors():
    x = RNG.normal(size=(60, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]])
    found = sf.cross_validate(sf.MultivariateNormal, x, folds=3, rng=1)
    truth = scipy.stats.multivariate_normal(np.zeros(2), np.array([[1.0, 0.8], [0.8, 1.0]])).logpdf(x)
    assert abs(found.means["MultivariateNormal"] - truth.mean()) < 0.2


def test_what_cross_validation_refuses():
    x = RNG.normal(size=10)
    for folds in (1, 11):
        with pytest.raises(ValueError, match=f"folds must be from 2 to the number of observations, 10, got {folds}"):
            sf.cross_validate(sf.Normal, x, folds=folds)
    with pytest.raises(ValueError, match="at least one family"):
        sf.cross_validate([], x)
    with pytest.raises(TypeError, match="numbers and of vectors cannot be compared"):
        sf.cross_validate([sf.Normal, sf.MultivariateNormal], x)
    with pytest.raises(sf.DataError, match="missing"):
        sf.cross_validate(sf.Normal, [1.0, np.nan, 2.0])
    nothing = sf.cross_validate(sf.Exponential, x)
    with pytest.raises(sf.DataError, match="no family could be fitted: Exponential: "):
        nothing.table()
