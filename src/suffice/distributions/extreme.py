"""Weibull and Rayleigh."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.declaration import parameter
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.hazard import Hazard
from suffice.distributions.location_scale import EULER_GAMMA
from suffice.distributions.statistics import Sufficient
from suffice.numerics import domain
from suffice.numerics.moments import mean_and_deviation, namespace
from suffice.numerics.special.gamma import gammaln1p
from suffice.numerics.special.normal import log_ndtr


class Weibull(Hazard):
    """Weibull distribution: sf exp(−(x/scale)^k), x > 0, with k = concentration.

    Args:
        concentration: shape k, dimensionless, > 0.
        scale: in the unit of x, > 0.
    """

    concentration: jax.Array = parameter(domain.positive, doc="shape")
    scale: jax.Array = parameter(domain.positive, 1.0, doc="scale")

    sample_space: ClassVar[Any] = domain.positive
    unbounded_at_origin: ClassVar[bool] = True

    def _support(self) -> Any:
        return domain.non_negative

    def _log_z(self, x: jax.Array) -> jax.Array:
        """log(x / scale), 0 at the origin."""
        return jnp.log(jnp.where(x > 0, x, self.scale) / self.scale)

    def _hazard(self, x: jax.Array) -> jax.Array:
        """Cumulative hazard (x / scale)^k."""
        return (x / self.scale) ** self.concentration

    def _log_prob(self, x: jax.Array) -> jax.Array:
        k, log_z = self.concentration, self._log_z(x)
        # written with one logarithm and one exponential: powers cost five times as much to differentiate
        at_origin = jnp.where(k == 1.0, 0.0, jnp.where(k > 1.0, -jnp.inf, jnp.inf))
        inside = x > 0
        return (
            jnp.log(k)
            - jnp.log(self.scale)
            + jnp.where(inside, (k - 1.0) * log_z, at_origin)
            - jnp.where(inside, jnp.exp(k * log_z), 0.0)
        )

    def _log_hazard(self, x: jax.Array) -> jax.Array:
        return self.concentration * jnp.log(x / self.scale)

    def _at_hazard(self, h: jax.Array) -> jax.Array:
        return self.scale * h ** (1.0 / self.concentration)

    def _mean(self) -> jax.Array:
        return self.scale * jnp.exp(gammaln1p(1.0 / self.concentration))

    def _median(self) -> jax.Array:
        return self.scale * jnp.log(2.0) ** (1.0 / self.concentration)

    def _mode(self) -> jax.Array:
        k = self.concentration
        return jnp.where(k > 1.0, self.scale * (jnp.maximum(k - 1.0, 0.0) / k) ** (1.0 / k), 0.0)

    def _variance(self) -> jax.Array:
        inverse = 1.0 / self.concentration
        log_square = 2.0 * gammaln1p(inverse)
        return self.scale**2 * jnp.exp(log_square) * jnp.expm1(gammaln1p(2.0 * inverse) - log_square)

    def _entropy(self) -> jax.Array:
        k = self.concentration
        return EULER_GAMMA * (1.0 - 1.0 / k) + jnp.log(self.scale / k) + 1.0

    def _analytic_log_density(self, z: jax.Array) -> jax.Array:
        exponent = self.concentration * (z - jnp.log(self.scale))
        return jnp.log(self.concentration) + exponent - jnp.exp(exponent)

    def _tilt(self) -> jax.Array:
        return jnp.minimum(0.5 * jnp.pi, 0.25 * jnp.pi / self.concentration)

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        # log x is a Gumbel of minima
        mean, deviation = mean_and_deviation(namespace(x).log(x), w)
        inverse = deviation * 0.7797
        return {"concentration": 1.0 / inverse, "scale": namespace(x).exp(mean + EULER_GAMMA * inverse)}


class Rayleigh(Hazard, ExponentialFamily):
    """Rayleigh distribution: p(x) = x exp(−(x/scale)²/2) / scale², x > 0.

    Args:
        scale: mode, in the unit of x, > 0.
    """

    scale: jax.Array = parameter(domain.positive, 1.0, doc="mode")

    sample_space: ClassVar[Any] = domain.positive

    def _hazard(self, x: jax.Array) -> jax.Array:
        return 0.5 * (x / self.scale) ** 2

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return jnp.log(x) - 2.0 * jnp.log(self.scale) - self._hazard(x)

    def _log_hazard(self, x: jax.Array) -> jax.Array:
        return 2.0 * jnp.log(x / self.scale) - float(np.log(2.0))

    def _at_hazard(self, h: jax.Array) -> jax.Array:
        return self.scale * jnp.sqrt(2.0 * h)

    def _mean(self) -> jax.Array:
        return self.scale * jnp.sqrt(jnp.pi / 2.0)

    def _mode(self) -> jax.Array:
        return self.scale

    def _variance(self) -> jax.Array:
        return (2.0 - jnp.pi / 2.0) * self.scale**2

    def _skewness(self) -> jax.Array:
        return jnp.full_like(self.scale, 2.0 * np.sqrt(np.pi) * (np.pi - 3.0) / (4.0 - np.pi) ** 1.5)

    def _kurtosis(self) -> jax.Array:
        return jnp.full_like(self.scale, -(6.0 * np.pi**2 - 24.0 * np.pi + 16.0) / (4.0 - np.pi) ** 2)

    def _entropy(self) -> jax.Array:
        return 1.0 + jnp.log(self.scale) - 0.5 * float(np.log(2.0)) + 0.5 * EULER_GAMMA

    def _cumulant(self, t: jax.Array) -> jax.Array:
        # E[exp(t X)] = 1 + √(2π) s t exp(s² t²/2) Φ(s t)
        st = self.scale * t
        up = jnp.where(st > 0, st, 1.0)
        log_term = 0.5 * float(np.log(2.0 * np.pi)) + jnp.log(up) + 0.5 * up**2 + log_ndtr(up)
        down = jnp.where(st > 0, 0.0, st)
        term = float(np.sqrt(2.0 * np.pi)) * down * jnp.exp(0.5 * down**2 + log_ndtr(down))
        return jnp.where(st > 0, jnp.logaddexp(0.0, log_term), jnp.log1p(term))

    def _analytic_log_density(self, z: jax.Array) -> jax.Array:
        exponent = 2.0 * (z - jnp.log(self.scale))
        return exponent - 0.5 * jnp.exp(exponent)

    def _tilt(self) -> jax.Array:
        return jnp.full_like(self.scale, jnp.pi / 8.0)

    # T = x², eta = −1 / (2 scale²), h(x) = x
    def _natural(self) -> jax.Array:
        return (-0.5 / self.scale**2)[..., None]

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "Rayleigh":
        return cls(jnp.sqrt(-0.5 / eta[..., 0]))

    def _statistic(self, x: jax.Array) -> jax.Array:
        return (x**2)[..., None]

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        return -jnp.log(-2.0 * eta[..., 0])

    def _log_base_measure(self, x: jax.Array) -> jax.Array:
        return jnp.log(x)

    def _coordinate(self, x: jax.Array) -> jax.Array:
        return x**2

    def _from_coordinate(self, y: jax.Array) -> jax.Array:
        return jnp.sqrt(y)

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        return {"scale": jnp.sqrt(s.mean / 2.0)}

    def _covariance(self, count: Any) -> jax.Array:
        return (self.scale**2 / (4.0 * count))[None, None]
