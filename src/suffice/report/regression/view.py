"""A fitted regression as figures need it: one target, a bounded sample of its rows, its curve with bands."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from suffice.models.regression.bayesian.posterior import LinearPosterior
from suffice.models.regression.least_squares.design import Rows
from suffice.report.regression.diagnosed import Curve, Diagnosed, normal_scores, reach
from suffice.report.regression.sample import POINTS


@dataclass(frozen=True, eq=False)
class Regressed(Diagnosed):
    """One target of a fit.

    Attributes:
        fit: a ``LinearFit`` or a ``LinearPosterior``.
        place: of the target.
        rows: some of the data, None where only their statistic is there.
    """

    fit: Any
    place: int
    rows: Rows | None

    @classmethod
    def each(cls, fit: Any, most: int = 3) -> list["Regressed"]:
        """The first targets of a fit, of which a sample is taken once."""
        rows = None if fit.data is None else fit.data.sample(POINTS)
        return [cls(fit, place, rows) for place in range(min(fit.solution.weights.shape[1], most))]

    # -- words ----------------------------------------------------------------------------------------------------

    @property
    def target(self) -> str:
        """What the target is called."""
        names = () if self.fit.data is None else self.fit.data.targets
        several = self.fit.solution.weights.shape[1] > 1
        return names[self.place] if len(names) > self.place else f"target {self.place + 1}" if several else "target"

    @property
    def bayesian(self) -> bool:
        """Whether weights have a posterior."""
        return isinstance(self.fit, LinearPosterior)

    @property
    def mean_word(self) -> str:  # type: ignore[override]
        """What the line is."""
        return "the posterior mean" if self.bayesian else "the fitted mean"

    @property
    def band_word(self) -> str:  # type: ignore[override]
        """What its band is."""
        return "credible band" if self.bayesian else "confidence band"

    @property
    def residual_word(self) -> str:  # type: ignore[override]
        """What residuals are divided by."""
        return "Standardised" if self.bayesian and self.fit.known_noise else "Studentised"

    @property
    def score_word(self) -> str:  # type: ignore[override]
        """How residuals become normal."""
        how = (
            "Standardised residuals"
            if self.residual_word == "Standardised"
            else "Residuals, by their t distribution as normal scores"
        )
        return f"{how}: on the line, the noise is normal."

    # -- rows -----------------------------------------------------------------------------------------------------

    @property
    def size(self) -> float:
        """Number of weights."""
        return len(self.fit.names) if self.bayesian else self.fit.rank

    # -- laws -----------------------------------------------------------------------------------------------------

    def curve(self, held: dict[str, np.ndarray]) -> Curve:
        """Means and bands at inputs, those that are not given held at medians or most frequent values."""
        n = len(next(iter(held.values())))
        inputs = self.held(held)
        mean = self._of_target(self.fit.predict(inputs), n)
        if not self.bayesian and self.fit.noiseless:
            return Curve(mean, None, None, None, None)
        around, new = (
            reach(self._free) * self._of_target(law.scale, n)
            for law in (self.fit.mean_law(inputs), self.fit.predictive(inputs))
        )
        return Curve(mean, mean - around, mean + around, mean - new, mean + new)

    def _of_target(self, values: Any, n: int) -> np.ndarray:
        return np.reshape(np.asarray(values), (n, -1))[:, self.place]

    @cached_property
    def _free(self) -> float:
        """Degrees of freedom of laws."""
        if not self.bayesian:
            return float(self.fit.residual_degrees_of_freedom)
        return np.inf if self.fit.known_noise else 2.0 * float(self.fit.noise_variance.concentration)

    @cached_property
    def scores(self) -> np.ndarray:  # type: ignore[override]
        """Normal scores of studentised residuals."""
        return normal_scores(self.scaled, max(self._free - 1.0, 1.0))

    @property
    def projection(self) -> np.ndarray:
        """Q with Q Qᵀ the part of the hat matrix of these rows, (n, r)."""
        assert self.rows is not None
        q = self.fit.design.columns(self.rows.inputs).hi @ self.fit.solution.root
        q = q if self.rows.precisions is None else np.sqrt(self.rows.precisions)[:, None] * q
        return np.asarray(q) * (self.fit.prior.noise**0.5 if self.bayesian and self.fit.known_noise else 1.0)
