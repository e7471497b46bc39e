"""Domains of vectors: probabilities, counts, directions, vectors of entries and of blocks."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.domain import INF, Domain, Interval, positive, real, unit
from suffice.numerics.moments import namespace

ROUNDING = 2.0**-21  # of float32, from which values may come
COSINES = Interval(-1.0, 1.0, closed=(True, True))


@dataclass(frozen=True, eq=False)
class Vector(Domain):
    """Vectors whose entries each lie in one domain; of a domain of vectors, matrices."""

    each: Domain = real

    @property
    def event_ndim(self) -> int:
        return self.each.event_ndim + 1

    def contains(self, x: Any) -> Any:
        return namespace(x).all(self.each.contains(x), axis=-1)

    def of(self, index: tuple[int, ...]) -> Domain:
        return self.each.of(index[1:])

    def interior(self, shape: tuple[int, ...] = ()) -> Any:
        inner = jnp.asarray(self.each.interior(shape[1:]))
        return jnp.broadcast_to(inner, np.broadcast_shapes(inner.shape, shape))

    def to_real(self, x: Any) -> Any:
        return self.each.to_real(x)

    def from_real(self, v: Any) -> Any:
        return self.each.from_real(v)

    def __str__(self) -> str:
        return f"a vector, each entry {self.each}"


@dataclass(frozen=True, eq=False)
class Blocks(Domain):
    """Vectors made of pieces one after the other, each in a domain of its own; with the shapes of the pieces."""

    blocks: tuple[tuple[Domain, tuple[int, ...]], ...]

    @property
    def event_ndim(self) -> int:
        return 1

    @staticmethod
    def pieces(x: Any, shapes: Iterable[tuple[int, ...]]) -> list[Any]:
        """A vector's pieces: numbers where their shape is (), else vectors."""
        at, found = 0, []
        for shape in shapes:
            found.append(x[..., at : at + shape[0]] if shape else x[..., at])
            at += shape[0] if shape else 1
        return found

    def contains(self, x: Any) -> Any:
        values = self.pieces(x, [shape for _, shape in self.blocks])
        inside = namespace(x).ones(x.shape[:-1], bool)
        for (domain, _), value in zip(self.blocks, values, strict=True):
            inside = inside & domain.contains(value)
        return inside

    def interior(self, shape: tuple[int, ...] = ()) -> Any:
        values = [jnp.asarray(d.interior(shape), float) for d, shape in self.blocks]
        values = [v if shape else v[..., None] for v, (_, shape) in zip(values, self.blocks, strict=True)]
        lead = np.broadcast_shapes(*(v.shape[:-1] for v in values))
        return jnp.concatenate([jnp.broadcast_to(v, lead + v.shape[-1:]) for v in values], axis=-1)

    def __str__(self) -> str:
        return f"a vector of {', '.join(str(domain) for domain, _ in self.blocks)}"


@dataclass(frozen=True, eq=False)
class AnyOf(Domain):
    """Values that lie in at least one of several domains of one kind."""

    domains: tuple[Domain, ...]

    @property
    def event_ndim(self) -> int:
        return self.domains[0].event_ndim

    def contains(self, x: Any) -> Any:
        inside = self.domains[0].contains(x)
        for domain in self.domains[1:]:
            inside = inside | domain.contains(x)
        return inside

    def interior(self, shape: tuple[int, ...] = ()) -> Any:
        return self.domains[0].interior(shape)

    def __str__(self) -> str:
        return " or ".join(dict.fromkeys(map(str, self.domains)))


@dataclass(frozen=True, eq=False)
class Logits(Domain):
    """Unnormalised log-probabilities of K classes on the last axis; a common shift changes nothing, −inf is allowed.

    The unconstrained space has K − 1 coordinates: differences to the last class.
    """

    @property
    def event_ndim(self) -> int:
        return 1

    def interior(self, shape: tuple[int, ...] = ()) -> Any:
        return jnp.zeros(shape)

    def of(self, index: tuple[int, ...]) -> Domain:
        return real

    def contains(self, x: Any) -> Any:
        xp = namespace(x)
        return xp.all(x < INF, axis=-1) & xp.any(x > -INF, axis=-1)

    def real_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*shape[:-1], shape[-1] - 1)

    def to_real(self, x: Any) -> Any:
        return x[..., :-1] - x[..., -1:]

    def from_real(self, v: Any) -> Any:
        return jnp.concatenate([v, jnp.zeros((*v.shape[:-1], 1), v.dtype)], axis=-1)

    def __str__(self) -> str:
        return "below infinity, at least one of them finite"


@dataclass(frozen=True, eq=False)
class Simplex(Logits):
    """Probabilities of K classes on the last axis: at least 0, summing to 1; unconstrained as log-ratios to the last."""

    def interior(self, shape: tuple[int, ...] = ()) -> Any:
        return jnp.full(shape, 1.0 / shape[-1])

    def of(self, index: tuple[int, ...]) -> Domain:
        return unit

    def contains(self, x: Any) -> Any:
        xp = namespace(x)
        return xp.all(x >= 0, axis=-1) & (xp.abs(x.sum(-1) - 1) <= ROUNDING * x.shape[-1])

    def to_real(self, x: Any) -> Any:
        return super().to_real(namespace(x).log(x))

    def from_real(self, v: Any) -> Any:
        return jax.nn.softmax(super().from_real(v), axis=-1)

    def log_jacobian(self, v: Any) -> Any:
        return jax.nn.log_softmax(super().from_real(v), axis=-1).sum()

    def __str__(self) -> str:
        return "at least 0 and summing to 1"


@dataclass(frozen=True, eq=False)
class Ordered(Domain):
    """Vectors whose entries rise; unconstrained: the first, and the logarithms of the steps."""

    @property
    def event_ndim(self) -> int:
        return 1

    def contains(self, x: Any) -> Any:
        xp = namespace(x)
        return xp.all(xp.isfinite(x), axis=-1) & xp.all(x[..., 1:] > x[..., :-1], axis=-1)

    def interior(self, shape: tuple[int, ...] = ()) -> Any:
        return jnp.broadcast_to(jnp.arange(float(shape[-1])), shape)

    def of(self, index: tuple[int, ...]) -> Domain:
        return real

    def to_real(self, x: Any) -> Any:
        xp = namespace(x)
        return xp.concatenate([x[..., :1], xp.log(xp.diff(x, axis=-1))], axis=-1)

    def from_real(self, v: Any) -> Any:
        return jnp.cumsum(jnp.concatenate([v[..., :1], jnp.exp(v[..., 1:])], axis=-1), axis=-1)

    def log_jacobian(self, v: Any) -> Any:
        return v[..., 1:].sum()

    def __str__(self) -> str:
        return "in rising order"


@dataclass(frozen=True, eq=False)
class CountsOf(Domain):
    """Vectors of integers >= 0 with a given sum."""

    total: Any

    @property
    def event_ndim(self) -> int:
        return 1

    def contains(self, x: Any) -> Any:
        xp = namespace(x)
        return xp.all((x >= 0) & (x == xp.floor(x)), axis=-1) & (x.sum(-1) == self.total)

    def interior(self, shape: tuple[int, ...] = ()) -> Any:
        first = jnp.arange(shape[-1]) == 0
        return jnp.where(first, jnp.asarray(self.total, float)[..., None], 0.0)

    def __str__(self) -> str:
        return "a vector of integers >= 0 with the sum total_count"


@dataclass(frozen=True, eq=False)
class Sphere(Domain):
    """Unit vectors; unconstrained as their stereographic projection, which leaves out (−1, 0, …, 0)."""

    @property
    def event_ndim(self) -> int:
        return 1

    def of(self, index: tuple[int, ...]) -> Domain:
        return COSINES

    def contains(self, x: Any) -> Any:
        return namespace(x).abs((x * x).sum(-1) - 1.0) <= ROUNDING * x.shape[-1]

    def interior(self, shape: tuple[int, ...] = ()) -> Any:
        return (jnp.arange(shape[-1]) == 0).astype(float)

    def real_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*shape[:-1], shape[-1] - 1)

    def to_real(self, x: Any) -> Any:
        return x[..., 1:] / (1.0 + x[..., :1])

    def from_real(self, v: Any) -> Any:
        square = (v * v).sum(-1, keepdims=True)
        return jnp.concatenate([1.0 - square, 2.0 * v], axis=-1) / (1.0 + square)

    def __str__(self) -> str:
        return "a vector of length 1"


vector = Vector()
positive_vector = Vector(positive)
matrix = Vector(vector)
logits = Logits()
simplex = Simplex()
ordered = Ordered()
sphere = Sphere()
