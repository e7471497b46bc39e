"""Components whose columns are independent: a kind of component for each part of a row."""

import itertools
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.product import Product

Params = tuple[Any, ...]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class ProductKernel:
    """The sum of the log-densities of the parts, and the sums of each."""

    parts: tuple[Any, ...]

    def width(self, prepared: Any) -> int:
        return sum(k.width(p) for k, p in zip(self.parts, prepared["parts"], strict=True))

    def densities(self, prepared: Any, x: jax.Array) -> tuple[jax.Array, Any]:
        found = [k.densities(p, x) for k, p in zip(self.parts, prepared["parts"], strict=True)]
        total = found[0][0]
        for value, _ in found[1:]:
            total = total + value
        return total, [kept for _, kept in found]

    def sums(self, prepared: Any, x: jax.Array, kept: Any, r: jax.Array) -> Any:
        return [kernel.sums(p, x, k, r) for kernel, p, k in zip(self.parts, prepared["parts"], kept, strict=True)]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class ProductComponents:
    """K components, each a product of independent parts.

    Attributes:
        parts: groups of K components, one for each part of a row.
    """

    parts: tuple[Any, ...]

    exchangeable = True

    @property
    def count(self) -> int:
        return self.parts[0].count

    @property
    def kernel(self) -> ProductKernel:
        return ProductKernel(tuple(part.kernel for part in self.parts))

    @property
    def dimension(self) -> int:
        return sum(part.dimension for part in self.parts)

    @property
    def accelerates(self) -> bool:
        return all(part.accelerates for part in self.parts)

    def prepare(self, p: Params) -> Any:
        prepared = tuple(part.prepare(q) for part, q in zip(self.parts, p, strict=True))
        return {"parts": prepared, "count_of": prepared[0]["count_of"]}

    def start(self, x: np.ndarray, r: np.ndarray) -> Params:
        return tuple(part.start(x, r) for part in self.parts)

    def maximise(self, p: Params, n: np.ndarray, totals: Any) -> Params:
        return tuple(part.maximise(q, n, s) for part, q, s in zip(self.parts, p, totals, strict=True))

    def penalty(self, p: Params) -> np.ndarray:
        return np.sum([part.penalty(q) for part, q in zip(self.parts, p, strict=True)], axis=0)

    def vector(self, p: Params) -> np.ndarray:
        return np.concatenate([part.vector(q) for part, q in zip(self.parts, p, strict=True)], axis=-1)

    def _sizes(self, p: Params) -> list[int]:
        return [part.vector(q).shape[-1] for part, q in zip(self.parts, p, strict=True)]

    def build(self, v: np.ndarray, like: Params) -> Params:
        pieces = np.split(v, np.cumsum(self._sizes(like))[:-1], axis=-1)
        return tuple(part.build(piece, q) for part, piece, q in zip(self.parts, pieces, like, strict=True))

    def sound(self, p: Params) -> np.ndarray:
        return np.all([part.sound(q) for part, q in zip(self.parts, p, strict=True)], axis=0)

    def at_limit(self, p: Params) -> np.ndarray:
        """Which coordinates have run so far that the likelihood is flat in them, (R, K, m)."""
        return np.concatenate([part.at_limit(q) for part, q in zip(self.parts, p, strict=True)], axis=-1)

    def limits(self, p: Params) -> list[tuple[int, str, Any]]:
        """Components of one run whose parameters run to where a family ends, with their names and the family there."""
        each = [part.limits(q) for part, q in zip(self.parts, p, strict=True)]
        return [(k, f"parts[{i}].{name}", kind) for i, found in enumerate(each) for k, name, kind in found]

    def of_members(self, members: list[Any]) -> Params:
        return tuple(part.of_members([m.parts[i] for m in members]) for i, part in enumerate(self.parts))

    def member_at(self, v: Any) -> Product:
        """One component from its coordinates; traceable."""
        ends = np.cumsum([0, *(part.size for part in self.parts)])
        pieces = [v[a:b] for a, b in itertools.pairwise(ends)]
        return Product([part.member_at(piece) for part, piece in zip(self.parts, pieces, strict=True)])

    def directions(self, p: Params) -> np.ndarray:
        """Basis of the coordinates that vary from those of one run, (free, K, m)."""
        each = [part.directions(q) for part, q in zip(self.parts, p, strict=True)]
        found = np.zeros((sum(e.shape[0] for e in each), self.count, sum(e.shape[2] for e in each)))
        row = column = 0
        for e in each:
            found[row : row + e.shape[0], :, column : column + e.shape[2]] = e
            row, column = row + e.shape[0], column + e.shape[2]
        return found

    def bend(self, p: Params, slope: np.ndarray) -> np.ndarray:
        """Second derivatives of slope · v along the directions, (free, free)."""
        pieces = np.split(slope, np.cumsum(self._sizes(p))[:-1], axis=-1)
        return np.asarray(
            jax.scipy.linalg.block_diag(*(part.bend(q, s) for part, q, s in zip(self.parts, p, pieces, strict=True)))
        )

    @property
    def size(self) -> int:
        """Number of coordinates of a component."""
        return sum(part.size for part in self.parts)

    @property
    def example(self) -> Any:
        """Any component."""
        return Product([part.example for part in self.parts])

    @property
    def reported(self) -> Any:
        """The families in whose parameters a component is told."""
        return Reported(tuple(part.reported for part in self.parts))

    def members(self, p: Params) -> list[Product]:
        each = [part.members(q) for part, q in zip(self.parts, p, strict=True)]
        return [Product(list(row)) for row in zip(*each, strict=True)]


@dataclass(frozen=True)
class Reported:
    """Parameters of a product: those of its parts."""

    parts: tuple[Any, ...]

    @property
    def parameter_names(self) -> tuple[str, ...]:
        return tuple(f"parts[{i}].{name}" for i, part in enumerate(self.parts) for name in part.parameter_names)

    def report(self, p: Product, xp: Any = jnp) -> Any:
        return xp.concatenate([part.report(q, xp) for part, q in zip(self.parts, p.parts, strict=True)])
