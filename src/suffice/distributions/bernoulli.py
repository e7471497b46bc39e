"""Categories: Bernoulli, and categorical with any number of classes."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax.scipy.special import xlogy

from suffice.distributions.declaration import parameter
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.statistics import Sufficient
from suffice.numerics import array_domain, domain, variates
from suffice.numerics.checks import checked
from suffice.numerics.special.elementary import log_sigmoid, softplus


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
        return variates.bernoulli(key, self.probs, shape).astype(int)

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

    logits: jax.Array = parameter(array_domain.logits, doc="unnormalised log-probabilities, (..., K)")

    discrete: ClassVar[bool] = True
    sample_space: ClassVar[Any] = domain.count
    reported: ClassVar[dict[str, tuple[str, domain.Domain]]] = {"logits": ("probs", domain.unit)}

    @classmethod
    def from_probs(cls, probs: Any) -> "Categorical":
        """Build from probabilities of shape (..., K) that sum to 1."""
        return cls(jnp.log(checked("Categorical.from_probs: probs", array_domain.simplex, probs)))

    def _sized(self, classes: int) -> "Categorical":
        return type(self)(jnp.zeros(classes))

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
