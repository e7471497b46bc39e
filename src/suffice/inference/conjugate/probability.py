"""Probabilities: beta priors for shares of known totals, Dirichlet priors for several classes."""

# pyright: reportArgumentType=false
# numbers are parameters, too

from typing import Any

import jax.numpy as jnp

from suffice.distributions.bernoulli import Bernoulli, Categorical
from suffice.distributions.beta import Beta
from suffice.distributions.beta_binomial import BetaBinomial
from suffice.distributions.binomial import Binomial
from suffice.distributions.dirichlet import Dirichlet
from suffice.distributions.multinomial import DirichletMultinomial, Multinomial
from suffice.distributions.statistics import Sufficient
from suffice.inference.conjugate.pair import Pair, unchecked


def _beta(kind: type, field: str, trials: Any, predictive: Any, values: Any = None) -> Pair:
    """A beta prior on the probability of success in trials of which all are counted."""

    def posterior(before: Any, p: Any, s: Sufficient) -> Any:
        successes = s.count * s.mean
        failures = s.count * (trials(p) - s.mean)
        return before._replaced({"alpha": before.alpha + successes, "beta": before.beta + failures})

    named = {
        "jeffreys": lambda p: Beta(0.5, 0.5),
        "reference": lambda p: Beta(0.5, 0.5),
        "uniform": lambda p: Beta(1.0, 1.0),
        "haldane": lambda p: unchecked(Beta, alpha=0.0, beta=0.0),
    }
    return Pair(
        Beta, kind, (field,), "probs", posterior, values or (lambda theta, p: {field: theta}), predictive, named
    )


def _dirichlet(kind: type, predictive: Any, total: Any) -> Pair:
    def posterior(before: Any, p: Any, s: Sufficient) -> Any:
        return before._replaced({"concentration": before.concentration + s.count * s.mean})

    def of(value: float) -> Any:
        return lambda p: Dirichlet(jnp.full(p.logits.shape[-1:], value))

    def marginals(prior: Any, p: Any) -> dict[str, Any]:
        a = prior.concentration
        rest = a.sum() - a
        return {f"probs[{k}]": Beta(a[k], rest[k]) for k in range(a.shape[-1])}

    return Pair(
        Dirichlet,
        kind,
        ("logits",),
        "probs",
        posterior,
        lambda theta, p: {"logits": jnp.log(theta)},
        predictive,
        {"jeffreys": of(0.5), "uniform": of(1.0)},
        marginals=marginals,
        sized=lambda prior: prior.concentration.shape[-1],
    )


PAIRS = [
    _beta(Bernoulli, "logits", lambda p: 1.0, lambda q, p: Bernoulli.from_probs(q.alpha / (q.alpha + q.beta)),
          lambda theta, p: {"logits": jnp.log(theta) - jnp.log1p(-theta)}),
    _beta(Binomial, "probs", lambda p: p.total_count, lambda q, p: BetaBinomial(p.total_count, q.alpha, q.beta)),
    _dirichlet(Categorical, lambda q, p: Categorical.from_probs(q.concentration / q.concentration.sum()), None),
    _dirichlet(Multinomial, lambda q, p: DirichletMultinomial(p.total_count, q.concentration), None),
]  # fmt: skip
