"""What is fitted: a class of distributions, with some parameters held where the user says so."""

import math
from dataclasses import dataclass, field, fields
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.affine import Affine
from suffice.distributions.declaration import is_component, is_static, public_name
from suffice.distributions.distribution import Distribution
from suffice.distributions.generic import own
from suffice.numerics.checks import checked
from suffice.numerics.domain import INF, Domain, Interval

Path = tuple[str, ...]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Family:
    """A set of distributions indexed by free parameters, between which estimation chooses.

    ``member`` is any one of them: it carries what is held and says how parameters are shaped. ``free`` names the
    fields that vary. Methods map members to flat unconstrained vectors, where optimisers walk, and to the flat vector
    of reported parameters, in which results are told.
    """

    member: Any
    free: tuple[Path, ...] = field(default=(), metadata={"static": True})

    @property
    def kind(self) -> type[Distribution]:
        """The class of the members."""
        return type(self.member)

    @property
    def name(self) -> str:
        """The class's name, with what is held: "Normal(scale=2)"."""
        shifted = isinstance(self.member, Affine)
        inner = self.member.base if shifted else self.member
        free = [path[1:] if shifted else path for path in self.free]
        told = []
        for f in fields(inner):
            value, name = getattr(inner, f.name), public_name(f)
            if isinstance(value, Distribution):
                told.append(f"{name}={Family(value, tuple(path[1:] for path in free if path[0] == f.name)).name}")
            elif (f.name,) not in free and np.ndim(value):
                told.append(f"{name}=…")
            elif (f.name,) not in free and not (f.name in inner.settings and np.isinf(value)):
                told.append(f"{name}={np.asarray(value):g}")
        told += ["loc free"] if shifted else []
        return f"{type(inner).__name__}({', '.join(told)})" if told else type(inner).__name__

    def _get(self, p: Distribution, path: Path) -> Any:
        for name in path:
            p = getattr(p, name)
        return p

    def _field(self, path: Path) -> tuple[Any, Any]:
        owner = self._get(self.member, path[:-1])
        return type(owner), next(f for f in fields(owner) if f.name == path[-1])

    def _reported(self, path: Path) -> tuple[str, str, Domain]:
        """Attribute, public name and domain in which a free parameter is reported."""
        owner, declared = self._field(path)
        name, domain = owner.reported.get(declared.name, (declared.name, declared.metadata["domain"]))
        return name, declared.metadata["alias"] or name, domain

    # -- unconstrained vectors ------------------------------------------------------------------------------------

    def vector(self, p: Distribution, xp: Any = jnp) -> Any:
        """Unconstrained coordinates of a member, (d,), as an array of ``xp``."""
        parts = [self._field(path)[1].metadata["domain"].to_real(xp.asarray(self._get(p, path))) for path in self.free]
        return xp.concatenate([xp.ravel(part) for part in parts]) if parts else xp.zeros(0)

    def _shapes(self) -> list[tuple[int, ...]]:
        """Shape of each free parameter in unconstrained coordinates."""
        domains = [self._field(path)[1].metadata["domain"] for path in self.free]
        values = [self._get(self.member, path) for path in self.free]
        return [d.real_shape(jnp.shape(value)) for d, value in zip(domains, values, strict=True)]

    def build(self, v: Any) -> Any:
        """The member with unconstrained coordinates ``v``; the inverse of ``vector``."""
        p, at = self.member, 0
        for path, shape in zip(self.free, self._shapes(), strict=True):
            domain = self._field(path)[1].metadata["domain"]
            size = math.prod(shape)
            p = _with(p, path, domain.from_real(v[at : at + size].reshape(shape)))
            at += size
        return p

    @property
    def dimension(self) -> int:
        """Number of free parameters."""
        return sum(math.prod(shape) for shape in self._shapes())

    def with_values(self, values: dict[str, Any]) -> Any:
        """The member whose free fields take ``values``, by the names of fields; held ones stay."""
        p = self.member
        for path in self.free:
            value = values[path[-1]]
            p = _with(p, path, value if isinstance(value, jax.Array) else np.asarray(value, float))
        return p

    def holding(self, values: dict[str, Any]) -> "Family":
        """The family with free fields held at ``values``, by the names of fields; those not free stay as they are."""
        p = self.member
        for path in self.free:
            if path[-1] in values:
                p = _with(p, path, jnp.asarray(values[path[-1]], float))
        return Family(p, tuple(path for path in self.free if path[-1] not in values))

    # -- reported parameters --------------------------------------------------------------------------------------

    def report(self, p: Distribution, xp: Any = jnp) -> Any:
        """Reported parameters of a member as one flat vector, in the order of ``parameter_names``."""
        parts = []
        for path in self.free:
            attribute, _, domain = self._reported(path)
            value = xp.asarray(self._get(p, (*path[:-1], attribute)))
            parts.append(value[tuple(np.array(list(domain.places(value.shape))).T)] if value.ndim else value[None])
        return xp.concatenate(parts) if parts else xp.zeros(0)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Flat names of the reported parameters: "rate", "probs[0]"."""
        names: list[str] = []
        for path in self.free:
            attribute, public, domain = self._reported(path)
            public = "origin" if public in names else public  # the origin of a family with a loc of its own
            shape = jnp.shape(self._get(self.member, (*path[:-1], attribute)))
            names += [public] if shape == () else [f"{public}[{','.join(map(str, i))}]" for i in domain.places(shape)]
        return tuple(names)

    @property
    def parameter_domains(self) -> tuple[Domain, ...]:
        """Domain of each reported parameter."""
        domains = []
        for path in self.free:
            attribute, _, domain = self._reported(path)
            shape = jnp.shape(self._get(self.member, (*path[:-1], attribute)))
            domains += [domain.of(index) for index in domain.places(shape)]
        return tuple(domains)

    @property
    def regular(self) -> bool:
        """Whether the support does not depend on a free parameter, so that the usual theory of errors holds."""
        if isinstance(self.member, Affine) and self.member.base.irregular_origin:
            return ("loc",) not in self.free
        return not any(path[-1] in self._field(path)[0].irregular for path in self.free)

    @property
    def is_plain(self) -> bool:
        """Whether nothing is held but what must be, so that the family's own closed forms apply."""
        known = len(self.kind.held)
        return all(len(path) == 1 for path in self.free) and len(self.free) + known == len(self.kind.field_names())

    def __str__(self) -> str:
        return self.name


def _with(p: Any, path: Path, value: Any) -> Any:
    """A copy of ``p`` with one field changed, without the constructor's checks."""
    copy = object.__new__(type(p))
    inner = value if len(path) == 1 else _with(getattr(p, path[0]), path[1:], value)
    copy.__dict__.update(p.__dict__, **{path[0]: inner})
    return copy


def _example(declared: Any) -> Any:
    """Some value a parameter may take: its default, or a point inside its domain."""
    default = declared.default
    if isinstance(default, float | int):
        return default
    domain = declared.metadata["domain"]
    return domain.interior((2,) * domain.event_ndim)


def family(kind: type[Distribution], **held: Any) -> Family:
    """Describe a family to fit: a class, with some parameters held.

    Args:
        kind: a class of distributions, such as ``sf.Normal``.
        held: values of parameters that are known, by name. ``loc="free"`` gives a family of positive values a
            free origin: X = loc + Y with Y of the family (reported as "origin" where the family has a loc of its own).

    Returns:
        A ``Family``, accepted wherever a class is.

    Raises:
        TypeError: an unknown parameter name. ValueError: a value outside its domain, or a parameter that must be held
            and is not, such as the ``total_count`` of a binomial.

    Example:
        >>> import suffice as sf
        >>> sf.fit(sf.family(sf.Normal, scale=2.0), [1.0, 2.0, 3.0]).parameters
        {'loc': 2.0}
    """
    if not (isinstance(kind, type) and issubclass(kind, Distribution)):
        raise TypeError(f"a family must be a class of distributions, got {kind!r}")
    names = {public_name(f): f for f in fields(kind)}  # type: ignore[arg-type]
    shifted = isinstance(held.get("loc"), str)
    if shifted:
        if held.pop("loc") != "free":
            raise ValueError('loc must be a number, or "free" for a free origin')
        space = kind.sample_space
        positive = isinstance(space, Interval) and space.lower == 0.0 and space.upper == INF
        if not positive or kind.discrete or kind.irregular:
            raise ValueError(f"a free loc is for continuous families of positive values, not for {kind.__name__}")
    unknown = [name for name in held if name not in names]
    if unknown:
        raise TypeError(f"{kind.__name__} has no parameter {unknown[0]!r}; it has {', '.join(names)}")
    needed = [name for name, f in names.items() if is_component(f) or is_static(f) or f.name in kind.held]
    absent = [name for name in needed if name not in held and name not in kind.open]
    if absent:
        told = f"sf.family(sf.{kind.__name__}, {', '.join(f'{name}=...' for name in needed)})"
        raise ValueError(f"{kind.__name__}: {absent[0]} is not estimated and must be given, as in {told}")
    held = {name: names[name].default for name in kind.settings} | held
    fixed = {name: held.pop(name) for name, f in names.items() if is_static(f)}
    parts = {name: _as_part(kind, held.pop(name)) for name, f in names.items() if is_component(f)}
    given = fixed | {name: part.member for name, part in parts.items()}
    prototype = own(kind, "_prototype")
    examples = {f.name: given[n] if n in given else _example(f) for n, f in names.items()}
    member: Any = kind(**examples) if prototype is None else prototype()
    for name, value in held.items():
        domain, stored = names[name].metadata["domain"], names[name].metadata["stored"]
        value = (stored or partial(checked, domain=domain))(f"{kind.__name__}.{name}", value=value)
        if domain.event_ndim and hasattr(member, "_sized"):
            member = member._sized(value.shape[-1])
        if value.ndim != domain.event_ndim:
            raise ValueError(f"{kind.__name__}.{name} must be a single value to be held, got an array of {value.shape}")
        member = _with(member, (names[name].name,), value)
    free: list[Path] = [(name, *path) for name, part in parts.items() for path in part.free]
    free += [(f.name,) for name, f in names.items() if name not in held and name not in given]
    if not free and not shifted:
        raise ValueError(f"{kind.__name__}: all parameters are held, nothing is left to fit")
    if shifted:
        member, free = (
            Affine(member, jnp.asarray(0.0), jnp.asarray(1.0)),
            [*(("base", *path) for path in free), ("loc",)],
        )
    return Family(member, tuple(free))


def _as_part(kind: type[Distribution], value: Any) -> Family:
    """A component of a family: a family itself, or a distribution of which nothing is estimated."""
    part = Family(value) if isinstance(value, Distribution) else as_family(value)
    if not part.regular:
        raise ValueError(f"{kind.__name__}: the support of {part.name} is estimated, so it is no component of a family")
    return part


def as_family(target: Any) -> Family:
    """Accept a class or a ``Family``."""
    if isinstance(target, Family):
        return target
    if not isinstance(target, type):
        raise TypeError(f"a family must be a class of distributions or sf.family(...), got {target!r}")
    return _of_class(target)


@cache
def _of_class(kind: Any) -> Family:
    with jax.ensure_compile_time_eval():  # the first to ask may be compiled code, whose values must not be kept
        return family(kind)
