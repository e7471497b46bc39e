"""Quantiles and probabilities of a fit against its data, with the band in which they would lie were the family true."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.inference.rank import Ranking
from suffice.inference.result import Fit
from suffice.inference.testing.replicates import MOST_VALUES, Cells, are_frequencies, of_cells, of_values, sample_of
from suffice.report.empirical import POINTS, Empirical, evaluate, spread_places
from suffice.runtime.rng import RNG, as_key

REPLICATES = 199
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
        censored: whether the data's shares are an estimate, of which there is no band.
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
    censored: bool = False


def compare(
    fit: Fit, ranking: Ranking, empirical: Empirical, *, replicates: int = REPLICATES, rng: RNG = 0
) -> Comparison:
    """Set a fit against the data, with bands from samples drawn from it and refitted.

    Where F is fitted, and F* refitted to a sample of the same size, the band is made of the 2.5 % and 97.5 % points
    of F*(x*_(i)) for continuous values, and of the difference between the sample's shares and F* for integers: so it
    allows for the parameters being estimated. Families with an estimated support are not refitted.
    """
    fit = fit.limit or fit
    if empirical.estimate is not None:
        return _without_band(fit, empirical)
    if empirical.tabulated:
        cells = Cells.around(fit, empirical.values, empirical.weights)
        if cells is not None:
            return _by_cells(fit, empirical, cells, replicates, as_key(rng))
    return _by_values(fit, ranking, replicates, as_key(rng))


def _without_band(fit: Fit, empirical: Empirical) -> Comparison:
    """Censored data: how they would be censored again is not known, so there are no samples to compare with."""
    places = spread_places(len(empirical.values))
    values, shares = empirical.values[places], empirical.middle[places]
    quantiles, probabilities = evaluate(fit.distribution.icdf, shares), evaluate(fit.distribution.cdf, values)
    n = int(empirical.count)
    return Comparison(
        values, quantiles, shares, probabilities, None, None, 0, n, empirical.sampled, False, censored=True
    )


# -- continuous values -----------------------------------------------------------------------------------------------


def _at_places(p: Any, x: jax.Array, n: jax.Array, places: jax.Array) -> jax.Array:
    """F*(x*_(i)) at some places i of the order."""
    return p.cdf(x[places])


def _by_values(fit: Fit, ranking: Ranking, replicates: int, key: jax.Array) -> Comparison:
    p = fit.distribution
    x, sampled, whole = sample_of(ranking.observations, MOST_VALUES, key)
    x, n = np.sort(x), len(x)
    places = spread_places(n)
    shares = (places + 0.5) / n
    data, quantiles, probabilities = x[places], evaluate(p.icdf, shares), evaluate(p.cdf, x[places])
    quantile_band, probability_band, outside = None, None, 0
    if whole:
        padded = jnp.asarray(np.pad(places, (0, POINTS - len(places)), mode="edge"))
        drawn = of_values(fit, _at_places, n, replicates, key, fit.regular, padded)
        low, high = _quantiles(drawn[:, : len(places)])
        quantile_band = Band((quantiles, evaluate(p.icdf, low)), (quantiles, evaluate(p.icdf, high)))
        probability_band = Band((low, shares), (high, shares))
        outside = int(((probabilities < low) | (probabilities > high)).sum())
    return Comparison(
        data, quantiles, shares, probabilities, quantile_band, probability_band, outside, n, sampled, fit.regular
    )


def _quantiles(drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    usable = drawn[np.isfinite(drawn).all(1)]
    low, high = np.quantile(usable, _LEVEL, axis=0) if len(usable) else np.full((2, drawn.shape[1]), np.nan)
    return low, high


# -- integers --------------------------------------------------------------------------------------------------------


def _excess(probabilities: jax.Array, counts: jax.Array, _: Any) -> jax.Array:
    """Share of the data minus fitted probability up to the middle of each cell."""
    difference = counts / counts.sum() - probabilities
    return jnp.cumsum(difference) - difference / 2.0


def _by_cells(fit: Fit, empirical: Empirical, cells: Cells, replicates: int, key: jax.Array) -> Comparison:
    middles = cells.middles
    probability = cells.probabilities / cells.probabilities.sum()
    up_to = (np.cumsum(probability) - probability / 2.0)[: len(middles)]
    few = spread_places(len(empirical.values))
    values, shares = empirical.values[few], empirical.middle[few]
    quantiles, probabilities = np.interp(shares, up_to, middles), np.interp(values, middles, up_to)
    quantile_band, probability_band, outside = None, None, 0
    if are_frequencies(empirical.weights):
        drawn = of_cells(fit, cells, _excess, replicates, key, fit.regular, None)
        low, high = (up_to + side[: len(middles)] for side in _quantiles(drawn))
        first, last = cells.places(values[[0, -1]])
        seen = slice(first, last + 1)
        quantile_band = Band(
            (np.interp(low, up_to, middles)[seen], middles[seen]),
            (np.interp(high, up_to, middles)[seen], middles[seen]),
        )
        probability_band = Band((up_to[seen], low[seen].clip(0, 1)), (up_to[seen], high[seen].clip(0, 1)))
        beyond = (shares < np.interp(values, middles, low)) | (shares > np.interp(values, middles, high))
        outside = int(beyond.sum())
    n = int(empirical.count)
    return Comparison(
        values, quantiles, shares, probabilities, quantile_band, probability_band, outside, n, False, fit.regular
    )
