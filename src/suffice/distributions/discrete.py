"""Counts and categories: Bernoulli, categorical, Poisson, geometric, negative binomial."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax.scipy.special import xlogy

from suffice.distributions.distribution import Distribution, parameter
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.gamma import log_minus_excess
from suffice.distributions.generic import cdf, sf
from suffice.distributions.normal import LOG_SQRT_2PI
from suffice.distributions.statistics import Sufficient
from suffice.numerics import domain, variates
from suffice.numerics.checks import checked
from suffice.numerics.inversion import smallest_integer
from suffice.numerics.moments import mean_and_deviation, namespace
from suffice.numerics.special.elementary import log1mexp, log1pmx, log_sigmoid, softplus
from suffice.numerics.special.gamma import gammaln, stirling_error
from suffice.numerics.special.incomplete_beta import betainc, betaincc, log_betainc, log_betaincc
from suffice.numerics.special.incomplete_gamma import gammainc, gammaincc, log_gammainc, log_gammaincc
from suffice.numerics.special.normal import ndtri


class _Counts(Distribution, abstract=True):
    """Integers: quantiles by a search on the tails, from the normal approximation corrected for skewness."""

    discrete: ClassVar[bool] = True
    sample_space: ClassVar[Any] = domain.count

    def _guess(self, z: jax.Array) -> jax.Array:
        mean, deviation = self._mean(), jnp.sqrt(self._variance())
        return mean + deviation * (z + self._skewness() * (z**2 - 1.0) / 6.0)

    def _mean(self) -> jax.Array:
        raise NotImplementedError

    def _variance(self) -> jax.Array:
        raise NotImplementedError

    def _skewness(self) -> jax.Array:
        raise NotImplementedError

    def _icdf(self, q: jax.Array) -> jax.Array:
        return smallest_integer(lambda k: cdf(self, k) >= q, self._guess(ndtri(q)), self._support().lower)

    def _isf(self, q: jax.Array) -> jax.Array:
        return smallest_integer(lambda k: sf(self, k) <= q, self._guess(-ndtri(q)), self._support().lower)


class Bernoulli(ExponentialFamily):
    """Bernoulli distribution on {0, 1}: P(X = 1) = sigmoid(logits).

    Args:
        logits: log-odds of 1, dimensionless; ±inf are allowed. ``Bernoulli.from_probs(p)`` takes the probability.
    """

    logits: jax.Array = parameter(domain.extended_real, doc="log-odds of 1")

    discrete: ClassVar[bool] = True
    sample_space: ClassVar[Any] = domain.Interval(0.0, 1.0, closed=(True, True), integer=True)
    reported: ClassVar[dict[str, tuple[str, domain.Domain]]] = {"logits": ("probs", domain.unit)}

    @classmethod
    def from_probs(cls, probs: Any) -> "Bernoulli":
        """Build from P(X = 1), a number or array in [0, 1]."""
        probs = checked("Bernoulli.from_probs: probs", domain.unit, probs)
        return cls(jnp.log(probs) - jnp.log1p(-probs))

    @property
    def probs(self) -> jax.Array:
        """P(X = 1)."""
        return jax.nn.sigmoid(self.logits)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return log_sigmoid(jnp.where(x == 1.0, self.logits, -self.logits))

    def _cdf(self, x: jax.Array) -> jax.Array:
        return jax.nn.sigmoid(-self.logits) + jnp.zeros_like(x)

    def _sf(self, x: jax.Array) -> jax.Array:
        return self.probs + jnp.zeros_like(x)

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return log_sigmoid(-self.logits) + jnp.zeros_like(x)

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return log_sigmoid(self.logits) + jnp.zeros_like(x)

    def _icdf(self, q: jax.Array) -> jax.Array:
        return (q > jax.nn.sigmoid(-self.logits)).astype(q.dtype)

    def _isf(self, q: jax.Array) -> jax.Array:
        return (self.probs > q).astype(q.dtype)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return jax.random.bernoulli(key, self.probs, shape).astype(int)

    def _mean(self) -> jax.Array:
        return self.probs

    def _mode(self) -> jax.Array:
        return (self.logits > 0).astype(self.logits.dtype)

    def _variance(self) -> jax.Array:
        return self.probs * jax.nn.sigmoid(-self.logits)

    def _skewness(self) -> jax.Array:
        return (jax.nn.sigmoid(-self.logits) - self.probs) / jnp.sqrt(self._variance())

    def _kurtosis(self) -> jax.Array:
        return 1.0 / self._variance() - 6.0

    def _entropy(self) -> jax.Array:
        p, q = self.probs, jax.nn.sigmoid(-self.logits)
        return -xlogy(p, p) - xlogy(q, q)

    def _cumulant(self, t: jax.Array) -> jax.Array:
        return jnp.logaddexp(log_sigmoid(-self.logits), log_sigmoid(self.logits) + t)

    def _cf(self, t: jax.Array) -> jax.Array:
        return jax.nn.sigmoid(-self.logits) + self.probs * jnp.exp(1j * t)

    def _natural(self) -> jax.Array:
        return self.logits[..., None]

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "Bernoulli":
        return cls(eta[..., 0])

    def _statistic(self, x: jax.Array) -> jax.Array:
        return x[..., None]

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        return softplus(eta[..., 0])

    def _coordinate(self, x: jax.Array) -> jax.Array:
        return x

    def _mean_log_prob(self, s: Sufficient) -> jax.Array:
        return -_binary_cross_entropy(s.mean, self.logits)

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        return {"logits": jnp.log(s.mean) - jnp.log1p(-s.mean)}

    def _covariance(self, count: Any) -> jax.Array:
        return (self._variance() / count)[None, None]


def _binary_cross_entropy(share: jax.Array, logits: jax.Array) -> jax.Array:
    some, rest = share > 0, share < 1
    ones = jnp.where(some, share * log_sigmoid(jnp.where(some, logits, 0.0)), 0.0)
    zeros = jnp.where(rest, (1.0 - share) * log_sigmoid(jnp.where(rest, -logits, 0.0)), 0.0)
    return -ones - zeros


class Categorical(ExponentialFamily):
    """Categorical distribution on 0, …, K − 1: P(X = k) = softmax(logits)[k].

    Args:
        logits: unnormalised log-probabilities, of shape (..., K); −inf means impossible.
            ``Categorical.from_probs(p)`` takes probabilities.
    """

    logits: jax.Array = parameter(domain.logits, doc="unnormalised log-probabilities, (..., K)")

    discrete: ClassVar[bool] = True
    sample_space: ClassVar[Any] = domain.count
    reported: ClassVar[dict[str, tuple[str, domain.Domain]]] = {"logits": ("probs", domain.unit)}

    @classmethod
    def from_probs(cls, probs: Any) -> "Categorical":
        """Build from probabilities of shape (..., K) that sum to 1."""
        return cls(jnp.log(checked("Categorical.from_probs: probs", domain.simplex, probs)))

    @classmethod
    def _with_classes(cls, classes: int) -> "Categorical":
        return cls(jnp.zeros(classes))

    @property
    def probs(self) -> jax.Array:
        """Probabilities of the K classes, (..., K)."""
        return jax.nn.softmax(self.logits, axis=-1)

    @property
    def _log_probs(self) -> jax.Array:
        return jax.nn.log_softmax(self.logits, axis=-1)

    def _support(self) -> Any:
        return domain.Interval(0.0, self.logits.shape[-1] - 1.0, closed=(True, True), integer=True)

    def _pick(self, table: jax.Array, x: jax.Array) -> jax.Array:
        """Row entries at the class numbers x."""
        index = x.astype(int)
        shape = jnp.broadcast_shapes(table.shape[:-1], index.shape)
        table = jnp.broadcast_to(table, (*shape, table.shape[-1]))
        return jnp.take_along_axis(table, jnp.broadcast_to(index, shape)[..., None], axis=-1)[..., 0]

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return self._pick(self._log_probs, x)

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return self._pick(jax.lax.cumlogsumexp(self._log_probs, axis=self.logits.ndim - 1), x)

    def _log_sf(self, x: jax.Array) -> jax.Array:
        backward = jax.lax.cumlogsumexp(self._log_probs, axis=self.logits.ndim - 1, reverse=True)
        return self._pick(backward, x + 1.0)

    def _icdf(self, q: jax.Array) -> jax.Array:
        below, q = _side_by_side(jnp.cumsum(self.probs, axis=-1)[..., :-1], q)
        return (below < q).sum(-1).astype(q.dtype)

    def _isf(self, q: jax.Array) -> jax.Array:
        above, q = _side_by_side(jnp.flip(jnp.cumsum(jnp.flip(self.probs, -1), -1), -1)[..., 1:], q)
        return (above > q).sum(-1).astype(q.dtype)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return variates.categorical(key, self.logits, shape)

    def _moment(self, order: int) -> jax.Array:
        k = _classes(self.probs)
        centre = (self.probs * k).sum(-1, keepdims=True) if order > 1 else 0.0
        return (self.probs * (k - centre) ** order).sum(-1)

    def _mean(self) -> jax.Array:
        return self._moment(1)

    def _variance(self) -> jax.Array:
        return self._moment(2)

    def _skewness(self) -> jax.Array:
        return self._moment(3) / self._moment(2) ** 1.5

    def _kurtosis(self) -> jax.Array:
        return self._moment(4) / self._moment(2) ** 2 - 3.0

    def _mode(self) -> jax.Array:
        return jnp.argmax(self.logits, axis=-1).astype(self.logits.dtype)

    def _entropy(self) -> jax.Array:
        return -jnp.where(self.probs > 0, self.probs * self._log_probs, 0.0).sum(-1)

    def _cumulant(self, t: jax.Array) -> jax.Array:
        log_probs, t = _side_by_side(self._log_probs, t)
        return jax.nn.logsumexp(log_probs + t * _classes(log_probs), axis=-1)

    def _cf(self, t: jax.Array) -> jax.Array:
        probs, t = _side_by_side(self.probs, t)
        return (probs * jnp.exp(1j * t * _classes(probs))).sum(-1)

    def _natural(self) -> jax.Array:
        return self.logits

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "Categorical":
        return cls(eta)

    def _statistic(self, x: jax.Array) -> jax.Array:
        return jax.nn.one_hot(x.astype(int), self.logits.shape[-1], dtype=x.dtype)

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        return jax.nn.logsumexp(eta, axis=-1)

    def _coordinate(self, x: jax.Array) -> jax.Array:
        return self._statistic(x)

    def _mean_log_prob(self, s: Sufficient) -> jax.Array:
        seen = s.mean > 0
        return jnp.where(seen, s.mean * jnp.where(seen, self._log_probs, 0.0), 0.0).sum(-1)

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        return {"logits": jnp.log(s.mean)}

    def _covariance(self, count: Any) -> jax.Array:
        return (jnp.diag(self.probs) - jnp.outer(self.probs, self.probs)) / count


def _classes(table: jax.Array) -> jax.Array:
    """0, …, K − 1 along the last axis, of the table's rank."""
    return jnp.arange(table.shape[-1], dtype=table.dtype).reshape((1,) * (table.ndim - 1) + (-1,))


def _side_by_side(table: jax.Array, t: jax.Array) -> tuple[jax.Array, jax.Array]:
    """A table over classes (..., K) and values of any shape, brought to one rank with classes last."""
    lifted = table.reshape((1,) * (t.ndim + 1 - table.ndim) + table.shape)
    return lifted, t.reshape((1,) * (table.ndim - 1 - t.ndim) + t.shape + (1,))


class Poisson(_Counts, ExponentialFamily):
    """Poisson distribution: P(X = k) = rate^k exp(−rate) / k!, k = 0, 1, 2, …

    Args:
        rate: mean count, dimensionless, > 0.
    """

    rate: jax.Array = parameter(domain.positive, doc="mean count")

    def _log_prob(self, x: jax.Array) -> jax.Array:
        # Loader's saddle-point form: exact for large counts, where the plain form cancels
        k = jnp.where(x > 0, x, 1.0)
        saddle = (
            k * log_minus_excess(self.rate / k, (self.rate - k) / k)
            - stirling_error(k)
            - 0.5 * jnp.log(k)
            - LOG_SQRT_2PI
        )
        return jnp.where(x > 0, saddle, -self.rate)

    def _cdf(self, x: jax.Array) -> jax.Array:
        return gammaincc(x + 1.0, self.rate)

    def _sf(self, x: jax.Array) -> jax.Array:
        return gammainc(x + 1.0, self.rate)

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return log_gammaincc(x + 1.0, self.rate)

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return log_gammainc(x + 1.0, self.rate)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return variates.poisson(key, self.rate, shape)

    def _mean(self) -> jax.Array:
        return self.rate

    _variance = _mean

    def _skewness(self) -> jax.Array:
        return 1.0 / jnp.sqrt(self.rate)

    def _kurtosis(self) -> jax.Array:
        return 1.0 / self.rate

    def _mode(self) -> jax.Array:
        return jnp.floor(self.rate)

    def _cumulant(self, t: jax.Array) -> jax.Array:
        return self.rate * jnp.expm1(t)

    def _cf(self, t: jax.Array) -> jax.Array:
        return jnp.exp(self.rate * (jnp.exp(1j * t) - 1.0))

    def _natural(self) -> jax.Array:
        return jnp.log(self.rate)[..., None]

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "Poisson":
        return cls(jnp.exp(eta[..., 0]))

    def _statistic(self, x: jax.Array) -> jax.Array:
        return x[..., None]

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        return jnp.exp(eta[..., 0])

    def _log_base_measure(self, x: jax.Array) -> jax.Array:
        return -gammaln(x + 1.0)

    def _coordinate(self, x: jax.Array) -> jax.Array:
        return x

    def _from_coordinate(self, y: jax.Array) -> jax.Array:
        return y

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        return {"rate": s.mean}

    def _covariance(self, count: Any) -> jax.Array:
        return (self.rate / count)[None, None]


class Geometric(_Counts, ExponentialFamily):
    """Geometric distribution of failures before the first success: P(X = k) = p (1 − p)^k, k = 0, 1, 2, …

    Args:
        probs: probability p of success, dimensionless, 0 < p <= 1.
    """

    probs: jax.Array = parameter(domain.Interval(0.0, 1.0, closed=(False, True)), doc="probability of success")

    def _log_failure(self) -> jax.Array:
        return jnp.log1p(-self.probs)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        repeated = x > 0
        return jnp.log(self.probs) + jnp.where(repeated, x * self._log_failure(), 0.0)

    def _cdf(self, x: jax.Array) -> jax.Array:
        return -jnp.expm1((x + 1.0) * self._log_failure())

    def _sf(self, x: jax.Array) -> jax.Array:
        return jnp.exp((x + 1.0) * self._log_failure())

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        return log1mexp((x + 1.0) * self._log_failure())

    def _log_sf(self, x: jax.Array) -> jax.Array:
        return (x + 1.0) * self._log_failure()

    def _icdf(self, q: jax.Array) -> jax.Array:
        guess = jnp.ceil(jnp.log1p(-q) / self._log_failure()) - 1.0
        return smallest_integer(lambda k: self._cdf(k) >= q, guess, 0.0)

    def _isf(self, q: jax.Array) -> jax.Array:
        guess = jnp.ceil(jnp.log(q) / self._log_failure()) - 1.0
        return smallest_integer(lambda k: self._sf(k) <= q, guess, 0.0)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return variates.geometric(key, self.probs, shape)

    def _mean(self) -> jax.Array:
        return (1.0 - self.probs) / self.probs

    def _variance(self) -> jax.Array:
        return (1.0 - self.probs) / self.probs**2

    def _skewness(self) -> jax.Array:
        return (2.0 - self.probs) / jnp.sqrt(1.0 - self.probs)

    def _kurtosis(self) -> jax.Array:
        return 6.0 + self.probs**2 / (1.0 - self.probs)

    def _mode(self) -> jax.Array:
        return jnp.zeros_like(self.probs)

    def _entropy(self) -> jax.Array:
        failure = 1.0 - self.probs
        return -jnp.log(self.probs) - xlogy(failure, failure) / self.probs

    def _cumulant(self, t: jax.Array) -> jax.Array:
        # E[exp(t X)] = 1 / (1 − (1 − p)/p · expm1(t))
        growth = (1.0 - self.probs) / self.probs * jnp.expm1(t)
        inside = growth < 1.0
        return jnp.where(inside, -jnp.log1p(-jnp.where(inside, growth, 0.0)), jnp.inf)

    def _cf(self, t: jax.Array) -> jax.Array:
        return self.probs / (1.0 - (1.0 - self.probs) * jnp.exp(1j * t))

    def _natural(self) -> jax.Array:
        return self._log_failure()[..., None]

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "Geometric":
        return cls(-jnp.expm1(eta[..., 0]))

    def _statistic(self, x: jax.Array) -> jax.Array:
        return x[..., None]

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        return -log1mexp(eta[..., 0])

    def _coordinate(self, x: jax.Array) -> jax.Array:
        return x

    def _from_coordinate(self, y: jax.Array) -> jax.Array:
        return y

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        return {"probs": 1.0 / (1.0 + s.mean)}

    def _covariance(self, count: Any) -> jax.Array:
        return (self.probs**2 * (1.0 - self.probs) / count)[None, None]


class NegativeBinomial(_Counts):
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
    limits: ClassVar[dict[str, Any]] = {"concentration": Poisson}

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
        # Saddle-point form of r/(r + k) Binomial(r; r + k, r/(r + m)): every term is small where the answer is
        r, m = self.concentration, self.mu
        k = jnp.where(x > 0, x, 1.0)
        share, rest = self._success()
        second = log_minus_excess(rest * (1.0 + r / k), share * ((m - k) / k))
        deviance = -r * log1pmx((k - m) / (r + m)) - k * second
        errors = stirling_error(r + k) - stirling_error(r) - stirling_error(k)
        positive = errors - deviance - 0.5 * (jnp.log(k) + jnp.log1p(k / r)) - LOG_SQRT_2PI
        return jnp.where(x > 0, positive, -r * jnp.log1p(m / r))

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
