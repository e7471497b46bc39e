"""The page of a hidden Markov model: values by state, probabilities of the states over time, what states emit."""

from typing import Any

import altair as alt
import jax
import numpy as np

from suffice.models.hidden_markov.result import HiddenMarkovFit
from suffice.report import charts
from suffice.report.charts import Figure
from suffice.report.mixture import colour_of, over_histogram
from suffice.report.tables import Table, counted, listed, number, with_error

TITLE = "Hidden Markov model"
_SHOWN = 1500  # times that are drawn


def names_of(fit: HiddenMarkovFit) -> list[str]:
    """A name for each state."""
    return [f"state {k}" for k in range(fit.distribution.states)]


def counts(fit: HiddenMarkovFit) -> str:
    """How much was seen."""
    sequences = int(np.asarray(fit.data.fresh & fit.data.inside).sum())
    return counted(fit.count, "value") + (f" in {sequences} sequences" if sequences > 1 else "")


def answer(fit: HiddenMarkovFit) -> list[str]:
    """The outcome in sentences."""
    stay = np.diagonal(np.asarray(fit.distribution.transition))
    shares = _posterior(fit)[np.asarray(fit.data.seen & fit.data.inside)].mean(0)
    with np.errstate(divide="ignore"):
        length = 1.0 / (1.0 - stay)
    told = [
        f"{counted(len(stay), 'state')}, which the chain is in for {listed([f'{100 * s:.3g} %' for s in shares])} of the "
        f"time, each visit lasting {listed([number(float(v), 3) for v in length])} times on average."
    ]
    if not fit.converged:
        told.append(f"The climb ended without a maximum: {fit.message}.")
    return told


def facts(fit: HiddenMarkovFit) -> Table:
    """Log-likelihood and criteria."""
    values = (fit.log_likelihood, fit.dimension, fit.bic, fit.aic)
    return Table(("Log-likelihood", "Parameters", "BIC", "AIC"), (tuple(number(float(v), 8) for v in values),))


def parameter_rows(fit: HiddenMarkovFit) -> Table:
    """Estimates with standard errors, a column for each state."""
    errors, k = fit.standard_errors, fit.distribution.states
    rows: dict[str, list[str]] = {}
    for name, value in fit.parameters.items():
        whole, _, inner = name.partition(".")
        kind, _, places = whole.partition("[")
        at = places.rstrip("]").split(",")
        row = {"initial": "first state", "transition": f"to state {at[-1]}", "emissions": inner}[kind]
        rows.setdefault(row, ["–"] * k)[int(at[0])] = with_error(value, errors[name])
    cells = tuple((name, *each) for name, each in rows.items())
    return Table(("Parameter", *names_of(fit)), cells, frozenset({0}))


def figures(fit: HiddenMarkovFit) -> list[list[Figure]]:
    """Figures in rows."""
    share = _posterior(fit)
    found = [[_path(fit)], [_probabilities(fit, share)]]
    if not fit.distribution.event_shape:
        seen = np.asarray(fit.data.seen & fit.data.inside)
        x = np.asarray(fit.data.values)[seen, 0]
        members = fit.model.members(fit.params)
        found.append([
            over_histogram("Value", names_of(fit), share[seen].mean(0), members, x, np.ones(len(x)), "state")
        ])  # fmt: skip
    return found


def _sequence(fit: HiddenMarkovFit) -> Any:
    """Values of all times, one sequence after the other, NaN where nothing was observed."""
    inside = np.asarray(fit.data.inside)
    x = np.where(np.asarray(fit.data.seen)[:, None], np.asarray(fit.data.values), np.nan)[inside]
    cuts = np.flatnonzero(np.asarray(fit.data.fresh)[inside])[1:]
    parts = np.split(x if fit.distribution.event_shape else x[:, 0], cuts)
    return parts if len(parts) > 1 else parts[0]


def _posterior(fit: HiddenMarkovFit) -> np.ndarray:
    """Probabilities of the states at the padded times, (T, K)."""
    found = fit.distribution.posterior(_sequence(fit))
    found = np.concatenate(found) if isinstance(found, list) else np.asarray(found)
    return np.pad(found, ((0, len(np.asarray(fit.data.inside)) - len(found)), (0, 0)))


def _path(fit: HiddenMarkovFit) -> Figure:
    """Values in the colour of the most probable path."""
    path = jax.tree.leaves(fit.distribution.viterbi(_sequence(fit))[0])
    state = np.concatenate([np.asarray(p) for p in path])
    seen = np.asarray(fit.data.seen)[: len(state)]
    x = np.asarray(fit.data.values)[: len(state), 0]
    at = np.flatnonzero(seen)[:_SHOWN]
    names = names_of(fit)
    data = charts.rows(x=at.astype(float), y=x[at], family=[names[i] for i in state[at]])
    margin = 0.04 * float(np.ptp(x[at]))
    at_x = charts.axis("x", "Time", domain=(0.0, float(at[-1])))
    label = "Value" if not fit.distribution.event_shape else "First coordinate"
    at_y = charts.axis("y", label, domain=(float(x[at].min()) - margin, float(x[at].max()) + margin))
    line = alt.Chart(charts.rows(x=at.astype(float), y=x[at])).mark_line(strokeWidth=0.5, opacity=0.5, color="#808080")
    points = alt.Chart(data).mark_circle(size=40 if len(at) <= 300 else 16, opacity=0.9, clip=True)
    chart = line.encode(x=alt.X(**at_x), y=alt.Y(**at_y)) + points.encode(
        x=alt.X(**at_x), y=alt.Y(**at_y), color=colour_of(names)
    )
    changes = int((np.diff(state) != 0).sum())
    caption = f"Values in the colour of the most probable path of states, which changes {changes} times." + (
        f" The first {len(at)} of {seen.sum()} are drawn." if len(at) < seen.sum() else ""
    )
    rows = tuple((name, number(int((state == k).sum()))) for k, name in enumerate(names))
    table = Table(("State", "Times on the path"), rows, frozenset({0}))
    return Figure("Most probable path", caption, caption, chart.properties(width=900), table)


def _probabilities(fit: HiddenMarkovFit, share: np.ndarray) -> Figure:
    """Probabilities of the states, one on the other."""
    n = min(int(np.asarray(fit.data.inside).sum()), _SHOWN)
    names, share = names_of(fit), share[:n]
    tops = np.cumsum(share, axis=1)
    data = charts.rows(
        x=np.tile(np.arange(n, dtype=float), len(names)),
        y=(tops - share).T.ravel(),
        y2=tops.T.ravel(),
        family=np.repeat(np.asarray(names, object), n),
    )
    at_x = charts.axis("x", "Time", domain=(0.0, float(n - 1)))
    at_y = charts.axis("y", "Probability", domain=(0.0, 1.0), tickCount=5)
    area = alt.Chart(data).mark_area(interpolate="step", opacity=0.85, clip=True)
    chart = area.encode(x=alt.X(**at_x), y=alt.Y(**at_y), y2="y2", color=colour_of(names))
    sure = float((share.max(1) > 0.95).mean())
    caption = (
        f"Probability of each state given all values; above 95 % for one of them at {100 * sure:.3g} % of the times."
    )
    rows = tuple((name, f"{100 * float(m):.3g} %") for name, m in zip(names, share.mean(0), strict=True))
    table = Table(("State", "Mean probability"), rows, frozenset({0}))
    return Figure("States over time", caption, caption, chart.properties(width=900, height=160), table)


def method(fit: HiddenMarkovFit) -> list[str]:
    """How the numbers were made."""
    return [
        f"By EM (Baum and Welch): {len(fit.trace)} steps on all values after starts on the first few thousand; the "
        "log-likelihood rises at every step. " + ("It converged." if fit.converged else f"It ended: {fit.message}."),
        "Standard errors come from the exact observed information. There is none for a probability of 0 or 1, for the "
        "first state of a single sequence, nor for a parameter that runs to a limit of its family.",
        "Probabilities of the states are those given all values; the path is the most probable as a whole (Viterbi).",
    ]
