"""Random words: those of `jax.random.bits`, several times faster on a CPU.

JAX rolls the twenty rounds of its generator into a loop that goes to memory after every fourth. Written out they are
one kernel, which the compiler fuses with whatever consumes the words.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

_ROTATIONS = (13, 15, 26, 6), (17, 29, 16, 24)
_PARITY = np.uint32(0x1BD11BDA)
_LONGEST = 1 << 32  # positions are counted by one 32-bit word


def bits(key: jax.Array, shape: tuple[int, ...], word: DTypeLike) -> jax.Array:
    """Uniform words of type uint32 or uint64, the same as `jax.random.bits(key, shape, word)`."""
    key = key if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) else jax.random.wrap_key_data(key)
    n = math.prod(shape)
    usual = str(jax.random.key_impl(key)) == "threefry2x32" and jax.config.jax_threefry_partitionable
    if not usual or n > _LONGEST:
        return jax.random.bits(key, shape, word)
    first, second = jax.random.key_data(key)  # of one key: batches are for vmap
    position = jax.lax.iota(jnp.uint32, n).reshape(shape)
    high, low = _threefry(first, second, jnp.zeros_like(position), position)
    words = high ^ low if jnp.dtype(word) == jnp.uint32 else (high.astype(word) << 32) | low.astype(word)
    return jax.lax.optimization_barrier(words)  # whoever uses them twice must not compute them twice


def _threefry(first: jax.Array, second: jax.Array, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Threefry-2x32 with 20 rounds (Salmon et al. 2011, doi:10.1145/2063384.2063405): a bijection of 64-bit words."""
    schedule = first, second, first ^ second ^ _PARITY
    x, y = x + first, y + second
    for group in range(5):
        for distance in _ROTATIONS[group % 2]:
            x = x + y
            y = ((y << distance) | (y >> (32 - distance))) ^ x
        x = x + schedule[(group + 1) % 3]
        y = y + schedule[(group + 2) % 3] + np.uint32(group + 1)
    return x, y


def word(key: jax.Array, i: jax.Array, word: DTypeLike) -> jax.Array:
    """The i-th word of a key by itself, i a traced 32-bit count; those of `bits` are others."""
    first, second = jax.random.key_data(key)
    high, low = _threefry(first, second, jnp.uint32(0xFFFFFFFF), jnp.asarray(i).astype(jnp.uint32))
    return high ^ low if jnp.dtype(word) == jnp.uint32 else (high.astype(word) << 32) | low.astype(word)
