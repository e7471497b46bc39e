"""Observed information of a hidden Markov model, and the covariance of its estimates.

By Fisher's identity the score is the gradient of the expected log-probability of values and states together, under the
law of the states given the values: what the E-step gives. Its derivative is the information, exact and at the cost of
one E-step for each parameter.

Coordinates are log-odds of each row of probabilities against its largest, and those of the components of a mixture.
Probabilities at which the likelihood has its maximum at 0 are held there.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.inference.likelihood import inverse
from suffice.models.hidden_markov.recursion import Chain, log_likelihood
from suffice.models.hidden_markov.sequences import Line
from suffice.models.mixture.information import log_density, unmoved
from suffice.numerics.newton import AT_LIMIT, CONVERGED

_NOBODY = 1e-3  # starts or moves that are expected: with fewer their probability is 0


def covariance_of(fit: Any) -> np.ndarray:
    """Covariance of the reported parameters; NaN where the information is not positive or the climb did not end."""
    p, groups, x = fit.params, fit.model.mixture.groups, fit.data
    size = len(fit.parameter_names)
    if fit.result not in (CONVERGED, AT_LIMIT) or not all(g.accelerates for g in groups):
        return np.full((size, size), np.nan)
    rows = np.concatenate([p.log_weights[:1], p.log_moves[0]])  # (1 + K, K)
    vectors = _vectors(fit)
    e = fit.model.evaluate(p, x)
    counts = np.concatenate([e.starts, e.moves[0]])
    counts[0] *= int(np.asarray(x.fresh & x.inside).sum()) > 1
    known = counts > _NOBODY
    free = known.copy()
    free[np.arange(len(rows)), np.where(known, rows, -np.inf).argmax(1)] = False
    odds = np.argwhere(free)
    shared = [_flat(g.directions(q)) for g, q in zip(groups, p.groups, strict=True)]
    basis = np.asarray(jax.scipy.linalg.block_diag(np.eye(len(odds)), *shared))
    flat = [g.at_limit(q)[0].ravel() for g, q in zip(groups, p.groups, strict=True)]
    flat = np.concatenate([np.zeros(len(odds), bool), *flat])  # where it makes no difference how far one has run
    basis = basis[~np.any((basis != 0.0) & flat, axis=1)]
    for again in (False, True):
        found = _derivatives(groups, vectors, jnp.asarray(rows), odds, x, basis, again=again)
        value, curvature = (np.asarray(v) for v in found)
        if not np.isnan(value):
            break
    information = -basis @ curvature
    spread = basis.T @ np.asarray(inverse((information + information.T) / 2.0)) @ basis
    jacobian = _jacobian(fit, rows, odds, vectors)
    told = np.ones(size, bool)
    told[: rows.size] = (known & (known.sum(1, keepdims=True) > 1)).ravel()
    told &= ~unmoved(jacobian, basis)
    return np.where(told[:, None] & told[None], jacobian @ spread @ jacobian.T, np.nan)


def reported(fit: Any) -> np.ndarray:
    """Estimates in the order of the names."""
    p, told = fit.distribution, [np.asarray(f(v)) for f, v in _told(fit)]
    return np.concatenate([np.ravel(p.initial), np.ravel(p.transition), *told])


def _vectors(fit: Any) -> tuple[jax.Array, ...]:
    pairs = zip(fit.model.mixture.groups, fit.params.groups, strict=True)
    return tuple(jnp.asarray(g.vector(q)[0], float) for g, q in pairs)


def _told(fit: Any) -> list[tuple[Any, jax.Array]]:
    """How each state's reported parameters follow from its coordinates, and these."""
    pairs = zip(fit.model.mixture.groups, _vectors(fit), strict=True)
    return [(lambda v, g=g, r=g.reported: r.report(g.member_at(v)), v) for g, each in pairs for v in each]


def _flat(directions: np.ndarray) -> np.ndarray:
    return directions.reshape(len(directions), int(np.prod(directions.shape[1:])))  # of which there may be none


def _densities(groups: Any, vectors: tuple[jax.Array, ...], x: Line) -> jax.Array:
    """Log-densities of the values under each state, 0 where nothing was observed, (L, K, C)."""
    values = x.values.reshape(-1, x.values.shape[-1])
    found = [jax.vmap(lambda v, g=g: log_density(g, v, values))(each) for g, each in zip(groups, vectors, strict=True)]
    each = jnp.concatenate(found)
    return jnp.where((x.seen & x.inside)[:, None], jnp.swapaxes(each.reshape(len(each), *x.seen.shape), 0, 1), 0.0)


def _moved(rows: jax.Array, odds: jax.Array | np.ndarray, by: jax.Array) -> jax.Array:
    """Log-probabilities whose log-odds are moved."""
    return jax.nn.log_softmax(rows.at[odds[:, 0], odds[:, 1]].add(by), axis=1)


@partial(jax.jit, static_argnames="again")
def _derivatives(
    groups: Any,
    vectors: tuple[jax.Array, ...],
    rows: jax.Array,
    odds: jax.Array,
    x: Line,
    basis: jax.Array,
    again: bool,
) -> tuple[jax.Array, jax.Array]:
    """Log-likelihood, and the derivatives of the score along the directions of the basis, (coordinates, m)."""
    x = x.laid_out(len(rows) - 1)
    sizes = np.cumsum([len(odds), *(v.size for v in vectors)])

    def value(at: jax.Array) -> jax.Array:
        pieces = jnp.split(at, sizes[:-1])
        moved = tuple(v + d.reshape(v.shape) for v, d in zip(vectors, pieces[1:], strict=True))
        probabilities = jnp.exp(_moved(rows, odds, pieces[0]))
        chain = Chain(_densities(groups, moved, x), probabilities[1:], probabilities[0], x.fresh, x.inside)
        return log_likelihood(chain, again)

    score, nowhere = jax.value_and_grad(value), jnp.zeros(basis.shape[1])

    def along(direction: jax.Array) -> tuple[jax.Array, jax.Array]:
        (found, _), (_, bent) = jax.jvp(score, (nowhere,), (direction,))
        return found, bent

    values, curvature = jax.lax.map(along, basis)
    return values[0], curvature.T


def _jacobian(fit: Any, rows: np.ndarray, odds: np.ndarray, vectors: tuple[jax.Array, ...]) -> np.ndarray:
    """Derivatives of the reported parameters in the coordinates."""
    of_odds = jax.jacfwd(lambda by: jnp.exp(_moved(jnp.asarray(rows), odds, by)).ravel())(jnp.zeros(len(odds)))
    blocks = [of_odds, *(jax.jacfwd(f)(v) for f, v in _told(fit))]
    return np.asarray(jax.scipy.linalg.block_diag(*blocks))
