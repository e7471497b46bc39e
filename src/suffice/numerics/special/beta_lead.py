"""What stands before the integral of an incomplete beta function: x^a y^b/B(a, b), in logarithms and without cancellation."""

from math import pi

import jax
import jax.numpy as jnp

from suffice.numerics.special.beta_kernel import offset_from_mean
from suffice.numerics.special.elementary import log1pmx
from suffice.numerics.special.gamma import gammaln1p, stirling_error

# Coefficients of Stirling's error in 1/A, 1/A³, …
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)


def log_over_mean(a: jax.Array, n: jax.Array, x: jax.Array, offset: jax.Array) -> jax.Array:
    """log(x/(a/n)), with offset = a − n x."""
    near = jnp.abs(offset) < a / 2
    return jnp.where(near, jnp.log1p(jnp.where(near, -offset, 0) / a), jnp.log(x) + jnp.log(n / a))


def log_lead_scale(a: jax.Array, b: jax.Array) -> jax.Array:
    """The part of `log_lead` that does not depend on x."""
    n, low, high = a + b, jnp.minimum(a, b), jnp.maximum(a, b)
    errors = (stirling_error(n) - stirling_error(high)) - stirling_error(low)
    return 0.5 * jnp.log((b / a) / n / (2 * pi)) + errors


def log_lead(a: jax.Array, b: jax.Array, x: jax.Array, y: jax.Array, log_scale: jax.Array) -> jax.Array:
    """log(x^a y^b/(a B(a, b))), y = 1 − x in (0, 1), by Stirling's form; `log_scale` may carry more, to be added."""
    n, offset = a + b, offset_from_mean(a, b, x, y)

    def deviance(a, x, offset):
        """a log(n x/a) + offset <= 0."""
        near = jnp.abs(offset) < a / 2
        close = log1pmx(jnp.where(near, -offset, 0) / a)
        return jnp.where(near, a * close, a * (jnp.log(x) + jnp.log(n / a)) + offset)

    low, high = deviance(a, x, offset), deviance(b, y, -offset)
    return jnp.minimum(low, high) + (jnp.maximum(low, high) + log_scale)  # the large one last: it is rounded once


def _log_gamma_rise(a: jax.Array, b: jax.Array, y: jax.Array) -> jax.Array:
    """log(y^b Γ(a + b)/Γ(a)) with relative accuracy as b → 0: ten steps up, then Stirling in divided differences."""
    product = jnp.zeros_like(a)
    for k in range(10):
        product += (1 + product) * b / (a + k)
    a = a + 10
    u, v = 1 / a, 1 / (a + b)
    value, difference = jnp.full_like(a, _STIRLING[-1]), jnp.zeros_like(a)
    for c in _STIRLING[-2::-1]:
        difference = difference * u * u + value
        value = value * v * v + c
    errors = -b * u * v * (value + u * (u + v) * difference)
    return a * log1pmx(b * u) - 0.5 * jnp.log1p(b * u) + b * jnp.log(y * (a + b)) + errors - jnp.log1p(product)


def log_upper_lead(a: jax.Array, b: jax.Array, y: jax.Array) -> jax.Array:
    """log(y^b/(b B(a, b))) for b <= 1, with relative accuracy as b → 0."""
    return _log_gamma_rise(a, b, y) - gammaln1p(b)
