"""What the user asks for, as groups of components: a family, several, fixed distributions, or one for each column."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.distributions.family import Family, as_family
from suffice.distributions.generic import own
from suffice.distributions.multivariate_normal import MultivariateNormal
from suffice.distributions.normal import Normal
from suffice.distributions.statistics import rough_sufficient
from suffice.inference.censored import meets
from suffice.inference.closed_form import has_sufficient
from suffice.inference.estimate import MOST_CLASSES
from suffice.models.mixture.families import FamilyComponents, units_of
from suffice.models.mixture.kinds import check_family, check_structure, is_t
from suffice.models.mixture.model import Model
from suffice.models.mixture.normal import NormalComponents
from suffice.models.mixture.product import ProductComponents
from suffice.models.mixture.pseudo import pseudo_of
from suffice.models.mixture.rows import Look, check_spread, is_light
from suffice.models.mixture.structures import Structure, structure
from suffice.runtime.blocks import Block
from suffice.runtime.errors import DataError


def model_of(
    kinds: Sequence[tuple[Any, int]], look: Look, covariance: str, prior: float, censored: bool = False
) -> Model:
    """The mixture of these kinds for data of this look."""
    shape = structure(covariance)
    check_structure(kinds, covariance)
    total = sum(count for _, count in kinds)
    if look.rows < total:
        raise DataError(f"{total} components need at least as many rows, got {look.rows}")
    if look.rows == len(look.sample) and (distinct := len(np.unique(look.sample, axis=0))) < total:
        raise DataError(f"{total} components need at least as many different rows, got {distinct}")
    d = len(look.mean)
    if censored:
        groups = tuple(_censored(kind, count, look, prior) for kind, count in kinds)
    else:
        groups = tuple(_group(kind, count, (0, d), look, shape, prior) for kind, count in kinds)
    model = Model(groups, light=is_light(look.rows, d, total))
    if censored and look.rows == len(look.sample):
        _check_ends(model.dimension, look.sample[:, 1:])
    return model


def _check_ends(dimension: int, ends: np.ndarray) -> None:
    """DataError where intervals have too few ends: the distribution function at these is all that they tell of."""
    found = len(np.unique(ends[np.isfinite(ends)]))
    if found < dimension and np.all(ends[:, 0] < ends[:, 1]):
        raise DataError(f"intervals with {found} different ends do not determine {dimension} parameters")


def _group(kind: Any, count: int, columns: tuple[int, int], look: Look, shape: Structure, prior: float) -> Any:
    if isinstance(kind, Mapping):
        kind = tuple(kind.values())
    if isinstance(kind, tuple):
        return _product(kind, count, columns, look, shape, prior)
    if isinstance(kind, Distribution):
        return _by_family(Family(kind, ()), count, columns, look, prior)
    family = as_family(kind)
    if family.is_plain and family.kind in (Normal, MultivariateNormal):
        return _normal(family, count, columns, look, shape, prior, None)
    if is_t(family):
        df = np.nan if ("df",) in family.free else float(family.member.df)
        return _normal(family, count, columns, look, shape, prior, df)
    return _by_family(family, count, columns, look, prior)


def _width(kind: Any) -> int:
    """Columns that a part of a row takes."""
    if isinstance(kind, Distribution):
        return int(np.prod(kind.event_shape))
    family = as_family(kind)
    if family.member.event_ndim > 1:
        raise ValueError(f"{family.name}: a part of a row is a number or a vector")
    return family.member.event_shape[0] if family.member.event_ndim else 1


def _product(parts: tuple[Any, ...], count: int, columns: tuple[int, int], look: Look, *how: Any) -> ProductComponents:
    widths = [_width(part) for part in parts]
    if sum(widths) != columns[1] - columns[0]:
        raise DataError(f"{len(parts)} families for {sum(widths)} columns, but the data have {columns[1] - columns[0]}")
    ends = columns[0] + np.cumsum([0, *widths])
    places = [(int(a), int(b)) for a, b in itertools.pairwise(ends)]
    return ProductComponents(tuple(_group(part, count, at, look, *how) for part, at in zip(parts, places, strict=True)))


def _normal(
    family: Family,
    count: int,
    columns: tuple[int, int],
    look: Look,
    shape: Structure,
    prior: float,
    df: float | None,
) -> NormalComponents:
    vectors, d = bool(family.member.event_ndim), columns[1] - columns[0]
    if not vectors and d != 1:
        raise DataError(
            f"{family.name} is for one column, and the data have {d}: sf.MultivariateNormal, or a tuple of families, one "
            "for each column"
        )
    if d == 1:  # where spherical, diagonal and full are one
        shape = structure("VII" if shape.name[0] == "V" else "EII")
    at = slice(*columns)
    check_spread(look, at, family.name)
    centre, spread = look.mean[at], look.covariance[at, at]
    general = is_light(look.rows, len(look.mean), count)
    return NormalComponents(count, columns, shape, centre, spread, prior, df, vectors, general=general)


def _by_family(family: Family, count: int, columns: tuple[int, int], look: Look, prior: float) -> FamilyComponents:
    check_family(family)
    at, d = slice(*columns), columns[1] - columns[0]
    resize, vectors = own(family.member, "_sized"), bool(family.member.event_ndim)
    if not vectors and d != 1:
        raise DataError(f"{family.name} is for one column, and the data have {d}")
    if not vectors:
        family = _with_classes(family, look.high[at][0])
    elif resize is not None and family.member.event_shape != (d,):
        family = replace(family, member=resize(d))
    if vectors and family.member.event_shape != (d,):
        raise DataError(f"{family.name} takes vectors of {family.member.event_shape}, and the data have {d} columns")
    values = look.sample[:, at] if vectors else look.sample[:, columns[0]]
    inside = np.asarray(family.member.sample_space.contains(values))
    if not inside.any():
        raise DataError(f"{family.name} needs values {family.member.sample_space}: none of the data are")
    x, w = jnp.asarray(values[inside]), jnp.asarray(look.weights[inside])
    deviation = float(np.sqrt(np.diag(look.covariance)[at].mean()))
    centre, whole = np.zeros(()), None
    if family.free and has_sufficient(family):
        s = rough_sufficient(family.member, Block((x,), w))
        centre = np.asarray(s.mean)
        whole = replace(s, count=jnp.asarray(float(prior))) if prior else None
    elif family.free and prior:
        whole = pseudo_of(family, prior, deviation / count, values[inside], look.weights[inside], False)
    return FamilyComponents(count, columns, family, centre, *units_of(family, deviation), prior, whole)


def _with_classes(family: Family, largest: float) -> Family:
    """The family with as many classes as the data show, where its parameter is a vector over classes."""
    resize = own(family.member, "_sized")
    if resize is None or not family.free:
        return family
    if largest >= MOST_CLASSES:
        raise DataError(f"{family.name} takes classes below {MOST_CLASSES}, got {largest:g}")
    return replace(family, member=resize(max(int(largest), 0) + 1))


def _censored(kind: Any, count: int, look: Look, prior: float) -> FamilyComponents:
    """Components of a univariate family, seen through intervals."""
    family = Family(kind, ()) if isinstance(kind, Distribution) else as_family(kind)
    if not look.low[0] < look.high[0]:
        raise DataError(f"{family.name}: all rows are about the same value, {look.low[0]:g}")
    family = _with_classes(family, look.high[0])
    inside = np.asarray(meets(look.sample[:, 1:], family.member.sample_space))
    if not inside.any():
        raise DataError(f"{family.name} needs values {family.member.sample_space}: none of the data can be")
    deviation, whole = float(np.sqrt(look.covariance[0, 0])), None
    if family.free and prior:
        whole = pseudo_of(family, prior, deviation / count, look.sample[inside], look.weights[inside], True)
    return FamilyComponents(
        count, (0, 1), family, np.zeros(()), *units_of(family, deviation), prior, whole, censored=True
    )


def impossible_row(model: Model, rows: Any) -> str:
    """Why the likelihood is 0 at every start."""
    if rows.in_memory:
        inside = np.any([_inside(group, rows.x) for group in model.groups], axis=0)
        if not inside.all():
            at = int(inside.argmin())
            if model.censored:
                left, right = rows.x[at, 1:]
                value = f"{left:g}" if left == right else f"values from {left:g} to {right:g}"
                return f"no component can make {value}, in row {at + 1}"
            value = (
                np.array2string(rows.x[at], precision=6, separator=", ")
                if rows.x.shape[1] > 1
                else f"{rows.x[at, 0]:g}"
            )
            return f"no component can make {value} in row {at + 1}"
    return "there are rows that no component can make, or their likelihood is not finite at any start"


def _inside(group: Any, x: np.ndarray) -> np.ndarray:
    """Which rows lie in the sample space of a group."""
    if isinstance(group, ProductComponents):
        return np.all([_inside(part, x) for part in group.parts], axis=0)
    if isinstance(group, NormalComponents):
        return np.ones(len(x), bool)
    part = x[:, slice(*group.columns)]
    support = group.family.member._support() if not group.family.free else group.family.member.sample_space
    if group.censored:
        return meets(x[:, 1:], support)
    return np.asarray(support.contains(part if group.family.member.event_ndim else part[:, 0]))
