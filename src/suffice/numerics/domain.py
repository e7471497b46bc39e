"""Where a value may live: one declaration that drives checks, transforms, documentation and test cases."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

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

    def real_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the unconstrained image of an array of this shape."""
        return shape

    def to_real(self, x: Any) -> Any:
        raise NotImplementedError

    def from_real(self, v: Any) -> Any:
        raise NotImplementedError


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

    def interior(self) -> Any:
        """Some number well inside, used in place of values outside so that no branch is undefined."""
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


@dataclass(frozen=True)
class Logits(Domain):
    """Unnormalised log-probabilities of K classes on the last axis; a common shift changes nothing, −inf is allowed.

    The unconstrained space has K − 1 coordinates: differences to the last class.
    """

    @property
    def event_ndim(self) -> int:
        return 1

    def contains(self, x: Any) -> Any:
        xp = namespace(x)
        return xp.all(x < INF, axis=-1) & xp.any(x > -INF, axis=-1)

    def real_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*shape[:-1], shape[-1] - 1)

    def to_real(self, x: Any) -> Any:
        return x[..., :-1] - x[..., -1:]

    def from_real(self, v: Any) -> Any:
        return jnp.concatenate([v, jnp.zeros((*v.shape[:-1], 1), v.dtype)], axis=-1)

    def __str__(self) -> str:
        return "below infinity, at least one of them finite"


@dataclass(frozen=True)
class Simplex(Domain):
    """Probabilities of K classes on the last axis: at least 0, summing to 1; unconstrained as log-ratios to the last."""

    @property
    def event_ndim(self) -> int:
        return 1

    def contains(self, x: Any) -> Any:
        xp = namespace(x)
        tolerance = 8 * jnp.finfo(x.dtype).eps * x.shape[-1]
        return xp.all(x >= 0, axis=-1) & (xp.abs(x.sum(-1) - 1) <= tolerance)

    def real_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*shape[:-1], shape[-1] - 1)

    def to_real(self, x: Any) -> Any:
        log_x = namespace(x).log(x)
        return log_x[..., :-1] - log_x[..., -1:]

    def from_real(self, v: Any) -> Any:
        return jax.nn.softmax(jnp.concatenate([v, jnp.zeros((*v.shape[:-1], 1), v.dtype)], axis=-1), axis=-1)

    def __str__(self) -> str:
        return "at least 0 and summing to 1"


real = Interval()
positive = Interval(lower=0.0)
non_negative = Interval(lower=0.0, closed=(True, False))
unit_open = Interval(lower=0.0, upper=1.0)
unit = Interval(lower=0.0, upper=1.0, closed=(True, True))
count = Interval(lower=0.0, closed=(True, False), integer=True)
integer = Interval(integer=True)
logits = Logits()
simplex = Simplex()
extended_real = Interval(closed=(True, True))
