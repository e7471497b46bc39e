"""Densities of members of one family at rows, and the sums that its M-step is made from."""

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp

from suffice.distributions.family import Family
from suffice.distributions.statistics import sums
from suffice.inference.likelihood import expand
from suffice.runtime.blocks import Block


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class FamilyKernel:
    """Densities of members of one family, and sums for their sufficient statistics or for one Newton step.

    Attributes:
        family: which; a pytree, so what it holds may change.
        columns: first and last column, exclusive, of its part of a row.
        how: "statistic", "newton", or "held" where nothing is estimated.
    """

    family: Family
    columns: tuple[int, int] = field(metadata={"static": True})
    how: str = field(metadata={"static": True})

    def width(self, prepared: Any) -> int:
        _, count, d = prepared["v"].shape
        return count * (4 if self.how == "statistic" else 4 + 2 * d * d)

    def _values(self, x: jax.Array) -> jax.Array:
        part = x[:, self.columns[0] : self.columns[1]]
        return part if self.family.member.event_ndim else part[:, 0]

    def densities(self, prepared: Any, x: jax.Array) -> tuple[jax.Array, Any]:
        values = self._values(x)
        v = prepared["v"].astype(jnp.result_type(x, float) if self.how == "newton" else x.dtype)
        found = jax.vmap(lambda v: self.family.build(v).log_prob(values))(_flat(v))
        return found.reshape(*v.shape[:2], -1), None

    def sums(self, prepared: Any, x: jax.Array, kept: Any, r: jax.Array) -> Any:
        if self.how == "held":
            return {}
        values, v = self._values(x), prepared["v"]
        flat, heights = _flat(v), _flat(r)
        inside = self.family.member.sample_space.contains(values)
        mask = inside.reshape(inside.shape + (1,) * self.family.member.event_ndim)
        values = jnp.where(mask, values, self.family.member.sample_space.interior(self.family.member.event_shape))
        if self.how == "statistic":
            pilots = _flat(prepared["pilot"])

            def each(pilot: jax.Array, w: jax.Array) -> Any:
                return sums(self.family.member, pilot.astype(values.dtype), Block((values,), w))

            found: Any = jax.vmap(each)(pilots, heights)
        else:
            found = jax.vmap(lambda v, w: expand(self.family, v, (values,), w)[:3])(flat, heights)
        return jax.tree.map(lambda a: a.reshape(*v.shape[:2], *a.shape[1:]), found)


def _flat(a: jax.Array) -> jax.Array:
    """Runs and components as one axis."""
    return a.reshape(a.shape[0] * a.shape[1], *a.shape[2:])
