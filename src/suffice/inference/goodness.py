"""Does the family fit? Tests by parametric bootstrap with refitting, whose p-values allow for estimated parameters."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.family import Family
from suffice.inference.estimate import fit_traced
from suffice.inference.likelihood import log_likelihoods
from suffice.inference.observations import Memory, Observations
from suffice.inference.result import Fit
from suffice.numerics import newton
from suffice.runtime.errors import DataError
from suffice.runtime.rng import RNG, as_key

MOST_VALUES = 4096
MOST_CELLS = 1024
_STEPS = 25  # Newton steps of a refit; it starts at the fit the sample was drawn from
_ENTRIES = 2**19  # numbers held at once while replicates are worked on in batches


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
    """
    fit = fit.limit or fit
    key = as_key(rng)
    if isinstance(data, Memory) and len(data.values) and (data.width or fit.family.kind.discrete):
        cells = _Cells.around(fit, data)
        if cells is not None:
            return _by_cells(fit, cells, replicates, key)
    return _by_values(fit, data, replicates, key, most)


def _result(fit: Fit, observed: Any, simulated: np.ndarray, test: str, count: int, sampled: bool) -> GoodnessOfFit:
    statistic, usable = float(observed), simulated[np.isfinite(simulated)]
    p_value = (1.0 + np.sum(usable >= statistic)) / (1.0 + len(usable)) if np.isfinite(statistic) else np.nan
    return GoodnessOfFit(fit.family.name, statistic, test, float(p_value), len(usable), count, sampled)


# -- continuous values: Anderson–Darling -----------------------------------------------------------------------------


def anderson_darling(p: Any, x: jax.Array, n: jax.Array) -> jax.Array:
    """A² = −n − (1/n) Σ (2i − 1) (log F(x_(i)) + log S(x_(n+1−i))) of the first ``n`` of the values.

    Values beyond the first ``n`` are padding. A value at the end of an estimated support, where the logarithm is always
    infinite, is left out: refitted samples have one too. Source: Anderson and Darling (1954), equation 2.
    """
    place = jnp.arange(x.size)
    inside = place < n
    x = jnp.sort(jnp.where(inside, x, jnp.inf))
    at = jnp.where(inside, x, x[0])
    # pairing i with n + 1 − i is the same as weighing the two tails of one value by 2i − 1 and 2(n − i) + 1
    terms = (2.0 * place + 1.0) * p.log_cdf(at) + (2.0 * (n - place) - 1.0) * p.log_sf(at)
    return -n - jnp.where(inside & (terms > -jnp.inf), terms, 0.0).sum() / n


@partial(jax.jit, static_argnames="size")
def _replicate_values(fit: Fit, keys: jax.Array, n: jax.Array, size: int) -> jax.Array:
    """Anderson–Darling statistics of samples drawn from a fit and refitted, one for each key."""
    weights = jnp.where(jnp.arange(size) < n, 1.0, 0.0)

    def one(key: jax.Array) -> jax.Array:
        x = fit.distribution.sample((size,), rng=key).astype(float)
        x = jnp.where(weights > 0, x, x[0])
        refitted = fit_traced(fit.family, x, weights, fit.distribution, most=_STEPS)
        return anderson_darling(refitted.distribution, x, n)

    return jax.vmap(one)(keys)


def _by_values(fit: Fit, data: Observations, replicates: int, key: jax.Array, most: int) -> GoodnessOfFit:
    sample = data.survey.sample
    x, w = np.asarray(sample.values, float), sample.weights
    if w is not None:
        if np.any(w != np.floor(w)):
            raise DataError("a test of fit needs frequencies that are whole numbers")
        x = np.repeat(x, w.astype(int))
    sampled = data.survey.summary.rows > len(x) or len(x) > most
    x = x[:most]
    n = len(x)
    size = max(64, 1 << (n - 1).bit_length())
    observed = jax.jit(anderson_darling)(fit.distribution, jnp.asarray(np.pad(x, (0, size - n), mode="edge")), n)
    draw = partial(_replicate_values, fit, n=jnp.asarray(float(n)), size=size)
    return _result(fit, observed, _in_batches(draw, key, replicates, size), "anderson-darling", n, sampled)


def _in_batches(draw: Any, key: jax.Array, replicates: int, size: int) -> np.ndarray:
    """Run the replicates in batches of one shape, so that memory is bounded and one compilation serves all."""
    batch = max(1, min(replicates, _ENTRIES // size))
    keys = jax.random.split(key, -(-replicates // batch) * batch).reshape(-1, batch)
    return np.concatenate([np.asarray(draw(k)) for k in keys])[:replicates]


# -- integers: chi-square over cells ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Cells:
    """Consecutive integers with their counts, and how they are grouped for the statistic."""

    columns: tuple[np.ndarray, ...]
    counts: np.ndarray
    groups: np.ndarray  # (cells, groups), ones where a cell belongs to a group

    @classmethod
    def around(cls, fit: Fit, data: Memory) -> "_Cells | None":
        """Cells that hold the data and all but 1e-10 of the fitted probability on either side; None if too many."""
        p, half = fit.distribution, data.width / 2.0
        assert data.weights is not None
        low = min(np.floor(float(p.icdf(1e-10)) + half), data.values[0])
        high = max(np.ceil(float(p.isf(1e-10)) - half), data.values[-1])
        if not high - low < MOST_CELLS:
            return None
        k = np.arange(low, high + 1.0)
        size = max(64, 1 << (len(k) - 1).bit_length())
        counts = np.zeros(size)
        counts[(data.values - low).astype(int)] = data.weights
        k = np.pad(k, (0, size - len(k)), mode="edge")
        columns = (k - half, k + half) if half else (k,)
        real = np.arange(size) <= high - low
        expected = np.where(real, counts.sum() * np.exp(np.asarray(_cell_log_probs(p, columns))), 0.0)
        group, last, filled = np.zeros(size, int), 0, 0.0
        for i, e in enumerate(expected):
            if filled >= 5.0 and expected[i:].sum() >= 5.0:
                last, filled = last + 1, 0.0
            group[i], filled = last, filled + e
        groups = (group[:, None] == np.arange(size)) & real[:, None]
        return cls(columns, counts, groups.astype(float))


@jax.jit
def _cell_log_probs(p: Any, columns: tuple[jax.Array, ...]) -> jax.Array:
    return log_likelihoods(p, columns)


def chi_square(log_probs: jax.Array, counts: jax.Array, groups: jax.Array) -> jax.Array:
    """Pearson's Σ (O − E)²/E over groups of cells."""
    n = counts.sum()
    expected = n * jnp.exp(log_probs) @ groups
    return jnp.where(
        expected > 0, (counts @ groups - expected) ** 2 / jnp.where(expected > 0, expected, 1.0), 0.0
    ).sum()


@jax.jit
def _refit_cells(family: Family, columns: Any, groups: jax.Array, counts: jax.Array) -> jax.Array:
    """Chi-square of each row of counts after refitting the family to it, starting from the member given."""
    start = family.vector(family.member)

    def one(counts: jax.Array) -> jax.Array:
        def total(v: jax.Array) -> jax.Array:
            values = log_likelihoods(family.build(v), columns)
            return jnp.where(counts > 0, counts * jnp.where(counts > 0, values, 0.0), 0.0).sum()

        state = newton.maximise(total, start, counts.sum(), most=_STEPS)
        return chi_square(log_likelihoods(family.build(state.point), columns), counts, groups)

    return jax.vmap(one)(counts)


def _by_cells(fit: Fit, cells: _Cells, replicates: int, key: jax.Array) -> GoodnessOfFit:
    n = cells.counts.sum()
    if np.any(cells.counts != np.floor(cells.counts)):
        raise DataError("a test of fit needs frequencies that are whole numbers")
    log_probs = np.asarray(_cell_log_probs(fit.distribution, cells.columns))
    shares = np.where(cells.groups.sum(1) > 0, np.exp(log_probs), 0.0)
    generator = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    drawn = generator.multinomial(int(n), shares / shares.sum(), size=replicates).astype(float)
    family = replace(fit.family, member=fit.distribution)
    batch = max(1, min(replicates, _ENTRIES // shares.size))
    padded = np.concatenate([drawn, np.repeat(drawn[:1], -replicates % batch, axis=0)]).reshape(-1, batch, shares.size)
    simulated = np.concatenate([np.asarray(_refit_cells(family, cells.columns, cells.groups, c)) for c in padded])
    observed = chi_square(jnp.asarray(log_probs), jnp.asarray(cells.counts), jnp.asarray(cells.groups))
    return _result(fit, observed, simulated[:replicates], "chi-square", int(n), sampled=False)
