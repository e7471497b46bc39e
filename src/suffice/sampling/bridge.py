"""Bridge sampling: the ratio of two normalisers from draws of both laws."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.estimate import MONTE_CARLO, Estimate
from suffice.runtime.rng import RNG, as_key
from suffice.sampling.diagnostics import autocorrelation_time
from suffice.sampling.importance import StudentMixture
from suffice.sampling.rejection import LogDensity, Proposal, carried

_MOST_STEPS = 1000


def bridge_sampling(
    log_density: LogDensity, draws: Any, proposal: Proposal | None = None, *, n: int | None = None, rng: RNG
) -> Estimate:
    """log Z of p~ = exp(log_density) from draws of p and n draws of a normalised q, by Meng and Wong's optimal bridge.

    r solves Σ_q p~/(s₁p~ + s₂ r q) / n₂ = r Σ_p q/(s₁p~ + s₂ r q) / n₁, s₁ and s₂ the shares of effective draws. Its
    relative squared error is var_q(f₁)/(n₂ E²) + τ var_p(f₂)/(n₁ E²), with τ the autocorrelation time of f₂.

    Args:
        log_density: logarithm of p~ at one point of the shape of one draw, in JAX.
        draws: of p: (chains, draws, …) of correlated ones, as chains give them; the shape of one draw follows from
            ``proposal``. Without proposal (chains, draws, d).
        proposal: q; by default a t law of 5 degrees of freedom with the mean and covariance of the first half of the
            draws, of which the second half is used then.
        n: draws of q; as many as of p by default.

    Returns:
        An ``Estimate`` of log Z.

    Raises:
        ValueError: draws of other shapes, too few of them, or where the density is not positive and finite; p and q do
            not overlap, so that the iteration does not converge.

    Source: Meng and Wong (1996); Frühwirth-Schnatter (2004), section 3 for the error; Gronau and others (2017).

    Example:
        >>> import numpy as np, suffice as sf
        >>> x = np.random.default_rng(0).normal(size=(4, 1000, 2))
        >>> log_z = sf.bridge_sampling(lambda x: -0.5 * (x**2).sum(), x, rng=0)  # log 2π = 1.838
        >>> abs(log_z.value - 1.838) < 0.05, log_z.standard_error < 0.02
        (True, True)
    """
    x = np.asarray(draws, float)
    if x.ndim < 2 or x.shape[1] < 8:
        raise ValueError(f"draws must have shape (chains, draws, …) with at least 8 draws, got {x.shape}")
    law: Any = proposal if proposal is None else carried(proposal)
    if law is None:
        if x.ndim != 3:
            raise ValueError(f"draws must have shape (chains, draws, d) if no proposal is given, got {x.shape}")
        half = x.shape[1] // 2
        law, x = _fitted(x[:, :half].reshape(-1, x.shape[2])), x[:, half:]
    chains, length = x.shape[:2]
    count = chains * length if n is None else n
    if not isinstance(count, int | np.integer) or count < 8:
        raise ValueError(f"n must be an integer of at least 8, got {count}")
    of_proposal = law.sample((count,), rng=as_key(rng))
    if of_proposal.shape[1:] != x.shape[2:]:
        raise ValueError(f"proposal must have draws like those of p, {x.shape[2:]}, got {of_proposal.shape[1:]}")
    of_p = _ratios(jnp.asarray(x.reshape(-1, *x.shape[2:])), law, log_density)
    of_q = _ratios(of_proposal, law, log_density)
    one, two = np.asarray(of_p), np.asarray(of_q)
    if not np.all(np.isfinite(one)):
        raise ValueError(f"log_density − log q must be finite at the draws of p, got {one[~np.isfinite(one)][0]:g}")
    if np.any(np.isnan(two) | (two == np.inf)):
        raise ValueError(f"log_density must be below infinity, got {two[~(two < np.inf)][0]:g}")
    return bridged(one.reshape(chains, length), two)


def bridged(of_p: np.ndarray, of_q: np.ndarray) -> Estimate:
    """log Z from log p~ − log q at draws of p, (chains, n), and of q, (n,)."""
    log_r, _, f2 = _solved(of_p, of_q, 1.0, float(np.median(of_p)))
    time = 1.0
    if of_p.shape[1] >= 8 and f2.std() > 0:
        time = max(autocorrelation_time(f2), 1.0)
    log_r, f1, f2 = _solved(of_p, of_q, time, log_r)
    square = f1.var() / f1.mean() ** 2 / f1.size + time * f2.var() / f2.mean() ** 2 / f2.size
    return Estimate(log_r, float(np.sqrt(square)), MONTE_CARLO)


def _solved(of_p: np.ndarray, of_q: np.ndarray, time: float, log_r: float) -> tuple[float, np.ndarray, np.ndarray]:
    """log r, f₁ = (p~/r)/(s₁ p~/r + s₂ q) at draws of q, f₂ = q/(…) at draws of p, whose means are the same at r."""
    effective = of_p.size / time
    log_s1 = np.log(effective / (effective + of_q.size))
    log_s2 = np.log(of_q.size / (effective + of_q.size))
    step = np.nan
    for _ in range(_MOST_STEPS):
        log_f1 = of_q - log_r - np.logaddexp(log_s1 + of_q - log_r, log_s2)
        log_f2 = -np.logaddexp(log_s1 + of_p - log_r, log_s2)
        step = _log_mean(log_f1) - _log_mean(log_f2.ravel())
        if not np.isfinite(step):
            raise ValueError("the proposal and the density do not overlap: no draw of one lies where the other is")
        if abs(step) < 1e-10:
            return log_r, np.exp(log_f1), np.exp(log_f2)
        log_r += step
    raise ValueError(f"the bridge did not converge in {_MOST_STEPS} steps, the last of {step:.2g}")


def _log_mean(values: np.ndarray) -> float:
    return float(np.logaddexp.reduce(values) - np.log(len(values)))


@functools.partial(jax.jit, static_argnums=2)
def _ratios(x: jax.Array, proposal: Any, log_density: LogDensity) -> jax.Array:
    return jax.vmap(log_density)(x) - proposal.log_prob(x)


def _fitted(x: np.ndarray) -> StudentMixture:
    covariance = np.atleast_2d(np.cov(x.T))
    try:
        root = np.linalg.cholesky(covariance * 3.0 / 5.0)  # so that the t law has this covariance
    except np.linalg.LinAlgError:
        raise ValueError("the covariance of the draws is singular: give a proposal") from None
    return StudentMixture(jnp.zeros(1), jnp.asarray(x.mean(0))[None], jnp.asarray(root)[None], jnp.asarray(5.0))
