"""Kullback–Leibler divergences of distributions of vectors and matrices."""

from typing import Any

import jax
import jax.numpy as jnp

from suffice.distributions.dirichlet import Dirichlet
from suffice.distributions.matrix_normal import MatrixNormal
from suffice.distributions.multivariate_normal import MultivariateNormal
from suffice.distributions.wishart import InverseWishart, Wishart
from suffice.inference.divergence.kl_numbers import dirichlet_gap
from suffice.inference.divergence.pairs import kl_of
from suffice.numerics import linalg
from suffice.numerics.special.convexity import log_gamma_gap, log_quotient, square_gap


def _diagonal(x: jax.Array) -> jax.Array:
    return jnp.diagonal(x, axis1=-2, axis2=-1)


def _whitened(a: jax.Array, b: jax.Array) -> jax.Array:
    """B⁻¹ (A − B) of triangular factors."""
    a, b = jnp.broadcast_arrays(a, b)
    return linalg.solve(b, a - b)


def covariance_gap(a: jax.Array, b: jax.Array) -> jax.Array:
    """tr (B Bᵀ)⁻¹A Aᵀ − d − log det (B Bᵀ)⁻¹A Aᵀ of triangular factors, a sum of terms >= 0."""
    step = _whitened(a, b)
    below = jnp.tril(step, -1)
    return square_gap(_diagonal(a) / _diagonal(b), _diagonal(step)).sum(-1) + (below**2).sum((-2, -1))


@kl_of(MultivariateNormal, MultivariateNormal)
def multivariate_normal(p: Any, q: Any) -> jax.Array:
    """½ (tr Σ_q⁻¹Σ_p − d − log det Σ_q⁻¹Σ_p) + ½ (μ_p − μ_q)ᵀ Σ_q⁻¹ (μ_p − μ_q)."""
    step = linalg.whiten(q.scale_tril, p.loc - q.loc)
    return 0.5 * (covariance_gap(p.scale_tril, q.scale_tril) + (step**2).sum(-1))


@kl_of(MatrixNormal, MatrixNormal)
def matrix_normal(p: Any, q: Any) -> jax.Array:
    """That of normal vectors with covariance V ⊗ U."""
    factors = [(getattr(p, v), getattr(q, v)) for v in ("row_tril", "column_tril")]
    rows, columns = (_whitened(a, b) for a, b in factors)
    n, m = rows.shape[-1], columns.shape[-1]
    u, v = (_diagonal(a) / _diagonal(b) for a, b in factors)
    i, j = _diagonal(rows)[..., :, None], _diagonal(columns)[..., None, :]
    along = i + j + i * j
    whole_rows, whole_columns = ((jnp.tril(v, -1) ** 2).sum((-2, -1)) for v in (rows, columns))
    square_rows, square_columns = (w**2 for w in (u, v))
    below = whole_rows * (square_columns.sum(-1) + whole_columns) + square_rows.sum(-1) * whole_columns
    half = linalg.solve(q.row_tril, jnp.broadcast_to(p.loc - q.loc, (*below.shape, n, m)))
    step = linalg.solve(q.column_tril, jnp.swapaxes(half, -1, -2))
    whole = square_gap(u[..., :, None] * v[..., None, :], along).sum((-2, -1))
    return 0.5 * (whole + below + (step**2).sum((-2, -1)))


@kl_of(Dirichlet, Dirichlet)
def dirichlet(p: Any, q: Any) -> jax.Array:
    return dirichlet_gap(p.concentration, q.concentration)


def _wishart(p: Any, q: Any, upper: jax.Array, lower: jax.Array) -> jax.Array:
    """½ df_p (tr M − d − log det M) − ½ (df_q − df_p) log det M + the gap of log Γ_d, M the ratio of the scales."""
    log_det = 2.0 * log_quotient(_diagonal(upper), _diagonal(lower)).sum(-1)
    first, last = (0.5 * (v.df[..., None] - v._steps) for v in (p, q))
    step = 0.5 * (q.df - p.df)
    gap = log_gamma_gap(first, last, step[..., None] + jnp.zeros_like(first + last))
    return 0.5 * p.df * covariance_gap(upper, lower) - step * log_det + gap.sum(-1)


@kl_of(Wishart, Wishart)
def wishart(p: Any, q: Any) -> jax.Array:
    return _wishart(p, q, p.scale_tril, q.scale_tril)


@kl_of(InverseWishart, InverseWishart)
def inverse_wishart(p: Any, q: Any) -> jax.Array:
    """That of the inverses, Wishart with the inverse scales."""
    return _wishart(p, q, q.scale_tril, p.scale_tril)
