"""A fit with residuals as figures need it: of the rows drawn, with what they would be were the model true."""

from functools import cached_property
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from suffice.distributions.normal import Normal
from suffice.models.regression.iterated import wald
from suffice.models.regression.least_squares import student
from suffice.models.regression.least_squares.design import Design
from suffice.models.regression.least_squares.diagnostics import Diagnostics
from suffice.report.empirical import evaluate
from suffice.report.regression.sample import Sampled

STANDARD = Normal(jnp.zeros(()), jnp.ones(()))


class Curve(NamedTuple):
    """Means at some inputs, with the ends of their 95 % bands and of those of new targets, if any."""

    mean: np.ndarray
    low: np.ndarray | None
    high: np.ndarray | None
    new_low: np.ndarray | None
    new_high: np.ndarray | None

    @property
    def bands(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Those that are known, the outer first: of the means, and of new targets."""
        pairs = ((self.new_low, self.new_high), (self.low, self.high))
        return [(a, b) for a, b in pairs if a is not None and b is not None and np.isfinite(a).any()]


class Diagnosed(Sampled):
    """Rows of a fit that tells residuals.

    Attributes:
        fit: with ``design`` and ``diagnosed``.
    """

    fit: Any
    mean_word, band_word = "the fitted mean", "confidence band"
    residual_word = score_word = ""

    @property
    def design(self) -> Design:
        return self.fit.design

    @cached_property
    def diagnostics(self) -> Diagnostics:
        """Of the rows."""
        assert self.rows is not None
        return self.fit.diagnosed(self.rows).target(self.place)

    @property
    def fitted(self) -> np.ndarray:
        """Of the rows."""
        return self.diagnostics.fitted

    @property
    def residuals(self) -> np.ndarray:
        """Of the rows."""
        return self.diagnostics.residuals

    @property
    def scaled(self) -> np.ndarray:
        """Residuals as they are drawn: over what they should be."""
        return self.diagnostics.studentised

    @property
    def spread(self) -> bool:
        """Whether there is noise, so that residuals have a scale."""
        return self.rows is not None and int(np.isfinite(self.scaled).sum()) >= 3

    @property
    def scores(self) -> np.ndarray:
        """Normal if the model holds, (n,)."""
        raise NotImplementedError

    @property
    def size(self) -> float:
        """Number of weights."""
        return self.fit.solution.rank

    @property
    def projection(self) -> np.ndarray:
        """Q with Q Qᵀ the part of the hat matrix of these rows, (n, r): none where scores are independent."""
        assert self.rows is not None
        return np.zeros((len(self.rows.targets), 0))

    def curve(self, held: dict[str, np.ndarray]) -> Curve:
        """Means and bands at inputs, those that are not given held at medians or most frequent values."""
        raise NotImplementedError

    @staticmethod
    def normal_quantiles(shares: np.ndarray) -> np.ndarray:
        """Of the standard normal."""
        return evaluate(STANDARD.icdf, shares)


def reach(free: float) -> float:
    """Half of what holds 95 % of Student's t, or of the normal where degrees of freedom are infinite."""
    return student.reach(free, 0.95) if np.isfinite(free) else wald.reach(0.95)


def normal_scores(r: np.ndarray, free: float) -> np.ndarray:
    """Values of Student's t, or of the normal where degrees of freedom are infinite, as normal ones."""
    if np.isinf(free):
        return r
    return np.sign(r) * evaluate(STANDARD.isf, student.tail(free, np.abs(r)))
