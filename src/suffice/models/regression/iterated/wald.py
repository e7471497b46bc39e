"""Wald's intervals: an estimate and so many standard errors to each side; weights that have them."""

from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np

from suffice.distributions.normal import Normal

if TYPE_CHECKING:
    from suffice.models.regression.least_squares.design import Design
    from suffice.models.regression.least_squares.solution import Solution


def reach(level: float) -> float:
    """Half of an interval in units of the standard error.

    Raises:
        ValueError: the level is not between 0 and 1.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must be between 0 and 1, got {level}")
    zero = jnp.zeros(())
    return float(Normal(zero, zero + 1.0).isf(0.5 - 0.5 * level))


def interval(estimates: np.ndarray, errors: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Both ends."""
    half = reach(level) * errors
    return estimates - half, estimates + half


class Weighed:
    """Weights of one target found by weighted least squares, with errors from the information."""

    design: "Design"
    solution: "Solution"

    @property
    def _unit(self) -> float:
        """What the inverse of the last least squares' products is multiplied by."""
        raise NotImplementedError

    @property
    def names(self) -> tuple[str, ...]:
        """Of the weights."""
        return self.design.names

    @property
    def weights(self) -> np.ndarray:
        """w, (M,)."""
        return self.solution.weights[:, 0]

    @property
    def covariance(self) -> np.ndarray:
        """Of the weights, from the expected information, (M, M)."""
        return self._unit * self.solution.weights_root @ self.solution.weights_root.T

    @property
    def standard_errors(self) -> np.ndarray:
        """Of the weights."""
        return np.sqrt(self._unit * (self.solution.weights_root**2).sum(1))

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Wald intervals of the weights."""
        return interval(self.weights, self.standard_errors, level)
