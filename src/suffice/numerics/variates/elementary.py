"""Uniform, exponential and normal variates whose tails end where the random bits end, not where the mantissa does."""

import functools

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike, DTypeLike

from suffice.numerics.variates.bits import bits, word


def word_type(dtype: DTypeLike) -> tuple[DTypeLike, int, int]:
    """(unsigned type as wide as the float type, its bits, the float's mantissa bits)."""
    info = jnp.finfo(dtype)
    if info.bits not in (32, 64):
        raise ValueError(f"dtype must be float32 or float64, got {jnp.dtype(dtype)}")
    return jnp.dtype(f"uint{info.bits}"), info.bits, info.nmant


def unit(words: jax.Array, dtype: DTypeLike) -> jax.Array:
    """(word + ½)/2ʷ for words of w bits, rounded to a float in (0, 1): 2⁻ʷ⁻¹ is the smallest, 1 never occurs.

    The leading bits become a mantissa by bit pattern, the others are added: vector units lack the direct conversion.
    """
    word, width, mantissa = word_type(dtype)
    rest = width - mantissa
    one = jax.lax.bitcast_convert_type(jnp.ones((), dtype), word)
    high = jax.lax.bitcast_convert_type((words >> rest) | one, dtype) - 1
    low = (words & ((1 << rest) - 1)).astype(jnp.int32).astype(dtype) + 0.5
    return jnp.minimum(high + low * 2.0**-width, 1 - 2.0 ** -(mantissa + 1))


@functools.partial(jax.jit, static_argnames=("shape", "dtype"))
def uniform(key: jax.Array, shape: tuple[int, ...] = (), dtype: DTypeLike = float) -> jax.Array:
    """Uniform variates strictly inside (0, 1), with the resolution of all their bits near 0.

    The smallest is 2⁻⁶⁵ (float32: 2⁻³³), the largest the float before 1. So a quantile function applied to them has a
    lower tail that ends beyond any number of draws; for both tails see `two_tailed`.
    """
    dtype = jnp.dtype(jax.dtypes.canonicalize_dtype(dtype))
    return unit(bits(key, shape, word_type(dtype)[0]), dtype)


def uniform_at(key: jax.Array, i: jax.Array, dtype: DTypeLike) -> jax.Array:
    """The i-th of a stream of uniform variates, i a traced count: for loops that need one number at a time."""
    return unit(word(key, i, word_type(dtype)[0]), dtype)


def two_tailed(key: jax.Array, shape: tuple[int, ...], dtype: DTypeLike) -> tuple[jax.Array, jax.Array]:
    """(w, upper): half a uniform variate, 0 < w < ½, and a fair coin; 1 − w where upper, else w, is uniform."""
    word, width, _ = word_type(dtype)
    words = bits(key, shape, word)
    return unit(words << 1, dtype) / 2, (words >> (width - 1)) == 1


@functools.partial(jax.jit, static_argnames=("shape", "dtype"))
def exponential(key: jax.Array, shape: tuple[int, ...] = (), dtype: DTypeLike = float) -> jax.Array:
    """Standard exponential variates by inversion, from 2⁻⁵³ to 45 (float32: from 2⁻³³ to 23)."""
    dtype = jnp.dtype(jax.dtypes.canonicalize_dtype(dtype))
    if dtype == jnp.float64:  # 2⁻⁵³ is near enough to 0
        return -jnp.log(uniform(key, shape, dtype))
    w, upper = two_tailed(key, shape, dtype)
    return -jnp.where(upper, jnp.log(w), jnp.log1p(-w))


@functools.partial(jax.jit, static_argnames=("shape", "dtype"))
def normal(key: jax.Array, shape: tuple[int, ...] = (), dtype: DTypeLike = float) -> jax.Array:
    """Standard normal variates by inversion, out to 8.2 standard deviations (float32: 6.3)."""
    dtype = jnp.dtype(jax.dtypes.canonicalize_dtype(dtype))
    if dtype == jnp.float64:  # 1 − 2⁻⁵³ is far enough out
        word, _, mantissa = word_type(dtype)
        one = jax.lax.bitcast_convert_type(jnp.ones((), dtype), word)
        u = jax.lax.bitcast_convert_type((bits(key, shape, word) >> (64 - mantissa)) | one, dtype)
        return 2**0.5 * jax.lax.erf_inv(2.0 * (u - 1.5) + 2.0**-mantissa)
    w, upper = two_tailed(key, shape, dtype)
    z = jax.scipy.special.ndtri(w)
    return jnp.where(upper, -z, z)


@functools.partial(jax.jit, static_argnames="shape")
def bernoulli(key: jax.Array, probability: ArrayLike, shape: tuple[int, ...] = ()) -> jax.Array:
    """True with the given probability: never at 0, always at 1."""
    probability = jnp.asarray(probability, float)
    return uniform(key, shape, probability.dtype) < probability
