"""Weighted location, spread and quantiles of a small sample: where iterative fits start from.

Written for NumPy and JAX arrays alike: eager JAX would compile each line, and a start is needed before anything runs.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def namespace(x: Any) -> Any:
    """The array module ``x`` belongs to."""
    return jnp if isinstance(x, jax.Array) else np


def mean_and_deviation(x: Any, w: Any) -> tuple[Any, Any]:
    """Weighted mean and standard deviation (divisor Σw)."""
    xp = namespace(x)
    total = w.sum()
    mean = (w * x).sum() / total
    return mean, xp.sqrt((w * (x - mean) ** 2).sum() / total)


def quantiles(x: Any, w: Any, levels: tuple[float, ...]) -> list[Any]:
    """Weighted quantiles: the smallest observations whose cumulated weight reaches the level."""
    xp = namespace(x)
    order = xp.argsort(xp.where(w > 0, x, np.inf))
    cumulated = xp.cumsum(w[order])
    places = xp.searchsorted(cumulated, xp.asarray(levels) * cumulated[-1] * (1.0 - 1e-12))
    return [x[order][place] for place in places]


def median(x: Any, w: Any) -> Any:
    """Weighted median: halfway between the two middle observations where half the weight lies on either side."""
    low, high = quantiles(x, w, (0.5, 0.5 + 1e-11))
    return low + 0.5 * (high - low)


def robust_location_and_scale(x: Any, w: Any) -> tuple[Any, Any]:
    """Median and interquartile range / 1.349, or the standard deviation where half the data are equal."""
    xp = namespace(x)
    low, middle, high = quantiles(x, w, (0.25, 0.5, 0.75))
    _, deviation = mean_and_deviation(x, w)
    return middle, xp.where(high > low, (high - low) / 1.349, deviation)
