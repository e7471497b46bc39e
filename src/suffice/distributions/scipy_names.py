"""To SciPy's frozen distributions and back, by the forms that the catalogue writes down once, read in both directions."""

import ast
import dataclasses
import functools
import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from suffice.distributions.affine import Affine
from suffice.distributions.catalogue import CATALOGUE, Entry, describe
from suffice.distributions.declaration import public_name
from suffice.distributions.distribution import Distribution
from suffice.distributions.empirical import Empirical

_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
# the left operand from the value and the right one, and the right operand from the value and the left one
_LEFT: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.sub,
    ast.Sub: operator.add,
    ast.Mult: operator.truediv,
    ast.Div: operator.mul,
}
_RIGHT: dict[type, Callable[[Any, Any], Any]] = _LEFT | {
    ast.Sub: lambda value, left: left - value,
    ast.Div: lambda value, left: left / value,
}
_FUNCTIONS = {"exp": (np.exp, np.log), "log": (np.log, np.exp), "sqrt": (np.sqrt, np.square)}  # and their inverses
_OTHER_NAMES = {"erlang": "gamma", "reciprocal": "loguniform"}


class _Form(NamedTuple):
    """How SciPy writes a family: its name there, and its arguments as expressions in our parameters."""

    kind: type[Distribution]
    name: str
    arguments: dict[str, ast.expr]


def _form(entry: Entry) -> _Form:
    call = ast.parse(entry.scipy, mode="eval").body
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Name)
    return _Form(entry.kind, call.func.id, {str(k.arg): k.value for k in call.keywords})


@functools.cache
def _forms() -> dict[str, _Form]:
    """The forms of all families that SciPy has, by SciPy's names."""
    forms = [_form(entry) for entry in CATALOGUE if entry.scipy]
    return {form.name: form for form in forms}


def to_scipy(p: Distribution) -> Any:
    """Return a distribution as SciPy's frozen one.

    Args:
        p: a member of a family that SciPy has, its ``Affine`` image with scale > 0, or an ``Empirical``. Parameters may be arrays where
            SciPy takes arrays.

    Returns:
        What ``scipy.stats`` builds; ``from_scipy`` takes it back.

    Raises:
        ValueError: SciPy has no such family.

    Example:
        >>> import suffice as sf
        >>> frozen = sf.to_scipy(sf.Gamma(concentration=2.0, rate=4.0))
        >>> round(float(frozen.mean()), 12), sf.from_scipy(frozen)
        (0.5, Gamma(concentration=2, rate=4))
    """
    try:
        import scipy.stats
    except ImportError as error:
        raise ImportError("to_scipy needs SciPy, an optional dependency: pip install scipy") from error
    if isinstance(p, Empirical):
        kept = np.asarray(p.weights) > 0
        masses = np.asarray(p.weights)[kept]
        return scipy.stats.rv_discrete(values=(np.asarray(p.values)[kept], masses / masses.sum()))
    if isinstance(p, Affine):
        if not np.all(np.asarray(p.scale) > 0):
            raise ValueError(f"to_scipy: SciPy has no distributions turned around, got scale = {np.asarray(p.scale)}")
        name, arguments = _arguments(p.base)
        loc, scale = np.asarray(p.loc), np.asarray(p.scale)
        arguments["loc"] = loc + scale * arguments.get("loc", 0.0)
        arguments["scale"] = scale * arguments.get("scale", 1.0)
    else:
        name, arguments = _arguments(p)
    return getattr(scipy.stats, name)(**arguments)


def _arguments(p: Distribution) -> tuple[str, dict[str, Any]]:
    """SciPy's name of a distribution's family, and its arguments there."""
    entry = describe(type(p))
    if entry is None or not entry.scipy:
        raise ValueError(f"to_scipy: SciPy has no {type(p).__name__}")
    if p.batch_shape and any(p._axes().values()):
        raise ValueError(f"to_scipy: SciPy takes one {type(p).__name__}, got an array of shape {p.batch_shape}")
    form, public = _form(entry), p._fields()

    def look_up(name: str) -> Any:
        if name == "k":  # the categories
            return np.arange(np.shape(look_up("probs"))[-1])
        value = np.asarray(public[name] if name in public else getattr(p, name))[()]  # numbers as numbers
        return value.astype(int) if getattr(p._domains().get(name), "integer", False) else value

    return form.name, {name: _value(node, look_up) for name, node in form.arguments.items()}


def from_scipy(frozen: Any) -> Distribution:
    """Return SciPy's frozen distribution as one of this library.

    SciPy's ``loc`` and ``scale``, where the family here lacks them, become ``Affine(p, loc=…, scale=…)``.

    Args:
        frozen: a frozen distribution from ``scipy.stats``, of numbers, vectors or matrices, or an ``rv_discrete`` with
            its values: a ``Categorical`` where they are 0, 1, 2, …, else an ``Empirical``.

    Raises:
        ValueError: there is no such family here, or no such origin of a discrete one.

    Example:
        >>> import scipy.stats, suffice as sf
        >>> sf.from_scipy(scipy.stats.expon(scale=0.5))
        Exponential(rate=2)
        >>> sf.from_scipy(scipy.stats.expon(3.0, 0.5))
        Affine(base=Exponential(rate=2), loc=3, scale=1)
    """
    if hasattr(frozen, "xk") and not np.array_equal(frozen.xk, np.arange(len(frozen.xk))):
        return Empirical(frozen.xk, weights=frozen.pk)
    name, given = _given(frozen)
    form = _forms().get(_OTHER_NAMES.get(name, name))
    if form is None:
        raise ValueError(f"from_scipy: there is no family here for SciPy's {name}")
    loc, scale = given.get("loc", 0.0), given.get("scale", 1.0)
    p = _member(form, {"loc": loc, "scale": scale} | given)
    rest = {
        key: value
        for key, value, neutral in (("loc", loc, 0.0), ("scale", scale, 1.0))
        if key not in form.arguments and np.any(np.asarray(value) != neutral)
    }
    if rest and p.discrete:
        raise ValueError(f"from_scipy: {type(p).__name__} has no origin, got loc = {loc}")
    return Affine(p, **rest) if rest else p


def _given(frozen: Any) -> tuple[str, dict[str, Any]]:
    """SciPy's name of a frozen distribution and the arguments it was made with."""
    if hasattr(frozen, "kwds"):  # of numbers
        names = [*(frozen.dist.shapes or "").replace(" ", "").split(","), "loc", "scale"]
        given = dict(zip(filter(None, names), frozen.args, strict=False))
        return frozen.dist.name, given | frozen.kwds
    if hasattr(frozen, "xk"):  # probabilities of 0, 1, 2, …
        return "rv_discrete", {"values": (frozen.xk, frozen.pk)}
    name = type(frozen).__name__.removesuffix("_frozen")
    if name == type(frozen).__name__:
        raise TypeError(f"from_scipy takes a frozen distribution of scipy.stats, got {name}")
    form = _forms().get(name)
    wanted = list(form.arguments) if form else []
    if hasattr(frozen, "_shapes"):
        return name, dict(zip(wanted, frozen._shapes, strict=True))
    return name, {argument: getattr(frozen, argument) for argument in wanted}


def _member(form: _Form, given: Mapping[str, Any]) -> Any:
    """Solve SciPy's arguments for our parameters, one after the other."""
    parameters: dict[str, Any] = {}
    pending = dict(form.arguments)
    while pending:
        name = min(pending, key=lambda n: len(_unknown(pending[n], parameters)))
        node = pending.pop(name)
        if _unknown(node, parameters):
            parameters |= _solved(node, given[name], parameters)
        elif np.any(_value(node, parameters.__getitem__) != np.asarray(given[name])):
            expected = f"{form.name}({name}={ast.unparse(node)})"
            raise ValueError(f"from_scipy: {form.kind.__name__} is SciPy's {expected}, got {name} = {given[name]}")
    parameters.pop("k", None)
    build: Any = form.kind
    public = {public_name(declared) for declared in dataclasses.fields(build)}
    return build(**parameters) if parameters.keys() <= public else build.from_probs(**parameters)


def _unknown(node: ast.expr, known: Mapping[str, Any]) -> set[str]:
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return names - known.keys() - _FUNCTIONS.keys()


def _value(node: ast.expr, look_up: Callable[[str], Any]) -> Any:
    """Value of an expression in our parameters."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return look_up(name)
        case ast.Tuple(elts=parts):
            return tuple(_value(part, look_up) for part in parts)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_value(inner, look_up)
        case ast.Call(func=ast.Name(id=name), args=[inner]):
            return _FUNCTIONS[name][0](_value(inner, look_up))
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_value(left, look_up), _value(right, look_up))
    raise NotImplementedError(ast.unparse(node))


def _solved(node: ast.expr, value: Any, known: dict[str, Any]) -> dict[str, Any]:
    """The unknown parameters in an expression that has this value: each operation undone, the outermost first."""
    match node:
        case ast.Name(id=name):
            return {name: value}
        case ast.Tuple(elts=parts):
            pairs = zip(parts, value, strict=True)
            return functools.reduce(operator.or_, (_solved(part, v, known) for part, v in pairs))
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return _solved(inner, -np.asarray(value), known)
        case ast.Call(func=ast.Name(id=name), args=[inner]):
            return _solved(inner, _FUNCTIONS[name][1](value), known)
        case ast.BinOp(left=left, op=op, right=right):
            if _unknown(left, known):
                return _solved(left, _LEFT[type(op)](value, _value(right, known.__getitem__)), known)
            return _solved(right, _RIGHT[type(op)](value, _value(left, known.__getitem__)), known)
    raise NotImplementedError(ast.unparse(node))
