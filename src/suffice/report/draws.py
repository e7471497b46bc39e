"""Chains drawn: what each of them says about each number, and whether they mix."""

import numpy as np

from suffice.report import charts
from suffice.report.charts import Figure
from suffice.report.tables import Table, counted, number
from suffice.sampling.chains import Chains

MOST = 8  # numbers that are drawn
_CHAINS = 4  # lines in one figure
_BINS, _RANKS = 25, 20


def answer(chains: Chains) -> list[str]:
    """The outcome in sentences."""
    count, draws = chains.shape
    told = [
        f"{counted(count, 'chain')} of {counted(draws, 'draw')} each, after {number(chains.warmup)} steps of warm-up."
    ]
    if not chains.doubts:
        sizes = [s for s in chains.ess.values() if np.isfinite(s)]
        told.append(
            f"The chains agree, and the smallest effective sample size is {number(np.floor(min(sizes, default=np.nan)))}."
        )
    return told + [f"{doubt[0].upper()}{doubt[1:]}." for doubt in chains.doubts]


def rows(chains: Chains) -> Table:
    """Mean, error, deviation, quantiles and diagnostics of each number."""
    found = tuple(
        (
            r["name"], number(r["mean"], 5), number(r["mcse"], 2), number(r["stddev"], 3), number(r["q05"], 4),
            number(r["median"], 4), number(r["q95"], 4), number(round(r["rhat"], 3), 4) if np.isfinite(r["rhat"]) else "–",
            _whole(r["ess"]), _whole(r["ess_tail"]),
        )
        for r in chains.summary()
    )  # fmt: skip
    headers = ("Parameter", "Mean", "Its error", "Deviation", "5 %", "50 %", "95 %", "R-hat", "ESS", "Tail ESS")
    return Table(headers, found, frozenset({0}))


def _whole(value: float) -> str:
    return number(round(value)) if np.isfinite(value) else "–"


def figures(chains: Chains) -> list[list[Figure]]:
    """Two figures side by side for each of the first numbers: its density by chain, and the ranks of each chain."""
    found = []
    for name, index, label in chains.problem.space.numbers():
        if len(found) == MOST:
            break
        values = np.asarray(chains.by_name[name][(slice(None), slice(None), *index)])
        if np.all(np.isfinite(values)) and values.min() < values.max():
            found.append([density(label, values), ranks(label, values)])
    return found


def density(name: str, x: np.ndarray) -> Figure:
    """Histograms of the chains, as lines."""
    low, high = np.quantile(x, [0.001, 0.999])
    edges = np.linspace(low, high if high > low else low + 1.0, _BINS + 1)
    names = [f"chain {c + 1}" for c in range(min(len(x), _CHAINS))]
    heights = [np.histogram(row, edges)[0] / (row.size * np.diff(edges)) for row in x[:_CHAINS]]
    middle = 0.5 * (edges[1:] + edges[:-1])
    axes = (
        charts.axis("x", name, domain=(edges[0], edges[-1])),
        charts.axis("y", "Density", domain=(0.0, 1.06 * max(h.max() for h in heights)), tickCount=5),
    )
    chart = charts.lines(names, [middle] * len(names), heights, *axes)
    told = f"{name}: mean {number(float(x.mean()), 5)}, 90 % between {number(float(np.quantile(x, 0.05)), 4)} and {number(float(np.quantile(x, 0.95)), 4)}"
    table = Table(
        (name, *names), tuple((number(m, 4), *(number(float(h[i]), 3) for h in heights)) for i, m in enumerate(middle))
    )
    return Figure(
        name,
        f"{told}. Each line is the histogram of one chain: they should lie on each other.",
        f"{told}.",
        chart,
        table,
    )


def ranks(name: str, x: np.ndarray) -> Figure:
    """How the ranks of each chain spread among all draws, relative to an even spread."""
    places = x.ravel().argsort(kind="stable").argsort(kind="stable").reshape(x.shape)
    edges = np.linspace(0, x.size, _RANKS + 1)
    names = [f"chain {c + 1}" for c in range(min(len(x), _CHAINS))]
    shares = [np.histogram(row, edges)[0] * _RANKS / row.size for row in places[:_CHAINS]]
    middle = 100.0 * 0.5 * (edges[1:] + edges[:-1]) / x.size
    top = max(2.0, 1.06 * max(s.max() for s in shares))
    chart = charts.lines(
        names, [middle] * len(names), shares, charts.axis("x", "Rank among all draws, %", domain=(0.0, 100.0)),
        charts.axis("y", "Share of an even spread", domain=(0.0, top), tickCount=5),
    )  # fmt: skip
    worst = max(abs(s - 1.0).max() for s in shares)
    told = f"Ranks of {name}: shares of each chain differ from an even spread by {number(100.0 * worst, 2)} % at most"
    table = Table(
        ("Rank, %", *names),
        tuple((number(m, 3), *(number(float(s[i]), 3) for s in shares)) for i, m in enumerate(middle)),
    )
    return Figure(
        f"{name}: ranks",
        f"{told}. A chain that stays on one side would lie far from 1 there.",
        f"{told}.",
        chart,
        table,
    )
