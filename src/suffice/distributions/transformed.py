"""Families that are another family seen through a monotone map."""

from typing import Any

import jax
import jax.numpy as jnp

from suffice.distributions import generic
from suffice.distributions.distribution import Distribution


class Transformed(Distribution, abstract=True):
    """X with Y = g(X) of a known family, g increasing. A member writes the family and the map:

        _base() -> the distribution of Y
        _to_base(x) -> y = g(x), _from_base(y) -> x       the map and its inverse
        _log_slope(x) -> log g'(x)

    Tails, quantiles and drawing follow; they keep the digits that the map keeps.
    """

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

    def _cdf(self, x: jax.Array) -> jax.Array:
        return generic.cdf(self._base(), self._to_base(x))

    def _sf(self, x: jax.Array) -> jax.Array:
        return generic.sf(self._base(), self._to_base(x))

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return generic.log_cdf(self._base(), self._to_base(x))

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return generic.log_sf(self._base(), self._to_base(x))

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self._from_base(generic.icdf(self._base(), q))

    def _isf(self, q: jax.Array) -> jax.Array:
        return self._from_base(generic.isf(self._base(), q))

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return self._from_base(generic.sample(self._base(), key, shape))
