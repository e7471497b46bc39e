"""Sums of a probability function from a point outwards, to full relative accuracy however long they are."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

_HEAD = 64  # terms that are added one by one; a panel has as many nodes
_GROWTH = 8.0  # a panel ends that many times as far out as it begins
_MOST_PANELS = 20  # 64·8²⁰ is beyond every integer that is exact
# Weights of the last of the terms, exact for polynomials of degree 11: Σ w f(u) + ∫ f from the last on = Σ f. They
# carry the Euler–Maclaurin terms −f/2 − f'/12 + f'''/720 − … there.
_END = (
    1.0052366932579502, 0.9364723177502092, 1.354044543295277, -0.19960212999104998, 3.7557831127458483,
    -3.531270193171669, 6.4881754373295175, -3.9677420936761836, 4.385842932735759, -0.7629060930270524,
    1.766936625977745, 0.2690288467736488,
)  # fmt: skip
HEAD_WEIGHTS = np.concatenate([np.ones(_HEAD - len(_END)), _END])


def _panel_rule() -> tuple[np.ndarray, np.ndarray]:
    nodes, weights = np.polynomial.legendre.leggauss(_HEAD)
    return (nodes + 1.0) / 2.0, weights / 2.0


_NODES, _PANEL = _panel_rule()


def log_tail_sum(
    log_mass: Callable[[jax.Array], jax.Array], start: jax.Array, end: jax.Array, bounded: bool = True
) -> jax.Array:
    """log Σ f(j) over the integers j from ``start`` to ``end``, in either direction, in a few hundred evaluations of f.

    For an f that has its mode near the start or before it, or at the end, and varies on the scale of the distance from
    the ends, as ratios of gamma functions do. At both ends the terms are added one by one; between them the sum is an
    integral with end corrections, by Gauss–Legendre quadrature on panels that grow geometrically. It stops where
    panels no longer matter.

    Args:
        log_mass: log f, of integers and of numbers between them, along a new last axis.
        start: first integer.
        end: last integer; its sign alone matters where not ``bounded``.
        bounded: whether the sum ends; if not, f must vanish far out.

    Returns:
        The logarithm of the sum, of the shape of ``start`` and ``end``; differentiable in forward mode.
    """
    start, end = (v[..., None] for v in jnp.broadcast_arrays(start, end))
    lead, dtype = (1,) * (start.ndim - 1), start.dtype
    nodes, panel, weights = (jnp.asarray(v, dtype).reshape(*lead, -1) for v in (_NODES, _PANEL, HEAD_WEIGHTS))
    count = jnp.arange(_HEAD, dtype=dtype).reshape(*lead, -1)
    sign = jnp.where(end >= start, 1.0, -1.0).astype(dtype)
    length = jnp.abs(end - start) if bounded else jnp.full_like(start, jnp.inf)
    short = length < 2 * _HEAD  # then there is nothing between the ends
    reach = jnp.where(short, 0.0, length / 2.0)

    def both_ends(u: jax.Array, near: jax.Array, far: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Weighted terms at the distance u from the start, and from the end."""
        at, w = start + sign * jnp.minimum(u, length), near
        if bounded:
            at = jnp.concatenate([at, end - sign * jnp.minimum(u, length)], -1)
            w = jnp.concatenate(jnp.broadcast_arrays(near, far), -1)
        value = jnp.where(w != 0.0, log_mass(jnp.broadcast_to(at, jnp.broadcast_shapes(at.shape, w.shape))), -jnp.inf)
        value = jax.lax.optimization_barrier(value)  # or it would be computed, and compiled, for each use
        top = jnp.max(value, axis=-1, keepdims=True)
        top = jax.lax.stop_gradient(top)
        return top, (w * jnp.exp(value - jnp.where(top > -jnp.inf, top, 0.0))).sum(-1, keepdims=True)

    def term(i: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The heads where i = 0, else the i-th panels: one piece of code, compiled once."""
        left = (_HEAD - 1.0) * _GROWTH ** (i - 1.0)
        width = jnp.maximum(jnp.minimum(_GROWTH * left, reach) - left, 0.0)
        first = i == 0
        near = jnp.where(first, jnp.where(short, (count <= length).astype(dtype), weights), width * panel)
        far = jnp.where(first, jnp.where(short, (count <= length - _HEAD).astype(dtype), weights), width * panel)
        return both_ends(jnp.where(first, count, left + width * nodes), near, far)

    def unfinished(state: tuple[jax.Array, ...]) -> jax.Array:
        i, _, total, last = state
        left = (_HEAD - 1.0) * _GROWTH ** (i - 1.0)
        matters = last > 0.01 * jnp.finfo(dtype).eps * total
        return (i == 0) | ((i <= _MOST_PANELS) & jnp.any(matters & (left < reach)))

    def step(state: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        i, top, total, _ = state
        (new_top, more), old_top = term(i), top
        top = jnp.maximum(old_top, new_top)
        unit = jnp.where(top > -jnp.inf, top, 0.0)
        more = more * jnp.exp(new_top - unit)
        return i + 1.0, top, total * jnp.exp(old_top - unit) + more, jax.lax.stop_gradient(more)

    begin = jnp.full_like(start, -jnp.inf), jnp.zeros_like(start)
    _, top, total, _ = jax.lax.while_loop(unfinished, step, (jnp.zeros((), dtype), *begin, jnp.ones_like(start)))
    return (top + jnp.log(total))[..., 0]
