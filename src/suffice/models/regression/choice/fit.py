"""What fitted models of classes share, ordered or not."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from suffice.distributions.bernoulli import Categorical
from suffice.models.regression.iterated import wald
from suffice.models.regression.least_squares.data import RegressionData
from suffice.models.regression.least_squares.design import Design


@dataclass(frozen=True, eq=False)
class ChoiceFit:
    """A fitted model of classes.

    Attributes:
        design: how inputs become columns.
        classes: in order.
        names: of the parameters, (P,).
        parameters: all of them, (P,).
        covariance: of the parameters, the inverse of the observed information, (P, P).
        log_likelihood: at the estimate.
        count: number of observations.
        converged: whether the steps came to an end.
        iterations: steps taken.
        message: why not; of separated data, that the likelihood has no maximum.
        data: what was fitted, from which figures are drawn.
    """

    design: Design
    classes: tuple
    names: tuple[str, ...]
    parameters: np.ndarray
    covariance: np.ndarray
    log_likelihood: float
    count: float
    converged: bool
    iterations: int
    message: str
    data: RegressionData | None = None

    @property
    def standard_errors(self) -> np.ndarray:
        """Of the parameters."""
        return np.sqrt(np.diagonal(self.covariance))

    @property
    def aic(self) -> float:
        """2 P − 2 log-likelihood."""
        return 2.0 * len(self.parameters) - 2.0 * self.log_likelihood

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Wald intervals of the parameters."""
        return wald.interval(self.parameters, self.standard_errors, level)

    def log_probabilities(self, x: Any) -> Any:
        """log p(class | x), (n, K)."""
        raise NotImplementedError

    def predict(self, x: Any) -> Any:
        """p(class | x), (n, K); works in compiled code."""
        return jnp.exp(self.log_probabilities(x))

    def predictive(self, x: Any) -> Categorical:
        """The law of the place of the class in ``classes``."""
        return Categorical(jnp.asarray(self.log_probabilities(x)))

    def __repr__(self) -> str:
        pairs = zip(self.names, self.parameters, self.standard_errors, strict=True)
        told = ", ".join(f"{n} {v:.6g} ± {e:.2g}" for n, v, e in list(pairs)[:12])
        more = f", … {len(self.names)} in all" if len(self.names) > 12 else ""
        end = f"converged in {self.iterations} steps" if self.converged else self.message
        return (
            f"{type(self).__name__}({told}{more}; log-likelihood {self.log_likelihood:.6g}, n = {self.count:g}, {end})"
        )
