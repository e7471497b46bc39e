"""Bayesian linear regression: a linear basis model with a conjugate prior."""

import math
from dataclasses import dataclass, field
from typing import Any

from suffice.distributions.inverse_gamma import InverseGamma
from suffice.models.regression.bayesian.posterior import LinearPosterior, posterior
from suffice.models.regression.bayesian.prior import ConjugatePrior
from suffice.models.regression.linear.model import LinearBasisModel


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

    def prior(self, size: int) -> ConjugatePrior:
        """The prior of so many weights and of the noise."""
        return ConjugatePrior.of(self.weights, self.noise, size, self.intercept and not self.shrink_intercept)

    def fit(
        self, x: Any, t: Any = None, weights: Any = None, *, precisions: Any = None, offset: Any = None
    ) -> LinearPosterior:
        """The posterior given data; arguments as of ``LinearBasisModel.fit``, one target.

        Raises:
            DataError: bad data, or dependent columns whose weights have a flat prior.
            ValueError: several targets.
        """
        data = self.model.data(x, t, weights, precisions, offset)
        if not data.single:
            raise ValueError("a Bayesian fit is of one target: give t of shape (n,)")
        return posterior(self.prior(len(data.design.names)), data.design, data.summarised().statistic, data)
