"""What fitted models of classes share, ordered or not."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from suffice.distributions.bernoulli import Categorical
from suffice.models.regression.iterated.likelihood_fit import LikelihoodFit


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ChoiceFit(LikelihoodFit):
    """A fitted model of classes: a ``LikelihoodFit``, and what follows.

    Attributes:
        classes: in order; the covariance is the inverse of the observed information.
    """

    classes: tuple

    def log_probabilities(self, x: Any) -> Any:
        """log p(class | x), (n, K)."""
        raise NotImplementedError

    def predict(self, x: Any) -> Any:
        """p(class | x), (n, K); works in compiled code."""
        return jnp.exp(self.log_probabilities(x))

    def predictive(self, x: Any) -> Categorical:
        """The law of the place of the class in ``classes``."""
        return Categorical(jnp.asarray(self.log_probabilities(x)))
