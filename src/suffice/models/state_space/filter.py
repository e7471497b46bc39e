"""Kalman's filter by orthogonal rotations of covariance roots, with exact treatment of what is unknown at the start.

A root S of a covariance is any matrix with SᵀS the covariance. The initial state is m + A δ + noise, where δ has a flat
prior: means are carried as columns [m, A], and innovations as [v, −V] with v − V δ what was not foreseen (de Jong 1991,
doi:10.1214/aos/1176348139). δ is determined at the end, by least squares, so that nothing large stands in for infinity.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from suffice.models.state_space.roots import triangular


class System(NamedTuple):
    """A model in the form of roots; D states, P observed numbers, d unknown at the start."""

    transition: jax.Array  # F, (D, D)
    state_root: jax.Array  # of the covariance of the state's noise, (D, D)
    state_offset: jax.Array  # (D,)
    observation: jax.Array  # H, (P, D) or (T, P, D)
    noise_root: jax.Array  # of the covariance of the observations' noise, (P, P)
    observation_offset: jax.Array  # (P,)
    mean: jax.Array  # [m, A] of the first state, (D, 1 + d)
    root: jax.Array  # of its covariance where δ is known, (D, D)


class Pass(NamedTuple):
    """What the filter finds, times first."""

    predicted: jax.Array  # means before the observation, (T, D, 1 + d)
    predicted_root: jax.Array  # (T, D, D)
    mean: jax.Array  # and after it
    root: jax.Array
    innovation: jax.Array  # whitened, (T, P, 1 + d); 0 where nothing was observed
    innovation_root: jax.Array  # its root before, (T, P, P)
    gain: jax.Array  # whitened, (T, P, D): the state's correction for each whitened innovation


def observed(system: System, h: jax.Array, seen: jax.Array) -> tuple[jax.Array, jax.Array]:
    """H and rows of the noise's root at one time; what was not observed becomes pure noise of variance 1."""
    noise = jnp.concatenate([system.noise_root * seen[None], jnp.diag(1.0 - seen)])
    return h * seen[:, None], noise


def residual(system: System, h: jax.Array, mean: jax.Array, x: jax.Array, seen: jax.Array) -> jax.Array:
    """Innovations [v, −V], (P, 1 + d)."""
    target = jnp.where(seen > 0, x - system.observation_offset, 0.0)
    return jnp.concatenate([target[:, None], jnp.zeros((len(x), mean.shape[1] - 1), x.dtype)], axis=1) - h @ mean


def correct(
    system: System, h: jax.Array, mean: jax.Array, root: jax.Array, x: jax.Array, seen: jax.Array
) -> tuple[jax.Array, ...]:
    """Take in one observation: mean, root, whitened innovation, its root, whitened gain."""
    p = len(x)
    h, noise = observed(system, h, seen)
    rows = jnp.concatenate([noise, jnp.zeros((noise.shape[0], root.shape[1]), root.dtype)], axis=1)
    r = triangular(rows, jnp.concatenate([root @ h.T, root], axis=1))
    innovation_root, gain, root = r[:p, :p], r[:p, p:], r[p:, p:]
    v = residual(system, h, mean, x, seen)
    white = jax.scipy.linalg.solve_triangular(innovation_root, v, trans=1, lower=False)
    white = white * seen[:, None]
    return mean + gain.T @ white, root, white, innovation_root, gain


def predict(system: System, mean: jax.Array, root: jax.Array) -> tuple[jax.Array, jax.Array]:
    """One step ahead."""
    return (
        (system.transition @ mean).at[:, 0].add(system.state_offset),
        triangular(root @ system.transition.T, system.state_root),
    )


def at_each(system: System, length: int) -> jax.Array:
    """H at each time, (T, P, D)."""
    h = system.observation
    return h if h.ndim == 3 else jnp.broadcast_to(h, (length, *h.shape))


def run(system: System, x: jax.Array, seen: jax.Array) -> Pass:
    """The filter, one time after the other."""

    def step(state: tuple[jax.Array, jax.Array], now: tuple[jax.Array, ...]) -> tuple[tuple, Pass]:
        mean, root, *rest = correct(system, now[0], *state, *now[1:])
        return predict(system, mean, root), Pass(*state, mean, root, *rest)

    return jax.lax.scan(step, (system.mean, system.root), (at_each(system, len(x)), x, seen))[1]


class Start(NamedTuple):
    """What observations say of δ."""

    mean: jax.Array  # (d,)
    root: jax.Array  # W with WᵀW the inverse of its covariance, (d, d)
    rest: jax.Array  # the length of the innovations that no δ explains


def start_of(innovation: jax.Array) -> Start:
    """δ by least squares from whitened innovations [v, −V], (n, 1 + d)."""
    d = innovation.shape[-1] - 1
    none = jnp.zeros((d + 1, d + 1), innovation.dtype)
    return _solved(triangular(jnp.roll(innovation, -1, axis=-1), none))


def starts_so_far(innovation: jax.Array) -> tuple[Start, jax.Array]:
    """δ from the innovations up to each time, and whether they determine it; (T, P, 1 + d)."""
    d = innovation.shape[-1] - 1

    def step(r: jax.Array, rows: jax.Array) -> tuple[jax.Array, jax.Array]:
        r = triangular(r, rows)
        return r, r

    r = jax.lax.scan(step, jnp.zeros((d + 1, d + 1), innovation.dtype), jnp.roll(innovation, -1, axis=-1))[1]
    return jax.vmap(_solved)(r), determined(r[..., :d, :d])


def determined(root: jax.Array) -> jax.Array:
    """Whether a triangular factor has full rank, to within rounding."""
    if not root.shape[-1]:
        return jnp.ones(root.shape[:-2], bool)
    size = jnp.abs(jnp.diagonal(root, axis1=-2, axis2=-1))
    whole = jnp.sqrt((root**2).sum(-2))
    return (size > 1e4 * jnp.finfo(root.dtype).eps * whole).all(-1) & (whole > 0).all(-1)


def _solved(r: jax.Array) -> Start:
    d = r.shape[-1] - 1
    root = r[:d, :d]
    mean = -jax.scipy.linalg.solve_triangular(root, r[:d, d], lower=False) if d else r[:0, 0]
    return Start(mean, root, jnp.abs(r[d, d]))


def moments(columns: jax.Array, covariance: jax.Array, start: Start) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Mean and covariance of a state [m, A] when δ is what is known of it; and a root of what δ adds."""
    spread = columns[:, 1:]
    if not spread.shape[1]:
        return columns[:, 0], covariance, spread.T
    half = jax.scipy.linalg.solve_triangular(start.root, spread.T, trans=1, lower=False)
    return columns[:, 0] + spread @ start.mean, covariance + half.T @ half, half


def log_likelihood(found: Pass, seen: jax.Array) -> tuple[jax.Array, Start]:
    """log p(x), with δ integrated out."""
    d = found.innovation.shape[-1] - 1
    start = start_of(found.innovation.reshape(-1, 1 + d))
    sizes = jnp.log(jnp.abs(jnp.diagonal(found.innovation_root, axis1=1, axis2=2))).sum()
    of_start = jnp.log(jnp.abs(jnp.diagonal(start.root))).sum()
    constant = 0.5 * (seen.sum() - d) * jnp.log(2.0 * jnp.pi)
    return -sizes - of_start - constant - 0.5 * start.rest**2, start
