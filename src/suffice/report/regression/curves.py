"""The fit over its inputs, with its bands; targets over fitted values."""

from typing import Any

import altair as alt
import numpy as np

from suffice.report import charts
from suffice.report.bands import Band
from suffice.report.charts import Figure
from suffice.report.regression import parts
from suffice.report.regression.diagnosed import Curve, Diagnosed
from suffice.report.tables import Table, number


def fit_figure(seen: Diagnosed) -> Figure:
    """The curve over the only input, with the bands of the curve and of new targets."""
    name = seen.fit.design.input_names[0]
    low, high = seen.range_of(name)
    at = np.linspace(low, high, parts.GRID)
    curve = seen.curve({name: at})
    points = None if seen.rows is None else (seen.column(name), seen.targets)
    x = charts.axis("x", name, domain=parts.wider(low, high))
    y = charts.axis("y", seen.target + seen.less_offset, domain=_reach(curve, points), tickCount=6)
    bands = curve.bands
    layers = [*(charts.region(Band((at, a), (at, b)), x, y) for a, b in bands), parts.line(at, curve.mean, x, y)]
    if points is not None:
        layers.insert(len(layers) - 1, charts.dots(*points, x, y, parts.tips(name, seen.target)))
    ends = np.interp([low, high], at, curve.mean)
    spoken = (
        f"Fitted curve of {seen.target} over {name}, from {number(ends[0], 4)} at {number(low, 4)} to {number(ends[1], 4)} "
        f"at {number(high, 4)}, highest {number(curve.mean.max(), 4)}, lowest {number(curve.mean.min(), 4)}."
    )
    told = (
        "",
        f" Band: {parts.LEVEL} {seen.band_word} of it.",
        f" Inner band: {parts.LEVEL} {seen.band_word} of it; outer band: where a new target lies with probability "
        f"{parts.LEVEL}.",
    )
    caption = f"Line: {seen.mean_word}.{told[len(bands)]}"
    few = np.unique(np.linspace(0, parts.GRID - 1, parts.ROWS).round().astype(int))
    columns = [at, curve.mean, *(end for band in reversed(bands) for end in band)]
    table = Table(
        (name, "Mean", "Its 2.5 %", "Its 97.5 %", "New: 2.5 %", "New: 97.5 %")[: len(columns)],
        tuple(tuple(number(float(c[i]), 5) for c in columns) for i in few),
    )
    return Figure("Fit", caption + seen.sampled_word, spoken, alt.layer(*layers), table)


def part_figure(seen: Diagnosed, name: str) -> Figure | None:
    """How the mean depends on one of several inputs, the others held; None where it does not."""
    low, high = seen.range_of(name)
    at = np.linspace(low, high, parts.GRID)
    curve = seen.curve({name: at})
    if not curve.mean.max() - curve.mean.min() > 1e-12 * np.abs(curve.mean).max():
        return None
    column, bands = seen.column(name), curve.bands[-1:]
    points = column, np.interp(column, at, curve.mean) + seen.residuals
    x = charts.axis("x", name, domain=parts.wider(low, high))
    y = charts.axis(
        "y", f"{seen.target}{seen.less_offset}, other inputs held", domain=_reach(curve, points, new=False), tickCount=6
    )
    chart = alt.layer(
        *(charts.region(Band((at, a), (at, b)), x, y) for a, b in bands),
        charts.dots(*points, x, y, parts.tips(name, "partial")), parts.line(at, curve.mean, x, y),
    )  # fmt: skip
    caption = (
        f"Line: {seen.mean_word} over {name} with the other inputs at their medians, or most frequent values"
        f"{f', and its {parts.LEVEL} band' if bands else ''}. Points: the line plus each row's residual."
    )
    spoken = (
        f"{seen.target} over {name} with other inputs held: from {number(curve.mean[0], 4)} at {number(low, 4)} to "
        f"{number(curve.mean[-1], 4)} at {number(high, 4)}."
    )
    few = np.unique(np.linspace(0, parts.GRID - 1, parts.ROWS).round().astype(int))
    columns = [at, curve.mean, *(end for band in bands for end in band)]
    cells = tuple(tuple(number(float(c[i]), 5) for c in columns) for i in few)
    heads = (name, "Mean", "2.5 %", "97.5 %")[: len(columns)]
    return Figure(f"Part of {name}", caption, spoken, chart, Table(heads, cells))


def observed_figure(seen: Diagnosed) -> Figure:
    """Targets over fitted values."""
    fitted, targets = seen.fitted, seen.whole_targets
    ends = np.array([min(fitted.min(), targets.min()), max(fitted.max(), targets.max())])
    x = charts.axis("x", "Fitted", domain=parts.wider(*parts.ends(fitted)))
    y = charts.axis("y", seen.target, domain=parts.wider(*parts.ends(targets)), tickCount=6)
    line = alt.Chart(charts.rows(x=ends, y=ends)).mark_line(style="agreement", clip=True)
    chart = line.encode(x=alt.X(**x), y=alt.Y(**y)) + charts.dots(
        fitted, targets, x, y, parts.tips("fitted", seen.target)
    )
    correlation = float(np.corrcoef(fitted, targets)[0, 1]) if np.ptp(fitted) * np.ptp(targets) > 0 else float("nan")
    spoken = (
        f"{seen.target} against fitted values, {len(fitted)} points from {number(float(fitted.min()), 4)} to "
        f"{number(float(fitted.max()), 4)}, correlation {number(correlation, 3)}."
    )
    caption = f"On the line, the fit is right.{seen.sampled_word}"
    return Figure("Observed and fitted", caption, spoken, chart, parts.far(seen))


def _reach(curve: Curve, points: Any, new: bool = True) -> tuple[float, float]:
    """How high a figure of a curve is: all points, and bands as far as they do not dwarf these."""
    bands = curve.bands[:1] if new else curve.bands[-1:]
    inside = np.concatenate([curve.mean, *(end for band in bands for end in band)])
    inside = inside[np.isfinite(inside)]
    if points is None:
        return parts.wider(*parts.ends(inside))
    low, high = parts.ends(points[1])
    room = 0.6 * ((high - low) or 1.0)
    return parts.wider(min(low, max(inside.min(), low - room)), max(high, min(inside.max(), high + room)))
