"""Posterior on a grid: everything about a density of up to three numbers, by adding it up."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.distributions.family import Family, as_family
from suffice.inference.posteriors.gridded import GridPosterior
from suffice.inference.posteriors.posed import Posed
from suffice.inference.posteriors.target import Target
from suffice.numerics import newton

MOST_DIMENSIONS = 3
MOST_POINTS = 2**23
_POINTS = {1: 2001, 2: 401, 3: 121}
_COARSE = {1: 401, 2: 61, 3: 31}
_DEEP = 36.0  # nats below the peak at which a range ends: e⁻³⁶ is a rounding error
_ROUNDS = 40
_BATCH = 2**13


def grid_posterior(
    target: Any,
    data: Any = None,
    weights: Any = None,
    *,
    prior: Mapping[str, Distribution] | None = None,
    start: Any = None,
    domains: Any = None,
    ranges: Sequence[tuple[float, float]] | None = None,
    points: int | Sequence[int] | None = None,
) -> GridPosterior:
    """Add up a density on a grid: evidence, means, marginals and quantiles of up to three numbers.

    The grid is even on the unconstrained space, where the trapezoidal rule converges faster than any power of the
    spacing. Its range is found: from the mode outwards until the marginal density has fallen by e⁻³⁶ on every side.
    The cost grows as points^dimensions.

    Args:
        target: log p~ of a point, up to a constant; or a class or ``sf.family(...)`` with one to three free parameters.
        data, weights: of the family, as for ``sf.fit``.
        prior: of the family's parameters by name; a parameter without one has density 1.
        start: of a function: a point to begin at, an array or a dictionary of arrays.
        domains: of a function: as for ``sf.laplace``.
        ranges: (lower, upper) of each coordinate in its own unit, in place of what is found; nothing outside counts.
        points: of each coordinate; 2001, 401² or 121³ by default.

    Returns:
        A ``GridPosterior``.

    Raises:
        ValueError: more than three numbers, or more than 8,388,608 points: the message tells the cost. A density of which
            no range is found, as an improper one.

    Example:
        >>> import suffice as sf
        >>> found = sf.grid_posterior(sf.Bernoulli, [1, 1, 1, 0], prior={"probs": sf.Beta(1.0, 1.0)})
        >>> round(found.mean["probs"], 9), round(found.log_evidence, 9)  # 4/6, log B(4, 2)
        (0.666666667, -2.995732274)
    """
    if isinstance(target, type | Family):
        if data is None:
            raise ValueError("a family needs data")
        _counts(as_family(target).dimension, points)
        found = Posed.of_family(as_family(target), data, weights, prior or {})
    else:
        if data is not None or prior is not None:
            raise ValueError("data and prior are for families; a log-density holds its own")
        if start is None:
            raise ValueError("a log-density needs a start")
        found = Posed.of_density(Target.of(target, start, domains))
    d = len(found.start)
    counts = _counts(d, points)
    log_density = jax.jit(jax.vmap(found.log_density))
    if ranges is None:
        low, high = _range(log_density, *_around(found), d)
    else:
        if len(ranges) != d:
            raise ValueError(f"ranges must be one for each of the {d} coordinates, got {len(ranges)}")
        low, high = found.ends(ranges)
        if not np.all(low < high):
            raise ValueError(f"ranges must be pairs of a lower and an upper end, got {list(ranges)}")
    lines = [np.linspace(a, b, n) for a, b, n in zip(low, high, counts, strict=True)]
    logs = _evaluated(log_density, lines)
    step = math.prod(float(line[1] - line[0]) for line in lines)
    top = logs.max()
    if not np.isfinite(top):
        raise ValueError("the log-density is not a finite number anywhere on the grid")
    heights = np.exp(logs - top)
    total = _sum(heights)
    half = heights[tuple(slice(None, None, 2) for _ in lines)]
    coarse = _sum(half) * 2.0**d if all(n % 2 for n in counts) else _sum(half) * heights.size / half.size
    axes, slopes = found.axes(lines)
    return GridPosterior(
        found.names,
        axes,
        _with_faces(heights, 0.5) / total,
        float(top + np.log(total) + np.log(step)),
        float(abs(np.log(coarse) - np.log(total))),
        heights.size,
        slopes,
    )


def _with_faces(heights: np.ndarray, factor: float) -> np.ndarray:
    """The heights, those on each face of the grid times a factor: the trapezoidal rule gives them half a cell."""
    found = heights.copy()
    for i in range(heights.ndim):
        ends: list[Any] = [slice(None)] * heights.ndim
        ends[i] = [0, -1]
        found[tuple(ends)] *= factor
    return found


def _counts(d: int, points: int | Sequence[int] | None) -> tuple[int, ...]:
    """Points of each coordinate, refused where there are too many."""
    given = 2001 if points is None else points
    if d > MOST_DIMENSIONS:
        each = given if isinstance(given, int) else max(given)
        raise ValueError(
            f"a grid is for up to {MOST_DIMENSIONS} numbers, got {d}: {each} points of each would be "
            f"{float(each) ** d:.3g} evaluations; use sf.laplace, sf.variational or draw samples"
        )
    if points is None:
        return (_POINTS[d],) * d
    counts = (points,) * d if isinstance(points, int) else tuple(points)
    if len(counts) != d or min(counts) < 5:
        raise ValueError(f"points must be at least 5 for each of the {d} coordinates, got {points}")
    total = math.prod(counts)
    if total > MOST_POINTS:
        told = " x ".join(map(str, counts))
        raise ValueError(
            f"{told} points are {total:,} evaluations and {total * 8 / 2**30:.1f} GiB, more than {MOST_POINTS:,}; "
            f"{int(MOST_POINTS ** (1.0 / d))} of each are possible"
        )
    return counts


def _around(posed: Posed) -> tuple[np.ndarray, np.ndarray]:
    """Where to begin: the mode and deviations there, or the start and 1 where Newton's method finds none."""
    state = jax.device_get(
        jax.jit(lambda v: newton.maximise(lambda v: newton.second_order(posed.log_density, v), v, jnp.asarray(1.0)))(
            posed.start
        )
    )
    curvature = -np.asarray(state.hessian)
    if (
        int(state.status) != newton.CONVERGED
        or not np.all(np.isfinite(curvature))
        or np.linalg.eigvalsh(curvature)[0] <= 0
    ):
        return np.asarray(state.point), np.ones(len(posed.start))
    return np.asarray(state.point), np.sqrt(np.diagonal(np.linalg.inv(curvature)))


def _range(log_density: Any, centre: np.ndarray, unit: np.ndarray, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Ends between which all but a rounding error of the mass lies, from coarse grids that grow and shrink."""
    low, high = centre - 6.0 * unit, centre + 6.0 * unit
    for _ in range(_ROUNDS):
        lines = [np.linspace(a, b, _COARSE[d]) for a, b in zip(low, high, strict=True)]
        logs = _evaluated(log_density, lines)
        changed = False
        for i, line in enumerate(lines):
            profile = logs.max(axis=tuple(j for j in range(d) if j != i))
            deep = profile < profile.max() - _DEEP
            seen = np.flatnonzero(~deep)
            width, count = line[-1] - line[0], len(line)
            first, last = seen[0], seen[-1]
            new_low = line[0] - 0.7 * width if first == 0 else line[max(first - 1, 0)]
            new_high = line[-1] + 0.7 * width if last == count - 1 else line[min(last + 1, count - 1)]
            if first == 0 or last == count - 1 or new_high - new_low < 0.7 * width:
                changed = True
            low[i], high[i] = new_low, new_high
        if not changed:
            return low, high
        if np.any(high - low > 1e6):
            break
    raise ValueError("no range was found outside of which the density vanishes: is it proper? ranges= gives one")


def _evaluated(log_density: Any, lines: list[np.ndarray]) -> np.ndarray:
    """The log-density on the whole grid, some thousand points at a time."""
    shape = tuple(len(line) for line in lines)
    total = math.prod(shape)
    values = np.empty(total)
    for begin in range(0, total, _BATCH):
        at = np.arange(begin, begin + _BATCH)
        index = np.unravel_index(np.minimum(at, total - 1), shape)
        v = np.stack([line[i] for line, i in zip(lines, index, strict=True)], axis=-1)
        values[begin : begin + _BATCH] = np.asarray(log_density(v))[: total - begin]
    return values.reshape(shape)


def _sum(heights: np.ndarray) -> float:
    """The trapezoidal sum: points on a face count by half."""
    for _ in range(heights.ndim):
        heights = heights.sum(axis=0) - 0.5 * (heights[0] + heights[-1])
    return float(heights)
