"""Directions: the von Mises–Fisher distribution on the sphere."""

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.declaration import parameter
from suffice.distributions.exponential import ExponentialFamily
from suffice.distributions.statistics import Sufficient
from suffice.numerics import array_domain, domain, linalg, variates
from suffice.numerics.special.bessel import bessel_ratio, log_ive
from suffice.numerics.special.gamma import gammaln

_LOG_2PI = math.log(2.0 * math.pi)


class VonMisesFisher(ExponentialFamily):
    """Von Mises–Fisher distribution of unit vectors: p(x) = C exp(concentration · direction · x).

    C = κ^v/((2π)^(d/2) I_v(κ)), v = d/2 − 1, κ the concentration; the density is per area of the unit sphere.

    Args:
        direction: the mean direction, (..., d), a vector of length 1, d >= 2.
        concentration: κ, dimensionless, >= 0; 0 is uniform.

    Example:
        >>> import suffice as sf
        >>> p = sf.VonMisesFisher([0.0, 0.0, 1.0], 2.0)
        >>> round(float(p.log_prob([0.0, 0.6, 0.8])), 6)
        -1.526244
    """

    direction: jax.Array = parameter(array_domain.sphere, doc="mean direction, (..., d)")
    concentration: jax.Array = parameter(domain.non_negative, doc="concentration around it")

    event_ndim: ClassVar[int] = 1
    sample_space: ClassVar[Any] = array_domain.sphere

    def _inconsistent(self) -> str | None:
        if self.direction.shape[-1] < 2:
            return f"direction must have at least 2 coordinates, got shape {self.direction.shape}"
        return super()._inconsistent()

    def _sized(self, dimension: int) -> "VonMisesFisher":
        return type(self)((jnp.arange(dimension) == 0).astype(float), jnp.asarray(1.0))

    def _event_shape(self) -> tuple[int, ...]:
        return self.direction.shape[-1:]

    @property
    def _order(self) -> float:
        return 0.5 * self.direction.shape[-1] - 1.0

    def _log_normaliser(self, kappa: jax.Array) -> jax.Array:
        """log of the integral of exp(κ (cos − 1)) over the sphere."""
        v = self._order
        tiny = kappa < 1e-4  # I_v(κ) = (κ/2)^v/Γ(v + 1) · (1 + κ²/(4(v + 1)) + …)
        some = jnp.where(tiny, 1.0, kappa)
        body = log_ive(jnp.full_like(some, v), some) - v * jnp.log(some)
        small = self._log_uniform() + kappa**2 / (4.0 * (v + 1.0)) - kappa
        return jnp.where(tiny, small, (v + 1.0) * _LOG_2PI + body)

    def _log_uniform(self) -> jax.Array:
        """log of the area of the sphere."""
        v = self._order
        return (v + 1.0) * _LOG_2PI - gammaln(v + 1.0) - v * math.log(2.0)

    def _length(self) -> jax.Array:
        """Length of the mean vector, I_{v+1}(κ)/I_v(κ)."""
        kappa = jnp.asarray(self.concentration)
        return bessel_ratio(jnp.full_like(kappa, self._order), kappa)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        # cos − 1 = −|x − direction|²/2, without cancellation near the mean direction
        away = 0.5 * ((x - self.direction) ** 2).sum(-1)
        return -self.concentration * away - self._log_normaliser(jnp.asarray(self.concentration))

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        first, second = jax.random.split(key)
        d = self.direction.shape[-1]
        kappa = jnp.asarray(self.concentration, self._dtype)
        usable = (kappa >= 0.0) & (kappa < jnp.inf)
        away = variates.accept_reject(first, shape, _wood(d), jnp.where(usable, kappa, 1.0))  # 1 − cos
        tangent = variates.normal(second, (*shape, d - 1), self._dtype)
        tangent = tangent / jnp.linalg.norm(tangent, axis=-1, keepdims=True)
        sine = jnp.sqrt(away * (2.0 - away))
        x = jnp.concatenate([(1.0 - away)[..., None], sine[..., None] * tangent], axis=-1)
        # a reflection that takes the first axis to the mean direction
        first_axis = jnp.zeros_like(self.direction).at[..., 0].set(1.0)
        normal = first_axis - self.direction
        size = (normal**2).sum(-1, keepdims=True)
        return x - normal * (2.0 * (x * normal).sum(-1, keepdims=True) / jnp.where(size > 0, size, 1.0))

    def _mean(self) -> jax.Array:
        return self._length()[..., None] * self.direction

    def _mode(self) -> jax.Array:
        return self.direction

    def _covariance_matrix(self) -> jax.Array:
        kappa, length, d = jnp.asarray(self.concentration), self._length(), self.direction.shape[-1]
        some = kappa > 1e-4
        uniform = (1.0 - kappa**2 / (d * (d + 2.0))) / d
        across = jnp.where(some, length / jnp.where(some, kappa, 1.0), uniform)
        sharp, m = kappa > 1e3 * d, d - 1.0  # where the difference would lose its digits, its series in 1/κ
        k = jnp.where(sharp, kappa, 1.0)
        series = m / (2.0 * k**2) - m * (m - 2.0) / (4.0 * k**3) - 3.0 * m * (m - 2.0) / (8.0 * k**4)
        along = jnp.where(sharp, series, 1.0 - m * across - length**2)
        outer = self.direction[..., :, None] * self.direction[..., None, :]
        flat = linalg.eye_like(outer) - outer
        return across[..., None, None] * flat + along[..., None, None] * outer

    def _entropy(self) -> jax.Array:
        kappa = jnp.asarray(self.concentration)
        return self._log_normaliser(kappa) + kappa * (1.0 - self._length())

    # -- exponential family: eta = κ direction, T = x -----------------------------------------------------------------

    def _natural(self) -> jax.Array:
        return jnp.asarray(self.concentration)[..., None] * self.direction

    @classmethod
    def _from_natural(cls, eta: jax.Array) -> "VonMisesFisher":
        size = jnp.linalg.norm(eta, axis=-1, keepdims=True)
        first = jnp.zeros_like(eta).at[..., 0].set(1.0)
        return cls(jnp.where(size > 0, eta / jnp.where(size > 0, size, 1.0), first), size[..., 0])

    def _statistic(self, x: jax.Array) -> jax.Array:
        return x

    def _log_partition(self, eta: jax.Array) -> jax.Array:
        square = (eta**2).sum(-1)
        tiny = square < 1e-8  # where the series in the square is exact, and differentiable at 0
        kappa = jnp.sqrt(jnp.where(tiny, 1.0, square))
        small = self._log_uniform() + square / (4.0 * (self._order + 1.0))
        return jnp.where(tiny, small, kappa + self._log_normaliser(kappa))

    @classmethod
    def _estimate(cls, s: Sufficient) -> dict[str, jax.Array]:
        """The mean's direction, and the concentration at which the mean has its length: Newton's method."""
        length = jnp.linalg.norm(s.mean)
        d = s.mean.shape[-1]
        order = jnp.asarray(0.5 * d - 1.0)

        def step(_: int, kappa: jax.Array) -> jax.Array:
            ratio = bessel_ratio(order, kappa)
            slope = 1.0 - ratio**2 - (d - 1.0) / kappa * ratio
            return jnp.maximum(kappa - (ratio - length) / slope, 0.1 * kappa)

        start = length * (d - length**2) / (1.0 - length**2)  # Banerjee et al. 2005
        return {"direction": s.mean / length, "concentration": jax.lax.fori_loop(0, 12, step, start)}

    def _mean_log_prob(self, s: Sufficient) -> jax.Array:
        kappa = jnp.asarray(self.concentration)
        return kappa * ((self.direction * s.mean).sum(-1) - 1.0) - self._log_normaliser(kappa)


def _wood(d: int) -> Any:
    """Proposals for 1 − cos of the angle to the mean direction (Wood 1994, doi:10.1080/03610919408813161).

    With a beta variate z, cos = (1 − (1 + b) z)/(1 − (1 − b) z); accepted with probability .66 and more.
    """

    def propose(key: jax.Array, shape: tuple[int, ...], kappa: jax.Array) -> tuple[jax.Array, jax.Array]:
        first, second = jax.random.split(key)
        n = d - 1.0
        b = n / (2.0 * kappa + jnp.hypot(2.0 * kappa, n))
        z = variates.beta(first, 0.5 * n, 0.5 * n, shape, kappa.dtype)
        away = 2.0 * b * z / (1.0 - (1.0 - b) * z)
        best = 2.0 * b / (1.0 + b)  # 1 − cos where the ratio of the densities is highest
        rise = jnp.log((best + (1.0 - best) * away) / (best * (2.0 - best)))
        log_ratio = kappa * (best - away) + n * rise
        return away, jnp.log(variates.uniform(second, shape, kappa.dtype)) <= log_ratio

    return propose
