"""A fitted generalised linear model: weights, their errors, means and laws of targets."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.models.regression.generalised.link import Link
from suffice.models.regression.generalised.response import Response
from suffice.models.regression.iterated import wald
from suffice.models.regression.iterated.likelihood_fit import LikelihoodFit
from suffice.models.regression.least_squares.design import Rows
from suffice.models.regression.least_squares.diagnostics import Diagnostics
from suffice.models.regression.least_squares.solution import Solution
from suffice.numerics.moments import namespace


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class GeneralizedLinearFit(LikelihoodFit):
    """A fitted generalised linear model: a ``LikelihoodFit``, and what follows.

    Attributes:
        solution: of the last weighted least squares; the covariance is ``dispersion`` V Vᵀ, V its root.
        response: the family.
        link: how the mean follows from the linear predictor.
        deviance: twice the log-likelihood lost to a model with a weight for each target.
        residual_degrees_of_freedom: of the deviance: targets less the rank; successes of some trials are one target.
        dispersion: 1, or Pearson's estimate Σ (t − mu)²/V(mu)/(n − rank); ``log_likelihood`` is with it.
    """

    solution: Solution
    response: Response
    link: Link
    deviance: float
    residual_degrees_of_freedom: float
    dispersion: float

    @property
    def weights(self) -> np.ndarray:
        """The parameters w, (M,), the constant's first."""
        return self.parameters

    @property
    def _told(self) -> str:
        return f"deviance {self.deviance:.6g}"

    def linear_predictor(self, x: Any) -> Any:
        """eta = w_0 + Σ_j w_j phi_j(x), (n,)."""
        return self.design.columns(self.design.inputs(x)).hi @ self.solution.coefficients[:, 0]

    def predict(self, x: Any) -> Any:
        """The mean of targets at inputs, (n,); works in compiled code."""
        return self.link.mean(self.linear_predictor(x))

    def mean_interval(self, x: Any, level: float = 0.95) -> tuple[Any, Any]:
        """Ends of Wald's interval of the mean at inputs, made on the scale of the linear predictor."""
        phi = self.design.columns(self.design.inputs(x)).hi
        eta = phi @ self.solution.coefficients[:, 0]
        reach = wald.reach(level) * (self.dispersion * ((phi @ self.solution.root) ** 2).sum(1)) ** 0.5
        lower = namespace(eta).maximum(eta - reach, self.link.least)
        ends = self.link.mean(lower), self.link.mean(eta + reach)
        return ends if self.link.slope(eta).sum() >= 0 else ends[::-1]

    def predictive(self, x: Any) -> Distribution:
        """The law of targets at inputs for these weights."""
        return self.response.law(jnp.asarray(self.predict(x)), self.dispersion)

    def diagnosed(self, rows: Rows) -> Diagnostics:
        """Residuals t − mu, leverage of the working fit, and Cook's distances of rows; standardised are Pearson's
        residuals, studentised the roots of deviances with the sign of the residuals, both over their standard errors.
        Shares of trials have the deviations and the leverage of so many trials."""
        phi = self.design.columns(rows.inputs).hi
        eta = phi @ self.solution.coefficients[:, 0] + (0.0 if rows.offset is None else rows.offset[:, 0])
        mu, slope = self.link.mean(eta), self.link.slope(eta)
        trials = 1.0 if rows.trials is None else rows.trials
        height = trials * self.response.height(self.link, eta, mu, slope)
        h, residuals = height * ((phi @ self.solution.root) ** 2).sum(1), rows.targets[:, 0] - mu
        lost = trials * np.maximum(self.response.lost(self.link, rows.targets[:, 0], eta), 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.sqrt(self.dispersion * (1.0 - h))
            pearson = residuals * np.sqrt(height) / np.abs(slope) / error
            cooks = pearson**2 * h / ((1.0 - h) * self.solution.rank)
            deviance = np.sign(residuals) * np.sqrt(lost) / error
        mu, residuals, pearson, deviance, cooks = (a[:, None] for a in (mu, residuals, pearson, deviance, cooks))
        return Diagnostics(mu, residuals, h, pearson, deviance, cooks)
