"""From the name of a method to the fit: what each can be asked of, and where its search starts."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from suffice.distributions.family import Family
from suffice.inference.estimate import check_possible
from suffice.inference.methods.data import values_of
from suffice.inference.methods.distance import ANDERSON_DARLING, CVM
from suffice.inference.methods.moments import lmoments, moments, quantiles
from suffice.inference.methods.solve import Method, fit_by, fit_from_several
from suffice.inference.methods.spacings import SPACINGS
from suffice.inference.observations import Observations
from suffice.inference.result import Fit
from suffice.inference.start import rough, starting_points
from suffice.inference.testing.replicates import padded_size
from suffice.runtime.errors import DataError

METHODS = ("mle", "moments", "lmoments", "quantiles", "spacings", "cvm", "anderson-darling")
_NEEDS_SUPPORT = ("spacings", "anderson-darling")  # all data must lie inside, or the criterion is infinite


def method_of(family: Family, name: str, levels: Sequence[float] | None) -> Method:
    """The method of a name, made for a family; ValueError where it cannot serve it."""
    if name not in METHODS:
        raise ValueError(f"method must be one of {', '.join(map(repr, METHODS))}, got {name!r}")
    if family.member.event_ndim:
        raise ValueError(f"method={name!r} is for distributions of numbers; {family.name} is fitted by 'mle'")
    if family.member.discrete and name != "moments":
        raise ValueError(f"method={name!r} is for continuous families; {family.name} is fitted by 'mle' or 'moments'")
    match name:
        case "moments":
            return moments(family)
        case "lmoments":
            return lmoments(family)
        case "quantiles":
            return quantiles(family, levels)
        case "spacings":
            return SPACINGS
        case "cvm":
            return CVM
        case _:
            return ANDERSON_DARLING


def fit_otherwise(family: Family, method: Method, data: Observations) -> Fit:
    """Fit a family to observations by a method other than maximum likelihood."""
    x, w = values_of(data, method.name)
    check_possible(family, data)
    if np.ptp(x) == 0.0:
        raise DataError(f"{family.name} cannot be fitted by {method.name!r}: the observations are all equal")
    if method.name == "spacings" and not np.all(w == np.floor(w)):
        at = int(np.argmax(w != np.floor(w)))
        raise DataError(f"spacings lie between single observations, so weights must be whole, got {w[at]:g}")
    begin = _start(family, method, data, x, w)
    size = padded_size(len(x)) - len(x)
    return fit_from_several(family, method, begin, np.pad(x, (0, size), mode="edge"), np.pad(w, (0, size)))


def fit_otherwise_traced(family: Family, method: Method, x: jax.Array, w: jax.Array) -> Fit:
    """The same inside compiled code, from one start; NaN where it fails."""
    return fit_by(family, method, family.with_values(rough(family.member, x, w)), x.astype(float), w)


def _start(family: Family, method: Method, data: Observations, x: np.ndarray, w: np.ndarray) -> Any:
    """The rough fit of maximum likelihood; where it ends the support with the data, one that reaches a little further."""
    if not family.regular and method.name in _NEEDS_SUPPORT:
        low, high = float(x.min()), float(x.max())
        gap = (high - low) / len(x)
        ends = [max(low - gap, (low + family.member.sample_space.lower) / 2.0), high + gap]
        return family.with_values(rough(family.member, np.append(x, ends), np.append(w, [1.0, 1.0])))
    (begin,) = starting_points([family], data)
    if isinstance(begin, DataError):
        raise begin
    return begin
