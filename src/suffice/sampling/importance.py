"""Importance sampling: draws of one law, weighted so as to stand for another."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.estimate import MONTE_CARLO, Estimate
from suffice.numerics.pareto import mean_error, reliable_shape, smoothed_ratios
from suffice.numerics.variates import gamma, normal
from suffice.runtime.rng import RNG, as_key
from suffice.sampling.rejection import LogDensity, Proposal, carried
from suffice.sampling.resample import resample

_ENOUGH = 50  # weights are flattened to an effective sample size of n over this while a mixture adapts


@dataclass(frozen=True)
class Importance:
    """Weighted draws.

    Attributes:
        draws: (n, …), of the proposal.
        log_ratios: log p~ − log q, (n,).
        log_weights: normalised, the largest Pareto-smoothed, (n,).
        log_normaliser: log ∫ exp(log_density), the log of the mean of the smoothed ratios, with its error.
        pareto_k: shape of the tail of the ratios: above 1 − 1/log₁₀ n, or 0.7, nothing here is to be trusted.
        proposal: from which they were drawn.
    """

    draws: np.ndarray
    log_ratios: np.ndarray
    log_weights: np.ndarray
    log_normaliser: Estimate
    pareto_k: float
    proposal: Any

    @property
    def ess(self) -> float:
        """Effective sample size, 1/Σ w²: as many independent draws of p would estimate as well."""
        return float(1.0 / np.square(np.exp(self.log_weights)).sum())

    @property
    def reliable(self) -> bool:
        return bool(self.pareto_k <= reliable_shape(len(self.log_ratios)))

    def expectation(self, f: Callable[[Any], Any]) -> Estimate:
        """E_p[f] ≈ Σ w_i f(x_i), with the error √(Σ w_i² (f(x_i) − E)²); f of one draw, in JAX.

        Where w (f − E) has a heavy tail, the error is that of a Pareto law fitted to it, if that is larger. The Pareto k is
        the largest of those of the ratios and of w (f − E), upwards and downwards: a function that grows asks for more than
        weights that can be trusted. Source: Vehtari and others (2024), section 3.4; Johansson (2003) for the error.
        """
        values = np.asarray(jax.vmap(f)(jnp.asarray(self.draws)), float)
        columns = np.where(self.log_ratios[:, None] > -np.inf, values.reshape(len(values), -1), 0.0)
        if not np.all(np.isfinite(columns)):
            at = int(np.argmin(np.isfinite(columns).all(1)))
            raise ValueError(f"f must be finite where the density is positive, got {values[at]} at {self.draws[at]}")
        weights = np.exp(self.log_weights)
        mean = weights @ columns
        away = columns - mean
        ratios = np.exp(self.log_ratios - self.log_normaliser.value)
        errors, shapes = zip(*(mean_error(ratios * column) for column in away.T), strict=True)
        error = np.maximum(np.sqrt(np.square(weights[:, None] * away).sum(0)), errors)
        shape = values.shape[1:]
        number = (mean.reshape(shape), error.reshape(shape)) if shape else (float(mean[0]), float(error[0]))
        return Estimate(*number, MONTE_CARLO, max(self.pareto_k, *shapes))

    def resample(self, n: int, *, rng: RNG, scheme: str = "systematic") -> np.ndarray:
        """Draws of equal weight, about those of p: sampling-importance-resampling. Schemes: see ``sf.resample``."""
        return self.draws[np.asarray(resample(self.log_weights, n, rng=rng, scheme=scheme))]

    def __repr__(self) -> str:
        doubt = "" if self.reliable else "; not to be trusted: the proposal's tails are too light, or it lies elsewhere"
        return f"Importance({len(self.draws)} draws, ess={self.ess:.0f}, pareto_k={self.pareto_k:.2g}{doubt})"


def importance(
    log_density: LogDensity, proposal: Proposal, n: int = 10_000, *, rng: RNG, smooth: bool = True
) -> Importance:
    """Self-normalised importance sampling of p ∝ exp(log_density) from n draws of q: weights ∝ p~/q.

    Args:
        log_density: logarithm of p~ at one point of the shape of one draw, in JAX; −∞ is allowed.
        proposal: q, with ``sample`` and ``log_prob``; it must not have lighter tails than p.
        n: draws.
        smooth: replace the largest weights by the quantiles of the generalised Pareto law fitted to them, scaled to that
            law's mean where its shape is between ½ and 0.7.

    Returns:
        An ``Importance``: ``expectation(f)``, ``log_normaliser``, ``resample``, ``ess``, ``pareto_k``.

    Raises:
        ValueError: n below 25, a ratio that is NaN or +∞, or none above −∞.

    Source: Bishop, section 11.1.4; Vehtari, Simpson, Gelman, Yao and Gabry (2024).

    Example:
        >>> import suffice as sf
        >>> found = sf.importance(lambda x: -0.25 * x**4, sf.Normal(), rng=0)
        >>> round(float(found.expectation(lambda x: x**2)), 1), found.reliable  # 2 Γ(3/4)/Γ(1/4) = 0.68
        (0.7, True)
    """
    if not isinstance(n, int | np.integer) or n < 25:
        raise ValueError(f"n must be an integer of at least 25, got {n}")
    draws, log_ratios = (np.asarray(v) for v in _weighted(as_key(rng), carried(proposal), log_density, n))
    return _weigh(draws, log_ratios, proposal, smooth)


@functools.partial(jax.jit, static_argnums=(2, 3))
def _weighted(key: jax.Array, proposal: Any, log_density: LogDensity, n: int) -> tuple[jax.Array, jax.Array]:
    x = proposal.sample((n,), rng=key)
    return x, jax.vmap(log_density)(x) - proposal.log_prob(x)


def _weigh(draws: np.ndarray, log_ratios: np.ndarray, proposal: Any, smooth: bool = True) -> Importance:
    bad = np.isnan(log_ratios) | (log_ratios == np.inf)
    if bad.any():
        at = int(np.argmax(bad))
        raise ValueError(f"log_density − log q must be below infinity, got {log_ratios[at]:g} at {draws[at]}")
    if log_ratios.max() == -np.inf:
        raise ValueError(f"log_density is −inf at all of {len(draws)} draws of the proposal")
    log_z = log_mean_ratio(log_ratios, smooth)
    with np.errstate(divide="ignore"):
        smoothed = smoothed_ratios(log_ratios, whole=True)[0] if smooth else log_ratios
    return Importance(draws, log_ratios, smoothed - np.logaddexp.reduce(smoothed), log_z, log_z.pareto_k, proposal)


def log_mean_ratio(log_ratios: np.ndarray, smooth: bool = True) -> Estimate:
    """log mean of independent ratios, Pareto-smoothed, with its error, relative to the mean, and the shape of their tail."""
    with np.errstate(divide="ignore"):
        smoothed, k = smoothed_ratios(log_ratios, whole=True)
        value = np.logaddexp.reduce(smoothed if smooth else log_ratios) - math.log(len(log_ratios))
    error = mean_error(np.expm1(log_ratios - value))[0]
    return Estimate(float(value), error, MONTE_CARLO, float(k))


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class StudentMixture:
    """A mixture of multivariate Student t laws with common degrees of freedom: a proposal with heavy tails.

    Attributes:
        log_shares: (K,).
        locs: (K, d).
        roots: lower triangular factors of the scale matrices, (K, d, d).
        df: degrees of freedom.
    """

    log_shares: jax.Array
    locs: jax.Array
    roots: jax.Array
    df: jax.Array

    def sample(self, shape: tuple[int, ...], *, rng: RNG) -> jax.Array:
        one, two, three = jax.random.split(as_key(rng), 3)
        which = jax.random.categorical(one, self.log_shares, shape=shape)
        d = self.locs.shape[1]
        z = jnp.einsum("...ij,...j->...i", self.roots[which], normal(two, (*shape, d)))
        chi = 2.0 * gamma(three, self.df / 2.0, shape)
        return self.locs[which] + z * jnp.sqrt(self.df / chi)[..., None]

    def log_prob(self, x: jax.Array) -> jax.Array:
        return jax.nn.logsumexp(self.parts(x)[0], axis=-1)

    def parts(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """(log share times density of each component, squared distance from it), (…, K)."""
        d, df = self.locs.shape[1], self.df
        away = x[..., None, :] - self.locs.reshape((1,) * (x.ndim - 1) + self.locs.shape)
        roots = jnp.broadcast_to(self.roots, (*away.shape[:-1], d, d))
        z = jax.scipy.linalg.solve_triangular(roots, away[..., None], lower=True)[..., 0]
        square = (z**2).sum(-1)
        size = jnp.log(jnp.diagonal(self.roots, axis1=-2, axis2=-1)).sum(-1)
        constant = jax.lax.lgamma((df + d) / 2.0) - jax.lax.lgamma(df / 2.0) - 0.5 * d * jnp.log(df * jnp.pi)
        ahead = (1,) * (x.ndim - 1) + (-1,)
        log_density = constant - size.reshape(ahead) - 0.5 * (df + d) * jnp.log1p(square / df)
        return log_density + self.log_shares.reshape(ahead), square


def adaptive_importance(
    log_density: LogDensity,
    loc: Any,
    scale: Any = 1.0,
    *,
    components: int = 4,
    rounds: int = 10,
    n: int = 10_000,
    df: float = 5.0,
    rng: RNG,
) -> Importance:
    """Importance sampling from a mixture of t laws that is fitted to p while it goes: population Monte Carlo.

    Each round draws n points, weighs them, and takes one step of EM of the mixture on the weighted points, which lowers
    KL(p, q); weights of which few have all are flattened first. The draws that are returned are fresh ones of the last mixture.

    Args:
        log_density: logarithm of p~ of a vector (d,), in JAX.
        loc: where to begin, (d,).
        scale: how far p may be from there, a number or (d,): the first components lie about ``loc`` at this distance.
        components: of the mixture; those that lose all weight are kept out of the draws.
        rounds: of adaptation.
        n: draws a round, and in the end.
        df: degrees of freedom of the components.

    Returns:
        An ``Importance`` whose ``proposal`` is the mixture.

    Source: Cappé, Douc, Guillin, Marin and Robert (2008), section 5.

    Example:
        >>> import jax.numpy as jnp, suffice as sf
        >>> two = lambda x: jnp.logaddexp(-0.5 * jnp.sum((x - 3) ** 2), -0.5 * jnp.sum((x + 3) ** 2))
        >>> found = sf.adaptive_importance(two, [0.0, 0.0], 5.0, rng=0)
        >>> found.reliable, found.ess > 5000
        (True, True)
    """
    loc = np.atleast_1d(np.asarray(loc, float))
    if loc.ndim != 1:
        raise ValueError(f"loc must be a vector, got shape {loc.shape}")
    spread = np.broadcast_to(np.asarray(scale, float), loc.shape)
    if not np.all(spread > 0):
        raise ValueError(f"scale must be > 0, got {scale}")
    if components < 1 or rounds < 0:
        raise ValueError(f"components must be at least 1 and rounds at least 0, got {components} and {rounds}")
    key, place = jax.random.split(as_key(rng))
    d = len(loc)
    locs = loc + spread * np.asarray(normal(place, (components, d)))
    roots = np.broadcast_to(np.diag(spread), (components, d, d))
    mixture = StudentMixture(
        jnp.full(components, -math.log(components)), jnp.asarray(locs), jnp.asarray(roots), jnp.asarray(float(df))
    )
    for i in range(rounds):
        draws, log_ratios = _weighted(jax.random.fold_in(key, i), mixture, log_density, n)
        found = _weigh(np.asarray(draws), np.asarray(log_ratios), mixture)
        mixture = _improved(mixture, draws, jnp.asarray(_flattened(found.log_weights, n / _ENOUGH)))
    draws, log_ratios = _weighted(jax.random.fold_in(key, rounds), mixture, log_density, n)
    return _weigh(np.asarray(draws), np.asarray(log_ratios), mixture)


def _flattened(log_weights: np.ndarray, least: float) -> np.ndarray:
    """The largest power of the weights, at most 1, with an effective sample size of ``least``."""

    def power(t: float) -> np.ndarray:
        logs = np.where(log_weights > -np.inf, t * np.maximum(log_weights, -1e300), -np.inf)
        return logs - np.logaddexp.reduce(logs)

    low, high = 0.0, 1.0
    if 1.0 / np.square(np.exp(power(1.0))).sum() >= least:
        return log_weights
    for _ in range(30):
        middle = 0.5 * (low + high)
        enough = 1.0 / np.square(np.exp(power(middle))).sum() >= least
        low, high = (middle, high) if enough else (low, middle)
    return power(low)


@jax.jit
def _improved(mixture: StudentMixture, x: jax.Array, log_weights: jax.Array) -> StudentMixture:
    """One step of EM on weighted points; a component without points stays what it is, and half as likely."""
    d, df = x.shape[1], mixture.df
    logs, square = mixture.parts(x)
    share = jnp.exp(jax.nn.log_softmax(logs, axis=-1) + log_weights[:, None])  # (n, K)
    precision = share * (df + d) / (df + square)
    mass, total = share.sum(0), precision.sum(0)
    enough = mass * jnp.exp(-jax.nn.logsumexp(2.0 * log_weights)) > 5.0 * (d + 1)  # in effective draws
    locs = (precision.T @ x) / jnp.where(total > 0, total, 1.0)[:, None]
    away = x[:, None, :] - locs[None]
    scatter = jnp.einsum("nk,nki,nkj->kij", precision, away, away) / jnp.where(mass > 0, mass, 1.0)[:, None, None]
    old = mixture.roots @ mixture.roots.swapaxes(-1, -2)
    scatter = jnp.where(enough[:, None, None], scatter, old)
    shares = jnp.where(enough, mass, 0.5 * jnp.exp(mixture.log_shares))
    roots = jnp.linalg.cholesky(
        scatter + 1e-12 * jnp.trace(scatter, axis1=-2, axis2=-1)[:, None, None] * jnp.eye(d)[None]
    )
    locs = jnp.where(enough[:, None], locs, mixture.locs)
    return StudentMixture(jnp.log(shares / shares.sum()), locs, roots, df)
