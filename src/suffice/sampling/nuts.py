"""The no-U-turn sampler."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from suffice.numerics import variates
from suffice.sampling.kernel import Info, LogDensity, State, choose, setting, told
from suffice.sampling.leapfrog import DIVERGENT, Phase, energy, leapfrog
from suffice.sampling.scaled import WithTrajectory

# of the uniform variates of one step: leaves take 1, 2, …, doublings and directions what lies beyond all leaves
_DOUBLINGS, _DIRECTIONS = 2**22, 2**23


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class NUTS(WithTrajectory):
    """The no-U-turn sampler: a trajectory is doubled, forwards or backwards, until its ends come nearer to each other.

    Multinomial choice among all points of the trajectory, biased towards the newer half; U-turns by the sum of momenta.
    The tree is walked leaf by leaf, with the memory of one momentum for each doubling.

    Args:
        step_size: of a leapfrog step in units of the scale; None: found by warm-up.
        scale: standard deviations (d,) or a lower triangular factor (d, d); None: found by warm-up.
        metric: "diagonal", "dense" or "unit".
        max_depth: doublings at most, from 1 to 20.
        target_acceptance: what warm-up aims at, in (0, 1): nearer to 1 for densities that bend sharply.

    Raises:
        ValueError: a setting out of its range.

    Source: Hoffman and Gelman (2014); Betancourt (2017), appendix A; the iterative form: Phan, Pradhan and Jankowiak (2019).

    Example:
        >>> import suffice as sf
        >>> chains = sf.sample(lambda x: -0.5 * (x**2).sum(), [0.0, 0.0], kernel=sf.NUTS(), draws=500, rng=0)
        >>> bool(max(chains.rhat.values()) < 1.05)
        True
    """

    max_depth: int = setting(10)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.max_depth <= 20:
            raise ValueError(f"max_depth must be from 1 to 20, got {self.max_depth}")

    def _step(self, f: LogDensity, key: jax.Array, state: State) -> tuple[State, Info]:
        dtype, shape = state.position.dtype, state.position.shape
        momentum = variates.normal(jax.random.fold_in(key, 0), shape, dtype)
        begin = Phase(state.position, momentum, state.log_density, state.gradient)
        chance = _Chance(key, dtype)
        walk = jax.value_and_grad(f)
        start = energy(begin)

        def one(step_size: jax.Array, at: Phase) -> Phase:
            return leapfrog(walk, self.scale, step_size, at)

        def double(t: _Trajectory) -> _Trajectory:
            forwards = chance.at(_DIRECTIONS + t.depth) < 0.5
            edge = choose(forwards, t.right, t.left)
            step_size = jnp.where(forwards, self.step_size, -self.step_size)
            new = _grown(edge, t, lambda at: one(step_size, at), chance, start)
            usable = ~(new.turning | new.divergent)
            taken = usable & (jnp.log(chance.at(_DOUBLINGS + t.depth)) < new.weight - t.weight)
            left, right = choose(forwards, t.left, new.end), choose(forwards, new.end, t.right)
            total = t.momentum_sum + new.momentum_sum
            return _Trajectory(
                left,
                right,
                choose(taken, new.proposal, t.proposal),
                jnp.where(usable, jnp.logaddexp(t.weight, new.weight), t.weight),
                total,
                t.depth + 1,
                ~usable | _turning(left.momentum, right.momentum, total),
                new.divergent,
                t.leaves + new.leaves,
                t.acceptance + new.acceptance,
                new.kept,
            )

        zero = jnp.zeros((), int)
        none = jnp.zeros((self.max_depth, *shape), dtype)
        trajectory = _Trajectory(
            begin, begin, _Draw.of(begin, start), jnp.zeros((), dtype), momentum, zero, jnp.asarray(False), jnp.asarray(False),
            zero, jnp.zeros((), dtype), _Kept(none, none),
        )  # fmt: skip
        end = jax.lax.while_loop(lambda t: (t.depth < self.max_depth) & ~t.stopped, double, trajectory)
        drawn = end.proposal
        info = told(end.acceptance / end.leaves, end.leaves, end.divergent, drawn.energy, end.depth)
        return State(drawn.position, drawn.log_density, drawn.gradient), info


class _Chance(NamedTuple):
    """The uniform variates of one step, by number."""

    key: jax.Array
    dtype: Any

    def at(self, i: Any) -> jax.Array:
        return variates.uniform_at(self.key, i, self.dtype)


class _Draw(NamedTuple):
    """A point of a trajectory that may become the next of the chain."""

    position: Any
    log_density: Any
    gradient: Any
    energy: Any

    @classmethod
    def of(cls, at: Phase, energy: Any) -> "_Draw":
        return cls(at.position, at.log_density, at.gradient, energy)


class _Kept(NamedTuple):
    """Of the subtrees that are not complete: the momentum of the first leaf, and the sum of momenta up to it, (depth, d)."""

    momenta: Any
    sums: Any


class _Trajectory(NamedTuple):
    left: Phase
    right: Phase
    proposal: _Draw
    weight: Any  # log Σ exp(H₀ − H) of all points
    momentum_sum: Any
    depth: Any
    stopped: Any
    divergent: Any
    leaves: Any
    acceptance: Any  # Σ min(1, exp(H₀ − H))
    kept: _Kept


class _Subtree(NamedTuple):
    end: Phase
    proposal: _Draw
    weight: Any
    momentum_sum: Any
    leaves: Any
    acceptance: Any
    turning: Any
    divergent: Any
    kept: _Kept


def _turning(first: jax.Array, last: jax.Array, total: jax.Array) -> jax.Array:
    """Whether a trajectory bends back at an end: the sum of its momenta, its ends counted half, against either of them."""
    inner = total - 0.5 * (first + last)
    return ((inner * first).sum() <= 0.0) | ((inner * last).sum() <= 0.0)


def _grown(edge: Phase, t: _Trajectory, one: Callable[[Phase], Phase], chance: _Chance, start: jax.Array) -> _Subtree:
    """As many leaves as the trajectory has points, beyond its edge; fewer where they turn back or diverge."""
    size = jnp.left_shift(jnp.ones_like(t.depth), t.depth)

    def leaf(s: _Subtree) -> _Subtree:
        end = one(s.end)
        h = energy(end)
        gain = jnp.where(h < jnp.inf, start - h, -jnp.inf)
        weight = jnp.logaddexp(s.weight, gain)
        taken = jnp.log(chance.at(size + s.leaves)) < gain - weight
        total = s.momentum_sum + end.momentum
        n = s.leaves
        first = (n & 1) == 0
        place = jax.lax.population_count(n >> 1)
        complete = jax.lax.population_count(n ^ (n + 1)) - 1  # subtrees that end with this leaf
        kept = jax.lax.cond(
            first,
            lambda k: _Kept(k.momenta.at[place].set(end.momentum), k.sums.at[place].set(total)),
            lambda k: k,
            s.kept,
        )

        def look(found: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            i, _ = found
            opening = kept.momenta[i]
            return i - 1, _turning(opening, end.momentum, total - kept.sums[i] + opening)

        _, turning = jax.lax.while_loop(
            lambda found: (found[0] > place - complete) & ~found[1],
            look,
            (place, jnp.asarray(False)),  # none, where this leaf opens a subtree
        )
        return _Subtree(
            end,
            choose(taken, _Draw.of(end, h), s.proposal),
            weight,
            total,
            n + 1,
            s.acceptance + jnp.minimum(1.0, jnp.exp(gain)),
            turning,
            ~(gain > -DIVERGENT),
            kept,
        )

    zero = jnp.zeros_like(t.weight)
    nothing = _Subtree(
        edge, _Draw.of(edge, start), zero - jnp.inf, jnp.zeros_like(edge.momentum), jnp.zeros_like(t.leaves), zero,
        jnp.asarray(False), jnp.asarray(False), t.kept,
    )  # fmt: skip
    return jax.lax.while_loop(lambda s: (s.leaves < size) & ~s.turning & ~s.divergent, leaf, nothing)
