"""Mills' ratio for all real arguments, and its differences without cancellation."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.special.normal import erfcx

_CUT = 40.0  # exp(−40) is below rounding
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)


def mills(y: jax.Array) -> jax.Array:
    """Φ(−y)/φ(y)."""
    return math.sqrt(0.5 * math.pi) * erfcx(math.sqrt(0.5) * y)


def mills_step(a: jax.Array, step: jax.Array) -> jax.Array:
    """∫₀^∞ exp(−t²/2 − at) (1 − exp(−step·t)) dt, Mills' ratio at a less that at a + step, for a >= −1."""
    wide = step > 0.5 * jnp.maximum(a, 1.0)
    difference = mills(a) - mills(a + jnp.where(wide, step, 1.0))
    end = 2.0 * _CUT / (a + jnp.sqrt(a * a + 2.0 * _CUT))
    nodes, weights = (jnp.asarray(v, a.dtype) for v in (0.5 * (_NODES + 1.0), 0.5 * _WEIGHTS))

    def add(i: jax.Array, total: jax.Array) -> jax.Array:
        t = end * nodes[i]
        return total - weights[i] * jnp.exp(-t * (0.5 * t + a)) * jnp.expm1(-step * t)

    integral = jax.lax.fori_loop(0, len(_NODES), add, jnp.zeros_like(end * step))
    return jnp.where(wide, difference, end * integral)
