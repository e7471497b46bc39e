"""Log-logistic."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions.burr import Burr12
from suffice.distributions.declaration import parameter
from suffice.distributions.mapped import Mapped
from suffice.numerics import domain
from suffice.numerics.moments import namespace, robust_location_and_scale


class LogLogistic(Mapped):
    """Log-logistic (Fisk) distribution: log X is logistic, sf 1/(1 + (x/scale)^concentration), x > 0.

    Args:
        concentration: shape and exponent of both tails, dimensionless, > 0.
        scale: median, in the unit of x, > 0.
    """

    concentration: jax.Array = parameter(domain.positive, doc="shape")
    scale: jax.Array = parameter(domain.positive, 1.0, doc="median")

    sample_space: ClassVar[Any] = domain.positive
    unbounded_at_origin: ClassVar[bool] = True

    def _base(self) -> Burr12:
        return Burr12(self.concentration, jnp.ones_like(self.concentration), self.scale)

    def _mean(self) -> jax.Array:
        return self._base()._mean()

    def _median(self) -> jax.Array:
        return self.scale

    def _mode(self) -> jax.Array:
        return self._base()._mode()

    def _variance(self) -> jax.Array:
        return self._base()._variance()

    def _skewness(self) -> jax.Array:
        return self._base()._skewness()

    def _kurtosis(self) -> jax.Array:
        return self._base()._kurtosis()

    def _entropy(self) -> jax.Array:
        return 2.0 + jnp.log(self.scale) - jnp.log(self.concentration)

    def _analytic_log_density(self, z: jax.Array) -> jax.Array:
        return self._base()._analytic_log_density(z)

    def _tilt(self) -> jax.Array:
        return self._base()._tilt()

    @classmethod
    def _start(cls, x: Any, w: Any) -> dict[str, Any]:
        xp = namespace(x)
        middle, deviation = robust_location_and_scale(xp.log(x), w)
        return {"concentration": 1.0 / (0.6 * deviation), "scale": xp.exp(middle)}
