"""Which page and which figures there are for each kind of result."""

from collections.abc import Callable
from typing import Any

import altair

from suffice.inference.conjugate.posterior import Posterior
from suffice.inference.intervals.region import Region
from suffice.inference.rank import Ranking
from suffice.inference.result import Fit
from suffice.models.bases.basis import Basis
from suffice.models.language.steps import FilterSteps
from suffice.models.mixture.result import MixtureFit
from suffice.models.mixture.selection import MixtureSelection
from suffice.report import (
    charts,
    draws,
    envelope,
    figures,
    filtering,
    joint,
    mixture,
    page,
    posterior,
    sequences,
    walks,
)
from suffice.report.charts import Figure
from suffice.report.empirical import Empirical
from suffice.report.regression import figures as regression_figures
from suffice.report.regression import pages as regression_pages
from suffice.report.regression.bases import basis_figure
from suffice.sampling.adaptive_rejection import AdaptiveRejection
from suffice.sampling.chains import Chains

PAGES: dict[type, Callable[..., str]] = {
    Ranking: page.ranking_page,
    Fit: page.fit_page,
    Posterior: page.posterior_page,
    Chains: page.chains_page,
    **dict.fromkeys((MixtureFit, MixtureSelection), page.mixture_page),
    **dict.fromkeys(sequences.KINDS, page.sequence_page),
    **regression_pages.PAGES,
}

FIGURES: dict[type, Callable[[Any], list[list[Figure]]]] = {
    Ranking: lambda ranking: [[figures.histogram(ranking, Empirical.of(ranking))]],
    Fit: lambda fit: [[figures.density(fit), figures.distribution_function(fit)]],
    Region: lambda region: [[joint.joint_region(region)]],
    Posterior: lambda found: [posterior.parameter_figures(found)],
    Chains: draws.figures,
    FilterSteps: filtering.figures,
    **dict.fromkeys((MixtureFit, MixtureSelection), mixture.figures),
    **dict.fromkeys(sequences.KINDS, lambda result: sequences.telling(result).figures(result)),
    **{kind: lambda result, f=f: [f(result)] for kind, f in regression_figures.OVERVIEWS.items()},
}


def page_of(result: Any, **options: Any) -> str:
    """The page of a result; options are for a ranking's tests."""
    made = _found(PAGES, result, ())
    return made(result, **options) if isinstance(result, Ranking) else made(result)


def chart_of(result: Any, kind: str | None, at: Any) -> Any:
    """The chart of a result, its figures in rows, ready to be looked at."""
    if at is not None and not isinstance(result, Basis):
        raise TypeError("at is for a basis alone")
    if kind is not None:
        if not isinstance(result, Chains):
            raise ValueError(f"kind is for Chains, got {kind!r} with {type(result).__name__}")
        return charts.display(walks.walk_chart(result, kind))
    if isinstance(result, AdaptiveRejection):
        return charts.display(envelope.envelope_chart(result))
    if isinstance(result, Basis):
        return charts.display(basis_figure(result, at).chart)
    rows = [[f.chart for f in row] for row in _found(FIGURES, result, (AdaptiveRejection, Basis))(result)]
    if not rows:
        raise ValueError(f"there is nothing to draw in this {type(result).__name__}")
    beside = [altair.hconcat(*row) if len(row) > 1 else row[0] for row in rows]
    return charts.display(altair.vconcat(*beside) if len(beside) > 1 else beside[0])


def _found(table: dict[type, Callable[..., Any]], result: Any, others: tuple[type, ...]) -> Callable[..., Any]:
    for kind in type(result).__mro__:
        if kind in table:
            return table[kind]
    names = sorted(kind.__name__ for kind in (*table, *others))
    raise TypeError(f"result must be one of {', '.join(names)}, got {type(result).__name__}")
