"""Immutable values made of declared parameters: checks, broadcasting, and what makes a pytree of them."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self, dataclass_transform

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions import generic
from suffice.distributions.declaration import (
    component,
    is_component,
    is_static,
    parameter,
    public_name,
    register,
    static,
)
from suffice.numerics.checks import checked, format_value, is_traced
from suffice.numerics.domain import Domain


@dataclass_transform(frozen_default=True, field_specifiers=(parameter, component, static))
class Parametric:
    """What has parameters as fields: checked where their values are known, broadcast together, and a pytree."""

    event_ndim: ClassVar[int] = 0  # axes that make up one value, the last ones
    reported: ClassVar[dict[str, tuple[str, Domain]]] = {}  # fields told in another form: the property, its domain

    def __init_subclass__(cls, abstract: bool = False) -> None:
        if not abstract:
            register(cls)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value, domain = getattr(self, field.name), field.metadata["domain"]
            name = f"{type(self).__name__}.{public_name(field)}"
            if domain is not None:
                object.__setattr__(self, field.name, checked(name, domain, value))
            elif is_component(field):
                wrong = next((v for v in parts(value) if not isinstance(v, Parametric)), None)
                if wrong is not None:
                    raise TypeError(f"{name} must be a distribution, got {type(wrong).__name__}")
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
            if isinstance(v, tuple):
                return f"[{', '.join(map(show, v))}]"
            return f"{v.dtype}{v.shape}" if hasattr(v, "dtype") else repr(v)

        return f"{type(self).__name__}({', '.join(f'{name}={show(v)}' for name, v in self._fields().items())})"

    # -- structure --------------------------------------------------------------------------------------------

    def _fields(self) -> dict[str, Any]:
        return {public_name(f): self._public(f) for f in dataclasses.fields(self)}  # type: ignore[arg-type]

    def _public(self, declared: Any) -> Any:
        """A field as people know it: in its public form, where it is stored in another."""
        if declared.metadata.get("stored") is None or declared.name not in self.reported:
            return getattr(self, declared.name)
        return getattr(self, self.reported[declared.name][0])

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        """Names of the parameters, in order."""
        return tuple(cls._domains())

    @classmethod
    def _domains(cls) -> dict[str, Any]:
        """Domain of each field, None for components."""
        return {f.name: f.metadata["domain"] for f in dataclasses.fields(cls) if not is_static(f)}  # type: ignore[arg-type]

    @classmethod
    def _axes(cls) -> dict[str, int]:
        """Trailing axes that make up one value of each field."""
        domains = cls._domains()
        own = {f.name: f.metadata.get("axes", 0) for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
        return {name: own[name] if domain is None else domain.event_ndim for name, domain in domains.items()}

    def _replaced(self, values: dict[str, Any]) -> Self:
        """A copy with other fields, past the constructor."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy.__dict__.update(values)
        return copy

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one value: () for numbers, (d,) for vectors."""
        return self._event_shape() if self.event_ndim else ()

    def _event_shape(self) -> tuple[int, ...]:
        raise NotImplementedError(f"{type(self).__name__} must define _event_shape")

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """Shape of the array of distributions that array-valued parameters make."""
        shapes: list[tuple[int, ...]] = []
        for name, axes in self._axes().items():
            for value in parts(getattr(self, name)):
                shape = value.batch_shape if isinstance(value, Parametric) else jnp.shape(value)
                shapes.append(shape[: len(shape) - axes])
        return np.broadcast_shapes(*shapes)

    def _ranked(self, rank: int, dtype: Any) -> Self:
        """The same distribution with its array parameters of ``rank`` batch axes and of one dtype.

        Numbers stay numbers in distributions of numbers; where events have axes they become arrays as well.
        """

        def expand(value: Any, axes: int) -> Any:
            if isinstance(value, tuple):
                return tuple(expand(v, axes) for v in value)
            if isinstance(value, Parametric):
                return value._ranked(rank + axes, dtype)
            value = jnp.asarray(value, dtype)
            missing = rank + axes - value.ndim
            scalar = value.ndim == axes and not self.event_ndim
            return value if scalar or missing <= 0 else value[(None,) * missing]

        return self._replaced({name: expand(getattr(self, name), axes) for name, axes in self._axes().items()})

    def _column(self, axis: int = -1) -> Self:
        """The same distributions with one more batch axis, the last by default, for nodes to broadcast against."""

        def expand(value: Any, axes: int) -> Any:
            if isinstance(value, tuple):
                return tuple(expand(v, axes) for v in value)
            if isinstance(value, Parametric):
                return value._column(axis - axes)
            return value if value.ndim == axes else jnp.expand_dims(value, axis - axes)

        return self._replaced({name: expand(getattr(self, name), axes) for name, axes in self._axes().items()})

    def _mapped(self, f: Callable[..., Any], *others: Self, outer: int = 0) -> Self:
        """A copy with f(array, …, axes) in place of each array, ``axes`` the trailing ones that are not of the batch."""

        def each(values: tuple[Any, ...], axes: int) -> Any:
            if isinstance(values[0], tuple):
                return tuple(each(several, axes) for several in zip(*values, strict=True))
            if isinstance(values[0], Parametric):
                return values[0]._mapped(f, *values[1:], outer=axes)
            return f(*values, axes)

        axes = self._axes()
        fields = {name: each(tuple(getattr(p, name) for p in (self, *others)), axes[name] + outer) for name in axes}
        return self._replaced(fields)

    @staticmethod
    def stacked(members: "Sequence[Parametric]") -> "Parametric":
        """Members of one class as one, along a new last batch axis."""
        batch = np.broadcast_shapes(*(p.batch_shape for p in members))

        def stack(*args: Any) -> jax.Array:
            *values, axes = args
            values = [jnp.asarray(v) for v in values]
            values = [v.reshape((1,) * (axes - v.ndim) + v.shape) for v in values]
            event = np.broadcast_shapes(*(v.shape[v.ndim - axes :] for v in values))
            return jnp.stack([jnp.broadcast_to(v, batch + event) for v in values], axis=-1 - axes)

        return members[0]._mapped(stack, *members[1:])

    def _member(self, index: jax.Array) -> Self:
        """The members at places along the last batch axis, one for each entry of ``index``."""

        def pick(value: Any, axes: int) -> jax.Array:
            if jnp.ndim(value) <= axes:
                return value  # shared by all
            event = ",".join(f"e{i}" for i in range(axes))
            signature = f"(k{',' if axes else ''}{event}),()->({event})"
            take = lambda v, i: v[jnp.minimum(i, v.shape[0] - 1)]  # noqa: E731
            return jnp.vectorize(take, signature=signature)(value, index)

        return self._mapped(pick)

    @property
    def _dtype(self) -> Any:
        return jnp.result_type(*jax.tree.leaves(self), float)

    def _valid(self) -> Any:
        """Whether the parameters lie in their domains; in traced code the answers are NaN where not."""
        axes = self._axes()
        valid: Any = True
        for name, domain in self._domains().items():
            for value in parts(getattr(self, name)):
                valid = valid & (_all_valid(value, axes[name]) if domain is None else domain.contains(value))
        condition = generic.own(self, "_condition")
        return valid if condition is None else valid & condition()[0]


def _all_valid(p: Parametric, axes: int) -> Any:
    """Whether parameters are valid along the last ``axes`` batch axes together."""
    valid = p._valid()
    return jnp.broadcast_to(valid, p.batch_shape).all(tuple(range(-axes, 0))) if axes else valid


def parts(value: Any) -> tuple[Any, ...]:
    """The values of a field: one, or several where it holds a tuple."""
    return value if isinstance(value, tuple) else (value,)
