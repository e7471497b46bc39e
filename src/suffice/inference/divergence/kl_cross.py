"""Kullback–Leibler divergences across families: minus the entropy of p, minus E_p[log q] from a few expectations.

A family enters the expectations it knows (``LOGARITHM``, ``RECIPROCAL``, ``POWER``), another its log-density in terms
of them (``CROSS``); all combinations follow.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions import generic
from suffice.distributions.beta import Beta
from suffice.distributions.extreme import Rayleigh, Weibull
from suffice.distributions.gamma import Gamma
from suffice.distributions.half import HalfNormal
from suffice.distributions.inverse_gamma import InverseGamma
from suffice.distributions.inverse_gaussian import InverseGaussian
from suffice.distributions.location_scale import EULER_GAMMA, Gumbel, Laplace, Logistic
from suffice.distributions.normal import LOG_SQRT_2PI, LogNormal, Normal
from suffice.distributions.triangular import Triangular
from suffice.distributions.uniform import Pareto, Uniform
from suffice.inference.divergence.pairs import find, kl_of
from suffice.numerics.special.gamma import digamma, gammaln, trigamma

type Of = Callable[[Any], jax.Array]

# E[log X] and the variance of log X
LOGARITHM: dict[type, Callable[[Any], tuple[jax.Array, jax.Array]]] = {
    LogNormal: lambda p: (p.loc, p.scale**2),
    Gamma: lambda p: (digamma(p.concentration) - jnp.log(p.rate), trigamma(p.concentration)),
    InverseGamma: lambda p: (jnp.log(p.scale) - digamma(p.concentration), trigamma(p.concentration)),
    Weibull: lambda p: (
        jnp.log(p.scale) - EULER_GAMMA / p.concentration,
        np.pi**2 / 6.0 / p.concentration**2,
    ),
    Rayleigh: lambda p: (
        jnp.log(p.scale) + 0.5 * (np.log(2.0) - EULER_GAMMA),
        jnp.full_like(p.scale, np.pi**2 / 24.0),
    ),
    HalfNormal: lambda p: (
        jnp.log(p.scale) - 0.5 * (EULER_GAMMA + np.log(2.0)),
        jnp.full_like(p.scale, np.pi**2 / 8.0),
    ),
    Pareto: lambda p: (jnp.log(p.scale) + 1.0 / p.concentration, 1.0 / p.concentration**2),
    Beta: lambda p: (
        digamma(p.alpha) - digamma(p.alpha + p.beta),
        trigamma(p.alpha) - trigamma(p.alpha + p.beta),
    ),
}  # fmt: skip


def _finite_above(least: float, shape: jax.Array, value: Of) -> jax.Array:
    """A function of a shape, infinite from some shape down."""
    exists = shape > least
    return jnp.where(exists, value(jnp.where(exists, shape, least + 1.0)), jnp.inf)


# E[1/X]
RECIPROCAL: dict[type, Of] = {
    LogNormal: lambda p: jnp.exp(0.5 * p.scale**2 - p.loc),
    Gamma: lambda p: p.rate * _finite_above(1.0, p.concentration, lambda a: 1.0 / (a - 1.0)),
    InverseGamma: lambda p: p.concentration / p.scale,
    Weibull: lambda p: _finite_above(1.0, p.concentration, lambda k: jnp.exp(gammaln(1.0 - 1.0 / k))) / p.scale,
    Rayleigh: lambda p: np.sqrt(np.pi / 2.0) / p.scale,
    HalfNormal: lambda p: jnp.full_like(p.scale, jnp.inf),
    Pareto: lambda p: p.concentration / (p.concentration + 1.0) / p.scale,
    Beta: lambda p: _finite_above(1.0, p.alpha, lambda a: (a + p.beta - 1.0) / (a - 1.0)),
}

# log E[X^k], k > 0
POWER: dict[type, Callable[[Any, jax.Array], jax.Array]] = {
    LogNormal: lambda p, k: k * p.loc + 0.5 * (k * p.scale) ** 2,
    Gamma: lambda p, k: gammaln(p.concentration + k) - gammaln(p.concentration) - k * jnp.log(p.rate),
    InverseGamma: lambda p, k: k * jnp.log(p.scale)
    + _finite_above(0.0, p.concentration - k, gammaln)
    - gammaln(p.concentration),
    Weibull: lambda p, k: k * jnp.log(p.scale) + gammaln(1.0 + k / p.concentration),
    Rayleigh: lambda p, k: k * (jnp.log(p.scale) + 0.5 * np.log(2.0)) + gammaln(1.0 + 0.5 * k),
    HalfNormal: lambda p, k: k * (jnp.log(p.scale) + 0.5 * np.log(2.0))
    + gammaln(0.5 + 0.5 * k)
    - 0.5 * np.log(np.pi),
    Pareto: lambda p, k: k * jnp.log(p.scale)
    + _finite_above(0.0, p.concentration - k, lambda d: jnp.log(p.concentration / d)),
    Beta: lambda p, k: gammaln(p.alpha + k) - gammaln(p.alpha) + gammaln(p.alpha + p.beta) - gammaln(p.alpha + p.beta + k),
}  # fmt: skip


def _normal(p: Any, q: Any) -> jax.Array:
    spread = generic.variance(p) + (generic.mean(p) - q.loc) ** 2
    spread = jnp.where(jnp.isfinite(spread), spread, jnp.inf)  # without a mean there is no second moment
    return LOG_SQRT_2PI + jnp.log(q.scale) + 0.5 * spread / q.scale**2


def _log_normal(p: Any, q: Any) -> jax.Array:
    mean, variance = LOGARITHM[type(p)](p)
    return LOG_SQRT_2PI + jnp.log(q.scale) + mean + 0.5 * (variance + (mean - q.loc) ** 2) / q.scale**2


def _gamma(p: Any, q: Any) -> jax.Array:
    log, a = LOGARITHM[type(p)](p)[0], q.concentration
    return gammaln(a) - a * jnp.log(q.rate) - (a - 1.0) * log + q.rate * jnp.exp(POWER[type(p)](p, jnp.ones_like(a)))


def _inverse_gamma(p: Any, q: Any) -> jax.Array:
    log, a = LOGARITHM[type(p)](p)[0], q.concentration
    return gammaln(a) - a * jnp.log(q.scale) + (a + 1.0) * log + q.scale * RECIPROCAL[type(p)](p)


def _inverse_gaussian(p: Any, q: Any) -> jax.Array:
    log = LOGARITHM[type(p)](p)[0]
    mean = jnp.exp(POWER[type(p)](p, jnp.ones_like(q.loc)))
    spread = mean / q.loc**2 - 2.0 / q.loc + RECIPROCAL[type(p)](p)
    return LOG_SQRT_2PI - 0.5 * jnp.log(q.concentration) + 1.5 * log + 0.5 * q.concentration * spread


def _weibull(p: Any, q: Any) -> jax.Array:
    log, k = LOGARITHM[type(p)](p)[0], q.concentration
    power = jnp.exp(POWER[type(p)](p, k) - k * jnp.log(q.scale))
    return k * jnp.log(q.scale) - jnp.log(k) - (k - 1.0) * log + power


def _rayleigh(p: Any, q: Any) -> jax.Array:
    square = jnp.exp(POWER[type(p)](p, jnp.full_like(q.scale, 2.0)) - 2.0 * jnp.log(q.scale))
    return 2.0 * jnp.log(q.scale) - LOGARITHM[type(p)](p)[0] + 0.5 * square


def _half_normal(p: Any, q: Any) -> jax.Array:
    square = jnp.exp(POWER[type(p)](p, jnp.full_like(q.scale, 2.0)) - 2.0 * jnp.log(q.scale))
    return LOG_SQRT_2PI - np.log(2.0) + jnp.log(q.scale) + 0.5 * square


# −E_p[log q]
CROSS: dict[type, Callable[[Any, Any], jax.Array]] = {
    LogNormal: _log_normal,
    Gamma: _gamma,
    InverseGamma: _inverse_gamma,
    InverseGaussian: _inverse_gaussian,
    Weibull: _weibull,
    Rayleigh: _rayleigh,
    HalfNormal: _half_normal,
}
ON_THE_LINE = (Laplace, Logistic, Gumbel, Uniform, Triangular, *LOGARITHM)  # whose mean and variance the normal needs


def _enter(p: type, q: type, cross: Callable[[Any, Any], jax.Array]) -> None:
    kl_of(p, q)(lambda p, q: cross(p, q) - generic.entropy(p))


for _p in LOGARITHM:
    for _q, _cross in CROSS.items():
        if find(_p, _q) is None:
            _enter(_p, _q, _cross)
for _p in ON_THE_LINE:
    _enter(_p, Normal, _normal)


@kl_of(Normal, Laplace)
def normal_to_laplace(p: Any, q: Any) -> jax.Array:
    """By E|X − m| = σ √(2/π) exp(−z²/2) + (μ − m) erf(z/√2), z = (μ − m)/σ."""
    gap = p.loc - q.loc
    z = gap / p.scale
    distance = p.scale * np.sqrt(2.0 / np.pi) * jnp.exp(-0.5 * z * z) + gap * jax.scipy.special.erf(z / np.sqrt(2.0))
    return jnp.log(2.0 * q.scale) + distance / q.scale - generic.entropy(p)
