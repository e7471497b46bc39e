"""How far censored and truncated rows lie from a distribution, by what they would say of its distribution function.

With u = F(x), given what a row is known of, H(u) = (1/n) Σ P(F(X_i) <= u | row i) is u on average if F is right, and a
distribution function for which H = F is Turnbull's estimate: the distance of H from u says how far F is from that.
Known values of a discrete family stand for the step of F at them.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

_NODES = 512


def _nodes() -> tuple[np.ndarray, np.ndarray]:
    """Points u = sin² θ of (0, 1) and du, dense at both ends."""
    theta = (np.arange(_NODES) + 0.5) * np.pi / (2 * _NODES)
    return np.sin(theta) ** 2, np.sin(2.0 * theta) * np.pi / (2 * _NODES)


def _heights(p: Any, rows: jax.Array) -> tuple[jax.Array, jax.Array]:
    """F at both ends of each row, given its truncation."""
    left, right, lower, upper = rows.T
    left = jnp.where((left == right) & p.discrete, left - 1.0, left)
    f, g, a, b = (p.cdf(end) for end in (left, right, lower, upper))
    s, t, c, d = (p.sf(end) for end in (left, right, lower, upper))
    whole = jnp.where(a < 0.5, b - a, c - d)

    def given(low: jax.Array, high: jax.Array) -> jax.Array:
        return jnp.clip(jnp.where(a < 0.5, low - a, c - high) / whole, 0.0, 1.0)

    return given(f, s), given(g, t)


def _excess(p: Any, rows: jax.Array, w: jax.Array) -> jax.Array:
    """√n (H(u) − u) at the nodes."""
    u = jnp.asarray(_nodes()[0])
    start, end = _heights(p, rows)
    wide = end > start
    width = jnp.where(wide, end - start, 1.0)

    def at(u: jax.Array) -> jax.Array:
        share = jnp.clip((u - start) / width, 0.0, 1.0)
        return w @ jnp.where(wide, share, jnp.where(u >= end, 1.0, 0.0))

    n = w.sum()
    return (jax.lax.map(at, u, batch_size=16) / n - u) * jnp.sqrt(n)


def anderson_darling(p: Any, rows: jax.Array, w: jax.Array) -> jax.Array:
    """n ∫ (H(u) − u)²/(u (1 − u)) du."""
    u, du = map(jnp.asarray, _nodes())
    return jnp.sum(_excess(p, rows, w) ** 2 / (u * (1.0 - u)) * du)


def cramer_von_mises(p: Any, rows: jax.Array, w: jax.Array) -> jax.Array:
    """n ∫ (H(u) − u)² du."""
    return jnp.sum(_excess(p, rows, w) ** 2 * jnp.asarray(_nodes()[1]))


def watson(p: Any, rows: jax.Array, w: jax.Array) -> jax.Array:
    """n ∫ (H(u) − u − mean(H − u))² du."""
    excess, du = _excess(p, rows, w), jnp.asarray(_nodes()[1])
    return jnp.sum((excess - excess @ du) ** 2 * du)


def kolmogorov_smirnov(p: Any, rows: jax.Array, w: jax.Array) -> jax.Array:
    """max |H(u) − u|, over 512 values of u."""
    return jnp.abs(_excess(p, rows, w)).max() / jnp.sqrt(w.sum())


ROWS: dict[str, Callable[..., jax.Array]] = {
    "anderson-darling": anderson_darling,
    "kolmogorov-smirnov": kolmogorov_smirnov,
    "cramer-von-mises": cramer_von_mises,
    "watson": watson,
}
