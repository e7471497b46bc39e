"""Logarithm of the gamma function at complex arguments, for characteristic functions."""

import jax
import jax.numpy as jnp
import numpy as np

_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)
_SHIFT = 10


def complex_gammaln(z: jax.Array) -> jax.Array:
    """log Γ(z) for complex z with Re z > 0, up to a multiple of 2πi (its exponential is exact).

    Ten steps of the recurrence log Γ(z) = log Γ(z + 1) − log z, then Stirling's series, whose first term left out is
    below 1e-16 for |z| >= 10.
    """
    steps = jnp.arange(_SHIFT).reshape((_SHIFT,) + (1,) * z.ndim)
    recurrence = jnp.log(z[None] + steps).sum(0)
    w = z + _SHIFT
    series = sum(c * w ** (1 - 2 * k) for k, c in enumerate(_STIRLING, start=1))
    return (w - 0.5) * jnp.log(w) - w + 0.5 * np.log(2 * np.pi) + series - recurrence
