"""Metropolis and Metropolis–Hastings: a proposal, accepted or not."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from suffice.numerics import variates
from suffice.sampling.kernel import Info, Kernel, LogDensity, State, choose, setting, told
from suffice.sampling.scaled import Scaled, apply


def decided(key: jax.Array, state: State, proposed: State, log_ratio: jax.Array) -> tuple[State, Info]:
    """The proposed state with probability min(1, exp(log ratio)), else the old one; never where the ratio is NaN."""
    log_ratio = jnp.where(jnp.isnan(log_ratio), -jnp.inf, log_ratio)
    accepted = jnp.log(variates.uniform(key, (), log_ratio.dtype)) < log_ratio
    return choose(accepted, proposed, state), told(jnp.minimum(1.0, jnp.exp(log_ratio)))


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class RandomWalk(Scaled):
    """Random-walk Metropolis: z* = z + ε S n with n standard normal, accepted with min(1, p~(z*)/p~(z)).

    Args:
        step_size: ε; None: found by warm-up, from 2.38/√d.
        scale: S, (d,) or lower triangular (d, d); None: found by warm-up from the draws.
        metric: "diagonal", "dense" or "unit".

    Source: Metropolis and others (1953); Bishop (2006), section 11.2; Roberts, Gelman and Gilks (1997).

    Example:
        >>> import suffice as sf
        >>> chains = sf.sample(lambda x: -0.5 * x**2, 0.0, kernel=sf.RandomWalk(), rng=0)
        >>> bool(abs(chains.draws.mean()) < 0.2)
        True
    """

    aim: ClassVar[Any] = 0.3

    def _first_step(self, d: int) -> float:
        return 2.38 * d**-0.5

    def _step(self, f: LogDensity, key: jax.Array, state: State) -> tuple[State, Info]:
        of_step, of_choice = jax.random.split(key)
        noise = variates.normal(of_step, state.position.shape, state.position.dtype)
        v = state.position + self.step_size * apply(self.scale, noise)
        proposed = State(v, f(v))
        return decided(of_choice, state, proposed, proposed.log_density - state.log_density)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class MetropolisHastings(Kernel):
    """Metropolis–Hastings with any proposal: a = min(1, p~(z*) q(z | z*) / (p~(z) q(z* | z))).

    Args:
        propose: function of a key and a vector (d,) of unconstrained coordinates that returns another.
        log_density: log q(to | from), a function of ``to`` and ``from``; None for a symmetric proposal.

    Source: Hastings (1970); Bishop (2006), equation 11.44.

    Example:
        >>> import jax, suffice as sf
        >>> kernel = sf.MetropolisHastings(lambda key, v: v + jax.random.uniform(key, v.shape, minval=-1, maxval=1))
        >>> sf.sample(lambda x: -0.5 * x**2, 0.0, kernel=kernel, draws=100, warmup=0, rng=0).draws.shape
        (4, 100)
    """

    propose: Callable[[jax.Array, jax.Array], jax.Array] = setting()
    log_density: Callable[[jax.Array, jax.Array], jax.Array] | None = setting(None)

    def _step(self, f: LogDensity, key: jax.Array, state: State) -> tuple[State, Info]:
        of_step, of_choice = jax.random.split(key)
        v = self.propose(of_step, state.position)
        proposed = State(v, f(v))
        log_ratio = proposed.log_density - state.log_density
        if self.log_density is not None:
            log_ratio = log_ratio + self.log_density(state.position, v) - self.log_density(v, state.position)
        return decided(of_choice, state, proposed, log_ratio)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Independence(Kernel):
    """The independence sampler: proposals from one law, whatever the position.

    Args:
        draw: function of a key that returns a vector (d,) of unconstrained coordinates.
        log_density: of that law, up to a constant.

    Source: Tierney (1994), section 2.3.3.

    Example:
        >>> import jax, suffice as sf
        >>> kernel = sf.Independence(lambda key: 2 * jax.random.normal(key, (1,)), lambda v: -0.125 * (v**2).sum())
        >>> sf.sample(lambda x: -0.5 * x**2, 0.0, kernel=kernel, draws=100, warmup=0, rng=0).draws.shape
        (4, 100)
    """

    draw: Callable[[jax.Array], jax.Array] = setting()
    log_density: Callable[[jax.Array], jax.Array] = setting()

    def _step(self, f: LogDensity, key: jax.Array, state: State) -> tuple[State, Info]:
        of_step, of_choice = jax.random.split(key)
        v = self.draw(of_step)
        proposed = State(v, f(v))
        weights = proposed.log_density - self.log_density(v), state.log_density - self.log_density(state.position)
        return decided(of_choice, state, proposed, weights[0] - weights[1])


class _History(NamedTuple):
    """Of a chain so far: number of points, mean (d,) and sum of products of deviations (d, d)."""

    count: Any
    mean: Any
    products: Any


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class AdaptiveMetropolis(Kernel):
    """Adaptive Metropolis: the covariance of a normal step is that of the chain so far, for as long as it runs.

    z* = z + 2.38/√d L n with L Lᵀ the covariance of the past; one step in twenty takes 0.1/√d instead of L. The chain is no
    longer Markov, but converges since what is added to the covariance falls as 1/n.

    Args:
        first: standard deviation of steps while fewer than 2d points are known.

    Source: Haario, Saksman and Tamminen (2001); Roberts and Rosenthal (2009), section 2.

    Example:
        >>> import suffice as sf
        >>> chains = sf.sample(lambda x: -0.5 * (x**2).sum(), [0.0, 0.0], kernel=sf.AdaptiveMetropolis(), rng=0)
        >>> chains.draws.shape
        (4, 1000, 2)
    """

    first: float = setting(0.1)

    def _init(self, f: LogDensity, v: jax.Array) -> State:
        d = v.shape[0]
        return State(v, f(v), (), _History(jnp.ones((), v.dtype), v, jnp.zeros((d, d), v.dtype)))

    def _step(self, f: LogDensity, key: jax.Array, state: State) -> tuple[State, Info]:
        of_step, of_kind, of_choice = jax.random.split(key, 3)
        past, d = state.memory, state.position.shape[0]
        factor = jnp.linalg.cholesky(past.products / jnp.maximum(past.count - 1.0, 1.0))
        small = (past.count < 2 * d) | ~jnp.all(jnp.isfinite(factor)) | (variates.uniform(of_kind, ()) < 0.05)
        noise = variates.normal(of_step, (d,), state.position.dtype)
        step = (
            jnp.where(small, self.first * noise, 2.38 * jnp.where(jnp.isfinite(factor), factor, 0.0) @ noise) / d**0.5
        )
        v = state.position + step
        proposed = State(v, f(v), (), past)
        moved, info = decided(of_choice, state, proposed, proposed.log_density - state.log_density)
        count = past.count + 1.0
        rise = moved.position - past.mean
        mean = past.mean + rise / count
        products = past.products + rise[:, None] * (moved.position - mean)[None]
        return moved._replace(memory=_History(count, mean, products)), info
