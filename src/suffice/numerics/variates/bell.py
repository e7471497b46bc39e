"""A variate that is nearly normal and whose density is known: what the rejection methods propose from."""

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from suffice.numerics.variates.bits import bits
from suffice.numerics.variates.elementary import unit, word_type

# chosen to make sup G'(u) exp(−G(u)²/2) least: 97 % of the proposals for a normal variate would be accepted
_LINEAR, _ROOT = 0.627, 1.489
NORMAL_BOUND = 2.588  # >= sup G'(u) exp(−G(u)²/2)


def hat(w: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(G(u), G'(u)) at u = ½ − w >= 0."""
    root = jax.lax.rsqrt(jnp.sqrt(w))
    return (0.5 - w) * (_LINEAR + _ROOT * root), _LINEAR + _ROOT * root * (0.75 + 0.125 / w)


def bell(key: jax.Array, shape: tuple[int, ...], dtype: DTypeLike) -> tuple[jax.Array, jax.Array]:
    """(z, limit): z = G(u) for uniform u, |u| < ½, and limit = v/G'(u) for uniform v.

    G(u) = u (b + a (½ − |u|)^(−¼)), so z has density 1/G'(u), with tails like |z|⁻⁵. A variate of density f is z,
    accepted where limit·bound <= f(z), with bound >= sup f(G(u)) G'(u). This is transformed rejection (Hörmann 1993,
    doi:10.1080/00949659308811496) with a hat nearer to the normal.
    """
    word, width, _ = word_type(dtype)
    first, second = bits(key, (2, *shape), word)
    z, slope = hat(unit(first << 1, dtype) / 2)  # ½ − |u| has all the bits where it is small
    upper = (first >> (width - 1)) == 1
    # both are used more than once: a barrier keeps them from being computed more than once
    return jax.lax.optimization_barrier((jnp.where(upper, z, -z), unit(second, dtype) / slope))
