"""Bayes' rule for conjugate pairs: the front door."""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.distributions.family import Family, as_family
from suffice.distributions.generic import own
from suffice.distributions.statistics import Statistics, Sufficient, same_held, sufficient
from suffice.inference.arrays import summarise_rows
from suffice.inference.closed_form import impossible
from suffice.inference.conjugate.pair import Pair
from suffice.inference.conjugate.posterior import Posterior
from suffice.inference.conjugate.table import find
from suffice.inference.observe import observe
from suffice.numerics.checks import is_traced
from suffice.runtime.blocks import Block
from suffice.runtime.errors import DataError


def update(
    prior: Distribution | Posterior | str, likelihood: Any, data: Any, weights: Any = None, *, missing: str = "error"
) -> Posterior:
    """Posterior of a conjugate pair: p(theta | x) ∝ p(theta) ∏ p(x_i | theta)^{w_i}, in closed form.

    The prior's class and the likelihood's free parameters say which pair it is: ``sf.Gamma`` is conjugate to the rate
    of a Poisson, to the rate of a gamma with its concentration held, to the precision of a normal with its mean held.
    What exactly the prior is about, such as the variance "scale**2" of a normal, is told by ``posterior.parameter``.

    Args:
        prior: a distribution, the ``Posterior`` of earlier data, or the name of a prior of this likelihood, such as
            "jeffreys" or "reference"; these may be improper.
        likelihood: a class such as ``sf.Poisson``, or ``sf.family(...)`` with what is known held.
        data: array-like of shape (n,), or (n, d) for vectors, a column, ``sf.scan(...)``, ``sf.chunks(...)``, ``sf.Data``
            without censoring, or the ``Statistics`` of the family.
        weights: frequencies of shape (n,), >= 0: weight w counts as w observations.
        missing: what to do with missing values: "error" or "drop".

    Returns:
        A ``Posterior``: distribution, predictive distribution, evidence, intervals. After the data of a posterior that
        is itself a prior, its evidence is of the new data given the old.

        Hypergeometric counts are one run without replacement: what the first took is not there for the second, and the
        posterior is about what is left. For the next draws the population is that much smaller.

    Raises:
        ValueError: not a conjugate pair; the message lists those there are.
        DataError: data the likelihood rules out, or too few for an improper prior.

    Source: Fink (1997), A compendium of conjugate priors; Gelman and others, Bayesian Data Analysis (2013), appendix A.

    Example:
        >>> import suffice as sf
        >>> posterior = sf.update(sf.Gamma(2.0, 1.0), sf.Poisson, [3, 5, 4])
        >>> posterior.distribution
        Gamma(concentration=14, rate=4)
        >>> posterior.predictive  # of one more count
        NegativeBinomial(mean=3.5, concentration=14)
        >>> round(float(posterior.log_evidence), 6)
        -6.613262

        Two handfuls of three out of an urn of ten, with 2 and 1 red balls, and then of the four that are left:

        >>> urn = sf.family(sf.Hypergeometric, population=10, draws=3)
        >>> left = sf.update(sf.BetaBinomial(10, 1.0, 1.0), urn, [2, 1])
        >>> left.distribution  # red balls among the other four
        BetaBinomial(total_count=4, alpha=4, beta=4)
        >>> sf.update(left, sf.family(sf.Hypergeometric, population=4, draws=3), [1]).distribution
        BetaBinomial(total_count=1, alpha=5, beta=6)
    """
    family = as_family(likelihood)
    before = prior.distribution if isinstance(prior, Posterior) else prior
    if not isinstance(before, Distribution | str):
        raise TypeError(f"prior must be a distribution, a posterior or a name, got {before!r}")
    pair = find(before, family)
    s = statistic(pair, family, before, data, weights, missing)
    member = s.prototype if isinstance(s.prototype, family.kind) else s.prototype.member
    member = _at(family, member)
    if isinstance(before, str):
        before = pair.improper[before](member)
    before = _strong(before)
    if pair.sized is not None and member.event_ndim and pair.sized(before) != member.event_shape[-1]:
        raise DataError(f"the prior is of {pair.sized(before)} coordinates, the data of {member.event_shape[-1]}")
    traced = is_traced(s, before)
    reason = None if traced else pair.objection(before, member, s)
    if reason is not None:
        raise DataError(f"{family.name}: {reason}")
    posterior, evidence = update_pair(pair, before, member, s)
    if not traced and not np.all(pair.proper(posterior)):
        raise DataError(
            f"{pair.name}: {float(s.count):,.10g} observations are too few, or all equal, for an improper prior: "
            f"the posterior would be {posterior!r}"
        )
    return Posterior(posterior, before, replace(family, member=member), evidence, s.count, s, pair)


def update_pair(pair: Pair, prior: Any, p: Any, s: Sufficient) -> tuple[Any, jax.Array]:
    """Posterior and evidence, from small programs: densities are compiled once for a class, not anew for each pair."""
    posterior, proper = _posterior(pair, prior, p, s)
    return posterior, jnp.where(proper, pair.evidence(prior, posterior, p, s), jnp.nan)


@partial(jax.jit, static_argnums=0)
def _posterior(pair: Pair, prior: Any, p: Any, s: Sufficient) -> tuple[Any, jax.Array]:
    return pair.posterior(prior, p, s), jnp.all(jnp.asarray(pair.proper(prior)))


def _strong(prior: Any) -> Any:
    """The prior with numbers of the type that those of its posterior have: one program of a class then serves both."""
    return jax.tree.map(lambda v: jnp.asarray(v, jnp.result_type(v)), prior)


def _at(family: Family, member: Any) -> Any:
    """What the data were summed for, with what the family holds."""
    held = [name for name in family.member.field_names() if (name,) not in family.free]
    return member._replaced({name: getattr(family.member, name) for name in held})


def statistic(pair: Pair, family: Family, prior: Any, data: Any, weights: Any, missing: str) -> Sufficient:
    """What the pair needs of the data, checked."""
    if isinstance(data, Statistics):
        if weights is not None or missing != "error":
            raise TypeError("weights and missing are for data; statistics already hold what was counted")
        own_view = pair.view(family.member) is family.member
        if not (own_view and isinstance(data, Sufficient) and isinstance(data.prototype, family.kind)):
            raise TypeError(f"these are not statistics from which {pair.name} is updated: give the data")
        if not same_held(data.prototype, family.member):
            raise ValueError(f"these are statistics of {data.prototype!r}, not of {family.name}")
        return data
    if is_traced(data, weights):
        family = _sized(pair, family, prior) if not family.member.event_ndim else family
        x = jnp.asarray(data, float)
        w = jnp.ones(x.shape[:1]) if weights is None else jnp.asarray(weights, float)
        return sufficient(pair.view(family.member), [Block((x,), w)])
    if family.member.event_ndim:
        return summarise_rows(family, data, weights, missing)  # type: ignore[return-value]
    family = _sized(pair, family, prior)
    observed = observe(data, weights, missing)
    if not observed.is_plain:
        raise DataError("sf.update needs values that are known, not censored, truncated or rounded")
    s = observed.fold(lambda blocks: sufficient(pair.view(family.member), blocks))
    space = family.member._support() if own(family.member, "_sized") else family.member.sample_space
    if not np.all(np.isfinite(s.mean)) or not np.all(np.isfinite(s.gap)) or float(s.outside) > 0:
        found = observed.outside(space)
        raise DataError(impossible(family, *found) if found else f"{family.name}: the data are not finite")
    return s


def _sized(pair: Pair, family: Family, prior: Any) -> Family:
    """A categorical likelihood with as many classes as the prior."""
    hook = own(family.member, "_sized")
    if hook is None:
        return family
    if isinstance(prior, str) or pair.sized is None:
        raise ValueError(f"{family.name}: the prior must say how many classes there are, as sf.Dirichlet([...]) does")
    return replace(family, member=hook(pair.sized(prior)))
