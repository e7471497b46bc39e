"""What every fit of one series can tell."""

from typing import cast

import jax
import numpy as np

from suffice.distributions.normal import Normal
from suffice.models.state_space.model import StateSpaceModel


class Fitted:
    """A model at its estimates, beside the series it was fitted to."""

    model: StateSpaceModel
    values: np.ndarray

    def forecast(self, steps: int) -> Normal:
        """Law of each of the next values, the estimates taken as known; its ``icdf`` gives bands."""
        return cast(Normal, self.model.forecast(self.values, steps))

    def residuals(self) -> jax.Array:
        """One-step prediction errors, whitened: independent standard normal if the model is true; (T,)."""
        return self.model.residuals(self.values)[:, 0]
