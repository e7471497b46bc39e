"""Residuals: over fitted values, their quantiles, their leverage."""

import altair as alt
import numpy as np

from suffice.report import charts
from suffice.report.bands import Band
from suffice.report.charts import Figure
from suffice.report.empirical import spread_places
from suffice.report.regression import parts
from suffice.report.regression.diagnosed import Diagnosed
from suffice.report.tables import Table, counted, number, share

_REPLICATES = 199


def residual_figure(seen: Diagnosed) -> Figure:
    """Studentised residuals over fitted values, with their running mean."""
    fitted, r = seen.fitted, seen.scaled
    kept = np.isfinite(r)
    fitted, r = fitted[kept], r[kept]
    reach = 1.1 * max(3.0, float(np.abs(r).max(initial=0.0)))
    x = charts.axis("x", "Fitted", domain=parts.wider(*parts.ends(fitted)))
    y = charts.axis("y", f"{seen.residual_word} residual", domain=(-reach, reach), tickCount=6)
    across = np.array(parts.wider(*parts.ends(fitted)))
    layers, caption, limit = [], "", seen.limit
    if limit is not None:
        layers.append(charts.region(Band((across, np.full(2, -limit)), (across, np.full(2, limit))), x, y))
        caption = "Shaded: where 95 % of residuals lie if the model holds."
    layers.append(charts.dots(fitted, r, x, y, parts.tips("fitted", "residual")))
    order = np.argsort(fitted, kind="stable")
    pieces = np.array_split(order, min(20, len(order) // 12)) if len(order) >= 60 else []
    centres = [(fitted[p].mean(), r[p].mean()) for p in pieces]
    if len({round(c[0], 12) for c in centres}) > 2:
        across, means = np.array(centres).T
        layers.append(parts.line(across, means, x, y))
        caption += (
            f" Line: the mean of residuals among neighbours, which stays {seen.level_word} if no curve is missed."
        )
    limit = 1.96 if limit is None else limit
    outside = int((np.abs(r) > limit).sum())
    spoken = (
        f"{seen.residual_word} residuals of {seen.target} over fitted values, {len(r)} points, {outside} beyond {number(limit, 3)}, the "
        f"farthest {number(float(r[np.abs(r).argmax()]), 3)}."
    )
    return Figure("Residuals", caption.strip() + seen.sampled_word, spoken, alt.layer(*layers), parts.far(seen))


def quantile_figure(seen: Diagnosed) -> Figure:
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
    x = charts.axis("x", "Quantile of the standard normal", domain=parts.wider(wanted[0], wanted[-1]))
    y = charts.axis(
        "y", "Residual as a normal score", domain=parts.wider(min(scores[0], low[0]), max(scores[-1], high[-1]))
    )
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


def leverage_figure(seen: Diagnosed) -> Figure:
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
    dots = charts.dots(h, r, x, y, parts.tips("leverage", "residual"))
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
    order = np.flatnonzero(kept)[np.argsort(-cooks)][: parts.LISTED]
    table = seen.listed(
        order, {"Leverage": d.leverage, "Residual": d.standardised, "Cook's distance": d.cooks_distance}
    )
    return Figure("Leverage", caption + seen.sampled_word, spoken, chart, table)
