"""Where a likelihood of deviations and other numbers is highest: by gradients from several starts, then by Newton's method."""

from collections.abc import Callable
from typing import Any

import numpy as np

from suffice.numerics.quasi_newton import minimise

_POLISH = 20
_ROUGHLY, _NEARLY = 1e-2, 1e-13  # nats that a search from each start leaves, and from the best
_NEXT_TO = 1e-12  # of Newton's decrement: 1e-6 of a standard error


def search(
    profile: Callable[[np.ndarray], Any],
    expanded: Callable[[np.ndarray], Any],
    starts: np.ndarray,
    is_deviation: np.ndarray,
) -> tuple[np.ndarray, float, np.ndarray, bool]:
    """Where the likelihood is highest, it and minus its Hessian there, and whether that is a maximum.

    From each start roughly, from the best further, at the best common scale for each point; then by Newton's method.

    Args:
        profile: the log-likelihood at the best common scale of all deviations with that scale squared, and its gradient.
        expanded: the log-likelihood, its gradient and Hessian.
        starts: points, one in each row.
        is_deviation: which coordinates are deviations, that scale together.
    """

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        (value, _), gradient = profile(theta)
        return -float(value), -np.asarray(gradient)

    ends = [minimise(loss, start, tolerance=_ROUGHLY) for start in starts]
    best = min(ends, key=lambda end: end.value if np.isfinite(end.value) else np.inf)
    theta = minimise(loss, best.point, tolerance=_NEARLY, inverse=best.inverse).point
    theta = np.where(is_deviation, theta * np.sqrt(float(profile(theta)[0][1])), theta)
    value, gradient, hessian = (-np.asarray(v) for v in expanded(theta))
    for _ in range(_POLISH):
        if not np.isfinite(hessian).all():
            return theta, -float(value), hessian, False
        curvature, directions = np.linalg.eigh(hessian)
        along = directions.T @ gradient
        step = -directions @ (along / np.maximum(np.abs(curvature), 1e-10 * np.abs(curvature).max() + 1e-300))
        decrement = float(-gradient @ step)
        if decrement <= _NEXT_TO:  # the curvature there is that here
            return theta + step, -float(value), hessian, True
        new = [-np.asarray(v) for v in expanded(theta + step)]
        if not new[0] <= value + 1e-12 * (1.0 + abs(value)):
            return theta, -float(value), hessian, decrement <= 1e-9
        theta, (value, gradient, hessian) = theta + step, new
    return theta, -float(value), hessian, False
