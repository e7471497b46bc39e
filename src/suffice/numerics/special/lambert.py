"""The two real branches of Lambert's W, the inverse of w·exp(w)."""

import jax
import jax.numpy as jnp

from suffice.numerics.special.elementary import elementwise, horner, two_product

_E = (2.718281828459045, 1.4456468917292502e-16)
# W(x) in ±√(2(1 + ex)) around the branch point −1/e
_BRANCH_SERIES = (-1, 1, -1 / 3, 11 / 72, -43 / 540, 769 / 17280)


def _branch_distance(x: jax.Array) -> jax.Array:
    """√(2(1 + ex)), free of cancellation at x = −1/e; 0 where x is the rounded −1/e, NaN below."""
    e = jnp.full_like(x, _E[0])
    rest_of_e = ((_E[0] - e.astype(jnp.result_type(float))) + _E[1]).astype(x.dtype)
    product, error = two_product(x, e)
    rest = (1 + product) + (error + x * rest_of_e)
    return jnp.sqrt(2 * jnp.where(jnp.abs(rest) < jnp.finfo(x.dtype).eps, jnp.maximum(rest, 0), rest))


def _refine(x: jax.Array, start: jax.Array) -> jax.Array:
    """Fritsch's iteration of order four on the logarithm: its error is relative."""

    def step(_: int, w: jax.Array) -> jax.Array:
        z = jnp.log(x / w) - w
        q = 2 * (1 + w) * (1 + w + 2 / 3 * z)
        move = z * (q - z) / ((1 + w) * (q - 2 * z))
        return jnp.where(jnp.isfinite(move), w + w * move, w)

    return jax.lax.fori_loop(0, 3, step, start)


def _slope(w: jax.Array, x: jax.Array) -> jax.Array:
    return 1 / (x + jnp.exp(w))


@elementwise(_slope)
def lambert_w(x: jax.Array) -> jax.Array:
    """W₀(x) >= −1 with W exp(W) = x, for x >= −1/e; NaN below."""
    p = _branch_distance(jnp.minimum(x, 1))
    log = jnp.log1p(jnp.maximum(x, -0.3))
    middle = log * (1 - jnp.log1p(log) / (2 + log))
    w = jnp.where(p < 0.5, horner(p, _BRANCH_SERIES), middle)
    # Next to the branch point the series is exact, and the iteration would divide by 1 + W.
    value = jnp.where((p < 1e-3) | (x == 0), w, _refine(x, w))
    return jnp.where(x == jnp.inf, x, jnp.where(jnp.isnan(p), jnp.nan, value))


@elementwise(_slope)
def lambert_w_lower(x: jax.Array) -> jax.Array:
    """W₋₁(x) <= −1 with W exp(W) = x, for −1/e <= x < 0; −∞ at 0, NaN elsewhere."""
    p = _branch_distance(x)
    log = jnp.log(-x)
    double = jnp.log(-jnp.minimum(log, -1))
    w = jnp.where(p < 0.5, horner(-p, _BRANCH_SERIES), log - double + double / jnp.minimum(log, -1))
    value = jnp.where(p < 1e-3, w, _refine(x, w))
    return jnp.where(x == 0, -jnp.inf, jnp.where(jnp.isnan(p) | (x > 0), jnp.nan, value))
