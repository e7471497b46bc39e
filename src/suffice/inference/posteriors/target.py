"""A log-density of the user's as a function of unconstrained coordinates."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.space import Space


@dataclass(frozen=True)
class Target:
    """log p~ as given, with the space of its points; ``log_density(v)`` is that of the unconstrained coordinates v.

    Attributes:
        given: the function of a point, unnormalised.
        space: of the points: arrays by name, each in its domain.
        start: a point, unconstrained, (d,).
    """

    given: Callable[[Any], Any]
    space: Space
    start: np.ndarray

    @classmethod
    def of(cls, log_density: Callable[[Any], Any], start: Any, domains: Any = None) -> "Target":
        """Take a function of an array, or of a dictionary of arrays, and a point of its domain.

        Raises:
            TypeError: no function, or no domain. ValueError: a start outside the domains, domains that do not fit the
                start, or a log-density that is not a finite number there.
        """
        if not callable(log_density):
            raise TypeError(f"log_density must be a function, got {type(log_density).__name__}")
        point = jax.tree.map(lambda x: np.asarray(x, float), start)
        space = Space.of(domains, point)
        try:
            v = space.to_real(point)
        except ValueError as error:
            raise ValueError(f"start: {error}") from None
        target = cls(log_density, space, v)
        shape = jax.eval_shape(log_density, point).shape
        if shape != ():
            raise ValueError(f"log_density must return one number, got shape {shape}")
        at = float(target.log_density(jnp.asarray(v)))
        if not np.isfinite(at):
            raise ValueError(f"log_density must be finite at the start, got {at:g}")
        return target

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coordinates."""
        return self.space.coordinates

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return self.space.dimension

    @cached_property
    def log_density(self) -> Callable[[jax.Array], jax.Array]:
        """log p~ at the image of v, plus the logarithm of the map's Jacobian; −inf where it is NaN."""
        return self.space.log_density(self.given)

    def point(self, v: jax.Array) -> Any:
        """The point of unconstrained coordinates (d,), in the form the log-density takes."""
        return self.space.from_real(v)

    def points(self, v: jax.Array) -> Any:
        """Points of unconstrained coordinates (..., d)."""
        flat = jax.vmap(self.space.from_real)(v.reshape(-1, v.shape[-1]))
        return jax.tree.map(lambda x: x.reshape(v.shape[:-1] + x.shape[1:]), flat)
