"""Order statistics: the smallest, the median, the largest of several independent draws."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions import generic
from suffice.distributions.declaration import component, parameter
from suffice.distributions.distribution import Distribution
from suffice.numerics import domain, quadrature, variates
from suffice.numerics.special.elementary import log1mexp
from suffice.numerics.special.gamma import log_beta
from suffice.numerics.special.incomplete_beta import betainc, betaincc, log_betainc, log_betaincc, log_logit_density
from suffice.numerics.special.inverse_beta import betaincinv_pair

_FROM_ONE = domain.Interval(1.0, closed=(True, False), integer=True)


class OrderStatistic(Distribution):
    """The rank-th smallest of count independent draws: P(X <= x) = I_F(x)(rank, count − rank + 1), F the base's cdf.

    I is the regularised incomplete beta function, taken of F and 1 − F, each from the base, so that both tails keep
    their digits.

    Args:
        base: the distribution drawn from, of numbers.
        rank: 1 for the smallest, count for the largest.
        count: how many are drawn.

    Example:
        >>> import suffice as sf
        >>> largest = sf.OrderStatistic(sf.Normal(), rank=100, count=100)
        >>> round(float(largest.median()), 6), round(float(largest.isf(1e-12)), 6)
        (2.462038, 7.650628)
    """

    base: Any = component(doc="distribution drawn from")
    rank: jax.Array = parameter(_FROM_ONE, doc="place in increasing order", kw_only=True)
    count: jax.Array = parameter(_FROM_ONE, doc="how many are drawn", kw_only=True)

    held: ClassVar[tuple[str, ...]] = ("rank", "count")

    def _inconsistent(self) -> str | None:
        if self.base.event_ndim:
            return f"base must be a distribution of numbers, got {type(self.base).__name__}"
        return super()._inconsistent()

    def _condition(self) -> tuple[Any, str]:
        return self.rank <= self.count, "rank must be at most count"

    @property
    def discrete(self) -> bool:  # type: ignore[override]
        return self.base.discrete

    @property
    def sample_space(self) -> Any:  # type: ignore[override]
        return self.base.sample_space

    def _support(self) -> Any:
        return self.base._support()

    @property
    def _shapes(self) -> tuple[jax.Array, jax.Array]:
        """Those of the beta distribution of F(X)."""
        return self.rank, self.count - self.rank + 1.0

    # -- tails ------------------------------------------------------------------------------------------------------

    def _sides(self, x: jax.Array) -> tuple[jax.Array, ...]:
        return *self._shapes, generic.cdf(self.base, x), generic.sf(self.base, x)

    def _cdf(self, x: jax.Array) -> jax.Array:
        return betainc(*self._sides(x))

    def _sf(self, x: jax.Array) -> jax.Array:
        return betaincc(*self._sides(x))

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        a, b = self._shapes
        return _unless_deep(log_betainc(*self._sides(x)), a, b, generic.log_cdf(self.base, x))

    def _log_sf(self, x: jax.Array) -> jax.Array:
        a, b = self._shapes
        return _unless_deep(log_betaincc(*self._sides(x)), b, a, generic.log_sf(self.base, x))

    # -- densities --------------------------------------------------------------------------------------------------

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return self._log_mass(x) if self.discrete else self._log_density(x)

    def _log_density(self, x: jax.Array) -> jax.Array:
        """log f + log(F^(rank−1) S^(count−rank)/B), by Stirling's form where F and S do not underflow."""
        a, b, below, above = jnp.broadcast_arrays(*self._sides(x))
        log_below, log_above = generic.log_cdf(self.base, x), generic.log_sf(self.base, x)
        plain = jnp.minimum(below, above) < jnp.finfo(x.dtype).tiny / jnp.finfo(x.dtype).eps
        below, above = (jnp.where(plain, 0.5, v) for v in (below, above))
        by_stirling = log_logit_density(a, b, below, above) - log_below - log_above
        powers = _power(a - 1.0, log_below) + _power(b - 1.0, log_above) - log_beta(a, b)
        return self.base._log_prob(x) + jnp.where(plain, powers, by_stirling)

    def _log_mass(self, x: jax.Array) -> jax.Array:
        """log(P(X <= x) − P(X < x)), from the smaller tail."""
        support = self.base._support()
        before = x - 1.0 if support.integer else jnp.nextafter(x, jnp.full_like(x, -jnp.inf))
        first = before < support.lower
        ends = jnp.stack(jnp.broadcast_arrays(x, jnp.where(first, x, before)))
        (below, until), (above, beyond) = self._log_cdf(ends), self._log_sf(ends)
        until, beyond = jnp.where(first, -jnp.inf, until), jnp.where(first, 0.0, beyond)
        from_left = below < beyond
        large, small = jnp.where(from_left, below, beyond), jnp.where(from_left, until, above)
        apart = (small > -jnp.inf) & (large > small)
        rest = log1mexp(jnp.where(apart, small - large, -1.0))
        return jnp.where(apart, large + rest, jnp.where(large > small, large, -jnp.inf))

    # -- quantiles and drawing --------------------------------------------------------------------------------------

    def _icdf(self, q: jax.Array) -> jax.Array:
        q = q * (1.0 - self._slack)
        return self._quantile_of(jnp.log(q), jnp.log1p(-q))

    def _isf(self, q: jax.Array) -> jax.Array:
        q = jnp.minimum(q * (1.0 + self._slack), 1.0)
        return self._quantile_of(jnp.log1p(-q), jnp.log(q))

    @property
    def _slack(self) -> float:
        """How near a level and the sum of masses that reaches it may be told apart: both are rounded."""
        return 32.0 * float(jnp.finfo(self._dtype).eps) if self.discrete else 0.0

    def _quantile_of(self, log_below: jax.Array, log_above: jax.Array) -> jax.Array:
        _, below, above = betaincinv_pair(*self._shapes, log_below, log_above)
        return self._at(below * (1.0 - self._slack), above * (1.0 + self._slack))

    def _at(self, below: jax.Array, above: jax.Array) -> jax.Array:
        """The base's quantile, from the smaller of two probabilities that make up 1."""
        left = below < above
        low, high = jnp.where(left, below, 0.5), jnp.where(left, 0.5, above)
        return jnp.where(left, self.base.icdf(low), self.base.isf(high))

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """The base's quantile of a beta variate, drawn as odds of two gamma variates so that neither side is rounded."""
        keys = jax.random.split(key)
        shapes = (jnp.broadcast_to(jnp.asarray(s, self._dtype), shape) for s in self._shapes)
        below, above = (variates.gamma(k, s, shape) for k, s in zip(keys, shapes, strict=True))
        return self._at(below / (below + above), above / (below + above))

    # -- summaries --------------------------------------------------------------------------------------------------

    @property
    def _rule(self) -> Any:
        if not self.discrete:
            return self._nodes
        return self._masses if generic.own(self.base, "_rule") is not None else None

    def _nodes(self, count: int) -> tuple[jax.Array, jax.Array]:
        """Quantiles at the nodes of both halves, by one search."""
        u, w = (jnp.asarray(v) for v in quadrature.half_unit_nodes(count))
        near, far = jnp.log(u), jnp.log1p(-u)
        x = self._quantile_of(jnp.concatenate([near, far[::-1]]), jnp.concatenate([far, near[::-1]]))
        return x, jnp.concatenate([w, w[::-1]])

    def _masses(self, count: int) -> tuple[jax.Array, jax.Array]:
        """The base's points of mass, with their probabilities here."""
        x, mass = self.base._rule(count)
        return x, jnp.where(mass > 0, jnp.exp(self._log_mass(x)), 0.0)

    def _mode(self) -> jax.Array:
        if self.discrete:
            raise NotImplementedError("OrderStatistic: the mode of one of a discrete distribution has no closed form")
        return generic.peak(self)


def _power(exponent: jax.Array, log_base: jax.Array) -> jax.Array:
    """Logarithm of a power, 0 where the exponent is 0."""
    used = exponent > 0
    return jnp.where(used, exponent * jnp.where(used, log_base, -1.0), 0.0)


def _unless_deep(value: jax.Array, a: jax.Array, b: jax.Array, log_x: jax.Array) -> jax.Array:
    """log I_x(a, b), by the leading term x^a/(a B(a, b)) where x is so small that it may underflow."""
    deep = log_x < 0.9 * jnp.log(jnp.finfo(log_x.dtype).tiny)
    return jnp.where(deep, a * jnp.where(deep, log_x, -1.0) - jnp.log(a) - log_beta(a, b), value)


def order_statistic(base: Distribution, rank: int, count: int) -> OrderStatistic:
    """The distribution of the ``rank``-th smallest of ``count`` independent draws of ``base``: an ``OrderStatistic``.

    Example:
        >>> import suffice as sf
        >>> round(float(sf.order_statistic(sf.Uniform(), 1, 9).mean()), 9)  # the smallest of nine
        0.1
    """
    return OrderStatistic(base, rank=rank, count=count)  # type: ignore[arg-type]
