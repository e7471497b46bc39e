"""Bases from their texts: ``polynomial:3``, ``linear+fourier:2:12``, ``linear:size*onehot:town``."""

import functools
import operator
import re
from collections.abc import Callable
from typing import Any

from suffice.models.bases.basis import Basis
from suffice.models.bases.local import Fourier, Gaussian, OneHot, Piecewise, Sigmoid
from suffice.models.bases.polynomial import Chebyshev, Legendre, Linear, Polynomial
from suffice.models.bases.spline import BSpline, NaturalSpline


def _whole(text: str) -> int:
    return int(text)


def _places(text: str) -> Any:
    """Places between commas, or how many."""
    values = [float(v) for v in text.split(",")]
    return int(values[0]) if len(values) == 1 and values[0].is_integer() and "." not in text else tuple(values)


def _several(text: str) -> tuple[float, ...]:
    return tuple(float(v) for v in text.split(","))


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


SPELLED: dict[str, tuple[Callable[..., Basis], tuple[Callable[[str], Any], ...], str]] = {
    "linear": (Linear, (_names,), "linear[:INPUT,…]"),
    "onehot": (OneHot, (_names,), "onehot:INPUT,…"),
    "polynomial": (Polynomial, (_whole,), "polynomial:DEGREE"),
    "chebyshev": (Chebyshev, (_whole,), "chebyshev:DEGREE"),
    "legendre": (Legendre, (_whole,), "legendre:DEGREE"),
    "gaussian": (Gaussian, (_places, float), "gaussian:CENTRES[:SCALE]"),
    "sigmoid": (Sigmoid, (_places, float), "sigmoid:CENTRES[:SCALE]"),
    "fourier": (Fourier, (_whole, float), "fourier:HARMONICS:PERIOD"),
    "piecewise": (Piecewise, (_several, _whole), "piecewise:BREAK,…[:DEGREE]"),
    "bspline": (BSpline, (_places,), "bspline:KNOT,…"),
    "natural": (NaturalSpline, (_places,), "natural:KNOT,…"),
}


def basis(text: str) -> Basis | None:
    """The basis of a text: names with their settings after colons, sums by ``+`` and products by ``*``; none for "none".

    Raises:
        ValueError: a name that is not known, or settings it does not take.

    Example:
        >>> from suffice.models.bases.spelled import basis
        >>> basis("linear + fourier:2:12")
        Linear() + Fourier(harmonics=2, period=12.0)
        >>> basis("linear:size * onehot:town")
        Linear(inputs=['size']) * OneHot(inputs=['town'])
    """
    if text.strip().lower() == "none":
        return None
    products = (
        map(_one, re.split(_BEFORE_A_NAME.format(r"\*"), part)) for part in re.split(_BEFORE_A_NAME.format(r"\+"), text)
    )
    return functools.reduce(operator.add, (functools.reduce(operator.mul, factors) for factors in products))


_BEFORE_A_NAME = r"{}(?=\s*[A-Za-z])"  # where no exponent is meant, as in 1e+5


def _one(text: str) -> Basis:
    text = text.strip()
    name, *settings = text.split(":")
    if name.lower() not in SPELLED:
        raise ValueError(f"basis must be one of {', '.join(s for _, _, s in SPELLED.values())}, got {text!r}")
    make, readers, shape = SPELLED[name.lower()]
    if len(settings) > len(readers):
        raise ValueError(f"basis must be {shape}, got {text!r}")
    try:
        return make(*(read(s) for read, s in zip(readers, settings, strict=False)))
    except TypeError:
        raise ValueError(f"basis must be {shape}, got {text!r}") from None
    except ValueError as error:
        raise ValueError(f"basis {text!r}, to be {shape}: {error}") from None
