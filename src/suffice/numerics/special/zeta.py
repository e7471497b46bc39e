"""The zeta function of Hurwitz, its logarithm, and sums of powers of integers, by Euler–Maclaurin.

ζ(s, q) = Σₖ (q + k)^(−s), k = 0, 1, …: ten terms one by one, and from there on the pole ∫ x^(−s) dx, carried exactly,
with eight corrections. All is in units of q^(−s), so that nothing overflows.
"""

import jax
import jax.numpy as jnp

from suffice.numerics.special.elementary import elementwise

_TERMS = 10
# B₂ⱼ₊₂/(2j + 2)! over B₂ⱼ/(2j)!, j = 1 … 7
_RATIOS = (-1 / 60, -1 / 42, -1 / 40, -5 / 198, -691 / 27300, -35 / 1382, -3617 / 142800)


def _rest(s: jax.Array, q: jax.Array) -> jax.Array:
    """q^s ζ(s, q) − 1 without the pole."""

    def add(k: jax.Array, total: jax.Array) -> jax.Array:
        return total + jnp.exp(-s * jnp.log1p(k / q))

    head = jax.lax.fori_loop(1, _TERMS, add, jnp.zeros_like(s * q))
    end = q + _TERMS
    power = jnp.minimum(s, 100.0 * end)  # beyond, the corrections have vanished
    square = (1.0 / end) ** 2
    series = jnp.ones_like(head)
    for j in reversed(range(len(_RATIOS))):
        series = 1.0 + _RATIOS[j] * ((power + 2 * j + 1) * (power + 2 * j + 2) * square) * series
    return head + jnp.exp(-s * jnp.log1p(_TERMS / q)) * (0.5 + power / (12.0 * end) * series)


def _unscaled(s: jax.Array, q: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(q^(s−1) ζ(s, q), the same less its first term 1/q)."""
    pole = jnp.exp((1.0 - s) * jnp.log1p(_TERMS / q)) / (s - 1.0)
    beyond = _rest(s, q) / q + pole
    return 1.0 / q + beyond, beyond


def _log_value(s: jax.Array, q: jax.Array) -> jax.Array:
    whole, beyond = _unscaled(s, q)
    log_q = jnp.log(q)
    few = q * beyond < 1.0
    near = -s * log_q + jnp.log1p(jnp.where(few, q * beyond, 0.0))
    far = (1.0 - s) * log_q + jnp.log(jnp.where(few, 1.0, whole))
    return jnp.where((s > 1.0) & (q > 0.0), jnp.where(few, near, far), jnp.nan)


def _slope(s: jax.Array, q: jax.Array) -> jax.Array:
    s, q = jnp.broadcast_arrays(s, q)
    return jax.jvp(lambda s: _log_value(s, q), (s,), (jnp.ones_like(s),))[1]


def _log_slope_in_start(v: jax.Array, s: jax.Array, q: jax.Array) -> jax.Array:
    return -s * jnp.exp(log_zeta(s + 1.0, q) - v)


def _slope_in_start(v: jax.Array, s: jax.Array, q: jax.Array) -> jax.Array:
    return -s * zeta(s + 1.0, q)


@elementwise(lambda v, s, q: _slope(s, q), _log_slope_in_start)
def log_zeta(s: jax.Array, q: jax.Array) -> jax.Array:
    """log ζ(s, q) for s > 1 and q > 0, NaN elsewhere; differentiable in both.

    The absolute error is that of s log q, and where ζ(s, 1) is close to 1 its logarithm has full relative accuracy.
    """
    return _log_value(s, q)


@elementwise(lambda v, s, q: v * _slope(s, q), _slope_in_start)
def zeta(s: jax.Array, q: jax.Array) -> jax.Array:
    """ζ(s, q) = Σₖ (q + k)^(−s), k = 0, 1, …, for s > 1 and q > 0, NaN elsewhere; ζ(s, 1) is Riemann's ζ(s)."""
    whole, _ = _unscaled(s, q)
    return jnp.where((s > 1.0) & (q > 0.0), q ** (1.0 - s) * whole, jnp.nan)


def _sum_of_powers(s: jax.Array, n: jax.Array) -> jax.Array:
    q = n + 1.0
    between = -jnp.expm1((1.0 - s) * jnp.log1p(n / (_TERMS + 1.0))) / (s - 1.0)  # of the poles
    low = _rest(s, jnp.ones_like(q)) + jnp.exp((1.0 - s) * jnp.log(_TERMS + 1.0)) * between
    return 1.0 + low - q**-s * (1.0 + _rest(s, q))


@elementwise()
def scaled_zeta(s: jax.Array, q: jax.Array) -> jax.Array:
    """q^s ζ(s, q), about 1 where the first term is all that counts; s > 1, q > 0."""
    return q * _unscaled(s, q)[0]


@elementwise(
    lambda v, s, n: jax.jvp(lambda s: _sum_of_powers(s, jnp.broadcast_to(n, v.shape)), (s,), (jnp.ones_like(s),))[1],
    lambda v, s, n: s * zeta(s + 1.0, n + 1.0),
)
def sum_of_powers(s: jax.Array, n: jax.Array) -> jax.Array:
    """Σ k^(−s), k = 1 … n: the harmonic number ζ(s) − ζ(s, n + 1), also where both are large; s > 1, n >= 0."""
    return _sum_of_powers(s, n)
