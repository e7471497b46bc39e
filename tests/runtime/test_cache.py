"""What is kept: texts, made again where nothing can be kept, and compiled code."""

import os
import subprocess
import sys

from suffice.runtime import cache


def test_made_once(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = []

    def make():
        made.append(1)
        return "é"

    assert [cache.kept("a.js", make) for _ in range(3)] == ["é"] * 3
    assert len(made) == 1
    assert (tmp_path / "suffice" / "a.js").read_text(encoding="utf-8") == "é"


def test_a_folder_that_cannot_be(tmp_path, monkeypatch):
    (tmp_path / "suffice").write_text("a file is in its place")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.kept("a.js", lambda: "text") == "text"
    assert (tmp_path / "suffice").read_text() == "a file is in its place"


PROGRAM = """
import sys
import suffice as sf
sf.Normal(0.0, 1.0).cdf(1.0)
assert sf.keep_compiled(sys.argv[1]).name == "compiled"
sf.Gamma(2.0, 1.0).cdf(1.0)
sf.keep_compiled(sys.argv[2])
sf.Gamma(2.0, 1.0).sf(1.0)
"""


def test_compiled_code_is_kept(tmp_path):
    """Also where something was compiled before it was asked for, and in another folder from where that is asked for on."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    path, later = tmp_path / "compiled", tmp_path / "later"
    subprocess.run([sys.executable, "-c", PROGRAM, str(path), str(later)], env=environment, check=True, timeout=300)
    for folder, program, other in ((path, "jit_cdf", "jit_sf"), (later, "jit_sf", "jit_cdf")):
        names = [file.name for file in folder.iterdir()]
        assert any(name.startswith(program) for name in names)
        assert not any(name.startswith(other) for name in names)
