"""Random correlation matrices."""

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.declaration import parameter, static
from suffice.distributions.exponential import ExponentialFamily
from suffice.numerics import domain, linalg, matrix_domain, variates
from suffice.numerics.special.gamma import digamma, gammaln

_LOG_PI = math.log(math.pi)


class LKJ(ExponentialFamily):
    """LKJ distribution of correlation matrices: p(C) ∝ |C|^(concentration − 1); 1 is uniform, larger is nearer to I.

    Density in the d(d − 1)/2 entries below the diagonal (Lewandowski, Kurowicka and Joe 2009,
    doi:10.1016/j.jmva.2009.04.008).

    Args:
        dimension: number of rows d, an integer >= 1.
        concentration: dimensionless, > 0.

    Example:
        >>> import suffice as sf
        >>> p = sf.LKJ(2, 1.0)  # one correlation, uniform between −1 and 1
        >>> round(float(p.prob([[1.0, 0.3], [0.3, 1.0]])), 6)
        0.5
    """

    dimension: int = static(doc="number of rows")
    concentration: jax.Array = parameter(domain.positive, 1.0, doc="exponent of the determinant, plus 1")

    event_ndim: ClassVar[int] = 2
    sample_space: ClassVar[Any] = matrix_domain.correlation

    def _inconsistent(self) -> str | None:
        d = self.dimension
        wrong = isinstance(d, bool) or not isinstance(d, int) or d < 1
        return f"dimension must be an integer >= 1, got {d!r}" if wrong else super()._inconsistent()

    def _event_shape(self) -> tuple[int, ...]:
        return self.dimension, self.dimension

    def _rows(self, beside: jax.Array) -> jax.Array:
        """1 … d − 1, beside the axes of another array."""
        rows = jnp.arange(1, self.dimension, dtype=beside.dtype)
        return rows.reshape((1,) * beside.ndim + rows.shape)

    @property
    def _eye(self) -> jax.Array:
        eye = jnp.eye(self.dimension, dtype=self._dtype)
        return eye.reshape((1,) * jnp.ndim(self.concentration) + eye.shape)

    def _log_normaliser(self, concentration: jax.Array) -> jax.Array:
        """log ∫ |C|^(concentration − 1) dC: spheres of the rows of the Cholesky factor, one after the other."""
        d, eta = self.dimension, jnp.asarray(concentration)
        i = self._rows(eta)
        rows = 0.5 * i * _LOG_PI + gammaln(eta[..., None] + 0.5 * (d - 1.0 - i))
        return rows.sum(-1) - (d - 1.0) * gammaln(eta + 0.5 * (d - 1.0))

    def _log_prob(self, x: jax.Array) -> jax.Array:
        log_det = 2.0 * linalg.log_det(jnp.linalg.cholesky(x))
        return (self.concentration - 1.0) * log_det - self._log_normaliser(self.concentration)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Row i of the Cholesky factor: a direction times the root of a beta variate, and what that leaves."""
        first, second = jax.random.split(key)
        d, dtype = self.dimension, self._dtype
        i = self._rows(jnp.asarray(self.concentration))
        rest = jnp.asarray(self.concentration)[..., None] + 0.5 * (d - 1.0 - i)
        square = variates.beta(first, 0.5 * i, rest, (*shape, d - 1))
        square = jnp.concatenate([jnp.zeros((*shape, 1), dtype), square], axis=-1)
        direction = jnp.tril(variates.normal(second, (*shape, d, d), dtype), -1)
        size = jnp.linalg.norm(direction, axis=-1)
        share = jnp.sqrt(square) / jnp.where(size > 0, size, 1.0)
        draws = linalg.gram(direction * share[..., None] + linalg.diagonal(jnp.sqrt(1.0 - square)))
        return jnp.where(linalg.eye_like(draws) == 1.0, 1.0, draws)

    def _mean(self) -> jax.Array:
        return self._eye

    def _mode(self) -> jax.Array:
        unbounded = jnp.asarray(self.concentration)[..., None, None] < 1.0  # at the singular matrices
        return jnp.where(unbounded, jnp.nan, self._eye)

    def _variance(self) -> jax.Array:
        # each correlation is 2B − 1, with B beta of equal parameters concentration − 1 + d/2
        each = 1.0 / (2.0 * jnp.asarray(self.concentration) - 1.0 + self.dimension)
        return each[..., None, None] * (1.0 - self._eye)

    def _mean_log_det(self) -> jax.Array:
        d, eta = self.dimension, jnp.asarray(self.concentration)
        i = self._rows(eta)
        return digamma(eta[..., None] + 0.5 * (d - 1.0 - i)).sum(-1) - (d - 1.0) * digamma(eta + 0.5 * (d - 1.0))

    def _entropy(self) -> jax.Array:
        return self._log_normaliser(self.concentration) - (self.concentration - 1.0) * self._mean_log_det()

    # -- exponential family: eta = concentration − 1, T = log |C| ----------------------------------------------------

    def _natural(self) -> jax.Array:
        return (jnp.asarray(self.concentration) - 1.0)[..., None]

    @classmethod
    def _from_natural(cls, eta: jax.Array, dimension: int) -> "LKJ":
        return cls(dimension, eta[..., 0] + 1.0)

    def _statistic(self, x: jax.Array) -> jax.Array:
        return 2.0 * linalg.log_det(jnp.linalg.cholesky(x))[..., None]

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        return self._log_normaliser(eta[..., 0] + 1.0)

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        spread = (w[:, None, None] * x**2).sum(0).mean() / w.sum()
        return {"concentration": 1.0 / (spread + 0.05)}
