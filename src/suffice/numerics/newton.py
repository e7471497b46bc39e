"""Newton's method for smooth log-likelihoods, as two pure functions: a start and an update.

The caller evaluates value, gradient and Hessian where the state asks, in whatever way the data allow: one compiled call,
a loop inside compiled code, or a pass over a file. Written for NumPy and JAX arrays alike (``xp``).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from suffice.numerics import linalg

RUNNING, CONVERGED, AT_LIMIT, STALLED, EXHAUSTED, UNBOUNDED, DEGENERATE, INVALID, UNSOLVED = range(9)

MOST_STEPS = 100
# The decrement per observation is the square of the next step in standard deviations of one observation.
_EXACT = 1e-22  # the Hessian, and so the covariance, is right to ten digits
_NEAR = 1e-14  # reached twice, this is as near as rounding lets us come
_LONGEST = 1.5  # longest first step, in standard deviations of one observation
_SHORTEST = 1e-8


class State(NamedTuple):
    """Where the search stands: the best point with its expansion, the point to look at next, and why it stopped."""

    trial: Any
    point: Any
    value: Any
    gradient: Any
    hessian: Any
    reach: Any
    gain: Any
    near: Any
    iterations: Any
    status: Any


def start(v: Float[Array | np.ndarray, " d"], xp: Any = np) -> State:
    """Begin at the unconstrained point ``v`` of shape (d,)."""
    d = v.shape[0]
    worst, none, zero, no = xp.asarray(-xp.inf), xp.asarray(0.0), xp.asarray(0), xp.asarray(False)
    reach = xp.asarray(_LONGEST / 4.0)  # the first look, better than none at all, makes it four times as long
    return State(v, v, worst, xp.zeros(d), -xp.eye(d), reach, none, no, zero, xp.asarray(RUNNING))


def update(
    state: State,
    value: Any,
    gradient: Float[Array | np.ndarray, " d"],
    hessian: Float[Array | np.ndarray, "d d"],
    count: Any,
    far: Any,
    xp: Any = np,
) -> State:
    """Take in the expansion at ``state.trial`` and choose the next trial.

    A step is accepted if the value did not fall beyond rounding; else it is quartered. Directions in which the function
    curves upwards are walked as if they curved downwards. The first step is no longer than 1.5 standard deviations of
    one observation; whenever a step gains at least half of what the quadratic promised, the next may be four times as
    long. The search ends when the Newton decrement g'(−H)⁻¹g is negligible: the last step is then taken, and its gain,
    half the decrement, added to the value.

    Args:
        count: number of observations, in whose unit steps are measured.
        far: function of a point: whether it lies so far out that the maximum is a limit.
    """
    finite = xp.isfinite(value) & xp.all(xp.isfinite(gradient)) & xp.all(xp.isfinite(hessian))
    slack = 1e-12 * (xp.abs(value) + count)
    accepted = finite & (value >= state.value - xp.where(finite, slack, 0.0))

    def choose(new: Any, old: Any) -> Any:
        return xp.where(accepted, new, old)

    point, best = choose(state.trial, state.point), choose(value, state.value)
    g, h = choose(gradient, state.gradient), choose(hessian, state.hessian)
    size = xp.abs(xp.diagonal(h))
    unit = 1.0 / xp.sqrt(xp.where(size > 0, size, 1.0))  # of each coordinate, so that the data's unit changes nothing
    curvature, directions = linalg.eigh(-h * xp.outer(unit, unit))
    downwards = xp.maximum(xp.abs(curvature), 1e-10 * xp.max(xp.abs(curvature)) + 1e-300)
    along = directions.T @ (unit * g)
    decrement = xp.sum(along**2 / downwards)
    length = xp.sqrt(decrement / count)
    kept = value >= state.value + state.gain / 2.0
    reach = choose(state.reach * xp.where(kept, 4.0, 1.0), xp.minimum(state.reach, length) / 4.0)
    share = reach / xp.maximum(xp.maximum(reach, length), 1e-300)
    step = share * unit * (directions @ (along / downwards))
    near = accepted & xp.all(curvature > 0) & (decrement <= _NEAR * count)
    done = near & ((decrement <= _EXACT * count) | state.near)
    iterations = state.iterations + 1
    status = xp.where(
        done,
        CONVERGED,
        xp.where(
            far(point),
            AT_LIMIT,
            xp.where(reach < _SHORTEST, STALLED, xp.where(iterations >= MOST_STEPS, EXHAUSTED, RUNNING)),
        ),
    )
    return State(
        point + step,
        xp.where(done, point + step, point),
        best + xp.where(done, decrement / 2.0, 0.0),
        g,
        h,
        reach,
        share * (1.0 - share / 2.0) * decrement,
        near,
        iterations,
        status,
    )


def second_order(
    f: Callable[[jax.Array], jax.Array], v: Float[Array, " d"]
) -> tuple[Float[Array, "*n"], Float[Array, "*n d"], Float[Array, "*n d d"]]:
    """Value, gradient and Hessian of a function of few variables, of one or more values, in one pass.

    Forward over forward, along every pair of axes at once: for two or three variables it runs as fast as forward over
    reverse, and it is traced in half the time, which is most of what a user waits for.
    """
    d = v.shape[0]
    rows, columns = np.triu_indices(d)
    axes, place = np.eye(d, dtype=v.dtype), np.zeros((d, d), int)
    place[rows, columns] = place[columns, rows] = np.arange(len(rows))

    def along(a: Any, b: Any) -> tuple[Any, Any, Any]:
        (value, slope), (_, curvature) = jax.jvp(lambda v: jax.jvp(f, (v,), (a,)), (v,), (b,))
        return value, slope, curvature

    value, slopes, curvatures = jax.vmap(along, out_axes=(None, -1, -1))(axes[rows], axes[columns])
    return value, slopes[..., place.diagonal()], curvatures[..., place]


def maximise(
    expand: Callable[[jax.Array], tuple[Any, Any, Any]],
    v: Float[Array, " d"],
    count: Float[Array, ""],
    most: int = MOST_STEPS,
) -> State:
    """Run Newton's method inside compiled code, on a function known by its value, gradient and Hessian at a point.

    ``expand`` appears once in the loop, so it is compiled once.
    """

    def body(state: State) -> State:
        return update(state, *expand(state.trial), count, lambda _: jnp.asarray(False), jnp)

    return jax.lax.while_loop(lambda s: (s.status == RUNNING) & (s.iterations < most), body, start(v, jnp))
