"""All that there is to draw of a regression, in rows."""

from collections.abc import Callable
from typing import Any

from suffice.models.regression.bayesian.evidence import EvidenceFit, ModelOrder
from suffice.models.regression.bayesian.posterior import LinearPosterior
from suffice.models.regression.choice.fit import ChoiceFit
from suffice.models.regression.choice.multinomial import MultinomialFit
from suffice.models.regression.choice.ordinal import OrdinalFit
from suffice.models.regression.generalised.fit import GeneralizedLinearFit
from suffice.models.regression.linear.fit import LinearFit
from suffice.models.regression.linear.noise import NoiseFit
from suffice.report.charts import Figure
from suffice.report.regression import choices, curves, order, residuals
from suffice.report.regression.calibration import calibration_figure
from suffice.report.regression.choices import Chosen
from suffice.report.regression.diagnosed import Diagnosed
from suffice.report.regression.modelled import General, Modelled
from suffice.report.regression.view import Regressed

MOST_INPUTS = 6  # of which parts are drawn


def figures(seen: Regressed, models: ModelOrder | None = None) -> list[list[Figure]]:
    """All that there is to draw, in rows."""
    found = []
    if seen.alone:
        found.append([curves.fit_figure(seen)])
    if seen.rows is not None:
        if not seen.alone:
            found += _by_input(seen)
        if seen.spread:
            found += [
                [residuals.residual_figure(seen), residuals.quantile_figure(seen)],
                [residuals.leverage_figure(seen)],
            ]
    if models is not None and len(models.fits) > 1:
        found.append([order.order_figure(models)])
    return found


def overview(fit: LinearFit | LinearPosterior) -> list[Figure]:
    """The fit, and its residuals where the data are there."""
    seen = Regressed.each(fit, 1)[0]
    if seen.rows is None:
        if not seen.alone:
            raise ValueError("a regression on several inputs is drawn with its data, and a summary has none")
        return [curves.fit_figure(seen)]
    return _first_two(seen)


def _first_two(seen: Diagnosed) -> list[Figure]:
    first = curves.fit_figure(seen) if seen.alone else curves.observed_figure(seen)
    return [first, *([residuals.residual_figure(seen)] if seen.spread else [])]


def modelled_figures(seen: Modelled) -> list[list[Figure]]:
    """Of a generalised model, or of noise of its own, in rows."""
    found = [[curves.fit_figure(seen)]] if seen.alone else _by_input(seen)
    if not seen.spread:
        return found
    rest = [residuals.residual_figure(seen)]
    if isinstance(seen, General):
        if seen.scored:
            rest.append(residuals.quantile_figure(seen))
        rest.append(residuals.leverage_figure(seen))
        if seen.binary:
            happened = seen.rows.targets[:, 0]
            rest.append(calibration_figure(seen.fitted, happened, seen.rows.frequencies, seen.target))
    else:
        rest.append(residuals.quantile_figure(seen))
    return [*found, *(rest[i : i + 2] for i in range(0, len(rest), 2))]


def _by_input(seen: Diagnosed) -> list[list[Figure]]:
    """Targets over fitted values, and the part of each input."""
    drawn = [p for name in seen.numeric[:MOST_INPUTS] if (p := curves.part_figure(seen, name)) is not None]
    return [[curves.observed_figure(seen)], *(drawn[i : i + 2] for i in range(0, len(drawn), 2))]


def choice_figures(seen: Chosen) -> list[list[Figure]]:
    """Of a model of classes, in rows."""
    drawn, held = (
        [choices.probability_figure(seen, name) for name in seen.numeric[:MOST_INPUTS]],
        choices.calibrations(seen),
    )
    across = 2 if len(held) != 3 else 3
    return [drawn[i : i + 2] for i in range(0, len(drawn), 2)] + [
        held[i : i + across] for i in range(0, len(held), across)
    ]


def _modelled_overview(fit: GeneralizedLinearFit | NoiseFit) -> list[Figure]:
    seen = Modelled.of(fit)
    return _first_two(seen)


def _choice_overview(fit: ChoiceFit) -> list[Figure]:
    seen = Chosen.of(fit)
    if not seen.numeric:
        raise ValueError("probabilities are drawn over an input of numbers, and the model has none")
    return [choices.probability_figure(seen, name) for name in seen.numeric[:2]]


OVERVIEWS: dict[type, Callable[[Any], list[Figure]]] = {
    LinearFit: overview,
    LinearPosterior: overview,
    EvidenceFit: lambda found: overview(found.posterior),
    ModelOrder: lambda models: [order.order_figure(models)],
    GeneralizedLinearFit: _modelled_overview,
    NoiseFit: _modelled_overview,
    OrdinalFit: _choice_overview,
    MultinomialFit: _choice_overview,
}
