"""Mixtures: a value comes from one of several distributions, chosen at random."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from suffice.distributions import generic
from suffice.distributions.declaration import component, parameter
from suffice.distributions.distribution import Distribution
from suffice.distributions.parametric import Parametric
from suffice.numerics import array_domain, domain, quadrature, variates
from suffice.numerics.inversion import increasing_root, smallest_integer


def _grouped(name: str, value: Any) -> tuple[Any, ...]:
    """Components as groups: neighbours of one family become one distribution, with a last batch axis that counts them."""
    if isinstance(value, Distribution):
        if not value.batch_shape:
            raise ValueError(f"{name} must be a list of distributions, or one with a batch axis, got {value!r}")
        return (value,)
    value = list(value)
    wrong = next((p for p in value if not isinstance(p, Distribution)), None)
    if wrong is not None or not value:
        raise TypeError(f"{name} must be distributions, got {value if wrong is None else type(wrong).__name__}")
    if any((p.event_shape, p.discrete) != (value[0].event_shape, value[0].discrete) for p in value):
        raise ValueError(f"{name} must all be continuous or all discrete, with values of one shape")
    runs = itertools.groupby(value, key=lambda p: (type(p), jax.tree.structure(p)))
    return tuple(Parametric.stacked(list(run)) for _, run in runs)


class Mixture(Distribution):
    """Mixture distribution: p(x) = Σ weights_k p_k(x).

    Tails are sums of the components' tails, so that they keep their digits wherever those do.

    Args:
        components: a list of distributions, all continuous or all discrete, of numbers or of vectors; or one
            distribution whose last batch axis counts the components. They are kept as a tuple of the latter, one for
            each run of components of one family.
        weights: probabilities of the components, (..., K), summing to 1.

    Example:
        >>> import suffice as sf
        >>> p = sf.Mixture([sf.Normal(-2.0, 1.0), sf.Normal(3.0, 0.5)], [0.25, 0.75])
        >>> round(float(p.mean()), 6), round(float(p.cdf(0.0)), 6)
        (1.75, 0.244312)
        >>> p.responsibilities(1.0).round(4)
        Array([0.8466, 0.1534], dtype=float64)
    """

    components: Any = component(doc="the distributions mixed", axes=1, stored=_grouped)
    weights: jax.Array = parameter(array_domain.simplex, doc="their probabilities, (..., K)")

    def _inconsistent(self) -> str | None:
        counts = sum(g.batch_shape[-1] for g in self.components)
        if counts != self.weights.shape[-1]:
            return f"weights must be as many as the components, {counts}, got {self.weights.shape[-1]}"
        if self.discrete and not self.event_ndim and not all(g._support().integer for g in self.components):
            return "discrete components must be of integers"
        return super()._inconsistent()

    @property
    def event_ndim(self) -> int:  # type: ignore[override]
        return self.components[0].event_ndim

    @property
    def discrete(self) -> bool:  # type: ignore[override]
        return self.components[0].discrete

    @property
    def sample_space(self) -> Any:  # type: ignore[override]
        return array_domain.AnyOf(tuple(g.sample_space for g in self.components))

    def _event_shape(self) -> tuple[int, ...]:
        return self.components[0].event_shape

    def _support(self) -> Any:
        supports = [g._support() for g in self.components]
        if self.event_ndim:
            return array_domain.AnyOf(tuple(supports))
        return _union(supports)

    # -- sums over components ---------------------------------------------------------------------------------------

    def _each(self, method: Callable[[Any, jax.Array], jax.Array], x: jax.Array) -> jax.Array:
        """What a method of one argument gives for every component, along a new last axis before those of events."""
        at = x if x.ndim == 0 else jnp.expand_dims(x, x.ndim - self.event_ndim)
        return self._side_by_side([method(g, at) for g in self.components])

    def _of_each(self, method: Callable[[Any], jax.Array], event_ndim: int = 0) -> jax.Array:
        """A property of every component, along the last axis before those of events."""
        return self._side_by_side([method(g) for g in self.components], event_ndim)

    def _side_by_side(self, values: list[jax.Array], event_ndim: int = 0) -> jax.Array:
        axis = -1 - event_ndim
        shapes = [v.shape[: v.ndim - event_ndim] for v in values]
        lead = np.broadcast_shapes(*(s[:-1] for s in shapes))
        whole = [
            jnp.broadcast_to(v, (*lead, g.batch_shape[-1], *v.shape[v.ndim - event_ndim :]))
            for v, g in zip(values, self.components, strict=True)
        ]
        return jnp.concatenate(whole, axis=axis)

    def _beside(self, value: jax.Array, event_ndim: int = 0) -> tuple[jax.Array, jax.Array]:
        """The weights and values of every component, of equal rank."""
        w, missing = self.weights.astype(value.real.dtype), self.weights.ndim - (value.ndim - event_ndim)
        value = value.reshape((1,) * max(missing, 0) + value.shape)
        return w.reshape((1,) * max(-missing, 0) + w.shape + (1,) * event_ndim), value

    def _average(self, value: jax.Array, event_ndim: int = 0) -> jax.Array:
        w, value = self._beside(value, event_ndim)
        return jnp.where(w > 0, w * value, 0.0).sum(-1 - event_ndim)

    def _log_average(self, log_value: jax.Array) -> jax.Array:
        w, log_value = self._beside(log_value)
        return jax.nn.logsumexp(jnp.where(w > 0, jnp.log(jnp.where(w > 0, w, 1.0)) + log_value, -jnp.inf), axis=-1)

    # -- densities and tails ----------------------------------------------------------------------------------------

    def responsibilities(self, x: ArrayLike) -> jax.Array:
        """Probabilities of the components given values x, (..., K)."""
        p, x = self._event(x)
        w, log_value = p._beside(p._each(_log_density, x))
        return jax.nn.softmax(jnp.log(w) + log_value, axis=-1)

    def component_log_prob(self, x: ArrayLike) -> jax.Array:
        """log p_k(x) of each component, (..., K)."""
        p, x = self._event(x)
        return p._each(_log_density, x)

    def _log_prob(self, x: jax.Array) -> jax.Array:
        return self._log_average(self._each(_log_density, x))

    def _cdf(self, x: jax.Array) -> jax.Array:
        return self._average(self._each(lambda g, x: g.cdf(x), x))

    def _sf(self, x: jax.Array) -> jax.Array:
        return self._average(self._each(lambda g, x: g.sf(x), x))

    def _log_tails(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Logarithms of both tails, each to full accuracy where it is not near 0."""
        below, above = self._each(lambda g, x: g.log_cdf(x), x), self._each(lambda g, x: g.log_sf(x), x)
        return self._log_average(below), self._log_average(above)

    def _log_cdf(self, x: jax.Array) -> jax.Array:
        below, above = self._log_tails(x)
        return _log_near_certainty(below, above)

    def _log_sf(self, x: jax.Array) -> jax.Array:
        below, above = self._log_tails(x)
        return _log_near_certainty(above, below)

    def _icdf(self, q: jax.Array) -> jax.Array:
        return self._quantile_of(q, jnp.log(q), jnp.log1p(-q), lambda g, q: g.icdf(q))

    def _isf(self, q: jax.Array) -> jax.Array:
        return self._quantile_of(q, jnp.log1p(-q), jnp.log(q), lambda g, q: g.isf(q))

    def _quantile_of(self, q: jax.Array, log_below: jax.Array, log_above: jax.Array, quantile: Any) -> jax.Array:
        """Between the components' quantiles, where the logarithm of the smaller tail is what it should be."""
        w, each = jnp.broadcast_arrays(*self._beside(self._each(quantile, q)))
        heaviest = jnp.take_along_axis(each, jnp.argmax(w, -1)[..., None], -1)
        each = jnp.where(w > 0, each, heaviest)
        low, high = each.min(-1), each.max(-1)
        left = log_below < log_above
        low, high, left, log_below, log_above = jnp.broadcast_arrays(low, high, left, log_below, log_above)
        if self.discrete:
            slack = 16.0 * jnp.finfo(low.dtype).eps

            def reached(k: jax.Array) -> jax.Array:
                below, above = self._log_tails(k)
                return jnp.where(left, below >= log_below - slack, above <= log_above + slack)

            return jnp.minimum(smallest_integer(reached, jnp.floor(low), low), high)

        def excess(x: jax.Array) -> jax.Array:
            below, above = self._log_tails(x)
            return jnp.where(left, below - log_below, log_above - above)

        def hazard(x: jax.Array, excess: jax.Array) -> jax.Array:
            return jnp.exp(self.log_prob(x) - jnp.where(left, log_below + excess, log_above - excess))

        return increasing_root(excess, low + 0.5 * (high - low), low, high, hazard)

    # -- drawing ----------------------------------------------------------------------------------------------------

    def _sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Choose a component for each draw, and draw from it: its parameters are gathered first."""
        choose, draw = jax.random.split(key)
        usable = self._valid()
        w = jnp.where(jnp.asarray(usable)[..., None], self.weights, 1.0)
        w = w.reshape((1,) * (len(shape) + 1 - w.ndim) + w.shape)
        chosen = variates.categorical(choose, jnp.log(w), shape)
        first, value = 0, None
        for g, k in zip(self.components, jax.random.split(draw, len(self.components)), strict=True):
            count = g.batch_shape[-1]
            here = (chosen >= first) & (chosen < first + count)
            draws = generic.sample(g._member(jnp.clip(chosen - first, 0, count - 1)), k, shape)
            mask = here.reshape(here.shape + (1,) * self.event_ndim)
            value = draws if value is None else jnp.where(mask, draws, value)
            first += count
        return jnp.asarray(value)

    # -- summaries --------------------------------------------------------------------------------------------------

    def _mean(self) -> jax.Array:
        return self._average(self._of_each(lambda g: g.mean(), self.event_ndim), self.event_ndim)

    def _central(self) -> tuple[jax.Array, jax.Array]:
        """Distance of each component's mean from the whole's, and its variance."""
        means, variances = (self._quantity(m) for m in (lambda g: g.mean(), lambda g: g.variance()))
        return means - self._average(means)[..., None], variances

    def _quantity(self, method: Callable[[Any], jax.Array], event_ndim: int = 0) -> jax.Array:
        """A property of every component, with the batch axes of the weights as well."""
        return self._beside(self._of_each(method, event_ndim), event_ndim)[1]

    def _variance(self) -> jax.Array:
        n = self.event_ndim
        means, variances = (self._quantity(m, n) for m in (lambda g: g.mean(), lambda g: g.variance()))
        distance = means - jnp.expand_dims(self._average(means, n), -1 - n)
        return self._average(variances + distance**2, n)

    def _covariance_matrix(self) -> jax.Array:
        means = self._quantity(lambda g: g.mean(), 1)
        distance = means - self._average(means, 1)[..., None, :]
        within = self._quantity(lambda g: g.covariance(), 2)
        return self._average(within + distance[..., :, None] * distance[..., None, :], 2)

    def _skewness(self) -> jax.Array:
        distance, variance = self._central()
        third = self._quantity(lambda g: g.skewness()) * variance**1.5
        moment = self._average(third + 3.0 * distance * variance + distance**3)
        return moment / self._average(variance + distance**2) ** 1.5

    def _kurtosis(self) -> jax.Array:
        distance, variance = self._central()
        third = self._quantity(lambda g: g.skewness()) * variance**1.5
        fourth = (self._quantity(lambda g: g.kurtosis()) + 3.0) * variance**2
        moment = self._average(fourth + 4.0 * distance * third + 6.0 * distance**2 * variance + distance**4)
        return moment / self._average(variance + distance**2) ** 2 - 3.0

    @property
    def _rule(self) -> Any:
        return None if self.discrete else self._nodes

    def _nodes(self, count: int) -> tuple[jax.Array, jax.Array]:
        """Nodes at the components' quantiles: the whole's own quantiles jump between components far apart."""
        u, w = (jnp.asarray(v) for v in quadrature.half_unit_nodes(count))
        nodes, weights = [], []
        rank = max(len(self.batch_shape), 1)
        levels = u.reshape((1,) * (rank - 1) + (count, 1))
        for tail in (lambda g: g.icdf(levels), lambda g: g.isf(levels)):
            weight, each = self._beside(self._of_each(tail))  # (..., nodes, K)
            share = weight * w[:, None].reshape((1,) * (each.ndim - 2) + (count, 1))
            each, share = jnp.broadcast_arrays(each, share)
            nodes.append(each.reshape(*each.shape[:-2], -1))
            weights.append(share.reshape(*each.shape[:-2], -1))
        return jnp.concatenate(nodes, axis=-1), jnp.concatenate(weights, axis=-1)

    def _mode(self) -> jax.Array:
        """The best of the peaks near the components' own modes."""
        if self.event_ndim:
            raise NotImplementedError("Mixture: the mode of a mixture of vectors has no closed form")
        shape = (*self.batch_shape, self.weights.shape[-1])
        each = self._of_each(lambda g: g.mode()), self._of_each(lambda g: g.icdf(0.75) - g.icdf(0.25))
        modes, spread = (jnp.moveaxis(jnp.broadcast_to(v, shape), -1, 0) for v in each)
        density = jax.vmap(self.log_prob)
        if self.discrete:
            steps = jnp.arange(-32.0, 33.0).reshape((-1,) + (1,) * modes.ndim)
            tried = jnp.maximum(modes[None] + steps, self._support().lower).reshape(-1, *modes.shape[1:])
        else:
            ends = jnp.maximum(modes - spread, modes.min(0)[None]), jnp.minimum(modes + spread, modes.max(0)[None])
            tried = jnp.concatenate([modes, quadrature.golden_section(density, *ends)])
        best = jnp.argmax(density(tried), axis=0)
        return jnp.take_along_axis(tried, best[None], axis=0)[0]

    def _cumulant(self, t: jax.Array) -> jax.Array:
        return self._log_average(self._each(lambda g, t: g.cumulant(t), t))

    def _cf(self, t: jax.Array) -> jax.Array:
        return self._average(self._each(lambda g, t: g.cf(t), t))


def _log_density(p: Any, x: jax.Array) -> jax.Array:
    """log p(x), −inf outside the support; of integers also between them, as sums by quadrature want it."""
    support = p._support()
    inside = (x >= support.lower) & (x <= support.upper) if p.discrete and not p.event_ndim else support.contains(x)
    mask = inside.reshape(inside.shape + (1,) * p.event_ndim)
    value = p._log_prob(jnp.where(mask, x, support.interior(p.event_shape)))
    return jnp.where(inside, value, -jnp.inf)


def _log_near_certainty(log_value: jax.Array, log_rest: jax.Array) -> jax.Array:
    """The logarithm of a probability, from the rest where that is the smaller."""
    certain = log_value > -0.6931
    return jnp.where(certain, jnp.log1p(-jnp.exp(jnp.where(certain, log_rest, -1.0))), log_value)


@dataclass(frozen=True, eq=False)
class _Union(domain.Interval):
    """What any of several supports contains, between the lowest end and the highest."""

    supports: tuple[Any, ...] = ()

    def contains(self, x: Any) -> Any:
        x = jnp.asarray(x)
        at = x if x.ndim == 0 else x[..., None]
        inside: Any = False
        for support in self.supports:
            here = support.contains(at)
            whole = jnp.any(here, axis=-1) if jnp.ndim(here) > x.ndim else here
            inside = inside | whole
        return inside

    def interior(self, shape: tuple[int, ...] = ()) -> Any:
        point = jnp.asarray(self.supports[0].interior())
        return point[..., 0] if point.ndim else point


def _union(supports: list[Any]) -> _Union:
    def over(ends: list[Any], reduce: Any) -> Any:
        reduced = [reduce(jnp.asarray(end), -1) if jnp.ndim(end) else jnp.asarray(end) for end in ends]
        return reduce(jnp.stack(jnp.broadcast_arrays(*reduced)), 0)

    lower, upper = over([s.lower for s in supports], jnp.min), over([s.upper for s in supports], jnp.max)
    return _Union(lower, upper, integer=supports[0].integer, supports=tuple(supports))
