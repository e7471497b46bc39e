"""Zeta distribution."""

import math
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.declaration import parameter
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.statistics import Sufficient
from suffice.numerics import domain, variates
from suffice.numerics.inversion import around, smallest_integer
from suffice.numerics.quadrature import half_unit_nodes
from suffice.numerics.special.polylog import zeta_mean_power
from suffice.numerics.special.zeta import log_zeta, scaled_zeta, sum_of_powers, zeta
from suffice.numerics.tail_sums import HEAD_WEIGHTS

_LOG_2 = math.log(2.0)


def _mean_log(exponent: jax.Array) -> jax.Array:
    """E[log X]."""
    return -jax.jvp(lambda s: log_zeta(s, 1.0), (exponent,), (jnp.ones_like(exponent),))[1]


class Zeta(ExponentialFamily):
    """Zeta distribution (Zipf's law without end): P(X = k) = k^(−s) / ζ(s), k = 1, 2, …, with s = exponent.

    Integers above 2⁵³ are not all numbers: quantiles are there the nearest that are, infinite if above the largest.

    Args:
        exponent: s, dimensionless, > 1; the moment of order m is finite where s > m + 1.

    Example:
        >>> import suffice as sf
        >>> round(float(sf.Zeta(2.0).prob(1)), 6)
        0.607927
    """

    exponent: jax.Array = parameter(domain.Interval(lower=1.0), doc="exponent")

    discrete: ClassVar[bool] = True
    sample_space: ClassVar[Any] = domain.Interval(lower=1.0, closed=(True, False), integer=True)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return -self.exponent * jnp.log(x) - log_zeta(self.exponent, 1.0)

    def _tails(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """(cdf, sf): the one that is not above ½ by its own sum, the other as its complement."""
        whole = zeta(self.exponent, 1.0)
        upper = zeta(self.exponent, x + 1.0) / whole
        lower = sum_of_powers(self.exponent, x) / whole
        light = upper < 0.5
        return jnp.where(light, 1.0 - upper, lower), jnp.where(light, upper, 1.0 - lower)

    def _cdf(self, x: jax.Array) -> jax.Array:
        return self._tails(x)[0]

    def _sf(self, x: jax.Array) -> jax.Array:
        return self._tails(x)[1]

    def _log_sf(self, x: jax.Array) -> jax.Array:
        lower = self._cdf(x)
        light = lower > 0.5
        upper = log_zeta(self.exponent, x + 1.0) - log_zeta(self.exponent, 1.0)
        return jnp.where(light, upper, jnp.log1p(-jnp.where(light, 0.0, lower)))

    def _first(
        self, log_sf: jax.Array, short: Callable[[jax.Array], jax.Array], holds: Callable[[jax.Array], jax.Array]
    ) -> jax.Array:
        """The smallest k that ``holds``; ``short`` is by how much log sf(k) is above ``log_sf``.

        ζ(s, q) is close to (q − ½)^(1−s)/(s − 1): a start for the search, and an answer where there are no integers.
        """
        exact = 2.0 ** (jnp.finfo(log_sf.dtype).nmant + 1)
        tail = self.exponent - 1.0
        log_size = jnp.log(tail) + log_zeta(self.exponent, 1.0)
        far = jnp.exp(-(log_sf + log_size) / tail)
        valid = self._valid()  # there is nothing to search for
        guess = jnp.where(valid, jnp.minimum(jnp.ceil(far - 0.5), exact), jnp.nan)
        near = smallest_integer(lambda k: (k >= exact) | holds(k), guess, 1.0)
        beyond = jnp.isfinite(far) & (near >= exact)
        start = jnp.where(beyond, far, exact)
        far = jnp.where(beyond, start * (1.0 + short(start) / tail), far)
        return jnp.where(near >= exact, jnp.maximum(far, exact), near)

    # a few units of rounding are forgiven, so that the quantile of cdf(k) is k
    def _icdf(self, q: jax.Array) -> jax.Array:
        reached, _ = around(q)

        def short(k: jax.Array) -> jax.Array:
            lower, upper = self._tails(k)
            return (q - lower) / upper

        return self._first(jnp.log1p(-q), short, lambda k: self._cdf(k) >= reached)

    def _isf(self, q: jax.Array) -> jax.Array:
        _, reached = around(q)
        return self._first(jnp.log(q), lambda k: self._sf(k) / q - 1.0, lambda k: self._sf(k) <= reached)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        # whole parts of Pareto variates, of which those are kept that the law has (Devroye 1986, X.6.1)
        tail = jnp.where(self._valid(), self.exponent, 2.0) - 1.0
        largest = jnp.finfo(tail.dtype).max

        def propose(key: jax.Array, shape: tuple[int, ...], tail: jax.Array) -> tuple[jax.Array, jax.Array]:
            proposing, accepting = jax.random.split(key)
            log_size = variates.exponential(proposing, shape, tail.dtype) / tail
            x = jnp.floor(jnp.minimum(jnp.exp(log_size), largest))
            scarcity = -x * jnp.expm1(-tail * jnp.log1p(1.0 / x))
            return x, variates.uniform(accepting, shape, tail.dtype) * scarcity <= -jnp.expm1(-tail * _LOG_2)

        return variates.accept_reject(key, shape, propose, tail)

    def _rule(self, count: int) -> tuple[jax.Array, jax.Array]:
        """Points and weights along the last axis: integers, then quadrature of exp(−t), the upper tail, in t."""
        lead = (1,) * max(self.exponent.ndim - 1, 0)
        dtype, tail = self.exponent.dtype, self.exponent - 1.0
        head, nodes, weights = (
            jnp.asarray(v, dtype).reshape(*lead, -1) for v in (HEAD_WEIGHTS, *half_unit_nodes(count))
        )
        few = 1.0 + jnp.arange(head.size, dtype=dtype).reshape(head.shape)
        last = jnp.asarray(head.size, dtype)
        largest = jnp.finfo(dtype).max
        heavy = tail * jnp.log(largest) < -jnp.log(jnp.finfo(dtype).eps)  # mass that counts lies beyond all numbers
        many = last * jnp.exp(-jnp.log(2.0 * nodes) / tail)
        many = jnp.where(jnp.isfinite(many) | heavy, many, largest)
        mass = jnp.exp(self._log_prob(few)) * head
        rest = jnp.exp(self._log_prob(last)) * last / tail * (2.0 * weights)
        return jnp.concatenate([few + 0.0 * tail, many], -1), jnp.concatenate([mass, rest], -1)

    def _moments(self) -> tuple[jax.Array, tuple[jax.Array, ...]]:
        """(P(X = 2), and over it the mean less 1 and the central moments of orders 2 to 4, where they are finite)."""
        s = self.exponent
        two = jnp.full_like(s, 2.0)
        z = [2.0**m * scaled_zeta(jnp.where(s > m + 1.0, s - m, 2.0), two) for m in range(5)]
        zero = jnp.zeros_like(s)
        e1, e2, e3, e4 = (  # E[(X − 1)^m]
            sum(((-1.0) ** (m - j) * math.comb(m, j) * z[j] for j in range(m + 1)), zero) for m in range(1, 5)
        )
        unit = jnp.exp(self._log_prob(two))
        d = unit * e1
        third = e3 - d * (3.0 * e2 - 2.0 * d * e1)
        return unit, (e1, e2 - d * e1, third, e4 - d * (4.0 * e3 - d * (6.0 * e2 - 3.0 * d * e1)))

    def _above(self, order: float, value: Any, otherwise: Any) -> jax.Array:
        return jnp.where(self.exponent > order, value, otherwise)

    def _mean(self) -> jax.Array:
        unit, (excess, *_) = self._moments()
        return self._above(2.0, 1.0 + unit * excess, jnp.inf)

    def _variance(self) -> jax.Array:
        unit, (_, second, *_) = self._moments()
        return self._above(3.0, unit * second, jnp.inf)

    def _skewness(self) -> jax.Array:
        unit, (_, second, third, _) = self._moments()
        second = self._above(3.0, second, 1.0)
        return self._above(4.0, third / (second * jnp.sqrt(second * unit)), self._above(3.0, jnp.inf, jnp.nan))

    def _kurtosis(self) -> jax.Array:
        unit, (_, second, _, fourth) = self._moments()
        second = self._above(3.0, second, 1.0)
        return self._above(5.0, fourth / (second**2 * unit) - 3.0, self._above(3.0, jnp.inf, jnp.nan))

    def _mode(self) -> jax.Array:
        return jnp.ones_like(self.exponent)

    def _entropy(self) -> jax.Array:
        return self.exponent * _mean_log(self.exponent) + log_zeta(self.exponent, 1.0)

    def _cumulant(self, t: jax.Array) -> jax.Array:
        below = t < 0.0
        value = t + jnp.log(zeta_mean_power(self.exponent, jnp.where(below, t, -1.0)))
        return jnp.where(below, value, jnp.where(t == 0.0, 0.0, jnp.inf))

    def _cf(self, t: jax.Array) -> jax.Array:
        angle = t - 2.0 * jnp.pi * jnp.round(t / (2.0 * jnp.pi))
        turns = angle != 0.0
        wave = 1j * jnp.where(turns, angle, 1.0)
        return jnp.where(turns, jnp.exp(wave) * zeta_mean_power(self.exponent, wave), 1.0)

    def _natural(self) -> jax.Array:
        return -self.exponent[..., None]

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "Zeta":
        return cls(-eta[..., 0])

    def _statistic(self, x: jax.Array) -> jax.Array:
        return jnp.log(x)[..., None]

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        return log_zeta(-eta[..., 0], 1.0)

    def _coordinate(self, x: jax.Array) -> jax.Array:
        return jnp.log(x)

    def _from_coordinate(self, y: jax.Array) -> jax.Array:
        return jnp.exp(y)

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        """E[log X] = mean, by Newton for its logarithm, convex in log(exponent − 1), from the right."""
        target = jnp.log(s.mean)

        def step(_: int, v: jax.Array) -> jax.Array:
            log_mean = lambda v: jnp.log(_mean_log(1.0 + jnp.exp(v)))  # noqa: E731
            value, slope = jax.jvp(log_mean, (v,), (jnp.ones_like(v),))
            return v - (value - target) / slope

        start = jnp.log(jnp.log1p(1.0 / s.mean) / _LOG_2)
        found = 1.0 + jnp.exp(jax.lax.fori_loop(0, 10, step, start))
        return {"exponent": jnp.where(s.mean > 0.0, found, jnp.inf)}

    def _covariance(self, count: Any) -> jax.Array:
        slope = jax.jvp(_mean_log, (self.exponent,), (jnp.ones_like(self.exponent),))[1]  # −Var[log X]
        return (-1.0 / (slope * count))[None, None]
