"""Distributions and families as people write them: "Gamma(2, 1)", "Normal(scale=2)", or the same as JSON."""

import ast
import inspect
import json
from typing import Any

import numpy as np

from suffice.distributions.catalogue import find
from suffice.distributions.distribution import Distribution
from suffice.distributions.family import Family, as_family, family


def distribution(text: str) -> Distribution:
    """The distribution that a text names: "Gamma(2, rate=1)" or ``{"family": "gamma", "concentration": 2, "rate": 1}``.

    Nothing of the text is run: it holds a name of the catalogue, numbers and lists of numbers.

    Raises:
        ValueError: an unknown name, something that is not a number, or parameters outside their domains.
    """
    kind, positional, named = _parts(text)
    return built(kind, *positional, **named)


def built(kind: type[Distribution], *values: Any, **named: Any) -> Distribution:
    """The distribution with these parameters, as its class or, where that has ``probs`` only there, ``from_probs`` takes them.

    Raises:
        ValueError: other parameters than it takes, or values outside their domains.
    """
    makers = [kind, *([kind.from_probs] if hasattr(kind, "from_probs") else [])]  # type: ignore[attr-defined]
    reasons = []
    for make in makers:
        try:
            inspect.signature(make).bind(*values, **named)
        except TypeError as error:
            reasons.append(str(error))
        else:
            return make(*values, **named)
    takes = " or ".join(", ".join(inspect.signature(make).parameters) for make in makers)
    given = ", ".join([*(f"{v:g}" if np.ndim(v) == 0 else str(v) for v in values), *named]) or "nothing"
    raise ValueError(f"{kind.__name__} takes {takes}, got {given}: {reasons[0]}")


def family_of(text: str) -> Family:
    """The family that a text names, with what it holds: "poisson", "Normal(scale=2)".

    Raises:
        ValueError: as for ``distribution``, or a value without the name of its parameter.
    """
    kind, positional, named = _parts(text)
    if positional:
        raise ValueError(f"{text.strip()}: what is held is named, as in {kind.__name__}(name=value)")
    try:
        return family(kind, **named) if named else as_family(kind)
    except TypeError as error:
        raise ValueError(str(error)) from None


def _parts(text: str) -> tuple[type[Distribution], list[Any], dict[str, Any]]:
    """Class, values by position and values by name."""
    if text.strip().startswith("{"):
        return _of_json(text)
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _not_a_call(text) from None
    if isinstance(node, ast.Name):
        return find(node.id), [], {}
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise _not_a_call(text)
    if any(k.arg is None for k in node.keywords):
        raise _not_a_call(text)
    named = {str(k.arg): _number(k.value, text) for k in node.keywords}
    return find(node.func.id), [_number(a, text) for a in node.args], named


def _of_json(text: str) -> tuple[type[Distribution], list[Any], dict[str, Any]]:
    try:
        held = json.loads(text)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    name = held.pop("family", None)
    if not isinstance(name, str):
        raise ValueError('JSON of a distribution names it: {"family": "gamma", "concentration": 2, "rate": 1}')
    for key, value in held.items():
        if not _is_numeric(value):
            raise ValueError(f"{key} must be a number or a list of numbers, got {value!r}")
    return find(name), [], held


def _is_numeric(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_numeric, value))
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(node: ast.expr, text: str) -> Any:
    """A number or a list of numbers."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise _not_a_call(text) from None
    if not _is_numeric(value):
        raise ValueError(f"{text.strip()}: expected numbers and lists of numbers, got {value!r}")
    return value


def _not_a_call(text: str) -> ValueError:
    return ValueError(f"expected a family with its parameters, such as Gamma(2, rate=1), got {text.strip()[:80]!r}")
