"""Confidence intervals from a fit."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from suffice.numerics.domain import Domain
from suffice.numerics.special.normal import ndtri


def wald(
    estimates: Float[Array | np.ndarray, " p"],
    variances: Float[Array | np.ndarray, " p"],
    domains: Sequence[Domain],
    level: float,
) -> tuple[Float[np.ndarray, " p"], Float[np.ndarray, " p"]]:
    """Estimate ± z standard errors on the unconstrained scale of each parameter, mapped back into its domain.

    With g the map to the real line and s the standard error, the ends are g⁻¹(g(theta) ± z s g'(theta)).

    Raises:
        ValueError: ``level`` is not between 0 and 1.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must be between 0 and 1, got {level}")
    z = float(ndtri(0.5 + level / 2.0))
    ends = []
    for theta, variance, domain in zip(estimates, variances, domains, strict=True):
        v, slope = jax.jvp(domain.to_real, (theta,), (jnp.ones_like(theta),))
        reach = z * jnp.sqrt(variance) * slope
        ends.append((domain.from_real(v - reach), domain.from_real(v + reach)))
    lower, upper = np.asarray(ends, float).T
    return lower, upper
