"""A distribution moved and stretched along the line: X = loc + scale Y."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions import generic
from suffice.distributions.declaration import component, parameter
from suffice.distributions.mapped import Image, Mapped, image
from suffice.numerics import domain


class Affine(Mapped):
    """X = loc + scale Y: gives a family of positive values an origin other than 0, or turns one around.

    Args:
        base: the distribution of Y, continuous.
        loc: the origin, in the unit of x.
        scale: unit of x per unit of y, not 0; negative turns the distribution around.

    Example:
        >>> import suffice as sf
        >>> p = sf.Affine(sf.Exponential(rate=1.0), loc=3.0, scale=-2.0)
        >>> round(float(p.mean()), 12), round(float(p.cdf(1.0)), 6)
        (1.0, 0.367879)
    """

    base: Any = component(doc="distribution of (x − loc)/scale")
    loc: jax.Array = parameter(domain.real, 0.0, doc="origin")
    scale: jax.Array = parameter(domain.non_zero, 1.0, doc="unit of x per unit of the base")

    settings: ClassVar[tuple[str, ...]] = ("scale",)
    sample_space: ClassVar[Any] = domain.real

    def _inconsistent(self) -> str | None:
        if self.base.discrete or self.base.event_ndim:
            return f"base must be a continuous distribution of numbers, got {type(self.base).__name__}"
        return super()._inconsistent()

    @property
    def _increasing(self) -> Any:  # type: ignore[override]
        return jnp.asarray(self.scale) > 0

    def _support(self) -> Image:
        return image(self, self.base._support(), self._increasing)

    def _base(self) -> Any:
        return self.base

    def _to_base(self, x: jax.Array) -> jax.Array:
        return (x - self.loc) / self.scale

    def _from_base(self, y: jax.Array) -> jax.Array:
        return self.loc + self.scale * y

    def _log_slope(self, x: jax.Array) -> jax.Array:
        return -jnp.log(jnp.abs(self.scale)) + jnp.zeros_like(x)

    def _mean(self) -> jax.Array:
        return self._from_base(generic.mean(self.base))

    def _mode(self) -> jax.Array:
        return self._from_base(generic.mode(self.base))

    def _variance(self) -> jax.Array:
        return self.scale**2 * generic.variance(self.base)

    def _skewness(self) -> jax.Array:
        return jnp.sign(self.scale) * generic.skewness(self.base)

    def _kurtosis(self) -> jax.Array:
        return generic.kurtosis(self.base)

    def _entropy(self) -> jax.Array:
        return jnp.log(jnp.abs(self.scale)) + generic.entropy(self.base)

    def _cumulant(self, t: jax.Array) -> jax.Array:
        return self.loc * t + generic.cumulant(self.base, self.scale * t)

    def _cf(self, t: jax.Array) -> jax.Array:
        return jnp.exp(1j * self.loc * t) * generic.cf(self.base, self.scale * t)
