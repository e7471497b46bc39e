"""``suffice compare``: what it prints, what it writes, what it says of bad input, and with which exit code."""

import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner

import suffice as sf
from suffice.cli.app import app

RNG = np.random.default_rng(61)
A, B = RNG.gamma(3.0, 2.0, size=60), RNG.gamma(3.0, 3.0, size=50)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    for name, values in (("a", A), ("b", B)):
        lines = [f"{v!r},{i}" for i, v in enumerate(values.tolist())]
        (folder / f"{name}.csv").write_text("\n".join(["loss,row", *lines]) + "\n")
    return folder


def run(*arguments):
    """In this process; the exit code, what was printed, and what was said on stderr."""
    result = CliRunner().invoke(app, ["compare", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def refused(*arguments, code=1):
    """The one line on stderr of a call that must fail, and print nothing."""
    found, out, err = run(*arguments)
    assert (found, out) == (code, "")
    assert err.startswith("suffice: ")
    assert err.count("\n") == 1
    return err


def test_what_is_printed_and_written(files, tmp_path):
    both = files / "a.csv", files / "b.csv"
    code, out, err = run(*both, "--column", "loss", "--family", "gamma", "--json", tmp_path / "out.json")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert re.match(r"A: .*a\.csv: 60 observations from [\d.]+ to [\d.]+, mean [\d.]+, standard deviation", lines[0])
    assert lines[1].startswith("B: ")
    assert re.search(r"^kolmogorov-smirnov +[\d.]+ +[\d.e-]+ +exact *$", out, re.MULTILINE)
    assert re.search(r"^energy +[\d.]+ +[\d.]+ +999 permutations *$", out, re.MULTILINE)
    assert re.search(r"^Gamma +concentration +rate *$", out, re.MULTILINE)
    assert re.search(r"^both +[\d.]+ ± [\d.]+ +[\d.]+ ± [\d.]+ *$", out, re.MULTILINE)
    assert re.search(r"^Same parameters\? Likelihood ratio [\d.]+, 2 df, p = [\d.e-]+\.$", out, re.MULTILINE)

    told = json.loads((tmp_path / "out.json").read_text())
    assert [t["test"] for t in told["tests"]] == [
        "kolmogorov-smirnov",
        "anderson-darling",
        "cramer-von-mises",
        "energy",
    ]
    assert told["tests"][0]["p_value"] == sf.two_sample(A, B).p_value
    assert told["tests"][3]["p_value"] == sf.two_sample(A, B, "energy").p_value
    groups = sf.fit(sf.Gamma, np.concatenate([A, B]), by=np.repeat([0, 1], [60, 50]))
    assert told["family"]["test"]["p_value"] == pytest.approx(groups.test.p_value, rel=1e-9)
    assert told["family"]["fits"]["A"]["parameters"] == pytest.approx(groups[0].parameters)
    assert told["samples"][1]["mean"] == pytest.approx(B.mean())


def test_without_a_family_and_quietly(files, tmp_path):
    both = files / "a.csv", files / "b.csv"
    code, out, _ = run(*both, "-c", "loss", "--replicates", "19")
    assert code == 0
    assert "Same parameters" not in out
    assert "19 permutations" in out
    assert run(*both, "-c", "loss", "--quiet", "--json", tmp_path / "out.json") == (0, "", "")
    assert "family" not in json.loads((tmp_path / "out.json").read_text())


def test_a_support_that_is_estimated(files):
    code, out, _ = run(files / "a.csv", files / "b.csv", "-c", "loss", "--family", "uniform", "--replicates", "19")
    assert code == 0
    assert out.endswith("No likelihood-ratio test: the support is estimated.\n")


def test_what_is_refused(files, tmp_path):
    both = files / "a.csv", files / "b.csv"
    assert "there is no family 'gamme'" in refused(*both, "--family", "gamme", code=2)
    assert "distribution of vectors" in refused(*both, "--family", "multivariatenormal", code=2)
    assert "does not exist" in refused(files / "a.csv", files / "c.csv", "-c", "loss")
    assert "los" in refused(*both, "-c", "los")
    assert "is the file to be read" in refused(*both, "--json", files / "b.csv", code=2)
    assert "is a folder" in refused(*both, "--json", tmp_path, code=2)
    assert "does not exist" in refused(*both, "--json", tmp_path / "no" / "x.json", code=2)
    (tmp_path / "bad.csv").write_text("loss\n1.5\n\n2.5\nNaN\n")
    (tmp_path / "one.csv").write_text("loss\n1.5\n")
    assert "group B: Gamma" in refused(files / "a.csv", tmp_path / "one.csv", "-c", "loss", "--family", "gamma")
    assert "missing" in refused(files / "a.csv", tmp_path / "bad.csv", "-c", "loss")
    assert run(files / "a.csv", tmp_path / "bad.csv", "-c", "loss", "--missing", "drop", "-q")[0] == 0
