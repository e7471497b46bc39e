"""Errors of a mixture's estimates from resampled rows."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from suffice.inference.testing.replicates import generator
from suffice.models.mixture.climb import climb
from suffice.models.mixture.expectation import Rows
from suffice.models.mixture.model import Expected, Params, joined
from suffice.models.mixture.result import MixtureFit
from suffice.numerics.newton import CONVERGED
from suffice.runtime.rng import as_key

_TOGETHER = 25  # replicates that climb side by side


@dataclass(frozen=True)
class MixtureBootstrap:
    """Estimates from resampled rows.

    Attributes:
        names: of the parameters.
        estimates: one row for each replicate that converged, (replicates, p).
        failed: replicates in which a component collapsed or that did not converge.
    """

    names: tuple[str, ...]
    estimates: np.ndarray
    failed: int

    @cached_property
    def standard_errors(self) -> dict[str, float]:
        """Standard deviations of the estimates by name."""
        return dict(zip(self.names, self.estimates.std(0, ddof=1).tolist(), strict=True))

    def intervals(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """Percentile intervals by name."""
        if not 0.0 < level < 1.0:
            raise ValueError(f"level must be between 0 and 1, got {level}")
        low, high = np.quantile(self.estimates, [(1.0 - level) / 2.0, (1.0 + level) / 2.0], axis=0)
        return {name: (float(a), float(b)) for name, a, b in zip(self.names, low, high, strict=True)}


def bootstrap_of(fit: MixtureFit, replicates: int, rng: Any) -> MixtureBootstrap:
    """Climb anew from the fit on rows drawn with replacement; frequencies stand for repeated rows."""
    if replicates < 2:
        raise ValueError(f"replicates must be >= 2, got {replicates}")
    rows = fit._data()
    if not rows.in_memory:
        raise ValueError("the bootstrap needs the data in memory")
    draw, n = generator(as_key(rng)), len(rows.x)
    w = np.ones(n) if rows.w is None else rows.w
    size, found, failed = round(float(w.sum())), [], 0
    for first in range(0, replicates, _TOGETHER):
        heights = draw.multinomial(size, w / w.sum(), _TOGETHER).astype(float)
        piece = Rows(rows.x[rows.order], heights[:, rows.order])
        begin = joined([fit.params] * _TOGETHER)

        def evaluate(p: Params, piece: Rows = piece) -> Expected:
            model = fit.model
            return Expected(*piece.expected(model.kernels, model.prepare(p), p.log_weights))

        end = climb(fit.model, evaluate, begin, float(size), most=1000, tolerance=1e-5)
        for i in range(min(_TOGETHER, replicates - first)):
            if end.status[i] == CONVERGED:
                found.append(fit._reported(end.params.run(slice(i, i + 1))))
            else:
                failed += 1
    return MixtureBootstrap(fit.parameter_names, np.array(found).reshape(-1, len(fit.parameter_names)), failed)
