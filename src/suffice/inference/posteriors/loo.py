"""How well a posterior foresees new data, from the log-likelihoods of its draws: WAIC and PSIS leave-one-out."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from suffice.numerics.pareto import log_mean, reliable_shape, smoothed_weights


@dataclass(frozen=True)
class Elpd:
    """An estimate of the expected log predictive density of new data, Σ over the observations.

    Attributes:
        elpd: estimate, in nats.
        standard_error: of it, √(n · variance of the terms).
        effective: effective number of parameters: how much less it is than the density of the data used twice.
        terms: of each observation, (n,).
        reliable: whether no Pareto k is above 0.7, or 1 − 1/log₁₀ of fewer than 2,200 draws; for WAIC no variance of a
            log-likelihood above 0.4.
        pareto_k: of each observation, (n,), for PSIS: above that its term is not to be trusted; None for WAIC.
    """

    elpd: float
    standard_error: float
    effective: float
    terms: np.ndarray
    reliable: bool
    pareto_k: np.ndarray | None = None


def waic(log_likelihood: Any) -> Elpd:
    """Widely applicable information criterion: elpd = Σ_i (log mean_s p(x_i | θ_s) − variance_s log p(x_i | θ_s)).

    Args:
        log_likelihood: log p(x_i | θ_s), (draws, n), of draws θ_s from the posterior.

    Returns:
        An ``Elpd``.

    Raises:
        ValueError: not a matrix of at least two draws, or values that are NaN or +∞.

    Source: Watanabe (2010); Vehtari, Gelman and Gabry (2017), equations 11 to 13.

    Example:
        >>> import numpy as np, suffice as sf
        >>> x, theta = np.linspace(-1.0, 1.0, 5), np.random.default_rng(0).normal(0.0, 5**-0.5, (2000, 1))
        >>> round(sf.waic(-0.5 * (x - theta) ** 2 - 0.5 * np.log(2 * np.pi)).effective, 1)
        0.6
    """
    values = _checked(log_likelihood)
    whole, spread = log_mean(values), values.var(axis=0, ddof=1)
    return _summed(whole - spread, whole, bool(np.all(spread <= 0.4)))


def psis_loo(log_likelihood: Any, efficiency: float = 1.0) -> Elpd:
    """Leave-one-out cross-validation by Pareto-smoothed importance sampling: elpd = Σ_i log p(x_i | x without i).

    The posterior without x_i is reached from that with it by weights 1/p(x_i | θ_s), of which the largest are replaced
    by the quantiles of a generalised Pareto distribution fitted to them.

    Args:
        log_likelihood: log p(x_i | θ_s), (draws, n), of draws θ_s from the posterior.
        efficiency: effective over actual number of draws, in (0, 1] as a rule.

    Returns:
        An ``Elpd`` with ``pareto_k``: up to 0.7 (1 − 1/log₁₀ of fewer than 2,200 draws) the estimate is reliable; infinite
        where there are too few draws.

    Raises:
        ValueError: not a matrix of at least two draws, or values that are NaN or infinite.

    Source: Vehtari, Gelman and Gabry (2017), section 2; Vehtari, Simpson, Gelman, Yao and Gabry (2024), appendix A;
        Zhang and Stephens (2009).

    Example:
        >>> import numpy as np, suffice as sf
        >>> x, theta = np.linspace(-1.0, 1.0, 5), np.random.default_rng(0).normal(0.0, 5**-0.5, (2000, 1))
        >>> loo = sf.psis_loo(-0.5 * (x - theta) ** 2 - 0.5 * np.log(2 * np.pi))
        >>> round(loo.elpd, 1), loo.reliable
        (-6.7, True)
    """
    values = _checked(log_likelihood)
    if not np.all(np.isfinite(values)):
        raise ValueError("log_likelihood must be finite: a draw that rules an observation out has no weight without it")
    if not efficiency > 0.0:
        raise ValueError(f"efficiency must be > 0, got {efficiency}")
    smoothed, k = zip(*(smoothed_weights(-column, efficiency) for column in values.T), strict=True)
    terms = log_mean(values + np.stack(smoothed, axis=1)) + np.log(len(values))
    return _summed(terms, log_mean(values), bool(max(k) <= reliable_shape(len(values))), np.array(k))


def _checked(log_likelihood: Any) -> np.ndarray:
    values = np.asarray(log_likelihood, float)
    if values.ndim != 2 or len(values) < 2 or not values.shape[1]:
        raise ValueError(f"log_likelihood must have shape (draws, n) with at least two draws, got {values.shape}")
    if np.any(np.isnan(values) | (values == np.inf)):
        raise ValueError("log_likelihood must hold numbers below infinity")
    return values


def _summed(terms: np.ndarray, whole: np.ndarray, reliable: bool, k: np.ndarray | None = None) -> Elpd:
    n = len(terms)
    error = float(np.sqrt(n * terms.var(ddof=1))) if n > 1 and np.all(np.isfinite(terms)) else np.nan
    return Elpd(float(terms.sum()), error, float((whole - terms).sum()), terms, reliable, k)
