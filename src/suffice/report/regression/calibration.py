"""Whether probabilities hold: shares of what happened over what was said."""

from itertools import repeat

import altair as alt
import numpy as np

from suffice.report import charts
from suffice.report.charts import Figure
from suffice.report.regression import parts
from suffice.report.tables import Table, decimal, number, share

_GROUPS, _LEAST, _Z = 10, 15, 1.959963984540054


def calibration_figure(said: np.ndarray, happened: np.ndarray, weights: np.ndarray | None, what: str) -> Figure:
    """Shares in groups of rows that are alike in probability, with 95 % intervals of Wilson's.

    Args:
        said: probabilities, (n,).
        happened: 1 or 0, or shares, (n,).
        weights: frequencies, (n,), or None for 1.
        what: whose probability it is.
    """
    w = np.ones(len(said)) if weights is None else weights
    order = np.argsort(said, kind="stable")
    groups = np.array_split(order[w[order] > 0], max(2, min(_GROUPS, len(order) // _LEAST)))
    groups = [g for g in groups if len(g)]
    n = np.array([w[g].sum() for g in groups])
    p = np.array([w[g] @ said[g] for g in groups]) / n
    q = np.array([w[g] @ happened[g] for g in groups]) / n
    centre, half = (
        (q + _Z**2 / (2 * n)) / (1 + _Z**2 / n),
        _Z / (1 + _Z**2 / n) * np.sqrt(q * (1 - q) / n + _Z**2 / (4 * n**2)),
    )
    low, high = centre - half, centre + half
    unit = (0.0, 1.0)
    x, y = (
        charts.axis("x", f"Probability of {what}", domain=unit),
        charts.axis("y", f"Share of {what}", domain=unit, tickCount=6),
    )
    data, lower = charts.rows(x=p, y=q, low=low, high=high), charts.axis("low", y["title"], domain=unit, tickCount=6)
    ends = np.array(unit)
    chart = alt.layer(
        alt.Chart(charts.rows(x=ends, y=ends)).mark_line(style="agreement", clip=True).encode(x=alt.X(**x), y=alt.Y(**y)),
        alt.Chart(data).mark_rule(style="point-of-data", strokeWidth=2, opacity=0.5).encode(
            x=alt.X(**x), y=alt.Y(**lower), y2="high:Q"
        ),
        alt.Chart(data).mark_circle(style="point-of-data", size=60).encode(
            x=alt.X(**x), y=alt.Y(**y), tooltip=parts.tips("probability", "share")
        ),
    )  # fmt: skip
    outside = int(((p < low) | (p > high)).sum())
    caption = (
        f"Rows in {len(groups)} groups of rising probability. Bars: 95 % intervals of the share; on the line, "
        f"probabilities are right. {outside} of {len(groups)} bars miss it."
    )
    spoken = (
        f"Shares of {what} over their probabilities in {len(groups)} groups, from {share(float(q[0]))} at "
        f"{share(float(p[0]))} to {share(float(q[-1]))} at {share(float(p[-1]))}; {outside} intervals miss the line."
    )
    cells = tuple((number(c, 6), *map(decimal, v, repeat(3))) for c, *v in np.stack([n, p, q, low, high]).T.tolist())
    table = Table(("Rows", "Mean probability", "Share", "2.5 %", "97.5 %"), cells)
    return Figure(f"Calibration of {what}", caption, spoken, chart, table)
