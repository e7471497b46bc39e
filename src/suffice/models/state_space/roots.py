"""Roots of covariances: any S with SᵀS the covariance."""

import jax
import jax.numpy as jnp

_FEW = 6  # columns up to which a compiled loop beats a call of LAPACK, by four to ten times

_ROUNDING = 1e-6  # of a correlation, below 0, that may be


def triangular(*rows: jax.Array) -> jax.Array:
    """The upper triangular R >= 0 on the diagonal with RᵀR the sum of AᵀA over blocks A of rows.

    By rotations, or for few columns by the modified Gram–Schmidt process, whose R is as exact (Björck 1967).
    """
    a = jnp.concatenate(rows, axis=-2)
    n = a.shape[-1]
    if n > _FEW:
        r = jnp.linalg.qr(a, mode="r")
        return r * jnp.where(jnp.diagonal(r) < 0, -1.0, 1.0)[:, None]
    r = []
    for j in range(n):
        size = jnp.sqrt((a[:, 0] ** 2).sum())
        along = a[:, 0] / jnp.where(size > 0, size, 1.0)
        row = (along[:, None] * a).sum(0).at[0].set(size)
        r.append(jnp.concatenate([jnp.zeros(j, a.dtype), row]))
        a = a[:, 1:] - along[:, None] * row[None, 1:]
    return jnp.stack(r)


def root_of(covariance: jax.Array) -> jax.Array:
    """A root of a covariance that may be singular, exact in small entries of one of many sizes; NaN where it is none."""
    size = jnp.sqrt(jnp.diagonal(covariance, axis1=-2, axis2=-1))
    unit = jnp.where(size > 0, size, 1.0)
    values, vectors = jnp.linalg.eigh(covariance / (unit[..., :, None] * unit[..., None, :]))
    values = jnp.where(values < -_ROUNDING * covariance.shape[-1], jnp.nan, jnp.maximum(values, 0.0))
    return jnp.sqrt(values)[..., :, None] * jnp.swapaxes(vectors, -1, -2) * unit[..., None, :]
