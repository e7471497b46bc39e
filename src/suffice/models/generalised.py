"""Generalised linear models by Fisher scoring: each step is a least-squares fit from the statistic that merges."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.distributions.normal import Normal
from suffice.models.design import Design, Rows
from suffice.models.linear import LinearBasisModel
from suffice.models.response import Response, response_of
from suffice.models.solution import Solution, solve
from suffice.models.statistic import LIMIT, GramStatistic, TriangleStatistic, joint_condition
from suffice.runtime.errors import DataError

STEPS = 100


@dataclass(frozen=True, eq=False)
class GeneralizedLinearFit:
    """A fitted generalised linear model.

    Attributes:
        design: how inputs become columns.
        response: how the mean follows from the linear predictor.
        solution: of the last least-squares fit.
        deviance: twice the log-likelihood lost to a model with a weight for each target.
        dispersion: 1, or Pearson's estimate Σ (t − mu)²/V(mu)/(n − rank).
        log_likelihood: with that dispersion.
        count: number of observations.
        converged: whether the steps came to an end.
        iterations: steps taken.
        message: why not; of separated data, along which weights the likelihood rises for ever.
    """

    design: Design
    response: Response
    solution: Solution
    deviance: float
    dispersion: float
    log_likelihood: float
    count: float
    converged: bool
    iterations: int
    message: str

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
        """Of the weights: dispersion times the inverse Fisher information, (M, M)."""
        return self.dispersion * self.solution.weights_root @ self.solution.weights_root.T

    @property
    def standard_errors(self) -> np.ndarray:
        """Of the weights."""
        return np.sqrt(self.dispersion * (self.solution.weights_root**2).sum(1))

    @property
    def aic(self) -> float:
        """2 (rank, and 1 where the dispersion is estimated) − 2 log-likelihood."""
        return 2.0 * (self.solution.rank + self.response.dispersed) - 2.0 * self.log_likelihood

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Wald intervals of the weights."""
        if not 0.0 < level < 1.0:
            raise ValueError(f"level must be between 0 and 1, got {level}")
        zero = jnp.zeros(())
        reach = float(Normal(zero, zero + 1.0).isf(0.5 - 0.5 * level)) * self.standard_errors
        return self.weights - reach, self.weights + reach

    def linear_predictor(self, x: Any) -> Any:
        """eta = w_0 + Σ_j w_j phi_j(x), (n,)."""
        return self.design.columns(self.design.inputs(x)).hi @ self.solution.coefficients[:, 0]

    def predict(self, x: Any) -> Any:
        """The mean of targets at inputs, (n,); works in compiled code."""
        return self.response.mean(self.linear_predictor(x))

    def predictive(self, x: Any) -> Distribution:
        """The law of targets at inputs for these weights."""
        return self.response.law(jnp.asarray(self.predict(x)), self.dispersion)

    def __repr__(self) -> str:
        pairs = zip(self.names, self.weights, self.standard_errors, strict=True)
        told = ", ".join(f"{n} {w:.6g} ± {e:.2g}" for n, w, e in pairs)
        end = f"converged in {self.iterations} steps" if self.converged else self.message
        return f"GeneralizedLinearFit({told}; deviance {self.deviance:.6g}, n = {self.count:g}, {end})"


@dataclass(frozen=True)
class GeneralizedLinearModel:
    """Targets of an exponential family whose mean is a function of w_0 + Σ_j w_j phi_j(x).

    Bernoulli with the logistic function is logistic regression; Poisson, Gamma, Exponential, InverseGaussian and
    NegativeBinomial (its concentration held) have the logarithm as link, Normal the identity.

    Args:
        family: of the targets.
        basis, intercept: as of ``LinearBasisModel``.

    Example:
        >>> import suffice as sf
        >>> fit = sf.GeneralizedLinearModel(sf.Poisson).fit([0.0, 1.0, 2.0, 3.0], [1, 3, 4, 11])
        >>> fit.weights.round(4).tolist(), fit.standard_errors.round(4).tolist()
        ([0.102, 0.7518], [0.6323, 0.2544])
    """

    family: Any
    basis: Any = LinearBasisModel().basis  # a frozen value
    intercept: bool = True

    def fit(self, x: Any, t: Any, weights: Any = None, *, offset: Any = None) -> GeneralizedLinearFit:
        """Maximum likelihood by Fisher scoring, halving steps that would lose likelihood.

        Args:
            x, t: inputs, and targets (n,) of the family; shares between 0 and 1 for Bernoulli, with ``weights`` trials.
            weights: frequencies, (n,), >= 0.
            offset: known part of the linear predictor, (n,).

        Returns:
            A fit. Where the likelihood has no maximum, as of classes that a line separates, ``converged`` is False and
            ``message`` names the weights along which it rises for ever: found by a direction in which no target's
            likelihood falls, which is a proof.

        Raises:
            DataError: targets that the family cannot have, dependent columns.

        Source: McCullagh and Nelder 1989, 2.5; Albert and Anderson 1984, doi:10.1093/biomet/71.1.1.
        """
        response = response_of(self.family)
        data = LinearBasisModel(self.basis, self.intercept).data(x, t, weights, None, offset)
        if not data.single or not isinstance(data.rows, Rows):
            raise ValueError("a generalised linear model is of one target in memory: give t of shape (n,)")
        return _Scoring(data.design, response, data.rows).fit()


@dataclass(frozen=True, eq=False)
class _Scoring:
    design: Design
    response: Response
    rows: Rows

    def fit(self) -> GeneralizedLinearFit:
        design, response, rows = self.design, self.response, self.rows
        t, often = rows.targets[:, 0], rows.frequencies
        often = np.ones(len(t)) if often is None else often
        offset = np.zeros(len(t)) if rows.offset is None else rows.offset[:, 0]
        allowed, told = response.allowed
        bad = ~allowed(t)
        if bad.any():
            raise DataError(
                f"targets must be {told}, got {t[int(bad.argmax())]:g} at row {int(bad.argmax()) + 1} (counting from 1)"
            )
        columns = np.asarray(design.columns(rows.inputs).hi)
        eta, coefficients = response.start(t, float(often @ t / often.sum())), None
        deviance, solution, message, converged, step = np.inf, None, f"stopped after {STEPS} steps", False, 0
        for step in range(1, STEPS + 1):
            solution = self._step(eta, offset)
            new = solution.coefficients[:, 0]
            old = new if coefficients is None else coefficients
            found, part = float(often @ response.deviance(t, columns @ new + offset)), 1.0
            while not found <= deviance + 1e-12 * abs(deviance) and coefficients is not None and part > 1e-6:
                part *= 0.5
                found = float(often @ response.deviance(t, columns @ (old + part * (new - old)) + offset))
            new = old + part * (new - old)
            change = columns @ (new - old)
            if step > 4 and np.abs(change).max() > 0.1 and self._separates(t, change, often):
                message = self._told(new - old, solution)
                coefficients, deviance = new, found
                break
            size = np.abs(new - old) / np.sqrt((solution.root**2).sum(1))
            coefficients, deviance, eta = new, found, columns @ new + offset
            if step > 1 and size.max() < 1e-9:
                message, converged = "", True
                break
        assert solution is not None
        return self._finished(solution, coefficients, deviance, columns, offset, often, converged, step, message)

    def _step(self, eta: np.ndarray, offset: np.ndarray) -> Solution:
        """The least-squares fit of the working targets."""
        response, rows = self.response, self.rows
        mu, slope = response.mean(eta), np.maximum(response.slope(eta), 1e-150)
        working = eta - offset + (rows.targets[:, 0] - mu) / slope
        height = np.maximum(slope * (slope / np.maximum(response.variance(mu), 1e-300)), 1e-200)
        made = Rows(rows.inputs, working[:, None], rows.frequencies, height)
        statistic = self.design.statistic(GramStatistic, made.blocks())
        m = len(self.design.names)
        if joint_condition(statistic.root().at(slice(0, m), slice(0, m))) > LIMIT:
            statistic = self.design.statistic(TriangleStatistic, made.blocks(), statistic.shift)
        return solve(statistic, self.design.names, self.design.conversion)

    def _separates(self, t: np.ndarray, change: np.ndarray, often: np.ndarray) -> bool:
        """Whether no target's likelihood falls along a direction: then there is no maximum."""
        tolerance = 1e-6 * float(np.abs(change).max())
        return bool(self.response.recedes(t, change, tolerance)[often > 0].all())

    def _told(self, direction: np.ndarray, solution: Solution) -> str:
        scaled = np.abs(direction) / np.sqrt((solution.root**2).sum(1))
        part = np.abs(direction) > 1e-3 * np.abs(direction).max()
        named = ", ".join(n for n, p in zip(self.design.names, part | (scaled >= scaled.max()), strict=True) if p)
        return f"separated: the likelihood has no maximum, it rises for ever along the weights of {named}"

    def _finished(
        self, solution: Solution, coefficients: Any, deviance: float, columns: Any, offset: Any, often: Any,
        converged: bool, steps: int, message: str,
    ) -> GeneralizedLinearFit:  # fmt: skip
        response, t = self.response, self.rows.targets[:, 0]
        mu, dispersion = response.mean(columns @ coefficients + offset), 1.0
        free = float(often.sum()) - solution.rank
        if response.dispersed:
            dispersion = float(often @ ((t - mu) ** 2 / response.variance(mu))) / free if free > 0 else float("nan")
        shares = response.link == "logit" and ((t > 0) & (t < 1)).any()
        if shares:  # of shares the binomial coefficients do not depend on the weights, and are left out
            eta = columns @ coefficients + offset
            likelihood = float(often @ (t * eta - np.logaddexp(0.0, eta)))
        else:
            each = np.asarray(response.law(jnp.asarray(mu), dispersion).log_prob(t)) if dispersion > 0 else np.nan * t
            likelihood = float(often @ each)
        return GeneralizedLinearFit(
            self.design,
            response,
            solution,
            deviance,
            dispersion,
            likelihood,
            float(often.sum()),
            converged,
            steps,
            message,
        )
