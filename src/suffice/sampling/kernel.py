"""The contract of Markov kernels: settings that build two pure functions, `init` and `step`."""

from collections.abc import Callable
from dataclasses import MISSING, field
from typing import Any, ClassVar, NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from suffice.numerics.checks import is_traced

type LogDensity = Callable[[Any], jax.Array]


class State(NamedTuple):
    """Where a chain is.

    Attributes:
        position: a vector (d,), or whatever pytree the chain was started from.
        log_density: at the position.
        gradient: of it, in the position's form; () for kernels that need none.
        memory: what a kernel carries besides.
    """

    position: Any
    log_density: jax.Array
    gradient: Any = ()
    memory: Any = ()


class Info(NamedTuple):
    """What one step tells.

    Attributes:
        acceptance: probability with which what was proposed is accepted, mean over what was proposed, in [0, 1].
        divergent: whether the energy error of a trajectory was beyond all bounds.
        energy: −log density plus kinetic energy of the draw; NaN for kernels without momentum.
        evaluations: of the density, with or without its gradient.
        depth: doublings of a trajectory, 0 for kernels that have none.
    """

    acceptance: Any
    divergent: Any
    energy: Any
    evaluations: Any
    depth: Any


def told(acceptance: Any, evaluations: Any = 1, divergent: Any = False, energy: Any = jnp.nan, depth: Any = 0) -> Info:
    """An ``Info`` of arrays of one type, so that loops may carry it."""
    return Info(
        jnp.asarray(acceptance, float),
        jnp.asarray(divergent, bool),
        jnp.asarray(energy, float),
        jnp.asarray(evaluations, int),
        jnp.asarray(depth, int),
    )


class Algorithm(NamedTuple):
    """Two pure functions: ``init(position) → state`` and ``step(key, state) → (state, info)``."""

    init: Callable[..., Any]
    step: Callable[[jax.Array, Any], tuple[Any, Any]]


def setting(default: Any = MISSING) -> Any:
    """A field that is part of the program: a bound, a name, a function."""
    return field(default=default, metadata={"static": True})


class Kernel:
    """Settings of a Markov kernel, a frozen dataclass and a pytree whose leaves are the tuned numbers.

    A kernel writes ``_init(f, v)`` and ``_step(f, key, state)`` for a log-density f of a vector v; ``build`` makes them fit
    any pytree. What warm-up may change are its fields ``step_size`` and ``scale``, where it has them.
    """

    aim: ClassVar[Any] = None  # the acceptance that warm-up seeks
    uses_gradient: ClassVar[bool] = False
    composite: ClassVar[bool] = False  # whether it is made of kernels: then it has `parts` and `with_kernels`

    def build(self, log_density: LogDensity) -> Algorithm:
        """The kernel of a log-density, which takes positions of any form; jit- and vmap-safe.

        Example:
            >>> import jax, jax.numpy as jnp, suffice as sf
            >>> nuts = sf.NUTS(step_size=0.5).build(lambda x: -0.5 * jnp.sum(x**2))
            >>> state, info = nuts.step(jax.random.key(0), nuts.init(jnp.zeros(3)))
            >>> state.position.shape
            (3,)
        """

        def init(position: Any, rng_key: Any = None) -> State:
            v, restore = _flat(position)
            settings = self.started(v)
            return _formed(settings._init(_cast(log_density, restore), v), restore)

        def step(key: jax.Array, state: State) -> tuple[State, Info]:
            v, restore = _flat(state.position)
            gradient = () if isinstance(state.gradient, tuple) and not state.gradient else _flat(state.gradient)[0]
            settings = self.started(v)
            inner = state._replace(position=v, gradient=gradient)
            moved, info = settings._step(_cast(log_density, restore), key, inner)
            return _formed(moved, restore), info

        return Algorithm(init, step)

    def started(self, v: jax.Array) -> Self:
        """Settings with a number for each tuned field that has none, for positions like v."""
        return self

    def parts(self, state: State) -> dict[str, tuple["Kernel", State, Info, Any]]:
        """The kernels a composite is made of, with their states, what their last steps told, and whether they moved."""
        return {}

    def with_kernels(self, kernels: dict[str, "Kernel"]) -> Self:
        """The same composite with other settings of its kernels."""
        return self

    def _init(self, f: LogDensity, v: jax.Array) -> State:
        return State(v, f(v))

    def _step(self, f: LogDensity, key: jax.Array, state: State) -> tuple[State, Info]:
        raise NotImplementedError


def single(kernel: Any) -> Kernel:
    """The settings of one kernel, which moves a point by itself.

    Raises:
        TypeError: they are none, or of a composite.
    """
    if isinstance(kernel, Kernel) and not kernel.composite:
        return kernel
    got = f"the class {kernel.__name__}" if isinstance(kernel, type) else type(kernel).__name__
    raise TypeError(f"kernel must be settings of one kernel such as sf.HMC(step_size=0.5), got {got}")


def _flat(position: Any) -> tuple[jax.Array, Callable[[jax.Array], Any]]:
    if isinstance(position, jax.Array) and position.ndim == 1:
        return position, lambda v: v
    return ravel_pytree(position)


def _cast(log_density: LogDensity, restore: Callable[[jax.Array], Any]) -> LogDensity:
    """The log-density of a vector, in the vector's type."""

    def at(v: jax.Array) -> jax.Array:
        value = jnp.asarray(log_density(restore(v)))
        if value.shape != ():
            raise ValueError(f"log_density must return one number, got shape {value.shape}")
        return value.astype(v.dtype)

    return at


def _formed(state: State, restore: Callable[[jax.Array], Any]) -> State:
    gradient = restore(state.gradient) if isinstance(state.gradient, jax.Array) else state.gradient
    return state._replace(position=restore(state.position), gradient=gradient)


def choose(accepted: jax.Array, new: Any, old: Any) -> Any:
    """One of two pytrees of equal form."""
    return jax.tree.map(lambda a, b: jnp.where(accepted, a, b), new, old)


def positive_setting(name: str, value: Any) -> None:
    """Raise where a setting that is a number, or numbers, is not > 0; of a matrix, where its diagonal is not."""
    if not isinstance(value, int | float | np.ndarray | jax.Array) or is_traced(value):
        return
    known = np.asarray(value)
    known = np.diagonal(known) if known.ndim == 2 else known
    if known.size and not np.all(known > 0):
        raise ValueError(f"{name} must be > 0, got {known.min():g}")
