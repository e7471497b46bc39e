"""The predictive distribution where it has no closed form: a mixture over the quantiles of the posterior."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from suffice.distributions.mixture import Mixture
from suffice.numerics.quadrature import half_unit_nodes


def mixed(posterior: Any, member: Callable[[Any], Any], count: int = 160) -> Mixture:
    """∫ p(x|theta) p(theta) dtheta by the double-exponential rule in the quantile of theta, with 2 ``count`` nodes.

    The rule reaches quantiles of 1e-236, so tails are kept that are made by rare values of theta.
    """
    u, w = (jnp.asarray(v) for v in half_unit_nodes(count))
    theta = jnp.concatenate([posterior.icdf(u), posterior.isf(u)])
    theta = jnp.clip(theta, *_ends(posterior, theta.dtype))
    weights = jnp.concatenate([w, w])
    components = jax.vmap(member)(theta)
    return Mixture(components, weights / weights.sum())


def _ends(posterior: Any, dtype: Any) -> tuple[Any, Any]:
    """The first and the last number inside the support: the deepest quantiles round to its ends."""
    support = posterior._support()
    info = jnp.finfo(dtype)
    low = jnp.asarray(support.lower, dtype)
    high = jnp.asarray(support.upper, dtype)
    low = jnp.where(jnp.isinf(low), -(info.max**0.5), jnp.where(low == 0.0, info.tiny, low))
    high = jnp.where(jnp.isinf(high), info.max**0.5, high - info.eps * jnp.abs(high))
    return low, high
