"""Where a point lives that is made of named arrays, each in its domain: flat unconstrained vectors and back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.array_domain import ordered, simplex
from suffice.numerics.domain import Domain, Interval, Shaped, non_negative, positive, real, unit_open
from suffice.numerics.matrix_domain import correlation, positive_definite

_NAMED = {
    "real": real, "positive": positive, "non_negative": non_negative, "unit": unit_open, "simplex": simplex, "ordered": ordered,
    "correlation": correlation, "positive_definite": positive_definite,
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One array of a point: its name, domain and shape, and where its numbers lie among the unconstrained ones."""

    name: str
    domain: Domain
    shape: tuple[int, ...]
    begin: int

    @cached_property
    def real_shape(self) -> tuple[int, ...]:
        return self.domain.real_shape(self.shape)

    @property
    def place(self) -> slice:
        return slice(self.begin, self.begin + int(np.prod(self.real_shape)))


@dataclass(frozen=True)
class Space:
    """The points a log-density takes: an array by itself, or a dictionary of arrays.

    Attributes:
        parts: the arrays, in the order of their names.
        single: whether a point is one array, not a dictionary.
    """

    parts: tuple[Part, ...]
    single: bool

    @classmethod
    def of(cls, domains: Any, point: Any = None) -> "Space":
        """The space of a point, or of domains that know their shapes.

        Args:
            domains: a domain (or its name, a pair of ends, ``domain.array(shape)``), or a dictionary of such by name; None
                is the whole line, and so is what a dictionary does not name.
            point: an array or a dictionary of arrays, from which shapes are taken.

        Raises:
            TypeError: a domain that is none. ValueError: names or shapes of the two do not fit.
        """
        if isinstance(domains, dict) or isinstance(point, dict):
            space = cls(tuple(_named(domains, point)), False)
        else:
            space = cls(_parts([("x", domains, point)]), True)
        if space.dimension == 0:
            raise ValueError("a point must hold at least one number")
        return space

    @property
    def dimension(self) -> int:
        """Number of unconstrained coordinates."""
        return self.parts[-1].place.stop if self.parts else 0

    def from_real(self, v: Any) -> Any:
        """The point of an unconstrained vector (d,)."""
        found = {p.name: p.domain.from_real(v[p.place].reshape(p.real_shape)) for p in self.parts}
        return found["x"] if self.single else found

    def to_real(self, point: Any) -> np.ndarray:
        """The unconstrained vector of a point inside the space.

        Raises:
            ValueError: a name is missing, a shape is another, a value lies outside its domain or on its end.
        """
        given = {"x": point} if self.single else point
        missing = [p.name for p in self.parts if p.name not in given]
        if missing or set(given) - {p.name for p in self.parts}:
            known = ", ".join(p.name for p in self.parts)
            raise ValueError(f"a point must hold {known}, got {', '.join(map(str, given)) or 'nothing'}")
        return np.concatenate([_inside(p, given[p.name]) for p in self.parts])

    def split(self, v: Any) -> dict[str, Any]:
        """The unconstrained coordinates by name, each in its own shape."""
        return {p.name: v[p.place].reshape(p.real_shape) for p in self.parts}

    def joined(self, parts: dict[str, Any]) -> Any:
        """One vector from unconstrained coordinates by name."""
        return jnp.concatenate([parts[p.name].reshape(-1) for p in self.parts])

    def part_to_real(self, name: str, value: Any) -> Any:
        """Unconstrained coordinates of one array, inside compiled code."""
        part = next(p for p in self.parts if p.name == name)
        return part.domain.to_real(jnp.broadcast_to(jnp.asarray(value, float), part.shape))

    def log_jacobian(self, v: jax.Array) -> jax.Array:
        """log |det ∂x/∂v|, which a density of x gains as one of v."""
        total = jnp.zeros((), v.dtype)
        for p in self.parts:
            if p.domain is not real:
                total = total + p.domain.log_jacobian(v[p.place].reshape(p.real_shape))
        return total

    def log_density(self, given: Callable[[Any], Any]) -> Callable[[jax.Array], jax.Array]:
        """A log-density of points as one of unconstrained vectors; −∞ where it is NaN."""

        def at(v: jax.Array) -> jax.Array:
            value = jnp.asarray(given(self.from_real(v)), v.dtype) + self.log_jacobian(v)
            return jnp.where(jnp.isnan(value), -jnp.inf, value)

        return at

    def numbers(self) -> Iterator[tuple[str, tuple[int, ...], str]]:
        """The free numbers of a point: name of the array, index in it, and both as one label: "tau", "theta[0]"."""
        for p in self.parts:
            k = len(p.shape) - p.domain.event_ndim
            for lead in np.ndindex(*p.shape[:k]):
                for inner in p.domain.places(p.shape[k:]):
                    index = (*lead, *inner)
                    yield p.name, index, p.name if not index else f"{p.name}[{','.join(map(str, index))}]"

    @cached_property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the unconstrained coordinates: "tau", "theta[0]"."""
        return tuple(
            p.name if p.real_shape == () else f"{p.name}[{','.join(map(str, i))}]"
            for p in self.parts
            for i in np.ndindex(*p.real_shape)
        )


def _named(domains: Any, point: Any) -> tuple[Part, ...]:
    if point is None:
        return _parts([(name, domains[name], None) for name in sorted(domains)])
    if not isinstance(point, dict) or not (domains is None or isinstance(domains, dict)):
        raise ValueError("a dictionary of domains needs a point that is a dictionary, and the other way round")
    unknown = sorted(set(domains or ()) - set(point))
    if unknown:
        raise ValueError(f"domains: {', '.join(unknown)} is not in the point")
    return _parts([(name, (domains or {}).get(name), point[name]) for name in sorted(point)])


def _parts(given: list[tuple[str, Any, Any]]) -> tuple[Part, ...]:
    return tuple(_placed(given))


def _placed(given: list[tuple[str, Any, Any]]) -> Iterator[Part]:
    begin = 0
    for name, space, point in given:
        shaped = as_shaped(space)
        if isinstance(point, dict):
            raise TypeError(f"{name} must be an array: a point is an array or a dictionary of arrays, not nested")
        shape = shaped.shape if point is None else np.shape(point)
        if point is not None and isinstance(space, Shaped) and shape != shaped.shape:
            raise ValueError(f"{name} must have shape {shaped.shape}, got {shape}")
        if len(shape) < shaped.domain.event_ndim:
            raise ValueError(
                f"{name} needs a shape: its domain is of arrays, write domain.array(shape), or give a point"
            )
        part = Part(str(name), shaped.domain, shape, begin)
        _check_map(part)
        yield part
        begin = part.place.stop


def _check_map(part: Part) -> None:
    """Refuse domains that have no smooth one-to-one map to as many real numbers."""
    domain, own = part.domain, type(part.domain).log_jacobian is not Domain.log_jacobian
    if getattr(domain, "integer", False):
        raise ValueError(f"{part.name} must be continuous, got {domain}")
    event = part.shape[len(part.shape) - domain.event_ndim :]
    free = sum(1 for _ in domain.places(event))
    if not own and domain.event_ndim and free != np.prod(domain.real_shape(event)):
        raise ValueError(f"{part.name}: {type(domain).__name__} has no map to as many real numbers")


def as_shaped(value: Any) -> Shaped:
    """A domain with its shape, from whatever names one.

    Raises:
        TypeError: it names none. ValueError: an unknown name, or a pair of ends inside out.
    """
    if isinstance(value, Shaped):
        return Shaped(as_shaped(value.domain).domain, value.shape)
    if value is None:
        return Shaped(real, ())
    if isinstance(value, Domain):
        return Shaped(value, ())
    if isinstance(value, str):
        if value not in _NAMED:
            raise ValueError(f"a domain must be among {', '.join(_NAMED)}, got {value!r}")
        return Shaped(_NAMED[value], ())
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(end, int | float) for end in value):
        low, high = map(float, value)
        if not low < high:
            raise ValueError(f"a domain's lower end must be below its upper one, got {value}")
        return Shaped(_between(low, high), ())
    raise TypeError(f"a domain must be one, or its name, or a pair of ends, got {type(value).__name__}")


@cache
def _between(low: float, high: float) -> Interval:
    """One object for equal ends, so that programs are compiled once."""
    return Interval(low, high)


def _inside(part: Part, value: Any) -> np.ndarray:
    x = np.asarray(value, float)
    if x.shape != part.shape:
        raise ValueError(f"{part.name} must have shape {part.shape}, got {x.shape}")
    inside = np.asarray(part.domain.contains(x))
    if not np.all(inside):
        at = tuple(map(int, np.argwhere(~inside)[0]))
        name = f"{part.name}[{','.join(map(str, at))}]" if at else part.name
        raise ValueError(f"{name} must be {part.domain}, got {x[at]}")
    v = np.asarray(part.domain.to_real(x)).reshape(-1)
    if not np.all(np.isfinite(v)):
        raise ValueError(f"{part.name} must lie inside its domain, not on its end: {part.domain}, got {value}")
    return v
