"""Confidence intervals of a fit by name of the method."""

from collections.abc import Callable
from typing import Any, get_args

import jax
import jax.numpy as jnp
import numpy as np

from suffice.inference import rows
from suffice.inference.intervals import bootstrap, exact, from_likelihood
from suffice.inference.kinked import has_kink
from suffice.inference.likelihood import reported_jacobian
from suffice.inference.result import ConfidenceInterval, Method
from suffice.numerics.domain import real

METHODS = get_args(Method)
_BOOTSTRAPS = ("bootstrap", "percentile", "parametric")


def of_parameters(
    fit: Any, level: float, method: str, scale: str, replicates: int, rng: Any
) -> dict[str, tuple[float, float]]:
    """Lower and upper end of each reported parameter of a fit."""
    check(method, level)
    family, names = fit.family, fit.parameter_names
    if scale not in ("unconstrained", "natural"):
        raise ValueError(f'scale must be "unconstrained" or "natural", got {scale!r}')
    if method in exact.TABLES:
        found = exact.from_table(fit, level, method)
        return {name: found[name] for name in names}
    if method == "wald":
        domains = family.parameter_domains if scale == "unconstrained" else [real] * len(names)
        variances = fit.covariance.diagonal()
        lower, upper = from_likelihood.wald(family.report(fit.distribution, np), variances, domains, level)
    elif method in ("profile", "score") and has_kink(family):
        raise ValueError(
            f"{family.name}: its likelihood has a kink, so there is no {method} interval; bootstrap has one"
        )
    elif not is_regular(fit) and method != "parametric":
        lower = upper = np.full(len(names), np.nan)
    elif method in _BOOTSTRAPS:
        lower, upper = _by_bootstrap(fit, family.report, level, method, replicates, rng)
    else:
        lower, upper = from_likelihood.of_parameters(family, evidence_of(fit), level, method)
    return {name: (float(a), float(b)) for name, a, b in zip(names, lower, upper, strict=True)}


def of_quantity(
    fit: Any, of: Callable[[Any], Any], level: float, method: str, replicates: int, rng: Any
) -> ConfidenceInterval:
    """Estimate and ends for a function of the distribution."""
    check(method, level)
    family = fit.family
    if method in exact.TABLES:
        raise ValueError(f"there is no {method} interval for a function of the distribution")
    value = np.asarray(of(fit.distribution))
    if value.shape:
        raise ValueError(f"the function must give one number, got an array of shape {value.shape}")
    lower = upper = np.nan
    if method == "wald":
        if is_regular(fit):
            v = family.vector(fit.distribution)
            reported = np.linalg.pinv(np.asarray(reported_jacobian(family, v)))
            slope = reported.T @ np.asarray(from_likelihood.slope_of(family, v, of))
            reach = from_likelihood.normal_quantile(level) * np.sqrt(slope @ np.asarray(fit.covariance) @ slope)
            lower, upper = value - reach, value + reach
    elif method in _BOOTSTRAPS:
        low, high = _by_bootstrap(
            fit, lambda p: jnp.reshape(jnp.asarray(of(p), float), 1), level, method, replicates, rng
        )
        lower, upper = float(low[0]), float(high[0])
    elif is_regular(fit):
        lower, upper = from_likelihood.of_quantity(family, evidence_of(fit), of, level, method)
    return ConfidenceInterval(float(value), float(lower), float(upper), level, method)


def check(method: str, level: float) -> None:
    """Raise for a method or a level that is none."""
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    from_likelihood.normal_quantile(level)


def is_regular(fit: Any) -> bool:
    """Whether the likelihood around the estimate says how sure it is."""
    return fit.regular and fit.converged


def evidence_of(fit: Any) -> Any:
    """What a fit rests on, for methods that ask its likelihood again."""
    if fit.method != "mle":
        raise ValueError(
            f"intervals by likelihood and bootstrap are for maximum likelihood; this fit is by {fit.method}"
        )
    if fit.evidence is None:
        raise ValueError(
            "this fit does not know its data, as those out of compiled code, of vectors, and of groups that share "
            "parameters do not: there is no interval by likelihood or bootstrap"
        )
    return fit.evidence


def _by_bootstrap(fit: Any, of: Any, level: float, method: str, replicates: int, rng: Any) -> Any:
    """Ends from replicates: percentile, or BCa with the acceleration of the scores."""
    if replicates < 2:
        raise ValueError(f"replicates must be >= 2, got {replicates}")
    family, data = fit.family, evidence_of(fit).observations
    if method == "parametric":
        points = bootstrap.drawn(fit, replicates, rng)
    elif data is None:
        raise ValueError("resampling needs the data: a statistic is not enough")
    else:
        points = bootstrap.resampled(fit, data, replicates, rng)
    values = np.asarray(bootstrap.quantities(family, points, of))
    if method == "percentile":
        return np.asarray(bootstrap.percentile(values, level))
    estimate = np.asarray(of(fit.distribution), float)
    if not fit.regular:
        return np.asarray(bootstrap.basic(values, estimate, level))
    if data is None:
        raise ValueError("the acceleration needs the data: a statistic is not enough")
    scores, weights = rows.scores(family, data)
    slopes = np.asarray(jax.jacfwd(lambda v: of(family.build(v)))(family.vector(fit.distribution)))
    inverse = np.linalg.pinv(
        np.einsum("n,ni,nj->ij", np.ones(len(scores)) if weights is None else weights, scores, scores)
    )
    speed = bootstrap.acceleration(scores @ inverse @ slopes.T, weights)
    return np.asarray(bootstrap.bca(values, estimate, jnp.asarray(speed), level))
