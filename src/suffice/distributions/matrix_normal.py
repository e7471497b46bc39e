"""The normal distribution of matrices whose rows and columns covary separately."""

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.covariance import covariance_parameter
from suffice.distributions.declaration import parameter
from suffice.distributions.distribution import Distribution
from suffice.numerics import array_domain, domain, linalg, matrix_domain, variates

_LOG_2PI = math.log(2.0 * math.pi)


class MatrixNormal(Distribution):
    """Matrix normal distribution: p(X) ∝ exp(−½ tr V⁻¹ (X − loc)ᵀ U⁻¹ (X − loc)), Cov[X_ij, X_kl] = U_ik V_jl.

    Args:
        loc: mean, (..., n, m), in the unit of x.
        row_covariance: U, (..., n, n), symmetric positive definite; only the product of U and V is determined.
        column_covariance: V, (..., m, m), symmetric positive definite.

    Example:
        >>> import numpy as np, suffice as sf
        >>> p = sf.MatrixNormal(np.zeros((2, 3)), [[1.0, 0.5], [0.5, 1.0]], np.eye(3))
        >>> round(float(p.log_prob(np.ones((2, 3)))), 6)
        -7.082108
    """

    loc: jax.Array = parameter(array_domain.matrix, doc="mean, (..., n, m)")
    row_tril: jax.Array = covariance_parameter("row_covariance", doc="covariance of rows, (..., n, n)")
    column_tril: jax.Array = covariance_parameter("column_covariance", doc="covariance of columns, (..., m, m)")

    event_ndim: ClassVar[int] = 2
    held: ClassVar[tuple[str, ...]] = ("row_tril",)
    sample_space: ClassVar[Any] = array_domain.matrix
    reported: ClassVar[dict[str, tuple[str, domain.Domain]]] = {
        "row_tril": ("_rows", matrix_domain.positive_definite),
        "column_tril": ("_columns", matrix_domain.positive_definite),
    }

    def _inconsistent(self) -> str | None:
        shape = self.row_tril.shape[-1], self.column_tril.shape[-1]
        if self.loc.shape[-2:] != shape:
            return f"loc must be a matrix of shape {shape}, as the covariances say, got shape {self.loc.shape}"
        return super()._inconsistent()

    @property
    def _rows(self) -> jax.Array:
        return linalg.gram(self.row_tril)

    @property
    def _columns(self) -> jax.Array:
        return linalg.gram(self.column_tril)

    def _event_shape(self) -> tuple[int, ...]:
        return self.loc.shape[-2:]

    def _sized(self, rows: int, columns: int = 2) -> "MatrixNormal":
        same = self.row_tril.shape[-1] == rows
        factor = self.row_tril if same else jnp.eye(rows)
        return type(self)(jnp.zeros((rows, columns)), row_tril=factor, column_tril=jnp.eye(columns))  # type: ignore[call-arg]

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        loc = jnp.tensordot(w / w.sum(), x, axes=1)
        step = x - loc[None]
        spread = jnp.einsum("i,ikj,ikl->jl", w / w.sum(), step, step) / x.shape[1]
        return {"loc": loc, "column_tril": jnp.linalg.cholesky(spread)}

    def _log_normaliser(self) -> jax.Array:
        n, m = self.event_shape
        return 0.5 * n * m * _LOG_2PI + m * linalg.log_det(self.row_tril) + n * linalg.log_det(self.column_tril)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        by_rows = linalg.solve(self.row_tril, x - self.loc)
        z = linalg.solve(self.column_tril, jnp.swapaxes(by_rows, -1, -2))
        return -0.5 * (z * z).sum((-2, -1)) - self._log_normaliser()

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        z = variates.normal(key, (*shape, *self.event_shape), self._dtype)
        return self.loc + self.row_tril @ z @ jnp.swapaxes(self.column_tril, -1, -2)

    def _mean(self) -> jax.Array:
        return self.loc

    def _mode(self) -> jax.Array:
        return self.loc

    def _variance(self) -> jax.Array:
        rows, columns = (jnp.diagonal(v, axis1=-2, axis2=-1) for v in (self._rows, self._columns))
        return rows[..., :, None] * columns[..., None, :]

    def _entropy(self) -> jax.Array:
        n, m = self.event_shape
        return 0.5 * n * m + self._log_normaliser()

    def _spread_along(self, t: jax.Array) -> jax.Array:
        half = jnp.swapaxes(self.row_tril, -1, -2) @ t @ self.column_tril
        return (half**2).sum((-2, -1))

    def _cumulant(self, t: jax.Array) -> jax.Array:
        return (t * self.loc).sum((-2, -1)) + 0.5 * self._spread_along(t)

    def _cf(self, t: jax.Array) -> jax.Array:
        return jnp.exp(1j * (t * self.loc).sum((-2, -1)) - 0.5 * self._spread_along(t))
