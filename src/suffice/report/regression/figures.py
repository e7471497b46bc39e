"""All that there is to draw of a regression, in rows."""

from collections.abc import Callable
from typing import Any

from suffice.models.regression.bayesian.evidence import EvidenceFit, ModelOrder
from suffice.models.regression.bayesian.posterior import LinearPosterior
from suffice.models.regression.linear.fit import LinearFit
from suffice.report.charts import Figure
from suffice.report.regression import curves, order, residuals
from suffice.report.regression.view import Regressed

MOST_INPUTS = 6  # of which parts are drawn


def figures(seen: Regressed, models: ModelOrder | None = None) -> list[list[Figure]]:
    """All that there is to draw, in rows."""
    found = []
    if seen.alone:
        found.append([curves.fit_figure(seen)])
    if seen.rows is not None:
        if not seen.alone:
            parts = [p for name in seen.numeric[:MOST_INPUTS] if (p := curves.part_figure(seen, name)) is not None]
            found += [[curves.observed_figure(seen)], *(parts[i : i + 2] for i in range(0, len(parts), 2))]
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
    return [
        curves.fit_figure(seen) if seen.alone else curves.observed_figure(seen),
        *([residuals.residual_figure(seen)] if seen.spread else []),
    ]


OVERVIEWS: dict[type, Callable[[Any], list[Figure]]] = {
    LinearFit: overview,
    LinearPosterior: overview,
    EvidenceFit: lambda found: overview(found.posterior),
    ModelOrder: lambda models: [order.order_figure(models)],
}
