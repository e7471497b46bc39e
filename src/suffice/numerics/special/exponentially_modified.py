"""Density and tails of Z + E/b, a standard normal plus an exponential of rate b, by Mills' ratio M."""

import math

import jax
import jax.numpy as jnp

from suffice.numerics.inversion import increasing_root
from suffice.numerics.special.elementary import elementwise, log1mexp
from suffice.numerics.special.mills import mills, mills_step
from suffice.numerics.special.normal import log_ndtr, log_ndtr_difference, ndtri_exp

_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


def _log_phi(z: jax.Array) -> jax.Array:
    return -0.5 * z * z - _HALF_LOG_2PI


def log_tilted(b: jax.Array, z: jax.Array) -> jax.Array:
    """log(exp(b²/2 − bz) Φ(z − b)), the log-density less log b: also log(φ(z) M(b − z)), which serves for z < b."""
    left = z < b
    by_mills = _log_phi(jnp.where(left, z, 0.0)) + jnp.log(mills(jnp.where(left, b - z, 1.0)))
    return jnp.where(left, by_mills, b * (0.5 * b - z) + log_ndtr(jnp.where(left, 0.0, z - b)))


def _in_rate(b: jax.Array, z: jax.Array) -> jax.Array:
    """∂F/∂b = φ(z) (1 − y M(y)), y = b − z, in units of φ(z) M(y)."""
    y = b - z
    left = y > 0.0
    inverse = jnp.exp(_log_phi(jnp.where(left, 0.0, y)) - log_ndtr(-jnp.where(left, 0.0, y)))
    return jnp.where(left, 1.0 / mills(jnp.where(left, y, 1.0)), inverse) - y


def _log_tails(b: jax.Array, z: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(log P(Z + E/b <= z), log P(Z + E/b > z)).

    Upper tail: Φ(−z) + φ(z) M(b − z). Lower, z < 1: φ(z)(M(−z) − M(b − z)), without cancellation; above that for b < 1
    the sum of P(z − b < Z < z) and (1 − exp(b²/2 − bz)) Φ(z − b). Each from the other where that is the smaller.
    """
    below, slow = z < 1.0, (z >= 1.0) & (b < 1.0)
    low = jnp.where(below, z, 0.0)
    by_step = _log_phi(low) + jnp.log(mills_step(-low, b))
    rate, at = jnp.where(slow, b, 0.5), jnp.where(slow, z, 2.0)
    ends = log1mexp(rate * (0.5 * rate - at)) + log_ndtr(at - rate)
    lower = jnp.where(below, by_step, jnp.logaddexp(log_ndtr_difference(at - rate, at), ends))
    upper = jnp.logaddexp(log_ndtr(-z), log_tilted(b, z))
    exact = below | slow
    small = exact & (lower < upper)
    return (
        jnp.where(exact, lower, log1mexp(jnp.where(exact, -1.0, jnp.minimum(upper, 0.0)))),
        jnp.where(small, log1mexp(jnp.where(small, lower, -1.0)), upper),
    )


@elementwise(
    lambda v, b, z: jnp.exp(log_tilted(b, z) - v) * _in_rate(b, z),
    lambda v, b, z: b * jnp.exp(log_tilted(b, z) - v),
)
def log_exponentially_modified_cdf(b: jax.Array, z: jax.Array) -> jax.Array:
    """log P(Z + E/b <= z) for b > 0 and real z; they broadcast."""
    return _log_tails(b, z)[0]


@elementwise(
    lambda v, b, z: -jnp.exp(log_tilted(b, z) - v) * _in_rate(b, z),
    lambda v, b, z: -b * jnp.exp(log_tilted(b, z) - v),
)
def log_exponentially_modified_sf(b: jax.Array, z: jax.Array) -> jax.Array:
    """log P(Z + E/b > z) for b > 0 and real z; they broadcast."""
    return _log_tails(b, z)[1]


def exponentially_modified_quantile(b: jax.Array, log_p: jax.Array, log_q: jax.Array) -> jax.Array:
    """z with log P(Z + E/b <= z) = log_p and log P(Z + E/b > z) = log_q, from the smaller of the two."""
    b, log_p, log_q = jnp.broadcast_arrays(b, log_p, log_q)
    below = log_p < log_q

    def gap(z: jax.Array) -> jax.Array:
        by_lower = log_exponentially_modified_cdf(b, z) - log_p
        return jnp.where(below, by_lower, log_q - log_exponentially_modified_sf(b, z))

    normal = jnp.where(below, ndtri_exp(log_p), -ndtri_exp(log_q))
    start = jnp.maximum(normal, jnp.minimum(0.5 * b, 1.0 / b) - log_q / b)
    return increasing_root(gap, start, normal - 1.0, 40.0 - 2.0 * log_q / b)
