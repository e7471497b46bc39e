"""Pages and charts of time series, hidden chains and scores of texts: what they tell is what the results hold."""

import numpy as np
import pytest

import suffice as sf
from suffice.report import hidden_chain, perplexity, time_series


@pytest.fixture(scope="module")
def series():
    rng = np.random.default_rng(0)
    x = 10.0 + np.cumsum(0.3 * rng.normal(size=60)) + np.tile([1.0, -2.0, 1.0], 20) + 0.2 * rng.normal(size=60)
    x[7] = np.nan
    return sf.fit_state_space(sf.LocalLevel() + sf.Seasonal(3), x)


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


def test_pages_and_charts(series, chain, tmp_path):
    score = sf.SequenceScore([-30.0, -20.0, -9.0], [10, 8, 4])
    for result, word in ((series, "noise.variance"), (chain, "Most probable path"), (score, "bits per token")):
        page = sf.report(result, tmp_path / "page.html").read_text()
        assert word in page
        assert "nan" not in page.split("<script")[0]
        assert {"vconcat", "hconcat", "layer"} & set(sf.plot(result).to_dict())
    with pytest.raises(ValueError, match="nothing to draw in this SequenceScore"):
        sf.plot(sf.SequenceScore([-1.0], [2]))
