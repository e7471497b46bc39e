"""Random covariance matrices: Wishart and its inverse."""

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.covariance import covariance_parameter
from suffice.distributions.declaration import parameter
from suffice.distributions.exponential import ExponentialFamily
from suffice.numerics import domain, linalg, matrix_domain, variates
from suffice.numerics.special.gamma import digamma, log_multivariate_gamma

_LOG_2 = math.log(2.0)


class CovarianceLaw(ExponentialFamily, abstract=True):
    """What the Wishart distribution and its inverse share: degrees of freedom, a scale matrix, Bartlett's factor."""

    event_ndim: ClassVar[int] = 2
    sample_space: ClassVar[Any] = matrix_domain.positive_definite
    reported: ClassVar[dict[str, tuple[str, domain.Domain]]] = {
        "scale_tril": ("_scale", matrix_domain.positive_definite)
    }
    df: jax.Array
    scale_tril: jax.Array

    def _condition(self) -> tuple[Any, str]:
        return self.df > self._size - 1.0, "df must be > d − 1, for matrices of d rows"

    @property
    def _size(self) -> int:
        return self.scale_tril.shape[-1]

    @property
    def _scale(self) -> jax.Array:
        return linalg.gram(self.scale_tril)

    def _event_shape(self) -> tuple[int, ...]:
        return self.scale_tril.shape[-2:]

    def _in_matrices(self, value: Any) -> jax.Array:
        """A number of each member of the batch, to go with matrices."""
        return jnp.asarray(value)[..., None, None]

    def _diagonals(self) -> jax.Array:
        """S_ii S_jj of the scale matrix."""
        diagonal = jnp.diagonal(self._scale, axis1=-2, axis2=-1)
        return diagonal[..., :, None] * diagonal[..., None, :]

    def _log_det(self) -> jax.Array:
        """log |S| of the scale matrix."""
        return 2.0 * linalg.log_det(self.scale_tril)

    @property
    def _steps(self) -> jax.Array:
        """0 … d − 1, beside the axes of the batch."""
        steps = jnp.arange(self._size, dtype=self._dtype)
        return steps.reshape((1,) * (self.scale_tril.ndim - 2) + steps.shape)

    def _digammas(self, a: jax.Array) -> jax.Array:
        """Σ ψ(a − j/2), j = 0 … d − 1: the derivative of log Γ_d."""
        return digamma(jnp.asarray(a)[..., None] - 0.5 * self._steps).sum(-1)

    def _bartlett(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Lower triangular A with A Aᵀ Wishart of scale 1: normals below, roots of chi-squares on the diagonal."""
        first, second = jax.random.split(key)
        d = self._size
        half = 0.5 * (jnp.asarray(self.df)[..., None] - self._steps)
        roots = jnp.sqrt(2.0 * variates.gamma(first, half, (*shape, d)))
        below = jnp.tril(variates.normal(second, (*shape, d, d), self._dtype), -1)
        return below + linalg.diagonal(roots)

    def _log_normaliser(self) -> jax.Array:
        """log 2^(df d/2) Γ_d(df/2)."""
        half = 0.5 * self.df
        return half * self._size * _LOG_2 + log_multivariate_gamma(self._size, half)

    @classmethod
    def _prototype(cls) -> Any:
        return cls(df=2.0, scale_tril=jnp.eye(2))  # type: ignore[call-arg]

    def _sized(self, dimension: int, *_: int) -> Any:
        return type(self)(df=dimension, scale_tril=jnp.eye(dimension))  # type: ignore[call-arg]

    # -- exponential family: T = (log |x|, the lower triangle of x or of its inverse) --------------------------------

    def _natural_of(self, first: jax.Array, second: jax.Array) -> jax.Array:
        """eta from the factor of log |x| and the matrix M of −½ tr(M T)."""
        weight = 0.5 * linalg.eye_like(second) - 1.0
        return linalg.side_by_side(jnp.asarray(first)[..., None], linalg.pack(weight * second))

    @staticmethod
    def _matrix_of(eta: jax.Array) -> jax.Array:
        lower = linalg.unpack(eta[..., 1:])
        return -(lower + jnp.swapaxes(lower, -1, -2))


class Wishart(CovarianceLaw):
    """Wishart distribution: p(X) ∝ |X|^((df − d − 1)/2) exp(−½ tr S⁻¹X), over positive definite X; mean df S.

    The law of Σ z zᵀ over df normal vectors of covariance S, the scale matrix.

    Args:
        df: degrees of freedom, > d − 1.
        scale: S, (..., d, d), symmetric positive definite.

    Example:
        >>> import suffice as sf
        >>> p = sf.Wishart(4.0, [[1.0, 0.5], [0.5, 2.0]])
        >>> p.mean()
        Array([[4., 2.],
               [2., 8.]], dtype=float64)
    """

    df: jax.Array = parameter(domain.positive, doc="degrees of freedom")
    scale_tril: jax.Array = covariance_parameter("scale", doc="scale matrix, (..., d, d)")

    def _log_prob(self, x: jax.Array) -> jax.Array:
        factor = jnp.linalg.cholesky(x)
        trace = (linalg.solve(self.scale_tril, factor) ** 2).sum((-2, -1))
        power = (self.df - self._size - 1.0) * linalg.log_det(factor)
        return power - 0.5 * trace - 0.5 * self.df * self._log_det() - self._log_normaliser()

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return linalg.gram(self.scale_tril @ self._bartlett(key, shape))

    def _mean(self) -> jax.Array:
        return self._in_matrices(self.df) * self._scale

    def _mode(self) -> jax.Array:
        df = self._in_matrices(self.df)
        return jnp.where(df >= self._size + 1.0, (df - self._size - 1.0) * self._scale, jnp.nan)

    def _variance(self) -> jax.Array:
        return self._in_matrices(self.df) * (self._scale**2 + self._diagonals())

    def _entropy(self) -> jax.Array:
        d, half = self._size, 0.5 * self.df
        expected = self._digammas(half) + d * _LOG_2  # of log |X| with scale 1
        power = half - 0.5 * (d + 1.0)
        return self._log_normaliser() - power * expected + half * d + 0.5 * (d + 1.0) * self._log_det()

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        mean, variance = diagonal_moments(x, w)
        centre, d = jnp.tensordot(w / w.sum(), x, axes=1), x.shape[-1]
        df = jnp.maximum(2.0 * (mean**2).sum() / variance.sum(), d - 0.5)
        return {"df": df, "scale_tril": jnp.linalg.cholesky(centre / df)}

    def _natural(self) -> jax.Array:
        d = self._size
        inverse = linalg.inverse(self.scale_tril)
        return self._natural_of(0.5 * (self.df - d - 1.0), jnp.swapaxes(inverse, -1, -2) @ inverse)

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "Wishart":
        factor = linalg.factor_of_inverse(cls._matrix_of(eta))
        return cls(2.0 * eta[..., 0] + factor.shape[-1] + 1.0, scale_tril=factor)  # type: ignore[arg-type]

    def _statistic(self, x: jax.Array) -> jax.Array:
        log_det = 2.0 * linalg.log_det(jnp.linalg.cholesky(x))
        return jnp.concatenate([log_det[..., None], linalg.pack(x)], axis=-1)

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        factor = linalg.factor_of_inverse(self._matrix_of(eta))
        d = factor.shape[-1]
        half = eta[..., 0] + 0.5 * (d + 1.0)
        return half * (2.0 * linalg.log_det(factor) + d * _LOG_2) + log_multivariate_gamma(d, half)


class InverseWishart(CovarianceLaw):
    """Inverse Wishart distribution: p(X) ∝ |X|^(−(df + d + 1)/2) exp(−½ tr S X⁻¹); mean S/(df − d − 1).

    The law of the inverse of a Wishart matrix with scale S⁻¹.

    Args:
        df: degrees of freedom, > d − 1.
        scale: S, (..., d, d), symmetric positive definite.

    Example:
        >>> import suffice as sf
        >>> p = sf.InverseWishart(5.0, [[2.0, 0.5], [0.5, 4.0]])
        >>> p.mean()
        Array([[1.  , 0.25],
               [0.25, 2.  ]], dtype=float64)
    """

    df: jax.Array = parameter(domain.positive, doc="degrees of freedom")
    scale_tril: jax.Array = covariance_parameter("scale", doc="scale matrix, (..., d, d)")

    def _log_prob(self, x: jax.Array) -> jax.Array:
        factor = jnp.linalg.cholesky(x)
        trace = (linalg.solve(factor, self.scale_tril) ** 2).sum((-2, -1))
        power = (self.df + self._size + 1.0) * linalg.log_det(factor)
        return 0.5 * self.df * self._log_det() - power - 0.5 * trace - self._log_normaliser()

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        bartlett = self._bartlett(key, shape)
        root = linalg.solve(bartlett, jnp.broadcast_to(jnp.swapaxes(self.scale_tril, -1, -2), bartlett.shape))
        return linalg.gram(jnp.swapaxes(root, -1, -2))

    def _mean(self) -> jax.Array:
        room = self._in_matrices(self.df) - self._size - 1.0
        return jnp.where(room > 0, self._scale / jnp.where(room > 0, room, 1.0), self._infinite())

    def _mode(self) -> jax.Array:
        return self._scale / (self._in_matrices(self.df) + self._size + 1.0)

    def _variance(self) -> jax.Array:
        room = self._in_matrices(self.df) - self._size - 1.0
        some = room > 2.0
        room = jnp.where(some, room, 3.0)
        value = ((room + 2.0) * self._scale**2 + room * self._diagonals()) / ((room + 1.0) * room**2 * (room - 2.0))
        return jnp.where(some, value, self._infinite())

    def _infinite(self) -> jax.Array:
        """Moments that do not exist: infinite on the diagonal, whose entries are positive."""
        return jnp.where(linalg.eye_like(self.scale_tril) == 1.0, jnp.inf, jnp.nan)

    def _entropy(self) -> jax.Array:
        d, half = self._size, 0.5 * self.df
        expected = self._log_det() - d * _LOG_2 - self._digammas(half)  # of log |X|
        power = half + 0.5 * (d + 1.0)
        return self._log_normaliser() - half * self._log_det() + power * expected + half * d

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        mean, variance = diagonal_moments(x, w)
        centre, d = jnp.tensordot(w / w.sum(), x, axes=1), x.shape[-1]
        room = 2.0 + 2.0 * (mean**2).sum() / variance.sum()  # df − d − 1
        return {"df": room + d + 1.0, "scale_tril": jnp.linalg.cholesky(room * centre)}

    def _natural(self) -> jax.Array:
        return self._natural_of(-0.5 * (self.df + self._size + 1.0), self._scale)

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "InverseWishart":
        factor = jnp.linalg.cholesky(cls._matrix_of(eta))
        return cls(-2.0 * eta[..., 0] - factor.shape[-1] - 1.0, scale_tril=factor)  # type: ignore[arg-type]

    def _statistic(self, x: jax.Array) -> jax.Array:
        factor = jnp.linalg.cholesky(x)
        inverse = linalg.inverse(factor)
        packed = linalg.pack(jnp.swapaxes(inverse, -1, -2) @ inverse)
        return jnp.concatenate([2.0 * linalg.log_det(factor)[..., None], packed], axis=-1)

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        factor = jnp.linalg.cholesky(self._matrix_of(eta))
        d = factor.shape[-1]
        half = -eta[..., 0] - 0.5 * (d + 1.0)
        return log_multivariate_gamma(d, half) - half * (2.0 * linalg.log_det(factor) - d * _LOG_2)


def diagonal_moments(x: Any, w: Any) -> tuple[jax.Array, jax.Array]:
    """Weighted means and variances of the diagonals of matrices."""
    diagonal, share = jnp.diagonal(x, axis1=-2, axis2=-1), w / w.sum()
    mean = share @ diagonal
    return mean, share @ (diagonal - mean[None]) ** 2
