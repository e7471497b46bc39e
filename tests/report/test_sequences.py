"""Pages and charts of time series, hidden chains and scores of texts: what they tell is what the results hold."""

import numpy as np
import pytest

import suffice as sf
from suffice.report import autoregression, filtering, hidden_chain, perplexity, time_series


@pytest.fixture(scope="module")
def series():
    rng = np.random.default_rng(0)
    x = 10.0 + np.cumsum(0.3 * rng.normal(size=60)) + np.tile([1.0, -2.0, 1.0], 20) + 0.2 * rng.normal(size=60)
    x[7] = np.nan
    return sf.fit_state_space(sf.LocalLevel() + sf.Seasonal(3), x)


@pytest.fixture(scope="module")
def regressed():
    truth = sf.StateSpaceModel([[1.3, -0.7], [1.0, 0.0]], np.diag([1.0, 0.0]), [1.0, 0.0], 0.0)
    x = 5.0 + np.array(truth.sample(150, rng=0)).reshape(-1)
    x[60:66] = np.nan
    return sf.fit_autoregression(x, 2)


@pytest.fixture(scope="module")
def chain():
    truth = sf.HiddenMarkov([0.5, 0.5], [[0.9, 0.1], [0.2, 0.8]], sf.Normal(np.array([0.0, 4.0]), 1.0))
    x = [np.array(truth.sample(n, rng=n)) for n in (120, 60)]
    x[0][5] = np.nan
    return sf.fit_hidden_markov(sf.Normal, 2, x, starts=2)


def test_series(series):
    assert time_series.counts(series) == "59 values, 1 of 60 times missing"
    first, *parts, errors = (f for row in time_series.figures(series) for f in row)
    assert [f.title for f in parts] == ["Level", "Seasonal3"]
    ahead = series.forecast(12)
    low, high = ahead.icdf(0.025), ahead.icdf(0.975)
    told = np.array([[float(v.replace("−", "-").replace(",", "")) for v in row] for row in first.table.rows])
    np.testing.assert_allclose(told, np.stack([60.0 + np.arange(12), ahead.loc, low, high], axis=1), rtol=1e-5)
    assert len(errors.table.rows) == np.isfinite(np.asarray(series.residuals())).sum()


def test_autoregression(regressed):
    """Forecast, coefficients and errors are those of the fit; half-life and cycle those of its roots."""
    assert autoregression.counts(regressed) == "144 values, 6 of 150 times missing"
    first, lags, errors = (f for row in autoregression.figures(regressed) for f in row)
    ahead = regressed.forecast(30)
    bounds = [ahead.icdf(0.025), ahead.icdf(0.975)]
    told = np.array([[float(v.replace("−", "-")) for v in row] for row in first.table.rows])
    np.testing.assert_allclose(told, np.stack([150.0 + np.arange(30), ahead.loc, *bounds], 1), rtol=1e-5, atol=1e-5)
    coefficients = [float(row[1].split(" ")[0].replace("−", "-")) for row in lags.table.rows]
    np.testing.assert_allclose(coefficients, regressed.coefficients, atol=0.006)
    assert len(errors.table.rows) == 144
    root = np.roots([1.0, *-regressed.coefficients])[0]
    half, cycle = np.log(0.5) / np.log(abs(root)), 2.0 * np.pi / abs(np.angle(root))
    assert f"by half in {half:.3g} steps, in cycles of {cycle:.3g}," in autoregression.answer(regressed)[1]
    assert [row[0] for row in autoregression.parameter_rows(regressed).rows] == list(regressed.parameters)
    one = sf.fit_autoregression(regressed.values, 1)
    assert [f.title for row in autoregression.figures(one) for f in row] == [first.title, errors.title]
    assert "cycles" not in autoregression.answer(one)[1]


def test_chain(chain):
    path, states, densities = (f for row in hidden_chain.figures(chain) for f in row)
    counts = [int(row[1]) for row in path.table.rows]
    assert sum(counts) == 180
    share = np.concatenate(chain.distribution.posterior(hidden_chain._sequence(chain))).mean(0)
    assert [row[1] for row in states.table.rows] == [f"{100 * s:.3g} %" for s in share]
    assert densities.title == "States over the data"
    rows = {row[0]: row[1:] for row in hidden_chain.parameter_rows(chain).rows}
    assert set(rows) == {"first state", "to state 0", "to state 1", "loc", "scale"}
    assert "±" in rows["to state 1"][0]
    assert hidden_chain.counts(chain) == "179 values in 2 sequences"


def test_score():
    score = sf.SequenceScore([-30.0, -20.0, -9.0], [10, 8, 4], [50, 40, 20])
    rows = {row[0]: row for row in perplexity.parameter_rows(score).rows}
    assert set(rows) == {"perplexity", "cross-entropy, nats per token", "bits per token", "bits per byte"}
    h = score.cross_entropy
    low = np.exp(float(h) - 1.959963985 * float(h.standard_error))
    assert float(rows["perplexity"][2]) == pytest.approx(low, rel=1e-4)
    assert perplexity.figures(score)[0][0].table.rows[0][0] == "0"
    assert perplexity.figures(sf.SequenceScore([-1.0], [2])) == []


def test_filters(tmp_path):
    """Every probability is in the table, those of many tokens together; what is removed has 0; blank tokens can be read."""
    p = sf.Categorical.from_probs([0.45, 0.25, 0.15, 0.1, 0.05])
    steps = sf.filter_steps(p, [sf.Temperature(0.5), sf.TopP(0.8)], words=["a", "b", " ", "b", "c"])
    [[figure]] = filtering.figures(steps)
    assert figure.table.headers == ("Token", "Before", "Temperature(temperature=0.5)", "TopP(p=0.8)")
    assert [row[0] for row in figure.table.rows] == ["a", "b (1)", "' '", "b (3)", "c"]
    told = np.array([[float(v) for v in row[1:]] for row in figure.table.rows])
    np.testing.assert_allclose(told.T, [law.probs for law in steps.distributions], rtol=5e-4, atol=5e-5)
    assert "Temperature(temperature=0.5): 5 tokens" in figure.alt
    many = sf.filter_steps(np.random.default_rng(0).normal(size=500), [sf.Typical(0.05), sf.TopK(3)])
    rows = filtering.figures(many)[0][0].table.rows
    assert (len(rows), rows[-1][0]) == (21, "480 others")
    left = np.flatnonzero(np.isfinite(np.asarray(many.distribution.logits)))
    assert not set(left) & set(np.argsort(-np.asarray(many.distributions[0].probs))[:20])
    assert {str(i) for i in left} <= {row[0] for row in rows}
    np.testing.assert_allclose(np.sum([[float(v) for v in row[1:]] for row in rows], axis=0), 1.0, atol=2e-3)
    chart = sf.plot(steps)
    assert len(chart.to_dict()["hconcat"]) == 3
    chart.save(tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 3000


def test_pages_and_charts(series, regressed, chain, tmp_path):
    score = sf.SequenceScore([-30.0, -20.0, -9.0], [10, 8, 4])
    for result, word in (
        (series, "noise.variance"),
        (regressed, "coefficients[2]"),
        (chain, "Most probable path"),
        (score, "bits per token"),
    ):
        page = sf.report(result, tmp_path / "page.html").read_text()
        assert word in page
        assert "nan" not in page.split("<script")[0]
        assert {"vconcat", "hconcat", "layer"} & set(sf.plot(result).to_dict())
    with pytest.raises(ValueError, match="nothing to draw in this SequenceScore"):
        sf.plot(sf.SequenceScore([-1.0], [2]))
