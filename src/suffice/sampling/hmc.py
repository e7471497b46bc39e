"""Hamiltonian Monte Carlo."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from suffice.numerics import variates
from suffice.sampling.kernel import Info, LogDensity, State, choose, setting, told
from suffice.sampling.leapfrog import DIVERGENT, Phase, energy, leapfrog
from suffice.sampling.scaled import WithTrajectory


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class HMC(WithTrajectory):
    """Hamiltonian (hybrid) Monte Carlo: a momentum is drawn, leapfrog steps are walked, the end is accepted or not.

    a = min(1, exp(H(z, r) − H(z*, r*))), Bishop (2006), equation 11.67; Duane and others (1987).

    Args:
        step_size: of a leapfrog step in units of the scale; None: found by warm-up.
        scale: standard deviations (d,) or a lower triangular factor (d, d); None: found by warm-up.
        metric: "diagonal", "dense" or "unit".
        length: of a trajectory in units of the scale: π/2 takes a normal law to an independent point.
        jitter: each trajectory's length is uniform within this share of it, in [0, 1): a period is never met again and again.
        most: leapfrog steps of a trajectory.
        target_acceptance: what warm-up aims at, in (0, 1): nearer to 1 for densities that bend sharply.

    Raises:
        ValueError: a setting out of its range.

    Example:
        >>> import jax.numpy as jnp, suffice as sf
        >>> sample = lambda: sf.sample(lambda x: -0.5 * x**2, 0.0, kernel=sf.HMC(), draws=500, warmup=200, rng=0)
        >>> sample().draws.shape
        (4, 500)
    """

    length: float = setting(jnp.pi / 2)
    jitter: float = setting(0.5)
    most: int = setting(1024)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.length > 0:
            raise ValueError(f"length must be > 0, got {self.length}")
        if self.most < 1:
            raise ValueError(f"most must be >= 1, got {self.most}")
        if not 0 <= self.jitter < 1:
            raise ValueError(f"jitter must be in [0, 1), got {self.jitter}")

    def _step(self, f: LogDensity, key: jax.Array, state: State) -> tuple[State, Info]:
        of_momentum, of_length, of_choice = jax.random.split(key, 3)
        dtype = state.position.dtype
        momentum = variates.normal(of_momentum, state.position.shape, dtype)
        begin = Phase(state.position, momentum, state.log_density, state.gradient)
        length = self.length * (1.0 + self.jitter * (2.0 * variates.uniform(of_length, (), dtype) - 1.0))
        steps = jnp.clip(jnp.round(length / self.step_size), 1, self.most).astype(int)
        walk = jax.value_and_grad(f)
        end = jax.lax.fori_loop(0, steps, lambda _, at: leapfrog(walk, self.scale, self.step_size, at), begin)
        error = energy(end) - energy(begin)
        error = jnp.where(jnp.isnan(error), jnp.inf, error)
        accepted = jnp.log(variates.uniform(of_choice, (), dtype)) < -error
        moved = choose(accepted, end, begin)
        info = told(jnp.minimum(1.0, jnp.exp(-error)), steps, error > DIVERGENT, energy(moved))
        return State(moved.position, moved.log_density, moved.gradient), info
