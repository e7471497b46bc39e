"""Maximum likelihood, posterior mode and posterior mean of the same data, side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.distributions.family import Family
from suffice.inference import estimate
from suffice.inference.conjugate.table import PAIRS
from suffice.inference.conjugate.update import update
from suffice.inference.observations import Observations
from suffice.inference.posteriors.grid import MOST_DIMENSIONS, grid_posterior
from suffice.runtime.errors import DataError


@dataclass(frozen=True)
class Beside:
    """What a fit with a prior was found from: it answers with the estimates beside the mode."""

    family: Family
    data: Observations
    prior: Mapping[str, Distribution]

    @cached_property
    def mle(self) -> dict[str, float]:
        """Estimates of maximum likelihood, without the prior; NaN where there are none."""
        (found,) = estimate.fit_families([self.family], self.data)
        if isinstance(found, DataError):
            return dict.fromkeys(self.family.parameter_names, np.nan)
        return found.parameters

    @cached_property
    def mean(self) -> dict[str, float]:
        """Posterior means: in closed form for a conjugate prior, else on a grid.

        Raises:
            ValueError: more than three free parameters.
        """
        (name, prior), *others = self.prior.items()
        free = tuple(path[-1] for path in self.family.free)
        conjugate = any(
            (pair.prior, pair.kind, pair.free, pair.parameter) == (type(prior), self.family.kind, free, name)
            for pair in PAIRS
        )
        if conjugate and not others:
            return {name: float(update(prior, self.family, self.data.source).mean)}
        if self.family.dimension > MOST_DIMENSIONS:
            raise ValueError(
                f"{self.family.name}: posterior means of {self.family.dimension} parameters need draws: a grid is for "
                f"up to {MOST_DIMENSIONS}"
            )
        return grid_posterior(self.family, self.data.source, prior=self.prior).mean
