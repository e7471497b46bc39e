"""Regression from files: the same as in memory, however they are cut."""

import numpy as np
import pandas as pd
import pytest

import suffice as sf
from suffice.models.regression.least_squares import data
from suffice.runtime.errors import DataError

RNG = np.random.default_rng(21)


@pytest.fixture
def frame():
    x = RNG.normal(size=(500, 2)) + np.array([1e4, -3.0])
    return pd.DataFrame(
        {"a": x[:, 0], "b": x[:, 1], "t": 2.0 + x @ [0.5, -1.0] + RNG.normal(size=500), "w": RNG.integers(0, 3, 500)}
    )


def written(frame, folder, kind):
    path = folder / f"data.{kind}"
    if kind == "parquet":
        frame.to_parquet(path, row_group_size=70)
    elif kind == "arrow":
        frame.to_feather(path, compression="uncompressed")
    else:
        frame.to_csv(path, index=False, float_format="%.17g")
    return path


@pytest.mark.parametrize("kind", ["parquet", "arrow", "csv"])
@pytest.mark.parametrize(
    "basis", [sf.Linear(), sf.Polynomial(3), sf.Gaussian(4) + sf.Linear("b")], ids=["linear", "cubic", "bumps"]
)
def test_files(frame, tmp_path, kind, basis):
    path = written(frame, tmp_path, kind)
    want = sf.LinearBasisModel(basis).fit(frame[["a", "b"]], frame["t"], frame["w"])
    for rows in (7, 64, 10_000):
        fit = sf.LinearBasisModel(basis).fit(sf.scan_table(path, weights="w", batch_rows=rows), "t")
        assert fit.names == want.names
        assert (
            np.abs(fit.weights - want.weights) <= 1e-12 * np.maximum(np.abs(want.weights), want.standard_errors)
        ).all()
        assert np.allclose(fit.standard_errors, want.standard_errors, rtol=1e-12)
        assert fit.count == frame["w"].sum()


def test_other_fits_and_targets_by_name(frame, tmp_path):
    path = written(frame, tmp_path, "parquet")
    table = sf.scan_table(path, ["a", "b", "t"])
    fit = sf.evidence_fit(None, table, "t")
    assert fit.alpha == pytest.approx(sf.evidence_fit(None, frame[["a", "b", "t"]], "t").alpha, rel=1e-10)
    p = sf.BayesianLinearModel(weights=1.0).fit(table, "t")
    assert np.allclose(p.mean, sf.BayesianLinearModel(weights=1.0).fit(frame[["a", "b"]], frame["t"]).mean, rtol=1e-12)
    both = sf.LinearBasisModel().fit(table, ["t", "b"])
    assert both.weights.shape == (2, 2)


def test_a_constant_file_is_read_twice(tmp_path):
    """Near-dependent columns: the condition number asks for a second reading."""
    x = RNG.normal(size=300)
    frame = pd.DataFrame({"a": x, "b": x + 1e-9 * RNG.normal(size=300), "t": RNG.normal(size=300)})
    fit = sf.LinearBasisModel().fit(sf.scan_table(written(frame, tmp_path, "csv"), batch_rows=50), "t")
    want = sf.LinearBasisModel().fit(frame[["a", "b"]], frame["t"])
    assert (fit.reading, want.reading) == (2, 2)
    assert np.allclose(fit.weights, want.weights, rtol=1e-12)


def test_missing_values(frame, tmp_path):
    frame.loc[[3, 400], "b"] = np.nan
    frame.loc[5, "t"] = np.nan
    for kind in ("parquet", "csv"):
        path = written(frame, tmp_path, kind)
        with pytest.raises(DataError, match=r"columns 'a', 'b', 't' has 3 missing values, the first at row 4"):
            sf.LinearBasisModel().fit(sf.scan_table(path, ["a", "b", "t"]), "t")
        fit = sf.LinearBasisModel().fit(sf.scan_table(path, ["a", "b", "t"], missing="drop", batch_rows=50), "t")
        kept = frame.dropna()
        assert np.allclose(fit.weights, sf.LinearBasisModel().fit(kept[["a", "b"]], kept["t"]).weights, rtol=1e-12)
    frame.loc[7, "a"] = np.inf
    with pytest.raises(DataError, match=r"1 infinite value, the first at row 8 \(counting from 1\): inf"):
        sf.LinearBasisModel().fit(sf.scan_table(written(frame, tmp_path, "csv"), ["a", "t"]), "t")


def test_what_a_file_cannot_give(frame, tmp_path):
    path = written(frame, tmp_path, "csv")
    table = sf.scan_table(path)
    long = pd.DataFrame({"a": np.arange(1500.0), "t": np.arange(1500.0)})
    many = sf.scan_table(written(long, tmp_path, "parquet"))
    with pytest.raises(DataError, match="input 'a' has more than 1000 categories"):
        sf.LinearBasisModel(sf.OneHot("a")).fit(many, "t")
    with pytest.raises(ValueError, match="one of a, b, t, w, got 'u'"):
        sf.LinearBasisModel().fit(table, "u")
    with pytest.raises(TypeError, match="scan_table names the column of weights"):
        sf.LinearBasisModel().fit(table, "t", np.ones(500))
    with pytest.raises(DataError, match="no column 'c'"):
        sf.scan_table(path, ["a", "c"])
    (tmp_path / "data.xls").write_text("a")
    with pytest.raises(DataError, match="not known by its ending"):
        sf.scan_table(tmp_path / "data.xls")
    text = pd.DataFrame({"a": ["x", "y"]})
    text.to_csv(tmp_path / "text.csv", index=False)
    with pytest.raises(DataError, match="no numeric column"):
        sf.scan_table(tmp_path / "text.csv")


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_knots_and_categories_from_files(frame, tmp_path, kind):
    """Quantiles and categories of a file are those of the same rows in memory."""
    path = written(frame, tmp_path, kind)
    basis = sf.BSpline(3, "a") + sf.NaturalSpline(2, "b") + sf.OneHot("w")
    want = sf.LinearBasisModel(basis).fit(frame[["a", "b", "w"]], frame["t"])
    for rows in (50, 10_000):
        fit = sf.LinearBasisModel(basis).fit(sf.scan_table(path, ["a", "b", "w", "t"], batch_rows=rows), "t")
        assert fit.names == want.names
        assert np.allclose(fit.weights, want.weights, rtol=1e-11)
        assert np.allclose(fit.standard_errors, want.standard_errors, rtol=1e-11)


def test_knots_of_many_rows(monkeypatch, tmp_path):
    """Of a sample: the quantiles are within 5 standard errors of a uniform's, and the ends are those of all rows."""
    monkeypatch.setattr(data, "SAMPLE", 400)
    x = RNG.uniform(size=5000)
    pd.DataFrame({"a": x, "t": x}).to_parquet(tmp_path / "long.parquet", row_group_size=700)
    knots = {}
    for rows in (64, 10_000):
        table = sf.scan_table(tmp_path / "long.parquet", batch_rows=rows)
        fit = sf.LinearBasisModel(sf.NaturalSpline(3)).fit(table, "t")
        knots[rows] = fit.design.basis.placed[0]
    low, *inner, high = knots[64]
    assert knots[64] == knots[10_000]
    assert (low, high) == (x.min(), x.max())
    assert np.abs(np.array(inner) - [0.25, 0.5, 0.75]).max() < 5 * 0.5 / np.sqrt(400)


@pytest.mark.parametrize("kind", ["parquet", "arrow", "csv"])
def test_categories_of_text(frame, tmp_path, kind):
    """One-hot columns of text: the same weights as in memory however the file is cut, levels found or given."""
    frame["town"] = RNG.choice(["Bonn", "Aachen", "Köln"], len(frame))
    frame["t"] += 2.0 * (frame["town"] == "Köln")
    path = written(frame, tmp_path, kind)
    for basis in (
        sf.Linear(["a", "b"]) + sf.OneHot("town"),
        sf.Gaussian(3, inputs="a") + sf.Linear("b") * sf.OneHot("town", categories=("Köln", "Aachen", "Bonn")),
    ):
        want = sf.LinearBasisModel(basis).fit(frame[["a", "b", "town"]], frame["t"], frame["w"])
        for rows in (7, 10_000):
            table = sf.scan_table(path, categories=["town"], weights="w", batch_rows=rows)
            fit = sf.LinearBasisModel(basis).fit(table, "t")
            assert fit.names == want.names
            scale = np.maximum(np.abs(want.weights), want.standard_errors)
            assert (np.abs(fit.weights - want.weights) <= 1e-12 * scale).all()


def test_labels_that_are_not_known(frame, tmp_path):
    frame["town"] = ["Bonn", "Aachen"] * 250
    frame.loc[321, "town"] = "Paris"
    path = written(frame.drop(columns="w"), tmp_path, "csv")
    model = sf.LinearBasisModel(sf.Linear(["a", "b"]) + sf.OneHot("town"))
    table = sf.scan_table(path, categories={"town": ("Aachen", "Bonn")}, batch_rows=50)
    with pytest.raises(DataError, match=r"column 'town' must hold one of Aachen, Bonn, got 'Paris' at row 322"):
        model.fit(table, "t")
    given = sf.LinearBasisModel(sf.Linear(["a", "b"]) + sf.OneHot("town", categories=("Aachen", "Bonn")))
    with pytest.raises(DataError, match=r"input 'town' must be one of Aachen, Bonn, got Paris at row 322"):
        given.fit(sf.scan_table(path, categories=["town"], batch_rows=50), "t")
    with pytest.raises(DataError, match="'town' holds text, which only OneHot takes"):
        sf.LinearBasisModel().fit(sf.scan_table(path, categories=["town"]), "t")
    frame.loc[5, "town"] = None
    frame.drop(columns="w").to_csv(path, index=False)
    with pytest.raises(DataError, match="1 missing value, the first at row 6"):
        model.fit(sf.scan_table(path, categories=["town"]), "t")


def test_classes_of_text(frame, tmp_path):
    frame["grade"] = np.array(["low", "middle", "high"])[np.digitize(frame["t"] - frame["t"].mean(), [-1.0, 1.0])]
    path = written(frame.drop(columns=["w", "t"]), tmp_path, "parquet")
    table = sf.scan_table(path, categories=["grade"], batch_rows=60)
    for model in (sf.MultinomialRegression(), sf.OrdinalRegression(classes=("low", "middle", "high"))):
        fit, want = model.fit(table, "grade"), model.fit(frame[["a", "b"]], frame["grade"])
        assert fit.classes == want.classes
        assert fit.names == want.names
        scale = np.maximum(np.abs(want.parameters), want.standard_errors)
        assert (np.abs(fit.parameters - want.parameters) <= 1e-10 * scale).all()


def test_precisions_offsets_and_weights_by_name(frame, tmp_path):
    frame["o"], frame["p"] = RNG.normal(size=500), RNG.uniform(0.5, 2.0, 500)
    path = written(frame, tmp_path, "parquet")
    want = sf.LinearBasisModel().fit(
        frame[["a", "b"]], frame["t"], frame["w"], precisions=frame["p"].to_numpy(), offset=frame["o"].to_numpy()
    )
    named = {"precisions": "p", "offset": "o"}
    fits = [sf.LinearBasisModel().fit(frame, "t", "w", **named)]
    fits += [
        sf.LinearBasisModel().fit(sf.scan_table(path, weights="w", batch_rows=rows), "t", **named)
        for rows in (7, 10_000)
    ]
    for fit in fits:
        assert fit.names == want.names == ("intercept", "a", "b")
        scale = np.maximum(np.abs(want.weights), want.standard_errors)
        assert (np.abs(fit.weights - want.weights) <= 1e-12 * scale).all()
        assert np.allclose(fit.standard_errors, want.standard_errors, rtol=1e-12)
        assert float(fit.log_likelihood) == pytest.approx(float(want.log_likelihood), rel=1e-12)


def test_exposures_of_a_file(frame, tmp_path):
    frame["t"], frame["o"] = RNG.poisson(np.exp(0.1 * (frame["a"] - 1e4))), RNG.normal(size=500)
    frame = frame.drop(columns="w")
    fit = sf.GeneralizedLinearModel(sf.Poisson).fit(
        sf.scan_table(written(frame, tmp_path, "csv"), batch_rows=64), "t", offset="o"
    )
    want = sf.GeneralizedLinearModel(sf.Poisson).fit(frame[["a", "b"]], frame["t"], offset=frame["o"].to_numpy())
    assert np.allclose(fit.weights, want.weights, rtol=1e-8)
    assert fit.log_likelihood == pytest.approx(want.log_likelihood, rel=1e-12)


def test_bad_names_of_columns(frame, tmp_path):
    frame.loc[301, "w"] = -1
    table = sf.scan_table(written(frame, tmp_path, "csv"), batch_rows=64)
    with pytest.raises(DataError, match=r"precisions must be > 0, got (-1|0) at row \d+ \(counting from 1\)"):
        sf.LinearBasisModel().fit(table, "t", precisions="w")
    with pytest.raises(ValueError, match="offset must be a column of the table, one of a, b, t, w, got 'exposure'"):
        sf.LinearBasisModel().fit(table, "t", offset="exposure")
    with pytest.raises(ValueError, match="offset must be a column of the table, one of a, b, t, w, got 'exposure'"):
        sf.LinearBasisModel().fit(frame, "t", offset="exposure")
    with pytest.raises(TypeError, match="offset of a table must be the name of a column, got ndarray"):
        sf.LinearBasisModel().fit(table, "t", offset=np.zeros(500))
