"""Wald's intervals and tests: an estimate and so many standard errors to each side."""

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.normal import Normal
from suffice.models.regression.iterated.blockwise import blockwise
from suffice.numerics.special import ndtr

_cdf = jax.jit(ndtr)


def reach(level: float) -> float:
    """Half of an interval in units of the standard error.

    Raises:
        ValueError: the level is not between 0 and 1.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must be between 0 and 1, got {level}")
    zero = jnp.zeros(())
    return float(Normal(zero, zero + 1.0).isf(0.5 - 0.5 * level))


def interval(estimates: np.ndarray, errors: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Both ends."""
    half = reach(level) * errors
    return estimates - half, estimates + half


def p_value(z: np.ndarray) -> np.ndarray:
    """Probability that an estimate of 0 is as many standard errors away."""
    return 2.0 * blockwise(_cdf, -np.abs(z))
