"""Von Mises: angles."""

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions import generic
from suffice.distributions.declaration import parameter
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.statistics import Sufficient
from suffice.numerics import domain, variates
from suffice.numerics.special.von_mises import (
    log_circle_mass,
    log_von_mises,
    log_von_mises_cdf,
    log_von_mises_sf,
    principal_angle,
    resultant_gap,
    von_mises_quantile,
    von_mises_rule,
)

_ANGLE = domain.Interval(-math.pi, math.pi, closed=(True, True))
_DIRECTION = domain.Interval(-3.1416, 3.1416)  # takes π in single precision, which is above π


class VonMises(ExponentialFamily):
    """Von Mises distribution of an angle: p(x) = exp(concentration cos(x − loc)) / (2π I₀(concentration)), −π <= x <= π.

    The circle is cut open at ±π, wherever loc is: x is a number in [−π, π], and distribution functions, quantiles and
    moments are those of that number. The mean direction is loc.

    Args:
        loc: mean direction and mode, an angle in [−π, π].
        concentration: about 1/variance where large, dimensionless, > 0.

    Example:
        >>> import suffice as sf
        >>> round(float(sf.VonMises(loc=0.0, concentration=2.0).cdf(0.0)), 12)
        0.5
    """

    loc: jax.Array = parameter(_DIRECTION, 0.0, doc="mean direction")
    concentration: jax.Array = parameter(domain.positive, 1.0, doc="concentration")

    sample_space: ClassVar[Any] = _ANGLE

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return log_von_mises(self.concentration, x - self.loc)

    # tails are exponentials of their logarithms
    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return log_von_mises_cdf(self.concentration, self.loc, x)

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return log_von_mises_sf(self.concentration, self.loc, x)

    def _icdf(self, q: jax.Array) -> jax.Array:
        return von_mises_quantile(self.concentration, self.loc, jnp.log(q), jnp.log1p(-q))

    def _isf(self, q: jax.Array) -> jax.Array:
        return von_mises_quantile(self.concentration, self.loc, jnp.log1p(-q), jnp.log(q))

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        angle = variates.von_mises(key, self.concentration, shape, self.concentration.dtype)
        return jnp.clip(principal_angle(principal_angle(self.loc) + angle), -math.pi, math.pi)

    def _rule(self, count: int) -> tuple[jax.Array, jax.Array]:
        return von_mises_rule(self.concentration, self.loc, count)

    def _unless_symmetric(self, value: jax.Array) -> jax.Array:
        """A moment that is 0 where the law is symmetric about 0."""
        return jnp.where((self.loc == 0.0) | (jnp.abs(self.loc) == math.pi), 0.0, value)

    def _mean(self) -> jax.Array:
        wide = generic.column(self)
        shift = generic.expectation(self, lambda x: x - principal_angle(wide.loc))
        return self._unless_symmetric(principal_angle(self.loc) + shift)

    def _skewness(self) -> jax.Array:
        return self._unless_symmetric(generic.standardised(self, 3, jnp.sqrt(generic.variance(self))))

    def _mode(self) -> jax.Array:
        return principal_angle(self.loc) + jnp.zeros_like(self.concentration)

    def _entropy(self) -> jax.Array:
        return log_circle_mass(self.concentration) + self.concentration * resultant_gap(self.concentration)

    # T = (cos x, sin x), eta = concentration (cos loc, sin loc)
    def _natural(self) -> jax.Array:
        return self.concentration[..., None] * self._statistic(self.loc)

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "VonMises":
        return cls(jnp.arctan2(eta[..., 1], eta[..., 0]), jnp.hypot(eta[..., 0], eta[..., 1]))

    def _statistic(self, x: jax.Array) -> jax.Array:
        return jnp.stack([jnp.cos(x), jnp.sin(x)], axis=-1)

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        length = jnp.hypot(eta[..., 0], eta[..., 1])
        return length + log_circle_mass(length)

    # y = T(x), a point of the unit circle, and phi(y) = |y|²/2: its Jensen gap is (1 − R²)/2, R the resultant length
    def _coordinate(self, x: jax.Array) -> jax.Array:
        return self._statistic(x)

    def _from_coordinate(self, y: jax.Array) -> jax.Array:
        return jnp.arctan2(y[..., 1], y[..., 0])

    def _divergence(self, step: jax.Array, centre: jax.Array) -> jax.Array:
        del centre
        return 0.5 * (step**2).sum(-1)

    def _mean_log_prob(self, s: Sufficient) -> jax.Array:
        # κ (R cos(loc − direction) − 1), with 1 − R from the gap
        length, direction = jnp.hypot(s.mean[0], s.mean[1]), jnp.arctan2(s.mean[1], s.mean[0])
        lack = 2.0 * s.gap / (1.0 + length) + 2.0 * length * jnp.sin(0.5 * (self.loc - direction)) ** 2
        return -self.concentration * lack - log_circle_mass(self.concentration)

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        """loc is the direction of the mean; A(κ) = R by Newton for log(A²/(1 − A²)) in log κ, of slope 2 to 1."""
        target = jnp.log(s.mean[0] ** 2 + s.mean[1] ** 2) - jnp.log(2.0 * s.gap)

        def log_odds(v: jax.Array) -> jax.Array:
            lack = resultant_gap(jnp.exp(v))
            return 2.0 * jnp.log1p(-lack) - jnp.log(lack) - jnp.log(2.0 - lack)

        def step(_: int, v: jax.Array) -> jax.Array:
            value, slope = jax.jvp(log_odds, (v,), (jnp.ones_like(v),))
            return v - (value - target) / slope

        start = jnp.where(target > 0.0, target, 0.5 * target) + 0.5
        concentration = jnp.exp(jax.lax.fori_loop(0, 12, step, start))
        return {"loc": jnp.arctan2(s.mean[1], s.mean[0]), "concentration": concentration}

    def _covariance(self, count: Any) -> jax.Array:
        kappa = self.concentration
        lack, slope = jax.jvp(resultant_gap, (kappa,), (jnp.ones_like(kappa),))
        return jnp.diag(jnp.stack([1.0 / (kappa * (1.0 - lack)), -1.0 / slope])) / count
