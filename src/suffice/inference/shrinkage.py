"""Estimates that trade a little bias for much less variance."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.family import as_family
from suffice.distributions.multivariate_normal import MultivariateNormal, moments_of
from suffice.inference.arrays import Rows
from suffice.numerics.checks import is_traced
from suffice.runtime.errors import DataError


def ledoit_wolf(data: Any, weights: Any = None, *, missing: str = "error") -> MultivariateNormal:
    """Normal distribution with the covariance shrunk towards a multiple of the identity: (1 − s) S + s (tr S/d) I.

    The intensity s that minimises the expected squared error is estimated from the data (Ledoit and Wolf 2004,
    doi:10.1016/S0047-259X(03)00096-4). The result is positive definite with any number of observations from 3.

    Args:
        data: array-like or data frame of shape (n, d).
        weights: frequencies of shape (n,), >= 0.
        missing: what to do with missing values: "error" or "drop".

    Example:
        >>> import numpy as np, suffice as sf
        >>> few = np.random.default_rng(0).normal(size=(5, 20))  # fewer observations than coordinates
        >>> bool(np.linalg.cond(sf.ledoit_wolf(few).covariance()) < 1e3)
        True
    """
    rows = Rows.of(as_family(MultivariateNormal), data, weights, missing)
    x, w = rows.values, np.ones(len(rows.values)) if rows.weights is None else rows.weights
    mean, covariance = moments_of(x, w)
    n, d = w.sum(), x.shape[1]
    size = np.trace(covariance) / d
    distance = ((covariance - size * np.eye(d)) ** 2).sum()
    step = x - mean
    noise = (w @ (step**2).sum(1) ** 2 / n - (covariance**2).sum()) / n  # of the entries of the sample covariance
    if size == 0.0 or (n < 3 and d > 1):
        raise DataError(
            f"a covariance needs three observations that differ, got {n:,.10g} with total variance {size * d:g}"
        )
    share = min(max(noise / distance, 0.0), 1.0) if distance > 0 else 0.0
    return MultivariateNormal(mean, (1.0 - share) * covariance + share * size * np.eye(d))


def james_stein(data: Any, variance: Any = None, *, towards: Any = 0.0) -> jax.Array:
    """Means shrunk towards a point m by the positive-part James–Stein rule: m + (1 − c σ²/|x − m|²)₊ (x − m).

    For x ~ N(μ, σ² I) in d dimensions c = d − 2, and d − 3 towards the mean of the d means themselves; its risk
    E|μ̂ − μ|² is below that of x for every μ (James and Stein 1961; Efron and Morris 1973,
    doi:10.1080/01621459.1973.10481350). With an estimated σ² on ν degrees of freedom it is multiplied by ν/(ν + 2).

    Args:
        data: with ``variance`` the means themselves, (..., d), each row by itself; without it n >= 2 observations
            of each of them, (n, d), whose means have the variance s²/n, s² pooled over the d columns.
        variance: σ² of each mean, in the unit of the data squared, > 0.
        towards: a number, an array that broadcasts against the means, or "mean" for the mean of the d means.

    Returns:
        The shrunken means, (..., d) or (d,).

    Raises:
        ValueError: fewer than 3 means (4 towards their mean), or a variance not > 0.

    Example:
        >>> import suffice as sf
        >>> sf.james_stein([3.0, 4.0, 0.0], variance=1.0).tolist()  # by 1 − 1/25
        [2.88, 3.84, 0.0]
    """
    x, least = jnp.asarray(data, float), 4 if isinstance(towards, str) else 3
    if isinstance(towards, str) and towards != "mean":
        raise ValueError(f'towards must be a point or "mean", got {towards!r}')
    if x.ndim == 0 or x.shape[-1] < least:
        raise ValueError(f"shrinkage needs {least} means or more, got shape {x.shape}")
    if variance is None:
        if x.ndim != 2 or x.shape[0] < 2:
            raise ValueError(f"without variance, data must be two or more observations (n, d), got shape {x.shape}")
        n, d = x.shape
        squares, freedom = ((x - x.mean(0, keepdims=True)) ** 2).sum(), (n - 1.0) * d
        x, noise = x.mean(0), squares / (freedom + 2.0) / n
    else:
        noise = jnp.asarray(variance, float)
        if not is_traced(noise) and not np.all(np.asarray(noise) > 0.0):
            raise ValueError(f"variance must be > 0, got {variance}")
        noise = noise[..., None] if noise.ndim else noise
    centre = x.mean(-1, keepdims=True) if isinstance(towards, str) else jnp.asarray(towards, float)
    centre = jnp.broadcast_to(centre, x.shape)
    step = x - centre
    size = (step**2).sum(-1, keepdims=True)
    share = jnp.where(size > 0.0, (least - 1.0 - x.shape[-1]) * noise / jnp.where(size > 0.0, size, 1.0), -jnp.inf)
    return centre + jnp.maximum(1.0 + share, 0.0) * step
