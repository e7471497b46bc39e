"""Divergences of two laws of numbers: by quadrature over the quantiles of both, or by summation over the integers."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.bernoulli import Bernoulli, Categorical
from suffice.inference.divergence.generators import Generator, log_power
from suffice.inference.divergence.nodes import LADDER, WEIGHTS, Nodes, ladder, nodes_of
from suffice.numerics import quadrature

_EPS = float(np.finfo(float).eps)


def over_batch(function: Callable[..., Any], p: Any, q: Any, rest: tuple[Any, ...] = (), event_ndim: int = 0) -> Any:
    """Map a function of single distributions, and of arrays with that many axes, over the batch they make together."""
    leads = [jnp.shape(r)[: jnp.ndim(r) - event_ndim] for r in rest]
    batch = np.broadcast_shapes(p.batch_shape, q.batch_shape, *leads)
    p, q = in_double(p), in_double(q)
    if not batch:
        return function(p, q, *rest)

    def flat(value: jax.Array, axes: int) -> jax.Array:
        event = value.shape[value.ndim - axes :]
        value = value.reshape((1,) * (len(batch) + axes - value.ndim) + value.shape)
        return jnp.broadcast_to(value, batch + event).reshape((-1, *event))

    found = jax.vmap(function)(p._mapped(flat), q._mapped(flat), *(flat(jnp.asarray(r), event_ndim) for r in rest))
    return jax.tree.map(lambda v: v.reshape(batch + v.shape[1:]), found)


def nodes(p: Any, q: Any, split: bool) -> Nodes:
    """Both densities at the nodes of all panels; quantiles are compiled once for each family."""
    return _nodes(p, q, ladder(in_double(p)), ladder(in_double(q)), split)


def in_double(p: Any) -> Any:
    """The deepest quantiles would underflow in single precision."""
    return p._ranked(len(p.batch_shape), jnp.result_type(float))


@functools.partial(jax.jit, static_argnums=4)
def _nodes(p: Any, q: Any, p_ladder: jax.Array, q_ladder: jax.Array, split: bool) -> Nodes:
    return over_batch(lambda p, q, a, b: nodes_of(p, q, a, b, split), p, q, (p_ladder, q_ladder), event_ndim=2)


def panel_sum(values: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The sum over panels by Kronrod's rule, and a bound of its error from how far Gauss's differ.

    Source: Piessens, de Doncker-Kapenga, Überhuber and Kahaner (1983), QUADPACK, section 2.
    """
    fine, coarse = (values @ jnp.asarray(w, values.dtype) for w in WEIGHTS)
    spread = jnp.abs(values - 0.5 * fine[..., None]) @ jnp.asarray(WEIGHTS[0], values.dtype)
    gap = jnp.abs(fine - coarse)
    some = spread > 0.0
    share = jnp.minimum(1.0, (200.0 * gap / jnp.where(some, spread, 1.0)) ** 1.5)
    error = jnp.where(some, spread * share, gap)
    return fine.sum(-1), error.sum(-1) + 50.0 * _EPS * jnp.abs(fine).sum(-1)


def beside(order: Any, axes: int) -> Any:
    """An order for each member of a batch, beside that many axes of nodes."""
    return jnp.reshape(order, jnp.shape(order) + (1,) * axes) if jnp.ndim(order) else order


def _lifted(n: Nodes, order: Any) -> Nodes:
    """Nodes with as many batch axes as the order has."""
    missing = jnp.ndim(order) - (n.ratio.ndim - 2)
    return jax.tree.map(lambda v: v.reshape((1,) * max(missing, 0) + v.shape), n)


@functools.partial(jax.jit, static_argnums=0)
def integral(generator: Generator, n: Nodes, order: Any) -> tuple[jax.Array, jax.Array]:
    """E_p[g] + E_q[g] and its error; infinite where an integrand does not vanish in the tails."""
    n = _lifted(n, order)
    mass = jnp.exp(n.log_mass)
    value, error = panel_sum(mass * jnp.where(mass > 0.0, generator(n.ratio, beside(order, 2)), 0.0))
    tail = jnp.log(jnp.abs(generator(n.tail, beside(order, 3))))
    fall = 1.0 - (tail[..., 1] - tail[..., 0]) / (LADDER[-1] - LADDER[-2])
    some = tail[..., 1] > -jnp.inf
    diverges = some & ~(fall > 0.0)
    rest = jnp.where(some & ~diverges, 0.5 * jnp.exp(tail[..., 1] - LADDER[-1]) / jnp.where(diverges, 1.0, fall), 0.0)
    beyond = jnp.where(n.lost > 0.0, n.lost * jnp.abs(generator(n.edge, beside(order, 2))), 0.0)
    value = jnp.where(diverges.any((-2, -1)), jnp.inf, value)
    return value, jnp.where(jnp.isinf(value), 0.0, error + (rest + beyond).sum((-2, -1)))


@jax.jit
def log_integral(n: Nodes, order: Any) -> tuple[jax.Array, jax.Array]:
    """log ∫ p^α q^(1−α), where that is small, and the relative error of the integral."""
    n = _lifted(n, order)
    logs = log_power(n.ratio, beside(order, 2)) + n.log_mass
    logs = jnp.where(n.log_mass > -jnp.inf, logs, -jnp.inf)
    top = logs.max((-2, -1))
    top = jnp.where(jnp.isfinite(top), top, 0.0)
    value, error = panel_sum(jnp.exp(logs - top[..., None, None]))
    return jnp.log(value) + top, error / jnp.where(value > 0.0, value, 1.0)


# -- counts ----------------------------------------------------------------------------------------------------------


def _log_mass(p: Any, x: jax.Array) -> jax.Array:
    """log p also between the integers of the support, where a sum is continued as an integral."""
    support = p._support()
    within = (x >= support.lower) & (x <= support.upper)
    return jnp.where(within, p._log_prob(jnp.where(within, x, support.interior())), -jnp.inf)


def total(generator: Generator, p: Any, q: Any, order: Any) -> tuple[jax.Array, jax.Array]:
    """Σ (p + q) g over the integers, and how far rules of two orders differ."""
    sizes = _classes(p), _classes(q)
    if None not in sizes:
        return _few(generator, p, q, order, max(sizes))  # type: ignore[type-var]
    return _total(generator, p, q, order, ladder(in_double(p)), ladder(in_double(q)))


def _classes(p: Any) -> int | None:
    """How many classes 0, 1, … a law has, where that is part of its type."""
    if isinstance(p, Categorical):
        return p.logits.shape[-1]
    return 2 if isinstance(p, Bernoulli) else None


def _terms(generator: Generator, a: jax.Array, b: jax.Array, order: Any) -> jax.Array:
    """(p + q) g from log p and log q."""
    mass = jnp.logaddexp(a, b)
    some = mass > -jnp.inf
    ratio = jnp.where(some, a, 0.0) - jnp.where(some, b, 0.0)
    share = jnp.exp(mass)
    return jnp.where(share > 0.0, share * generator(ratio, order), 0.0)


@functools.partial(jax.jit, static_argnums=(0, 4))
def _few(generator: Generator, p: Any, q: Any, order: Any, size: int) -> tuple[jax.Array, jax.Array]:
    rank = max(len(p.batch_shape), len(q.batch_shape), jnp.ndim(order))
    k = jnp.arange(float(size)).reshape((-1,) + (1,) * rank)
    order = jnp.reshape(order, (1,) * (rank + 1 - jnp.ndim(order)) + jnp.shape(order)) if jnp.ndim(order) else order
    value = _terms(generator, p.log_prob(k), q.log_prob(k), order).sum(0)
    return value, jnp.where(jnp.isfinite(value), 50.0 * _EPS * jnp.abs(value), 0.0)


@functools.partial(jax.jit, static_argnums=0)
def _total(generator: Generator, p: Any, q: Any, order: Any, *ladders: jax.Array) -> tuple[jax.Array, jax.Array]:
    def single(p: Any, q: Any, order: jax.Array, *ladders: jax.Array) -> tuple[jax.Array, jax.Array]:
        edges = jnp.sort(jnp.concatenate([v.reshape(-1) for v in ladders]))

        def f(k: jax.Array) -> jax.Array:
            return _terms(generator, _log_mass(p, k), _log_mass(q, k), order.reshape(()))

        fine, coarse = (quadrature.sum_over_integers(f, edges[:1], edges[-1:], edges, order=n) for n in (16, 12))
        rungs = jnp.stack(ladders)[..., -2:]  # of each law, on both sides
        a, b = _log_mass(p, rungs), _log_mass(q, rungs)
        gap = jnp.where((a == b) & jnp.isinf(a), 0.0, a - b)
        tail = jnp.log(jnp.abs(generator(gap, order.reshape(()))))
        grows = (tail[..., 1] - tail[..., 0]) / (LADDER[-1] - LADDER[-2])  # as fast as the mass falls, or faster
        diverges = ((tail[..., 1] > -jnp.inf) & ~(grows < 1.0)).any()
        fine = jnp.where(diverges, jnp.inf, fine)
        finite = jnp.isfinite(fine)
        return fine, jnp.where(finite, jnp.abs(fine - coarse) + 50.0 * _EPS * jnp.abs(fine), 0.0)

    order = jnp.asarray(order, float)[..., None, None]
    return over_batch(single, p, q, (order, *ladders), event_ndim=2)
