"""The alias method: draws from a table of probabilities, each in constant time."""

import functools
import math
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.checks import is_traced
from suffice.numerics.variates import alias
from suffice.numerics.variates.blocks import in_blocks
from suffice.runtime.rng import RNG, as_key


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class AliasTable:
    """A sampler of one categorical law, made by ``sf.alias_table``: a column, then that column or its alias.

    Attributes:
        keep: probability with which a column is kept, (2ᵐ,).
        alias: what it is replaced by otherwise, (2ᵐ,).
        classes: K <= 2ᵐ, of them.
    """

    keep: jax.Array
    alias: jax.Array
    classes: int = field(metadata={"static": True})

    @property
    def probs(self) -> jax.Array:
        """The probabilities with which the table draws, (K,)."""
        return self._masses()[: self.classes]

    def _masses(self) -> jax.Array:
        kept = jnp.clip(self.keep, 0.0, 1.0)
        return (kept + jnp.zeros_like(kept).at[self.alias].add(1.0 - kept)) / kept.shape[0]

    def sample(self, shape: int | tuple[int, ...] = (), *, rng: RNG) -> jax.Array:
        """Independent draws of 0 … K − 1; −1 where the logits had no finite maximum."""
        return _sample(self, as_key(rng), (shape,) if isinstance(shape, int) else tuple(shape))


def alias_table(logits: Any = None, *, probs: Any = None) -> AliasTable:
    """The alias table of a categorical law: P(k) = exp(logits[k])/Σ exp(logits), or probs[k]/Σ probs.

    Each of 2ᵐ columns is shared by at most two classes, so a draw costs one random word and one look, whatever K.
    Building takes sums and a bisection of K numbers, no sequential sweep; works under ``jit`` and ``vmap``.

    Args:
        logits: logarithms of the probabilities but for a constant, (K,); −∞ is never drawn.
        probs: probabilities but for a factor, (K,), in place of logits.

    Raises:
        ValueError: not exactly one of the two; not a vector; NaN, infinite or negative values, or all of them 0.

    Source: Walker (1977); Vose (1991).

    Example:
        >>> import suffice as sf
        >>> table = sf.alias_table(probs=[1.0, 2.0, 5.0])
        >>> table.probs.tolist(), table.sample(1_000_000, rng=0).shape
        ([0.125, 0.25, 0.625], (1000000,))
    """
    if (logits is None) == (probs is None):
        raise ValueError("exactly one of logits and probs must be given")
    given, name = (logits, "logits") if probs is None else (probs, "probs")
    shape = np.shape(given)
    if len(shape) != 1 or not shape[0]:
        raise ValueError(f"{name} must be a vector, got shape {shape}")
    if not is_traced(given):
        values = np.asarray(given, float)
        wrong = ~(values < np.inf) if probs is None else ~((values >= 0.0) & (values < np.inf))
        if wrong.any():
            bound = "below infinity" if probs is None else "at least 0 and finite"
            raise ValueError(f"{name} must be {bound}, got {values[wrong][0]:g} at {int(np.argmax(wrong))}")
        if values.max() == (-np.inf if probs is None else 0.0):
            raise ValueError(f"{name} must hold one class that is possible, got {values.max():g} at most")
    logs = jnp.asarray(logits, float) if probs is None else jnp.log(jnp.asarray(probs, float))
    return _built(logs)


@jax.jit
def _built(logits: jax.Array) -> AliasTable:
    k = logits.shape[0]
    log_columns = (k - 1).bit_length()
    weights = jnp.exp(logits - jnp.max(logits))
    table = alias.alias_table(jnp.pad(weights, (0, (1 << log_columns) - k)), log_columns)
    return AliasTable(jnp.where(jnp.isnan(weights).any(), jnp.nan, table.keep), table.alias, k)


@functools.partial(jax.jit, static_argnums=2)
def _sample(table: AliasTable, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    log_columns = int(math.log2(table.keep.shape[0]))
    draw = alias.alias_draw(alias.AliasTable(table.keep, table.alias, log_columns))
    return jnp.where(jnp.isnan(table.keep[0]), -1, in_blocks(draw, key, shape)).astype(int)
