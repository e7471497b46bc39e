"""Generalised models and noise of its own as figures need them: means with bands, residuals that should be normal."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from suffice.models.regression.generalised.fit import GeneralizedLinearFit
from suffice.models.regression.generalised.response import BERNOULLI
from suffice.models.regression.iterated import wald
from suffice.models.regression.least_squares.design import Rows
from suffice.models.regression.linear.noise import NoiseFit
from suffice.report.empirical import evaluate
from suffice.report.regression.diagnosed import STANDARD, Curve, Diagnosed, normal_scores, reach
from suffice.report.regression.sample import POINTS


@dataclass(frozen=True, eq=False)
class Modelled(Diagnosed):
    """What a generalised model and a model with noise of its own share.

    Attributes:
        fit: a ``GeneralizedLinearFit`` or a ``NoiseFit``.
        rows: some of the data.
    """

    fit: Any
    rows: Rows  # type: ignore[assignment]  # always there
    place: int = 0

    @classmethod
    def of(cls, fit: GeneralizedLinearFit | NoiseFit) -> "Modelled":
        """With a sample of the data.

        Raises:
            ValueError: the fit does not have its data.
        """
        if fit.data is None or (rows := fit.data.sample(POINTS)) is None:
            raise ValueError("a regression of this kind is drawn with its data, and this fit has none")
        return (General if isinstance(fit, GeneralizedLinearFit) else Noisy)(fit, rows)

    @property
    def target(self) -> str:
        names = self.fit.data.targets
        return names[0] if names else "target"


class General(Modelled):
    """A generalised linear model."""

    score_word = (
        "Each target's place in its law, drawn at random within the target's own probability where it has one, as a normal "
        "score: on the line, the family is right."
    )
    level_word = "level"

    @property
    def residual_word(self) -> str:  # type: ignore[override]
        """Of 0 and 1 only residuals over deviations have mean 0."""
        return "Pearson" if self.binary else "Deviance"

    @property
    def limit(self) -> float | None:
        """Deviance residuals are near normal where targets take many values."""
        return None if self.binary else 1.96

    @property
    def alone(self) -> bool:
        """Offsets are inputs, too: with them targets do not lie around one curve."""
        return super().alone and self.rows.offset is None

    @property
    def less_offset(self) -> str:
        """What the curve leaves out of the linear predictor."""
        return "" if self.rows.offset is None else " at offset 0"

    @property
    def binary(self) -> bool:
        """Whether targets are 0 or 1, or shares."""
        return self.fit.response is BERNOULLI

    @property
    def family(self) -> str:
        """What it is called."""
        return type(self.fit.response.law(np.asarray(self.fitted[:1]), 1.0)).__name__

    @property
    def scaled(self) -> np.ndarray:
        """Residuals as they are drawn."""
        return self.diagnostics.standardised if self.binary else self.diagnostics.studentised

    def curve(self, held: dict[str, np.ndarray]) -> Curve:
        """Means and their bands."""
        inputs = self.held(held)
        low, high = (np.asarray(end) for end in self.fit.mean_interval(inputs))
        return Curve(np.asarray(self.fit.predict(inputs)), low, high, None, None)

    @cached_property
    def scores(self) -> np.ndarray:  # type: ignore[override]
        """Randomised quantile residuals (Dunn and Smyth 1996, doi:10.1080/10618600.1996.10474708), evenly spread."""
        t, mu = self.targets_of_law
        law = self.fit.response.law(mu, self.fit.dispersion)
        below = np.asarray(law.cdf(t))
        if self.whole_numbers:
            share = (np.random.default_rng(0).permutation(len(below)) + 0.5) / len(below)
            below = below - share * np.asarray(law.prob(t))
        tiny = np.finfo(float).tiny
        return evaluate(STANDARD.icdf, np.clip(below, tiny, 1.0 - 1e-16))

    @property
    def whole_numbers(self) -> bool:
        """Whether targets have probabilities of their own."""
        return self.binary or self.fit.response.allowed[1].startswith("whole")

    @property
    def targets_of_law(self) -> tuple[np.ndarray, np.ndarray]:
        """Targets and their means."""
        return self.rows.targets[:, 0], np.asarray(self.fitted)

    @property
    def scored(self) -> bool:
        """Whether targets are such as the law draws: shares are not."""
        t = self.rows.targets[:, 0]
        return not self.binary or bool(np.isin(t, (0.0, 1.0)).all())


class Noisy(Modelled):
    """A linear basis model with noise of its own."""

    residual_word = "Scaled"
    score_word = "Residuals, by the law of the noise as normal scores: on the line, that law is right."

    @property
    def limit(self) -> float | None:
        """By the law of the noise."""
        return reach(self._free)

    @property
    def _free(self) -> float:
        """Degrees of freedom of the noise."""
        return float(self.fit.noise_parameters[1]) if self.fit.variance_design is None else np.inf

    def curve(self, held: dict[str, np.ndarray]) -> Curve:
        """Means, their bands, and those of new targets."""
        inputs = self.held(held)
        law = self.fit.mean_law(inputs)
        mean, around = np.asarray(law.loc), wald.reach(0.95) * np.asarray(law.scale)
        new = reach(self._free) * np.asarray(self.fit.noise_scale(inputs))
        return Curve(mean, mean - around, mean + around, mean - new, mean + new)

    @cached_property
    def scores(self) -> np.ndarray:  # type: ignore[override]
        """Normal scores of the scaled residuals."""
        return normal_scores(self.scaled, self._free)
