"""Laws over shares and counts of several classes, in saddle-point form: deviances, in which nothing large cancels.

With shares p of the classes and x seen, Σ w log(x/p) = Σ w (log r − (r − 1)), r = x/p, because Σ w (r − 1) = 0 when w is
proportional to p: each term is at most 0, and the normalising constants are ratios of Stirling's errors.
"""

import math

import jax
import jax.numpy as jnp

from suffice.numerics.special.elementary import log1pmx, log_minus_excess
from suffice.numerics.special.gamma import stirling_error

_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


def log_dirichlet(x: jax.Array, a: jax.Array) -> jax.Array:
    """log of the Dirichlet density Γ(Σa)/∏Γ(a) ∏ x^(a − 1) for shares x and a > 0, both (..., K)."""
    total = a.sum(-1, keepdims=True)
    share = a / total
    some = x > 0
    y = jnp.where(some, x, share)
    inside = a * log_minus_excess(y / share, (y - share) / share) - jnp.log(y)
    peaked = ~some & (a < 1.0)
    flat = jnp.where(a == 1.0, 1.0 - jnp.log(share), -jnp.inf)
    terms = jnp.where(some, inside, jnp.where(peaked, 0.0, flat)) + 0.5 * jnp.log(a) - stirling_error(a) - _HALF_LOG_2PI
    total = total[..., 0]
    value = terms.sum(-1) - 0.5 * jnp.log(total) + stirling_error(total) + _HALF_LOG_2PI
    return jnp.where(peaked.any(-1), jnp.inf, value)


def log_multinomial(k: jax.Array, log_p: jax.Array) -> jax.Array:
    """log of n!/∏k! ∏ p^k for counts k with sum n and log-probabilities, both (..., K)."""
    n = k.sum(-1, keepdims=True)
    some, p = k > 0, jnp.exp(log_p)
    count = jnp.where(some, k, 1.0)
    expected = n * p
    near = jnp.abs(expected - count) < 0.5 * count
    # far off log p itself is at hand, and may be far below what p can be
    far = count * (jnp.log(n / count) + jnp.where(near, 0.0, log_p)) - (expected - count)
    deviance = jnp.where(near, count * log1pmx((jnp.where(near, expected, count) - count) / count), far)
    inside = deviance - 0.5 * jnp.log(count) - stirling_error(count) - _HALF_LOG_2PI
    n = n[..., 0]
    many = jnp.where(n > 0, n, 1.0)
    whole = 0.5 * jnp.log(many) + stirling_error(many) + _HALF_LOG_2PI
    return jnp.where(n > 0, jnp.where(some, inside, -expected).sum(-1) + whole, 0.0)


def log_dirichlet_multinomial(k: jax.Array, a: jax.Array) -> jax.Array:
    """log of n! Γ(Σa)/Γ(n + Σa) ∏ Γ(k + a)/(k! Γ(a)) for counts k with sum n and a > 0, both (..., K)."""
    n, total = k.sum(-1, keepdims=True), a.sum(-1, keepdims=True)
    shift = (n * a - total * k) / (n + total)  # of both n m − k and −(Σa m − a), m = (k + a)/(n + Σa)
    some = k > 0
    count = jnp.where(some, k, 1.0)
    growth = (count + a) / (n + total)
    of_counts = count * log_minus_excess(n / count * growth, jnp.where(some, shift, 0.0) / count)
    of_weights = a * log_minus_excess(total / a * jnp.where(some, growth, a / (n + total)), -shift / a)
    deviance = jnp.where(some, of_counts, -shift) + of_weights
    terms = deviance + jnp.where(some, _size(count, a), 0.0)
    n, total = n[..., 0], total[..., 0]
    many = jnp.where(n > 0, n, 1.0)
    return jnp.where(n > 0, terms.sum(-1) - _size(many, total), 0.0)


def _size(k: jax.Array, a: jax.Array) -> jax.Array:
    """log [Γ(k + a)/(k! Γ(a))] less its entropy (k + a) log (k + a) − k log k − a log a."""
    errors = stirling_error(k + a) - stirling_error(k) - stirling_error(a)
    return 0.5 * (jnp.log(a) - jnp.log(k) - jnp.log(k + a)) - _HALF_LOG_2PI + errors
