import altair as alt
import numpy as np
import pytest
import vl_convert

import suffice as sf
from suffice.report import charts, figures
from suffice.report.bands import compare
from suffice.report.empirical import Empirical


def drawn(result):
    data = Empirical.of(result)
    shown = figures.best(result)[0]
    comparison = compare(shown.fit, result, data, replicates=19)
    return [
        figures.histogram(result, data),
        figures.quantile_plot(result, shown.name, comparison, data.heavy),
        figures.probability_plot(result, shown.name, comparison),
        figures.tail_plot(result, data),
    ]


@pytest.fixture(scope="module")
def heavy():
    return sf.rank(np.random.default_rng(8).pareto(1.5, 1000) + 1.0, [sf.Pareto, sf.LogNormal])


@pytest.mark.parametrize("name", ["ranking", "counts", "heavy"])
def test_every_figure_is_valid_and_comes_with_words_and_numbers(name, request):
    result = request.getfixturevalue(name)
    for figure in drawn(result):
        spec = charts.display(figure.chart).to_dict()  # validates against the Vega-Lite schema
        svg = vl_convert.vegalite_to_svg(spec)
        assert "NaN" not in svg
        assert len(figure.alt) > 60
        assert figure.caption.endswith(".")
        assert figure.table.rows
        assert all(len(row) == len(figure.table.headers) for row in figure.table.rows)


def test_drawing_is_bounded_whatever_the_size_of_the_data():
    """100,000 values, of which each figure draws at most a few hundred points."""
    result = sf.rank(np.random.default_rng(9).normal(size=100_000), [sf.Normal, sf.Logistic])
    for figure in drawn(result):
        assert len(str(figure.chart.to_dict())) < 100_000
        assert len(figure.table.rows) <= 400


def test_heavy_tails_are_drawn_on_logarithmic_scales(heavy, ranking):
    for result, kind in ((heavy, "log"), (ranking, None)):
        tail = drawn(result)[3].chart.to_dict()
        assert tail["layer"][0]["encoding"]["x"]["scale"].get("type") == kind


def test_an_infinite_density_does_not_flatten_the_figure():
    x = np.random.default_rng(10).gamma(0.3, 1.0, 400)
    figure = figures.histogram(result := sf.rank(x, [sf.Gamma]), data := Empirical.of(result))
    top = figure.chart.to_dict()["layer"][0]["encoding"]["y"]["scale"]["domain"][1]
    assert top <= 1.7 * (data.shares() / np.diff(data.bins)).max()


@pytest.mark.parametrize("p", [sf.Gamma, sf.Poisson], ids=lambda p: p.__name__)
def test_figures_of_a_fit(p):
    fit = sf.fit(p, np.random.default_rng(11).poisson(4.0, 100) + 1.0)
    for figure in (figures.density(fit), figures.distribution_function(fit)):
        assert "NaN" not in vl_convert.vegalite_to_svg(charts.display(figure.chart).to_dict())
        assert figure.table.rows


def test_plot(ranking, tmp_path):
    chart = sf.plot(ranking)
    assert isinstance(chart, alt.LayerChart)
    assert isinstance(sf.plot(ranking.best), alt.HConcatChart)
    chart.save(tmp_path / "x.svg")
    chart.save(tmp_path / "x.png")
    assert "Gamma" in (tmp_path / "x.svg").read_text(encoding="utf-8")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(
        TypeError, match=r"result must be one of AdaptiveRejection, AutoregressiveFit, Basis, .*, got int"
    ):
        sf.plot(3)


def numbers_of(told, chart):
    """The numbers of a chart, (n, 2)."""
    text = told["datasets"][chart["data"]["name"]]
    return np.array([line.split(",")[:2] for line in text.splitlines()[1:]], float)


def test_adaptive_rejection_is_drawn_step_by_step():
    """Each panel holds the density between its bounds; the last has all knots."""
    import jax.numpy as jnp

    sampler = sf.adaptive_rejection(lambda x: 1.5 * jnp.log(x) - x, lower=0.0)
    told = sf.plot(sampler).to_dict()
    panels = [panel for row in told["vconcat"] for panel in row["hconcat"]]
    titles = [panel["title"] for panel in panels]
    assert (
        titles[-1]
        == f"{int(np.isfinite(sampler.order).sum())} knots: at least {100.0 * float(sampler.acceptance):.1f} % accepted"
    )
    assert len(set(titles)) == len(titles) >= 4
    for panel in panels:
        upper, density, lower = numbers_of(told, panel["layer"][0])[:, 1].reshape(3, -1)
        assert np.all(lower <= density + 1e-5)
        assert np.all(density <= upper + 1e-5)


def test_walks_of_chains():
    """Traces hold the draws, autocorrelations begin at 1, energies and pairs are drawn; what has none says so."""
    f = lambda p: -0.5 * p["a"] ** 2 - 0.5 * (p["b"] - p["a"]) ** 2  # noqa: E731
    start = {"a": np.zeros(()), "b": np.zeros(())}
    chains = sf.sample(f, start, chains=2, draws=100, warmup=100, rng=0, quiet=True)
    told = sf.plot(chains, "trace").to_dict()
    np.testing.assert_allclose(numbers_of(told, told["vconcat"][0])[:, 1], chains.draws["a"].ravel(), rtol=1e-5)
    told = sf.plot(chains, "autocorrelation").to_dict()
    lags, values = numbers_of(told, told["vconcat"][0]).T
    assert np.mean(values[lags == 0.0]) == pytest.approx(1.0, abs=1e-5)
    for kind in ("rank", "energy", "pairs"):
        sf.plot(chains, kind).to_dict()
    with pytest.raises(
        ValueError, match="kind must be one of rank, trace, autocorrelation, energy, pairs, got 'violin'"
    ):
        sf.plot(chains, "violin")
    slow = sf.sample(f, start, kernel=sf.RandomWalk(1.0, 1.0), chains=2, draws=10, warmup=0, rng=0, quiet=True)
    with pytest.raises(ValueError, match="RandomWalk has no energies"):
        sf.plot(slow, "energy")
