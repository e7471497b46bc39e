"""The one solver of all methods: a member is chosen so that equations hold, or so that a function of it is largest."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.family import Family
from suffice.inference.likelihood import inverse, reported_jacobian
from suffice.inference.result import Fit
from suffice.numerics import newton
from suffice.numerics.newton import CONVERGED, UNSOLVED, second_order
from suffice.runtime.errors import DataError

_SOLVED = 1e-8  # largest square of what is left of as many equations as parameters, each of them without unit
_SHIFT = 2.0  # how far a second start is from the first, in an unconstrained coordinate


@dataclass(frozen=True)
class Method:
    """What is asked of a member p by a sorted sample x with frequencies w: one of two functions of (p, x, w, *given).

    Attributes:
        name: as ``fit`` knows it.
        equations: what should vanish, (m,), without unit; the sum of its squares is made small.
        objective: what should be large.
        given: further arguments of either, hashable.
        efficient: whether the curvature of the objective is the information of the sample, as for a likelihood.
    """

    name: str
    equations: Callable[..., jax.Array] | None = None
    objective: Callable[..., jax.Array] | None = None
    given: tuple[Any, ...] = ()
    efficient: bool = False


def ordered(x: jax.Array, w: jax.Array) -> tuple[jax.Array, jax.Array]:
    """A sample in ascending order, what has weight 0 at its end as copies of the largest value."""
    x = jnp.where(w > 0.0, x, jnp.inf)
    order = jnp.argsort(x)
    largest = jnp.where(w > 0.0, x, -jnp.inf).max()
    return jnp.minimum(x[order], largest), w[order]


def fit_by(family: Family, method: Method, begin: Any, x: jax.Array, w: jax.Array) -> Fit:
    """The member that a method chooses, inside compiled code or out of it, from one start."""
    return _fit(family, family.vector(begin), x, w, method)


def fit_from_several(family: Family, method: Method, begin: Any, x: np.ndarray, w: np.ndarray) -> Fit:
    """The same, from one start after another until a search converges; DataError where it ends outside the family."""
    v = family.vector(begin, np)
    shifts = _SHIFT * np.concatenate([np.zeros((1, len(v))), np.eye(len(v)), -np.eye(len(v))])
    first, *others = (partial(_fit, family, v + shift, x, w, method) for shift in shifts)
    fit = first()
    while others and not fit.converged:
        again = others.pop(0)()
        fit = again if again.converged else fit
    if not np.all(np.asarray(fit.distribution._valid())):
        raise DataError(f"{family.name} cannot be fitted by {method.name}: the search leaves the family")
    return fit


@partial(jax.jit, static_argnames="method")
def _fit(family: Family, v: jax.Array, x: jax.Array, w: jax.Array, method: Method) -> Fit:
    x, w = ordered(x, w)
    if method.equations is not None:
        state, spread = _solve_equations(family, v, x, w, method)
    else:
        state, spread = _maximise(family, v, x, w, method)
    p = family.build(state.point)
    jacobian = reported_jacobian(family, state.point)
    spread = jnp.where(state.status == CONVERGED, jacobian @ spread @ jacobian.T, jnp.nan)
    value = w @ jnp.where(w > 0.0, p.log_prob(x), 0.0)
    ended = state.status, state.iterations
    return Fit(replace(family, member=p), p, spread, value, w.sum(), *ended, None, method.name, -state.value)


def _along_axes(f: Callable[[jax.Array], jax.Array], v: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Values of a function and its Jacobian, in one pass."""
    return jax.vmap(lambda axis: jax.jvp(f, (v,), (axis,)), out_axes=(None, -1))(jnp.eye(v.shape[0], dtype=v.dtype))


def gauss_newton(residuals: Callable[[jax.Array], jax.Array], v: jax.Array, count: jax.Array) -> newton.State:
    """Minimise a sum of squares; UNSOLVED where there are as many residuals as unknowns and they do not vanish."""

    def expand(v: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        r, jacobian = _along_axes(residuals, v)
        return -0.5 * count * (r @ r), -count * (jacobian.T @ r), -count * (jacobian.T @ jacobian)

    state = newton.maximise(expand, v, count)
    left = jnp.maximum(-2.0 * state.value / count, 0.0)
    exact = jax.eval_shape(residuals, v).shape == v.shape
    missed = exact & (state.status == CONVERGED) & (left > _SOLVED)
    return state._replace(value=-left, status=jnp.where(missed, UNSOLVED, state.status))


def sandwich(bread: Any, moved: jax.Array, w: jax.Array) -> jax.Array:
    """B (Σ w_i g_i g_iᵀ) Bᵀ with g_i the columns of ``moved``."""
    steps = jnp.asarray(bread) @ moved
    return jnp.einsum("in,n,jn->ij", steps, w, steps)


def _solve_equations(
    family: Family, v: jax.Array, x: jax.Array, w: jax.Array, method: Method
) -> tuple[newton.State, jax.Array]:
    """The sandwich is that of the delta method: how the equations move with each frequency, brought to v by their slope."""

    def residuals(v: jax.Array, w: jax.Array) -> jax.Array:
        return method.equations(family.build(v), x, w, *method.given)  # type: ignore[misc]

    state = gauss_newton(lambda v: residuals(v, w), v, w.sum())
    _, slope = _along_axes(lambda v: residuals(v, w), state.point)
    moved = jax.jacrev(residuals, 1)(state.point, w)
    bread = inverse(slope.T @ slope) @ slope.T
    return state, sandwich(bread, moved, w)


def _maximise(
    family: Family, v: jax.Array, x: jax.Array, w: jax.Array, method: Method
) -> tuple[newton.State, jax.Array]:
    """The sandwich is the infinitesimal jackknife's: how the gradient moves with each frequency, brought to v by the Hessian."""

    def objective(v: jax.Array, w: jax.Array) -> jax.Array:
        return method.objective(family.build(v), x, w, *method.given)  # type: ignore[misc]

    state = newton.maximise(lambda v: second_order(lambda v: objective(v, w), v), v, w.sum())
    if method.efficient:
        return state, jnp.asarray(inverse(-state.hessian)) * (1.0 if family.regular else jnp.nan)
    _, moved = _along_axes(lambda v: jax.grad(objective, 1)(v, w), state.point)
    bread = inverse(-state.hessian)
    return state, sandwich(bread, moved.T, w)
