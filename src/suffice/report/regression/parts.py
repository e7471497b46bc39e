"""What figures of regressions are made of."""

from typing import Any

import altair as alt
import numpy as np

from suffice.report import charts
from suffice.report.tables import Table

GRID, ROWS, LISTED = 256, 21, 24
LEVEL = "95 %"


def line(at: np.ndarray, values: np.ndarray, x: Any, y: Any) -> Any:
    mark = alt.Chart(charts.rows(x=at, y=values)).mark_line(style="agreement", strokeWidth=2.5, clip=True)
    return mark.encode(x=alt.X(**x), y=alt.Y(**y))


def tips(x: str, y: str) -> list[Any]:
    return [alt.Tooltip("x:Q", title=x), alt.Tooltip("y:Q", title=y)]


def ends(values: np.ndarray) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def wider(low: float, high: float) -> tuple[float, float]:
    margin = 0.03 * (high - low) or 0.05 * abs(high) or 1.0
    return float(low - margin), float(high + margin)


def far(seen: Any) -> Table:
    """The rows that are farthest from the fit."""
    d = seen.diagnostics
    order = np.argsort(-np.abs(np.nan_to_num(seen.scaled)), kind="stable")[:LISTED]
    return seen.listed(order, {"Fitted": d.fitted, "Residual": d.residuals, seen.residual_word: seen.scaled})
