"""What follows from a few formulae: every quantity a family does not write out itself.

Each function takes a distribution (parameters already aligned with the argument) and calls the family's hook where
there is one, else computes the quantity: expectations by quadrature over quantiles, drawing by inversion.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions import transforms
from suffice.numerics import quadrature, variates
from suffice.numerics.special.elementary import log1mexp


def own(p: Any, hook: str) -> Callable[..., Any] | None:
    """Return the family's hook of that name, or None."""
    return getattr(p, hook, None)


# -- tails ------------------------------------------------------------------------------------------------------


def cdf(p: Any, x: jax.Array) -> jax.Array:
    hook = own(p, "_cdf")
    return jnp.exp(p._log_cdf(x)) if hook is None else hook(x)


def sf(p: Any, x: jax.Array) -> jax.Array:
    hook = own(p, "_sf")
    return jnp.exp(p._log_sf(x)) if hook is None else hook(x)


def _log_tail(p: Any, x: jax.Array, hook: str, tail: Callable, other: Callable) -> jax.Array:
    """Logarithm of a tail: near certainty from the other tail, so that it is never rounded to 0."""
    own_log = own(p, hook)
    if own_log is not None:
        return own_log(x)
    value, rest = tail(p, x), other(p, x)
    small = value < 0.5
    return jnp.where(small, jnp.log(jnp.where(small, value, 0.5)), jnp.log1p(-jnp.where(small, 0.5, rest)))


def log_cdf(p: Any, x: jax.Array) -> jax.Array:
    return _log_tail(p, x, "_log_cdf", cdf, sf)


def log_sf(p: Any, x: jax.Array) -> jax.Array:
    return _log_tail(p, x, "_log_sf", sf, cdf)


def log_interval(p: Any, lower: jax.Array, upper: jax.Array) -> jax.Array:
    """log P(lower < X <= upper), from whichever tail is the smaller, so that nothing cancels."""
    return log_interval_and_gap(p, lower, upper)[0]


def log_interval_and_gap(p: Any, lower: jax.Array, upper: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The same, and by how much the logarithms of the tails at the ends differ."""
    ends = jnp.stack([lower, upper])
    (log_f_low, log_f_high), (log_s_low, log_s_high) = p.log_cdf(ends), p.log_sf(ends)
    from_left = log_f_high < log_s_low
    big = jnp.where(from_left, log_f_high, log_s_low)
    small = jnp.where(from_left, log_f_low, log_s_high)
    nonempty = big > small
    # exp(big) − exp(small), with a finite stand-in where the interval is empty or the smaller end is at minus infinity
    gap = jnp.where(small > -jnp.inf, small - jnp.where(nonempty, big, small), -jnp.inf)
    finite = nonempty & (gap > -jnp.inf)
    share = jnp.where(finite, log1mexp(jnp.where(finite, gap, -1.0)), 0.0)
    return jnp.where(nonempty, jnp.where(nonempty, big, 0.0) + share, -jnp.inf), gap


def log_mass(p: Any, lower: jax.Array, upper: jax.Array) -> jax.Array:
    """log P(lower < X <= upper), also for intervals so short that the tails at their ends hardly differ.

    There the density is integrated instead, by Gauss–Legendre quadrature with 16 nodes.
    """
    return short_integrated(p, lower, upper, *log_interval_and_gap(p, lower, upper))


def short_integrated(p: Any, lower: jax.Array, upper: jax.Array, value: jax.Array, gap: jax.Array) -> jax.Array:
    """``log_interval_and_gap`` told, with the density integrated over intervals that are short."""
    if p.discrete or own(p, "_from_sides") is not None:  # no density, or one with a kink
        return value
    short = (gap > -0.01) & (upper > lower)
    width = jnp.where(short, upper - lower, 1.0)
    start = jnp.where(short, lower, p._support().interior())
    nodes, weights = quadrature.unit_legendre(16)
    logs = jax.vmap(lambda node, log_weight: p._log_prob(start + width * node) + log_weight)(nodes, np.log(weights))
    return jnp.where(short, jax.nn.logsumexp(logs, axis=0) + jnp.log(width), value)


def icdf(p: Any, q: jax.Array) -> jax.Array:
    return p._icdf(q)


def isf(p: Any, q: jax.Array) -> jax.Array:
    return p._isf(q)


# -- drawing ----------------------------------------------------------------------------------------------------


def sample(p: Any, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Draw by the family's method, else by inversion: a fair side, and a uniform on (0, 1/2) for its tail."""
    hook = own(p, "_sample")
    if hook is not None:
        return hook(key, shape)
    dtype = jnp.result_type(*jax.tree.leaves(p), float)
    tail, upper = variates.two_tailed(key, shape, dtype)
    return jnp.where(upper, p.isf(tail), p.icdf(tail))


# -- expectations -----------------------------------------------------------------------------------------------


def column(p: Any) -> Any:
    """The same distributions with one more axis at the end of the batch, for nodes to broadcast against.

    In double precision where that is on: the deepest nodes would underflow in single.
    """
    return p._ranked(len(p.batch_shape), jnp.result_type(float))._column()


def expectation(p: Any, g: Callable[[jax.Array], jax.Array], count: int = 160) -> jax.Array:
    """E[g(X)] for a univariate distribution by quadrature over its quantiles (discrete: by summation).

    ``g`` sees points along a new last axis, after those of the batch; for discrete families also between integers. A
    family whose quantiles jump, having masses far apart or beyond all numbers, writes ``_rule(count)``: points and
    weights along a new axis.
    """
    dtype, p = jnp.result_type(*jax.tree.leaves(p), float), column(p)
    if (rule := own(p, "_rule")) is not None:
        x, w = rule(count)
        value = (g(x) * w).sum(-1)
    elif p.discrete:
        levels = jnp.concatenate([jnp.asarray([1e-290]), jax.nn.sigmoid(jnp.linspace(-45.0, 0.0, 17))])
        below, above = p.icdf(levels), p.isf(levels[-2::-1])
        lower, upper = (below[..., :1], above[..., -1:]) if p.batch_shape else (below[0], above[-1])
        edges = jnp.concatenate([below[..., 1:], above[..., :-1]], -1)
        value = quadrature.sum_over_integers(lambda k: jnp.exp(p._log_prob(k)) * g(k), lower, upper, edges)
    else:
        u, w = (jnp.asarray(v) for v in quadrature.half_unit_nodes(count))
        value = (g(p.icdf(u)) + g(p.isf(u))) @ w
    return value.astype(jnp.promote_types(dtype, value.dtype) if jnp.iscomplexobj(value) else dtype)


def mean(p: Any) -> jax.Array:
    hook = own(p, "_mean")
    return expectation(p, lambda x: x) if hook is None else hook()


def standardised(p: Any, order: int, unit: jax.Array) -> jax.Array:
    """E[((X − mean)/unit)^order]."""
    centre, unit = (v[..., None] if jnp.ndim(v) else v for v in (mean(p), unit))
    return expectation(p, lambda x: ((x - centre) / unit) ** order)


def variance(p: Any) -> jax.Array:
    hook = own(p, "_variance")
    if hook is None and p.event_ndim == 1:
        return jnp.diagonal(covariance(p), axis1=-2, axis2=-1)
    return standardised(p, 2, jnp.asarray(1.0)) if hook is None else hook()


def covariance(p: Any) -> jax.Array:
    return p._covariance_matrix()


def skewness(p: Any) -> jax.Array:
    hook = own(p, "_skewness")
    return standardised(p, 3, jnp.sqrt(variance(p))) if hook is None else hook()


def kurtosis(p: Any) -> jax.Array:
    hook = own(p, "_kurtosis")
    return standardised(p, 4, jnp.sqrt(variance(p))) - 3.0 if hook is None else hook()


def entropy(p: Any) -> jax.Array:
    hook = own(p, "_entropy")
    if hook is not None:
        return hook()
    if p.event_ndim:
        raise NotImplementedError(f"{type(p).__name__}: its entropy has no closed form")
    wide = column(p)
    return expectation(p, lambda x: -wide._log_prob(x))


def mode(p: Any) -> jax.Array:
    hook = own(p, "_mode")
    return peak(p) if hook is None else hook()


def peak(p: Any) -> jax.Array:
    """Where a density with one peak is highest: the best of a grid of quantiles, refined by golden section."""
    levels = jnp.linspace(0.0, 1.0, 257, dtype=jnp.result_type(*jax.tree.leaves(p), float))[1:-1]
    at = jax.vmap(p.icdf)(levels)
    best = jnp.argmax(jax.vmap(p.log_prob)(at), axis=0)
    low = p.icdf(levels[jnp.maximum(best - 1, 0)])
    high = p.icdf(levels[jnp.minimum(best + 1, levels.size - 1)])
    return quadrature.golden_section(p.log_prob, low, high)


def _transform_of(p: Any, name: str) -> Callable[..., Any] | None:
    hook = own(p, name)
    if hook is None and p.event_ndim:
        raise NotImplementedError(f"{type(p).__name__}: its transforms have no closed form")
    return hook


def cumulant(p: Any, t: jax.Array) -> jax.Array:
    hook = _transform_of(p, "_cumulant")
    if hook is not None:
        return hook(t)
    return transforms.laplace(p, t) if transforms.has_analytic_density(p) else jnp.log(transform(p, t, jnp.exp))


def cf(p: Any, t: jax.Array) -> jax.Array:
    hook = _transform_of(p, "_cf")
    if hook is not None:
        return hook(t)
    if transforms.has_analytic_density(p):
        return transforms.fourier(p, t)
    return transform(p, t, lambda v: jnp.exp(1j * v))


def transform(p: Any, t: jax.Array, outer: Callable[[jax.Array], jax.Array]) -> jax.Array:
    """E[outer(t X)] for each t, by quadrature over quantiles (discrete: by summation)."""
    shape = np.broadcast_shapes(t.shape, p.batch_shape)
    nodes = 800  # waves need more than moments
    if p.discrete or own(p, "_rule") is not None:
        t = jnp.broadcast_to(t, shape)
        full = jax.tree.map(lambda v: jnp.reshape(v, (1,) * (len(shape) - v.ndim) + v.shape), p)
        return expectation(full, lambda x: outer(t[..., None] * x), nodes)
    u, w = (jnp.asarray(v) for v in quadrature.half_unit_nodes(nodes))
    along = (slice(None),) + (None,) * len(shape)
    largest = float(jnp.finfo(t.dtype).max) ** 0.5  # the deepest quantiles of a heavy tail overflow
    low, high = (jnp.clip(v, -largest, largest) for v in (p.icdf(u[along]), p.isf(u[along])))
    t = jnp.broadcast_to(t, shape)[None] if shape else t
    return jnp.tensordot(w, outer(t * low) + outer(t * high), axes=1)
