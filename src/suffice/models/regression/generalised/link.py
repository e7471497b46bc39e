"""Links: how the mean of a target follows from a linear predictor, mu = g⁻¹(eta); NumPy and JAX alike."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from suffice.models.regression.iterated.blockwise import blockwise
from suffice.numerics.moments import namespace
from suffice.numerics.special import log_ndtr, ndtr, ndtri


@dataclass(frozen=True)
class Link:
    """One link.

    Attributes:
        name: of it.
        mean: mu of eta.
        slope: d mu/d eta.
        of: eta of mu.
        logs: log mu and log(1 − mu) of eta, for links whose means are probabilities, without cancellation.
        least: the smallest eta.
    """

    name: str
    mean: Callable[[Any], Any]
    slope: Callable[[Any], Any]
    of: Callable[[Any], Any]
    logs: Callable[[Any], tuple[Any, Any]] | None = None
    least: float = -math.inf

    def __reduce__(self) -> tuple[Callable[[str], "Link"], tuple[str]]:
        """Pickled by its name."""
        return _named, (self.name,)


def _expit(eta: Any) -> Any:
    return 0.5 + 0.5 * namespace(eta).tanh(0.5 * eta)


def _logit_logs(eta: Any) -> tuple[Any, Any]:
    xp = namespace(eta)
    return -xp.logaddexp(0.0, -eta), -xp.logaddexp(0.0, eta)


def _exp(eta: Any) -> Any:
    return namespace(eta).exp(eta)


def _density(eta: Any) -> Any:
    return namespace(eta).exp(-0.5 * eta**2) / math.sqrt(2.0 * math.pi)


_normal_logs = jax.jit(lambda eta: (log_ndtr(eta), log_ndtr(-eta)))
_normal_cdf, _normal_quantile = jax.jit(ndtr), jax.jit(ndtri)


def _cloglog_logs(eta: Any) -> tuple[Any, Any]:
    """log(1 − exp(−e^eta)) and −e^eta."""
    xp = namespace(eta)
    rate = xp.exp(eta)
    small = xp.minimum(rate, 0.7)
    return xp.where(rate < 0.7, xp.log(-xp.expm1(-small)), xp.log1p(-xp.exp(-xp.maximum(rate, 0.7)))), -rate


def _cauchit_logs(eta: Any) -> tuple[Any, Any]:
    xp = namespace(eta)
    upper, lower = (0.5 - xp.arctan2(sign * eta, xp.ones_like(eta)) / math.pi for sign in (-1.0, 1.0))
    far = [xp.arctan2(xp.ones_like(eta), sign * eta) / math.pi for sign in (-1.0, 1.0)]
    return xp.log(xp.where(eta < 0, far[0], upper)), xp.log(xp.where(eta > 0, far[1], lower))


def _log_logs(eta: Any) -> tuple[Any, Any]:
    xp = namespace(eta)
    near = xp.log(-xp.expm1(xp.clip(eta, -0.7, -1e-300)))
    return eta, xp.where(eta < -0.7, xp.log1p(-xp.exp(xp.minimum(eta, -0.7))), xp.where(eta < 0, near, -math.inf))


def _identity_logs(eta: Any) -> tuple[Any, Any]:
    xp = namespace(eta)
    inside = (eta > 0) & (eta < 1)
    p = xp.where(inside, eta, 0.5)
    return xp.where(inside, xp.log(p), -math.inf), xp.where(inside, xp.log1p(-p), -math.inf)


def _safe(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """NumPy's warnings about infinities are not the user's: such means are rejected by their likelihood."""

    def quiet(eta: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(eta)

    return quiet


_LINKS = (
    Link("identity", lambda eta: eta, lambda eta: eta * 0.0 + 1.0, lambda mu: mu, _identity_logs),
    Link("log", _exp, _exp, lambda mu: namespace(mu).log(mu), _log_logs),
    Link("logit", _expit, lambda eta: _expit(eta) * _expit(-eta), lambda mu: namespace(mu).log(mu / (1.0 - mu)), _logit_logs),
    Link("probit", lambda eta: blockwise(_normal_cdf, eta), _density, lambda mu: blockwise(_normal_quantile, mu),
         lambda eta: blockwise(_normal_logs, eta)),
    Link("cloglog", lambda eta: -namespace(eta).expm1(-_exp(eta)), lambda eta: namespace(eta).exp(eta - _exp(eta)),
         lambda mu: namespace(mu).log(-namespace(mu).log1p(-mu)), _cloglog_logs),
    Link("loglog", lambda eta: _exp(-_exp(-eta)), lambda eta: _exp(-eta - _exp(-eta)),
         lambda mu: -namespace(mu).log(-namespace(mu).log(mu)), lambda eta: _cloglog_logs(-eta)[::-1]),
    Link("cauchit", lambda eta: _exp(_cauchit_logs(eta)[0]), lambda eta: 1.0 / (math.pi * (1.0 + eta**2)),
         lambda mu: namespace(mu).tan(math.pi * (mu - 0.5)), _cauchit_logs),
    Link("inverse", lambda eta: 1.0 / eta, lambda eta: -1.0 / eta**2, lambda mu: 1.0 / mu, least=0.0),
    Link("inverse_square", lambda eta: 1.0 / namespace(eta).sqrt(eta), lambda eta: -0.5 * eta**-1.5, lambda mu: mu**-2.0, least=0.0),
    Link("sqrt", lambda eta: eta**2, lambda eta: 2.0 * eta, lambda mu: namespace(mu).sqrt(mu), least=0.0),
)  # fmt: skip

LINKS: dict[str, Link] = {
    link.name: replace(
        link, mean=_safe(link.mean), slope=_safe(link.slope), of=_safe(link.of),
        logs=None if link.logs is None else _safe(link.logs),
    )
    for link in _LINKS
}  # fmt: skip


def _named(name: str) -> Link:
    return LINKS[name]
