"""The E-step: responsibilities of blocks of rows, and the sums over them from which the M-step is made.

R runs of the climb, each with its own parameters, go over the same rows. Rows are worked on some thousand at a time, so that
what is made of them stays in the nearest caches; sums over these add in double precision.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from suffice.models.mixture.runs import in_turn, of_runs

_CACHED = 2**16  # numbers that a step may hold on a processor with caches
_PARALLEL = 2**27  # and on one with thousands of lanes
_FEWEST, _MOST = 2**7, 2**12
_ONE_LENGTH = 2**14  # of rows, which all that are shorter are filled up to


class Kernel(Protocol):
    """What one group of components does with rows. A pytree; parameters come prepared, with the axis of runs in front."""

    def width(self, prepared: Any) -> int:
        """Numbers it holds for one row and one run."""
        ...

    def densities(self, prepared: Any, x: jax.Array) -> tuple[jax.Array, Any]:
        """Log-densities of rows (n, columns) under each component, (R, K, n), and what ``sums`` needs again."""
        ...

    def sums(self, prepared: Any, x: jax.Array, kept: Any, r: jax.Array) -> Any:
        """Sums over the rows with responsibilities times weights (R, K, n): arrays with axes (R, K) in front."""
        ...


def log_joint(
    kernels: Sequence[Any], prepared: Sequence[Any], log_weights: jax.Array, x: jax.Array
) -> tuple[jax.Array, list[Any]]:
    """log weight + log density of each component at each row, (R, K, n), and what the kernels keep."""
    found = [k.densities(p, x) for k, p in zip(kernels, prepared, strict=True)]
    each = [value for value, _ in found]
    value = each[0] if len(each) == 1 else jnp.concatenate(each, axis=1)
    return value + log_weights.astype(value.dtype)[:, :, None], [kept for _, kept in found]


def _share(joint: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Responsibilities (R, K, n), log-likelihoods (R, n), and entropies of the responsibilities (R, n)."""
    top = joint.max(1)
    known = jnp.where(jnp.isfinite(top), top, 0.0)
    gap = joint - known[:, None]
    e = jnp.exp(gap)
    total = e.sum(1)
    some, log_total = jnp.where(total > 0, total, 1.0), jnp.log(total)
    entropy = log_total - jnp.where(e > 0, e * gap, 0.0).sum(1) / some
    return e / some[:, None], known + log_total, entropy


def _sums_of(
    kernels: Sequence[Any], prepared: Sequence[Any], log_weights: jax.Array, x: jax.Array, w: jax.Array, wide: Any
) -> Any:
    """Log-likelihood (R,), counts (R, K), the kernels' sums, and the entropy (R,) of a few rows."""
    joint, kept = log_joint(kernels, prepared, log_weights, x)
    r, value, entropy = _share(joint)
    w = w.astype(value.dtype)[None]
    value, entropy = (jnp.where(w > 0, w.astype(wide) * a.astype(wide), 0.0).sum(-1) for a in (value, entropy))
    r = r * w[:, None]
    first, parts = 0, []
    for kernel, p, k in zip(kernels, prepared, kept, strict=True):
        count = p["count_of"].shape[1]
        parts.append(kernel.sums(p, x, k, r[:, first : first + count]))
        first += count
    return jax.tree.map(lambda a: a.astype(wide), (value, r.sum(-1), parts, entropy))


@partial(jax.jit, static_argnames="size")
def _expected(
    given: Any, runs: jax.Array, kernels: Sequence[Any], x: jax.Array, w: jax.Array, rows: jax.Array, size: int
) -> Any:
    """Of parameters, log-weights and, where w is None, weights of rows of the first runs, over the first rows."""
    wide = jnp.result_type(float)

    def one(run: Any) -> Any:
        prepared, log_weights, heights = run
        heights = w if heights is None else heights[0]

        def part(i: Any) -> Any:
            block, weights = (jax.lax.dynamic_slice_in_dim(a, i * size, size) for a in (x, heights))
            return _sums_of(kernels, prepared, log_weights, block, weights, wide)

        zero = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), jax.eval_shape(part, 0))
        return jax.lax.fori_loop(0, -(-rows // size), lambda i, t: jax.tree.map(jnp.add, t, part(i)), zero)

    return in_turn(one, given, runs)


@partial(jax.jit, static_argnames="size")
def _posterior(
    kernels: Sequence[Any], prepared: Sequence[Any], log_weights: jax.Array, x: jax.Array, rows: jax.Array, size: int
) -> tuple[jax.Array, jax.Array]:
    cut, put = jax.lax.dynamic_slice_in_dim, jax.lax.dynamic_update_slice_in_dim

    def part(i: Any, found: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        r, value, _ = _share(log_joint(kernels, prepared, log_weights, cut(x, i * size, size))[0])
        return put(found[0], r[0].T, i * size, 0), put(found[1], value[0], i * size, 0)

    start = jnp.zeros((len(x), log_weights.shape[1]), x.dtype), jnp.zeros(len(x), x.dtype)
    return jax.lax.fori_loop(0, -(-rows // size), part, start)


def rows_at_a_time(width: int, rows: int) -> int:
    """How many rows are worked on at a time, a power of two."""
    room = _CACHED if jax.default_backend() == "cpu" else _PARALLEL
    most = _MOST if jax.default_backend() == "cpu" else 2**17
    size = min(max(room // max(width, 1), _FEWEST), most)
    return min(1 << (size.bit_length() - 1), max(_FEWEST, 1 << (rows - 1).bit_length()))


class Rows:
    """Rows on the device, filled up to a length that few programs are compiled for."""

    def __init__(self, x: np.ndarray, w: np.ndarray | None) -> None:
        """Rows (n, columns) and frequencies (n,), or (R, n) for as many runs; None for 1."""
        n = len(x)
        full = max(-(-n // _ONE_LENGTH), 1) * _ONE_LENGTH
        w = np.ones(n) if w is None else np.asarray(w, float)
        if full > n:
            x = np.concatenate([x, np.broadcast_to(x[:1], (full - n, x.shape[1]))])
            w = np.concatenate([w, np.zeros((*w.shape[:-1], full - n))], axis=-1)
        self.count, self.x, self.w = n, jnp.asarray(x), jnp.asarray(w)

    def _size(self, kernels: Sequence[Any], prepared: Sequence[Any]) -> int:
        width = sum(k.width(p) for k, p in zip(kernels, prepared, strict=True))
        return min(rows_at_a_time(width, self.count), len(self.x))

    def expected(self, kernels: Sequence[Any], prepared: Sequence[Any], log_weights: np.ndarray) -> Any:
        """Log-likelihoods, counts, sums and entropies under the parameters of several runs."""
        common, own = (self.w, None) if self.w.ndim == 1 else (None, self.w)
        size, rows = self._size(kernels, prepared), np.int64(self.count)
        return of_runs(_expected, (prepared, log_weights, own), kernels, self.x, common, rows, size=size)

    def posterior(
        self, kernels: Sequence[Any], prepared: Sequence[Any], log_weights: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Responsibilities (n, K) and log-likelihoods (n,) of one run."""
        size = self._size(kernels, prepared)
        r, value = _posterior(kernels, prepared, log_weights, self.x, np.int64(self.count), size=size)
        return np.asarray(r)[: self.count], np.asarray(value)[: self.count]


LOG_2PI = math.log(2.0 * math.pi)
