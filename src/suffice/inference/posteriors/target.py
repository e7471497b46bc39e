"""A log-density of the user's as a function of unconstrained coordinates."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from suffice.numerics.domain import Domain, Interval, positive, real, unit_open

_NAMED = {"real": real, "positive": positive, "unit": unit_open}


@dataclass(frozen=True)
class Target:
    """log p~ as given, with where its arguments live; ``log_density(v)`` is that of the unconstrained coordinates v.

    Attributes:
        given: the function of a point, unnormalised.
        start: a point, flat and unconstrained, (d,).
        restore: from a flat vector to the form of the point that the function takes.
        domains: of the d numbers.
        names: of the d numbers.
    """

    given: Callable[[Any], Any]
    start: np.ndarray
    restore: Callable[[Any], Any]
    domains: tuple[Domain, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, log_density: Callable[[Any], Any], start: Any, domains: Any = None) -> "Target":
        """Take a function of an array, or of a dictionary of arrays, and a point of its domain.

        Raises:
            TypeError: no function. ValueError: a start outside the domains, domains of another form than the start, or a
                log-density that is not a finite number there.
        """
        if not callable(log_density):
            raise TypeError(f"log_density must be a function, got {type(log_density).__name__}")
        point = jax.tree.map(lambda x: np.asarray(x, float), start)
        flat, restore = ravel_pytree(point)
        if not flat.size:
            raise ValueError("start must hold at least one number")
        spaces = _spaces(point, domains)
        values = np.asarray(flat)
        for name, value, space in zip(_names(point), values, spaces, strict=True):
            if not (np.isfinite(value) and space.contains(value)):
                raise ValueError(f"start: {name} must be {space}, got {value:g}")
        v = np.array([float(space.to_real(x)) for space, x in zip(spaces, values, strict=True)])
        target = cls(log_density, v, restore, spaces, _names(point))
        shape = jax.eval_shape(target.log_density, v).shape
        if shape != ():
            raise ValueError(f"log_density must return one number, got shape {shape}")
        at = float(target.log_density(jnp.asarray(v)))
        if not np.isfinite(at):
            raise ValueError(f"log_density must be finite at the start, got {at:g}")
        return target

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return len(self.start)

    @cached_property
    def _groups(self) -> list[tuple[Domain, np.ndarray]]:
        """Domains that occur, and where: each map is traced once."""
        found: dict[int, tuple[Domain, list[int]]] = {}
        for i, space in enumerate(self.domains):
            found.setdefault(id(space), (space, []))[1].append(i)
        return [(space, np.array(at)) for space, at in found.values()]

    def constrained(self, v: jax.Array) -> jax.Array:
        """The flat point of unconstrained coordinates, (..., d)."""
        x = v
        for space, at in self._groups:
            if space is not real:
                x = x.at[..., at].set(space.from_real(v[..., at]))
        return x

    def log_density(self, v: jax.Array) -> jax.Array:
        """log p~ at the image of v, plus the logarithm of the map's Jacobian; −inf where it is NaN."""
        v = jnp.asarray(v)
        added = jnp.zeros((), v.dtype)
        for space, at in self._groups:
            if space is not real:
                slope = jax.jvp(space.from_real, (v[at],), (jnp.ones_like(v[at]),))[1]
                added = added + jnp.log(jnp.abs(slope)).sum()
        value = jnp.asarray(self.given(self.restore(self.constrained(v)))) + added
        return jnp.where(jnp.isnan(value), -jnp.inf, value)


def _spaces(point: Any, domains: Any) -> tuple[Domain, ...]:
    """A domain for each number of a point."""
    size = sum(leaf.size for leaf in jax.tree.leaves(point))
    if domains is None:
        return (real,) * size
    if isinstance(domains, str | Domain) or _is_pair(domains):
        return (_space(domains),) * size
    if isinstance(domains, dict):
        if not isinstance(point, dict) or set(domains) - set(point):
            unknown = sorted(set(domains) - set(point)) if isinstance(point, dict) else sorted(domains)
            raise ValueError(f"domains: {', '.join(unknown)} is not in the start")
        return tuple(space for name in sorted(point) for space in _spaces(point[name], domains.get(name)))
    if len(domains) != size:
        raise ValueError(f"domains must be one for each of the {size} numbers, got {len(domains)}")
    return tuple(_space(d) for d in domains)


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(isinstance(v, int | float) for v in value)


def _space(value: Any) -> Domain:
    """A domain from its name, its two ends, or itself."""
    if isinstance(value, Domain):
        return value
    if isinstance(value, str):
        if value not in _NAMED:
            raise ValueError(f"domains must be among {', '.join(_NAMED)}, or pairs of ends, got {value!r}")
        return _NAMED[value]
    low, high = value
    if not low < high:
        raise ValueError(f"a domain's lower end must be below its upper one, got {value}")
    return Interval(float(low), float(high))


def _names(point: Any) -> tuple[str, ...]:
    """Names of the numbers of a point: "mu", "theta[0]", and "x[0]" where it is an array by itself."""
    if isinstance(point, dict):
        return tuple(name for key in sorted(point) for name in _indexed(str(key), point[key]))
    return _indexed("x", point)


def _indexed(name: str, value: Any) -> tuple[str, ...]:
    shape = np.shape(value)
    return (name,) if shape == () else tuple(f"{name}[{','.join(map(str, i))}]" for i in np.ndindex(*shape))
