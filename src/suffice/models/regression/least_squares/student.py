"""Student's t with one number of degrees of freedom: tails and intervals, all from one function compiled once.

Tails of 128 points at a time serve tables, residuals and intervals alike. An interval is found by cutting a range into as
many parts, again and again: the compiled inverse would take longer to compile than all else in a first report.
"""

import functools
from typing import Any

import jax.numpy as jnp
import numpy as np

from suffice.distributions.student_t import StudentT

_BLOCK = 128


def tail(free: float, t: Any) -> np.ndarray:
    """P(T > t), shaped as t; NaN where there is no degree of freedom.

    Args:
        free: degrees of freedom.
        t: any numbers.
    """
    if not free > 0.0:
        return np.full(np.shape(t), np.nan)
    zero = jnp.zeros(())
    law, flat = StudentT(zero + free, zero, scale=zero + 1.0), np.ravel(np.asarray(t, float))
    blocks = np.pad(flat, (0, -len(flat) % _BLOCK)).reshape(-1, _BLOCK)
    found = [np.asarray(law.sf(jnp.asarray(block))) for block in blocks]
    return np.concatenate(found)[: len(flat)].reshape(np.shape(t)) if found else np.zeros(np.shape(t))


@functools.lru_cache(maxsize=256)
def reach(free: float, level: float) -> float:
    """t with P(|T| < t) = level; NaN where there is no degree of freedom.

    Raises:
        ValueError: the level is not between 0 and 1.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must be between 0 and 1, got {level}")
    if not free > 0.0:
        return float("nan")
    outside = 0.5 - 0.5 * level
    low, high = 0.0, 2.0 + (2.0 - np.log(outside)) / min(free, 1.0)  # of asinh(t/√free); the tail falls as exp(−free u)
    with np.errstate(over="ignore"):
        while high - low > 4e-16 * high:
            at = np.linspace(low, high, _BLOCK)
            above = tail(free, np.sqrt(free) * np.sinh(at)) > outside
            place = int(np.count_nonzero(above))
            if not 0 < place < _BLOCK or not (at[place - 1] > low or at[place] < high):
                break
            low, high = at[place - 1], at[place]
    return float(np.sqrt(free) * np.sinh(0.5 * (low + high)))
