"""How far draws of several chains can be trusted: numbers by name, from ArviZ."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from suffice.numerics.moments import namespace
from suffice.numerics.space import Space

RHAT, ESS, BFMI = 1.01, 400.0, 0.3  # beyond which a result is not to be trusted


def each(draws: Mapping[str, Any], space: Space, of: Callable[[np.ndarray], Any]) -> dict[str, Any]:
    """What a function of (chain, draw) gives for each free number of the arrays (chain, draw, …), by name."""
    return {
        label: of(np.asarray(draws[name][(slice(None), slice(None), *index)])) for name, index, label in space.numbers()
    }


def _statistics() -> Any:
    from arviz_stats.base.array import array_stats  # takes two seconds

    return array_stats


def rhat(x: np.ndarray) -> float:
    """Rank-normalised split R-hat of (chain, draw): Vehtari and others (2021)."""
    with np.errstate(divide="ignore"):  # chains that stand still at different places: infinite
        return _number(x, lambda: _statistics().rhat(x))


def ess(x: np.ndarray, method: str = "bulk") -> float:
    """Effective sample size, "bulk" or "tail"."""
    prob = (0.05, 0.95) if method == "tail" else None
    return _number(x, lambda: _statistics().ess(x, method=method, prob=prob))


def mcse(x: np.ndarray) -> float:
    """Monte Carlo standard error of the mean."""
    return _number(x, lambda: _statistics().mcse(x))


def bfmi(energy: np.ndarray) -> np.ndarray:
    """Bayesian fraction of missing information of each chain, (chain,); NaN for kernels without momentum."""
    if energy.shape[-1] < 2:
        return np.full(energy.shape[:-1], np.nan)
    steps = np.diff(energy, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (steps**2).mean(-1) / energy.var(-1)


def autocorrelation_time(x: np.ndarray) -> float:
    """Draws per independent draw: number of draws over the effective sample size of their mean."""
    return x.size / ess(x, "mean")


def nested_rhat(draws: Any, superchains: int) -> Any:
    """Nested R-hat of many short chains in groups that share a start: √(1 + B/W), for chains too short for R-hat.

    B is the variance of the means of K superchains; W the mean over superchains of the variance between their M chains
    plus the mean variance within a chain. At a chain's stationary law, with N draws in each, it is about
    √(1 + 1/(M·ESS)), ESS the effective sample size of a chain.

    Args:
        draws: (chain, draw, …), chains of one superchain next to one another; NumPy or JAX, also under ``jit``.
        superchains: K >= 2, which must divide the number of chains.

    Returns:
        R-hat of the trailing shape; NaN where nothing varies.

    Raises:
        ValueError: fewer than two superchains, or chains that they do not divide.

    Source: Margossian and others (2024), doi:10.1214/24-BA1453, definition 2.

    Example:
        >>> import numpy as np, suffice as sf
        >>> x = np.random.default_rng(0).normal(size=(64, 1))  # 64 chains of one draw each
        >>> bool(sf.nested_rhat(x, 4) < 1.1)
        True
    """
    xp = namespace(draws)
    x = xp.asarray(draws)
    if x.ndim < 2:
        raise ValueError(f"draws must have axes (chain, draw, …), got shape {x.shape}")
    if superchains < 2 or x.shape[0] % superchains:
        raise ValueError(
            f"superchains must be at least 2 and divide the number of chains, got {superchains} and {x.shape[0]}"
        )
    x = x.reshape((superchains, x.shape[0] // superchains, *x.shape[1:]))

    def variance(y: Any, axis: int) -> Any:
        return y.var(axis, ddof=1) if y.shape[axis] > 1 else xp.zeros_like(y.sum(axis))

    means = x.mean(2)
    between = variance(means.mean(1), 0)
    within = (variance(means, 1) + variance(x, 2).mean(1)).mean(0)
    some = within > 0
    return xp.where(some, xp.sqrt(1.0 + between / xp.where(some, within, 1.0)), xp.nan)


def _number(x: np.ndarray, of: Callable[[], Any]) -> float:
    """NaN where there are too few draws, or one that is no number."""
    if x.shape[1] < 4 or not np.all(np.isfinite(x)):
        return np.nan
    if np.all(x == x.flat[0]):
        return np.nan  # it never moved, or is a constant: nothing tells which
    return float(of())


def doubts(
    rhats: dict[str, float], sizes: dict[str, float], divergent: int, draws: int, fractions: np.ndarray
) -> list[str]:
    """Why a result is not to be trusted, and what to do next; empty if there is no reason."""
    found = []
    known = {name: r for name, r in rhats.items() if not np.isnan(r)}
    if known and max(known.values()) > RHAT:
        worst = max(known, key=known.__getitem__)
        found.append(
            f"R-hat of {worst} is {known[worst]:.3f}, above {RHAT}: the chains do not agree. Run longer, or look for separate modes"
        )
    few = {name: s for name, s in sizes.items() if np.isfinite(s)}
    if few and min(few.values()) < ESS:
        worst = min(few, key=few.__getitem__)
        found.append(f"effective sample size of {worst} is {few[worst]:.0f}, below {ESS:.0f}: chains.extend(draws=…)")
    if divergent:
        found.append(
            f"{divergent} of {draws} trajectories diverged: where the density bends sharply there are no draws. Reparameterise, "
            "or take a smaller step: kernel=sf.NUTS(target_acceptance=0.95)"
        )
    if np.any(fractions < BFMI):
        found.append(
            f"E-BFMI is {np.nanmin(fractions):.2f}, below {BFMI}: energies are hardly explored. Reparameterise the heavy tail"
        )
    never = [name for name, r in rhats.items() if np.isnan(r)]
    if never:
        found.append(
            f"{', '.join(never[:4])}{', …' if len(never) > 4 else ''}: no diagnostics, for too few, constant or infinite draws"
        )
    return found
