"""An envelope that closes in on its density, drawn step by step."""

from typing import Any

import altair as alt
import jax.numpy as jnp
import numpy as np

from suffice.report import charts
from suffice.sampling.adaptive_rejection import AdaptiveRejection

_GRID, _PANELS = 160, 6
_NAMES = ("upper bound", "density", "lower bound")


def envelope_chart(sampler: AdaptiveRejection) -> Any:
    """The density between its bounds after the first knots, then more of them, then all: two panels in a row."""
    most = int(np.isfinite(np.asarray(sampler.order)).sum())
    first = 2 if sampler.method == "tangent" else 3
    first = next(k for k in range(first, most + 1) if np.isfinite(float(sampler.step(k).log_upper_area)))
    counts = sorted({*np.unique(np.geomspace(first, most, _PANELS).round().astype(int)).tolist(), most})
    low, high = (float(sampler.bounds.inverse(jnp.asarray(u))[0]) for u in (0.0005, 0.9995))
    panels = [_panel(sampler, k, np.linspace(low, high, _GRID)) for k in counts]
    rows = [alt.hconcat(*panels[i : i + 2]) for i in range(0, len(panels), 2)]
    return alt.vconcat(*rows)


def _panel(sampler: AdaptiveRejection, count: int, x: np.ndarray) -> Any:
    bounds = sampler.step(count)
    at = jnp.asarray(x)
    log_p = np.asarray(sampler.log_density(at) + (0.0 if sampler.convex is None else sampler.convex(at)))
    top = log_p.max()
    curves = [np.exp(np.asarray(v) - top) for v in (bounds.log_upper(at), log_p, bounds.log_lower(at))]
    area = float(np.exp(bounds.log_lower_area - bounds.log_upper_area))
    y = charts.axis("y", "Density, highest 1", domain=(0.0, 1.6), tickCount=4)
    chart = charts.lines(_NAMES, [x] * 3, curves, charts.axis("x", "x", domain=(x[0], x[-1])), y)
    knots = np.asarray(sampler.order)[:count]
    inside = knots[(knots >= x[0]) & (knots <= x[-1])]
    marks = charts.rows(x=inside, y=np.zeros(len(inside)))
    ticks = alt.Chart(marks).mark_point(shape="triangle-up", size=40, color="#1d1e20").encode(x="x:Q", y="y:Q")
    title = f"{count} knots: at least {100.0 * area:.1f} % accepted"
    return alt.layer(chart, ticks).properties(width=330, height=170, title=title)
