"""Paths of the hidden chain: the most probable one, and draws."""

import jax
import jax.numpy as jnp


def viterbi(
    log_likelihood: jax.Array, transition: jax.Array, initial: jax.Array, fresh: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The path of highest probability, (T,), and the log-probability of it and the values."""
    log_transition, log_initial = jnp.log(transition), jnp.log(initial)
    k = len(initial)

    def step(best: jax.Array, now: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        b, new = now
        each = best[:, None] + log_transition
        before = jnp.where(new, jnp.argmax(best), jnp.argmax(each, axis=0))
        ahead = jnp.where(new, best.max() + log_initial, each.max(0))
        return ahead + b, before

    best, before = jax.lax.scan(step, jnp.zeros(k, log_likelihood.dtype), (log_likelihood, fresh))
    last = jnp.argmax(best)

    def back(state: jax.Array, before: jax.Array) -> tuple[jax.Array, jax.Array]:
        return before[state], state

    return jax.lax.scan(back, last, before, reverse=True)[1], best.max()


def draw(key: jax.Array, laws: jax.Array, transition: jax.Array, fresh: jax.Array) -> jax.Array:
    """One draw of the path given all values, from the filtered laws, (T,)."""
    times, k = laws.shape
    last = jnp.concatenate([fresh[1:], jnp.ones(1, bool)])
    uniform = jax.random.uniform(key, (times,), laws.dtype)

    def step(after: jax.Array, now: tuple[jax.Array, ...]) -> tuple[jax.Array, jax.Array]:
        law, u, end = now
        weight = jnp.cumsum(law * jnp.where(end, 1.0, transition[:, after]))
        state = jnp.clip((weight <= u * weight[-1]).sum(), 0, k - 1)
        return state, state

    return jax.lax.scan(step, jnp.asarray(0), (laws, uniform, last), reverse=True)[1]
