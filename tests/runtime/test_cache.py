"""Texts that are kept: made once, and made again where nothing can be kept."""

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
