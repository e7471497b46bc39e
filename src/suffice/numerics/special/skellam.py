"""The probability function of a difference of two Poisson counts, for integer and real orders."""

import jax
import jax.numpy as jnp

from suffice.numerics.special.bessel import log_bessel_amplitude
from suffice.numerics.special.elementary import log_minus_excess, two_sum


def log_skellam(a: jax.Array, b: jax.Array, k: jax.Array) -> jax.Array:
    """log(exp(−a − b) (a/b)^(k/2) I_|k|(2 √(ab))) for a, b > 0 and real k.

    At the counts u − v = k with u v = a b, Debye's exponential is that of two Poisson deviances, in which nothing
    cancels; the rest of the Bessel function is of order 1.
    """
    order, z = jnp.abs(k), 2.0 * jnp.sqrt(a) * jnp.sqrt(b)
    larger = 0.5 * (jnp.hypot(k, z) + order)
    smaller = jnp.maximum(0.25 * z * (z / larger), jnp.finfo(z.dtype).tiny)
    sign = jnp.where(k > 0, 1.0, -1.0).astype(z.dtype)
    rate, other = jnp.where(k > 0, a, b), jnp.where(k > 0, b, a)  # of the larger count, and of the smaller
    difference, error = two_sum(a, -b)
    excess, rounding = two_sum(difference, -k)
    excess = excess + (error + rounding)  # a − b − k
    share = sign * excess / (other + larger)  # (rate − larger)/larger, as larger · smaller = rate · other
    first = larger * log_minus_excess(rate / larger, share)
    second = smaller * log_minus_excess(larger / rate, -larger / rate * share)
    return first + second + log_bessel_amplitude(order, z)
