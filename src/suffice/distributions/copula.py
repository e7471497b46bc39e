"""Vectors of given marginal distributions, dependent as the coordinates of a normal vector are."""

from collections.abc import Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions import generic
from suffice.distributions.declaration import component, parameter
from suffice.distributions.distribution import Distribution
from suffice.distributions.product import listed
from suffice.numerics import array_domain, linalg, matrix_domain, variates
from suffice.numerics.checks import checked
from suffice.numerics.domain import Domain
from suffice.numerics.special.normal import ndtr, ndtri_exp


def _factor(name: str, value: Any) -> jax.Array:
    return linalg.cholesky(checked(name, matrix_domain.correlation, value))


class GaussianCopula(Distribution):
    """Vector X with marginals p_k and the dependence of Z ~ Normal(0, R): Z_k = Φ⁻¹(F_k(X_k)).

    p(x) = ∏ p_k(x_k) · exp(−½ (zᵀ R⁻¹ z − zᵀ z)) / √|R|. Each z_k comes from the logarithm of the smaller tail of its
    marginal, so it is exact where F_k rounds to 1 or underflows.

    Args:
        correlation: R, (..., d, d), symmetric and positive definite with ones on the diagonal; kept as its Cholesky
            factor.
        marginals: a list of d continuous distributions of numbers.

    Example:
        >>> import suffice as sf
        >>> p = sf.GaussianCopula([[1.0, 0.7], [0.7, 1.0]], [sf.Exponential(2.0), sf.Normal(1.0, 3.0)])
        >>> p.mean()
        Array([0.5, 1. ], dtype=float64)
        >>> round(float(p.log_prob([0.5, 1.0])), 6)
        -2.042443
    """

    scale_tril: jax.Array = parameter(
        matrix_domain.triangular, doc="correlation, (..., d, d)", alias="correlation", stored=_factor
    )
    marginals: Any = component(doc="distributions of the coordinates, in order", stored=listed)

    event_ndim: ClassVar[int] = 1
    reported: ClassVar[dict[str, tuple[str, Domain]]] = {
        "scale_tril": ("_correlation_value", matrix_domain.correlation)
    }

    def _inconsistent(self) -> str | None:
        wrong = next((p for p in self.marginals if p.event_ndim or p.discrete), None)
        if wrong is not None:
            return f"marginals must be continuous distributions of numbers, got {type(wrong).__name__}"
        d = self.scale_tril.shape[-1]
        if d != len(self.marginals):
            return f"marginals must be as many as the rows of correlation, {d}, got {len(self.marginals)}"
        return super()._inconsistent()

    @property
    def _correlation_value(self) -> jax.Array:
        return linalg.gram(self.scale_tril)

    @property
    def sample_space(self) -> Any:  # type: ignore[override]
        return array_domain.Blocks(tuple((p.sample_space, ()) for p in self.marginals))

    def _support(self) -> Any:
        return array_domain.Blocks(tuple((p._support(), ()) for p in self.marginals))

    def _event_shape(self) -> tuple[int, ...]:
        return (len(self.marginals),)

    def marginal(self, indices: Sequence[int]) -> "GaussianCopula":
        """Distribution of the coordinates at ``indices``, in that order; of one alone it is ``marginals[k]``."""
        at = np.asarray(indices)
        root = linalg.triangular_of(self.scale_tril[..., at, :])
        return self._replaced({"scale_tril": root, "marginals": tuple(self.marginals[i] for i in at)})

    # -- the distribution -------------------------------------------------------------------------------------------

    def _log_prob(self, x: jax.Array) -> jax.Array:
        pairs = [(p, x[..., k]) for k, p in enumerate(self.marginals)]
        z = _joined([_normal_score(p, v) for p, v in pairs])
        whitened = linalg.whiten(self.scale_tril, z)
        excess = ((whitened - z) * (whitened + z)).sum(-1)  # the difference of the squares
        densities = _joined([p._log_prob(v) for p, v in pairs]).sum(-1)
        return densities - 0.5 * excess - linalg.log_det(self.scale_tril)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        z = linalg.times(self.scale_tril, variates.normal(key, (*shape, *self.event_shape), self._dtype))
        tail, left = ndtr(-jnp.abs(z)), z < 0
        return _joined(
            [jnp.where(left[..., k], p.icdf(tail[..., k]), p.isf(tail[..., k])) for k, p in enumerate(self.marginals)]
        )

    def _mean(self) -> jax.Array:
        return _joined([p.mean() for p in self.marginals])

    def _variance(self) -> jax.Array:
        return _joined([p.variance() for p in self.marginals])

    def _covariance_matrix(self) -> jax.Array:
        raise NotImplementedError("GaussianCopula: its covariance has no closed form; the correlation is that of Z")

    def _mode(self) -> jax.Array:
        raise NotImplementedError("GaussianCopula: its mode has no closed form")

    def _entropy(self) -> jax.Array:
        return _joined([p.entropy() for p in self.marginals]).sum(-1) + linalg.log_det(self.scale_tril)


def _normal_score(p: Any, x: jax.Array) -> jax.Array:
    """z with Φ(z) = F(x), from the smaller tail; large but finite at the ends of the support."""
    below, above = generic.log_cdf(p, x), generic.log_sf(p, x)
    left = below < above
    smaller = jnp.where(left, below, above)
    end = smaller == -jnp.inf
    distance = jnp.where(end, float(jnp.finfo(x.dtype).max) ** 0.25, -ndtri_exp(jnp.where(end, -1.0, smaller)))
    return jnp.where(left, -distance, distance)


def _joined(values: list[jax.Array]) -> jax.Array:
    return jnp.stack(jnp.broadcast_arrays(*values), axis=-1)
