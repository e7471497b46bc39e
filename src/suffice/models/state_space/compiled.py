"""What a state space model is asked, compiled: its likelihood, its states, its errors and its draws."""

from functools import partial
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp

from suffice.models.state_space import filter as kalman
from suffice.models.state_space import parallel
from suffice.models.state_space import smooth as smoother
from suffice.models.state_space.likelihood import log_likelihood, system

if TYPE_CHECKING:
    from suffice.models.state_space.model import StateSpaceModel


class States(NamedTuple):
    """Laws of the states, times first: NaN where the observations so far do not determine them.

    Attributes:
        mean: (T, D).
        covariance: (T, D, D).
        log_likelihood: of all observations.
    """

    mean: jax.Array
    covariance: jax.Array
    log_likelihood: jax.Array

    @property
    def stddev(self) -> jax.Array:
        """Standard deviations, (T, D)."""
        return jnp.sqrt(jnp.maximum(jnp.diagonal(self.covariance, axis1=-2, axis2=-1), 0.0))

    def interval(self, level: float = 0.95) -> tuple[jax.Array, jax.Array]:
        """Central intervals of each state, two arrays (T, D)."""
        if not 0.0 < level < 1.0:
            raise ValueError(f"level must be between 0 and 1, got {level}")
        reach = NormalDist().inv_cdf(0.5 + level / 2.0) * self.stddev
        return self.mean - reach, self.mean + reach


@jax.jit
def log_prob(model: "StateSpaceModel", x: jax.Array, seen: jax.Array) -> jax.Array:
    return log_likelihood(model.matrices(len(x)), x, seen)


def _passed(roots: kalman.System, x: jax.Array, seen: jax.Array, in_parallel: bool) -> kalman.Pass:
    """The filter, one time after the other where that is asked for or scans would lose digits."""
    if not in_parallel:
        return kalman.run(roots, x, seen)
    return jax.lax.cond(parallel.sound(roots), parallel.run, kalman.run, roots, x, seen)


@partial(jax.jit, static_argnames="in_parallel")
def filter(model: "StateSpaceModel", x: jax.Array, seen: jax.Array, in_parallel: bool) -> States:
    found = _passed(system(model.matrices(len(x))), x, seen, in_parallel)
    starts, known = kalman.starts_so_far(found.innovation)
    covariance = jnp.swapaxes(found.root, 1, 2) @ found.root
    mean, covariance, _ = jax.vmap(kalman.moments)(found.mean, covariance, starts)
    mean = jnp.where(known[:, None], mean, jnp.nan)
    covariance = jnp.where(known[:, None, None], covariance, jnp.nan)
    return States(mean, covariance, kalman.log_likelihood(found, seen)[0])


@partial(jax.jit, static_argnames="in_parallel")
def smooth(model: "StateSpaceModel", x: jax.Array, seen: jax.Array, in_parallel: bool) -> tuple[States, jax.Array]:
    roots = system(model.matrices(len(x)))
    found = _passed(roots, x, seen, in_parallel)
    value, start = kalman.log_likelihood(found, seen)
    each = smoother.elements(roots, found, seen)
    whole = smoother.smooth(roots, found, start, *(parallel.backwards if in_parallel else smoother.sequentially)(each))
    return States(whole.mean, whole.covariance, value), kalman.determined(start.root)


@jax.jit
def residuals(model: "StateSpaceModel", x: jax.Array, seen: jax.Array) -> jax.Array:
    m = model.matrices(len(x))
    found = kalman.run(system(m), x, seen)
    starts, known = kalman.starts_so_far(found.innovation)
    earlier = jax.tree.map(lambda v: jnp.concatenate([jnp.zeros_like(v[:1]), v[:-1]]), starts)
    earlier = earlier._replace(root=jnp.where(known[:, None, None], earlier.root, jnp.eye(earlier.root.shape[-1])))
    ready = jnp.concatenate([jnp.full(1, m.mean.shape[1] == 1), known[:-1]])

    def one(columns: jax.Array, start: kalman.Start) -> jax.Array:
        error, spread, _ = kalman.moments(columns, jnp.eye(len(columns), dtype=columns.dtype), start)
        return jax.scipy.linalg.solve_triangular(jnp.linalg.cholesky(spread), error, lower=True)

    errors = jax.vmap(one)(found.innovation, earlier)
    return jnp.where((seen > 0) & ready[:, None], errors, jnp.nan)


@partial(jax.jit, static_argnames=("count", "length"))
def draw(model: "StateSpaceModel", key: jax.Array, count: int, length: int) -> tuple[jax.Array, jax.Array]:
    m = model.matrices()
    s, (d, p) = system(m), (model.states, model.observed)
    first, moves, noise = (
        jax.random.normal(k, shape, m.mean.dtype)
        for k, shape in zip(jax.random.split(key, 3), ((count, d), (length, count, d), (length, count, p)), strict=True)
    )

    def step(z: jax.Array, now: tuple[jax.Array, ...]) -> tuple[jax.Array, tuple]:
        h, move, noise = now
        x = z @ h.T + s.observation_offset[None] + noise @ s.noise_root
        return z @ s.transition.T + s.state_offset[None] + move @ s.state_root, (z, x)

    z, x = jax.lax.scan(step, s.mean[None, :, 0] + first @ s.root, (kalman.at_each(s, length), moves, noise))[1]
    return jnp.swapaxes(z, 0, 1), jnp.swapaxes(x, 0, 1)
