"""Pareto-smoothed importance weights: the largest replaced by quantiles of the tail fitted to them."""

import numpy as np


def log_mean(values: np.ndarray) -> np.ndarray:
    """log mean exp over draws."""
    top = np.where(np.isfinite(values.max(axis=0)), values.max(axis=0), 0.0)
    with np.errstate(divide="ignore"):
        return top + np.log(np.exp(values - top).mean(axis=0))


def smoothed_weights(log_ratios: np.ndarray, efficiency: float = 1.0) -> tuple[np.ndarray, float]:
    """Logarithms of Pareto-smoothed weights that sum to 1, and the shape k of their tail."""
    draws = len(log_ratios)
    weights = log_ratios - log_ratios.max()
    size = int(np.ceil(min(0.2 * draws, 3.0 * np.sqrt(draws / efficiency))))
    k = np.inf
    if size > 4:
        order = np.argsort(weights, kind="stable")
        tail, threshold = order[-size:], weights[order[-size - 1]]
        excess = np.exp(weights[tail]) - np.exp(threshold)
        if excess[-1] > 0.0:
            k, scale = pareto_tail(excess)
            levels = (np.arange(size) + 0.5) / size
            quantiles = -np.log1p(-levels) if k == 0.0 else np.expm1(-k * np.log1p(-levels)) / k
            weights[tail] = np.minimum(np.log(scale * quantiles + np.exp(threshold)), 0.0)
        else:
            k = -np.inf  # the largest weights are equal
    return weights - log_mean(weights[:, None])[0] - np.log(draws), k


def pareto_tail(excess: np.ndarray) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto distribution of sorted values >= 0, by an empirical Bayes estimate.

    The profile likelihood of θ = k/σ is averaged over a grid; the shape is drawn towards ½ by a prior worth ten values.
    Source: Zhang and Stephens (2009), section 3; the prior: Vehtari and others (2024), appendix G.
    """
    n = len(excess)
    grid = 30 + int(np.sqrt(n))
    quartile = excess[int(n / 4 + 0.5) - 1]
    theta = 1.0 / excess[-1] + (1.0 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))) / (3.0 * max(quartile, 1e-300))
    k = np.log1p(-theta[:, None] * excess).mean(1)
    profile = n * (np.log(-theta / k) - k - 1.0)
    weight = np.exp(profile - profile.max())
    best = float(theta @ weight / weight.sum())
    shape = float(np.log1p(-best * excess).mean())
    return (n * shape + 10.0 * 0.5) / (n + 10.0), -shape / best
