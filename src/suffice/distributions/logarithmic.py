"""Logarithmic distribution."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.counts import SummedCounts
from suffice.distributions.declaration import parameter
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.statistics import Sufficient
from suffice.numerics import domain, variates
from suffice.numerics.special.elementary import log1pmx


def _log_rate(p: jax.Array) -> jax.Array:
    """log(−log(1 − p))."""
    return jnp.log(-jnp.log1p(-p))


class Logarithmic(SummedCounts, ExponentialFamily):
    """Logarithmic (log-series) distribution: P(X = k) = −p^k / (k log(1 − p)), k = 1, 2, …, with p = probs.

    Args:
        probs: p, dimensionless, 0 < p < 1.

    Example:
        >>> import suffice as sf
        >>> round(float(sf.Logarithmic(0.5).prob(1)), 6)
        0.721348
    """

    probs: jax.Array = parameter(domain.unit_open, doc="ratio of the series")

    sample_space: ClassVar[Any] = domain.Interval(lower=1.0, closed=(True, False), integer=True)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return x * jnp.log(self.probs) - jnp.log(x) - _log_rate(self.probs)

    def _middle(self) -> jax.Array:
        return jnp.zeros_like(self.probs)  # P(X = 1) is never small: the upper tail serves for both

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        # a geometric count whose probability is (1 − p)^U (Kemp 1981)
        mixing, counting = jax.random.split(key)
        failure = variates.uniform(mixing, shape) * jnp.log1p(-self.probs)
        draws = variates.geometric(counting, jnp.exp(failure), shape)
        return jnp.where(draws < 0, -1, draws + 1)

    def _lack(self) -> jax.Array:
        """1 − p/(−log(1 − p))."""
        return log1pmx(-self.probs) / jnp.log1p(-self.probs)

    def _mean(self) -> jax.Array:
        return 1.0 + (self.probs - self._lack()) / (1.0 - self.probs)

    def _variance(self) -> jax.Array:
        d = self._lack()
        return d * (1.0 - d) / (1.0 - self.probs) ** 2

    def _skewness(self) -> jax.Array:
        p, d = self.probs, self._lack()
        return (p - d + 2.0 * d**2) / (d * jnp.sqrt(d * (1.0 - d)))

    def _kurtosis(self) -> jax.Array:
        p, d = self.probs, self._lack()
        return (p**2 + d + 4.0 * d * p - 3.0 * d**2 + 3.0 * d**3) / (d**2 * (1.0 - d)) - 3.0

    def _mode(self) -> jax.Array:
        return jnp.ones_like(self.probs)

    def _cumulant(self, t: jax.Array) -> jax.Array:
        inside = t < -jnp.log(self.probs)
        return jnp.where(inside, _log_rate(self.probs * jnp.exp(jnp.where(inside, t, 0.0))), jnp.inf) - _log_rate(
            self.probs
        )

    def _cf(self, t: jax.Array) -> jax.Array:
        p = self.probs
        log_modulus = jnp.log1p(-p) + 0.5 * jnp.log1p(p * (2.0 * jnp.sin(0.5 * t) / (1.0 - p)) ** 2)  # of 1 − p e^(it)
        angle = jnp.arctan2(-p * jnp.sin(t), 1.0 - p * jnp.cos(t))
        return (log_modulus + 1j * angle) / jnp.log1p(-p)

    def _natural(self) -> jax.Array:
        return jnp.log(self.probs)[..., None]

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "Logarithmic":
        return cls(jnp.exp(eta[..., 0]))

    def _statistic(self, x: jax.Array) -> jax.Array:
        return x[..., None]

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        return _log_rate(jnp.exp(eta[..., 0]))

    def _log_base_measure(self, x: jax.Array) -> jax.Array:
        return -jnp.log(x)

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        """E[X] = mean, by Newton for log(E[X] − 1) in logit p, where it is close to a line of slope 1."""

        def excess(v: jax.Array) -> jax.Array:
            p = jax.nn.sigmoid(v)
            return jnp.log(p - log1pmx(-p) / jnp.log1p(-p)) + jnp.log1p(jnp.exp(v))

        target = jnp.log(s.mean - 1.0)

        def step(_: int, v: jax.Array) -> jax.Array:
            value, slope = jax.jvp(excess, (v,), (jnp.ones_like(v),))
            return v - jnp.clip((value - target) / slope, -2.0, 2.0)

        return {"probs": jax.nn.sigmoid(jax.lax.fori_loop(0, 20, step, target + 1.0))}

    def _covariance(self, count: Any) -> jax.Array:
        return (self.probs**2 / (self._variance() * count))[None, None]
