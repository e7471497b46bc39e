"""Families told by their cumulative hazard."""

import jax
import jax.numpy as jnp

from suffice.distributions.distribution import Distribution
from suffice.numerics import variates
from suffice.numerics.special.elementary import log1mexp

EXACT = -40.0  # below, log(1 − exp(−exp(v))) is v to the last digit


class Hazard(Distribution, abstract=True):
    """sf = exp(−H(x)). A member writes H, its logarithm, and the inverse of H; tails, quantiles and drawing follow."""

    def _hazard(self, x: jax.Array) -> jax.Array:
        raise NotImplementedError(f"{type(self).__name__} must define _hazard")

    def _log_hazard(self, x: jax.Array) -> jax.Array:
        raise NotImplementedError(f"{type(self).__name__} must define _log_hazard")

    def _at_hazard(self, h: jax.Array) -> jax.Array:
        raise NotImplementedError(f"{type(self).__name__} must define _at_hazard")

    def _cdf(self, x: jax.Array) -> jax.Array:
        return -jnp.expm1(-self._hazard(x))

    def _sf(self, x: jax.Array) -> jax.Array:
        return jnp.exp(-self._hazard(x))

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        log_hazard = self._log_hazard(x)
        tiny = log_hazard < EXACT
        return jnp.where(tiny, log_hazard, log1mexp(-jnp.where(tiny, 1.0, self._hazard(x))))

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return -self._hazard(x)

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self._at_hazard(-jnp.log1p(-q))

    def _isf(self, q: jax.Array) -> jax.Array:
        return self._at_hazard(-jnp.log(q))

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return self._at_hazard(variates.exponential(key, shape, jnp.result_type(*jax.tree.leaves(self))))
