"""Proposals that follow the gradient: Langevin's and Barker's."""

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.numerics import variates
from suffice.sampling.kernel import Info, LogDensity, State
from suffice.sampling.leapfrog import Phase, energy, leapfrog
from suffice.sampling.metropolis import decided
from suffice.sampling.scaled import WithGradient, apply, pull


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class MALA(WithGradient):
    """Metropolis-adjusted Langevin: one leapfrog step from a fresh momentum, z* = z + ε²/2 S Sᵀ∇log p + ε S n.

    Args:
        step_size: ε; None: found by warm-up.
        scale: S, (d,) or lower triangular (d, d); None: found by warm-up.
        metric: "diagonal", "dense" or "unit".

    Source: Roberts and Tweedie (1996); as one leapfrog step: Neal (2011), section 5.2.

    Example:
        >>> import suffice as sf
        >>> chains = sf.sample(lambda x: -0.5 * (x**2).sum(), [0.0, 0.0], kernel=sf.MALA(), rng=0)
        >>> bool(max(chains.rhat.values()) < 1.05)
        True
    """

    aim: ClassVar[Any] = 0.574

    def _step(self, f: LogDensity, key: jax.Array, state: State) -> tuple[State, Info]:
        of_momentum, of_choice = jax.random.split(key)
        momentum = variates.normal(of_momentum, state.position.shape, state.position.dtype)
        begin = Phase(state.position, momentum, state.log_density, state.gradient)
        end = leapfrog(jax.value_and_grad(f), self.scale, self.step_size, begin)
        proposed = State(end.position, end.log_density, end.gradient)
        return decided(of_choice, state, proposed, energy(begin) - energy(end))


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Barker(WithGradient):
    """Barker's proposal: a normal step in each direction, its sign flipped with a probability that the gradient says.

    z* = z + S b, b_i = ±ε n_i, + with probability 1/(1 + exp(−ε n_i (Sᵀ∇)_i)): as efficient as MALA where that is well tuned,
    far less sensitive where it is not.

    Args:
        step_size: ε; None: found by warm-up.
        scale: S, (d,) or lower triangular (d, d); None: found by warm-up.
        metric: "diagonal", "dense" or "unit".

    Source: Livingstone and Zanella (2022), algorithm 1.

    Example:
        >>> import suffice as sf
        >>> chains = sf.sample(lambda x: -0.5 * (x**2).sum(), [0.0, 0.0], kernel=sf.Barker(), rng=0)
        >>> bool(max(chains.rhat.values()) < 1.05)
        True
    """

    aim: ClassVar[Any] = 0.4

    def _step(self, f: LogDensity, key: jax.Array, state: State) -> tuple[State, Info]:
        of_step, of_sign, of_choice = jax.random.split(key, 3)
        dtype, shape = state.position.dtype, state.position.shape
        size = self.step_size * variates.normal(of_step, shape, dtype)
        slope = pull(self.scale, state.gradient)
        kept = jnp.log(variates.uniform(of_sign, shape, dtype)) < -jax.nn.softplus(-size * slope)
        step = jnp.where(kept, size, -size)
        v = state.position + apply(self.scale, step)
        proposed = State(v, *jax.value_and_grad(f)(v))
        back = pull(self.scale, proposed.gradient)
        balance = (jax.nn.softplus(-step * slope) - jax.nn.softplus(step * back)).sum()
        return decided(of_choice, state, proposed, proposed.log_density - state.log_density + balance)
