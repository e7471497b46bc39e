"""What a fit needs from data: small values with ``+``, so that chunks, files and workers add up to one answer."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.generic import own
from suffice.numerics.domain import real
from suffice.runtime.blocks import SMALL, Block

_LANES = 256  # fits the vector registers and the nearest cache
_ROWS = 2**12  # of arrays, worked on at a time


class Statistics:
    """Mergeable summary of data: ``a + b`` is the summary of both samples together."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Sufficient(Statistics):
    """Statistic of fixed size for a family whose log-likelihood is affine in (y, phi(y)).

    y = ``_coordinate(x)`` is the coordinate of the data (x, log x, logit x …) and phi a convex function of it, given
    by its Bregman divergence D(s, c) = phi(c + s) − phi(c) − phi'(c)·s in terms of the step s = y − c. The sample is
    carried about a centre c near its mean: the mean step and the mean divergence. From these follow the mean ȳ and the
    Jensen gap J = mean phi(y) − phi(ȳ) >= 0 — for the normal the variance, for the gamma log mean − mean log — with
    all the digits that raw moments lose. Merging moves one sample to the other's centre by the three-point identity
    D(y − c) = D(y − b) + D(b − c) + (phi'(b) − phi'(c))·(y − b), in which nothing is rounded that matters: the pairwise
    rule of Chan, Golub and LeVeque (1983) for every convex phi.

    Attributes:
        prototype: a member of the family, whose hooks say how data enter.
        count: number of observations, the sum of their weights.
        centre: the point c, in the coordinate.
        shift: mean of y − c.
        divergence: mean of D(y − c, c); 0 for families with a statistic of one number.
        log_base: mean of log h(x), the base measure.
        lower, upper: smallest and largest observation, where the family needs them (NaN elsewhere).
        outside: weight of the observations outside the support.
    """

    prototype: Any
    count: jax.Array
    centre: jax.Array
    shift: jax.Array
    divergence: jax.Array
    log_base: jax.Array
    lower: jax.Array
    upper: jax.Array
    outside: jax.Array

    @property
    def mean(self) -> jax.Array:
        """Mean of the coordinate, ȳ."""
        return self.centre + self.shift

    @property
    def gap(self) -> jax.Array:
        """Jensen gap J = mean phi(y) − phi(ȳ)."""
        hook = own(self.prototype, "_divergence")
        gap = self.divergence if hook is None else self.divergence - hook(self.shift, self.centre)
        return jnp.maximum(gap, 0.0) if gap.ndim == 0 else gap

    def __add__(self, other: "Sufficient") -> "Sufficient":
        if not isinstance(other, Sufficient) or type(other.prototype) is not type(self.prototype):
            raise TypeError(f"statistics of {_describe(self)} and {_describe(other)} do not add")
        if not same_held(self.prototype, other.prototype):
            raise ValueError(
                f"statistics of {self.prototype!r} and {other.prototype!r} do not add: what is held differs"
            )
        if self.centre.shape != other.centre.shape:
            raise ValueError(
                f"statistics of {_describe(self)} with {self.centre.size} and {other.centre.size} classes do not add"
            )
        if float(other.count) == 0.0:
            return self
        return other if float(self.count) == 0.0 else merged(self, other)


def same_held(a: Any, b: Any) -> bool:
    """Whether two members of a family agree in the parameters that are always held, such as a number of trials."""
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in a.held)


def _describe(statistics: Any) -> str:
    return type(getattr(statistics, "prototype", statistics)).__name__


@jax.jit
def merged(a: Sufficient, b: Sufficient) -> Sufficient:
    count = a.count + b.count
    share = b.count / count
    move = b.centre - a.centre
    divergence, hook = b.divergence, own(a.prototype, "_divergence")
    if hook is not None:
        between, change = jax.jvp(lambda s: hook(s, a.centre), (move,), (b.shift,))
        divergence = divergence + between + change
    return replace(
        a,
        count=count,
        shift=a.shift + share * (move + b.shift - a.shift),
        divergence=a.divergence + share * (divergence - a.divergence),
        log_base=a.log_base + share * (b.log_base - a.log_base),
        lower=jnp.minimum(a.lower, b.lower),
        upper=jnp.maximum(a.upper, b.upper),
        outside=a.outside + b.outside,
    )


class _Sums(NamedTuple):
    """Plain sums about a pilot c: they add without any thought, and are centred once at the end."""

    count: Any
    first: Any
    second: Any
    log_base: Any
    lower: Any
    upper: Any
    outside: Any


def _terms(prototype: Any, pilot: jax.Array, x: jax.Array, w: jax.Array | None) -> _Sums:
    """What each observation adds to the sums; weights None mean 1, and their count is left to the caller."""
    x = x.astype(pilot.dtype)
    y = prototype._coordinate(x)
    deviation = y - pilot[None]
    divergence, base = own(prototype, "_divergence"), own(prototype, "_log_base_measure")
    zero = jnp.zeros((), pilot.dtype)

    def weighted(v: jax.Array) -> jax.Array:
        return v if w is None else v * w.reshape(w.shape + (1,) * (v.ndim - 1))

    def bound(absent: float) -> jax.Array:
        return x if w is None else jnp.where(w > 0, x, absent)

    return _Sums(
        zero if w is None else w,
        weighted(deviation),
        zero if divergence is None else weighted(divergence(deviation, pilot[None])),
        zero if base is None else weighted(base(x)),
        bound(jnp.inf) if prototype.needs_extremes else zero,
        bound(-jnp.inf) if prototype.needs_extremes else zero,
        zero if prototype.sample_space is real else weighted(jnp.where(prototype.sample_space.contains(x), 0.0, 1.0)),
    )


@jax.jit
def _pilot(prototype: Any, block: Block) -> jax.Array:
    """A point near the data: the mean coordinate of the first thousand observations."""
    (x,), w = block
    w = jnp.ones(SMALL) if w is None else w[:SMALL]
    y = prototype._coordinate(x[:SMALL].astype(w.dtype))
    return jnp.tensordot(w, y, axes=1) / jnp.where(w.sum() > 0, w.sum(), 1.0)


@jax.jit
def sums(prototype: Any, pilot: jax.Array, block: Block) -> _Sums:
    """Sums over a block: in parallel lanes of registers, which is as fast as memory, and across them at the end."""
    (x,), w = block
    if prototype.event_ndim:
        return _sums_of_arrays(prototype, pilot, x, w)

    def terms(i: int | jax.Array, size: int) -> _Sums:
        part = jax.lax.dynamic_slice_in_dim(x, i * size, size)
        return _terms(prototype, pilot, part, None if w is None else jax.lax.dynamic_slice_in_dim(w, i * size, size))

    n = x.shape[0]
    if n <= SMALL:
        total = terms(0, n)
    else:
        total = jax.lax.fori_loop(1, n // _LANES, lambda i, s: _add(s, terms(i, _LANES), jnp), terms(0, _LANES))
    total = _Sums(*[jnp.sum(v, axis=0) if v.ndim else v for v in total])._replace(
        lower=jnp.min(total.lower), upper=jnp.max(total.upper)
    )
    return total if w is not None else total._replace(count=jnp.asarray(n, pilot.dtype))


def _sums_of_arrays(prototype: Any, pilot: jax.Array, x: jax.Array, w: jax.Array | None) -> _Sums:
    """Sums over events that are arrays, some thousand at a time: products of matrices do the adding."""
    n, zero = x.shape[0], jnp.zeros((), pilot.dtype)
    size = min(n, _ROWS)
    total, base = own(prototype, "_total_divergence"), own(prototype, "_log_base_measure")

    def add(i: int | jax.Array, sums: _Sums) -> _Sums:
        part = jax.lax.dynamic_slice_in_dim(x, i * size, size).astype(pilot.dtype)
        weights = jnp.ones(size, pilot.dtype) if w is None else jax.lax.dynamic_slice_in_dim(w, i * size, size)
        deviation = prototype._coordinate(part) - pilot[None]
        outside = jnp.where(prototype.sample_space.contains(part), 0.0, 1.0)
        terms = _Sums(
            weights.sum(),
            jnp.tensordot(weights, deviation, axes=1),
            zero if total is None else total(deviation, weights),
            zero if base is None else weights @ base(part),
            zero,
            zero,
            weights @ outside,
        )
        return _add(sums, terms, jnp)

    shapes = jax.eval_shape(lambda: add(0, _Sums(*[zero] * 7)))
    start = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
    return jax.lax.fori_loop(0, n // size, add, start)


def _add(a: _Sums, b: _Sums, xp: Any) -> _Sums:
    total = _Sums(*[u + v for u, v in zip(a, b, strict=True)])
    return total._replace(lower=xp.minimum(a.lower, b.lower), upper=xp.maximum(a.upper, b.upper))


@jax.jit
def centred(prototype: Any, pilot: jax.Array, sums: _Sums) -> Sufficient:
    """Turn sums about the pilot into means."""
    unknown = 0.0 if prototype.needs_extremes else jnp.nan
    return Sufficient(
        prototype,
        sums.count,
        pilot,
        sums.first / sums.count,
        sums.second / sums.count,
        sums.log_base / sums.count,
        sums.lower + unknown,
        sums.upper + unknown,
        sums.outside,
    )


@jax.jit
def _of_one_block(prototype: Any, block: Block) -> Sufficient:
    pilot = _pilot(prototype, block)
    return centred(prototype, pilot, sums(prototype, pilot, block))


def rough_sufficient(prototype: Any, block: Block) -> Sufficient:
    """The statistic of one block, operation by operation: for starting points, which are not worth a compilation."""
    (x,), w = block
    w = jnp.ones(x.shape[0]) if w is None else w
    y = prototype._coordinate(x)
    mean = w @ y / w.sum()
    hook = own(prototype, "_divergence")
    divergence = jnp.zeros(()) if hook is None else jnp.tensordot(w, hook(y - mean[None], mean), axes=1) / w.sum()
    zero = jnp.zeros(())
    return Sufficient(prototype, w.sum(), mean, jnp.zeros_like(mean), divergence, zero, x.min(), x.max(), zero)


def sufficient(prototype: Any, data: Iterable[Block]) -> Sufficient:
    """Fold blocks of data into the sufficient statistic of the family of ``prototype``."""
    first, *rest = data
    if not rest:
        return _of_one_block(prototype, first)
    pilot = _pilot(prototype, first)
    parts = jax.device_get([sums(prototype, pilot, block) for block in (first, *rest)])  # one wait for all blocks
    while len(parts) > 1:
        parts = [_add(*pair, np) if len(pair) == 2 else pair[0] for pair in _pairs(parts)]
    return centred(prototype, pilot, parts[0])


def _pairs(items: list[Any]) -> list[list[Any]]:
    return [items[i : i + 2] for i in range(0, len(items), 2)]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Expansion(Statistics):
    """Log-likelihood, gradient and Hessian at one point of the unconstrained parameter space.

    The statistic of families without a finite one: it adds over data as long as the point is the same, so that
    Newton's method runs on chunks, files and clusters, one pass a step.

    Attributes:
        point: unconstrained parameters the expansion was taken at, (d,).
        count: number of observations, the sum of their weights.
        log_likelihood, gradient, hessian: of shapes (), (d,), (d, d).
        jacobian: derivatives of the reported parameters in the unconstrained ones, (d, d).
        family: the family, with what it holds.
    """

    family: Any
    point: Any
    count: Any
    log_likelihood: Any
    gradient: Any
    hessian: Any
    jacobian: Any

    def __add__(self, other: "Expansion") -> "Expansion":
        if not isinstance(other, Expansion):
            raise TypeError(f"statistics of {_describe(self)} and {_describe(other)} do not add")
        if not np.array_equal(np.asarray(self.point), np.asarray(other.point)):
            raise ValueError(
                "statistics taken at different parameters do not add: "
                f"{np.asarray(self.point)} and {np.asarray(other.point)} on the unconstrained scale"
            )
        return replace(
            self,
            count=self.count + other.count,
            log_likelihood=self.log_likelihood + other.log_likelihood,
            gradient=self.gradient + other.gradient,
            hessian=self.hessian + other.hessian,
        )
