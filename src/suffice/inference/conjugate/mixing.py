"""The predictive distribution where it has no closed form: a mixture over values of the parameter."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from suffice.distributions.mixture import Mixture
from suffice.numerics.quadrature import sinh_window

_DEPTH = 600.0  # in nats below the peak: tails are kept that are made by rare values of the parameter
_NODES = 320


def mixed(posterior: Any, member: Callable[[Any], Any]) -> Mixture:
    """∫ p(x|theta) p(theta) dtheta by the trapezoidal rule in z, theta at median + deviation · sinh z unconstrained.

    Nodes follow the posterior from its middle to where its density has fallen by e⁻⁶⁰⁰.
    """
    theta, weights = _nodes(posterior)
    return Mixture(jax.vmap(member)(theta), weights)


@jax.jit
def _nodes(posterior: Any) -> tuple[jax.Array, jax.Array]:
    """Values of the parameter and their weights."""
    support = posterior._support()
    dtype = posterior._dtype

    def inside(v: jax.Array) -> jax.Array:
        return jnp.clip(support.from_real(v), *_ends(support, dtype))

    def log_density(v: jax.Array) -> jax.Array:
        slope = jax.jvp(support.from_real, (v,), (jnp.ones_like(v),))[1]
        some = (slope > 0) & (slope < jnp.inf)
        return jnp.where(some, posterior.log_prob(inside(v)) + jnp.log(jnp.where(some, slope, 1.0)), -jnp.inf)

    def climb(_: Any, at: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        """Newton's step towards the peak on the unconstrained line, no longer than 1."""
        v, _ = at
        slope, curvature = jax.jvp(jax.grad(log_density), (v,), (jnp.ones_like(v),))
        curvature = -jnp.maximum(jnp.abs(curvature), 1e-12)
        return v - jnp.clip(slope / curvature, -1.0, 1.0), 1.0 / jnp.sqrt(-curvature)

    begin = jnp.asarray(support.to_real(jnp.asarray(support.interior(), dtype)), dtype)
    centre, unit = jax.lax.fori_loop(0, 60, climb, (begin, jnp.ones_like(begin)))
    low, high = sinh_window(log_density, log_density(centre) - _DEPTH, centre, unit)
    z = jnp.linspace(-low, high, _NODES)
    at = centre + unit * jnp.sinh(z)
    logs = jax.vmap(log_density)(at) + jnp.log(jnp.cosh(z))
    weights = jax.nn.softmax(jnp.where(jnp.isnan(logs), -jnp.inf, logs))
    return inside(at), weights


def _ends(support: Any, dtype: Any) -> tuple[Any, Any]:
    """The first and the last number inside the support, to which unconstrained ones may round."""
    info = jnp.finfo(dtype)
    low, high = jnp.asarray(support.lower, dtype), jnp.asarray(support.upper, dtype)
    low = jnp.where(jnp.isinf(low), -(info.max**0.5), jnp.where(low == 0.0, info.tiny, low))
    high = jnp.where(jnp.isinf(high), info.max**0.5, high - info.eps * jnp.abs(high))
    return low, high
