"""Families of generalised linear models: variance, deviance and law of targets, each with the links it may have."""

import functools
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
from suffice.models.regression.generalised.link import LINKS, Link


@dataclass(frozen=True)
class Response:
    """A family of targets with a mean mu.

    Attributes:
        links: those it may have, the first by default.
        scaled: a difference of means over the root of the variance at mu, that over the dispersion.
        start: a mean near a target and the mean of all.
        deviance: twice the log-likelihood that a target loses to the best mean for it alone, of (t, mu).
        law: the distribution, of mu and the dispersion.
        allowed: targets, and how these are told.
        dispersed: whether the dispersion is estimated.
        falls: links under which the likelihood of a target of 0 only grows as its mean falls.
    """

    links: tuple[str, ...]
    scaled: Callable[[Any, Any], Any]
    start: Callable[[Any, float], Any]
    deviance: Callable[[Any, Any], Any]
    law: Callable[[Any, Any], Distribution]
    allowed: tuple[Callable[[Any], Any], str]
    dispersed: bool = False
    falls: tuple[str, ...] = ()
    held: float | None = None  # the negative binomial's concentration

    def __reduce__(self) -> tuple[Callable[..., "Response"], tuple[Any]]:
        """Pickled by the family, or by what it holds."""
        if self.held is not None:
            return _negative_binomial, (self.held,)
        return _of_family, (next(kind for kind, response in RESPONSES.items() if response is self),)

    def recedes(self, link: Link, t: Any, slope: Any, tolerance: float) -> Any:
        """Whether the likelihood of a target never falls as eta moves along a slope."""
        if self is BERNOULLI and link.name in ALWAYS:
            part = np.where(t > 0, -slope, slope)
            return np.where((t > 0) & (t < 1), np.abs(slope), part) <= tolerance
        return np.where((t > 0) | (link.name not in self.falls), np.abs(slope), slope) <= tolerance

    def lost(self, link: Link, t: Any, eta: Any) -> Any:
        """The deviance of targets at eta, infinite where the mean is none."""
        with np.errstate(all="ignore"):
            if self is BERNOULLI:
                assert link.logs is not None
                log_mu, log_rest = link.logs(eta)
                best = _xlog(t, t) + _xlog(1.0 - t, 1.0 - t)
                d = 2.0 * (best - np.where(t > 0, t * log_mu, 0.0) - np.where(t < 1, (1.0 - t) * log_rest, 0.0))
            else:
                d = self.deviance(t, link.mean(eta))
        return np.where(np.isnan(d), np.inf, d)

    def height(self, link: Link, eta: Any, mu: Any, slope: Any) -> Any:
        """Fisher information of eta, slope²/variance."""
        if self is BERNOULLI:
            assert link.logs is not None
            log_mu, log_rest = link.logs(eta)
            with np.errstate(all="ignore"):
                return np.exp(2.0 * np.log(np.abs(slope)) - log_mu - log_rest)
        with np.errstate(all="ignore"):
            return self.scaled(slope, np.maximum(mu, 1e-300)) ** 2


ALWAYS = ("logit", "probit", "cloglog", "loglog", "cauchit")  # links that reach every probability


def _xlog(t: Any, ratio: Any) -> Any:
    """t log ratio, 0 at t = 0."""
    return np.where(t > 0, t * np.log(np.where(t > 0, ratio, 1.0)), 0.0)


def _counted(t: Any, mean: float) -> Any:
    return 0.5 * (t + mean) + 1e-3 * mean


_POSITIVE = (lambda t: t > 0, "> 0")
_COUNTS = (lambda t: (t >= 0) & (t == np.floor(t)), "whole numbers >= 0")
_MEANS = ("log", "identity", "inverse", "inverse_square", "sqrt")


def _positive(deviance: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Infinite where a mean is not above 0; means of 0 by underflow are rejected by targets that are not 0."""
    return lambda t, mu: np.where(mu >= 0, deviance(t, np.maximum(mu, 1e-300)), np.inf)


BERNOULLI = Response(
    (*ALWAYS, "log", "identity"), lambda d, mu: d / np.sqrt(mu * (1.0 - mu)), lambda t, m: 0.25 + 0.5 * t, lambda t, mu: mu,
    lambda mu, _: Bernoulli.from_probs(mu), (lambda t: (t >= 0) & (t <= 1), "between 0 and 1"), falls=("log",),
)  # fmt: skip
POISSON = Response(
    _MEANS, lambda d, mu: d / np.sqrt(mu), _counted, _positive(lambda t, mu: 2.0 * (_xlog(t, t / mu) - t + mu)),
    lambda mu, _: Poisson(mu), _COUNTS, falls=("log",),
)  # fmt: skip
GAMMA = Response(
    _MEANS, lambda d, mu: d / mu, lambda t, m: t, _positive(lambda t, mu: 2.0 * (t / mu - 1.0 - np.log(t / mu))),
    lambda mu, phi: Gamma(jnp.ones_like(mu) / phi, jnp.ones_like(mu) / (phi * mu)), _POSITIVE, True,
)  # fmt: skip
EXPONENTIAL = Response(
    _MEANS, lambda d, mu: d / mu, lambda t, m: t, GAMMA.deviance, lambda mu, _: Exponential(1.0 / mu), _POSITIVE
)
INVERSE_GAUSSIAN = Response(
    _MEANS, lambda d, mu: d / mu / np.sqrt(mu), lambda t, m: t, _positive(lambda t, mu: (t / mu - 1.0) ** 2 / t),
    lambda mu, phi: InverseGaussian(mu, jnp.ones_like(mu) / phi), _POSITIVE, True,
)  # fmt: skip
NORMAL = Response(
    ("identity", "log", "inverse", "sqrt"), lambda d, mu: d, lambda t, m: t, lambda t, mu: (t - mu) ** 2,
    lambda mu, phi: Normal(mu, jnp.sqrt(phi) * jnp.ones_like(mu)), (np.isfinite, "finite"), True,
)  # fmt: skip


@functools.lru_cache
def _negative_binomial(k: float) -> Response:
    return Response(
        _MEANS, lambda d, mu: d / np.sqrt(mu) / np.sqrt(1.0 + mu / k), _counted,
        _positive(lambda t, mu: 2.0 * (_xlog(t, t / mu) - (t + k) * np.log((t + k) / (mu + k)))),
        lambda mu, _: NegativeBinomial(mu, jnp.full_like(mu, k)), _COUNTS, falls=("log",), held=k,
    )  # fmt: skip


RESPONSES: dict[type[Distribution], Response] = {
    Bernoulli: BERNOULLI, Poisson: POISSON, Gamma: GAMMA, Exponential: EXPONENTIAL, InverseGaussian: INVERSE_GAUSSIAN,
    Normal: NORMAL,
}  # fmt: skip


def _of_family(kind: type[Distribution]) -> Response:
    return RESPONSES[kind]


def response_of(target: Any, link: str | None = None) -> tuple[Response, Link]:
    """The entry of a family, of the negative binomial one whose concentration is held, and its link.

    Raises:
        ValueError: there is none, or the family does not have that link.
    """
    family = as_family(target)
    if family.kind is NegativeBinomial:
        held = {path[-1] for path in family.free}
        if "concentration" in held:
            raise ValueError(
                "NegativeBinomial needs its concentration: sf.family(sf.NegativeBinomial, concentration=2.0)"
            )
        response = _negative_binomial(float(family.member.concentration))
    elif family.kind in RESPONSES:
        response = RESPONSES[family.kind]
    else:
        known = ", ".join(kind.__name__ for kind in (*RESPONSES, NegativeBinomial))
        raise ValueError(f"family must be one of {known}, got {family.name}")
    if link is not None and link not in response.links:
        raise ValueError(f"link of {family.name} must be one of {', '.join(response.links)}, got {link!r}")
    return response, LINKS[link or response.links[0]]
