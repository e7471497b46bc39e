"""Basis functions drawn."""

from typing import Any

import altair as alt
import numpy as np

from suffice.models.bases.basis import Basis
from suffice.models.bases.inputs import Inputs
from suffice.report import charts
from suffice.report.charts import Figure
from suffice.report.tables import Table, counted, number

_GRID, _ROWS, _NAMED = 256, 21, 12


def basis_figure(basis: Basis, at: Any = None) -> Figure:
    """Each function of one input over it.

    Args:
        basis: of one input.
        at: inputs (n,), whose range and quantiles it may take, or (lower, upper); by default from −1 to 1.
    """
    values = np.asarray([-1.0, 1.0] if at is None else at, float)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all() or not values.min() < values.max():
        raise ValueError(f"at must be inputs (n,) or (lower, upper) with lower < upper, got {at!r}")
    settled = basis.settled(Inputs.of(values))
    x = np.linspace(values.min(), values.max(), _GRID)
    inputs = Inputs.of(x)
    names, y = settled.names(inputs), np.asarray(settled.columns(inputs).hi)
    labels = [f"{i + 1}  {n}" for i, n in enumerate(names)]
    data = charts.rows(x=np.tile(x, len(names)), y=y.T.ravel(), family=np.repeat(labels, len(x)))
    legend = alt.Legend(orient="right", title=None, symbolType="stroke") if len(names) <= _NAMED else None
    colour = alt.Color("family:N", sort=labels, legend=legend, scale=alt.Scale(scheme="viridis"))
    axes = charts.axis("x", "x", domain=(x[0], x[-1])), charts.axis("y", "phi(x)", tickCount=6)
    chart = alt.Chart(data).mark_line(strokeWidth=2, clip=True)
    tips = [
        alt.Tooltip("family:N", title="function"),
        alt.Tooltip("x:Q", title="x"),
        alt.Tooltip("y:Q", title="phi(x)"),
    ]
    chart = chart.encode(x=alt.X(**axes[0]), y=alt.Y(**axes[1]), color=colour, tooltip=tips)
    few = np.unique(np.linspace(0, _GRID - 1, _ROWS).round().astype(int))
    table = Table(("x", *names), tuple((number(float(x[i]), 4), *(number(float(v), 4) for v in y[i])) for i in few))
    told = f"{counted(len(names), 'function')} of {basis!r} from {number(float(x[0]), 4)} to {number(float(x[-1]), 4)}"
    spoken = f"{told}, between {number(float(y.min()), 4)} and {number(float(y.max()), 4)}."
    return Figure("Basis functions", f"{told}.", spoken, chart, table)
