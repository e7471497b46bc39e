"""The state given all observations, without the inverse of any covariance of states."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from suffice.models.state_space.filter import Pass, Start, System, at_each, moments
from suffice.models.state_space.roots import triangular


class Smoothed(NamedTuple):
    """Means, covariances and covariances with the next state, times first."""

    mean: jax.Array  # (T, D)
    covariance: jax.Array  # (T, D, D)
    with_next: jax.Array  # Cov[z_t, z_{t+1}], (T − 1, D, D)


class Backward(NamedTuple):
    """What one time and those after it say of the state predicted for it, as r and a root U of N.

    The smoothed mean is the predicted one plus P r, the covariance P − P UᵀU P. ``move`` carries those of the next time
    here: r = own + moveᵀ r' (de Jong 1989).
    """

    move: jax.Array  # (D, D)
    score: jax.Array  # r, (D, 1 + d)
    root: jax.Array  # U, (D, D)


def elements(system: System, found: Pass, seen: jax.Array) -> Backward:
    """What each time alone says."""
    h = at_each(system, len(seen)) * seen[:, :, None]
    solve = jax.vmap(lambda r, b, t: jax.scipy.linalg.solve_triangular(r, b, trans=t, lower=False), (0, 0, None))
    white = solve(found.innovation_root, h, 1)
    keep = jnp.eye(h.shape[-1], dtype=h.dtype)[None] - jnp.swapaxes(found.gain, 1, 2) @ white
    missing = jnp.zeros((len(seen), max(h.shape[-1] - h.shape[-2], 0), h.shape[-1]), h.dtype)
    root = jax.vmap(triangular)(white, missing)
    return Backward(system.transition @ keep, jnp.swapaxes(white, 1, 2) @ found.innovation, root)


def before(later: Backward, here: Backward) -> Backward:
    """Both together, seen from the earlier time."""
    return Backward(
        later.move @ here.move,
        here.score + here.move.T @ later.score,
        triangular(here.root, later.root @ here.move),
    )


def sequentially(each: Backward) -> tuple[jax.Array, jax.Array]:
    """r and U of every time and those after it."""
    d = each.move.shape[-1]
    nothing = jnp.zeros_like(each.score[0]), jnp.zeros((d, d), each.move.dtype)

    def step(later: tuple[jax.Array, jax.Array], here: Backward) -> tuple[tuple, tuple]:
        both = before(Backward(here.move, *later), here)
        return (both.score, both.root), (both.score, both.root)

    return jax.lax.scan(step, nothing, each, reverse=True)[1]


def smooth(system: System, found: Pass, start: Start, score: jax.Array, root: jax.Array) -> Smoothed:
    """States given everything, from the filter and what comes after each time."""
    none = jnp.zeros_like(score[:1]), jnp.zeros_like(root[:1])
    score, root = (jnp.concatenate([v[1:], n]) for v, n in zip((score, root), none, strict=True))
    f = system.transition
    ahead = jnp.swapaxes(found.root, 1, 2) @ (found.root @ f.T)  # P Fᵀ
    columns = found.mean + ahead @ score
    seen = root @ jnp.swapaxes(ahead, 1, 2)
    covariance = jnp.swapaxes(found.root, 1, 2) @ found.root - jnp.swapaxes(seen, 1, 2) @ seen
    predicted = jnp.swapaxes(found.predicted_root, 1, 2) @ found.predicted_root
    with_next = ahead[:-1] - jnp.swapaxes(seen[:-1], 1, 2) @ (root[:-1] @ predicted[1:])
    mean, covariance, half = jax.vmap(moments, (0, 0, None))(columns, covariance, start)
    return Smoothed(mean, covariance, with_next + jnp.swapaxes(half[:-1], 1, 2) @ half[1:])
