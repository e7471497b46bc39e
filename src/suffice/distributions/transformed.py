"""A distribution seen through a function of the user's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions import generic
from suffice.distributions.declaration import component, static
from suffice.distributions.mapped import Image, Mapped, image
from suffice.numerics.checks import is_traced


@dataclass(frozen=True)
class Bijector:
    """A monotone function of a number with its inverse.

    Args:
        forward: y -> x, elementwise, differentiable by JAX; at the ends of the base's support its limits.
        inverse: x -> y.
        log_slope: y -> log |forward'(y)|; from automatic differentiation where it is not given.
        increasing: whether the function increases.

    Example:
        >>> import jax.numpy as jnp, suffice as sf
        >>> p = sf.Transformed(sf.Normal(), sf.Bijector(jnp.exp, jnp.log))
        >>> round(float(p.log_prob(2.0) - sf.LogNormal(0.0, 1.0).log_prob(2.0)), 12)
        0.0
    """

    forward: Callable[[jax.Array], jax.Array]
    inverse: Callable[[jax.Array], jax.Array]
    log_slope: Callable[[jax.Array], jax.Array] | None = None
    increasing: bool = True


class Transformed(Mapped):
    """X = f(Y), f a monotone function and Y of a base distribution: p(x) = base(y) / |f'(y)|, y the inverse image of x.

    Tails and quantiles come from the base's, through f.

    Args:
        base: the distribution of Y, continuous.
        bijector: f with its inverse, a ``Bijector``.

    Example:
        >>> import jax, jax.numpy as jnp, suffice as sf
        >>> logit = lambda x: jnp.log(x) - jnp.log1p(-x)
        >>> p = sf.Transformed(sf.Normal(1.0, 2.0), sf.Bijector(jax.nn.sigmoid, logit))  # logit-normal
        >>> round(float(p.median()), 6)
        0.731059
    """

    base: Any = component(doc="distribution of y")
    bijector: Bijector = static(doc="function from y to x, with its inverse")

    def _inconsistent(self) -> str | None:
        if not isinstance(self.bijector, Bijector):
            return f"bijector must be an sf.Bijector, got {type(self.bijector).__name__}"
        if self.base.discrete or self.base.event_ndim:
            return f"base must be a continuous distribution of numbers, got {type(self.base).__name__}"
        return self._not_monotone() or super()._inconsistent()

    def _not_monotone(self) -> str | None:
        """Why the function does not fit the base's support, as far as its ends tell."""
        if is_traced(self):
            return None
        source = self.base._support()
        low, high = (np.asarray(self.bijector.forward(jnp.asarray(end, float))) for end in (source.lower, source.upper))
        if np.all(low < high if self.bijector.increasing else low > high):
            return None
        way = "increase" if self.bijector.increasing else "decrease"
        return f"bijector must {way} from one end of the base's support to the other, got {low} and {high} there"

    @property
    def _increasing(self) -> Any:  # type: ignore[override]
        return True if self.bijector.increasing else jnp.asarray(False)

    @property
    def sample_space(self) -> Any:  # type: ignore[override]
        return self._support()

    def _support(self) -> Image:
        return image(self, self.base._support(), self._increasing)

    def _base(self) -> Any:
        return self.base

    def _to_base(self, x: jax.Array) -> jax.Array:
        return self.bijector.inverse(x)

    def _from_base(self, y: jax.Array) -> jax.Array:
        return self.bijector.forward(y)

    def _log_slope(self, x: jax.Array) -> jax.Array:
        y = self._to_base(x)
        if self.bijector.log_slope is not None:
            return -self.bijector.log_slope(y)
        return -jnp.log(jnp.abs(jax.jvp(self.bijector.forward, (y,), (jnp.ones_like(y),))[1]))

    def _mode(self) -> jax.Array:
        """The highest point of the density, which need not be the image of the base's mode."""
        return generic.peak(self)
