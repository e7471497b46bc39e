"""Natural-gradient ascent of the evidence's lower bound over normal laws: Newton's steps, averaged over the law."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

_MOST, _SMALLEST = 200, 1.0 / 64.0
_ENOUGH = 1e-7  # length of the natural gradient, in deviations


class Ascent(NamedTuple):
    """Where the steps ended.

    Attributes:
        mean, root: of the law N(mean, root rootᵀ).
        converged: whether the natural gradient vanishes.
        iterations: steps taken.
    """

    mean: np.ndarray
    root: np.ndarray
    converged: bool
    iterations: int


def ascend(log_density: Any, mean: np.ndarray, deviation: float, z: Any, diagonal: bool) -> Ascent:
    """From N(mean, deviation² I): P ← (1 − ρ) P + ρ S, m ← m + ρ P⁻¹ g, g = E_q[∇ log p~] and S = −E_q[∇² log p~].

    These are steps along the gradient in mean parameters, in natural coordinates of the law; P its precision. Expectations
    are over fixed draws z. ρ is 1, or less where that does not shorten the gradient; where P would not be positive
    definite it gains ½ ρ² (S − P) P⁻¹ (S − P), which keeps it so. For normal densities one step is all.

    Args:
        log_density: of a point, (d,), differentiable twice by JAX.
        mean, deviation: where to begin.
        z: standard normal draws, (n, d).
        diagonal: whether the law's coordinates are independent.

    Source: Khan and Rue (2023), The Bayesian learning rule, section 4; Lin, Schmidt and Khan (2020) for the retraction.
    """

    @jax.jit
    def averages(mean: jax.Array, root: jax.Array) -> tuple[jax.Array, jax.Array]:
        x = mean[None] + jnp.asarray(z) @ root.T
        return jax.vmap(jax.grad(log_density))(x).mean(0), -jax.vmap(jax.hessian(log_density))(x).mean(0)

    def look(mean: np.ndarray, precision: np.ndarray) -> tuple[Any, ...]:
        root = np.linalg.inv(np.linalg.cholesky(precision)).T
        g, s = (np.asarray(v) for v in averages(mean, root))
        s = np.diag(np.diagonal(s)) if diagonal else 0.5 * (s + s.T)
        left = float(np.sqrt(np.sum((root.T @ g) ** 2) + 0.5 * np.sum((root.T @ s @ root - np.eye(len(g))) ** 2)))
        return mean, precision, root, g, s, left

    at = look(np.asarray(mean, float), np.eye(len(mean)) / deviation**2)
    for iteration in range(_MOST):
        mean, precision, root, g, s, left = at
        if left <= _ENOUGH:
            return Ascent(mean, root, True, iteration)
        rate = 1.0
        while True:
            new = _moved(precision, s, rate)
            found = look(mean + rate * np.linalg.solve(new, g), new) if np.all(np.isfinite(new)) else None
            if found is not None and found[-1] < left * (1.0 - 0.1 * rate):
                at = found
                break
            rate *= 0.5
            if rate < _SMALLEST:
                if found is None or not np.isfinite(found[-1]):
                    return Ascent(mean, root, False, iteration)
                at = found  # over a rise, as from a plateau
                break
    return Ascent(at[0], at[2], False, _MOST)


def _moved(precision: np.ndarray, s: np.ndarray, rate: float) -> np.ndarray:
    new = (1.0 - rate) * precision + rate * s
    if np.all(np.isfinite(new)) and np.linalg.eigvalsh(new)[0] > 1e-3 * np.linalg.eigvalsh(precision)[0]:
        return new
    gap = s - precision
    return new + 0.5 * rate**2 * gap @ np.linalg.solve(precision, gap)
