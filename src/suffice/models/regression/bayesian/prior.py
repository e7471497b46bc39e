"""Conjugate priors of a linear basis model: Gaussian, and normal–inverse-gamma."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from suffice.distributions.multivariate_normal import MultivariateNormal
from suffice.numerics import linalg


@dataclass(frozen=True, eq=False)
class ConjugatePrior:
    """Prior density of weights ∝ exp(−|P w − d|²/2), flat in those that no row of P holds, and the prior of the noise.

    Attributes:
        rows: P, (m, M).
        values: d, (m,).
        noise: the precision where it is known; a law of the variance, in whose units |P w − d|² then is; or None for the
            flat p(variance) ∝ 1/variance.
    """

    rows: np.ndarray
    values: np.ndarray
    noise: Any

    @classmethod
    def of(cls, weights: Any, noise: Any, size: int, flat_intercept: bool) -> "ConjugatePrior":
        """From a precision, one for each weight, or a law; ``flat_intercept`` where one precision is not the intercept's.

        Raises:
            ValueError: a precision below 0, a law of another dimension.
        """
        if weights is None:
            return cls(np.zeros((0, size)), np.zeros(0), noise)
        if isinstance(weights, MultivariateNormal):
            if weights.batch_shape or weights.event_shape != (size,):
                raise ValueError(f"weights must be a law of {size} numbers, got {weights.event_shape}")
            rows = np.asarray(linalg.inverse(weights.scale_tril))
            return cls(rows, rows @ np.asarray(weights.loc), noise)
        precision = np.asarray(weights, float)
        if precision.ndim == 0:
            precision = np.full(size, float(precision))
            if flat_intercept:
                precision[0] = 0.0
        if precision.shape != (size,) or not ((precision >= 0) & np.isfinite(precision)).all():
            raise ValueError(f"weights must be a law, a precision >= 0 or {size} of them, got {weights!r}")
        kept = precision > 0
        return cls(np.diag(np.sqrt(precision))[kept], np.zeros(int(kept.sum())), noise)

    @property
    def log_determinant(self) -> float:
        """log |PPᵀ|, of the weights that are not flat; less log 2π for each of these it normalises the prior."""
        return float(np.linalg.slogdet(self.rows @ self.rows.T)[1]) if len(self.rows) else 0.0

    @property
    def known_noise(self) -> bool:
        """Whether the noise precision was given."""
        return isinstance(self.noise, float)

    @property
    def flat(self) -> int:
        """Weights whose prior is flat: each takes one observation from what is learnt of the noise."""
        return self.rows.shape[1] - len(self.rows)
