"""Estimates that trade a little bias for much less variance."""

from typing import Any

import numpy as np

from suffice.distributions.family import as_family
from suffice.distributions.multivariate_normal import MultivariateNormal, moments_of
from suffice.inference.arrays import Rows
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
