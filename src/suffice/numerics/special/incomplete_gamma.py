"""Incomplete gamma functions P(a, x) and Q(a, x) = 1 − P(a, x) and their logarithms, in both tails.

With the density D(a, x)/x, D = x^a exp(−x)/Γ(a), the tail that lies on x's side of the mode is D times a slowly varying
factor. Its logarithm is computed by one of three methods; the other tail is its complement.

    x < 2, and x >= a or a < 1    P = x^a/Γ(1 + a) · (1 + a Σ (−x)^k/(k! (a + k))), alternating series
    a >= 40, |x − a| < 2.8 √a     erfc and Temme's uniform expansion, DLMF 8.12
    elsewhere                     continued fractions, DLMF 8.9.2 for Q and γ(a, x) = D/(a − x + x/(a + 1 − x + 2x/(…)))
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.special.curve import Curve, one_sided
from suffice.numerics.special.elementary import elementwise, expm1mx, horner, log1mexp, log1pmx
from suffice.numerics.special.gamma import _log_gamma_2p, log_minus_digamma, stirling_error

Function = Callable[[jax.Array, jax.Array], jax.Array]

_LOG_2PI = 1.8378770664093453
_FRACTION_TERMS = 56
_SERIES_TERMS = 24
_CUT = 38
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_NODES = 0.5 * (1 + _NODES)
# c[n][k]: Temme's S(η, a) = Σ c[n][k] η^n a^(−k), on a >= 40, aη² <= 8.
# fmt: off
_TEMME = np.array([
    [-0.33333333333333337, -0.001851851851661424, 0.004133597794815312,
     0.0006494492785530521, -0.000863050368278336, -0.00029582892606446344],
    [0.0833333333333334, -0.0034722222224232006, -0.002681327066670859,
     0.00022945606983266312, 0.0007852769426452108, -0.00011384788415578007],
    [-0.014814814814815518, 0.00264550264558739, 0.0007716048990041945,
     -0.0004691827555940191, -0.000299597752668334, 0.00029635863660230205],
    [0.0011574074074074112, -0.0009902263374414297, 2.0093844634356924e-06,
     0.00026772118339678973, -1.5021901963704234e-06, -0.00019828052276911254],
    [0.00035273368612085765, 0.00020576131677612098, -0.00010736651809159277,
     -7.562043884133217e-05, 6.660037342499306e-05, 6.149969568978821e-05],
    [-0.0001787551440334663, -4.01877527294919e-07, 5.292343990586281e-05,
     -2.3812711889518892e-07, -3.980130160945887e-05, 4.333301634404056e-06],
    [3.9192630170089654e-05, -1.809854837433524e-05, -1.2760630238674133e-05,
     1.10822049513059e-05, 1.1410515197697876e-05, -1.486542743489724e-05],
    [-2.185448493624495e-06, 7.649160148189383e-06, 3.423606658743787e-08,
     -5.674985508665566e-06, 2.6350402497452136e-09, 7.954296351772658e-06],
    [-1.8540391073838713e-06, -1.6121180552050397e-06, 1.3721613078041202e-06,
     1.4232525709664666e-06, -1.7033347634114065e-06, -2.0129395007287397e-06],
    [8.296708671572254e-07, 4.658078084663817e-09, -6.298997915219168e-07,
     -1.0764037603931999e-10, 8.949967667183396e-07, -1.515311750619272e-07],
    [-1.7682951992253646e-07, 1.3806713212220273e-07, 1.4305539789180093e-07,
     -1.6999082283459881e-07, -2.3098960295999828e-07, 3.874056656785065e-07],
    [6.710121438981866e-09, -5.760568184975649e-08, -1.9890505756919425e-10,
     8.117799644123663e-08, -7.132310353644911e-11, -1.8290819937563605e-07],
    [1.0885084801733604e-08, 1.1219506815575831e-08, -1.501111352899751e-08,
     -1.76068124031529e-08, 3.138120364039625e-08, 3.5866473198038514e-08],
    [-4.392645628765621e-09, 2.739501705319447e-10, 6.213043678684151e-09,
     -6.584620385606924e-10, -1.4231488145644505e-08, 5.686328978949096e-09],
])
# fmt: on


def _mean_value(eta: jax.Array) -> jax.Array:
    """(λ − 1)/η where η²/2 = λ − 1 − log λ: the table's first column is 1/(λ − 1) − 1/η."""
    return 1 / (1 + eta * horner(eta, _TEMME[:, 0].tolist()))


@elementwise(lambda y, z: _mean_value(y) / (1 + z))
def _eta(z: jax.Array) -> jax.Array:
    """η with the sign of z and η²/2 = z − log(1 + z), for |z| < 0.4."""
    return jnp.sign(z) * jnp.sqrt(-2 * log1pmx(z))


def _log_ratio(a: jax.Array, x: jax.Array) -> jax.Array:
    """log(x/a), where x/a itself may overflow."""
    return 2 * jnp.log(jnp.sqrt(x) / jnp.sqrt(a))


def _exponent(a: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(φ, η): φ = x − a − a log(x/a) >= 0, and η with the sign of x − a and aη²/2 = φ where |x − a| < 0.4 a, else 0."""
    z = (x - a) / a
    near = jnp.abs(z) < 0.4
    eta = _eta(jnp.where(near, z, 0))
    return jnp.where(near, 0.5 * a * eta * eta, (x - a) - a * _log_ratio(a, x)), eta


def _log_gamma1p(a: jax.Array) -> jax.Array:
    """log Γ(1 + a), 0 < a <= 2; relative accuracy at the zero a = 0."""
    small = a < 1
    return _log_gamma_2p(jnp.where(small, a, a - 1)) - jnp.where(small, jnp.log1p(a), 0)


def _series(a: jax.Array, x: jax.Array) -> jax.Array:
    """log P for x <= 2, a <= 2."""

    def step(i: jax.Array, total: jax.Array) -> jax.Array:
        k = (_SERIES_TERMS - i).astype(x.dtype)
        return 1 / (a + k) - x * (total * (1 / (k + 1)))

    total = jax.lax.fori_loop(0, _SERIES_TERMS, step, jnp.zeros_like(a * x), unroll=4)
    return a * jnp.log(x) - _log_gamma1p(a) + jnp.log1p(-a * x * total)


def _fraction(a: jax.Array, x: jax.Array, lower: jax.Array) -> jax.Array:
    """D/tail = c₀ + d₁/(c₁ + d₂/(c₂ + …)).

    Lower tail: cₙ = a − x + n, dₙ = nx. Upper tail: cₙ = x − a + 1 + 2n, dₙ = n(a − n).
    """
    upper = jnp.where(lower, 0, 1).astype(x.dtype)
    start, scale = jnp.abs(x - a) + upper, jnp.where(lower, x, a)

    def step(i: jax.Array, value: jax.Array) -> jax.Array:
        n = (_FRACTION_TERMS - i).astype(x.dtype)
        return start + (n - 1) * (1 + upper) + n * ((scale - n * upper) / value)

    return jax.lax.fori_loop(0, _FRACTION_TERMS, step, start + _FRACTION_TERMS * (1 + upper), unroll=8)


def _uniform(a: jax.Array, eta: jax.Array, phi: jax.Array, lower: jax.Array) -> jax.Array:
    """Tail times exp(φ): ½ exp(φ) erfc(√φ) ± S/√(2πa), √φ = |η| √(a/2)."""
    inverse = 1 / a
    table = jnp.asarray(_TEMME[::-1], eta.dtype)

    def step(i: jax.Array, total: jax.Array) -> jax.Array:
        return total * eta + jnp.polyval(table[i, ::-1], inverse)

    total = jax.lax.fori_loop(0, len(_TEMME), step, jnp.zeros_like(a * eta), unroll=2)
    correction = total * jnp.sqrt(inverse / (2 * jnp.pi))
    leading = 0.5 * jnp.exp(phi) * jax.lax.erfc(jnp.abs(eta) * jnp.sqrt(0.5 * a))
    return leading + jnp.where(lower, -correction, correction)


def log_density(a: jax.Array, x: jax.Array) -> jax.Array:
    """log of the gamma density x^(a − 1) exp(−x)/Γ(a), for 0 < a, x < ∞."""
    return 0.5 * (jnp.log(a) - _LOG_2PI) - stirling_error(a) - _exponent(a, x)[0] - jnp.log(x)


def _in_series(a: jax.Array, x: jax.Array) -> jax.Array:
    """Where the series serves."""
    return (x < 2) & ((a < 1) | (x >= a))


def _turn(a: jax.Array) -> jax.Array:
    """Where `log_tail` goes over from one tail to the other."""
    return jnp.maximum(a, 2)


def is_lower(a: jax.Array, x: jax.Array) -> jax.Array:
    """Whether `log_tail` is log P, not log Q."""
    return x < _turn(a)


def _width(tilt: jax.Array, x: jax.Array, sign: jax.Array) -> jax.Array:
    """v with ψ(v) = tilt · v + x(e^σv − 1 − σv) near 38, by Newton's steps from the root of ψ's quadratic part."""

    def newton(_: int, v: jax.Array) -> jax.Array:
        growth = jnp.expm1(sign * v)
        return v + (_CUT - tilt * v - x * (growth - sign * v)) / (tilt + x * sign * growth)

    return jax.lax.fori_loop(0, 5, newton, 2 * _CUT / (tilt + jnp.sqrt(tilt * tilt + 2 * _CUT * x)))


def _score(a: jax.Array, x: jax.Array) -> jax.Array:
    """∂/∂a of `log_tail`: the mean of log t over the tail, less ψ(a); differentiable in a and x.

    x < 2: from the series. Elsewhere by quadrature over v = |log(t/x)|, where the integrand is exp(−ψ(v)) with convex
    ψ = |x − a| v + x(e^σv − 1 − σv), σ = −1 for the lower tail and 1 for the upper.
    """
    small = _in_series(a, x)
    _, series = jax.jvp(lambda a: _series(a, jnp.minimum(x, 2)), (jnp.minimum(a, 2),), (jnp.ones_like(a),))
    x = jnp.where(small, 3, x)
    sign = jnp.where(x < a, -1, 1).astype(x.dtype)
    tilt, width = jnp.abs(x - a), _width(*jax.lax.stop_gradient((jnp.abs(x - a), x)), sign)
    nodes, weights = jnp.asarray(_NODES, x.dtype), jnp.asarray(_WEIGHTS, x.dtype)

    def add(i: jax.Array, moments: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        v = width * nodes[i]
        mass = weights[i] * jnp.exp(-tilt * v - x * expm1mx(sign * v))
        return moments[0] + mass, moments[1] + mass * v

    zero = jnp.zeros_like(width)
    mass, moment = jax.lax.fori_loop(0, len(_NODES), add, (zero, zero))
    near = jnp.abs(x - a) < 0.4 * a
    log_ratio = jnp.where(near, jnp.log1p(jnp.where(near, x - a, 0) / a), _log_ratio(a, x))
    return jnp.where(small, series, log_ratio + log_minus_digamma(a) + sign * moment / mass)


def _slope(log: jax.Array, a: jax.Array, x: jax.Array) -> jax.Array:
    ratio = jnp.exp(log_density(a, x) - log)
    return jnp.where(is_lower(a, x), ratio, -ratio)


def _log_tail(a: jax.Array, x: jax.Array) -> jax.Array:
    lower, small = x < a, _in_series(a, x)
    phi, eta = _exponent(a, x)
    central = (a >= 40) & (jnp.abs(x - a) < 0.4 * a) & (phi < 4)
    uniform = _uniform(jnp.maximum(a, 40), jnp.where(central, eta, 0), jnp.where(central, phi, 0), lower)
    fraction = _fraction(a, jnp.where(lower, x, jnp.maximum(x, 2)), lower)
    scale = jnp.where(central, 0, 0.5 * (jnp.log(a) - _LOG_2PI) - stirling_error(a))
    elsewhere = jnp.log(jnp.where(central, uniform, 1 / fraction)) + scale - phi
    return jnp.where(small, _series(jnp.minimum(a, 2), jnp.minimum(x, 2)), elsewhere)


def _ends(a: jax.Array) -> tuple[jax.Array, jax.Array]:
    """log(x/turn) where x − a − a log(x/a) has reached 45."""
    width = jnp.sqrt(90 / a)
    reach = width + 0.5 * width * width
    return -reach - jnp.log(_turn(a) / a), jnp.log1p(reach)


def _abscissa(a: jax.Array, x: jax.Array) -> jax.Array:
    return one_sided(jnp.log(x / _turn(a)), is_lower(a, x))


_CURVE = Curve(_log_tail, _ends, _abscissa, lambda a, u: (_turn(a) * jnp.exp(u),))


@elementwise(lambda log, a, x: _score(a, x), _slope)
def log_tail(a: jax.Array, x: jax.Array) -> jax.Array:
    """log P where `is_lower`, else log Q; for 0 < a, x < ∞."""
    return _CURVE([a], [x])


def _in_domain(a: jax.Array, x: jax.Array, inside: Function, below: float, above: float) -> jax.Array:
    """`inside` for 0 < a, x < ∞; `below` at x = 0 and a = ∞, `above` at x = ∞ and a = 0; else NaN."""
    proper_a, proper_x = (a > 0) & (a < jnp.inf), (x > 0) & (x < jnp.inf)
    first = ((x == 0) & (a > 0)) | ((a == jnp.inf) & (x >= 0) & (x < jnp.inf))
    last = ((x == jnp.inf) & (a >= 0) & (a < jnp.inf)) | ((a == 0) & (x > 0))
    value = inside(jnp.where(proper_a, a, 1), jnp.where(proper_x, x, 1))
    return jnp.where(proper_a & proper_x, value, jnp.where(first, below, jnp.where(last, above, jnp.nan)))


@elementwise()
def gammainc(a: jax.Array, x: jax.Array) -> jax.Array:
    """Regularised lower incomplete gamma function P(a, x) = 1/Γ(a) ∫₀ˣ t^(a − 1) exp(−t) dt.

    Args: shape a >= 0 and x >= 0; they broadcast. NaN outside. Returns P, in the broadcast shape.
    """

    def value(a, x):
        log, lower = log_tail(a, x), is_lower(a, x)
        return jnp.where(lower, jnp.exp(log), -jnp.expm1(log))

    return _in_domain(a, x, value, 0.0, 1.0)


@elementwise()
def gammaincc(a: jax.Array, x: jax.Array) -> jax.Array:
    """Regularised upper incomplete gamma function Q(a, x) = 1/Γ(a) ∫ₓ^∞ t^(a − 1) exp(−t) dt.

    Args: shape a >= 0 and x >= 0; they broadcast. NaN outside. Returns Q, in the broadcast shape.
    """

    def value(a, x):
        log, lower = log_tail(a, x), is_lower(a, x)
        return jnp.where(lower, -jnp.expm1(log), jnp.exp(log))

    return _in_domain(a, x, value, 1.0, 0.0)


@elementwise()
def log_gammainc(a: jax.Array, x: jax.Array) -> jax.Array:
    """log P(a, x), exact where P itself would underflow or round to 1.

    Args: shape a >= 0 and x >= 0; they broadcast. NaN outside. Returns log P, in the broadcast shape.
    """

    def value(a, x):
        log, lower = log_tail(a, x), is_lower(a, x)
        return jnp.where(lower, log, log1mexp(log))

    return _in_domain(a, x, value, -jnp.inf, 0.0)


@elementwise()
def log_gammaincc(a: jax.Array, x: jax.Array) -> jax.Array:
    """log Q(a, x), exact where Q itself would underflow or round to 1.

    Args: shape a >= 0 and x >= 0; they broadcast. NaN outside. Returns log Q, in the broadcast shape.
    """

    def value(a, x):
        log, lower = log_tail(a, x), is_lower(a, x)
        return jnp.where(lower, log1mexp(log), log)

    return _in_domain(a, x, value, 0.0, -jnp.inf)
