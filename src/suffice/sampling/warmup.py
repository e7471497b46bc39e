"""Warm-up: the step size by dual averaging, the scale from draws and gradients in windows that grow."""

from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from suffice.sampling.kernel import Info, Kernel, State, choose
from suffice.sampling.scaled import Scaled

_FIRST_WINDOW, _GROWTH = 10.0, 1.5
_LAST_SHARE = 0.12  # of warm-up, in which the scale stays as it is and the step size is found for it
_REACH = 10.0  # times its first step size: where dual averaging looks first
_REACH_AGAIN = 2.0  # the same in the last stretch, which may be short, and begins with a step size that is known
_SHRINKAGE, _OFFSET, _FORGETTING = 0.05, 10.0, 0.75  # γ, t₀ and κ of dual averaging


class Averages(NamedTuple):
    """Dual averaging of log step size: Hoffman and Gelman (2014), section 3.2.1."""

    centre: Any
    error: Any
    mean: Any
    count: Any

    @classmethod
    def around(cls, step_size: jax.Array, reach: float = _REACH) -> "Averages":
        """From a step size, drawn towards ``reach`` times it: a stretch that ends soon stays where that pulls it."""
        zero = jnp.zeros_like(step_size)
        return cls(jnp.log(reach * step_size), zero, jnp.log(step_size), zero)

    def told(self, miss: jax.Array) -> tuple["Averages", jax.Array]:
        """Take in by how much the acceptance missed its aim; also the next log step size."""
        t = self.count + 1.0
        share = 1.0 / (t + _OFFSET)
        error = (1.0 - share) * self.error + share * miss
        now = self.centre - jnp.sqrt(t) / _SHRINKAGE * error
        weight = t**-_FORGETTING
        return Averages(self.centre, error, weight * now + (1.0 - weight) * self.mean, t), now


class Spread(NamedTuple):
    """Number, mean and squared deviations of vectors seen one by one: (d,), or (d, d) products of them."""

    count: Any
    mean: Any
    squares: Any

    @classmethod
    def none(cls, v: jax.Array, dense: bool) -> "Spread":
        return cls(jnp.zeros((), v.dtype), jnp.zeros_like(v), jnp.zeros((v.shape[0],) * (2 if dense else 1), v.dtype))

    def seen(self, x: jax.Array) -> "Spread":
        count = self.count + 1.0
        step = x - self.mean
        mean = self.mean + step / count
        rest = x - mean
        more = step[:, None] * rest[None] if self.squares.ndim == 2 else step * rest
        return Spread(count, mean, self.squares + more)

    def variance(self) -> jax.Array:
        return self.squares / jnp.maximum(self.count - 1.0, 1.0)


class Tuning(NamedTuple):
    """What warm-up knows: of draws and gradients two windows each, the one in use and the one that will replace it."""

    averages: Averages
    draws: tuple[Spread, Spread]
    gradients: tuple[Spread, Spread]
    window: Any


def begun(kernel: Kernel, state: State) -> Any:
    """Tuning of a kernel at the start of a chain; () for kernels without tuned numbers."""
    if kernel.composite:
        return {name: begun(part, inner) for name, (part, inner, *_) in kernel.parts(state).items()}
    if not isinstance(kernel, Scaled):
        return ()
    v, dense = state.position.reshape(-1), kernel.metric == "dense"
    none, flat = Spread.none(v, dense), Spread.none(v, False)
    averages = Averages.around(jnp.asarray(kernel.step_size, v.dtype))
    return Tuning(averages, (none, none), (flat, flat), jnp.asarray(_FIRST_WINDOW, v.dtype))


def first_scale(kernel: Kernel, state: State) -> Kernel:
    """A diagonal scale from the gradient at the start: |g|^(−1/2), which is right where coordinates are of unlike size."""
    if not (isinstance(kernel, Scaled) and kernel.uses_gradient and kernel.metric == "diagonal"):
        return kernel
    if "scale" not in (kernel.tuned or ()):
        return kernel
    size = jnp.abs(state.gradient)
    usable = jnp.isfinite(size) & (size > 0.0)
    return replace(kernel, scale=jnp.where(usable, jnp.clip(size, 1e-10, 1e10) ** -0.5, 1.0))


def update(
    kernel: Kernel, tuning: Any, state: State, info: Info, i: jax.Array, total: jax.Array, moved: Any = True
) -> tuple[Kernel, Any]:
    """Settings and tuning after step i of a warm-up of ``total`` steps; without ``moved`` only the step counts, not what it told."""
    if kernel.composite:
        found = {
            name: update(part, tuning[name], _flat(inner), told, i, total, moved)
            for name, (part, inner, told, moved) in kernel.parts(state).items()
        }
        return kernel.with_kernels({name: k for name, (k, _) in found.items()}), {n: t for n, (_, t) in found.items()}
    if not isinstance(kernel, Scaled):
        return kernel, tuning
    last = i >= total - jnp.ceil(_LAST_SHARE * total)
    tuned = kernel.tuned or ()
    if kernel.metric == "unit" or "scale" not in tuned:
        scale, draws, gradients, window = kernel.scale, tuning.draws, tuning.gradients, tuning.window
    else:
        before = kernel.scale, tuning.draws, tuning.gradients, tuning.window
        scale, draws, gradients, window = choose(moved, _learned(kernel, tuning, state, last), before)
    if kernel.aim is None or "step_size" not in tuned:
        return replace(kernel, scale=scale), Tuning(tuning.averages, draws, gradients, window)
    before = tuning.averages, jnp.log(kernel.step_size)
    averages, log_step = choose(moved, tuning.averages.told(kernel.aim - info.acceptance), before)
    again = Averages.around(jnp.exp(averages.mean), _REACH_AGAIN)
    begins = i + 1 == total - jnp.ceil(_LAST_SHARE * total)
    averages = jax.tree.map(lambda a, b: jnp.where(begins, a, b), again, averages)
    log_step = jnp.where(i + 1 >= total, averages.mean, jnp.where(begins, averages.mean, log_step))
    step_size = jnp.exp(log_step).astype(state.position.dtype)
    return replace(kernel, step_size=step_size, scale=scale), Tuning(averages, draws, gradients, window)


def _flat(state: State) -> State:
    return state._replace(position=state.position.reshape(-1), gradient=jax.tree.map(jnp.ravel, state.gradient))


def _learned(kernel: Scaled, tuning: Tuning, state: State, last: jax.Array) -> tuple[Any, Any, Any, Any]:
    """The scale after one more draw, and the windows; in the last stretch nothing changes.

    Diagonal: inverse mass √(variance of draws / variance of gradients), of the window in use, after each draw; it minimises
    the Fisher divergence of the scaled target from a standard normal (Seyboldt, Carlson and Carpenter 2026).
    """
    gradient = state.gradient if kernel.uses_gradient else jnp.zeros_like(state.position)
    (used, next_used), (slopes, next_slopes) = tuning.draws, tuning.gradients
    used, next_used = used.seen(state.position), next_used.seen(state.position)
    slopes, next_slopes = slopes.seen(gradient), next_slopes.seen(gradient)
    full = next_used.count >= tuning.window

    def swapped(now: Spread, then: Spread) -> tuple[Spread, Spread]:
        empty = jax.tree.map(jnp.zeros_like, then)
        return tuple(jax.tree.map(lambda a, b: jnp.where(full, a, b), x, y) for x, y in ((then, now), (empty, then)))  # type: ignore[return-value]

    draws, gradients = swapped(used, next_used), swapped(slopes, next_slopes)
    window = jnp.where(full, jnp.ceil(_GROWTH * tuning.window), tuning.window)
    if kernel.metric == "dense":
        scale = jax.lax.cond(full, lambda: _factor(draws[0], kernel.scale), lambda: kernel.scale)
    else:
        scale = _diagonal(draws[0], gradients[0] if kernel.uses_gradient else None, kernel.scale)

    def keep(old: Any, new: Any) -> Any:
        return jax.tree.map(lambda a, b: jnp.where(last, a, b), old, new)

    return (
        jnp.where(last | (draws[0].count < 3.0), kernel.scale, scale),
        keep(tuning.draws, draws),
        keep(tuning.gradients, gradients),
        jnp.where(last, tuning.window, window),
    )


def _diagonal(draws: Spread, gradients: Spread | None, before: jax.Array) -> jax.Array:
    scale = jnp.sqrt(draws.variance())
    if gradients is not None:
        scale = jnp.sqrt(scale / jnp.sqrt(gradients.variance()))
    usable = jnp.isfinite(scale) & (scale > 0.0)
    return jnp.where(usable, jnp.clip(scale, 1e-10, 1e10), before)


def _factor(draws: Spread, before: jax.Array) -> jax.Array:
    """Cholesky factor of the covariance, drawn towards its diagonal by the weight of d/2 + 5 observations."""
    n, d = draws.count, draws.mean.shape[0]
    covariance = draws.variance()
    diagonal = jnp.diagonal(covariance)
    share = n / (n + 0.5 * d + 5.0)
    shrunk = share * covariance + (1.0 - share) * jnp.diag(diagonal)
    factor = jnp.linalg.cholesky(shrunk)
    return jnp.where(jnp.all(jnp.isfinite(factor)) & jnp.all(diagonal > 0.0), factor, before)
