"""Families with a cumulative hazard in closed form: Lomax, Burr XII, Kumaraswamy."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions import generic
from suffice.distributions.declaration import parameter
from suffice.distributions.hazard import EXACT, Hazard
from suffice.distributions.uniform import Pareto
from suffice.numerics import domain
from suffice.numerics.moments import namespace, quantiles
from suffice.numerics.special.elementary import log1mexp, softplus, xlogy
from suffice.numerics.special.gamma import digamma, log_beta


def _log_expm1(w: jax.Array) -> jax.Array:
    """log(exp(w) − 1), w > 0."""
    return w + log1mexp(-w)


class Lomax(Hazard):
    """Lomax distribution, the Pareto of the second kind: sf (1 + x/scale)^(−concentration), x >= 0.

    Args:
        concentration: tail exponent, dimensionless, > 0.
        scale: in the unit of x, > 0.
    """

    concentration: jax.Array = parameter(domain.positive, doc="tail exponent")
    scale: jax.Array = parameter(domain.positive, 1.0, doc="scale")

    sample_space: ClassVar[Any] = domain.non_negative

    def _hazard(self, x: jax.Array) -> jax.Array:
        return self.concentration * jnp.log1p(x / self.scale)

    def _log_hazard(self, x: jax.Array) -> jax.Array:
        z = x / self.scale
        tiny = z < 1e-30
        far = jnp.log(jnp.log1p(jnp.where(tiny, 1.0, z)))
        return jnp.log(self.concentration) + jnp.where(tiny, jnp.log(x) - jnp.log(self.scale), far)

    def _at_hazard(self, h: jax.Array) -> jax.Array:
        return self.scale * jnp.expm1(h / self.concentration)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        a = self.concentration
        return jnp.log(a) - jnp.log(self.scale) - (a + 1.0) * jnp.log1p(x / self.scale)

    def _pareto(self) -> Pareto:
        """The distribution of X + scale."""
        return Pareto(self.concentration, self.scale)

    def _mean(self) -> jax.Array:
        return jnp.where(self.concentration > 1.0, self.scale / (self.concentration - 1.0), jnp.inf)

    def _median(self) -> jax.Array:
        return self._at_hazard(jnp.log(2.0).astype(self.scale.dtype))

    def _mode(self) -> jax.Array:
        return jnp.zeros_like(self.scale * self.concentration)

    def _variance(self) -> jax.Array:
        return self._pareto()._variance()

    def _skewness(self) -> jax.Array:
        return self._pareto()._skewness()

    def _kurtosis(self) -> jax.Array:
        return self._pareto()._kurtosis()

    def _entropy(self) -> jax.Array:
        return self._pareto()._entropy()

    def _analytic_log_density(self, z: jax.Array) -> jax.Array:
        return self._pareto()._analytic_log_density(z)

    def _tilt(self) -> jax.Array:
        return jnp.full_like(self.scale * self.concentration, 0.25 * jnp.pi)

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        # sf(x) = 1/2 and 1/8 at x/scale = 2^(1/a) − 1 and 2^(3/a) − 1: their ratio gives a
        xp = namespace(x)
        middle, high = quantiles(x, w, (0.5, 0.875))
        middle = xp.maximum(middle, 1e-300)
        excess = xp.maximum(high / middle, 3.2)  # 1 + r + r² with r = 2^(1/a)
        r = 0.5 * (xp.sqrt(4.0 * excess - 3.0) - 1.0)
        return {"concentration": 0.6931471805599453 / xp.log(r), "scale": middle / (r - 1.0)}


class Burr12(Hazard):
    """Burr distribution of type XII (Singh–Maddala): sf (1 + (x/scale)^alpha)^(−beta), x > 0.

    Args:
        alpha: first shape, dimensionless, > 0.
        beta: second shape, dimensionless, > 0; tails are powers with exponent alpha·beta.
        scale: in the unit of x, > 0.
    """

    alpha: jax.Array = parameter(domain.positive, doc="first shape")
    beta: jax.Array = parameter(domain.positive, doc="second shape")
    scale: jax.Array = parameter(domain.positive, 1.0, doc="scale")

    sample_space: ClassVar[Any] = domain.positive
    unbounded_at_origin: ClassVar[bool] = True

    def _u(self, x: jax.Array) -> jax.Array:
        return self.alpha * jnp.log(x / self.scale)

    def _hazard(self, x: jax.Array) -> jax.Array:
        return self.beta * softplus(self._u(x))

    def _log_hazard(self, x: jax.Array) -> jax.Array:
        u = self._u(x)
        tiny = u < EXACT
        return jnp.log(self.beta) + jnp.where(tiny, u, jnp.log(softplus(jnp.where(tiny, 0.0, u))))

    def _at_hazard(self, h: jax.Array) -> jax.Array:
        return self.scale * jnp.exp(_log_expm1(h / self.beta) / self.alpha)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        u = self._u(x)
        return jnp.log(self.alpha) + jnp.log(self.beta) - jnp.log(x) + u - (self.beta + 1.0) * softplus(u)

    def _log_moment(self, order: float) -> jax.Array:
        """log E[(X/scale)^order] = log(beta B(1 + order/alpha, beta − order/alpha)) where it exists."""
        share = order / self.alpha
        return jnp.log(self.beta) + log_beta(1.0 + share, jnp.where(share < self.beta, self.beta - share, jnp.nan))

    def _above(self, order: float, value: jax.Array, otherwise: float) -> jax.Array:
        return jnp.where(self.alpha * self.beta > order, value, otherwise)

    def _mean(self) -> jax.Array:
        return self._above(1.0, self.scale * jnp.exp(self._log_moment(1.0)), jnp.inf)

    # moments about the mean: from those about 0 where tails are heavy, else by quadrature, where they would cancel
    def _standardised(self, order: int, raw: jax.Array, unit: Any) -> jax.Array:
        light = (self.alpha * self.beta > 16.0) & (self.alpha > 1.0)
        return jnp.where(light, generic.standardised(self, order, unit), raw)

    def _variance(self) -> jax.Array:
        m1, m2 = (jnp.exp(self._log_moment(order)) for order in (1.0, 2.0))
        raw = self.scale**2 * m1**2 * (m2 / m1**2 - 1.0)
        return self._above(2.0, self._standardised(2, raw, jnp.asarray(1.0)), jnp.inf)

    def _skewness(self) -> jax.Array:
        m1, m2, m3 = (jnp.exp(self._log_moment(order)) for order in (1.0, 2.0, 3.0))
        raw = (m3 - 3.0 * m1 * m2 + 2.0 * m1**3) / (m2 - m1**2) ** 1.5
        return self._above(3.0, self._standardised(3, raw, jnp.sqrt(self._variance())), jnp.nan)

    def _kurtosis(self) -> jax.Array:
        m1, m2, m3, m4 = (jnp.exp(self._log_moment(order)) for order in (1.0, 2.0, 3.0, 4.0))
        raw = (m4 - 4.0 * m1 * m3 + 6.0 * m1**2 * m2 - 3.0 * m1**4) / (m2 - m1**2) ** 2
        return self._above(4.0, self._standardised(4, raw, jnp.sqrt(self._variance())) - 3.0, jnp.nan)

    def _mode(self) -> jax.Array:
        a = self.alpha
        return self.scale * (jnp.maximum(a - 1.0, 0.0) / (a * self.beta + 1.0)) ** (1.0 / a)

    def _entropy(self) -> jax.Array:
        # E log(1 + X^alpha) = 1/beta and E[alpha log X] = digamma(1) − digamma(beta), at scale 1
        log_x = (digamma(jnp.ones_like(self.beta)) - digamma(self.beta)) / self.alpha
        known = jnp.log(self.scale) - jnp.log(self.alpha) - jnp.log(self.beta)
        return known - (self.alpha - 1.0) * log_x + 1.0 + 1.0 / self.beta

    def _analytic_log_density(self, z: jax.Array) -> jax.Array:
        u = self.alpha * (z - jnp.log(self.scale))
        outer = u.real > 0
        growth = jnp.where(outer, u, 0.0) + jnp.log1p(jnp.exp(jnp.where(outer, -u, u)))
        return jnp.log(self.alpha) + jnp.log(self.beta) + u - (self.beta + 1.0) * growth

    def _tilt(self) -> jax.Array:
        return jnp.minimum(0.25 * jnp.pi, 0.25 * jnp.pi / self.alpha) + jnp.zeros_like(self.beta * self.scale)

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        # log x is logistic where beta = 1
        xp = namespace(x)
        low, middle, high = quantiles(xp.log(x), w, (0.25, 0.5, 0.75))
        return {"alpha": 2.2 / xp.maximum(high - low, 1e-8), "beta": xp.ones_like(middle), "scale": xp.exp(middle)}


class Kumaraswamy(Hazard):
    """Kumaraswamy distribution: cdf 1 − (1 − x^alpha)^beta, 0 < x < 1; close to the beta's, in closed form.

    Args:
        alpha: first shape, dimensionless, > 0.
        beta: second shape, dimensionless, > 0.
    """

    alpha: jax.Array = parameter(domain.positive, doc="first shape")
    beta: jax.Array = parameter(domain.positive, doc="second shape")

    sample_space: ClassVar[Any] = domain.unit_open

    def _support(self) -> Any:
        return domain.unit

    def _hazard(self, x: jax.Array) -> jax.Array:
        return -self.beta * log1mexp(self.alpha * jnp.log(x))

    def _log_hazard(self, x: jax.Array) -> jax.Array:
        u = self.alpha * jnp.log(x)
        tiny = u < EXACT
        return jnp.log(self.beta) + jnp.where(tiny, u, jnp.log(-log1mexp(jnp.where(tiny, -1.0, u))))

    def _at_hazard(self, h: jax.Array) -> jax.Array:
        return jnp.exp(log1mexp(-h / self.beta) / self.alpha)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        inside = (x > 0.0) & (x < 1.0)
        at = jnp.where(inside, x, 0.5)
        value = (self.alpha - 1.0) * jnp.log(at) + (self.beta - 1.0) * log1mexp(self.alpha * jnp.log(at))
        edge = jnp.where(x < 0.5, xlogy(self.alpha - 1.0, x), xlogy(self.beta - 1.0, 1.0 - x))
        return jnp.log(self.alpha) + jnp.log(self.beta) + jnp.where(inside, value, edge)

    def _log_moment(self, order: float) -> jax.Array:
        return jnp.log(self.beta) + log_beta(1.0 + order / self.alpha, self.beta)

    def _mean(self) -> jax.Array:
        return jnp.exp(self._log_moment(1.0))

    def _variance(self) -> jax.Array:
        first, second = self._log_moment(1.0), self._log_moment(2.0)
        return jnp.exp(2.0 * first) * jnp.expm1(second - 2.0 * first)

    def _mode(self) -> jax.Array:
        a, b = self.alpha, self.beta
        inner = (a > 1.0) & (b > 1.0)
        power = jnp.where(inner, (a - 1.0) / jnp.where(inner, a * b - 1.0, 1.0), 0.5)
        return jnp.where(inner, power ** (1.0 / a), jnp.where((a < 1.0) & ((b >= 1.0) | (a <= b)), 0.0, 1.0))

    def _entropy(self) -> jax.Array:
        # E log(1 − X^alpha) = −1/beta and E[alpha log X] = digamma(1) − digamma(beta + 1)
        log_x = (digamma(jnp.ones_like(self.beta)) - digamma(self.beta + 1.0)) / self.alpha
        return 1.0 - 1.0 / self.beta - jnp.log(self.alpha) - jnp.log(self.beta) - (self.alpha - 1.0) * log_x

    def _analytic_log_density(self, z: jax.Array) -> jax.Array:
        right = z.real > 0
        rest = jnp.log1p(jnp.exp(jnp.where(right, -z, z)))
        log_x = jnp.where(right, 0.0, z) - rest
        log_y = jnp.where(right, -z, 0.0) - rest
        # 1 − x^alpha, which is alpha (1 − x) to the last digit close to 1
        close = jnp.log(self.alpha) - z
        linear = right & (close.real < EXACT)
        power = jnp.where(linear, close, jnp.log(-jnp.expm1(jnp.where(linear, -1.0, self.alpha * log_x))))
        return jnp.log(self.alpha) + jnp.log(self.beta) + self.alpha * log_x + log_y + (self.beta - 1.0) * power

    def _tilt(self) -> jax.Array:
        return jnp.minimum(0.25 * jnp.pi, 2.0 * jnp.sqrt(1.0 / self.alpha + 1.0 / self.beta))

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        xp = namespace(x)
        rate = w.sum() / (w * -xp.log1p(-x)).sum()
        return {"alpha": xp.ones_like(rate), "beta": rate}
