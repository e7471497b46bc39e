"""How well one density stands in for another: the tail of the importance ratios."""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from suffice.inference.posteriors.target import Target
from suffice.numerics import variates
from suffice.numerics.pareto import smoothed_weights

DRAWS = 4000
RELIABLE = 0.7  # the largest Pareto k at which importance ratios still say something


@dataclass(frozen=True)
class Ratios:
    """log p~ − log q at draws of q.

    Attributes:
        log_ratios: (n,).
        pareto_k: shape of the tail of the ratios, −inf where all are equal, at most 0 where none is above twice the median
            (there is no tail to fit, and a bend of the ratios elsewhere would be taken for one), inf where some are no numbers.
        log_evidence: log mean ratio, smoothed; standard_error: of it.
    """

    log_ratios: np.ndarray
    pareto_k: float
    log_evidence: float
    standard_error: float

    @property
    def mean(self) -> float:
        """E_q[log p~ − log q]: the evidence's lower bound."""
        return float(self.log_ratios.mean())

    @property
    def mean_error(self) -> float:
        """Standard error of ``mean``, of draws in pairs z, −z."""
        half = len(self.log_ratios) // 2
        pairs = 0.5 * (self.log_ratios[:half] + self.log_ratios[half : 2 * half])
        return float(pairs.std(ddof=1) / np.sqrt(half))


def ratios_of(target: Target, loc: Any, root: Any, key: jax.Array, draws: int = DRAWS) -> Ratios:
    """Ratios of a target to the normal law of loc + root z on the unconstrained space; root is (d, d).

    The draws come in pairs z, −z.
    """
    log_ratios = np.asarray(_log_ratios(target, np.asarray(loc), np.asarray(root), key, draws))
    if np.any(np.isnan(log_ratios) | (log_ratios == np.inf)):
        return Ratios(log_ratios, np.inf, np.nan, np.inf)
    return judged(log_ratios)


def judged(log_ratios: np.ndarray) -> Ratios:
    """The tail of ratios, and the evidence from them."""
    finite = log_ratios[np.isfinite(log_ratios)]
    if len(finite) < 20:
        return Ratios(log_ratios, np.inf, np.nan, np.inf)
    top, n = finite.max(), len(log_ratios)
    if finite.max() - finite.min() < 1e-9 * (1.0 + abs(top)) and len(finite) == n:
        return Ratios(log_ratios, -np.inf, float(finite.mean()), 0.0)
    smoothed, k = smoothed_weights(finite)
    order = np.argsort(finite, kind="stable")
    middle = order[len(order) // 2]
    scale = finite[middle] - smoothed[middle]  # what normalising took off, where nothing was smoothed
    log_evidence = float(scale - np.log(n))
    weights = np.zeros(n)
    weights[np.isfinite(log_ratios)] = np.exp(smoothed)
    pairs = weights[: n // 2] + weights[n // 2 : 2 * (n // 2)]  # of z and −z
    if top - finite[middle] < np.log(2.0):
        k = min(k, 0.0)
    error = float(np.sqrt(max((pairs**2).sum() - 2.0 / n, 0.0)))
    return Ratios(log_ratios, float(k), log_evidence, error)


def _log_ratios(target: Target, loc: np.ndarray, root: np.ndarray, key: jax.Array, draws: int) -> jax.Array:
    d = len(loc)
    size = float(np.linalg.slogdet(root)[1])

    @jax.jit
    def at(loc: jax.Array, root: jax.Array, key: jax.Array) -> jax.Array:
        half = variates.normal(key, (draws // 2, d), loc.dtype)
        z = jax.numpy.concatenate([half, -half])
        log_p = jax.vmap(target.log_density)(loc[None] + z @ root.T)
        return log_p + 0.5 * (z**2).sum(-1) + 0.5 * d * np.log(2.0 * np.pi)

    return at(loc, root, key) + size
