"""The distribution of a sample: masses at the values seen."""

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from suffice.distributions.declaration import parameter
from suffice.distributions.distribution import Distribution
from suffice.numerics import array_domain, domain, variates
from suffice.numerics.checks import as_argument


class Empirical(Distribution):
    """Empirical distribution: P(X = x) = Σ weights_i [values_i = x] / Σ weights_i.

    Values are sorted once, when it is built, with the weights of equal ones gathered at the first of them. With whole
    numbers as weights, such as none at all, cdf and sf are k/n without any rounding but of the division.

    Args:
        values: the sample, (..., n), in any order, in the unit of x.
        weights: how often each value was seen, (..., n), >= 0, in any unit; once where not given.

    Example:
        >>> import suffice as sf
        >>> p = sf.Empirical([3.0, 1.0, 2.0, 2.0])
        >>> [float(v) for v in (p.cdf(2.0), p.prob(2.0), p.median(), p.variance())]
        [0.75, 0.5, 2.0, 0.5]
    """

    values: jax.Array = parameter(array_domain.vector, doc="values seen, sorted, (..., n)")
    weights: jax.Array = parameter(array_domain.Vector(domain.non_negative), doc="how often each was seen, (..., n)")

    discrete: ClassVar[bool] = True
    sample_space: ClassVar[Any] = domain.real

    def __init__(self, values: ArrayLike, weights: ArrayLike | None = None) -> None:
        values = as_argument(values)
        ones = jnp.ones(jnp.shape(values), jnp.result_type(values, float))
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "weights", ones if weights is None else weights)
        self.__post_init__()
        values, weights = _gathered(self.values, self.weights)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "weights", weights)

    def _inconsistent(self) -> str | None:
        n = self.values.shape[-1]
        if self.weights.shape[-1] != n:
            return f"weights must be as many as values, {n}, got {self.weights.shape[-1]}"
        return super()._inconsistent()

    def _condition(self) -> tuple[Any, str]:
        return self.weights.sum(-1) > 0, "some value must have a weight above 0"

    def _support(self) -> "_Masses":
        seen = self.weights > 0
        lower = jnp.where(seen, self.values, jnp.inf).min(-1)
        upper = jnp.where(seen, self.values, -jnp.inf).max(-1)
        return _Masses(lower, upper, closed=(True, True), p=self)

    # -- masses and their sums --------------------------------------------------------------------------------------

    def _mass(self, x: jax.Array) -> jax.Array:
        """The weight at x, not divided by the sum."""
        at = jnp.minimum(_search(self.values, x, side="left"), self.values.shape[-1] - 1)
        return jnp.where(_take(self.values, at) == x, _take(self.weights, at), 0.0)

    @property
    def _total(self) -> jax.Array:
        return self.weights.sum(-1)

    @property
    def _probs(self) -> jax.Array:
        return self._share(self.weights)

    def _from_left(self) -> jax.Array:
        """P(X <= values_k), (..., n)."""
        return self._share(jnp.cumsum(self.weights, -1))

    def _from_right(self) -> jax.Array:
        """P(X > values_k), (..., n), summed from the right, so that it keeps its digits."""
        after = jnp.roll(self.weights, -1, -1).at[..., -1].set(0.0)
        return self._share(jnp.cumsum(after[..., ::-1], -1)[..., ::-1])

    def _share(self, part: jax.Array) -> jax.Array:
        """Parts of the total, rounded once: behind the barrier the compiler can't multiply by a reciprocal instead."""
        total = jnp.broadcast_to(self._total[..., None], part.shape)
        return part / jax.lax.optimization_barrier(total)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return jnp.log(self._mass(x)) - jnp.log(self._total)

    def _cdf(self, x: jax.Array) -> jax.Array:
        return _take(self._from_left(), jnp.maximum(_search(self.values, x, side="right") - 1, 0))

    def _sf(self, x: jax.Array) -> jax.Array:
        return _take(self._from_right(), jnp.maximum(_search(self.values, x, side="right") - 1, 0))

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self._value_at(_search(self._from_left(), q, side="left"))

    def _isf(self, q: jax.Array) -> jax.Array:
        return self._value_at(_search(-self._from_right(), -q, side="left"))

    def _value_at(self, index: jax.Array) -> jax.Array:
        """The value at a place, never one of no weight beyond the ends, where sums round."""
        support = self._support()
        value = _take(self.values, jnp.minimum(index, self.values.shape[-1] - 1))
        return jnp.clip(value, support.lower, support.upper)

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        u = variates.uniform(key, shape, self._dtype)
        return self._value_at(_search(self._from_left(), u, side="right"))

    # -- summaries --------------------------------------------------------------------------------------------------

    def _rule(self, count: int) -> tuple[jax.Array, jax.Array]:
        """The values and their masses, as points along the axis that nodes take."""
        parts = self.values, self._probs
        return tuple(v if v.ndim == 1 else v.reshape(*v.shape[:-2], v.shape[-1]) for v in parts)  # type: ignore[return-value]

    def _mean(self) -> jax.Array:
        return (self._probs * self.values).sum(-1)

    def _central(self, order: int) -> jax.Array:
        return (self._probs * (self.values - self._mean()[..., None]) ** order).sum(-1)

    def _variance(self) -> jax.Array:
        return self._central(2)

    def _skewness(self) -> jax.Array:
        return self._central(3) / self._central(2) ** 1.5

    def _kurtosis(self) -> jax.Array:
        return self._central(4) / self._central(2) ** 2 - 3.0

    def _mode(self) -> jax.Array:
        return _take(self.values, jnp.argmax(self.weights + 0.0 * self.values, -1))

    def _entropy(self) -> jax.Array:
        return jax.scipy.special.entr(self._probs).sum(-1)

    def _cumulant(self, t: jax.Array) -> jax.Array:
        return jax.nn.logsumexp(_before_values(t) * self.values, axis=-1, b=self._probs)

    def _cf(self, t: jax.Array) -> jax.Array:
        return (self._probs * jnp.exp(1j * (_before_values(t) * self.values))).sum(-1)


@dataclass(frozen=True, eq=False)
class _Masses(domain.Interval):
    """The values that have mass, between the smallest and the largest."""

    p: Any = None

    def contains(self, x: Any) -> Any:
        return self.p._mass(jnp.asarray(x)) > 0

    def interior(self, shape: tuple[int, ...] = ()) -> Any:
        return self.lower


def _before_values(t: jax.Array) -> jax.Array:
    return t[..., None] if t.ndim else t


def _search(ordered: jax.Array, x: jax.Array, *, side: str) -> jax.Array:
    """Places of x in ordered values along the last axis, one list for each entry of x or one for all."""
    if ordered.ndim == 1:
        return jnp.searchsorted(ordered, x, side=side)
    search = lambda v, x: jnp.searchsorted(v, x, side=side)  # noqa: E731
    return jnp.vectorize(search, signature="(n),()->()")(ordered, x)


def _take(values: jax.Array, index: jax.Array) -> jax.Array:
    """Entries along the last axis at places, one for each."""
    if values.ndim == 1:
        return values[index]
    return jnp.vectorize(lambda v, i: v[i], signature="(n),()->()")(values, index)


@jax.jit
def _gathered(values: jax.Array, weights: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Values in order, and the weight of equal ones at the first of them."""
    return jnp.vectorize(_gathered_row, signature="(n),(n)->(n),(n)")(values, weights)


def _gathered_row(values: jax.Array, weights: jax.Array) -> tuple[jax.Array, jax.Array]:
    order = jnp.argsort(values)
    values = values[order]
    first = jnp.searchsorted(values, values, side="left", method="sort")
    return values, jnp.zeros_like(weights).at[first].add(weights[order])
