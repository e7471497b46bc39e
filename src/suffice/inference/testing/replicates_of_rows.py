"""Censored and truncated samples drawn from a fit and refitted, as ``replicates`` does with known values."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.family import Family
from suffice.inference.censored import Censored
from suffice.inference.result import Fit
from suffice.inference.rows import padded
from suffice.inference.testing.mechanism import Mechanism
from suffice.inference.testing.replicates import are_frequencies, drawn_places
from suffice.numerics import newton

_ENTRIES = 2**17  # rows held at once while replicates are worked on in batches
_STEPS = 25  # Newton steps of a refit; it starts at the fit the sample was drawn from


def sample_of_rows(data: Censored, most: int, key: jax.Array) -> tuple[np.ndarray, bool, bool]:
    """As ``sample_of``, of rows (left, right, lower, upper)."""
    rows, w, count = data.rows, data.weights, data.survey.summary.count
    if w is not None and not are_frequencies(w):
        return rows[:most], count > min(len(rows), most), False
    w = np.ones(len(rows)) if w is None else w
    places = np.repeat(np.arange(len(w)), w.astype(int)) if w.sum() <= most else drawn_places(w, most, key)
    return rows[places], len(places) < count, True


def of_rows(
    fit: Fit, statistic: Callable[..., jax.Array], rows: np.ndarray, replicates: int, key: jax.Array
) -> tuple[float, np.ndarray]:
    """``statistic(p, rows, weights)`` of rows, and of rows drawn from a fit as they were censored and truncated, with p
    refitted to them; NaN where it could not be."""
    (filled,) = padded((rows,))
    size = len(filled)
    w = jnp.asarray(np.arange(size) < len(rows), float)
    observed = float(jax.jit(statistic)(fit.distribution, filled, w))
    batch = max(1, min(replicates, _ENTRIES // size))
    keys = jax.random.split(key, -(-replicates // batch) * batch).reshape(-1, batch)
    family, mechanism = replace(fit.family, member=fit.distribution), Mechanism.of(rows, size)
    parts = [np.asarray(_of_rows(family, mechanism, w, k, statistic)) for k in keys]
    return observed, np.concatenate(parts)[:replicates]


@partial(jax.jit, static_argnames="statistic")
def _of_rows(family: Family, mechanism: Mechanism, w: jax.Array, keys: jax.Array, statistic: Any) -> jax.Array:
    begin = family.vector(family.member)

    def one(key: jax.Array) -> jax.Array:
        rows = mechanism.draw(family.member, key)
        state = newton.maximise(
            lambda v: newton.second_order(lambda v: w @ mechanism.log_likelihood(family.build(v), rows), v),
            begin,
            w.sum(),
            _STEPS,
        )
        found = statistic(family.build(state.point), rows, w)
        return jnp.where(state.status == newton.CONVERGED, found, jnp.nan)

    return jax.vmap(one)(keys)
