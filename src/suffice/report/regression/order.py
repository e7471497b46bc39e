"""Evidence of models side by side."""

import altair as alt
import numpy as np

from suffice.models.regression.bayesian.evidence import ModelOrder
from suffice.report import charts
from suffice.report.charts import Figure
from suffice.report.regression import parts
from suffice.report.tables import Table, counted, number, share


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
    y = charts.axis("y", "Log evidence less the best", domain=parts.wider(kept.min(), 0.0), tickCount=6)
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
