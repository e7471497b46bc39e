"""A posterior drawn: prior, likelihood and posterior over the parameter, and what the next observation may be."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from suffice.inference.conjugate import credible
from suffice.inference.conjugate.posterior import Posterior
from suffice.report import charts
from suffice.report.charts import Figure
from suffice.report.empirical import evaluate
from suffice.report.figures import places_of
from suffice.report.tables import Table, counted, listed, number

_ROWS = 21


def parameter_figures(posterior: Posterior) -> list[Figure]:
    """One figure for each number the posterior is about."""
    after, before = posterior.marginals, {}
    proper = posterior.prior_is_proper
    if proper:
        told = posterior.pair.marginals
        before = (
            {posterior.parameter: posterior.prior} if told is None else told(posterior.prior, posterior.family.member)
        )
    why = (
        " The prior is not drawn: it is about other values."
        if proper
        else " The prior is improper: it has no density to be drawn."
    )
    single = len(after) == 1 and not posterior.distribution.event_ndim
    figures = []
    for name, p in after.items():
        prior = before.get(name)
        prior = prior if prior is not None and bool(prior._valid()) and _same_ends(p, prior) else None
        figures.append(_figure(name, p, prior, single, "" if prior is not None else why))
    return figures


def _same_ends(p: Any, q: Any) -> bool:
    """Whether two laws are about the same values: not an urn before and after draws, nor circles cut in two places."""
    first, second = p._support(), q._support()
    return bool(first.lower == second.lower and first.upper == second.upper)


def _window(p: Any, prior: Any) -> tuple[float, float]:
    """Where the posterior is, and as much of the prior as leaves the posterior visible."""
    low, high = float(p.icdf(5e-4)), float(p.isf(5e-4))
    if prior is not None:
        room = 3.0 * (high - low)
        low = max(min(low, float(prior.icdf(0.02))), low - room)
        high = min(max(high, float(prior.isf(0.02))), high + room)
    return low, high


def _figure(name: str, p: Any, prior: Any, single: bool, why: str) -> Figure:
    low, high = _window(p, prior)
    at = places_of(p, low, high)
    curves = {"posterior": evaluate(p.prob, at)}
    if prior is not None:
        curves["prior"] = evaluate(prior.prob, at)
        # Bayes' rule: the likelihood is the ratio, up to a factor, which is chosen so that its area here is 1; of one of
        # several parameters the ratio of marginals is the likelihood averaged over the others by the prior
        logs = evaluate(p.log_prob, at) - evaluate(prior.log_prob, at)
        shape = np.exp(np.where(np.isfinite(logs), logs, -np.inf) - np.max(logs[np.isfinite(logs)], initial=-np.inf))
        area = shape.sum() if p.discrete else float(np.trapezoid(shape, at))
        curves["likelihood"] = shape / area
    names = [n for n in ("posterior", "prior", "likelihood") if n in curves]
    finite = [v[np.isfinite(v)].max(initial=0.0) for v in curves.values()]
    top = 1.06 * min(max(finite), 3.0 * max(finite[0], 1e-300))
    x = charts.axis("x", name, domain=(low, high), **charts.ticks(p.discrete))
    y = charts.axis("y", "Probability" if p.discrete else "Density", domain=(0.0, top), tickCount=5)
    chart = charts.lines(names, [at] * len(names), [curves[n] for n in names], x, y, points=p.discrete)
    ends = float(p.icdf(0.025)), float(p.isf(0.025))
    told = f"{name}: posterior mean {number(float(p.mean()), 5)}, 95 % between {number(ends[0], 5)} and {number(ends[1], 5)}"
    averaged = "" if single else ", averaged over the other parameters by their prior given this one"
    extra = f" The likelihood is scaled to area 1{averaged}." if "likelihood" in curves else ""
    spoken = f"{listed([n.capitalize() if i == 0 else n for i, n in enumerate(names)])} over {told}."
    return Figure(name, f"{told}.{extra}{why}", spoken, chart, _table(name, at, names, curves))


def _table(name: str, at: np.ndarray, names: Sequence[str], curves: dict[str, np.ndarray]) -> Table:
    places = np.unique(np.linspace(0, len(at) - 1, _ROWS).round().astype(int))
    rows = tuple((number(float(at[i])), *(number(float(curves[n][i]), 4) for n in names)) for i in places)
    return Table((name, *(n.capitalize() for n in names)), rows)


def predictive_figure(posterior: Posterior) -> Figure | None:
    """The law of the next observation; None where it is one of vectors, or unknown."""
    try:
        p = posterior.predictive
    except ValueError:
        return None
    if p.event_ndim:
        return None
    low, high = float(p.icdf(0.005)), float(p.isf(0.005))
    at = places_of(p, low, high if high > low else low + 1.0)
    values = evaluate(p.prob, at)
    top = 1.06 * np.max(values, where=np.isfinite(values), initial=0.0)
    x = charts.axis("x", "Next observation", domain=(at[0], at[-1]), **charts.ticks(p.discrete))
    y = charts.axis("y", "Probability" if p.discrete else "Density", domain=(0.0, top), tickCount=5)
    chart = charts.lines(["predictive"], [at], [values], x, y, points=p.discrete)
    how = "in closed form" if posterior.predictive_is_exact else "by quadrature over the parameter"
    ends = float(p.icdf(0.025)), float(p.isf(0.025))
    told = f"Next observation: 95 % between {number(ends[0], 5)} and {number(ends[1], 5)}"
    return Figure(
        "What comes next",
        f"{told}, the parameter's uncertainty included; {how}.",
        f"{told}.",
        chart,
        _table("Value", at, ["predictive"], {"predictive": values}),
    )


def answer(posterior: Posterior) -> list[str]:
    """The outcome in sentences."""
    told = [
        f"{posterior.parameter} of {posterior.family.name} is {posterior.distribution!r}, after {counted(float(posterior.count), 'observation')}."
    ]
    ends = posterior.interval(0.95)
    told.append("; ".join(
        f"{name}: mean {number(float(p.mean()), 5)}, 95 % between {number(ends[name][0], 5)} and {number(ends[name][1], 5)}"
        for name, p in posterior.marginals.items()
    ) + ".")  # fmt: skip
    evidence = float(posterior.log_evidence)
    if np.isnan(evidence):
        told.append("The prior is improper, so there is no evidence to compare models by.")
    else:
        told.append(
            f"Log evidence: {number(evidence, 8)} nats; the difference of two models is their log Bayes factor."
        )
    return told


def rows(posterior: Posterior, level: float = 0.95) -> Table:
    """Mean, deviation and both kinds of interval of each number."""
    found = []
    equal = posterior.interval(level)
    for name, p in posterior.marginals.items():
        try:
            highest = "{} to {}".format(*(number(v, 5) for v in credible.interval(p, level, "highest")))
        except ValueError:
            highest = "no interval"
        found.append((name, number(float(p.mean()), 6), number(float(p.stddev()), 4),
                      "{} to {}".format(*(number(v, 5) for v in equal[name])), highest))  # fmt: skip
    percent = f"{100 * level:g} %"
    return Table(("Parameter", "Mean", "Deviation", f"{percent}, equal tails", f"{percent}, highest density"),
                 tuple(found), frozenset({0}))  # fmt: skip
