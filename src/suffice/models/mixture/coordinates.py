"""Unconstrained coordinates of a normal or t component: location, log D, U of L = U D with unit diagonal, log degrees."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.models.mixture.orientation import around
from suffice.models.mixture.structures import Structure

SMALLEST_DF, LARGEST_DF = 1e-2, 1e6


@dataclass(frozen=True)
class Coordinates:
    """Coordinates in units of the data's spread.

    Attributes:
        structure: what the covariances have in common.
        unit: standard deviations of the data, (d,).
        free_df: whether degrees of freedom are among them.
    """

    structure: Structure
    unit: np.ndarray
    free_df: bool

    @property
    def d(self) -> int:
        return len(self.unit)

    @property
    def _below(self) -> tuple[np.ndarray, np.ndarray]:
        """Places of the entries of U that vary."""
        return np.tril_indices(0 if self.structure.diagonal else self.d, -1)

    @property
    def size(self) -> int:
        """Their number m."""
        return 2 * self.d + len(self._below[0]) + self.free_df

    def of(self, loc: np.ndarray, root: np.ndarray, df: Any) -> np.ndarray:
        """Of locations (..., d), factors (..., d, d) and degrees of freedom (...): (..., m)."""
        with np.errstate(all="ignore"):
            parts = [loc / self.unit, self._spread(root, np)]
        if self.free_df:
            parts.append(np.log(df)[..., None])
        return np.concatenate(parts, axis=-1)

    def _spread(self, root: Any, xp: Any) -> Any:
        """log D and U of factors."""
        unit, (below, right) = self.unit, self._below
        diagonal = xp.diagonal(root, axis1=-2, axis2=-1)
        lower = root / diagonal[..., None, :] * xp.broadcast_to(unit / unit[:, None], root.shape)
        logs = xp.log(diagonal / xp.broadcast_to(unit, diagonal.shape))
        return xp.concatenate([logs, lower[..., below, right]], axis=-1)

    def back(self, v: np.ndarray) -> dict[str, np.ndarray]:
        """Locations, factors and, if free, degrees of freedom of coordinates (..., m), far ones held back."""
        unit, d, (below, right) = self.unit, self.d, self._below
        diagonal = np.exp(np.clip(v[..., d : 2 * d], -300.0, 300.0)) * unit
        lower = np.broadcast_to(np.eye(d), (*v.shape[:-1], d, d)).copy()
        lower[..., below, right] = v[..., 2 * d : 2 * d + len(below)] * unit[below] / unit[right]
        found = {"loc": v[..., :d] * unit, "root": lower * diagonal[..., None, :]}
        if self.free_df:
            found["df"] = np.exp(np.clip(v[..., -1], np.log(SMALLEST_DF), np.log(LARGEST_DF)))
        return found

    def traced(self, v: Any) -> tuple[Any, Any, Any]:
        """Location, factor, degrees of freedom or None of one component; traceable."""
        unit, d, (below, right) = self.unit, self.d, self._below
        lower = jnp.eye(d).at[below, right].set(v[2 * d : 2 * d + len(below)] * (unit[below] / unit[right]))
        root = lower * (jnp.exp(v[d : 2 * d]) * unit)[None, :]
        return v[:d] * unit, root, jnp.exp(v[-1]) if self.free_df else None

    def _curve(self, root: np.ndarray) -> tuple[np.ndarray, Any]:
        """Where spreads that are not a linear set may move from factors (K, d, d): 0, and log D and U as a function."""
        free, covariances = around(self.structure, root @ np.swapaxes(root, -1, -2))
        return np.zeros(free), lambda theta: self._spread(jnp.linalg.cholesky(covariances(theta)), jnp)

    def bend(self, root: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """Second derivatives of slope · v along the directions, (free, free), v being coordinates (K, m)."""
        count, d = root.shape[:2]
        zero, spread = self._curve(root)
        part = slope[:, d : d + d * (d + 1) // 2]
        curved = np.asarray(jax.hessian(lambda theta: jnp.sum(part * spread(theta)))(zero))
        first, last = count * d, count * self.free_df
        return np.pad(curved, ((first, last), (first, last)))

    def directions(self, root: np.ndarray) -> np.ndarray:
        """Basis of those in which components move together from factors (K, d, d), (free, K, m)."""
        count, d, m = len(root), self.d, self.size
        loc = np.zeros((count * d, count, m))
        loc[:, :, :d] = np.eye(count * d).reshape(-1, count, d)
        if self.structure.linear:
            shared = self.structure.directions(count, d)[:, :, : d if self.structure.diagonal else None]
        else:
            zero, curve = self._curve(root)
            shared = np.moveaxis(np.asarray(jax.jacfwd(curve)(zero)), -1, 0)
        spread = np.zeros((len(shared), count, m))
        spread[:, :, d : d + shared.shape[2]] = shared
        tails = np.zeros((count * self.free_df, count, m))
        tails[:, :, -1] = np.eye(count)[: count * self.free_df]
        return np.concatenate([loc, spread, tails])
