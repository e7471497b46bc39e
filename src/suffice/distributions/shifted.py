"""A distribution moved along the line: X = loc + Y."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions import generic
from suffice.distributions.declaration import component, parameter
from suffice.distributions.distribution import Distribution
from suffice.numerics import domain


class Shifted(Distribution):
    """X = loc + Y: gives a family of positive values an origin other than 0.

    Args:
        base: the distribution of Y, continuous.
        loc: the origin, in the unit of x.

    Example:
        >>> import suffice as sf
        >>> round(float(sf.Shifted(sf.Exponential(rate=1.0), loc=3.0).mean()), 12)
        4.0
    """

    base: Any = component(doc="distribution of x − loc")
    loc: jax.Array = parameter(domain.real, 0.0, doc="origin")

    sample_space: ClassVar[Any] = domain.real

    def _support(self) -> Any:
        inner = self.base._support()
        return domain.Interval(inner.lower + self.loc, inner.upper + self.loc, closed=inner.closed)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return self.base._log_prob(x - self.loc)

    def _cdf(self, x: jax.Array) -> jax.Array:
        return generic.cdf(self.base, x - self.loc)

    def _sf(self, x: jax.Array) -> jax.Array:
        return generic.sf(self.base, x - self.loc)

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return generic.log_cdf(self.base, x - self.loc)

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return generic.log_sf(self.base, x - self.loc)

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self.loc + generic.icdf(self.base, q)

    def _isf(self, q: jax.Array) -> jax.Array:
        return self.loc + generic.isf(self.base, q)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return self.loc + generic.sample(self.base, key, shape)

    def _mean(self) -> jax.Array:
        return self.loc + generic.mean(self.base)

    def _mode(self) -> jax.Array:
        return self.loc + generic.mode(self.base)

    def _variance(self) -> jax.Array:
        return generic.variance(self.base)

    def _skewness(self) -> jax.Array:
        return generic.skewness(self.base)

    def _kurtosis(self) -> jax.Array:
        return generic.kurtosis(self.base)

    def _entropy(self) -> jax.Array:
        return generic.entropy(self.base)

    def _cumulant(self, t: jax.Array) -> jax.Array:
        return self.loc * t + generic.cumulant(self.base, t)

    def _cf(self, t: jax.Array) -> jax.Array:
        return jnp.exp(1j * self.loc * t) * generic.cf(self.base, t)
