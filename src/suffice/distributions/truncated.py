"""A distribution seen only between two bounds."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from suffice.distributions import generic
from suffice.distributions.declaration import component, parameter
from suffice.distributions.distribution import Distribution
from suffice.numerics import domain
from suffice.numerics.checks import is_traced
from suffice.numerics.inversion import increasing_root, smallest_integer


class Truncated(Distribution):
    """X of a base distribution, given lower <= X <= upper: p(x) = base(x) / P(lower <= X <= upper) between the bounds.

    Every probability is computed from whichever tail of the base is the smaller, so that a truncation far out in a tail
    keeps its digits. In ``sf.family(sf.Truncated, base=sf.Normal, lower=0.0)`` the bounds are known, the parameters of
    the base estimated.

    Args:
        base: the distribution before truncation.
        lower: smallest value seen, in the unit of x; −inf where there is none.
        upper: largest value seen, > lower; inf where there is none.

    Example:
        >>> import suffice as sf
        >>> p = sf.Truncated(sf.Normal(), lower=9.0, upper=10.0)
        >>> round(float(p.cdf(9.1)), 6)
        0.599842
    """

    base: Any = component(doc="distribution before truncation")
    lower: jax.Array = parameter(domain.extended_real, -domain.INF, doc="smallest value seen", kw_only=True)
    upper: jax.Array = parameter(domain.extended_real, domain.INF, doc="largest value seen", kw_only=True)

    settings: ClassVar[tuple[str, ...]] = ("lower", "upper")

    def _inconsistent(self) -> str | None:
        if self.base.discrete and not self.base.sample_space.integer:
            return f"a discrete base must be of integers, got {type(self.base).__name__}"
        return super()._inconsistent()

    def _condition(self) -> tuple[Any, str]:
        inner = self.base._support()
        inside = (self.lower < self.upper) & (self.lower < inner.upper) & (self.upper > inner.lower)
        return inside, "lower must be below upper, and some of the base's support between them"

    @property
    def discrete(self) -> bool:  # type: ignore[override]
        return self.base.discrete

    @property
    def sample_space(self) -> Any:  # type: ignore[override]
        """Where data must lie: the bounds, inside the base's sample space."""
        if is_traced(self):
            return self._support()
        inner = self.base.sample_space
        ends = max(float(self.lower), inner.lower), min(float(self.upper), inner.upper)
        kept = tuple(end != e or c for end, e, c in zip(ends, (inner.lower, inner.upper), inner.closed, strict=True))
        return domain.Interval(*ends, closed=kept, integer=inner.integer)  # type: ignore[arg-type]

    def _support(self) -> Any:
        inner = self.base._support()
        lower, upper = jnp.maximum(self.lower, inner.lower), jnp.minimum(self.upper, inner.upper)
        if inner.integer:
            return domain.Interval(jnp.ceil(lower), jnp.floor(upper), closed=(True, True), integer=True)
        return domain.Interval(lower, upper, closed=(True, True))

    def _ends(self) -> tuple[jax.Array, jax.Array]:
        """The interval (low, high] that the truncation keeps."""
        support = self._support()
        return (support.lower - 1.0 if support.integer else support.lower), support.upper

    def _log_mass(self, low: Any, high: Any) -> jax.Array:
        return generic.log_mass(self.base, *jnp.broadcast_arrays(low, high))

    def _log_prob(self, x: jax.Array) -> jax.Array:
        inner = self.base._support()
        inside = inner.contains(x)  # a bound may be an end of the base's support that does not belong to it
        density = jnp.where(inside, self.base._log_prob(jnp.where(inside, x, inner.interior())), -jnp.inf)
        return density - self._log_mass(*self._ends())

    def _log_tails(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        low, high = self._ends()
        total = self._log_mass(low, high)
        return self._log_mass(low, x) - total, self._log_mass(x, high) - total

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        below, above = self._log_tails(x)
        return jnp.where(below < above, below, jnp.log1p(-jnp.exp(jnp.minimum(above, below))))

    def _log_sf(self, x: jax.Array) -> jax.Array:
        below, above = self._log_tails(x)
        return jnp.where(above < below, above, jnp.log1p(-jnp.exp(jnp.minimum(above, below))))

    def _cdf(self, x: jax.Array) -> jax.Array:
        return jnp.exp(self._log_cdf(x))

    def _sf(self, x: jax.Array) -> jax.Array:
        return jnp.exp(self._log_sf(x))

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self._quantile_of(jnp.log(q), jnp.log1p(-q))

    def _isf(self, q: jax.Array) -> jax.Array:
        return self._quantile_of(jnp.log1p(-q), jnp.log(q))

    def _quantile_of(self, log_below: jax.Array, log_above: jax.Array) -> jax.Array:
        """The point with given logarithms of the probabilities on either side.

        The tails of the base there are averages of those at the bounds: sums of positive terms. The base's quantile of
        the smaller one is the answer, or, where that tail underflows, the start of a search on its logarithm.
        """
        low, high = self._ends()
        ends = jnp.stack(jnp.broadcast_arrays(low, high))
        (left_low, left_high), (right_low, right_high) = self.base.log_cdf(ends), self.base.log_sf(ends)
        left = jnp.logaddexp(left_low + log_above, left_high + log_below)
        right = jnp.logaddexp(right_low + log_above, right_high + log_below)
        from_left = left < right
        smaller = jnp.minimum(left, right)
        deep = smaller < 0.98 * jnp.log(jnp.finfo(smaller.dtype).tiny)
        level = jnp.exp(jnp.where(deep, -1.0, smaller))
        x = jnp.where(from_left, generic.icdf(self.base, level), generic.isf(self.base, level))
        if self.discrete:
            low, x = jnp.broadcast_arrays(low + 1.0, x)

            def reached(k: jax.Array) -> jax.Array:
                return jnp.where(from_left, self.base.log_cdf(k) >= left, self.base.log_sf(k) <= right)

            return jnp.minimum(smallest_integer(reached, jnp.clip(x, low, high), low), high)
        far = jnp.finfo(smaller.dtype).max ** 0.5
        low, high, x = jnp.broadcast_arrays(jnp.clip(low, -far, far), jnp.clip(high, -far, far), x)

        def excess(x: jax.Array) -> jax.Array:
            beyond = jnp.where(from_left, self.base.log_cdf(x) - left, right - self.base.log_sf(x))
            return jnp.where(deep, beyond, x)

        def slope(x: jax.Array, value: jax.Array) -> jax.Array:
            tail = jnp.where(from_left, left + value, right - value)
            return jnp.where(deep, jnp.exp(self.base.log_prob(x) - tail), 1.0)

        begin = jnp.where(deep, jnp.where(from_left, high, low), 0.0)
        found = increasing_root(excess, begin, jnp.where(deep, low, -1.0), jnp.where(deep, high, 1.0), slope)
        x = jnp.clip(jnp.where(deep, found, x), low, high)
        return self._near_an_end(x, low, high, log_below, log_above)

    def _near_an_end(
        self, x: jax.Array, low: jax.Array, high: jax.Array, log_below: jax.Array, log_above: jax.Array
    ) -> jax.Array:
        """A quantile with so little mass between it and a bound that the base's tails do not tell: two Newton steps."""
        at_low = log_below < log_above
        target = jnp.minimum(log_below, log_above) + self._log_mass(low, high)
        tails = jnp.minimum(self.base.log_cdf(jnp.where(at_low, x, high)), self.base.log_sf(jnp.where(at_low, low, x)))
        near = target < tails - 4.6
        for _ in range(2):
            density = self.base._log_prob(x)
            mass = self._log_mass(jnp.where(at_low, low, x), jnp.where(at_low, x, high))
            step = jnp.exp(target - density) - jnp.exp(mass - density)
            x = jnp.where(near, jnp.clip(x + jnp.where(at_low, step, -step), low, high), x)
        return x

    def _mode(self) -> jax.Array:
        support = self._support()
        return jnp.clip(generic.mode(self.base), support.lower, support.upper)
