"""A distribution from what people know of it: its quantiles."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.family import Family, as_family
from suffice.inference.methods.solve import gauss_newton
from suffice.inference.start import rough
from suffice.numerics.newton import CONVERGED

_PSEUDO = 64  # values that stand for the quantiles where the search starts


def from_quantiles(target: Any, quantiles: Mapping[float, float]) -> Any:
    """The member of a family with given quantiles: F⁻¹(u_j) = q_j.

    Where there are more quantiles than parameters, Σ (F⁻¹(u_j) − q_j)² is made small, or Σ (log F⁻¹(u_j) − log q_j)²
    for families of positive values.

    Args:
        target: a class of continuous distributions such as ``sf.Gamma``, or ``sf.family(...)`` with parameters held.
        quantiles: values by level: ``{0.05: 1.0, 0.95: 10.0}`` says P(X <= 1) = 0.05 and P(X <= 10) = 0.95.

    Returns:
        The distribution.

    Raises:
        ValueError: levels outside (0, 1), values that do not rise with them or lie outside the family's support, fewer
            quantiles than parameters, or no member with these quantiles.

    Example:
        >>> import suffice as sf
        >>> p = sf.from_quantiles(sf.Gamma, {0.05: 1.0, 0.95: 10.0})
        >>> round(float(p.cdf(1.0)), 6), round(float(p.cdf(10.0)), 6)
        (0.05, 0.95)
    """
    family = as_family(target)
    if family.member.discrete or family.member.event_ndim:
        raise ValueError(f"quantiles determine continuous distributions of numbers, not {family.name}")
    levels, values = (np.array(v, float) for v in (sorted(quantiles), [quantiles[u] for u in sorted(quantiles)]))
    if not np.all((levels > 0.0) & (levels < 1.0)):
        raise ValueError(f"levels of quantiles must lie between 0 and 1, got {levels.tolist()}")
    if not np.all(np.diff(values) > 0.0):
        raise ValueError(f"quantiles must rise with their levels, got {values.tolist()}")
    if len(levels) < family.dimension:
        raise ValueError(
            f"{family.name} has {family.dimension} parameters, which {len(levels)} quantiles do not determine"
        )
    space = family.member.sample_space
    if not np.all(space.contains(values)):
        raise ValueError(f"{family.name} has values {space}, got the quantiles {values.tolist()}")
    logs = space.lower >= 0.0 and space.upper == np.inf
    begin = family.vector(_start(family, levels, values, logs), np)
    point, status = _solve(family, begin, levels, values, logs)
    p = family.build(point)
    if status != CONVERGED or not np.all(np.asarray(p._valid())):
        raise ValueError(f"no {family.name} was found with the quantiles {dict(zip(levels, values, strict=True))}")
    return p


def _start(family: Family, levels: np.ndarray, values: np.ndarray, logs: bool) -> Any:
    """The rough fit to values that lie as the quantiles say, with straight lines on a scale of normal scores between."""
    u = (np.arange(_PSEUDO) + 0.5) / _PSEUDO
    score, at = (np.log(v) - np.log1p(-v) for v in (u, levels))
    y = np.log(values) if logs else values
    if len(levels) == 1:
        x = y + (score - at) * (0.2 if logs else 0.2 * (abs(y) + 1.0))
    else:
        slope = (y[-1] - y[0]) / (at[-1] - at[0])
        x = np.interp(score, at, y) + slope * (np.minimum(score - at[0], 0.0) + np.maximum(score - at[-1], 0.0))
    x = np.exp(x) if logs else x
    space = family.member.sample_space
    return family.with_values(rough(family.member, np.where(space.contains(x), x, values[0]), np.ones(_PSEUDO)))


@partial(jax.jit, static_argnames="logs")
def _solve(family: Family, v: Any, levels: Any, values: Any, logs: bool) -> tuple[jax.Array, jax.Array]:
    unit = 1.0 if logs else jnp.maximum(values[-1] - values[0], jnp.abs(values[0]) * (values.shape[0] == 1) + 1e-300)

    def residuals(v: jax.Array) -> jax.Array:
        found = family.build(v).icdf(levels)
        return jnp.log(found) - jnp.log(values) if logs else (found - values) / unit

    state = gauss_newton(residuals, v, jnp.asarray(1.0))
    return state.point, state.status
