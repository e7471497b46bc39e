"""Where a value may live: one declaration that drives checks, transforms, documentation and test cases."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.moments import namespace

INF = float("inf")


@dataclass(frozen=True, eq=False)
class Domain:
    """A set of scalars or vectors, with a smooth one-to-one map to unconstrained vectors.

    ``contains(x)`` tests membership, ``to_real`` and ``from_real`` map to and from the unconstrained space, in which
    optimisers and samplers walk. ``event_ndim`` is the number of trailing axes that make up one value.
    """

    @property
    def event_ndim(self) -> int:
        return 0

    def contains(self, x: Any) -> Any:
        raise NotImplementedError

    def interior(self, shape: tuple[int, ...] = ()) -> Any:
        raise NotImplementedError

    def real_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the unconstrained image of an array of this shape."""
        return shape

    def to_real(self, x: Any) -> Any:
        raise NotImplementedError

    def from_real(self, v: Any) -> Any:
        raise NotImplementedError

    def log_jacobian(self, v: Any) -> Any:
        """log |det ∂x/∂v| of the map from unconstrained values, summed over all of them; x counts each free number once."""
        lead = v.shape[: v.ndim - self.event_ndim] if self.event_ndim else ()
        flat = v.reshape(-1, v.shape[-1]) if self.event_ndim else v.reshape(-1, 1)
        shape = jax.eval_shape(self.from_real, v).shape[len(lead) :] if self.event_ndim else ()
        free = tuple(np.array(list(self.places(shape))).T)[: len(shape)]

        def numbers(row: jax.Array) -> jax.Array:
            return self.from_real(row)[free] if self.event_ndim else self.from_real(row)

        return jnp.linalg.slogdet(jax.vmap(jax.jacfwd(numbers))(flat))[1].sum()

    def array(self, *shape: int) -> "Shaped":
        """An array of this shape whose values live here; vectors and matrices take the last axes: `sf.simplex.array(3)`."""
        return Shaped(self, shape)

    def of(self, index: tuple[int, ...]) -> "Domain":
        """Domain of one entry of an array, by which it is reported."""
        return self

    def places(self, shape: tuple[int, ...]) -> Iterable[tuple[int, ...]]:
        """Indices of the entries by which an array of this shape is reported: each free number once."""
        return np.ndindex(*shape)


@dataclass(frozen=True)
class Shaped:
    """A domain and the shape of the array that lives in it."""

    domain: Domain
    shape: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Interval(Domain):
    """The numbers (or integers) between ``lower`` and ``upper``; ends belong to it where ``closed`` says so.

    The ends are numbers, or arrays where they follow from parameters, as in the support of a uniform distribution.
    The unconstrained map is the identity on the line, a logarithm on half-lines and a logit on finite intervals.
    """

    lower: Any = -INF
    upper: Any = INF
    closed: tuple[bool, bool] = (False, False)
    integer: bool = False

    def contains(self, x: Any) -> Any:
        above = x >= self.lower if self.closed[0] else x > self.lower
        below = x <= self.upper if self.closed[1] else x < self.upper
        inside = above & below
        return inside & (x == namespace(x).floor(x)) if self.integer else inside

    def _bounded(self) -> tuple[bool, bool]:
        """Which ends are finite; an end given by an array is."""
        return tuple(not isinstance(end, float) or abs(end) != INF for end in (self.lower, self.upper))  # type: ignore[return-value]

    def to_real(self, x: Any) -> Any:
        xp = namespace(x)
        match self._bounded():
            case (True, True):
                return xp.log(x - self.lower) - xp.log(self.upper - x)
            case (True, False):
                return xp.log(x - self.lower)
            case (False, True):
                return -xp.log(self.upper - x)
        return x

    def from_real(self, v: Any) -> Any:
        xp = namespace(v)
        match self._bounded():
            case (True, True):
                return self.lower + (self.upper - self.lower) * jax.nn.sigmoid(v)
            case (True, False):
                return self.lower + xp.exp(v)
            case (False, True):
                return self.upper - xp.exp(-v)
        return v

    def log_jacobian(self, v: Any) -> Any:
        match self._bounded():
            case (True, True):
                width = jnp.log(jnp.asarray(self.upper - self.lower, v.dtype))
                return (width - jax.nn.softplus(v) - jax.nn.softplus(-v)).sum()
            case (True, False):
                return v.sum()
            case (False, True):
                return -v.sum()
        return jnp.zeros((), v.dtype)

    def interior(self, shape: tuple[int, ...] = ()) -> Any:
        """Some value of this shape well inside, used in place of values outside so that no branch is undefined."""
        low, high = self._bounded()
        if low and high:
            return jnp.floor((self.lower + self.upper) / 2) if self.integer else (self.lower + self.upper) / 2
        if low:
            return self.lower + 1.0
        return self.upper - 1.0 if high else 0.0

    def __str__(self) -> str:
        low, high = self._bounded()
        kind = "an integer " if self.integer else ""
        if low and high:
            if self.integer:
                return f"an integer from {self.lower:g} to {self.upper:g}"
            return f"in {'[' if self.closed[0] else '('}{self.lower:g}, {self.upper:g}{']' if self.closed[1] else ')'}"
        if low:
            return f"{kind}{'>=' if self.closed[0] else '>'} {self.lower:g}"
        if high:
            return f"{kind}{'<=' if self.closed[1] else '<'} {self.upper:g}"
        return kind.strip() or "finite"


@dataclass(frozen=True, eq=False)
class NonZero(Interval):
    """The numbers other than 0; unconstrained as they are, since a search does not step over 0 by chance."""

    def contains(self, x: Any) -> Any:
        return super().contains(x) & (x != 0.0)

    def interior(self, shape: tuple[int, ...] = ()) -> Any:
        return 1.0

    def __str__(self) -> str:
        return "finite and not 0"


real = Interval()
positive = Interval(lower=0.0)
non_negative = Interval(lower=0.0, closed=(True, False))
unit_open = Interval(lower=0.0, upper=1.0)
unit = Interval(lower=0.0, upper=1.0, closed=(True, True))
count = Interval(lower=0.0, closed=(True, False), integer=True)
integer = Interval(integer=True)
non_zero = NonZero()
extended_real = Interval(closed=(True, True))
