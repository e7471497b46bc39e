"""Pairs of normal variates by Marsaglia's polar form of Box and Muller's method."""

import functools

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from suffice.numerics.variates.elementary import uniform
from suffice.numerics.variates.rejection import accept_reject


@functools.partial(jax.jit, static_argnames=("shape", "dtype"))
def polar_normal(key: jax.Array, shape: tuple[int, ...] = (), dtype: DTypeLike = float) -> jax.Array:
    """Pairs of independent standard normal variates, of shape ``(*shape, 2)``.

    A point uniform in the unit disc, r² the square of its distance from the centre: it is scaled by √(−2 log r²)/r
    (Box and Muller 1958; Marsaglia and Bray 1964; Bishop, section 11.1.1). ``normal`` is faster.
    """
    dtype = jnp.dtype(jax.dtypes.canonicalize_dtype(dtype))

    def propose(key: jax.Array, shape: tuple[int, ...]) -> tuple[jax.Array, jax.Array]:
        first, second = jax.random.split(key)
        x, y = (2.0 * uniform(k, shape, dtype) - 1.0 for k in (first, second))
        return jax.lax.complex(x, y), (x * x + y * y < 1.0) & ((x != 0.0) | (y != 0.0))

    z = accept_reject(key, shape, propose)
    square = jnp.square(z.real) + jnp.square(z.imag)
    return jnp.stack([z.real, z.imag], axis=-1) * jnp.sqrt(-2.0 * jnp.log(square) / square)[..., None]
