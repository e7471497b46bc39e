"""Modified Bessel functions of the second kind, of real order, scaled and in logarithms.

2 K_v(x) = ∫ exp(v t − x cosh t) dt over the real line, by the trapezoidal rule about the saddle asinh(v/x), where the
exponent is known without cancellation: it falls by ((w + v) e(y) + (w − v) e(−y))/2 at the distance y, with
w = √(v² + x²) and e(y) = exp(y) − 1 − y.
"""

import math

import jax
import jax.numpy as jnp

from suffice.numerics.quadrature import sinh_window
from suffice.numerics.special.elementary import elementwise, expm1mx
from suffice.numerics.special.gamma import gammaln1p

_LOG_2 = math.log(2.0)
_DEPTH = 40.0
_STEP = 0.22  # exact as long as the integrand is smooth on the scale of 1 and of its width
_SHARE = 0.6  # of the width
_TINY = 1e-8  # below, two terms of the series are all of it


def _fall(v: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    w = jnp.hypot(v, x)
    more = w + v
    return 0.5 * (more * expm1mx(y) + x * (x / more) * expm1mx(-y))


def _integral(v: jax.Array, x: jax.Array) -> jax.Array:
    """log(exp(x) K_v(x)), v >= 0."""
    w = jnp.hypot(v, x)
    still = jax.lax.stop_gradient((v, x))  # the nodes need no derivatives
    width = jax.lax.stop_gradient(1.0 / jnp.sqrt(w))
    low, high = sinh_window(lambda y: -_fall(*still, y), jnp.full_like(w, -_DEPTH), jnp.zeros_like(w), width)
    start, end = -width * jnp.sinh(low), width * jnp.sinh(high)
    needed = (end - start) / jnp.minimum(_STEP, _SHARE * width)
    count = jnp.max(jnp.where(needed > 0.0, jnp.ceil(needed), 0.0), initial=1.0)  # 0 where an argument is NaN
    step = (end - start) / count

    def add(i: jax.Array, total: jax.Array) -> jax.Array:
        return total + jnp.exp(-_fall(v, x, start + i * step))

    total = jax.lax.fori_loop(0, count.astype(int) + 1, add, jnp.zeros_like(w))
    return v * jnp.arcsinh(v / x) - v * (v / (w + x)) + jnp.log(0.5 * step * total)


def _near_zero(v: jax.Array, x: jax.Array) -> jax.Array:
    """log(exp(x) K_v(x)) for tiny x and 0 <= v < ½: (Γ(v) (2/x)^v + Γ(−v) (2/x)^(−v))/2."""
    v = jnp.maximum(v, 1e-30)
    up, down = gammaln1p(v), gammaln1p(-v)
    length = _LOG_2 - jnp.log(x) + (up - down) / (2.0 * v)
    return 0.5 * (up + down) + jnp.log(jnp.sinh(v * length) / v) + x


def _log_value(v: jax.Array, x: jax.Array) -> jax.Array:
    v, x = jnp.broadcast_arrays(jnp.abs(v), x)
    tiny = (x < _TINY) & (v < 0.5)
    ordinary = (x > 0.0) & (x < jnp.inf)
    near = _near_zero(jnp.where(tiny, v, 0.25), jnp.where(tiny & ordinary, x, _TINY))
    value = jnp.where(tiny, near, _integral(jnp.where(ordinary, v, 1.0), jnp.where(ordinary & ~tiny, x, 1.0)))
    outside = jnp.where(x == 0.0, jnp.inf, jnp.where(x == jnp.inf, -jnp.inf, jnp.nan))
    return jnp.where(ordinary & ~jnp.isnan(v), value, jnp.where(jnp.isnan(v), jnp.nan, outside))


def _in_order(y: jax.Array, v: jax.Array, x: jax.Array) -> jax.Array:
    v, x = jnp.broadcast_arrays(v, x)
    return jax.jvp(lambda v: _log_value(v, x), (v,), (jnp.ones_like(v),))[1]


def _in_argument(y: jax.Array, v: jax.Array, x: jax.Array) -> jax.Array:
    return 1.0 - 0.5 * (jnp.exp(log_kve(v + 1.0, x) - y) + jnp.exp(log_kve(v - 1.0, x) - y))


@elementwise(_in_order, _in_argument)
def log_kve(v: jax.Array, x: jax.Array) -> jax.Array:
    """log(exp(x) K_v(x)) for real v and x >= 0, NaN for x < 0; differentiable in both.

    The absolute error is a few units of 2⁻⁵² times 1 + v·abs(log(x/v)): K_v has the condition number v in x.
    """
    return _log_value(v, x)


@elementwise(lambda y, v, x: y * _in_order(y, v, x), lambda y, v, x: y * _in_argument(log_kve(v, x), v, x))
def kve(v: jax.Array, x: jax.Array) -> jax.Array:
    """exp(x) K_v(x), the modified Bessel function of the second kind, scaled, for real v and x >= 0."""
    return jnp.exp(_log_value(v, x))


@elementwise(_in_order, lambda y, v, x: _in_argument(y + x, v, x) - 1.0)
def log_kv(v: jax.Array, x: jax.Array) -> jax.Array:
    """log K_v(x) for real v and x >= 0, NaN for x < 0."""
    return _log_value(v, x) - x


@elementwise(lambda y, v, x: y * _in_order(y, v, x), lambda y, v, x: y * (_in_argument(log_kve(v, x), v, x) - 1.0))
def kv(v: jax.Array, x: jax.Array) -> jax.Array:
    """K_v(x), the modified Bessel function of the second kind, for real v and x >= 0."""
    return jnp.exp(_log_value(v, x) - x)
