"""Families that are another family seen through a monotone map."""

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions import generic
from suffice.distributions.distribution import Distribution
from suffice.numerics.domain import Interval


class Mapped(Distribution, abstract=True):
    """X with Y = g(X) of a known family, g monotone. A member writes the family and the map:

        _base() -> the distribution of Y
        _to_base(x) -> y = g(x), _from_base(y) -> x       the map and its inverse
        _log_slope(x) -> log |g'(x)|
        _increasing -> whether g increases, where it may not

    Tails, quantiles and drawing follow; they keep the digits that the map keeps.
    """

    _increasing: ClassVar[Any] = True

    def _base(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define _base")

    def _to_base(self, x: jax.Array) -> jax.Array:
        return x

    def _from_base(self, y: jax.Array) -> jax.Array:
        return y

    def _log_slope(self, x: jax.Array) -> jax.Array:
        return jnp.zeros_like(x)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return self._base()._log_prob(self._to_base(x)) + self._log_slope(x)

    def _either(self, own: Any, other: Any, argument: jax.Array) -> jax.Array:
        """A function of the base, or where the map decreases that of the other tail."""
        if self._increasing is True:
            return own(self._base(), argument)
        return jnp.where(self._increasing, own(self._base(), argument), other(self._base(), argument))

    def _cdf(self, x: jax.Array) -> jax.Array:
        return self._either(generic.cdf, generic.sf, self._to_base(x))

    def _sf(self, x: jax.Array) -> jax.Array:
        return self._either(generic.sf, generic.cdf, self._to_base(x))

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return self._either(generic.log_cdf, generic.log_sf, self._to_base(x))

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return self._either(generic.log_sf, generic.log_cdf, self._to_base(x))

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self._from_base(self._either(generic.icdf, generic.isf, q))

    def _isf(self, q: jax.Array) -> jax.Array:
        return self._from_base(self._either(generic.isf, generic.icdf, q))

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return self._from_base(generic.sample(self._base(), key, shape))


@dataclass(frozen=True, eq=False)
class Image(Interval):
    """The image of a support under a monotone map: what the map takes back lies in ``source``."""

    source: Any = None
    back: Any = None
    point: Any = 0.0
    increasing: Any = True

    def contains(self, x: Any) -> Any:
        finite = (x > self.lower) & (x < self.upper)
        inside = self.source.contains(self.back(jnp.where(finite, x, self.point)))
        low, high = self.source.closed
        at_lower = (x == self.lower) & jnp.where(self.increasing, low, high)
        at_upper = (x == self.upper) & jnp.where(self.increasing, high, low)
        return (finite & inside) | at_lower | at_upper

    def interior(self, shape: tuple[int, ...] = ()) -> Any:
        return self.point


def image(p: Mapped, source: Any, increasing: Any) -> Image:
    """The support of a mapped distribution from that of its base."""
    ends = p._from_base(jnp.asarray(source.lower)), p._from_base(jnp.asarray(source.upper))
    lower, upper = jnp.minimum(*ends), jnp.maximum(*ends)
    point = p._from_base(jnp.asarray(source.interior()))
    return Image(lower, upper, source=source, back=p._to_base, point=point, increasing=increasing)
