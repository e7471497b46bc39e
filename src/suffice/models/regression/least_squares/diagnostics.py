"""What each row does to a fit, and the fit to it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from suffice.models.regression.least_squares.design import Design, Rows
from suffice.numerics.double_double import Double, multiply, total


@dataclass(frozen=True, eq=False)
class Diagnostics:
    """What each row does to a fit, and the fit to it; arrays of length n, residuals (n,) or (n, K).

    Attributes:
        fitted: the projection of the targets on the span of the columns.
        residuals: targets minus fitted.
        leverage: diagonal of the hat matrix, between 0 and 1; their sum is the rank.
        standardised: residuals over their standard errors s √(1 − leverage).
        studentised: the same with s from the fit without that row: Student t with n − rank − 1 degrees of freedom.
        cooks_distance: how far the fit moves without that row (Cook 1977, doi:10.1080/00401706.1977.10489493).
    """

    fitted: np.ndarray
    residuals: np.ndarray
    leverage: np.ndarray
    standardised: np.ndarray
    studentised: np.ndarray
    cooks_distance: np.ndarray

    def target(self, place: int) -> "Diagnostics":
        """Of one target."""
        parts = (np.reshape(getattr(self, f), (len(self.leverage), -1))[:, place] for f in _OF_TARGETS)
        fitted, residuals, standardised, studentised, cooks = parts
        return Diagnostics(fitted, residuals, self.leverage, standardised, studentised, cooks)


_OF_TARGETS = ("fitted", "residuals", "standardised", "studentised", "cooks_distance")


def diagnosed(
    design: Design, rows: Rows, coefficients: np.ndarray, root: np.ndarray, deviation: Any, free: float, size: float
) -> Diagnostics:
    """Diagnostics of rows, with arrays (n, K).

    Args:
        design: how inputs become columns.
        rows: some of those that were fitted, or all.
        coefficients: of the columns computed with, (M, K).
        root: V with V Vᵀ their covariance in units of the noise variance, (M, r).
        deviation: of the noise, (K,).
        free: degrees of freedom of ``deviation``.
        size: number of parameters that Cook's distances are divided by.
    """
    made = design.columns(rows.inputs).pairs
    fitted, residuals = np.zeros(rows.targets.shape), np.zeros(rows.targets.shape)
    base = rows.targets if rows.offset is None else rows.targets - rows.offset
    for k in range(base.shape[1]):
        w = coefficients[:, k][None, :]
        y = total(multiply(made, Double(w, np.zeros_like(w))), axis=1)
        fitted[:, k] = y.value
        residuals[:, k] = (base[:, k] - y.hi) - y.lo
    height = np.ones(len(base)) if rows.precisions is None else rows.precisions
    leverage = height * ((made.hi @ root) ** 2).sum(1)
    h = leverage[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = np.sqrt(height)[:, None] * residuals / np.atleast_1d(deviation)[None, :]
        standardised = scaled / np.sqrt(1.0 - h)
        shrunk = 1.0 if np.isinf(free) else np.sqrt((free - 1.0) / (free - standardised**2))
        cooks = standardised**2 * h / ((1.0 - h) * size)
    if rows.offset is not None:
        fitted = fitted + rows.offset
    return Diagnostics(fitted, residuals, leverage, standardised, standardised * shrunk, cooks)
