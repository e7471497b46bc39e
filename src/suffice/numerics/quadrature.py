"""Integrals and sums with fixed nodes, so that they compile small and differentiate."""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.tail_sums import HEAD_WEIGHTS


@cache
def half_unit_nodes(count: int = 160) -> tuple[np.ndarray, np.ndarray]:
    """Nodes u and weights w with ∫₀^½ f(u) du ≈ Σ w f(u), for f with any integrable behaviour at 0.

    u = exp(−s) / 2 and s = exp(z − exp(−z)), the double-exponential rule for integrands that decay like exp(−s)
    (Takahasi and Mori, 1974), with the trapezoidal rule in z.
    """
    z = np.linspace(-4.4, 6.3, count)
    s = np.exp(z - np.exp(-z))
    u = 0.5 * np.exp(-s)
    return u, u * s * (1.0 + np.exp(-z)) * (z[1] - z[0])


@cache
def unit_legendre(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss–Legendre nodes and weights on (0, 1): NumPy's, which lack the last digit, after two steps of Newton's."""
    x = np.polynomial.legendre.leggauss(count)[0].astype(np.longdouble)
    slope = x
    for _ in range(2):
        before, here = np.ones_like(x), x
        for n in range(2, count + 1):
            before, here = here, ((2 * n - 1) * x * here - (n - 1) * before) / n
        slope = count * (before - x * here) / (1 - x * x)
        x = x - here / slope
    return ((1 + x) / 2).astype(float), (1 / ((1 - x * x) * slope**2)).astype(float)


def sum_over_integers(
    f: Callable[[jax.Array], jax.Array],
    lower: jax.Array,
    upper: jax.Array,
    edges: jax.Array,
    exact: int = 1024,
    order: int = 16,
) -> jax.Array:
    """Σ f(k) over the integers from ``lower`` to ``upper``, along a new last axis.

    The first and the last ``exact`` terms are added one by one; between them the sum is an integral with end
    corrections. The panels lie between ``edges``, such as quantiles, and none is longer than thrice its distance from
    the ends of the support, where the function may be a power. f is evaluated once, at all points together: it
    compiles once.
    """
    lower, upper = jnp.floor(lower), jnp.ceil(upper)
    lead = np.broadcast_shapes(lower.shape[:-1], edges.shape[:-1])
    ahead = (1,) * len(lead)
    lower, upper = (jnp.broadcast_to(v, (*lead, 1)) for v in (lower, upper))
    steps, weights = np.arange(float(exact)), np.concatenate([np.ones(exact - HEAD_WEIGHTS.size), HEAD_WEIGHTS])
    steps, weights, reversed_ = (v.reshape(*ahead, -1) for v in (steps, weights, weights[::-1]))
    long = upper - lower >= 2 * exact
    start = lower + (exact - 1.0)
    stop = jnp.where(long, upper - (exact - 1.0), start + 1.0)
    terms = jnp.concatenate([lower + steps, stop + steps], -1)
    share = jnp.where(long, jnp.concatenate(jnp.broadcast_arrays(weights, reversed_), -1), terms <= upper)

    nodes, rule = (v.reshape(*ahead, 1, -1) for v in unit_legendre(order))
    far = (exact * 4.0 ** np.arange(1, 21)).reshape(*ahead, -1)
    inner = jnp.concatenate([jnp.broadcast_to(e, (*lead, e.shape[-1])) for e in (edges, lower + far, upper - far)], -1)
    edges = jnp.concatenate([start, jnp.clip(jnp.sort(inner), start, stop), stop], -1)
    width = jnp.where(long, edges[..., 1:] - edges[..., :-1], 0.0)[..., None]
    at = (edges[..., :-1, None] + width * nodes).reshape(*lead, -1)
    share = jnp.concatenate([share, (width * rule).reshape(at.shape)], -1)
    values = f(jnp.minimum(jnp.concatenate([terms, at], -1), upper))
    return jnp.where(share != 0.0, values * share, 0.0).sum(-1)


def sinh_window(
    envelope: Callable[[jax.Array], jax.Array], least: jax.Array, centre: jax.Array, unit: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """How far x runs to the left and to the right, to where the envelope of a peak at centre + unit sinh(x) is below least.

    To a few hundredths, from 0 to 60: for the trapezoidal rule in x, which follows a peak through all its scales.
    """

    def reach(side: jax.Array) -> jax.Array:
        def halve(_: Any, ends: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            near, far = ends
            middle = 0.5 * (near + far)
            deep = ~(envelope(centre + side * unit * jnp.sinh(middle)) >= least)  # also where 0 meets infinity
            return jnp.where(deep, near, middle), jnp.where(deep, middle, far)

        zero = jnp.zeros_like(centre)
        return jax.lax.fori_loop(0, 11, halve, (zero, zero + 60.0))[1]

    low, high = jax.vmap(reach)(jnp.asarray([-1.0, 1.0], centre.dtype))
    return low, high


def golden_section(f: Callable[[jax.Array], jax.Array], low: jax.Array, high: jax.Array, steps: int = 80) -> jax.Array:
    """Maximise a unimodal ``f`` elementwise between ``low`` and ``high``."""
    ratio = (5.0**0.5 - 1.0) / 2.0

    def step(_: Any, ends: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        a, b = ends
        left, right = b - ratio * (b - a), a + ratio * (b - a)
        better_left = f(left) > f(right)
        return jnp.where(better_left, a, left), jnp.where(better_left, right, b)

    a, b = jax.lax.fori_loop(0, steps, step, (low, high))
    return (a + b) / 2
