"""The predictive distribution where it has no closed form: a mixture over values of the parameter."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from suffice.distributions.declaration import parameter
from suffice.distributions.mixture import Mixture
from suffice.numerics import domain
from suffice.numerics.quadrature import sinh_window

_DEPTH = 600.0  # in nats below the peak: tails are kept that are made by rare values of the parameter
_NODES = 320


class Moments(NamedTuple):
    """What is known of a predictive law's moments: of heavy tails a rule of finitely many values sees none.

    Attributes:
        mean, variance: in closed form, infinite where they are.
        order: moments of lower orders are finite.
    """

    mean: Any
    variance: Any
    order: Any


class MixedOver(Mixture):
    """A mixture over the nodes of a quadrature, with moments in closed form.

    Args:
        components, weights: as of a ``Mixture``.
        exact_mean, exact_variance: of the law that the quadrature stands for.
        order: moments of lower orders are finite.
    """

    exact_mean: jax.Array = parameter(domain.extended_real, doc="mean")
    exact_variance: jax.Array = parameter(domain.Interval(lower=0.0, closed=(True, True)), doc="variance")
    order: jax.Array = parameter(
        domain.Interval(lower=0.0, closed=(True, True)), doc="order below which moments are finite"
    )

    def _mean(self) -> jax.Array:
        return self.exact_mean

    def _variance(self) -> jax.Array:
        return self.exact_variance

    def _skewness(self) -> jax.Array:
        return jnp.where(self.order > 3.0, super()._skewness(), jnp.nan)

    def _kurtosis(self) -> jax.Array:
        return jnp.where(self.order > 4.0, super()._kurtosis(), jnp.nan)


def mixed(posterior: Any, member: Callable[[Any], Any], moments: Moments | None = None) -> Mixture:
    """∫ p(x|theta) p(theta) dtheta by the trapezoidal rule in z, theta at median + deviation · sinh z unconstrained.

    Nodes follow the posterior from its middle to where its density has fallen by e⁻⁶⁰⁰.
    """
    theta, weights = _nodes(posterior)
    components = jax.vmap(member)(theta)
    return Mixture(components, weights) if moments is None else MixedOver(components, weights, *moments)


@jax.jit
def _nodes(posterior: Any) -> tuple[jax.Array, jax.Array]:
    """Values of the parameter and their weights."""
    support = posterior._support()
    dtype = posterior._dtype

    def inside(v: jax.Array) -> jax.Array:
        return jnp.clip(support.from_real(v), *_ends(support, dtype))

    def log_density(v: jax.Array) -> jax.Array:
        slope = jax.jvp(support.from_real, (v,), (jnp.ones_like(v),))[1]
        theta = support.from_real(v)
        some = (slope > 0) & (slope < jnp.inf) & (theta == inside(v))  # no mass is put on a last number
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
