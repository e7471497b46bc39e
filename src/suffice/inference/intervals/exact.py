"""Intervals whose coverage is known without approximation, family by family, and two classics for probabilities.

Each rests on a pivot: a function of data and parameter whose distribution is known. For counts, where there is none, the
interval of Clopper and Pearson (1934) covers at least as often as it says.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.bernoulli import Bernoulli
from suffice.distributions.binomial import Binomial
from suffice.distributions.extreme import Rayleigh
from suffice.distributions.gamma import Exponential, Gamma
from suffice.distributions.geometric import Geometric
from suffice.distributions.half import HalfNormal, Maxwell
from suffice.distributions.log_uniform import LogUniform
from suffice.distributions.normal import LogNormal, Normal
from suffice.distributions.poisson import Poisson
from suffice.distributions.uniform import Pareto, Uniform
from suffice.inference.intervals.from_likelihood import normal_quantile
from suffice.numerics.special.inverse_beta import betainccinv, betaincinv
from suffice.numerics.special.inverse_gamma import gammainccinv, gammaincinv
from suffice.numerics.special.student_t import student_t_isf

Ends = tuple[Any, Any]
Rule = Callable[[Any, Any, float], dict[str, Ends]]  # distribution (or a batch), count, alpha → ends by parameter


def _chi_squared_ratio(df: Any, alpha: float) -> Ends:
    """Quantiles of χ²/df at alpha/2 from either end."""
    half = jnp.asarray(df, float) / 2.0
    return gammaincinv(half, alpha / 2.0) / half, gammainccinv(half, alpha / 2.0) / half


def _beta_quantiles(low: tuple[Any, Any], high: tuple[Any, Any], alpha: float) -> Ends:
    """The alpha/2 quantile of one beta distribution and the upper one of another; 0 and 1 where a shape is 0."""

    def shapes(pair: tuple[Any, Any]) -> tuple[jax.Array, jax.Array, jax.Array]:
        a, b = (jnp.asarray(v, float) for v in pair)
        proper = (a > 0) & (b > 0)
        return proper, jnp.where(proper, a, 1.0), jnp.where(proper, b, 1.0)

    below, above = shapes(low), shapes(high)
    return (
        jnp.where(below[0], betaincinv(below[1], below[2], alpha / 2.0), 0.0),
        jnp.where(above[0], betainccinv(above[1], above[2], alpha / 2.0), 1.0),
    )


def _location_and_scale(p: Any, n: Any, alpha: float) -> dict[str, Ends]:
    """(x̄ − loc)/(s/√n) is Student's t, n σ̂²/scale² is χ² of n − 1."""
    df = n - 1.0
    reach = student_t_isf(df, alpha / 2.0) * p.scale / jnp.sqrt(df)
    low, high = _chi_squared_ratio(df, alpha)
    inner = p.scale * jnp.sqrt(n / df)
    return {"loc": (p.loc - reach, p.loc + reach), "scale": (inner / jnp.sqrt(high), inner / jnp.sqrt(low))}


def _scaled(df: Callable[[Any, Any], Any], name: str, power: float) -> Rule:
    """A parameter for which df · (parameter/estimate)^power is χ² of df."""

    def rule(p: Any, n: Any, alpha: float) -> dict[str, Ends]:
        ends = [getattr(p, name) * q ** (1.0 / power) for q in _chi_squared_ratio(df(p, n), alpha)]
        return {name: (ends[0], ends[1]) if power > 0 else (ends[1], ends[0])}

    return rule


def _poisson(p: Any, n: Any, alpha: float) -> dict[str, Ends]:
    """Garwood (1936): ends at which the total is just as extreme as alpha/2 on either side."""
    total = jnp.round(p.rate * n)
    low = jnp.where(total > 0, gammaincinv(jnp.where(total > 0, total, 1.0), alpha / 2.0), 0.0)
    return {"rate": (low / n, gammainccinv(total + 1.0, alpha / 2.0) / n)}


def _successes(p: Any, n: Any) -> tuple[Any, Any, Any]:
    """Successes and trials of a Bernoulli or binomial sample, and its estimate of the probability."""
    trials = n * jnp.asarray(getattr(p, "total_count", 1.0), float)
    return jnp.round(p.probs * trials), trials, p.probs


def _clopper_pearson(p: Any, n: Any, alpha: float) -> dict[str, Ends]:
    k, trials, _ = _successes(p, n)
    return {"probs": _beta_quantiles((k, trials - k + 1.0), (k + 1.0, trials - k), alpha)}


def _geometric(p: Any, n: Any, alpha: float) -> dict[str, Ends]:
    """The failures before the n-th success are at most m just when m + n trials have at least n successes."""
    failures = jnp.round(n * (1.0 / p.probs - 1.0))
    return {"probs": _beta_quantiles((n, failures + 1.0), (n + 0.0 * failures, failures), alpha)}


def _beyond_extremes(n: Any, alpha: float) -> Any:
    """c with P(E/G > c) = (1 + c)^−(n − 1) = alpha, for an exponential E and a gamma variate G of n − 1."""
    return jnp.expm1(-np.log(alpha) / (n - 1.0))


def _between(low: Any, high: Any, n: Any, alpha: float) -> tuple[Ends, Ends]:
    """(x₍₁₎ − low)/(x₍ₙ₎ − x₍₁₎) exceeds c with probability (1 + c)^−(n − 1)."""
    reach = _beyond_extremes(n, alpha) * (high - low)
    return (low - reach, low), (high, high + reach)


def _uniform(p: Any, n: Any, alpha: float) -> dict[str, Ends]:
    low, high = _between(p.low, p.high, n, alpha)
    return {"low": low, "high": high}


def _log_uniform(p: Any, n: Any, alpha: float) -> dict[str, Ends]:
    low, high = _between(jnp.log(p.low), jnp.log(p.high), n, alpha)
    return {"low": (jnp.exp(low[0]), jnp.exp(low[1])), "high": (jnp.exp(high[0]), jnp.exp(high[1]))}


def _pareto(p: Any, n: Any, alpha: float) -> dict[str, Ends]:
    """2nα/α̂ is χ² of 2(n − 1), and α̂ log(m̂/m) is the ratio of an exponential and a gamma variate of n − 1."""
    low, high = (q * (n - 1.0) / n for q in _chi_squared_ratio(2.0 * n - 2.0, alpha))
    a = p.concentration
    return {
        "concentration": (a * low, a * high),
        "scale": (p.scale * jnp.exp(-_beyond_extremes(n, alpha) / a), p.scale),
    }


def _wilson(p: Any, n: Any, alpha: float) -> dict[str, Ends]:
    """Ends at which the score test rejects: Wilson (1927)."""
    _, trials, share = _successes(p, n)
    z2 = normal_quantile(1.0 - alpha) ** 2
    middle = (share + z2 / (2.0 * trials)) / (1.0 + z2 / trials)
    reach = jnp.sqrt(z2 * (share * (1.0 - share) / trials + z2 / (4.0 * trials**2))) / (1.0 + z2 / trials)
    return {"probs": (jnp.maximum(0.0, middle - reach), jnp.minimum(1.0, middle + reach))}


def _jeffreys(p: Any, n: Any, alpha: float) -> dict[str, Ends]:
    """Quantiles of the posterior under Jeffreys' prior Beta(½, ½); 0 and 1 where nothing else was seen."""
    k, trials, _ = _successes(p, n)
    low, high = _beta_quantiles((k + 0.5, trials - k + 0.5), (k + 0.5, trials - k + 0.5), alpha)
    return {"probs": (jnp.where(k > 0, low, 0.0), jnp.where(k < trials, high, 1.0))}


def _jeffreys_poisson(p: Any, n: Any, alpha: float) -> dict[str, Ends]:
    """Quantiles of the posterior Gamma(total + ½, n) under Jeffreys' prior; 0 where nothing was seen."""
    shape = jnp.round(p.rate * n) + 0.5
    low = jnp.where(shape > 0.5, gammaincinv(shape, alpha / 2.0), 0.0)
    return {"rate": (low / n, gammainccinv(shape, alpha / 2.0) / n)}


EXACT: dict[type, Rule] = {
    Normal: _location_and_scale,
    LogNormal: _location_and_scale,
    Exponential: _scaled(lambda p, n: 2.0 * n, "rate", 1.0),
    Gamma: _scaled(lambda p, n: 2.0 * n * p.concentration, "rate", 1.0),  # with its concentration held
    Rayleigh: _scaled(lambda p, n: 2.0 * n, "scale", -2.0),
    HalfNormal: _scaled(lambda p, n: n, "scale", -2.0),
    Maxwell: _scaled(lambda p, n: 3.0 * n, "scale", -2.0),
    Poisson: _poisson,
    Bernoulli: _clopper_pearson,
    Binomial: _clopper_pearson,
    Geometric: _geometric,
    Uniform: _uniform,
    LogUniform: _log_uniform,
    Pareto: _pareto,
}
_FREE = {Gamma: {"rate"}}  # what must be free, and nothing else, where it is not all
TABLES: dict[str, dict[type, Rule]] = {
    "exact": EXACT,
    "wilson": {Bernoulli: _wilson, Binomial: _wilson},
    "jeffreys": {Bernoulli: _jeffreys, Binomial: _jeffreys, Poisson: _jeffreys_poisson},
}


def rule_for(family: Any, method: str) -> Rule:
    """The rule of a family, or a ValueError where it has none or parameters are held that it does not expect."""
    kind = family.kind
    rule = TABLES[method].get(kind)
    free = {path[-1] for path in family.free}
    wanted = _FREE.get(kind, set(kind.field_names()) - set(kind.held))
    if rule is None or free != wanted:
        known = ", ".join(
            f"{k.__name__} (of {', '.join(_FREE[k])} alone)" if k in _FREE else k.__name__ for k in TABLES[method]
        )
        raise ValueError(f"{family.name} has no {method} interval; there is one for {known}")
    return rule


def from_table(fit: Any, level: float, method: str) -> dict[str, tuple[float, float]]:
    """Intervals by a rule of the family.

    Raises:
        ValueError: the family has no such rule, parameters are held that it does not expect, or the counts are not
            whole numbers.
    """
    if fit.method != "mle":
        raise ValueError(f"{method} intervals are for maximum likelihood; this fit is by {fit.method}")
    rule = rule_for(fit.family, method)
    n = float(fit.count)
    if n != np.floor(n):
        raise ValueError(f"a {method} interval needs whole frequencies, got a count of {n:g}")
    if fit.evidence is not None and fit.evidence.observations is not None and not fit.evidence.observations.is_plain:
        raise ValueError(f"a {method} interval needs the values themselves; these are censored, truncated or rounded")
    normal_quantile(level)  # checks it
    return {name: (float(a), float(b)) for name, (a, b) in rule(fit.distribution, n, 1.0 - level).items()}
