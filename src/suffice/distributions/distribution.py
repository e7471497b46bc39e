"""The noun everything else acts on: an immutable probability distribution."""

import dataclasses
import functools
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Self, dataclass_transform

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from suffice.distributions import generic
from suffice.numerics.checks import as_argument, checked, format_value, is_traced
from suffice.numerics.domain import Domain
from suffice.runtime.rng import RNG, as_key


class DoesNotExistError(ArithmeticError):
    """The quantity asked for does not exist for this distribution, such as the mean of a Cauchy."""


def does_not_exist(reason: str) -> Any:
    """Declare that a family lacks a quantity: asking for it raises ``DoesNotExistError`` with the reason."""

    def raise_it(self: "Distribution", *_: Any) -> Any:
        raise DoesNotExistError(f"{type(self).__name__}: {reason}")

    return raise_it


class Limit(NamedTuple):
    """The family that a parameter leads to as it grows; ``names`` of the other parameters where they change."""

    kind: "type[Distribution]"
    names: Mapping[str, str] = MappingProxyType({})


def parameter(
    domain: Domain, default: Any = dataclasses.MISSING, *, doc: str, kw_only: bool = False, alias: str | None = None
) -> Any:
    """Declare a parameter of a family: where it may live, its default, and one line of what it means.

    ``alias`` is the public name of a parameter whose own name is taken by a method, such as "mean".
    """
    metadata = {"domain": domain, "doc": doc, "alias": alias}
    return dataclasses.field(default=default, kw_only=kw_only, metadata=metadata)


def component(*, doc: str) -> Any:
    """Declare a field that is itself a distribution."""
    return dataclasses.field(metadata={"domain": None, "doc": doc, "alias": None})


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


def _accept_aliases(cls: type) -> None:
    """Let the constructor take parameters by their public names."""
    aliases = {f.metadata["alias"]: f.name for f in dataclasses.fields(cls) if f.metadata["alias"]}  # type: ignore[arg-type]
    if not aliases:
        return
    plain = cls.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        plain(self, *args, **{aliases.get(name, name): value for name, value in kwargs.items()})

    cls.__init__ = init  # type: ignore[misc]


@dataclass_transform(frozen_default=True, field_specifiers=(parameter, component))
class Distribution:
    """A probability distribution: parameters as fields, a pytree, everything else derived from a few formulae.

    A family is a subclass that declares its parameters with ``parameter(domain, default, doc=...)`` and writes its
    mathematics in hooks. ``sample_space`` and ``_log_prob(x)`` are required. All others are optional:

        _support() where it depends on parameters, or includes ends that data must not touch
        _cdf _sf _log_cdf _log_sf _icdf _isf _sample(key, shape)
        _mean _variance _skewness _kurtosis _median _mode _entropy _cumulant(t) _cf(t)

    What a family leaves out comes from ``generic`` by quadrature and inversion. Hooks see arguments inside the support,
    parameters and data of one dtype and of equal rank. Public methods are final: they broadcast like NumPy, put 0,
    −inf, 1 outside the support, and NaN where parameters are invalid (in traced code; eagerly the constructor raises).
    """

    event_ndim: ClassVar[int] = 0
    discrete: ClassVar[bool] = False
    held: ClassVar[tuple[str, ...]] = ()  # parameters that are known, such as a number of trials, and never estimated
    settings: ClassVar[tuple[str, ...]] = ()  # the same, but held at their defaults where they are not given
    irregular: ClassVar[tuple[str, ...]] = ()  # parameters that bound the support: estimates without standard errors
    limits: ClassVar[dict[str, "Limit"]] = {}  # parameter -> what is reached as it grows
    irregular_origin: ClassVar[bool] = (
        False  # whether the density jumps at its origin, so that a free one is the minimum
    )
    unbounded_at_origin: ClassVar[bool] = False  # whether the likelihood is unbounded once the origin is free
    sample_space: ClassVar[Any]  # where data must lie for the family to be possible at all
    needs_extremes: ClassVar[bool] = False  # whether the smallest and largest observation enter the estimate
    reported: ClassVar[dict[str, tuple[str, Domain]]] = {}  # fields that fits report in another form

    def __init_subclass__(cls, abstract: bool = False) -> None:
        if abstract:
            return
        dataclasses.dataclass(frozen=True, eq=False, repr=False)(cls)
        _accept_aliases(cls)
        names = tuple(f.name for f in dataclasses.fields(cls))  # type: ignore[arg-type]
        keys = tuple(jax.tree_util.GetAttrKey(name) for name in names)

        def flatten(p: Any) -> tuple[tuple[Any, ...], None]:
            return tuple([p.__dict__[name] for name in names]), None

        def flatten_with_keys(p: Any) -> tuple[tuple[Any, ...], None]:
            return tuple(zip(keys, flatten(p)[0], strict=True)), None

        def unflatten(_: None, children: Any) -> Any:
            p = object.__new__(cls)  # past the constructor: leaves may be tracers, or not arrays at all
            p.__dict__.update(zip(names, children, strict=True))
            return p

        jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value, domain = getattr(self, field.name), field.metadata["domain"]
            name = f"{type(self).__name__}.{field.metadata['alias'] or field.name}"
            if domain is not None:
                object.__setattr__(self, field.name, checked(name, domain, value))
            elif not isinstance(value, Distribution):
                raise TypeError(f"{name} must be a distribution, got {type(value).__name__}")
        reason = self._inconsistent()
        if reason is not None:
            raise ValueError(f"{type(self).__name__}: {reason}")

    def _inconsistent(self) -> str | None:
        """Why the parameters do not fit together, if they don't and their values are known."""
        condition = generic.own(self, "_condition")
        if condition is None or is_traced(self):
            return None
        holds, text = condition()
        values = ", ".join(f"{name} = {format_value(v)}" for name, v in self._fields().items())
        return None if np.all(holds) else f"{text}, got {values}"

    def __repr__(self) -> str:
        def show(v: Any) -> str:
            if isinstance(v, jax.Array) and not is_traced(v) and v.size <= 6:
                return format_value(v)
            return repr(v) if isinstance(v, Distribution) else f"{getattr(v, 'dtype', '')}{getattr(v, 'shape', v)}"

        return f"{type(self).__name__}({', '.join(f'{name}={show(v)}' for name, v in self._fields().items())})"

    # -- structure --------------------------------------------------------------------------------------------

    def _fields(self) -> dict[str, Any]:
        return {f.metadata["alias"] or f.name: getattr(self, f.name) for f in dataclasses.fields(self)}  # type: ignore[arg-type]

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        """Names of the parameters, in order."""
        return tuple(f.name for f in dataclasses.fields(cls))  # type: ignore[arg-type]

    @classmethod
    def _domains(cls) -> dict[str, Any]:
        return {f.name: f.metadata["domain"] for f in dataclasses.fields(cls)}  # type: ignore[arg-type]

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """Shape of the array of distributions that array-valued parameters make."""
        shapes = []
        for name, domain in self._domains().items():
            value = getattr(self, name)
            if isinstance(value, Distribution):
                shapes.append(value.batch_shape)
            else:
                shape = jnp.shape(value)
                shapes.append(shape[: len(shape) - domain.event_ndim])
        return np.broadcast_shapes(*shapes)

    def _ranked(self, rank: int, dtype: Any) -> Self:
        """The same distribution with its array parameters of ``rank`` batch axes and of one dtype."""

        def expand(value: Any, domain: Any) -> Any:
            if isinstance(value, Distribution):
                return value._ranked(rank, dtype)
            value = jnp.asarray(value, dtype)
            missing = rank + domain.event_ndim - value.ndim
            return value if value.ndim == domain.event_ndim or missing <= 0 else value[(None,) * missing]

        fields = {name: expand(getattr(self, name), domain) for name, domain in self._domains().items()}
        return jax.tree.unflatten(jax.tree.structure(self), jax.tree.leaves(tuple(fields.values())))

    def _aligned(self, x: ArrayLike, event_ndim: int = 0) -> tuple[Self, jax.Array]:
        """Parameters and argument in one floating dtype and with equal rank (scalars stay scalars)."""
        x = jnp.asarray(x)
        dtype = jnp.result_type(x, *jax.tree.leaves(self), float)
        rank = max(x.ndim - event_ndim, len(self.batch_shape))
        x = x.astype(dtype)
        missing = rank + event_ndim - x.ndim
        if missing > 0 and x.ndim > event_ndim:
            x = x[(None,) * missing]
        return self._ranked(rank, dtype), x

    def _valid(self) -> Any:
        """Whether the parameters lie in their domains; in traced code the answers are NaN where not."""
        valid: Any = True
        for name, domain in self._domains().items():
            value = getattr(self, name)
            valid = valid & (value._valid() if isinstance(value, Distribution) else domain.contains(value))
        condition = generic.own(self, "_condition")
        return valid if condition is None else valid & condition()[0]

    def _checked(self, value: jax.Array, x: jax.Array | float = 0.0) -> jax.Array:
        return jnp.where(self._valid() & ~jnp.isnan(x), value, jnp.nan)

    def _constant(self, value: ArrayLike) -> jax.Array:
        """A property of the distribution, as an array of the batch's shape."""
        return jnp.broadcast_to(self._checked(jnp.asarray(value)), self.batch_shape)

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
        p, x = self._aligned(x, self.event_ndim)
        support = p._support()
        inside = support.contains(x)
        mask = inside.reshape(inside.shape + (1,) * self.event_ndim)
        value = jnp.where(inside, p._log_prob(jnp.where(mask, x, support.interior())), -jnp.inf)
        return p._checked(value, x if self.event_ndim == 0 else x.sum(tuple(range(-self.event_ndim, 0))))

    @_with_argument
    def prob(self, x: ArrayLike) -> jax.Array:
        """Density, or probability for discrete families: ``exp(log_prob(x))``."""
        return jnp.exp(self.log_prob(x))

    def _tail(self, x: ArrayLike, hook: Callable[[Any, jax.Array], jax.Array], below: float, above: float) -> jax.Array:
        p, x = self._aligned(x)
        support = p._support()
        low, high = support.lower, support.upper
        x_at = jnp.floor(x) if self.discrete else x
        is_below = (x_at < low) | (x_at == -jnp.inf) if self.discrete else x_at <= low
        is_above = x_at >= high
        value = hook(p, jnp.where(is_below | is_above, support.interior(), x_at))
        return p._checked(jnp.where(is_below, below, jnp.where(is_above, above, value)), x)

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
        p, q = self._aligned(q)
        support = p._support()
        at_zero, at_one = (support.upper, support.lower) if upper_tail else (support.lower, support.upper)
        inside = (q > 0) & (q < 1)
        value = jnp.where(inside, hook(p, jnp.where(inside, q, 0.5)), jnp.nan)
        return p._checked(jnp.where(q == 0, at_zero, jnp.where(q == 1, at_one, value)), q)

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
        p = self._ranked(len(full), jnp.result_type(*jax.tree.leaves(self), float))
        draws = generic.sample(p, key, full)
        if jnp.issubdtype(draws.dtype, jnp.integer):
            return jnp.where(p._valid(), draws, -1)
        return p._checked(draws)

    # -- summaries --------------------------------------------------------------------------------------------

    @_without_argument
    def mean(self) -> jax.Array:
        """E[X]."""
        return self._constant(generic.mean(self))

    @_without_argument
    def variance(self) -> jax.Array:
        """E[(X − E[X])²]."""
        return self._constant(generic.variance(self))

    @_without_argument
    def stddev(self) -> jax.Array:
        """Square root of the variance."""
        return jnp.sqrt(self.variance())

    @_without_argument
    def skewness(self) -> jax.Array:
        """E[((X − mean) / stddev)³]."""
        return self._constant(generic.skewness(self))

    @_without_argument
    def kurtosis(self) -> jax.Array:
        """Excess kurtosis: E[((X − mean) / stddev)⁴] − 3, so 0 for the normal."""
        return self._constant(generic.kurtosis(self))

    @_without_argument
    def median(self) -> jax.Array:
        """The quantile at one half."""
        hook = generic.own(self, "_median")
        return self.icdf(0.5) if hook is None else self._constant(hook())

    @_without_argument
    def mode(self) -> jax.Array:
        """A point where the density or probability is largest."""
        return self._constant(generic.mode(self))

    @_without_argument
    def entropy(self) -> jax.Array:
        """E[−log p(X)], in nats; differential for continuous families."""
        return self._constant(generic.entropy(self))

    @_with_argument
    def cumulant(self, t: ArrayLike) -> jax.Array:
        """Cumulant generating function log E[exp(t X)]; +inf where the expectation diverges."""
        p, t = self._aligned(t)
        return p._checked(generic.cumulant(p, t), t)

    @_with_argument
    def mgf(self, t: ArrayLike) -> jax.Array:
        """Moment generating function E[exp(t X)]; +inf where the expectation diverges."""
        return jnp.exp(self.cumulant(t))

    @_with_argument
    def cf(self, t: ArrayLike) -> jax.Array:
        """Characteristic function E[exp(i t X)], complex."""
        p, t = self._aligned(t)
        value = generic.cf(p, t)
        return jnp.where(p._valid() & ~jnp.isnan(t), value, jnp.nan)
