"""Student's t in several dimensions."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from suffice.distributions.covariance import covariance_parameter, shapes_disagree
from suffice.distributions.declaration import Limit, parameter
from suffice.distributions.distribution import Distribution
from suffice.distributions.multivariate_normal import MultivariateNormal, moments_of
from suffice.numerics import array_domain, domain, linalg, matrix_domain, variates
from suffice.numerics.moments import namespace
from suffice.numerics.special.gamma import log_minus_digamma, stirling_error


class MultivariateT(Distribution):
    """Multivariate t distribution: p(x) ∝ (1 + (x − loc)ᵀ S⁻¹ (x − loc)/df)^(−(df + d)/2), S the scale matrix.

    X = loc + Z √(df/V), with Z normal of covariance S and V chi-squared with df degrees of freedom.

    Args:
        df: degrees of freedom, > 0.
        loc: centre, (..., d), in the unit of x.
        scale: scale matrix S, (..., d, d), symmetric positive definite; the covariance is S df/(df − 2).

    Example:
        >>> import suffice as sf
        >>> p = sf.MultivariateT(5.0, [0.0, 0.0], [[1.0, 0.3], [0.3, 2.0]])
        >>> round(float(p.log_prob([1.0, -1.0])), 6)
        -3.281011
    """

    df: jax.Array = parameter(domain.positive, doc="degrees of freedom")
    loc: jax.Array = parameter(array_domain.vector, doc="centre, (..., d)")
    scale_tril: jax.Array = covariance_parameter("scale", doc="scale matrix, (..., d, d)")

    event_ndim: ClassVar[int] = 1
    sample_space: ClassVar[Any] = array_domain.vector
    limits: ClassVar[dict[str, Limit]] = {"df": Limit(MultivariateNormal)}
    reported: ClassVar[dict[str, tuple[str, domain.Domain]]] = {
        "scale_tril": ("_scale", matrix_domain.positive_definite)
    }

    def _inconsistent(self) -> str | None:
        return shapes_disagree(self.loc, self.scale_tril, ("loc", "scale")) or super()._inconsistent()

    @property
    def _scale(self) -> jax.Array:
        return linalg.gram(self.scale_tril)

    @property
    def _normal(self) -> MultivariateNormal:
        """The normal distribution of the same centre and matrix."""
        return MultivariateNormal(self.loc, scale_tril=self.scale_tril)  # type: ignore[arg-type]

    def _sized(self, dimension: int) -> "MultivariateT":
        return type(self)(self.df, np.zeros(dimension), scale_tril=np.eye(dimension))  # type: ignore[arg-type]

    def _event_shape(self) -> tuple[int, ...]:
        return self.loc.shape[-1:]

    def marginal(self, indices: Sequence[int]) -> "MultivariateT":
        """Distribution of the coordinates at ``indices``, in that order."""
        part = self._normal.marginal(indices)
        return self._replaced({"loc": part.loc, "scale_tril": part.scale_tril})

    def conditional(self, indices: Sequence[int], values: ArrayLike) -> "MultivariateT":
        """Distribution of the other coordinates, in their order, given that those at ``indices`` equal ``values``.

        It has df + k degrees of freedom, k coordinates being given, and the normal's scale times (df + q)/(df + k),
        q the squared distance of the values (Ding 2016, doi:10.1080/00031305.2016.1164756).
        """
        given, rest = self._normal.marginal(indices), self._normal.conditional(indices, values)
        k = given.event_shape[0]
        widening = jnp.sqrt((self.df + given.mahalanobis(values) ** 2) / (self.df + k))
        return self._replaced(
            {"df": self.df + k, "loc": rest.loc, "scale_tril": widening[..., None, None] * rest.scale_tril}
        )

    def affine(self, matrix: ArrayLike, offset: ArrayLike = 0.0) -> "MultivariateT":
        """Distribution of ``matrix`` @ X + ``offset``."""
        image = self._normal.affine(matrix, offset)
        return self._replaced({"loc": image.loc, "scale_tril": image.scale_tril})

    def _log_prob(self, x: jax.Array) -> jax.Array:
        z = linalg.whiten(self.scale_tril, x - self.loc)
        a, h = 0.5 * self.df, 0.5 * x.shape[-1]
        # log Γ(a + h)/Γ(a) − h log a by Stirling's formula: no large terms for large df
        growth = (a + h - 0.5) * jnp.log1p(h / a) - h + stirling_error(a + h) - stirling_error(a)
        kernel = (a + h) * jnp.log1p((z * z).sum(-1) / self.df)
        return growth - kernel - h * math.log(2.0 * math.pi) - linalg.log_det(self.scale_tril)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        first, second = jax.random.split(key)
        z = variates.normal(first, (*shape, *self.event_shape), self._dtype)
        log_mean = variates.log_gamma(second, 0.5 * self.df, shape) - jnp.log(0.5 * self.df)
        return self.loc + linalg.times(self.scale_tril, z) * jnp.exp(-0.5 * log_mean)[..., None]

    def _mean(self) -> jax.Array:
        return jnp.where(jnp.asarray(self.df)[..., None] > 1.0, self.loc, jnp.nan)

    def _mode(self) -> jax.Array:
        return self.loc

    def _covariance_matrix(self) -> jax.Array:
        df = jnp.asarray(self.df)[..., None, None]
        some = df > 2.0
        spread = self._scale * jnp.where(some, df / jnp.where(some, df - 2.0, 1.0), 1.0)
        diagonal = linalg.eye_like(spread) == 1.0
        # between 1 and 2 the variances are infinite, and the covariances do not exist
        return jnp.where(some, spread, jnp.where((df > 1.0) & diagonal, jnp.inf, jnp.nan))

    def _entropy(self) -> jax.Array:
        a, h = 0.5 * self.df, 0.5 * self.event_shape[0]
        steps = jnp.log1p(h / a) - log_minus_digamma(a + h) + log_minus_digamma(a)  # ψ(a + h) − ψ(a)
        return (a + h) * steps - self._log_prob(self.loc)

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        mean, covariance = moments_of(x, w)
        return {"df": np.asarray(8.0), "loc": mean, "scale_tril": namespace(x).linalg.cholesky(0.75 * covariance)}
