"""Intervals inside compiled code: what studies of coverage apply to thousands of samples at once."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.family import Family
from suffice.distributions.statistics import sufficient
from suffice.inference.closed_form import has_sufficient
from suffice.inference.estimate import fit_traced
from suffice.inference.information import information
from suffice.inference.intervals import bootstrap, contour
from suffice.inference.intervals.exact import TABLES, rule_for
from suffice.inference.intervals.from_likelihood import normal_quantile
from suffice.inference.kinked import has_kink
from suffice.inference.likelihood import expand, log_likelihoods, mean_log_likelihood, reported_jacobian
from suffice.inference.result import Fit
from suffice.numerics.newton import CONVERGED, UNBOUNDED, second_order
from suffice.runtime.blocks import Block

METHODS = (
    "wald", "wald-natural", "wald-expected", "profile", "score", "exact", "wilson", "jeffreys",
    "bootstrap", "percentile", "parametric",
)  # fmt: skip


def ends(
    family: Family, fit: Fit, x: jax.Array, key: jax.Array, method: str, level: float, replicates: int = 499
) -> jax.Array:
    """Lower and upper end of each reported parameter of a fit to a sample, (p, 2), traceable.

    Args:
        family: what was fitted.
        fit: of ``fit_traced``.
        x: the sample, (n,).
        key: of the bootstrap.
        method: a name of METHODS: those of ``fit.interval``; "wald-natural" is Wald's on the parameter's own scale,
            "wald-expected" from the expected information.
        level: coverage aimed at.
        replicates: bootstrap samples.
    """
    p, domains = fit.distribution, family.parameter_domains
    if method in TABLES:
        rule = rule_for(family, method)
        found = rule(p, jnp.asarray(float(x.size)), 1.0 - level)
        return jnp.stack([jnp.stack([jnp.asarray(e, float) for e in found[name]]) for name in family.parameter_names])
    if (not family.regular and method != "parametric") or (has_kink(family) and method in ("profile", "score")):
        return jnp.full((len(domains), 2), jnp.nan)
    if method.startswith("wald"):
        spread = _expected(family, p, x.size) if method == "wald-expected" else fit.covariance
        return _wald(family.report(p), jnp.diagonal(spread), domains, level, method != "wald-natural")
    if method in ("profile", "score"):
        return _by_likelihood(family, p, x, level, method)
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    return _by_bootstrap(family, fit, x, key, method, level, replicates)


def _expected(family: Family, p: Any, n: int) -> jax.Array:
    v = family.vector(p)
    jacobian = reported_jacobian(family, v)
    return jacobian @ jnp.linalg.inv(n * information(family, v)) @ jacobian.T


def _wald(theta: jax.Array, variances: jax.Array, domains: Any, level: float, mapped: bool) -> jax.Array:
    z, rows = normal_quantile(level), []
    for i, domain in enumerate(domains):
        error = jnp.sqrt(variances[i])
        if mapped:
            v, slope = jax.jvp(domain.to_real, (theta[i],), (jnp.ones_like(theta[i]),))
            rows.append(jnp.stack([domain.from_real(v - z * slope * error), domain.from_real(v + z * slope * error)]))
        else:
            rows.append(jnp.stack([theta[i] - z * error, theta[i] + z * error]))
    return jnp.stack(rows)


def _likelihood(family: Family, x: jax.Array) -> Callable[[jax.Array], tuple[Any, Any, Any]]:
    w = jnp.ones_like(x)
    if has_sufficient(family):
        s = sufficient(family.member, [Block((x,), w)])
        return lambda v: second_order(lambda v: s.count * mean_log_likelihood(family.build(v), s), v)
    return lambda v: expand(family, v, (x,), w)[:3]


def _by_likelihood(family: Family, p: Any, x: jax.Array, level: float, method: str) -> jax.Array:
    v, domains = family.vector(p), family.parameter_domains
    likelihood = _likelihood(family, x)
    value, _, hessian = likelihood(v)
    info = (lambda at: x.size * information(family, at)) if method == "score" else None

    def on_the_line(at: jax.Array) -> jax.Array:
        theta = family.report(family.build(at))
        return jnp.stack([d.to_real(theta[i]) for i, d in enumerate(domains)])

    def end(chosen: jax.Array, side: jax.Array) -> jax.Array:
        target = contour.Target(v, -hessian, value, side, jnp.asarray(normal_quantile(level)))
        curve = contour.follow(target, likelihood, lambda at: second_order(lambda u: chosen @ on_the_line(u), at), info)
        open_end = jnp.where(curve.status == UNBOUNDED, side * jnp.inf, jnp.nan)
        return jnp.where(curve.status == CONVERGED, chosen @ on_the_line(curve.point), open_end)

    sides = jnp.array([-1.0, 1.0])
    found = jax.vmap(lambda chosen: jax.vmap(lambda side: end(chosen, side))(sides))(jnp.eye(len(domains)))
    return jnp.stack([d.from_real(found[i]) for i, d in enumerate(domains)])


def _by_bootstrap(
    family: Family, fit: Fit, x: jax.Array, key: jax.Array, method: str, level: float, replicates: int
) -> jax.Array:
    p, w = fit.distribution, jnp.ones_like(x)

    def refit(key: jax.Array) -> jax.Array:
        if method == "parametric":
            y = p.sample(x.shape, rng=key).astype(float)
        else:
            y = x[jax.random.randint(key, x.shape, 0, x.size)]
        again = fit_traced(family, y, w, p, most=25)
        return jnp.where(again.result == CONVERGED, family.report(again.distribution), jnp.nan)

    values = jax.lax.map(refit, jax.random.split(key, replicates), batch_size=bootstrap.lanes(x.size))
    if method == "percentile":
        return bootstrap.percentile(values, level).T
    estimate, v = family.report(p), family.vector(p)
    if not family.regular:
        return bootstrap.basic(values, estimate, level).T
    scores = jax.jacfwd(lambda v: log_likelihoods(family.build(v), (x,)))(v)
    influence = scores @ jnp.linalg.pinv(scores.T @ scores) @ reported_jacobian(family, v).T
    return bootstrap.bca(values, estimate, bootstrap.acceleration(influence, w), level).T


def check(methods: Any) -> tuple[str, ...]:
    """Names of methods, each known."""
    names = (methods,) if isinstance(methods, str) else tuple(methods)
    for name in names:
        if name not in METHODS:
            raise ValueError(f"intervals must be among {', '.join(METHODS)}, got {name!r}")
    return names


def covered(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Whether each interval (..., p, 2) holds the truth (p,); one that could not be found does not."""
    return (found[..., 0] <= truth) & (truth <= found[..., 1])
