"""Tails and quantiles of the skew-normal law, density 2 φ(z) Φ(αz), as sums of positive terms.

For a, α >= 0 all follow from the light tail L(a) = 2 ∫ φ(t) Φ(−αt) dt over t > a, which is twice Owen's T(a, ∞) less
T(a, α): Φ(−αt) = φ(αt) M(αt) with Mills' ratio M, which is smooth, so that one Gauss–Legendre rule serves all a and α.
"""

import math

import jax
import jax.numpy as jnp
from jax.scipy.special import erf

from suffice.numerics.inversion import increasing_root
from suffice.numerics.quadrature import unit_legendre
from suffice.numerics.special.elementary import elementwise, log1mexp, log1p_square
from suffice.numerics.special.mills import mills
from suffice.numerics.special.normal import log_ndtr, ndtri_exp

_LOG_PI = math.log(math.pi)
_LOG_2 = math.log(2.0)
_DEPTH = 40.0  # exp(−40) is below rounding
_NODES, _WEIGHTS = unit_legendre(40)


def log_skew_normal(alpha: jax.Array, z: jax.Array) -> jax.Array:
    """log(2 φ(z) Φ(αz))."""
    return 0.5 * (_LOG_2 - _LOG_PI) - 0.5 * z * z + log_ndtr(alpha * z)


def _log_light(alpha: jax.Array, a: jax.Array) -> jax.Array:
    """log L(a), for a, α >= 0."""
    slope = jnp.hypot(1.0, alpha)
    height = slope * a
    width = 2.0 * _DEPTH / (height + jnp.sqrt(height * height + 2.0 * _DEPTH))  # in units of 1/slope
    share = alpha / slope
    nodes, weights = (jnp.asarray(v, a.dtype) for v in (_NODES, _WEIGHTS))

    def add(i: jax.Array, total: jax.Array) -> jax.Array:
        s = width * nodes[i]
        return total + weights[i] * jnp.exp(-s * (0.5 * s + height)) * mills(share * (height + s))

    total = jax.lax.fori_loop(0, len(_NODES), add, jnp.zeros_like(width))
    return -0.5 * height * height - _LOG_PI + jnp.log(width / slope) + jnp.log(total)


def _log_tails(alpha: jax.Array, z: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(log P(Z <= z), log P(Z > z)).

    α >= 0: the lower tail is L(−z) below 0 and erf(z/√2) + L(z) above; the upper one 2 Φ(−z) − L(z), of which L takes
    at most half.
    """
    flip = alpha < 0.0
    alpha, z = jnp.abs(alpha), jnp.where(flip, -z, z)
    light = _log_light(alpha, jnp.abs(z))
    right = jnp.maximum(z, 0.0)
    whole = _LOG_2 + log_ndtr(-right)
    upper = whole + log1mexp(jnp.minimum(light - whole, -_LOG_2))
    near = jnp.minimum(right, 1.0)  # beyond, the lower tail is not the smaller
    lower = jnp.where(z < 0.0, light, jnp.log(erf(math.sqrt(0.5) * near) + jnp.exp(light)))
    from_lower = (z < 0.0) | ((z < 1.0) & (lower < upper))
    rest = log1mexp(jnp.minimum(jnp.where(from_lower, lower, upper), 0.0))
    lower, upper = jnp.where(from_lower, lower, rest), jnp.where(from_lower, rest, upper)
    return jnp.where(flip, upper, lower), jnp.where(flip, lower, upper)


def _in_alpha(v: jax.Array, alpha: jax.Array, z: jax.Array) -> jax.Array:
    """exp(−(1 + α²) z²/2 − v)/(π (1 + α²)): minus the derivative of the cdf in α, over exp(v)."""
    return jnp.exp(-0.5 * (jnp.hypot(1.0, alpha) * z) ** 2 - _LOG_PI - log1p_square(alpha) - v)


@elementwise(
    lambda v, alpha, z: -_in_alpha(v, alpha, z),
    lambda v, alpha, z: jnp.exp(log_skew_normal(alpha, z) - v),
)
def log_skew_normal_cdf(alpha: jax.Array, z: jax.Array) -> jax.Array:
    """log P(Z <= z) for real α and z; they broadcast."""
    return _log_tails(*jnp.broadcast_arrays(alpha, z))[0]


@elementwise(
    _in_alpha,
    lambda v, alpha, z: -jnp.exp(log_skew_normal(alpha, z) - v),
)
def log_skew_normal_sf(alpha: jax.Array, z: jax.Array) -> jax.Array:
    """log P(Z > z) for real α and z; they broadcast."""
    return _log_tails(*jnp.broadcast_arrays(alpha, z))[1]


def skew_normal_quantile(alpha: jax.Array, log_p: jax.Array, log_q: jax.Array) -> jax.Array:
    """z with log P(Z <= z) = log_p and log P(Z > z) = log_q, from the smaller of the two.

    For α >= 0 between the quantiles of the normal and of the half-normal law.
    """
    alpha, log_p, log_q = jnp.broadcast_arrays(alpha, log_p, log_q)
    flip = alpha < 0.0
    sign, alpha = jnp.where(flip, -1.0, 1.0).astype(alpha.dtype), jnp.abs(alpha)
    log_p, log_q = jnp.where(flip, log_q, log_p), jnp.where(flip, log_p, log_q)
    below = log_p < log_q

    def gap(z: jax.Array) -> jax.Array:
        by_lower = log_skew_normal_cdf(alpha, z) - log_p
        return jnp.where(below, by_lower, log_q - log_skew_normal_sf(alpha, z))

    normal = jnp.where(below, ndtri_exp(log_p), -ndtri_exp(log_q))
    half_normal = -ndtri_exp(jnp.minimum(log_q, 0.0) - _LOG_2)
    start = jnp.where(normal < 0.0, normal / jnp.hypot(1.0, alpha), half_normal)
    margin = 1e-3 * (1.0 + jnp.abs(normal))
    return sign * increasing_root(gap, start, normal - margin, half_normal + margin)


def skew_normal_mode(alpha: jax.Array) -> jax.Array:
    """The root of z = α φ(αz)/Φ(αz)."""
    steep = jnp.abs(alpha)

    def gap(z: jax.Array) -> jax.Array:
        u = steep * z
        return z - steep * jnp.exp(-0.5 * u * u - 0.5 * (_LOG_2 + _LOG_PI) - log_ndtr(u))

    return jnp.sign(alpha) * increasing_root(gap, jnp.full_like(steep, 0.3), 0.0, 1.0)


@elementwise(lambda y, x: 1.0 - 2.0 * x * y)
def dawson(x: jax.Array) -> jax.Array:
    """Dawson's integral ∫₀ˣ exp(t² − x²) dt, by Gauss–Legendre quadrature back from x; odd."""
    end = jnp.abs(x)
    far = end * end > _DEPTH
    width = jnp.where(far, _DEPTH / (end + jnp.sqrt(jnp.where(far, end * end - _DEPTH, 0.0))), end)
    nodes, weights = (jnp.asarray(v, x.dtype) for v in (_NODES, _WEIGHTS))

    def add(i: jax.Array, total: jax.Array) -> jax.Array:
        s = width * nodes[i]
        return total + weights[i] * jnp.exp(-s * (2.0 * end - s))

    return jnp.sign(x) * width * jax.lax.fori_loop(0, len(_NODES), add, jnp.zeros_like(x))
