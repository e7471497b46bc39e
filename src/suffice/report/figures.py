"""Charts of result objects, each with its caption, its description in words and the numbers behind it."""

import itertools
from typing import Any

import altair as alt
import numpy as np

from suffice.inference.rank import Candidate, Ranking
from suffice.inference.result import Fit
from suffice.report import charts
from suffice.report.bands import Band, Comparison
from suffice.report.charts import Figure
from suffice.report.empirical import Empirical, evaluate, masses, spread_places
from suffice.report.tables import Table, listed, number, share

SHOWN = 3  # families drawn into one figure
_GRID = 512


def best(ranking: Ranking) -> list[Candidate]:
    """The families that figures show: the first three that are not a limit of another."""
    return [c for c in ranking.candidates if c.fit.limit is None][:SHOWN]


def places_of(p: Any, low: float, high: float) -> np.ndarray:
    """Where a density is drawn: evenly between two ends, at the integers where it has none between them."""
    if not p.discrete:
        return np.linspace(low, high, _GRID)
    step = max(1.0, np.ceil((high - low) / _GRID))
    return np.arange(np.ceil(low), high + 0.5, step)


# -- figures of a ranking --------------------------------------------------------------------------------------------


def histogram(ranking: Ranking, empirical: Empirical) -> Figure:
    """The data with the densities, or the probabilities, of the best families."""
    shown = best(ranking)
    names = [c.name for c in shown]
    edges, shares = empirical.bins, empirical.shares()
    width = edges[1] - edges[0]
    fitted = [masses(c.fit.distribution, edges) for c in shown]
    each = empirical.tabulated and width == 1.0
    heights = shares if each else shares / width
    if each:
        curves = [((edges[:-1] + edges[1:]) / 2.0, m) for m in fitted]
    else:
        grids = [places_of(c.fit.distribution, edges[0], edges[-1]) for c in shown]
        curves = [(g, evaluate(c.fit.distribution.prob, g)) for g, c in zip(grids, shown, strict=True)]
    # a density may be infinite at an end: the bars decide how high the figure is
    reach = [float(np.max(y, where=np.isfinite(y), initial=0.0)) for _, y in curves]
    top = 1.06 * max([heights.max(), *(min(r, 1.6 * heights.max()) for r in reach)])
    x = charts.axis("x", ranking.name, domain=(edges[0], edges[-1]), **charts.ticks(each))
    y = charts.axis(
        "y", "Share of the data" if each else "Density: share of the data per unit", domain=(0.0, top), tickCount=5
    )
    pad = width * (0.05 if each else 0.015)
    data = charts.rows(x=edges[:-1] + pad, x2=edges[1:] - pad, y=heights, from_=edges[:-1], to=edges[1:], share=shares)
    tips = [
        alt.Tooltip("from_:Q", title="from"),
        alt.Tooltip("to:Q", title="to"),
        alt.Tooltip("share:Q", title="share of the data", format=".3~p"),
    ]
    bars = alt.Chart(data).mark_bar(style="bar-of-data", clip=True)
    bars = bars.encode(x=alt.X(**x), x2="x2", y=alt.Y(**y), y2=alt.datum(0.0), tooltip=tips)
    lines = charts.lines(names, [c[0] for c in curves], [c[1] for c in curves], x, y, points=each)
    kind = "probabilities" if each else "densities"
    caption = f"Bars: the data. Lines: the fitted {kind} of {listed(names)}."
    below, above = empirical.beyond()
    if below > 0 or above > 0:
        sides = [(below, f"below {number(edges[0])}"), (above, f"above {number(edges[-1])}")]
        left = [f"{100 * part:.2g} % {where}" for part, where in sides if part > 0]
        caption += f" Not drawn: {listed(left)}; the tail plot has them."
    if empirical.sampled:
        caption += f" Bars are from a random sample of {number(empirical.count)} observations."
    highest = int(heights.argmax())
    spoken = (
        f"Histogram of {ranking.name} in {len(heights)} bins from {number(edges[0])} to {number(edges[-1])}, "
        f"highest from {number(edges[highest])} to {number(edges[highest + 1])} with {100 * shares[highest]:.3g} % "
        f"of the data, and the fitted {kind} of {listed(names)}."
    )
    if each:
        places = [(number(k),) for k in curves[0][0]]
        headers: tuple[str, ...] = ("Value", "Data", *names)
    else:
        places = [(number(a), number(b)) for a, b in itertools.pairwise(edges)]
        headers = ("From", "To", "Data", *names)
    rows = tuple(
        (*place, *(f"{100 * v:.3g} %" for v in values)) for place, *values in zip(places, shares, *fitted, strict=True)
    )
    return Figure("Data and best fits", caption, spoken, bars + lines, Table(headers, rows))


def _against(
    x: Any, y: Any, points: tuple[np.ndarray, np.ndarray], band: Band | None, ends: np.ndarray, tips: Any
) -> Any:
    line = (
        alt.Chart(charts.rows(x=ends, y=ends))
        .mark_line(style="agreement", clip=True)
        .encode(x=alt.X(**x), y=alt.Y(**y))
    )
    region = [charts.region(band, x, y)] if band is not None else []
    return alt.layer(*region, line, charts.dots(*points, x, y, tips))


def _band_words(c: Comparison) -> str:
    if c.censored:
        return "Shares of the data are estimated from what is known of the censored ones; there is no band."
    if c.quantile_band is None:
        return "There is no band, since the weights are not whole numbers."
    how = (
        "with the family refitted to each bootstrap sample" if c.refitted else "with parameters held at their estimates"
    )
    words = (
        f"Shaded: where 95 % of points would lie, each by itself, were the family true ({how}); "
        f"{c.outside} of the {len(c.data)} points lie outside."
    )
    return words + (f" Drawn from a random sample of {number(c.count)} observations." if c.sampled else "")


def quantile_plot(ranking: Ranking, name: str, c: Comparison, heavy: bool) -> Figure:
    """Quantiles of the data against those of a fit."""
    low, high = float(c.data.min()), float(c.data.max())
    finite = c.quantiles[np.isfinite(c.quantiles)]
    first, last = float(finite.min()), float(finite.max())
    log = heavy and first > 0.0
    x = charts.axis("x", f"Quantile of the fitted {name}", domain=_wider(first, last, log), log=log)
    y = charts.axis("y", f"Quantile of {ranking.name}", domain=_wider(low, high, log), log=log)
    tips = [alt.Tooltip("x:Q", title="fitted"), alt.Tooltip("y:Q", title="data")]
    ends = np.array([min(low, first), max(high, last)])
    chart = _against(x, y, (c.quantiles, c.data), c.quantile_band, ends, tips)
    upper, at = float(c.quantiles[-1]), float(c.data[-1])
    spoken = (
        f"Q–Q plot of {ranking.name} against the fitted {name}, {len(c.data)} points. The largest value is "
        f"{number(at)}, where the fit puts {number(upper)}; the smallest {number(float(c.data[0]))}, where the fit "
        f"puts {number(float(c.quantiles[0]))}. {c.outside} points lie outside the band."
    )
    rows = tuple((share(s), number(q), number(v)) for s, q, v in zip(c.shares, c.quantiles, c.data, strict=True))
    caption = f"On the line, data and fit agree. {_band_words(c)}"
    table = Table(("Share of the data", f"Quantile of {name}", "Quantile of the data"), rows)
    return Figure(f"Q–Q plot: {name}", caption, spoken, chart, table)


def probability_plot(ranking: Ranking, name: str, c: Comparison) -> Figure:
    """Shares of the data up to each value against the probabilities of a fit."""
    percent = {"format": "~p", "tickCount": 5}
    x = charts.axis("x", f"Probability under the fitted {name}", domain=(0.0, 1.0), **percent)
    y = charts.axis("y", f"Share of {ranking.name}", domain=(0.0, 1.0), **percent)
    tips = [alt.Tooltip("x:Q", title="fitted", format=".3~p"), alt.Tooltip("y:Q", title="data", format=".3~p")]
    points = c.probabilities, c.shares
    chart = _against(x, y, points, c.probability_band, np.array([0.0, 1.0]), tips)
    gaps = c.shares - c.probabilities
    widest = int(np.abs(gaps).argmax())
    spoken = (
        f"P–P plot of {ranking.name} against the fitted {name}, {len(c.data)} points. They differ most at "
        f"{number(float(c.data[widest]))}: {100 * c.shares[widest]:.3g} % of the data lie up to there, and "
        f"{100 * c.probabilities[widest]:.3g} % of the fit. {c.outside} points lie outside the band."
    )
    rows = tuple((number(v), share(p), share(s)) for v, p, s in zip(c.data, c.probabilities, c.shares, strict=True))
    caption = f"The same in probabilities, where the middle shows best. {_band_words(c)}"
    table = Table(("Value", f"Probability under {name}", "Share of the data"), rows)
    return Figure(f"P–P plot: {name}", caption, spoken, chart, table)


def _wider(low: float, high: float, log: bool = False) -> tuple[float, float]:
    if log:
        margin = (high / low) ** 0.03
        return low / margin, high * margin
    margin = 0.03 * (high - low) or 1.0
    return low - margin, high + margin


def survival_plot(ranking: Ranking, empirical: Empirical) -> Figure:
    """What lies beyond each value by Kaplan and Meier's or Turnbull's estimate, with its band, and by the best families."""
    e = empirical.estimate
    if e is None:
        raise ValueError("only censored data have a survival estimate")
    shown = best(ranking)
    names = [c.name for c in shown]
    finite = np.isfinite(e.right)
    steps, survival = e.right[finite], 1.0 - np.cumsum(e.mass)[finite]
    kept = spread_places(len(steps))
    low, high = float(empirical.values[0]), float(empirical.values[-1])
    start = min(low, 0.0) if low > 0.0 else low
    grid = np.linspace(start, high + 0.05 * (high - low), _GRID)
    x = charts.axis("x", ranking.name, domain=(grid[0], grid[-1]))
    y = charts.axis("y", "Share beyond", domain=(0.0, 1.0), format="~p", tickCount=5)
    lines = charts.lines(names, [grid] * len(shown), [evaluate(c.fit.distribution.sf, grid) for c in shown], x, y)
    tips = [alt.Tooltip("x:Q", title="value"), alt.Tooltip("y:Q", title="share beyond", format=".3~p")]
    layers = [lines + charts.dots(steps[kept], survival[kept], x, y, tips)]
    known = kept[np.isfinite(e.lower[finite][kept])]
    if len(known):
        band = Band((steps[known], 1.0 - e.upper[finite][known]), (steps[known], 1.0 - e.lower[finite][known]))
        layers.insert(0, charts.region(band, x, y))
    how = "Kaplan and Meier's" if e.method == "kaplan-meier" else "Turnbull's"
    caption = f"Points: what lies beyond each value, by {how} estimate. Lines: the same for {listed(names)}."
    if len(known):
        caption += " Shaded: 95 % confidence band of the estimate, at each value by itself."
    if empirical.sampled:
        caption += f" Points are from {number(empirical.count)} of the observations."
    spoken = (
        f"Survival function of {ranking.name} by {how} estimate at {len(steps)} values from {number(low)} to "
        f"{number(high)}, against {listed(names)}."
    )
    fitted = [evaluate(c.fit.distribution.sf, steps[kept]) for c in shown]
    rows = tuple(
        (number(v), *(share(s) for s in row)) for v, *row in zip(steps[kept], survival[kept], *fitted, strict=True)
    )
    return Figure("Beyond each value", caption, spoken, alt.layer(*layers), Table(("Value", "Data", *names), rows))


def tail_plot(ranking: Ranking, empirical: Empirical) -> Figure:
    """How the share of the data beyond a value falls off, with the best families, on a logarithmic scale."""
    shown = best(ranking)
    names = [c.name for c in shown]
    places = empirical.tail()
    values = empirical.values[places]
    shares = (empirical.at_least if empirical.tabulated else 1.0 - empirical.middle)[places]
    low, high = float(empirical.values[0]), float(empirical.values[-1])
    log = empirical.heavy
    least = 0.3 / empirical.count
    grid = np.geomspace(low, 1.5 * high, _GRID) if log else np.linspace(low, high + 0.05 * (high - low), _GRID)
    curves = []
    for c in shown:
        p = c.fit.distribution
        g = np.unique(np.floor(grid)) if p.discrete else grid
        curves.append((g, evaluate(p.sf, g - 0.5 if empirical.tabulated else g)))
    kept = [(g[s > least / 3.0], s[s > least / 3.0]) for g, s in curves]
    powers = [10.0**-k for k in range(int(np.floor(-np.log10(least))) + 1)]
    x = charts.axis(
        "x", ranking.name, domain=(grid[0], grid[-1]), log=log, **charts.ticks(empirical.tabulated and not log)
    )
    y = charts.axis("y", "Share at or above", domain=(least, 1.2), log=True, values=powers, format="~%")
    tips = [alt.Tooltip("x:Q", title="value"), alt.Tooltip("y:Q", title="share at or above", format=".3~%")]
    lines = charts.lines(names, [k[0] for k in kept], [k[1] for k in kept], x, y)
    fitted = [evaluate(c.fit.distribution.sf, values - 0.5 if empirical.tabulated else values) for c in shown]
    rows = tuple((number(v), *(number(s, 3) for s in row)) for v, *row in zip(values, shares, *fitted, strict=True))
    beyond = ", ".join(f"{name} {number(f[-1], 2)}" for name, f in zip(names, fitted, strict=True))
    spoken = (
        f"Share of {ranking.name} at or above each value, on a logarithmic scale, against {listed(names)}. At the "
        f"largest value, {number(high)}, the data have {number(float(shares[-1]), 2)} and the fits {beyond}."
    )
    scales = (
        "Both scales are logarithmic: a straight line is a power law." if log else "The vertical scale is logarithmic."
    )
    caption = f"Points: the share of the data at or above a value. Lines: the same for {listed(names)}. {scales}"
    if empirical.sampled:
        caption += f" Points are from a random sample of {number(empirical.count)} observations."
    return Figure(
        "The tail",
        caption,
        spoken,
        lines + charts.dots(values, shares, x, y, tips),
        Table(("Value", "Data", *names), rows),
    )


# -- figures of one fit ----------------------------------------------------------------------------------------------


def _span(p: Any) -> np.ndarray:
    """Where a distribution is drawn: all but a thousandth of it on either side, to the end of its support if near."""
    low, high = (float(p.icdf(q)) for q in (0.001, 0.999))
    ends = p.support()
    near = 0.1 * (high - low)
    low = float(ends.lower) if low - float(ends.lower) < near else low
    high = float(ends.upper) if float(ends.upper) - high < near else high
    return places_of(p, low, high)


def density(fit: Fit) -> Figure:
    """The density, or the probabilities, of a fit."""
    p = fit.distribution
    x = _span(p)
    y = evaluate(p.prob, x)
    middle = float(np.quantile(y[np.isfinite(y)], 0.9))
    top = float(np.max(y, where=np.isfinite(y), initial=0.0))
    told = "Probability" if p.discrete else "Density"
    axes = (
        charts.axis("x", "Value", domain=_wider(x[0], x[-1])),
        charts.axis("y", told, domain=(0.0, 1.06 * min(top, 6.0 * middle))),
    )
    chart = _curve(x, y, *axes, points=p.discrete and len(x) <= 80)
    peak = float(x[int(np.nanargmax(y))])
    spoken = (
        f"{told} of the fitted {fit.family.name} from {number(x[0])} to {number(x[-1])}, highest near {number(peak)}."
    )
    return _figure(told, f"{told} of the fitted {fit.family.name}.", spoken, chart, x, y)


def distribution_function(fit: Fit) -> Figure:
    """The distribution function of a fit."""
    p = fit.distribution
    x = _span(p)
    y = evaluate(p.cdf, x)
    axes = (
        charts.axis("x", "Value", domain=_wider(x[0], x[-1])),
        charts.axis("y", "Probability up to here", domain=(0.0, 1.03), format="~p", tickCount=5),
    )
    chart = _curve(x, y, *axes, interpolate="step-after" if p.discrete else "linear")
    median = number(float(p.median()))
    spoken = f"Distribution function of the fitted {fit.family.name}, with median {median}."
    return _figure("Distribution function", f"Half of the probability lies up to {median}.", spoken, chart, x, y)


def _curve(
    x: np.ndarray, y: np.ndarray, x_axis: Any, y_axis: Any, points: bool = False, interpolate: str = "linear"
) -> Any:
    tips = [alt.Tooltip("x:Q", title="value"), alt.Tooltip("y:Q", title=y_axis["title"].lower())]
    base = alt.Chart(charts.rows(x=x, y=y)).encode(x=alt.X(**x_axis), y=alt.Y(**y_axis), tooltip=tips)
    line = base.mark_line(style="agreement", strokeWidth=2.5, clip=True, interpolate=interpolate)  # type: ignore[arg-type]
    return line + base.mark_circle(style="point-of-data", size=40) if points else line


def _figure(title: str, caption: str, spoken: str, chart: Any, x: np.ndarray, y: np.ndarray) -> Figure:
    few = np.linspace(0, len(x) - 1, min(len(x), 64)).astype(int)
    rows = tuple((number(a, 5), number(b, 4)) for a, b in zip(x[few], y[few], strict=True))
    return Figure(title, caption, spoken, chart, Table(("Value", title), rows))
