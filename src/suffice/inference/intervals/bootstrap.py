"""Bootstrap: estimates of many resamples, and the intervals they give.

Resampling rows with replacement is giving them other weights, so censoring, truncation and frequencies need no rule of
their own: the family is refitted to the same rows with weights drawn anew. The parametric bootstrap draws samples from
the fit.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.family import Family
from suffice.inference.closed_form import has_sufficient
from suffice.inference.estimate import fit_traced
from suffice.inference.likelihood import expand
from suffice.inference.observations import Observations
from suffice.inference.rows import padded, row_log_likelihoods, rows_of
from suffice.inference.testing.replicates import generator, of_values
from suffice.numerics import newton
from suffice.numerics.newton import CONVERGED
from suffice.numerics.special.normal import ndtr, ndtri
from suffice.runtime.errors import DataError
from suffice.runtime.rng import RNG, as_key

_ENTRIES = 2**20  # weights held at once
_IN_CACHE = 2**13  # values looked at together in Newton's steps
_STEPS = 25  # Newton steps of a refit, which starts at the fit


def resampled(fit: Any, data: Observations, replicates: int, rng: RNG = 0) -> np.ndarray:
    """Unconstrained estimates of resamples of the rows, (replicates, d); NaN where the family could not be refitted.

    Raises:
        DataError: the data are not in memory, or their weights are not frequencies.
    """
    rows, weights = rows_of(data)
    w = np.ones(rows[0].shape[0]) if weights is None else weights
    total = w.sum()
    if not np.all(w == np.floor(w)):
        raise DataError("the bootstrap resamples observations, so the weights must be whole frequencies")
    draw, columns = generator(as_key(rng)), padded(rows)
    n, size = len(w), len(columns[0])
    family = replace(fit.family, member=fit.distribution)
    batch = max(1, min(replicates, _ENTRIES // size))
    parts = []
    for begin in range(0, replicates, batch):
        drawn = _weights(draw, w, int(total), batch)
        drawn = np.pad(drawn, [(0, 0), (0, size - n)])
        parts.append(np.asarray(_refit(family, columns, drawn))[: replicates - begin])
    return np.concatenate(parts)


def _weights(draw: np.random.Generator, w: np.ndarray, total: int, batch: int) -> np.ndarray:
    """How often each row is drawn when as many as there are observations are drawn with replacement."""
    if total == len(w) and np.all(w == 1.0):
        places = draw.integers(0, total, (batch, total)) + total * np.arange(batch)[:, None]
        return np.bincount(places.ravel(), minlength=batch * total).reshape(batch, total).astype(float)
    return draw.multinomial(total, w / w.sum(), size=batch).astype(float)


@jax.jit
def _refit(family: Family, columns: tuple[jax.Array, ...], weights: jax.Array) -> jax.Array:
    """Unconstrained estimates under each row of weights."""

    def one(w: jax.Array) -> jax.Array:
        if len(columns) == 1 and columns[0].ndim == 1:
            fit = fit_traced(family, columns[0], w, family.member, most=_STEPS)
            return jnp.where(fit.result == CONVERGED, family.vector(fit.distribution), jnp.nan)
        begin = family.vector(family.member)
        state = newton.maximise(lambda v: _expand(family, v, columns, w), begin, w.sum(), _STEPS)
        return jnp.where(state.status == CONVERGED, state.point, jnp.nan)

    if has_sufficient(family):
        return jax.vmap(one)(weights)
    return jax.lax.map(one, weights, batch_size=lanes(weights.shape[1]))


def lanes(n: int) -> int:
    """How many samples of n to refit side by side: all wait for the slowest, and together they should stay in the cache."""
    return min(128, max(4, _IN_CACHE // max(n, 1)))


def _expand(family: Family, v: jax.Array, columns: tuple[jax.Array, ...], w: jax.Array) -> tuple[Any, Any, Any]:
    if len(columns) == 2:
        return expand(family, v, columns, w)[:3]
    return newton.second_order(lambda v: w @ row_log_likelihoods(family.build(v), columns[0]), v)


def drawn(fit: Any, replicates: int, rng: RNG = 0) -> np.ndarray:
    """Unconstrained estimates of samples drawn from the fit, of as many observations as it had, (replicates, d)."""
    n = float(fit.count)
    if n != np.floor(n):
        raise DataError("the parametric bootstrap draws whole samples, so the weights must be whole frequencies")
    return of_values(fit, _Estimates(fit.family.free), int(n), replicates, as_key(rng), True)


@dataclass(frozen=True)
class _Estimates:
    """The unconstrained estimates as a statistic of a refitted sample; equal ones are the same to the compiler."""

    free: tuple[Any, ...]

    def __call__(self, p: Any, x: jax.Array, n: jax.Array) -> jax.Array:
        return Family(p, self.free).vector(p)


@partial(jax.jit, static_argnames="of")
def quantities(family: Family, points: jax.Array, of: Callable[[Any], Any]) -> jax.Array:
    """A function of the distribution at each of many unconstrained points."""
    return jax.vmap(lambda v: jnp.asarray(of(family.build(v)), float))(points)


def percentile(values: Any, level: float) -> jax.Array:
    """Quantiles of the replicates (r, k), (2, k): Efron (1979)."""
    return jnp.nanquantile(jnp.asarray(values), jnp.array([0.5 - level / 2.0, 0.5 + level / 2.0]), axis=0)


def basic(values: Any, estimate: Any, level: float) -> jax.Array:
    """Twice the estimate less the opposite quantiles, (2, k): for estimates that lie on one side of the truth."""
    return 2.0 * jnp.asarray(estimate)[None] - percentile(values, level)[::-1]


def bca(values: Any, estimate: Any, speed: Any, level: float) -> jax.Array:
    """Bias-corrected and accelerated ends, (2, k): Efron (1987).

    With z0 = Φ⁻¹ of the share of replicates below the estimate, quantiles at Φ(z0 + (z0 + z)/(1 − a (z0 + z))).
    """
    values, estimate = jnp.asarray(values), jnp.asarray(estimate)[None]
    usable = ~jnp.isnan(values)
    count = usable.sum(0)
    below = (values < estimate).sum(0) + 0.5 * (values == estimate).sum(0)
    bias = ndtri(jnp.clip(below / count, 0.5 / count, 1.0 - 0.5 / count))[None]
    z = ndtri(jnp.array([0.5 - level / 2.0, 0.5 + level / 2.0]))[:, None]
    levels = ndtr(bias + (bias + z) / (1.0 - speed[None] * (bias + z)))
    return jax.vmap(jnp.nanquantile, in_axes=(1, 1), out_axes=1)(values, levels)


def acceleration(influence: Any, weights: Any = None) -> Any:
    """Σ u³/(6 (Σ u²)^1.5) of the influence u of each observation on each estimate."""
    w = np.ones(len(influence)) if weights is None else weights
    return (w @ influence**3) / (6.0 * (w @ influence**2) ** 1.5)
