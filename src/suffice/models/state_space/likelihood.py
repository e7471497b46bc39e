"""The likelihood of a state space model, differentiable where roots of covariances are not."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from suffice.models.state_space import filter as kalman
from suffice.models.state_space.roots import root_of


class Matrices(NamedTuple):
    """A model in the form of covariances, as people write it."""

    transition: jax.Array
    state_covariance: jax.Array
    state_offset: jax.Array
    observation: jax.Array
    noise_covariance: jax.Array
    observation_offset: jax.Array
    mean: jax.Array  # [m, A] of the first state, (D, 1 + d)
    covariance: jax.Array  # of it where δ is known


def system(m: Matrices) -> kalman.System:
    """The same in roots."""
    return kalman.System(*m._replace(
        state_covariance=root_of(m.state_covariance),
        noise_covariance=root_of(m.noise_covariance),
        covariance=root_of(m.covariance),
    ))  # fmt: skip


@jax.custom_jvp
def log_likelihood(m: Matrices, x: jax.Array, seen: jax.Array) -> jax.Array:
    """log p(x) by the filter in roots; its derivatives are those of the same number found by covariances.

    A root has no derivative where its covariance is singular, as at a start that is known; the likelihood has one.
    """
    return kalman.log_likelihood(kalman.run(system(m), x, seen), seen)[0]


@log_likelihood.defjvp
def _derivative(primals: tuple, tangents: tuple) -> tuple[jax.Array, jax.Array]:
    return log_likelihood(*primals), jax.jvp(by_covariances, primals, tangents)[1]


def by_covariances(m: Matrices, x: jax.Array, seen: jax.Array) -> jax.Array:
    """log p(x) with covariances corrected in Joseph's form."""
    size, rest, count = sizes(m, x, seen)
    return -size - 0.5 * (count * jnp.log(2.0 * jnp.pi) + rest)


def profile(m: Matrices, x: jax.Array, seen: jax.Array) -> tuple[jax.Array, jax.Array]:
    """log p(x) at the best common factor of all covariances, and that factor."""
    size, rest, count = sizes(m, x, seen)
    factor = rest / count
    return -size - 0.5 * count * (jnp.log(2.0 * jnp.pi * factor) + 1.0), factor


def sizes(m: Matrices, x: jax.Array, seen: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Half the logarithm of the determinant, the sum of squared innovations, and how many there are.

    By covariances, symmetric whatever the gain.
    """

    def step(state: tuple[jax.Array, jax.Array], now: tuple[jax.Array, ...]) -> tuple[tuple, tuple]:
        (mean, p), (h, x, seen) = state, now
        h = h * seen[:, None]
        noise = m.noise_covariance * seen[:, None] * seen[None] + jnp.diag(1.0 - seen)
        target = jnp.where(seen > 0, x - m.observation_offset, 0.0)
        v = jnp.zeros((len(x), mean.shape[1]), x.dtype).at[:, 0].set(target) - h @ mean
        across = h @ p
        variance = across @ h.T + noise
        lower = _cholesky(variance)
        white, half = _solve(lower, v) * seen[:, None], _solve(lower, across)
        gain = _solve_transposed(lower, half).T
        p = p - gain @ across - (gain @ across).T + gain @ variance @ gain.T
        mean = m.transition @ (mean + gain @ v)
        p = m.transition @ p @ m.transition.T + m.state_covariance
        p = 0.5 * (p + p.T)  # what is not symmetric would grow
        return (mean.at[:, 0].add(m.state_offset), p), (white, jnp.log(jnp.diagonal(lower)).sum())

    rows = (jnp.broadcast_to(m.observation, (len(x), *m.observation.shape[-2:])), x, seen)
    white, size = jax.lax.scan(step, (m.mean, m.covariance), rows)[1]
    d = m.mean.shape[1] - 1
    rest = (white[..., 0] ** 2).sum()
    told = jnp.zeros(())
    if d:
        e, v = white.reshape(-1, 1 + d)[:, 0], white.reshape(-1, 1 + d)[:, 1:]
        lower = jnp.linalg.cholesky(v.T @ v)
        rest = rest - (jax.scipy.linalg.solve_triangular(lower, v.T @ e, lower=True) ** 2).sum()
        told = jnp.log(jnp.diagonal(lower)).sum()
    return size.sum() + told, rest, seen.sum() - d


def _cholesky(a: jax.Array) -> jax.Array:
    return jnp.sqrt(a) if a.shape == (1, 1) else jnp.linalg.cholesky(a)


def _solve(lower: jax.Array, b: jax.Array) -> jax.Array:
    return b / lower if lower.shape == (1, 1) else jax.scipy.linalg.solve_triangular(lower, b, lower=True)


def _solve_transposed(lower: jax.Array, b: jax.Array) -> jax.Array:
    return b / lower if lower.shape == (1, 1) else jax.scipy.linalg.solve_triangular(lower, b, trans=1, lower=True)
