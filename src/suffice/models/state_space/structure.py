"""Structural time series: a series as the sum of a level, a trend, seasons, cycles, each a small state space.

A part has deviations and other numbers to be estimated, each with its domain; a sum of parts has those of all of them.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from suffice.models.state_space.model import StateSpaceModel, stationary
from suffice.numerics import domain
from suffice.numerics.domain import Domain


class Block(NamedTuple):
    """One part's states: transition, covariance of their noise, what is observed of them, first covariance."""

    transition: jax.Array | np.ndarray
    covariance: jax.Array
    observation: np.ndarray
    initial: jax.Array | None = None  # where they are stationary; otherwise they are diffuse


@dataclass(frozen=True)
class Structure:
    """What parts have in common: they add, and ``fit_state_space`` estimates their numbers."""

    def __add__(self, other: "Structure") -> "Sum":
        return Sum((*self.parts, *other.parts))

    @property
    def parts(self) -> tuple["Structure", ...]:
        return (self,)

    @property
    def name(self) -> str:
        return type(self).__name__

    def numbers(self) -> dict[str, Domain]:
        """What is estimated, by name: variances are in squares of the series' unit."""
        raise NotImplementedError

    def block(self, values: dict[str, Any]) -> Block:
        """The states, given the numbers; covariances are proportional to the variances together."""
        raise NotImplementedError


@dataclass(frozen=True)
class LocalLevel(Structure):
    """A level that wanders: z_{t+1} = z_t + N(0, variance).

    Example:
        >>> import suffice as sf
        >>> fit = sf.fit_state_space(sf.LocalLevel(), [1.0, 3.0, 2.0, 5.0, 4.0, 7.0, 6.0])
        >>> list(fit.parameters)
        ['level.variance', 'noise.variance']
    """

    @property
    def name(self) -> str:
        return "level"

    def numbers(self) -> dict[str, Domain]:
        return {"variance": domain.non_negative}

    def block(self, values: dict[str, Any]) -> Block:
        return Block(np.eye(1), jnp.reshape(values["variance"], (1, 1)), np.ones(1))


@dataclass(frozen=True)
class LocalTrend(Structure):
    """A level with a slope, both wandering: level += slope + N(0, level_variance), slope += N(0, slope_variance).

    Args:
        smooth: without noise of the level: an integrated random walk.
    """

    smooth: bool = False

    @property
    def name(self) -> str:
        return "trend"

    def numbers(self) -> dict[str, Domain]:
        slope: dict[str, Domain] = {"slope_variance": domain.non_negative}
        return slope if self.smooth else {"level_variance": domain.non_negative, **slope}

    def block(self, values: dict[str, Any]) -> Block:
        noise = jnp.stack([jnp.asarray(values.get("level_variance", 0.0)), jnp.asarray(values["slope_variance"])])
        return Block(np.array([[1.0, 1.0], [0.0, 1.0]]), jnp.diag(noise), np.array([1.0, 0.0]))


@dataclass(frozen=True)
class Seasonal(Structure):
    """A pattern that repeats and changes slowly: the sum over one period is N(0, variance).

    Args:
        period: number of times after which it repeats, >= 2.
    """

    period: int

    def __post_init__(self) -> None:
        if not isinstance(self.period, int | np.integer) or self.period < 2:
            raise ValueError(f"Seasonal.period must be an integer >= 2, got {self.period}")

    @property
    def name(self) -> str:
        return f"seasonal{self.period}"

    def numbers(self) -> dict[str, Domain]:
        return {"variance": domain.non_negative}

    def block(self, values: dict[str, Any]) -> Block:
        n = self.period - 1
        move = np.eye(n, k=-1)
        move[0] = -1.0
        noise = jnp.zeros((n, n)).at[0, 0].set(values["variance"])
        return Block(move, noise, np.eye(n)[0])


@dataclass(frozen=True)
class Cycle(Structure):
    """A damped oscillation of random phase: a rotation by 2π/period and a shrinkage by ``damping``, with noise.

    Args:
        longest: bound of the period; the shortest is 2.
    """

    longest: float = 1e3

    def __post_init__(self) -> None:
        if not 2.0 < self.longest < np.inf:
            raise ValueError(f"Cycle.longest must be > 2 and finite, got {self.longest}")

    @property
    def name(self) -> str:
        return "cycle"

    def numbers(self) -> dict[str, Domain]:
        return {
            "variance": domain.non_negative,
            "period": domain.Interval(2.0, self.longest),
            "damping": domain.Interval(0.0, 1.0),
        }

    def block(self, values: dict[str, Any]) -> Block:
        angle, rho = 2.0 * jnp.pi / values["period"], values["damping"]
        c, s = rho * jnp.cos(angle), rho * jnp.sin(angle)
        noise = values["variance"] * jnp.eye(2)
        return Block(
            jnp.stack([jnp.stack([c, s]), jnp.stack([-s, c])]), noise, np.array([1.0, 0.0]), noise / (1.0 - rho**2)
        )


@dataclass(frozen=True)
class Autoregressive(Structure):
    """A stationary autoregression: z_t = Σ_j phi_j z_{t−j} + N(0, variance).

    Estimated in partial autocorrelations, each between −1 and 1, which are all the stationary ones and no others
    (Barndorff-Nielsen and Schou 1973); coefficients are those of ``autoregression``.

    Args:
        order: p, >= 1.
    """

    order: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.order, int | np.integer) or self.order < 1:
            raise ValueError(f"Autoregressive.order must be an integer >= 1, got {self.order}")

    @property
    def name(self) -> str:
        return f"ar{self.order}"

    def numbers(self) -> dict[str, Domain]:
        found: dict[str, Domain] = {"variance": domain.non_negative}
        return found | {f"partial[{j}]": domain.Interval(-1.0, 1.0) for j in range(1, self.order + 1)}

    def block(self, values: dict[str, Any]) -> Block:
        p = self.order
        phi = coefficients(jnp.stack([jnp.asarray(values[f"partial[{j}]"]) for j in range(1, p + 1)]))
        move = jnp.asarray(np.eye(p, k=-1)).at[0].set(phi)
        noise = jnp.zeros((p, p)).at[0, 0].set(values["variance"])
        return Block(move, noise, np.eye(p)[0], stationary(move, noise, np.ones(p, bool)))


def coefficients(partial: jax.Array) -> jax.Array:
    """Coefficients of the autoregression with these partial autocorrelations: the recursion of Durbin and Levinson."""
    phi = partial[:0]
    for k in range(len(partial)):
        phi = jnp.concatenate([phi - partial[k] * phi[::-1], partial[k : k + 1]])
    return phi


@dataclass(frozen=True)
class Sum(Structure):
    """Several parts, each observed only in their sum."""

    terms: tuple[Structure, ...]

    @property
    def parts(self) -> tuple[Structure, ...]:
        return self.terms


def numbers_of(structure: Structure, noise: bool) -> dict[str, Domain]:
    """All numbers by qualified name; parts of one name are counted."""
    found = {
        f"{label}.{name}": kind for label, part in labelled(structure).items() for name, kind in part.numbers().items()
    }
    return found | ({"noise.variance": domain.non_negative} if noise else {})


def labelled(structure: Structure) -> dict[str, Structure]:
    """The parts by name, with a count where a name comes again."""
    found: dict[str, Structure] = {}
    for part in structure.parts:
        label, count = part.name, 1
        while label in found:
            count += 1
            label = f"{part.name}_{count}"
        found[label] = part
    return found


def assemble(structure: Structure, values: dict[str, Any]) -> StateSpaceModel:
    """The model with these numbers."""
    blocks = []
    for label, part in labelled(structure).items():
        own = {k.removeprefix(f"{label}."): v for k, v in values.items() if k.startswith(f"{label}.")}
        blocks.append(part.block(own))
    unknown = [np.full(len(b.transition), b.initial is None) for b in blocks]
    first = [jnp.zeros_like(b.covariance) if b.initial is None else b.initial for b in blocks]
    along = jax.scipy.linalg.block_diag
    return StateSpaceModel(
        along(*[b.transition for b in blocks]),
        along(*[b.covariance for b in blocks]),
        np.concatenate([b.observation for b in blocks]),
        values.get("noise.variance", 0.0),
        initial_covariance=along(*first),
        diffuse=np.concatenate(unknown),
    )
