"""The page of an autoregression: the series and what is to come, coefficients by lag, prediction errors."""

from statistics import NormalDist

import altair as alt
import numpy as np

from suffice.models.state_space.autoregression import AutoregressiveFit
from suffice.report import charts
from suffice.report.charts import Figure
from suffice.report.tables import Table, counted, number, with_error
from suffice.report.time_series import counts, error_figure, expected, facts, parameter_rows, series_figure

__all__ = ["TITLE", "answer", "counts", "facts", "figures", "method", "parameter_rows"]

TITLE = "Autoregression"
_REACH = NormalDist().inv_cdf(0.975)


def answer(fit: AutoregressiveFit) -> list[str]:
    """The outcome in sentences."""
    roots = np.linalg.eigvals(np.asarray(fit.model.transition))
    slowest = roots[np.abs(roots).argmax()]
    half = np.log(0.5) / np.log(max(float(np.abs(slowest)), 1e-300))
    fading = f"What disturbs the series fades by half in {counted(float(f'{half:.3g}'), 'step')}"
    if abs(slowest.imag) > 1e-9 * abs(slowest):
        fading += f", in cycles of {number(2.0 * np.pi / abs(float(np.angle(slowest))), 3)}"
    told = [expected(fit), f"{fading}, as the slowest root of the recursion tells."]
    if not fit.converged:
        told.append("The search did not end at a maximum.")
    return told


def figures(fit: AutoregressiveFit) -> list[list[Figure]]:
    """Figures in rows."""
    caption = (
        "Points: the series, joined by their expectation where values are missing; dashed: the forecast, which falls to the "
        "mean. Bands hold the values missing, and those to come, with probability 95 % at each time, the estimates taken as "
        "known."
    )
    several = [[_coefficients(fit)]] if len(fit.coefficients) > 1 else []
    return [[series_figure(fit, "expectation", caption)], *several, [error_figure(fit)]]


def _coefficients(fit: AutoregressiveFit) -> Figure:
    """Each coefficient with its interval."""
    values = fit.coefficients
    errors = np.array([fit.standard_errors[f"coefficients[{j}]"] for j in range(1, len(values) + 1)])
    lags, reach = np.arange(1.0, len(values) + 1.0), np.where(np.isfinite(errors), _REACH * errors, 0.0)
    low, high = values - reach, values + reach
    span = float(max(np.abs(low).max(), np.abs(high).max())) * 1.1
    at_x = charts.axis(
        "x", "Lag", domain=(0.5, len(values) + 0.5), values=lags[:: 1 + len(lags) // 20].tolist(), format="d"
    )
    at_y = charts.axis("y", "Coefficient", domain=(-span, span))
    tips = [alt.Tooltip("x:Q", title="Lag"), alt.Tooltip("y:Q", title="Coefficient")]
    ends = np.array([0.5, len(values) + 0.5])
    zero = alt.Chart(charts.rows(x=ends[:1], x2=ends[1:], y=np.zeros(1))).mark_rule(style="point-of-data")
    chart = zero.encode(x=alt.X(**at_x), x2="x2:Q", y=alt.Y(**at_y))
    bars = alt.Chart(charts.rows(x=lags, y=low, y2=high)).mark_rule(style="agreement")
    chart += bars.encode(x=alt.X(**at_x), y=alt.Y(**at_y), y2="y2:Q")
    chart += charts.dots(lags, values, at_x, at_y, tips)
    clear = int((np.abs(values) > reach).sum()) if np.isfinite(errors).all() else None
    caption = "Coefficients by lag, with 95 % intervals" + (
        "." if clear is None else f": {clear} of {len(values)} without 0 in its interval."
    )
    rows = tuple((number(j), with_error(v, e)) for j, v, e in zip(lags, values, errors, strict=True))
    table = Table(("Lag", "Coefficient"), rows)
    return Figure("Coefficients", caption, caption, chart.properties(width=900, height=200), table)


def method(fit: AutoregressiveFit) -> list[str]:
    """How the numbers were made."""
    del fit
    return [
        "By maximum likelihood, by Newton's method over the mean, partial autocorrelations and the deviation, so that the "
        "series is stationary. The likelihood is exact: the first values have their stationary law.",
        "Standard errors come from the observed information, mapped to the parameters shown; the interval of the variance is "
        "made on its logarithm.",
    ]
