"""Kinds of components as the user names them, and which of them there cannot be."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from suffice.distributions.affine import Affine
from suffice.distributions.distribution import Distribution
from suffice.distributions.family import Family, as_family
from suffice.distributions.generic import own
from suffice.distributions.multivariate_normal import MultivariateNormal
from suffice.distributions.multivariate_t import MultivariateT
from suffice.distributions.normal import Normal
from suffice.distributions.student_t import StudentT
from suffice.inference.censored import Censored
from suffice.inference.kinked import has_kink
from suffice.models.mixture.structures import structure
from suffice.streams import Source


def kinds_of(target: Any, components: Any) -> list[tuple[Any, int]]:
    """Kinds of components and how many there are of each, neighbours of one kind together.

    Raises:
        ValueError: no component, or another number than families. TypeError: not a whole number.
    """
    if isinstance(target, list):
        if components is not None and components != len(target):
            raise ValueError(f"components must be as many as the families listed, {len(target)}, got {components}")
        if not target:
            raise ValueError("a mixture must have at least one component, got none")
        found: list[tuple[Any, int]] = []
        for kind in target:
            if found and not isinstance(kind, Distribution) and _same(found[-1][0], kind):
                found[-1] = (kind, found[-1][1] + 1)
            else:
                found.append((kind, 1))
        return found
    if isinstance(components, bool) or not isinstance(components, int | np.integer):
        raise TypeError(f"components must be a whole number, got {components!r}")
    if components < 1:
        raise ValueError(f"components must be >= 1, got {components}")
    return [(target, int(components))]


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return _same(tuple(a.values()), tuple(b.values()))
    return a is b or (isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b) and all(map(_same, a, b)))


def has_structure(kind: Any) -> bool:
    """Whether components of this kind, or parts of them, have covariances of a structure."""
    if isinstance(kind, Mapping | tuple):
        return any(map(has_structure, kind.values() if isinstance(kind, Mapping) else kind))
    if isinstance(kind, Distribution):
        return False
    family = as_family(kind)
    return (family.is_plain and family.kind in (Normal, MultivariateNormal)) or is_t(family)


def is_t(family: Family) -> bool:
    """Whether it is t, with nothing held but perhaps the degrees of freedom."""
    free = {path[-1] for path in family.free}
    return family.kind in (StudentT, MultivariateT) and free | {"df"} == set(family.kind.field_names())


def _name(kind: Any) -> str:
    if isinstance(kind, Mapping | tuple):
        return "(" + ", ".join(map(_name, kind.values() if isinstance(kind, Mapping) else kind)) + ")"
    return type(kind).__name__ if isinstance(kind, Distribution) else as_family(kind).name


def check_structure(kinds: Sequence[tuple[Any, int]], covariance: str) -> None:
    """Refuse a structure where no component has one, or where what it shares would not be shared."""
    with_one = [kind for kind, _ in kinds if has_structure(kind)]
    if covariance != "full" and not with_one:
        names = dict.fromkeys(_name(kind) for kind, _ in kinds)
        raise ValueError(
            f"covariance={covariance!r} is for normal and t components with no parameter held, not for {', '.join(names)}"
        )
    if len(with_one) > 1 and "E" in structure(covariance).name:
        raise ValueError(
            f"covariance={covariance!r} makes components alike, and these are of several kinds or not next to each other in "
            f"the list: {', '.join(_name(kind) for kind, _ in kinds)}"
        )


def check_family(family: Family) -> None:
    """Refuse families whose likelihood has no smooth maximum."""
    if not family.free:
        return
    if not family.regular or isinstance(family.member, Affine):
        raise ValueError(
            f"{family.name}: its support is estimated, which a mixture cannot: hold it, as in sf.Uniform(0, 1)"
        )
    if has_kink(family) or own(family.kind, "_best_peak") is not None:
        raise ValueError(f"{family.name}: its likelihood has a kink, and EM needs its derivatives")
    if family.member.event_ndim > 1:
        raise ValueError(f"{family.name}: mixtures are of numbers or vectors")


def check_censored(kinds: Sequence[tuple[Any, int]], source: Source, covariance: str) -> None:
    """Refuse what cannot be fitted to censored values.

    Raises:
        ValueError: vectors, a support that is estimated, variances that are shared.
        DataError: all values censored on one side, or all intervals with values in common.
    """
    for kind, _ in kinds:
        if isinstance(kind, Mapping | tuple):
            raise ValueError("censored values are of one column, and a tuple of families is for several")
        family = Family(kind, ()) if isinstance(kind, Distribution) else as_family(kind)
        if family.member.event_ndim:
            raise ValueError(
                f"{family.name} is of vectors, which have no distribution function to tell how probable "
                "an interval is: censored values are fitted by univariate families"
            )
        check_family(family)
        Censored.of(source).check(family)
    if structure(covariance).name[0] == "E":
        raise ValueError(
            f"covariance={covariance!r} shares variances, which is for values that are known, not censored"
        )
