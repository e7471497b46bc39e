"""Results as one self-contained HTML page: its scripts lie inside it, and nothing is fetched."""

from collections.abc import Sequence
from typing import Any

from suffice.inference.conjugate.posterior import Posterior
from suffice.inference.rank import Ranking
from suffice.inference.result import Fit
from suffice.inference.testing.goodness import GoodnessOfFit
from suffice.models.mixture.result import MixtureFit
from suffice.models.mixture.selection import MixtureSelection
from suffice.report import (
    assembly,
    draws,
    figures,
    joint,
    mixture,
    posterior,
    sequences,
    tables,
    words,
)  # fmt: skip
from suffice.report.bands import compare
from suffice.report.charts import Figure
from suffice.report.empirical import Empirical
from suffice.sampling.chains import Chains


def ranking_page(
    ranking: Ranking, goodness: Sequence[GoodnessOfFit] | None = None, replicates: int = 999, rng: Any = 0
) -> str:
    """The page of a ranking."""
    sections = _ranking_sections(ranking, goodness, replicates, rng)
    source = words.origin(ranking)
    line = tables.counted(ranking.summary.count, "observation") + (f" from {source}" if source else "")
    return assembly.page(ranking.name, line, sections)


def _ranking_sections(
    ranking: Ranking, goodness: Sequence[GoodnessOfFit] | None, replicates: int, rng: Any
) -> list[str]:
    if goodness is None:
        goodness = ranking.goodness_of_fit(replicates=replicates, rng=rng)
    empirical = Empirical.of(ranking)
    sections = [
        assembly.lead(words.answer(ranking, goodness)),
        assembly.section("The data", assembly.facts(tables.summary_rows(ranking, empirical))),
    ]
    if ranking.candidates:
        sections.append(assembly.section("Ranking", assembly.table(tables.ranking_rows(ranking, goodness), "ranking")))
        sections.append(assembly.gallery(_ranking_figures(ranking, empirical, rng)))
    if ranking.impossible:
        sections.append(assembly.section("Ruled out by the data", assembly.table(tables.impossible_rows(ranking))))
    names = tables.names_rows([c.fit for c in ranking.candidates])
    return [
        *sections,
        assembly.section("What was dropped", assembly.paragraphs(words.dropped(ranking))),
        assembly.section("How this was computed", assembly.paragraphs(words.method(ranking, empirical, goodness))),
        assembly.section("Names elsewhere", assembly.behind("What these families are called in R and SciPy", names)),
    ]


def fit_page(fit: Fit) -> str:
    """The page of one fit."""
    drawn = [figures.density(fit), figures.distribution_function(fit)]
    sections = [
        assembly.lead(words.fit_answer(fit)),
        assembly.section("Parameters", assembly.table(tables.fit_rows(fit)) + assembly.facts(tables.score_rows(fit))),
        assembly.gallery([drawn, *_regions(fit)]),
        assembly.section("Names elsewhere", assembly.table(tables.names_rows([fit]))),
        assembly.section("How this was computed", assembly.paragraphs(words.fit_method())),
    ]
    return assembly.page(f"{fit.family.name} fit", tables.counted(float(fit.count), "observation"), sections)


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
        assembly.lead(posterior.answer(result)),
        assembly.section("Parameters", assembly.table(posterior.rows(result, level))),
        assembly.gallery([*rows, *([[following]] if following is not None else [])]),
        assembly.section(
            "How this was computed",
            assembly.paragraphs(
                [
                    f"By Bayes' rule in closed form: {result.pair.name}. The prior is {prior!r}.",
                    "The evidence is p(data|θ) p(θ)/p(θ|data) at a θ inside the posterior.",
                ]
            ),
        ),
    ]
    return assembly.page(
        f"{result.family.name}: posterior", tables.counted(float(result.count), "observation"), sections
    )


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
        assembly.lead(draws.answer(result)),
        assembly.section("Parameters", assembly.table(draws.rows(result))),
        assembly.gallery(shown),
        assembly.section("How this was computed", assembly.paragraphs(told)),
    ]
    return assembly.page("Draws", f"{tables.counted(count, 'chain')} of {tables.counted(length, 'draw')}", sections)


def mixture_page(result: MixtureFit | MixtureSelection) -> str:
    """The page of a mixture, or of a choice among several."""
    chosen = isinstance(result, MixtureSelection)
    fit = result.best if chosen else result
    sections = [
        assembly.lead(mixture.answer(result)),
        assembly.section("The fit", assembly.facts(mixture.facts(fit))),
        assembly.section("Components", assembly.table(mixture.parameter_rows(fit))),
        assembly.gallery(mixture.figures(result)),
        *([assembly.section("Mixtures tried", assembly.table(mixture.selection_rows(result)))] if chosen else []),
        assembly.section("How this was computed", assembly.paragraphs([*mixture.method(fit), words.versions()])),
    ]
    return assembly.page("Mixture", tables.counted(fit.count, "observation"), sections)


def sequence_page(result: sequences.Sequential) -> str:
    """The page of a time series, an autoregression, a hidden chain or a score of texts."""
    told = sequences.telling(result)
    sections = [
        assembly.lead(told.answer(result)),
        assembly.section(
            "In numbers", assembly.facts(told.facts(result)) + assembly.table(told.parameter_rows(result))
        ),
        assembly.gallery(told.figures(result)),
        assembly.section("How this was computed", assembly.paragraphs([*told.method(result), words.versions()])),
    ]
    return assembly.page(told.TITLE, told.counts(result), sections)


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
