"""A fitted linear basis model: weights, their errors, predictions with theirs."""

import functools
import operator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.distributions.normal import Normal
from suffice.distributions.student_t import StudentT
from suffice.models.regression.least_squares import student, words
from suffice.models.regression.least_squares.data import RegressionData
from suffice.models.regression.least_squares.design import Design, Rows
from suffice.models.regression.least_squares.diagnostics import Diagnostics, diagnosed
from suffice.models.regression.least_squares.solution import Dependency, Solution, lengths, listed
from suffice.models.regression.least_squares.statistic import TOGETHER, GramStatistic, RegressionStatistic
from suffice.numerics.double_double import multiply, total


@dataclass(frozen=True, eq=False)
class LinearFit:
    """Maximum likelihood under Gaussian noise, which is least squares: t = w_0 + Σ_j w_j phi_j(x) + noise.

    Attributes:
        design: how inputs become columns.
        solution: coefficients and what they rest on.
        statistic: all that was taken from the data; fits add by ``statistics``.
        reading: how often the data were read.
        computed_condition: condition number of the columns computed with, targets among them, scaled to length 1.
        single: whether there is one target, so that weights are (M,) and not (M, K).
        data: what was fitted, from which figures are drawn.
        spread: L of each target, (K, r, r), with covariance V L Lᵀ Vᵀ of the weights, V the solution's root; None where
            it follows from one noise variance for all rows.
    """

    design: Design
    solution: Solution
    statistic: RegressionStatistic
    reading: int
    computed_condition: float
    single: bool
    data: RegressionData | None = None
    spread: np.ndarray | None = None

    # -- weights ----------------------------------------------------------------------------------------------------

    @property
    def names(self) -> tuple[str, ...]:
        """Of the weights."""
        return self.design.names

    @property
    def weights(self) -> np.ndarray:
        """w, (M,) or (M, K), the constant's first."""
        return self._one(self.solution.weights)

    @property
    def rank(self) -> int:
        """Number of independent columns."""
        return self.solution.rank

    @property
    def condition_number(self) -> float:
        """Of the columns of Phi scaled to length 1, as reported: digits lost by a solution in float64."""
        return self.solution.condition_number

    @property
    def dependencies(self) -> tuple[Dependency, ...]:
        """Columns that depend on others; empty where the rank is full."""
        return self.solution.dependencies

    @property
    def method(self) -> str:
        """How it was computed, and why."""
        quick = isinstance(self.statistic, GramStatistic)
        how = "sums of products" if quick else "orthogonalisation"
        return f"{how} in double-double, condition number {self.computed_condition:.2g}, data read {self.reading}×"

    @property
    def count(self) -> float:
        """Number of observations, the sum of weights."""
        return self.statistic.count

    @property
    def residual_degrees_of_freedom(self) -> float:
        """Observations minus rank."""
        return self.count - self.rank

    @cached_property
    def residual_sum_of_squares(self) -> Any:
        """Σ_i (t_i − y_i)², each with its weight; () or (K,)."""
        return self._one((self.solution.residuals**2).sum(0))

    @property
    def residual_variance(self) -> Any:
        """The unbiased estimate of the noise variance: residual sum of squares/(n − rank); NaN where n <= rank."""
        free = self.residual_degrees_of_freedom
        return self.residual_sum_of_squares / free if free > 0 else self.residual_sum_of_squares * np.nan

    @property
    def noiseless(self) -> str:
        """Why the residuals tell nothing of the noise; empty where they do."""
        if not self.residual_degrees_of_freedom > 0:
            return f"{self.count:g} observations for a model of rank {self.rank} tell nothing of the noise"
        return "" if np.min(self.residual_variance) > 0 else "the model fits all targets exactly"

    @property
    def residual_deviation(self) -> Any:
        """Its root, in the unit of the target."""
        return np.sqrt(self.residual_variance)

    @property
    def noise_precision(self) -> Any:
        """beta_ML, 1/beta_ML the mean squared residual (Bishop 3.21); 1/``residual_variance`` is the unbiased one."""
        with np.errstate(divide="ignore"):
            return self.count / self.residual_sum_of_squares

    @property
    def noise_covariance(self) -> np.ndarray:
        """Unbiased covariance of the noise of several targets, (K, K).

        Raises:
            ValueError: of so many targets products were not kept, and there are no data to read again.
        """
        if not self.statistic.apart:
            return self.solution.residuals.T @ self.solution.residuals / self.residual_degrees_of_freedom
        if self.data is None or self.data.rows is None:
            raise ValueError(
                f"noise_covariance of more than {TOGETHER} targets needs the data, and there is their statistic only"
            )

        def products(rows: Rows) -> np.ndarray:
            left = self.diagnosed(rows).residuals
            heights = [h[:, None] for h in (rows.frequencies, rows.precisions) if h is not None]
            return left.T @ functools.reduce(operator.mul, heights, left)

        return self.data.folded(products) / self.residual_degrees_of_freedom

    @property
    def covariance(self) -> np.ndarray:
        """Of the weights: s² (PhiᵀPhi)⁻¹, or the sandwich where that was asked for; (M, M), or (K, M, M)."""
        roots = self._roots(self.solution.weights_root)
        found = roots @ roots.transpose(0, 2, 1)
        return found[0] if self.single else found

    @property
    def standard_errors(self) -> np.ndarray:
        """Of the weights, as they are."""
        return self._one(lengths(self._roots(self.solution.weights_root)).T)

    def _roots(self, v: np.ndarray) -> np.ndarray:
        """A root of the covariance of weights for each target, (K, M, r)."""
        if self.spread is not None:
            return v @ self.spread
        return np.atleast_1d(self.residual_deviation)[:, None, None] * v

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Confidence intervals of the weights, exact under Gaussian noise: w ± t_{n − rank} s.e."""
        reach = student.reach(self.residual_degrees_of_freedom, level) * self.standard_errors
        return self.weights - reach, self.weights + reach

    # -- likelihood -------------------------------------------------------------------------------------------------

    @property
    def log_likelihood(self) -> Any:
        """At the estimate, with beta_ML."""
        n = self.count
        with np.errstate(divide="ignore"):
            return 0.5 * (n * np.log(self.noise_precision / (2 * np.pi)) - n + self.statistic.log_precisions)

    @property
    def aic(self) -> Any:
        """2 (rank + 1) − 2 log-likelihood."""
        return 2.0 * (self.rank + 1) - 2.0 * self.log_likelihood

    @property
    def bic(self) -> Any:
        """(rank + 1) log n − 2 log-likelihood."""
        return (self.rank + 1) * np.log(self.count) - 2.0 * self.log_likelihood

    @cached_property
    def r_squared(self) -> Any:
        """Share of the targets' variation that the model has; about 0 where there is no constant."""
        first, m = int(self.design.intercept), len(self.names)
        part = self.statistic.root().at(slice(first, None), slice(m, None))
        whole = total(multiply(part, part)).value
        with np.errstate(invalid="ignore"):
            return self._one(1.0 - np.asarray((self.solution.residuals**2).sum(0)) / whole)

    # -- predictions ------------------------------------------------------------------------------------------------

    def predict(self, x: Any) -> Any:
        """y(x, w) at inputs (n,) or (n, d): (n,), or (n, K) for several targets; works in compiled code."""
        return self._one(self.design.columns(self.design.inputs(x)).hi @ self.solution.coefficients)

    def predictive(self, x: Any) -> Distribution:
        """The law of new targets at x: Student t around y(x, w) with variance s² (1 + leverage) of its scale.

        Exact under Gaussian noise: its intervals hold a new target as often as they say.
        """
        return self._around(x, 1.0)

    def mean_law(self, x: Any) -> Distribution:
        """The law of y(x, w) itself, for bands of confidence: Student t with variance s² leverage of its scale."""
        return self._around(x, 0.0)

    def _around(self, x: Any, noise: float) -> StudentT:
        if self.noiseless:
            raise ValueError(f"there is no law: {self.noiseless}")
        phi = self.design.columns(self.design.inputs(x)).hi
        own = jnp.stack([((phi @ root) ** 2).sum(1) for root in self._roots(self.solution.root)], axis=1)
        scale = jnp.sqrt(noise * np.atleast_1d(self.residual_variance)[None, :] + own)
        return StudentT(
            jnp.asarray(self.residual_degrees_of_freedom), jnp.asarray(self.predict(x)), scale=self._one(scale)
        )

    def plug_in(self, x: Any) -> Normal:
        """p(t|x, w_ML, beta_ML), the law without the uncertainty of the weights (Bishop 3.8)."""
        return Normal(jnp.asarray(self.predict(x)), self.noise_precision**-0.5)

    def hat_matrix(self, x: Any) -> np.ndarray:
        """H with fitted values H t, (n, n), at the inputs of the fit without weights: H = Hᵀ = H²."""
        q = np.asarray(self.design.columns(self.design.inputs(x)).hi @ self.solution.root)
        return q @ q.T

    def diagnostics(
        self, x: Any, t: Any, weights: Any = None, precisions: Any = None, offset: Any = None
    ) -> Diagnostics:
        """Residuals, leverage and Cook's distances of the rows that were fitted.

        Args:
            x, t, weights, precisions, offset: as they were fitted.
        """
        found = self.diagnosed(Rows.of(self.design.inputs(x), t, weights, precisions, offset))
        return found.target(0) if self.single else found

    def diagnosed(self, rows: Rows) -> Diagnostics:
        """The same of rows as the data have them, residuals (n, K)."""
        return diagnosed(
            self.design, rows, self.solution.coefficients, self.solution.root, self.residual_deviation,
            self.residual_degrees_of_freedom, self.rank,
        )  # fmt: skip

    # -- words ------------------------------------------------------------------------------------------------------

    def table(self, level: float = 0.95) -> list[dict[str, Any]]:
        """One row for each weight, of each target: name, estimate, standard error, t, p-value, interval."""
        low, high = (np.reshape(a, (len(self.names), -1)) for a in self.interval(level))
        w, se = (np.reshape(a, (len(self.names), -1)) for a in (self.weights, self.standard_errors))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = w / se
        p = 2.0 * student.tail(self.residual_degrees_of_freedom, np.abs(ratio))
        return [
            {
                "name": name, "target": k, "estimate": w[j, k], "standard_error": se[j, k], "t": ratio[j, k],
                "p_value": p[j, k], "lower": low[j, k], "upper": high[j, k],
            }
            for k in range(w.shape[1])
            for j, name in enumerate(self.names)
        ]  # fmt: skip

    def __repr__(self) -> str:
        if self.single:
            told = words.told(self.names, self.weights, self.standard_errors)
        else:
            told = f"{len(self.names)} weights of {self.solution.weights.shape[1]} targets"
        lost = f"; {listed(self.dependencies)}" if self.dependencies else ""
        return f"LinearFit({told}; n = {self.count:g}, rank {self.rank}, {self.method}{lost})"

    def _one(self, values: Any) -> Any:
        """Without the axis of targets where there is one only."""
        return values[..., 0] if self.single else values
