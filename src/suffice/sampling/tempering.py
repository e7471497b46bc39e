"""Parallel tempering: chains at several temperatures that exchange places."""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp

from suffice.numerics import variates
from suffice.sampling.kernel import Info, Kernel, LogDensity, State, setting, told
from suffice.sampling.nuts import NUTS
from suffice.sampling.scaled import Scaled


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Tempered(Kernel):
    """Parallel tempering: a kernel moves a chain on p^β for each β, then neighbours exchange places.

    Accepted with min(1, exp((β_i − β_j)(log p(z_j) − log p(z_i)))). The chain of the draws is that with β = 1; those of small β
    cross the valleys between separated modes. Steps at β are longer by β^(−1/2).

    Args:
        kernel: that moves each chain.
        powers: β, falling from 1, all > 0.

    Raises:
        ValueError: powers that do not fall from 1, or are not > 0.

    Source: Geyer (1991); Earl and Deem (2005), equation 7.

    Example:
        >>> import jax.numpy as jnp, suffice as sf
        >>> two_modes = lambda x: jnp.logaddexp(-0.5 * (x - 8.0) ** 2, -0.5 * (x + 8.0) ** 2)
        >>> kernel = sf.Tempered(sf.RandomWalk(), powers=(1.0, 0.3, 0.1, 0.03))
        >>> chains = sf.sample(two_modes, 8.0, kernel=kernel, draws=4000, rng=0)
        >>> bool(0.3 < (chains.draws > 0).mean() < 0.7)
        True
    """

    kernel: Kernel = field(default_factory=NUTS)
    powers: tuple[float, ...] = setting((1.0, 0.5, 0.25, 0.125))

    composite: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "powers", tuple(float(power) for power in self.powers))
        if self.kernel.composite:
            raise TypeError(f"kernel must be one that moves a point by itself, got {type(self.kernel).__name__}")
        falling = all(a > b for a, b in zip(self.powers, self.powers[1:], strict=False))
        if not (self.powers and self.powers[0] == 1.0 and falling and self.powers[-1] > 0.0):
            raise ValueError(f"powers must fall from 1 and be > 0, got {self.powers}")

    def started(self, v: jax.Array) -> Self:
        return replace(self, kernel=self.kernel.started(v))

    def parts(self, state: State) -> dict[str, tuple[Kernel, State, Info, Any]]:
        """What warm-up tunes: the kernel, by what it did at β = 1."""
        states, info = state.memory
        return {"kernel": (self.kernel, jax.tree.map(lambda x: x[0], states), info, True)}

    def with_kernels(self, kernels: dict[str, Kernel]) -> Self:
        """The same with other settings of its kernel."""
        return replace(self, **kernels)

    def _at(self, power: jax.Array) -> Kernel:
        if not isinstance(self.kernel, Scaled):
            return self.kernel
        return replace(self.kernel, step_size=self.kernel.step_size / jnp.sqrt(power))

    def _init(self, f: LogDensity, v: jax.Array) -> State:
        powers = jnp.asarray(self.powers, v.dtype)
        states = jax.vmap(lambda power: self._at(power)._init(lambda v: power * f(v), v))(powers)
        return State(v, f(v), (), (states, told(0.0)))

    def _step(self, f: LogDensity, key: jax.Array, state: State) -> tuple[State, Info]:
        of_moves, of_parity, of_choice = jax.random.split(key, 3)
        states, _ = state.memory
        count, dtype = len(self.powers), state.position.dtype
        powers = jnp.asarray(self.powers, dtype)

        def move(power: jax.Array, key: jax.Array, at: State) -> tuple[State, Info]:
            return self._at(power)._step(lambda v: power * f(v), key, at)

        states, infos = jax.vmap(move)(powers, jax.random.split(of_moves, count), states)
        # neighbours (0, 1), (2, 3), … or (1, 2), (3, 4), …, each pair with its own chance
        odd = jax.random.bernoulli(of_parity).astype(int)
        values, i = states.log_density / powers, jnp.arange(count)
        other = jnp.clip(jnp.where((i + odd) % 2 == 0, i + 1, i - 1), 0, count - 1)
        first = jnp.minimum(i, other)
        gain = (powers[i] - powers[other]) * (values[other] - values[i])
        swapped = (other != i) & (jnp.log(variates.uniform(of_choice, (count,), dtype))[first] < gain)
        place = jnp.where(swapped, other, i)
        # what a kernel remembers stays with its temperature
        states = jax.tree.map(lambda x: x[place], states)._replace(memory=states.memory)
        ratio = powers / powers[place]
        scaled = states._replace(
            log_density=states.log_density * ratio,
            gradient=jax.tree.map(lambda g: g * ratio[:, None], states.gradient),
        )
        cold = jax.tree.map(lambda x: x[0], infos)
        info = told(cold.acceptance, infos.evaluations.sum(), cold.divergent, cold.energy, cold.depth)
        return State(scaled.position[0], scaled.log_density[0], (), (scaled, cold)), info
