"""The loop of one chain inside compiled code: a block of steps, in warm-up or after it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from suffice.numerics.space import Space
from suffice.sampling import warmup
from suffice.sampling.gibbs import Gibbs
from suffice.sampling.kernel import Info, Kernel, told


@dataclass(frozen=True)
class Problem:
    """What is sampled, and how: the part of a run that a program is compiled for.

    Attributes:
        log_density: of a point of the space.
        space: where points live.
        foreign: a function of a log-density that returns ``init`` and ``step``, where the kernel is none of ours.
    """

    log_density: Callable[[Any], Any]
    space: Space
    foreign: Callable[[Any], Any] | None = None

    def algorithm(self, kernel: Any) -> Any:
        """The two functions, of the log-density of unconstrained vectors; for Gibbs sampling of dictionaries of them."""
        f = self.space.log_density(self.log_density)
        if isinstance(kernel, Gibbs):
            maps = (lambda p: self.space.from_real(self.space.joined(p)), self.space.part_to_real)
            return kernel.build(lambda p: f(self.space.joined(p)), maps)
        return self.foreign(f) if self.foreign is not None else kernel.build(f)

    def begun(self, kernel: Any, v: jax.Array) -> Any:
        """The state at an unconstrained vector."""
        return self.algorithm(kernel).init(self.space.split(v) if isinstance(kernel, Gibbs) else v)

    def point(self, state: Any) -> Any:
        """The point of a state."""
        position = state.position
        return self.space.from_real(self.space.joined(position) if isinstance(position, dict) else position)


class Chain(NamedTuple):
    """A chain between two blocks.

    Attributes:
        kernel: settings with all their numbers; () for a foreign algorithm.
        tuning: what warm-up knows.
        state: of the kernel.
        steps: done so far, warm-up included.
    """

    kernel: Any
    tuning: Any
    state: Any
    steps: Any


class Block(NamedTuple):
    """What a block of steps gave: draws by name (capacity, …), their log-density, and what the kernel told."""

    draws: Any
    log_density: Any
    info: Info


@partial(jax.jit, static_argnames=("problem", "warm"))
def begin(problem: Problem, kernel: Any, v: jax.Array, warm: bool = True) -> Chain:
    """A chain at an unconstrained point, with a first scale where there will be a warm-up."""
    if problem.foreign is not None:
        return Chain((), (), problem.begun((), v), jnp.zeros((), int))
    kernel = kernel.started_at(problem.space.split(v)) if isinstance(kernel, Gibbs) else kernel.started(v)
    state = problem.begun(kernel, v)
    kernel = warmup.first_scale(kernel, state) if warm else kernel
    return Chain(kernel, warmup.begun(kernel, state), state, jnp.zeros((), int))


@partial(jax.jit, static_argnames=("problem", "capacity"))
def advance(
    problem: Problem, capacity: int, chain: Chain, key: jax.Array, count: jax.Array, warm: jax.Array
) -> tuple[Chain, Block]:
    """So many more steps, at most the capacity: settings change in the first ``warm`` steps of a chain only.

    Draw i takes the chain's key folded with i, wherever blocks begin and end; steps of warm-up have numbers below 0.
    """

    def body(i: jax.Array, carry: tuple[Chain, Block]) -> tuple[Chain, Block]:
        chain, block = carry
        number = (chain.steps - warm).astype(jnp.uint32)
        state, info = problem.algorithm(chain.kernel).step(jax.random.fold_in(key, number), chain.state)
        info = info if isinstance(info, Info) else translated(info)
        kernel, tuning = chain.kernel, chain.tuning
        if isinstance(kernel, Kernel):
            kernel, tuning = jax.lax.cond(
                chain.steps < warm,
                lambda: warmup.update(chain.kernel, chain.tuning, state, info, chain.steps, warm),
                lambda: (chain.kernel, chain.tuning),
            )
        rows = jax.tree.map(lambda rows, x: rows.at[i].set(x), block, _row(problem, state, info))
        return Chain(kernel, tuning, state, chain.steps + 1), rows

    row = _row(problem, chain.state, told(0.0))
    empty = jax.tree.map(lambda x: jnp.zeros((capacity, *x.shape), x.dtype), row)
    return jax.lax.fori_loop(0, count, body, (chain, empty))


def _row(problem: Problem, state: Any, info: Info) -> Block:
    value = next(getattr(state, name) for name in ("log_density", "logdensity") if hasattr(state, name))
    return Block(problem.point(state), value, info)


def translated(info: Any) -> Info:
    """What an algorithm of another library told, by the names that BlackJAX has for it."""

    def first(default: Any, *names: str) -> Any:
        return next((getattr(info, name) for name in names if hasattr(info, name)), default)

    return told(
        first(jnp.nan, "acceptance_rate"),
        first(1, "num_integration_steps"),
        first(False, "is_divergent"),
        first(jnp.nan, "energy"),
        first(0, "num_trajectory_expansions"),
    )
