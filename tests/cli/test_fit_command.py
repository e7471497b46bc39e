"""``suffice fit``: what it prints, what it writes, what it says of bad input, and with which exit code."""

import errno
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

import suffice as sf
from suffice.cli.app import app, main

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
RNG = np.random.default_rng(60)
LOSS = RNG.gamma(3.0, 2.0, size=300)
FEW = ("--families", "gamma,normal,exponential")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    frame = pd.DataFrame({"loss": LOSS, "times": np.arange(300) % 3, "name": "a"})
    frame.to_csv(folder / "loss.csv", index=False)
    frame.to_csv(folder / "loss.tsv", index=False, sep="\t")
    (folder / "loss.csv.gz").write_bytes(gzip.compress((folder / "loss.csv").read_bytes()))
    pyarrow.parquet.write_table(pa.Table.from_pandas(frame), folder / "loss.parquet")
    pyarrow.feather.write_feather(pa.Table.from_pandas(frame), folder / "loss.arrow")
    return folder


def run(*arguments):
    """In this process; the exit code, what was printed, and what was said on stderr."""
    result = CliRunner().invoke(app, ["fit", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def refused(*arguments, code=1):
    """The one line on stderr of a call that must fail, and print nothing."""
    found, out, err = run(*arguments)
    assert found == code
    assert out == ""
    assert err.startswith("suffice: ")
    assert err.count("\n") == 1
    return err


def strict(path):
    """JSON as its standard has it: no NaN, no Infinity."""

    def never(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(path.read_text(), parse_constant=never)


# -- a new process, as a user starts it ---------------------------------------------------------------------------------


def process(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-c", "from suffice.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "120"},
        check=False,
    )


def test_a_process_that_succeeds(files, tmp_path):
    done = process("fit", files / "loss.csv", "--column", "loss", *FEW, "--json", "out.json", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith("loss: 300 observations from ")
    assert any(line.startswith(("1  Gamma", "Gamma")) for line in lines)
    assert strict(tmp_path / "out.json")["columns"][0]["ranking"][0]["family"] == "Gamma"
    assert os.listdir(tmp_path) == ["out.json"]


def test_a_process_that_fails(files, tmp_path):
    """Exit code 1, one line on stderr, no traceback, no file."""
    (tmp_path / "bad.csv").write_text("x\n1.5\noops\n")
    failed = process("fit", "bad.csv", "--json", "out.json", cwd=tmp_path)
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert failed.stderr == "suffice: bad.csv: column 'x' has 'oops' at row 2 (counting from 1), not a number\n"
    assert not (tmp_path / "out.json").exists()


def test_a_process_called_wrongly(files):
    for arguments in (("--criterion", "likelihood"), ("--nonsense",), ("--rng", "dice")):
        wrong = process("fit", files / "loss.csv", *arguments)
        assert wrong.returncode == 2
        assert wrong.stdout == ""
        assert "Error" in wrong.stderr
        assert "Traceback" not in wrong.stderr


def test_help_and_version_start_no_engine():
    """Neither JAX nor PyArrow is imported, which is what makes them instant."""
    code = (
        "import sys\nfrom suffice.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "assert not {'jax', 'pyarrow', 'altair'} & set(sys.modules)"
    )
    for arguments, text in ((["--help"], "fit"), (["fit", "--help"], "--column"), (["--version"], sf.__version__)):
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert text in done.stdout


# -- what it does -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["loss.csv", "loss.tsv", "loss.csv.gz", "loss.parquet", "loss.arrow"])
def test_every_kind_of_file(files, tmp_path, name):
    code, _, err = run(files / name, "-c", "loss", "--families", "gamma", "-q", "--json", tmp_path / "out.json")
    assert (code, err) == (0, "")
    (column,) = strict(tmp_path / "out.json")["columns"]
    expected = sf.fit(sf.Gamma, LOSS)
    assert column["ranking"][0]["parameters"] == pytest.approx(expected.parameters, rel=1e-12)


def test_the_json_is_the_ranking(files, tmp_path):
    """Every number of the API, in full precision; null where there is none."""
    families = "gamma,pareto,beta"
    code, out, _ = run(files / "loss.csv", "-c", "loss", "--families", families, "--json", tmp_path / "out.json")
    assert code == 0
    told = strict(tmp_path / "out.json")
    assert told["file"] == str(files / "loss.csv")
    (column,) = told["columns"]
    ranking = sf.rank(LOSS, [sf.Gamma, sf.Pareto, sf.Beta])
    assert (column["column"], column["criterion"], column["rounding"], column["passes"]) == ("loss", "aic", False, 1)
    assert column["summary"]["count"] == 300
    assert column["summary"]["mean"] == pytest.approx(LOSS.mean(), rel=1e-14)
    assert [row["family"] for row in column["ranking"]] == ["Gamma", "Pareto"]
    gamma, pareto = column["ranking"]
    fit = ranking.best
    assert gamma["parameters"] == pytest.approx(fit.parameters, rel=1e-13)
    assert gamma["standard_errors"] == pytest.approx(fit.standard_errors, rel=1e-13)
    for name in ("log_likelihood", "aic", "aicc", "bic"):
        assert gamma[name] == pytest.approx(float(getattr(fit, name)), rel=1e-13)
    assert gamma["converged"] is gamma["regular"] is True
    assert pareto["standard_errors"] == {"concentration": None, "scale": None}
    assert pareto["regular"] is False
    assert column["impossible"][0]["name"] == "Beta"
    assert column["goodness_of_fit"] == []
    assert "Pareto" in out
    assert "support estimated from the data" in out
    assert "Beta is impossible: Beta needs values in (0, 1)" in out


def test_quiet(files, tmp_path):
    assert run(files / "loss.csv", "-c", "loss", *FEW, "--quiet") == (0, "", "")


def test_several_columns(files, tmp_path):
    code, out, _ = run(files / "loss.csv", "-c", "loss", "-c", "times", *FEW, "--json", tmp_path / "out.json")
    assert code == 0
    assert [column["column"] for column in strict(tmp_path / "out.json")["columns"]] == ["loss", "times"]
    assert "Integers: continuous families are fitted to and scored by the probability of x ± ½." in out


def test_the_only_numeric_column_needs_no_name(tmp_path):
    pd.DataFrame({"who": ["a", "b", "c"], "x": [1.5, 2.0, 7.0]}).to_csv(tmp_path / "x.csv", index=False)
    code, out, _ = run(tmp_path / "x.csv", "--families", "exponential")
    assert code == 0
    assert out.startswith("x: 3 observations from 1.5 to 7, mean 3.5")


def test_options_reach_the_ranking(files, tmp_path):
    def result(*arguments):
        assert run(files / "loss.csv", "-c", "loss", *FEW, "-q", "--json", tmp_path / "o.json", *arguments)[0] == 0
        return strict(tmp_path / "o.json")["columns"][0]

    assert result("--weights", "times")["summary"]["count"] == 300
    weighted = sf.fit(sf.Gamma, LOSS, weights=np.arange(300) % 3)
    assert result("--weights", "times")["ranking"][0]["parameters"] == pytest.approx(weighted.parameters, rel=1e-12)
    assert result("--criterion", "bic")["criterion"] == "bic"
    code, *_ = run(files / "loss.csv", "-c", "times", "--kind", "discrete", "-q", "--json", tmp_path / "o.json")
    assert code == 0
    found = strict(tmp_path / "o.json")["columns"][0]
    assert {row["family"] for row in found["ranking"]} == {"Poisson", "Geometric", "NegativeBinomial"}
    assert [i["name"] for i in found["impossible"]] == ["Bernoulli"]
    code, *_ = run(files / "loss.csv", "-c", "times", "--kind", "continuous", *FEW, "-q", "--json", tmp_path / "o.json")
    assert strict(tmp_path / "o.json")["columns"][0]["rounding"] is False


def test_goodness_of_fit_follows_the_seed(files, tmp_path):
    def tests(*arguments):
        code, out, _ = run(
            files / "loss.csv", "-c", "loss", "--families", "normal", "--gof", "--json", tmp_path / "o.json", *arguments
        )
        assert code == 0
        assert "Test of fit of Normal: anderson-darling" in out
        return strict(tmp_path / "o.json")["columns"][0]["goodness_of_fit"]

    (first,) = tests()
    assert first["replicates"] == 999
    assert first["p_value"] < 0.05
    assert tests("--rng", "0") == [first]
    (other,) = tests("--rng", "1")
    assert other["statistic"] == first["statistic"]


def test_an_infinite_statistic_is_told_in_words(tmp_path):
    pd.DataFrame({"x": np.append(LOSS, np.zeros(9))}).to_csv(tmp_path / "x.csv", index=False)
    settings = ("--families", "exponential", "--gof", "--report", tmp_path / "page.html", "--json", tmp_path / "o.json")
    code, out, _ = run(tmp_path / "x.csv", *settings)
    assert code == 0
    assert "anderson-darling, statistic infinite as values lie where it has no probability, p = 0.001" in out
    assert "values lie where Exponential has no probability" in (tmp_path / "page.html").read_text()
    (test,) = strict(tmp_path / "o.json")["columns"][0]["goodness_of_fit"]
    assert (test["statistic"], test["p_value"], test["reason"]) == (None, 0.001, "")


def test_missing_values_are_dropped_on_request(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("x\n1.5\n\n2.5\nNA\n4.5\n")
    err = refused(path, *FEW)
    assert "missing value" in err
    assert "(counting from 1)" in err
    code, out, _ = run(path, *FEW, "--missing", "drop")
    assert code == 0
    assert "x: 3 observations from 1.5 to 4.5" in out
    assert "missing value" in out


def test_names_of_columns_are_only_text(tmp_path):
    """Neither markup nor a path: brackets and colons are printed, a slash makes no folder, and no page is lost."""
    names = ["speed [/s]", "a/b", "a:b", ":smile:"]
    pd.DataFrame(dict.fromkeys(names, LOSS[:50])).to_csv(tmp_path / "x.csv", index=False)
    columns = [part for name in names for part in ("-c", name)]
    arguments = ("--families", "exponential", "--report", tmp_path / "page.html", "--json", tmp_path / "out.json")
    code, out, err = run(tmp_path / "x.csv", *columns, *arguments)
    assert (code, err) == (0, "")
    for name in names:
        assert f"{name}: 50 observations" in out
    pages = [f"page-{stem}.html" for stem in ("speed __s_", "a_b", "a_b-2", "_smile_")]
    assert sorted(os.listdir(tmp_path)) == sorted(["x.csv", "out.json", *pages])
    assert [column["column"] for column in strict(tmp_path / "out.json")["columns"]] == names


def test_counts_are_written_whole(tmp_path):
    (tmp_path / "x.csv").write_text("x,w\n1.5,1234560\n2.5,3\n,1\n1234567,4\n")
    code, out, _ = run(tmp_path / "x.csv", "-c", "x", "--weights", "w", "--missing", "drop", "--families", "normal")
    assert code == 0
    assert out.startswith("x: 1,234,567 observations from 1.5 to 1,234,567, mean ")
    assert "\n1 missing value left out\n" in out


def test_weights_that_are_no_frequencies_are_ranked_but_not_tested(files, tmp_path):
    frame = pd.DataFrame({"x": LOSS, "w": 0.5 + np.arange(300) % 2})
    frame.to_csv(tmp_path / "w.csv", index=False)
    path = tmp_path / "page.html"
    code, out, _ = run(tmp_path / "w.csv", "-c", "x", "--weights", "w", *FEW, "--gof", "--report", path)
    assert code == 0
    assert "1  Gamma" in out
    assert "The fit of Gamma was not tested: the weights are not frequencies" in out
    assert "Its fit was not tested: the weights are not frequencies" in path.read_text()


def test_families_may_be_listed_with_blanks_and_twice(files, tmp_path):
    code, *_ = run(
        files / "loss.csv", "-c", "loss", "--families", " gamma, Normal ,normal,", "-q", "--json", tmp_path / "o.json"
    )
    assert code == 0
    (column,) = strict(tmp_path / "o.json")["columns"]
    assert [row["family"] for row in column["ranking"]] == ["Gamma", "Normal"]
    assert sum(row["weight"] for row in column["ranking"]) == pytest.approx(1.0, rel=1e-12)


def test_a_link_is_followed(files, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "out.json")
    assert run(files / "loss.csv", "-c", "loss", *FEW, "-q", "--json", tmp_path / "link")[0] == 0
    assert (tmp_path / "link").is_symlink()
    assert strict(tmp_path / "out.json")["columns"]


def test_examples_are_fitted(tmp_path):
    code, out, _ = run(EXAMPLES / "danish_fire.csv", "--column", "loss", "--families", "lognormal,gamma")
    assert code == 0
    assert out.index("LogNormal") < out.index("Gamma")


def test_timing(files):
    code, out, _ = run(files / "loss.csv", "-c", "loss", *FEW, "--timing")
    assert code == 0
    assert "import " in out
    assert "compile " in out


# -- bad input ----------------------------------------------------------------------------------------------------------

BAD_FILES = {
    "empty.csv": ("", "is an empty file"),
    "header.csv": ("x\n", "has no rows"),
    "text.csv": ("x\n1.5\n2.5\nthree\n", "column 'x' has 'three' at row 3 (counting from 1), not a number"),
    "twice.csv": ("x,x\n1,2\n", "x"),
    "torn.csv": ("x,y\n1,2\n3\n", "row 2 (counting from 1) has 1 field, the header 2"),
    "infinite.csv": ("x\n1.5\ninf\n", "has 1 infinite value, the first at row 2 (counting from 1): inf"),
    "nan.csv": ("x\n1.5\nnan\n", "has 1 missing value, the first at row 2 (counting from 1)"),
    "comma.csv": ('x\n"1,5"\n"2,5"\n', "a decimal comma?"),
    "either.csv": ('x\n"1,234"\n', "a comma between thousands or a decimal comma?"),
    "thousands.csv": ('x\n"1,234,567.5"\n', "a comma between thousands?"),
    "unknown.xlsx": ("x\n", "the file's kind is not known by its ending"),
    "broken.parquet": ("not parquet", "cannot be read"),
    "broken.csv.gz": ("not gzip", "cannot be read"),
    "constant.csv": ("x\n1.5\n1.5\n", "no family can be fitted"),
    "one.csv": ("x\n1.5\n", "no family can be fitted"),
    "outside.csv": ("x\n-1.5\n0.25\n", "no family can be fitted"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files(tmp_path, name):
    text, message = BAD_FILES[name]
    path = tmp_path / name
    path.write_text(text)
    family = "gamma" if name == "outside.csv" else "normal"
    err = refused(path, "--families", family, "--column", "x", "--json", tmp_path / "out.json")
    assert message in err
    assert "Traceback" not in err
    assert os.listdir(tmp_path) == [name]


def test_bad_columns_and_weights(files, tmp_path):
    assert "does not exist" in refused(tmp_path / "nothing.csv")
    assert "is a directory" in refused(tmp_path)
    assert "has more than one numeric column; name one of 'loss' (double), 'times' (int64)" in refused(
        files / "loss.csv"
    )
    assert "has no column 'lost'; did you mean 'loss'?" in refused(files / "loss.csv", "-c", "lost")
    assert "has no column 'w'" in refused(files / "loss.csv", "-c", "loss", "--weights", "w")
    assert "cannot be its own weights" in refused(files / "loss.csv", "-c", "loss", "--weights", "loss")
    assert "column 'name' has 'a' at row 1" in refused(files / "loss.csv", "-c", "name")
    assert "column 'name' holds" in refused(files / "loss.parquet", "-c", "name")
    (tmp_path / "w.csv").write_text("x,w\n1.5,1\n2.5,-1\n")
    message = refused(tmp_path / "w.csv", "-c", "x", "--weights", "w", "--families", "normal")
    assert "weights must be finite and >= 0, got -1 at row 2 (counting from 1)" in message


def test_wrong_usage(files, tmp_path):
    """Exit code 2, before anything is read: unknown families, folders that do not exist."""
    err = refused(tmp_path / "nothing.csv", "--families", "gamma,nrmal", code=2)
    assert "there is no family 'nrmal'; families: normal, lognormal" in err
    err = refused(files / "loss.csv", "-c", "loss", "--families", "binomial", code=2)
    assert "total_count is not estimated and must be given" in err
    for nothing in ("", " , "):
        assert "names no family" in refused(files / "loss.csv", "--families", nothing, code=2)
    err = refused(files / "loss.csv", "-c", "loss", "--families", "poisson,gamma", "--kind", "discrete", code=2)
    assert "Gamma is not discrete" in err
    same = ("--json", tmp_path / "out", "--report", tmp_path / "." / "out")
    assert "is written already by another option" in refused(files / "loss.csv", "-c", "loss", *same, code=2)
    assert "is the file to be read" in refused(files / "loss.csv", "-c", "loss", "--json", files / "loss.csv", code=2)
    for option in ("--json", "--report"):
        err = refused(files / "loss.csv", "-c", "loss", option, tmp_path / "no" / "out", code=2)
        assert "does not exist" in err
        err = refused(files / "loss.csv", "-c", "loss", option, tmp_path, code=2)
        assert "is a folder, not a file" in err


def test_what_was_there_stays_when_a_later_column_fails(files, tmp_path):
    """JSON is written whole or not at all: the old file is kept to the letter."""
    path = tmp_path / "out.json"
    path.write_text("old")
    code, _, err = run(files / "loss.csv", "-c", "loss", "-c", "name", *FEW, "-q", "--json", path)
    assert code == 1
    assert "column 'name'" in err
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["out.json"]


def test_a_full_disk(files, tmp_path, monkeypatch):
    """One line, exit code 1, the old file as it was and nothing else left behind."""

    def full(source, target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), source, None, target)

    path = tmp_path / "out.json"
    path.write_text("old")
    monkeypatch.setattr(os, "replace", full)
    err = refused(files / "loss.csv", "-c", "loss", *FEW, "-q", "--json", path)
    assert err == f"suffice: {path} cannot be written: No space left on device\n"
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["out.json"]


def test_a_name_that_is_too_long(files, tmp_path):
    """Reading is not told as writing."""
    name = "x" * 300 + ".csv"
    assert "cannot be read: File name too long" in refused(tmp_path / name)
    err = refused(files / "loss.csv", "-c", "loss", *FEW, "-q", "--json", tmp_path / name)
    assert "cannot be written: File name too long" in err


def test_an_interrupt_ends_cleanly(files, monkeypatch, capsys):
    """Exit code 130, as shells have it, and no traceback."""

    def interrupted(request):
        raise KeyboardInterrupt

    monkeypatch.setattr("suffice.cli.fit.run", interrupted)
    monkeypatch.setattr(sys, "argv", ["suffice", "fit", str(files / "loss.csv")])
    monkeypatch.setattr(os, "environ", dict(os.environ))
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 130
    assert "Traceback" not in capsys.readouterr().err


def test_censored_columns(tmp_path):
    out = tmp_path / "out.json"
    code, text, _ = run(
        EXAMPLES / "salinity.csv", "--left", "left", "--right", "right", "--families", "lognormal,weibull",
        "--interval", "profile", "--json", out,
    )  # fmt: skip
    assert code == 0
    assert "19 exact, 60 right-censored, 29 interval-censored" in text
    assert "95 % confidence intervals by profile:" in text
    (column,) = strict(out)["columns"]
    low, high = column["intervals"]["families"]["LogNormal"]["loc"]
    assert low < 3.38537 < high
    np.testing.assert_allclose(column["ranking"][0]["parameters"]["loc"], 3.385370990409, rtol=1e-9)


def test_truncation_and_counts(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("value,n\n1.5,3\n2.5,4\n4.5,2\n")
    code, text, _ = run(path, "--column", "value", "--counts", "n", "--lower", "1", "--families", "exponential")
    assert code == 0
    assert "9 exact, 9 truncated" in text  # above 1 an exponential is one again: its rate is 9/Σ (x − 1)
    assert "rate 0.62 ± 0.21" in text
    path.write_text("value,n\n1.5,3\n2.5,4.5\n")
    assert "counts must be whole numbers >= 0, got 4.5 at row 2" in refused(path, "--column", "value", "--counts", "n")


def test_groups_of_a_column(files):
    code, text, _ = run(files / "loss.csv", "--column", "loss", "--by", "times", "--families", "gamma")
    assert code == 0
    assert "Gamma in 3 groups" in text
    assert "do they differ? likelihood ratio" in text
    assert "no column 'time'" in refused(files / "loss.csv", "-c", "loss", "--by", "time", "--families", "gamma")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--column", "loss", "--left", "loss"), "give one or the other"),
        (("--column", "loss", "--weights", "times", "--counts", "times"), "both give frequencies"),
        (("--column", "loss", "--level", "95"), "--level must be between 0 and 1, got 95"),
        (("--lower", "0"), "--lower and --upper need the --column"),
        (
            ("--column", "loss", "--families", "gamma", "--interval", "exact"),
            "none of the best three families has an exact",
        ),
    ],
)
def test_options_that_do_not_go_together(files, options, message):
    assert message in refused(files / "loss.csv", *options, code=2)
