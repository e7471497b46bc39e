"""Degrees of freedom of components with tails: the M-step's part for them."""

import jax
import jax.numpy as jnp
import numpy as np

from suffice.models.mixture.coordinates import LARGEST_DF, SMALLEST_DF
from suffice.numerics.special.gamma import log_minus_digamma


def degrees(df: np.ndarray, d: int, some: np.ndarray, excess: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Degrees of freedom ν after a step of Newton's method in 1/ν up Σ r log t(x | ν), at most four times more or less.

    The slope in ν is (φ(ν/2) − φ((ν + d)/2) − mean(u − 1 − log u))/2, φ = log − ψ, and u has the slope
    −(u − 1)²/(ν + d) ("deviation" is the mean of (u − 1)²). In 1/ν it is smooth up to the normal, at 0. Where it curves up
    it is the root of φ(ν/2) = mean E[u − log u] − 1, a step of EM, which is slow where ν is large.
    """
    excess, deviation = np.where(some, excess, 1.0), np.where(some, deviation, 1.0)
    a, b = 0.5 * df, 0.5 * (df + d)
    with np.errstate(all="ignore"):
        slope = 0.5 * (_phi(a) - _phi(b) - excess)
        curvature = 0.5 * (0.5 * (_phi_slope(a) - _phi_slope(b)) + deviation / (df + d))
        inverse_slope, inverse_curvature = -(df**2) * slope, df**4 * curvature + 2.0 * df**3 * slope
        step = df * inverse_slope / inverse_curvature  # by which 1/ν shrinks, relative to itself
        newton = df / np.clip(1.0 - step, 0.25, 4.0)
    target = excess + _phi(b)
    low, high = np.full(df.shape, np.log(SMALLEST_DF)), np.full(df.shape, np.log(LARGEST_DF))
    for _ in range(60):
        middle = 0.5 * (low + high)
        above = _phi(0.5 * np.exp(middle)) > target
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    found = np.where((inverse_curvature < 0.0) & np.isfinite(newton), newton, np.exp(0.5 * (low + high)))
    return np.where(some, np.clip(found, SMALLEST_DF, LARGEST_DF), df)


def _phi(a: np.ndarray) -> np.ndarray:
    return np.asarray(log_minus_digamma(a))


@jax.jit
def _phi_slope(a: jax.Array) -> jax.Array:
    return jax.jvp(log_minus_digamma, (a,), (jnp.ones_like(a),))[1]
