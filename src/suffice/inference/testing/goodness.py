"""Does the family fit? Tests by parametric bootstrap with refitting, whose p-values allow for estimated parameters."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.family import Family
from suffice.distributions.generic import own
from suffice.inference.censored import Censored
from suffice.inference.kinked import has_kink
from suffice.inference.observations import Memory, Observations, tabulated
from suffice.inference.observe import observe
from suffice.inference.result import Fit
from suffice.inference.testing.distances import CELLS, VALUES, Statistic, check, groups_of, members
from suffice.inference.testing.replicates import (
    MOST_VALUES,
    Cells,
    are_frequencies,
    of_cells,
    of_values,
    padded_size,
    sample_of,
)
from suffice.inference.testing.replicates_of_rows import of_rows, sample_of_rows
from suffice.inference.testing.self_consistency import ROWS
from suffice.runtime.errors import DataError
from suffice.runtime.rng import RNG, as_key

SAME = 1e-6  # statistics this close, relatively, are ties: refitting rounds each in its own way
_NO_FREQUENCIES = "the weights are not frequencies: whole numbers that add up to less than 2^53"


@dataclass(frozen=True)
class GoodnessOfFit:
    """The outcome of a test of fit.

    Attributes:
        name: of the family.
        statistic: value on the data; NaN where there was no test.
        test: name of the statistic.
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
    fit: Fit,
    data: Any = None,
    statistic: Statistic | None = None,
    *,
    replicates: int = 999,
    rng: RNG = 0,
    most: int = MOST_VALUES,
) -> GoodnessOfFit:
    """Test a fit by comparing a statistic on the data with its values on samples drawn from the fit and refitted.

    p = (1 + #{T_r >= T}) / (1 + replicates), T_r being the statistic of sample r from the fit, against its own refit.
    So the p-value allows for the estimation of parameters, which that of a table of Kolmogorov's does not.

    Args:
        fit: what to test, of ``sf.fit``.
        data: what it was fitted to, array-like of shape (n,), a source, or ``sf.Data``; left out, as the fit knows it.
        statistic: "anderson-darling", "kolmogorov-smirnov", "cramer-von-mises", "watson" or "chi-square". By default
            Anderson–Darling for continuous values, and chi-square for counts and for integers known to x ± ½, over
            cells of at least five expected observations (Anderson–Darling for counts over more than a thousand
            integers). Of cells, those of distribution functions are weighted by the cells' probabilities.
        replicates: number of bootstrap samples, >= 1.
        rng: int, NumPy generator or JAX key.
        most: values used at most; of more, a random sample is tested.

    Returns:
        A ``GoodnessOfFit``. Its ``reason`` says why there was no test: the weights are not frequencies, so that there is
        no sample of that size to compare with; the cells are too few for the parameters.

    Censored and truncated values are compared by what they say of the distribution function, H(u) = mean P(F(X) <= u),
    in place of the empirical one, and samples are censored and truncated as the data were: limits and known censoring
    times stay, unknown ones are drawn from their product-limit estimate beyond what was seen. That supposes censoring
    independent of the values. Intervals must part the line, or have one end each: of others it is not known when their
    values would have been looked for.

    Raises:
        ValueError: an unknown statistic, no replicates, a fit out of compiled code without ``data``.

    Source: Stute, González Manteiga and Presedo Quindimil (1993). Cells: Choulakian, Lockhart and Stephens (1994).

    Example:
        >>> import suffice as sf
        >>> x = [0.1, 0.3, 0.4, 0.9, 1.2, 1.5, 2.8, 3.1, 4.0, 6.5]
        >>> test = sf.goodness_of_fit(sf.fit(sf.Exponential, x), statistic="cramer-von-mises", replicates=99)
        >>> round(test.statistic, 4), test.p_value > 0.05
        (0.0244, True)
    """
    if replicates < 1:
        raise ValueError(f"replicates must be >= 1, got {replicates}")
    if statistic is not None:
        check(statistic)
    if fit.family.member.event_ndim:
        raise TypeError(
            f"tests of fit are for distributions of numbers; {fit.family.name} is one of vectors or matrices"
        )
    data = _observations(fit, data)
    if fit.method != "mle":
        reason = f"samples are refitted by maximum likelihood, and this fit is by {fit.method}"
        return _untested(fit, statistic or "anderson-darling", int(data.survey.summary.count), False, reason)
    fit = fit.limit or fit
    if isinstance(data, Censored):
        return _by_rows(fit, data, statistic or "anderson-darling", replicates, as_key(rng), most)
    if own(fit.family.kind, "_best_peak") is not None:
        count, reason = int(data.survey.summary.count), "the family is not refitted to samples by compiled code"
        return _untested(fit, statistic or "anderson-darling", count, False, reason)
    key, discrete = as_key(rng), fit.family.member.discrete
    table = tabulated(data, 0.0) if discrete and not data.width else data
    if isinstance(table, Memory) and len(table.values) and (table.width or discrete):
        weights = np.ones(len(table.values)) if table.weights is None else table.weights
        cells = Cells.around(fit, table.values, weights)
        if cells is not None:
            return _by_cells(fit, cells, statistic or "chi-square", replicates, key)
    return _by_values(fit, data, statistic or "anderson-darling", replicates, key, most)


def _observations(fit: Fit, data: Any) -> Observations:
    if data is not None:
        return data if isinstance(data, Observations) else observe(data)
    if fit.evidence is None or fit.evidence.observations is None:
        raise ValueError("this fit does not know its data: pass data=")
    return fit.evidence.observations


def _result(fit: Fit, observed: Any, simulated: np.ndarray, test: str, count: int, sampled: bool) -> GoodnessOfFit:
    statistic, usable = float(observed), simulated[~np.isnan(simulated)]
    if np.isnan(statistic):
        return _untested(fit, test, count, sampled, "the statistic is not a number")
    if not len(usable):
        return _untested(fit, test, count, sampled, "the family could not be refitted to samples drawn from the fit")
    p_value = (1.0 + np.sum(usable >= statistic * (1.0 - SAME))) / (1.0 + len(usable))
    return GoodnessOfFit(fit.family.name, statistic, test, float(p_value), len(usable), count, sampled)


def _untested(fit: Fit, test: str, count: int, sampled: bool, reason: str) -> GoodnessOfFit:
    return GoodnessOfFit(fit.family.name, np.nan, test, np.nan, 0, count, sampled, reason)


def _estimated_ends(family: Family) -> np.ndarray:
    """Whether the lower and the upper end of the support move with what is estimated."""
    if family.regular:
        return np.zeros(2, bool)

    def ends(v: jax.Array) -> jax.Array:
        support = family.build(v)._support()
        return jnp.stack([jnp.asarray(end, float) for end in (support.lower, support.upper)])

    return np.any(np.asarray(jax.jacfwd(ends)(family.vector(family.member))) != 0.0, axis=1)


def _by_values(
    fit: Fit, data: Observations, statistic: str, replicates: int, key: jax.Array, most: int
) -> GoodnessOfFit:
    x, sampled, whole = sample_of(data, most, key)
    n, measure = len(x), VALUES[statistic]
    if not whole:
        return _untested(fit, statistic, n, sampled, _NO_FREQUENCIES)
    padded = np.pad(np.sort(x), (0, padded_size(n) - n), mode="edge")
    estimated = jnp.asarray(_estimated_ends(fit.family))
    observed = jax.jit(measure)(fit.distribution, jnp.asarray(padded), float(n), estimated)
    simulated = of_values(fit, measure, n, replicates, key, True, estimated)
    return _result(fit, observed, simulated, statistic, n, sampled)


def _by_rows(fit: Fit, data: Censored, statistic: str, replicates: int, key: jax.Array, most: int) -> GoodnessOfFit:
    rows, sampled, whole = sample_of_rows(data, most, key)
    n = len(rows)
    if not whole:
        return _untested(fit, statistic, n, sampled, _NO_FREQUENCIES)
    if statistic not in ROWS:
        return _untested(fit, statistic, n, sampled, "censored and truncated values cannot be counted in cells")
    if has_kink(fit.family):
        return _untested(fit, statistic, n, sampled, "the family is not refitted to censored samples")
    try:
        observed, simulated = of_rows(fit, ROWS[statistic], rows, replicates, key)
    except DataError as reason:
        return _untested(fit, statistic, n, sampled, str(reason))
    return _result(fit, observed, simulated, statistic, n, sampled)


def _by_cells(fit: Fit, cells: Cells, statistic: str, replicates: int, key: jax.Array) -> GoodnessOfFit:
    count, measure = int(cells.counts.sum()), CELLS[statistic]
    if not are_frequencies(cells.counts):
        return _untested(fit, statistic, count, False, _NO_FREQUENCIES)
    groups = members(groups_of(jnp.asarray(cells.counts.sum() * cells.probabilities))) * cells.real[:, None]
    used = np.any(np.asarray(groups), axis=0) if statistic == "chi-square" else cells.probabilities > 0.0
    number, k = int(used.sum()), fit.dimension
    if number <= k + 1:
        told = f"{number} {'group' if number == 1 else 'groups'} of values for {k} {'parameter' if k == 1 else 'parameters'}"
        return _untested(fit, statistic, count, False, f"too few observations or distinct values, {told}")
    simulated = of_cells(fit, cells, measure, replicates, key, True, groups)
    observed = measure(jnp.asarray(cells.probabilities), jnp.asarray(cells.counts), groups)
    return _result(fit, observed, simulated, statistic, count, sampled=False)
