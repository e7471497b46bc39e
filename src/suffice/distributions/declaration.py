"""How a family is declared: its fields, what each may hold, and how the class becomes a frozen pytree."""

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import jax

from suffice.numerics.domain import Domain


class Limit(NamedTuple):
    """The family that a parameter leads to as it grows; ``names`` of the other parameters where they change."""

    kind: type
    names: Mapping[str, str] = MappingProxyType({})


def parameter(
    domain: Domain,
    default: Any = dataclasses.MISSING,
    *,
    doc: str,
    kw_only: bool = False,
    alias: str | None = None,
    stored: Callable[[str, Any], Any] | None = None,
) -> Any:
    """Declare a parameter of a family: where it may live, its default, and one line of what it means.

    ``alias`` is the public name of a parameter whose own name is taken by a method, such as "mean". With ``stored`` the
    constructor takes the parameter in another form under that name, such as a covariance, and keeps
    ``stored(name for errors, value)``, such as its Cholesky factor; the field's own name takes what is kept.
    """
    metadata = {"domain": domain, "doc": doc, "alias": alias, "stored": stored}
    return dataclasses.field(default=default, kw_only=kw_only, metadata=metadata)


def component(*, doc: str, axes: int = 0, stored: Callable[[str, Any], Any] | None = None) -> Any:
    """Declare a field that is itself a distribution, or a tuple of them; their last ``axes`` batch axes belong to it."""
    metadata = {"domain": None, "doc": doc, "alias": None, "axes": axes, "stored": stored}
    return dataclasses.field(metadata=metadata)


def static(*, doc: str, default: Any = dataclasses.MISSING) -> Any:
    """Declare a field that is no array and known when code is compiled, such as a dimension or a function."""
    return dataclasses.field(default=default, metadata={"domain": None, "doc": doc, "alias": None, "static": True})


def is_static(declared: Any) -> bool:
    return declared.metadata.get("static", False)


def is_component(declared: Any) -> bool:
    return declared.metadata["domain"] is None and not is_static(declared)


def public_name(declared: Any) -> str:
    """The name under which the constructor takes a field."""
    return declared.metadata["alias"] or declared.name


def register(cls: type) -> None:
    """Make a class of fields a frozen dataclass, and a pytree whose leaves are its parameters."""
    dataclasses.dataclass(frozen=True, eq=False, repr=False)(cls)
    _accept_public_names(cls)
    declared = dataclasses.fields(cls)  # type: ignore[arg-type]
    as_pytree(cls, [f.name for f in declared if not is_static(f)], [f.name for f in declared if is_static(f)])


def as_pytree(cls: type, names: Sequence[str], fixed: Sequence[str] = ()) -> None:
    """Make a pytree of a class: some fields are its leaves, the fixed ones are known when code is compiled.

    What JAX builds from leaves passes by the constructor, whose checks are for what people write.
    """
    keys = tuple(jax.tree_util.GetAttrKey(name) for name in names)

    def flatten(p: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        return tuple([p.__dict__[name] for name in names]), tuple([p.__dict__[name] for name in fixed])

    def flatten_with_keys(p: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        children, constants = flatten(p)
        return tuple(zip(keys, children, strict=True)), constants

    def unflatten(constants: tuple[Any, ...], children: Any) -> Any:
        p = object.__new__(cls)  # past the constructor: leaves may be tracers, or not arrays at all
        p.__dict__.update(zip(names, children, strict=True))
        p.__dict__.update(zip(fixed, constants, strict=True))
        return p

    jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)


def _accept_public_names(cls: type) -> None:
    """Let the constructor take fields by their public names, and in their public form."""
    declared = dataclasses.fields(cls)  # type: ignore[arg-type]
    public = {public_name(f): f for f in declared}
    if not any(f.metadata["alias"] or f.metadata.get("stored") for f in declared):
        return
    plain = cls.__init__
    positions = [f for f in declared if not f.kw_only]

    def kept(declared: Any, value: Any) -> Any:
        convert = declared.metadata.get("stored")
        return value if convert is None else convert(f"{cls.__name__}.{public_name(declared)}", value)

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        args = (*(kept(f, v) for f, v in zip(positions, args, strict=False)), *args[len(positions) :])
        named = {}
        for name, value in kwargs.items():
            known = public.get(name)
            named[name if known is None else known.name] = value if known is None else kept(known, value)
        plain(self, *args, **named)

    renamed = [
        p.replace(name=next((n for n, f in public.items() if f.name == p.name), p.name))
        for p in inspect.signature(plain).parameters.values()
    ]
    init.__signature__ = inspect.Signature(renamed)  # type: ignore[attr-defined]
    cls.__init__ = init  # type: ignore[misc]
