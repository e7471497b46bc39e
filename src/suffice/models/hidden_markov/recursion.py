"""Forward probabilities of a hidden chain, in as many stretches of time as suit the machine, to full precision.

The law of the state at the end of a stretch is that at its start times a matrix, the product of A D_t over its times,
with D_t the likelihoods of the values. Stretches go side by side: first their matrices, then, from the laws at their
starts, the laws within. A chain forgets: the product over the last few times of a stretch has rows that agree to within
rounding, and then earlier times change nothing. So the matrices are built backwards from the ends, until all of them
have forgotten; where they never do, they are those of whole stretches. Either way the result is exact.

Several sequences are one line of times with fresh starts.
"""

import jax
import jax.numpy as jnp

_SHORT = 2**11  # times below which one stretch is fastest
_LOOK = 8  # times between looks at what is forgotten


def stretches(length: int) -> int:
    """The number of stretches, about the square root of the length: a power of two."""
    if length < _SHORT:
        return 1
    most = 2**7 if jax.default_backend() == "cpu" else 2**12
    return min(2 ** (length.bit_length() // 2 - 1), most)


def padded_length(n: int) -> int:
    """A length at least n, of few different ones, divisible by the number of stretches."""
    step = max(2 ** max(n.bit_length() - 4, 0), stretches(n), 8)
    return -(-n // step) * step


def forward(
    log_likelihood: jax.Array, transition: jax.Array, initial: jax.Array, fresh: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Filtered laws and log normalisers.

    a_t ∝ (a_{t−1} A) ∘ b_t, or initial ∘ b_t where t is fresh; the normalisers' sum is the log-likelihood.

    Args:
        log_likelihood: log b_t of each value under each state, (T, K).
        transition: A, (K, K).
        initial: (K,).
        fresh: whether a sequence starts, (T,).

    Returns:
        Laws (T, K) and log normalisers (T,).
    """
    top = log_likelihood.max(1)
    top = jnp.where(jnp.isfinite(top), top, 0.0)
    scaled = log_likelihood - top[:, None]
    laws, sizes = _side_by_side(jnp.exp(scaled), transition, initial, fresh, stretches(len(scaled)))
    # numbers near the smallest have lost digits; then everything is done again with logarithms
    safe = jnp.isfinite(laws).all() & (sizes.min() > jnp.finfo(laws.dtype).tiny / jnp.finfo(laws.dtype).eps ** 2)
    laws, log_sizes = jax.lax.cond(
        safe,
        lambda: (laws, jnp.log(sizes)),
        lambda: _by_logarithms(scaled, transition, initial, fresh),
    )
    return laws, log_sizes + top


def _side_by_side(
    b: jax.Array, transition: jax.Array, initial: jax.Array, fresh: jax.Array, count: int
) -> tuple[jax.Array, jax.Array]:
    times, k = b.shape
    length = times // count
    b = jnp.swapaxes(b.reshape(count, length, k), 0, 1)  # (length, count, K)
    fresh = fresh.reshape(count, length).T
    starts = jnp.full((1, k), 1.0 / k, b.dtype)
    if count > 1:
        across = _matrices(b, transition, initial, fresh)

        def over(law: jax.Array, matrix: jax.Array) -> tuple[jax.Array, jax.Array]:
            new = matrix @ law
            return new / new.sum(), law

        starts = jax.lax.scan(over, starts[0], across)[1]

    def step(law: jax.Array, now: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, tuple]:
        b, new = now
        law = jnp.where(new[:, None], initial[None], law @ transition) * b
        size = law.sum(1)
        law = law / size[:, None]
        return law, (law, size)

    laws, sizes = jax.lax.scan(step, starts, (b, fresh))[1]
    return jnp.swapaxes(laws, 0, 1).reshape(times, k), sizes.T.reshape(times)


def _matrices(b: jax.Array, transition: jax.Array, initial: jax.Array, fresh: jax.Array) -> jax.Array:
    """What a stretch makes of the law before it, up to a factor: (count, K at the end, K before it)."""
    length, count, k = b.shape
    tolerance = 8.0 * jnp.finfo(b.dtype).eps

    def prepend(i: jax.Array, m: jax.Array) -> jax.Array:
        t = length - 1 - i
        m = m * b[t][:, None, :]
        moved = (m.reshape(-1, k) @ transition.T).reshape(m.shape)
        m = jnp.where(fresh[t][:, None, None], (m @ initial)[..., None], moved)
        return m / m.max((1, 2), keepdims=True)

    def forgotten(m: jax.Array) -> jax.Array:
        total = m.sum(1, keepdims=True)
        law = m / jnp.where(total > 0, total, 1.0)
        highest = jnp.where(total > 0, law, -jnp.inf).max(2)
        lowest = jnp.where(total > 0, law, jnp.inf).min(2)
        return (highest - lowest).max() <= tolerance

    def more(state: tuple[jax.Array, jax.Array]) -> jax.Array:
        return (state[0] < length) & ~forgotten(state[1])

    def grow(state: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        until = jnp.minimum(state[0] + _LOOK, length)
        return until, jax.lax.fori_loop(state[0], until, prepend, state[1])

    nothing = jnp.broadcast_to(jnp.eye(k, dtype=b.dtype), (count, k, k))
    return jax.lax.while_loop(more, grow, (jnp.asarray(0), nothing))[1]


def _by_logarithms(
    log_b: jax.Array, transition: jax.Array, initial: jax.Array, fresh: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The same one time after the other, where probabilities are too small for numbers."""
    log_transition, log_initial = jnp.log(transition), jnp.log(initial)

    def step(law: jax.Array, now: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, tuple]:
        b, new = now
        ahead = jax.nn.logsumexp(law[:, None] + log_transition, axis=0)
        law = jnp.where(new, log_initial, ahead) + b
        size = jax.nn.logsumexp(law)
        law = law - jnp.where(jnp.isfinite(size), size, 0.0)
        return law, (jnp.exp(law), size)

    return jax.lax.scan(step, log_initial, (log_b, fresh))[1]


def backward(log_likelihood: jax.Array, transition: jax.Array, fresh: jax.Array) -> tuple[jax.Array, jax.Array]:
    """What the values from each time on say of the state there, and those after it, each up to a factor.

    g_t ∝ b_t ∘ A g_{t+1} is the forward recursion in reversed time; β_t = A g_{t+1}, and 1 where a sequence ends.
    """
    k = log_likelihood.shape[1]
    last = jnp.concatenate([fresh[1:], jnp.ones(1, bool)])
    ones = jnp.ones(k, log_likelihood.dtype)
    here = forward(log_likelihood[::-1], transition.T, ones, last[::-1])[0][::-1]
    after = jnp.concatenate([here[1:], here[:1]]) @ transition.T
    return here, jnp.where(last[:, None], 1.0, after)
