"""The conjugate laws of a normal's mean and variance together."""

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from suffice.distributions.covariance import covariance_parameter, shapes_disagree
from suffice.distributions.declaration import parameter
from suffice.distributions.distribution import Distribution
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.inverse_gamma import InverseGamma
from suffice.distributions.normal import Normal
from suffice.distributions.wishart import InverseWishart
from suffice.numerics import array_domain, domain, linalg, matrix_domain, variates
from suffice.numerics.special.gamma import digamma, gammaln

_LOG_2PI = math.log(2.0 * math.pi)


class _MeanAndVariance(domain.Domain):
    """Pairs of a real number and a positive one."""

    event_ndim = 1  # type: ignore[assignment]

    def contains(self, x: Any) -> Any:
        return domain.real.contains(x[..., 0]) & domain.positive.contains(x[..., 1])

    def interior(self, shape: tuple[int, ...] = ()) -> Any:
        return jnp.array([0.0, 1.0])

    def to_real(self, x: Any) -> Any:
        return jnp.stack([x[..., 0], jnp.log(x[..., 1])], axis=-1)

    def from_real(self, v: Any) -> Any:
        return jnp.stack([v[..., 0], jnp.exp(v[..., 1])], axis=-1)

    def __str__(self) -> str:
        return "a pair of a finite number and one > 0"


class NormalInverseGamma(ExponentialFamily):
    """Normal–inverse-gamma distribution of a mean and a variance, x = (mu, v): v is InverseGamma(concentration, scale),
    and mu given v is normal around ``loc`` with variance v/pseudo_count.

    Args:
        loc: expected mean, in the unit of the data.
        pseudo_count: how many observations the knowledge of the mean is worth, > 0.
        concentration: half of the degrees of freedom of the variance, > 0.
        scale: in the square of the unit of the data, > 0.

    Example:
        >>> import suffice as sf
        >>> p = sf.NormalInverseGamma(0.0, 2.0, 3.0, 4.0)
        >>> p.mean()  # of the mean, and of the variance
        Array([0., 2.], dtype=float64)
    """

    loc: jax.Array = parameter(domain.real, doc="expected mean")
    pseudo_count: jax.Array = parameter(domain.positive, doc="observations the mean is worth")
    concentration: jax.Array = parameter(domain.positive, doc="half of the degrees of freedom")
    scale: jax.Array = parameter(domain.positive, doc="scale of the variance")

    event_ndim: ClassVar[int] = 1
    sample_space: ClassVar[Any] = _MeanAndVariance()

    def _event_shape(self) -> tuple[int, ...]:
        return (2,)

    @property
    def _variance_law(self) -> InverseGamma:
        return InverseGamma(self.concentration, self.scale)

    def _mean_law(self, variance: jax.Array) -> Normal:
        return Normal(self.loc, jnp.sqrt(variance / self.pseudo_count))

    def _log_prob(self, x: jax.Array) -> jax.Array:
        variance = x[..., 1]
        return self._variance_law._log_prob(variance) + self._mean_law(variance)._log_prob(x[..., 0])

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        first, second = jax.random.split(key)
        variance = self._variance_law._sample(first, shape)
        return jnp.stack([self._mean_law(variance)._sample(second, shape), variance], axis=-1)

    def _mean(self) -> jax.Array:
        half = jnp.asarray(self.concentration)
        loc, variance = jnp.broadcast_arrays(self.loc, self._variance_law._mean())
        return jnp.stack([jnp.where(half > 0.5, loc, jnp.nan), variance], axis=-1)

    def _mode(self) -> jax.Array:
        loc, variance = jnp.broadcast_arrays(self.loc, self.scale / (self.concentration + 1.5))
        return jnp.stack([loc, variance], axis=-1)

    def _covariance_matrix(self) -> jax.Array:
        law = self._variance_law
        spread = jnp.stack(jnp.broadcast_arrays(law._mean() / self.pseudo_count, law._variance()), axis=-1)
        return linalg.diagonal(spread)

    def _entropy(self) -> jax.Array:
        mean_log_variance = jnp.log(self.scale) - digamma(self.concentration)
        return self._variance_law._entropy() + 0.5 * (1.0 + _LOG_2PI + mean_log_variance - jnp.log(self.pseudo_count))

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        mean, variance = x[:, 0], x[:, 1]
        level = w @ variance / w.sum()
        spread = w @ (variance - level) ** 2 / w.sum()
        concentration = 2.0 + level**2 / spread
        loc = (w / variance) @ mean / (w / variance).sum()
        count = w.sum() / (w @ ((mean - loc) ** 2 / variance))
        return {
            "loc": loc,
            "pseudo_count": count,
            "concentration": concentration,
            "scale": level * (concentration - 1.0),
        }

    # -- exponential family: T = (log v, 1/v, mu/v, mu²/v) -----------------------------------------------------------

    def _natural(self) -> jax.Array:
        power = -(self.concentration + 1.5)
        rate = -(self.scale + 0.5 * self.pseudo_count * self.loc**2)
        parts = power, rate, self.pseudo_count * self.loc, -0.5 * self.pseudo_count
        return jnp.stack(jnp.broadcast_arrays(*parts), axis=-1)

    @staticmethod
    def _usual(eta: jax.Array) -> tuple[jax.Array, ...]:
        count = -2.0 * eta[..., 3]
        loc = eta[..., 2] / count
        return loc, count, -eta[..., 0] - 1.5, -eta[..., 1] - 0.5 * count * loc**2

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "NormalInverseGamma":
        return cls(*cls._usual(eta))

    def _statistic(self, x: jax.Array) -> jax.Array:
        mean, variance = x[..., 0], x[..., 1]
        return jnp.stack([jnp.log(variance), 1.0 / variance, mean / variance, mean**2 / variance], axis=-1)

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        _, count, concentration, scale = self._usual(eta)
        return gammaln(concentration) - concentration * jnp.log(scale) + 0.5 * (_LOG_2PI - jnp.log(count))


class _MeanAndCovariance(domain.Domain):
    """A vector in the first row and a positive definite matrix below it."""

    event_ndim = 2  # type: ignore[assignment]

    def contains(self, x: Any) -> Any:
        return array_domain.vector.contains(x[..., 0, :]) & matrix_domain.positive_definite.contains(x[..., 1:, :])

    def to_real(self, x: Any) -> Any:
        return jnp.concatenate([x[..., 0, :], matrix_domain.positive_definite.to_real(x[..., 1:, :])], axis=-1)

    def from_real(self, v: Any) -> Any:
        d = linalg.size_of_packed(v.shape[-1], below=True)
        covariance = matrix_domain.positive_definite.from_real(v[..., d:])
        return jnp.concatenate([v[..., None, :d], covariance], axis=-2)

    def interior(self, shape: tuple[int, ...] = ()) -> Any:
        return jnp.concatenate([jnp.zeros((1, shape[-1])), jnp.eye(shape[-1])])

    def __str__(self) -> str:
        return "a vector in the first row and a positive definite matrix below it"


class NormalInverseWishart(Distribution):
    """Normal–inverse-Wishart distribution of a mean vector and a covariance: Σ is InverseWishart(df, scale), and mu
    given Σ is normal around ``loc`` with covariance Σ/pseudo_count.

    A value is one array of shape (d + 1, d): mu in the first row, Σ below; ``split`` and ``join`` take it apart and
    put it together.

    Args:
        loc: expected mean, (..., d), in the unit of the data.
        pseudo_count: how many observations the knowledge of the mean is worth, > 0.
        df: degrees of freedom of the covariance, > d − 1.
        scale: (..., d, d), symmetric positive definite, in the square of the unit of the data.

    Example:
        >>> import suffice as sf
        >>> p = sf.NormalInverseWishart([0.0, 1.0], 2.0, 5.0, [[2.0, 0.5], [0.5, 4.0]])
        >>> mean, covariance = p.split(p.sample(rng=0))
        >>> mean.shape, covariance.shape
        ((2,), (2, 2))
    """

    loc: jax.Array = parameter(array_domain.vector, doc="expected mean, (..., d)")
    pseudo_count: jax.Array = parameter(domain.positive, doc="observations the mean is worth")
    df: jax.Array = parameter(domain.positive, doc="degrees of freedom")
    scale_tril: jax.Array = covariance_parameter("scale", doc="scale matrix, (..., d, d)")

    event_ndim: ClassVar[int] = 2
    sample_space: ClassVar[Any] = _MeanAndCovariance()
    reported: ClassVar[dict[str, tuple[str, domain.Domain]]] = {
        "scale_tril": ("_scale", matrix_domain.positive_definite)
    }

    def _inconsistent(self) -> str | None:
        return shapes_disagree(self.loc, self.scale_tril, ("loc", "scale")) or super()._inconsistent()

    def _condition(self) -> tuple[Any, str]:
        return self.df > self.loc.shape[-1] - 1.0, "df must be > d − 1, for vectors of length d"

    @property
    def _scale(self) -> jax.Array:
        return linalg.gram(self.scale_tril)

    def _event_shape(self) -> tuple[int, ...]:
        return self.loc.shape[-1] + 1, self.loc.shape[-1]

    @classmethod
    def _prototype(cls) -> "NormalInverseWishart":
        return cls(jnp.zeros(2), 1.0, 2.0, scale_tril=jnp.eye(2))  # type: ignore[call-arg]

    def _sized(self, dimension: int, *_: int) -> "NormalInverseWishart":
        d = dimension - 1  # a value has one more row than columns
        return type(self)(jnp.zeros(d), 1.0, d, scale_tril=jnp.eye(d))  # type: ignore[call-arg]

    @staticmethod
    def split(x: ArrayLike) -> tuple[jax.Array, jax.Array]:
        """Mean vectors (..., d) and covariances (..., d, d) of values (..., d + 1, d)."""
        x = jnp.asarray(x)
        return x[..., 0, :], x[..., 1:, :]

    @staticmethod
    def join(mean: ArrayLike, covariance: ArrayLike) -> jax.Array:
        """Values (..., d + 1, d) of mean vectors and covariances."""
        return jnp.concatenate([jnp.asarray(mean)[..., None, :], jnp.asarray(covariance)], axis=-2)

    @property
    def _covariance_law(self) -> InverseWishart:
        return InverseWishart(self.df, scale_tril=self.scale_tril)  # type: ignore[arg-type]

    def _log_prob(self, x: jax.Array) -> jax.Array:
        mean, covariance = self.split(x)
        factor = jnp.linalg.cholesky(covariance)
        z = linalg.whiten(factor, mean - self.loc)
        d = mean.shape[-1]
        square = self.pseudo_count * (z * z).sum(-1)
        given = -0.5 * (square + d * (_LOG_2PI - jnp.log(self.pseudo_count))) - linalg.log_det(factor)
        return self._covariance_law._log_prob(covariance) + given

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        first, second = jax.random.split(key)
        covariance = self._covariance_law._sample(first, shape)
        z = variates.normal(second, (*shape, self.loc.shape[-1]), self._dtype)
        step = linalg.times(jnp.linalg.cholesky(covariance), z)
        return self.join(self.loc + step / jnp.sqrt(jnp.asarray(self.pseudo_count))[..., None], covariance)

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        mean, covariance = cls.split(x)
        loc = w @ mean / w.sum()
        z = linalg.whiten(jnp.linalg.cholesky(covariance), mean - loc[None])
        count = mean.shape[-1] * w.sum() / (w @ (z**2).sum(-1))
        return {"loc": loc, "pseudo_count": count, **InverseWishart._start(covariance, w)}

    def _pair(self, mean: jax.Array, covariance: jax.Array) -> jax.Array:
        shape = jnp.broadcast_shapes(mean.shape[:-1], covariance.shape[:-2])
        return self.join(
            jnp.broadcast_to(mean, shape + mean.shape[-1:]), jnp.broadcast_to(covariance, shape + covariance.shape[-2:])
        )

    def _mean(self) -> jax.Array:
        exists = jnp.asarray(self.df)[..., None] > self.loc.shape[-1]
        return self._pair(jnp.where(exists, self.loc, jnp.nan), self._covariance_law._mean())

    def _mode(self) -> jax.Array:
        room = jnp.asarray(self.df)[..., None, None] + self.loc.shape[-1] + 2.0
        return self._pair(self.loc, self._scale / room)

    def _variance(self) -> jax.Array:
        law = self._covariance_law
        of_mean = jnp.diagonal(law._mean(), axis1=-2, axis2=-1) / jnp.asarray(self.pseudo_count)[..., None]
        return self._pair(of_mean, law._variance())

    def _entropy(self) -> jax.Array:
        d, law = self.loc.shape[-1], self._covariance_law
        mean_log_det = law._log_det() - d * math.log(2.0) - law._digammas(0.5 * self.df)
        return law._entropy() + 0.5 * (d * (1.0 + _LOG_2PI - jnp.log(self.pseudo_count)) + mean_log_det)
