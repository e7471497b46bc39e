"""Tests of fit: valid under the null though parameters are estimated, and able to tell a wrong family."""

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import suffice as sf
from suffice.inference.observe import observe
from suffice.inference.testing.distances import anderson_darling, chi_square
from suffice.inference.testing.goodness import goodness_of_fit
from suffice.inference.testing.replicates import sample_of
from suffice.runtime.rng import as_key


def test_anderson_darling_is_its_formula():
    """Against the definition, with padding behind the first n values, which must not count."""
    x = np.random.default_rng(1).normal(size=50)
    p = sf.Normal(0.1, 1.2)
    z = np.sort(x)
    i, n = np.arange(1, 51), 50
    expected = -n - np.mean((2 * i - 1) * (p.log_cdf(z) + p.log_sf(z[::-1])))
    padded = np.concatenate([z, np.full(14, 99.0)])
    assert float(anderson_darling(p, jnp.asarray(padded), 50)) == pytest.approx(float(expected), rel=1e-12)


def test_values_at_the_end_of_the_support():
    """An end that is known has no probability; one that is estimated is where the outermost value lies, and only it."""
    p, x = sf.Uniform(0.0, 1.0), jnp.asarray([0.0, 0.25, 0.5, 1.0])
    assert float(anderson_darling(p, x, 4)) == np.inf
    kept = [(5 * np.log(0.5) + 3 * np.log(0.5)) / 4, (3 * np.log(0.25) + 5 * np.log(0.75)) / 4]
    assert float(anderson_darling(p, x, 4, (True, True))) == pytest.approx(-4 - sum(kept), rel=1e-13)
    assert float(anderson_darling(p, x, 4, (True, False))) == np.inf
    assert float(anderson_darling(p, jnp.asarray([0.0, 0.0, 0.5, 1.0]), 4, (True, True))) == np.inf


def test_values_that_a_family_cannot_have_made_are_the_strongest_evidence():
    """An exponential variable is 0 with probability 0; a uniform one reaches an end that is known with probability 0."""
    x = np.random.default_rng(12).exponential(size=200)
    x[:30] = 0.0
    half = sf.family(sf.Uniform, low=0.0)
    for target in (sf.Exponential, half):
        t = goodness_of_fit(sf.fit(target, x), observe(x), replicates=19)
        assert (t.statistic, t.p_value) == (np.inf, 1 / 20)
    inside = np.random.default_rng(13).uniform(0.0, 2.0, size=50)
    t = goodness_of_fit(sf.fit(half, inside), observe(inside), replicates=99)
    assert 0.0 < t.statistic < np.inf
    assert t.p_value > 1 / 100


def test_anderson_darling_has_its_published_distribution():
    """Simple null, n = 20: P(A² <= 2.492) = 0.95 (Anderson and Darling 1954).

    Of 2,000 samples 100 are expected above, standard deviation 9.7: five and a half of these, 2e-8 on either side.
    """
    x = np.sort(np.random.default_rng(2).random((2000, 20)))
    statistics = np.array(
        jnp.vectorize(lambda x: anderson_darling(sf.Uniform(0.0, 1.0), x, 20), signature="(n)->()")(x)
    )
    assert abs(np.sum(statistics > 2.492) - 100) < 5.5 * np.sqrt(2000 * 0.05 * 0.95)


def test_chi_square_is_its_formula():
    probs, counts = np.array([0.2, 0.3, 0.4, 0.1]), np.array([10.0, 40.0, 35.0, 15.0])
    groups = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]], float)
    value = chi_square(jnp.asarray(probs), jnp.asarray(counts), jnp.asarray(groups))
    expected = scipy.stats.chisquare([10, 40, 50], [20, 30, 50]).statistic
    assert float(value) == pytest.approx(expected, rel=1e-12)


def uniformity(p_values, replicates):
    """Kolmogorov's distance from the uniform distribution on {1, …, B + 1}/(B + 1) beyond that of the steps, and its bound.

    Bound by Dvoretzky, Kiefer, Wolfowitz and Massart: exceeded with probability at most 2 exp(−2 m d²) = 1e-7.
    """
    m = len(p_values)
    grid = np.arange(1, replicates + 2) / (replicates + 1)
    distance = np.max(np.abs(np.searchsorted(np.sort(p_values), grid + 1e-9) / m - grid))
    return distance, np.sqrt(np.log(2e7) / (2 * m))


@pytest.mark.parametrize(
    ("family", "truth", "n"),
    [
        pytest.param(sf.Exponential, sf.Exponential(2.0), 25, id="closed form"),
        pytest.param(sf.Weibull, sf.Weibull(1.7, 3.0), 25, id="Newton"),
        pytest.param(sf.Laplace, sf.Laplace(1.0, 2.0), 25, id="median"),
        pytest.param(sf.Uniform, sf.Uniform(1.0, 4.0), 25, id="extremes"),
    ],
)
def test_p_values_are_uniform_under_the_null(family, truth, n):
    """80 samples, 19 replicates each: a false alarm has probability 1e-7, for the statistic does not depend on the truth.

    Without refitting, p-values would crowd near 1.
    """
    x = np.asarray(truth.sample((80, n), rng=3))
    p_values = [
        goodness_of_fit(sf.fit(family, row), observe(row), replicates=19, rng=seed).p_value
        for seed, row in enumerate(x)
    ]
    distance, bound = uniformity(p_values, 19)
    assert distance < bound


def test_p_values_of_counts_are_uniform_under_the_null():
    """The statistic is discrete, ties count as extreme: so p-values are at least uniform; one side of the bound holds."""
    x = np.asarray(sf.Poisson(6.0).sample((80, 60), rng=4))
    p_values = np.array([
        sf.rank(row, [sf.Poisson]).goodness_of_fit(replicates=19, rng=seed)[0].p_value for seed, row in enumerate(x)
    ])  # fmt: skip
    distance, bound = uniformity(p_values, 19)
    assert distance < bound
    assert np.mean(p_values <= 0.1) < 0.1 + bound


@pytest.mark.parametrize(
    ("target", "truth", "n"),
    [
        pytest.param(sf.Pareto, sf.Pareto(2.0, 3.5), 100, id="Pareto"),
        pytest.param(sf.LogNormal, sf.LogNormal(1.0, 2.2), 100, id="LogNormal"),
        pytest.param(sf.Normal, sf.Normal(0.0, 1000.0), 100, id="Normal"),
        pytest.param(sf.Uniform, sf.Uniform(0.5, 30.5), 60, id="Uniform"),
        pytest.param(sf.family(sf.Exponential, loc="free"), sf.Affine(sf.Exponential(0.05), 2.5), 60, id="origin"),
        pytest.param(sf.DiscreteUniform, sf.DiscreteUniform(1, 6), 60, id="DiscreteUniform"),
        pytest.param(sf.DiscreteUniform, sf.DiscreteUniform(1, 5000), 60, id="wide DiscreteUniform"),
    ],
)
def test_p_values_of_integers_are_uniform_under_the_null(target, truth, n):
    """Wide families, whose integers share cells, and estimated supports, which are refitted; 40 samples each.

    The bound for a false alarm of 1e-7 is widened by 0.1: the statistic depends a little on the truth and on ties.
    """
    x = np.round(np.asarray(truth.sample((40, n), rng=14), float))
    rankings = [sf.rank(row, [target]) for row in x]
    p_values = [r.goodness_of_fit(replicates=19, rng=seed)[0].p_value for seed, r in enumerate(rankings)]
    distance, bound = uniformity(p_values, 19)
    assert distance < bound + 0.1


def test_a_wrong_family_of_wide_integers_is_told():
    """Logarithms with three peaks are no normal sample, nor are sums of dice uniform."""
    rng = np.random.default_rng(15)
    x = np.round(np.exp(rng.choice([2.0, 6.0, 10.0], size=300) + 0.1 * rng.normal(size=300)))
    (t,) = sf.rank(x, [sf.LogNormal]).goodness_of_fit(replicates=49)
    assert (t.test, t.p_value) == ("chi-square", 1 / 50)
    (t,) = sf.rank(rng.integers(1, 7, (300, 2)).sum(1), [sf.DiscreteUniform]).goodness_of_fit(replicates=49)
    assert (t.test, t.p_value) == ("chi-square", 1 / 50)


def test_too_few_groups_for_the_parameters_are_not_tested():
    """Then every sample is fitted as well as every other, and a p-value would be made of rounding."""
    (t,) = sf.rank([0, 1] * 50 + [1] * 7, [sf.Bernoulli]).goodness_of_fit(replicates=9)
    assert np.isnan(t.p_value)
    assert t.reason == "too few observations or distinct values, 2 groups of values for 1 parameter"
    (t,) = sf.rank([1, 2, 3, 2], [sf.Poisson]).goodness_of_fit(replicates=9)
    assert np.isnan(t.p_value)
    assert t.reason.endswith("1 group of values for 1 parameter")


@pytest.mark.parametrize("replicates", [0, -5])
def test_a_test_needs_replicates(replicates):
    fit = sf.fit(sf.Exponential, [1.0, 2.0])
    with pytest.raises(ValueError, match=f"replicates must be >= 1, got {replicates}"):
        goodness_of_fit(fit, observe([1.0, 2.0]), replicates=replicates)


def test_a_wrong_family_is_told():
    """Lognormal data of n = 400 against the normal: its skewness of 6 is beyond any sample of a normal."""
    x = np.random.default_rng(5).lognormal(size=400)
    right, wrong = sf.rank(x, [sf.LogNormal, sf.Normal]).goodness_of_fit(top=2, replicates=99)
    assert (right.name, right.test, right.count, right.sampled) == ("LogNormal", "anderson-darling", 400, False)
    assert right.p_value > 1 / 100
    assert (wrong.name, wrong.p_value, wrong.replicates) == ("Normal", 1 / 100, 99)
    assert wrong.statistic > 10 * right.statistic


def test_a_wrong_family_of_counts_is_told():
    x = np.random.default_rng(6).negative_binomial(3, 0.5, size=400)
    ranking = sf.rank(x, [sf.NegativeBinomial, sf.Poisson])
    right, wrong = ranking.goodness_of_fit(top=2, replicates=49)
    assert (right.name, right.test, right.count, right.sampled) == ("NegativeBinomial", "chi-square", 400, False)
    assert right.p_value > 1 / 50
    assert (wrong.name, wrong.p_value) == ("Poisson", 1 / 50)


def test_rounded_values_are_tested_in_cells():
    """Integers from a normal with deviation 2: Anderson–Darling would see the rounding, chi-square over cells doesn't."""
    x = np.round(np.random.default_rng(7).normal(20.0, 2.0, size=500))
    ranking = sf.rank(x, [sf.Normal, sf.Exponential])
    assert ranking.rounding
    right, wrong = ranking.goodness_of_fit(top=2, replicates=49)
    assert (right.name, right.test) == ("Normal", "chi-square")
    assert right.p_value > 1 / 50
    assert (wrong.name, wrong.p_value) == ("Exponential", 1 / 50)


def test_many_values_are_sampled_and_say_so():
    x = np.random.default_rng(8).normal(size=6000)
    (t,) = sf.rank(x, [sf.Normal]).goodness_of_fit(replicates=19)
    assert (t.sampled, t.count) == (True, 4096)
    assert t.p_value > 1 / 20


def test_rows_that_were_dropped_are_not_sampled_away():
    x = np.random.default_rng(16).normal(size=60)
    x[5] = np.nan
    weights = np.arange(60) % 3
    for settings in ({}, {"weights": weights}):
        (t,) = sf.rank(x, [sf.Normal], missing="drop", **settings).goodness_of_fit(replicates=9)
        assert not t.sampled


def test_heavy_frequencies_are_sampled():
    """4e9 observations in two rows, a quarter and three: of 4,000 drawn 3,000 are expected from the second, standard
    deviation 27; five and a half of these are exceeded with probability 4e-8."""
    x, sampled, whole = sample_of(observe([1.0, 2.0], np.array([1e9, 3e9])), 4000, as_key(0))
    assert (len(x), sampled, whole) == (4000, True, True)
    assert abs(np.sum(x == 2.0) - 3000) < 5.5 * 27.4
    rows = np.random.default_rng(17).normal(size=200)
    (t,) = sf.rank(rows, [sf.Normal], weights=np.full(200, 1e7)).goodness_of_fit(replicates=9)
    assert (t.count, t.sampled) == (4096, True)


def test_frequencies_are_repeated_values():
    """A weight of w is w observations: the statistic is that of the values written out."""
    x = np.random.default_rng(9).normal(size=60)
    w = np.arange(60) % 4
    (t,) = sf.rank(x, [sf.Normal], weights=w).goodness_of_fit(replicates=9)
    (written,) = sf.rank(np.repeat(x, w), [sf.Normal]).goodness_of_fit(replicates=9)
    assert t.count == written.count == w.sum()
    assert t.statistic == pytest.approx(written.statistic, rel=1e-12)
    for data in (x, np.arange(60)):
        (t,) = sf.rank(data, [sf.Normal], weights=w + 0.5).goodness_of_fit()
        assert np.isnan(t.p_value)
        assert t.reason.startswith("the weights are not frequencies: whole numbers")


def test_the_seed_decides():
    ranking = sf.rank(np.random.default_rng(10).exponential(size=40), [sf.Exponential])
    first, second, other = (ranking.goodness_of_fit(replicates=199, rng=seed)[0] for seed in (1, 1, 2))
    assert first == second
    assert first.statistic == other.statistic
    assert first.p_value != other.p_value


def test_a_limiting_family_is_tested_in_place_of_a_fit_that_did_not_converge():
    x = np.random.default_rng(11).uniform(size=200)
    fit = sf.fit(sf.StudentT, x)
    assert not fit.converged
    assert goodness_of_fit(fit, observe(x), replicates=9).name == "Normal"


def test_few_observations():
    t = goodness_of_fit(sf.fit(sf.Exponential, [2.0]), observe([2.0]), replicates=9)
    assert t.count == 1
    assert 0.0 < t.p_value <= 1.0
