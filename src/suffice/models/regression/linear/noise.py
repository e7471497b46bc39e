"""Noise that is not Gaussian with one variance: Student's t, and variances that depend on the inputs."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.distributions.normal import Normal
from suffice.distributions.student_t import StudentT
from suffice.models.bases.basis import as_basis
from suffice.models.regression.iterated.likelihood_fit import LikelihoodFit
from suffice.models.regression.least_squares import words
from suffice.models.regression.least_squares.design import Design, Rows
from suffice.models.regression.least_squares.diagnostics import Diagnostics
from suffice.models.regression.least_squares.solution import Solution


@dataclass(frozen=True)
class StudentTNoise:
    """Noise with heavy tails: t = y(x, w) + scale · Student t with df degrees of freedom, so that outliers count little.

    Args:
        df: degrees of freedom, > 0; by default they are estimated, too.
    """

    df: float | None = None

    def __post_init__(self) -> None:
        if self.df is not None and not self.df > 0.0:
            raise ValueError(f"StudentTNoise.df must be > 0, got {self.df}")


@dataclass(frozen=True)
class LogVariance:
    """Gaussian noise whose variance depends on the inputs: log variance = v_0 + Σ_j v_j psi_j(x).

    Args:
        basis: the functions psi_j, as of ``LinearBasisModel``; the constant comes first.
    """

    basis: Any = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "basis", None if self.basis is None else as_basis(self.basis))


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class NoiseFit(LikelihoodFit):
    """A linear basis model with noise of its own law, fitted by maximum likelihood: a ``LikelihoodFit``, and what follows.

    Attributes:
        solution: of the weights; their covariance is ``factor`` V Vᵀ, V its root.
        factor: of the covariance.
        noise_names, noise_parameters, noise_errors: "scale" and "df", or the weights of the log variance, with their
            standard errors, NaN where they are not estimated.
        variance_design, variance_solution: of the log variance; None for Student's t.
    """

    solution: Solution
    factor: float
    noise_names: tuple[str, ...]
    noise_parameters: np.ndarray
    noise_errors: np.ndarray
    variance_design: Design | None = None
    variance_solution: Solution | None = None

    @property
    def weights(self) -> np.ndarray:
        """The parameters w, (M,), the constant's first."""
        return self.parameters

    @property
    def _told(self) -> str:
        return f"noise: {words.told(self.noise_names, self.noise_parameters, self.noise_errors)}"

    def predict(self, x: Any) -> Any:
        """y(x, w), (n,); works in compiled code."""
        return self.design.columns(self.design.inputs(x)).hi @ self.solution.coefficients[:, 0]

    def noise_scale(self, x: Any) -> Any:
        """Scale of the noise at inputs, (n,): its deviation, or Student's scale."""
        if self.variance_design is None or self.variance_solution is None:
            return self.noise_parameters[0] * jnp.ones_like(jnp.asarray(self.predict(x)))
        psi = self.variance_design.columns(self.variance_design.inputs(x)).hi
        return jnp.exp(0.5 * jnp.asarray(psi @ self.variance_solution.coefficients[:, 0]))

    def mean_law(self, x: Any) -> Normal:
        """The law of y(x, w) itself, for large samples."""
        phi = self.design.columns(self.design.inputs(x)).hi
        spread = self.factor * ((phi @ self.solution.root) ** 2).sum(1)
        return Normal(jnp.asarray(self.predict(x)), jnp.sqrt(spread))

    def predictive(self, x: Any) -> Distribution:
        """The law of new targets for these weights and this noise."""
        mean, scale = jnp.asarray(self.predict(x)), self.noise_scale(x)
        if self.variance_design is not None:
            return Normal(mean, scale)
        df = self.noise_parameters[1]
        return StudentT(jnp.asarray(df), mean, scale=scale) if np.isfinite(df) else Normal(mean, scale)

    def diagnosed(self, rows: Rows) -> Diagnostics:
        """Residuals, and these over the scale of the noise; rows count as having no part in their fitted values."""
        offset = 0.0 if rows.offset is None else rows.offset[:, 0]
        fitted, none = np.asarray(self.predict(rows.inputs)) + offset, np.zeros(len(rows.targets))
        residuals = rows.targets[:, 0] - fitted
        scaled = (residuals / np.asarray(self.noise_scale(rows.inputs)))[:, None]
        return Diagnostics(fitted[:, None], residuals[:, None], none, scaled, scaled, none[:, None])
