"""Negative binomial distribution."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.counts import Counts
from suffice.distributions.declaration import Limit, parameter
from suffice.distributions.normal import LOG_SQRT_2PI
from suffice.distributions.poisson import Poisson
from suffice.numerics import domain, variates
from suffice.numerics.checks import checked
from suffice.numerics.moments import mean_and_deviation, namespace
from suffice.numerics.special.elementary import log_minus_excess
from suffice.numerics.special.gamma import stirling_error
from suffice.numerics.special.incomplete_beta import betainc, betaincc, log_betainc, log_betaincc


def log_negative_binomial_law(x: jax.Array, m: jax.Array, r: jax.Array, offset: jax.Array) -> jax.Array:
    """log [Γ(x + r) / (Γ(r) x!) · (r/(r + m))^r (m/(r + m))^x], offset = x − m.

    Saddle-point form of r/(r + x) Binomial(r; r + x, r/(r + m)): every term is small where the answer is.
    """
    positive = x > 0
    k, offset = jnp.where(positive, x, 1.0), jnp.where(positive, offset, 1.0 - m)
    total = r + m
    second = log_minus_excess(m / total * (1.0 + r / k), -(r / total) * (offset / k))
    deviance = -r * log_minus_excess((r + k) / total, offset / total) - k * second
    errors = stirling_error(r + k) - stirling_error(r) - stirling_error(k)
    value = errors - deviance - 0.5 * (jnp.log(k) + jnp.log1p(k / r)) - LOG_SQRT_2PI
    return jnp.where(positive, value, -r * jnp.log1p(m / r))


class NegativeBinomial(Counts):
    """Negative binomial distribution: a Poisson whose rate is Gamma(concentration, concentration / mean).

    P(X = k) = Γ(k + r) / (Γ(r) k!) · (r/(r + m))^r (m/(r + m))^k with m = mean, r = concentration; the variance is
    m + m²/r.

    Args:
        mean: mean count m, dimensionless, > 0.
        concentration: r, dimensionless, > 0; the Poisson is the limit of large r.
            ``NegativeBinomial.from_probs(concentration, probs)`` takes the probability of success r/(r + m).
    """

    mu: jax.Array = parameter(domain.positive, doc="mean count", alias="mean")
    concentration: jax.Array = parameter(domain.positive, doc="inverse overdispersion")

    # As the concentration grows the likelihood may rise to its limit: the Poisson's.
    limits: ClassVar[dict[str, Any]] = {"concentration": Limit(Poisson, {"mu": "rate"})}

    @classmethod
    def from_probs(cls, concentration: Any, probs: Any) -> "NegativeBinomial":
        """Build from the number r of successes and the probability of success, in (0, 1)."""
        probs = checked("NegativeBinomial.from_probs: probs", domain.unit_open, probs)
        return cls(concentration * (1.0 - probs) / probs, concentration)

    def _success(self) -> tuple[jax.Array, jax.Array]:
        """r/(r + m) and m/(r + m)."""
        total = self.concentration + self.mu
        return self.concentration / total, self.mu / total

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return log_negative_binomial_law(x, self.mu, self.concentration, x - self.mu)

    def _cdf(self, x: jax.Array) -> jax.Array:
        return betainc(self.concentration, x + 1.0, *self._success())

    def _sf(self, x: jax.Array) -> jax.Array:
        return betaincc(self.concentration, x + 1.0, *self._success())

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return log_betainc(self.concentration, x + 1.0, *self._success())

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return log_betaincc(self.concentration, x + 1.0, *self._success())

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        r, m = self.concentration, self.mu
        return variates.negative_binomial(key, m, r, shape)

    def _mean(self) -> jax.Array:
        return self.mu

    def _variance(self) -> jax.Array:
        return self.mu * (1.0 + self.mu / self.concentration)

    def _skewness(self) -> jax.Array:
        return (1.0 + 2.0 * self.mu / self.concentration) / jnp.sqrt(self._variance())

    def _kurtosis(self) -> jax.Array:
        return 6.0 / self.concentration + 1.0 / self._variance()

    def _mode(self) -> jax.Array:
        r = self.concentration
        return jnp.where(r > 1.0, jnp.floor(self.mu * jnp.maximum(r - 1.0, 0.0) / r), 0.0)

    def _cumulant(self, t: jax.Array) -> jax.Array:
        # E[exp(t X)] = (1 − (m/r) expm1(t))^(−r)
        growth = self.mu / self.concentration * jnp.expm1(t)
        inside = growth < 1.0
        return jnp.where(inside, -self.concentration * jnp.log1p(-jnp.where(inside, growth, 0.0)), jnp.inf)

    def _cf(self, t: jax.Array) -> jax.Array:
        growth = self.mu / self.concentration * (jnp.exp(1j * t) - 1.0)
        return jnp.exp(-self.concentration * jnp.log(1.0 - growth))

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        mean, deviation = mean_and_deviation(x, w)
        excess = deviation**2 - mean
        return {"mu": mean, "concentration": mean**2 / namespace(x).maximum(excess, 1e-3 * mean)}
