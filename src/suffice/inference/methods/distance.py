"""The smallest distance between the distribution function of the family and that of the sample."""

from typing import Any

import jax
import jax.numpy as jnp

from suffice.inference.methods.solve import Method


def cramer_von_mises(p: Any, x: jax.Array, w: jax.Array) -> jax.Array:
    """W² = 1/(12 n) + Σ_j (F(x_(j)) − (j − 1/2)/n)² of a sorted sample.

    A value of frequency w takes w places j; the sum over these is that of the middle and of the distances from it.
    """
    n, middle = w.sum(), jnp.cumsum(w) - w / 2.0
    return 1.0 / (12.0 * n) + w @ (p.cdf(x) - middle / n) ** 2 + (w**3 - w).sum() / (12.0 * n**2)


def anderson_darling(p: Any, x: jax.Array, w: jax.Array) -> jax.Array:
    """A² = −n − Σ_j ((2 j − 1) log F(x_(j)) + (2 (n − j) + 1) log (1 − F(x_(j))))/n of a sorted sample."""
    ends = jnp.cumsum(w)
    n, starts = ends[-1], ends - w
    below, above = (ends**2 - starts**2) / n, ((n - starts) ** 2 - (n - ends) ** 2) / n
    seen = w > 0.0
    logs = jnp.where(seen, p.log_cdf(x), 0.0), jnp.where(seen, p.log_sf(x), 0.0)
    return -n - below @ logs[0] - above @ logs[1]


def _near(p: Any, x: jax.Array, w: jax.Array) -> jax.Array:
    return -cramer_von_mises(p, x, w)


def _near_in_the_tails(p: Any, x: jax.Array, w: jax.Array) -> jax.Array:
    return -anderson_darling(p, x, w)


CVM = Method("cvm", objective=_near)
ANDERSON_DARLING = Method("anderson-darling", objective=_near_in_the_tails)
