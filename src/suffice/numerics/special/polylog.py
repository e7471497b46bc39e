"""Means of exp(cX) over the zeta law, quotients of a polylogarithm and the zeta function."""

import math

import jax
import jax.numpy as jnp

from suffice.numerics.special.gamma import gammaln
from suffice.numerics.special.zeta import log_zeta

_TERMS = 24
_FEW = 12.0  # from this order on, so many terms are all of the series
_STEP = 2.0 * math.pi / 40.0  # of the trapezoidal rule, exact for orders below


def zeta_mean_power(s: jax.Array, c: jax.Array) -> jax.Array:
    """Liₛ(exp(c))/ζ(s) · exp(−c) = Σ exp(c (k − 1)) k^(−s)/ζ(s), k = 1, 2, …, for s > 1, Re c <= 0, |Im c| <= π, c ≠ 0.

    Of low order by ∫ u^(s−1)/(exp(u) − exp(c)) du/(Γ(s) ζ(s)), u > 0, with the trapezoidal rule in log u, where the
    poles stay π/2 away (Trefethen and Weideman 2014); else the series.
    """
    s, c = jnp.broadcast_arrays(s, c)
    low = s < _FEW
    order = jnp.where(low, s, _FEW)
    log_unit = gammaln(order) + log_zeta(order, 1.0)
    gap, size = -jnp.expm1(c), jnp.minimum(jnp.abs(c), 1.0)  # 1 − exp(c)
    first = jnp.log(size) - 40.0 / order  # below, the integrand has vanished like a power
    last = math.log(100.0)
    needed = jnp.where(size > 0.0, jnp.ceil((last - first) / _STEP), 0.0)  # 0 where an argument is NaN
    count = jnp.max(needed, initial=0.0).astype(int)

    def add(i: jax.Array, total: jax.Array) -> jax.Array:
        v = last - _STEP * i
        u = jnp.exp(v)
        return total + jnp.exp(order * v - log_unit) / (jnp.expm1(u) + gap)

    integral = _STEP * jax.lax.fori_loop(0, count + 1, add, jnp.zeros_like(c))

    def term(k: jax.Array, total: jax.Array) -> jax.Array:
        return total + jnp.exp(c * k - s * jnp.log1p(k))

    series = jax.lax.fori_loop(0, _TERMS, term, jnp.zeros_like(c)) * jnp.exp(-log_zeta(s, 1.0))
    return jnp.where(low, integral, series)
