"""Moments, L-moments and quantiles of the family, set equal to those of the sample."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.family import Family
from suffice.inference.methods.solve import Method
from suffice.numerics.quadrature import half_unit_nodes

MOST = 4  # moments or L-moments that are matched
_AWAY = (0.3, 2.3, -1.7)  # steps from the prototype of a family to points where nothing vanishes by symmetry
_DEPENDENT = 1e-6


# -- moments ---------------------------------------------------------------------------------------------------------


def _moments_of(p: Any, which: Sequence[int]) -> jax.Array:
    """Mean, logarithm of the variance, skewness and kurtosis: those of ``which``."""
    ways = (p.mean, lambda: jnp.log(p.variance()), p.skewness, p.kurtosis)
    return jnp.stack([ways[i]() for i in which])


def _sample_moments(x: jax.Array, w: jax.Array) -> jax.Array:
    """The same of a sample, with divisor n."""
    mean = w @ x / w.sum()
    variance = w @ (x - mean) ** 2 / w.sum()
    z = (x - mean) / jnp.sqrt(variance)
    return jnp.stack([mean, jnp.log(variance), w @ z**3 / w.sum(), w @ z**4 / w.sum() - 3.0])


def _moment_equations(p: Any, x: jax.Array, w: jax.Array, *which: int) -> jax.Array:
    sample = _sample_moments(x, w)
    unit = jnp.ones(MOST).at[0].set(jnp.exp(jax.lax.stop_gradient(sample[1]) / 2.0))
    return (_moments_of(p, which) - sample[np.array(which)]) / unit[np.array(which)]


# -- L-moments -------------------------------------------------------------------------------------------------------

# P*_k(u), the Legendre polynomials shifted to (0, 1), by their coefficients of 1, u, u², u³
_SHIFTED = np.array([[1, 0, 0, 0], [-1, 2, 0, 0], [1, -6, 6, 0], [-1, 12, -30, 20]], float)


def l_moments(p: Any) -> jax.Array:
    """λ_r = ∫₀¹ F⁻¹(u) P*_{r−1}(u) du for r = 1 … 4, by quadrature over quantiles (Hosking 1990)."""
    u, weights = half_unit_nodes()
    lower = np.vander(u, MOST, increasing=True) @ _SHIFTED.T * weights[:, None]
    upper = lower * (-1.0) ** np.arange(MOST)  # P*_k(1 − u) = (−1)ᵏ P*_k(u)
    return p.icdf(jnp.asarray(u)) @ lower + p.isf(jnp.asarray(u)) @ upper


def sample_l_moments(x: jax.Array, w: jax.Array) -> jax.Array:
    """Unbiased estimates of the first four L-moments from a sorted sample with frequencies (Hosking 1990, equation 3.1).

    b_k = Σ_j C(j − 1, k) x_(j) / (n C(n − 1, k)); the sum of C(j − 1, k) over the places that a value of frequency w
    takes is a difference of C(·, k + 1).
    """
    ends = jnp.cumsum(w)
    starts = jnp.concatenate([jnp.zeros(1), ends[:-1]])

    def falling(m: jax.Array, k: int) -> jax.Array:
        """m (m − 1) … (m − k)."""
        return jnp.prod(jnp.stack([m - i for i in range(k + 1)]), axis=0)

    n = ends[-1]
    whole = [
        falling(n, k) for k in range(MOST)
    ]  # 0 where there are too few values for a moment: nobody asks for it then
    b = [
        x @ (falling(ends, k) - falling(starts, k)) / ((k + 1.0) * jnp.where(whole[k] > 0, whole[k], 1.0))
        for k in range(MOST)
    ]
    return jnp.asarray(_SHIFTED) @ jnp.stack(b)


def _ratios(moments: jax.Array) -> jax.Array:
    """λ₁, log λ₂, λ₃/λ₂, λ₄/λ₂."""
    mean, scale, third, fourth = moments
    return jnp.stack([mean, jnp.log(scale), third / scale, fourth / scale])


def _l_moment_equations(p: Any, x: jax.Array, w: jax.Array, *which: int) -> jax.Array:
    sample = sample_l_moments(x, w)
    unit = jnp.ones(MOST).at[0].set(jax.lax.stop_gradient(sample[1]))
    difference = _ratios(l_moments(p)) - _ratios(sample)
    return (difference / unit)[np.array(which)]


# -- quantiles -------------------------------------------------------------------------------------------------------


def sample_quantiles(x: jax.Array, w: jax.Array, levels: jax.Array) -> jax.Array:
    """Quantiles of a sorted sample by linear interpolation, x_(j) being that at (j − 1/2)/n (Hazen)."""
    ends = jnp.cumsum(w)
    half = jnp.minimum(w, 1.0) / 2.0  # a value of frequency w is w values in a row
    at = jnp.stack([ends - w + half, ends - half], 1).ravel()
    return jnp.interp(levels * ends[-1], at, jnp.repeat(x, 2))


def _quantile_equations(p: Any, x: jax.Array, w: jax.Array, *levels: float) -> jax.Array:
    """Their dependence on the frequencies, which interpolation hides, is (u − 1{x <= q})/(n p(q)) at the member itself."""
    at = jnp.asarray(levels)
    expected, sample = p.icdf(at), sample_quantiles(x, jax.lax.stop_gradient(w), at)
    density = jax.lax.stop_gradient(p.prob(expected))
    moves = (at[:, None] - (x[None, :] <= sample[:, None])) / (density[:, None] * jax.lax.stop_gradient(w.sum()))
    mean = w @ x / w.sum()
    unit = jax.lax.stop_gradient(jnp.sqrt(w @ (x - mean) ** 2 / w.sum()))
    return (expected - sample - moves @ (w - jax.lax.stop_gradient(w))) / unit


# -- which of them determine the parameters --------------------------------------------------------------------------


def moments(family: Family) -> Method:
    """The first of mean, variance, skewness, kurtosis that determine the parameters, as many as there are."""
    return Method("moments", _moment_equations, given=_determining(family, _moments_of))


def lmoments(family: Family) -> Method:
    """The first of the L-moments that determine the parameters, as many as there are."""
    return Method("lmoments", _l_moment_equations, given=_determining(family, _chosen_ratios))


def _chosen_ratios(p: Any, which: Sequence[int]) -> jax.Array:
    return _ratios(l_moments(p))[np.array(which)]


def quantiles(family: Family, levels: Sequence[float] | None) -> Method:
    """Quantiles at given levels, or at (j − 1/2)/k for k parameters, or one more where these do not determine them."""
    k = family.dimension
    if levels is None:
        choices = (tuple(((np.arange(m) + 0.5) / m).tolist()) for m in (k, k + 1, k + 2))
        levels = next((c for c in choices if len(_independent(family, _at_levels, c)) == k), None)
    else:
        levels = tuple(sorted(float(u) for u in levels))
        if not all(0.0 < u < 1.0 for u in levels) or len(set(levels)) < len(levels):
            raise ValueError(f"levels must differ and lie between 0 and 1, got {list(levels)}")
    if levels is None or len(levels) < k:
        raise ValueError(f"{family.name} has {k} parameters, which {len(levels or ())} quantiles do not determine")
    return Method("quantiles", _quantile_equations, given=levels)


def _at_levels(p: Any, levels: Sequence[float]) -> jax.Array:
    return p.icdf(jnp.asarray(levels))


def _determining(family: Family, summary: Callable[[Any, Sequence[int]], jax.Array]) -> tuple[int, ...]:
    """The first of four summaries that determine the parameters of a family."""
    k = family.dimension
    for which in (tuple(range(k)), tuple(range(MOST))):
        chosen = _independent(family, summary, which) if k <= MOST else ()
        if len(chosen) == k:
            return chosen
    raise ValueError(f"{family.name} has {k} parameters, which its first {MOST} moments do not determine")


def _independent(family: Family, summary: Callable[..., jax.Array], which: tuple[Any, ...]) -> tuple[Any, ...]:
    """Those of a row of summaries that are not functions of the ones before, near some member of the family."""
    for step in _AWAY:
        v = family.vector(family.member, np) + step * (1.0 + 0.1 * np.arange(family.dimension))
        slopes = np.asarray(_slopes(family, v, summary, which))
        chosen: list[int] = []
        for i in np.flatnonzero(np.isfinite(slopes).all(1)):
            rows = slopes[[*chosen, int(i)]]
            size = np.linalg.norm(rows, axis=1, keepdims=True)
            if np.all(size > 0) and np.linalg.svd(rows / size, compute_uv=False)[-1] > _DEPENDENT:
                chosen.append(int(i))
            if len(chosen) == family.dimension:
                return tuple(which[j] for j in chosen)
    return ()


@cache
def _compiled(summary: Callable[..., jax.Array], which: tuple[Any, ...]) -> Any:
    return jax.jit(lambda family, v: jax.jacfwd(lambda v: summary(family.build(v), which))(v))


def _slopes(family: Family, v: np.ndarray, summary: Callable[..., jax.Array], which: tuple[Any, ...]) -> jax.Array:
    with jax.ensure_compile_time_eval():  # also where data are traced: they have no part in it
        return _compiled(summary, which)(family, v)
