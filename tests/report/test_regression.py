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
from suffice.report.regression.calibration import calibration_figure
from suffice.report.regression.choices import Chosen
from suffice.report.regression.modelled import Modelled
from suffice.report.regression.sample import POINTS
from suffice.report.regression.view import Regressed
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


@pytest.fixture(scope="module")
def modelled():
    n = 300
    x, z = RNG.normal(size=n), RNG.uniform(size=n)
    frame = pd.DataFrame({"dose": x, "age": z})
    frame["cured"] = (RNG.uniform(size=n) < 1.0 / (1.0 + np.exp(-1.5 * x))).astype(float)
    frame["cases"], frame["cost"] = RNG.poisson(np.exp(0.5 + 0.8 * x)), RNG.gamma(3.0, np.exp(x - z) / 3.0)
    frame["y"], frame["spread"] = x + RNG.standard_t(3, n), x + np.exp(z) * RNG.normal(size=n)
    frame["grade"] = np.array(["low", "middle", "high"])[np.digitize(x + RNG.logistic(size=n), [-1.0, 1.0])]
    frame["town"] = RNG.choice(list("abcdef"), n)
    linear = sf.GeneralizedLinearModel
    weights = RNG.integers(0, 4, n)
    return {
        "bernoulli": linear(sf.Bernoulli).fit(frame[["dose", "cured"]], "cured", weights),
        "shares": linear(sf.Bernoulli).fit(x, 0.5 * frame["cured"] + 0.2, np.full(n, 10)),
        "poisson": linear(sf.Poisson).fit(frame[["dose", "cases"]], "cases", offset=z),
        "gamma": linear(sf.Gamma, link="log").fit(frame[["dose", "age", "cost"]], "cost"),
        "student": sf.LinearBasisModel(noise=sf.StudentTNoise()).fit(frame[["dose", "y"]], "y"),
        "variance": sf.LinearBasisModel(noise=sf.LogVariance(sf.Linear("age"))).fit(
            frame[["dose", "age", "spread"]], "spread"
        ),
        "ordinal": sf.OrdinalRegression(classes=("low", "middle", "high")).fit(frame[["dose", "grade"]], "grade"),
        "classes": sf.MultinomialRegression(sf.Linear(["dose", "age"])).fit(frame[["dose", "age", "town"]], "town"),
    }


SAID = {
    "bernoulli": ("Bernoulli with the logit link", "Odds ratio", "Calibration of cured", "Pearson residual"),
    "shares": ("Calibration of", "Bernoulli"),
    "poisson": ("Poisson with the log link", "Deviance", "cases at offset 0, other", "Leverage"),
    "gamma": ("Dispersion", "Part of age", "Observed and fitted", "Deviance residual"),
    "student": ("noise of Student&#x27;s t", "The noise: scale", "Df"),
    "variance": ("noise whose variance depends on the inputs", "log variance: age"),
    "ordinal": (
        "3 ordered classes with the logit link",
        "Classes by dose",
        "Calibration of grade high",
        "most probable",
    ),
    "classes": ("6 classes", "b: dose", "Classes by age"),
}


@pytest.mark.parametrize("name", SAID)
def test_pages_of_other_models(modelled, tmp_path, name):
    text = sf.report(modelled[name], tmp_path / "page.html").read_text()
    for told in SAID[name]:
        assert told in text, told
    assert "NaN" not in vl_convert.vegalite_to_svg(sf.plot(modelled[name]).to_dict())
    drawn = PAGE_FIGURES[type(modelled[name])](modelled[name])
    assert text.count("<figure>") == sum(map(len, drawn)) >= 3
    for figure in (f for row in drawn for f in row):
        assert "NaN" not in vl_convert.vegalite_to_svg(charts.display(figure.chart).to_dict())
        assert len(figure.alt) > 60
        assert figure.caption.endswith(".")
        assert all(len(row) == len(figure.table.headers) for row in figure.table.rows)


PAGE_FIGURES = dict.fromkeys(
    (sf.GeneralizedLinearFit, sf.NoiseFit), lambda fit: figures.modelled_figures(Modelled.of(fit))
) | dict.fromkeys((sf.OrdinalFit, sf.MultinomialFit), lambda fit: figures.choice_figures(Chosen.of(fit)))


@pytest.mark.parametrize("family", [sf.Bernoulli, sf.Poisson])
def test_scores_of_true_models_are_normal(family):
    """Randomised quantile residuals of 3,000 rows, sampled to 1,000: Kolmogorov–Smirnov's, false alarm 1e-6."""
    x = RNG.normal(size=3000)
    mean = 1.0 / (1.0 + np.exp(-x)) if family is sf.Bernoulli else np.exp(0.3 + 0.5 * x)
    t = (RNG.uniform(size=3000) < mean) if family is sf.Bernoulli else RNG.poisson(mean)
    seen = Modelled.of(sf.GeneralizedLinearModel(family).fit(x, t.astype(float)))
    assert scipy.stats.kstest(seen.scores, "norm").pvalue > 1e-6


def test_bands_and_probabilities_are_those_of_the_fits(modelled):
    at = np.linspace(-1.0, 1.0, 50)
    curve, fit = Modelled.of(modelled["student"]).curve({"dose": at}), modelled["student"]
    want = scipy.stats.t(fit.noise_parameters[1], fit.predict(at), fit.noise_parameters[0])
    assert curve.new_low == pytest.approx(want.ppf(0.025), rel=1e-9)
    low, high = modelled["bernoulli"].mean_interval(at)
    curve = Modelled.of(modelled["bernoulli"]).curve({"dose": at})
    assert np.array_equal(curve.low, low)
    assert np.array_equal(curve.high, high)
    seen = Modelled.of(modelled["poisson"])
    t, mu = seen.whole_targets, seen.fitted
    d = 2.0 * (np.where(t > 0, t * np.log(np.maximum(t, 1.0) / mu), 0.0) - t + mu)
    want = np.sign(t - mu) * np.sqrt(np.maximum(d, 0.0) / (1.0 - seen.diagnostics.leverage))
    assert seen.scaled == pytest.approx(want, rel=1e-7, abs=1e-7)
    d, size = seen.diagnostics, seen.size  # lines of equal Cook's distance are drawn for these residuals
    assert np.allclose(d.cooks_distance, d.standardised**2 * d.leverage / ((1.0 - d.leverage) * size), rtol=1e-12)


def test_calibration_counts_rows():
    """Groups hold all rows, their shares and probabilities average to those of the data."""
    said = RNG.uniform(size=200)
    happened, w = (RNG.uniform(size=200) < said).astype(float), RNG.integers(0, 3, 200).astype(float)
    table = calibration_figure(said, happened, w, "it").table
    n, p, q = (numbers(table, name) for name in ("Rows", "Mean probability", "Share"))
    assert n.sum() == w.sum()
    assert (n @ p) / n.sum() == pytest.approx(w @ said / w.sum(), abs=1e-3)
    assert (n @ q) / n.sum() == pytest.approx(w @ happened / w.sum(), abs=1e-3)


def test_pages_of_fits_without_residuals(tmp_path):
    """As many weights as rows, exact fits, one row: the curve without bands, no figures of residuals."""
    x, t = RNG.normal(size=(9, 20)), RNG.normal(size=9)
    exact = sf.LinearBasisModel().fit([1.0, 2.0], [3.0, 5.0])
    fits = [
        exact,
        sf.LinearBasisModel().fit(X, np.ones(70)),
        sf.LinearBasisModel(None).fit([1.0], [3.0]),
        sf.LinearBasisModel().fit(x, t, rank_deficient="minimum_norm"),
        sf.GeneralizedLinearModel(sf.Gamma).fit([1.0, 2.0], [1.0, 3.0]),
        sf.GeneralizedLinearModel(sf.Gamma, None).fit([1.0], [1.0]),
    ]
    for fit in fits:
        text = sf.report(fit, tmp_path / "page.html").read_text()
        assert "Weights" in text
        assert "Normal Q–Q plot" not in text
    curve = figures.figures(Regressed.each(exact)[0])[0][0]
    assert "band" not in curve.caption
    assert curve.table.headers == ("x", "Mean")
