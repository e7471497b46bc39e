"""Transforms E[exp(sX)] of families on a half-line or an interval, where there is no closed form.

Such a family writes two hooks: ``_analytic_log_density(z)``, the log-density of z = ``support.to_real(x)`` (log x,
logit x), an analytic function; and ``_tilt()``, by how much the line of integration may be raised into the complex
plane. On the raised line exp(itx) decays instead of turning round, so that the trapezoidal rule, which converges
exponentially for analytic integrands (Trefethen and Weideman 2014), serves large t as well as small.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

_NODES = 384
_AT_ONCE = 16  # nodes evaluated together: memory stays a small multiple of the result
_DEPTH = 40.0  # exp(−40) is below the rounding of the sum
_FURTHEST = 1e5
_DENSE = 4.0  # half-width of the region of nearly equal spacing

Exponent = Callable[[jax.Array], jax.Array]


def has_analytic_density(p: Any) -> bool:
    """Whether the family writes the hooks."""
    return hasattr(p, "_analytic_log_density")


def fourier(p: Any, t: jax.Array) -> jax.Array:
    """E[exp(i t X)]."""
    shape = np.broadcast_shapes(t.shape, p.batch_shape)
    wide = p._ranked(len(shape) + 1, t.dtype)
    support, angle = wide._support(), wide._tilt()
    speed = jnp.abs(jnp.where(t == 0, 1.0, t)).reshape((1,) * (len(shape) + 1 - t.ndim) + t.shape)
    bounded = support._bounded()[1]

    def exponent(v: jax.Array) -> jax.Array:
        z = jax.lax.complex(v, jnp.broadcast_to(angle, v.shape))
        return wide._analytic_log_density(z) + 1j * speed * support.from_real(z)

    def envelope(v: jax.Array) -> jax.Array:
        z = jax.lax.complex(v, jnp.broadcast_to(angle, v.shape))
        decay = 0.0 if bounded else speed * support.from_real(z).imag
        return wide._analytic_log_density(z).real - decay

    peak, total, _ = _integral(exponent, envelope, 0.0 if bounded else -jnp.log(speed), bounded, shape, t.dtype)
    value = jnp.exp(peak) * total
    return jnp.where(t == 0, 1.0, jnp.where(t < 0, jnp.conj(value), value))


def laplace(p: Any, t: jax.Array) -> jax.Array:
    """log E[exp(t X)]; +inf where the expectation diverges."""
    shape = np.broadcast_shapes(t.shape, p.batch_shape)
    wide = p._ranked(len(shape) + 1, t.dtype)
    support = wide._support()
    rate = t.reshape((1,) * (len(shape) + 1 - t.ndim) + t.shape)
    bounded = support._bounded()[1]

    def exponent(v: jax.Array) -> jax.Array:
        return wide._analytic_log_density(v) + rate * support.from_real(v)

    focus = 0.0 if bounded else -jnp.log(jnp.where(rate == 0, 1.0, jnp.abs(rate)))
    peak, total, diverges = _integral(exponent, exponent, focus, bounded, shape, t.dtype)
    value = peak + jnp.log(total)
    value = jnp.where(t == 0, value - jax.lax.stop_gradient(value), value)  # exactly 0, with its derivatives
    return jnp.where(diverges & (t > 0), jnp.inf, value)


def _integral(
    exponent: Exponent, envelope: Exponent, focus: Any, bounded: bool, shape: tuple[int, ...], dtype: Any
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """(m, s, diverges) with ∫ exp(exponent(v)) dv = exp(m) s over the real line.

    The envelope, a unimodal bound of the exponent's real part, says where the integrand matters. Nodes are equally
    spaced in w, v = focus + 4 sinh(w): dense where exp(itx) sets in, thin along slow exponential tails.

    Functions see arguments with one more axis in front of ``shape``.
    """
    start = jnp.zeros((1, *shape), dtype)
    furthest = start + (_FURTHEST if bounded else 700.0)  # beyond, exp overflows
    mode, diverges = _mode(envelope, start - _FURTHEST, furthest)
    peak = envelope(mode)

    def end(outer: jax.Array) -> jax.Array:
        def halve(_: int, ends: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            inner, outer = ends
            middle = (inner + outer) / 2
            deep = envelope(middle) < peak - _DEPTH
            return jnp.where(deep, inner, middle), jnp.where(deep, middle, outer)

        return jax.lax.fori_loop(0, 40, halve, (mode, outer))[1]

    first, last = (jnp.arcsinh((end(v) - focus) / _DENSE) for v in (start - _FURTHEST, furthest))
    peak, first, last = (jax.lax.stop_gradient(v) for v in (peak, first, last))
    step = (last - first) / (_NODES - 1)

    def add(i: jax.Array, total: jax.Array) -> jax.Array:
        node = (i * _AT_ONCE + jnp.arange(_AT_ONCE)).reshape((_AT_ONCE,) + (1,) * len(shape))
        w = first + node.astype(dtype) * step
        return total + (jnp.exp(exponent(focus + _DENSE * jnp.sinh(w)) - peak) * jnp.cosh(w)).sum(0)

    nothing = jnp.zeros(shape, jax.eval_shape(exponent, start).dtype)
    total = jax.lax.fori_loop(0, _NODES // _AT_ONCE, add, nothing)
    return peak[0], total * (_DENSE * step[0]), diverges[0]


def _mode(envelope: Exponent, low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Where the envelope is largest, by bisection on its slope; and whether it still rises at the upper end."""

    def slope(v: jax.Array) -> jax.Array:
        return jax.jvp(envelope, (v,), (jnp.ones_like(v),))[1]

    def halve(_: int, ends: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        low, high = ends
        middle = (low + high) / 2
        up = slope(middle) > 0
        return jnp.where(up, middle, low), jnp.where(up, high, middle)

    return jax.lax.fori_loop(0, 60, halve, (low, high))[0], slope(high) >= 0
