"""Divergences of two members of one exponential family, from its log-partition function A alone."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.declaration import is_static
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.multivariate_normal import MultivariateNormal
from suffice.distributions.normal import LogNormal, Normal
from suffice.numerics import linalg
from suffice.numerics.checks import is_traced
from suffice.numerics.quadrature import unit_legendre

_AGREE = 1e-9  # of ten nodes; sixteen are then right to the last digits
_TEN, _SIXTEEN = unit_legendre(10), unit_legendre(16)
_NODES = np.concatenate([_TEN[0], _SIXTEEN[0]])
_RULES = (
    np.concatenate([_TEN[1], np.zeros(16)]) * (1.0 - _NODES),
    np.concatenate([np.zeros(10), _SIXTEEN[1]]) * (1.0 - _NODES),
)


def share_base(p: Any, q: Any) -> bool:
    """Whether two distributions are members of one exponential family, held parameters and all."""
    if type(p) is not type(q) or not isinstance(p, ExponentialFamily):
        return False
    held = [(getattr(p, name), getattr(q, name)) for name in _held(type(p))]
    return is_traced(p, q) or all(jnp.shape(a) == jnp.shape(b) and bool(jnp.all(a == b)) for a, b in held)


def _held(family: Any) -> list[str]:
    """Names of what is never estimated: the base measure may depend on it."""
    fixed = [f.name for f in dataclasses.fields(family) if is_static(f)]
    return [*fixed, *(name for name in family.held if name not in fixed)]


def bregman(p: Any, q: Any) -> jax.Array:
    """KL(p ‖ q) = A(η_q) − A(η_p) − ∇A(η_p)·(η_q − η_p).

    Where quadrature of ∫ (1 − s) δᵀ∇²A(η_p + s δ)δ ds with ten and with sixteen nodes agrees, by that, which cancels
    nothing; elsewhere the parameters are far apart and the difference itself is exact.
    """
    eta = p._natural()
    eta, step = jnp.broadcast_arrays(eta, q._natural() - eta)
    dtype = eta.dtype

    def along(s: jax.Array) -> jax.Array:
        return p._log_partition(eta + s * step)

    def slope(s: jax.Array) -> jax.Array:
        return jax.jvp(along, (s,), (jnp.ones_like(s),))[1]

    def curvature(s: jax.Array) -> jax.Array:
        return jax.jvp(slope, (s,), (jnp.ones_like(s),))[1]

    curved = jax.lax.map(curvature, jnp.asarray(_NODES, dtype))
    coarse, fine = (jnp.tensordot(jnp.asarray(w, dtype), curved, 1) for w in _RULES)
    near = jnp.abs(fine - coarse) <= _AGREE * jnp.abs(fine)
    zero, one = jnp.zeros((), dtype), jnp.ones((), dtype)
    return jnp.where(near, fine, along(one) - along(zero) - slope(zero))


def geometric_mixture(p: Any, q: Any, order: jax.Array) -> Any:
    """The member with natural parameter order · η_p + (1 − order) · η_q; invalid where that leaves the domain."""
    special = _MIXTURES.get(type(p))
    if special is not None:
        return special(p, q, order)
    held = {name: getattr(p, name) for name in _held(type(p))}
    eta, other = p._natural(), q._natural()
    rank = max(eta.ndim, other.ndim, order.ndim + 1)
    eta, other, order = (_lifted(v, rank) for v in (eta, other, order[..., None]))
    return type(p)._from_natural(_between(eta, other, order), **held)


def _lifted(value: jax.Array, rank: int) -> jax.Array:
    """The same with axes of length 1 before its own."""
    return value.reshape((1,) * (rank - value.ndim) + value.shape)


def _between(a: jax.Array, b: jax.Array, order: jax.Array) -> jax.Array:
    """b + order (a − b), where infinite log-odds say what is impossible: NaN where nothing is left, or a power of 1/0."""
    a_ends, b_ends = jnp.isinf(a), jnp.isinf(b)
    inner = jnp.where(b_ends, 0.0, b) + order * (jnp.where(a_ends, 0.0, a) - jnp.where(b_ends, 0.0, b))
    impossible = jnp.where(a_ends & (~b_ends | (a == b)), a, jnp.where(~a_ends & (order < 1.0), b, jnp.nan))
    return jnp.where(a_ends | b_ends, impossible, inner)


def _normal(p: Any, q: Any, order: jax.Array) -> Any:
    """About the locations, whose digits natural coordinates would lose."""
    share = order * (q.scale / p.scale) ** 2  # the precisions, in units of that of q
    precision = share + (1.0 - order)
    valid = precision > 0.0
    scale = jnp.where(valid, q.scale / jnp.sqrt(jnp.where(valid, precision, 1.0)), -1.0)
    return type(p)(q.loc + share / jnp.where(valid, precision, 1.0) * (p.loc - q.loc), scale)


def _multivariate_normal(p: Any, q: Any, order: jax.Array) -> Any:
    rank = p.scale_tril.ndim
    weight = _lifted(order[..., None, None], rank)
    precision = weight * p.precision() + (1.0 - weight) * q.precision()
    factor = linalg.factor_of_inverse(0.5 * (precision + jnp.swapaxes(precision, -1, -2)))
    pull = weight[..., 0] * (p.precision() @ (p.loc - q.loc)[..., None])[..., 0]
    loc = q.loc + linalg.times(factor, linalg.times_transposed(factor, pull))
    return MultivariateNormal(loc, scale_tril=factor)  # type: ignore[call-arg]


_MIXTURES = {Normal: _normal, LogNormal: _normal, MultivariateNormal: _multivariate_normal}
