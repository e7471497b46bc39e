"""The figure of a joint confidence region."""

from typing import Any

import altair as alt
import numpy as np

from suffice.inference.intervals.region import Region
from suffice.report import charts
from suffice.report.charts import Figure
from suffice.report.tables import Table, number


def joint_region(region: Region) -> Figure:
    """The contour of the profile likelihood, Wald's ellipse beside it, and the estimate."""
    first, second = region.names
    share = f"{100 * region.level:g} %"
    lines = {"profile likelihood": region.points, "Wald": region.wald}
    every = np.concatenate([*lines.values(), region.estimate[None]])
    (low, bottom), (high, top) = np.nanmin(every, axis=0), np.nanmax(every, axis=0)
    x = charts.axis("x", first, domain=_wider(low, high))
    y = charts.axis("y", second, domain=_wider(bottom, top))
    paths = {name: _closed(points) for name, points in lines.items()}
    chart = charts.outlines(paths, x, y) + charts.dots(
        region.estimate[:1],
        region.estimate[1:],
        x,
        y,
        [alt.Tooltip("x:Q", title=first), alt.Tooltip("y:Q", title=second)],
    )
    open_ended = bool(np.isnan(region.points).any())
    caption = (
        f"{share} joint confidence region of {first} and {second}. Dot: the estimate. The intervals of each by itself are "
        "narrower than the region is wide: both together are held at the level."
    )
    if open_ended:
        caption += " Where the line breaks the likelihood does not fall far enough."
    spoken = (
        f"{share} region around {first} {number(region.estimate[0])} and {second} {number(region.estimate[1])}: {first} from "
        f"{number(np.nanmin(region.points[:, 0]))} to {number(np.nanmax(region.points[:, 0]))}, {second} from "
        f"{number(np.nanmin(region.points[:, 1]))} to {number(np.nanmax(region.points[:, 1]))}."
    )
    rows = tuple((number(a, 5), number(b, 5)) for a, b in region.points)
    return Figure("Joint region", caption, spoken, chart, Table((first, second), rows))


def _wider(low: float, high: float) -> tuple[float, float]:
    margin = 0.05 * (high - low)
    return float(low - margin), float(high + margin)


def _closed(points: np.ndarray) -> Any:
    return np.concatenate([points, points[:1]])
