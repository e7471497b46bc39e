"""Fits of distributions of vectors and matrices, from arrays in memory."""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.family import Family
from suffice.distributions.generic import own
from suffice.distributions.statistics import Statistics, Sufficient, sufficient
from suffice.inference.closed_form import from_sufficient, has_sufficient, not_inside
from suffice.inference.estimate import fit_traced
from suffice.inference.likelihood import expansion
from suffice.inference.result import Fit
from suffice.runtime.blocks import Block, blocks
from suffice.runtime.errors import DataError


@dataclass(frozen=True)
class Rows:
    """Observations along the first axis, checked: finite, with usable weights."""

    values: np.ndarray
    weights: np.ndarray | None

    @classmethod
    def of(cls, family: Family, data: Any, weights: Any, missing: str) -> "Rows":
        """Take an array, nested lists or a data frame as observations of a family.

        Raises:
            DataError: shapes that don't fit, missing or infinite values, unusable weights, no rows.
        """
        ndim = family.member.event_ndim
        x = np.asarray(data.to_numpy() if hasattr(data, "to_numpy") else data)
        if x.dtype.kind not in "biuf":
            raise DataError(f"data must hold numbers, got {x.dtype}")
        if missing not in ("error", "drop"):
            raise ValueError(f"missing must be 'error' or 'drop', got {missing!r}")
        if x.ndim != ndim + 1:
            raise DataError(
                f"{family.name} needs data of {ndim + 1} axes, rows and those of a value, got shape {x.shape}"
            )
        x = x.astype(float)
        w = None if weights is None else np.asarray(weights, float)
        if w is not None and w.shape != x.shape[:1]:
            raise ValueError(f"weights must have as many rows as the data, {len(x)}, got shape {w.shape}")
        if w is not None and not np.all((w >= 0) & (w < np.inf)):
            at = int(np.argmin((w >= 0) & (w < np.inf)))
            raise DataError(f"weights must be finite and >= 0, got {w[at]:g} in row {at + 1}")
        axes = tuple(range(1, x.ndim))
        infinite, gone = np.isinf(x).any(axes), np.isnan(x).any(axes)
        if infinite.any():
            raise DataError(f"{infinite.sum()} rows have infinite values, the first is row {infinite.argmax() + 1}")
        if gone.any() and missing != "drop":
            raise DataError(
                f"{gone.sum()} rows have missing values, the first is row {gone.argmax() + 1}; "
                'missing="drop" leaves them out'
            )
        keep = ~gone if w is None else ~gone & (w > 0)
        if not keep.any():
            raise DataError("data have no rows that count")
        return cls(x[keep], None if w is None else w[keep])

    @property
    def blocks(self) -> list[Block]:
        return list(blocks((self.values,), self.weights))


def fit_rows(family: Family, data: Any, weights: Any, missing: str) -> Fit:
    """Fit a family of vectors or matrices to an array with one observation in each row."""
    rows = Rows.of(family, data, weights, missing)
    family = _sized(family, rows)
    if has_sufficient(family):
        s = sufficient(family.member, rows.blocks)
        _check(family, s)
        fit = from_sufficient(family, s)
    else:
        blocks_ = rows.blocks
        x = jnp.concatenate([b.columns[0] for b in blocks_])
        w = jnp.concatenate([jnp.ones(len(b.columns[0])) if b.weights is None else b.weights for b in blocks_])
        fit = _fit_traced(family, x, w)
        if not np.isfinite(fit.log_likelihood) and len(rows.values) <= max(rows.values.shape[1:]):
            raise DataError(f"{family.name} cannot be fitted: {len(rows.values)} observations are too few")
    if not np.all(np.asarray(fit.distribution._valid())) or not np.isfinite(fit.log_likelihood):
        raise DataError(not_inside(family, fit.distribution))
    return fit


_fit_traced = jax.jit(fit_traced)


def summarise_rows(family: Family, data: Any, weights: Any, missing: str, at: Any = None) -> Statistics:
    """The sufficient statistic of an array with one observation in each row, or its expansion at a member."""
    if at is not None and not isinstance(at, family.kind):
        raise TypeError(f"at must be a {family.kind.__name__}, got {type(at).__name__}")
    rows = Rows.of(family, data, weights, missing)
    if at is None:
        return sufficient(_sized(family, rows).member, rows.blocks)
    family = replace(family, member=at)
    return expansion(_sized(family, rows), family.vector(at, np), rows.blocks)


def _sized(family: Family, rows: Rows) -> Family:
    """The family with events of the data's shape; DataError where it has none, or the data lie outside its support."""
    shape, resize = rows.values.shape[1:], own(family.member, "_sized")
    member: Any = family.member
    if shape != member.event_shape and resize is not None:
        member = _holding(family, resize(*shape))
    if shape != member.event_shape:
        raise DataError(f"{family.name} takes values of shape {member.event_shape}, got {shape}")
    inside = np.asarray(member.sample_space.contains(rows.values))
    if not inside.all():
        at = int(inside.argmin())
        value = np.array2string(rows.values[at], precision=6, separator=", ", threshold=12)
        raise DataError(f"{family.name} needs values that are {member.sample_space}, got {value} in row {at + 1}")
    return replace(family, member=member)


def _holding(family: Family, member: Any) -> Any:
    """A member of another size with what the family holds."""
    held = [name for name in member.field_names() if (name,) not in family.free]
    for name in held:
        value, there = getattr(family.member, name), getattr(member, name)
        if jnp.shape(value) != jnp.shape(there) and member._axes()[name]:
            raise DataError(
                f"{family.name} holds {name} of shape {jnp.shape(value)}, where data with values of shape "
                f"{member.event_shape} need {jnp.shape(there)}"
            )
    return member._replaced({name: getattr(family.member, name) for name in held})


def _check(family: Family, s: Sufficient) -> None:
    """Raise where the statistic has no maximum of the likelihood, and say why."""
    reason = own(family.kind, "_degenerate")
    text = None if reason is None else reason(s)
    if text is not None:
        raise DataError(f"{family.name} cannot be fitted: {text}")
