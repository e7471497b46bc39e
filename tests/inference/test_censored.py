"""Fits of censored and truncated data against 50 digits, however they are cut."""

import json
from pathlib import Path

import numpy as np
import pytest

import suffice as sf
from suffice.inference.observe import observe

REFERENCES = Path(__file__).parents[1] / "references"
CASES = json.loads((REFERENCES / "censored.json").read_text())
PUBLISHED = json.loads((REFERENCES / "classics" / "mle_reference_mp50.json").read_text())["salinity(censored)"]


def table(name):
    return np.genfromtxt(REFERENCES / "classics" / f"{name}.csv", delimiter=",", names=True)


def salinity():
    rows = table("salinity")
    return sf.Data(left=rows["left"], right=rows["right"])


def mixed():
    left, right, lower, upper, weights = zip(*CASES["mixed_rows"], strict=True)
    lower, upper = (np.array([np.nan if v is None else v for v in side]) for side in (lower, upper))
    return sf.Data(left=left, right=right, lower=lower, upper=upper, counts=weights)


def agrees(fit, reference, rtol=1e-9):
    assert fit.converged
    parameters, errors = reference["parameters"], reference["standard_errors"]
    np.testing.assert_allclose(list(fit.parameters.values()), np.array(parameters, float), rtol=rtol)
    np.testing.assert_allclose(list(fit.standard_errors.values()), np.array(errors, float), rtol=1e-8)
    np.testing.assert_allclose(float(fit.log_likelihood), float(reference["log_likelihood"]), rtol=1e-12)


@pytest.mark.parametrize(("family", "place"), [("LogNormal", 0), ("LogLogistic", 1)])
def test_salinity(family, place):
    """Interval- and right-censored: within 1e-8 of 50 digits, as the standard errors are."""
    published = PUBLISHED[place]
    reference = {
        "parameters": list(published["params"].values()),
        "standard_errors": list(published["se"].values()),
        "log_likelihood": published["loglik"],
    }
    agrees(sf.fit(getattr(sf, family), salinity()), reference)


@pytest.mark.parametrize("family", list(CASES["fremale"]))
def test_fremale(family):
    """Truncated at the entry, right-censored at the exit."""
    rows = table("fremale")
    data = sf.Data.lifetimes(rows["AgeOut"], rows["Death"], rows["AgeIn"])
    agrees(sf.fit(getattr(sf, family), data), CASES["fremale"][family])


@pytest.mark.parametrize("family", list(CASES["mixed"]))
def test_all_kinds_at_once(family):
    """Known values, all kinds of censoring, truncation on either side or both, frequencies."""
    agrees(sf.fit(getattr(sf, family), mixed()), CASES["mixed"][family])


def test_streamed_as_in_memory(tmp_path, monkeypatch):
    """A file read in chunks of seven rows gives the fit of the arrays."""
    from suffice.inference import censored

    path = tmp_path / "salinity.csv"
    path.write_text((REFERENCES / "classics" / "salinity.csv").read_text())
    monkeypatch.setattr(censored, "SMALL_SOURCE", 10)
    source = sf.scan(path, left="left", right="right", batch_rows=7)
    data = observe(source)
    assert not data.in_memory
    streamed, whole = sf.fit(sf.LogNormal, source), sf.fit(sf.LogNormal, salinity())
    np.testing.assert_allclose(list(streamed.parameters.values()), list(whole.parameters.values()), rtol=1e-12)
    np.testing.assert_allclose(streamed.covariance, whole.covariance, rtol=1e-10)


def test_discrete_families():
    """(left, right] of integers: a Poisson law of which only 2 < X <= 4 and X > 5 are known."""
    from scipy import optimize, stats

    fit = sf.fit(sf.Poisson, sf.Data(left=[3.0, 2.0, 5.0], right=[3.0, 4.0, np.inf]))

    def cost(m):
        law = stats.poisson(m)
        return -(law.logpmf(3) + np.log(law.cdf(4) - law.cdf(2)) + law.logsf(5))

    best = optimize.minimize_scalar(cost, bounds=(1.0, 10.0), method="bounded", options={"xatol": 1e-10})
    np.testing.assert_allclose(fit.parameters["rate"], best.x, rtol=1e-6)  # a minimum is flat: half of the digits
    np.testing.assert_allclose(float(fit.log_likelihood), -best.fun, rtol=1e-12)


def test_short_intervals_keep_their_digits():
    """An interval of width 1e-12 has the density's likelihood, less a constant."""
    x = np.array([0.3, 1.1, 2.0, 3.7])
    exact, short = sf.fit(sf.Gamma, x), sf.fit(sf.Gamma, sf.Data(left=x, right=x + 1e-9))
    np.testing.assert_allclose(list(short.parameters.values()), list(exact.parameters.values()), rtol=1e-8)


def test_what_has_no_estimate():
    with pytest.raises(sf.DataError, match="all 2 observations are right-censored"):
        sf.fit(sf.Normal, sf.Data(left=[1.0, 2.0], right=[None, None]))
    with pytest.raises(sf.DataError, match="support is estimated"):
        sf.fit(sf.Uniform, sf.Data(left=[1.0, 2.0], right=[1.5, 3.0]))
    with pytest.raises(sf.DataError, match=r"Gamma needs values > 0, got -1 in row 2"):
        sf.fit(sf.Gamma, sf.Data(left=[1.0, -2.0], right=[2.0, -1.0]))
    with pytest.raises(ValueError, match=r"needs the values"):
        sf.fit(sf.Exponential, salinity()).interval(method="exact")


def test_ranking_and_report(tmp_path):
    ranking = sf.rank(salinity(), [sf.LogNormal, sf.LogLogistic, sf.Uniform])
    assert [c.name for c in ranking.candidates] == ["LogNormal", "LogLogistic"]
    assert ranking.impossible[0].name == "Uniform"
    (tested,) = ranking.goodness_of_fit(top=1)
    assert np.isnan(tested.p_value)
    assert "intervals of their own" in tested.reason
    page = sf.report(ranking, tmp_path / "page.html", goodness=(tested,)).read_text()
    assert "Right-censored" in page
    assert "Turnbull" in page
    assert "Beyond each value" in page


def test_kaplan_meier():
    """Remission times of leukaemia under 6-mercaptopurine: Freireich et al. (1963), as in every textbook."""
    time = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    event = [1] * 9 + [0] * 12
    f = sf.distribution_function(sf.Data.lifetimes(time, event))
    assert f.method == "kaplan-meier"
    np.testing.assert_allclose(
        f.sf([6, 7, 10, 13, 16, 22, 23]), [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482], atol=5e-5
    )


def test_turnbull_agrees_with_kaplan_meier():
    from suffice.inference.npmle import _turnbull

    random = np.random.default_rng(0)
    time, end = random.exponential(size=60), random.exponential(size=60)
    data = sf.Data.lifetimes(np.minimum(time, end), time < end)
    a, b = sf.distribution_function(data), _turnbull(data.rows, np.ones(60))
    assert b.converged
    at = np.linspace(0.0, 2.0, 9)
    np.testing.assert_allclose(a.cdf(at), b.cdf(at), atol=1e-7)
