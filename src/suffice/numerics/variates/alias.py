"""Draws from a table of probabilities in constant time, and categorical variates."""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from suffice.numerics.variates.bits import bits
from suffice.numerics.variates.blocks import in_blocks
from suffice.numerics.variates.elementary import exponential, unit, word_type

_DRAWS_PER_TABLE = 16


class AliasTable(NamedTuple):
    """Walker's table: column i of the first 2ᵐ is drawn with equal probability, and kept, or replaced by its alias."""

    keep: jax.Array  # (K,), probability
    alias: jax.Array  # (K,), index
    log_columns: ArrayLike  # m, with 2ᵐ <= K


def alias_table(weights: jax.Array, log_columns: ArrayLike) -> AliasTable:
    """Table for weights >= 0, not all 0, of which those from 2ᵐ on, m = `log_columns`, are not drawn.

    Light columns (weight below the mean) are topped up in order by heavy ones; the heavy one at work, and the point at
    which it has become light itself, follow from cumulative deficits and excesses by bisection: no sequential sweep.
    """
    k = weights.shape[0]
    columns = 1 << jnp.asarray(log_columns)
    used = jnp.arange(k) < columns
    w = jnp.where(used, weights, 0)
    w = w * (columns / w.sum())
    light = (used & (w < 1)).at[jnp.argmax(w)].set(False)
    heavies = jnp.nonzero(used & ~light, size=k, fill_value=k)[0]
    lights = jnp.nonzero(light, size=k, fill_value=k)[0]
    many = light.sum()
    count = columns - many
    # parallel sums need not be monotone: the maximum makes them so
    given = jax.lax.cummax(jnp.cumsum(w.at[heavies].get(mode="fill", fill_value=1) - 1))
    taken = jax.lax.cummax(jnp.cumsum(1 - w.at[lights].get(mode="fill", fill_value=1)))
    before = jnp.concatenate([jnp.zeros(1, w.dtype), taken[:-1]])
    giver = jnp.minimum(jnp.searchsorted(given, before, side="right"), count - 1)  # the first with something left
    last = jnp.searchsorted(taken, given)  # the light column that exhausts a heavy one
    exhausted = jnp.where(last < many, 1 + given - taken[jnp.minimum(last, k - 1)], 1)
    following = jnp.minimum(jnp.arange(k) + 1, count - 1)
    keep = w.at[heavies].set(jnp.maximum(exhausted, 0), mode="drop")
    alias = jnp.zeros(k, heavies.dtype).at[lights].set(heavies[giver], mode="drop")
    alias = alias.at[heavies].set(heavies[following], mode="drop")
    return AliasTable(keep, alias.astype(jnp.int32), log_columns)


def alias_draw(table: AliasTable) -> Callable[[jax.Array, tuple[int, ...]], jax.Array]:
    """(key, shape) ↦ indices drawn from a table: a column from the leading bits, the decision from the others."""
    keep, alias, log_columns = table
    word, width, mantissa = word_type(keep.dtype)
    most = (keep.shape[0] - 1).bit_length()

    def draw(key, shape):
        if width - most >= mantissa:
            chosen = bits(key, shape, word)
            rest = chosen << jnp.asarray(log_columns, word)
        else:
            chosen, rest = bits(key, (2, *shape), word)
        shift = jnp.asarray(width - log_columns - 1, word)  # a shift by the whole width is not defined
        column = ((chosen >> 1) >> shift).astype(jnp.int32)
        return jnp.where(unit(rest, keep.dtype) < keep[column], column, alias[column])

    return draw


@functools.partial(jax.jit, static_argnames="shape")
def categorical(key: jax.Array, logits: ArrayLike, shape: tuple[int, ...] | None = None) -> jax.Array:
    """Categorical variates, P(k) = exp(logits[…, k])/Σ exp(logits); −1 where the logits have no finite maximum.

    Args:
        key: a JAX key.
        logits: (…, K), log-probabilities up to a constant, −∞ allowed; the leading axes broadcast to `shape`.
        shape: of the result; the leading axes of the logits if None.

    Method: an alias table for each row of logits if it serves many draws, else the minimum of K exponential variates
    with rates exp(logits).
    """
    logits = jnp.asarray(logits)
    logits = logits.astype(jnp.result_type(float, logits))
    rows, k = logits.shape[:-1], logits.shape[-1]
    shape = rows if shape is None else shape
    top = logits.max(-1, keepdims=True)
    valid = jnp.isfinite(top)
    weights = jnp.where(valid, jnp.exp(logits - jnp.where(valid, top, 0)), 1)
    table, draws = math.prod(rows), math.prod(shape)
    if shape[len(shape) - len(rows) :] == rows and draws >= _DRAWS_PER_TABLE * table:
        padded = jnp.zeros((table, 1 << (k - 1).bit_length()), float).at[:, :k].set(weights.reshape(table, k))
        log_columns = (k - 1).bit_length()
        keys = jax.random.split(key, table)
        each = (draws // table,)
        tables = jax.vmap(lambda row: alias_table(row, log_columns))(padded)
        index = jax.vmap(lambda key, table: in_blocks(alias_draw(table), key, each), out_axes=-1)(keys, tables)
        index = index.reshape(shape)
    else:
        index = jnp.argmin(exponential(key, (*shape, k), weights.dtype) / jnp.broadcast_to(weights, (*shape, k)), -1)
    return jnp.where(jnp.broadcast_to(valid[..., 0], shape), index, -1).astype(int)
