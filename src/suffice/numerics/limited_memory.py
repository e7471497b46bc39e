"""The L-BFGS method: its path to a minimum, and an inverse Hessian of low rank at each point of it."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from suffice.numerics.quasi_newton import line_search

_CURVED = 1e-12  # least share of |y|² that s·y must have for a pair to be kept


class InverseHessian(NamedTuple):
    """diag(alpha) + beta gamma betaᵀ, positive definite; beta is (d, 2J) for J pairs of steps.

    Attributes:
        alpha: (d,).
        beta: (d, 2J).
        gamma: (2J, 2J).
    """

    alpha: np.ndarray
    beta: np.ndarray
    gamma: np.ndarray

    def times(self, g: np.ndarray) -> np.ndarray:
        """The matrix times a vector."""
        return self.alpha * g + self.beta @ (self.gamma @ (self.beta.T @ g))

    def dense(self) -> np.ndarray:
        """All of it, (d, d)."""
        return np.diag(self.alpha) + self.beta @ self.gamma @ self.beta.T

    def spread(self, u: np.ndarray) -> tuple[np.ndarray, float]:
        """Rows of u (n, d), standard normal, as rows of this covariance, and ½ log of its determinant.

        Source: Zhang, Carpenter, Gelman and Vehtari (2022), algorithm 4.
        """
        root = np.sqrt(self.alpha)
        q, r = np.linalg.qr(self.beta / root[:, None])
        factor = np.linalg.cholesky(np.eye(len(r)) + r @ self.gamma @ r.T)
        inside = u @ q
        z = u + (inside @ (factor - np.eye(len(r))).T) @ q.T
        return z * root, float(np.log(root).sum() + np.log(np.diagonal(factor)).sum())

    def whitened(self, x: np.ndarray) -> np.ndarray:
        """What ``spread`` made the rows x of."""
        root = np.sqrt(self.alpha)
        q, r = np.linalg.qr(self.beta / root[:, None])
        factor = np.linalg.cholesky(np.eye(len(r)) + r @ self.gamma @ r.T)
        z = x / root
        inside = z @ q
        return z + (np.linalg.solve(factor, inside.T).T - inside) @ q.T


class Iterate(NamedTuple):
    """A point of the path, with value, gradient and inverse Hessian there."""

    point: np.ndarray
    value: float
    gradient: np.ndarray
    inverse: InverseHessian


def descend(
    f: Callable[[np.ndarray], tuple[float, np.ndarray]],
    x: np.ndarray,
    history: int = 6,
    tolerance: float = 1e-10,
    most: int = 1000,
) -> list[Iterate]:
    """The path of L-BFGS from ``x``, until what the quadratic model promises is at most ``tolerance``.

    Source: Byrd, Nocedal and Schnabel (1994), equation 3.13, for the matrices; Gilbert and Lemaréchal (1989) for the
        diagonal, as in algorithm 3 of Zhang and others (2022).
    """
    x = np.asarray(x, float)
    value, gradient = f(x)
    alpha, pairs = np.ones(len(x)), deque(maxlen=history)
    inverse = _matrix(alpha / max(float(np.linalg.norm(gradient)), 1.0), pairs)
    path = [Iterate(x, value, gradient, inverse)]
    for _ in range(most):
        step = -inverse.times(gradient)
        slope = float(gradient @ step)
        if not slope < 0.0 or -0.5 * slope <= tolerance:
            break
        found = line_search(f, x, value, step, slope)
        if found is None:
            break
        new, value, new_gradient = found
        s, y = new - x, new_gradient - gradient
        x, gradient = new, new_gradient
        if s @ y > _CURVED * (y @ y):
            alpha = _diagonal(alpha, s, y)
            pairs.append((s, y))
        inverse = _matrix(alpha, pairs)
        path.append(Iterate(x, value, gradient, inverse))
    return path


def _diagonal(alpha: np.ndarray, s: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The diagonal that agrees with the curvature along the last step."""
    a, b, c = float(y @ (alpha * y)), float(y @ s), float(s @ (s / alpha))
    return 1.0 / (a / (b * alpha) + y**2 / b - a * s**2 / (b * c * alpha**2))


def _matrix(alpha: np.ndarray, pairs: deque[tuple[np.ndarray, np.ndarray]]) -> InverseHessian:
    if not pairs:
        return InverseHessian(alpha, np.zeros((len(alpha), 0)), np.zeros((0, 0)))
    s, y = (np.stack(v, axis=1) for v in zip(*pairs, strict=True))
    inner = s.T @ y
    right = np.linalg.inv(np.triu(inner))
    scaled = alpha[:, None] * y
    corner = right.T @ (np.diag(np.diagonal(inner)) + y.T @ scaled) @ right
    gamma = np.block([[np.zeros_like(right), -right], [-right.T, corner]])
    return InverseHessian(alpha, np.concatenate([scaled, s], axis=1), gamma)
