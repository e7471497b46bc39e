"""``suffice regress``: what it prints and writes, and what it says of bad input."""

import json
import subprocess
import sys

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
    for word in ("petal_length^2", "Residual deviation", "Condition number", "150 observations"):
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
    assert "Effective parameters" in said
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


def written(tmp_path, *options):
    """What a run writes, and what it says."""
    out = tmp_path / "out.json"
    code, said, err = run(*options, "--json", out)
    assert (code, err) == (0, ""), err
    return json.loads(out.read_text()), said


def estimates(told):
    return [w["estimate"] for w in told["weights"]], [w["standard_error"] for w in told["weights"]]


def agree(told, fit):
    assert [w["name"] for w in told["weights"]] == list(fit.names)
    for got, want in zip(estimates(told), (fit.parameters, fit.standard_errors), strict=True):
        assert got == pytest.approx(want.tolist(), rel=1e-9)
    for name in ("log_likelihood", "aic", "bic"):
        assert told[name] == pytest.approx(float(getattr(fit, name)), rel=1e-10)
    assert (told["converged"], told["count"]) == (fit.converged, fit.count)


@pytest.fixture(scope="module")
def counts(tmp_path_factory):
    """Counts, successes of trials, and marks, in a Parquet file of several row groups."""
    rng = np.random.default_rng(5)
    x, exposure, trials = rng.normal(size=300), rng.uniform(0.5, 3.0, 300), rng.integers(1, 9, 300)
    frame = pd.DataFrame(
        {
            "x": x, "log_exposure": np.log(exposure), "trials": trials, "cases": rng.poisson(exposure * np.exp(0.3 + 0.5 * x)),
            "cured": rng.binomial(trials, 1.0 / (1.0 + np.exp(-x))), "cost": rng.gamma(2.0, np.exp(0.2 * x)),
            "mark": pd.Categorical.from_codes(np.digitize(x + rng.logistic(size=300), [-1.0, 1.0]), ["poor", "fair", "good"]),
        }
    )  # fmt: skip
    path = tmp_path_factory.mktemp("counts") / "counts.parquet"
    frame.to_parquet(path, row_group_size=80)
    return path, frame


def test_families(tmp_path, counts):
    path, frame = counts
    x = frame[["x"]]
    told, said = written(
        tmp_path, path, "-t", "cases", "--inputs", "x", "--family", "poisson", "--offset", "log_exposure"
    )
    agree(told, sf.GeneralizedLinearModel(sf.Poisson).fit(x, frame["cases"], offset=frame["log_exposure"].to_numpy()))
    assert told["link"] == "log"
    for word in ("300 observations", "family poisson", "Ratio", "Deviance", "BIC"):
        assert word in said
    told, said = written(
        tmp_path, path, "-t", "cured", "--inputs", "x", "--family", "binomial", "--trials", "trials", "--link", "probit"
    )
    want = sf.GeneralizedLinearModel(sf.Bernoulli, link="probit").fit(x, frame["cured"], trials=frame["trials"])
    agree(told, want)
    assert told["count"] == frame["trials"].sum()
    assert told["trials"] == "trials"
    assert told["residual_degrees_of_freedom"] == len(frame) - 2
    told, _ = written(tmp_path, path, "-t", "cases", "--inputs", "x", "--family", "negative_binomial(concentration=2)")
    agree(told, sf.GeneralizedLinearModel(sf.family(sf.NegativeBinomial, concentration=2.0)).fit(x, frame["cases"]))
    told, _ = written(tmp_path, path, "-t", "cost", "--inputs", "x", "--family", "gamma", "--basis", "polynomial:2")
    want = sf.GeneralizedLinearModel(sf.Gamma, sf.Polynomial(2)).fit(x, frame["cost"])
    agree(told, want)
    assert told["dispersion"] == pytest.approx(want.dispersion, rel=1e-9)
    told, _ = written(tmp_path, path, "-t", "cost", "--inputs", "x", "--link", "log")
    agree(told, sf.GeneralizedLinearModel(sf.Normal, link="log").fit(x, frame["cost"]))


def test_classes(tmp_path, counts):
    """Text targets; their order is the user's."""
    path, frame = counts
    marks, text = ["poor", "fair", "good"], frame["mark"].astype(str)
    told, said = written(
        tmp_path, path, "-t", "mark", "--inputs", "x", "--family", "ordinal", "--classes", "poor, fair, good"
    )
    agree(told, sf.OrdinalRegression(classes=marks).fit(frame[["x"]], text))
    assert told["classes"] == marks
    assert "<= fair" in said
    told, _ = written(tmp_path, path, "-t", "mark", "--inputs", "x", "--family", "multinomial")
    agree(told, sf.MultinomialRegression().fit(frame[["x"]], text))
    _, said = written(tmp_path, path, "-t", "trials", "--inputs", "x", "--family", "multinomial")
    assert "2: intercept" in said
    told, _ = written(tmp_path, path, "-t", "trials", "--inputs", "x", "--family", "ordinal", "--link", "probit")
    agree(told, sf.OrdinalRegression(link="probit").fit(frame[["x"]], frame["trials"]))
    code, _, err = run(path, "-t", "mark", "--inputs", "x", "--family", "ordinal", "--classes", "poor,good")
    assert code == 1
    assert "targets must be one of poor, good, got fair" in err
    code, _, err = run(path, "-t", "trials", "--inputs", "x", "--family", "ordinal", "--classes", "few,many")
    assert code == 1
    assert "classes must be numbers as the targets are, got few, many" in err


def test_noise_and_sandwich(tmp_path, counts):
    path, frame = counts
    x, t = frame[["x"]], frame["cost"]
    told, said = written(tmp_path, path, "-t", "cost", "--inputs", "x", "--noise", "student_t")
    fit = sf.LinearBasisModel(noise="student_t").fit(x, t)
    agree(told, fit)
    assert [p["name"] for p in told["noise_parameters"]] == ["scale", "df"]
    assert [p["estimate"] for p in told["noise_parameters"]] == pytest.approx(fit.noise_parameters.tolist(), rel=1e-6)
    assert "Noise: scale" in said
    told, _ = written(tmp_path, path, "-t", "cost", "--inputs", "x", "--noise", "student_t:4")
    agree(told, sf.LinearBasisModel(noise=sf.StudentTNoise(4.0)).fit(x, t))
    told, _ = written(tmp_path, path, "-t", "cost", "--inputs", "x", "--noise", "log_variance:polynomial:2")
    agree(told, sf.LinearBasisModel(noise=sf.LogVariance(sf.Polynomial(2))).fit(x, t))
    told, _ = written(tmp_path, path, "-t", "cost", "--inputs", "x", "--covariance", "HC3")
    assert (told["covariance"], told["inputs"]) == ("HC3", ["x"])
    want = sf.LinearBasisModel().fit(x, t, covariance="HC3")
    assert estimates(told)[1] == pytest.approx(want.standard_errors.tolist(), rel=1e-10)


@pytest.mark.parametrize(
    "options",
    [
        ("cases", "--family", "poisson"),
        ("mark", "--family", "ordinal", "--classes", "poor,fair,good"),
        ("mark", "--family", "multinomial"),
        ("cost", "--noise", "student_t"),
        ("cost", "--noise", "log_variance:linear"),
        ("cost", "--prior", "evidence"),
    ],
)
def test_pages(tmp_path, counts, options):
    page = tmp_path / "page.html"
    code, said, err = run(counts[0], "--inputs", "x", "-t", *options, "--report", page)
    assert (code, err) == (0, "")
    assert "wrote" in said
    assert f"Regression of {options[0]}" in page.read_text()


def test_separation_is_told(tmp_path):
    file = tmp_path / "data.csv"
    file.write_text("x,t\n" + "".join(f"{i},{int(i > 4)}\n" for i in range(9)))
    told, said = written(tmp_path, file, "-t", "t", "--family", "bernoulli")
    assert told["converged"] is False
    assert told["message"].startswith("separated")
    assert "Not converged: separated" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--family", "poison"), "family must be one of Bernoulli, Poisson, Gamma, Exponential, InverseGaussian, Normal"),
        (("--family", "binomial"), "--family binomial needs --trials"),
        (("--family", "poisson", "--noise", "student_t"), "noise is not for family poisson, got 'student_t'"),
        (("--family", "poisson", "--covariance", "HC3"), "--covariance is not for this family, noise and prior"),
        (("--family", "ordinal", "--offset", "x"), "--offset is not for this family, noise and prior"),
        (("--noise", "student_t", "--prior", "evidence"), "noise and prior do not go together"),
        (("--noise", "student_t:-1"), "student_t:DF with DF > 0"),
        (("--family", "poisson", "--link", "logit"), "link of Poisson must be one of log, identity"),
        (("--family", "multinomial", "--link", "probit"), "the link of family multinomial is logit"),
        (("--family", "ordinal", "--no-intercept"), "it cannot be left out"),
        (("--family", "negative_binomial"), "NegativeBinomial needs its concentration"),
        (("--classes", "a,b"), "classes is not for family normal"),
        (("--prior", "evidence", "--basis", "none"), "the evidence needs at least one weight with a prior"),
        (("--weights", "cases"), "columns must each be named once, got 'cases' more than once"),
        (("--target", "mark", "--family", "ordinal", "--classes", "poor,good,poor"), "classes must be different, got poor"),
        (("--offset", "x", "--family", "poisson"), "columns must each be named once, got 'x' more than once"),
        (("--target", "mark"), "--target mark holds text: classes are for --family ordinal or multinomial"),
    ],
)  # fmt: skip
def test_what_does_not_go_together(counts, options, message):
    code, _, err = run(counts[0], "-t", "cases", "--inputs", "x", *options)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


def test_products_of_bases():
    product = sf.Linear(["a"]) * sf.OneHot(["town"])
    assert spelled.basis("linear:a * onehot:town + fourier:1:2") == product + sf.Fourier(1, 2.0)
    assert spelled.basis("piecewise:1e+2,2e+2:1*linear") == sf.Piecewise([100.0, 200.0], 1) * sf.Linear()
    assert spelled.basis("none") is None


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_rows_with_missing_values(tmp_path, kind):
    file = tmp_path / f"data.{kind}"
    frame = pd.DataFrame({"a": np.arange(20.0) ** 2, "g": ["u", "v"] * 10, "t": np.arange(20.0)})
    frame.loc[3, "a"], frame.loc[7, "g"] = np.nan, None
    frame.to_csv(file, index=False) if kind == "csv" else frame.to_parquet(file)
    options = (file, "-t", "t", "--basis", "linear:a + onehot:g")
    code, _, err = run(*options)
    assert code == 1
    assert "the first at row 4" in err
    told, said = written(tmp_path, *options, "--missing", "drop")
    assert (told["missing"], told["count"]) == (2, 18)
    assert "2 rows with missing values left out" in said
    want = sf.LinearBasisModel(sf.Linear("a") + sf.OneHot("g")).fit(frame.dropna(), "t")
    assert estimates(told)[0] == pytest.approx(want.weights.tolist(), rel=1e-12)


def test_warnings_are_one_line():
    """Said by the command itself, not with the line of code that warns."""
    code = "from suffice.cli.app import main; main()"
    options = (
        "regress",
        IRIS,
        "-t",
        "petal_width",
        "--inputs",
        "petal_length",
        "--basis",
        "linear+polynomial:2",
        "--quiet",
    )
    done = subprocess.run([sys.executable, "-c", code, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr == "suffice: columns that occur twice were dropped: petal_length\n"
