"""Results as one self-contained HTML page: its scripts lie inside it, and nothing is fetched."""

import json
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import vl_convert

from suffice.inference.conjugate.posterior import Posterior
from suffice.inference.rank import Ranking
from suffice.inference.result import Fit
from suffice.inference.testing.goodness import GoodnessOfFit
from suffice.models.bayesian import LinearPosterior
from suffice.models.evidence import EvidenceFit, ModelOrder, nested_orders
from suffice.models.linear_fit import LinearFit
from suffice.models.mixture.result import MixtureFit
from suffice.models.mixture.selection import MixtureSelection
from suffice.report import (
    charts,
    draws,
    figures,
    joint,
    mixture,
    posterior,
    regression,
    regression_words,
    sequences,
    tables,
    words,
)  # fmt: skip
from suffice.report.bands import compare
from suffice.report.charts import Figure
from suffice.report.empirical import Empirical
from suffice.report.regressed import Regressed
from suffice.report.tables import Table
from suffice.sampling.chains import Chains


def ranking_page(
    ranking: Ranking, goodness: Sequence[GoodnessOfFit] | None = None, replicates: int = 999, rng: Any = 0
) -> str:
    """The page of a ranking."""
    sections = _ranking_sections(ranking, goodness, replicates, rng)
    source = words.origin(ranking)
    line = tables.counted(ranking.summary.count, "observation") + (f" from {source}" if source else "")
    return _page(ranking.name, line, sections)


def _ranking_sections(
    ranking: Ranking, goodness: Sequence[GoodnessOfFit] | None, replicates: int, rng: Any
) -> list[str]:
    if goodness is None:
        goodness = ranking.goodness_of_fit(replicates=replicates, rng=rng)
    empirical = Empirical.of(ranking)
    sections = [
        _lead(words.answer(ranking, goodness)),
        _section("The data", _facts(tables.summary_rows(ranking, empirical))),
    ]
    if ranking.candidates:
        sections.append(_section("Ranking", _table(tables.ranking_rows(ranking, goodness), "ranking")))
        sections.append(_gallery(_ranking_figures(ranking, empirical, rng)))
    if ranking.impossible:
        sections.append(_section("Ruled out by the data", _table(tables.impossible_rows(ranking))))
    names = tables.names_rows([c.fit for c in ranking.candidates])
    return [
        *sections,
        _section("What was dropped", _paragraphs(words.dropped(ranking))),
        _section("How this was computed", _paragraphs(words.method(ranking, empirical, goodness))),
        _section("Names elsewhere", _behind("What these families are called in R and SciPy", names)),
    ]


def fit_page(fit: Fit) -> str:
    """The page of one fit."""
    drawn = [figures.density(fit), figures.distribution_function(fit)]
    sections = [
        _lead(words.fit_answer(fit)),
        _section("Parameters", _table(tables.fit_rows(fit)) + _facts(tables.score_rows(fit))),
        _gallery([drawn, *_regions(fit)]),
        _section("Names elsewhere", _table(tables.names_rows([fit]))),
        _section("How this was computed", _paragraphs(words.fit_method())),
    ]
    return _page(f"{fit.family.name} fit", tables.counted(float(fit.count), "observation"), sections)


def _regions(fit: Fit) -> list[list[Figure]]:
    """The joint region of two parameters, where there are two and the fit knows its likelihood."""
    if fit.dimension != 2:
        return []
    try:
        return [[joint.joint_region(fit.region())]]
    except ValueError:
        return []


def posterior_page(result: Posterior, level: float = 0.95) -> str:
    """The page of a posterior."""
    drawn = posterior.parameter_figures(result)
    following = posterior.predictive_figure(result)
    rows = [drawn[i : i + 2] for i in range(0, len(drawn), 2)]
    prior = result.prior if result.prior_is_proper else "improper"
    sections = [
        _lead(posterior.answer(result)),
        _section("Parameters", _table(posterior.rows(result, level))),
        _gallery([*rows, *([[following]] if following is not None else [])]),
        _section(
            "How this was computed",
            _paragraphs(
                [
                    f"By Bayes' rule in closed form: {result.pair.name}. The prior is {prior!r}.",
                    "The evidence is p(data|θ) p(θ)/p(θ|data) at a θ inside the posterior.",
                ]
            ),
        ),
    ]
    return _page(f"{result.family.name}: posterior", tables.counted(float(result.count), "observation"), sections)


def chains_page(result: Chains) -> str:
    """The page of Markov chains."""
    shown = draws.figures(result)
    count, length = result.shape
    evaluations = int(result.info.evaluations.sum())
    told = [
        f"By {result.kernel_name}, on the unconstrained space; settings were tuned in warm-up and then left alone.",
        f"{tables.number(evaluations)} evaluations of the density after warm-up; {tables.counted(result.divergences, 'divergence')}.",
        "R-hat is rank-normalised and split (Vehtari and others 2021); ESS is the effective sample size for means and medians, "
        "tail ESS that of the 5 % and 95 % quantiles.",
    ]
    sections = [
        _lead(draws.answer(result)),
        _section("Parameters", _table(draws.rows(result))),
        _gallery(shown),
        _section("How this was computed", _paragraphs(told)),
    ]
    return _page("Draws", f"{tables.counted(count, 'chain')} of {tables.counted(length, 'draw')}", sections)


def regression_page(result: LinearFit | LinearPosterior | EvidenceFit | ModelOrder) -> str:
    """The page of a regression, or of several in the order of their evidence."""
    order = result if isinstance(result, ModelOrder) else None
    best = order.fits[order.best] if order is not None else result
    found = best if isinstance(best, EvidenceFit) else None
    fit: Any = found.posterior if found is not None else best
    seen = Regressed.each(fit)
    if isinstance(fit, LinearFit):
        order = nested_orders(fit)
    shown = [row for i, s in enumerate(seen) for row in regression.figures(s, None if i else order)]
    sections = [
        _lead(regression_words.answer(fit, seen, found)),
        _section(
            "Weights", _table(regression_words.coefficients(fit, seen)) + _facts(regression_words.facts(fit, found))
        ),
        _gallery(shown),
        _section("The columns", _paragraphs(regression_words.columns_told(fit))),
        _section("How this was computed", _paragraphs(regression_words.method(fit, found))),
    ]
    if isinstance(result, ModelOrder):
        sections.insert(1, _section("Models", _table(regression_words.order_rows(result))))
    return _page(f"Regression of {seen[0].target}", tables.counted(float(fit.count), "observation"), sections)


def mixture_page(result: MixtureFit | MixtureSelection) -> str:
    """The page of a mixture, or of a choice among several."""
    chosen = isinstance(result, MixtureSelection)
    fit = result.best if chosen else result
    sections = [
        _lead(mixture.answer(result)),
        _section("The fit", _facts(mixture.facts(fit))),
        _section("Components", _table(mixture.parameter_rows(fit))),
        _gallery(mixture.figures(result)),
        *([_section("Mixtures tried", _table(mixture.selection_rows(result)))] if chosen else []),
        _section("How this was computed", _paragraphs([*mixture.method(fit), words.versions()])),
    ]
    return _page("Mixture", tables.counted(fit.count, "observation"), sections)


def sequence_page(result: sequences.Sequential) -> str:
    """The page of a time series, a hidden chain or a score of texts."""
    told = sequences.telling(result)
    sections = [
        _lead(told.answer(result)),
        _section("In numbers", _facts(told.facts(result)) + _table(told.parameter_rows(result))),
        _gallery(told.figures(result)),
        _section("How this was computed", _paragraphs([*told.method(result), words.versions()])),
    ]
    return _page(told.TITLE, told.counts(result), sections)


def _ranking_figures(ranking: Ranking, empirical: Empirical, rng: Any) -> list[list[Figure]]:
    """Figures in rows."""
    shown = figures.best(ranking)
    if not shown:
        return []
    first = shown[0]
    comparison = compare(first.fit, ranking, empirical, rng=rng)
    return [
        [figures.histogram(ranking, empirical)],
        [
            figures.quantile_plot(ranking, first.name, comparison, empirical.heavy),
            figures.probability_plot(ranking, first.name, comparison),
        ],
        [(figures.tail_plot if empirical.estimate is None else figures.survival_plot)(ranking, empirical)],
    ]


# -- assembly --------------------------------------------------------------------------------------------------------


def _template(name: str) -> str:
    return files("suffice.report").joinpath("templates", name).read_text(encoding="utf-8")


def _bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that may stand inside a page."""
    script = vl_convert.javascript_bundle()  # pyright: ignore[reportCallIssue]  its stub lacks the default
    return script.replace("</script", "<\\/script")


def _json(value: Any) -> str:
    """JSON that may stand inside a script element, whatever strings it holds."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _page(title: str, subtitle: str, sections: Iterable[str]) -> str:
    return Template(_template("page.html")).substitute(
        title=escape(title),
        subtitle=escape(subtitle),
        style=_template("page.css"),
        sections="\n".join(sections),
        themes=_json({"light": charts.theme(), "dark": charts.theme(dark=True)}),
        bundle=_bundle(),
        script=_template("page.js"),
    )


def _section(title: str, body: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>"


def _paragraphs(told: Iterable[str]) -> str:
    return "\n".join(f"<p>{_text(t)}</p>" for t in told)


def _text(told: str) -> str:
    """Words as HTML, with estimates and their errors kept on one line."""
    return escape(told).replace(" ± ", "&nbsp;±&nbsp;")


def _lead(told: Sequence[str]) -> str:
    return f'<section class="answer">\n<p class="first">{_text(told[0])}</p>\n{_paragraphs(told[1:])}\n</section>'


def _facts(table: Table) -> str:
    """A table of one row, told fact by fact."""
    facts = zip(table.headers, table.rows[0], strict=True)
    return f"<dl>{''.join(f'<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>' for k, v in facts)}</dl>"


def _table(table: Table, kind: str = "") -> str:
    def cell(place: int, text: str, tag: str) -> str:
        words = ' class="words"' if place in table.words else ""
        return f"<{tag}{words}>{escape(text).replace(chr(10), '<br>')}</{tag}>"

    head = "".join(cell(i, h, "th") for i, h in enumerate(table.headers))
    rows = "\n".join(f"<tr>{''.join(cell(i, v, 'td') for i, v in enumerate(row))}</tr>" for row in table.rows)
    notes = "".join(f"<li>{escape(note)}</li>" for note in table.notes)
    below = f'<ol class="notes">{notes}</ol>' if notes else ""
    inner = f'<table class="{kind}"><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table>'
    return f'<div class="scroll">{inner}</div>{below}'


def _behind(summary: str, table: Table) -> str:
    return f"<details><summary>{escape(summary)}</summary>{_table(table)}</details>"


def _gallery(rows: Iterable[Sequence[Figure]]) -> str:
    return "\n".join(f'<div class="row">{"".join(map(_figure, row))}</div>' for row in rows)


def _figure(figure: Figure) -> str:
    chart = figure.chart.properties(
        width="container", height=charts.HEIGHT, autosize={"type": "fit-x", "contains": "padding"}
    )
    return (
        f"<figure>\n<h2>{escape(figure.title)}</h2>\n"
        f'<div class="chart" role="img" aria-label="{escape(figure.alt)}">'
        f'<script type="application/json">{_json(chart.to_dict(validate=False))}</script></div>\n'
        f"<figcaption>{escape(figure.caption)}</figcaption>\n{_behind('The numbers', figure.table)}\n</figure>"
    )
