"""Linear algebra with triangular factors: nothing is inverted, nothing is squared that need not be."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from suffice.numerics.moments import namespace


def is_symmetric(x: Any) -> Any:
    """Whether matrices equal their transposes, to rounding in units of √(x_ii x_jj)."""
    xp = namespace(x)
    diagonal = xp.diagonal(x, axis1=-2, axis2=-1)
    size = xp.sqrt(xp.abs(diagonal[..., :, None] * diagonal[..., None, :]))
    gap = xp.abs(x - xp.swapaxes(x, -1, -2))
    return xp.all(gap <= 16 * jnp.finfo(x.dtype).eps * (size + xp.abs(x)), axis=(-2, -1))


def is_positive(x: Any, singular: bool = False) -> Any:
    """Whether symmetric matrices have positive eigenvalues only, or, with ``singular``, none below 0 but by rounding."""
    if isinstance(x, jax.Array) and not singular:
        return ~jnp.isnan(jnp.linalg.cholesky(x)).any((-2, -1))
    xp = namespace(x)
    unit = xp.sqrt(xp.abs(xp.diagonal(x, axis1=-2, axis2=-1)))
    unit = xp.where(unit > 0, unit, 1.0)
    known = xp.all(xp.isfinite(x), axis=(-2, -1))
    scaled = xp.where(known[..., None, None], x / (unit[..., :, None] * unit[..., None, :]), 0.0)
    smallest = xp.linalg.eigvalsh(scaled)[..., 0]
    slack = 8 * x.shape[-1] * jnp.finfo(x.dtype).eps
    return known & (smallest >= -slack if singular else smallest > 0)


def eigh(x: Any) -> tuple[Any, Any]:
    """Eigenvalues and eigenvectors (as columns) of one symmetric matrix; ascending only from three rows on.

    One rotation makes two rows diagonal: under ``vmap`` LAPACK is called matrix by matrix, thirty times as slow.
    """
    xp = namespace(x)
    if x.shape[-1] == 1:
        return x[0], xp.ones_like(x)
    if x.shape[-1] > 2:
        return xp.linalg.eigh(x)
    a, b, c = x[0, 0], x[0, 1], x[1, 1]
    turned = xp.abs(b) > 1e-32 * (xp.abs(a) + xp.abs(c))
    half = (c - a) / (2.0 * xp.where(turned, b, 1.0))
    tangent = xp.where(turned, xp.where(half < 0, -1.0, 1.0) / (xp.abs(half) + xp.hypot(half, 1.0)), 0.0)
    cosine = 1.0 / xp.hypot(tangent, 1.0)
    sine = tangent * cosine
    vectors = xp.stack([xp.stack([cosine, sine]), xp.stack([-sine, cosine])])
    return xp.stack([a - tangent * b, c + tangent * b]), vectors


def eye_like(x: jax.Array) -> jax.Array:
    """The identity matrix, of the rank and dtype of square matrices ``x``."""
    return jnp.eye(x.shape[-1], dtype=x.dtype).reshape((1,) * (x.ndim - 2) + x.shape[-2:])


def inverse(lower: jax.Array) -> jax.Array:
    """L⁻¹ of triangular factors."""
    return solve(lower, jnp.broadcast_to(eye_like(lower), lower.shape))


def diagonal(x: jax.Array) -> jax.Array:
    """Matrices with vectors (..., d) on their diagonals."""
    square = jnp.broadcast_to(x[..., None], (*x.shape, x.shape[-1]))
    return jnp.where(eye_like(square) == 1.0, square, 0.0)


def side_by_side(*parts: jax.Array) -> jax.Array:
    """Vectors (..., d_i) as one, their batch axes broadcast."""
    lead = jnp.broadcast_shapes(*(p.shape[:-1] for p in parts))
    return jnp.concatenate([jnp.broadcast_to(p, lead + p.shape[-1:]) for p in parts], axis=-1)


def gram(factor: jax.Array) -> jax.Array:
    """L Lᵀ."""
    return factor @ jnp.swapaxes(factor, -1, -2)


def cholesky(x: Any) -> jax.Array:
    """Lower triangular L with L Lᵀ = x; where x is known and singular, with zeros on the diagonal.

    In traced code a matrix that is not positive definite gives NaN.
    """
    factor = jnp.linalg.cholesky(jnp.asarray(x))
    if isinstance(factor, Tracer) or not bool(jnp.isnan(factor).any()):
        return factor
    host = np.asarray(x)
    flat = [_semidefinite(m) for m in host.reshape(-1, *host.shape[-2:])]
    return jnp.asarray(np.reshape(flat, host.shape), dtype=factor.dtype)


def _semidefinite(x: np.ndarray) -> np.ndarray:
    """The triangular factor of a singular matrix: a root from its eigenvectors, made triangular by rotation."""
    unit = np.sqrt(np.diagonal(x))
    unit = np.where(unit > 0, unit, 1.0)
    values, vectors = np.linalg.eigh(x / np.outer(unit, unit))
    values = np.where(values > 8 * len(x) * np.finfo(x.dtype).eps * values[-1], values, 0.0)
    lower = np.linalg.qr((vectors * np.sqrt(values)).T, mode="r").T
    lower = lower * np.where(np.diagonal(lower) < 0, -1.0, 1.0)
    diagonal = np.diagonal(lower)
    null = diagonal <= 8 * len(x) * np.finfo(x.dtype).eps
    return unit[:, None] * np.where(null & (np.arange(len(x))[:, None] <= np.arange(len(x))), 0.0, lower)


def triangular_of(root: jax.Array) -> jax.Array:
    """Lower triangular L with L Lᵀ = A Aᵀ, for any A of shape (k, m): by rotations, so that no condition is squared."""
    k, m = root.shape[-2:]
    if m < k:
        root = jnp.concatenate([root, jnp.zeros((*root.shape[:-1], k - m), root.dtype)], axis=-1)
    lower = jnp.swapaxes(jnp.linalg.qr(jnp.swapaxes(root, -1, -2), mode="r"), -1, -2)
    sign = jnp.where(jnp.diagonal(lower, axis1=-2, axis2=-1) < 0, -1.0, 1.0)
    size = jnp.linalg.norm(root, axis=-1)[..., None]
    null = (jnp.abs(lower) <= 8 * max(k, m) * jnp.finfo(root.dtype).eps * size) & (eye_like(lower) == 1.0)
    return jnp.where(null, 0.0, lower * sign[..., None, :])


def factor_of_inverse(x: jax.Array) -> jax.Array:
    """Lower triangular L with L Lᵀ = x⁻¹, from the Cholesky factor of x with its axes reversed."""
    reversed_factor = jnp.linalg.cholesky(jnp.flip(x, (-2, -1)))
    upper = jnp.flip(reversed_factor, (-2, -1))  # x = U Uᵀ with U upper triangular
    return inverse(jnp.swapaxes(upper, -1, -2))


def solve(lower: jax.Array, right: jax.Array) -> jax.Array:
    """L⁻¹ B for matrices B; batch axes broadcast."""
    solver = lambda a, b: jax.scipy.linalg.solve_triangular(a, b, lower=True)  # noqa: E731
    return jnp.vectorize(solver, signature="(d,d),(d,m)->(d,m)")(lower, right)


def solve_transposed(lower: jax.Array, right: jax.Array) -> jax.Array:
    """L⁻ᵀ B for matrices B; batch axes broadcast."""
    solver = lambda a, b: jax.scipy.linalg.solve_triangular(a, b, lower=True, trans=1)  # noqa: E731
    return jnp.vectorize(solver, signature="(d,d),(d,m)->(d,m)")(lower, right)


def whiten(lower: jax.Array, x: jax.Array) -> jax.Array:
    """L⁻¹ x for vectors x, (..., d); a factor shared by many vectors takes them in one triangular solve."""
    solver = lambda a, b: jax.scipy.linalg.solve_triangular(a, b, lower=True)  # noqa: E731
    return jnp.vectorize(solver, signature="(d,d),(d)->(d)")(lower, x)


def log_det(lower: jax.Array) -> jax.Array:
    """log |L| of a triangular factor: half of log |L Lᵀ|."""
    return jnp.log(jnp.diagonal(lower, axis1=-2, axis2=-1)).sum(-1)


def times(lower: jax.Array, x: jax.Array) -> jax.Array:
    """L x for vectors x, (..., d), as one product of matrices where the factor is shared."""
    return jnp.vectorize(jnp.matmul, signature="(d,m),(m)->(d)")(lower, x)


def times_transposed(lower: jax.Array, x: jax.Array) -> jax.Array:
    """Lᵀ x for vectors x, (..., d)."""
    return jnp.vectorize(jnp.matmul, signature="(d,m),(m)->(d)")(jnp.swapaxes(lower, -1, -2), x)


def pack(x: jax.Array) -> jax.Array:
    """Lower triangles of matrices by rows, (..., d(d + 1)/2)."""
    return x[..., *np.tril_indices(x.shape[-1])]


def unpack(packed: jax.Array) -> jax.Array:
    """Lower triangular matrices from what ``pack`` gave."""
    d = size_of_packed(packed.shape[-1])
    return jnp.zeros((*packed.shape[:-1], d, d), packed.dtype).at[..., *np.tril_indices(d)].set(packed)


def size_of_packed(length: int, below: bool = False) -> int:
    """d of a packed triangle of d(d + 1)/2 numbers; with ``below`` d numbers come before it."""
    d = int((2 * length) ** 0.5)
    return d - 1 if below else d


def rank(scatter: np.ndarray, centre: np.ndarray) -> int:
    """Rank of a covariance, to the rounding of observations around ``centre``."""
    eps = np.finfo(float).eps
    unit = np.sqrt(np.diagonal(scatter))
    spread = unit > 8 * eps * np.abs(centre)
    part = scatter[np.ix_(spread, spread)] / np.outer(unit[spread], unit[spread])
    if not len(part):
        return 0
    noise = 8 * eps * len(part) * (1.0 + np.max(np.abs(centre[spread]) / unit[spread]))
    return int((np.linalg.eigvalsh(part) > noise).sum())
