"""Normal plus exponential."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.declaration import Limit, parameter
from suffice.distributions.distribution import Distribution
from suffice.distributions.normal import Normal
from suffice.numerics import domain, variates
from suffice.numerics.moments import mean_and_deviation, namespace
from suffice.numerics.special.exponentially_modified import (
    exponentially_modified_quantile,
    log_exponentially_modified_cdf,
    log_exponentially_modified_sf,
    log_tilted,
)


class ExponentiallyModifiedNormal(Distribution):
    """Exponentially modified normal distribution: the sum of a Normal(loc, scale) and an independent Exponential(rate).

    p(x) = rate exp(b²/2 − bz) Φ(z − b), z = (x − loc)/scale, b = rate·scale.

    Args:
        loc: mean of the normal part, in the unit of x.
        scale: standard deviation of the normal part, in the unit of x, > 0.
        rate: of the exponential part, in 1 / unit of x, > 0.
    """

    loc: jax.Array = parameter(domain.real, 0.0, doc="mean of the normal part")
    scale: jax.Array = parameter(domain.positive, 1.0, doc="standard deviation of the normal part")
    rate: jax.Array = parameter(domain.positive, 1.0, doc="rate of the exponential part")

    sample_space: ClassVar[Any] = domain.real
    # As the rate grows the likelihood may rise to its limit: the normal's.
    limits: ClassVar[dict[str, Any]] = {"rate": Limit(Normal)}

    def _b(self) -> jax.Array:
        return self.rate * self.scale

    def _z(self, x: jax.Array) -> jax.Array:
        return (x - self.loc) / self.scale

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return jnp.log(self.rate) + log_tilted(self._b(), self._z(x))

    # tails are exponentials of their logarithms
    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return log_exponentially_modified_cdf(self._b(), self._z(x))

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return log_exponentially_modified_sf(self._b(), self._z(x))

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self.loc + self.scale * exponentially_modified_quantile(self._b(), jnp.log(q), jnp.log1p(-q))

    def _isf(self, q: jax.Array) -> jax.Array:
        return self.loc + self.scale * exponentially_modified_quantile(self._b(), jnp.log1p(-q), jnp.log(q))

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        first, second = jax.random.split(key)
        dtype = self.scale.dtype
        normal = self.loc + self.scale * variates.normal(first, shape, dtype)
        return normal + variates.exponential(second, shape, dtype) / self.rate

    def _mean(self) -> jax.Array:
        return self.loc + 1.0 / self.rate

    def _variance(self) -> jax.Array:
        return self.scale**2 + self.rate**-2

    def _skewness(self) -> jax.Array:
        return 2.0 * (1.0 + self._b() ** 2) ** -1.5

    def _kurtosis(self) -> jax.Array:
        return 6.0 / (1.0 + self._b() ** 2) ** 2

    def _cumulant(self, t: jax.Array) -> jax.Array:
        share = t / self.rate
        inside = share < 1.0
        normal = self.loc * t + 0.5 * (self.scale * t) ** 2
        return jnp.where(inside, normal - jnp.log1p(-jnp.where(inside, share, 0.0)), jnp.inf)

    def _cf(self, t: jax.Array) -> jax.Array:
        return jnp.exp(1j * self.loc * t - 0.5 * (self.scale * t) ** 2) / (1.0 - 1j * t / self.rate)

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        xp = namespace(x)
        mean, deviation = mean_and_deviation(x, w)
        skewness = (w * ((x - mean) / deviation) ** 3).sum() / w.sum()
        share = xp.clip(0.5 * skewness, 0.02, 0.9) ** (1.0 / 3.0)  # of the exponential part in the deviation
        tail = deviation * share
        return {"loc": mean - tail, "scale": deviation * xp.sqrt(1.0 - share**2), "rate": 1.0 / tail}
