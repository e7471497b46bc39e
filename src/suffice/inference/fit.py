"""Fit one family: the front door of estimation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args, overload

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.distributions.family import Family, as_family
from suffice.distributions.statistics import Expansion, Statistics, Sufficient, same_held
from suffice.inference import estimate
from suffice.inference.arrays import fit_rows, summarise_rows
from suffice.inference.evidence import Evidence
from suffice.inference.groups import Groups, fit_groups, split
from suffice.inference.information import information
from suffice.inference.kinked import has_kink
from suffice.inference.likelihood import reported_jacobian
from suffice.inference.methods.choose import fit_otherwise, fit_otherwise_traced, method_of
from suffice.inference.observe import observe
from suffice.inference.penalised import fit_penalised
from suffice.inference.result import Fit
from suffice.inference.rows import meat
from suffice.inference.side_by_side import Beside
from suffice.numerics.checks import is_traced
from suffice.runtime.errors import DataError

Covariance = Literal["observed", "expected", "sandwich"]


@overload
def fit(target: Any, data: Any, weights: Any = None, *, by: None = None, **options: Any) -> Fit: ...
@overload
def fit(target: Any, data: Any, weights: Any = None, *, by: Any, **options: Any) -> Groups: ...


def fit(  # pyright: ignore[reportInconsistentOverload]  the options are the same
    target: Any,
    data: Any,
    weights: Any = None,
    *,
    method: str = "mle",
    levels: Sequence[float] | None = None,
    penalty: Callable[[Any], Any] | None = None,
    prior: Mapping[str, Distribution] | None = None,
    missing: str = "error",
    covariance: Covariance = "observed",
    by: Any = None,
    share: Sequence[str] = (),
) -> Fit | Groups:
    """Fit a family to data, by maximum likelihood if nothing else is said: argmax over theta of Σ w_i log p(x_i | theta).

    Other methods choose the member p with distribution function F

        "moments":           with the sample's mean, variance, skewness and kurtosis: the first that determine it
        "lmoments":          with its L-moments (Hosking 1990, doi:10.1111/j.2517-6161.1990.tb01775.x)
        "quantiles":         with its quantiles at ``levels``; by least squares where these are more than parameters
        "spacings":          for which Σ log (F(x_(j)) − F(x_(j−1))) is largest (Cheng and Amin 1983; Ranneby 1984)
        "cvm":               nearest in the sense of Cramér and von Mises: n ∫ (F_n − F)² dF is smallest
        "anderson-darling":  nearest in the sense of Anderson and Darling: n ∫ (F_n − F)²/(F (1 − F)) dF is smallest

    and their covariance is the sandwich: how the estimate moves with each observation. With a penalty or prior
    Σ w_i log p(x_i | theta) − penalty(p) + Σ_j log prior_j(theta_j) is maximised, and the covariance is the inverse
    of minus its Hessian. The priors are densities of the usual parameters, so this is the mode of the posterior in
    these; no Jacobian is added, and in other parameters the mode lies elsewhere.

    Args:
        target: a class such as ``sf.Gamma``, or ``sf.family(...)`` with parameters held.
        data: array-like of shape (n,), a pandas, Polars or Arrow column, ``sf.scan(path, column=...)``,
            ``sf.chunks(callable)``, ``sf.Data`` for censored, truncated and binned data, or the ``Statistics`` of the
            family. For families of vectors an array or data frame of shape (n, d), of matrices (n, d, d).
        weights: frequencies of shape (n,), >= 0: weight w counts as w observations.
        method: "mle" or one of the above. All but "moments" are for continuous families; all but "mle" need values
            that are known, not censored, and in memory.
        levels: of the quantiles to be matched, between 0 and 1; by default (j − 1/2)/k for k parameters.
        penalty: traceable function of a member of the family, in nats.
        prior: distributions of free parameters by name, as in ``fit.parameter_names``: ``{"rate": sf.Gamma(2.0, 1.0)}``.
            ``fit.estimates`` puts the mode beside the estimate of maximum likelihood and the posterior mean.
        missing: what to do with missing values: "error" or "drop".
        covariance: of the estimates: from the "observed" information (the Hessian), the "expected" one, or "sandwich",
            H⁻¹ (Σ w² s s') H⁻¹ with the scores s, which holds for any distribution of the data. Weights are then those
            of a survey or of importance sampling: the count is Kish's effective one, and there is no AIC.
        by: a label for each observation, (n,), or of a file the name of a column: a fit for each group.
        share: names of parameters that groups have in common.

    Returns:
        A ``Fit``: the distribution, covariance of the estimates, log-likelihood. With ``by``, ``Groups`` of them, with a
        test of whether they differ.

    Raises:
        DataError: missing or infinite values, values outside the family's support, no spread.
        ValueError: a method that does not serve the family, a prior on what is no parameter of it, an expected
            information where values are not known.

    Example:
        >>> import suffice as sf
        >>> fit = sf.fit(sf.Exponential, [1.0, 2.0, 6.0])
        >>> round(fit.parameters["rate"], 6), round(fit.standard_errors["rate"], 6)
        (0.333333, 0.19245)
        >>> fit = sf.fit(sf.Exponential, [1.0, 2.0, 6.0], prior={"rate": sf.Gamma(2.0, 1.0)})
        >>> round(fit.parameters["rate"], 6)  # (2 − 1 + 3)/(1 + 9)
        0.4
    """
    family = as_family(target)
    if unknown := [path[-1] for path in family.free if path[-1] in family.kind.open]:
        raise ValueError(
            f"{family.name}: {unknown[0]} is a whole number, which is not fitted; sf.update gives its posterior"
        )
    if covariance not in get_args(Covariance):
        raise ValueError(f"covariance must be one of {', '.join(get_args(Covariance))}, got {covariance!r}")
    if covariance != "observed" and (method != "mle" or penalty is not None or prior is not None):
        raise ValueError(f"covariance={covariance!r} is for maximum likelihood alone")
    penalised = penalty is not None or prior is not None
    if by is not None and (method != "mle" or penalised):
        raise ValueError("by= is for maximum likelihood alone")
    if share and by is None:
        raise ValueError("share names parameters that groups have in common: it needs by=")
    if penalised and method != "mle":
        raise ValueError(f"penalty and prior are for method='mle', not for {method!r}")
    if levels is not None and method != "quantiles":
        raise ValueError(f"levels are for method='quantiles', not for {method!r}")
    if method != "mle" or penalised:
        return _fit_otherwise(family, data, weights, method, levels, penalty, prior, missing)
    if covariance != "observed" and (is_traced(data, weights) or by is not None or family.member.event_ndim):
        raise ValueError(f"covariance={covariance!r} is for one fit to numbers, outside of compiled code")
    if is_traced(data, weights):
        return _fit_traced(family, jnp.asarray(data), weights)
    if by is not None:
        groups = split(data, weights, by, missing)
        return fit_groups(family, observe(data, weights, missing), groups, share)
    if family.member.event_ndim and not isinstance(data, Statistics):
        return fit_rows(family, data, weights, missing)
    if not isinstance(data, Statistics):
        (result,) = estimate.fit_families([family], observe(data, weights, missing))
    elif weights is not None or missing != "error":
        raise TypeError("weights and missing are for data; statistics already hold what was counted")
    elif isinstance(data, Sufficient) and isinstance(data.prototype, family.kind):
        if not same_held(data.prototype, family.member):
            raise ValueError(f"these are statistics of {data.prototype!r}, not of {family.name}")
        result = estimate.fit_sufficient(family, data)
        if isinstance(result, Fit):
            result = result.resting_on(Evidence(None, data))
    elif isinstance(data, Expansion):
        raise TypeError("an expansion at one point is not enough for a fit: Newton's method needs one at each step")
    else:
        raise TypeError(f"these are not statistics of {family.name}")
    if isinstance(result, DataError):
        raise result
    return result if covariance == "observed" else _with_covariance(result, covariance)


def _with_covariance(fit: Fit, covariance: str) -> Fit:
    """The fit with another covariance of its estimates."""
    evidence, family = fit.evidence, fit.family
    if not (fit.converged and fit.regular) or evidence is None:
        return fit
    v = family.vector(fit.distribution)
    jacobian = reported_jacobian(family, v)
    if covariance == "expected":
        if evidence.observations is not None and not evidence.observations.is_plain:
            raise ValueError("the expected information of censored, truncated or rounded values is not known")
        spread = jacobian @ jnp.linalg.inv(fit.count * information(family, v)) @ jacobian.T
        return replace(fit, covariance=spread).resting_on(evidence)
    if has_kink(family):
        raise ValueError(f"{family.name}: its likelihood has a kink, so there is no sandwich covariance")
    if evidence.observations is None:
        raise ValueError("a sandwich covariance needs the data: a statistic is not enough")
    ((_, _, hessian),) = evidence.expand([(family, family.vector(fit.distribution, np))])
    filling = meat(family, evidence.observations)
    bread = jacobian @ jnp.linalg.inv(hessian)
    weighted = filling.effective < filling.total * (1.0 - 1e-12) or filling.squares != filling.total
    robust = replace(
        fit, covariance=bread @ filling.outer @ bread.T, count=jnp.asarray(filling.effective), pseudo=weighted
    )
    return robust.resting_on(evidence)


def _fit_otherwise(
    family: Family, data: Any, weights: Any, method: str, levels: Any, penalty: Any, prior: Any, missing: str
) -> Fit:
    """The fit by another method, or with a penalty or prior."""
    if isinstance(data, Statistics):
        raise TypeError(
            "statistics are fitted by method='mle', without a penalty or prior: they hold the likelihood only"
        )
    how = None if method == "mle" else method_of(family, method, levels)
    if how is not None and is_traced(data, weights):
        x = jnp.asarray(data, float)
        return fit_otherwise_traced(
            family, how, x, jnp.ones(x.shape) if weights is None else jnp.asarray(weights, float)
        )
    if is_traced(data, weights) or family.member.event_ndim:
        raise ValueError("penalty and prior are for data of numbers, outside of compiled code")
    observed = observe(data, weights, missing)
    if how is not None:
        return fit_otherwise(family, how, observed)
    found = fit_penalised(family, observed, penalty, prior)
    return found if penalty is not None or not prior else found.standing_beside(Beside(family, observed, prior))


def _fit_traced(family: Family, data: jax.Array, weights: Any) -> Fit:
    """The fit inside compiled code: invalid data give NaN instead of an error."""
    event = family.member.event_shape
    if data.shape[1:] != event or not data.ndim:
        wanted = ", ".join(["n", *map(str, event)]) + ("" if event else ",")
        raise ValueError(f"data must have shape ({wanted}), got {data.shape}")
    return estimate.fit_traced(family, data, jnp.ones(data.shape) if weights is None else jnp.asarray(weights, float))


def statistics(target: Any, data: Any, weights: Any = None, *, at: Any = None, missing: str = "error") -> Statistics:
    """Summarise data for a family: a small value with ``+`` from which ``fit`` gives the same answer as from the data.

    Args:
        target: a class such as ``sf.Gamma``, or ``sf.family(...)``.
        data: as for ``fit``.
        weights: frequencies of shape (n,).
        at: a member of the family. Without it, the sufficient statistic, for families that have one. With it, the
            log-likelihood with gradient and Hessian at that member: the statistic of one Newton step.
        missing: what to do with missing values: "error" or "drop".

    Raises:
        ValueError: the family has no statistic of fixed size, and ``at`` was not given.
        DataError: missing or infinite values, values outside the family's support.

    Example:
        >>> import suffice as sf
        >>> a, b = sf.statistics(sf.Exponential, [1.0, 2.0]), sf.statistics(sf.Exponential, [6.0])
        >>> float((a + b).mean)
        3.0
    """
    family = as_family(target)
    if at is None and not estimate.has_sufficient(family):
        raise ValueError(
            f"{family.name} has no sufficient statistic of fixed size: its likelihood needs every observation. "
            "With at=p, statistics(family, data, at=p) gives log-likelihood, gradient and Hessian at p, which add up"
        )
    if family.member.event_ndim:
        return summarise_rows(family, data, weights, missing, at)
    observations = observe(data, weights, missing)
    return estimate.summarise(family, observations) if at is None else estimate.expand_at(family, at, observations)
