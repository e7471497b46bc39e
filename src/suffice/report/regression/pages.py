"""Pages of regressions."""

from collections.abc import Callable
from typing import Any

from suffice.models.regression.bayesian.evidence import EvidenceFit, ModelOrder, nested_orders
from suffice.models.regression.bayesian.posterior import LinearPosterior
from suffice.models.regression.linear.fit import LinearFit
from suffice.report import assembly, tables
from suffice.report.regression import figures, words
from suffice.report.regression.view import Regressed


def regression_page(result: LinearFit | LinearPosterior | EvidenceFit | ModelOrder) -> str:
    """The page of a regression, or of several in the order of their evidence."""
    order = result if isinstance(result, ModelOrder) else None
    best = order.fits[order.best] if order is not None else result
    found = best if isinstance(best, EvidenceFit) else None
    fit: Any = found.posterior if found is not None else best
    seen = Regressed.each(fit)
    if isinstance(fit, LinearFit):
        order = nested_orders(fit)
    shown = [row for i, s in enumerate(seen) for row in figures.figures(s, None if i else order)]
    sections = [
        assembly.lead(words.answer(fit, seen, found)),
        assembly.section(
            "Weights", assembly.table(words.coefficients(fit, seen)) + assembly.facts(words.facts(fit, found))
        ),
        assembly.gallery(shown),
        assembly.section("The columns", assembly.paragraphs(words.columns_told(fit))),
        assembly.section("How this was computed", assembly.paragraphs(words.method(fit, found))),
    ]
    if isinstance(result, ModelOrder):
        sections.insert(1, assembly.section("Models", assembly.table(words.order_rows(result))))
    return assembly.page(f"Regression of {seen[0].target}", tables.counted(float(fit.count), "observation"), sections)


PAGES: dict[type, Callable[[Any], str]] = dict.fromkeys(
    (LinearFit, LinearPosterior, EvidenceFit, ModelOrder), regression_page
)
