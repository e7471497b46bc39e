"""Bayesian linear regression: Gaussian and normal–inverse-gamma priors in closed form."""

import math
from dataclasses import dataclass, field, replace
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
from suffice.models.regression.least_squares.data import RegressionData
from suffice.models.regression.least_squares.design import Design, Rows
from suffice.models.regression.least_squares.diagnostics import Diagnostics, diagnosed
from suffice.models.regression.least_squares.solution import Penalty, Solution, solve
from suffice.models.regression.least_squares.statistic import RegressionStatistic
from suffice.models.regression.linear.model import LinearBasisModel
from suffice.numerics import linalg
from suffice.runtime.rng import RNG, as_key


@dataclass(frozen=True, eq=False)
class WeightPrior:
    """Rows P and values d with prior density of weights ∝ exp(−|P w − d|²/2); weights that no row holds are flat."""

    rows: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, weights: Any, size: int, intercept: bool, shrink_intercept: bool) -> "WeightPrior":
        """From a precision, one for each weight, or a law.

        Raises:
            ValueError: a precision below 0, a law of another dimension.
        """
        if weights is None:
            return cls(np.zeros((0, size)), np.zeros(0))
        if isinstance(weights, MultivariateNormal):
            if weights.batch_shape or weights.event_shape != (size,):
                raise ValueError(f"weights must be a law of {size} numbers, got {weights.event_shape}")
            rows = np.asarray(linalg.inverse(weights.scale_tril))
            return cls(rows, rows @ np.asarray(weights.loc))
        precision = np.asarray(weights, float)
        if precision.ndim == 0:
            precision = np.full(size, float(precision))
            if intercept and not shrink_intercept:
                precision[0] = 0.0
        if precision.shape != (size,) or not ((precision >= 0) & np.isfinite(precision)).all():
            raise ValueError(f"weights must be a law, a precision >= 0 or {size} of them, got {weights!r}")
        kept = precision > 0
        return cls(np.diag(np.sqrt(precision))[kept], np.zeros(int(kept.sum())))

    @property
    def log_determinant(self) -> float:
        """log |PPᵀ|, of the weights that are not flat; less log 2π for each of these it normalises the prior."""
        return float(np.linalg.slogdet(self.rows @ self.rows.T)[1]) if len(self.rows) else 0.0


@dataclass(frozen=True)
class BayesianLinearModel:
    """Linear basis model with a conjugate prior: t = Σ_j w_j phi_j(x) + noise (Bishop 3.3).

    Args:
        basis, intercept: as of ``LinearBasisModel``.
        weights: prior of the weights: a ``MultivariateNormal``; or a precision alpha, N(w | 0, 1/alpha), for all but
            the intercept, whose prior is flat, or one precision for each; None for flat.
        noise: the precision beta where it is known; an ``InverseGamma`` law of the noise variance, then the covariance
            of the weights is in units of that variance; None for the flat prior p(variance) ∝ 1/variance.
        shrink_intercept: whether alpha is the intercept's precision, too.

    Example:
        >>> import suffice as sf
        >>> posterior = sf.BayesianLinearModel(weights=2.0, noise=25.0).fit([0.0, 0.5, 1.0], [0.1, 0.4, 1.2])
        >>> posterior.mean.round(4).tolist(), posterior.standard_deviations.round(4).tolist()
        ([0.0925, 0.9483], [0.1749, 0.2626])
        >>> posterior.predictive([2.0]).mean().round(4)
        Array([1.9891], dtype=float64)
    """

    basis: Any = field(default_factory=lambda: LinearBasisModel().basis)
    intercept: bool = True
    weights: Any = None
    noise: Any = None
    shrink_intercept: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "basis", self.model.basis)
        if not (self.noise is None or isinstance(self.noise, InverseGamma)):
            beta = float(self.noise)
            if not 0.0 < beta < math.inf:
                raise ValueError(f"noise must be a precision > 0, an InverseGamma law or None, got {self.noise!r}")
            object.__setattr__(self, "noise", beta)

    @property
    def model(self) -> LinearBasisModel:
        """The same without its prior."""
        return LinearBasisModel(self.basis, self.intercept)

    def fit(
        self, x: Any, t: Any = None, weights: Any = None, *, precisions: Any = None, offset: Any = None
    ) -> "LinearPosterior":
        """The posterior given data; arguments as of ``LinearBasisModel.fit``, one target.

        Raises:
            DataError: bad data, or dependent columns whose weights have a flat prior.
            ValueError: several targets.
        """
        data = self.model.data(x, t, weights, precisions, offset)
        if not data.single:
            raise ValueError("a Bayesian fit is of one target: give t of shape (n,)")
        return posterior(self, data.design, data.summarised().statistic, data)


def posterior(
    model: BayesianLinearModel, design: Design, statistic: RegressionStatistic, data: RegressionData | None = None
) -> "LinearPosterior":
    """The posterior from the statistic."""
    prior = WeightPrior.of(model.weights, len(design.names), model.intercept, model.shrink_intercept)
    known = isinstance(model.noise, float)
    penalty = Penalty(prior.rows, prior.values, math.sqrt(model.noise) if known else 1.0)
    solution = solve(statistic, design.names, design.conversion, penalty=penalty)
    return LinearPosterior(model, design, statistic, prior, solution, data)


@dataclass(frozen=True, eq=False)
class LinearPosterior:
    """Posterior of a linear basis model, in closed form.

    Attributes:
        model: basis and prior.
        design: how inputs become columns.
        statistic: of the data.
        prior: of the weights.
        solution: with V Vᵀ the covariance of the weights, in units of the noise variance where that is not known.
        data: what was fitted, from which figures are drawn; None after an update.
    """

    model: BayesianLinearModel
    design: Design
    statistic: RegressionStatistic
    prior: WeightPrior
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
        return isinstance(self.model.noise, float)

    @cached_property
    def noise_variance(self) -> Distribution:
        """Posterior law of the noise variance, InverseGamma(a_N, b_N).

        Raises:
            ValueError: the noise precision is known.
        """
        if self.known_noise:
            raise ValueError(f"the noise precision is known, {self.model.noise:g}: it has no posterior")
        a, b = self._noise
        return InverseGamma(jnp.asarray(a), jnp.asarray(b))

    @property
    def _noise(self) -> tuple[float, float]:
        """a_N and b_N."""
        least = float(self.solution.residuals[0, 0]) ** 2
        if isinstance(self.model.noise, InverseGamma):
            a, b = float(self.model.noise.concentration), float(self.model.noise.scale)
            return a + 0.5 * (self.count - self._flat), b + 0.5 * least
        return 0.5 * (self.count - self._flat), 0.5 * least

    @property
    def _flat(self) -> int:
        """Weights whose prior is flat: each takes one observation from what is learnt of the noise."""
        return len(self.names) - len(self.prior.rows)

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
        if not 0.0 < level < 1.0:
            raise ValueError(f"level must be between 0 and 1, got {level}")
        zero = jnp.zeros(())
        if self.known_noise:
            law, scale = Normal(zero, zero + 1.0), 1.0
        else:
            a, b = self._noise
            law, scale = StudentT(zero + 2.0 * a, zero, scale=zero + 1.0), math.sqrt(b / a)
        reach = float(law.isf(0.5 - 0.5 * level)) * scale * np.sqrt((self.solution.weights_root**2).sum(1))
        return self.mean - reach, self.mean + reach

    @cached_property
    def log_evidence(self) -> float:
        """log p(t) of the data, weights and noise integrated out (Bishop 3.86).

        Where a prior is flat it counts as 1, so that only models with the same flat priors compare.
        """
        n, s = self.count, self.statistic
        least = float(self.solution.residuals[0, 0]) ** 2
        shared = 0.5 * (self.prior.log_determinant - self.solution.log_determinant + s.log_precisions)
        shared -= 0.5 * (n - self._flat) * math.log(2.0 * math.pi)
        if self.known_noise:
            return shared + 0.5 * n * math.log(self.model.noise) - 0.5 * least
        a, b = self._noise
        value = shared + math.lgamma(a) - a * math.log(b)
        if isinstance(self.model.noise, InverseGamma):
            a0, b0 = float(self.model.noise.concentration), float(self.model.noise.scale)
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
            return Normal(mean, jnp.sqrt(noise / self.model.noise + spread))
        a, b = self._noise
        return StudentT(jnp.asarray(2.0 * a), mean, scale=jnp.sqrt(b / a * (noise + spread)))

    def diagnosed(self, rows: Rows) -> Diagnostics:
        """Residuals and leverage beta phi(x)ᵀ S_N phi(x) of rows; residuals have variance (1 − leverage)/beta."""
        if self.known_noise:
            deviation, free, root = self.model.noise**-0.5, math.inf, self.solution.root * math.sqrt(self.model.noise)
        else:
            a, b = self._noise
            deviation, free, root = math.sqrt(b / a), 2.0 * a, self.solution.root
        return diagnosed(self.design, rows, self.solution.coefficients, root, deviation, free, len(self.names))

    def equivalent_kernel(self, x: Any, data: Any) -> Any:
        """k(x, x') = beta phi(x)ᵀ S_N phi(x'), (n, n'): the mean at x is Σ_i k(x, x_i) t_i for a prior of mean 0
        (Bishop 3.62)."""
        beta = self.model.noise if self.known_noise else 1.0
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
        settled = replace(self.model, basis=self.design.basis)
        data = settled.model.data(self.design.inputs(x), t, weights, precisions, offset)
        more = data.statistic(type(self.statistic))
        return posterior(self.model, self.design, self.statistic + more)

    def __repr__(self) -> str:
        pairs = zip(self.names, self.mean, self.standard_deviations, strict=True)
        told = ", ".join(f"{n} {m:.6g} ± {s:.2g}" for n, m, s in list(pairs)[:12])
        more = f", … {len(self.names)} in all" if len(self.names) > 12 else ""
        return f"LinearPosterior({told}{more}; n = {self.count:g}, log evidence {self.log_evidence:.6g})"
