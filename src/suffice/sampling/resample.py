"""Resampling: weighted draws become draws of equal weight."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.checks import is_traced
from suffice.numerics.variates import uniform
from suffice.runtime.rng import RNG, as_key

SCHEMES = ("multinomial", "stratified", "systematic", "residual")


def resample(log_weights: Any, n: int | None = None, *, rng: RNG, scheme: str = "systematic") -> jax.Array:
    """Indices of n draws, of which i is expected n w_i times, w the normalised weights.

    "multinomial": independent; "stratified": one uniform in each of n equal cells; "systematic": one uniform for all
    cells; "residual": ⌊n w_i⌋ copies for certain, the rest multinomial. All but the first have less variance; systematic
    takes each index ⌊n w_i⌋ or ⌈n w_i⌉ times.

    Args:
        log_weights: logarithms but for a constant, (m,); −∞ is never taken.
        n: how many; m by default.

    Returns:
        Indices in ascending order but for "multinomial" and "residual", (n,).

    Raises:
        ValueError: no weight is positive, one is NaN or infinite. Traced: indices −1.

    Source: Douc, Cappé and Moulines (2005); Bishop, section 11.1.5.

    Example:
        >>> import numpy as np, suffice as sf
        >>> sf.resample(np.log([0.5, 0.25, 0.25]), 4, rng=0).tolist()
        [0, 0, 1, 2]
    """
    if scheme not in SCHEMES:
        raise ValueError(f"scheme must be one of {', '.join(SCHEMES)}, got {scheme!r}")
    if not is_traced(log_weights):
        values = np.asarray(log_weights, float)
        if values.ndim != 1 or not len(values):
            raise ValueError(f"log_weights must be a vector, got shape {values.shape}")
        if np.isnan(values).any() or not np.isfinite(values.max()):
            raise ValueError(
                f"log_weights must be below infinity and one above −infinity, got a largest of {values.max():g}"
            )
    log_weights = jnp.asarray(log_weights)
    count = log_weights.shape[0] if n is None else n
    if count < 0:
        raise ValueError(f"n must be at least 0, got {count}")
    return _indices(as_key(rng), log_weights.astype(jnp.result_type(float, log_weights)), count, scheme)


@functools.partial(jax.jit, static_argnums=(2, 3))
def _indices(key: jax.Array, log_weights: jax.Array, n: int, scheme: str) -> jax.Array:
    top = jnp.max(log_weights)
    weights = jnp.exp(log_weights - top)
    weights = weights / jnp.sum(weights)
    last = jnp.max(jnp.where(weights > 0, jnp.arange(weights.shape[0]), 0))

    def take(weights: jax.Array, u: jax.Array) -> jax.Array:
        sums = jnp.cumsum(weights)
        return jnp.minimum(jnp.searchsorted(sums, u * sums[-1], side="right"), last)

    if scheme == "multinomial":
        index = take(weights, uniform(key, (n,), weights.dtype))
    elif scheme == "residual":
        expected = n * weights
        # a product that is an integer but for rounding counts as that
        copies = jnp.floor(expected + 1e-9 * jnp.maximum(expected, 1.0))
        rest = jnp.maximum(expected - copies, 0.0)
        some = jnp.sum(rest) > 0
        drawn = take(jnp.where(some, rest, weights), uniform(key, (n,), weights.dtype))
        copies = copies.astype(jnp.int32)
        certain = jnp.repeat(jnp.arange(weights.shape[0]), copies, total_repeat_length=n)
        index = jnp.where(jnp.arange(n) < jnp.sum(copies), certain, drawn)
    else:
        u = uniform(key, (n,) if scheme == "stratified" else (1,), weights.dtype)
        index = take(weights, (jnp.arange(n) + u) / max(n, 1))
    return jnp.where(jnp.isfinite(top), index, -1)
