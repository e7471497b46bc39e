"""Variates of any log-concave law of integers."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from suffice.numerics.variates.elementary import bernoulli, exponential, uniform
from suffice.numerics.variates.rejection import accept_reject


def log_concave(
    key: jax.Array,
    log_mass: Callable[..., jax.Array],
    mode: Callable[..., jax.Array],
    shape: tuple[int, ...],
    *parameters: jax.Array,
) -> jax.Array:
    """Variates of a law of integers with P(k)² >= P(k − 1) P(k + 1), as whole floats.

    Args:
        key: a JAX key.
        log_mass: log P(k) of (k, *parameters), −∞ outside the support.
        mode: an integer of largest probability, of parameters.
        shape: of the result.
        parameters: valid, broadcast to `shape`.

    Method: rejection from a plateau with exponential flanks, P(m + k) <= P(m) min(1, exp(1 − P(m) abs(k))) at the mode
    m (Devroye 1987), which holds because the probabilities sum to at most one: four to five proposals a draw.
    """

    def propose(key: jax.Array, shape: tuple[int, ...], *own: jax.Array) -> tuple[jax.Array, jax.Array]:
        peak = jnp.broadcast_to(mode(*own), shape)
        log_top = log_mass(peak, *own)
        top = jnp.exp(log_top)
        plateau = 1.0 + 0.5 * top
        part, place, flank, side, height = jax.random.split(key, 5)
        excess = jnp.where(uniform(part, shape) * (1.0 + plateau) < plateau, 0.0, exponential(flank, shape))
        distance = jnp.where(excess > 0, plateau + excess, plateau * uniform(place, shape)) / top
        k = peak + jnp.where(bernoulli(side, 0.5, shape), 1.0, -1.0) * jnp.round(distance)
        return k, jnp.log(uniform(height, shape)) - excess <= log_mass(k, *own) - log_top

    return accept_reject(key, shape, propose, *parameters)
