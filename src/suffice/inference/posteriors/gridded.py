"""What a grid tells of a density."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class GridPosterior:
    """A density on a grid that is even on the unconstrained space.

    Attributes:
        names: of the coordinates.
        axes: values of each coordinate at the grid's points, in its own unit.
        mass: probability at each point of the grid, summing to 1; a point on a face has half a cell or less.
        log_evidence: log ∫ p~, by the trapezoidal rule.
        evidence_error: how much it changes when every second point is left out; the rule's error is far below, but where
            given ranges cut the density.
        evaluations: of the log-density.
        slopes: derivatives of each coordinate along its axis, from one point to the next.
    """

    names: tuple[str, ...]
    axes: tuple[np.ndarray, ...]
    mass: np.ndarray
    log_evidence: float
    evidence_error: float
    evaluations: int
    slopes: tuple[np.ndarray, ...]

    def _place(self, name: str | None) -> int:
        if name is None and len(self.names) == 1:
            return 0
        if name not in self.names:
            raise ValueError(f"name must be one of {', '.join(self.names)}, got {name!r}")
        return self.names.index(name)

    def marginal(self, name: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Values of one coordinate, and its density there in 1/unit."""
        i = self._place(name)
        return self.axes[i], self._heights(i) / self.slopes[i]

    def _mass(self, i: int) -> np.ndarray:
        return self.mass.sum(axis=tuple(j for j in range(self.mass.ndim) if j != i))

    def _heights(self, i: int) -> np.ndarray:
        """Proportional to the density along an axis, whose ends have half a cell."""
        heights = self._mass(i).copy()
        heights[[0, -1]] *= 2.0
        return heights

    def expectation(self, of: Callable[..., Any]) -> float:
        """E[g] of a function of the coordinates, given as arrays that broadcast."""
        grid = np.meshgrid(*self.axes, indexing="ij", sparse=True)
        return float((self.mass * np.asarray(of(*grid))).sum())

    @property
    def mean(self) -> dict[str, float]:
        """Posterior mean of each coordinate."""
        return {name: float(self.axes[i] @ self._mass(i)) for i, name in enumerate(self.names)}

    @property
    def stddev(self) -> dict[str, float]:
        """Posterior standard deviation of each coordinate."""
        return {
            name: float(np.sqrt((self.axes[i] - self.mean[name]) ** 2 @ self._mass(i)))
            for i, name in enumerate(self.names)
        }

    @property
    def map(self) -> dict[str, float]:
        """The point of the grid with the highest density in the coordinates' own units."""
        density = self.mass
        for i, slope in enumerate(self.slopes):
            cell = slope.copy()
            cell[[0, -1]] *= 0.5
            density = density / cell.reshape([-1 if j == i else 1 for j in range(self.mass.ndim)])
        best = np.unravel_index(int(np.argmax(density)), density.shape)
        return {name: float(self.axes[i][best[i]]) for i, name in enumerate(self.names)}

    def quantile(self, q: float, name: str | None = None) -> float:
        """Quantile of one coordinate, from its distribution function between the points by cubic interpolation."""
        if not 0.0 < q < 1.0:
            raise ValueError(f"q must be between 0 and 1, got {q}")
        i = self._place(name)
        mass = self._heights(i)
        slope = np.gradient(mass, edge_order=2)
        # the integral of the cubic through two points with these slopes
        pieces = 0.5 * (mass[:-1] + mass[1:]) + (slope[:-1] - slope[1:]) / 12.0
        below = np.concatenate([[0.0], np.cumsum(pieces)])
        below = below / below[-1]
        k = int(np.clip(np.searchsorted(below, q) - 1, 0, len(pieces) - 1))
        low, high, t = 0.0, 1.0, 0.5
        for _ in range(60):
            t = 0.5 * (low + high)
            h = (below[k] * (1 + 2 * t) + mass[k] * t) * (1 - t) ** 2
            h += (below[k + 1] * (3 - 2 * t) - mass[k + 1] * (1 - t)) * t**2
            low, high = (t, high) if h < q else (low, t)
        a, b = self.axes[i][k], self.axes[i][k + 1]
        da, db = self.slopes[i][k], self.slopes[i][k + 1]
        return float((a * (1 + 2 * t) + da * t) * (1 - t) ** 2 + (b * (3 - 2 * t) - db * (1 - t)) * t**2)

    def interval(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """Credible interval of each coordinate with equal tails."""
        tail = 0.5 * (1.0 - level)
        return {name: (self.quantile(tail, name), self.quantile(1.0 - tail, name)) for name in self.names}

    def __repr__(self) -> str:
        deviation = self.stddev
        told = ", ".join(f"{name} = {value:.6g} ± {deviation[name]:.2g}" for name, value in self.mean.items())
        size = " x ".join(str(len(a)) for a in self.axes)
        return f"GridPosterior({told}; log evidence {self.log_evidence:.6f} ± {self.evidence_error:.1g}, {size} points)"
