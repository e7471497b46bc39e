"""Empirical Bayes: the prior of many groups from the groups themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.family import Family, as_family
from suffice.distributions.generic import own, variance
from suffice.distributions.statistics import rough_sufficient
from suffice.inference.conjugate.pair import Pair
from suffice.inference.conjugate.posterior import Posterior
from suffice.inference.conjugate.table import find
from suffice.inference.conjugate.update import statistic, update_pair
from suffice.inference.likelihood import covariance, reported_jacobian
from suffice.inference.result import MESSAGES
from suffice.numerics import newton
from suffice.numerics.newton import second_order
from suffice.runtime.blocks import Block
from suffice.runtime.errors import DataError

_SAME = 1e-4  # share of the prior's deviation
_NEARLY = 0.05  # of a search that did not end: whether it was on the way there


@dataclass(frozen=True)
class EmpiricalBayes:
    """A prior fitted to groups by the evidence, and what each group is shrunk to under it.

    Attributes:
        prior: the distribution with the largest evidence.
        family: of the prior, with what is held.
        covariance: of its parameters, in the order of ``parameter_names``: the inverse of minus the Hessian of the summed
            log evidence; NaN where the maximum is a limit.
        log_evidence: Σ over the groups of log ∫ p(x_g|theta) p(theta) dtheta, at its maximum.
        converged: whether the maximum is inside; where all groups agree, the prior's spread shrinks to nothing instead,
            and where they differ as much as they can it grows without bound.
        message: how the search ended.
        names: of the groups.
        stacked: the groups' posteriors, along the first axis.
    """

    prior: Any
    family: Family
    covariance: np.ndarray
    log_evidence: float
    converged: bool
    message: str
    names: tuple[Any, ...]
    stacked: Posterior

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the prior's parameters."""
        return self.family.parameter_names

    @cached_property
    def parameters(self) -> dict[str, float]:
        """The prior's parameters by name."""
        values = np.asarray(self.family.report(self.prior, np))
        return {name: float(v) for name, v in zip(self.parameter_names, values, strict=True)}

    @cached_property
    def standard_errors(self) -> dict[str, float]:
        """Their standard errors."""
        errors = np.sqrt(np.diagonal(self.covariance))
        return {name: float(v) for name, v in zip(self.parameter_names, errors, strict=True)}

    @cached_property
    def posteriors(self) -> dict[Any, Posterior]:
        """The posterior of each group under the fitted prior: shrunk towards what the groups have in common.

        The prior's own error is not in them: with few groups they are somewhat too narrow.
        """
        return {
            name: replace(
                self.stacked,
                distribution=jax.tree.map(lambda v, g=g: v[g], self.stacked.distribution),
                log_evidence=self.stacked.log_evidence[g],
                count=self.stacked.count[g],
                data=jax.tree.map(lambda v, g=g: v[g], self.stacked.data),
            )
            for g, name in enumerate(self.names)
        }

    def __repr__(self) -> str:
        errors = self.standard_errors
        told = ", ".join(f"{name} = {value:.6g} ± {errors[name]:.2g}" for name, value in self.parameters.items())
        state = "" if self.converged else f", not converged: {self.message}"
        return (
            f"EmpiricalBayes({type(self.prior).__name__}: {told}; log evidence {self.log_evidence:.6f}, "
            f"{len(self.names)} groups{state})"
        )


def empirical_bayes(prior: Any, likelihood: Any, groups: Any) -> EmpiricalBayes:
    """Fit a conjugate prior to groups by maximum evidence: argmax over h of Σ_g log ∫ p(x_g | theta) p(theta | h) dtheta.

    Each group has its own parameter, drawn from one prior; the prior is estimated, and each group's parameter then shrunk
    towards it: beta–binomial, gamma–Poisson, normal–normal, and every other pair of the table.

    Args:
        prior: class of the prior, or ``sf.family(...)`` with some of its parameters held, as ``sf.family(sf.Normal, loc=0)``.
        likelihood: as for ``sf.update``.
        groups: a sequence, or a dictionary by name, of data or of statistics as ``sf.update`` takes them; at least 2. Counts
            out of different totals are statistics: ``sf.statistics(sf.Bernoulli, [1, 0], weights=[k, n - k])``.

    Returns:
        An ``EmpiricalBayes``: the prior with standard errors, the posteriors of the groups.

    Raises:
        ValueError: not a conjugate pair of distributions of numbers, a prior whose support moves with its parameters, such
            as a Pareto, or fewer than two groups.

    Source: Robbins (1956); Efron, Large-Scale Inference (2010), chapter 1.

    Example:
        >>> import suffice as sf
        >>> groups = {"a": [3.0, 4.1], "b": [0.2, 1.0], "c": [5.9, 5.1], "d": [2.0, 2.4]}
        >>> found = sf.empirical_bayes(sf.Normal, sf.family(sf.Normal, scale=1.0), groups)
        >>> round(found.parameters["loc"], 4), round(float(found.posteriors["c"].mean), 4)  # its own mean is 5.5
        (2.9625, 5.108)
    """
    hyper, family = as_family(prior), as_family(likelihood)
    if isinstance(groups, Mapping):
        names, samples = tuple(groups), list(groups.values())
    else:
        samples = list(groups)
        names = tuple(range(len(samples)))
    if len(samples) < 2:
        raise ValueError(f"empirical Bayes needs two groups or more, got {len(samples)}")
    pair = find(hyper.member, family)
    if hyper.member.event_ndim or own(hyper.kind, "_estimate") is None:
        raise ValueError(f"{pair.name}: priors of numbers are fitted, not {hyper.name}")
    ends, possible = hyper.member._support(), hyper.member.sample_space
    if (float(ends.lower), float(ends.upper)) != (float(possible.lower), float(possible.upper)):
        raise ValueError(
            f"{pair.name}: the support of the prior moves with its parameters, so its evidence jumps with them and has no "
            "maximum that standard errors belong to"
        )
    each = [statistic(pair, family, hyper.member, sample, None, "error") for sample in samples]
    for name, one in zip(names, each, strict=True):
        reason = pair.objection(hyper.member, family.member, one)
        if reason is not None:
            raise DataError(f"group {name}: {family.name}: {reason}")
    s = jax.tree.map(lambda *v: jnp.stack([jnp.asarray(x) for x in v]), *each)
    member = family.member
    state = jax.device_get(_maximise(pair, hyper, member, s, _begin(pair, hyper, member, s)))
    fitted = hyper.build(jnp.asarray(state.point))
    posterior, evidence = _each(pair, fitted, member, s)
    # where the data add nothing to the prior, it has shrunk to a point
    narrowed = 1.0 - np.asarray(jax.vmap(stddev)(posterior)) / float(stddev(fitted))
    narrowed = np.where(np.isnan(narrowed), 1.0, narrowed)  # deviations that are infinite
    converged = int(state.status) == newton.CONVERGED and bool(narrowed.max() > _SAME)
    if converged:
        spread = np.asarray(covariance(reported_jacobian(hyper, jnp.asarray(state.point)), jnp.asarray(state.hessian)))
        message = "converged"
    else:
        spread = np.full((hyper.dimension,) * 2, np.nan)
        agree = narrowed.max() <= (_SAME if int(state.status) == newton.CONVERGED else _NEARLY)
        message = (
            "the evidence rises towards a limit of the prior: the groups differ no more than by chance"
            if agree
            else f"{MESSAGES[int(state.status)]}; the prior is where the search ended".replace("likelihood", "evidence")
        )
    stacked = Posterior(posterior, fitted, family, evidence, s.count, s, pair)
    return EmpiricalBayes(
        fitted, replace(hyper, member=fitted), spread, float(state.value), converged, message, names, stacked
    )


def stddev(p: Any) -> jax.Array:
    """Standard deviation, inside compiled code."""
    return jnp.sqrt(variance(p))


def _each(pair: Pair, prior: Any, member: Any, s: Any) -> tuple[Any, jax.Array]:
    """Posterior and evidence of every group."""
    return jax.vmap(lambda one: update_pair(pair, prior, member, one))(s)


def _maximise(pair: Pair, hyper: Family, member: Any, s: Any, begin: Any) -> newton.State:
    def total(v: jax.Array) -> jax.Array:
        return _each(pair, hyper.build(v), member, s)[1].sum()

    search = jax.jit(
        lambda v: newton.maximise(lambda v: second_order(total, v), v, jnp.asarray(float(s.count.shape[0])))
    )
    return search(begin)


def _begin(pair: Pair, hyper: Family, member: Any, s: Any) -> jax.Array:
    """A prior fitted to the groups' posterior means under a vague one, by the family's own estimate."""
    posterior, _ = _each(pair, hyper.member, member, s)
    centres = jax.vmap(pair.point)(posterior)
    rough = rough_sufficient(hyper.member, Block((centres,), None))
    values = hyper.kind._estimate(rough)  # type: ignore[attr-defined]
    v = jnp.asarray(hyper.vector(hyper.with_values(values)), float)
    return jnp.where(jnp.isfinite(v), v, jnp.asarray(hyper.vector(hyper.member), float))
