"""Score, Fisher information and what rests on them, against closed forms."""

import numpy as np
import pytest
from scipy.special import polygamma

import suffice as sf

X = np.random.default_rng(2).gamma(2.5, 1.5, size=40)


def test_expected_information_in_closed_form():
    a, b = 2.5, 1.5
    np.testing.assert_allclose(
        sf.fisher_information(sf.Gamma(a, b)), [[polygamma(1, a), -1 / b], [-1 / b, a / b**2]], rtol=1e-12
    )
    np.testing.assert_allclose(sf.fisher_information(sf.Poisson(4.0), n=3), [[0.75]], rtol=1e-12)
    k, s, g = 2.0, 3.0, 1.0 - np.euler_gamma
    weibull = [[(np.pi**2 / 6 + g**2) / k**2, -g / s], [-g / s, (k / s) ** 2]]
    np.testing.assert_allclose(sf.fisher_information(sf.Weibull(k, s)), weibull, rtol=1e-9)
    logistic = sf.fisher_information(sf.Logistic(1.0, 2.0))
    np.testing.assert_allclose(logistic, np.diag([1 / 12, (3 + np.pi**2) / 36]), atol=1e-9)


def test_score():
    p = sf.Normal(1.0, 2.0)
    x = np.array([0.0, 3.0])
    expected = np.stack([(x - 1.0) / 4.0, ((x - 1.0) ** 2 - 4.0) / 8.0], -1)
    np.testing.assert_allclose(sf.score(p, x), expected, rtol=1e-12)


def test_observed_information():
    """At the maximum and away from it, where the map to unconstrained parameters bends."""
    fit = sf.fit(sf.Exponential, X)
    np.testing.assert_allclose(np.linalg.inv(sf.observed_information(fit.distribution, X)), fit.covariance, rtol=1e-10)
    np.testing.assert_allclose(sf.observed_information(sf.Exponential(0.7), X), [[len(X) / 0.49]], rtol=1e-10)


def test_cramer_rao():
    np.testing.assert_allclose(sf.cramer_rao_bound(sf.Normal(0.0, 2.0), 10), np.diag([0.4, 0.2]), atol=1e-12)
    bound = sf.cramer_rao_bound(sf.Exponential(2.0), 10, of=lambda p: p.mean())
    np.testing.assert_allclose(bound, 0.25 / 10, rtol=1e-12)


def test_covariances():
    """Exponential: the sandwich is var(x)/(n x̄⁴); expected and observed agree."""
    plain, robust, expected = (
        sf.fit(sf.Exponential, X, covariance=kind) for kind in ("observed", "sandwich", "expected")
    )
    np.testing.assert_allclose(robust.covariance, [[X.var() / len(X) / X.mean() ** 4]], rtol=1e-10)
    np.testing.assert_allclose(expected.covariance, plain.covariance, rtol=1e-10)
    assert robust.aic == plain.aic
    with pytest.raises(ValueError, match="covariance must be one of"):
        sf.fit(sf.Exponential, X, covariance="robust")
    with pytest.raises(ValueError, match="not known"):
        sf.fit(sf.Exponential, sf.Data.lifetimes(X, X < 4.0), covariance="expected")


def test_survey_weights():
    """Kish's count, no AIC, and errors that do not shrink when all weights are doubled."""
    w = np.random.default_rng(3).uniform(0.5, 2.0, len(X))
    a, b = (sf.fit(sf.Normal, X, v, covariance="sandwich") for v in (w, 2.0 * w))
    np.testing.assert_allclose(float(a.count), w.sum() ** 2 / (w**2).sum(), rtol=1e-12)
    np.testing.assert_allclose(a.covariance, b.covariance, rtol=1e-9)
    assert np.isnan(a.aic)
    assert np.isnan(a.bic)


def test_groups():
    """Normal groups with one scale: the pooled deviation; the likelihood ratio is the one of the linear model."""
    random = np.random.default_rng(0)
    x, g = np.concatenate([random.normal(0, 1, 30), random.normal(1, 1, 50)]), np.repeat(["a", "b"], [30, 50])
    found = sf.fit(sf.Normal, x, by=g, share=["scale"])
    within = np.concatenate([x[g == k] - x[g == k].mean() for k in "ab"])
    scale = np.sqrt(np.mean(within**2))
    for k in "ab":
        np.testing.assert_allclose(found[k].parameters["loc"], x[g == k].mean(), rtol=1e-9)
        np.testing.assert_allclose(found[k].parameters["scale"], scale, rtol=1e-9)
        np.testing.assert_allclose(found[k].standard_errors["scale"], scale / np.sqrt(160), rtol=1e-7)
    assert found.dimension == 3
    np.testing.assert_allclose(found.test.statistic, 160 * np.log(x.std() / scale), rtol=1e-9)
    assert found.test.df == 1
    separate = sf.fit(sf.Normal, x, by=g)
    assert separate.dimension == 4
    assert separate.log_likelihood >= found.log_likelihood
    assert sf.likelihood_ratio(found, separate).df == 1
    with pytest.raises(ValueError, match="share names 'rate'"):
        sf.fit(sf.Normal, x, by=g, share=["rate"])
    with pytest.raises(sf.DataError, match="as many rows as the data, 80, got 79"):
        sf.fit(sf.Normal, x, by=g[1:])
    with pytest.raises(sf.DataError, match="missing labels, the first at row 2"):
        sf.fit(sf.Normal, [1.0, 2.0], by=["a", None])


def test_groups_of_a_file(tmp_path):
    path = tmp_path / "x.csv"
    rows = [(0.5, "b", 1), (1.5, "a", 2), (2.0, "a", 0), (3.5, "b", 1), (0.25, "a", 1)]
    path.write_text("value,kind,weight\n" + "".join(f"{v},{k},{w}\n" for v, k, w in rows))
    groups = sf.fit(sf.Exponential, sf.scan(path, "value", weights="weight"), by="kind")
    assert groups.labels == ("a", "b")
    assert groups["a"].parameters["rate"] == pytest.approx(3 / 3.25)
    assert groups["b"].parameters["rate"] == pytest.approx(2 / 4.0)
    named = sf.fit(sf.Exponential, sf.scan(path, "value", weights="weight"), by=[k for _, k, _ in rows])
    assert named["a"].parameters == groups["a"].parameters
    with pytest.raises(sf.DataError, match="'sort'"):
        sf.fit(sf.Exponential, sf.scan(path, "value"), by="sort")
    with pytest.raises(TypeError, match="names a column of a file"):
        sf.fit(sf.Exponential, sf.chunks(lambda: iter([np.ones(3)])), by="kind")
