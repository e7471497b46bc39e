"""The parts of charts: theme, axes, lines, points and bands, and a figure with its words and numbers."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np

from suffice.report.bands import Band
from suffice.report.tables import Table

HEIGHT = 320


@dataclass(frozen=True)
class Figure:
    """A chart with what it shows in words (for those who do not see it) and in numbers."""

    title: str
    caption: str
    alt: str
    chart: Any
    table: Table


def theme(dark: bool = False) -> dict[str, Any]:
    """Vega-Lite configuration: colours that colour-blind readers tell apart, on light or dark ground."""
    ink, soft, faint, ground = (
        ("#e6e6e3", "#a9a9a4", "#3a3b3d", "#17181a") if dark else ("#1d1e20", "#5f6063", "#e3e3df", "#ffffff")
    )
    families = ["#56b4e9", "#f0a73a", "#2fc79a", "#e58fc1"] if dark else ["#0072b2", "#d55e00", "#009372", "#b0508a"]
    font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
    axis = {
        "labelColor": soft,
        "titleColor": ink,
        "gridColor": faint,
        "domainColor": soft,
        "tickColor": soft,
        "labelFontSize": 12,
        "titleFontSize": 13,
        "titleFontWeight": "normal",
        "titlePadding": 10,
    }
    return {
        "background": ground,
        "font": font,
        "view": {"stroke": None, "continuousHeight": HEIGHT, "continuousWidth": 560},
        "axis": axis,
        "axisX": {"grid": False, "tickCount": {"expr": "max(5, width / 90)"}},
        "axisY": {"domain": False, "ticks": False},
        "legend": {
            "labelColor": ink,
            "labelFontSize": 13,
            "symbolStrokeWidth": 3,
            "symbolSize": 300,
            "labelLimit": 260,
            "offset": 8,
        },
        "title": {"color": ink, "subtitleColor": soft},
        "range": {"category": families},
        "style": {
            "bar-of-data": {"color": soft, "opacity": 0.4},
            "bar-of-model": {"color": families[0]},
            "point-of-data": {"color": ink, "opacity": 0.75},
            "agreement": {"color": families[0], "strokeWidth": 1.5},
            "chance": {"color": families[0], "opacity": 0.2, "strokeWidth": 0},
        },
    }


def display(chart: Any) -> Any:
    """The chart as it shows itself in a notebook, with the light theme."""
    return chart.configure(**theme())


def _plain(value: Any) -> Any:
    """A number short enough for a page, nothing where it is not finite."""
    return value if isinstance(value, str) else f"{value:.6g}" if np.isfinite(value) else ""


def rows(**columns: Iterable[Any]) -> alt.InlineData:
    """Columns as inline data: as CSV, which is a third of the length of JSON and is not validated row by row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(map(_plain, row) for row in zip(*columns.values(), strict=True))
    kinds = {name: "string" if name == "family" else "number" for name in columns}
    return alt.InlineData(values=text.getvalue(), format=alt.CsvDataFormat(type="csv", parse=kinds))  # type: ignore[arg-type]


def axis(
    name: str, title: str, *, domain: Sequence[float] | None = None, log: bool = False, **axis: Any
) -> dict[str, Any]:
    scale: dict[str, Any] = {"type": "log"} if log else {"zero": False, "nice": False} if domain is None else {}
    if domain is not None and log and "values" not in axis:
        axis |= {"values": _log_ticks(*domain), "format": "~g"}
    if domain is not None:
        scale |= {"domain": [float(_plain(v)) for v in domain], "nice": False}
    return {"field": name, "type": "quantitative", "title": title, "scale": scale, "axis": axis}


def ticks(whole: bool) -> dict[str, Any]:
    return {"tickMinStep": 1} if whole else {}


def _log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten, with 2 and 5 times each over a short range."""
    powers = np.arange(np.floor(np.log10(low)), np.log10(high) + 1.0)
    steps = (1.0,) if len(powers) > 4 else (1.0, 2.0, 5.0)
    return [float(_plain(s * 10.0**k)) for k in powers for s in steps if low <= s * 10.0**k <= high]


def _family(names: Sequence[str]) -> dict[str, Any]:
    """Colour and dashes by family, with one legend for both."""
    legend = {"orient": "top", "title": None, "symbolType": "stroke", "direction": "horizontal"}
    field = {"field": "family", "type": "nominal", "sort": list(names), "legend": legend}
    dashes = [[1, 0], [7, 3], [2, 2], [7, 3, 2, 3]][: len(names)]
    return {
        "color": alt.Color(**field, scale={"domain": list(names)}),  # type: ignore[arg-type]
        "strokeDash": alt.StrokeDash(**field, scale={"domain": list(names), "range": dashes}),  # type: ignore[arg-type]
    }


def lines(
    names: Sequence[str], xs: Sequence[np.ndarray], ys: Sequence[np.ndarray], x: Any, y: Any, points: bool = False
) -> Any:
    family = np.repeat(np.asarray(names, object), [len(v) for v in xs])
    data = rows(x=np.concatenate(xs), y=np.concatenate(ys), family=family)
    mark: dict[str, Any] = {"strokeWidth": 2.5, "clip": True} | (
        {"point": {"size": 40, "strokeWidth": 0}} if points else {}
    )
    return alt.Chart(data).mark_line(**mark).encode(x=alt.X(**x), y=alt.Y(**y), **_family(names))


def outlines(paths: dict[str, np.ndarray], x: Any, y: Any) -> Any:
    """Curves through points (k, 2) in the order given, broken where these are not finite."""
    family = np.repeat(np.asarray(list(paths), object), [len(v) for v in paths.values()])
    points = np.concatenate(list(paths.values()))
    data = rows(x=points[:, 0], y=points[:, 1], family=family, order=np.arange(len(points)))
    mark = alt.Chart(data).mark_line(strokeWidth=2.5, clip=True, interpolate="linear")
    return mark.encode(x=alt.X(**x), y=alt.Y(**y), order=alt.Order("order:Q"), **_family(list(paths)))


def dots(xs: np.ndarray, ys: np.ndarray, x: Any, y: Any, tips: Any) -> Any:
    mark = alt.Chart(rows(x=xs, y=ys)).mark_circle(style="point-of-data", clip=True, size=40 if len(xs) <= 60 else 14)
    return mark.encode(x=alt.X(**x), y=alt.Y(**y), tooltip=tips)


def region(band: Band, x: Any, y: Any) -> Any:
    """A band as a closed path, so that it may lie along either axis."""
    path = [np.concatenate([low, high[::-1]]) for low, high in zip(band.low, band.high, strict=True)]
    finite = np.isfinite(path[0]) & np.isfinite(path[1])
    data = rows(x=path[0][finite], y=path[1][finite], order=np.arange(finite.sum()))
    mark = alt.Chart(data).mark_line(interpolate="linear-closed", style="chance", clip=True, filled=True)
    return mark.encode(x=alt.X(**x), y=alt.Y(**y), order=alt.Order("order:Q"))
