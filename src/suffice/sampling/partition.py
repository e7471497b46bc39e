"""Normalising constants along a path of laws from one that is known: annealed importance, thermodynamic integration."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.estimate import MONTE_CARLO, Estimate
from suffice.numerics.pareto import smoothed_weights
from suffice.runtime.rng import RNG, as_key
from suffice.sampling.bridge import bridged
from suffice.sampling.importance import log_mean_ratio
from suffice.sampling.kernel import Kernel, single
from suffice.sampling.rejection import LogDensity, Proposal, carried

_FEWEST = 25


def annealed_importance(
    log_density: LogDensity,
    base: Proposal,
    kernel: Kernel,
    *,
    n: int = 1000,
    temperatures: int | Any = 100,
    steps: int = 1,
    draws: Any = None,
    rng: RNG,
) -> Estimate:
    """log Z of p~ = exp(log_density) by annealed importance sampling: Z = E exp(W), W = Σ (β_{k+1} − β_k) U(x_k).

    U = log p~ − log q for a normalised q. Each of n particles starts as a draw of q and takes ``steps`` steps of a kernel
    that leaves q^(1−β) p~^β alone, at one β after another. Unbiased for Z whatever the kernel; log Z comes out too small
    while the W are spread over more than about 1.

    Args:
        log_density: logarithm of p~ at one point of the shape of one draw, in JAX.
        base: q, with ``sample`` and ``log_prob``.
        kernel: settings with a given step size, such as ``sf.HMC(step_size=0.5)``.
        n: particles.
        temperatures: how many β between 0 and 1, denser near 0 (fourth powers of a grid), or the β themselves.
        steps: of the kernel at each β.
        draws: exact draws of p, (m, …), if there are any: they go the way back, and Bennett's acceptance ratio joins both
            ways, with far less error than either. The kernel must then be reversible: not ``sf.Slice`` of several
            coordinates, which it visits in order.

    Returns:
        An ``Estimate`` of log Z, with the Pareto k of exp(W); with both ways, none.

    Raises:
        ValueError: n below 25; β that do not rise from 0 to 1; a W that is NaN or +∞.

    Source: Neal (2001); Bennett (1976), Crooks (2000) for both ways; Grosse, Ghahramani and Adams (2015).

    Example:
        >>> import numpy as np, suffice as sf
        >>> base = sf.MultivariateNormal(np.zeros(2), 4.0 * np.eye(2))
        >>> log_z = sf.annealed_importance(lambda x: -0.5 * (x**2).sum(), base, sf.RandomWalk(step_size=1.0), rng=0)
        >>> abs(log_z.value - 1.838) < 0.2  # log 2π
        True
    """
    betas, base = _betas(temperatures), carried(base)
    _require_particles(n)
    single(kernel)
    forth, back = jax.random.split(as_key(rng))
    start = base.sample((n,), rng=jax.random.fold_in(forth, 1))
    work = _path(forth, start, base, kernel, log_density, betas, steps)[0]
    if draws is None:
        return log_mean_ratio(work, smooth=False)
    exact = jnp.asarray(draws, float)
    if exact.shape[1:] != start.shape[1:]:
        raise ValueError(f"draws must have shape (m, …) with {start.shape[1:]} for one draw, got {exact.shape}")
    returned = _path(back, exact, base, kernel, log_density, betas[::-1], steps)[0]
    return bridged(-returned[:, None].T, work)


def thermodynamic_integration(
    log_density: LogDensity,
    base: Proposal,
    kernel: Kernel,
    *,
    n: int = 1000,
    temperatures: int | Any = 50,
    steps: int = 10,
    rng: RNG,
) -> Estimate:
    """log Z of p~ = exp(log_density) by thermodynamic integration: log Z = ∫₀¹ E_β[U] dβ, U = log p~ − log q.

    E_β is over q^(1−β) p~^β for a normalised q, from n independent particles that are moved along, and weighted, as in
    ``annealed_importance``: particles that have come to rest at β forget their weights, those that lag behind are corrected
    by them. The integral is the trapezoidal rule, corrected by its end slopes dE_β[U]/dβ = var_β U.

    Args:
        log_density: logarithm of p~ at one point of the shape of one draw, in JAX.
        base: q, with ``sample`` and ``log_prob``.
        kernel: settings with a given step size.
        n: particles.
        temperatures: how many β between 0 and 1, denser near 0, or the β themselves.
        steps: of the kernel at each β: the more they come to rest there, the more equal are the weights.

    Returns:
        An ``Estimate`` of log Z with the Pareto k of the last weights; its error is that of n independent paths, and the
        difference of the rule with every second β (a fifteenth of it, as its order says), added in squares.

    Raises:
        ValueError: n below 25; β that do not rise from 0 to 1; a U that is not finite.

    Source: Gelman and Meng (1998); Friel, Hurn and Wyse (2014) for the correction.

    Example:
        >>> import numpy as np, suffice as sf
        >>> base = sf.MultivariateNormal(np.zeros(2), 4.0 * np.eye(2))
        >>> log_z = sf.thermodynamic_integration(lambda x: -0.5 * (x**2).sum(), base, sf.RandomWalk(step_size=1.5), rng=0)
        >>> abs(log_z.value - 1.838) < 0.2  # log 2π
        True
    """
    betas, base = _betas(temperatures), carried(base)
    _require_particles(n)
    single(kernel)
    if len(betas) < 5:
        raise ValueError(f"temperatures must be at least 5, got {len(betas)}")
    key = as_key(rng)
    start = base.sample((n,), rng=jax.random.fold_in(key, 1))
    work, u = _path(key, start, base, kernel, log_density, betas, steps)
    if not np.all(np.isfinite(u)):
        raise ValueError(
            f"log_density must be finite along the path, got a log p~ − log q of {u[~np.isfinite(u)][0]:g}"
        )
    log_weights = np.pad(np.cumsum(u[:, :-1] * np.diff(betas), axis=1), ((0, 0), (1, 0)))
    value, each = _integral(betas, u, log_weights)
    every_second = np.unique(np.append(np.arange(0, len(betas), 2), len(betas) - 1))
    rule = (value - _integral(betas[every_second], u[:, every_second], log_weights[:, every_second])[0]) / 15.0
    error = float(np.sqrt(each.var(ddof=1) / n + rule**2))
    return Estimate(value, error, MONTE_CARLO, float(smoothed_weights(work)[1]))


def _integral(betas: np.ndarray, u: np.ndarray, log_weights: np.ndarray) -> tuple[float, np.ndarray]:
    """The corrected trapezoidal rule of weighted means and variances of U, and what each particle adds to its deviation
    to first order, (n,): a weighted mean m of v moves by w (v − m)."""
    weights = np.exp(log_weights - log_weights.max(0))
    weights /= weights.mean(0)
    gap = np.diff(betas)
    mean = (weights * u).mean(0)
    slopes = np.square(u - mean) * (len(u) / (len(u) - np.square(weights).mean(0)))  # weighted mean: var_β U
    slope = (weights * slopes).mean(0)

    def rule(u: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        return (0.5 * gap * (u[..., 1:] + u[..., :-1]) - gap**2 / 12.0 * np.diff(slopes, axis=-1)).sum(-1)

    return float(rule(mean, slope)), rule(weights * (u - mean), weights * (slopes - slope))


def _require_particles(n: Any) -> None:
    if not isinstance(n, int | np.integer) or n < _FEWEST:
        raise ValueError(f"n must be an integer of at least {_FEWEST}, got {n}")


def _betas(temperatures: Any) -> np.ndarray:
    if isinstance(temperatures, int | np.integer):
        if temperatures < 2:
            raise ValueError(f"temperatures must be at least 2, got {temperatures}")
        return np.linspace(0.0, 1.0, temperatures) ** 4
    betas = np.asarray(temperatures, float)
    if betas.ndim != 1 or len(betas) < 2 or betas[0] != 0.0 or betas[-1] != 1.0 or not np.all(np.diff(betas) > 0):
        raise ValueError(f"temperatures must rise from 0 to 1, got {betas}")
    return betas


def _path(
    key: jax.Array, start: Any, base: Any, kernel: Any, log_density: LogDensity, betas: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """(W of each particle, (n,); U at each β, (n, β)) along a path of β."""
    if not jnp.issubdtype(start.dtype, jnp.floating):
        raise ValueError(f"base must have real draws, for the kernel moves them, got {start.dtype}")
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    u = np.asarray(_walk(key, start, base, kernel, jnp.asarray(betas), log_density, steps))
    with np.errstate(invalid="ignore"):
        work = (u[:, :-1] * np.diff(betas)).sum(1)
    if np.any(np.isnan(work) | (work == np.inf)):
        raise ValueError(f"log_density − log q must be below infinity, got {u[~(u < np.inf)][0]:g} along the path")
    return work, u


@functools.partial(jax.jit, static_argnums=(5, 6))
def _walk(
    key: jax.Array, start: Any, base: Any, kernel: Any, betas: jax.Array, log_density: LogDensity, steps: int
) -> jax.Array:
    def ratio(x: Any) -> jax.Array:
        return log_density(x) - base.log_prob(x)

    def one(key: jax.Array, x: Any) -> jax.Array:
        def at(x: Any, inputs: tuple[jax.Array, jax.Array]) -> tuple[Any, jax.Array]:
            """Steps at β, and U where they end."""
            beta, i = inputs

            def log_p(x: Any) -> jax.Array:
                # 0 · (−∞) is 0: at β = 0 the density plays no part
                p = jnp.where(beta > 0, log_density(x), 0.0)
                return (1.0 - beta) * base.log_prob(x) + beta * p

            algorithm = kernel.build(log_p)
            keys = jax.random.split(jax.random.fold_in(key, i), steps)
            end, _ = jax.lax.scan(lambda s, k: (algorithm.step(k, s)[0], None), algorithm.init(x), keys)
            return end.position, ratio(end.position)

        _, rest = jax.lax.scan(at, x, (betas[1:], jnp.arange(betas.shape[0] - 1)))
        return jnp.concatenate([ratio(x)[None], rest])

    return jax.vmap(one)(jax.random.split(key, start.shape[0]), start)
