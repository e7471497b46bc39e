"""Owen's T function: the skew-normal cdf, and the bivariate normal's."""

import jax
import jax.numpy as jnp

from suffice.numerics.special.elementary import elementwise
from suffice.numerics.special.normal import ndtr, normal_density

_INVERSE_2PI = 0.15915494309189535
# 28-point Gauss–Legendre rule on (0, 1)
_NODES = (
    0.001778751213022775, 0.009348417314563623, 0.022870359685530903, 0.04218348680393396, 0.06705373871280247,
    0.09717931454141042, 0.1321945609931841, 0.17167445298056752, 0.21513976409429914, 0.2620628875224409,
    0.31187424195546065, 0.363969186182411, 0.41771535893330963, 0.47246035505798284, 0.5275396449420171,
    0.5822846410666904, 0.6360308138175891, 0.6881257580445393, 0.7379371124775591, 0.7848602359057009,
    0.8283255470194325, 0.8678054390068158, 0.9028206854585896, 0.9329462612871975, 0.9578165131960661,
    0.9771296403144691, 0.9906515826854364, 0.9982212487869773,
)  # fmt: skip
_WEIGHTS = (
    0.0045621412965472586, 0.01056605629638563, 0.01645071389115219, 0.022136467379502114, 0.027553672837858374,
    0.0326364619834998, 0.03732310711728439, 0.041556708614450606, 0.04528587219651642, 0.04846532899896496,
    0.05105648378903038, 0.05302788296142321, 0.05435559612914707, 0.0550235065082376, 0.0550235065082376,
    0.05435559612914707, 0.05302788296142321, 0.05105648378903038, 0.04846532899896496, 0.04528587219651642,
    0.041556708614450606, 0.03732310711728439, 0.0326364619834998, 0.027553672837858374, 0.022136467379502114,
    0.01645071389115219, 0.01056605629638563, 0.0045621412965472586,
)  # fmt: skip


def _unit_slope(h: jax.Array, a: jax.Array) -> jax.Array:
    """T(h, a) for h >= 0 and 0 <= a <= 1: Gauss–Legendre where the integrand is above 2⁻⁵⁴ of its maximum."""
    h = jnp.minimum(h, 100)  # where T is 0 already
    width = jnp.minimum(a, 8.7 / jnp.maximum(h, 1))
    exponent = 0.5 * (h * width) ** 2

    def add(i: int, total: jax.Array) -> jax.Array:
        square = nodes[i] ** 2
        return total + weights[i] * jnp.exp(-exponent * square) / (1 + width * width * square)

    nodes, weights = jnp.asarray(_NODES, h.dtype), jnp.asarray(_WEIGHTS, h.dtype)
    integral = jax.lax.fori_loop(0, len(_NODES), add, jnp.zeros_like(width * h))
    return _INVERSE_2PI * jnp.sqrt(2 * jnp.pi) * normal_density(h) * width * integral


def _argument_slope(y: jax.Array, h: jax.Array, a: jax.Array) -> jax.Array:
    return -0.5 * normal_density(h) * jax.scipy.special.erf(a * h * 0.7071067811865476)


def _slope_slope(y: jax.Array, h: jax.Array, a: jax.Array) -> jax.Array:
    return jnp.sqrt(_INVERSE_2PI) * normal_density(h * jnp.sqrt(1 + a * a)) / (1 + a * a)


@elementwise(_argument_slope, _slope_slope)
def owens_t(h: jax.Array, a: jax.Array) -> jax.Array:
    """T(h, a) = 1/(2π) ∫₀ᵃ exp(−h²(1 + x²)/2)/(1 + x²) dx for real h and a (Owen 1956): even in h, odd in a.

    abs(a) <= 1: Gauss–Legendre quadrature; else T(h, a) = ½Φ(−h) + ½Φ(−ah) − Φ(−h)Φ(−ah) − T(ah, 1/a) for h, a > 0.
    """
    height, slope = jnp.abs(h), jnp.abs(a)
    steep = slope > 1
    product = jnp.where(steep, height * jnp.where(jnp.isinf(slope) & (height == 0), 1, slope), 0)
    inner = _unit_slope(jnp.where(steep, product, height), jnp.where(steep, 1 / slope, slope))
    upper, lower = ndtr(-height), ndtr(-product)
    value = jnp.where(steep, 0.5 * (upper + lower) - upper * lower - inner, inner)
    return jnp.sign(a) * value
