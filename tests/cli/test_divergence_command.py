"""``suffice divergence``: what it prints, what it writes, what it says of bad input, and with which exit code."""

import json

import pytest
from typer.testing import CliRunner

import suffice as sf
from suffice.cli.app import app

P, Q = {"family": "Normal", "loc": 0, "scale": 1}, {"family": "normal", "loc": 1, "scale": 2}


def written(folder, name, content):
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def run(*arguments):
    result = CliRunner().invoke(app, list(map(str, arguments)))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_what_is_printed_and_written(tmp_path):
    a, b = written(tmp_path, "a.json", P), written(tmp_path, "b.json", Q)
    code, out, err = run("divergence", a, b, "--json", tmp_path / "out.json")
    assert (code, err) == (0, "")
    assert "A: " in out
    assert "Normal(loc=1, scale=2)" in out
    rows = {row["name"]: row for row in json.loads((tmp_path / "out.json").read_text())["divergences"]}
    assert rows["KL(A ‖ B)"]["value"] == float(sf.kl(sf.Normal(0.0, 1.0), sf.Normal(1.0, 2.0)))
    assert rows["KL(A ‖ B)"]["how"] == rows["Wasserstein 2"]["how"] == "closed form"
    assert rows["Wasserstein 2"]["value"] == pytest.approx(2.0**0.5)
    assert rows["Jensen–Shannon"]["how"] == "quadrature"
    assert 0.0 < rows["Jensen–Shannon"]["error"] < 1e-9
    for name in rows:
        assert name in out
    assert run("divergence", a, b, "--quiet")[1] == ""


def test_the_best_fit_of_a_column_is_taken(tmp_path):
    data = written(tmp_path, "data.csv", "x\n" + "\n".join(str(0.3 + 0.1 * i) for i in range(30)) + "\n")
    code, _, err = run("fit", data, "--families", "normal,exponential", "--json", tmp_path / "fit.json", "--quiet")
    assert (code, err) == (0, "")
    best = json.loads((tmp_path / "fit.json").read_text())["columns"][0]["ranking"][0]
    code, out, err = run("divergence", tmp_path / "fit.json", written(tmp_path, "b.json", Q))
    assert (code, err) == (0, "")
    assert best["family"] == "Normal"
    assert f"Normal(loc={best['parameters']['loc']:.6g}" in out


def test_what_has_no_answer_says_so(tmp_path):
    a = written(tmp_path, "a.json", {"family": "Cauchy"})
    code, _, _ = run("divergence", a, written(tmp_path, "b.json", P), "--json", tmp_path / "out.json")
    rows = {row["name"]: row for row in json.loads((tmp_path / "out.json").read_text())["divergences"]}
    assert code == 0
    assert (rows["KL(A ‖ B)"]["value"], rows["KL(A ‖ B)"]["infinite"]) == (None, True)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is no JSON"),
        ("[1]", "must hold a law such as"),
        ({"family": "Nomal"}, "there is no family 'Nomal'"),
        ({"family": "Normal", "scale": -1}, "Normal.scale must be > 0, got -1"),
        ({"family": "Normal", "rate": 1}, "unexpected keyword argument 'rate'"),
        ({"family": "Dirichlet", "concentration": [1, 2]}, "different shapes, () and (2,)"),
    ],
)
def test_bad_input(tmp_path, content, told):
    code, out, err = run("divergence", written(tmp_path, "a.json", P), written(tmp_path, "b.json", content))
    assert (code, out) == (1, "")
    assert told in err
    assert err.count("\n") == 1


def test_a_file_that_is_not_there(tmp_path):
    code, _, err = run("divergence", tmp_path / "no.json", tmp_path / "no.json")
    assert code == 1
    assert "cannot be read: No such file" in err
