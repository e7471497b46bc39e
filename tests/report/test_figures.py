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
    with pytest.raises(TypeError, match="a Posterior or Chains, got int"):
        sf.plot(3)
