"""The normal distribution's functions: tails, logarithms, inverses, and the probability of an interval."""

import jax
import jax.numpy as jnp

from suffice.numerics.special.elementary import elementwise, horner, log1mexp, ratio, split

_HALF_LOG_2PI = 0.9189385332046728
_INVERSE_SQRT_2PI = 0.3989422804014327
_SQRT_2 = 1.4142135623730951
_SQRT_HALF = 0.7071067811865476
_SQRT_2_OVER_PI = 0.7978845608028654
_LOG_2 = (0.6931471824645996, -1.904654299957768e-09, 1.667085920830552e-25)  # the first part exact in 32 bits

# Rational functions, (numerator, denominator), lowest power first, interpolated at Chebyshev nodes.
# Mills' ratio Φ(−y)/φ(y), y >= 0, times 1/t in t = 2/(2 + y)
_MILLS = (
    (
        0.5, 1.866914458291797, 8.241186621002154, 20.203867773441058, 45.059932804511995, 73.92887384889546,
        101.7007342110074, 108.65372675166437, 90.48746487462437, 53.396861993482055, 17.957700299146104,
        -0.02226631748968775,
    ),
    (
        1.0, 2.733828916583595, 12.998544325420262, 25.10881953408234, 54.891180597861364, 72.30213805791178,
        89.42543493309833, 74.88887975254175, 51.64241688009163, 23.40169061529866, 7.111171200427942,
        0.9716866722920201,
    ),
)  # fmt: skip
# Φ⁻¹(½ + q)/q in 0.425² − q² >= 0
_CENTRE = (
    (
        3.3871328727963665, 148.75654077063152, 2548.2248573022625, 21627.48116049056, 95692.73551269759,
        213550.16248438213, 214247.3801984238, 74060.81462563902, 3907.007639023816,
    ),
    (
        1.0, 46.92338689522055, 871.2838940641986, 8176.878340636071, 41169.98166790856, 109244.70555458817,
        140376.82723612545, 72342.69749284587, 9398.46451720659,
    ),
)  # fmt: skip
# −Φ⁻¹(exp(−r²)) in r − 1.6 for 1.6 <= r <= 5.5, and in r − 5.5 for 5.5 <= r <= 27
_NEAR_TAIL = (
    (
        1.423437110749684, 4.647628210983039, 5.856295000754366, 3.8120766214744006, 1.4200529938588193,
        0.31160224771880335, 0.03904804396476853, 0.002478889673183818, 5.73850661413131e-05,
    ),
    (
        1.0, 2.0653385382898, 1.7227893438369828, 0.7505188260017743, 0.18384772800270294, 0.02502634842993834,
        0.0016882464033371335, 4.05743668505816e-05, 2.300629424323077e-11,
    ),
)  # fmt: skip
_FAR_TAIL = (
    (
        7.390976407744009, 5.828694967383891, 1.8667550021763148, 0.31293277261772706, 0.02951110485745076,
        0.001566818978412057, 4.4382957480884715e-05, 5.896431421125929e-07, 2.668266564591194e-09,
    ),
    (
        1.0, 0.5907560780901259, 0.13661007537661965, 0.01571853056356694, 0.0009487469352438161,
        2.9154372562905496e-05, 4.065663564248215e-07, 1.886744737035096e-09, 6.457660668143183e-18,
    ),
)  # fmt: skip
# Eight-point Gauss–Legendre rule on (0, 1)
_NODES = (
    0.019855071751231884, 0.10166676129318664, 0.2372337950418355, 0.4082826787521751, 0.591717321247825,
    0.7627662049581645, 0.8983332387068134, 0.9801449282487681,
)  # fmt: skip
_WEIGHTS = (
    0.05061426814518813, 0.11119051722668724, 0.15685332293894363, 0.181341891689181, 0.181341891689181,
    0.15685332293894363, 0.11119051722668724, 0.05061426814518813,
)  # fmt: skip


def _exp_square(c: float, x: jax.Array) -> jax.Array:
    """exp(c·x²) for c = ±1, ±½, with x² in two parts: its rounding would cost c·x² units of relative error."""
    # Beyond 40 the value is 0 or ∞ in every precision; the bound keeps infinity out of the splitting.
    x = jnp.clip(x, -40, 40)
    high, low = split(x)
    return jnp.exp(c * high * high) * (1 + jnp.expm1(c * low * (x + high)))


@elementwise()
def normal_density(x: jax.Array) -> jax.Array:
    """φ(x) = exp(−x²/2)/√2π, to full relative accuracy far out."""
    return _INVERSE_SQRT_2PI * _exp_square(-0.5, x)


def _mills(y: jax.Array) -> jax.Array:
    """Mills' ratio Φ(−y)/φ(y) for y >= 0. Its own derivatives are accurate: it is a sum of terms of one sign."""
    t = 2 / (2 + y)
    return t * ratio(t, _MILLS)


def _tail(y: jax.Array) -> jax.Array:
    """Φ(−y) for y >= 0."""
    return normal_density(y) * _mills(y)


def _magnitude(x: jax.Array) -> jax.Array:
    """abs(x), differentiable from the right at 0."""
    return jnp.where(x < 0, -x, x)


@elementwise(lambda y, x: normal_density(x))
def ndtr(x: jax.Array) -> jax.Array:
    """Φ(x), the standard normal cdf: φ times Mills' ratio below 0, to full relative accuracy; 1 − Φ(−x) above."""
    tail = _tail(jnp.abs(x))
    return jnp.where(x < 0, tail, 1 - tail)


def _inverse_mills(x: jax.Array) -> jax.Array:
    """φ(x)/Φ(x), the derivative of log Φ; accurate in both tails, and so are its own derivatives."""
    y = _magnitude(x)
    return jnp.where(x < 0, 1 / _mills(y), normal_density(y) / (1 - _tail(y)))


@elementwise(lambda y, x: _inverse_mills(x))
def log_ndtr(x: jax.Array) -> jax.Array:
    """log Φ(x), to full relative accuracy everywhere: −x²/2 + log(Mills' ratio/√2π) below 0, log1p(−Φ(−x)) above."""
    y = jnp.abs(x)
    below = jnp.log(_mills(y)) - _HALF_LOG_2PI - 0.5 * y * y
    return jnp.where(x < 0, below, jnp.log1p(-_tail(y)))


def _tail_quantile(log_p: jax.Array) -> jax.Array:
    """z with Φ(−z) = p, for log p in (−729, log 0.075); ∞ at −∞."""
    r = jnp.sqrt(-log_p)
    bounded = jnp.minimum(r, 27)
    near = ratio(jnp.minimum(bounded, 5.5) - 1.6, _NEAR_TAIL)
    far = ratio(jnp.maximum(bounded, 5.5) - 5.5, _FAR_TAIL)
    return jnp.where(r == jnp.inf, jnp.inf, jnp.where(r < 5.5, near, far))


def _quantile(q: jax.Array, log_tail: jax.Array) -> jax.Array:
    """Φ⁻¹(½ + q) from q where it is small, else from log(½ − abs(q))."""
    central = jnp.abs(q) <= 0.425
    c = jnp.where(central, q, 0)
    z = _tail_quantile(jnp.where(central, -3, log_tail))
    return jnp.where(central, c * ratio(0.180625 - c * c, _CENTRE), jnp.where(q < 0, -z, z))


def _slope(z: jax.Array, tail: jax.Array) -> jax.Array:
    """1/φ(z) from Φ(−abs(z)): no exponential of z²."""
    return jnp.where(tail == 0, jnp.inf, _mills(jnp.abs(z)) / jnp.where(tail == 0, 1, tail))


@elementwise(lambda z, p: _slope(z, jnp.minimum(p, 1 - p)))
def ndtri(p: jax.Array) -> jax.Array:
    """Φ⁻¹(p), the standard normal quantile; ±∞ at 0 and 1, NaN outside.

    Rational functions: of p − ½ in the middle (relative accuracy at its zero), of √(−log p) in the tails.
    For an upper tail probability q use −ndtri(q).
    """
    return _quantile(p - 0.5, jnp.log(jnp.minimum(p, 1 - p)))


def _tail_slope(z: jax.Array, log_p: jax.Array) -> jax.Array:
    """Φ(z)/φ(z), the derivative of Φ⁻¹(exp(log p)) in log p."""
    below = z <= 0
    upper = jnp.where(below, 0.5, -jnp.expm1(log_p))
    return jnp.where(below, _mills(jnp.abs(z)), jnp.exp(log_p) * _slope(z, upper))


@elementwise(_tail_slope)
def ndtri_exp(log_p: jax.Array) -> jax.Array:
    """Φ⁻¹(exp(log p)) for log p <= 0, however small or close to 0; the inverse of `log_ndtr`.

    As `ndtri`; below log p = −729 Newton's steps on w = z², w + log w − 2 log(1 − 1/w + 3/w² − …) = −2 log p − log 2π.
    """
    middle = 0.5 * jnp.expm1(((log_p + _LOG_2[0]) + _LOG_2[1]) + _LOG_2[2])
    z = _quantile(middle, jnp.where(middle < 0, log_p, log1mexp(log_p)))
    deep = (log_p < -700) & (log_p > -jnp.inf)
    twice = -2 * jnp.where(deep, log_p, -1000)
    target = twice - 2 * _HALF_LOG_2PI
    w = target - jnp.log(twice)
    for _ in range(2):
        correction = 2 * jnp.log1p(horner(1 / w, (0, -1, 3, -15, 105)))
        w = w - (w + jnp.log(w) - correction - target) / (1 + 1 / w)
    return jnp.where(deep, -jnp.sqrt(w), z)


@elementwise()
def erfcx(x: jax.Array) -> jax.Array:
    """exp(x²) erfc(x), by Mills' ratio: it decays as 1/(x√π) where erfc underflows."""
    below = x < 0
    value = _SQRT_2_OVER_PI * _mills(_SQRT_2 * _magnitude(x))
    return jnp.where(below, 2 * _exp_square(1, jnp.where(below, x, 0)) - value, value)


@elementwise(lambda y, x: -_SQRT_2 * _SQRT_2_OVER_PI * _exp_square(-1, x))
def erfc(x: jax.Array) -> jax.Array:
    """The complementary error function, to full relative accuracy in its tail (JAX's own loses 255 eps there)."""
    tail = _SQRT_2_OVER_PI * _exp_square(-1, x) * _mills(_SQRT_2 * jnp.abs(x))
    return jnp.where(x < 0, 2 - tail, tail)


def _scaled_slope(x: jax.Array, tail: jax.Array) -> jax.Array:
    return _SQRT_HALF * 0.5 * _slope(_SQRT_2 * x, 0.5 * tail)


@elementwise(lambda x, y: _scaled_slope(x, 1 - jnp.abs(y)))
def erfinv(y: jax.Array) -> jax.Array:
    """The inverse of the error function on [−1, 1]."""
    return _SQRT_HALF * _quantile(0.5 * y, jnp.log(0.5 * (1 - jnp.abs(y))))


@elementwise(lambda x, y: -_scaled_slope(x, jnp.minimum(y, 2 - y)))
def erfcinv(y: jax.Array) -> jax.Array:
    """The inverse of the complementary error function on [0, 2]."""
    return -_SQRT_HALF * _quantile(0.5 * (y - 1), jnp.log(0.5 * jnp.minimum(y, 2 - y)))


def _interval(a: jax.Array, b: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """(r, D, log P) with P = Φ(b) − Φ(a) = φ(r)·D, for a <= b.

    Wide, around 0: both tails taken from 1, and r = 0. Otherwise r is the end near 0. Narrow: Gauss–Legendre, eight
    points, with differences of squares from r. Wide, on one side of 0: Mills' ratios at both ends.
    """
    mirrored = a > 0
    a, b = jnp.where(mirrored, -b, a), jnp.where(mirrored, -a, b)
    around = (b > 0) & (b - a > 1)
    width = jnp.where(around, 2, b - a)
    narrow = ~around & (width * jnp.abs(a + b) < 2)
    one_sided = ~around & ~narrow

    h, end = jnp.where(narrow, width, 1), jnp.where(narrow, b, 0)
    steps = [(h * node, weight) for node, weight in zip(_NODES, _WEIGHTS, strict=True)]
    rule = sum(weight * jnp.exp(step * (end - 0.5 * step)) for step, weight in steps)

    near = jnp.where(one_sided, -b, 1)
    # An end at infinity weighs nothing, and neither does one far enough.
    far = jnp.where(one_sided, jnp.where(a == -jnp.inf, 2 * near + 40, -a), 3)
    decay = 0.5 * (far - near) * (far + near)
    ends = (_mills(near) - _mills(far)) - jnp.expm1(-decay) * _mills(far)

    outside = _tail(_magnitude(jnp.where(around, a, -1))) + _tail(jnp.where(around, b, 1))
    reference = jnp.where(around, 0, b)
    density = jnp.where(narrow, h * rule, jnp.where(around, (1 - outside) / _INVERSE_SQRT_2PI, ends))
    inside = jnp.log(density) - _HALF_LOG_2PI - 0.5 * reference * reference
    return jnp.where(mirrored, -reference, reference), density, jnp.where(around, jnp.log1p(-outside), inside)


def _density_at(x: jax.Array, a: jax.Array, b: jax.Array) -> jax.Array:
    """φ(x)/(Φ(b) − Φ(a)) at an end x of the interval."""
    reference, density, _ = _interval(a, b)
    return jnp.where(jnp.isinf(x), 0, jnp.exp(0.5 * (reference - x) * (reference + x)) / density)


def _moment(p: jax.Array, x: jax.Array) -> jax.Array:
    return jnp.where(p == 0, 0, p * x)


def _cross_slope(_: jax.Array, a: jax.Array, b: jax.Array) -> jax.Array:
    return _lower_density(a, b) * _upper_density(a, b)


@elementwise(lambda p, a, b: p * p - _moment(p, a), lambda p, a, b: -_cross_slope(p, a, b))
def _lower_density(a: jax.Array, b: jax.Array) -> jax.Array:
    return _density_at(a, a, b)


@elementwise(_cross_slope, lambda p, a, b: -p * p - _moment(p, b))
def _upper_density(a: jax.Array, b: jax.Array) -> jax.Array:
    return _density_at(b, a, b)


@elementwise(lambda y, a, b: -_lower_density(a, b), lambda y, a, b: _upper_density(a, b))
def log_ndtr_difference(a: jax.Array, b: jax.Array) -> jax.Array:
    """log(Φ(b) − Φ(a)) for a <= b, ends at infinity included; −inf where they are equal, NaN where a > b.

    To full relative accuracy for narrow, wide and far intervals alike; the method per region is told in `_interval`.
    """
    return jnp.where(a == b, -jnp.inf, _interval(a, b)[2])
