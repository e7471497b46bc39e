"""Rows in the units of each component: squares of their distances from its centre, densities, moments of what is whitened.

z_k = L_k⁻¹ (x − m_k) = W_k x − o_k. Sums are taken about each component's own centre, in its own units: what is lost to rounding
grows like |o|, the distance from the middle of the data in standard deviations, not like its square. The dear parts are
products of matrices.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

_TERMS = 32
_NEAR = 400.0  # of |o|², up to which squares expand in double precision with an error of 1e-13


class Whitening(Protocol):
    """How rows are whitened, with its numbers, for R runs of K components. A pytree; rows (n, d) come centred."""

    @property
    def width(self) -> int:
        """Numbers it holds for one row and one run."""
        ...

    def squares(self, x: jax.Array) -> tuple[jax.Array, Any]:
        """|z|² of each component at each row, (R, K, n), and what ``moments`` needs again."""
        ...

    def moments(self, x: jax.Array, kept: Any, r: jax.Array) -> dict[str, jax.Array]:
        """Sums with responsibilities r (R, K, n): "first" Σ r z and one of the second order."""
        ...


def _first(whitened: Any, rx: jax.Array, offset: jax.Array, r: jax.Array) -> jax.Array:
    """Σ r z = W Σ r x − o Σ r."""
    return whitened(rx) - offset * r.sum(-1)[..., None]


def _total(r: jax.Array, x: jax.Array) -> jax.Array:
    """Σ r x, (R, K, d)."""
    return (r.reshape(-1, r.shape[-1]) @ x).reshape(*r.shape[:2], -1)


def squared_length(z: jax.Array) -> jax.Array:
    """|z|² over axis 2, term by term where they are few: XLA makes a sum over an axis that is not the last one by one."""
    if z.shape[2] > _TERMS:
        return (z * z).sum(2)
    total = jnp.square(z[:, :, 0])
    for i in range(1, z.shape[2]):
        total = total + jnp.square(z[:, :, i])
    return jax.lax.optimization_barrier(total)  # else each use of it adds them anew


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Separate:
    """A factor for each component: one product whitens for all, another makes Σ r z xᵀ ("cross")."""

    whitener: Any
    offset: Any

    @property
    def width(self) -> int:
        return 2 * int(np.prod(self.offset.shape[1:]))

    def squares(self, x: jax.Array) -> tuple[jax.Array, Any]:
        offset = self.offset.astype(x.dtype)
        z = self.whitener.astype(x.dtype).reshape(-1, x.shape[1]) @ x.T
        z = z.reshape(*offset.shape, -1) - offset[..., None]
        return squared_length(z), z

    def moments(self, x: jax.Array, kept: Any, r: jax.Array) -> dict[str, jax.Array]:
        rz = (r[:, :, None] * kept).reshape(-1, len(x))
        first = rz @ jnp.ones(len(x), x.dtype)  # of the same numbers as the other, whose rounding it takes away
        return {"first": first.reshape(self.offset.shape), "cross": (rz @ x).reshape(self.whitener.shape)}


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Shared:
    """One factor for all components of a run, W of shape (R, d, d).

    With ō = Σ_k r_k o_k / r, r = Σ_k r_k, a row adds to Σ_k Σ r_k z_k z_kᵀ ("square") what whitens to its distance from ō,
    r (Wx − ō)(Wx − ō)ᵀ, and the spread of the centres, Σ_{j<k} r_j r_k / r (o_j − o_k)(o_j − o_k)ᵀ: nothing cancels.
    Components are given shares of the sum by their counts.
    """

    whitener: Any
    offset: Any

    @property
    def width(self) -> int:
        return 3 * self.offset.shape[2] + 2 * self.offset.shape[1]

    def squares(self, x: jax.Array) -> tuple[jax.Array, Any]:
        offset = self.offset.astype(x.dtype)
        y = (self.whitener.astype(x.dtype).reshape(-1, x.shape[1]) @ x.T).reshape(len(offset), x.shape[1], -1)
        return squared_length(y[:, None] - offset[..., None]), y

    def moments(self, x: jax.Array, kept: Any, r: jax.Array) -> dict[str, jax.Array]:
        whitener, offset = self.whitener.astype(x.dtype), self.offset.astype(x.dtype)
        total = r.sum(1, keepdims=True)
        share = r / jnp.where(total > 0.0, total, 1.0)
        gap = kept - jnp.swapaxes(offset, -1, -2) @ share
        pairs = r @ jnp.swapaxes(share, -1, -2)
        apart = offset[:, :, None] - offset[:, None]
        between = 0.5 * jnp.einsum("rjk,rjka,rjkb->rab", pairs, apart, apart)
        square = (total * gap) @ jnp.swapaxes(gap, -1, -2) + between
        n = r.sum(-1)
        part = n / jnp.maximum(n.sum(-1, keepdims=True), jnp.finfo(n.dtype).tiny)
        first = _first(lambda rx: rx @ jnp.swapaxes(whitener, -1, -2), _total(r, x), offset, r)
        return {"first": first, "square": part[..., None, None] * square[:, None]}


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Scaled:
    """Diagonal factors, W of shape (R, K, d); Σ r z² is "squares".

    Attributes:
        near: whether all |o|² are small. Squares then expand, z² = W² x² − 2 W o x + o², and sums over columns or rows are
            products of matrices with the rows and their squares.
    """

    whitener: Any
    offset: Any
    near: bool = field(metadata={"static": True})

    @classmethod
    def of(cls, whitener: np.ndarray, offset: np.ndarray) -> "Scaled":
        """Whether centres are near is seen from the numbers."""
        with np.errstate(over="ignore"):
            return cls(whitener, offset, bool((offset * offset).sum(-1).max() <= _NEAR))

    @property
    def width(self) -> int:
        return 2 * int(np.prod(self.offset.shape[1:]))

    def _expands(self, x: jax.Array) -> bool:
        return self.near and x.dtype == np.float64

    def squares(self, x: jax.Array) -> tuple[jax.Array, Any]:
        whitener, offset = self.whitener.astype(x.dtype), self.offset.astype(x.dtype)
        if not self._expands(x):
            z = whitener[..., None] * x.T[None, None] - offset[..., None]
            return squared_length(z), z
        both = jnp.concatenate([x.T, jnp.square(x.T)])
        factors = jnp.concatenate([-2.0 * whitener * offset, jnp.square(whitener)], axis=-1)
        found = (factors.reshape(-1, len(both)) @ both).reshape(*offset.shape[:2], -1)
        return found + jnp.square(offset).sum(-1)[..., None], both

    def moments(self, x: jax.Array, kept: Any, r: jax.Array) -> dict[str, jax.Array]:
        whitener, offset = self.whitener.astype(x.dtype), self.offset.astype(x.dtype)
        if not self._expands(x):
            first = _first(lambda rx: whitener * rx, _total(r, x), offset, r)
            return {"first": first, "squares": jnp.einsum("rkn,rkdn->rkd", r, jnp.square(kept))}
        rx, rxx = jnp.split(_total(r, kept.T), 2, axis=-1)
        first = _first(lambda rx: whitener * rx, rx, offset, r)
        return {"first": first, "squares": jnp.square(whitener) * rxx - offset * (whitener * rx + first)}


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class NormalKernel:
    """Densities from squared distances, and moments of what is whitened.

    Attributes:
        columns: first and last column, exclusive, of its part of a row.
        tails: whether components are Student's t.
    """

    columns: tuple[int, int] = field(metadata={"static": True})
    tails: bool = field(metadata={"static": True})

    def width(self, prepared: Any) -> int:
        return prepared["whitening"].width

    def _part(self, x: jax.Array, prepared: Any) -> jax.Array:
        part = x if self.columns == (0, x.shape[1]) else x[:, self.columns[0] : self.columns[1]]
        return part - prepared["centre"].astype(x.dtype)[:1]

    def densities(self, prepared: Any, x: jax.Array) -> tuple[jax.Array, Any]:
        part = self._part(x, prepared)
        square, kept = prepared["whitening"].squares(part)
        constant = prepared["constant"].astype(x.dtype)[..., None]
        if not self.tails:
            return constant - 0.5 * square, (part, square, kept)
        df = prepared["df"].astype(x.dtype)[..., None]
        return constant - 0.5 * (df + part.shape[1]) * jnp.log1p(square / df), (part, square, kept)

    def sums(self, prepared: Any, x: jax.Array, kept: Any, r: jax.Array) -> Any:
        part, square, kept = kept
        found = {}
        if self.tails:
            df = prepared["df"].astype(x.dtype)[..., None]
            beyond = (part.shape[1] - square) / (df + square)  # u − 1, to all digits where u is near 1
            found["excess"] = (r * (beyond - jnp.log1p(beyond))).sum(-1)
            found["deviation"] = (r * beyond**2).sum(-1)
            r = r * ((df + part.shape[1]) / (df + square))
            found["mass"] = r.sum(-1)
        return found | prepared["whitening"].moments(part, kept, r)
