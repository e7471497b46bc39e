"""Sequential Monte Carlo: particles go from a known law to the target, reweighted, resampled and moved on the way."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.estimate import MONTE_CARLO, Estimate
from suffice.runtime.rng import RNG, as_key
from suffice.sampling.kernel import single
from suffice.sampling.metropolis import RandomWalk
from suffice.sampling.rejection import LogDensity, Proposal, carried
from suffice.sampling.resample import resample
from suffice.sampling.scaled import Scaled

_MOST = 200  # powers on the way
_HALVINGS = 60


@dataclass(frozen=True, eq=False)
class Particles:
    """Draws by sequential Monte Carlo.

    Attributes:
        draws: of equal weight, (runs, n, …): runs are independent of each other, particles of one run are not quite.
        log_z: an ``Estimate`` of log ∫ p~, whose error is that between runs, with a degree of freedom fewer than runs.
        powers: number of powers each run took from 0 to 1, (runs,).
        acceptance: mean acceptance of the last moves, (runs,).
    """

    draws: np.ndarray
    log_z: Estimate
    powers: np.ndarray
    acceptance: np.ndarray

    def mean(self, of: Any = lambda x: x) -> Estimate:
        """Mean of a function of a draw, with the error between runs."""
        values = np.asarray(jax.vmap(jax.vmap(of))(jnp.asarray(self.draws)), float).mean(1)
        return Estimate(values.mean(0), values.std(0, ddof=1) / np.sqrt(len(values)), MONTE_CARLO, df=len(values) - 1)

    def __repr__(self) -> str:
        runs, n = self.draws.shape[:2]
        return f"Particles({runs} runs of {n}, {np.median(self.powers):.0f} powers, log_z={self.log_z})"


class _Cloud(NamedTuple):
    """One run on its way: particles, log p~ − log q at them, β, log Z so far, powers taken, acceptance of the last moves."""

    x: Any
    ratio: Any
    beta: Any
    log_z: Any
    powers: Any
    acceptance: Any


def sequential_monte_carlo(
    log_density: LogDensity,
    base: Proposal,
    kernel: Any = None,
    *,
    n: int = 1000,
    runs: int = 10,
    steps: int = 10,
    keep: float = 0.5,
    rng: RNG,
) -> Particles:
    """Particles from q to p~ along q^(1−β) p~^β, β rising from 0 to 1 as fast as the weights allow; with the evidence.

    Each β is the one at which the effective number of particles falls to ``keep`` of them; they are then resampled
    (systematically) and moved by a kernel. log Z is the sum of the logarithms of mean weights.

    Args:
        log_density: logarithm of p~ at one point of the shape of one draw, in JAX.
        base: q, with ``sample`` and ``log_prob``; it must be as wide as p~.
        kernel: settings with a step size; where they have no scale, it is the particles' standard deviation at each β. A random
            walk by default.
        n: particles of a run. runs: independent runs, at least 4, from which the errors follow.
        steps: of the kernel at each β.
        keep: share of effective particles, in (0, 1).

    Returns:
        ``Particles``.

    Raises:
        ValueError: a count below its least, keep outside (0, 1), no particle where the density is positive, or β that did
            not reach 1 in 200 powers.

    Source: Del Moral, Doucet and Jasra (2006); the choice of β: Jasra and others (2011).

    Example:
        >>> import numpy as np, suffice as sf
        >>> base = sf.MultivariateNormal(np.zeros(2), 9.0 * np.eye(2))
        >>> found = sf.sequential_monte_carlo(lambda x: -0.5 * (x**2).sum(), base, rng=0)
        >>> abs(found.log_z.value - 1.838) < 0.1  # log 2π
        True
    """
    for name, value, least in (("n", n, 10), ("runs", runs, 4), ("steps", steps, 1)):
        if not isinstance(value, int | np.integer) or value < least:
            raise ValueError(f"{name} must be an integer of at least {least}, got {value}")
    if not 0.0 < keep < 1.0:
        raise ValueError(f"keep must be in (0, 1), got {keep}")
    if kernel is not None:
        single(kernel)
    base = carried(base)
    first, walk = jax.random.split(as_key(rng))
    start = base.sample((runs, n), rng=first)
    if not jnp.issubdtype(start.dtype, jnp.floating):
        raise ValueError(f"base must have real draws, for the kernel moves them, got {start.dtype}")
    if kernel is None:
        kernel = RandomWalk(step_size=2.38 / max(start[0, 0].size, 1) ** 0.5)
    found = _travel(walk, start, base, kernel, keep, log_density, steps)
    if np.any(np.asarray(found.ratio).max(1) == -np.inf):
        raise ValueError(f"log_density is −inf or no number at all of {n} particles of a run")
    if not np.all(np.asarray(found.beta) >= 1.0):
        raise ValueError(
            f"β did not reach 1 in {_MOST} powers: the base is too far from the density, or n is too small"
        )
    logs = np.asarray(found.log_z)
    ratios = np.exp(logs - logs.max())
    error = float(ratios.std(ddof=1) / np.sqrt(runs) / ratios.mean())
    log_z = Estimate(float(logs.max() + np.log(ratios.mean())), error, MONTE_CARLO, df=runs - 1)
    return Particles(np.asarray(found.x), log_z, np.asarray(found.powers), np.asarray(found.acceptance))


@partial(jax.jit, static_argnames=("log_density", "steps"))
def _travel(
    key: jax.Array, start: Any, base: Any, kernel: Any, keep: float, log_density: LogDensity, steps: int
) -> _Cloud:
    def ratio(x: Any) -> jax.Array:
        value = log_density(x) - base.log_prob(x)
        return jnp.where(jnp.isnan(value), -jnp.inf, value)

    def one(key: jax.Array, x: Any) -> _Cloud:
        zero = jnp.zeros((), x.dtype)
        begin = _Cloud(x, jax.vmap(ratio)(x), zero, zero, jnp.zeros((), int), zero)

        def advance(c: _Cloud) -> _Cloud:
            of_choice, of_moves = jax.random.split(jax.random.fold_in(key, c.powers))
            beta = _next(c.ratio, c.beta, keep)
            weights = _weighted(c.ratio, beta - c.beta)
            log_z = c.log_z + jax.nn.logsumexp(weights) - jnp.log(weights.shape[0])
            chosen = c.x[resample(weights, rng=of_choice)]
            x, acceptance = _moved(of_moves, chosen, beta)
            return _Cloud(x, jax.vmap(ratio)(x), beta, log_z, c.powers + 1, acceptance)

        def on(c: _Cloud) -> jax.Array:
            return (c.beta < 1.0) & (c.powers < _MOST) & (c.ratio.max() > -jnp.inf)

        return jax.lax.while_loop(on, advance, begin)

    def _moved(key: jax.Array, x: Any, beta: jax.Array) -> tuple[Any, jax.Array]:
        def log_p(v: Any) -> jax.Array:
            return jnp.where(beta < 1.0, (1.0 - beta) * base.log_prob(v), 0.0) + beta * log_density(v)

        settings = kernel
        if isinstance(kernel, Scaled) and kernel.scale is None:
            spread = x.reshape(x.shape[0], -1).std(0)
            settings = replace(kernel, scale=jnp.where(spread > 0.0, spread, 1.0))
        algorithm = settings.build(log_p)

        def walk(key: jax.Array, at: Any) -> tuple[Any, jax.Array]:
            def step(state: Any, key: jax.Array) -> tuple[Any, jax.Array]:
                state, info = algorithm.step(key, state)
                return state, info.acceptance

            state, accepted = jax.lax.scan(step, algorithm.init(at), jax.random.split(key, steps))
            return state.position, accepted.mean()

        moved, accepted = jax.vmap(walk)(jax.random.split(key, x.shape[0]), x)
        return moved, accepted.mean().astype(x.dtype)

    return jax.vmap(one)(jax.random.split(key, start.shape[0]), start)


def _weighted(ratio: jax.Array, step: jax.Array) -> jax.Array:
    """Logarithms of weights ratio^step; 0^0 is 1."""
    return jnp.where(step > 0.0, step * ratio, 0.0)


def _next(ratio: jax.Array, beta: jax.Array, keep: float) -> jax.Array:
    """The next power: 1, or where the effective number of particles has fallen to the share ``keep``, by bisection."""

    def share(step: jax.Array) -> jax.Array:
        w = _weighted(ratio, step)
        return jnp.exp(2.0 * jax.nn.logsumexp(w) - jax.nn.logsumexp(2.0 * w)) / w.shape[0]

    def halve(_: Any, ends: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        enough = share(middle) >= least
        return jnp.where(enough, middle, low), jnp.where(enough, high, middle)

    rest = 1.0 - beta
    least = keep * jnp.mean(ratio > -jnp.inf)  # of those the target allows at all
    low, _ = jax.lax.fori_loop(0, _HALVINGS, halve, (jnp.zeros_like(rest), rest))
    return jnp.where(share(rest) >= least, 1.0, beta + low)
