"""The page of a mixture: components over the data, how sure it is where a row belongs, and the criterion by size."""

from typing import Any

import altair as alt
import numpy as np

from suffice.models.mixture.result import MixtureFit
from suffice.models.mixture.selection import MixtureSelection
from suffice.report import charts
from suffice.report.charts import Figure
from suffice.report.tables import Table, counted, listed, number, with_error

_SHOWN = 2000  # rows that are drawn one by one
_PAIRS = 3
_GRID = 400
_COLOURS = ["#0072b2", "#d55e00", "#009372", "#b0508a", "#e0a800", "#56b4e9", "#7a5230", "#666a70", "#8bc34a"]
_SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "circle", "square", "diamond"]


def names_of(fit: MixtureFit) -> list[str]:
    """A name for each component."""
    return [f"component {k}" for k in range(fit.model.count)]


def answer(result: MixtureFit | MixtureSelection) -> list[str]:
    """The outcome in sentences."""
    fit = result.best if isinstance(result, MixtureSelection) else result
    k = fit.model.count
    kinds = list(dict.fromkeys(type(p).__name__ for p in fit.components))
    told = [
        f"{counted(k, 'component')} of {listed(kinds)}, with weights {listed([number(w, 3) for w in fit.weights])}."
    ]
    if isinstance(result, MixtureSelection) and len(result.table) > 1:
        usable = [row for row in result.table if row["converged"]]
        name = result.criterion.upper()
        text = f"Chosen among {counted(len(result.table), 'mixture')} by {name}"
        if len(usable) > 1:
            gap = usable[1][result.criterion] - usable[0][result.criterion]
            text += f"; the next, {described(usable[1])}, is {number(gap, 3)} behind"
        told.append(text + ".")
    if not fit.converged:
        told.append(f"The climb ended without a maximum: {fit.message}.")
    share = float(np.exp(-fit.entropy / fit.count)) if k > 1 else 1.0
    if k > 1:
        told.append(
            f"Entropy of the responsibilities {number(fit.entropy / fit.count, 3)} nats a row (none would be certain, "
            f"{number(np.log(k), 3)} a guess): components "
            + ("stand apart." if share > 0.9 else "overlap." if share > 0.6 else "overlap much.")
        )
    return told


def described(row: dict[str, Any]) -> str:
    """A row of a selection in words."""
    return f"{row['components']} {row['covariance']}"


def facts(fit: MixtureFit) -> Table:
    """Log-likelihood, criteria and how many maxima were met."""
    known = fit.starts[np.isfinite(fit.starts)]
    maxima = len(np.unique(np.round(known, 3))) if len(known) else 1
    heads = ("Log-likelihood", "Parameters", "BIC", "ICL", "AIC", "Starts followed", "Maxima met")
    values = (fit.log_likelihood, fit.dimension, fit.bic, fit.icl, fit.aic, max(len(known), 1), maxima)
    return Table(heads, (tuple(number(float(v), 8) for v in values),))


def parameter_rows(fit: MixtureFit) -> Table:
    """Estimates with standard errors, a column for each component where they are alike."""
    errors, values = fit.standard_errors, fit.parameters
    k = fit.model.count
    rows: dict[str, list[str]] = {
        "weight": [with_error(values[f"weights[{i}]"], errors[f"weights[{i}]"]) for i in range(k)]
    }
    for name, value in values.items():
        if name.startswith("components["):
            place, inner = name.removeprefix("components[").split("].", 1)
            inner = _with_columns(fit, inner)
            rows.setdefault(inner, ["–"] * k)[int(place)] = with_error(value, errors[name])
    cells = tuple((name, *each) for name, each in rows.items())
    return Table(("Parameter", *names_of(fit)), cells, frozenset({0}))


def _with_columns(fit: MixtureFit, name: str) -> str:
    """A parameter's name with columns by name where it has places: "covariance[waiting,eruptions]"."""
    bare, bracket, places = name.partition("[")
    if not bracket or not fit.distribution.event_ndim or not all(p.isdigit() for p in places[:-1].split(",")):
        return name
    if bare not in ("loc", "covariance", "scale"):
        return name
    return f"{bare}[{', '.join(_column(fit, int(p)) for p in places[:-1].split(','))}]"


def selection_rows(selection: MixtureSelection) -> Table:
    """The mixtures tried, best first."""
    cv = selection.criterion == "cv"
    heads = ("Components", "Covariance", "Parameters", "Log-likelihood", "BIC", "ICL", "AIC") + (("CV",) if cv else ())
    rows = []
    for row in selection.table:
        told = [number(float(row.get(n, np.nan)), 8) for n in ("dimension", "log_likelihood", "bic", "icl", "aic")]
        told += [number(row["cv"], 8)] if cv else []
        state = "" if row["converged"] else " (not usable)"
        rows.append((str(row["components"]), row["covariance"] + state, *told))
    return Table(heads, tuple(rows), frozenset({1}))


def figures(result: MixtureFit | MixtureSelection) -> list[list[Figure]]:
    """Figures in rows."""
    fit = result.best if isinstance(result, MixtureSelection) else result
    x, w = _sample(fit)
    found = []
    if not fit.distribution.event_ndim:
        found.append([_density(fit, x[:, 0], w)])
    else:
        d = x.shape[1]
        pairs = [(i, j) for i in range(d) for j in range(i + 1, d)][:_PAIRS]
        scatters = [_scatter(fit, x, i, j) for i, j in pairs]
        found += [scatters[:2], scatters[2:]] if len(scatters) > 2 else [scatters]
    last = [_certainty(fit, x, w)] if fit.model.count > 1 else []
    if isinstance(result, MixtureSelection) and len({row["components"] for row in result.table}) > 1:
        last.append(_curve(result))
    return [row for row in [*found, last] if row]


def _sample(fit: MixtureFit) -> tuple[np.ndarray, np.ndarray]:
    look = fit._data().look
    return look.sample, look.weights


def _column(fit: MixtureFit, place: int) -> str:
    names = fit._data().names
    return names[place] if place < len(names) else f"column {place + 1}"


def colour_of(names: list[str]) -> Any:
    scale = {"domain": names, "range": [_COLOURS[i % len(_COLOURS)] for i in range(len(names))]}
    legend = {"orient": "top", "title": None, "direction": "horizontal", "columns": 5}
    return alt.Color(field="family", type="nominal", sort=names, scale=scale, legend=legend)  # type: ignore[arg-type]


def _density(fit: MixtureFit, x: np.ndarray, w: np.ndarray) -> Figure:
    """The data with the density and its parts; where values are known as intervals alone, these parts without bars."""
    parts = fit.weights, fit.components
    return over_histogram(_column(fit, 0), names_of(fit), *parts, x, w, "component", bars=not fit.model.censored)


def over_histogram(
    label: str,
    parts_named: list[str],
    weights: Any,
    members: list[Any],
    x: np.ndarray,
    w: np.ndarray,
    noun: str,
    *,
    bars: bool = True,
) -> Figure:
    """Numbers as a histogram under the densities of parts times their weights, and under the sum of these.

    Without bars the numbers only tell the range, and the table has the probabilities of the sum.
    """
    names = [*parts_named, "mixture"]
    bins = np.histogram_bin_edges(x, int(np.clip(1.6 * len(np.histogram_bin_edges(x, "fd")), 12, 80)))
    discrete = members[0].discrete
    if discrete:
        bins = np.arange(x.min() - 0.5, x.max() + 1.0)
    shares = np.histogram(x, bins, weights=w)[0] / w.sum() / np.diff(bins)
    margin = 0.03 * (bins[-1] - bins[0])
    grid = np.linspace(bins[0] - margin, bins[-1] + margin, _GRID)
    if discrete:
        grid = np.arange(np.ceil(bins[0]), bins[-1])
    parts = [w_k * np.asarray(p.prob(grid)) for w_k, p in zip(weights, members, strict=True)]
    parts.append(np.sum(parts, axis=0))
    if bars:
        top = 1.08 * max(float(shares.max()), min(float(np.nanmax(parts[-1])), 2.0 * float(shares.max())))
    else:
        below = np.sum([w_k * np.asarray(p.cdf(bins)) for w_k, p in zip(weights, members, strict=True)], axis=0)
        shares, top = np.diff(below) / np.diff(bins), 1.08 * float(np.nanmax(parts[-1][np.isfinite(parts[-1])]))
    at_x = charts.axis("x", label, domain=(float(grid[0]), float(grid[-1])))
    at_y = charts.axis("y", "Density", domain=(0.0, top), tickCount=5)
    histogram = alt.Chart(charts.rows(x=bins[:-1], x2=bins[1:], y=shares)).mark_bar(style="bar-of-data", clip=True)
    histogram = histogram.encode(x=alt.X(**at_x), x2="x2", y=alt.Y(**at_y), y2=alt.datum(0.0))
    data = charts.rows(
        x=np.tile(grid, len(names)), y=np.concatenate(parts), family=np.repeat(np.asarray(names, object), len(grid))
    )
    colour = colour_of(names)
    colour["scale"]["range"][-1] = "#808080"
    lines = alt.Chart(data).mark_line(strokeWidth=2.5, clip=True).encode(x=alt.X(**at_x), y=alt.Y(**at_y), color=colour)
    spoken = (
        ("Histogram of " if bars else "")
        + f"{label} with the density of {counted(len(members), noun)}, centred at "
        + listed([number(float(p.median()), 4) for p in members])
    )
    rows = tuple(
        (number(a), number(b), f"{100 * s * (b - a):.3g} %")
        for a, b, s in zip(bins[:-1], bins[1:], shares, strict=True)
    )
    caption = f"Lines: each {noun} times its weight, and their sum."
    caption = f"Bars: the data. {caption}" if bars else f"{caption} No bars, as values are known as intervals."
    title = f"{noun.capitalize()}s" + (" over the data" if bars else "")
    chart = histogram + lines if bars else lines
    return Figure(title, caption, spoken + ".", chart, Table(("From", "To", "Data" if bars else "Mixture"), rows))


def _scatter(fit: MixtureFit, x: np.ndarray, i: int, j: int) -> Figure:
    """Rows by their most probable component, with the ellipses that hold half and 95 % of each."""
    names, shown = names_of(fit), x[:_SHOWN]
    labels = fit.predict(shown)
    a, b = _column(fit, i), _column(fit, j)
    paths = {share: _ellipses(fit, i, j, share) for share in (0.5, 0.95)}
    every = np.concatenate([shown[:, [i, j]].T, *paths[0.95].values()], axis=1)
    ends = [
        (float(low - 0.04 * (high - low)), float(high + 0.04 * (high - low)))
        for low, high in zip(every.min(1), every.max(1), strict=True)
    ]
    at_x, at_y = charts.axis("x", a, domain=ends[0]), charts.axis("y", b, domain=ends[1])
    colour = colour_of(names)
    shape = alt.Shape(
        field="family",
        type="nominal",
        sort=names,  # type: ignore[arg-type]
        scale={"domain": names, "range": [_SHAPES[k % len(_SHAPES)] for k in range(len(names))]},
        legend={"orient": "top", "title": None, "direction": "horizontal", "columns": 5},
    )
    data = charts.rows(x=shown[:, i], y=shown[:, j], family=np.asarray(names, object)[labels])
    size = 30 if len(shown) <= 500 else 12
    dots = alt.Chart(data).mark_point(filled=True, size=size, opacity=0.6)
    layers: Any = dots.encode(x=alt.X(**at_x), y=alt.Y(**at_y), color=colour, shape=shape)
    for share, width in ((0.5, 2.0), (0.95, 1.2)):
        if not paths[share]:
            continue
        points = np.concatenate(list(paths[share].values()), axis=1)
        each = points.shape[1] // len(paths[share])
        data = charts.rows(
            x=points[0],
            y=points[1],
            order=np.tile(np.arange(each), len(paths[share])),
            family=np.repeat(np.asarray(list(paths[share]), object), each),
        )
        mark = alt.Chart(data).mark_line(strokeWidth=width, interpolate="linear", clip=True)
        layers += mark.encode(x=alt.X(**at_x), y=alt.Y(**at_y), color=colour, order=alt.Order("order:Q"))
    caption = f"Rows by their most probable component. Ellipses: where half and 95 % of a normal component of these moments lie. {counted(len(shown), 'row')} shown."
    counts = np.bincount(labels, minlength=len(names))
    spoken = f"Scatter of {b} against {a}: " + listed([f"{c} of {n}" for n, c in zip(names, counts, strict=True)]) + "."
    table = Table(
        ("Component", "Rows shown"), tuple((n, str(c)) for n, c in zip(names, counts, strict=True)), frozenset({0})
    )
    return Figure(f"{b} against {a}", caption, spoken, layers, table)


def _ellipses(fit: MixtureFit, i: int, j: int, share: float) -> dict[str, np.ndarray]:
    """Outlines (2, points) of where a share of each component lies, of those that have moments."""
    angle = np.linspace(0.0, 2.0 * np.pi, 121)
    circle, found = np.stack([np.cos(angle), np.sin(angle)]), {}
    for name, p in zip(names_of(fit), fit.components, strict=True):
        mean, spread = _moments(p)
        if mean is None:
            continue
        values, vectors = np.linalg.eigh(spread[np.ix_([i, j], [i, j])])
        radius = np.sqrt(-2.0 * np.log1p(-share) * np.maximum(values, 0.0))
        found[name] = mean[[i, j]][:, None] + vectors @ (radius[:, None] * circle)
    return found


def _moments(p: Any) -> tuple[Any, Any]:
    """Mean and covariance of a component, None where there are none."""
    try:
        mean, spread = np.asarray(p.mean()), np.asarray(p.covariance())
    except ArithmeticError:
        return None, None
    return (mean, spread) if np.all(np.isfinite(spread)) else (None, None)


def _certainty(fit: MixtureFit, x: np.ndarray, w: np.ndarray) -> Figure:
    """How probable the most probable component is."""
    best = fit._posterior(np.asarray(x, float))[0].max(1)
    edges = np.linspace(1.0 / fit.model.count, 1.0, 21)
    shares = np.histogram(best, edges, weights=w)[0] / w.sum()
    at_x = charts.axis("x", "Probability of the most probable component", domain=(float(edges[0]), 1.0))
    at_y = charts.axis("y", "Share of the rows", domain=(0.0, 1.05 * float(shares.max())), tickCount=5)
    chart = alt.Chart(charts.rows(x=edges[:-1], x2=edges[1:], y=shares)).mark_bar(style="bar-of-data")
    chart = chart.encode(x=alt.X(**at_x), x2="x2", y=alt.Y(**at_y), y2=alt.datum(0.0))
    sure = float(w @ (best > 0.95) / w.sum())
    caption = f"{100 * sure:.3g} % of the rows belong to a component with a probability above 95 %."
    rows = tuple(
        (number(a, 3), number(b, 3), f"{100 * s:.3g} %") for a, b, s in zip(edges[:-1], edges[1:], shares, strict=True)
    )
    return Figure("Responsibilities", caption, caption, chart, Table(("From", "To", "Rows"), rows))


def _curve(selection: MixtureSelection) -> Figure:
    """The criterion by number of components, a line for each structure."""
    rows = [row for row in selection.table if row["converged"]]
    shapes = list(dict.fromkeys(row["covariance"] for row in rows))
    name = {"bic": "BIC", "icl": "ICL", "aic": "AIC", "cv": "−2 n · held-out log-density"}[selection.criterion]
    data = charts.rows(
        x=[row["components"] for row in rows],
        y=[row[selection.criterion] for row in rows],
        family=[row["covariance"] for row in rows],
    )
    values = np.array([row[selection.criterion] for row in rows])
    sizes = [row["components"] for row in rows]
    top = values.min() + 1.1 * float(np.quantile(values - values.min(), 0.8)) + 1e-9 * abs(values.min())
    pad = 0.06 * (top - values.min())
    at_x = charts.axis("x", "Components", domain=(min(sizes) - 0.3, max(sizes) + 0.3), tickMinStep=1, format="d")
    at_y = charts.axis("y", f"{name}, small is good", domain=(float(values.min() - pad), float(top)))
    base = alt.Chart(data).encode(x=alt.X(**at_x), y=alt.Y(**at_y), color=colour_of(shapes))
    chart = base.mark_line(strokeWidth=2, clip=True) + base.mark_point(filled=True, size=45, clip=True)
    best = selection.table[0]
    caption = f"Smallest at {described(best)}. Mixtures in which a component collapsed are left out, and so is what lies above."
    told = tuple(
        (str(row["components"]), row["covariance"], number(row[selection.criterion], 8))
        for row in sorted(rows, key=lambda row: (row["covariance"], row["components"]))
    )
    table = Table(("Components", "Covariance", name), told, frozenset({1}))
    return Figure(f"{name.split(',')[0]} by size", caption, caption, chart, table)


def method(fit: MixtureFit) -> list[str]:
    """How the numbers were made."""
    return [
        f"By EM, {counted(fit.passes, 'pass')[:-1] + 'es' if fit.passes != 1 else '1 pass'} over all rows after starts on "
        "some thousand: the log-likelihood rises at every step, and steps are lengthened where that raises it "
        "further. " + (f"It ended: {fit.message}." if fit.message != "converged" else "It converged."),
        "Standard errors come from the observed information, by Louis' identity; a dash of an error means that there is "
        "none, as where covariances share an orientation.",
        "BIC = k log n − 2l and ICL = BIC + 2 × entropy of the responsibilities: small is good (mclust's have the opposite "
        "sign).",
    ]
