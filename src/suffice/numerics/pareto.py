"""Pareto-smoothed importance weights: the largest replaced by quantiles of the tail fitted to them."""

import numpy as np

_LARGEST = 0.7  # shape at which an average still says something, of however many draws
_FEWEST = 5  # values of a tail
_LEAST = 20  # values of a tail made shorter


def log_mean(values: np.ndarray) -> np.ndarray:
    """log mean exp over draws."""
    top = np.where(np.isfinite(values.max(axis=0)), values.max(axis=0), 0.0)
    with np.errstate(divide="ignore"):
        return top + np.log(np.exp(values - top).mean(axis=0))


def reliable_shape(draws: int) -> float:
    """The largest shape of a tail at which an average of so many ratios still says something: 1 − 1/log₁₀ n, at most 0.7.

    Source: Vehtari and others (2024), section 3.2.4.
    """
    return min(1.0 - 1.0 / np.log10(max(draws, 10)), _LARGEST)


def smoothed_weights(log_ratios: np.ndarray, efficiency: float = 1.0) -> tuple[np.ndarray, float]:
    """Logarithms of Pareto-smoothed weights that sum to 1, and the shape k of their tail.

    Source: Vehtari and others (2024), appendix A; where the tail begins: see ``_tail``.
    """
    smoothed, k = smoothed_ratios(log_ratios, efficiency)
    return smoothed - log_mean(smoothed[:, None])[0] - np.log(len(smoothed)), k


def smoothed_ratios(log_ratios: np.ndarray, efficiency: float = 1.0, whole: bool = False) -> tuple[np.ndarray, float]:
    """Logarithms of ratios, the largest replaced by quantiles of the tail fitted to them, and its shape k.

    The quantiles end where the sample does, so that their mean is below that of the law, σ/(1 − k): by a tenth at a shape
    of 0.65. With ``whole`` they are scaled to it for shapes from ½, where that bias is no longer small beside the error, to
    0.7; the largest may then be above any ratio seen.
    """
    ratios = log_ratios - log_ratios.max()
    size, k = _size(len(ratios), efficiency), np.inf
    if size >= _FEWEST:
        order = np.argsort(ratios, kind="stable")
        size, k, scale = _tail(ratios[order], size)
        if np.isfinite(k):
            tail, threshold = order[-size:], ratios[order[-size - 1]]
            levels = (np.arange(size) + 0.5) / size
            quantiles = -np.log1p(-levels) if k == 0.0 else np.expm1(-k * np.log1p(-levels)) / k
            most = 0.0
            if whole and 0.5 < k <= _LARGEST:
                quantiles, most = quantiles / (quantiles.mean() * (1.0 - k)), np.inf
            ratios[tail] = np.minimum(np.log(scale * quantiles + np.exp(threshold)), most)
    return ratios + log_ratios.max(), k


def mean_error(deviations: np.ndarray) -> tuple[float, float]:
    """Standard error of a mean, from independent values less it, and the larger shape of their two tails.

    Of values with a heavy tail the largest are seldom seen, and without them the sample's variance is too small; above a
    shape of ½ there is none. So the values beyond a threshold are also taken for draws of a generalised Pareto law: they
    add their number's variance, and that of the law's mean σ/(1 − k) given its fitted parameters. The larger of the two
    errors counts. Source: Johansson (2003).
    """
    n, replaced, fitted, shapes = len(deviations), deviations.copy(), 0.0, [-np.inf]
    for sign in (1.0, -1.0):
        side = sign * deviations
        size = min(_size(n), int((side > 0.0).sum()) // 2)
        if size < _FEWEST:
            continue
        order = np.argsort(side, kind="stable")
        top = side[order[-1]]
        with np.errstate(divide="ignore"):
            size, k, scale = _tail(np.log(np.maximum(side[order], 0.0) / top), size)
        shapes.append(k)
        if 0.0 < k < 1.0:
            replaced[order[-size:]] = sign * (side[order[-size - 1]] + top * scale / (1.0 - k))
            fitted += (top * scale * size / n) ** 2 * (1.0 + k) * (1.0 - k + 2.0 * k**2) / (size * (1.0 - k) ** 4)
    square = max(deviations.var(ddof=1) / n, replaced.var(ddof=1) / n + fitted)
    return float(np.sqrt(square)), float(max(shapes))


def _size(draws: int, efficiency: float = 1.0) -> int:
    """How many of the largest of so many draws are the tail."""
    return int(np.ceil(min(0.2 * draws, 3.0 * np.sqrt(draws / efficiency))))


def _tail(weights: np.ndarray, size: int) -> tuple[int, float, float]:
    """How many of the sorted log-weights are the tail, with its shape and scale: ``size``, or fewer behind a shoulder.

    A ratio that is nearly level about its peak, as that of a density to a law a little too wide, with a tail elsewhere,
    puts many equal weights and a few larger ones above the threshold, and their shape is taken for 3. So the tail is
    halved as long as a shape above ½ falls by more than three standard errors, (1 + k)/√size of each, and at least
    twenty values are left, unless the tail has half of all weight: then it matters whatever its shape.
    """
    found = _fitted(weights, size)
    w = np.exp(weights)
    if not found[1] > 0.5 or w[-size:].sum() > 0.5 * w.sum():
        return found
    fewer = [_fitted(weights, size >> i) for i in range(1, size.bit_length()) if size >> i >= _LEAST]
    while any(k < found[1] - 3.0 * (1.0 + max(k, 0.0)) / np.sqrt(m) for m, k, _ in fewer):
        found, *fewer = fewer
    return found


def _fitted(weights: np.ndarray, size: int) -> tuple[int, float, float]:
    """Shape and scale of the excess of the largest; −inf where they are equal."""
    excess = np.exp(weights[-size:]) - np.exp(weights[-size - 1])
    if not excess[-1] > 0.0:
        return size, -np.inf, 0.0
    shape, scale = pareto_tail(excess)
    return size, shape, scale


def pareto_tail(excess: np.ndarray) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto distribution of sorted values >= 0, by an empirical Bayes estimate.

    The profile likelihood of θ = k/σ is averaged over a grid; the shape is drawn towards ½ by a prior worth ten values.
    Source: Zhang and Stephens (2009), section 3; the prior: Vehtari and others (2024), appendix G.
    """
    n = len(excess)
    grid = 30 + int(np.sqrt(n))
    quartile = max(excess[int(n / 4 + 0.5) - 1], excess[excess > 0.0][0])  # several may be 0
    theta = 1.0 / excess[-1] + (1.0 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))) / (3.0 * quartile)
    theta = np.where(theta == 0.0, 1e-12 / excess[-1], theta)  # where k is 0 as well
    k = np.log1p(-theta[:, None] * excess).mean(1)
    profile = n * (np.log(-theta / k) - k - 1.0)
    weight = np.exp(profile - profile.max())
    best = float(theta @ weight / weight.sum())
    shape = float(np.log1p(-best * excess).mean())
    return (n * shape + 10.0 * 0.5) / (n + 10.0), -shape / best
