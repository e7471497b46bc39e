"""Components that are linear regressions, each with its own noise."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.models.mixture.expectation import LOG_2PI
from suffice.models.mixture.normal import EMPTY

_SMALLEST = 1e-8  # deviation of a component, relative to that of the targets: below, it has collapsed


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class RegressionKernel:
    """Residuals of rows (Phi, t), and their products with the columns of Phi.

    Attributes:
        inputs: number M of columns.
    """

    inputs: int = field(metadata={"static": True})

    def width(self, prepared: Any) -> int:
        return int(np.prod(prepared["weights"].shape)) * (self.inputs + 2)

    def densities(self, prepared: Any, x: jax.Array) -> tuple[jax.Array, Any]:
        phi, t = x[:, : self.inputs], x[:, self.inputs]
        residual = t[None, None] - prepared["weights"].astype(x.dtype) @ phi.T
        scale = prepared["scale"].astype(x.dtype)[..., None]
        return -0.5 * (residual / scale) ** 2 - jnp.log(scale) - 0.5 * LOG_2PI, (phi, residual)

    def sums(self, prepared: Any, x: jax.Array, kept: Any, r: jax.Array) -> Any:
        phi, residual = kept
        weighted = r[:, :, None, :] * phi.T[None, None]
        return {
            "gram": weighted @ phi,
            "cross": (weighted @ residual[..., None])[..., 0],
            "square": (r * residual**2).sum(-1),
        }


@partial(jax.tree_util.register_dataclass, data_fields=["unit"], meta_fields=["count", "inputs"])
@dataclass(frozen=True)
class RegressionComponents:
    """K regressions on columns that are orthogonal over the data.

    Attributes:
        count: K.
        inputs: number M of columns.
        unit: deviation of the targets.
    """

    count: int
    inputs: int
    unit: Any

    exchangeable = True
    accelerates = True

    @property
    def kernel(self) -> RegressionKernel:
        return RegressionKernel(self.inputs)

    @property
    def dimension(self) -> int:
        return self.count * (self.inputs + 1)

    def prepare(self, p: Any) -> Any:
        return {**p, "count_of": p["scale"]}

    def start(self, x: np.ndarray, r: np.ndarray) -> Any:
        """Weighted least squares from rows and responsibilities (K, n)."""
        phi, t = x[:, : self.inputs], x[:, self.inputs]
        found = [np.linalg.lstsq(phi * np.sqrt(w)[:, None], t * np.sqrt(w), rcond=None)[0] for w in r]
        weights = np.array(found)
        square = [w @ (t - phi @ c) ** 2 / w.sum() for w, c in zip(r, weights, strict=True)]
        return {"weights": weights[None], "scale": np.sqrt(square)[None] + 1e-3 * self.unit}

    def maximise(self, p: Any, n: np.ndarray, sums: Any) -> Any:
        """Weighted least squares, as a correction of the weights before."""
        some = n > EMPTY
        gram = np.where(some[..., None, None], sums["gram"], np.eye(self.inputs))
        ridge = 1e-14 * np.trace(gram, axis1=-2, axis2=-1)[..., None, None] * np.eye(self.inputs)
        step = np.linalg.solve(gram + ridge, sums["cross"][..., None])[..., 0]
        square = (sums["square"] - (step * sums["cross"]).sum(-1)) / np.where(some, n, 1.0)
        with np.errstate(invalid="ignore"):
            scale = np.where(some, np.sqrt(square), p["scale"])
        return {"weights": np.where(some[..., None], p["weights"] + step, p["weights"]), "scale": scale}

    def penalty(self, p: Any) -> np.ndarray:
        return np.zeros(len(p["scale"]))

    def vector(self, p: Any) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.concatenate([p["weights"] / self.unit, np.log(p["scale"] / self.unit)[..., None]], axis=-1)

    def build(self, v: np.ndarray, like: Any) -> Any:
        return {"weights": v[..., :-1] * self.unit, "scale": np.exp(np.clip(v[..., -1], -300.0, 300.0)) * self.unit}

    def sound(self, p: Any) -> np.ndarray:
        return np.isfinite(p["weights"]).all(-1) & (p["scale"] > _SMALLEST * self.unit)

    def log_density(self, v: jax.Array, x: jax.Array) -> jax.Array:
        """log p(t | Phi) of one component from its coordinates."""
        scale = jnp.exp(v[-1]) * self.unit
        residual = (x[:, self.inputs] - x[:, : self.inputs] @ (v[:-1] * self.unit)) / scale
        return -0.5 * residual**2 - jnp.log(scale) - 0.5 * LOG_2PI

    def directions(self, p: Any) -> np.ndarray:
        m = self.inputs + 1
        return np.eye(self.count * m).reshape(-1, self.count, m)

    def bend(self, p: Any, slope: np.ndarray) -> np.ndarray:
        return np.zeros(2 * (self.dimension,))

    def told(self, v: Any, transform: Any) -> Any:
        """Weights of the columns as they were given, and the deviation."""
        return jnp.concatenate([transform @ (v[:-1] * self.unit), jnp.exp(v[-1:]) * self.unit])
