"""Does the family fit? Tests by parametric bootstrap with refitting, whose p-values allow for estimated parameters."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.inference.observations import Memory, Observations
from suffice.inference.replicates import MOST_VALUES, Cells, of_cells, of_values, padded_size, sample_of
from suffice.inference.result import Fit
from suffice.runtime.errors import DataError
from suffice.runtime.rng import RNG, as_key


@dataclass(frozen=True)
class GoodnessOfFit:
    """The outcome of a test of fit.

    Attributes:
        name: of the family.
        statistic: value on the data.
        test: "anderson-darling" or "chi-square".
        p_value: (1 + number of replicates at least as extreme) / (1 + replicates).
        replicates: bootstrap samples that could be refitted.
        count: observations the test used.
        sampled: whether these are a random sample of the data.
    """

    name: str
    statistic: float
    test: str
    p_value: float
    replicates: int
    count: int
    sampled: bool


def goodness_of_fit(
    fit: Fit, data: Observations, *, replicates: int = 999, rng: RNG = 0, most: int = MOST_VALUES
) -> GoodnessOfFit:
    """Test a fit by comparing a statistic on the data with its values on samples drawn from the fit and refitted.

    Continuous values: Anderson–Darling. Counts, and integers known to x ± ½: chi-square over cells of at least five
    expected observations.

    Args:
        fit: what to test.
        data: the observations it was fitted to.
        replicates: number of bootstrap samples.
        rng: int, NumPy generator or JAX key.
        most: continuous values used at most; of more, a random sample is tested.

    Raises:
        DataError: the weights are not whole numbers, so that there is no sample of that size to compare with.
    """
    fit = fit.limit or fit
    key = as_key(rng)
    if isinstance(data, Memory) and len(data.values) and (data.width or fit.family.kind.discrete):
        assert data.weights is not None
        cells = Cells.around(fit, data.values, data.weights, data.width / 2.0)
        if cells is not None:
            return _by_cells(fit, cells, replicates, key)
    return _by_values(fit, data, replicates, key, most)


def _result(fit: Fit, observed: Any, simulated: np.ndarray, test: str, count: int, sampled: bool) -> GoodnessOfFit:
    statistic, usable = float(observed), simulated[np.isfinite(simulated)]
    p_value = (1.0 + np.sum(usable >= statistic)) / (1.0 + len(usable)) if np.isfinite(statistic) else np.nan
    return GoodnessOfFit(fit.family.name, statistic, test, float(p_value), len(usable), count, sampled)


def anderson_darling(p: Any, x: jax.Array, n: jax.Array) -> jax.Array:
    """A² = −n − (1/n) Σ (2i − 1) (log F(x_(i)) + log S(x_(n+1−i))) of the first ``n`` of sorted values.

    Values beyond the first ``n`` are padding. A value at the end of an estimated support, where the logarithm is always
    infinite, is left out: refitted samples have one too. Source: Anderson and Darling (1954), equation 2.
    """
    place = jnp.arange(x.size)
    inside = place < n
    at = jnp.where(inside, x, x[0])
    # pairing i with n + 1 − i is the same as weighing the two tails of one value by 2i − 1 and 2(n − i) + 1
    terms = (2.0 * place + 1.0) * p.log_cdf(at) + (2.0 * (n - place) - 1.0) * p.log_sf(at)
    return -n - jnp.where(inside & (terms > -jnp.inf), terms, 0.0).sum() / n


_anderson_darling = jax.jit(anderson_darling)


def _by_values(fit: Fit, data: Observations, replicates: int, key: jax.Array, most: int) -> GoodnessOfFit:
    x, sampled, whole = sample_of(data, most, key)
    if not whole:
        raise DataError("a test of fit needs frequencies that are whole numbers")
    n = len(x)
    padded = np.pad(np.sort(x), (0, padded_size(n) - n), mode="edge")
    observed = _anderson_darling(fit.distribution, jnp.asarray(padded), float(n))
    simulated = of_values(fit, anderson_darling, n, replicates, key, True)
    return _result(fit, observed, simulated, "anderson-darling", n, sampled)


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
    if np.any(cells.counts != np.floor(cells.counts)):
        raise DataError("a test of fit needs frequencies that are whole numbers")
    groups = _groups(cells)
    simulated = of_cells(fit, cells, chi_square, replicates, key, True, groups)
    observed = chi_square(jnp.asarray(cells.probabilities), jnp.asarray(cells.counts), jnp.asarray(groups))
    return _result(fit, observed, simulated, "chi-square", int(cells.counts.sum()), sampled=False)
