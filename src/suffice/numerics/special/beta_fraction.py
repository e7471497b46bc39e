"""Continued fraction of the incomplete beta function: a dozen cheap steps where the shapes are not huge."""

import jax
import jax.numpy as jnp
from jax import lax

from suffice.numerics.special.beta_kernel import offset_from_mean

LARGEST_SHAPE = 1e4  # the steps needed grow with the root of the shapes, to about a hundred here
_MOST_STEPS = 1000


def converges(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    """Whether few steps suffice and none cancels: shapes not huge, x not far above its mean, y not nearly 0."""
    near = (a * y - b * x > -0.95) & ((x < 0.9) | (4 * y * (a + b) > b))
    return near & (jnp.maximum(a, b) <= LARGEST_SHAPE)


def beta_fraction(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    """F with I_x(a, b) = x^a y^b/(a B(a, b)) · F, for 0 < x < 1, y = 1 − x.

    The even part of the continued fraction DLMF 8.17.22, by the recurrence of its numerators and denominators, both
    divided by the latest denominator. All steps are positive below the mean.
    """
    offset = offset_from_mean(a, b, x, y)
    tolerance = 4 * jnp.finfo(x.dtype).eps

    def terms(m: jax.Array) -> tuple[jax.Array, jax.Array]:
        low = a + (2 * m - 1)
        pull = m * (b - m) * x / low
        numerator = (a + m - 1) * (a + b + m - 1) * pull * x / low
        return numerator, m + pull + (a + m) * (offset + 1 + m * (1 + y)) / (low + 2)

    def step(state):
        m, last, below, ratio, _ = state
        numerator, denominator = terms(m)
        # convergents are last/below before and ratio/1 now
        top = denominator * ratio + numerator * last
        bottom = denominator + numerator * below
        scale = 1 / bottom
        following = top * scale
        moving = jnp.abs(following - ratio) > tolerance * jnp.abs(following)
        return m + 1, ratio * scale, scale, following, jnp.any(moving)

    first = (a + 1) / (offset + 1)
    start = (jnp.asarray(1, x.dtype), jnp.zeros_like(x), first / a, first, jnp.asarray(True))
    return lax.while_loop(lambda s: s[4] & (s[0] < _MOST_STEPS), step, start)[3]
