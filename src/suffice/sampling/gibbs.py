"""Gibbs sampling: one part of a point after the other, given the rest."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from suffice.numerics import variates
from suffice.sampling.kernel import Algorithm, Info, Kernel, LogDensity, State, told

type Conditional = Callable[[jax.Array, dict[str, Any]], Any]
type Maps = tuple[Callable[[dict[str, Any]], dict[str, Any]], Callable[[str, Any], Any]]


class Block(NamedTuple):
    """Of a part that a kernel moves: its state given the rest, what its last step told, and whether that was just now."""

    state: State
    info: Info
    moved: jax.Array


@jax.tree_util.register_pytree_node_class
class Gibbs(Kernel):
    """Gibbs sampling: each named part in turn is drawn from its conditional, or moved by a kernel of its own.

    Args:
        parts: by name either a function of a key and the point that returns a draw of that part given the rest (or a rule
            such as ``sf.OverRelaxed``), or settings of a kernel. Every part of the point must have one.
        scan: "systematic", in the order given, or "random": as many parts as there are, each chosen anew.

    Raises:
        TypeError: parts that are none of these. ValueError: an unknown scan.

    Source: Geman and Geman (1984); Bishop (2006), section 11.3. A kernel in place of a conditional leaves the same law
        invariant; its state is found anew whenever another part has moved.

    Example:
        >>> import jax, suffice as sf
        >>> def given(other):  # of a bivariate normal law with correlation 0.9
        ...     return lambda key, p: 0.9 * p[other] + 0.19**0.5 * jax.random.normal(key)
        >>> f = lambda p: -0.5 * (p["a"]**2 - 1.8 * p["a"] * p["b"] + p["b"]**2) / 0.19
        >>> kernel = sf.Gibbs({"a": given("b"), "b": given("a")})
        >>> sf.sample(f, {"a": 0.0, "b": 0.0}, kernel=kernel, rng=0).draws["a"].shape
        (4, 1000)
    """

    composite = True

    def __init__(self, parts: Mapping[str, Any], scan: str = "systematic"):
        if scan not in ("systematic", "random"):
            raise ValueError(f"scan must be systematic or random, got {scan!r}")
        for name, part in parts.items():
            if isinstance(part, Kernel) and part.composite:
                raise TypeError(
                    f"{name}: {type(part).__name__} cannot be a part, since it remembers more than its position"
                )
            if not callable(part) and not isinstance(part, Kernel):
                raise TypeError(f"{name} must be a function or settings of a kernel, got {type(part).__name__}")
        if not parts:
            raise ValueError("parts must name at least one part of the point")
        self.kernels = {name: part for name, part in parts.items() if isinstance(part, Kernel)}
        self.conditionals = {name: part for name, part in parts.items() if not isinstance(part, Kernel)}
        self.order, self.scan = tuple(parts), scan

    def tree_flatten(self) -> tuple[Any, Any]:
        """Numbers of its kernels, and the rest."""
        return (self.kernels,), (tuple(self.conditionals.items()), self.order, self.scan)

    @classmethod
    def tree_unflatten(cls, rest: Any, numbers: Any) -> "Gibbs":
        """The same from its parts, whatever the leaves are."""
        made = object.__new__(cls)
        (made.kernels,), (conditionals, made.order, made.scan) = numbers, rest
        made.conditionals = dict(conditionals)
        return made

    def __repr__(self) -> str:
        parts = {**self.conditionals, **self.kernels}
        return f"Gibbs({{{', '.join(f'{name!r}: {parts[name]}' for name in self.order)}}}, scan={self.scan!r})"

    def parts(self, state: State) -> dict[str, tuple[Kernel, State, Info, Any]]:
        """What warm-up tunes: the kernels, with their states, what their last steps told, and whether they moved."""
        return {name: (part, *state.memory[name]) for name, part in self.kernels.items()}

    def with_kernels(self, kernels: dict[str, Kernel]) -> "Gibbs":
        """The same with other settings of its kernels."""
        return Gibbs({name: kernels.get(name, self.conditionals.get(name)) for name in self.order}, self.scan)

    def started_at(self, position: dict[str, Any]) -> "Gibbs":
        """Settings with a number for each tuned field that has none."""
        return self.with_kernels(
            {name: part.started(position[name].reshape(-1)) for name, part in self.kernels.items()}
        )

    def build(self, log_density: LogDensity, maps: Maps | None = None) -> Algorithm:
        """The kernel of a log-density of dictionaries.

        Args:
            log_density: of a dictionary of arrays.
            maps: from such a dictionary to the point that conditionals take, and from a name and a value they return back;
                by default they take the dictionary itself.
        """
        outwards, inwards = maps if maps is not None else (lambda p: p, lambda name, value: value)

        def inner(name: str, position: dict[str, Any]) -> Algorithm:
            return self.kernels[name].build(lambda part: log_density({**position, name: part}))

        def init(position: dict[str, Any], rng_key: Any = None) -> State:
            unknown = set(position) ^ set(self.order)
            if unknown:
                raise ValueError(
                    f"Gibbs needs a rule for each part of a point and no others: {', '.join(sorted(unknown))}"
                )
            position = jax.tree.map(jnp.asarray, dict(position))
            blocks = {
                n: Block(inner(n, position).init(position[n]), told(0.0), jnp.asarray(False)) for n in self.kernels
            }
            return State(position, jnp.asarray(log_density(position)), (), blocks)

        def drawn(name: str, key: jax.Array, state: State) -> tuple[State, Info]:
            position = state.position
            if name in self.conditionals:
                value = inwards(name, self.conditionals[name](key, outwards(position)))
                moved = {**position, name: jnp.asarray(value, position[name].dtype).reshape(position[name].shape)}
                return State(moved, state.log_density, (), state.memory), told(1.0, 0)
            algorithm = inner(name, position)
            block, info = algorithm.step(
                key, algorithm.init(position[name])._replace(memory=state.memory[name].state.memory)
            )
            info = info._replace(evaluations=info.evaluations + 1)  # one to begin with, for the others have moved
            memory = {**state.memory, name: Block(block, info, jnp.asarray(True))}
            return State({**position, name: block.position}, block.log_density, (), memory), info

        def step(key: jax.Array, state: State) -> tuple[State, Info]:
            still = {n: b._replace(moved=jnp.asarray(False)) for n, b in state.memory.items()}
            state, infos = state._replace(memory=still), []
            for i, name in enumerate(self.order):
                own = jax.random.fold_in(key, i)
                if self.scan == "random":
                    chosen = jax.random.randint(jax.random.fold_in(own, 0), (), 0, len(self.order))
                    ways = [lambda k, s, name=name: drawn(name, k, s) for name in self.order]
                    state, info = jax.lax.switch(chosen, ways, jax.random.fold_in(own, 1), state)
                else:
                    state, info = drawn(name, own, state)
                infos.append(info)
            together = jax.tree.map(lambda *x: jnp.stack(x), *infos)
            known = (
                self.scan != "random" and self.order[-1] in self.kernels
            )  # then the last block has seen the whole point
            info = told(
                together.acceptance.mean(),
                together.evaluations.sum() + (0 if known else 1),
                together.divergent.any(),
                jnp.nan,
                together.depth.max(),
            )
            return state if known else state._replace(log_density=jnp.asarray(log_density(state.position))), info

        return Algorithm(init, step)


@dataclass(frozen=True)
class OverRelaxed:
    """Adler's over-relaxation of a normal conditional: z* = μ + α (z − μ) + σ √(1 − α²) n, as a part of ``sf.Gibbs``.

    Args:
        name: of the part.
        conditional: function of the point that returns mean and standard deviation of that part given the rest.
        alpha: in (−1, 1): below 0 the draw goes to the other side of the mean, at 0 it is Gibbs sampling.

    Raises:
        ValueError: alpha is not in (−1, 1).

    Source: Adler (1981); Bishop (2006), equation 11.50.

    Example:
        >>> import suffice as sf
        >>> def given(other):
        ...     return lambda p: (0.9 * p[other], 0.19**0.5)
        >>> kernel = sf.Gibbs({a: sf.OverRelaxed(a, given(b), -0.9) for a, b in (("a", "b"), ("b", "a"))})
        >>> f = lambda p: -0.5 * (p["a"]**2 - 1.8 * p["a"] * p["b"] + p["b"]**2) / 0.19
        >>> sf.sample(f, {"a": 0.0, "b": 0.0}, kernel=kernel, draws=100, warmup=0, rng=0).draws["a"].shape
        (4, 100)
    """

    name: str
    conditional: Callable[[dict[str, Any]], tuple[Any, Any]]
    alpha: float = -0.9

    def __post_init__(self) -> None:
        if not -1.0 < self.alpha < 1.0:
            raise ValueError(f"alpha must be in (−1, 1), got {self.alpha}")

    def __call__(self, key: jax.Array, point: dict[str, Any]) -> jax.Array:
        now = point[self.name]
        mean, deviation = self.conditional(point)
        noise = variates.normal(key, jnp.shape(now), now.dtype)
        return mean + self.alpha * (now - mean) + deviation * (1.0 - self.alpha**2) ** 0.5 * noise


@dataclass(frozen=True)
class OrderedOverRelaxed:
    """Ordered over-relaxation of any scalar conditional: among K draws and the present value, that of the mirrored rank.

    Args:
        name: of the part, a number.
        conditional: function of a key and the point that returns a draw of that part given the rest.
        count: K, draws at each step.

    Source: Neal (1998), "Suppressing random walks by ordered overrelaxation".

    Example:
        >>> import jax, suffice as sf
        >>> rule = sf.OrderedOverRelaxed("x", lambda key, p: jax.random.exponential(key), count=10)
        >>> f = lambda p: -p["x"]
        >>> chains = sf.sample(f, {"x": 1.0}, {"x": "positive"}, kernel=sf.Gibbs({"x": rule}), draws=100, warmup=0, rng=0)
        >>> chains.draws["x"].shape
        (4, 100)
    """

    name: str
    conditional: Conditional
    count: int = 10

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"count must be >= 1, got {self.count}")

    def __call__(self, key: jax.Array, point: dict[str, Any]) -> jax.Array:
        of_draws, of_ties = jax.random.split(key)
        now = point[self.name]
        if jnp.ndim(now) != 0:
            raise ValueError(f"{self.name} must be a number: arrays have no order")
        draws = jax.vmap(lambda k: jnp.asarray(self.conditional(k, point), now.dtype))(
            jax.random.split(of_draws, self.count)
        )
        below, equal = (draws < now).sum(), (draws == now).sum()
        rank = below + jax.random.randint(of_ties, (), 0, equal + 1)
        ordered = jnp.sort(jnp.concatenate([draws, now[None]]))
        return ordered[self.count - rank]
