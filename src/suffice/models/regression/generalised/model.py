"""Generalised linear models by Fisher scoring: each step is a least-squares fit from the statistic that merges."""

import functools
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from suffice.distributions.family import as_family
from suffice.models.regression.generalised.fit import GeneralizedLinearFit
from suffice.models.regression.generalised.link import Link
from suffice.models.regression.generalised.response import BERNOULLI, Response, response_of
from suffice.models.regression.iterated.blockwise import blockwise
from suffice.models.regression.iterated.likelihood_fit import of_solution
from suffice.models.regression.iterated.reweighted import Least, Working, careful, counted, reading, summed
from suffice.models.regression.least_squares.data import RegressionData
from suffice.models.regression.least_squares.design import Rows
from suffice.models.regression.least_squares.solution import Solution, solve
from suffice.models.regression.least_squares.statistic import GramStatistic, RegressionStatistic
from suffice.models.regression.linear.model import LinearBasisModel
from suffice.runtime.errors import DataError
from suffice.streams.source import at_row

STEPS = 100


@dataclass(frozen=True)
class GeneralizedLinearModel:
    """Targets of an exponential family whose mean is a function of w_0 + Σ_j w_j phi_j(x): g(mu) = eta.

    Bernoulli with the logistic function is logistic regression; Poisson, Gamma, Exponential, InverseGaussian and
    NegativeBinomial (its concentration held) have the logarithm as link, Normal the identity, unless another is named.

    Args:
        family: of the targets.
        basis, intercept: as of ``LinearBasisModel``.
        link: "logit", "probit", "cloglog", "loglog", "cauchit", "log" or "identity" of Bernoulli; "log", "identity",
            "inverse", "inverse_square" or "sqrt" of the others.

    Example:
        >>> import suffice as sf
        >>> fit = sf.GeneralizedLinearModel(sf.Poisson).fit([0.0, 1.0, 2.0, 3.0], [1, 3, 4, 11])
        >>> fit.weights.round(4).tolist(), fit.standard_errors.round(4).tolist()
        ([0.102, 0.7518], [0.6323, 0.2544])
    """

    family: Any
    basis: Any = LinearBasisModel().basis  # a frozen value
    intercept: bool = True
    link: str | None = None

    def fit(
        self, x: Any, t: Any, weights: Any = None, *, offset: Any = None, trials: Any = None
    ) -> GeneralizedLinearFit:
        """Maximum likelihood by Fisher scoring, halving steps that would lose likelihood.

        Args:
            x, t: inputs, and targets (n,) of the family, shares between 0 and 1 for Bernoulli; or ``sf.scan_table(path)``
                and the name of a column: the file is read once for each step.
            weights: frequencies, (n,), >= 0.
            offset: known part of the linear predictor, (n,), as the log of an exposure; of a table the name of a column.
            trials: of Bernoulli, (n,), >= 0, where targets are successes of so many; or the name of their column. The
                same weights as of shares t/trials with ``weights`` trials: ``count`` counts trials, and the
                log-likelihood is that of the single ones. Residuals are those of so many trials, and for the degrees of
                freedom a row is one target.

        Returns:
            A fit. Where the likelihood has no maximum, as of classes that a line separates, ``converged`` is False and
            ``message`` names the weights along which it rises for ever: found by a direction in which no target's
            likelihood falls, which is a proof.

        Raises:
            DataError: targets that the family cannot have, dependent columns.
            ValueError: a link that the family does not have.

        Source: McCullagh and Nelder 1989, 2.5; Albert and Anderson 1984, doi:10.1093/biomet/71.1.1.
        """
        response, link = response_of(self.family, self.link)
        if trials is not None and response is not BERNOULLI:
            raise ValueError(f"trials are for Bernoulli, got family {as_family(self.family).name}")
        data = LinearBasisModel(self.basis, self.intercept).data(x, t, weights, None, offset, trials)
        if not data.single:
            raise ValueError("a generalised linear model is of one target: give t of shape (n,)")
        return _Scoring(data, response, link).fit()


@functools.lru_cache
def _log_prob(response: Response) -> Any:
    """Compiled, of targets, means and dispersions."""
    return jax.jit(lambda t, mu, phi: response.law(mu, phi).log_prob(t))


@dataclass(frozen=True, eq=False)
class _Step:
    """What one reading at some weights gives."""

    statistic: RegressionStatistic
    deviance: float
    pearson: float


@dataclass(frozen=True, eq=False)
class _Scoring:
    data: RegressionData
    response: Response
    link: Link

    def fit(self) -> GeneralizedLinearFit:
        design = self.data.design
        mean = self._mean()
        coefficients: Any = None
        kind, message, converged, step = GramStatistic, f"stopped after {STEPS} steps", False, 0
        here, solution, last = self._read(None, mean, kind), None, np.inf
        for step in range(1, STEPS + 1):
            if careful(here.statistic, len(design.names)) is not kind:
                kind = careful(here.statistic, len(design.names))
                here = self._read(coefficients, mean, kind)
            solution = solve(here.statistic, design.names, design.conversion)
            new = solution.coefficients[:, 0]
            old, least = (new, np.inf) if coefficients is None else (coefficients, here.deviance)
            there, part = self._read(new, mean, kind), 1.0
            if coefficients is None and not np.isfinite(there.deviance):
                coefficients = self._flat(mean, kind)  # some row's mean is none there: from the same mean of all, then
                here = self._read(coefficients, mean, kind)
                if np.isfinite(here.deviance):
                    continue
                coefficients = None
            while not there.deviance <= least + 1e-12 * abs(least) and coefficients is not None and part > 1e-6:
                part *= 0.5
                there = self._read(old + part * (new - old), mean, kind)
            if coefficients is not None and not np.isfinite(there.deviance):
                message = "the likelihood rises to where the mean of some row is at the edge of what is possible"
                break
            change, coefficients, here = part * (new - old), old + part * (new - old), there
            spread = self._dispersion(here, solution)
            unit = np.sqrt(spread) if spread > 0 else 1.0  # of targets that are fitted exactly none is known
            size = float((np.abs(new - old) / np.sqrt((solution.root**2).sum(1))).max()) / unit  # of the whole step
            if step > 4 and part * size > 1e-3 and self._separates(change):
                message = self._told(change, solution)
                break
            if step > 1 and (size < 1e-12 or (size < 1e-8 and size > 0.5 * last)):
                message, converged = "", True
                break
            last = size
        assert solution is not None
        if not np.isfinite(here.deviance):
            message, converged = "no weights were found for which all means are possible", False
        solution = solution.holding(coefficients, design.conversion)
        return self._finished(solution, here, converged, step, message)

    def _mean(self) -> float:
        """The mean of the targets, which are looked at.

        Raises:
            DataError: the family cannot have one of them.
        """
        allowed, told = self.response.allowed

        def looked(rows: Rows) -> np.ndarray:
            t = rows.targets[:, 0]
            bad = ~allowed(t)
            if bad.any():
                at = int(bad.argmax())
                where = "" if rows.inputs.start is None else f" {at_row(rows.inputs.start + at + 1)}"
                raise DataError(f"targets must be {told}, got {t[at]:g}{where}")
            return np.array([counted(rows).sum(), summed(rows, t)])

        count, total = self.data.folded(looked)
        return float(total / count)

    def _predictor(self, phi: Any, rows: Rows, coefficients: Any) -> Any:
        return phi @ coefficients + (0.0 if rows.offset is None else rows.offset[:, 0])

    def _read(self, coefficients: Any, mean: float, kind: type[RegressionStatistic]) -> _Step:
        """Working targets and deviance at some coefficients, at the start near the targets."""
        response, link = self.response, self.link

        def work(phi: Any, rows: Rows) -> Working:
            t, offset = rows.targets[:, 0], 0.0 if rows.offset is None else rows.offset[:, 0]
            if coefficients is None:
                eta = link.of(response.start(t, mean))
                eta = np.where(np.isfinite(eta), eta, link.of(np.full_like(t, mean)))
            else:
                eta = self._predictor(phi, rows, coefficients)
            mu, slope = link.mean(eta), link.slope(eta)
            slope = np.where(slope < 0, np.minimum(slope, -1e-300), np.maximum(slope, 1e-300))
            height = response.height(link, eta, mu, slope)
            lost = response.lost(link, t, eta)
            with np.errstate(all="ignore"):
                working, pearson = eta - offset + (t - mu) / slope, ((t - mu) / slope * np.sqrt(height)) ** 2
            fine = np.isfinite(working) & np.isfinite(height) & np.isfinite(lost)
            height = np.where(fine, np.clip(height, 1e-250, 1e250), 1e-250)
            return Working(np.where(fine, working, 0.0), height, (lost, pearson))

        found = reading(self.data, self.data.design, work, kind)
        return _Step(found.statistic, *map(float, found.sums))

    def _flat(self, mean: float, kind: type[RegressionStatistic]) -> np.ndarray:
        """Coefficients by which all rows have nearly one mean."""
        eta, design = float(self.link.of(np.full(1, mean))[0]), self.data.design

        def work(phi: Any, rows: Rows) -> Working:
            level = np.full(len(rows.targets), eta)
            return Working(level if rows.offset is None else level - rows.offset[:, 0], None, ())

        found = reading(self.data, design, work, kind)
        return solve(found.statistic, design.names, design.conversion).coefficients[:, 0]

    def _dispersion(self, here: _Step, solution: Solution) -> float:
        """1, or Pearson's estimate; NaN where there are no more rows than weights."""
        free = here.statistic.count - solution.rank
        return 1.0 if not self.response.dispersed else here.pearson / free if free > 0 else float("nan")

    def _separates(self, change: np.ndarray) -> bool:
        """Whether no target's likelihood falls along a direction: then there is no maximum."""
        design = self.data.design

        def slopes(rows: Rows) -> np.ndarray:
            return np.asarray(design.columns(rows.inputs).hi @ change)

        largest = -self.data.folded(lambda rows: Least(-float(np.abs(slopes(rows)).max(initial=0.0)))).value

        def holds(rows: Rows) -> Least:
            good = self.response.recedes(self.link, rows.targets[:, 0], slopes(rows), 1e-6 * largest)
            return Least(float((good | (counted(rows) == 0)).all()))

        return largest > 0.1 and bool(self.data.folded(holds).value)

    def _told(self, direction: np.ndarray, solution: Solution) -> str:
        scaled = np.abs(direction) / np.sqrt((solution.root**2).sum(1))
        part = np.abs(direction) > 1e-3 * np.abs(direction).max()
        names = self.data.design.names
        named = ", ".join(n for n, p in zip(names, part | (scaled >= scaled.max()), strict=True) if p)
        return f"separated: the likelihood has no maximum, it rises for ever along the weights of {named}"

    def _finished(
        self, solution: Solution, here: _Step, converged: bool, steps: int, message: str
    ) -> GeneralizedLinearFit:
        response, count, w = self.response, here.statistic.count, solution.coefficients[:, 0]
        dispersion = self._dispersion(here, solution)

        def scored(rows: Rows) -> np.ndarray:
            t = rows.targets[:, 0]
            eta = self._predictor(self.data.design.columns(rows.inputs).hi, rows, w)
            often = counted(rows) / (1.0 if rows.trials is None else np.maximum(rows.trials, 1e-300))
            if not dispersion > 0:
                each = np.full_like(t, np.nan)
            elif response is BERNOULLI:  # of shares the binomial coefficients do not depend on the weights: left out
                assert self.link.logs is not None
                log_mu, log_rest = self.link.logs(eta)
                each = np.where(t > 0, t * log_mu, 0.0) + np.where(t < 1, (1.0 - t) * log_rest, 0.0)
            else:
                each = blockwise(_log_prob(response), t, self.link.mean(eta), np.full_like(t, dispersion))
            return np.array([summed(rows, each), often.sum()])

        likelihood, targets = map(float, self.data.folded(scored))
        return GeneralizedLinearFit(
            **of_solution(self.data.design, solution, dispersion), dimension=solution.rank + response.dispersed,
            solution=solution, response=response, link=self.link, deviance=here.deviance,
            residual_degrees_of_freedom=targets - solution.rank, dispersion=dispersion,
            log_likelihood=likelihood, count=count, converged=converged, iterations=steps, message=message, data=self.data,
        )  # fmt: skip
