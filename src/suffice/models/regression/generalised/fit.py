"""A fitted generalised linear model: weights, their errors, means and laws of targets."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.models.regression.generalised.link import Link
from suffice.models.regression.generalised.response import Response
from suffice.models.regression.iterated import wald
from suffice.models.regression.least_squares.data import RegressionData
from suffice.models.regression.least_squares.design import Design, Rows
from suffice.models.regression.least_squares.diagnostics import Diagnostics
from suffice.models.regression.least_squares.solution import Solution
from suffice.numerics.moments import namespace


@dataclass(frozen=True, eq=False)
class GeneralizedLinearFit(wald.Weighed):
    """A fitted generalised linear model.

    Attributes:
        design: how inputs become columns.
        response: the family.
        link: how the mean follows from the linear predictor.
        solution: of the last least-squares fit.
        deviance: twice the log-likelihood lost to a model with a weight for each target.
        dispersion: 1, or Pearson's estimate Σ (t − mu)²/V(mu)/(n − rank).
        log_likelihood: with that dispersion.
        count: number of observations.
        converged: whether the steps came to an end.
        iterations: steps taken.
        message: why not; of separated data, along which weights the likelihood rises for ever.
        data: what was fitted.
    """

    design: Design
    response: Response
    link: Link
    solution: Solution
    deviance: float
    dispersion: float
    log_likelihood: float
    count: float
    converged: bool
    iterations: int
    message: str
    data: RegressionData | None = None

    @property
    def _unit(self) -> float:
        return self.dispersion

    @property
    def aic(self) -> float:
        """2 (rank, and 1 where the dispersion is estimated) − 2 log-likelihood."""
        return 2.0 * (self.solution.rank + self.response.dispersed) - 2.0 * self.log_likelihood

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
        """Residuals t − mu, leverage of the working fit, Pearson residuals and Cook's distances of rows."""
        phi = self.design.columns(rows.inputs).hi
        eta = phi @ self.solution.coefficients[:, 0] + (0.0 if rows.offset is None else rows.offset[:, 0])
        mu, slope = self.link.mean(eta), self.link.slope(eta)
        height = self.response.height(self.link, eta, mu, slope)
        h, residuals = height * ((phi @ self.solution.root) ** 2).sum(1), rows.targets[:, 0] - mu
        with np.errstate(divide="ignore", invalid="ignore"):
            pearson = residuals * np.sqrt(height) / np.abs(slope) / np.sqrt(self.dispersion * (1.0 - h))
            cooks = pearson**2 * h / ((1.0 - h) * self.solution.rank)
        mu, residuals, pearson, cooks = (a[:, None] for a in (mu, residuals, pearson, cooks))
        return Diagnostics(mu, residuals, h, pearson, pearson, cooks)

    def __repr__(self) -> str:
        pairs = zip(self.names, self.weights, self.standard_errors, strict=True)
        told = ", ".join(f"{n} {w:.6g} ± {e:.2g}" for n, w, e in pairs)
        end = f"converged in {self.iterations} steps" if self.converged else self.message
        return f"GeneralizedLinearFit({told}; deviance {self.deviance:.6g}, n = {self.count:g}, {end})"
