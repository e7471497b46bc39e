"""Penalised likelihood and modes of posteriors against conjugate closed forms; quantiles as prior knowledge."""

import numpy as np
import pytest
import scipy.stats

import suffice as sf

X = np.random.default_rng(32).gamma(3.0, 2.0, 50)
CLOSE = 1e-9


def test_gamma_prior_of_a_rate():
    """The posterior of a rate is Gamma(a + n, b + Σx): its mode, and the curvature there."""
    fit = sf.fit(sf.Exponential, X, prior={"rate": sf.Gamma(5.0, 2.0)})
    a, b = 5.0 + len(X), 2.0 + X.sum()
    assert fit.converged
    assert fit.method == "penalised"
    assert fit.parameters["rate"] == pytest.approx((a - 1.0) / b, rel=CLOSE)
    assert fit.standard_errors["rate"] == pytest.approx(np.sqrt(a - 1.0) / b, rel=CLOSE)
    assert float(fit.log_likelihood) == pytest.approx(float(fit.distribution.log_prob(X).sum()), rel=1e-12)
    value = float(fit.log_likelihood) + float(sf.Gamma(5.0, 2.0).log_prob(fit.parameters["rate"]))
    assert float(fit.criterion) == pytest.approx(-value, rel=1e-12)


def test_beta_prior_of_a_probability():
    """The prior is on the probability that is reported, not on the logit that is stored: mode (a − 1 + k)/(a + b − 2 + n)."""
    fit = sf.fit(sf.Bernoulli, [1, 0, 1, 1], [2.0, 1.0, 3.0, 1.0], prior={"probs": sf.Beta(2.0, 3.0)})
    assert fit.parameters["probs"] == pytest.approx((1.0 + 6.0) / (3.0 + 7.0), rel=CLOSE)


def test_censored_times_with_a_prior():
    """Censored exponential times: mode (a − 1 + events)/(b + time at risk)."""
    data = sf.Data.lifetimes([2.0, 3.0, 5.0], [1, 0, 1])
    fit = sf.fit(sf.Exponential, data, prior={"rate": sf.Gamma(3.0, 4.0)})
    assert fit.parameters["rate"] == pytest.approx(4.0 / 14.0, rel=CLOSE)


def test_ridge_is_a_normal_prior():
    """A quadratic penalty and the normal prior it is the logarithm of: precision-weighted means, the same twice."""
    family = sf.family(sf.Normal, scale=2.0)
    n, precision = len(X), 1.0 / 0.5**2
    penalised = sf.fit(family, X, penalty=lambda p: 0.5 * precision * (p.loc - 1.0) ** 2)
    prior = sf.fit(family, X, prior={"loc": sf.Normal(1.0, 0.5)})
    known = (X.sum() / 4.0 + precision) / (n / 4.0 + precision)
    assert penalised.parameters["loc"] == pytest.approx(known, rel=CLOSE)
    assert prior.parameters["loc"] == pytest.approx(known, rel=CLOSE)
    for fit in (penalised, prior):
        assert fit.standard_errors["loc"] == pytest.approx((n / 4.0 + precision) ** -0.5, rel=CLOSE)


def test_no_penalty_is_maximum_likelihood():
    """A constant penalty changes nothing."""
    plain, fit = sf.fit(sf.Weibull, X), sf.fit(sf.Weibull, X, penalty=lambda p: 3.0)
    assert fit.parameters == pytest.approx(plain.parameters, rel=CLOSE)
    assert fit.standard_errors == pytest.approx(plain.standard_errors, rel=1e-7)


def test_refusals():
    with pytest.raises(ValueError, match="no free parameter 'scale'; it has rate"):
        sf.fit(sf.Exponential, X, prior={"scale": sf.Gamma(1.0, 1.0)})
    with pytest.raises(TypeError, match="one continuous distribution"):
        sf.fit(sf.Exponential, X, prior={"rate": sf.Poisson(1.0)})
    with pytest.raises(ValueError, match="not smooth"):
        sf.fit(sf.Uniform, X, prior={"low": sf.Normal()})
    with pytest.raises(sf.DataError, match="Exponential needs values"):
        sf.fit(sf.Exponential, [-1.0, 2.0], prior={"rate": sf.Gamma(1.0, 1.0)})


# -- quantiles -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", [sf.Gamma, sf.LogNormal, sf.Weibull, sf.Normal, sf.Gumbel, sf.Logistic])
def test_quantiles_are_met(family):
    p = sf.from_quantiles(family, {0.95: 10.0, 0.05: 1.0})
    assert isinstance(p, family)
    np.testing.assert_allclose(p.icdf(np.array([0.05, 0.95])), [1.0, 10.0], rtol=1e-9)


def test_quantiles_of_held_families():
    """One quantile for one parameter: loc = q − z scale; rate = −log(1 − u)/q; two for a law on (0, 1)."""
    p = sf.from_quantiles(sf.family(sf.Normal, scale=2.0), {0.9: 5.0})
    assert float(p.loc) == pytest.approx(5.0 - 2.0 * scipy.stats.norm.ppf(0.9), rel=1e-10)
    assert float(sf.from_quantiles(sf.Exponential, {0.5: 3.0}).rate) == pytest.approx(np.log(2.0) / 3.0, rel=1e-10)
    p = sf.from_quantiles(sf.Kumaraswamy, {0.1: 0.2, 0.5: 0.3})
    np.testing.assert_allclose(p.icdf(np.array([0.1, 0.5])), [0.2, 0.3], rtol=1e-9)


def test_more_quantiles_than_parameters():
    """Least squares of logarithms for positive values, of values else: log-normal and normal by linear regression."""
    levels, values = [0.1, 0.5, 0.8, 0.9], np.array([1.0, 3.0, 4.0, 9.0])
    z = scipy.stats.norm.ppf(levels)
    p = sf.from_quantiles(sf.LogNormal, dict(zip(levels, values, strict=True)))
    slope, intercept = np.polyfit(z, np.log(values), 1)
    assert [float(p.loc), float(p.scale)] == pytest.approx([intercept, slope], rel=1e-7)
    p = sf.from_quantiles(sf.Normal, dict(zip(levels, values, strict=True)))
    slope, intercept = np.polyfit(z, values, 1)
    assert [float(p.loc), float(p.scale)] == pytest.approx([intercept, slope], rel=1e-7)


@pytest.mark.parametrize(
    ("family", "quantiles", "message"),
    [
        (sf.Normal, {0.5: 1.0}, "2 parameters, which 1 quantiles do not determine"),
        (sf.Normal, {0.1: 2.0, 0.9: 1.0}, "must rise with their levels"),
        (sf.Normal, {0.0: 2.0, 0.9: 3.0}, "between 0 and 1"),
        (sf.Gamma, {0.1: -1.0, 0.9: 1.0}, "Gamma has values"),
        (sf.Poisson, {0.5: 1.0}, "continuous distributions"),
        (sf.family(sf.Normal, loc=0.0), {0.9: -1.0}, "no Normal.* was found"),
    ],
)
def test_quantiles_out_of_reach(family, quantiles, message):
    with pytest.raises(ValueError, match=message):
        sf.from_quantiles(family, quantiles)
