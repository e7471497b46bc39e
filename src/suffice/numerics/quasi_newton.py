"""The BFGS method: a minimum of a smooth function of many variables from its gradients."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

_ARMIJO, _WOLFE = 1e-4, 0.9
_MOST_LOOKS = 40


class Minimum(NamedTuple):
    """Where the search ended.

    Attributes:
        point, value, gradient: there.
        converged: whether the gradient promises no more than ``tolerance``.
        iterations: steps taken.
        inverse: of the Hessian, as far as it was built up.
    """

    point: np.ndarray
    value: float
    gradient: np.ndarray
    converged: bool
    iterations: int
    inverse: np.ndarray


def minimise(
    f: Callable[[np.ndarray], tuple[float, np.ndarray]],
    x: np.ndarray,
    tolerance: float = 1e-12,
    most: int = 500,
    inverse: np.ndarray | None = None,
) -> Minimum:
    """Minimise a function given with its gradient, from ``x``, and from an inverse Hessian where one is known.

    The inverse Hessian is built up from gradients; steps satisfy the weak conditions of Wolfe, by bisection. The search
    ends when ½ g'Hg, what the quadratic model promises, is at most ``tolerance``, in the unit of f.

    Source: Nocedal and Wright, Numerical Optimization (2006), algorithm 6.1; Lewis and Overton (2013), algorithm 2.6.
    """
    x = np.asarray(x, float)
    value, gradient = f(x)
    fresh = inverse is None
    if inverse is None:
        inverse = np.eye(len(x)) / max(float(np.linalg.norm(gradient)), 1.0)
    for iteration in range(most):
        step = -inverse @ gradient
        slope = float(gradient @ step)
        if not slope < 0.0:
            inverse = np.eye(len(x)) / max(float(np.linalg.norm(gradient)), 1.0)
            step, slope = -inverse @ gradient, -float(gradient @ inverse @ gradient)
        if -0.5 * slope <= tolerance:
            return Minimum(x, value, gradient, True, iteration, inverse)
        found = line_search(f, x, value, step, slope)
        if found is None:
            return Minimum(x, value, gradient, -0.5 * slope <= 1e-9 * (1.0 + abs(value)), iteration, inverse)
        new, value, new_gradient = found
        moved, changed = new - x, new_gradient - gradient
        x, gradient = new, new_gradient
        along = float(moved @ changed)
        if along > 1e-14 * float(np.linalg.norm(moved) * np.linalg.norm(changed)):
            if fresh and iteration == 0:
                inverse = np.eye(len(x)) * along / float(changed @ changed)
            turn = np.eye(len(x)) - np.outer(moved, changed) / along
            inverse = turn @ inverse @ turn.T + np.outer(moved, moved) / along
    return Minimum(x, value, gradient, False, most, inverse)


def line_search(
    f: Callable[[np.ndarray], tuple[float, np.ndarray]], x: np.ndarray, value: float, step: np.ndarray, slope: float
) -> tuple[np.ndarray, float, np.ndarray] | None:
    """A point along the step with enough decrease and a flatter slope; the best that decreases, if there is none."""
    low, high, size, best = 0.0, np.inf, 1.0, None
    for _ in range(_MOST_LOOKS):
        at = x + size * step
        new, gradient = f(at)
        if not np.isfinite(new) or new > value + _ARMIJO * size * slope:
            high = size
        elif not np.all(np.isfinite(gradient)) or gradient @ step < _WOLFE * slope:
            low = size
            best = (at, float(new), gradient) if np.all(np.isfinite(gradient)) else best
        else:
            return at, float(new), gradient
        size = 2.0 * low if np.isinf(high) else 0.5 * (low + high)
    return best
