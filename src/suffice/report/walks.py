"""How Markov chains walk: traces, autocorrelation, energies, and pairs of numbers with the divergences among them."""

from collections.abc import Iterator
from typing import Any

import altair as alt
import numpy as np

from suffice.report import charts
from suffice.report.draws import MOST, ranks
from suffice.sampling.chains import Chains

KINDS = ("rank", "trace", "autocorrelation", "energy", "pairs")
_CHAINS, _POINTS, _LAGS, _BINS, _PAIRED = 4, 400, 60, 40, 4


def walk_chart(chains: Chains, kind: str) -> Any:
    """One chart of a kind.

    Raises:
        ValueError: an unknown kind, or energies of a kernel that has none.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    if kind == "energy":
        return energy(chains)
    if kind == "pairs":
        return pairs(chains)
    draw = {"rank": lambda name, x: ranks(name, x).chart, "trace": trace, "autocorrelation": autocorrelation}[kind]
    return alt.vconcat(*(draw(label, x).properties(height=150) for label, x in _numbers(chains, MOST)))


def _numbers(chains: Chains, most: int) -> Iterator[tuple[str, np.ndarray]]:
    """The first numbers that vary, with their draws (chain, draw)."""
    found = 0
    for name, index, label in chains.problem.space.numbers():
        x = np.asarray(chains.by_name[name][(slice(None), slice(None), *index)])
        if np.all(np.isfinite(x)) and x.min() < x.max():
            yield label, x
            found += 1
        if found == most:
            return


def _names(x: np.ndarray) -> list[str]:
    return [f"chain {c + 1}" for c in range(min(len(x), _CHAINS))]


def trace(name: str, x: np.ndarray) -> Any:
    """Draws of each chain in their order, every so many of them."""
    at = np.arange(0, x.shape[1], max(1, -(-x.shape[1] // _POINTS)))
    lines = [x[c, at] for c in range(min(len(x), _CHAINS))]
    chart = charts.lines(_names(x), [at] * len(lines), lines, charts.axis("x", "Draw"), charts.axis("y", name))
    return chart.mark_line(strokeWidth=0.8)


def autocorrelation(name: str, x: np.ndarray) -> Any:
    """Autocorrelation of each chain against the lag, about the mean of all chains."""
    lags = np.arange(min(_LAGS, x.shape[1] - 1) + 1)
    centred = x - x.mean()
    n = 2 * x.shape[1]
    power = np.abs(np.fft.rfft(centred, n)) ** 2
    found = np.fft.irfft(power, n)[:, : len(lags)] / x.shape[1] / centred.var()
    y = charts.axis("y", f"Autocorrelation of {name}", domain=(min(-0.1, float(found.min())), 1.02))
    return charts.lines(_names(x), [lags] * len(_names(x)), list(found[:_CHAINS]), charts.axis("x", "Lag"), y)


def energy(chains: Chains) -> Any:
    """Energies about their mean, and their changes from one draw to the next: a narrow second curve is slow in the tails."""
    energies = np.asarray(chains.info.energy)
    if not np.all(np.isfinite(energies)) or energies.shape[1] < 2:
        raise ValueError(f"{chains.kernel_name} has no energies: it walks without momentum")
    marginal, steps = (energies - energies.mean()).ravel(), np.diff(energies, axis=-1).ravel()
    reach = max(float(np.abs(np.quantile(v, [0.001, 0.999])).max()) for v in (marginal, steps))
    edges = np.linspace(-reach, reach, _BINS + 1)
    middle = 0.5 * (edges[1:] + edges[:-1])
    heights = [np.histogram(v, edges)[0] / (v.size * np.diff(edges)) for v in (marginal, steps)]
    x, y = charts.axis("x", "Energy, in nats"), charts.axis("y", "Density", domain=(0.0, 1.06 * np.max(heights)))
    return charts.lines(["energy − mean", "change of energy"], [middle] * 2, heights, x, y)


def pairs(chains: Chains) -> Any:
    """The first numbers against one another; divergent trajectories end where the density bends sharply."""
    numbers = list(_numbers(chains, _PAIRED))
    divergent = np.asarray(chains.info.divergent).ravel()
    rng = np.random.default_rng(0)
    kept = rng.permutation(np.flatnonzero(~divergent))[: 2 * _POINTS], np.flatnonzero(divergent)[:_POINTS]
    at = np.concatenate(kept)
    kinds = np.repeat(np.array(["draw", "divergent"], object), [len(k) for k in kept])
    grid = []
    for i in range(1, len(numbers)):
        row = []
        for j in range(i):
            data = charts.rows(x=numbers[j][1].ravel()[at], y=numbers[i][1].ravel()[at], family=kinds)
            colour = alt.Color(
                "family:N",
                scale={"domain": ["draw", "divergent"], "range": ["#0072b2", "#d55e00"]},  # type: ignore[arg-type]
                legend={"title": None, "orient": "top"} if kept[1].size else None,  # type: ignore[arg-type]
            )
            x, y = charts.axis("x", numbers[j][0]), charts.axis("y", numbers[i][0])
            mark = alt.Chart(data).mark_circle(size=12, opacity=0.6).encode(x=alt.X(**x), y=alt.Y(**y), color=colour)
            row.append(mark.properties(width=180, height=180))
        grid.append(alt.hconcat(*row))
    if not grid:
        raise ValueError("pairs need two numbers that vary")
    return alt.vconcat(*grid)
