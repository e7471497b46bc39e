"""Kullback–Leibler divergences of distributions of counts and classes."""

from typing import Any

import jax
import jax.numpy as jnp

from suffice.distributions.bernoulli import Bernoulli, Categorical
from suffice.distributions.beta import softplus_divergence
from suffice.distributions.binomial import Binomial
from suffice.distributions.discrete_uniform import DiscreteUniform
from suffice.distributions.geometric import Geometric
from suffice.distributions.multinomial import Multinomial
from suffice.distributions.negative_binomial import NegativeBinomial
from suffice.distributions.poisson import Poisson
from suffice.inference.divergence.pairs import kl_of
from suffice.numerics.special.convexity import log_gap, ratio_gap
from suffice.numerics.special.elementary import expm1mx, softplus


def _share_gap(p: jax.Array, q: jax.Array, step: jax.Array) -> jax.Array:
    """p (q/p − 1 − log(q/p)) where step = q − p; q where p is 0."""
    some = p > 0.0
    unit = jnp.where(some, p, 1.0)
    return jnp.where(some, p * ratio_gap(q / unit, step / unit), q)


def _two_classes(p: jax.Array, q: jax.Array) -> jax.Array:
    """KL of Bernoulli laws from their probabilities."""
    return _share_gap(p, q, q - p) + _share_gap(1.0 - p, 1.0 - q, p - q)


@kl_of(Bernoulli, Bernoulli)
def bernoulli(p: Any, q: Any) -> jax.Array:
    """The gap of log(1 + exp) from the log-odds of p to those of q, or of both with other signs."""
    flip = jnp.where(p.logits > 0.0, -1.0, 1.0)
    a, b = flip * p.logits, flip * q.logits
    finite = jnp.isfinite(a) & jnp.isfinite(b)
    at, step = jnp.where(finite, a, 0.0), jnp.where(finite, b - a, 0.0)
    near = jnp.abs(step) < 1.0
    far = softplus(at + step) - softplus(at) - jax.nn.sigmoid(at) * step
    gap = jnp.where(near, softplus_divergence(jnp.where(near, step, 0.0), at), far)
    at_ends = jnp.where(a == -jnp.inf, softplus(b), jnp.where(a == b, 0.0, jnp.inf))
    return jnp.where(finite, gap, at_ends)


@kl_of(Categorical, Categorical)
def categorical(p: Any, q: Any) -> jax.Array:
    """log Σ p exp(d) for the differences d of the logits less their mean; infinite where q rules out what p does not."""
    shape = jnp.broadcast_shapes(p.logits.shape, q.logits.shape)
    a, b = jnp.broadcast_to(p.logits, shape), jnp.broadcast_to(q.logits, shape)
    seen, known = a > -jnp.inf, b > -jnp.inf
    log_p, log_q = jax.nn.log_softmax(a, axis=-1), jax.nn.log_softmax(b, axis=-1)
    probs, both = jnp.exp(log_p), seen & known
    d = jnp.where(both, b, 0.0) - jnp.where(both, a, 0.0)
    d = jnp.where(both, d - (probs * d).sum(-1, keepdims=True), 0.0)
    close = (jnp.all(jnp.abs(d) < 1.0, axis=-1) & jnp.all(seen == known, axis=-1))[..., None]
    d = jnp.where(close, d, 0.0)
    near = (probs * expm1mx(d)).sum(-1) - log_gap((probs * jnp.expm1(d)).sum(-1))
    terms = probs * (jnp.where(both, log_p, 0.0) - jnp.where(both, log_q, 0.0))
    far = jnp.where(both, terms, jnp.where(seen, jnp.inf, 0.0)).sum(-1)
    return jnp.where(close[..., 0], near, far)


def _same_count(p: Any, q: Any) -> jax.Array:
    return p.total_count == q.total_count


@kl_of(Binomial, Binomial, holds=_same_count)
def binomial(p: Any, q: Any) -> jax.Array:
    return p.total_count * _two_classes(p.probs, q.probs)


@kl_of(Multinomial, Multinomial, holds=_same_count)
def multinomial(p: Any, q: Any) -> jax.Array:
    return p.total_count * categorical(p, q)


@kl_of(Poisson, Poisson)
def poisson(p: Any, q: Any) -> jax.Array:
    return p.rate * ratio_gap(q.rate / p.rate, (q.rate - p.rate) / p.rate)


@kl_of(Geometric, Geometric)
def geometric(p: Any, q: Any) -> jax.Array:
    """KL of single trials, times the expected number of trials."""
    return _two_classes(p.probs, q.probs) / p.probs


@kl_of(NegativeBinomial, NegativeBinomial, holds=lambda p, q: p.concentration == q.concentration)
def negative_binomial(p: Any, q: Any) -> jax.Array:
    """KL of single trials with success probability a/(a + m), times their expected number a + m."""
    a, step = p.concentration, q.mu - p.mu
    before, after = a + p.mu, a + q.mu
    failures = ratio_gap(q.mu / p.mu * (before / after), step / p.mu * (a / after))
    return a * ratio_gap(before / after, -step / after) + p.mu * failures


@kl_of(DiscreteUniform, DiscreteUniform)
def discrete_uniform(p: Any, q: Any) -> jax.Array:
    inside = (q.low <= p.low) & (p.high <= q.high)
    longer = ((p.low - q.low) + (q.high - p.high)) / (p.high - p.low + 1.0)
    return jnp.where(inside, jnp.log1p(jnp.where(inside, longer, 0.0)), jnp.inf)
