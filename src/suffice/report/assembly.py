"""Parts of a page as HTML, and the page that holds them."""

import json
from collections.abc import Iterable, Sequence
from html import escape
from importlib.metadata import version
from importlib.resources import files
from string import Template
from typing import Any

import vl_convert

from suffice.report import charts
from suffice.report.charts import Figure
from suffice.report.tables import Table
from suffice.runtime.cache import kept


def _template(name: str) -> str:
    return files("suffice.report").joinpath("templates", name).read_text(encoding="utf-8")


def _bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that may stand inside a page; making it takes a second."""
    script = kept(
        f"vega-{version('vl-convert-python')}.js",
        lambda: vl_convert.javascript_bundle(),  # pyright: ignore[reportCallIssue]  its stub lacks the default
    )
    return script.replace("</script", "<\\/script")


def _json(value: Any) -> str:
    """JSON that may stand inside a script element, whatever strings it holds."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def page(title: str, subtitle: str, sections: Iterable[str]) -> str:
    """The whole page."""
    return Template(_template("page.html")).substitute(
        title=escape(title),
        subtitle=escape(subtitle),
        style=_template("page.css"),
        sections="\n".join(sections),
        themes=_json({"light": charts.theme(), "dark": charts.theme(dark=True)}),
        bundle=_bundle(),
        script=_template("page.js"),
    )


def section(title: str, body: str) -> str:
    """A part with a heading."""
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>"


def paragraphs(told: Iterable[str]) -> str:
    """Sentences, one paragraph each."""
    return "\n".join(f"<p>{_text(t)}</p>" for t in told)


def _text(told: str) -> str:
    """Words as HTML, with estimates and their errors kept on one line."""
    return escape(told).replace(" ± ", "&nbsp;±&nbsp;")


def lead(told: Sequence[str]) -> str:
    """The outcome, first sentence large."""
    return f'<section class="answer">\n<p class="first">{_text(told[0])}</p>\n{paragraphs(told[1:])}\n</section>'


def facts(table: Table) -> str:
    """A table of one row, told fact by fact."""
    pairs = zip(table.headers, table.rows[0], strict=True)
    return f"<dl>{''.join(f'<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>' for k, v in pairs)}</dl>"


def table(table: Table, kind: str = "") -> str:
    """A table with its notes."""

    def cell(place: int, text: str, tag: str) -> str:
        words = ' class="words"' if place in table.words else ""
        return f"<{tag}{words}>{escape(text).replace(chr(10), '<br>')}</{tag}>"

    head = "".join(cell(i, h, "th") for i, h in enumerate(table.headers))
    rows = "\n".join(f"<tr>{''.join(cell(i, v, 'td') for i, v in enumerate(row))}</tr>" for row in table.rows)
    notes = "".join(f"<li>{escape(note)}</li>" for note in table.notes)
    below = f'<ol class="notes">{notes}</ol>' if notes else ""
    inner = f'<table class="{kind}"><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table>'
    return f'<div class="scroll">{inner}</div>{below}'


def behind(summary: str, numbers: Table) -> str:
    """A table that opens when asked for."""
    return f"<details><summary>{escape(summary)}</summary>{table(numbers)}</details>"


def gallery(rows: Iterable[Sequence[Figure]]) -> str:
    """Figures in rows."""
    return "\n".join(f'<div class="row">{"".join(map(_figure, row))}</div>' for row in rows)


def _figure(figure: Figure) -> str:
    chart = figure.chart.properties(
        width="container", height=charts.HEIGHT, autosize={"type": "fit-x", "contains": "padding"}
    )
    return (
        f"<figure>\n<h2>{escape(figure.title)}</h2>\n"
        f'<div class="chart" role="img" aria-label="{escape(figure.alt)}">'
        f'<script type="application/json">{_json(chart.to_dict(validate=False))}</script></div>\n'
        f"<figcaption>{escape(figure.caption)}</figcaption>\n{behind('The numbers', figure.table)}\n</figure>"
    )
