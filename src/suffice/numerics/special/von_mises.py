"""The von Mises law of an angle x in [−π, π]: normaliser, mean resultant length, both tails and quantiles.

With c the angular distance from the mode, every tail is a sum of integrals of exp(−2κ sin²(t/2)) over stretches
c … c + w of a half-circle, with a decreasing integrand: by one Gauss–Legendre rule, up to where that has vanished.
"""

import math
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.inversion import increasing_root
from suffice.numerics.quadrature import unit_legendre
from suffice.numerics.special.bessel import bessel_ratio
from suffice.numerics.special.elementary import elementwise, horner, log1mexp
from suffice.numerics.special.normal import ndtri_exp

_LOG_2PI = math.log(2.0 * math.pi)
_LOG_HALF = -math.log(2.0)
_NODES, _WEIGHTS = unit_legendre(40)
_LARGE = 40.0
# The mean over the circle by the trapezoidal rule at 64 points, twice those of a half-circle: it errs by 2 I₆₄/I₀.
_FALL = 2.0 * np.sin(np.pi * np.arange(33) / 64) ** 2
_SHARE = np.where(np.arange(33) % 32 == 0, 1.0, 2.0) / 64


def _asymptotic(terms: int) -> list[float]:
    """c₁, c₂, … of 1 − A(κ) = Σ cₖ κ⁻ᵏ: Riccati's equation A' = 1 − A/κ − A², power by power."""
    a = [Fraction(1)]
    for k in range(1, terms + 1):
        a.append(((k - 2) * a[k - 1] - sum(a[i] * a[k - i] for i in range(1, k))) / 2)
    return [float(-c) for c in a[1:]]


_GAP = _asymptotic(16)
_LOG_MASS = [c / k for k, c in enumerate(_GAP[1:], 1)]  # its integral


def resultant_gap(kappa: jax.Array) -> jax.Array:
    """1 − A(κ), A = I₁/I₀ the mean resultant length E[cos(x − loc)], to full relative accuracy; κ >= 0."""
    large = kappa > _LARGE
    inverse = 1.0 / jnp.where(large, kappa, _LARGE)
    return jnp.where(large, inverse * horner(inverse, _GAP), 1.0 - bessel_ratio(0.0, jnp.where(large, 1.0, kappa)))


@elementwise(lambda v, kappa: -resultant_gap(kappa))
def log_circle_mass(kappa: jax.Array) -> jax.Array:
    """log ∫ exp(κ (cos t − 1)) dt over the circle, log(2π exp(−κ) I₀(κ)); κ >= 0."""
    large = kappa > _LARGE
    far = jnp.where(large, kappa, _LARGE)
    series = 0.5 * (_LOG_2PI - jnp.log(far)) + horner(1.0 / far, _LOG_MASS) / far
    near = jnp.where(large, 1.0, kappa)
    fall, weights = (jnp.asarray(v, kappa.dtype) for v in (_FALL, _SHARE))

    def add(i: jax.Array, total: jax.Array) -> jax.Array:
        return total + weights[i] * jnp.exp(-near * fall[i])

    mean = jax.lax.fori_loop(0, len(_FALL), add, jnp.zeros_like(near))
    return jnp.where(large, series, _LOG_2PI + jnp.log(mean))


def log_von_mises(kappa: jax.Array, angle: jax.Array) -> jax.Array:
    """Log-density at an angle from the mode."""
    return -2.0 * kappa * jnp.sin(0.5 * angle) ** 2 - log_circle_mass(kappa)


def _width(kappa: jax.Array, c: jax.Array, w: jax.Array) -> jax.Array:
    """How far the density, falling from the angle c, is looked at: w, or to where it has vanished."""
    depth = 4.0 - math.log(float(jnp.finfo(w.dtype).eps))
    fall = 0.5 * depth / kappa  # of sin²(t/2), to where the integrand has vanished
    start = jnp.sin(0.5 * c) ** 2
    seen = start + fall < 1.0
    end = 2.0 * jnp.arcsin(jnp.sqrt(jnp.where(seen, start + fall, 1.0)))
    cut = jnp.where(seen, 2.0 * jnp.arcsin(jnp.minimum(fall / jnp.sin(0.5 * (end + c)), 1.0)), jnp.inf)
    tiny = jnp.finfo(w.dtype).tiny
    return jnp.maximum(jnp.minimum(w, jax.lax.stop_gradient(cut)), tiny)


def _log_stretch(kappa: jax.Array, c: jax.Array, w: jax.Array) -> jax.Array:
    """log of the mass between the angles c and c + w from the mode; c, w >= 0, c + w <= π."""
    width = _width(kappa, c, w)
    nodes, weights = (jnp.asarray(v, w.dtype) for v in (_NODES, _WEIGHTS))

    def add(i: jax.Array, total: jax.Array) -> jax.Array:
        s = 0.5 * width * nodes[i]
        return total + weights[i] * jnp.exp(-2.0 * kappa * jnp.sin(s) * jnp.sin(c + s))

    total = jax.lax.fori_loop(0, len(_NODES), add, jnp.zeros_like(width * kappa))
    return log_von_mises(kappa, c) + jnp.log(width) + jnp.log(total)


def von_mises_rule(kappa: jax.Array, loc: jax.Array, count: int) -> tuple[jax.Array, jax.Array]:
    """Points x and weights w with E[g(X)] ≈ Σ w g(x) along the last axis, by Gauss–Legendre on three stretches.

    From the mode to the nearer end of [−π, π], from the mode to the antipode, and from the farther end to the antipode.
    """
    mode = jnp.abs(principal_angle(loc))
    gap, whole, zero = math.pi - mode, jnp.full_like(mode, math.pi), jnp.zeros_like(mode)
    nodes, weights = (
        jnp.asarray(v, loc.dtype).reshape((1,) * max(loc.ndim - 1, 0) + (-1,)) for v in unit_legendre(count)
    )
    points, masses = [], []
    for c, w, begin, sign in ((zero, gap, mode, 1.0), (zero, whole, mode, -1.0), (gap, mode, -whole, 1.0)):
        width = _width(kappa, c, w)
        points.append(begin + sign * width * nodes)
        masses.append(width * weights * jnp.exp(log_von_mises(kappa, c + width * nodes)))
    side = jnp.where(principal_angle(loc) < 0.0, -1.0, 1.0)
    return side * jnp.concatenate(points, -1), jnp.concatenate(masses, -1)


def principal_angle(loc: jax.Array) -> jax.Array:
    """The angle in [−π, π], for one that is not a turn away from it."""
    turns = jnp.where(loc > math.pi, -1.0, jnp.where(loc < -math.pi, 1.0, 0.0))
    return loc + 2.0 * math.pi * turns


def _near(kappa: jax.Array) -> jax.Array:
    """About the angle with a quarter of the mass between it and the mode."""
    return 1.0 / jnp.sqrt(4.0 / math.pi**2 + 2.2 * kappa)


def _rest_of_half(log_mass: jax.Array) -> jax.Array:
    """log(½ − exp(log_mass))."""
    return _LOG_HALF + log1mexp(jnp.minimum(log_mass - _LOG_HALF, 0.0))


def _log_tails(kappa: jax.Array, loc: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(log P(X <= x), log P(X > x)); the smaller is a sum of stretches, the other its complement."""
    loc = principal_angle(loc)
    mirrored = loc < 0.0
    mode, x = jnp.abs(loc), jnp.where(mirrored, -x, x)
    gap = math.pi - mode  # from the mode to the cut at ±π
    from_mode = x - mode
    turned, after = from_mode < -math.pi, from_mode > 0.0  # past the antipode, where the density falls; past the mode
    distance, near = jnp.where(turned | after, 1.0, -from_mode), _near(kappa)

    def halves(d: jax.Array, log_mass: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Beyond the angle d and before it, on one side of the mode, from the stretch on the smaller side."""
        rest = _rest_of_half(log_mass)
        return jnp.where(d > near, log_mass, rest), jnp.where(d > near, rest, log_mass)

    def ends(d: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jnp.where(d > near, d, 0.0), jnp.where(d > near, math.pi - d, d)

    c, w = ends(distance)
    c = jnp.where(turned, gap, jnp.where(after, from_mode, c))
    w = jnp.where(turned, x + math.pi, jnp.where(after, math.pi - x, w))
    stretch = _log_stretch(kappa, c, w)
    beyond, before = halves(distance, stretch)
    beyond_gap, before_gap = halves(gap, _log_stretch(kappa, *ends(gap)))
    lower, upper = jnp.logaddexp(beyond_gap, beyond), jnp.logaddexp(before_gap, before)
    lower = jnp.where(turned, stretch, jnp.where(after, 0.0, lower))
    upper = jnp.where(after, stretch, jnp.where(turned, 0.0, upper))
    from_lower = lower < upper
    rest = log1mexp(jnp.minimum(jnp.where(from_lower, lower, upper), 0.0))
    lower, upper = jnp.where(from_lower, lower, rest), jnp.where(from_lower, rest, upper)
    return jnp.where(mirrored, upper, lower), jnp.where(mirrored, lower, upper)


def _in_kappa(tail: int, kappa: jax.Array, loc: jax.Array, x: jax.Array) -> jax.Array:
    kappa, loc, x = jnp.broadcast_arrays(kappa, loc, x)
    return jax.jvp(lambda k: _log_tails(k, loc, x)[tail], (kappa,), (jnp.ones_like(kappa),))[1]


def _in_loc(v: jax.Array, kappa: jax.Array, loc: jax.Array, x: jax.Array) -> jax.Array:
    """(p(π) − p(x)) exp(−v)."""
    rise = 2.0 * kappa * jnp.cos(0.5 * x) * jnp.cos(0.5 * x - loc)  # of log p from ±π to x
    larger = log_von_mises(kappa, math.pi - loc) + jnp.maximum(rise, 0.0)
    return jnp.sign(rise) * jnp.expm1(-jnp.abs(rise)) * jnp.exp(larger - v)


@elementwise(
    lambda v, kappa, loc, x: _in_kappa(0, kappa, loc, x),
    lambda v, kappa, loc, x: _in_loc(v, kappa, loc, x),
    lambda v, kappa, loc, x: jnp.exp(log_von_mises(kappa, x - loc) - v),
)
def log_von_mises_cdf(kappa: jax.Array, loc: jax.Array, x: jax.Array) -> jax.Array:
    """log P(X <= x) for κ > 0 and −π < x < π; they broadcast."""
    return _log_tails(kappa, loc, x)[0]


@elementwise(
    lambda v, kappa, loc, x: _in_kappa(1, kappa, loc, x),
    lambda v, kappa, loc, x: -_in_loc(v, kappa, loc, x),
    lambda v, kappa, loc, x: -jnp.exp(log_von_mises(kappa, x - loc) - v),
)
def log_von_mises_sf(kappa: jax.Array, loc: jax.Array, x: jax.Array) -> jax.Array:
    """log P(X > x) for κ > 0 and −π < x < π; they broadcast."""
    return _log_tails(kappa, loc, x)[1]


def von_mises_quantile(kappa: jax.Array, loc: jax.Array, log_p: jax.Array, log_q: jax.Array) -> jax.Array:
    """x with log P(X <= x) = log_p and log P(X > x) = log_q, from the smaller of the two."""
    kappa, loc, log_p, log_q = jnp.broadcast_arrays(kappa, loc, log_p, log_q)
    below = log_p < log_q

    def gap(x: jax.Array) -> jax.Array:
        return jnp.where(below, log_von_mises_cdf(kappa, loc, x) - log_p, log_q - log_von_mises_sf(kappa, loc, x))

    z = jnp.where(below, ndtri_exp(log_p), -ndtri_exp(log_q))
    start = jnp.clip(principal_angle(loc) + z / jnp.sqrt(kappa), -3.0, 3.0)
    return increasing_root(gap, start, -math.pi, math.pi)
