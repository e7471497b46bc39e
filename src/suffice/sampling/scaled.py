"""Kernels with a step size and a scale: what warm-up tunes, and how a scale acts.

The scale is a root of the inverse mass matrix, so an estimate of the target's standard deviations: a number, a vector
(d,) of one for each coordinate, or a lower triangular factor (d, d) of a covariance. Momenta are those of the target scaled by
it, standard normal: then no mass matrix is ever inverted.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Self

import jax
import jax.numpy as jnp

from suffice.sampling.kernel import Kernel, LogDensity, State, positive_setting, setting


def apply(scale: Any, r: jax.Array) -> jax.Array:
    """S r."""
    return scale @ r if scale.ndim == 2 else scale * r


def pull(scale: Any, g: jax.Array) -> jax.Array:
    """Sᵀ g."""
    return g @ scale if scale.ndim == 2 else scale * g


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Scaled(Kernel):
    """Settings that warm-up tunes.

    Attributes:
        step_size: of one step in units of the scale, > 0; None: found by warm-up.
        scale: a number, (d,) or lower triangular (d, d); None: found by warm-up.
        metric: what warm-up makes of the scale: "diagonal", "dense", or "unit" to leave it alone.
    """

    step_size: Any = None
    scale: Any = None
    metric: str = setting("diagonal")
    tuned: tuple[str, ...] | None = field(default=None, kw_only=True, repr=False, metadata={"static": True})

    def __post_init__(self) -> None:
        if self.metric not in ("diagonal", "dense", "unit"):
            raise ValueError(f"metric must be diagonal, dense or unit, got {self.metric!r}")
        positive_setting("step_size", self.step_size)
        positive_setting("scale", self.scale)

    def started(self, v: jax.Array) -> Self:
        d, free = v.shape[0], self.tuned
        if free is None:
            free = tuple(name for name in ("step_size", "scale") if getattr(self, name) is None)
        step = self._first_step(d) if self.step_size is None else self.step_size
        return replace(self, step_size=jnp.asarray(step, v.dtype), scale=self._formed(v, d), tuned=free)

    def _formed(self, v: jax.Array, d: int) -> jax.Array:
        """The scale as a vector (d,) or, for a dense metric, a matrix."""
        scale = jnp.asarray(1.0 if self.scale is None else self.scale, v.dtype)
        if scale.shape not in ((), (d,), (d, d)):
            raise ValueError(f"scale must be a number or have shape ({d},) or ({d}, {d}), got {scale.shape}")
        if scale.ndim == 2 and self.metric == "diagonal":
            raise ValueError('a scale that is a matrix needs metric="dense", or "unit" to leave it alone')
        if scale.ndim == 2:
            return scale
        scale = jnp.broadcast_to(scale, (d,))
        return jnp.diag(scale) if self.metric == "dense" else scale

    def _first_step(self, d: int) -> float:
        return 0.5 * d**-0.25


class WithGradient(Scaled):
    """Kernels whose state holds the gradient."""

    uses_gradient = True

    def _init(self, f: LogDensity, v: jax.Array) -> State:
        return State(v, *jax.value_and_grad(f)(v))


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class WithTrajectory(WithGradient):
    """Kernels that walk trajectories, with the acceptance that warm-up seeks as a setting."""

    target_acceptance: float = field(default=0.8, kw_only=True, metadata={"static": True})

    @property
    def aim(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]  a setting here, a constant elsewhere
        return self.target_acceptance

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.target_acceptance < 1:
            raise ValueError(f"target_acceptance must be in (0, 1), got {self.target_acceptance}")
