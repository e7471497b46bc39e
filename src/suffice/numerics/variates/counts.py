"""Variates that count: Poisson, binomial, negative binomial, geometric. Integers; −1 where a parameter is invalid."""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from suffice.numerics.special.elementary import log1pmx
from suffice.numerics.variates.alias import alias_draw, alias_table
from suffice.numerics.variates.bell import bell
from suffice.numerics.variates.blocks import arguments, in_blocks
from suffice.numerics.variates.elementary import exponential, uniform
from suffice.numerics.variates.gamma import gamma
from suffice.numerics.variates.rejection import accept_reject

_FEWEST_COLUMNS, _MOST_COLUMNS = 11, 15  # log2, of an alias table: enough for variances up to 1e4 and 3e6
_DRAWS_PER_COLUMN = 8
_SEARCH_BELOW = 10  # mean
_FIRST_STEPS, _ALL_STEPS = 20, 120

# δ(k) = log k! − ((k + ½) log k − k + ½ log 2π) for k = 1 … 15, led by a filler; four terms of its series from 16 on
_STIRLING = np.array(
    [0.0] + [math.lgamma(k + 1) - ((k + 0.5) * math.log(k) - k + 0.5 * math.log(2 * math.pi)) for k in range(1, 16)]
)


class Law(NamedTuple):
    """A unimodal law of counts 0, 1, 2, … as functions of its parameters."""

    mean: Callable[..., jax.Array]
    variance: Callable[..., jax.Array]
    at_zero: Callable[..., jax.Array]  # P(0)
    ratio: Callable[..., jax.Array]  # P(k)/P(k − 1) of k, *parameters
    mass: Callable[..., jax.Array]  # P(k) of k, *parameters; 0 for k < 0
    few: tuple[float, ...]  # parameters of some small and of some large mean
    many: tuple[float, ...]


def _parts(k: jax.Array, mean: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(a, b) with e^(−λ) λᵏ/k! = exp(a)/√b for k >= 0; a is a few eps of itself off (Loader 2000)."""
    z = jnp.maximum(k, 1)
    exponent = z * log1pmx((mean - z) / z) - _stirling_error(z)
    return jnp.where(k < 1, -mean, exponent), jnp.where(k < 1, 1, 2 * jnp.pi * z)


def _stirling_error(k: jax.Array) -> jax.Array:
    """log k! − log(√(2πk) kᵏ e^(−k)) for k = 1, 2, …"""
    r = 1 / (k * k)
    series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r / 1680))) / k
    return jnp.where(k < 16, jnp.asarray(_STIRLING, k.dtype)[jnp.minimum(k, 15).astype(jnp.int32)], series)


def _poisson_mass(k: jax.Array, mean: jax.Array) -> jax.Array:
    exponent, square = _parts(k, mean)
    return jnp.where(k < 0, 0, jnp.exp(exponent) * jax.lax.rsqrt(square))


def _binomial_mass(k: jax.Array, n: jax.Array, p: jax.Array) -> jax.Array:
    """A binomial law is a Poisson law of successes and one of failures, given their sum."""
    (a, b), (c, d) = _parts(k, n * p), _parts(n - k, n * (1 - p))
    total = jnp.maximum(n, 1)
    of_sum = jnp.where(n < 1, 1, 2 * jnp.pi * total)
    exponent = a + c + jnp.where(n < 1, 0, _stirling_error(total))
    return jnp.where((k < 0) | (k > n), 0, jnp.exp(exponent) * jax.lax.rsqrt(b / of_sum * d))


_POISSON = Law(
    mean=lambda rate: rate,
    variance=lambda rate: rate,
    at_zero=lambda rate: jnp.exp(-rate),
    ratio=lambda k, rate: rate / k,
    mass=_poisson_mass,
    few=(1.0,),
    many=(100.0,),
)

_BINOMIAL = Law(
    mean=lambda n, p: n * p,
    variance=lambda n, p: n * p * (1 - p),
    at_zero=lambda n, p: jnp.exp(n * jnp.log1p(-p)),
    ratio=lambda k, n, p: (n - k + 1) / k * (p / (1 - p)),
    mass=_binomial_mass,
    few=(1.0, 0.5),
    many=(400.0, 0.5),
)


@functools.partial(jax.jit, static_argnames="shape")
def poisson(key: jax.Array, rate: ArrayLike, shape: tuple[int, ...] | None = None) -> jax.Array:
    """Poisson variates, P(k) = e^(−λ) λᵏ/k!.

    Args:
        key: a JAX key.
        rate: λ >= 0, finite, broadcasts to `shape`; −1 is returned elsewhere.
        shape: of the result; the rate's if None.

    Method: many draws at one rate up to 3e6 come from an alias table. Otherwise inversion by search below mean 10,
    transformed rejection above. Counts beyond 2⁵³ are rounded to floats.
    """
    shape, (rate,) = arguments(shape, float, rate)
    valid = (rate >= 0) & (rate < jnp.inf)
    return _integer(_draw(key, _POISSON, shape, jnp.where(valid, rate, 1)), valid)


@functools.partial(jax.jit, static_argnames="shape")
def binomial(key: jax.Array, n: ArrayLike, p: ArrayLike, shape: tuple[int, ...] | None = None) -> jax.Array:
    """Binomial variates, P(k) = C(n, k) pᵏ (1−p)ⁿ⁻ᵏ.

    Args:
        key: a JAX key.
        n: number of trials, 0, 1, 2, …, broadcasts to `shape`; −1 is returned where it is anything else.
        p: probability of success in [0, 1], broadcasts to `shape`; −1 is returned where it is anything else.
        shape: of the result; that of n and p broadcast if None.

    Method: as `poisson`, with the variance in place of the rate; p > ½ counts failures.
    """
    shape, (n, p) = arguments(shape, float, n, p)
    valid = (n >= 0) & (n < jnp.inf) & (n == jnp.floor(n)) & (p >= 0) & (p <= 1)
    n, p = jnp.where(valid, n, 1), jnp.where(valid, p, 0.5)
    count = _draw(key, _BINOMIAL, shape, n, jnp.minimum(p, 1 - p))
    return _integer(jnp.where(p > 0.5, n - count, count), valid)


@functools.partial(jax.jit, static_argnames="shape")
def negative_binomial(
    key: jax.Array, mean: ArrayLike, concentration: ArrayLike, shape: tuple[int, ...] | None = None
) -> jax.Array:
    """Negative binomial variates: a Poisson variate whose rate is a gamma variate of given mean and concentration.

    Args:
        key: a JAX key.
        mean: m >= 0, finite, broadcasts to `shape`; −1 is returned elsewhere.
        concentration: r > 0, finite, broadcasts to `shape`; −1 is returned elsewhere. The variance is m + m²/r.
        shape: of the result; that of mean and concentration broadcast if None.
    """
    shape, (m, r) = arguments(shape, float, mean, concentration)
    mixing, counting = jax.random.split(key)
    return poisson(counting, gamma(mixing, r, shape) * (m / r), shape)


@functools.partial(jax.jit, static_argnames="shape")
def geometric(key: jax.Array, p: ArrayLike, shape: tuple[int, ...] | None = None) -> jax.Array:
    """Geometric variates, failures before the first success: P(k) = p (1−p)ᵏ.

    Args:
        key: a JAX key.
        p: probability of success in (0, 1], broadcasts to `shape`; −1 is returned where it is anything else.
        shape: of the result; that of p if None.

    Method: inversion. Counts beyond the largest integer are replaced by it.
    """
    shape, (p,) = arguments(shape, float, p)
    valid = (p > 0) & (p <= 1)
    waiting = exponential(key, shape)
    return _integer(jnp.floor(waiting / -jnp.log1p(-jnp.where(valid, p, 0.5))), valid)


def _integer(count: jax.Array, valid: jax.Array) -> jax.Array:
    """Integers of the default type, saturated; −1 where not valid."""
    kind = jnp.asarray(0).dtype
    largest = np.nextafter(count.dtype.type(2.0 ** (jnp.iinfo(kind).bits - 1)), count.dtype.type(0))
    return jnp.where(valid, jnp.minimum(count, largest), -1).astype(kind)


def _draw(key: jax.Array, law: Law, shape: tuple[int, ...], *parameters: jax.Array) -> jax.Array:
    """Counts, as floats, from valid parameters."""
    log_columns = min(_MOST_COLUMNS, (math.prod(shape) // _DRAWS_PER_COLUMN).bit_length() - 1)
    if log_columns < _FEWEST_COLUMNS or any(p.size != 1 for p in parameters):
        return _each(key, law, shape, *parameters)
    parameters = tuple(p.reshape(()) for p in parameters)
    mean = law.mean(*parameters)
    # Bernstein: P(|X − mean| >= d) <= 2 exp(−d²/2/(variance + d/3)), less than 2⁻⁶⁴ for this d
    reach = 15.1 + jnp.sqrt(228 + 90.2 * law.variance(*parameters))
    needed = jnp.ceil(jnp.log2(2 * reach + 2))

    def from_table() -> jax.Array:
        lowest = jnp.maximum(jnp.floor(mean - reach), 0)
        mass = law.mass(lowest + jnp.arange(1 << log_columns), *parameters)
        return lowest + in_blocks(alias_draw(alias_table(mass, needed.astype(int))), key, shape)

    def one_by_one() -> jax.Array:
        return _reject(key, law, shape, mean >= _SEARCH_BELOW, *parameters)

    return jax.lax.cond(needed <= log_columns, from_table, one_by_one)


def _each(key: jax.Array, law: Law, shape: tuple[int, ...], *parameters: jax.Array) -> jax.Array:
    """Every element by the method that suits its own mean; a method nobody needs is not run."""
    small = law.mean(*parameters) < _SEARCH_BELOW
    low, high = jax.random.split(key)

    def search():
        own = _or_else(small, parameters, law.few)
        u = uniform(low, shape, own[0].dtype)
        return accept_reject(low, shape, _search(law, _FIRST_STEPS), u, *own, again=_search(law, _ALL_STEPS))

    def nothing():
        return jnp.zeros(shape, parameters[0].dtype)

    few = jax.lax.cond(jnp.any(small), search, nothing)
    many = jax.lax.cond(jnp.all(small), nothing, lambda: _reject(high, law, shape, ~small, *parameters))
    return jnp.where(small, few, many)


def _reject(key: jax.Array, law: Law, shape: tuple[int, ...], where: jax.Array, *parameters: jax.Array) -> jax.Array:
    return accept_reject(key, shape, _transformed_rejection(law), *_or_else(where, parameters, law.many))


def _or_else(mine: jax.Array, parameters: tuple[jax.Array, ...], others: tuple[float, ...]) -> list[jax.Array]:
    return [jnp.where(mine, p, other) for p, other in zip(parameters, others, strict=True)]


def _search(law: Law, steps: int) -> Callable[..., tuple[jax.Array, jax.Array]]:
    """Inversion of the uniform variate u by search upwards from 0; accepted if it ended within the steps."""

    def walk(_, shape, u, *parameters):
        def step(k, state):
            count, beyond, rest, mass = state
            beyond = (rest >= mass) & (mass > 0)
            return count + beyond, beyond, rest - mass, mass * law.ratio(k + 1.0, *parameters)

        mass = jnp.broadcast_to(law.at_zero(*parameters), shape)
        start = jnp.zeros_like(mass), jnp.ones(shape, bool), jnp.broadcast_to(u, shape), mass
        count, beyond, *_ = jax.lax.fori_loop(0, steps, step, start, unroll=steps == _FIRST_STEPS)
        return count, ~beyond

    return walk


def _scale_and_bound(deviation: jax.Array) -> tuple[jax.Array, jax.Array]:
    """s and a bound of P(k) s G'(u), ⌊mean + ½ + s G(u)⌋ = k, for Poisson and binomial laws, p <= ½, of mean >= 10.

    Both were found by computation over these laws.
    """
    return deviation + 0.2, 1.034 + (0.68 + 0.9 / deviation) / deviation


def _transformed_rejection(law: Law) -> Callable[..., tuple[jax.Array, jax.Array]]:
    """Proposals ⌊mean + ½ + s z⌋ with the nearly normal z of `bell` and a scale s a little above the deviation."""

    def propose(key, shape, *parameters):
        mean, deviation = law.mean(*parameters), jnp.sqrt(law.variance(*parameters))
        scale, bound = _scale_and_bound(deviation)
        z, limit = bell(key, shape, mean.dtype)
        k = jnp.floor(mean + 0.5 + scale * z)
        return k, limit * (bound / scale) <= law.mass(k, *parameters)

    return propose
