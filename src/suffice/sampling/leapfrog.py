"""Hamilton's equations in discrete time, for momenta that are standard normal in units of the scale."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from suffice.sampling.scaled import apply, pull

DIVERGENT = 1000.0  # an energy error from which no trajectory comes back


class Phase(NamedTuple):
    """A point of phase space: position and momentum (d,), log-density and its gradient there."""

    position: Any
    momentum: Any
    log_density: Any
    gradient: Any


def leapfrog(value_and_grad: Callable[[Any], Any], scale: Any, step_size: Any, at: Phase) -> Phase:
    """One step: half a kick, a drift, half a kick; reversible, volume-preserving, with an energy error O(step_size²).

    r ← r + ε/2 Sᵀ∇, z ← z + ε S r, r ← r + ε/2 Sᵀ∇: Bishop (2006), equations 11.64 to 11.66, in units of the scale S.
    """
    momentum = at.momentum + 0.5 * step_size * pull(scale, at.gradient)
    position = at.position + step_size * apply(scale, momentum)
    value, gradient = value_and_grad(position)
    return Phase(position, momentum + 0.5 * step_size * pull(scale, gradient), value, gradient)


def energy(at: Phase) -> jax.Array:
    """H = −log p(z) + r·r/2; infinite where it is no number."""
    h = 0.5 * (at.momentum**2).sum() - at.log_density
    return jnp.where(jnp.isnan(h), jnp.inf, h)
