"""What every fit by iterated maximum likelihood tells: estimates with their errors, criteria, how the search ended."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from suffice.models.regression.iterated import wald
from suffice.models.regression.least_squares import words
from suffice.models.regression.least_squares.data import RegressionData
from suffice.models.regression.least_squares.design import Design
from suffice.models.regression.least_squares.solution import Solution


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class LikelihoodFit:
    """A regression fitted by maximum likelihood in steps.

    Attributes:
        design: how inputs become columns.
        names: of the parameters, (P,).
        parameters: their estimates, (P,).
        covariance: of these, the inverse of the information, (P, P).
        dimension: number of parameters that were estimated, those of the noise and the dispersion among them.
        log_likelihood: at the estimate.
        count: number of observations, the sum of weights.
        converged: whether the steps came to an end.
        iterations: steps taken.
        message: why not; of separated data, that the likelihood has no maximum.
        data: what was fitted, from which figures are drawn.
    """

    design: Design
    names: tuple[str, ...]
    parameters: np.ndarray
    covariance: np.ndarray
    dimension: int
    log_likelihood: float
    count: float
    converged: bool
    iterations: int
    message: str
    data: RegressionData | None = None

    @property
    def standard_errors(self) -> np.ndarray:
        """Of the parameters, (P,)."""
        return np.sqrt(np.diagonal(self.covariance))

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Wald intervals of the parameters."""
        return wald.interval(self.parameters, self.standard_errors, level)

    @property
    def aic(self) -> float:
        """2 ``dimension`` − 2 log-likelihood."""
        return 2.0 * self.dimension - 2.0 * self.log_likelihood

    @property
    def bic(self) -> float:
        """``dimension`` log n − 2 log-likelihood."""
        return self.dimension * float(np.log(self.count)) - 2.0 * self.log_likelihood

    def table(self, level: float = 0.95) -> list[dict[str, Any]]:
        """One row for each parameter: name, estimate, standard error, z, p-value of Wald's test, interval."""
        errors, (low, high) = self.standard_errors, self.interval(level)
        with np.errstate(divide="ignore", invalid="ignore"):
            z = self.parameters / errors
        columns = (self.parameters, errors, z, wald.p_value(z), low, high)
        heads = ("estimate", "standard_error", "z", "p_value", "lower", "upper")
        rows = zip(self.names, *(c.tolist() for c in columns), strict=True)
        return [{"name": name, **dict(zip(heads, row, strict=True))} for name, *row in rows]

    @property
    def _told(self) -> str:
        """What the text of a fit says beside its parameters."""
        return f"log-likelihood {self.log_likelihood:.6g}"

    def __repr__(self) -> str:
        estimates = words.told(self.names, self.parameters, self.standard_errors)
        end = f"converged in {self.iterations} steps" if self.converged else self.message
        return f"{type(self).__name__}({estimates}; {self._told}, n = {self.count:g}, {end})"


def of_solution(design: Design, solution: Solution, unit: float) -> dict[str, Any]:
    """The parameters of a ``LikelihoodFit`` that are weights of one target.

    Args:
        design: of the columns.
        solution: of the last weighted least squares.
        unit: what the inverse of its products is multiplied by to be the covariance.
    """
    root = solution.weights_root
    return {
        "design": design, "names": design.names, "parameters": solution.weights[:, 0], "covariance": unit * root @ root.T,
    }  # fmt: skip
