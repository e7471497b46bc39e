"""Inverse Gaussian."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.declaration import parameter
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.normal import LOG_SQRT_2PI
from suffice.distributions.statistics import Sufficient
from suffice.numerics import domain, variates
from suffice.numerics.special.inverse_gaussian import (
    inverse_gaussian_quantile,
    log_inverse_gaussian_cdf,
    log_inverse_gaussian_sf,
)


class InverseGaussian(ExponentialFamily):
    """Inverse Gaussian (Wald) distribution: when a Brownian motion with drift first reaches a level.

    p(x) = √(concentration/(2π x³)) exp(−concentration (x − loc)²/(2 loc² x)), x > 0.

    Args:
        loc: mean, in the unit of x, > 0.
        concentration: in the unit of x, > 0; the variance is loc³/concentration.

    Example:
        >>> import suffice as sf
        >>> round(float(sf.InverseGaussian(loc=1.0, concentration=2.0).cdf(1.0)), 6)
        0.627698
    """

    loc: jax.Array = parameter(domain.positive, 1.0, doc="mean")
    concentration: jax.Array = parameter(domain.positive, 1.0, doc="concentration")

    sample_space: ClassVar[Any] = domain.positive

    def _phi(self) -> jax.Array:
        return self.concentration / self.loc

    def _log_prob(self, x: jax.Array) -> jax.Array:
        z = (x - self.loc) / self.loc
        return 0.5 * jnp.log(self.concentration) - LOG_SQRT_2PI - 1.5 * jnp.log(x) - 0.5 * self.concentration / x * z**2

    # tails are exponentials of their logarithms
    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return log_inverse_gaussian_cdf(self._phi(), x / self.loc)

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return log_inverse_gaussian_sf(self._phi(), x / self.loc)

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self.loc * inverse_gaussian_quantile(self._phi(), jnp.log(q), jnp.log1p(-q))

    def _isf(self, q: jax.Array) -> jax.Array:
        return self.loc * inverse_gaussian_quantile(self._phi(), jnp.log1p(-q), jnp.log(q))

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        # (U − 1)²/U is a squared normal over phi; of its two roots the smaller with probability 1/(1 + root)
        normal, side = jax.random.split(key)
        w = 0.5 * variates.normal(normal, shape, self.loc.dtype) ** 2 / self._phi()
        root = 1.0 / (1.0 + w + jnp.sqrt(w * (2.0 + w)))
        smaller = variates.uniform(side, shape, self.loc.dtype) * (1.0 + root) <= 1.0
        return self.loc * jnp.where(smaller, root, 1.0 / root)

    def _mean(self) -> jax.Array:
        return self.loc

    def _mode(self) -> jax.Array:
        r = 1.5 / self._phi()
        return self.loc / (jnp.hypot(1.0, r) + r)

    def _variance(self) -> jax.Array:
        return self.loc**2 / self._phi()

    def _skewness(self) -> jax.Array:
        return 3.0 / jnp.sqrt(self._phi())

    def _kurtosis(self) -> jax.Array:
        return 15.0 / self._phi()

    def _cumulant(self, t: jax.Array) -> jax.Array:
        z = 2.0 * self.loc * t / self._phi()
        inside = z <= 1.0
        below = jnp.where(z < 1.0, z, 0.0)
        root = jnp.where(z < 1.0, jnp.sqrt(1.0 - below), 0.0)
        return jnp.where(inside, self._phi() * z / (1.0 + root), jnp.inf)

    def _cf(self, t: jax.Array) -> jax.Array:
        z = 2j * self.loc * t / self._phi()
        return jnp.exp(self._phi() * z / (1.0 + jnp.sqrt(1.0 - z)))

    # T = (x, 1/x), eta = −concentration/2 (1/loc², 1), h(x) = x^(−3/2)
    def _natural(self) -> jax.Array:
        half = -0.5 * self.concentration
        return jnp.stack(jnp.broadcast_arrays(half / self.loc**2, half), axis=-1)

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "InverseGaussian":
        return cls(jnp.sqrt(eta[..., 1] / eta[..., 0]), -2.0 * eta[..., 1])

    def _statistic(self, x: jax.Array) -> jax.Array:
        return jnp.stack([x, 1.0 / x], axis=-1)

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        first, second = -eta[..., 0], -eta[..., 1]
        return LOG_SQRT_2PI - 2.0 * jnp.sqrt(first) * jnp.sqrt(second) - 0.5 * jnp.log(2.0 * second)

    def _log_base_measure(self, x: jax.Array) -> jax.Array:
        return -1.5 * jnp.log(x)

    # y = x, phi(y) = 1/y
    def _divergence(self, step: jax.Array, centre: jax.Array) -> jax.Array:
        return (step / centre) ** 2 / (centre + step)

    def _slope(self) -> jax.Array:
        return -0.5 * self.concentration

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        return {"loc": s.mean, "concentration": 1.0 / s.gap}

    def _covariance(self, count: Any) -> jax.Array:
        return jnp.diag(jnp.stack([self.loc**3 / self.concentration, 2.0 * self.concentration**2])) / count
