"""Observed information of a mixture by Louis' identity, and the covariance of its estimates.

−∇²l = Σ_i w_i (E[−∇² log p(x_i, z)] − Var[∇ log p(x_i, z)]), moments over the component z given x_i (Louis 1982). A component
has its own coordinates, so the first term is block diagonal and the scores of the second are short. Parameters that
components share move along directions in all their coordinates together, and the identity with them; where these are
curved, their second derivatives add to it.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.inference.likelihood import inverse
from suffice.models.mixture.censored import contracted, log_probabilities
from suffice.models.mixture.expectation import log_joint
from suffice.numerics.newton import AT_LIMIT, CONVERGED, second_order

_AT_ONCE = 2**22  # numbers that the curvature of a stretch may take
_MOST = 3000  # parameters, whose information is a matrix


def covariance_of(fit: Any) -> np.ndarray:
    """Covariance of the reported parameters; NaN where the information is not positive or the climb did not end."""
    names = fit.parameter_names
    unknown = np.full((len(names), len(names)), np.nan)
    if fit.result not in (CONVERGED, AT_LIMIT) or fit.collapsed:
        return unknown
    basis = directions_of(fit)
    if len(basis) > _MOST:
        raise ValueError(f"{len(basis)} parameters have too large an information matrix: fit.bootstrap() gives errors")
    curvature, slope = information_of(fit)
    information = basis @ curvature @ basis.T - _bend(fit, slope)
    jacobian = _reported_jacobian(fit)
    if fit.result == AT_LIMIT:  # where it makes no difference how far a parameter has run
        free = np.any((basis != 0.0) & ~_at_limit(fit), axis=1)
        basis, information = basis[free], information[free][:, free]
    spread = basis.T @ np.asarray(inverse(information)) @ basis
    found = jacobian @ spread @ jacobian.T
    lost = unmoved(jacobian, basis)
    found[lost], found[:, lost] = np.nan, np.nan
    return found


def unmoved(jacobian: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Which of what is reported depends on coordinates, but on none that varies."""
    return (jacobian != 0.0).any(1) & ~((jacobian @ basis.T) != 0.0).any(1)


def directions_of(fit: Any) -> np.ndarray:
    """Directions (free, m) in the coordinates of all weights but the last and of all components."""
    k = fit.model.count
    each = [g.directions(q) for g, q in zip(fit.model.groups, fit.params.groups, strict=True)]
    sizes = [e.shape[1] * e.shape[2] for e in each]
    found = np.zeros((k - 1 + sum(len(e) for e in each), k - 1 + sum(sizes)))
    found[: k - 1, : k - 1] = np.eye(k - 1)
    row = column = k - 1
    for e, size in zip(each, sizes, strict=True):
        found[row : row + len(e), column : column + size] = e.reshape(len(e), size)
        row, column = row + len(e), column + size
    return found


def _bend(fit: Any, slope: np.ndarray) -> np.ndarray:
    """What directions that are curved add to the log-likelihood's second derivatives, its slope across them not being 0."""
    k, groups = fit.model.count, fit.model.groups
    sizes = [g.count * v.shape[-1] for g, v in zip(groups, _vectors(fit), strict=True)]
    parts = np.split(slope[k - 1 :], np.cumsum(sizes)[:-1])
    each = zip(groups, fit.params.groups, parts, strict=True)
    return np.asarray(
        jax.scipy.linalg.block_diag(np.zeros((k - 1, k - 1)), *(g.bend(q, s.reshape(g.count, -1)) for g, q, s in each))
    )


def _at_limit(fit: Any) -> np.ndarray:
    """Which coordinates of the information have run to a limit, (m,)."""
    each = [g.at_limit(q)[0].ravel() for g, q in zip(fit.model.groups, fit.params.groups, strict=True)]
    return np.concatenate([np.zeros(fit.model.count - 1, bool), *each])


def _vectors(fit: Any) -> list[np.ndarray]:
    """Coordinates of the components of each group, (K, m)."""
    return [np.asarray(g.vector(q)[0], float) for g, q in zip(fit.model.groups, fit.params.groups, strict=True)]


def information_of(fit: Any) -> tuple[np.ndarray, np.ndarray]:
    """Observed information and slope in the coordinates of logits of the weights, the last held, and of the components."""
    model, p = fit.model, fit.params
    vectors = _vectors(fit)
    widest = max([v.shape[1] for v in vectors] + [1])
    size = max(1 << int(np.log2(max(_AT_ONCE // (model.count * (widest**2 + 1)), 1))), 16)
    prepared = model.prepare(p)
    total, slope = 0.0, 0.0
    for x, w in fit._stretches():
        for at in range(0, len(x), size):
            part, heights = x[at : at + size], w[at : at + size]
            if missing := min(size, max(128, 1 << (len(x) - 1).bit_length())) - len(part):
                part = np.concatenate([part, np.broadcast_to(part[:1], (missing, x.shape[1]))])
                heights = np.concatenate([heights, np.zeros(missing)])
            found = _louis(model.groups, tuple(vectors), model.kernels, prepared, p.log_weights, part, heights)
            total, slope = total + np.asarray(found[0]), slope + np.asarray(found[1])
    return np.asarray(total), np.asarray(slope)


def log_density(group: Any, v: jax.Array, x: jax.Array) -> jax.Array:
    """log p(x) of one component of a group, of rows (n, columns)."""
    if not hasattr(group, "member_at"):
        return group.log_density(v, x)
    p = group.member_at(v)
    part = x[:, slice(*group.columns)] if hasattr(group, "columns") else x
    return p.log_prob(part if p.event_ndim else part[:, 0])


def _rows(group: Any, v: jax.Array, x: jax.Array) -> tuple[jax.Array, ...]:
    """Log-likelihoods of censored rows (n,) with gradients and Hessians, of one component."""

    def value(v: jax.Array) -> jax.Array:
        return log_probabilities(group.member_at(v), x)

    return second_order(value, v) if len(v) else (value(v),)


@jax.jit
def _louis(
    groups: tuple[Any, ...],
    vectors: tuple[jax.Array, ...],
    kernels: Any,
    prepared: Any,
    log_weights: jax.Array,
    x: jax.Array,
    w: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """The identity over some rows, and the slope of the log-likelihood."""
    if any(getattr(g, "censored", False) for g in groups):  # values come with derivatives, in one program
        rows = [jax.vmap(lambda u, g=g: _rows(g, u, x))(v) for g, v in zip(groups, vectors, strict=True)]
        joint = jnp.concatenate([value for value, *_ in rows]) + log_weights[0][:, None]
    else:
        rows, joint = [None] * len(groups), log_joint(kernels, prepared, log_weights, x)[0][0]
    r = jax.nn.softmax(joint, axis=0).T  # (n, K)
    k = r.shape[1]
    weights = jnp.exp(log_weights[0])
    # scores of log p(x, z = j): of logits the unit vector less the weights, of components their own
    logits = jnp.eye(k)[:, : k - 1] - weights[None, : k - 1]
    complete = [w.sum() * (jnp.diag(weights) - jnp.outer(weights, weights))[: k - 1, : k - 1]]
    first, scores = 0, []
    for group, v, known in zip(groups, vectors, rows, strict=True):
        if not v.shape[1]:  # components that are known have no scores
            first += len(v)
            continue
        share = jax.lax.stop_gradient((w[:, None] * r[:, first : first + len(v)]).T)
        if known is not None:
            score, hessians = known[1], contracted(share, known[2])
        else:
            score = jax.vmap(lambda u, g=group: jax.jacfwd(lambda u: log_density(g, u, x))(u))(v)
            total = lambda u, c, g=group: second_order(lambda u: c @ log_density(g, u, x), u)[2]  # noqa: E731
            hessians = jax.vmap(total)(v, share)
        for j in range(len(v)):
            scores.append((first + j, jnp.where((share[j] > 0)[:, None], score[j], 0.0)))
            complete.append(-hessians[j])
        first += len(v)
    base = jax.scipy.linalg.block_diag(*complete)
    # E[s sᵀ] and E[s], s being the logits' score and, in its own place, the component's
    mean = jnp.concatenate([r @ logits, *(r[:, at, None] * s for at, s in scores)], axis=1)
    ends = np.cumsum([k - 1, *(s.shape[1] for _, s in scores)])
    square = jnp.zeros_like(base)
    square = square.at[: k - 1, : k - 1].set(((w @ r)[:, None] * logits).T @ logits)
    for (at, s), a, b in zip(scores, ends[:-1], ends[1:], strict=True):
        share = (w * r[:, at])[:, None]
        square = square.at[a:b, a:b].set((share * s).T @ s)
        cross = jnp.outer(logits[at], share[:, 0] @ s)
        square = square.at[: k - 1, a:b].set(cross).at[a:b, : k - 1].set(cross.T)
    return base - (square - (w[:, None] * mean).T @ mean), w @ mean


def _reported_jacobian(fit: Any) -> np.ndarray:
    """Derivatives of the reported parameters in the coordinates of the information."""
    k, p = fit.model.count, fit.params
    weights = np.exp(p.log_weights[0])
    blocks = [(np.diag(weights) - np.outer(weights, weights))[:, : k - 1]]
    vectors = [v for group, q in zip(fit.model.groups, p.groups, strict=True) for v in group.vector(q)[0]]
    told = zip(fit._told(), vectors, strict=True)
    blocks += [np.asarray(jax.jacfwd(of)(jnp.asarray(v))) for of, v in told if len(v)]
    rows, columns = sum(b.shape[0] for b in blocks), sum(b.shape[1] for b in blocks)
    found, i, j = np.zeros((rows, columns)), 0, 0
    for b in blocks:
        found[i : i + b.shape[0], j : j + b.shape[1]] = b
        i, j = i + b.shape[0], j + b.shape[1]
    return found
