"""``suffice sample``."""

import json
from pathlib import Path

import pytest

from suffice.cli.app import app

EXAMPLE = Path(__file__).parents[2] / "examples" / "eight_schools.py"
MODEL = f"{EXAMPLE}:log_density"


def run(capsys, *arguments):
    code = 0
    try:
        app(["sample", *map(str, arguments)], standalone_mode=False)
    except SystemExit as stopped:
        code = stopped.code
    out = capsys.readouterr()
    return code, out.out, out.err


def test_from_a_model_to_a_page(capsys, tmp_path):
    store, page, told = tmp_path / "run.zarr", tmp_path / "page.html", tmp_path / "told.json"
    code, out, err = run(
        capsys, MODEL, "--out", store, "--report", page, "--json", told, "--draws", 300, "--warmup", 300
    )
    assert (code, err) == (0, "")
    assert "tau" in out
    assert "4 chains of 300 draws each" in out
    found = json.loads(told.read_text())
    assert [p["name"] for p in found["parameters"]][:3] == ["mu", "tau", "z[0]"]
    assert found["parameters"][0]["mean"] == pytest.approx(4.4, abs=1.0)
    html = page.read_text()
    assert "tau: ranks" in html
    assert "http://" not in html.split("<script", 1)[0]
    code, _, err = run(capsys, MODEL, "--out", store, "--draws", 300, "--warmup", 300)
    assert code == 2
    assert "exists: go on with --resume" in err
    code, out, err = run(capsys, MODEL, "--out", store, "--resume", "--draws", 400, "--warmup", 300)
    assert (code, err) == (0, "")
    assert "4 chains of 400 draws each" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([str(EXAMPLE)], "the model must be FILE.py:FUNCTION"),
        (["no.py:f"], "no.py is not a file"),
        ([f"{EXAMPLE}:energy"], "has no energy; its functions are log_density"),
        ([MODEL, "--kernel", "gibbs"], "--kernel must be one of nuts"),
        ([MODEL, "--resume"], "--resume needs --out"),
        ([MODEL, "--resume", "--out", "none.zarr"], "holds no run to go on with"),
    ],
)
def test_wrong_usage(capsys, arguments, message):
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert message in err


def test_files_that_will_not_do(capsys, tmp_path):
    broken, silent = tmp_path / "broken.py", tmp_path / "silent.py"
    broken.write_text("1 / 0")
    silent.write_text("def f(p):\n    return 0.0")
    assert "ZeroDivisionError" in run(capsys, f"{broken}:f")[2]
    assert "must say what a point is" in run(capsys, f"{silent}:f")[2]
    nowhere = tmp_path / "nowhere.py"
    nowhere.write_text("domains = 'real'\ndef f(x):\n    return float('nan')")
    code, _, err = run(capsys, f"{nowhere}:f")
    assert code == 1
    assert "none of 100 random starts will do" in err
