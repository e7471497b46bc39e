"""Convexity gaps: f(y) − f(x) − f'(x)(y − x) of convex functions f, without cancellation however near y is to x."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from suffice.numerics.quadrature import unit_legendre
from suffice.numerics.special.elementary import log1pmx, log_minus_excess
from suffice.numerics.special.gamma import _stirling_curvature, _stirling_slope, stirling_error

_NODES, _WEIGHTS = unit_legendre(8)  # exact to the last digit for a double pole one and a half lengths away


def log_gap(t: jax.Array) -> jax.Array:
    """t − log(1 + t) >= 0, the gap of −log from 1 to 1 + t, for t >= −1."""
    return -log1pmx(t)


def ratio_gap(ratio: jax.Array, excess: jax.Array) -> jax.Array:
    """ratio − 1 − log(ratio) >= 0, excess = ratio − 1 being given to full accuracy: exact near 1 and near 0."""
    return -log_minus_excess(ratio, excess)


def square_gap(ratio: jax.Array, excess: jax.Array) -> jax.Array:
    """The same of the square of a ratio, from the ratio and its excess."""
    near = ratio > 0.3
    inner = jnp.where(near, excess, 0.0)
    tiny = jnp.where(near, 1.0, ratio)
    return jnp.where(near, log_gap(inner * (2.0 + inner)), tiny * tiny - 1.0 - 2.0 * jnp.log(tiny))


def log_quotient(a: jax.Array, b: jax.Array) -> jax.Array:
    """log(a/b) of positive numbers to full accuracy, near each other or not."""
    excess = (a - b) / b
    near = jnp.abs(excess) < 0.5
    return jnp.where(near, jnp.log1p(jnp.where(near, excess, 0.0)), jnp.log(jnp.where(near, 1.0, a / b)))


def entropy_gap(t: jax.Array) -> jax.Array:
    """(1 + t) log(1 + t) − t >= 0, the gap of x log x from 1 to 1 + t, for t >= −1."""
    positive = t > -1.0
    inner = jnp.where(positive, t, 0.0)
    far = inner > 1e16  # there the argument below rounds to −1
    small = jnp.where(far, 0.0, inner)
    value = (1.0 + small) * log_gap(-small / (1.0 + small))
    large = jnp.where(far, inner, 1.0)
    return jnp.where(
        positive, jnp.where(far, large * (jnp.log(large) - 1.0), value), jnp.where(t == -1.0, 1.0, jnp.nan)
    )


def stirling_gap(x: jax.Array, y: jax.Array, step: jax.Array) -> jax.Array:
    """Gap from x to y = x + step, all three given, of the convex g(x) = log Γ(x) − x log x + x; about ½ (t − log(1 + t)), t = step/x.

    Near by, ∫ (1 − s) g''(x + s step) ds step² by Gauss–Legendre quadrature, g'' being a rational function; elsewhere
    the difference itself.
    """
    near = (y < 1.5 * x) & (x < 1.5 * y)
    h = jnp.where(near, step, 0.0)
    curved = jnp.zeros_like(x * h)
    for node, weight in zip(_NODES, _WEIGHTS * (1.0 - _NODES), strict=True):
        at = x + node * h
        curved = curved + weight * (0.5 / (at * at) + _stirling_curvature(at))
    far_x, far_y = jnp.where(near, 1.0, x), jnp.where(near, 2.0, y)
    far_step = jnp.where(near, 1.0, step)
    rest = stirling_error(far_y) - stirling_error(far_x) - _stirling_slope(far_x) * far_step
    return jnp.where(near, h * h * curved, 0.5 * ratio_gap(far_y / far_x, far_step / far_x) + rest)


def log_gamma_gap(x: jax.Array, y: jax.Array, step: jax.Array) -> jax.Array:
    """log Γ(y) − log Γ(x) − ψ(x) step >= 0, for positive x and y = x + step."""
    return stirling_gap(x, y, step) + x * entropy_gap(step / x)


def gap_along(f: Callable[[jax.Array], jax.Array], x: jax.Array, step: jax.Array, order: int = 16) -> jax.Array:
    """Gap of a smooth f of the last axis from x to x + step, by quadrature of its curvature: for points near by."""
    nodes, weights = unit_legendre(order)

    def curvature(s: jax.Array) -> jax.Array:
        slope = lambda s: jax.jvp(lambda s: f(x + s * step), (s,), (jnp.ones_like(s),))[1]  # noqa: E731
        return jax.jvp(slope, (s,), (jnp.ones_like(s),))[1]

    curved = jax.vmap(curvature)(jnp.asarray(nodes, step.dtype))
    return jnp.tensordot(jnp.asarray(weights * (1.0 - nodes), step.dtype), curved, axes=1)
