"""Counts without a bound: Poisson, geometric and negative binomial."""

# pyright: reportArgumentType=false
# numbers are parameters, too

from typing import Any

import jax
import jax.numpy as jnp

from suffice.distributions.beta import Beta
from suffice.distributions.beta_prime import BetaPrime
from suffice.distributions.gamma import Gamma
from suffice.distributions.geometric import Geometric
from suffice.distributions.negative_binomial import NegativeBinomial
from suffice.distributions.poisson import Poisson
from suffice.distributions.statistics import Sufficient
from suffice.inference.conjugate.mixing import Moments, mixed
from suffice.inference.conjugate.pair import Pair, View, unchecked
from suffice.numerics.special.gamma import gammaln


def _rate(before: Any, p: Any, s: Sufficient) -> Any:
    return before._replaced({"concentration": before.concentration + s.count * s.mean, "rate": before.rate + s.count})


def _until(kind: type, free: str, parameter: str, successes: Any, values: Any, **more: Any) -> Pair:
    """A beta prior on the probability of success in trials that go on until a number of successes is reached."""

    def posterior(before: Any, p: Any, s: Sufficient) -> Any:
        return before._replaced(
            {"alpha": before.alpha + s.count * successes(p), "beta": before.beta + s.count * s.mean}
        )

    named = {
        "jeffreys": lambda p: unchecked(Beta, alpha=0.0, beta=0.5),
        "reference": lambda p: unchecked(Beta, alpha=0.0, beta=0.5),
        "uniform": lambda p: Beta(1.0, 1.0),
    }

    def mixture(q: Any, p: Any) -> Any:
        return _beta_negative_binomial(successes(p), q.alpha, q.beta)

    return Pair(Beta, kind, (free,), parameter, posterior, values, improper=named, mixture=mixture, **more)


def _beta_negative_binomial(r: Any, a: Any, b: Any) -> Any:
    """Of failures before r successes of probability Beta(a, b), over their odds against: no end of those is rounded to 1.

    Mean r b/(a − 1) and variance r b (a + r − 1)(a + b − 1)/((a − 2)(a − 1)²).
    """
    mean = r * b / jnp.where(a > 1.0, a - 1.0, 1.0)
    variance = mean * (a + r - 1.0) / (a - 1.0) * (a + b - 1.0) / jnp.where(a > 2.0, a - 2.0, 1.0)
    moments = Moments(jnp.where(a > 1.0, mean, jnp.inf), jnp.where(a > 2.0, variance, jnp.inf), a)
    return mixed(BetaPrime(b, a), lambda odds: NegativeBinomial(r * odds, r), moments)


def _count_view(p: Any) -> View:
    """Failures, with log Γ(x + r)/(Γ(r) x!)."""
    return View(
        p,
        lambda p, x: x,
        lambda p, x: gammaln(x + p.concentration) - gammaln(p.concentration) - gammaln(x + 1.0),
    )


def _negative_binomial(p: Any, s: Sufficient) -> jax.Array:
    """Log-likelihood from the mean count: r log(r/(r + m)) + x̄ log(m/(r + m)) and the base measure."""
    r, m = p.concentration, p.mu
    some = jnp.where(s.mean > 0, s.mean, 1.0)
    failures = jnp.where(s.mean > 0, -some * jnp.log1p(r / m), 0.0)
    return s.count * (-r * jnp.log1p(m / r) + failures + s.log_base)


def _odds_posterior(before: Any, p: Any, s: Sufficient) -> Any:
    return before._replaced({"alpha": before.alpha + s.count * s.mean, "beta": before.beta + s.count * p.concentration})


PAIRS = [
    Pair(Gamma, Poisson, ("rate",), "rate", _rate, lambda theta, p: {"rate": theta},
         lambda q, p: NegativeBinomial(q.concentration / q.rate, q.concentration),
         dict.fromkeys(("jeffreys", "reference"), lambda p: unchecked(Gamma, concentration=0.5, rate=0.0))),
    _until(Geometric, "probs", "probs", lambda p: 1.0, lambda theta, p: {"probs": theta}),
    _until(NegativeBinomial, "mu", "concentration/(concentration + mean)", lambda p: p.concentration,
           lambda theta, p: {"mu": p.concentration * (1.0 - theta) / theta}, view=_count_view,
           log_likelihood=_negative_binomial),
    Pair(BetaPrime, NegativeBinomial, ("mu",), "mean/concentration", _odds_posterior,
         lambda theta, p: {"mu": p.concentration * theta}, view=_count_view, log_likelihood=_negative_binomial,
         point=lambda q: q.alpha / q.beta,
         mixture=lambda q, p: _beta_negative_binomial(p.concentration, q.beta, q.alpha),
         improper=dict.fromkeys(("jeffreys", "reference"), lambda p: unchecked(BetaPrime, alpha=0.5, beta=0.0))),
]  # fmt: skip
