"""Which of two models describes the data better, neither being a part of the other: Vuong's test."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np

from suffice.inference.likelihood import log_likelihoods
from suffice.inference.observations import Observations
from suffice.inference.result import Fit
from suffice.inference.rows import padded, row_log_likelihoods, rows_of
from suffice.numerics.special.normal import ndtr

Correction = Literal["none", "aic", "bic"]


@dataclass(frozen=True)
class Vuong:
    """The outcome of Vuong's test.

    Attributes:
        statistic: standard normal for large samples where both models are as far from the truth; positive where the
            first is nearer. NaN where the models give the same density to every observation.
        p_value: two-sided.
        p_first: one-sided, small where the first model is nearer; that of the second is 1 − ``p_first``.
        difference: Σ (log p₁ − log p₂), corrected.
        standard_error: √n ω, of that difference.
        correction: taken off the difference.
    """

    statistic: float
    p_value: float
    p_first: float
    difference: float
    standard_error: float
    correction: str


def vuong(first: Fit, second: Fit, correction: Correction = "none") -> Vuong:
    """Test whether two models that do not contain each other are equally near the truth: z = (l₁ − l₂ − c)/(√n ω).

    ω² is the variance of m_i = log p₁(x_i) − log p₂(x_i). For a model inside another use ``sf.likelihood_ratio``: there
    m_i vanishes under the hypothesis and z is not normal.

    Args:
        first, second: fits of ``sf.fit`` to the same data, in memory.
        correction: c for the numbers of parameters k₁ and k₂: "none", "aic" k₁ − k₂, "bic" (k₁ − k₂)/2 · log n.

    Returns:
        A ``Vuong``.

    Raises:
        ValueError: an unknown correction, fits to unlike data, or fits out of compiled code, which have lost theirs.
        DataError: data that are not in memory.

    Source: Vuong (1989), equations 3.1, 4.2, 5.5 and 5.6.

    Example:
        >>> import suffice as sf
        >>> x = [0.8, 1.1, 1.9, 2.3, 2.4, 3.0, 4.1, 5.2]
        >>> test = sf.vuong(sf.fit(sf.Gamma, x), sf.fit(sf.LogNormal, x))
        >>> round(test.statistic, 3), round(test.p_value, 3)
        (0.457, 0.648)
    """
    if correction not in get_args(Correction):
        raise ValueError(f"correction must be one of {', '.join(get_args(Correction))}, got {correction!r}")
    (one, w), (other, w2) = (log_likelihood_of_rows(f) for f in (first, second))
    if first.family.member.discrete != second.family.member.discrete:
        raise ValueError("a density does not compare with a probability: one family is discrete, the other is not")
    if len(one) != len(other) or not np.array_equal(w, w2) or not _same_rows(first, second):
        raise ValueError(f"the fits must be of the same data, got {first.count:g} and {second.count:g} observations")
    n = w.sum()
    m = one - other
    mean = w @ m / n
    omega = float(np.sqrt(w @ (m - mean) ** 2 / n))
    more = first.dimension - second.dimension
    taken = {"none": 0.0, "aic": float(more), "bic": more * float(np.log(n)) / 2.0}[correction]
    difference, error = float(n * mean) - taken, float(np.sqrt(n)) * omega
    same = omega <= 1e-12 * (np.abs(one).max() + np.abs(other).max())
    z = np.nan if same else difference / error
    return Vuong(z, float(2.0 * ndtr(-abs(z))), float(ndtr(-z)), difference, error, correction)


def _same_rows(first: Fit, second: Fit) -> bool:
    """Whether two fits rest on the same observations, in the same order."""
    a, b = (rows_of(f.evidence.observations)[0] for f in (first, second))  # type: ignore[union-attr, arg-type]
    return len(a) == len(b) and all(np.array_equal(u, v) for u, v in zip(a, b, strict=True))


def log_likelihood_of_rows(fit: Fit) -> tuple[np.ndarray, np.ndarray]:
    """Log-likelihood of each row of the data a fit rests on, and the rows' weights.

    Raises:
        ValueError: the fit does not know its data.
    """
    if fit.evidence is None or fit.evidence.observations is None:
        raise ValueError("this fit does not know its data: those of sf.fit do")
    return log_likelihood_of(fit.distribution, fit.evidence.observations)


def log_likelihood_of(p: Any, data: Observations) -> tuple[np.ndarray, np.ndarray]:
    """Log-likelihood of each row under a distribution, (n,), and the rows' weights."""
    columns, weights = rows_of(data)
    n = len(columns[0])
    return np.asarray(_rows(p, padded(columns)))[:n], np.ones(n) if weights is None else np.asarray(weights, float)


@jax.jit
def _rows(p: Any, columns: tuple[jax.Array, ...]) -> jax.Array:
    if columns[0].ndim == 2:
        return row_log_likelihoods(p, columns[0])
    if len(columns) == 1:
        return p.log_prob(columns[0])  # which knows where there is no probability
    return jnp.asarray(log_likelihoods(p, columns, exact=True))
