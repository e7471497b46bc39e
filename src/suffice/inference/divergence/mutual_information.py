"""Mutual information I(X; Y): of a joint table, of a normal vector in two parts, of samples by nearest neighbours."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.multivariate_normal import MultivariateNormal
from suffice.numerics import linalg
from suffice.numerics.checks import first_offender
from suffice.numerics.estimate import CLOSED_FORM, Estimate
from suffice.numerics.special.gamma import digamma
from suffice.runtime.errors import DataError
from suffice.runtime.rng import RNG, as_key

_PARTS = 10  # of a sample, whose estimates tell how the whole one varies
_ROUNDS = 5  # random ways to cut it


def mutual_information(
    joint: Any,
    other: Any = None,
    *,
    parts: tuple[Sequence[int], Sequence[int]] | None = None,
    neighbours: int = 3,
    rng: RNG = 0,
) -> Estimate:
    """Mutual information I(X; Y) = KL(p(x, y) ‖ p(x) p(y)) >= 0, in nats.

    Of a table of probabilities the sum itself; of a table of counts that of their shares, which overstates by about
    (rows − 1)(columns − 1)/(2n); of a normal vector ½ log(|Σ_xx| |Σ_yy|/|Σ|); of two samples seen together Kraskov,
    Stögbauer and Grassberger's first estimate ψ(k) + ψ(n) − mean(ψ(n_x + 1) + ψ(n_y + 1)), with k nearest neighbours in the maximum norm.
    Its error is found from tenths of the sample; a bias, small for smooth densities, comes on top of it.

    Args:
        joint: a table (rows, columns), a ``MultivariateNormal``, or the sample of X, (n,) or (n, d).
        other: the sample of Y, (n,) or (n, d), in the same order.
        parts: indices of X and of Y in a normal vector.
        neighbours: k, >= 1, less than a tenth of n.
        rng: how a sample is cut: int, NumPy generator or JAX key.

    Returns:
        An ``Estimate``.

    Raises:
        ValueError: a table with negative entries or without any, parts that overlap. DataError: samples that do not fit,
            or in which neighbours coincide.

    Source: Kraskov, Stögbauer and Grassberger (2004), equation 8; Holmes and Nemenman (2019) for the error.

    Example:
        >>> import suffice as sf
        >>> sf.mutual_information([[0.5, 0.0], [0.0, 0.5]])
        Estimate(0.693147, closed form)
        >>> p = sf.MultivariateNormal([0.0, 0.0], [[1.0, 0.6], [0.6, 1.0]])
        >>> sf.mutual_information(p, parts=([0], [1]))
        Estimate(0.223144, closed form)
    """
    if isinstance(joint, MultivariateNormal):
        if parts is None:
            raise ValueError("parts must be given for a normal vector: the indices of X and of Y")
        value = _of_normal(joint, *parts)
        return Estimate(value, jnp.zeros_like(value), CLOSED_FORM)
    return _of_table(joint) if other is None else _of_samples(joint, other, neighbours, rng)


def _of_normal(p: MultivariateNormal, x: Sequence[int], y: Sequence[int]) -> jax.Array:
    """−½ Σ log(1 − ρ²) over the canonical correlations ρ, the singular values of L_xx⁻¹ Σ_xy L_yy⁻ᵀ."""
    first, second = np.atleast_1d(x).tolist(), np.atleast_1d(y).tolist()
    if set(first) & set(second):
        raise ValueError(f"parts must not overlap, got {first} and {second}")
    both = p.marginal([*first, *second])
    n = len(first)
    root = both.scale_tril
    below, last = root[..., n:, :n], root[..., n:, n:]
    # |Σ_yy| / |Σ_yy given x| with Σ_yy = B Bᵀ + C Cᵀ: log |1 + (C⁻¹B)(C⁻¹B)ᵀ|
    ratio = jnp.linalg.svd(linalg.solve(last, below), compute_uv=False)
    return 0.5 * jnp.log1p(ratio**2).sum(-1)


def _of_table(joint: Any) -> Estimate:
    table = np.asarray(joint, float)
    if table.ndim != 2 or not table.size:
        raise ValueError(f"joint must be a table of two axes, got shape {table.shape}")
    inside = (table >= 0.0) & np.isfinite(table)
    if not inside.all():
        raise ValueError(f"joint must hold numbers >= 0, got {first_offender(inside, table)}")
    n = table.sum()
    if n == 0.0:
        raise ValueError("joint must have an entry above 0")
    shares = table / n
    expected = shares.sum(1, keepdims=True) * shares.sum(0, keepdims=True)
    seen = shares > 0.0
    logs = np.log(np.where(seen, shares / np.where(seen, expected, 1.0), 1.0))
    value = float(max((shares * logs).sum(), 0.0))
    if abs(n - 1.0) < 1e-9:
        return Estimate(value, 0.0, CLOSED_FORM)
    if np.any(table != np.floor(table)):
        raise ValueError(f"joint must hold counts, or probabilities that sum to 1; they sum to {n:g}")
    error = np.sqrt(max((shares * logs**2).sum() - value**2, 0.0) / n)
    return Estimate(value, float(error), "shares of counts")


def _of_samples(x: Any, y: Any, k: int, rng: RNG) -> Estimate:
    a, b = _columns(x, "joint"), _columns(y, "other")
    n = len(a)
    if len(b) != n:
        raise DataError(f"samples seen together must be equally long, got {n} and {len(b)}")
    if not 1 <= k < n / _PARTS:
        raise DataError(f"neighbours must be from 1 to below a tenth of the {n} observations, got {k}")
    value = _nearest(a, b, k)
    draw = np.random.default_rng(np.asarray(jax.random.key_data(as_key(rng))).ravel())
    variances = []
    for _ in range(_ROUNDS):
        cut = np.array_split(draw.permutation(n), _PARTS)
        variances.append(np.var([_nearest(a[i], b[i], k) for i in cut], ddof=1))
    return Estimate(value, float(np.sqrt(np.mean(variances) / _PARTS)), f"{k} nearest neighbours")


def _columns(sample: Any, name: str) -> np.ndarray:
    x = np.asarray(sample)
    if x.dtype.kind not in "biuf" or x.ndim not in (1, 2) or not np.all(np.isfinite(x)):
        raise DataError(f"{name} must be a sample of finite numbers, (n,) or (n, d), got {x.dtype} {x.shape}")
    return x.reshape(len(x), -1).astype(float)


def _nearest(x: np.ndarray, y: np.ndarray, k: int) -> float:
    from scipy.spatial import KDTree

    n = len(x)
    reach = KDTree(np.hstack([x, y])).query(np.hstack([x, y]), k + 1, p=np.inf)[0][:, -1]
    if np.any(reach == 0.0):
        raise DataError(
            f"{np.sum(reach == 0.0)} observations coincide with {k} others: nearest neighbours are for densities"
        )
    within = np.nextafter(reach, 0.0)  # nearer than the k-th neighbour; the point itself is counted, too
    counts = [KDTree(v).query_ball_point(v, within, p=np.inf, return_length=True) for v in (x, y)]
    psi = np.asarray(digamma(np.arange(1.0, n + 1.0)))
    return float(psi[k - 1] + psi[n - 1] - sum(psi[c - 1].mean() for c in counts))
