"""Divergences as averages: D = E_p[g(ℓ)] + E_q[g(ℓ)] of functions g of the log-ratio ℓ = log p − log q alone.

Each g is the integrand divided by p + q, so it is bounded where the divergence is, and all but that of Rényi's
integral are >= 0 and free of cancellation near ℓ = 0. They take ℓ = ±∞, where one density is 0.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from suffice.numerics.special.convexity import entropy_gap
from suffice.numerics.special.elementary import log_sigmoid, softplus

type Generator = Callable[[jax.Array, Any], jax.Array]

_TERMS = 18
_SERIES = 0.5  # log-ratios, times the order, below which the series is summed


def _shares(ratio: jax.Array) -> tuple[jax.Array, jax.Array]:
    """p/(p + q) and q/(p + q)."""
    return jax.nn.sigmoid(ratio), jax.nn.sigmoid(-ratio)


def alpha(ratio: jax.Array, order: Any) -> jax.Array:
    """Of ∫ (p^α q^(1−α) − α p − (1 − α) q)/(α (α − 1)), Kullback and Leibler's at α = 1; for orders α >= ½.

    Its value at q = 1 is Σ ℓ^k/k! · (1 + α + … + α^(k−2)), k = 2, 3, …; it is the term of p where ℓ is not small.
    """
    order = jnp.asarray(order, ratio.dtype)
    p, q = _shares(ratio)
    small = jnp.abs(ratio) * jnp.maximum(order, 1.0) < _SERIES
    near = jnp.where(small, ratio, 0.0)
    total, coefficient, power = jnp.zeros_like(near), jnp.ones_like(order), jnp.ones_like(order)
    term = 0.5 * near * near
    for k in range(2, _TERMS):
        total = total + term * coefficient
        power = power * order
        coefficient = coefficient + power
        term = term * near / (k + 1.0)
    high, low = ratio == jnp.inf, ratio == -jnp.inf
    far = jnp.where(small | high | low, 1.0, ratio)
    excess = order - 1.0
    change = excess * far
    scaled = jnp.where(excess == 0.0, 1.0, excess)
    # p/(p + q) · expm1((α − 1) ℓ)/(α − 1), whose exponential may be infinite only together with it
    mild = jnp.abs(change) < 1.0
    grown = p * jnp.expm1(jnp.where(mild, change, 0.0))
    wild = jnp.exp(log_sigmoid(far) + jnp.where(mild, 0.0, change)) - p
    rise = jnp.where(excess == 0.0, p * far, jnp.where(mild, grown, wild) / scaled)
    without_q = jnp.where(order < 1.0, 1.0 / jnp.where(order < 1.0, 1.0 - order, 1.0), jnp.inf)
    ends = jnp.where(high, without_q, 1.0 / order)
    return jnp.where(small, q * total, jnp.where(high | low, ends, (rise - p + q) / order))


def jensen_shannon(ratio: jax.Array, order: Any = 0.0) -> jax.Array:
    """Of ½ ∫ (p log(2p/(p + q)) + q log(2q/(p + q)))."""
    t = jnp.tanh(0.5 * ratio)
    return 0.25 * (entropy_gap(t) + entropy_gap(-t))


def total_variation(ratio: jax.Array, order: Any = 0.0) -> jax.Array:
    """Of ½ ∫ |p − q|."""
    return 0.5 * jnp.abs(jnp.tanh(0.5 * ratio))


def log_power(ratio: jax.Array, order: Any) -> jax.Array:
    """Logarithm of that of ∫ p^α q^(1−α)."""
    high, low = ratio == jnp.inf, ratio == -jnp.inf
    inner = jnp.where(high | low, 0.0, ratio)
    ends = jnp.where(high & (jnp.asarray(order) > 1.0), jnp.inf, -jnp.inf)
    return jnp.where(high | low, ends, order * inner - softplus(inner))
