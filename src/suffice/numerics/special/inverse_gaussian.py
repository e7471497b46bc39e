"""Tails of the inverse Gaussian law with mean 1, by Mills' ratios: no product of a huge and a tiny number."""

import math

import jax
import jax.numpy as jnp

from suffice.numerics.inversion import increasing_root
from suffice.numerics.special.elementary import elementwise, log1mexp
from suffice.numerics.special.mills import mills, mills_step
from suffice.numerics.special.normal import ndtri

_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


def _parts(phi: jax.Array, u: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """(whether the value is the lower tail, a²/2, S): the tail is exp(−a²/2)/√2π times S, with a = √(φ/u)(u − 1)."""
    half = jnp.sqrt(phi) / jnp.sqrt(u)
    a = half * (u - 1.0)
    lower = a < -1.0
    below = jnp.where(lower, a, -1.0)
    sums = mills(-below) + mills(half * (u + 1.0))
    steps = mills_step(jnp.where(lower, 0.0, a), 2.0 * half)
    return lower, 0.5 * a * a, jnp.where(lower, sums, steps)


def _log_small(phi: jax.Array, u: jax.Array) -> tuple[jax.Array, jax.Array]:
    lower, exponent, scaled = _parts(phi, u)
    return lower, jnp.log(scaled) - exponent - _HALF_LOG_2PI


def _log_density(phi: jax.Array, u: jax.Array) -> jax.Array:
    return 0.5 * jnp.log(phi) - 1.5 * jnp.log(u) - 0.5 * phi * (u - 1.0) * ((u - 1.0) / u) - _HALF_LOG_2PI


def _in_phi(phi: jax.Array, u: jax.Array) -> jax.Array:
    """∂F/∂φ over the density of u: (2 M(b) − 1/√(φu)) u^(3/2)/√φ, with b = √(φ/u)(u + 1)."""
    root = jnp.sqrt(phi) * jnp.sqrt(u)
    b = jnp.sqrt(phi) / jnp.sqrt(u) * (u + 1.0)
    return (2.0 * mills(b) - 1.0 / root) * (u / jnp.sqrt(phi) * jnp.sqrt(u))


@elementwise(
    lambda y, phi, u: jnp.exp(_log_density(phi, u) - y) * _in_phi(phi, u),
    lambda y, phi, u: jnp.exp(_log_density(phi, u) - y),
)
def log_inverse_gaussian_cdf(phi: jax.Array, u: jax.Array) -> jax.Array:
    """log P(U <= u) for the inverse Gaussian with mean 1 and concentration phi.

    P = φ(a)(M(−a) + M(b)) with M = Mills' ratio, a = √(phi/u)(u − 1), b = √(phi/u)(u + 1), for a < −1; else from the
    upper tail φ(a)(M(a) − M(b)), by quadrature over the Laplace form of M where the two are close.

    Args: phi > 0, 0 < u < ∞; they broadcast.
    """
    lower, value = _log_small(phi, u)
    return jnp.where(lower, value, log1mexp(value))


@elementwise(
    lambda y, phi, u: -jnp.exp(_log_density(phi, u) - y) * _in_phi(phi, u),
    lambda y, phi, u: -jnp.exp(_log_density(phi, u) - y),
)
def log_inverse_gaussian_sf(phi: jax.Array, u: jax.Array) -> jax.Array:
    """log P(U > u); arguments as for `log_inverse_gaussian_cdf`."""
    lower, value = _log_small(phi, u)
    return jnp.where(lower, log1mexp(value), value)


def inverse_gaussian_quantile(phi: jax.Array, log_p: jax.Array, log_q: jax.Array) -> jax.Array:
    """u with log P(U <= u) = log_p and log P(U > u) = log_q, from the smaller of the two; by Newton in log u."""
    phi, log_p, log_q = jnp.broadcast_arrays(phi, log_p, log_q)
    below = log_p < log_q

    def gap(v: jax.Array) -> jax.Array:
        u = jnp.exp(v)
        by_lower = log_inverse_gaussian_cdf(phi, u) - log_p
        return jnp.where(below, by_lower, log_q - log_inverse_gaussian_sf(phi, u))

    # a = √(φ/u)(u − 1) is 2√φ sinh(log(u)/2), and nearly normal
    z = ndtri(jnp.exp(jnp.where(below, log_p, log_q)))
    start = 2.0 * jnp.arcsinh(0.5 * jnp.where(below, z, -z) / jnp.sqrt(phi))
    return jnp.exp(increasing_root(gap, start, -700.0, 700.0))
