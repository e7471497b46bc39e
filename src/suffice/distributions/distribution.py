"""The noun everything else acts on: an immutable probability distribution."""

import functools
import operator
from collections.abc import Callable
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from suffice.distributions import generic
from suffice.distributions.declaration import Limit
from suffice.distributions.parametric import Parametric
from suffice.numerics.checks import as_argument
from suffice.runtime.rng import RNG, as_key


class DoesNotExistError(ArithmeticError):
    """The quantity asked for does not exist for this distribution, such as the mean of a Cauchy."""


def does_not_exist(reason: str) -> Any:
    """Declare that a family lacks a quantity: asking for it raises ``DoesNotExistError`` with the reason."""

    def raise_it(self: "Distribution", *_: Any) -> Any:
        raise DoesNotExistError(f"{type(self).__name__}: {reason}")

    return raise_it


def _with_argument(function: Callable[..., Any]) -> Any:
    """Compile a method of one array argument once for all families; lists and columns become arrays first."""
    compiled = jax.jit(function)

    @functools.wraps(function)
    def call(self: Any, x: Any) -> Any:
        return compiled(self, as_argument(x))

    return call


def _without_argument(function: Callable[..., Any]) -> Any:
    """Compile a method without argument once for all families."""
    compiled = jax.jit(function)

    @functools.wraps(function)
    def call(self: Any) -> Any:
        return compiled(self)

    return call


class Distribution(Parametric, abstract=True):
    """A probability distribution: parameters as fields, a pytree, everything else derived from a few formulae.

    A family is a subclass that declares its parameters with ``parameter(domain, default, doc=...)`` and writes its
    mathematics in hooks. ``sample_space`` and ``_log_prob(x)`` are required. All others are optional:

        _support() where it depends on parameters, or includes ends that data must not touch
        _cdf _sf _log_cdf _log_sf _icdf _isf _sample(key, shape)
        _mean _variance _skewness _kurtosis _median _mode _entropy _cumulant(t) _cf(t)

    Distributions of vectors and matrices say ``event_ndim`` 1 or 2 and write ``_event_shape()``, ``_sample``, ``_mean``,
    ``_mode``, ``_entropy``, ``_covariance_matrix()`` for vectors and ``_variance()`` for matrices; they have no tails.

    What a family leaves out comes from ``generic`` by quadrature and inversion. Hooks see arguments inside the support,
    parameters and data of one dtype and of equal rank. Public methods are final: they broadcast like NumPy, put 0,
    −inf, 1 outside the support, and NaN where parameters are invalid (in traced code; eagerly the constructor raises).
    """

    discrete: ClassVar[bool] = False
    held: ClassVar[tuple[str, ...]] = ()  # parameters that are known, such as a number of trials, and never estimated
    open: ClassVar[tuple[str, ...]] = ()  # those of them that may be left unknown, for sf.update
    settings: ClassVar[tuple[str, ...]] = ()  # the same, but held at their defaults where they are not given
    irregular: ClassVar[tuple[str, ...]] = ()  # parameters that bound the support: estimates without standard errors
    limits: ClassVar[dict[str, "Limit"]] = {}  # parameter -> what is reached as it grows
    irregular_origin: ClassVar[bool] = (
        False  # whether the density jumps at its origin, so that a free one is the minimum
    )
    unbounded_at_origin: ClassVar[bool] = False  # whether the likelihood is unbounded once the origin is free
    sample_space: ClassVar[Any]  # where data must lie for the family to be possible at all
    needs_extremes: ClassVar[bool] = False  # whether the smallest and largest observation enter the estimate

    def _aligned(self, x: ArrayLike, event_ndim: int = 0) -> tuple[Self, jax.Array]:
        """Parameters and argument in one floating dtype and with equal rank (scalars stay scalars)."""
        x = jnp.asarray(x)
        dtype = jnp.result_type(x, *jax.tree.leaves(self), float)
        rank = max(x.ndim - event_ndim, len(self.batch_shape))
        x = x.astype(dtype)
        missing = rank + event_ndim - x.ndim
        if missing > 0 and (event_ndim or x.ndim):
            x = x[(None,) * missing]
        return self._ranked(rank, dtype), x

    def _event(self, x: ArrayLike) -> tuple[Self, jax.Array]:
        """The same for an argument made of events, whose shape must be right."""
        shape = jnp.shape(x)
        if self.event_ndim and shape[-self.event_ndim :] != self.event_shape:
            raise ValueError(
                f"{type(self).__name__}: the last {self.event_ndim} axes of an argument must be {self.event_shape}, got "
                f"an array of shape {shape}"
            )
        return self._aligned(x, self.event_ndim)

    def _missing(self, x: jax.Array) -> jax.Array:
        """Where an argument holds NaN."""
        return jnp.isnan(x).any(tuple(range(-self.event_ndim, 0))) if self.event_ndim else jnp.isnan(x)

    def _checked(self, value: jax.Array, missing: Any = False, event_ndim: int = 0) -> jax.Array:
        """NaN where parameters are invalid or an argument is missing."""
        known = jnp.asarray(self._valid() & jnp.logical_not(missing))
        return jnp.where(known.reshape(known.shape + (1,) * event_ndim), value, jnp.nan)

    def _constant(self, value: Callable[[Any], ArrayLike], event_shape: tuple[int, ...] = ()) -> jax.Array:
        """A property of the distribution, as an array of the batch's shape."""
        p = self._ranked(len(self.batch_shape), self._dtype) if self.event_ndim else self
        checked = p._checked(jnp.asarray(value(p)), event_ndim=len(event_shape))
        return jnp.broadcast_to(checked, self.batch_shape + event_shape)

    def _needs_order(self, quantity: str) -> None:
        """Refuse what only distributions of numbers have."""
        if self.event_ndim:
            raise DoesNotExistError(f"{type(self).__name__}: arrays are not ordered, so there is no {quantity}")

    def _support(self) -> Any:
        return self.sample_space

    def _log_prob(self, x: jax.Array) -> jax.Array:
        raise NotImplementedError(f"{type(self).__name__} must define _log_prob")

    # the coordinate in which a statistic of fixed size takes its mean; families say where it is not x itself
    def _coordinate(self, x: jax.Array) -> jax.Array:
        return x

    def _from_coordinate(self, y: jax.Array) -> jax.Array:
        return y

    def support(self) -> Any:
        """Where the density or the probabilities are positive, as a ``Domain``."""
        return self._support()

    # -- densities and tails ----------------------------------------------------------------------------------

    @_with_argument
    def log_prob(self, x: ArrayLike) -> jax.Array:
        """Logarithm of the density, or of the probability for discrete families; −inf outside the support.

        Args:
            x: values, broadcast against the parameters; event axes come last.

        Returns:
            log p(x), NaN where ``x`` or a parameter is invalid.
        """
        p, x = self._event(x)
        support = p._support()
        inside = support.contains(x)
        if self.event_ndim:
            mask = inside.reshape(inside.shape + (1,) * self.event_ndim)
            value = p._log_prob(jnp.where(mask, x, support.interior(self.event_shape).astype(x.dtype)))
        else:
            value = p._log_prob(jnp.where(inside, x, support.interior()))
        return p._checked(jnp.where(inside, value, -jnp.inf), p._missing(x))

    @_with_argument
    def prob(self, x: ArrayLike) -> jax.Array:
        """Density, or probability for discrete families: ``exp(log_prob(x))``."""
        return jnp.exp(self.log_prob(x))

    def _tail(self, x: ArrayLike, hook: Callable[[Any, jax.Array], jax.Array], below: float, above: float) -> jax.Array:
        self._needs_order("distribution function")
        p, x = self._aligned(x)
        support = p._support()
        low, high = support.lower, support.upper
        x_at = jnp.floor(x) if support.integer else x
        is_below = (x_at < low) | (x_at == -jnp.inf) if self.discrete else x_at <= low
        is_above = x_at >= high
        value = hook(p, jnp.where(is_below | is_above, support.interior(), x_at))
        return p._checked(jnp.where(is_below, below, jnp.where(is_above, above, value)), jnp.isnan(x))

    @_with_argument
    def cdf(self, x: ArrayLike) -> jax.Array:
        """P(X <= x), exact in the lower tail."""
        return self._tail(x, generic.cdf, 0.0, 1.0)

    @_with_argument
    def sf(self, x: ArrayLike) -> jax.Array:
        """P(X > x), exact in the upper tail: never computed as 1 − cdf."""
        return self._tail(x, generic.sf, 1.0, 0.0)

    @_with_argument
    def log_cdf(self, x: ArrayLike) -> jax.Array:
        """log P(X <= x), finite where the probability underflows."""
        return self._tail(x, generic.log_cdf, -jnp.inf, 0.0)

    @_with_argument
    def log_sf(self, x: ArrayLike) -> jax.Array:
        """log P(X > x), finite where the probability underflows."""
        return self._tail(x, generic.log_sf, 0.0, -jnp.inf)

    def _quantile(self, q: ArrayLike, hook: Callable[[Any, jax.Array], jax.Array], upper_tail: bool) -> jax.Array:
        self._needs_order("quantile")
        p, q = self._aligned(q)
        support = p._support()
        at_zero, at_one = (support.upper, support.lower) if upper_tail else (support.lower, support.upper)
        inside = (q > 0) & (q < 1)
        value = jnp.where(inside, hook(p, jnp.where(inside, q, 0.5)), jnp.nan)
        return p._checked(jnp.where(q == 0, at_zero, jnp.where(q == 1, at_one, value)), jnp.isnan(q))

    @_with_argument
    def icdf(self, q: ArrayLike) -> jax.Array:
        """Quantile: the smallest x with cdf(x) >= q; NaN for q outside [0, 1]."""
        return self._quantile(q, generic.icdf, upper_tail=False)

    @_with_argument
    def isf(self, q: ArrayLike) -> jax.Array:
        """Upper quantile: the smallest x with sf(x) <= q; exact for tiny q."""
        return self._quantile(q, generic.isf, upper_tail=True)

    # -- drawing ----------------------------------------------------------------------------------------------

    def sample(self, shape: int | tuple[int, ...] = (), *, rng: RNG) -> jax.Array:
        """Draw independent values.

        Args:
            shape: how many; the result has shape ``shape + batch_shape + event shape``.
            rng: int, ``numpy.random.Generator`` or JAX key (see ``docs/notation.md``).
        """
        shape = tuple(shape) if np.iterable(shape) else (operator.index(shape),)
        return self._draw(as_key(rng), shape)

    @functools.partial(jax.jit, static_argnums=2)
    def _draw(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        full = shape + self.batch_shape
        p = self._ranked(len(full), self._dtype)
        draws = generic.sample(p, key, full)
        if jnp.issubdtype(draws.dtype, jnp.integer):
            valid = jnp.asarray(p._valid())
            return jnp.where(valid.reshape(valid.shape + (1,) * self.event_ndim), draws, -1)
        return p._checked(draws, event_ndim=self.event_ndim)

    # -- summaries --------------------------------------------------------------------------------------------

    @_without_argument
    def mean(self) -> jax.Array:
        """E[X]."""
        return self._constant(generic.mean, self.event_shape)

    @_without_argument
    def variance(self) -> jax.Array:
        """E[(X − E[X])²]; of each entry, for vectors and matrices."""
        return self._constant(generic.variance, self.event_shape)

    @_without_argument
    def covariance(self) -> jax.Array:
        """E[(X − E[X])(X − E[X])ᵀ], of shape ``batch_shape + (d, d)``, for distributions of vectors."""
        if self.event_ndim != 1:
            raise DoesNotExistError(f"{type(self).__name__}: covariance is for distributions of vectors")
        return self._constant(generic.covariance, self.event_shape * 2)

    @_without_argument
    def stddev(self) -> jax.Array:
        """Square root of the variance."""
        return jnp.sqrt(self.variance())

    @_without_argument
    def skewness(self) -> jax.Array:
        """E[((X − mean) / stddev)³]."""
        self._needs_order("skewness")
        return self._constant(generic.skewness)

    @_without_argument
    def kurtosis(self) -> jax.Array:
        """Excess kurtosis: E[((X − mean) / stddev)⁴] − 3, so 0 for the normal."""
        self._needs_order("kurtosis")
        return self._constant(generic.kurtosis)

    @_without_argument
    def median(self) -> jax.Array:
        """The quantile at one half."""
        hook = generic.own(self, "_median")
        return self.icdf(0.5) if hook is None else self._constant(lambda _: hook())

    @_without_argument
    def mode(self) -> jax.Array:
        """A point where the density or probability is largest."""
        return self._constant(generic.mode, self.event_shape)

    @_without_argument
    def entropy(self) -> jax.Array:
        """E[−log p(X)], in nats; differential for continuous families."""
        return self._constant(generic.entropy)

    @_with_argument
    def cumulant(self, t: ArrayLike) -> jax.Array:
        """Cumulant generating function log E[exp(t · X)]; +inf where the expectation diverges."""
        p, t = self._event(t)
        return p._checked(generic.cumulant(p, t), p._missing(t))

    @_with_argument
    def mgf(self, t: ArrayLike) -> jax.Array:
        """Moment generating function E[exp(t · X)]; +inf where the expectation diverges."""
        return jnp.exp(self.cumulant(t))

    @_with_argument
    def cf(self, t: ArrayLike) -> jax.Array:
        """Characteristic function E[exp(i t · X)], complex."""
        p, t = self._event(t)
        if p.discrete or p.event_ndim:
            return p._checked(generic.cf(p, t), p._missing(t))
        endless = jnp.isinf(t)  # a density has turned there infinitely often
        value = jnp.where(endless, 0.0, generic.cf(p, jnp.where(endless, 0.0, t)))
        return p._checked(value, p._missing(t))
