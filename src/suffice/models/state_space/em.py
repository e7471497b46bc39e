"""Learning the matrices of a state space model by EM: smoothed moments of the states in place of the states."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from suffice.models.state_space import filter as kalman
from suffice.models.state_space import smooth
from suffice.models.state_space.likelihood import system
from suffice.models.state_space.model import StateSpaceModel
from suffice.models.state_space.series import Series, series
from suffice.runtime.errors import DataError

_LEARNT = (
    "transition", "state_covariance", "observation", "noise_covariance", "initial_mean", "initial_covariance",
)  # fmt: skip


class Learnt(NamedTuple):
    """A model learnt by EM.

    Attributes:
        model: at the end.
        trace: log-likelihood at the start and after each step, none below the one before.
        converged: whether the last step gained no more than ``tolerance``.
    """

    model: StateSpaceModel
    trace: np.ndarray
    converged: bool


def learn_state_space(
    model: StateSpaceModel,
    x: ArrayLike,
    *,
    free: Sequence[str] = _LEARNT,
    steps: int = 1000,
    tolerance: float = 1e-8,
) -> Learnt:
    """Maximum likelihood for whole matrices of a state space model, by EM from a start.

    States are known only up to a linear map, so that different matrices are one law; hold some of them to choose.

    Args:
        model: where to start.
        x: series, (T,) or (T, P); times at which nothing was observed are NaN in all coordinates.
        free: names of what is learnt; the rest is held. The first law is learnt where it is not diffuse.
        steps: the most.
        tolerance: gain of log-likelihood per step at which to stop.

    Raises:
        ValueError: unknown names, matrices that change with time.
        DataError: times observed in part.

    Source: Shumway and Stoffer 1982, doi:10.1111/j.1467-9892.1982.tb00349.x.

    Example:
        >>> import suffice as sf
        >>> truth = sf.StateSpaceModel([[0.8]], [[1.0]], [1.0], 0.5)
        >>> x = truth.sample(400, rng=0)
        >>> start = sf.StateSpaceModel([[0.5]], [[0.5]], [1.0], 1.0)
        >>> learnt = sf.learn_state_space(start, x, free=["transition", "state_covariance", "noise_covariance"])
        >>> learnt.converged, bool((learnt.trace[1:] >= learnt.trace[:-1] - 1e-9).all())
        (True, True)
    """
    wrong = [name for name in free if name not in _LEARNT]
    if wrong:
        raise ValueError(f"free must be among {', '.join(_LEARNT)}, got {wrong[0]!r}")
    if model.observation.ndim == 3:
        raise ValueError("learning needs observation as one matrix (P, D)")
    s = series(x, model.observed)
    partly = np.asarray((s.seen.max(1) > 0) & (s.seen.min(1) == 0))
    if partly.any():
        raise DataError(
            f"learning needs times observed whole or not at all, got a part of time {int(np.argmax(partly))}"
        )
    found, trace, taken, gain = _climb(model, s, tuple(sorted(free)), steps, tolerance)
    return Learnt(found, np.asarray(trace)[: int(taken)], bool(gain <= tolerance))


@partial(jax.jit, static_argnames=("free", "steps"))
def _climb(
    model: StateSpaceModel, s: Series, free: tuple[str, ...], steps: int, tolerance: jax.Array
) -> tuple[StateSpaceModel, jax.Array, jax.Array, jax.Array]:

    def more(state: tuple) -> jax.Array:
        *_, step, gain = state
        return (step <= steps) & ~(gain <= tolerance)

    def climb(state: tuple) -> tuple:
        old, _, trace, step, _ = state
        new, value = _step(old, s, free)  # the value is that of the old
        gain = value - jnp.where(step > 0, trace[jnp.maximum(step - 1, 0)], -jnp.inf)
        return new, old, trace.at[step].set(value), step + 1, jnp.where(step > 0, gain, jnp.inf)

    nothing = jnp.full(steps + 1, jnp.nan), jnp.asarray(0), jnp.asarray(jnp.inf)
    _, best, trace, taken, gain = jax.lax.while_loop(more, climb, (model, model, *nothing))
    return best, trace, taken, gain


def _step(model: StateSpaceModel, s: Series, free: tuple[str, ...]) -> tuple[StateSpaceModel, jax.Array]:
    """One step, and the log-likelihood before it."""
    roots = system(model.matrices())
    found = kalman.run(roots, s.values, s.seen)
    value, start = kalman.log_likelihood(found, s.seen)
    z = smooth.smooth(roots, found, start, *smooth.sequentially(smooth.elements(roots, found, s.seen)))
    here = (jnp.arange(len(s.values)) < s.length).astype(value.dtype)
    seen = s.seen[:, 0]
    learnt = {}
    # moves, less the offset
    after, before, pair = z.mean[1:] - model.state_offset[None], z.mean[:-1], here[1:]
    later = jnp.einsum("t,ti,tj->ij", pair, after, after) + jnp.einsum("t,tij->ij", pair, z.covariance[1:])
    earlier = jnp.einsum("t,ti,tj->ij", pair, before, before) + jnp.einsum("t,tij->ij", pair, z.covariance[:-1])
    both = jnp.einsum("t,ti,tj->ij", pair, after, before) + jnp.einsum("t,tji->ij", pair, z.with_next)
    f = model.transition
    if "transition" in free:
        f = learnt["transition"] = jnp.linalg.solve(earlier, both.T).T
    if "state_covariance" in free:
        rest = later - f @ both.T - both @ f.T + f @ earlier @ f.T
        learnt["state_covariance"] = (rest + rest.T) / (2.0 * pair.sum())
    target = s.values - model.observation_offset[None]
    moments = jnp.einsum("t,ti,tj->ij", seen, z.mean, z.mean) + jnp.einsum("t,tij->ij", seen, z.covariance)
    h = model.observation
    if "observation" in free:
        h = learnt["observation"] = jnp.linalg.solve(moments, jnp.einsum("t,ti,tp->ip", seen, z.mean, target)).T
    if "noise_covariance" in free:
        rest = target - z.mean @ h.T
        spread = jnp.einsum("t,tp,tq->pq", seen, rest, rest) + h @ jnp.einsum("t,tij->ij", seen, z.covariance) @ h.T
        learnt["noise_covariance"] = (spread + spread.T) / (2.0 * seen.sum())
    known = ~np.array(model.diffuse)
    first, away = model.initial_mean, z.mean[0] - model.initial_mean
    if "initial_mean" in free:
        first, away = jnp.where(known, z.mean[0], first), jnp.zeros_like(away)
        learnt["initial_mean"] = first
    if "initial_covariance" in free:
        learnt["initial_covariance"] = (z.covariance[0] + jnp.outer(away, away)) * known[:, None] * known[None]
    return replace(model, **learnt), value
