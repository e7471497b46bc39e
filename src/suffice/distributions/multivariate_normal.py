"""The multivariate normal distribution."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from suffice.distributions.covariance import covariance_parameter, shapes_disagree
from suffice.distributions.declaration import parameter
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.statistics import Sufficient
from suffice.numerics import array_domain, linalg, matrix_domain, variates
from suffice.numerics.checks import checked
from suffice.numerics.domain import Domain

_LOG_2PI = math.log(2.0 * math.pi)


class MultivariateNormal(ExponentialFamily):
    """Multivariate normal distribution: p(x) = exp(−½ (x − loc)ᵀ Σ⁻¹ (x − loc)) / √|2πΣ|, Σ the covariance.

    The covariance is kept as its Cholesky factor L, Σ = L Lᵀ; densities solve triangular systems and invert nothing.
    A singular covariance is allowed: it can be drawn from, marginalised and mapped, but has no density (NaN).

    Args:
        loc: mean, (..., d), in the unit of x.
        covariance: (..., d, d), symmetric and positive semidefinite. ``from_precision`` takes its inverse,
            ``from_cholesky`` its Cholesky factor.

    Example:
        >>> import suffice as sf
        >>> p = sf.MultivariateNormal([0.0, 1.0], [[2.0, 0.6], [0.6, 1.0]])
        >>> round(float(p.log_prob([0.5, 0.5])), 6)
        -2.405347
        >>> p.conditional([0], [1.0]).loc.round(6)
        Array([1.3], dtype=float64)
    """

    loc: jax.Array = parameter(array_domain.vector, doc="mean, (..., d)")
    scale_tril: jax.Array = covariance_parameter("covariance", doc="covariance, (..., d, d)", singular=True)

    event_ndim: ClassVar[int] = 1
    sample_space: ClassVar[Any] = array_domain.vector
    reported: ClassVar[dict[str, tuple[str, Domain]]] = {
        "scale_tril": ("_covariance_value", matrix_domain.positive_semidefinite)
    }

    def _inconsistent(self) -> str | None:
        return shapes_disagree(self.loc, self.scale_tril, ("loc", "covariance")) or super()._inconsistent()

    @classmethod
    def from_cholesky(cls, loc: ArrayLike, scale_tril: ArrayLike) -> "MultivariateNormal":
        """Build from a mean and a lower triangular L with L Lᵀ the covariance."""
        return cls(loc, scale_tril=scale_tril)  # type: ignore[arg-type]

    @classmethod
    def from_precision(cls, loc: ArrayLike, precision: ArrayLike) -> "MultivariateNormal":
        """Build from a mean and the inverse of the covariance, positive definite."""
        precision = checked("MultivariateNormal.from_precision: precision", matrix_domain.positive_definite, precision)
        return cls(loc, scale_tril=linalg.factor_of_inverse(precision))  # type: ignore[arg-type]

    def _sized(self, dimension: int) -> "MultivariateNormal":
        return type(self)(loc=np.zeros(dimension), scale_tril=np.eye(dimension))  # type: ignore[arg-type]

    @property
    def _covariance_value(self) -> jax.Array:
        return linalg.gram(self.scale_tril)

    def _event_shape(self) -> tuple[int, ...]:
        return self.loc.shape[-1:]

    # -- parts and images -------------------------------------------------------------------------------------------

    def mahalanobis(self, x: ArrayLike) -> jax.Array:
        """Distance √((x − loc)ᵀ Σ⁻¹ (x − loc)) of points (..., d) from the mean."""
        p, x = self._event(x)
        return jnp.linalg.norm(linalg.whiten(p.scale_tril, x - p.loc), axis=-1)

    def marginal(self, indices: Sequence[int]) -> "MultivariateNormal":
        """Distribution of the coordinates at ``indices``, in that order."""
        at = jnp.asarray(_places(indices, self.event_shape[0]))
        root = linalg.triangular_of(self.scale_tril[..., at, :])
        return self._replaced({"loc": self.loc[..., at], "scale_tril": root})

    def conditional(self, indices: Sequence[int], values: ArrayLike) -> "MultivariateNormal":
        """Distribution of the other coordinates, in their order, given that those at ``indices`` equal ``values``.

        loc_2 + Σ_21 Σ_11⁻¹ (x_1 − loc_1) and Σ_22 − Σ_21 Σ_11⁻¹ Σ_12, the Schur complement, whose factor is the last
        block of the factor of the reordered covariance: one orthogonal rotation, no difference of matrices.
        """
        d = self.event_shape[0]
        given = _places(indices, d)
        rest = np.setdiff1d(np.arange(d), given)
        if not len(rest):
            raise ValueError(f"MultivariateNormal.conditional: all {d} coordinates are given, none is left")
        root = linalg.triangular_of(self.scale_tril[..., np.concatenate([given, rest]), :])
        k = len(given)
        values = jnp.asarray(values, self._dtype)
        if values.shape[-1:] != (k,):
            raise ValueError(f"values must be as many as indices, {k}, on the last axis, got shape {values.shape}")
        known = values - self.loc[..., given]
        z = linalg.whiten(root[..., :k, :k], known)
        loc = self.loc[..., rest] + (root[..., k:, :k] @ z[..., None])[..., 0]
        return self._replaced({"loc": loc, "scale_tril": root[..., k:, k:]})

    def affine(self, matrix: ArrayLike, offset: ArrayLike = 0.0) -> "MultivariateNormal":
        """Distribution of ``matrix`` @ X + ``offset``; singular where the matrix has more rows than rank."""
        matrix = jnp.asarray(matrix, self._dtype)
        loc = (matrix @ self.loc[..., None])[..., 0] + jnp.asarray(offset, self._dtype)
        return self._replaced({"loc": loc, "scale_tril": linalg.triangular_of(matrix @ self.scale_tril)})

    def precision(self) -> jax.Array:
        """Inverse of the covariance, (..., d, d)."""
        inverse = linalg.inverse(self.scale_tril)
        return jnp.swapaxes(inverse, -1, -2) @ inverse

    # -- the distribution -------------------------------------------------------------------------------------------

    def _log_prob(self, x: jax.Array) -> jax.Array:
        z = linalg.whiten(self.scale_tril, x - self.loc)
        return -0.5 * ((z * z).sum(-1) + x.shape[-1] * _LOG_2PI) - linalg.log_det(self.scale_tril)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        z = variates.normal(key, (*shape, *self.event_shape), self._dtype)
        return self.loc + linalg.times(self.scale_tril, z)

    def _mean(self) -> jax.Array:
        return self.loc

    def _mode(self) -> jax.Array:
        return self.loc

    def _covariance_matrix(self) -> jax.Array:
        return self._covariance_value

    def _entropy(self) -> jax.Array:
        return 0.5 * self.event_shape[0] * (1.0 + _LOG_2PI) + linalg.log_det(self.scale_tril)

    def _spread_along(self, t: jax.Array) -> jax.Array:
        """Variance of t · X."""
        return (linalg.times_transposed(self.scale_tril, t) ** 2).sum(-1)

    def _cumulant(self, t: jax.Array) -> jax.Array:
        return (t * self.loc).sum(-1) + 0.5 * self._spread_along(t)

    def _cf(self, t: jax.Array) -> jax.Array:
        return jnp.exp(1j * (t * self.loc).sum(-1) - 0.5 * self._spread_along(t))

    # -- exponential family: eta = (Σ⁻¹ loc, −½ Σ⁻¹), T = (x, x xᵀ), of matrices the lower triangle ------------------

    def _natural(self) -> jax.Array:
        precision = self.precision()
        weight = 0.5 * linalg.eye_like(precision) - 1.0
        first = (precision @ self.loc[..., None])[..., 0]
        return linalg.side_by_side(first, linalg.pack(weight * precision))

    @staticmethod
    def _halves(eta: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Σ⁻¹ loc, and the Cholesky factor of the covariance."""
        d = linalg.size_of_packed(eta.shape[-1], below=True)
        lower = linalg.unpack(eta[..., d:])
        precision = -(lower + jnp.swapaxes(lower, -1, -2))
        return eta[..., :d], linalg.factor_of_inverse(precision)

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "MultivariateNormal":
        first, factor = cls._halves(eta)
        loc = linalg.times(factor, linalg.times_transposed(factor, first))
        return cls(loc, scale_tril=factor)  # type: ignore[arg-type]

    def _statistic(self, x: jax.Array) -> jax.Array:
        return jnp.concatenate([x, linalg.pack(x[..., :, None] * x[..., None, :])], axis=-1)

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        first, factor = self._halves(eta)
        square = (linalg.times_transposed(factor, first) ** 2).sum(-1)
        return 0.5 * (square + first.shape[-1] * _LOG_2PI) + linalg.log_det(factor)

    # -- estimation -------------------------------------------------------------------------------------------------

    @staticmethod
    def _divergence(step: jax.Array, centre: jax.Array) -> jax.Array:
        return step[..., :, None] * step[..., None, :]

    @staticmethod
    def _total_divergence(steps: jax.Array, weights: jax.Array) -> jax.Array:
        return (weights[:, None] * steps).T @ steps

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        return {"loc": s.mean, "scale_tril": jnp.linalg.cholesky(s.gap)}

    @classmethod
    def _degenerate(cls, s: Sufficient) -> str | None:
        """Why a sample leaves the covariance singular."""
        d, rank = s.gap.shape[-1], linalg.rank(np.asarray(s.gap), np.asarray(s.mean))
        return (
            None
            if rank == d
            else (
                f"{float(s.count):,.10g} observations leave the covariance of {d} numbers with rank {rank}, and the "
                "likelihood grows without bound; sf.ledoit_wolf(data) gives a shrunk estimate"
            )
        )

    def _caution(self) -> str | None:
        """What to know before the numbers are trusted."""
        condition = float(np.linalg.cond(np.asarray(self.scale_tril))) ** 2
        return f"the covariance has condition number {condition:.1e}" if condition > 1e10 else None

    def _mean_log_prob(self, s: Sufficient) -> jax.Array:
        half = linalg.solve(self.scale_tril, s.gap)
        trace = jnp.trace(linalg.solve(self.scale_tril, jnp.swapaxes(half, -1, -2)), axis1=-2, axis2=-1)
        return self._log_prob(s.mean) - 0.5 * trace

    def _covariance(self, count: Any) -> jax.Array:
        sigma = self._covariance_value
        d = sigma.shape[-1]
        rows, columns = np.tril_indices(d)
        second = (
            sigma[np.ix_(rows, rows)] * sigma[np.ix_(columns, columns)]
            + sigma[np.ix_(rows, columns)] * sigma[np.ix_(columns, rows)]
        )
        return jax.scipy.linalg.block_diag(sigma, second) / count


def _places(indices: Sequence[int], d: int) -> np.ndarray:
    """Coordinates as different numbers from 0."""
    at = np.atleast_1d(np.asarray(indices))
    if at.dtype.kind not in "iu" or at.ndim != 1 or np.any((at < -d) | (at >= d)) or len(np.unique(at % d)) < len(at):
        raise ValueError(f"indices must be different integers from 0 to {d - 1}, got {indices!r}")
    return at % d


def moments_of(x: Any, w: Any) -> tuple[Any, Any]:
    """Weighted mean and covariance of the rows of x, where iterative fits start from; as NumPy or JAX arrays alike."""
    mean = w @ x / w.sum()
    step = x - mean[None]
    return mean, (w[:, None] * step).T @ step / w.sum()
