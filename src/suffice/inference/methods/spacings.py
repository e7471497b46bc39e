"""The largest product of spacings: what the family puts between neighbouring observations."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.chi import ChiSquared
from suffice.distributions.distribution import Distribution
from suffice.distributions.generic import log_mass
from suffice.inference.methods.data import values_of
from suffice.inference.methods.solve import Method
from suffice.inference.observe import observe
from suffice.runtime.errors import DataError


def log_spacings(p: Any, x: jax.Array, w: jax.Array) -> jax.Array:
    """Σ log (F(x_(j)) − F(x_(j−1))) over the n + 1 spacings of a sorted sample, x_(0) = −∞ and x_(n+1) = ∞.

    Where observations coincide their spacing is taken to be their density, of which it is a multiple in the limit.
    """
    before = jnp.concatenate([jnp.full(1, -jnp.inf), x[:-1]])
    log_density = p.log_prob(x)
    new = (x > before) & (w > 0.0)
    gaps = jnp.where(new, log_mass(p, jnp.where(new, before, -jnp.inf), x), 0.0)
    ties = jnp.where(w > 0.0, (w - new) * log_density, 0.0)
    return gaps.sum() + ties.sum() + p.log_sf(x[-1])


_compiled = jax.jit(log_spacings)
SPACINGS = Method("spacings", objective=log_spacings, efficient=True)


class Moran(NamedTuple):
    """Moran's test of fit.

    Attributes:
        statistic: M = −Σ log D_j over the spacings.
        chi_squared: (M + k/2 − c₁)/c₂, about chi-squared with n degrees of freedom where the distribution is right.
        p_value: probability of a larger one: small where spacings are too uneven.
    """

    statistic: float
    chi_squared: float
    p_value: float


def moran(distribution: Distribution, data: Any, estimated: int = 0, *, missing: str = "error") -> Moran:
    """Moran's test of whether data come from a continuous distribution: M = −Σ log (F(x_(j)) − F(x_(j−1))).

    Its distribution is approximated by that of Cheng and Stephens (1989, doi:10.1093/biomet/76.2.385): with m = n + 1,
    E[M] = m (log m + γ) − 1/2 − 1/(12 m), Var[M] = m (π²/6 − 1) − 1/2 − 1/(6 m), and k/2 added where k parameters were
    estimated from the same data.

    Args:
        distribution: continuous, of numbers.
        data: array-like of shape (n,), without ties.
        estimated: the number k of parameters that were estimated from the data.
        missing: what to do with missing values: "error" or "drop".

    Returns:
        A ``Moran``: statistic, its chi-squared form, p-value.

    Raises:
        ValueError: a discrete distribution. DataError: equal observations, whose spacings are 0.

    Example:
        >>> import numpy as np, suffice as sf
        >>> even = np.arange(1, 100) / 100.0
        >>> round(sf.moran(sf.Uniform(), even).statistic, 4)  # 100 spacings of 1/100
        460.517
        >>> sf.moran(sf.Uniform(), even**4).p_value < 1e-6
        True
    """
    if distribution.discrete or distribution.event_ndim:
        raise ValueError(f"spacings are for continuous distributions of numbers, not for {type(distribution).__name__}")
    x, _ = values_of(observe(data, None, missing), "moran")
    x = np.sort(x)
    if np.any(np.diff(x) == 0.0):
        raise DataError(f"Moran's test needs observations that differ, got {x[:-1][np.diff(x) == 0.0][0]:g} twice")
    m, n = len(x) + 1.0, float(len(x))
    statistic = -float(_compiled(distribution, x, np.ones(len(x))))
    mean = m * (np.log(m) + np.euler_gamma) - 0.5 - 1.0 / (12.0 * m)
    deviation = np.sqrt(m * (np.pi**2 / 6.0 - 1.0) - 0.5 - 1.0 / (6.0 * m))
    c1, c2 = mean - np.sqrt(n / 2.0) * deviation, deviation / np.sqrt(2.0 * n)
    chi_squared = (statistic + estimated / 2.0 - c1) / c2
    p_value = float(ChiSquared(jnp.asarray(n)).sf(chi_squared)) if chi_squared > 0.0 else 1.0
    return Moran(statistic, float(chi_squared), p_value)
