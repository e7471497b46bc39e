"""``suffice regress``: what it prints and writes, and what it says of bad input."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import suffice as sf
from suffice.cli.app import app
from suffice.models.bases import spelled

IRIS = "examples/iris.csv"


def run(*arguments):
    result = CliRunner().invoke(app, ["regress", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_least_squares_printed_and_written(tmp_path):
    out = tmp_path / "out.json"
    code, said, err = run(
        IRIS, "-t", "petal_width", "--inputs", "petal_length", "--basis", "polynomial:2", "--json", out
    )
    assert (code, err) == (0, "")
    for word in ("petal_length^2", "Residual deviation", "condition number", "150 observations"):
        assert word in said
    told = json.loads(out.read_text())
    frame = pd.read_csv(IRIS)
    fit = sf.LinearBasisModel(sf.Polynomial(2)).fit(frame[["petal_length"]], frame["petal_width"])
    assert [w["estimate"] for w in told["weights"]] == pytest.approx(fit.weights.tolist(), rel=1e-14)
    assert [w["standard_error"] for w in told["weights"]] == pytest.approx(fit.standard_errors.tolist(), rel=1e-14)
    assert (told["rank"], told["count"], told["prior"]) == (3, 150.0, "none")


def test_priors(tmp_path):
    out = tmp_path / "out.json"
    frame = pd.read_csv(IRIS)
    x, t = frame[["sepal_length", "sepal_width", "petal_length"]], frame["petal_width"]
    code, said, _ = run(IRIS, "-t", "petal_width", "--prior", "evidence", "--json", out)
    assert code == 0
    assert "effective parameters" in said
    told, fit = json.loads(out.read_text()), sf.evidence_fit(None, x, t)
    assert told["alpha"] == pytest.approx(fit.alpha, rel=1e-9)
    code, said, _ = run(IRIS, "-t", "petal_width", "--prior", "ridge:3", "--json", out)
    w = [r["estimate"] for r in json.loads(out.read_text())["weights"]]
    centred = x - x.mean()
    ridge = np.linalg.solve(centred.T @ centred + 3.0 * np.eye(3), centred.T @ (t - t.mean()))
    assert w[1:] == pytest.approx(ridge.tolist(), rel=1e-10)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("-t", "petal"), 1, "no column 'petal'; did you mean"),
        (("-t", "petal_width", "--inputs", "species"), 1, "species"),
        (
            ("-t", "petal_width", "--basis", "cubic"),
            2,
            "basis must be one of linear[:INPUT,…], onehot:INPUT,…, polynomial:DEGREE",
        ),
        (("-t", "petal_width", "--basis", "polynomial:x"), 2, "polynomial:DEGREE"),
        (("-t", "petal_width", "--basis", "fourier:2"), 2, "fourier:HARMONICS:PERIOD"),
        (("-t", "petal_width", "--prior", "ridge"), 2, "ridge:PENALTY"),
        (("-t", "petal_width", "--level", "2"), 2, "--level must be between 0 and 1"),
    ],
)
def test_bad_input(options, code, message):
    inputs = () if "--inputs" in options or "petal" in options else ("--inputs", "petal_length")
    extra = ("--inputs", "petal_length") if "petal" in options else ()
    got, _, err = run(IRIS, *options, *inputs, *extra)
    assert got == code
    assert message in err
    assert err.count("\n") == 1


def test_dependent_columns(tmp_path):
    file = tmp_path / "data.csv"
    file.write_text("a,b,t\n" + "".join(f"{i},{2 * i + 1},{i * i}\n" for i in range(9)))
    code, _, err = run(file, "-t", "t")
    assert code == 1
    assert "b = 1 intercept + 2 a" in err
    code, said, _ = run(file, "-t", "t", "--rank-deficient", "pivot")
    assert code == 0
    assert "Dependent: b = 1 intercept + 2 a" in said


def test_knots_and_a_page(tmp_path):
    page = tmp_path / "page.html"
    code, said, _ = run(IRIS, "-t", "petal_width", "--inputs", "petal_length", "--basis", "bspline:3", "--report", page)
    assert code == 0
    assert f"wrote {page}" in said.replace("\n", "")
    text = page.read_text()
    for words in ("Regression of petal_width", "BSpline(knots=3)", "Normal Q–Q plot"):
        assert words in text
    code, _, err = run(IRIS, "-t", "petal_width", "--report", tmp_path / "none" / "page.html")
    assert code == 2
    assert "page.html" in err


def test_labels(tmp_path):
    """Text in a file becomes categories; the fit is the one in memory."""
    out = tmp_path / "fit.json"
    code, _, err = run(IRIS, "-t", "petal_width", "--basis", "linear:petal_length + onehot:species", "--json", out)
    assert (code, err) == (0, "")
    found = json.loads(out.read_text())["weights"]
    iris = pd.read_csv(IRIS)
    want = sf.LinearBasisModel(sf.Linear("petal_length") + sf.OneHot("species")).fit(iris, "petal_width")
    assert [w["name"] for w in found] == list(want.names)
    assert [w["estimate"] for w in found] == pytest.approx(want.weights, rel=1e-12)


def test_spelled_bases():
    assert spelled.basis("gaussian:0,1:0.5") == sf.Gaussian((0.0, 1.0), 0.5)
    assert spelled.basis("gaussian:9") == sf.Gaussian(9)
    assert spelled.basis("piecewise:1,2:1") == sf.Piecewise([1.0, 2.0], 1)
    assert spelled.basis("bspline:0.5 + linear") == sf.BSpline([0.5]) + sf.Linear()
