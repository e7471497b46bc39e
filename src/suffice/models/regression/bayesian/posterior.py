"""Posteriors of a linear basis model in closed form."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.distributions.inverse_gamma import InverseGamma
from suffice.distributions.multivariate_normal import MultivariateNormal
from suffice.distributions.multivariate_t import MultivariateT
from suffice.distributions.normal import Normal
from suffice.distributions.student_t import StudentT
from suffice.models.regression.bayesian.prior import ConjugatePrior
from suffice.models.regression.iterated import wald
from suffice.models.regression.least_squares import student, words
from suffice.models.regression.least_squares.data import RegressionData
from suffice.models.regression.least_squares.design import Design, Rows
from suffice.models.regression.least_squares.diagnostics import Diagnostics, diagnosed
from suffice.models.regression.least_squares.solution import Penalty, Solution, solve
from suffice.models.regression.least_squares.statistic import RegressionStatistic
from suffice.models.regression.linear.model import LinearBasisModel
from suffice.numerics import linalg
from suffice.runtime.rng import RNG, as_key


def posterior(
    prior: ConjugatePrior, design: Design, statistic: RegressionStatistic, data: RegressionData | None = None
) -> "LinearPosterior":
    """The posterior from the statistic."""
    scale = math.sqrt(prior.noise) if isinstance(prior.noise, float) else 1.0
    solution = solve(statistic, design.names, design.conversion, penalty=Penalty(prior.rows, prior.values, scale))
    return LinearPosterior(design, statistic, prior, solution, data)


@dataclass(frozen=True, eq=False)
class LinearPosterior:
    """Posterior of a linear basis model, in closed form.

    Attributes:
        design: how inputs become columns.
        statistic: of the data.
        prior: of weights and noise.
        solution: with V Vᵀ the covariance of the weights, in units of the noise variance where that is not known.
        data: what was fitted, from which figures are drawn; None after an update.
    """

    design: Design
    statistic: RegressionStatistic
    prior: ConjugatePrior
    solution: Solution
    data: RegressionData | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Of the weights."""
        return self.design.names

    @property
    def count(self) -> float:
        """Number of observations."""
        return self.statistic.count

    @property
    def mean(self) -> np.ndarray:
        """m_N, (M,) (Bishop 3.50)."""
        return self.solution.weights[:, 0]

    @property
    def known_noise(self) -> bool:
        """Whether the noise precision was given."""
        return self.prior.known_noise

    @cached_property
    def noise_variance(self) -> Distribution:
        """Posterior law of the noise variance, InverseGamma(a_N, b_N).

        Raises:
            ValueError: the noise precision is known.
        """
        if self.known_noise:
            raise ValueError(f"the noise precision is known, {self.prior.noise:g}: it has no posterior")
        a, b = self._noise
        return InverseGamma(jnp.asarray(a), jnp.asarray(b))

    @property
    def _noise(self) -> tuple[float, float]:
        """a_N and b_N."""
        least = float(self.solution.residuals[0, 0]) ** 2
        if isinstance(self.prior.noise, InverseGamma):
            a, b = float(self.prior.noise.concentration), float(self.prior.noise.scale)
            return a + 0.5 * (self.count - self.prior.flat), b + 0.5 * least
        return 0.5 * (self.count - self.prior.flat), 0.5 * least

    @property
    def weights(self) -> Distribution:
        """Posterior law of the weights: normal, or Student t where the noise is not known."""
        root = linalg.triangular_of(jnp.asarray(self.solution.weights_root))
        loc = jnp.asarray(self.mean)
        if self.known_noise:
            return MultivariateNormal.from_cholesky(loc, root)
        a, b = self._noise
        return MultivariateT(jnp.asarray(2.0 * a), loc, scale_tril=math.sqrt(b / a) * root)  # type: ignore[call-arg]

    @property
    def _spread(self) -> float:
        """What V Vᵀ is multiplied with to be the covariance; infinite where there is none."""
        if self.known_noise:
            return 1.0
        a, b = self._noise
        return b / (a - 1.0) if a > 1.0 else math.inf

    @property
    def covariance(self) -> np.ndarray:
        """S_N, (M, M) (Bishop 3.51)."""
        return self._spread * self.solution.weights_root @ self.solution.weights_root.T

    @property
    def standard_deviations(self) -> np.ndarray:
        """Of the weights, (M,)."""
        return math.sqrt(self._spread) * np.sqrt((self.solution.weights_root**2).sum(1))

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Ends of the credible interval of each weight, with equal tails."""
        if self.known_noise:
            reach = wald.reach(level)
        else:
            a, b = self._noise
            reach = student.reach(2.0 * a, level) * math.sqrt(b / a)
        reach = reach * np.sqrt((self.solution.weights_root**2).sum(1))
        return self.mean - reach, self.mean + reach

    def table(self, level: float = 0.95) -> list[dict[str, Any]]:
        """One row for each weight: name, estimate (its mean), standard error (its deviation), credible interval."""
        heads = ("name", "estimate", "standard_error", "lower", "upper")
        columns = (self.mean, self.standard_deviations, *self.interval(level))
        rows = zip(self.names, *(c.tolist() for c in columns), strict=True)
        return [dict(zip(heads, row, strict=True)) for row in rows]

    @cached_property
    def log_evidence(self) -> float:
        """log p(t) of the data, weights and noise integrated out (Bishop 3.86).

        Where a prior is flat it counts as 1, so that only models with the same flat priors compare; infinite where the
        noise variance is flat and the data do not bound it.
        """
        n, s = self.count, self.statistic
        least = float(self.solution.residuals[0, 0]) ** 2
        shared = 0.5 * (self.prior.log_determinant - self.solution.log_determinant + s.log_precisions)
        shared -= 0.5 * (n - self.prior.flat) * math.log(2.0 * math.pi)
        if self.known_noise:
            return shared + 0.5 * n * math.log(self.prior.noise) - 0.5 * least
        a, b = self._noise
        if not (a > 0.0 and b > 0.0):
            return math.inf  # as many flat weights as rows, or all fitted exactly
        value = shared + math.lgamma(a) - a * math.log(b)
        if isinstance(self.prior.noise, InverseGamma):
            a0, b0 = float(self.prior.noise.concentration), float(self.prior.noise.scale)
            value += a0 * math.log(b0) - math.lgamma(a0)
        return value

    # -- predictions ------------------------------------------------------------------------------------------------

    def _columns(self, x: Any) -> Any:
        return jnp.asarray(self.design.columns(self.design.inputs(x)).hi)

    def predict(self, x: Any) -> Any:
        """Posterior mean of y(x, w) at inputs (n,) or (n, d), (n,); works in compiled code."""
        return self._columns(x) @ self.solution.coefficients[:, 0]

    def mean_law(self, x: Any) -> Distribution:
        """Law of y(x, w), each input by itself."""
        return self._around(x, 0.0)

    def predictive(self, x: Any) -> Distribution:
        """Law of new targets, each by itself: normal with variance 1/beta + phiᵀ S_N phi (Bishop 3.58), or Student t."""
        return self._around(x, 1.0)

    def _around(self, x: Any, noise: float) -> Distribution:
        phi = self._columns(x)
        mean, spread = phi @ self.solution.coefficients[:, 0], ((phi @ self.solution.root) ** 2).sum(1)
        if self.known_noise:
            return Normal(mean, jnp.sqrt(noise / self.prior.noise + spread))
        a, b = self._noise
        return StudentT(jnp.asarray(2.0 * a), mean, scale=jnp.sqrt(b / a * (noise + spread)))

    def diagnosed(self, rows: Rows) -> Diagnostics:
        """Residuals and leverage beta phi(x)ᵀ S_N phi(x) of rows; residuals have variance (1 − leverage)/beta."""
        if self.known_noise:
            deviation, free, root = self.prior.noise**-0.5, math.inf, self.solution.root * math.sqrt(self.prior.noise)
        else:
            a, b = self._noise
            deviation, free, root = math.sqrt(b / a), 2.0 * a, self.solution.root
        return diagnosed(self.design, rows, self.solution.coefficients, root, deviation, free, len(self.names))

    def equivalent_kernel(self, x: Any, data: Any) -> Any:
        """k(x, x') = beta phi(x)ᵀ S_N phi(x'), (n, n'): the mean at x is Σ_i k(x, x_i) t_i for a prior of mean 0
        (Bishop 3.62)."""
        beta = self.prior.noise if self.known_noise else 1.0
        return beta * (self._columns(x) @ self.solution.root) @ (self._columns(data) @ self.solution.root).T

    def sample_curves(self, x: Any, shape: tuple[int, ...] = (), *, rng: RNG) -> jax.Array:
        """Draws of the function y(·, w) at the inputs, shape + (n,)."""
        phi, key = self._columns(x), as_key(rng)
        first, second = jax.random.split(key)
        draws = jax.random.normal(first, (*shape, self.solution.root.shape[1]))
        if not self.known_noise:
            draws = draws * jnp.sqrt(self.noise_variance.sample(shape, rng=second))[..., None]
        mean = phi @ self.solution.coefficients[:, 0]
        return draws @ (phi @ self.solution.root).T + mean.reshape((1,) * len(shape) + mean.shape)

    # -- sequential learning ----------------------------------------------------------------------------------------

    def update(
        self, x: Any, t: Any, weights: Any = None, *, precisions: Any = None, offset: Any = None
    ) -> "LinearPosterior":
        """The posterior after more data: the same as from all at once, whatever the order (Bishop, figure 3.7)."""
        settled = LinearBasisModel(self.design.basis, self.design.intercept)
        data = settled.data(self.design.inputs(x), t, weights, precisions, offset)
        more = data.statistic(type(self.statistic))
        return posterior(self.prior, self.design, self.statistic + more)

    def __repr__(self) -> str:
        told = words.told(self.names, self.mean, self.standard_deviations)
        return f"LinearPosterior({told}; n = {self.count:g}, log evidence {self.log_evidence:.6g})"
