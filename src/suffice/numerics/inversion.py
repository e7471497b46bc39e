"""Quantiles of integer-valued laws from their tails."""

from collections.abc import Callable

import jax
import jax.numpy as jnp


def smallest_integer(
    reached: Callable[[jax.Array], jax.Array], guess: jax.Array, lower: jax.Array | float
) -> jax.Array:
    """The smallest integer k >= lower for which ``reached(k)``, a predicate that is monotone in k, holds.

    Gallops from the guess with doubling steps until the answer is bracketed, then bisects; a good guess costs three
    evaluations.
    """
    guess = jnp.maximum(jnp.round(guess), lower)
    here = reached(guess)
    # high is always reached, low never; an end not known yet is marked by an open bracket
    low = jnp.where(here, -jnp.inf, guess)
    high = jnp.where(here, guess, jnp.inf)

    def open_bracket(state: tuple[jax.Array, ...]) -> jax.Array:
        low, high, _ = state
        return jnp.any(high - low > 1.0)

    def narrow(state: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        low, high, step = state
        below, above = jnp.isinf(low), jnp.isinf(high)
        middle = jnp.floor((jnp.where(below, 0.0, low) + jnp.where(above, 0.0, high)) / 2.0)
        trial = jnp.where(below, high - step, jnp.where(above, low + step, middle))
        under = trial < lower
        holds = reached(jnp.maximum(trial, lower)) & ~under
        done = high - low <= 1.0
        return (
            jnp.where(done | holds, low, jnp.where(under, lower - 1.0, trial)),
            jnp.where(done | ~holds, high, trial),
            2.0 * step,
        )

    _, high, _ = jax.lax.while_loop(open_bracket, narrow, (low, high, jnp.ones_like(low)))
    return high
