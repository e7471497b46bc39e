"""``suffice update``: what it prints and writes, and what it says of bad input."""

import json

import pytest
from typer.testing import CliRunner

import suffice as sf
from suffice.cli.app import app
from suffice.distributions import spelled


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    file = tmp_path_factory.mktemp("files") / "calls.csv"
    file.write_text("calls\n3\n5\n4\n2\n6\n3\n")
    return file


def run(*arguments):
    result = CliRunner().invoke(app, ["update", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_posterior_printed_written_and_drawn(calls, tmp_path):
    out, page = tmp_path / "out.json", tmp_path / "page.html"
    code, said, err = run(calls, "--prior", "Gamma(2, 1)", "--likelihood", "poisson", "--json", out, "--report", page)
    assert (code, err) == (0, "")
    assert "Gamma(concentration=25, rate=7)" in said
    assert "Log evidence: −12.68448723" in said
    told = json.loads(out.read_text())
    assert told["posterior"] == {"family": "gamma", "concentration": 25.0, "rate": 7.0}
    assert told["predictive"]["distribution"].startswith("NegativeBinomial(")
    exact = sf.update(sf.Gamma(2.0, 1.0), sf.Poisson, [3, 5, 4, 2, 6, 3])
    assert told["log_evidence"] == pytest.approx(float(exact.log_evidence), rel=1e-14)
    html = page.read_text()
    assert all(word in html for word in ("prior", "likelihood", "posterior", "What comes next"))
    # the posterior as JSON is a prior again
    again = tmp_path / "prior.json"
    again.write_text(json.dumps(told["posterior"]))
    code, said, _ = run(calls, "--prior", again, "--likelihood", "poisson")
    assert code == 0
    assert "Gamma(concentration=48, rate=13)" in said


@pytest.mark.parametrize(
    ("prior", "likelihood", "said"),
    [
        ("Gamma(2, 1)", "bernoulli", "not conjugate"),
        ("__import__('os').system('x')", "poisson", "expected a family"),
        ("Gamma(2, [1][0])", "poisson", "expected a family"),
        ("Gamma(-2, 1)", "poisson", "must be > 0"),
        ("Gamma(2, shape=1)", "poisson", "shape"),
        ("Gama(2, 1)", "poisson", "no family"),
        ("Gamma(2, 1)", "Normal(2)", "what is held is named"),
        ('{"concentration": 2}', "poisson", "JSON of a distribution names it"),
        ("flat", "poisson", "it has jeffreys"),
    ],
)
def test_bad_input_is_refused_in_one_line(calls, prior, likelihood, said):
    code, out, err = run(calls, "--prior", prior, "--likelihood", likelihood)
    assert (code, out) == (2, "")
    assert err.startswith("suffice: ")
    assert said in err
    assert err.count("\n") == 1


def test_texts_are_distributions():
    assert repr(spelled.distribution("Dirichlet([1, 2.5, 3])")) == repr(sf.Dirichlet([1.0, 2.5, 3.0]))
    assert repr(spelled.distribution("beta(alpha=1, beta=2)")) == repr(sf.Beta(1.0, 2.0))
    assert spelled.family_of("Normal(scale=2)").name == "Normal(scale=2)"
