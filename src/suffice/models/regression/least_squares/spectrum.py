"""A regression in its principal axes: where every ridge penalty is a scalar."""

from dataclasses import dataclass

import numpy as np

from suffice.models.regression.least_squares.design import Design
from suffice.models.regression.least_squares.statistic import RegressionStatistic
from suffice.numerics.double_double import double, from_fractions
from suffice.numerics.double_double_linalg import matmul, solve_upper


@dataclass(frozen=True)
class Spectrum:
    """Penalised columns as U diag(values) axesᵀ, after the constant is projected out where it is not penalised.

    Attributes:
        values: singular values, largest first, (m,).
        axes: directions in the space of the penalised weights, (m, m), one in each column.
        targets: Uᵀ t, (m,).
        left: what no weights can explain of |t|².
        free: weights that are not penalised: 1 for the constant, or 0.
    """

    values: np.ndarray
    axes: np.ndarray
    targets: np.ndarray
    left: float
    free: int

    @classmethod
    def of(cls, design: Design, statistic: RegressionStatistic, shrink_intercept: bool = False) -> "Spectrum":
        """From the statistic of one target."""
        m = len(design.names)
        columns, target = triangle(design, statistic)
        free = int(design.intercept and not shrink_intercept)
        u, s, vt = np.linalg.svd(columns[free:m, free:], full_matrices=False)
        return cls(s, vt.T, u.T @ target[free:m], float((target[m:] ** 2).sum()), free)

    def weights(self, ratio: float) -> np.ndarray:
        """The penalised weights that minimise |t − Phi w|² + ratio |w|²."""
        return self.axes @ (self.values * self.targets / (self.values**2 + ratio))


def triangle(design: Design, statistic: RegressionStatistic) -> tuple[np.ndarray, np.ndarray]:
    """R of the reported columns, the constant's shift undone, (M, M), and the targets' part, (M + 1,), in float64."""
    m = len(design.names)
    root = statistic.root()
    upper = root.at(slice(0, m), slice(0, m))
    target = root.value[:, m].copy()
    if design.conversion is not None:
        inverse = solve_upper(from_fractions(design.conversion), double(np.eye(m)))
        shift = np.eye(m)
        shift[0, 1:] = statistic.shift[1:m]
        upper = matmul(matmul(upper, double(shift)), inverse)
    elif statistic.centred:
        upper.hi[0, 1:] += upper.hi[0, 0] * statistic.shift[1:m]
    if statistic.centred:
        target[0] += upper.hi[0, 0] * statistic.shift[m]
    return upper.value, target
