"""Intervals whose coverage is known without approximation, family by family, and two classics for probabilities.

Each rests on a pivot: a function of data and parameter whose distribution is known. For counts, where there is none, the
interval of Clopper and Pearson (1934) covers at least as often as it says.
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from suffice.distributions.bernoulli import Bernoulli
from suffice.distributions.beta import Beta
from suffice.distributions.binomial import Binomial
from suffice.distributions.chi import ChiSquared
from suffice.distributions.extreme import Rayleigh
from suffice.distributions.gamma import Exponential, Gamma
from suffice.distributions.geometric import Geometric
from suffice.distributions.half import HalfNormal, Maxwell
from suffice.distributions.log_uniform import LogUniform
from suffice.distributions.normal import LogNormal, Normal
from suffice.distributions.poisson import Poisson
from suffice.distributions.student_t import StudentT
from suffice.distributions.uniform import Pareto, Uniform
from suffice.inference.intervals import normal_quantile

Ends = tuple[Any, Any]
Rule = Callable[[Any, float, float], dict[str, Ends]]  # distribution, count, alpha → ends by parameter


def _chi_squared_ratio(df: float, alpha: float) -> tuple[float, float]:
    """Quantiles of χ²/df at alpha/2 from either end."""
    p = ChiSquared(float(df))
    return float(p.icdf(alpha / 2.0)) / df, float(p.isf(alpha / 2.0)) / df


def _location_and_scale(p: Any, n: float, alpha: float) -> dict[str, Ends]:
    """(x̄ − loc)/(s/√n) is Student's t, n σ̂²/scale² is χ² of n − 1."""
    if n < 2.0:
        return {"loc": (-np.inf, np.inf), "scale": (0.0, np.inf)}
    reach = float(StudentT(n - 1.0).isf(alpha / 2.0)) * float(p.scale) / np.sqrt(n - 1.0)
    low, high = _chi_squared_ratio(n - 1.0, alpha)
    inner = float(p.scale) * np.sqrt(n / (n - 1.0))
    return {"loc": (float(p.loc) - reach, float(p.loc) + reach), "scale": (inner / np.sqrt(high), inner / np.sqrt(low))}


def _rate(df: Callable[[Any, float], float], name: str, power: float) -> Rule:
    """A scale for which (estimate/parameter)^power · df is χ² of df."""

    def rule(p: Any, n: float, alpha: float) -> dict[str, Ends]:
        low, high = _chi_squared_ratio(df(p, n), alpha)
        ends = [float(getattr(p, name)) * q ** (-1.0 / power) for q in (low, high)]
        return {name: (min(ends), max(ends))}

    return rule


def _poisson(p: Any, n: float, alpha: float) -> dict[str, Ends]:
    """Garwood (1936): ends at which the total is just as extreme as alpha/2 on either side."""
    total = round(float(p.rate) * n)
    low = float(Gamma(float(total), 1.0).icdf(alpha / 2.0)) / n if total else 0.0
    return {"rate": (low, float(Gamma(total + 1.0, 1.0).isf(alpha / 2.0)) / n)}


def _successes(p: Any, n: float) -> tuple[float, float, float]:
    """Successes and trials of a Bernoulli or binomial sample, and its estimate of the probability."""
    trials = n * float(getattr(p, "total_count", 1.0))
    share = float(p.probs)
    return float(np.rint(share * trials)), trials, share


def _clopper_pearson(p: Any, n: float, alpha: float) -> dict[str, Ends]:
    k, trials, _ = _successes(p, n)
    low = float(Beta(k, trials - k + 1.0).icdf(alpha / 2.0)) if k else 0.0
    high = float(Beta(k + 1.0, trials - k).isf(alpha / 2.0)) if k < trials else 1.0
    return {"probs": (low, high)}


def _geometric(p: Any, n: float, alpha: float) -> dict[str, Ends]:
    """The failures before the n-th success are at most m just when m + n trials have at least n successes."""
    failures = float(np.rint(n * (1.0 / float(p.probs) - 1.0)))
    low = float(Beta(n, failures + 1.0).icdf(alpha / 2.0))
    return {"probs": (low, float(Beta(n, failures).isf(alpha / 2.0)) if failures else 1.0)}


def _beyond_extremes(n: float, alpha: float) -> float:
    """c with P(E/G > c) = (1 + c)^−(n − 1) = alpha, for an exponential E and a gamma variate G of n − 1."""
    return float(np.expm1(-np.log(alpha) / (n - 1.0)))


def _uniform(p: Any, n: float, alpha: float) -> dict[str, Ends]:
    """(x₍₁₎ − low)/(x₍ₙ₎ − x₍₁₎) exceeds c with probability (1 + c)^−(n − 1)."""
    reach = _beyond_extremes(n, alpha) * (float(p.high) - float(p.low))
    return {"low": (float(p.low) - reach, float(p.low)), "high": (float(p.high), float(p.high) + reach)}


def _log_uniform(p: Any, n: float, alpha: float) -> dict[str, Ends]:
    ends = _uniform(Uniform(jnp.log(p.low), jnp.log(p.high)), n, alpha)
    return {name: (float(np.exp(a)), float(np.exp(b))) for name, (a, b) in ends.items()}


def _pareto(p: Any, n: float, alpha: float) -> dict[str, Ends]:
    """2nα/α̂ is χ² of 2(n − 1), and α̂ log(m̂/m) is the ratio of an exponential and a gamma variate of n − 1."""
    a, m = float(p.concentration), float(p.scale)
    low, high = (
        float(q) for q in (ChiSquared(2.0 * n - 2.0).icdf(alpha / 2.0), ChiSquared(2.0 * n - 2.0).isf(alpha / 2.0))
    )
    return {
        "concentration": (a * low / (2.0 * n), a * high / (2.0 * n)),
        "scale": (m * float(np.exp(-_beyond_extremes(n, alpha) / a)), m),
    }


def _wilson(p: Any, n: float, alpha: float) -> dict[str, Ends]:
    """Ends at which the score test rejects: Wilson (1927)."""
    _, trials, share = _successes(p, n)
    z2 = normal_quantile(1.0 - alpha) ** 2
    middle = (share + z2 / (2.0 * trials)) / (1.0 + z2 / trials)
    reach = np.sqrt(z2 * (share * (1.0 - share) / trials + z2 / (4.0 * trials**2))) / (1.0 + z2 / trials)
    return {"probs": (max(0.0, middle - reach), min(1.0, middle + reach))}


def _jeffreys(p: Any, n: float, alpha: float) -> dict[str, Ends]:
    """Quantiles of the posterior under Jeffreys' prior Beta(½, ½); 0 and 1 where nothing else was seen."""
    k, trials, _ = _successes(p, n)
    posterior = Beta(k + 0.5, trials - k + 0.5)
    low = float(posterior.icdf(alpha / 2.0)) if k else 0.0
    return {"probs": (low, float(posterior.isf(alpha / 2.0)) if k < trials else 1.0)}


def _jeffreys_poisson(p: Any, n: float, alpha: float) -> dict[str, Ends]:
    """Quantiles of the posterior Gamma(total + ½, n)."""
    total = float(np.rint(float(p.rate) * n))
    posterior = Gamma(total + 0.5, n)
    return {"rate": (float(posterior.icdf(alpha / 2.0)) if total else 0.0, float(posterior.isf(alpha / 2.0)))}


EXACT: dict[type, Rule] = {
    Normal: _location_and_scale,
    LogNormal: _location_and_scale,
    Exponential: _rate(lambda p, n: 2.0 * n, "rate", -1.0),
    Gamma: _rate(lambda p, n: 2.0 * n * float(p.concentration), "rate", -1.0),  # with its concentration held
    Rayleigh: _rate(lambda p, n: 2.0 * n, "scale", 2.0),
    HalfNormal: _rate(lambda p, n: n, "scale", 2.0),
    Maxwell: _rate(lambda p, n: 3.0 * n, "scale", 2.0),
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


def from_table(fit: Any, level: float, method: str) -> dict[str, tuple[float, float]]:
    """Intervals by a rule of the family.

    Raises:
        ValueError: the family has no such rule, parameters are held that it does not expect, or the counts are not
            whole numbers.
    """
    family, kind = fit.family, fit.family.kind
    rule = TABLES[method].get(kind)
    free = {path[-1] for path in family.free}
    wanted = _FREE.get(kind, set(kind.field_names()) - set(kind.held))
    if rule is None or free != wanted:
        known = ", ".join(
            f"{k.__name__} (of {', '.join(_FREE[k])} alone)" if k in _FREE else k.__name__ for k in TABLES[method]
        )
        raise ValueError(f"{family.name} has no {method} interval; there is one for {known}")
    n = float(fit.count)
    if n != np.floor(n):
        raise ValueError(f"a {method} interval needs whole frequencies, got a count of {n:g}")
    normal_quantile(level)  # checks it
    return {name: (float(a), float(b)) for name, (a, b) in rule(fit.distribution, n, 1.0 - level).items()}
