"""Confidence intervals against closed forms and independent searches."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize, stats

import suffice as sf
from suffice.inference.estimate import fit_traced
from suffice.inference.intervals.bootstrap import drawn
from suffice.inference.intervals.coverage import ends

X = np.random.default_rng(5).gamma(2.5, 1.5, size=25)
Z2 = stats.norm.isf(0.025) ** 2


def test_profile_of_the_normal():
    """loc: n log(1 + (x̄ − μ)²/σ̂²) = z²; scale: n (σ̂²/σ² − 1 − log(σ̂²/σ²)) = z²."""
    n, mean, sd = len(X), X.mean(), X.std()
    fit = sf.fit(sf.Normal, X)
    ends = fit.interval(method="profile")
    reach = sd * np.sqrt(np.expm1(Z2 / n))
    np.testing.assert_allclose(ends["loc"], (mean - reach, mean + reach), rtol=1e-8)

    def gap(scale):
        ratio = (sd / scale) ** 2
        return n * (ratio - 1.0 - np.log(ratio)) - Z2

    scale = optimize.brentq(gap, sd / 3, sd, xtol=1e-14), optimize.brentq(gap, sd, 3 * sd, xtol=1e-14)
    np.testing.assert_allclose(ends["scale"], scale, rtol=1e-8)


def test_profile_where_newton_is_needed():
    """Weibull: the likelihood ratio at each end is the quantile of chi-square, the other parameter at its best."""
    fit = sf.fit(sf.Weibull, X)
    low, high = fit.interval(method="profile")["concentration"]
    for end in (low, high):
        best = sf.fit(sf.family(sf.Weibull, concentration=end), X)
        np.testing.assert_allclose(2.0 * float(fit.log_likelihood - best.log_likelihood), Z2, rtol=1e-8)


def test_profile_of_a_quantile_holds_in_any_scale():
    """An interval by the likelihood maps with the quantity: the exponential's median is log 2/rate."""
    fit = sf.fit(sf.Exponential, X)
    low, high = fit.interval(method="profile")["rate"]
    found = fit.interval_of(lambda p: p.icdf(0.5), method="profile")
    np.testing.assert_allclose(tuple(found), (np.log(2.0) / high, np.log(2.0) / low), rtol=1e-7)


def test_profile_of_censored_data():
    data = sf.Data.lifetimes(X, X < 4.0)
    fit = sf.fit(sf.Exponential, data)
    events, time = float((X < 4.0).sum()), X.sum()
    for end in fit.interval(method="profile")["rate"]:
        value = events * np.log(end) - end * time
        np.testing.assert_allclose(2.0 * (float(fit.log_likelihood) - value), Z2, rtol=1e-8)


def test_an_end_may_be_open():
    """Student's t on light tails: the likelihood never falls far enough as df grows."""
    x = np.array([-2.6, -0.9, -0.7, -0.4, -0.2, -0.1, 0.0, 0.2, 0.3, 0.5, 0.8, 1.0, 2.4])
    fit = sf.fit(sf.StudentT, x)
    assert fit.converged
    low, high = fit.interval(method="profile")["df"]
    assert low < fit.parameters["df"]
    assert high == np.inf


def test_score_is_wilson_for_a_probability():
    fit = sf.fit(sf.Bernoulli, [1, 0, 0, 1, 0, 0, 0, 0])
    expected = stats.binomtest(2, 8).proportion_ci(method="wilson")
    np.testing.assert_allclose(fit.interval(method="wilson")["probs"], expected, rtol=1e-10)
    np.testing.assert_allclose(fit.interval(method="score")["probs"], expected, rtol=1e-7)
    exact = stats.binomtest(2, 8).proportion_ci(method="exact")
    np.testing.assert_allclose(fit.interval(method="exact")["probs"], exact, rtol=1e-10)
    jeffreys = stats.beta(2.5, 6.5).ppf([0.025, 0.975])
    np.testing.assert_allclose(fit.interval(method="jeffreys")["probs"], jeffreys, rtol=1e-10)


def test_score_of_the_exponential():
    """(n − λ Σx)²/n = z²."""
    n, fit = len(X), sf.fit(sf.Exponential, X)
    rate = 1.0 / X.mean()
    expected = rate * (1.0 - np.sqrt(Z2 / n)), rate * (1.0 + np.sqrt(Z2 / n))
    np.testing.assert_allclose(fit.interval(method="score")["rate"], expected, rtol=1e-7)


def test_exact_of_the_normal():
    n, mean, sd = len(X), X.mean(), X.std(ddof=1)
    ends = sf.fit(sf.Normal, X).interval(level=0.9, method="exact")
    np.testing.assert_allclose(ends["loc"], stats.t(n - 1, mean, sd / np.sqrt(n)).ppf([0.05, 0.95]), rtol=1e-10)
    np.testing.assert_allclose(ends["scale"], sd * np.sqrt((n - 1) / stats.chi2(n - 1).ppf([0.95, 0.05])), rtol=1e-10)


def test_exact_of_counts():
    ends = sf.fit(sf.Poisson, [0, 2, 1, 3]).interval(method="exact")["rate"]
    np.testing.assert_allclose(ends, (stats.gamma(6).ppf(0.025) / 4, stats.gamma(7).ppf(0.975) / 4), rtol=1e-10)
    low, high = sf.fit(sf.Geometric, [2, 0, 5]).interval(method="exact")["probs"]
    np.testing.assert_allclose([stats.nbinom(3, low).cdf(7), stats.nbinom(3, high).sf(6)], 0.025, rtol=1e-9)
    assert sf.fit(sf.Bernoulli, [1, 1, 1]).interval(method="exact")["probs"][1] == 1.0


FAMILIES = [
    (sf.Exponential(2.0), sf.Exponential), (sf.Rayleigh(2.0), sf.Rayleigh), (sf.HalfNormal(2.0), sf.HalfNormal),
    (sf.Maxwell(2.0), sf.Maxwell), (sf.LogNormal(0.5, 2.0), sf.LogNormal), (sf.Uniform(1.0, 3.0), sf.Uniform),
    (sf.LogUniform(1.0, 3.0), sf.LogUniform), (sf.Pareto(2.0, 3.0), sf.Pareto),
    (sf.Gamma(2.0, 3.0), sf.family(sf.Gamma, concentration=2.0)),
]  # fmt: skip


@pytest.mark.parametrize(("p", "family"), FAMILIES, ids=lambda v: getattr(v, "__name__", str(v))[:12])
def test_exact_intervals_cover_as_often_as_they_say(p, family):
    """Coverage of .8 in 4,000 samples of five, within a band that is left once in 1e7."""
    study = sf.simulate(family, p, sizes=(5,), replicates=4000, intervals="exact", level=0.8, rng=3)
    for row in study.coverage:
        band = stats.binom(4000, 0.8).ppf([0.5e-7, 1 - 0.5e-7]) / 4000
        assert band[0] <= row["coverage"] <= band[1], row


def test_studies_find_the_same_ends():
    """The intervals of compiled studies are those of fits, method by method."""
    for family in map(
        sf.Family, (sf.Gamma(1.0, 1.0), sf.Weibull(1.0, 1.0)), [(("concentration",), (n,)) for n in ("rate", "scale")]
    ):
        fit = sf.fit(family.kind, X)
        for method, name in (("wald", "wald"), ("profile", "profile"), ("score", "score")):
            found = jax.jit(
                lambda x, m=method, f=family: ends(f, fit_traced(f, x, jnp.ones_like(x)), x, None, m, 0.95)
            )(X)
            np.testing.assert_allclose(found, list(fit.interval(method=name).values()), rtol=1e-5)


def test_bootstrap_is_seeded_and_respects_weights():
    fit = sf.fit(sf.Exponential, X)
    assert fit.interval(method="bootstrap", rng=1) == fit.interval(method="bootstrap", rng=1)
    assert fit.interval(method="bootstrap", rng=1) != fit.interval(method="bootstrap", rng=2)
    doubled = sf.fit(sf.Exponential, X, np.full(len(X), 4.0))
    narrow, wide = (np.diff(f.interval(method="percentile", replicates=4000)["rate"])[0] for f in (doubled, fit))
    np.testing.assert_allclose(wide / narrow, 2.0, rtol=0.1)  # four times the data; 4,000 replicates tell it to 3 %


def test_percentiles_of_the_mean_are_those_of_a_gamma():
    """Parametric bootstrap of an exponential: rate*/rate is n/Gamma(n). Four deviations of a sample quantile."""
    fit = sf.fit(sf.Exponential, X)
    n, rate, r = len(X), fit.parameters["rate"], 9999
    values = np.sort(np.exp(drawn(fit, r, rng=4))[:, 0])
    law = stats.invgamma(n, scale=n * rate)
    for q in (0.025, 0.5, 0.975):
        error = np.sqrt(q * (1 - q) / r) / law.pdf(law.ppf(q))
        assert abs(np.quantile(values, q) - law.ppf(q)) < 5.3 * error  # false alarm 1e-7


def test_what_is_refused():
    fit = sf.fit(sf.Gamma, X)
    with pytest.raises(ValueError, match="Gamma has no exact interval"):
        fit.interval(method="exact")
    with pytest.raises(ValueError, match="method must be one of"):
        fit.interval(method="walt")
    with pytest.raises(ValueError, match="level must be between 0 and 1, got 95"):
        fit.interval(level=95)
    compiled = jax.tree.map(lambda v: v, fit)
    with pytest.raises(ValueError, match="does not know its data"):
        compiled.interval(method="profile")
    with pytest.raises(ValueError, match="one number"):
        fit.interval_of(lambda p: p.icdf(np.array([0.1, 0.9])))


def test_support_estimated():
    """No standard error and no likelihood interval; exact and parametric ones hold."""
    fit = sf.fit(sf.Uniform, [0.2, 0.9, 0.4, 0.7])
    assert np.isnan(fit.interval(method="profile")["low"]).all()
    low, high = fit.interval(method="parametric")["low"]
    assert low < high <= 0.2
