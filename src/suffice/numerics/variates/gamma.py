"""Gamma and beta variates."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike, DTypeLike

from suffice.numerics.special.elementary import log1pmx
from suffice.numerics.variates.bell import NORMAL_BOUND, bell
from suffice.numerics.variates.blocks import arguments
from suffice.numerics.variates.elementary import exponential
from suffice.numerics.variates.rejection import accept_reject


@functools.partial(jax.jit, static_argnames=("shape", "dtype"))
def gamma(
    key: jax.Array,
    concentration: ArrayLike,
    shape: tuple[int, ...] | None = None,
    dtype: DTypeLike | None = None,
) -> jax.Array:
    """Standard gamma variates, density x^(a−1) e^(−x)/Γ(a).

    Args:
        key: a JAX key.
        concentration: a > 0, broadcasts to `shape`; NaN is returned where it is not positive.
        shape: of the result; the concentration's if None.
        dtype: float32 or float64; the concentration's if None.

    Below about a = 1e-3 some variates are too small for a float and come as 0: see `log_gamma`.
    Method: Marsaglia and Tsang (2000); a < 1: a variate of a + 1 times U^(1/a).
    """
    a, small, d, t, e = _draw(key, concentration, shape, dtype)
    x = d * (1 + t) ** 3
    return jax.lax.cond(jnp.any(small), lambda: jnp.where(small, x * jnp.exp(-e() / a), x), lambda: x)


@functools.partial(jax.jit, static_argnames=("shape", "dtype"))
def log_gamma(
    key: jax.Array,
    concentration: ArrayLike,
    shape: tuple[int, ...] | None = None,
    dtype: DTypeLike | None = None,
) -> jax.Array:
    """Logarithms of standard gamma variates: −log U/a and less for a → 0, where the variates themselves underflow.

    Arguments and method as in `gamma`.
    """
    a, small, d, t, e = _draw(key, concentration, shape, dtype)
    x = jnp.log(d) + 3 * jnp.log1p(t)
    return jax.lax.cond(jnp.any(small), lambda: jnp.where(small, x - e() / a, x), lambda: x)


@functools.partial(jax.jit, static_argnames=("shape", "dtype"))
def beta(
    key: jax.Array,
    alpha: ArrayLike,
    beta: ArrayLike,
    shape: tuple[int, ...] | None = None,
    dtype: DTypeLike | None = None,
) -> jax.Array:
    """Beta variates, density x^(α−1) (1−x)^(β−1)/B(α, β).

    Args:
        key: a JAX key.
        alpha: α > 0, broadcasts to `shape`; NaN is returned where α or β is not positive and finite.
        beta: β > 0, broadcasts to `shape`.
        shape: of the result; that of α and β broadcast if None.
        dtype: float32 or float64; the parameters' if None.

    Method: x/(x + y) of two gamma variates; where α or β is below 1 by their logarithms, which no parameter underflows.
    """
    shape, parameters = arguments(shape, dtype, alpha, beta)
    pair = jnp.stack(jnp.broadcast_arrays(*parameters))
    pair = pair.reshape(2, *(pair.shape[1:] or (1,) * len(shape)))
    pair = jnp.where(pair < jnp.inf, pair, jnp.nan)
    a, small, d, t, e = _draw(key, pair, (2, *shape), None)
    odds = d[1] / d[0] * ((1 + t[1]) / (1 + t[0])) ** 3  # of failure

    def boosted():
        first, second = jnp.where(small, e(), 0)
        # first/a₁ − second/a₂ on a common denominator: no ∞ − ∞
        larger, smaller = jnp.maximum(a[0], a[1]), jnp.minimum(a[0], a[1])
        boost = (first * (a[1] / larger) - second * (a[0] / larger)) / smaller
        return jax.nn.sigmoid(-jnp.log(odds) - boost)

    return jax.lax.cond(jnp.any(small), boosted, lambda: 1 / (1 + odds))


def _draw(
    key: jax.Array, concentration: ArrayLike, shape: tuple[int, ...] | None, dtype: DTypeLike | None
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array, Callable[[], jax.Array]]:
    """(a, a < 1, d, t, e): d (1 + t)³ is a gamma variate of a, or of a + 1 where a < 1, then lacking exp(−e()/a).

    Invalid concentrations are NaN in a and d.
    """
    shape, (a,) = arguments(shape, dtype, concentration)
    a = jnp.where(a > 0, a, jnp.nan)
    small = a < 1
    raised = jnp.where(small, a + 1, a)
    main, boost = jax.random.split(key)
    t = accept_reject(main, shape, _marsaglia_tsang, jnp.where(raised < jnp.inf, raised, 1))
    return a, small, raised - 1 / 3, t, lambda: exponential(boost, shape, a.dtype)


def _marsaglia_tsang(key: jax.Array, shape: tuple[int, ...], a: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Propose t such that (a − ⅓)(1 + t)³ is a gamma variate, a >= 1; accepted with probability .92 to .97.

    The density of z = 3√d t, d = a − ⅓, is at most exp(−z²/2); written so that large a loses no digits.
    """
    d = a - 1 / 3
    z, limit = bell(key, shape, a.dtype)
    t = z / (3 * jnp.sqrt(d))
    inside = t > -1
    t = jnp.where(inside, t, 0)
    density = jnp.exp(d * (3 * log1pmx(t) - t * t * (3 + t)))
    return t, inside & (limit * NORMAL_BOUND <= density)
