"""Domains of vectors and matrices: probabilities, counts, directions, covariances, correlations."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics import linalg
from suffice.numerics.domain import INF, Domain, Interval, positive, real, unit
from suffice.numerics.moments import namespace

_ROUNDING = 2.0**-21  # of float32, from which values may come
_COSINES = Interval(-1.0, 1.0, closed=(True, True))


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
        return xp.all(x >= 0, axis=-1) & (xp.abs(x.sum(-1) - 1) <= _ROUNDING * x.shape[-1])

    def to_real(self, x: Any) -> Any:
        return super().to_real(namespace(x).log(x))

    def from_real(self, v: Any) -> Any:
        return jax.nn.softmax(super().from_real(v), axis=-1)

    def __str__(self) -> str:
        return "at least 0 and summing to 1"


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
        return _COSINES

    def contains(self, x: Any) -> Any:
        return namespace(x).abs((x * x).sum(-1) - 1.0) <= _ROUNDING * x.shape[-1]

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


@dataclass(frozen=True, eq=False)
class Triangular(Domain):
    """Lower triangular matrices with a diagonal >= 0: Cholesky factors, singular ones with zeros on the diagonal.

    Unconstrained: the lower triangle by rows, with logarithms on the diagonal.
    """

    @property
    def event_ndim(self) -> int:
        return 2

    def of(self, index: tuple[int, ...]) -> Domain:
        return positive if index[0] == index[1] else real

    def contains(self, x: Any) -> Any:
        xp = namespace(x)
        diagonal = xp.diagonal(x, axis1=-2, axis2=-1)
        lower = xp.all(xp.triu(x, 1) == 0.0, axis=(-2, -1))
        return lower & xp.all(diagonal >= 0.0, axis=-1) & xp.all(xp.isfinite(x), axis=(-2, -1))

    def interior(self, shape: tuple[int, ...] = ()) -> Any:
        return jnp.eye(shape[-1])

    def places(self, shape: tuple[int, ...]) -> Iterable[tuple[int, ...]]:
        return ((i, j) for i in range(shape[-1]) for j in range(i + 1))

    def real_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*shape[:-2], shape[-1] * (shape[-1] + 1) // 2)

    def to_real(self, x: Any) -> Any:
        xp, rows, columns = namespace(x), *np.tril_indices(x.shape[-1])
        v, diagonal = x[..., rows, columns], rows == columns
        return xp.where(diagonal, xp.log(xp.where(diagonal, v, 1.0)), v)

    def from_real(self, v: Any) -> Any:
        rows, columns = np.tril_indices(linalg.size_of_packed(v.shape[-1]))
        diagonal = rows == columns
        return linalg.unpack(jnp.where(diagonal, jnp.exp(jnp.where(diagonal, v, 0.0)), v))

    def __str__(self) -> str:
        return "a lower triangular matrix with a diagonal >= 0"


@dataclass(frozen=True, eq=False)
class Symmetric(Domain):
    """Symmetric matrices that are positive definite, or, with ``singular``, at least semidefinite.

    Unconstrained: the Cholesky factor's lower triangle, with logarithms on the diagonal.
    """

    singular: bool = False

    @property
    def event_ndim(self) -> int:
        return 2

    def of(self, index: tuple[int, ...]) -> Domain:
        return positive if index[0] == index[1] else real

    def contains(self, x: Any) -> Any:
        if x.shape[-1] != x.shape[-2]:
            return np.zeros(x.shape[:-2], bool)
        return linalg.is_symmetric(x) & linalg.is_positive(x, self.singular)

    def interior(self, shape: tuple[int, ...] = ()) -> Any:
        return jnp.eye(shape[-1])

    def places(self, shape: tuple[int, ...]) -> Iterable[tuple[int, ...]]:
        return triangular.places(shape)

    def real_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return triangular.real_shape(shape)

    def to_real(self, x: Any) -> Any:
        return triangular.to_real(namespace(x).linalg.cholesky(x))

    def from_real(self, v: Any) -> Any:
        return linalg.gram(triangular.from_real(v))

    def __str__(self) -> str:
        return f"symmetric and positive {'semidefinite' if self.singular else 'definite'}"


@dataclass(frozen=True, eq=False)
class Correlation(Domain):
    """Correlation matrices: positive definite, with ones on the diagonal.

    Unconstrained: the inverse hyperbolic tangents of the partial correlations given by the Cholesky factor's rows
    (Lewandowski, Kurowicka and Joe 2009).
    """

    @property
    def event_ndim(self) -> int:
        return 2

    def of(self, index: tuple[int, ...]) -> Domain:
        return _COSINES

    def contains(self, x: Any) -> Any:
        xp = namespace(x)
        ones = xp.abs(xp.diagonal(x, axis1=-2, axis2=-1) - 1.0) <= _ROUNDING * x.shape[-1]
        return xp.all(ones, axis=-1) & linalg.is_symmetric(x) & linalg.is_positive(x)

    def interior(self, shape: tuple[int, ...] = ()) -> Any:
        return jnp.eye(shape[-1])

    def places(self, shape: tuple[int, ...]) -> Iterable[tuple[int, ...]]:
        return ((i, j) for i in range(shape[-1]) for j in range(i))

    def real_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*shape[:-2], shape[-1] * (shape[-1] - 1) // 2)

    def to_real(self, x: Any) -> Any:
        factor = namespace(x).linalg.cholesky(x)
        below = jnp.cumsum(factor[..., ::-1] ** 2, axis=-1)[..., ::-1]  # what the entry and those after it leave
        rows, columns = np.tril_indices(x.shape[-1], -1)
        partial = factor[..., rows, columns] / jnp.sqrt(below[..., rows, columns])
        return jnp.arctanh(partial)

    def from_real(self, v: Any) -> Any:
        return linalg.gram(self.factor(v))

    def factor(self, v: jax.Array) -> jax.Array:
        """Cholesky factor of the correlation matrix with unconstrained coordinates ``v``."""
        d = int((2 * v.shape[-1]) ** 0.5) + 1
        place = (..., *np.tril_indices(d, -1))
        partial = linalg.diagonal(jnp.ones((*v.shape[:-1], d), v.dtype)).at[place].set(jnp.tanh(v))
        left = jnp.ones_like(partial).at[place].set(1.0 / jnp.cosh(v))
        remains = jnp.concatenate([jnp.ones_like(left[..., :1]), jnp.cumprod(left, axis=-1)[..., :-1]], axis=-1)
        return partial * remains

    def __str__(self) -> str:
        return "symmetric and positive definite with ones on the diagonal"


vector = Vector()
positive_vector = Vector(positive)
matrix = Vector(vector)
logits = Logits()
simplex = Simplex()
sphere = Sphere()
triangular = Triangular()
positive_definite = Symmetric()
positive_semidefinite = Symmetric(singular=True)
correlation = Correlation()
