import json
import os
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import suffice as sf
from suffice.inference.testing.distances import VALUES
from suffice.report import report
from suffice.report.words import _TESTS

NAME = '<script>alert("1")</script>$title'


class Reader(HTMLParser):
    """Elements, whether they close, and what they refer to."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.links, self.scripts, self.text = [], [], [], [], ""

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        self.links += [value for name, value in attrs if name in ("src", "href", "action", "data")]
        if tag not in ("meta", "br", "link", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append((self.seen[-1][1].get("type"), data))
        elif "style" not in self.open:
            self.text += data


def read(path):
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    assert not reader.open
    return reader


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    x = np.random.default_rng(12).gamma(2.0, 3.0, 150)
    x[3] = np.nan
    ranking = sf.rank(pd.Series(x, name=NAME), [sf.Gamma, sf.Exponential, sf.Beta], missing="drop")
    return read(report(ranking, tmp_path_factory.mktemp("page") / "page.html", replicates=19))


def test_page_holds_everything_and_refers_to_nothing(page):
    assert page.links == []
    policy = next(a["content"] for t, a in page.seen if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert sum(t == "figure" for t, _ in page.seen) == 4


def test_names_from_the_data_are_only_text(page):
    assert NAME in page.text
    assert not any("alert" in text for kind, text in page.scripts if kind is None)
    assert sum(kind is None for kind, _ in page.scripts) == 2  # the bundle and the few lines that draw
    specs = [json.loads(text) for kind, text in page.scripts if kind == "application/json"]
    assert len(specs) == 5
    assert specs[0]["layer"][0]["encoding"]["x"]["title"] == NAME


def test_every_figure_has_a_description_and_its_numbers(page):
    described = [a["aria-label"] for _, a in page.seen if a.get("class") == "chart"]
    assert len(described) == 4
    assert all(len(text) > 60 for text in described)
    assert sum(t == "details" for t, _ in page.seen) == 5  # four figures, and names elsewhere


@pytest.mark.parametrize(
    "said",
    [
        "Gamma comes first of 2 families by AIC",
        "Missing and dropped: 1 of 150 rows",
        "Beta needs values in (0, 1)",
        "Anderson–Darling",
        "19 bootstrap samples",
        "gamma(a=concentration, scale=1/rate)",
    ],
)
def test_page_says(page, said):
    assert said in page.text


def test_page_of_a_fit(tmp_path, ranking):
    page = read(report(ranking.best, tmp_path / "fit.html"))
    assert "Gamma fitted to 200 observations" in page.text
    assert "97.5 %" in page.text
    assert "95 % joint confidence region of concentration and rate" in page.text
    assert sum(t == "figure" for t, _ in page.seen) == 3


def test_page_of_counts(tmp_path, counts):
    page = read(report(counts, tmp_path / "counts.html", goodness=()))
    assert "The values are whole numbers" in page.text
    assert "15 rows stand for 2608 observations" in page.text
    assert "Without weight: 1 of 15 rows" in page.text


def test_page_without_a_test_says_why(tmp_path):
    x = np.random.default_rng(13).normal(size=40)
    page = read(report(sf.rank(x, [sf.Normal], weights=np.full(40, 0.5)), tmp_path / "page.html"))
    assert "whole numbers" in page.text


def test_page_of_what_cannot_be_tested_says_why(tmp_path):
    page = read(report(sf.rank([0, 1] * 20, [sf.Bernoulli]), tmp_path / "page.html"))
    assert "Its fit was not tested: too few observations or distinct values" in page.text
    assert "bootstrap samples drawn" not in page.text


def test_page_when_no_family_is_possible(tmp_path):
    page = read(report(sf.rank([-1.5, -2.5], [sf.Gamma]), tmp_path / "page.html"))
    assert "No family could be fitted" in page.text
    assert "Gamma needs values" in page.text


def test_page_stays_small(tmp_path):
    x = np.random.default_rng(14).standard_t(3, 300_000)
    path = report(sf.rank(x, [sf.Cauchy, sf.Normal, sf.Logistic]), tmp_path / "page.html", goodness=())
    assert path.stat().st_size < 2_000_000
    assert "random sample of 100,000" in read(path).text


def test_page_is_written_whole_or_not_at_all(tmp_path, ranking, monkeypatch):
    path = tmp_path / "page.html"
    path.write_text("before")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        report(ranking.best, path)
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["page.html"]


def test_the_same_result_gives_the_same_page(tmp_path, ranking):
    first, second = (report(ranking.best, tmp_path / name).read_bytes() for name in ("a.html", "b.html"))
    assert first == second


def test_wrong_results_are_named(tmp_path):
    with pytest.raises(TypeError, match=r"result must be one of AutoregressiveFit, Chains, .*Ranking, .*, got str"):
        report("x", tmp_path / "page.html")


def test_importing_the_face_loads_no_charts():
    code = "import sys, suffice.report; print(sorted(m for m in ('altair', 'vl_convert', 'jax') if m in sys.modules))"
    import subprocess
    import sys

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"\[('jax')?\]", done.stdout.strip())


def test_every_statistic_has_its_name_on_the_page():
    assert set(_TESTS) == set(VALUES)
