"""``suffice perplexity`` and ``suffice generate``: what they print and write, and what they say of bad input."""

import json

import pytest
from typer.testing import CliRunner

import suffice as sf
from suffice.cli.app import app

TRAIN, TEST = "examples/alice_train.txt", "examples/alice_test.txt"


def run(command, *arguments):
    result = CliRunner().invoke(app, [command, *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_perplexity_printed_and_written(tmp_path):
    out, arpa = tmp_path / "out.json", tmp_path / "model.arpa"
    code, said, err = run(
        "perplexity", "--train", TRAIN, "--test", TEST, "--order", 2, "--smoothing", "additive:0.1", "--json", out,
        "--arpa", arpa,
    )  # fmt: skip
    assert (code, err) == (0, "")
    for word in ("Perplexity", "Bits per byte", "5302 tokens", "174 lines", "347 unknown", "Additive(amount=0.1)"):
        assert word in said
    told = json.loads(out.read_text())
    score = sf.ngram(TRAIN, 2, sf.Additive(0.1)).score(TEST)
    assert told["perplexity"] == pytest.approx(float(score.perplexity), rel=1e-14)
    assert told["perplexity_standard_error"] == pytest.approx(float(score.perplexity.standard_error), rel=1e-12)
    code, said, _ = run("perplexity", "--model", arpa, "--test", TEST, "--json", out, "-q")
    assert (code, said) == (0, "")
    assert json.loads(out.read_text())["log_probability"] == pytest.approx(told["log_probability"], rel=1e-12)


def test_pruned(tmp_path):
    out, arpa = tmp_path / "out.json", tmp_path / "model.arpa"
    code, said, err = run(
        "perplexity", "--train", TRAIN, "--test", TEST, "--prune", 3e-5, "--json", out, "--arpa", arpa
    )  # fmt: skip
    assert (code, err) == (0, "")
    model = sf.ngram(TRAIN).pruned(3e-5)
    told = json.loads(out.read_text())
    assert told["prune"] == 3e-5
    assert told["ngrams"] == [len(level) for level in model.ngrams.levels]
    assert f"{sum(told['ngrams'])} n-grams after pruning" in said
    assert told["perplexity"] == pytest.approx(float(model.score(TEST).perplexity), rel=1e-14)
    assert arpa.read_text().count("\n") < 10_000
    assert run("perplexity", "--train", TRAIN, "--test", TEST, "--prune", -1)[0] == 2


def test_generate():
    code, said, err = run("generate", "--train", TRAIN, "--prompt", "the queen", "--top-p", 0.9, "--lines", 3)
    assert (code, err) == (0, "")
    assert len(said.splitlines()) == 3
    assert all(line.startswith("the queen") for line in said.splitlines())
    assert run("generate", "--train", TRAIN, "--prompt", "the queen", "--top-p", 0.9, "--lines", 3)[1] == said
    code, said, _ = run(
        "generate", "--train", TRAIN, "--order", 4, "--unit", "char", "--beams", 2, "--lines", 2, "--length", 9
    )
    assert code == 0
    assert all(0 < len(line) <= 9 for line in said.splitlines())


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("perplexity", "--test", TEST), 2, "give either --train, a text, or --model"),
        (("perplexity", "--test", TEST, "--train", "none.txt"), 1, "none.txt cannot be read: No such file"),
        (("perplexity", "--test", "none.txt", "--train", TRAIN), 1, "none.txt cannot be read: No such file"),
        (("perplexity", "--test", TEST, "--train", TRAIN, "--smoothing", "best"), 2, "must be one of mle"),
        (("perplexity", "--test", TEST, "--train", TRAIN, "--smoothing", "additive:x"), 2, "additive:0.5"),
        (("perplexity", "--test", TEST, "--train", TRAIN, "--smoothing", "katz:1"), 2, "katz takes no number"),
        (("perplexity", "--test", TEST, "--model", TRAIN), 1, "is no whole ARPA file"),
        (("perplexity", "--test", TEST, "--train", TRAIN, "--arpa", TEST), 2, "it is the file to be read"),
        (("generate", "--train", TRAIN, "--prompt", "zzz"), 2, "the model does not know 'zzz'"),
        (("perplexity", "--test", TEST, "--model", TEST, "--order", 3), 2, "--order is for --train"),
        (("generate", "--model", TEST, "--smoothing", "katz"), 2, "--smoothing is for --train"),
        (("generate", "--train", TRAIN, "--beams", 2, "--top-p", 0.5), 2, "--top-p is for lines that are drawn"),
        (("generate", "--train", TRAIN, "--beams", 2, "--rng", 0), 2, "--rng is for lines that are drawn"),
        (("generate", "--train", TRAIN, "--prompt", "<s> the"), 2, "<s> is kept for the ends of lines"),
        (("generate", "--train", TRAIN, "--top-p", 2.0), 2, "TopP.p must be in (0, 1], got 2"),
    ],
)
def test_bad_input(arguments, code, message):
    got, _, err = run(*arguments)
    assert got == code
    assert message in err
    assert err.count("\n") == 1
