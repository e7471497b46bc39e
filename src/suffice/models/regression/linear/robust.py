"""The sandwich: covariances of least-squares weights that hold whatever the noise's variances."""

from typing import Literal, get_args

import numpy as np

from suffice.models.regression.iterated.reweighted import counted
from suffice.models.regression.least_squares.data import RegressionData
from suffice.models.regression.least_squares.design import Rows
from suffice.models.regression.least_squares.solution import Solution

Covariance = Literal["noise", "sandwich", "HC0", "HC1", "HC2", "HC3"]


def check(covariance: str) -> None:
    """ValueError unless it is one of the covariances."""
    if covariance not in get_args(Covariance):
        raise ValueError(f"covariance must be one of {', '.join(get_args(Covariance))}, got {covariance!r}")


def filling(data: RegressionData, solution: Solution, covariance: Covariance, free: float) -> np.ndarray:
    """C with covariance V C Vᵀ of weights, V the solution's root: C = Σ_i g_i f(h_i) r_i² q_i q_iᵀ, q = Vᵀ phi.

    f is 1 for HC0, n/(n − rank) for HC1, 1/(1 − h) for HC2 and 1/(1 − h)² for HC3. The data are read once more.

    Args:
        data: that were fitted.
        solution: of the fit.
        covariance: which of them.
        free: n − rank.

    Returns:
        (K, r, r), one for each target.

    Source: White 1980, doi:10.2307/1912934; MacKinnon and White 1985, doi:10.1016/0304-4076(85)90158-7.
    """
    power = {"HC2": 1.0, "HC3": 2.0}.get(covariance, 0.0)

    def reduce(rows: Rows) -> np.ndarray:
        phi = data.design.columns(rows.inputs).hi
        base = rows.targets if rows.offset is None else rows.targets - rows.offset
        height = np.ones(len(base)) if rows.precisions is None else rows.precisions
        q, residuals = phi @ solution.root, base - phi @ solution.coefficients
        with np.errstate(divide="ignore", invalid="ignore"):
            left = (1.0 - height * (q**2).sum(1)) ** -power if power else 1.0
            each = (counted(rows) * height**2 * left)[:, None] * residuals**2
        # a row that is fitted whatever its target has no residual, and says nothing
        each = np.where(np.isfinite(each), each, 0.0)
        return np.stack([(q * e[:, None]).T @ q for e in each.T])

    found = np.asarray(data.folded(reduce))
    if covariance == "HC1":
        found = found * (free + solution.rank) / free if free > 0 else found * np.nan
    return found


def root_of(symmetric: np.ndarray) -> np.ndarray:
    """L with L Lᵀ = C, of a positive semi-definite matrix."""
    values, axes = np.linalg.eigh(symmetric)
    return axes * np.sqrt(np.maximum(values, 0.0))
