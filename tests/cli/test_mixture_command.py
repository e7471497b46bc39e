"""``suffice mixture``: what it prints and writes, and what it says of bad input."""

import json

import pytest
from typer.testing import CliRunner

from suffice.cli.app import app

FAITHFUL = "examples/old_faithful.csv"


def run(*arguments):
    result = CliRunner().invoke(app, ["mixture", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_printed_and_written(tmp_path):
    out, page = tmp_path / "out.json", tmp_path / "page.html"
    code, said, err = run(FAITHFUL, "--components", "1:3", "--starts", "4", "--json", out, "--report", page)
    assert (code, err) == (0, "")
    for word in ("272 observations of waiting", "component 1", "54.61 ± 0.70", "2 components of Normal"):
        assert word in said
    told = json.loads(out.read_text())
    assert (told["components"], told["criterion"], told["converged"]) == (2, "bic", True)
    assert told["log_likelihood"] == pytest.approx(-1034.00174983, rel=1e-10)
    assert told["standard_errors"]["components[0].loc"] == pytest.approx(0.699674979, rel=1e-7)
    assert len(told["tried"]) == 3
    html = page.read_text()
    for word in ("Components over the data", "Responsibilities", "BIC by size", "Mixtures tried"):
        assert word in html


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("-k", "0"), 2, "--components must be numbers >= 1"),
        (("-k", "two"), 2, "--components must be numbers >= 1"),
        (("-k", "2", "--family", "norml"), 2, "norml"),
        (("-k", "2", "--covariance", "round"), 2, "covariance must be one of"),
        (("-k", "2", "--columns", "eruptions"), 1, "no column 'eruptions'"),
        (("-k", "2", "--family", "normal,gamma"), 2, "one for each of the 1 columns"),
        (("-k", "2", "--family", "uniform"), 2, "its support is estimated"),
    ],
)
def test_bad_input(options, code, message):
    found, _, err = run(FAITHFUL, *options)
    assert found == code
    assert message in err
    assert err.count("\n") == 1
