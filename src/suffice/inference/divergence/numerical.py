"""Divergences without closed form: which of quadrature, summation and Monte Carlo, and the result with its error."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.empirical import Empirical
from suffice.inference.divergence.generators import Generator
from suffice.inference.divergence.integrals import beside, in_double, integral, log_integral, nodes, total
from suffice.numerics.checks import is_traced
from suffice.numerics.estimate import MONTE_CARLO, QUADRATURE, SUMMATION, Estimate
from suffice.numerics.pareto import smoothed_weights
from suffice.runtime.rng import RNG, as_key

DRAWS = 20_000
UNRELIABLE = 0.7  # Pareto k above which an average of draws cannot be trusted (Vehtari and others, 2024)


def comparable(p: Any, q: Any) -> None:
    """Raise for distributions whose values are not of one shape."""
    for name, law in (("p", p), ("q", q)):
        if not hasattr(law, "log_prob"):
            raise TypeError(f"{name} must be a distribution, got {type(law).__name__}")
    if p.event_shape != q.event_shape:
        raise ValueError(f"p and q must have values of one shape, got {p.event_shape} and {q.event_shape}")


def divergence(
    generator: Generator, p: Any, q: Any, order: Any = 0.0, *, split: bool = False, draws: int = DRAWS, rng: RNG = 0
) -> Estimate:
    """E_p[g(ℓ)] + E_q[g(ℓ)] in the best way there is for the pair."""
    if p.event_ndim:
        return sampled(generator, p, q, order, draws, rng)
    if p.discrete != q.discrete:  # each is 0 where the other is not
        ends = _ends(generator, order).sum(-1)
        batch = np.broadcast_shapes(p.batch_shape, q.batch_shape, ends.shape)
        return Estimate(jnp.broadcast_to(ends, batch), jnp.zeros(batch))
    if isinstance(p, Empirical) or isinstance(q, Empirical):
        return _over_atoms(generator, p, q, order)
    if p.discrete:
        return _checked(p, q, *total(generator, p, q, order), SUMMATION)
    value, error = integral(generator, nodes(p, q, split), order)
    return _checked(p, q, value, error, QUADRATURE)


def _ends(generator: Generator, order: Any) -> jax.Array:
    """g where q is 0 and where p is 0."""
    ends = jnp.asarray([jnp.inf, -jnp.inf])
    return generator(ends.reshape((1,) * jnp.ndim(order) + (2,)), beside(order, 1))


def log_power_integral(p: Any, q: Any, order: Any) -> tuple[jax.Array, jax.Array]:
    """log ∫ p^α q^(1−α) of two laws of numbers with densities, and its error."""
    return log_integral(nodes(p, q, False), order)


def _checked(p: Any, q: Any, value: jax.Array, error: jax.Array, how: str) -> Estimate:
    rank = max(len(p.batch_shape), len(q.batch_shape))
    known = jnp.asarray(True)
    for law in (p, q):
        known = known & jnp.asarray(law._ranked(rank, law._dtype)._valid())
    return Estimate(jnp.where(known, value, jnp.nan), jnp.where(known, error, jnp.nan), how)


def _over_atoms(generator: Generator, p: Any, q: Any, order: Any) -> Estimate:
    """Of laws of which one is a sample: the sum over its values, and what the other has elsewhere."""
    if p.batch_shape or q.batch_shape:
        raise NotImplementedError("divergences of samples are for single distributions, got a batch")
    atoms = [v.values for v in (p, q) if isinstance(v, Empirical)]
    x = jnp.unique(jnp.concatenate(atoms))
    a, b = p.log_prob(x), q.log_prob(x)
    some = (a > -jnp.inf) | (b > -jnp.inf)
    ratio = jnp.where(some, a, 0.0) - jnp.where(some, b, 0.0)
    mass, ratio = (v.reshape((1,) * jnp.ndim(order) + v.shape) for v in (jnp.exp(jnp.logaddexp(a, b)), ratio))
    value = jnp.where(mass > 0.0, mass * generator(ratio, beside(order, 1)), 0.0).sum(-1)
    ends = _ends(generator, order)
    for law, log_mass, end in ((p, a, ends[..., 0]), (q, b, ends[..., 1])):
        rest = jnp.maximum(1.0 - jnp.exp(log_mass).sum(), 0.0)
        if not isinstance(law, Empirical):
            value = value + jnp.where(rest > 1e-15, rest * end, 0.0)
    return Estimate(value, jnp.where(jnp.isfinite(value), 1e-15 * jnp.abs(value), 0.0), SUMMATION)


# -- draws -----------------------------------------------------------------------------------------------------------


@jax.jit
def _log_ratio(p: Any, q: Any, x: jax.Array) -> jax.Array:
    a, b = p.log_prob(x), q.log_prob(x)
    return jnp.where((a == b) & jnp.isinf(a), 0.0, a - b)


def ratios_of_draws(p: Any, q: Any, draws: int, rng: RNG) -> list[jax.Array]:
    """log p − log q at draws from p and from q, each (draws, batch)."""
    if draws < 100:
        raise ValueError(f"draws must be >= 100, got {draws}")
    batch = np.broadcast_shapes(p.batch_shape, q.batch_shape)
    keys = jax.random.split(as_key(rng))
    found = []
    for law, key in zip((p, q), keys, strict=True):
        extra = batch[: len(batch) - len(law.batch_shape)]
        found.append(_log_ratio(p, q, law.sample((draws, *extra), rng=key)))
    return [jnp.broadcast_to(v, (draws, *batch)) for v in found]


def sampled(generator: Generator, p: Any, q: Any, order: Any, draws: int, rng: RNG) -> Estimate:
    """The same averages over draws: unbiased, with their standard error and the tail of what is averaged."""
    ratios = ratios_of_draws(in_double(p), in_double(q), draws, rng)
    lift = (1,) * max(jnp.ndim(order) + 1 - ratios[0].ndim, 0)
    terms = [generator(r.reshape(r.shape[:1] + lift + r.shape[1:]), _of_draws(order, r.ndim)) for r in ratios]
    value = sum(t.mean(0) for t in terms)
    error = jnp.sqrt(sum(t.var(0, ddof=1) for t in terms) / draws)
    bounded = bool(jnp.all(jnp.isfinite(_ends(generator, order)))) if not is_traced(order) else False
    k = None if bounded or is_traced(value) else np.maximum(*(tail_shape(t) for t in terms))
    return Estimate(value, error, MONTE_CARLO, k)


def _of_draws(order: Any, rank: int) -> Any:
    """Orders beside the leading axis of draws."""
    return jnp.reshape(order, (1,) * max(rank - jnp.ndim(order), 1) + jnp.shape(order)) if jnp.ndim(order) else order


def tail_shape(terms: Any) -> np.ndarray:
    """Pareto k of the size of terms (draws, ...) of an average."""
    with np.errstate(divide="ignore"):
        logs = np.log(np.abs(np.asarray(terms, float)))
    batch = logs.shape[1:]
    columns = logs.reshape(len(logs), -1).T
    return np.reshape([_shape_of(c) for c in columns], batch)


def _shape_of(logs: np.ndarray) -> float:
    if np.any(logs == np.inf) or np.any(np.isnan(logs)):
        return np.inf
    return smoothed_weights(logs)[1] if np.any(logs > -np.inf) else -np.inf
