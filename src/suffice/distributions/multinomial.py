"""Counts of several classes: multinomial, and with random probabilities, Dirichlet-multinomial."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions import generic
from suffice.distributions.beta_binomial import BetaBinomial
from suffice.distributions.binomial import Binomial
from suffice.distributions.declaration import parameter
from suffice.distributions.distribution import Distribution
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.statistics import Sufficient
from suffice.numerics import array_domain, domain, linalg, variates
from suffice.numerics.checks import checked
from suffice.numerics.special.gamma import gammaln, log_beta
from suffice.numerics.special.simplex import log_dirichlet_multinomial, log_multinomial


class CountVector(Distribution, abstract=True):
    """Counts of K classes with a known sum, ``total_count``."""

    event_ndim: ClassVar[int] = 1
    discrete: ClassVar[bool] = True
    held: ClassVar[tuple[str, ...]] = ("total_count",)
    total_count: jax.Array

    def _support(self) -> Any:
        return array_domain.CountsOf(self.total_count)

    @property
    def sample_space(self) -> Any:  # type: ignore[override]
        return self._support()

    def _shares(self) -> jax.Array:
        raise NotImplementedError

    @property
    def _count(self) -> jax.Array:
        return jnp.asarray(self.total_count)[..., None]

    def _mean(self) -> jax.Array:
        return self._count * self._shares()

    def _spread(self) -> jax.Array:
        """Covariance of one draw times the number of draws."""
        p = self._shares()
        return self._count[..., None] * (linalg.diagonal(p) - p[..., :, None] * p[..., None, :])


class Multinomial(CountVector, ExponentialFamily):
    """Multinomial distribution: P(X = k) = n!/∏k! ∏ p^k, Σk = n, with n = total_count and p = softmax(logits).

    Args:
        total_count: number of draws n, an integer >= 0; known, not estimated.
        logits: unnormalised log-probabilities, (..., K); −inf means impossible. ``Multinomial.from_probs(n, p)`` takes
            probabilities.

    Example:
        >>> import suffice as sf
        >>> p = sf.Multinomial.from_probs(4, [0.5, 0.25, 0.25])
        >>> round(float(p.prob([2, 1, 1])), 6)
        0.1875
    """

    total_count: jax.Array = parameter(domain.count, doc="number of draws")
    logits: jax.Array = parameter(array_domain.logits, doc="unnormalised log-probabilities, (..., K)")

    reported: ClassVar[dict[str, tuple[str, domain.Domain]]] = {"logits": ("probs", domain.unit)}

    @classmethod
    def from_probs(cls, total_count: Any, probs: Any) -> "Multinomial":
        """Build from probabilities of shape (..., K) that sum to 1."""
        probs = checked("Multinomial.from_probs: probs", array_domain.simplex, probs)
        return cls(total_count, jnp.log(probs))

    @property
    def probs(self) -> jax.Array:
        """Probabilities of the K classes, (..., K)."""
        return jax.nn.softmax(self.logits, axis=-1)

    def _sized(self, dimension: int) -> "Multinomial":
        return type(self)(self.total_count, jnp.zeros(dimension))

    def _event_shape(self) -> tuple[int, ...]:
        return self.logits.shape[-1:]

    def _shares(self) -> jax.Array:
        return self.probs

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return log_multinomial(x, jax.nn.log_softmax(self.logits, axis=-1))

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return multinomial_draw(key, self.total_count, self.probs, shape)

    def _covariance_matrix(self) -> jax.Array:
        return self._spread()

    def _cumulant(self, t: jax.Array) -> jax.Array:
        return self.total_count * jax.nn.logsumexp(jax.nn.log_softmax(self.logits, axis=-1) + t, axis=-1)

    def _cf(self, t: jax.Array) -> jax.Array:
        return (self.probs * jnp.exp(1j * t)).sum(-1) ** self.total_count

    def _mode(self) -> jax.Array:
        return apportioned(self._count, self.probs)

    def _entropy(self) -> jax.Array:
        """−log n! − n Σ p log p + Σ E[log X_k!], where each X_k is binomial."""
        n, p = jnp.broadcast_arrays(self._count, self.probs)
        factorial = generic.expectation(Binomial(n, p), lambda k: gammaln(k + 1.0))
        information = jnp.where(p > 0, p * jnp.log(jnp.where(p > 0, p, 1.0)), 0.0)
        return (factorial - n * information).sum(-1) - gammaln(self.total_count + 1.0)

    # -- exponential family: eta = log p, T = k, with the sum known --------------------------------------------------

    def _natural(self) -> jax.Array:
        return self.logits

    @classmethod
    def _from_natural(cls, eta: jax.Array, total_count: Any) -> "Multinomial":
        return cls(total_count, eta)

    def _statistic(self, x: jax.Array) -> jax.Array:
        return x

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        return self.total_count * jax.nn.logsumexp(eta, axis=-1)

    def _log_base_measure(self, x: jax.Array) -> jax.Array:
        return gammaln(self.total_count + 1.0) - gammaln(x + 1.0).sum(-1)

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        return {"logits": jnp.log(s.mean / s.prototype.total_count)}

    def _mean_log_prob(self, s: Sufficient) -> jax.Array:
        log_p = jax.nn.log_softmax(self.logits)
        seen = s.mean > 0
        return s.log_base + jnp.where(seen, s.mean * jnp.where(seen, log_p, 0.0), 0.0).sum(-1)

    def _covariance(self, count: Any) -> jax.Array:
        return (jnp.diag(self.probs) - jnp.outer(self.probs, self.probs)) / (self.total_count * count)


class DirichletMultinomial(CountVector):
    """Dirichlet-multinomial distribution: counts of ``total_count`` draws whose probabilities are Dirichlet.

    P(X = k) = n! Γ(Σa)/Γ(n + Σa) ∏ Γ(k + a)/(k! Γ(a)), n = total_count, a = concentration.

    Args:
        total_count: number of draws n, an integer >= 0; known, not estimated.
        concentration: (..., K), dimensionless, each > 0.

    Example:
        >>> import suffice as sf
        >>> p = sf.DirichletMultinomial(3, [1.0, 1.0, 1.0])
        >>> round(float(p.prob([1, 1, 1])), 6)
        0.1
    """

    total_count: jax.Array = parameter(domain.count, doc="number of draws")
    concentration: jax.Array = parameter(array_domain.positive_vector, doc="weights of the classes, (..., K)")

    def _sized(self, dimension: int) -> "DirichletMultinomial":
        return type(self)(self.total_count, jnp.ones(dimension))

    def _event_shape(self) -> tuple[int, ...]:
        return self.concentration.shape[-1:]

    def _shares(self) -> jax.Array:
        return self.concentration / self.concentration.sum(-1, keepdims=True)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return log_dirichlet_multinomial(x, self.concentration)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        mixing, counting = jax.random.split(key)
        logs = variates.log_gamma(mixing, self.concentration, (*shape, *self.event_shape))
        return multinomial_draw(counting, self.total_count, jax.nn.softmax(logs, axis=-1), shape)

    def _covariance_matrix(self) -> jax.Array:
        total = self.concentration.sum(-1)
        return self._spread() * ((total + self.total_count) / (1.0 + total))[..., None, None]

    def _mode(self) -> jax.Array:
        # a count more of class k multiplies the probability by 1 + (a − 1)/(k + 1); where no a is above 1, one class has all
        a = self.concentration
        weight = jnp.maximum(a - 1.0, 0.0)
        some = weight.sum(-1, keepdims=True) > 0
        best = jax.nn.one_hot(jnp.argmax(a, axis=-1), a.shape[-1], dtype=a.dtype)
        return apportioned(self._count, jnp.where(some, weight, best))

    def _entropy(self) -> jax.Array:
        """−log n! Γ(Σa)/Γ(n + Σa) − Σ E[log Γ(X_k + a_k)/(X_k! Γ(a_k))], where each X_k is beta-binomial."""
        n, a = jnp.broadcast_arrays(self._count, self.concentration)
        total = a.sum(-1)
        if a.shape[-1] == 1:
            return jnp.zeros_like(total)
        others = (a[..., None, :] * (1.0 - linalg.eye_like(a[..., None] * a[..., None, :]))).sum(-1)
        counts = BetaBinomial(n, a, others)
        weight = generic.column(counts).alpha
        each = generic.expectation(counts, lambda k: log_rise(k, weight))
        return log_rise(self.total_count, total) - each.sum(-1)

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        mean = w @ x / w.sum()
        return {"concentration": 2.0 * (mean + 0.1) / (mean + 0.1).sum()}


def apportioned(n: jax.Array, weight: jax.Array) -> jax.Array:
    """Counts with sum n, each next one given to the class where weight/(count + 1) is largest (D'Hondt's rule).

    No class has less than its share rounded down; the at most K − 1 left over are given one by one.
    """
    k = jnp.floor(n * (weight / weight.sum(-1, keepdims=True)))

    def add(_: int, k: jax.Array) -> jax.Array:
        best = jax.nn.one_hot(jnp.argmax(weight / (k + 1.0), axis=-1), weight.shape[-1], dtype=k.dtype)
        return jnp.where(k.sum(-1, keepdims=True) < n, k + best, k)

    return jax.lax.fori_loop(0, weight.shape[-1], add, k)


def log_rise(k: jax.Array, a: jax.Array) -> jax.Array:
    """log Γ(k + a)/(k! Γ(a)), 0 at k = 0."""
    some = k > 0
    count = jnp.where(some, k, 1.0)
    return jnp.where(some, -jnp.log(count) - log_beta(count, a), 0.0)


def multinomial_draw(key: jax.Array, total_count: jax.Array, probs: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Counts of classes: each binomial among what earlier classes left."""
    probs = jnp.broadcast_to(probs, (*shape, probs.shape[-1]))
    after = jnp.flip(jnp.cumsum(jnp.flip(probs, -1), -1), -1)
    share = jnp.clip(probs / jnp.where(after > 0, after, 1.0), 0.0, 1.0)
    keys = jax.random.split(key, probs.shape[-1] - 1)

    def step(left: jax.Array, at: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        k = variates.binomial(at[0], left, at[1], shape)
        return left - k, k

    start = jnp.broadcast_to(jnp.asarray(total_count).astype(int), shape)
    last, counts = jax.lax.scan(step, start, (keys, jnp.moveaxis(share, -1, 0)[:-1]))
    return jnp.concatenate([jnp.moveaxis(counts, 0, -1), last[..., None]], axis=-1)
