"""The E-step: responsibilities of blocks of rows, and the sums over them from which the M-step is made.

R runs of the climb, each with its own parameters, go over the same rows side by side. Rows are worked on some thousand
at a time, so that what is made of them stays in the nearest caches; sums over these add in double precision.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

_CACHED = 2**16  # numbers that a step may hold on a processor with caches
_PARALLEL = 2**27  # and on one with thousands of lanes
_FEWEST, _MOST = 2**7, 2**12


class Kernel(Protocol):
    """What one group of components does with rows. A pytree; parameters come prepared, with axes (R, K) in front."""

    def width(self, prepared: Any) -> int:
        """Numbers it holds for one row."""
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


def _share(joint: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Responsibilities (R, K, n) and log-likelihoods (R, n)."""
    top = joint.max(1)
    known = jnp.where(jnp.isfinite(top), top, 0.0)
    e = jnp.exp(joint - known[:, None])
    total = e.sum(1)
    return e / jnp.where(total > 0, total, 1.0)[:, None], known + jnp.log(total)


def _sums_of(
    kernels: Sequence[Any], prepared: Sequence[Any], log_weights: jax.Array, x: jax.Array, w: jax.Array, wide: Any
) -> Any:
    """Log-likelihood (R,), counts (R, K) and the kernels' sums of a few rows."""
    joint, kept = log_joint(kernels, prepared, log_weights, x)
    r, value = _share(joint)
    w = w.astype(value.dtype)
    w = w[None] if w.ndim == 1 else w
    value = jnp.where(w > 0, w.astype(wide) * value.astype(wide), 0.0).sum(-1)
    r = r * w[:, None]
    first, parts = 0, []
    for kernel, p, k in zip(kernels, prepared, kept, strict=True):
        count = p["count_of"].shape[1]
        parts.append(kernel.sums(p, x, k, r[:, first : first + count]))
        first += count
    return jax.tree.map(lambda a: a.astype(wide), (value, r.sum(-1), parts))


@partial(jax.jit, static_argnames="size")
def _expected(
    kernels: Sequence[Any],
    prepared: Sequence[Any],
    log_weights: jax.Array,
    x: jax.Array,
    w: jax.Array,
    rows: jax.Array,
    size: int,
) -> Any:
    wide = jnp.result_type(float)

    def part(i: Any) -> Any:
        rows_of = lambda a, axis: jax.lax.dynamic_slice_in_dim(a, i * size, size, axis)  # noqa: E731
        return _sums_of(kernels, prepared, log_weights, rows_of(x, 0), rows_of(w, w.ndim - 1), wide)

    zero = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), jax.eval_shape(part, 0))
    return jax.lax.fori_loop(0, -(-rows // size), lambda i, total: jax.tree.map(jnp.add, total, part(i)), zero)


@partial(jax.jit, static_argnames="size")
def _posterior(
    kernels: Sequence[Any], prepared: Sequence[Any], log_weights: jax.Array, x: jax.Array, size: int
) -> tuple[jax.Array, jax.Array]:
    r, value = jax.lax.map(
        lambda part: _share(log_joint(kernels, prepared, log_weights, part)[0]), x.reshape(-1, size, x.shape[1])
    )
    return jnp.moveaxis(r[:, 0], 1, 2).reshape(len(x), -1), value[:, 0].reshape(-1)


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
        full = 1 << max(n - 1, _FEWEST - 1).bit_length() if n <= 2**14 else -(-n // 2**14) * 2**14
        w = np.ones(n) if w is None else np.asarray(w, float)
        if full > n:
            x = np.concatenate([x, np.broadcast_to(x[:1], (full - n, x.shape[1]))])
            w = np.concatenate([w, np.zeros((*w.shape[:-1], full - n))], axis=-1)
        self.count, self.x, self.w = n, jnp.asarray(x), jnp.asarray(w)

    def _size(self, kernels: Sequence[Any], prepared: Sequence[Any]) -> int:
        width = sum(k.width(p) for k, p in zip(kernels, prepared, strict=True))
        return min(rows_at_a_time(width, self.count), len(self.x))

    def expected(self, kernels: Sequence[Any], prepared: Sequence[Any], log_weights: np.ndarray) -> Any:
        """Log-likelihoods, counts and sums under the parameters, on the device."""
        size = self._size(kernels, prepared)
        return _expected(kernels, prepared, log_weights, self.x, self.w, np.int64(self.count), size=size)

    def posterior(
        self, kernels: Sequence[Any], prepared: Sequence[Any], log_weights: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Responsibilities (n, K) and log-likelihoods (n,) of one run."""
        size = self._size(kernels, prepared)
        r, value = _posterior(kernels, prepared, log_weights, self.x, size=size)
        return np.asarray(r)[: self.count], np.asarray(value)[: self.count]


LOG_2PI = math.log(2.0 * math.pi)
