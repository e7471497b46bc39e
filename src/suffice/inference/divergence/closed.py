"""What has a closed form: Kullback–Leibler and Rényi divergences of the pairs in the table, and of what is built of them."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.product import Independent, Product
from suffice.inference.divergence import kl_arrays, kl_counts, kl_cross, kl_numbers  # noqa: F401  they fill the table
from suffice.inference.divergence.exponential import bregman, geometric_mixture, share_base
from suffice.inference.divergence.pairs import aligned, checked, find, holds, restricted
from suffice.numerics.checks import is_traced


def has_kl(p: Any, q: Any) -> bool:
    """Whether KL(p ‖ q) has a closed form."""
    if (parts := _parts(p, q)) is not None:
        return all(has_kl(a, b) for a, b in parts)
    found = find(type(p), type(q))
    if found is not None:
        pair, p_form, q_form = found
        return holds(pair, p_form(p), q_form(q))
    return share_base(p, q)


def has_renyi(p: Any, q: Any) -> bool:
    """Whether Rényi's divergences have closed forms."""
    if (parts := _parts(p, q)) is not None:
        return all(has_renyi(a, b) for a, b in parts)
    forms = _same_form(p, q)
    return forms is not None and has_kl(*forms)


def _same_form(p: Any, q: Any) -> tuple[Any, Any] | None:
    """The pair as members of one exponential family, by a map if need be."""
    if share_base(p, q):
        return p, q
    found = find(type(p), type(q))
    if found is None:
        return None
    p, q = found[1](p), found[2](q)
    return (p, q) if share_base(p, q) else None


def _parts(p: Any, q: Any) -> list[tuple[Any, Any]] | None:
    """The pairs of parts of two distributions made of independent ones."""
    if isinstance(p, Independent) and isinstance(q, Independent):
        return [(p.base, q.base)]
    if isinstance(p, Product) and isinstance(q, Product):
        pairs = list(zip(p.parts, q.parts, strict=False))
        same = len(p.parts) == len(q.parts) and all(a.event_shape == b.event_shape for a, b in pairs)
        return pairs if same else None
    return None


def _over_parts(function: Any, p: Any, q: Any, *rest: Any) -> jax.Array | None:
    """The sum over independent parts, of which a repetition's lie along the last axis of the batch."""
    parts = _parts(p, q)
    if parts is None:
        return None
    if isinstance(p, Independent):
        size = np.broadcast_shapes(p.base.batch_shape[-1:], q.base.batch_shape[-1:])
        inner = function(p.base, q.base, *(r[..., None] if jnp.ndim(r) else r for r in rest))
        return jnp.broadcast_to(inner, inner.shape[:-1] + size).sum(-1)
    return sum((function(a, b, *rest) for a, b in parts), start=jnp.zeros(()))


def _kl(p: Any, q: Any) -> jax.Array:
    summed = _over_parts(_kl, p, q)
    if summed is not None:
        return summed
    p, q = aligned(p, q)
    found = find(type(p), type(q))
    if found is None:
        return checked(p, q, bregman(p, q))
    pair, p_form, q_form = found
    return checked(p, q, restricted(pair, p_form(p), q_form(q)))


def renyi(p: Any, q: Any, order: jax.Array) -> jax.Array:
    """KL(m ‖ q) + order/(1 − order) KL(m ‖ p), m the member with natural parameter order η_p + (1 − order) η_q.

    Not one program but several small ones: that of KL serves thrice.
    """
    summed = _over_parts(renyi, p, q, order)
    if summed is not None:
        return summed
    p, q = aligned(*_same_form(p, q))  # type: ignore[misc]
    rank = max(len(p.batch_shape), len(q.batch_shape), jnp.ndim(order))
    plain = p, q
    p, q = p._ranked(rank, p._dtype), q._ranked(rank, q._dtype)
    order = jnp.asarray(order, p._dtype)
    order = order.reshape((1,) * (rank - order.ndim) + order.shape) if order.ndim else order
    one = order == 1.0
    other = jnp.where(one, 0.5, order)
    m, valid = _mixture(p, q, other)
    value = jnp.where(valid, kl(m, q) + other / (1.0 - other) * kl(m, p), jnp.inf)
    if is_traced(order) or np.any(one):
        limit = kl(*plain)
        value = jnp.where(one, limit.reshape((1,) * (rank - limit.ndim) + limit.shape), value)
    return checked(p, q, value, np.broadcast_shapes(p.batch_shape, q.batch_shape, order.shape))


@jax.jit
def _mixture(p: Any, q: Any, order: jax.Array) -> tuple[Any, jax.Array]:
    m = geometric_mixture(p, q, order)
    return m, jnp.asarray(m._valid())


kl = jax.jit(_kl)
