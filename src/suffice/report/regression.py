"""Regressions drawn: the fit with its bands, its parts by input, residuals, their quantiles, leverage, and model order."""

from typing import Any

import altair as alt
import numpy as np

from suffice.models.regression.bayesian.evidence import ModelOrder
from suffice.report import charts
from suffice.report.bands import Band
from suffice.report.charts import Figure
from suffice.report.empirical import spread_places
from suffice.report.regressed import Curve, Regressed
from suffice.report.tables import Table, counted, number, share

MOST_INPUTS = 6  # of which parts are drawn
_GRID, _ROWS, _LISTED, _REPLICATES = 256, 21, 24, 199
_LEVEL = "95 %"


def figures(seen: Regressed, order: ModelOrder | None = None) -> list[list[Figure]]:
    """All that there is to draw, in rows."""
    found = []
    if seen.alone:
        found.append([fit_figure(seen)])
    if seen.rows is not None:
        if not seen.alone:
            parts = [p for name in seen.numeric[:MOST_INPUTS] if (p := part_figure(seen, name)) is not None]
            found += [[observed_figure(seen)], *(parts[i : i + 2] for i in range(0, len(parts), 2))]
        if seen.spread:
            found += [[residual_figure(seen), quantile_figure(seen)], [leverage_figure(seen)]]
    if order is not None and len(order.fits) > 1:
        found.append([order_figure(order)])
    return found


def overview(seen: Regressed) -> list[Figure]:
    """The fit, and its residuals where the data are there."""
    if seen.rows is None:
        if not seen.alone:
            raise ValueError("a regression on several inputs is drawn with its data, and a summary has none")
        return [fit_figure(seen)]
    return [
        fit_figure(seen) if seen.alone else observed_figure(seen),
        *([residual_figure(seen)] if seen.spread else []),
    ]


# -- the fit ---------------------------------------------------------------------------------------------------------


def fit_figure(seen: Regressed) -> Figure:
    """The curve over the only input, with the bands of the curve and of new targets."""
    name = seen.fit.design.input_names[0]
    low, high = seen.range_of(name)
    at = np.linspace(low, high, _GRID)
    curve = seen.curve({name: at})
    points = None if seen.rows is None else (seen.column(name), seen.targets)
    x = charts.axis("x", name, domain=_wider(low, high))
    y = charts.axis("y", seen.target + seen.less_offset, domain=_reach(curve, points), tickCount=6)
    layers = [charts.region(Band((at, curve.new_low), (at, curve.new_high)), x, y)]
    layers += [charts.region(Band((at, curve.low), (at, curve.high)), x, y), _line(at, curve.mean, x, y)]
    if points is not None:
        layers.insert(2, charts.dots(*points, x, y, _tips(name, seen.target)))
    ends = np.interp([low, high], at, curve.mean)
    spoken = (
        f"Fitted curve of {seen.target} over {name}, from {number(ends[0], 4)} at {number(low, 4)} to {number(ends[1], 4)} "
        f"at {number(high, 4)}, highest {number(curve.mean.max(), 4)}, lowest {number(curve.mean.min(), 4)}."
    )
    caption = (
        f"Line: {seen.mean_word}. Inner band: {_LEVEL} {seen.band_word} of it; outer band: where a new target lies with "
        f"probability {_LEVEL}."
    )
    few = np.unique(np.linspace(0, _GRID - 1, _ROWS).round().astype(int))
    columns = (at, curve.mean, curve.low, curve.high, curve.new_low, curve.new_high)
    table = Table(
        (name, "Mean", "Its 2.5 %", "Its 97.5 %", "New: 2.5 %", "New: 97.5 %"),
        tuple(tuple(number(float(c[i]), 5) for c in columns) for i in few),
    )
    return Figure("Fit", caption + seen.sampled_word, spoken, alt.layer(*layers), table)


def part_figure(seen: Regressed, name: str) -> Figure | None:
    """How the mean depends on one of several inputs, the others held; None where it does not."""
    low, high = seen.range_of(name)
    at = np.linspace(low, high, _GRID)
    curve = seen.curve({name: at})
    if not curve.mean.max() - curve.mean.min() > 1e-12 * np.abs(curve.mean).max():
        return None
    column = seen.column(name)
    points = column, np.interp(column, at, curve.mean) + seen.residuals
    x = charts.axis("x", name, domain=_wider(low, high))
    y = charts.axis("y", f"{seen.target}, other inputs held", domain=_reach(curve, points, new=False), tickCount=6)
    chart = alt.layer(
        charts.region(Band((at, curve.low), (at, curve.high)), x, y), charts.dots(*points, x, y, _tips(name, "partial")),
        _line(at, curve.mean, x, y),
    )  # fmt: skip
    caption = (
        f"Line: {seen.mean_word} over {name} with the other inputs at their medians, or most frequent values, and its "
        f"{_LEVEL} band. Points: the line plus each row's residual."
    )
    spoken = (
        f"{seen.target} over {name} with other inputs held: from {number(curve.mean[0], 4)} at {number(low, 4)} to "
        f"{number(curve.mean[-1], 4)} at {number(high, 4)}."
    )
    few = np.unique(np.linspace(0, _GRID - 1, _ROWS).round().astype(int))
    cells = tuple(tuple(number(float(c[i]), 5) for c in (at, curve.mean, curve.low, curve.high)) for i in few)
    return Figure(f"Part of {name}", caption, spoken, chart, Table((name, "Mean", "2.5 %", "97.5 %"), cells))


def observed_figure(seen: Regressed) -> Figure:
    """Targets over fitted values."""
    fitted, targets = seen.fitted, seen.whole_targets
    ends = np.array([min(fitted.min(), targets.min()), max(fitted.max(), targets.max())])
    x = charts.axis("x", "Fitted", domain=_wider(*_ends(fitted)))
    y = charts.axis("y", seen.target, domain=_wider(*_ends(targets)), tickCount=6)
    line = alt.Chart(charts.rows(x=ends, y=ends)).mark_line(style="agreement", clip=True)
    chart = line.encode(x=alt.X(**x), y=alt.Y(**y)) + charts.dots(fitted, targets, x, y, _tips("fitted", seen.target))
    correlation = float(np.corrcoef(fitted, targets)[0, 1]) if np.ptp(fitted) * np.ptp(targets) > 0 else float("nan")
    spoken = (
        f"{seen.target} against fitted values, {len(fitted)} points from {number(float(fitted.min()), 4)} to "
        f"{number(float(fitted.max()), 4)}, correlation {number(correlation, 3)}."
    )
    caption = f"On the line, the fit is right.{seen.sampled_word}"
    return Figure("Observed and fitted", caption, spoken, chart, _far(seen))


# -- residuals -------------------------------------------------------------------------------------------------------


def residual_figure(seen: Regressed) -> Figure:
    """Studentised residuals over fitted values, with their running mean."""
    fitted, r = seen.fitted, seen.diagnostics.studentised
    kept = np.isfinite(r)
    fitted, r = fitted[kept], r[kept]
    reach = 1.1 * max(3.0, float(np.abs(r).max(initial=0.0)))
    x = charts.axis("x", "Fitted", domain=_wider(*_ends(fitted)))
    y = charts.axis("y", f"{seen.residual_word} residual", domain=(-reach, reach), tickCount=6)
    across = np.array(_wider(*_ends(fitted)))
    layers = [
        charts.region(Band((across, np.full(2, -1.96)), (across, np.full(2, 1.96))), x, y),
        charts.dots(fitted, r, x, y, _tips("fitted", "residual")),
    ]
    caption = "Shaded: where 95 % of residuals lie if the model holds."
    order = np.argsort(fitted, kind="stable")
    pieces = np.array_split(order, min(20, len(order) // 12)) if len(order) >= 60 else []
    centres = [(fitted[p].mean(), r[p].mean()) for p in pieces]
    if len({round(c[0], 12) for c in centres}) > 2:
        across, means = np.array(centres).T
        layers.append(_line(across, means, x, y))
        caption += " Line: their mean among neighbours, which stays near 0 if no curve is missed."
    outside = int((np.abs(r) > 1.96).sum())
    spoken = (
        f"{seen.residual_word} residuals of {seen.target} over fitted values, {len(r)} points, {outside} beyond 1.96, the "
        f"farthest {number(float(r[np.abs(r).argmax()]), 3)}."
    )
    return Figure("Residuals", caption + seen.sampled_word, spoken, alt.layer(*layers), _far(seen))


def quantile_figure(seen: Regressed) -> Figure:
    """Normal scores of the residuals over normal quantiles, with the band in which they would lie."""
    scores = seen.scores
    kept = np.isfinite(scores)
    scores, n = np.sort(scores[kept]), int(kept.sum())
    shares = (np.arange(n) + 0.5) / n
    wanted = seen.normal_quantiles(shares)
    low, high = _score_band(seen.projection[kept], n)
    places = spread_places(n)
    scores, wanted, shares, low, high = (a[places] for a in (scores, wanted, shares, low, high))
    outside = int(((scores < low) | (scores > high)).sum())
    x = charts.axis("x", "Quantile of the standard normal", domain=_wider(wanted[0], wanted[-1]))
    y = charts.axis("y", "Residual as a normal score", domain=_wider(min(scores[0], low[0]), max(scores[-1], high[-1])))
    ends = wanted[[0, -1]]
    chart = alt.layer(
        charts.region(Band((wanted, low), (wanted, high)), x, y),
        alt.Chart(charts.rows(x=ends, y=ends))
        .mark_line(style="agreement", clip=True)
        .encode(x=alt.X(**x), y=alt.Y(**y)),
        charts.dots(wanted, scores, x, y, [alt.Tooltip("x:Q", title="normal"), alt.Tooltip("y:Q", title="residual")]),
    )
    caption = (
        f"{seen.score_word} Shaded: where 95 % of points would lie, each by itself, were the model true; {outside} of the "
        f"{len(scores)} points lie outside."
    )
    spoken = (
        f"Normal Q–Q plot of {len(scores)} residuals, from {number(float(scores[0]), 3)} where the normal has "
        f"{number(float(wanted[0]), 3)} to {number(float(scores[-1]), 3)} where it has {number(float(wanted[-1]), 3)}; "
        f"{outside} lie outside the band."
    )
    cells = tuple((share(s), number(q, 4), number(v, 4)) for s, q, v in zip(shares, wanted, scores, strict=True))
    table = Table(("Share of the residuals", "Normal quantile", "Residual"), cells)
    return Figure("Normal Q–Q plot", caption, spoken, chart, table)


def _score_band(projection: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the pointwise band of sorted studentised residuals: normal noise less its projection on the columns."""
    noise = np.random.default_rng(0).normal(size=(_REPLICATES, n))
    left = noise - (noise @ projection) @ projection.T
    left /= np.sqrt(np.maximum(1.0 - (projection**2).sum(1), 1e-12))
    free = max(n - projection.shape[1], 1)
    left /= np.sqrt(np.maximum((left**2 * (1.0 - (projection**2).sum(1))).sum(1, keepdims=True) / free, 1e-300))
    low, high = np.quantile(np.sort(left, axis=1), [0.025, 0.975], axis=0)
    return low, high


def leverage_figure(seen: Regressed) -> Figure:
    """Studentised residuals over leverage, with lines of equal Cook's distance."""
    d = seen.diagnostics
    kept = np.isfinite(d.studentised) & (d.leverage < 1.0 - 1e-9)
    h, r, cooks = d.leverage[kept], d.standardised[kept], d.cooks_distance[kept]
    top, reach = 1.08 * float(h.max()), 1.1 * max(2.5, float(np.abs(r).max(initial=0.0)))
    x = charts.axis("x", "Leverage", domain=(0.0, top))
    y = charts.axis("y", "Standardised residual", domain=(-reach, reach), tickCount=6)
    at = np.linspace(top / 200.0, min(top, 0.999), 200)
    paths = {
        f"Cook's distance {level:g}": np.concatenate([
            np.column_stack([at, np.sqrt(level * seen.size * (1.0 - at) / at)]), np.full((1, 2), np.nan),
            np.column_stack([at, -np.sqrt(level * seen.size * (1.0 - at) / at)]),
        ])
        for level in (0.5, 1.0)
    }  # fmt: skip
    within = {k: v for k, v in paths.items() if np.nanmin(np.abs(v[:, 1])) < reach}
    dots = charts.dots(h, r, x, y, _tips("leverage", "residual"))
    chart = charts.outlines(within, x, y) + dots if within else dots
    worst, far = int(cooks.argmax()), int((cooks > 0.5).sum())
    told = "Beyond the lines a row moves the fit much." if within else "No row comes near a Cook's distance of 0.5."
    caption = (
        f"{told} Leverage is the row's own part in its fitted value; its mean is {number(float(d.leverage.mean()), 3)}."
    )
    spoken = (
        f"Residuals over leverage, {len(h)} points, leverage up to {number(float(h.max()), 3)}. Largest Cook's distance "
        f"{number(float(cooks[worst]), 3)}, at leverage {number(float(h[worst]), 3)}; {counted(far, 'row')} above 0.5."
    )
    order = np.flatnonzero(kept)[np.argsort(-cooks)][:_LISTED]
    table = seen.listed(
        order, {"Leverage": d.leverage, "Residual": d.standardised, "Cook's distance": d.cooks_distance}
    )
    return Figure("Leverage", caption + seen.sampled_word, spoken, chart, table)


# -- order -----------------------------------------------------------------------------------------------------------


def order_figure(order: ModelOrder) -> Figure:
    """Log evidence of each model, with probabilities."""
    labels, values = order.labels, order.log_evidences
    drop = values - values.max()
    degrees = all(label.isdigit() for label in labels)
    data = charts.rows(x=np.arange(1, len(labels) + 1), y=drop, family=labels)
    x = (
        alt.X("family:O", title="Degree of the polynomial", sort=list(labels), axis=alt.Axis(labelAngle=0))
        if degrees
        else alt.X("family:N", title="Basis", sort=list(labels), axis=alt.Axis(labelAngle=0, labelLimit=160))
    )
    kept = drop[drop > -40.0]
    y = charts.axis("y", "Log evidence less the best", domain=_wider(kept.min(), 0.0), tickCount=6)
    base = alt.Chart(data).encode(x=x, y=alt.Y(**y), tooltip=[alt.Tooltip("y:Q", title="log evidence less the best")])
    chart = base.mark_line(style="agreement", strokeWidth=2.5, clip=True) if degrees else None
    dots = base.mark_circle(style="point-of-data", size=70, clip=True)
    best = order.best
    what = "Degree" if degrees else "Basis"
    told = f"{what} {labels[best]} has the largest evidence, {number(float(values[best]), 6)}"
    caption = (
        f"{told}, and probability {share(float(order.probabilities[best]))} if all shown are equally probable beforehand. "
        "The evidence weighs fit against complexity: a difference of 3 is twenty to one."
    )
    if len(kept) < len(drop):
        caption += " Models more than 40 below the best are not drawn."
    rows = tuple(
        (label, number(float(v), 7), share(float(p)))
        for label, v, p in zip(labels, values, order.probabilities, strict=True)
    )
    table = Table((what, "Log evidence", "Probability"), rows, frozenset({0}))
    return Figure(
        "Evidence",
        caption,
        f"Evidence of {counted(len(labels), 'model')}. {told}.",
        dots if chart is None else chart + dots,
        table,
    )


# -- parts -----------------------------------------------------------------------------------------------------------


def _line(at: np.ndarray, values: np.ndarray, x: Any, y: Any) -> Any:
    mark = alt.Chart(charts.rows(x=at, y=values)).mark_line(style="agreement", strokeWidth=2.5, clip=True)
    return mark.encode(x=alt.X(**x), y=alt.Y(**y))


def _tips(x: str, y: str) -> list[Any]:
    return [alt.Tooltip("x:Q", title=x), alt.Tooltip("y:Q", title=y)]


def _ends(values: np.ndarray) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _wider(low: float, high: float) -> tuple[float, float]:
    margin = 0.03 * (high - low) or 0.05 * abs(high) or 1.0
    return float(low - margin), float(high + margin)


def _reach(curve: Curve, points: Any, new: bool = True) -> tuple[float, float]:
    """How high a figure of a curve is: all points, and bands as far as they do not dwarf these."""
    bands = [curve.new_low, curve.new_high] if new else [curve.low, curve.high]
    inside = np.concatenate([curve.mean, *bands])
    inside = inside[np.isfinite(inside)]
    if points is None:
        return _wider(*_ends(inside))
    low, high = _ends(points[1])
    room = 0.6 * ((high - low) or 1.0)
    return _wider(min(low, max(inside.min(), low - room)), max(high, min(inside.max(), high + room)))


def _far(seen: Regressed) -> Table:
    """The rows that are farthest from the fit."""
    d = seen.diagnostics
    order = np.argsort(-np.abs(np.nan_to_num(d.standardised)), kind="stable")[:_LISTED]
    return seen.listed(order, {"Fitted": d.fitted, "Residual": d.residuals, f"{seen.residual_word}": d.studentised})
