"""Domains of matrices: triangular factors, covariances, correlations."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics import linalg
from suffice.numerics.array_domain import COSINES, ROUNDING
from suffice.numerics.domain import Domain, positive, real
from suffice.numerics.moments import namespace


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
        return COSINES

    def contains(self, x: Any) -> Any:
        xp = namespace(x)
        ones = xp.abs(xp.diagonal(x, axis1=-2, axis2=-1) - 1.0) <= ROUNDING * x.shape[-1]
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


triangular = Triangular()
positive_definite = Symmetric()
positive_semidefinite = Symmetric(singular=True)
correlation = Correlation()
