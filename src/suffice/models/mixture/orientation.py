"""Covariances around estimates that share orientation but not shape, or shape but not orientation.

Σ_k = D_k B_k D_kᵀ; D_k turns by Cayley's transform of a skew matrix, log B_k moves along its volume and shape. These sets are
curved in the coordinates of triangular factors, so the observed information along them needs second derivatives too.
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from suffice.models.mixture.structures import Structure, common_orientation


def around(structure: Structure, covariances: np.ndarray) -> tuple[int, Callable[[Any], Any]]:
    """Number of free parameters of covariances (K, d, d), and the covariances as a function of them, at 0 those given."""
    k, d = covariances.shape[:2]
    if structure.name[2] == "E":
        turn = np.broadcast_to(common_orientation(covariances), covariances.shape)
        logs = np.log(np.diagonal(np.swapaxes(turn, -1, -2) @ covariances @ turn, axis1=-2, axis2=-1))
    else:
        values, turn = np.linalg.eigh(covariances)
        logs = np.log(values)
    along = structure.log_directions(k, d)
    below, right = np.tril_indices(d, -1)
    turns = (1 if structure.name[2] == "E" else k, len(below))

    def at(theta: Any) -> Any:
        b = jnp.exp(logs + jnp.tensordot(theta[: len(along)], along, 1))
        lower = jnp.zeros((turns[0], d, d)).at[:, below, right].set(theta[len(along) :].reshape(turns))
        half = 0.5 * (lower - jnp.swapaxes(lower, -1, -2))
        one = jnp.broadcast_to(jnp.eye(d), half.shape)
        turned = turn @ jnp.linalg.solve(one - half, one + half)
        return (turned * b[:, None, :]) @ jnp.swapaxes(turned, -1, -2)

    return len(along) + turns[0] * turns[1], at
