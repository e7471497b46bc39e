"""Pages of regressions."""

from collections.abc import Callable
from typing import Any

from suffice.models.regression.bayesian.evidence import EvidenceFit, ModelOrder, nested_orders
from suffice.models.regression.bayesian.posterior import LinearPosterior
from suffice.models.regression.choice.fit import ChoiceFit
from suffice.models.regression.choice.multinomial import MultinomialFit
from suffice.models.regression.choice.ordinal import OrdinalFit
from suffice.models.regression.generalised.fit import GeneralizedLinearFit
from suffice.models.regression.linear.fit import LinearFit
from suffice.models.regression.linear.noise import NoiseFit
from suffice.report import assembly, tables
from suffice.report.charts import Figure
from suffice.report.regression import choices, figures, statements, words
from suffice.report.regression.choices import Chosen
from suffice.report.regression.modelled import Modelled
from suffice.report.regression.view import Regressed
from suffice.report.regression.weights import coefficients, facts


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
        assembly.section("Weights", _weights(best, [s.target for s in seen])),
        assembly.gallery(shown),
        assembly.section("The columns", assembly.paragraphs(words.columns_told(fit))),
        assembly.section("How this was computed", assembly.paragraphs(words.method(fit, found))),
    ]
    if isinstance(result, ModelOrder):
        sections.insert(1, assembly.section("Models", assembly.table(words.order_rows(result))))
    return assembly.page(f"Regression of {seen[0].target}", tables.counted(float(fit.count), "observation"), sections)


def modelled_page(fit: GeneralizedLinearFit | NoiseFit) -> str:
    """The page of a generalised model, or of noise of its own."""
    seen = Modelled.of(fit)
    return _page(seen, figures.modelled_figures(seen), [])


def choice_page(fit: ChoiceFit) -> str:
    """The page of a model of classes."""
    seen = Chosen.of(fit)
    counts = assembly.section("Classes told apart", assembly.table(choices.confusion(seen)))
    return _page(seen, figures.choice_figures(seen), [counts])


def _weights(result: Any, targets: list[str]) -> str:
    return assembly.table(coefficients(result, targets)) + assembly.facts(facts(result))


def _page(seen: Modelled | Chosen, shown: list[list[Figure]], more: list[str]) -> str:
    sections = [
        assembly.lead(statements.answer(seen)),
        assembly.section("Weights", _weights(seen.fit, [seen.target])),
        assembly.gallery(shown),
        *more,
        assembly.section("How this was computed", assembly.paragraphs(statements.method(seen))),
    ]
    return assembly.page(f"Regression of {seen.target}", tables.counted(float(seen.fit.count), "observation"), sections)


PAGES: dict[type, Callable[[Any], str]] = {
    **dict.fromkeys((LinearFit, LinearPosterior, EvidenceFit, ModelOrder), regression_page),
    **dict.fromkeys((GeneralizedLinearFit, NoiseFit), modelled_page),
    **dict.fromkeys((OrdinalFit, MultinomialFit), choice_page),
}
