"""Stacks of triangular factors, and what follows from sums in their units."""

import numpy as np


def inverse(root: np.ndarray) -> np.ndarray:
    """Inverses of triangular factors, row by row of all at once."""
    d = root.shape[-1]
    found = np.zeros_like(root)
    with np.errstate(all="ignore"):
        for i in range(d):
            row = -(root[..., i : i + 1, :i] @ found[..., :i, :])[..., 0, :]
            row[..., i] += 1.0
            found[..., i, :] = row / root[..., i, i, None]
    return found


def cholesky(x: np.ndarray) -> np.ndarray:
    """Cholesky factors; NaN for a matrix that is not positive definite."""
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        flat = [_cholesky(m) for m in x.reshape(-1, *x.shape[-2:])]
        return np.reshape(flat, x.shape)


def _cholesky(x: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        return np.full(x.shape, np.nan)


def second_moments(sums: dict[str, np.ndarray], loc: np.ndarray, whitener: np.ndarray) -> np.ndarray:
    """Σ r z zᵀ of each component; shares of their sum where they have one covariance, the diagonal where that is all."""
    if "square" in sums:
        return sums["square"]
    if "squares" in sums:
        return sums["squares"][..., None] * np.eye(whitener.shape[-1])
    inner = (sums["cross"] - sums["first"][..., None] * loc[..., None, :]) @ np.swapaxes(whitener, -1, -2)
    return 0.5 * (inner + np.swapaxes(inner, -1, -2))
