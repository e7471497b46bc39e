"""Centres with everything else known: normal, log-normal, multivariate normal, and directions on circle and sphere."""

# pyright: reportArgumentType=false
# numbers are parameters, too

from typing import Any

import jax
import jax.numpy as jnp

from suffice.distributions.affine import Affine
from suffice.distributions.multivariate_normal import MultivariateNormal
from suffice.distributions.normal import LOG_SQRT_2PI, LogNormal, Normal
from suffice.distributions.statistics import Sufficient
from suffice.distributions.von_mises import VonMises
from suffice.distributions.von_mises_fisher import VonMisesFisher
from suffice.inference.conjugate.pair import Pair, apart, highest, unchecked
from suffice.numerics import linalg
from suffice.numerics.special.von_mises import log_von_mises


def _normal(before: Any, p: Any, s: Sufficient) -> Any:
    """Precisions add, and the centre moves from the prior's towards the data by their share of the precision."""
    noise = p.scale**2 / s.count
    known = (1.0 / before.scale) ** 2
    precision = known + 1.0 / noise
    share = 1.0 / (1.0 + known * noise)
    return before._replaced({"loc": before.loc + share * apart(s, before.loc), "scale": 1.0 / jnp.sqrt(precision)})


def _normal_evidence(before: Any, after: Any, p: Any, s: Sufficient) -> jax.Array:
    """The sample mean is normal around the prior's centre, and the deviations from it do not depend on the centre."""
    noise, known = p.scale**2 / s.count, before.scale**2
    fit = s.gap / noise + jnp.log(1.0 + known / noise) + apart(s, before.loc) ** 2 / (known + noise)
    return s.count * (s.log_base - jnp.log(p.scale) - LOG_SQRT_2PI) - 0.5 * fit


def _flat(p: Any) -> Any:
    return unchecked(Normal, loc=0.0, scale=jnp.inf)


def _wider(q: Any, p: Any) -> Normal:
    return Normal(q.loc, jnp.hypot(q.scale, p.scale))


def _log_wider(q: Any, p: Any) -> LogNormal:
    return LogNormal(q.loc, jnp.hypot(q.scale, p.scale))


def _vector(before: Any, p: Any, s: Sufficient) -> Any:
    """The same of vectors: with P and Q the precisions of prior and data, loc + (P + Q)⁻¹ Q (x̄ − loc)."""
    known, given = (linalg.inverse(q.scale_tril) for q in (before, p))
    of_data = s.count * given.T @ given
    factor = linalg.factor_of_inverse(known.T @ known + of_data)
    towards = of_data @ apart(s, before.loc)
    return before._replaced({"loc": before.loc + factor @ (factor.T @ towards), "scale_tril": factor})


def _flat_vector(p: Any) -> Any:
    d = p.loc.shape[-1]
    return unchecked(MultivariateNormal, loc=jnp.zeros(d), scale_tril=linalg.diagonal(jnp.full(d, jnp.inf)))


def _of_coordinates(q: Any, p: Any) -> dict[str, Any]:
    spread = jnp.linalg.norm(q.scale_tril, axis=-1)
    return {f"loc[{i}]": Normal(q.loc[i], spread[i]) for i in range(q.loc.shape[-1])}


def _angle(before: Any, p: Any, s: Sufficient) -> Any:
    """Resultants add: of the prior and of the sample, each times its concentration."""
    total = before.concentration * before._statistic(before.loc) + s.count * p.concentration * s.mean
    return before._replaced({"loc": jnp.arctan2(total[1], total[0]), "concentration": jnp.hypot(*total)})


def _angle_evidence(before: Any, after: Any, p: Any, s: Sufficient) -> jax.Array:
    """At the posterior's mode, where nothing large cancels; a prior of concentration 0 is uniform and proper."""
    likelihood = s.count * p._replaced({"loc": after.loc})._mean_log_prob(s)
    prior = log_von_mises(before.concentration, after.loc - before.loc)
    return likelihood + prior - log_von_mises(after.concentration, jnp.zeros_like(after.loc))


def _direction(before: Any, p: Any, s: Sufficient) -> Any:
    total = before.concentration * before.direction + s.count * p.concentration * s.mean
    length = jnp.linalg.norm(total)
    return before._replaced({"direction": total / length, "concentration": length})


def _around_its_direction(q: Any, p: Any) -> dict[str, Any]:
    """The angle on the circle cut opposite to its mean direction, so that mean and interval do not depend on where 0 is."""
    return {"loc": Affine(VonMises(0.0, q.concentration), q.loc, 1.0)}


def _uniform_angle(p: Any) -> Any:
    return unchecked(VonMises, loc=0.0, concentration=0.0)


def _uniform_direction(p: Any) -> Any:
    d = p.direction.shape[-1]
    return VonMisesFisher((jnp.arange(d) == 0).astype(float), jnp.asarray(0.0))


PAIRS = [
    Pair(Normal, Normal, ("loc",), "loc", _normal, lambda theta, p: {"loc": theta}, _wider,
         dict.fromkeys(("jeffreys", "reference", "flat"), _flat), evidence_of=_normal_evidence),
    Pair(Normal, LogNormal, ("loc",), "loc", _normal, lambda theta, p: {"loc": theta}, _log_wider,
         dict.fromkeys(("jeffreys", "reference", "flat"), _flat), evidence_of=_normal_evidence),
    Pair(MultivariateNormal, MultivariateNormal, ("loc",), "loc", _vector, lambda theta, p: {"loc": theta},
         lambda q, p: MultivariateNormal.from_cholesky(
             q.loc, linalg.triangular_of(jnp.concatenate([q.scale_tril, p.scale_tril], axis=-1))),
         dict.fromkeys(("jeffreys", "reference", "flat"), _flat_vector), marginals=_of_coordinates,
         sized=lambda q: q.loc.shape[-1]),
    Pair(VonMises, VonMises, ("loc",), "loc", _angle, lambda theta, p: {"loc": theta}, point=highest,
         improper=dict.fromkeys(("jeffreys", "reference", "uniform"), _uniform_angle), marginals=_around_its_direction,
         evidence_of=_angle_evidence, proper=lambda q: jnp.isfinite(q.loc) & (q.concentration >= 0.0)),
    Pair(VonMisesFisher, VonMisesFisher, ("direction",), "direction", _direction,
         lambda theta, p: {"direction": theta}, point=highest,
         improper=dict.fromkeys(("jeffreys", "uniform"), _uniform_direction),
         sized=lambda q: q.direction.shape[-1]),
]  # fmt: skip
