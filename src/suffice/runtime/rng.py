"""One meaning of ``rng=`` everywhere: an int, a NumPy generator or a JAX key becomes a JAX key."""

import jax
import jax.numpy as jnp
import numpy as np

RNG = int | np.integer | np.random.Generator | jax.Array


def as_key(rng: RNG) -> jax.Array:
    """Return a typed JAX key.

    An int is a key: two calls with ``rng=0`` give the same draws. A ``numpy.random.Generator`` yields one 64-bit
    word and advances. A JAX key (typed, or two raw 32-bit words) is used as it is; traced code takes keys only.

    Raises:
        TypeError: ``rng`` is none of these.
    """
    if isinstance(rng, np.random.Generator):
        rng = int(rng.integers(0, 2**63, dtype=np.int64))
    if isinstance(rng, bool):
        raise TypeError("rng must be an int, a numpy.random.Generator or a JAX key, got a bool")
    if isinstance(rng, int | np.integer):
        if not -(2**63) <= rng < 2**63:
            raise ValueError(f"rng must be an int of at most 64 bits, got {rng}")
        return jax.random.key(int(rng))
    if isinstance(rng, jax.Array):
        if jnp.issubdtype(rng.dtype, jax.dtypes.prng_key) and rng.shape == ():
            return rng
        if rng.shape == (2,) and rng.dtype == jnp.uint32:
            return jax.random.wrap_key_data(rng)
    raise TypeError(f"rng must be an int, a numpy.random.Generator or a JAX key, got {type(rng).__name__}")
