"""Probabilities of classes: over each input, and whether they hold."""

from dataclasses import dataclass
from functools import cached_property

import altair as alt
import numpy as np

from suffice.models.regression.choice.fit import ChoiceFit
from suffice.models.regression.choice.labels import places, told
from suffice.models.regression.least_squares.design import Design, Rows
from suffice.report import charts
from suffice.report.charts import Figure
from suffice.report.regression import parts
from suffice.report.regression.calibration import calibration_figure
from suffice.report.regression.sample import POINTS, Sampled
from suffice.report.tables import Table, share

MOST_CLASSES = 12  # that are drawn
_GROUPS, _LEAST = 10, 12


@dataclass(frozen=True, eq=False)
class Chosen(Sampled):
    """A model of classes.

    Attributes:
        fit: of ordered or unordered ones.
        rows: some of the data.
    """

    fit: ChoiceFit
    rows: Rows  # type: ignore[assignment]  # always there
    place: int = 0

    @classmethod
    def of(cls, fit: ChoiceFit) -> "Chosen":
        """With a sample of the data."""
        assert fit.data is not None
        rows = fit.data.sample(POINTS)
        assert rows is not None
        return cls(fit, rows)

    @property
    def design(self) -> Design:
        return self.fit.design

    @property
    def target(self) -> str:
        assert self.fit.data is not None
        return self.fit.data.targets[0] if self.fit.data.targets else "class"

    @cached_property
    def classes(self) -> list[str]:
        """What they are called."""
        return list(map(told, self.fit.classes))

    @cached_property
    def chosen(self) -> np.ndarray:
        """Places of the classes of the rows."""
        assert self.fit.data is not None
        return places(self.fit.data, self.rows.targets, self.fit.classes)

    @cached_property
    def probabilities(self) -> np.ndarray:
        """Of the rows, (n, K)."""
        return np.asarray(self.fit.predict(self.rows.inputs))

    @property
    def drawn(self) -> np.ndarray:
        """Places of the classes drawn: the most frequent ones, in their order."""
        counts = np.bincount(self.chosen, minlength=len(self.classes))
        return np.sort(np.argsort(-counts, kind="stable")[:MOST_CLASSES])


def probability_figure(seen: Chosen, name: str) -> Figure:
    """Probabilities over an input, the others held; where it is the only one, with shares of its neighbourhoods."""
    low, high = seen.range_of(name)
    at, kept = np.linspace(low, high, parts.GRID), seen.drawn
    p = np.asarray(seen.fit.predict(seen.held({name: at})))[:, kept]
    names = [seen.classes[k] for k in kept]
    colour = alt.Color(
        "family:N", sort=names, scale=alt.Scale(domain=names, scheme="viridis") if len(names) > 4 else alt.Scale(domain=names),
        legend=alt.Legend(orient="top", direction="horizontal", title=None, symbolType="stroke"),
    )  # fmt: skip
    x, y = (
        charts.axis("x", name, domain=parts.wider(low, high)),
        charts.axis("y", "Probability", domain=(0.0, 1.0), tickCount=6),
    )
    chart = (
        alt.Chart(charts.rows(x=np.tile(at, len(kept)), y=p.T.ravel(), family=np.repeat(names, len(at))))
        .mark_line(strokeWidth=2.5, clip=True)
        .encode(x=alt.X(**x), y=alt.Y(**y), color=colour)
    )
    held = "" if seen.alone else " with the other inputs at their medians, or most frequent values"
    caption = f"Probability of each class of {seen.target} over {name}{held}."
    if seen.alone:
        order = np.argsort(seen.column(name), kind="stable")
        groups = np.array_split(order, max(2, min(_GROUPS, len(order) // _LEAST)))
        middle = np.array([seen.column(name)[g].mean() for g in groups])
        w = np.ones(len(order)) if seen.rows.frequencies is None else seen.rows.frequencies
        shares = np.array([[w[g] @ (seen.chosen[g] == k) / w[g].sum() for k in kept] for g in groups])
        data = charts.rows(x=np.tile(middle, len(kept)), y=shares.T.ravel(), family=np.repeat(names, len(middle)))
        chart += alt.Chart(data).mark_circle(size=55, clip=True).encode(x=alt.X(**x), y=alt.Y(**y), color=colour)
        caption += f" Points: shares among {len(groups)} groups of neighbours.{seen.sampled_word}"
    ends = "; ".join(
        f"{n} from {share(float(a))} to {share(float(b))}" for n, a, b in zip(names, p[0], p[-1], strict=True)
    )
    spoken = f"Probabilities of the classes of {seen.target} from the lowest {name} to the highest: {ends}."
    few = np.unique(np.linspace(0, parts.GRID - 1, parts.ROWS).round().astype(int))
    cells = tuple((f"{at[i]:.5g}", *(share(float(v)) for v in p[i])) for i in few)
    return Figure(f"Classes by {name}", caption, spoken, chart, Table((name, *names), cells))


def calibrations(seen: Chosen) -> list[Figure]:
    """Of each class drawn, at most four."""
    return [
        calibration_figure(
            seen.probabilities[:, k], (seen.chosen == k).astype(float), seen.rows.frequencies,
            f"{seen.target} {seen.classes[k]}",
        )
        for k in seen.drawn[:4]
    ]  # fmt: skip


def confusion(seen: Chosen) -> Table:
    """Rows of each class by the class that is most probable."""
    kept, best = seen.drawn, seen.probabilities.argmax(1)
    w = np.ones(len(best)) if seen.rows.frequencies is None else seen.rows.frequencies
    counts = [[float(w[(seen.chosen == a) & (best == b)].sum()) for b in kept] for a in kept]
    names = [seen.classes[k] for k in kept]
    cells = tuple((n, *(f"{c:,g}" for c in row)) for n, row in zip(names, counts, strict=True))
    return Table((f"{seen.target}, most probable →", *names), cells, frozenset({0}))
