"""Sums of independent variables whose distribution has a name."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import jax.numpy as jnp
import numpy as np

from suffice.distributions.bernoulli import Bernoulli
from suffice.distributions.binomial import Binomial
from suffice.distributions.chi import ChiSquared
from suffice.distributions.distribution import Distribution
from suffice.distributions.gamma import Exponential, Gamma
from suffice.distributions.geometric import Geometric
from suffice.distributions.inverse_gaussian import InverseGaussian
from suffice.distributions.multinomial import Multinomial
from suffice.distributions.multivariate_normal import MultivariateNormal
from suffice.distributions.negative_binomial import NegativeBinomial
from suffice.distributions.noncentral_chi_squared import NoncentralChiSquared
from suffice.distributions.normal import Normal
from suffice.distributions.poisson import Poisson
from suffice.distributions.skellam import Skellam
from suffice.distributions.student_t import Cauchy
from suffice.numerics import linalg
from suffice.numerics.checks import format_value, is_traced


def _shared(name: str, a: Any, b: Any) -> Any:
    """A parameter that both must have in common: NaN in traced code where they differ."""
    if not is_traced(a, b) and not np.allclose(a, b, rtol=1e-12, atol=0.0):
        raise ValueError(f"the sum has a name only for equal {name}, got {format_value(a)} and {format_value(b)}")
    return jnp.where(jnp.isclose(a, b, rtol=1e-12, atol=0.0), a, jnp.nan)


def _normal(p: Normal, q: Normal) -> Normal:
    return Normal(p.loc + q.loc, jnp.hypot(p.scale, q.scale))


def _cauchy(p: Cauchy, q: Cauchy) -> Cauchy:
    return Cauchy(p.loc + q.loc, p.scale + q.scale)


def _gamma(p: Gamma, q: Gamma) -> Gamma:
    return Gamma(p.concentration + q.concentration, _shared("rate", p.rate, q.rate))


def _binomial(p: Binomial, q: Binomial) -> Binomial:
    return Binomial(p.total_count + q.total_count, _shared("probs", p.probs, q.probs))


def _negative_binomial(p: NegativeBinomial, q: NegativeBinomial) -> NegativeBinomial:
    ratio = _shared("mean/concentration", p.mu / p.concentration, q.mu / q.concentration)
    concentration = p.concentration + q.concentration
    return NegativeBinomial(ratio * concentration, concentration)  # type: ignore[call-arg]


def _inverse_gaussian(p: InverseGaussian, q: InverseGaussian) -> InverseGaussian:
    ratio = _shared("concentration/loc²", p.concentration / p.loc**2, q.concentration / q.loc**2)
    loc = p.loc + q.loc
    return InverseGaussian(loc, ratio * loc**2)


def _multinomial(p: Multinomial, q: Multinomial) -> Multinomial:
    return Multinomial.from_probs(p.total_count + q.total_count, _shared("probs", p.probs, q.probs))


def _multivariate_normal(p: MultivariateNormal, q: MultivariateNormal) -> MultivariateNormal:
    both = jnp.concatenate(jnp.broadcast_arrays(p.scale_tril, q.scale_tril), axis=-1)
    return MultivariateNormal.from_cholesky(p.loc + q.loc, linalg.triangular_of(both))


_SUMS: dict[type, Callable[[Any, Any], Any]] = {
    Normal: _normal,
    Cauchy: _cauchy,
    Gamma: _gamma,
    ChiSquared: lambda p, q: ChiSquared(p.df + q.df),
    NoncentralChiSquared: lambda p, q: NoncentralChiSquared(p.df + q.df, p.noncentrality + q.noncentrality),
    InverseGaussian: _inverse_gaussian,
    Poisson: lambda p, q: Poisson(p.rate + q.rate),
    Skellam: lambda p, q: Skellam(p.rate1 + q.rate1, p.rate2 + q.rate2),
    Binomial: _binomial,
    NegativeBinomial: _negative_binomial,
    Multinomial: _multinomial,
    MultivariateNormal: _multivariate_normal,
}

# families inside wider ones, in whose terms they add
_WIDER: dict[type, Callable[[Any], Any]] = {
    Exponential: lambda p: Gamma(jnp.ones_like(p.rate), p.rate),
    Bernoulli: lambda p: Binomial(jnp.ones_like(p.logits), p.probs),
    Geometric: lambda p: NegativeBinomial((1.0 - p.probs) / p.probs, jnp.ones_like(p.probs)),
}


def convolve(*members: Distribution) -> Any:
    """The distribution of the sum of independent variables, where it has a name.

    Normal, Cauchy, gamma (and exponential) of one rate, chi-squared, noncentral chi-squared, inverse Gaussian of one
    ratio, Poisson, Skellam, binomial (and Bernoulli) of one probability, negative binomial (and geometric) of one
    ratio, multinomial of the same probabilities, multivariate normal.

    Args:
        members: two or more distributions.

    Raises:
        TypeError: the sum of these families has no name here. ValueError: a parameter is not shared as it must be.

    Example:
        >>> import suffice as sf
        >>> sf.convolve(sf.Exponential(2.0), sf.Exponential(2.0), sf.Gamma(0.5, 2.0))
        Gamma(concentration=2.5, rate=2)
    """
    if len(members) < 2:
        raise TypeError("convolve takes two or more distributions")
    return reduce(_add, members)


def _add(p: Distribution, q: Distribution) -> Any:
    wide = [_WIDER.get(type(member), lambda member: member)(member) for member in (p, q)]
    add = _SUMS.get(type(wide[0]))
    if add is None or type(wide[0]) is not type(wide[1]):
        raise TypeError(f"the sum of a {type(p).__name__} and a {type(q).__name__} variable has no name here")
    return add(*wide)
