"""Quantiles and probabilities of a fit against its data, with the band in which they would lie were the family true."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.family import Family
from suffice.inference.estimate import fit_traced
from suffice.inference.likelihood import log_likelihoods
from suffice.inference.rank import Ranking
from suffice.inference.result import Fit
from suffice.numerics import newton
from suffice.report.empirical import POINTS, Empirical, evaluate, spread_places
from suffice.runtime.rng import RNG, as_key

REPLICATES = 199
MOST_VALUES = 4096
MOST_CELLS = 1024
_STEPS = 25  # Newton steps of a refit; it starts at the fit the sample was drawn from
_LEVEL = (0.025, 0.975)


@dataclass(frozen=True)
class Band:
    """A region between two lines, each given by its points in a plot."""

    low: tuple[np.ndarray, np.ndarray]
    high: tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Comparison:
    """A fit against its data, point by point.

    Attributes:
        data: values of the data, (m,).
        quantiles: of the fit, at the same place in the order, (m,).
        shares: of the data up to each value, (m,).
        probabilities: of the fit up to each value, (m,).
        quantile_band: pointwise 95 % band for (quantiles, data); None where the weights are not frequencies.
        probability_band: the same for (probabilities, shares).
        outside: how many of the points lie outside the band.
        count: observations used.
        sampled: whether these are a random sample of the data.
        refitted: whether the family was refitted to each bootstrap sample.
    """

    data: np.ndarray
    quantiles: np.ndarray
    shares: np.ndarray
    probabilities: np.ndarray
    quantile_band: Band | None
    probability_band: Band | None
    outside: int
    count: int
    sampled: bool
    refitted: bool


def compare(
    fit: Fit, ranking: Ranking, empirical: Empirical, *, replicates: int = REPLICATES, rng: RNG = 0
) -> Comparison:
    """Set a fit against the data, with bands from samples drawn from it and refitted.

    Where F is fitted, and F* refitted to a sample of the same size, the band is made of the 2.5 % and 97.5 % points
    of F*(x*_(i)) for continuous values, and of the difference between the sample's shares and F* for integers: so it
    allows for the parameters being estimated. Families with an estimated support are not refitted.
    """
    fit = fit.limit or fit
    if empirical.tabulated:
        low, high = _reach(fit, empirical)
        if high - low < MOST_CELLS:
            return _by_cells(fit, empirical, np.arange(low, high + 1.0), replicates, as_key(rng))
    return _by_values(fit, ranking, replicates, as_key(rng))


# -- continuous values -----------------------------------------------------------------------------------------------


@partial(jax.jit, static_argnames=("size", "refit"))
def _replicate_values(fit: Fit, keys: jax.Array, n: jax.Array, places: jax.Array, size: int, refit: bool) -> jax.Array:
    """F*(x*_(i)) at some places i of the order, for a sample from each key."""
    inside = jnp.arange(size) < n

    def one(key: jax.Array) -> jax.Array:
        x = fit.distribution.sample((size,), rng=key).astype(float)
        x = jnp.where(inside, x, x[0])
        p = fit.distribution
        if refit:
            p = fit_traced(fit.family, x, jnp.where(inside, 1.0, 0.0), p, most=_STEPS).distribution
        return p.cdf(jnp.sort(jnp.where(inside, x, jnp.inf))[places])

    return jax.vmap(one)(keys)


def _by_values(fit: Fit, ranking: Ranking, replicates: int, key: jax.Array) -> Comparison:
    sample, p = ranking.observations.survey.sample, fit.distribution
    x, w = np.asarray(sample.values, float), sample.weights
    whole = w is None or bool(np.all(w == np.floor(w)))
    if w is not None and whole:
        if w.sum() > MOST_VALUES:
            generator = np.random.default_rng(np.asarray(jax.random.key_data(key)))
            w = generator.multivariate_hypergeometric(w.astype(int), MOST_VALUES, method="marginals")
        x = np.repeat(x, w.astype(int))
    x = np.sort(x[:MOST_VALUES])
    n = len(x)
    sampled = ranking.summary.count > n if whole else ranking.summary.rows > n
    places = spread_places(n)
    shares = (places + 0.5) / n
    data, quantiles, probabilities = x[places], evaluate(p.icdf, shares), evaluate(p.cdf, x[places])
    refit = fit.regular
    quantile_band, probability_band, outside = None, None, 0
    if whole:
        size = max(64, 1 << (n - 1).bit_length())
        drawn = _replicate_values(
            fit,
            jax.random.split(key, replicates),
            jnp.asarray(float(n)),
            jnp.asarray(np.pad(places, (0, POINTS - len(places)), mode="edge")),
            size,
            refit,
        )
        low, high = _quantiles(np.asarray(drawn)[:, : len(places)])
        quantile_band = Band((quantiles, evaluate(p.icdf, low)), (quantiles, evaluate(p.icdf, high)))
        probability_band = Band((low, shares), (high, shares))
        outside = int(((probabilities < low) | (probabilities > high)).sum())
    return Comparison(
        data, quantiles, shares, probabilities, quantile_band, probability_band, outside, n, sampled, refit
    )


def _quantiles(drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    usable = drawn[np.isfinite(drawn).all(1)]
    low, high = np.quantile(usable, _LEVEL, axis=0) if len(usable) else np.full((2, drawn.shape[1]), np.nan)
    return low, high


# -- integers --------------------------------------------------------------------------------------------------------


def _reach(fit: Fit, empirical: Empirical) -> tuple[float, float]:
    """Integers that hold the data and all but 1e-10 of the fitted probability on either side."""
    p, half = fit.distribution, 0.0 if fit.family.kind.discrete else 0.5
    low = min(np.floor(float(p.icdf(1e-10)) + half), empirical.values[0])
    return float(low), float(max(np.ceil(float(p.isf(1e-10)) - half), empirical.values[-1]))


@jax.jit
def _cell_probabilities(p: Any, columns: tuple[jax.Array, ...]) -> jax.Array:
    return jnp.exp(log_likelihoods(p, columns))


@partial(jax.jit, static_argnames="refit")
def _replicate_cells(family: Family, columns: Any, real: jax.Array, counts: jax.Array, refit: bool) -> jax.Array:
    """Share of the data minus fitted probability up to the middle of each cell, for each row of counts."""

    def one(counts: jax.Array) -> jax.Array:
        def total(v: jax.Array) -> jax.Array:
            values = log_likelihoods(family.build(v), columns)
            return jnp.where(counts > 0, counts * jnp.where(counts > 0, values, 0.0), 0.0).sum()

        p = family.member
        if refit:
            p = family.build(newton.maximise(total, family.vector(p), counts.sum(), most=_STEPS).point)
        difference = counts / counts.sum() - jnp.where(real, jnp.exp(log_likelihoods(p, columns)), 0.0)
        return jnp.cumsum(difference) - difference / 2.0

    return jax.vmap(one)(counts)


def _by_cells(fit: Fit, empirical: Empirical, k: np.ndarray, replicates: int, key: jax.Array) -> Comparison:
    size = max(64, 1 << (len(k) - 1).bit_length())
    real, padded = np.arange(size) < len(k), np.pad(k, (0, size - len(k)), mode="edge")
    columns = (padded,) if fit.family.kind.discrete else (padded - 0.5, padded + 0.5)
    probability = np.where(real, np.asarray(_cell_probabilities(fit.distribution, columns)), 0.0)
    probability /= probability.sum()
    up_to = (np.cumsum(probability) - probability / 2.0)[: len(k)]
    few = spread_places(len(empirical.values))
    values, shares = empirical.values[few], empirical.middle[few]
    at = (values - k[0]).astype(int)
    n = empirical.count
    whole = n == np.floor(n)
    quantile_band, probability_band, outside = None, None, 0
    if whole:
        generator = np.random.default_rng(np.asarray(jax.random.key_data(key)))
        counts = generator.multinomial(int(n), probability, size=replicates).astype(float)
        family = replace(fit.family, member=fit.distribution)
        drawn = np.asarray(_replicate_cells(family, columns, real, counts, fit.regular))
        low, high = (up_to + side[: len(k)] for side in _quantiles(drawn))
        seen = slice(at[0], at[-1] + 1)
        quantile_band = Band(
            (np.interp(low, up_to, k)[seen], k[seen]),
            (np.interp(high, up_to, k)[seen], k[seen]),
        )
        probability_band = Band((up_to[seen], low[seen].clip(0, 1)), (up_to[seen], high[seen].clip(0, 1)))
        outside = int(((shares < low[at]) | (shares > high[at])).sum())
    quantiles, probabilities = np.interp(shares, up_to, k), up_to[at]
    return Comparison(
        values, quantiles, shares, probabilities, quantile_band, probability_band, outside, int(n), False, fit.regular
    )
