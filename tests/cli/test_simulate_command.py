"""``suffice simulate``: the study it prints and writes is that of ``sf.simulate``, and wrong usage is one line."""

import json
import re

import pytest
from typer.testing import CliRunner

import suffice as sf
from suffice.cli.app import app


def run(*arguments):
    """In this process; the exit code, what was printed, and what was said on stderr."""
    result = CliRunner().invoke(app, ["simulate", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_what_is_printed_and_written(tmp_path):
    place = tmp_path / "out.json"
    asked = "--sizes", "10,20", "--replicates", "200", "--interval", "wald,wald-natural", "--rng", 3, "--json", place
    code, out, err = run("exponential", "rate=2", *asked)
    assert (code, err) == (0, "")
    study = sf.simulate(
        sf.Exponential, sf.Exponential(2.0), sizes=(10, 20), replicates=200, rng=3, intervals=["wald", "wald-natural"]
    )
    told = json.loads(place.read_text())
    assert told["truth"] == {"rate": 2.0}
    assert [r["bias"] for r in told["estimates"]] == pytest.approx([r["bias"] for r in study.table])
    assert [r["coverage"] for r in told["coverage"]] == [r["coverage"] for r in study.coverage]
    assert "200 samples of each size from Exponential(rate=2)" in out
    assert re.search(r"^10  rate +[\d.−]+ ± [\d.]+ +[\d.]+ ± [\d.]+ +[\d.]+ ± [\d.]+ *$", out, re.MULTILINE)
    assert re.search(r"^20  rate +wald-natural +[\d.]+[ *] +[\d.]+ +0\.0000 *$", out, re.MULTILINE)
    assert run("exponential", "rate=2", *asked, "--quiet") == (0, "", "")


def test_what_is_known_is_not_estimated():
    code, out, _ = run("normal", "loc=1", "scale=2", "--hold", "loc", "--sizes", "10", "--replicates", "50")
    assert code == 0
    assert "10  scale" in out
    assert "10  loc" not in out
    code, out, _ = run("binomial", "total_count=10", "probs=0.3", "--sizes", "10", "--replicates", "50")
    assert code == 0
    assert "10  probs" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gama", "rate=1"), "there is no family 'gama'"),
        (("gamma", "rate"), "parameters are written NAME=NUMBER, got 'rate'"),
        (("gamma", "rate=1", "shape=2"), "Gamma takes concentration, rate, got rate, shape"),
        (("gamma", "rate=1"), "missing a required argument: 'concentration'"),
        (("exponential", "rate=-1"), "rate must be > 0, got -1"),
        (("exponential", "rate=1", "--sizes", "10,x"), "--sizes must be whole numbers separated by commas, got '10,x'"),
        (("exponential", "rate=1", "--sizes", "0"), "--sizes must be at least 1, got 0"),
        (("exponential", "rate=1", "--level", "1"), "--level must be between 0 and 1, got 1"),
        (("exponential", "rate=1", "--interval", "guess"), "intervals must be among"),
        (("exponential", "rate=1", "--hold", "loc"), "--hold loc: the value of loc is not given"),
        (("exponential", "rate=1", "--json", "/nowhere/a.json"), "the folder of /nowhere/a.json does not exist"),
    ],
)
def test_wrong_usage(arguments, message):
    code, out, err = run(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
