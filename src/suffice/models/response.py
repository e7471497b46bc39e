"""How the mean of a target follows from a linear predictor: one entry for each family of generalised linear models."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from suffice.distributions.bernoulli import Bernoulli
from suffice.distributions.distribution import Distribution
from suffice.distributions.family import as_family
from suffice.distributions.gamma import Exponential, Gamma
from suffice.distributions.inverse_gaussian import InverseGaussian
from suffice.distributions.negative_binomial import NegativeBinomial
from suffice.distributions.normal import Normal
from suffice.distributions.poisson import Poisson


@dataclass(frozen=True)
class Response:
    """A family of targets with mean mu = g⁻¹(eta).

    Attributes:
        link: its name.
        mean: mu of eta; NumPy and JAX alike.
        slope: d mu/d eta.
        variance: of a target over the dispersion, of mu.
        start: eta near a target and the mean of all.
        deviance: twice the log-likelihood that a target loses to the best mean for it alone, of (t, eta).
        recedes: whether the likelihood of a target never falls as eta moves along a slope, of (t, slope, tolerance).
        law: the distribution, of mu and the dispersion.
        allowed: targets, and how these are told.
        dispersed: whether the dispersion is estimated.
    """

    link: str
    mean: Callable[[Any], Any]
    slope: Callable[[Any], Any]
    variance: Callable[[Any], Any]
    start: Callable[[Any, float], Any]
    deviance: Callable[[Any, Any], Any]
    recedes: Callable[[Any, Any, float], Any]
    law: Callable[[Any, Any], Distribution]
    allowed: tuple[Callable[[Any], Any], str]
    dispersed: bool = False


def _xlog(t: Any, ratio: Any) -> Any:
    """t log ratio, 0 at t = 0."""
    return np.where(t > 0, t * np.log(np.where(t > 0, ratio, 1.0)), 0.0)


def _logistic(eta: Any) -> Any:
    return 0.5 + 0.5 * (np if isinstance(eta, np.ndarray) else jnp).tanh(0.5 * eta)


def _exp(eta: Any) -> Any:
    return (np if isinstance(eta, np.ndarray) else jnp).exp(eta)


def _logit(p: Any) -> Any:
    return np.log(p) - np.log1p(-p)


def _never(t: Any, slope: Any, tolerance: float) -> Any:
    return np.abs(slope) <= tolerance


def _zero_falls(t: Any, slope: Any, tolerance: float) -> Any:
    """Counts of 0 are the more probable the smaller the mean; others have a best mean."""
    return np.where(t > 0, np.abs(slope), slope) <= tolerance


def _logged(t: Any, mean: float) -> Any:
    return np.log(0.5 * (t + mean) + 1e-3 * mean)


_POSITIVE = (lambda t: t > 0, "> 0")
_COUNTS = (lambda t: (t >= 0) & (t == np.floor(t)), "whole numbers >= 0")

BERNOULLI = Response(
    "logit", _logistic, lambda eta: _logistic(eta) * _logistic(-eta), lambda mu: mu * (1.0 - mu),
    lambda t, m: _logit(0.25 + 0.5 * t),
    lambda t, eta: 2.0 * (np.logaddexp(0.0, eta) - t * eta + _xlog(t, t) + _xlog(1.0 - t, 1.0 - t)),
    lambda t, s, tol: np.where((t > 0) & (t < 1), np.abs(s), np.where(t > 0, -s, s)) <= tol,
    lambda mu, _: Bernoulli.from_probs(mu), (lambda t: (t >= 0) & (t <= 1), "between 0 and 1"),
)  # fmt: skip
POISSON = Response(
    "log", _exp, _exp, lambda mu: mu, _logged,
    lambda t, eta: 2.0 * (_xlog(t, t) - t * eta - t + np.exp(eta)), _zero_falls,
    lambda mu, _: Poisson(mu), _COUNTS,
)  # fmt: skip
GAMMA = Response(
    "log", _exp, _exp, lambda mu: mu**2, lambda t, m: np.log(t),
    lambda t, eta: 2.0 * (t * np.exp(-eta) - 1.0 - np.log(t) + eta), _never,
    lambda mu, phi: Gamma(jnp.ones_like(mu) / phi, jnp.ones_like(mu) / (phi * mu)), _POSITIVE, True,
)  # fmt: skip
EXPONENTIAL = Response(
    "log", _exp, _exp, lambda mu: mu**2, lambda t, m: np.log(t),
    GAMMA.deviance, _never, lambda mu, _: Exponential(1.0 / mu), _POSITIVE,
)  # fmt: skip
INVERSE_GAUSSIAN = Response(
    "log", _exp, _exp, lambda mu: mu**3, lambda t, m: np.log(t),
    lambda t, eta: (t * np.exp(-eta) - 1.0) ** 2 / t, _never,
    lambda mu, phi: InverseGaussian(mu, jnp.ones_like(mu) / phi), _POSITIVE, True,
)  # fmt: skip
NORMAL = Response(
    "identity", lambda eta: eta, lambda eta: eta * 0.0 + 1.0, lambda mu: mu * 0.0 + 1.0, lambda t, m: t,
    lambda t, eta: (t - eta) ** 2, _never,
    lambda mu, phi: Normal(mu, jnp.sqrt(phi) * jnp.ones_like(mu)), (np.isfinite, "finite"), True,
)  # fmt: skip


def _negative_binomial(k: float) -> Response:
    return Response(
        "log", _exp, _exp, lambda mu: mu + mu**2 / k, _logged,
        lambda t, eta: 2.0 * (_xlog(t, t) - t * eta - (t + k) * (np.log(t + k) - np.logaddexp(eta, math.log(k)))),
        _zero_falls, lambda mu, _: NegativeBinomial(mu, jnp.full_like(mu, k)), _COUNTS,
    )  # fmt: skip


RESPONSES: dict[type[Distribution], Response] = {
    Bernoulli: BERNOULLI, Poisson: POISSON, Gamma: GAMMA, Exponential: EXPONENTIAL, InverseGaussian: INVERSE_GAUSSIAN,
    Normal: NORMAL,
}  # fmt: skip


def response_of(target: Any) -> Response:
    """The entry of a family; of the negative binomial one whose concentration is held.

    Raises:
        ValueError: there is none.
    """
    family = as_family(target)
    if family.kind is NegativeBinomial:
        held = {path[-1] for path in family.free}
        if "concentration" in held:
            raise ValueError(
                "NegativeBinomial needs its concentration: sf.family(sf.NegativeBinomial, concentration=2.0)"
            )
        return _negative_binomial(float(family.member.concentration))
    if family.kind not in RESPONSES:
        known = ", ".join(kind.__name__ for kind in (*RESPONSES, NegativeBinomial))
        raise ValueError(f"family must be one of {known}, got {family.name}")
    return RESPONSES[family.kind]
