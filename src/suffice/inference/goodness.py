"""Does the family fit? Tests by parametric bootstrap with refitting, whose p-values allow for estimated parameters."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.family import Family
from suffice.distributions.generic import own
from suffice.inference.censored import Censored
from suffice.inference.observations import Memory, Observations
from suffice.inference.replicates import (
    MOST_VALUES,
    Cells,
    are_frequencies,
    of_cells,
    of_values,
    padded_size,
    sample_of,
)
from suffice.inference.result import Fit
from suffice.runtime.rng import RNG, as_key

_SAME = 1e-6  # statistics this close, relatively, are ties: refitting rounds each in its own way
_NO_FREQUENCIES = "the weights are not frequencies: whole numbers that add up to less than 2^53"


@dataclass(frozen=True)
class GoodnessOfFit:
    """The outcome of a test of fit.

    Attributes:
        name: of the family.
        statistic: value on the data; NaN where there was no test.
        test: "anderson-darling" or "chi-square".
        p_value: (1 + number of replicates at least as extreme) / (1 + replicates); NaN where there was no test.
        replicates: bootstrap samples that could be refitted.
        count: observations the test used.
        sampled: whether these are a random sample of the data.
        reason: why there was no test, empty where there was one.
    """

    name: str
    statistic: float
    test: str
    p_value: float
    replicates: int
    count: int
    sampled: bool
    reason: str = ""


def goodness_of_fit(
    fit: Fit, data: Observations, *, replicates: int = 999, rng: RNG = 0, most: int = MOST_VALUES
) -> GoodnessOfFit:
    """Test a fit by comparing a statistic on the data with its values on samples drawn from the fit and refitted.

    Continuous values: Anderson–Darling. Counts, and integers known to x ± ½: chi-square over cells of at least five
    expected observations; Anderson–Darling for counts that spread over more than a thousand integers.

    Args:
        fit: what to test.
        data: the observations it was fitted to.
        replicates: number of bootstrap samples, >= 1.
        rng: int, NumPy generator or JAX key.
        most: values used at most by Anderson–Darling; of more, a random sample is tested.

    Returns:
        A ``GoodnessOfFit``. Its ``reason`` says why there was no test where the weights are not frequencies, so that
        there is no sample of that size to compare with, or where the cells are too few for the parameters.
    """
    if replicates < 1:
        raise ValueError(f"replicates must be >= 1, got {replicates}")
    fit = fit.limit or fit
    key = as_key(rng)
    count = int(data.survey.summary.count)
    if isinstance(data, Censored):
        reason = (
            "how censored and truncated values would be censored again is not known, so no samples compare with them"
        )
        return _untested(fit, "anderson-darling", count, False, reason)
    if own(fit.family.kind, "_best_peak") is not None:
        return _untested(
            fit, "anderson-darling", count, False, "the family is not refitted to samples by compiled code"
        )
    if isinstance(data, Memory) and len(data.values) and (data.width or fit.family.member.discrete):
        weights = np.ones(len(data.values)) if data.weights is None else data.weights
        cells = Cells.around(fit, data.values, weights)
        if cells is not None:
            return _by_cells(fit, cells, replicates, key)
    return _by_values(fit, data, replicates, key, most)


def _result(fit: Fit, observed: Any, simulated: np.ndarray, test: str, count: int, sampled: bool) -> GoodnessOfFit:
    statistic, usable = float(observed), simulated[~np.isnan(simulated)]
    if np.isnan(statistic):
        return _untested(fit, test, count, sampled, "the statistic is not a number")
    if not len(usable):
        return _untested(fit, test, count, sampled, "the family could not be refitted to samples drawn from the fit")
    p_value = (1.0 + np.sum(usable >= statistic * (1.0 - _SAME))) / (1.0 + len(usable))
    return GoodnessOfFit(fit.family.name, statistic, test, float(p_value), len(usable), count, sampled)


def _untested(fit: Fit, test: str, count: int, sampled: bool, reason: str) -> GoodnessOfFit:
    return GoodnessOfFit(fit.family.name, np.nan, test, np.nan, 0, count, sampled, reason)


# -- values ----------------------------------------------------------------------------------------------------------


def anderson_darling(p: Any, x: jax.Array, n: jax.Array, estimated: Any = (False, False)) -> jax.Array:
    """A² = −n − (1/n) Σ (2i − 1) (log F(x_(i)) + log S(x_(n+1−i))) of the first ``n`` of sorted values.

    Values beyond the first ``n`` are padding. ``estimated`` tells for the lower and the upper end of the support
    whether it is: then the outermost value lies on it, in refitted samples as well, and its infinite logarithm is left
    out. Source: Anderson and Darling (1954), equation 2.
    """
    place = jnp.arange(x.size)
    inside = place < n
    log_f, log_s = _log_tails(p, jnp.where(inside, x, x[0]))
    log_f = jnp.where(estimated[0] & (place == 0) & (log_f == -jnp.inf), 0.0, log_f)
    log_s = jnp.where(estimated[1] & (place == n - 1) & (log_s == -jnp.inf), 0.0, log_s)
    # pairing i with n + 1 − i is the same as weighing the two tails of one value by 2i − 1 and 2(n − i) + 1
    terms = (2.0 * place + 1.0) * log_f + (2.0 * (n - place) - 1.0) * log_s
    return -n - jnp.where(inside, terms, 0.0).sum() / n


def _log_tails(p: Any, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """log F and log S; of a discrete family halfway up each step, where neither is 0."""
    if not p.discrete:
        return p.log_cdf(x), p.log_sf(x)
    step = jnp.stack([x - 1.0, x])
    log_f, log_s = (jax.nn.logsumexp(tail(step), axis=0) - np.log(2.0) for tail in (p.log_cdf, p.log_sf))
    return log_f, log_s


_anderson_darling = jax.jit(anderson_darling)


def _estimated_ends(family: Family) -> np.ndarray:
    """Whether the lower and the upper end of the support move with what is estimated."""
    if family.regular:
        return np.zeros(2, bool)

    def ends(v: jax.Array) -> jax.Array:
        support = family.build(v)._support()
        return jnp.stack([jnp.asarray(end, float) for end in (support.lower, support.upper)])

    return np.any(np.asarray(jax.jacfwd(ends)(family.vector(family.member))) != 0.0, axis=1)


def _by_values(fit: Fit, data: Observations, replicates: int, key: jax.Array, most: int) -> GoodnessOfFit:
    x, sampled, whole = sample_of(data, most, key)
    n = len(x)
    if not whole:
        return _untested(fit, "anderson-darling", n, sampled, _NO_FREQUENCIES)
    padded = np.pad(np.sort(x), (0, padded_size(n) - n), mode="edge")
    estimated = jnp.asarray(_estimated_ends(fit.family))
    observed = _anderson_darling(fit.distribution, jnp.asarray(padded), float(n), estimated)
    simulated = of_values(fit, anderson_darling, n, replicates, key, True, estimated)
    return _result(fit, observed, simulated, "anderson-darling", n, sampled)


# -- cells -----------------------------------------------------------------------------------------------------------


def chi_square(probabilities: jax.Array, counts: jax.Array, groups: jax.Array) -> jax.Array:
    """Pearson's Σ (O − E)²/E over groups of cells, (cells, groups), ones where a cell belongs to a group."""
    expected = counts.sum() * probabilities @ groups
    some = expected > 0
    return jnp.where(some, (counts @ groups - expected) ** 2 / jnp.where(some, expected, 1.0), 0.0).sum()


def _groups(cells: Cells) -> np.ndarray:
    """Neighbouring cells drawn together until five observations are expected in each group."""
    expected = cells.counts.sum() * cells.probabilities
    group, last, filled = np.zeros(len(expected), int), 0, 0.0
    for i, e in enumerate(expected):
        if filled >= 5.0 and expected[i:].sum() >= 5.0:
            last, filled = last + 1, 0.0
        group[i], filled = last, filled + e
    return ((group[:, None] == np.arange(len(expected))) & cells.real[:, None]).astype(float)


def _by_cells(fit: Fit, cells: Cells, replicates: int, key: jax.Array) -> GoodnessOfFit:
    test, count = "chi-square", int(cells.counts.sum())
    if not are_frequencies(cells.counts):
        return _untested(fit, test, count, False, _NO_FREQUENCIES)
    groups = _groups(cells)
    number, k = int(np.sum(groups.any(0))), fit.dimension
    if number <= k + 1:
        told = f"{number} {'group' if number == 1 else 'groups'} of values for {k} {'parameter' if k == 1 else 'parameters'}"
        return _untested(fit, test, count, False, f"too few observations or distinct values, {told}")
    simulated = of_cells(fit, cells, chi_square, replicates, key, True, groups)
    observed = chi_square(jnp.asarray(cells.probabilities), jnp.asarray(cells.counts), jnp.asarray(groups))
    return _result(fit, observed, simulated, test, count, sampled=False)
