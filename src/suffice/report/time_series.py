"""The page of a structural time series: the series with its level and what is to come, its parts, its errors."""

from statistics import NormalDist
from typing import Any

import altair as alt
import jax.numpy as jnp
import numpy as np

from suffice.distributions.normal import Normal
from suffice.models.state_space.autoregression import AutoregressiveFit
from suffice.models.state_space.fit import StateSpaceFit
from suffice.report import charts
from suffice.report.bands import Band
from suffice.report.charts import Figure
from suffice.report.tables import Table, counted, decimal, listed, number, with_error

type Fitted = StateSpaceFit | AutoregressiveFit

TITLE = "Time series"
_REACH = NormalDist().inv_cdf(0.975)
_AHEAD = 0.2  # of the series' length that is foretold


def counts(fit: Fitted) -> str:
    """How much was seen."""
    missing = len(fit.values) - fit.count
    return counted(fit.count, "value") + (f", {missing} of {len(fit.values)} times missing" if missing else "")


def answer(fit: StateSpaceFit) -> list[str]:
    """The outcome in sentences."""
    told = [expected(fit)]
    if fit.boundary:
        told.append(f"Estimated as 0: {listed(list(fit.boundary))}. What these would move does not change with time.")
    if not fit.converged:
        told.append("The search did not end at a maximum.")
    return told


def expected(fit: Fitted) -> str:
    """The next value in a sentence."""
    ahead = fit.forecast(1)
    next_value, error = float(ahead.loc[0]), float(ahead.scale[0])
    return (
        f"The next value is expected at {number(next_value, 5)}, with probability 95 % between "
        f"{number(next_value - _REACH * error, 5)} and {number(next_value + _REACH * error, 5)}."
    )


def facts(fit: Fitted) -> Table:
    """Log-likelihood and criteria."""
    values = (fit.log_likelihood, len(fit.parameters), fit.aic, fit.bic)
    return Table(("Log-likelihood", "Parameters", "AIC", "BIC"), (tuple(number(float(v), 8) for v in values),))


def parameter_rows(fit: Fitted) -> Table:
    """Estimates with errors and intervals."""
    errors, ends = fit.standard_errors, fit.interval()
    rows = tuple(
        (name, with_error(v, errors[name]), *(number(e, 5) if np.isfinite(e) else "–" for e in ends[name]))
        for name, v in fit.parameters.items()
    )
    return Table(("Parameter", "Estimate", "2.5 %", "97.5 %"), rows, frozenset({0}))


def figures(fit: StateSpaceFit) -> list[list[Figure]]:
    """Figures in rows."""
    parts = fit.components()
    shown = [_part(name, p) for name, p in parts.items()] if len(parts) > 1 else []
    rows = [shown[i : i + 2] for i in range(0, len(shown), 2)]
    caption = (
        "Points: the series. Solid: the signal under the noise, given all of it; dashed: the forecast. Bands hold the signal, "
        "and the values to come, with probability 95 % at each time, the estimates taken as known."
    )
    return [[series_figure(fit, "signal", caption)], *rows, [error_figure(fit)]]


def series_figure(fit: Fitted, under_name: str, caption: str) -> Figure:
    """The series, what lies under its noise, and the values to come."""
    n = len(fit.values)
    states, h = fit.model.smooth(fit.values), fit.model.observation[0]
    spread = jnp.einsum("d,tde,e->t", h, states.covariance, h)
    under, deviation = np.asarray(states.mean @ h + fit.model.observation_offset[0]), np.sqrt(np.maximum(spread, 0.0))
    ahead = fit.forecast(max(int(_AHEAD * n), 5))
    time, later = np.arange(n, dtype=float), n + np.arange(len(ahead.loc), dtype=float)
    inner, outer = _band(time, under, deviation), _band(later, ahead.loc, ahead.scale)
    seen = np.isfinite(fit.values)
    low, high = (f([f(fit.values[seen]), f(b.low[1]), f(b.high[1])]) for f, b in ((np.min, outer), (np.max, outer)))
    pad = 0.04 * (high - low)
    at_x = charts.axis("x", "Time", domain=(0.0, float(later[-1])))
    at_y = charts.axis("y", "Value", domain=(float(low - pad), float(high + pad)))
    tips = [alt.Tooltip("x:Q", title="Time"), alt.Tooltip("y:Q", title="Value")]
    names = [under_name, "forecast"]
    lines = charts.lines(names, [time, later], [under, np.asarray(ahead.loc)], at_x, at_y)
    chart = (
        charts.region(inner, at_x, at_y)
        + charts.region(outer, at_x, at_y)
        + charts.dots(time[seen], fit.values[seen], at_x, at_y, tips)
        + lines
    )
    rows = tuple(
        (number(t), number(m), number(m - _REACH * s), number(m + _REACH * s))
        for t, m, s in zip(later, np.asarray(ahead.loc), np.asarray(ahead.scale), strict=True)
    )
    spoken = f"A series of {n} times with its {under_name} and a forecast of {len(later)} more, from {number(float(ahead.loc[0]), 4)}."
    return Figure(
        f"Series, {under_name} and forecast",
        caption,
        spoken,
        chart.properties(width=900),
        Table(("Time", "Forecast", "2.5 %", "97.5 %"), rows),
    )


def _band(time: np.ndarray, mean: Any, deviation: Any) -> Band:
    loc, reach = np.asarray(mean), _REACH * np.asarray(deviation)
    return Band((time, loc - reach), (time, loc + reach))


def _part(name: str, law: Normal) -> Figure:
    """What one part adds."""
    time = np.arange(len(law.loc), dtype=float)
    band = _band(time, law.loc, law.scale)
    low, high = float(band.low[1].min()), float(band.high[1].max())
    pad = 0.04 * (high - low)
    at_x = charts.axis("x", "Time", domain=(0.0, float(time[-1])))
    at_y = charts.axis("y", name, domain=(low - pad, high + pad))
    chart = charts.region(band, at_x, at_y) + charts.lines([name], [time], [np.asarray(law.loc)], at_x, at_y)
    rows = tuple(
        (number(t), number(m), number(s))
        for t, m, s in zip(time, np.asarray(law.loc), np.asarray(law.scale), strict=True)
    )
    caption = f"What {name} adds to the series at each time, given all of it, with a 95 % band."
    return Figure(name.capitalize(), caption, caption, chart, Table(("Time", "Mean", "Deviation"), rows))


def error_figure(fit: Fitted) -> Figure:
    """One-step prediction errors."""
    errors = np.asarray(fit.residuals())
    known = np.isfinite(errors)
    time = np.arange(len(errors), dtype=float)
    reach = 1.1 * max(3.0, float(np.abs(errors[known]).max()))
    at_x = charts.axis("x", "Time", domain=(0.0, float(time[-1])))
    at_y = charts.axis("y", "Error, in deviations", domain=(-reach, reach))
    ends, flat = time[[0, -1]], np.full(2, _REACH)
    tips = [alt.Tooltip("x:Q", title="Time"), alt.Tooltip("y:Q", title="Error")]
    chart = charts.region(Band((ends, -flat), (ends, flat)), at_x, at_y)
    chart += charts.dots(time[known], errors[known], at_x, at_y, tips)
    outside = int((np.abs(errors[known]) > _REACH).sum())
    x = errors[known] - errors[known].mean()
    lag = float((x[1:] * x[:-1]).sum() / (x * x).sum())
    caption = (
        f"One-step prediction errors, which are independent and standard normal if the model is true: {outside} of "
        f"{known.sum()} lie outside the 95 % band, where {0.05 * known.sum():.1f} are expected; correlation with the one "
        f"before {decimal(lag)}, of which the standard error is {1.0 / np.sqrt(known.sum()):.2f}."
    )
    rows = tuple((number(t), number(e)) for t, e in zip(time[known], errors[known], strict=True))
    return Figure("Prediction errors", caption, caption, chart.properties(width=900), Table(("Time", "Error"), rows))


def method(fit: StateSpaceFit) -> list[str]:
    """How the numbers were made."""
    unknown = sum(fit.model.diffuse)
    return [
        "By maximum likelihood, from several starts, then by Newton's method. The likelihood is exact"
        + (f", with a flat prior on {counted(unknown, 'first state')}." if unknown else "."),
        "Standard errors come from the observed information, mapped to the parameters shown; intervals of variances are "
        "made on their logarithms. A variance estimated as 0 has none.",
        "Signal and parts are those of Kalman's smoother.",
    ]
