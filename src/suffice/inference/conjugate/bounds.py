"""Ends of a range, and what is left in an urn: parameters that bound the data."""

# pyright: reportArgumentType=false
# numbers are parameters, too

from typing import Any

import jax
import jax.numpy as jnp

from suffice.distributions.affine import Affine
from suffice.distributions.beta_binomial import BetaBinomial
from suffice.distributions.hypergeometric import Hypergeometric
from suffice.distributions.mixture import Mixture
from suffice.distributions.statistics import Sufficient
from suffice.distributions.uniform import Pareto, Uniform
from suffice.inference.conjugate.pair import Pair, View, unchecked
from suffice.numerics.checks import is_traced
from suffice.numerics.special.gamma import log_beta


def _width(before: Any, p: Any, s: Sufficient) -> Any:
    return before._replaced(
        {"concentration": before.concentration + s.count, "scale": jnp.maximum(before.scale, s.upper - p.low)}
    )


def _below_low(before: Any, p: Any, s: Sufficient) -> str | None:
    low = float(s.lower)
    return None if low >= float(p.low) else f"the smallest value, {low:g}, is below low = {float(p.low):g}"


def _uniform_or_pareto(q: Any, p: Any) -> Mixture:
    share = q.concentration / (q.concentration + 1.0)
    inner, outer = Uniform(p.low, p.low + q.scale), Affine(q, p.low, 1.0)
    return Mixture([inner, outer], jnp.stack([share, 1.0 - share]))


def _log_likelihood(p: Any, s: Sufficient) -> jax.Array:
    return -s.count * jnp.log(p.high - p.low)


def _left(before: Any, p: Any, s: Sufficient) -> Any:
    """What the rest of the population holds, after the sample was taken out of it."""
    k, n = s.count * s.mean, s.count * p.draws
    return before._replaced(
        {"total_count": before.total_count - n, "alpha": before.alpha + k, "beta": before.beta + n - k}
    )


def _too_many(before: Any, p: Any, s: Sufficient) -> str | None:
    if float(before.total_count) != float(p.population):
        return f"the prior is about {float(before.total_count):g} items, the population has {float(p.population):g}"
    taken = float(s.count * p.draws)
    return None if taken <= float(p.population) else f"{taken:g} items were drawn from {float(p.population):g}"


def _of_exchangeable(before: Any, after: Any, p: Any, s: Sufficient) -> jax.Array:
    """Σ log C(n, k) + log B(alpha', beta')/B(alpha, beta): draws without replacement are exchangeable."""
    return s.count * s.log_base + log_beta(after.alpha, after.beta) - log_beta(before.alpha, before.beta)


def _next_draw(q: Any, p: Any) -> BetaBinomial:
    if not is_traced(q, p) and float(q.total_count) < float(p.draws):
        raise ValueError(f"{float(q.total_count):g} items are left, too few for {float(p.draws):g} draws")
    return BetaBinomial(p.draws, q.alpha, q.beta)


def _ways(p: Any) -> View:
    return View(p, lambda p, x: x, lambda p, x: -log_beta(x + 1.0, p.draws - x + 1.0) - jnp.log(p.draws + 1.0))


PAIRS = [
    Pair(Pareto, Uniform, ("high",), "high - low", _width, lambda theta, p: {"high": p.low + theta},
         _uniform_or_pareto,
         dict.fromkeys(("jeffreys", "reference"), lambda p: unchecked(Pareto, concentration=0.0, scale=0.0)),
         log_likelihood=_log_likelihood, objection=_below_low, point=lambda q: q.scale),
    Pair(BetaBinomial, Hypergeometric, ("successes",), "successes not drawn", _left,
         lambda theta, p: {"successes": theta}, _next_draw,
         view=_ways, objection=_too_many, evidence_of=_of_exchangeable),
]  # fmt: skip
