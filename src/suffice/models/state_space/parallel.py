"""The filter and the smoother by associative scans: as deep as the logarithm of the number of times, for accelerators.

Source: Särkkä and García-Fernández 2021, arXiv 1905.13002; in roots, Yaghoobi, Corenflos, Hassan and Särkkä 2022,
arXiv 2207.00426.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from suffice.models.state_space import smooth
from suffice.models.state_space.filter import Pass, System, at_each, correct, observed, predict
from suffice.models.state_space.roots import triangular


class Piece(NamedTuple):
    """A stretch of times: the state at its end given that before it, and what it says of the latter.

    z_end = A z + b + noise with covariance UᵀU, and log-likelihood ηᵀz − |Z z|²/2.
    """

    move: jax.Array  # A, (D, D)
    mean: jax.Array  # b, (D, 1 + d)
    root: jax.Array  # U, (D, D)
    score: jax.Array  # η, (D, 1 + d)
    precision_root: jax.Array  # Z, (D, D)


def joined(a: Piece, b: Piece) -> Piece:
    """Two stretches as one, a before b."""
    d = a.move.shape[-1]
    eye, zero = jnp.eye(d, dtype=a.move.dtype), jnp.zeros((d, d), a.move.dtype)
    # rows [Z_b U_aᵀ, Z_b; 1, 0] rotated: RᵀR = [1 + U J Uᵀ, U J; J U ᵀ, J]
    across = b.precision_root @ a.root.T
    r = triangular(jnp.concatenate([across, b.precision_root], 1), jnp.concatenate([eye, zero], 1))
    inner, cross, rest = r[:d, :d], r[:d, d:], r[d:, d:]
    half = jax.scipy.linalg.solve_triangular(inner, a.root, trans=1, lower=False)  # its square is (U⁻² + J)⁻¹
    keep = eye - half.T @ cross  # (1 + C J)⁻¹
    covariance = a.root.T @ a.root
    precision = b.precision_root.T @ b.precision_root
    return Piece(
        b.move @ keep @ a.move,
        b.move @ keep @ (a.mean + covariance @ b.score) + b.mean,
        triangular(half @ b.move.T, b.root),
        a.move.T @ keep.T @ (b.score - precision @ a.mean) + a.score,
        triangular(rest @ a.move, a.precision_root),
    )


def sound(system: System) -> jax.Array:
    """Whether stretches of times keep their digits.

    A stretch foresees its first value with no more than the noise of that time, whose variance is S = H Q Hᵀ + R. Where
    D steps make a value vary far more, as in a trend seen without noise, what it says of the state before is a small
    difference of large numbers, or S is 0.
    """
    f, q, r = system.transition, system.state_root, system.noise_root
    q, r = q.T @ q, r.T @ r
    later = jax.lax.fori_loop(0, len(f) - 1, lambda _, p: f @ p @ f.T + q, q)
    h = system.observation
    own, whole = (h @ p @ jnp.swapaxes(h, -1, -2) + r for p in (q, later))
    lower = jnp.linalg.cholesky(own)
    half = jax.scipy.linalg.solve_triangular(lower, whole, lower=True)
    ratio = jax.scipy.linalg.solve_triangular(lower, jnp.swapaxes(half, -1, -2), lower=True)
    return (jnp.trace(ratio, axis1=-2, axis2=-1) < jnp.finfo(f.dtype).eps ** -0.25).all()


def run(system: System, x: jax.Array, seen: jax.Array) -> Pass:
    """The filter by one associative scan; then everything else at all times at once."""
    h = at_each(system, len(x))
    n, columns = len(system.mean), system.mean.shape[1]

    def piece(h: jax.Array, x: jax.Array, seen: jax.Array) -> Piece:
        """One time: the state before it is unknown, so only its own noise is foreseen."""
        zero = jnp.zeros((n, columns), x.dtype).at[:, 0].set(system.state_offset)
        noise = triangular(system.state_root, jnp.zeros_like(system.state_root))
        mean, root, white, innovation_root, gain = correct(system, h, zero, noise, x, seen)
        at = observed(system, h, seen)[0] @ system.transition
        white_h = jax.scipy.linalg.solve_triangular(innovation_root, at, trans=1, lower=False)
        move = system.transition - gain.T @ white_h
        precision = triangular(white_h, jnp.zeros_like(system.state_root))
        return Piece(move, mean, root, white_h.T @ white, precision)

    pieces = jax.vmap(piece)(h, x, seen)
    mean, root, *_ = correct(system, h[0], system.mean, system.root, x[0], seen[0])
    nothing = jnp.zeros_like(root)
    first = Piece(nothing, mean, triangular(root), jnp.zeros_like(mean), nothing)
    pieces = jax.tree.map(lambda all, one: all.at[0].set(one), pieces, first)
    whole = jax.lax.associative_scan(jax.vmap(joined), pieces)
    ahead = jax.vmap(lambda m, s: predict(system, m, s))(whole.mean[:-1], whole.root[:-1])
    predicted = jnp.concatenate([system.mean[None], ahead[0]])
    predicted_root = jnp.concatenate([triangular(system.root)[None], ahead[1]])
    mean, root, *rest = jax.vmap(lambda *at: correct(system, *at))(h, predicted, predicted_root, x, seen)
    return Pass(predicted, predicted_root, mean, root, *rest)


def backwards(each: smooth.Backward) -> tuple[jax.Array, jax.Array]:
    """r and U of every time and those after it, by one associative scan."""
    whole = jax.lax.associative_scan(jax.vmap(smooth.before), each, reverse=True)
    return whole.score, whole.root
