"""The figure of filters: the probabilities of tokens before and after each."""

from typing import Any

import altair as alt
import numpy as np

from suffice.models.language.steps import FilterSteps, name_of
from suffice.report import charts
from suffice.report.charts import Figure
from suffice.report.tables import Table, counted, number

_SHOWN = 20  # tokens, the rest taken together
_WIDTH = 840  # of all panels


def figures(steps: FilterSteps) -> list[list[Figure]]:
    """One panel for each step, side by side."""
    probs = np.stack([np.asarray(p.probs, float) for p in steps.distributions])
    names, shown = _rows(steps, probs)
    titles = ["Before", *map(name_of, steps.filters)]
    entropies = [float(p.entropy()) for p in steps.distributions]
    under = [(counted(k, "token"), f"{number(h, 3)} nats") for k, h in zip(steps.kept, entropies, strict=True)]
    width = max(_WIDTH // len(titles) - 20, 90)
    top = float(1.02 * shown.max())
    panels = [
        _panel(names, shown[max(i - 1, 0)], shown[i], top, width, [*_parted(title), *told], first=i == 0)
        for i, (title, told) in enumerate(zip(titles, under, strict=True))
    ]
    caption = (
        "Probabilities of the next token before all filters, and after each of them (narrow) beside those before it (wide, "
        "pale). Tokens stand in the order of their probability at first; under each name, how many are possible, and the "
        "entropy."
    )
    cells = tuple((name, *(number(v, 4) for v in column)) for name, column in zip(names, shown.T, strict=True))
    spoken = (
        "Tokens possible: "
        + "; ".join(f"{title}: {', '.join(told)}" for title, told in zip(titles, under, strict=True))
        + "."
    )
    return [
        [
            Figure(
                "What filters leave",
                caption,
                spoken,
                alt.hconcat(*panels, spacing=14),
                Table(("Token", *titles), cells, frozenset({0})),
            )
        ]
    ]


def _rows(steps: FilterSteps, probs: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Names and probabilities by step of the tokens that matter most at any step, the rest together."""
    order = np.argsort(-probs[0], kind="stable")
    if len(order) > _SHOWN + 1:
        most = set(np.argsort(-probs.max(0), kind="stable")[:_SHOWN].tolist())
        order = np.array([i for i in order.tolist() if i in most])
    written = [w if (w := steps.words[i]).strip() else repr(w) for i in order.tolist()]
    names = [w if written.count(w) == 1 else f"{w} ({i})" for w, i in zip(written, order.tolist(), strict=True)]
    rest = probs.shape[1] - len(order)
    if not rest:
        return names, probs[:, order]
    others = np.delete(probs, order, axis=1).sum(1, keepdims=True)
    return [*names, f"{number(rest)} others"], np.concatenate([probs[:, order], others], axis=1)


def _parted(title: str) -> tuple[str, str]:
    """A filter's name and its settings, for narrow panels."""
    name, _, settings = title.partition("(")
    return name, settings.removesuffix(")")


def _panel(
    names: list[str], before: np.ndarray, after: np.ndarray, top: float, width: int, title: list[str], first: bool
) -> Any:
    data = charts.rows(family=names, before=before, after=after)
    labels = {"title": None, "ticks": False, "labelLimit": 140} if first else None
    at_y = alt.Y(field="family", type="nominal", sort=names, axis=labels)  # type: ignore[arg-type]
    wide, narrow = (charts.axis(n, "Probability", domain=(0.0, top), tickCount=3) for n in ("before", "after"))
    tips = [
        alt.Tooltip("family:N", title="Token"),
        alt.Tooltip("before:Q", title="Before"),
        alt.Tooltip("after:Q", title="After"),
    ]
    base = alt.Chart(data)
    bars = base.mark_bar(style="bar-of-model", height={"band": 0.45}).encode(y=at_y, x=alt.X(**narrow), tooltip=tips)
    if not first:
        bars = base.mark_bar(style="bar-of-data").encode(y=at_y, x=alt.X(**wide), tooltip=tips) + bars
    head = alt.TitleParams(
        title[0], subtitle=title[1:], anchor="start", fontSize=12, fontWeight="normal", subtitleFontSize=11
    )
    return bars.properties(width=width, height=max(18 * len(names), 60), title=head)
