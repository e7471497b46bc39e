"""Pages and charts of regressions: every figure with its words and numbers, and the numbers are those of the fit."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import vl_convert

import suffice as sf
from suffice.models.regression.bayesian.evidence import nested_orders
from suffice.report import charts
from suffice.report.regression import bases, figures, residuals
from suffice.report.regression.view import POINTS, Regressed
from suffice.report.regression.words import order_rows

RNG = np.random.default_rng(3)
X = np.linspace(0.0, 1.0, 70)
T = np.sin(2.0 * np.pi * X) + 0.2 * RNG.normal(size=70)


def towns(n):
    d = pd.DataFrame(
        {"size": RNG.gamma(3.0, 1.0, n), "town": RNG.choice(["Aachen", "Bonn"], n), "age": RNG.uniform(0, 9, n)}
    )
    d["price"] = 2.0 + 3.0 * d["size"] + 2.0 * (d["town"] == "Bonn") - 0.5 * d["age"] + RNG.normal(size=n)
    return d


@pytest.fixture(scope="module")
def fits(tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "towns.csv"
    many = towns(3 * POINTS)
    many.drop(columns="town").to_csv(path, index=False)
    basis = sf.Linear(["size", "age"]) + sf.OneHot("town")
    return {
        "polynomial": sf.LinearBasisModel(sf.Polynomial(4)).fit(X, pd.Series(T, name="height")),
        "towns": sf.LinearBasisModel(basis).fit(towns(80), "price"),
        "file": sf.LinearBasisModel().fit(sf.scan_table(path), "price"),
        "two targets": sf.LinearBasisModel().fit(X, np.stack([T, T**2], axis=1)),
        "known noise": sf.BayesianLinearModel(sf.Gaussian(5), weights=1.0, noise=25.0).fit(X, T),
        "unknown noise": sf.BayesianLinearModel(sf.Gaussian(5), weights=1.0).fit(X, T, precisions=1.0 + X),
        "offset": sf.LinearBasisModel(sf.Fourier(1, 1.0)).fit(X, T, offset=X),
        "exact": sf.LinearBasisModel().fit(X, 1.0 + 2.0 * X),
        "constant": sf.LinearBasisModel(None).fit(X, T),
        "dependent": sf.LinearBasisModel().fit(np.stack([X, 2.0 * X], axis=1), T, rank_deficient="pivot"),
    }


CASES = (
    "polynomial",
    "towns",
    "file",
    "two targets",
    "known noise",
    "unknown noise",
    "offset",
    "exact",
    "constant",
    "dependent",
)


@pytest.mark.parametrize("name", CASES)
def test_every_figure_is_valid_and_comes_with_words_and_numbers(fits, name):
    drawn = [f for seen in Regressed.each(fits[name]) for row in figures.figures(seen) for f in row]
    assert drawn
    for figure in drawn:
        svg = vl_convert.vegalite_to_svg(charts.display(figure.chart).to_dict())
        assert "NaN" not in svg
        assert len(figure.alt) > 60
        assert figure.caption.endswith(".")
        assert figure.table.rows
        assert all(len(row) == len(figure.table.headers) for row in figure.table.rows)


def numbers(table, name):
    place = table.headers.index(name)
    return np.array([float(row[place].replace(",", "").replace("−", "-")) for row in table.rows])


def test_the_bands_are_those_of_the_laws(fits):
    fit = fits["polynomial"]
    at = np.linspace(0.0, 1.0, 70)
    curve = Regressed.each(fit)[0].curve({"x": at})
    assert curve.mean == pytest.approx(np.asarray(fit.predict(at)), rel=1e-12)
    for found, law, p in ((curve.low, fit.mean_law(at), 0.025), (curve.new_high, fit.predictive(at), 0.975)):
        want = scipy.stats.t(65, np.asarray(law.loc), np.asarray(law.scale)).ppf(p)
        assert found == pytest.approx(want, rel=1e-9)


def test_normal_scores_are_the_quantiles_of_student_t(fits):
    seen = Regressed.each(fits["polynomial"])[0]
    want = scipy.stats.norm.ppf(scipy.stats.t(70 - 5 - 1).cdf(seen.diagnostics.studentised))
    assert np.allclose(seen.scores, want, atol=1e-9)
    known = Regressed.each(fits["known noise"])[0]
    assert np.array_equal(known.scores, known.diagnostics.standardised)


def test_the_quantile_band_holds_what_it_says():
    """Points of true models lie outside it about 5 times in 100, each by itself: 300 models of 20 rows, 6000 points.

    Points of one model are dependent: the standard deviation of a model's share is at most that of wholly dependent
    points, 0.22; 5 of these over √300 are 0.063. The band's own quantiles, of 199 samples, add at most 0.01.
    """
    x = np.linspace(0.0, 1.0, 20)
    fit = sf.LinearBasisModel(sf.Polynomial(3)).fit(x, RNG.normal(size=20))
    seen = Regressed.each(fit)[0]
    low, high = residuals._score_band(seen.projection, 20)
    noise = RNG.normal(size=(300, 20))
    left = noise - noise @ seen.projection @ seen.projection.T
    rest = np.sqrt((left**2).sum(1, keepdims=True) / 16)
    r = left / rest / np.sqrt(1.0 - (seen.projection**2).sum(1))
    studentised = r * np.sqrt(15.0 / (16.0 - r**2))
    scores = np.sort(scipy.stats.norm.ppf(scipy.stats.t(15).cdf(studentised)), axis=1)
    assert abs(((scores < low) | (scores > high)).mean() - 0.05) < 0.063 + 0.01


def test_diagnostics_of_a_posterior():
    """Residuals have variance (1 − leverage)/beta under the prior: the marginal covariance of the targets says the same."""
    fit = sf.BayesianLinearModel(sf.Polynomial(2), weights=[1.0, 2.0, 3.0], noise=4.0).fit(X, T)
    phi = np.stack([np.ones(70), X, X**2], axis=1)
    hat = 4.0 * phi @ fit.covariance @ phi.T
    marginal = np.eye(70) / 4.0 + phi @ np.diag([1.0, 0.5, 1.0 / 3.0]) @ phi.T
    left = np.eye(70) - hat
    found = fit.diagnosed(fit.data.rows).target(0)
    assert np.allclose(found.leverage, np.diag(hat), rtol=1e-9)
    assert np.allclose(np.diag(left @ marginal @ left), (1.0 - found.leverage) / 4.0, rtol=1e-9)
    assert np.allclose(found.standardised, found.residuals / np.sqrt((1.0 - found.leverage) / 4.0), rtol=1e-12)


def test_nested_orders_are_those_of_separate_fits():
    fit = sf.LinearBasisModel(sf.Polynomial(6)).fit(X, T)
    found, want = nested_orders(fit), sf.order_by_evidence([sf.Polynomial(m) for m in range(1, 7)], X, T)
    assert found.log_evidences == pytest.approx(want.log_evidences, rel=1e-10)
    careful = sf.LinearBasisModel(sf.Polynomial(3, domain=(0.0, 1.0)))
    fit = careful.fit(careful.statistics(X, T, careful=True))
    assert nested_orders(fit).log_evidences == pytest.approx(want.log_evidences[:3], rel=1e-10)
    assert nested_orders(sf.LinearBasisModel(sf.Gaussian(4)).fit(X, T)) is None


def test_pages_say_what_was_found(tmp_path, fits):
    for name, said in {
        "polynomial": ("Regression of height", "R²", "Evidence", "Degree 3", "All 5 columns are independent"),
        "file": ("Drawn from a random sample of 1000 rows", "3000 observations", "Part of size"),
        "dependent": ("2 of 3 columns are independent", "x2 = 2 x1"),
        "unknown noise": ("(posterior mean", "Noise deviation"),
        "two targets": ("target 2",),
    }.items():
        text = sf.report(fits[name], tmp_path / f"{name}.html").read_text()
        assert text.count("<figure>") >= 4
        for told in said:
            assert told in text, (name, told)


def test_pages_of_the_evidence(tmp_path):
    found = sf.order_by_evidence([sf.Polynomial(3), sf.Gaussian(6)], X, T)
    text = sf.report(found, tmp_path / "order.html").read_text()
    for told in ("Gaussian(centres=6)", "Models", "Effective parameters", "Prior precision alpha"):
        assert told in text
    assert len(order_rows(found).rows) == 2


def test_plots(fits):
    assert "hconcat" in sf.plot(fits["polynomial"]).to_dict()
    assert "hconcat" in sf.plot(sf.evidence_fit(sf.Gaussian(5), X, T)).to_dict()
    model = sf.LinearBasisModel()
    summary = model.fit(model.statistics(X, T))
    assert "layer" in sf.plot(summary).to_dict()
    with pytest.raises(TypeError, match="at is for a basis alone"):
        sf.plot(summary, at=[0.0, 1.0])
    pair = np.stack([X, X**2], axis=1)
    with pytest.raises(ValueError, match="is drawn with its data"):
        sf.plot(model.fit(model.statistics(pair, T)))


def test_a_basis_is_drawn():
    figure = bases.basis_figure(sf.Gaussian(9), X)
    at = numbers(figure.table, "x")
    names = figure.table.headers[1:]
    want = sf.Gaussian(9, domain=(0.0, 1.0))(at)
    assert np.stack([numbers(figure.table, n) for n in names], axis=1) == pytest.approx(want, abs=2e-3)
    for basis in (sf.Polynomial(3), sf.BSpline(4) + sf.Fourier(1, 1.0)):
        svg = vl_convert.vegalite_to_svg(sf.plot(basis, at=X).to_dict())
        assert "NaN" not in svg
    with pytest.raises(ValueError, match="lower < upper"):
        sf.plot(sf.Polynomial(2), at=(1.0, 1.0))
