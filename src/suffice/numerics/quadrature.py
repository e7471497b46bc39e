"""Integrals and sums with fixed nodes, so that they compile small and differentiate."""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


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

    The first and the last ``exact`` terms are added one by one; the rest is an integral over panels between
    ``edges``, such as quantiles, with the Euler–Maclaurin terms at its ends: a thousand integers from the ends of its
    support a probability function is smooth.
    """
    lower, upper = jnp.floor(lower), jnp.ceil(upper)
    steps = jnp.arange(exact, dtype=lower.dtype).reshape((1,) * (lower.ndim - 1) + (exact,))
    start = lower + exact
    stop = jnp.maximum(upper - exact + 1.0, start)
    k = jnp.concatenate([lower + steps, stop + steps], -1)
    terms = jnp.where(k <= upper, f(jnp.minimum(k, upper)), 0.0).sum(-1)

    edges = jnp.clip(edges, start, stop)
    ends = [jnp.broadcast_to(end, (*edges.shape[:-1], 1)) for end in (start, stop)]
    edges = jnp.concatenate([ends[0], edges, ends[1]], -1)
    nodes, weights = (jnp.asarray(v) for v in unit_legendre(order))
    width = (edges[..., 1:] - edges[..., :-1])[..., None]
    nodes, weights = (v.reshape((1,) * (edges.ndim) + (order,)) for v in (nodes, weights))
    at = edges[..., :-1, None] + width * nodes
    flat = at.reshape((*at.shape[:-2], -1))
    body = (f(flat) * (width * weights).reshape(flat.shape)).sum(-1)
    both = jnp.broadcast_to(jnp.concatenate(ends, -1), (*body.shape, 2))
    value, slope = jax.jvp(f, (both,), (jnp.ones_like(both),))
    corrections = value / 2 - slope / 12
    middle = body + corrections[..., 0] - corrections[..., 1]
    return terms + jnp.where((stop > start)[..., 0] if stop.ndim else stop > start, middle, 0.0)


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
