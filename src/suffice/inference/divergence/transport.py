"""Distances that know how far values are apart: Wasserstein's by quantile functions, energy by distribution functions."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.distributions.empirical import Empirical
from suffice.distributions.location_scale import LocationScale
from suffice.distributions.multivariate_normal import MultivariateNormal
from suffice.distributions.normal import Normal
from suffice.inference.divergence.integrals import in_double, over_batch, panel_sum
from suffice.inference.divergence.nodes import LADDER, NODES, crossings, ladder, line_panels
from suffice.inference.divergence.numerical import DRAWS, comparable, tail_shape
from suffice.inference.divergence.pairs import aligned, checked
from suffice.inference.testing import labellings
from suffice.numerics.checks import is_traced
from suffice.numerics.estimate import CLOSED_FORM, MONTE_CARLO, QUADRATURE, SUMMATION, Estimate
from suffice.runtime.errors import DataError
from suffice.runtime.rng import RNG, as_key

EXACT_ASSIGNMENT = "exact assignment"
_MOST_ASSIGNED = 5000
_MOST_ATOMS = 10**6
_NOTHING = 1e-18  # probability of each tail that is left out of a law of counts
_HALF_DEPTH = np.arange(0.0, 61.0, 0.5)  # of the panels of a quantile function; beyond, those of the ladder
_DEPTHS = np.concatenate([_HALF_DEPTH, LADDER[LADDER > 60.0]])


def wasserstein(p: Any, q: Any, order: int = 1) -> Estimate:
    """Wasserstein distance W_p = (inf E|X − Y|^p)^(1/p), rooted, in the unit of x, for p = 1 or 2.

    Of laws of numbers it is (∫₀¹ |F⁻¹(u) − G⁻¹(u)|^p du)^(1/p); of normal vectors W₂² = |μ − ν|² + tr(Σ + T − 2(Σ^½ T Σ^½)^½). Of
    samples of vectors the exact optimal assignment is found: it is the distance of the samples, and beyond one dimension it
    overstates that of the laws they come from.

    Args:
        p, q: distributions; or samples, (n,) or (n, d), the latter equally many.
        order: 1 or 2.

    Returns:
        An ``Estimate``; infinite where moments do not exist.

    Raises:
        ValueError: an order that is neither; distributions of vectors without closed form, for which an average over draws would be biased.
        DataError: samples of rows that are not equally many, or more than 5,000.

    Source: Villani (2009), chapter 6; Dowson and Landau (1982) for normal vectors.

    Example:
        >>> import suffice as sf
        >>> sf.wasserstein(sf.Normal(0.0, 1.0), sf.Normal(3.0, 5.0), 2)
        Estimate(5, closed form)
        >>> sf.wasserstein([0.0, 1.0, 3.0], [5.0, 6.0, 8.0])
        Estimate(5, summation)
    """
    if order not in (1, 2):
        raise ValueError(f"order must be 1 or 2, got {order!r}")
    p, q = _law_or_rows(p, "p"), _law_or_rows(q, "q")
    if isinstance(p, np.ndarray) or isinstance(q, np.ndarray):
        return _assigned(*_both_rows(p, q), order)
    comparable(p, q)
    if isinstance(p, MultivariateNormal) and isinstance(q, MultivariateNormal) and order == 2:
        return Estimate(value := _bures(p, q), jnp.zeros_like(value), CLOSED_FORM)
    if p.event_ndim:
        raise ValueError(
            f"W_{order} of {type(p).__name__} and {type(q).__name__} has no closed form, and that of draws overstates it; "
            "the distance of two samples: sf.wasserstein(p.sample(n, rng=0), q.sample(n, rng=1))"
        )
    if _same_shape(p, q) and (order == 2 or isinstance(p, Normal)):
        value = _location_scale(p, q, order)
        return Estimate(value, jnp.zeros_like(value), CLOSED_FORM)
    if p.discrete and q.discrete:
        return _of_masses(p, q, lambda x, u, y, v: _coupled(x, u, y, v, order))
    value, error = _by_quantiles(p, q, ladder(in_double(p)), ladder(in_double(q)), order)
    root = value if order == 1 else jnp.sqrt(value)
    error = error if order == 1 else error / (2.0 * jnp.where(root > 0.0, root, 1.0))
    return Estimate(root, jnp.where(jnp.isinf(root), 0.0, error), QUADRATURE)


def energy_distance(p: Any, q: Any, *, draws: int = DRAWS, rng: RNG = 0) -> Estimate:
    """Energy distance 2E|X − Y| − E|X − X'| − E|Y − Y'| >= 0, not rooted, in the unit of x; 2 ∫ (F − G)² for numbers.

    SciPy's ``energy_distance`` is its root; ``sf.two_sample(x, y, "energy")`` tests with it.

    Args:
        p, q: distributions; or samples, (n,) or (n, d).
        draws: from each of p and q, for laws of vectors.
        rng: int, NumPy generator or JAX key, for the same.

    Returns:
        An ``Estimate``.

    Raises:
        TypeError, ValueError: as for ``kl``. DataError: samples that do not fit.

    Source: Székely and Rizzo (2013).

    Example:
        >>> import suffice as sf
        >>> round(float(sf.energy_distance(sf.Uniform(0.0, 1.0), sf.Uniform(1.0, 2.0))), 9)  # 4/3
        1.333333333
        >>> sf.energy_distance([0.0, 1.0], [1.0, 2.0])
        Estimate(1, summation)
    """
    p, q = _law_or_rows(p, "p"), _law_or_rows(q, "q")
    if isinstance(p, np.ndarray) or isinstance(q, np.ndarray):
        x, y = _both_rows(p, q)
        labels = np.repeat([1, 0], [len(x), len(y)])[None]
        value = labellings.energy(labellings.distances_between(np.concatenate([x, y])))(labels)[0]
        return Estimate(float(value), 0.0, SUMMATION)
    comparable(p, q)
    if p.event_ndim:
        return _energy_of_draws(p, q, draws, rng)
    if p.discrete and q.discrete:
        return _of_masses(p, q, _squared_gap)
    value, error = _by_functions(p, q, ladder(in_double(p)), ladder(in_double(q)))
    return Estimate(value, error, QUADRATURE)


# -- what comes in ---------------------------------------------------------------------------------------------------


def _law_or_rows(value: Any, name: str) -> Any:
    """A distribution as it is, a sample of numbers as the law of its values, a sample of vectors as rows."""
    if isinstance(value, Distribution):
        return value
    x = np.asarray(value)
    if x.dtype.kind not in "biuf" or x.ndim not in (1, 2) or not x.size:
        raise DataError(f"{name} must be a distribution or a sample of shape (n,) or (n, d), got {x.dtype} {x.shape}")
    if not np.all(np.isfinite(x)):
        raise DataError(f"{name} has {np.sum(~np.isfinite(x))} missing or infinite values")
    return Empirical(x.astype(float)) if x.ndim == 1 else x.astype(float)


def _both_rows(p: Any, q: Any) -> tuple[np.ndarray, np.ndarray]:
    if not (isinstance(p, np.ndarray) and isinstance(q, np.ndarray) and p.shape[1] == q.shape[1]):
        told = [v.shape if isinstance(v, np.ndarray) else type(v).__name__ for v in (p, q)]
        raise DataError(f"a sample of rows is compared with one of as many columns, got {told[0]} and {told[1]}")
    return p, q


# -- samples and laws of counts --------------------------------------------------------------------------------------


def _assigned(x: np.ndarray, y: np.ndarray, order: int) -> Estimate:
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    if len(x) != len(y) or len(x) > _MOST_ASSIGNED:
        raise DataError(
            f"an exact assignment needs equally many rows, at most {_MOST_ASSIGNED:,}, got {len(x)} and {len(y)}"
        )
    cost = cdist(x, y) ** order
    rows, columns = linear_sum_assignment(cost)
    return Estimate(float(cost[rows, columns].mean() ** (1.0 / order)), 0.0, EXACT_ASSIGNMENT)


def _of_masses(p: Any, q: Any, distance: Any) -> Estimate:
    if p.batch_shape or q.batch_shape or is_traced(p, q):
        raise NotImplementedError("distances of laws of counts and of samples are for single distributions with values")
    (x, u), (y, v) = _masses(p), _masses(q)
    value = float(distance(x, u, y, v))
    samples = isinstance(p, Empirical) and isinstance(q, Empirical)
    return Estimate(value, 0.0 if samples else 1e-14 * value, SUMMATION)


def _masses(p: Any) -> tuple[np.ndarray, np.ndarray]:
    """Values and their probabilities, but for tails that do not matter."""
    if isinstance(p, Empirical):
        x = np.asarray(p.values, float)
    else:
        low, high = float(p.icdf(_NOTHING)), float(p.isf(_NOTHING))
        if not high - low < _MOST_ATOMS:
            raise ValueError(f"{type(p).__name__} has its probability on {high - low:.3g} integers, too many to add up")
        x = np.arange(low, high + 1.0)
    mass = np.asarray(p.prob(x), float)
    seen = mass > 0.0
    return x[seen], mass[seen] / mass[seen].sum()


def _coupled(x: np.ndarray, u: np.ndarray, y: np.ndarray, v: np.ndarray, order: int) -> float:
    """(E|X − Y|^order)^(1/order) of values in order, coupled at equal levels."""
    f, g = np.cumsum(u), np.cumsum(v)
    levels = np.sort(np.concatenate([f[:-1], g[:-1]]))
    shares = np.diff(levels, prepend=0.0, append=1.0)
    middle = np.concatenate([[0.0], levels]) + 0.5 * shares
    i, j = (np.minimum(np.searchsorted(c, middle), len(c) - 1) for c in (f, g))
    return float((shares @ np.abs(x[i] - y[j]) ** order) ** (1.0 / order))


def _squared_gap(x: np.ndarray, u: np.ndarray, y: np.ndarray, v: np.ndarray) -> float:
    """2 ∫ (F − G)²."""
    points = np.unique(np.concatenate([x, y]))
    f, g = (np.concatenate([[0.0], np.cumsum(m)])[np.searchsorted(a, points, "right")] for a, m in ((x, u), (y, v)))
    return float(2.0 * ((f - g)[:-1] ** 2 @ np.diff(points)))


# -- densities -------------------------------------------------------------------------------------------------------


def _same_shape(p: Any, q: Any) -> bool:
    """Whether two laws are one, moved and stretched, with a variance."""
    return type(p) is type(q) and (
        isinstance(p, Normal)
        or (isinstance(p, LocationScale) and set(p.field_names()) == {"loc", "scale"} and hasattr(p, "_variance"))
    )


def _location_scale(p: Any, q: Any, order: int) -> jax.Array:
    """W₂² = (E X − E Y)² + (σ_p − σ_q)²; W₁ of normals is E|N| of the difference, a normal as well."""
    p, q = aligned(p, q)
    if order == 2:
        unit = jnp.sqrt(p.variance()) / p.scale
        value = jnp.hypot(p.mean() - q.mean(), unit * (p.scale - q.scale))
        return checked(p, q, value)
    gap, spread = p.loc - q.loc, jnp.abs(p.scale - q.scale)
    some = spread > 0.0
    z = gap / jnp.where(some, spread, 1.0)
    folded = spread * np.sqrt(2.0 / np.pi) * jnp.exp(-0.5 * z * z) + gap * jax.scipy.special.erf(z / np.sqrt(2.0))
    return checked(p, q, jnp.where(some, folded, jnp.abs(gap)))


@jax.jit
def _bures(p: Any, q: Any) -> jax.Array:
    """|μ − ν|² + |A − B R|² with Cholesky factors A, B and the rotation R that brings them nearest: nothing cancels."""
    p, q = aligned(p, q)
    a, b = p.scale_tril, q.scale_tril
    u, _, v = jnp.linalg.svd(jnp.swapaxes(b, -1, -2) @ a)
    gap = a - b @ (u @ v)
    return checked(p, q, jnp.sqrt(((p.loc - q.loc) ** 2).sum(-1) + (gap**2).sum((-2, -1))))


@functools.partial(jax.jit, static_argnums=4)
def _by_quantiles(p: Any, q: Any, p_ladder: Any, q_ladder: Any, order: int) -> tuple[jax.Array, jax.Array]:
    """∫ |F⁻¹ − G⁻¹|^order, over the depth below the median and above it, panels cut where the two cross."""

    def single(p: Any, q: Any, p_ladder: jax.Array, q_ladder: jax.Array) -> tuple[jax.Array, jax.Array]:
        def gap(s: jax.Array) -> jax.Array:
            u = 0.5 * jnp.exp(-s)
            return jnp.stack([p.icdf(u[0]) - q.icdf(u[0]), p.isf(u[1]) - q.isf(u[1])])

        depths = jnp.asarray(_DEPTHS)
        both = jnp.broadcast_to(depths, (2, depths.size))
        if order == 1:
            cuts = [crossings(lambda s, i=i: gap(jnp.stack([s, s]))[i], depths) for i in range(2)]
            both = jnp.sort(jnp.concatenate([both, jnp.minimum(jnp.stack(cuts), depths[-1])], -1), -1)
        width = 0.5 * (both[:, 1:] - both[:, :-1])
        s = 0.5 * (both[:, 1:] + both[:, :-1])[..., None] + width[..., None] * jnp.asarray(NODES)[None, None]
        terms = jnp.abs(gap(s.reshape(2, -1))).reshape(s.shape) ** order * 0.5 * jnp.exp(-s) * width[..., None]
        value, error = panel_sum(terms.reshape(-1, NODES.size))
        tail = jnp.abs(p_ladder[:, -2:] - q_ladder[:, -2:]) ** order
        logs = jnp.log(tail)
        slope = (logs[:, 1] - logs[:, 0]) / (LADDER[-1] - LADDER[-2])
        diverges = (slope >= 1.0 - 1e-12) | ~jnp.isfinite(tail).all(1)
        some = jnp.isfinite(slope) & (slope < 1.0 - 1e-12)
        beyond = 0.5 * np.exp(-LADDER[-1]) * tail[:, 1] / (1.0 - jnp.where(some, slope, 0.0))  # as a power goes on
        rest = jnp.where(some, beyond, 0.0).sum()
        return jnp.where(diverges.any(), jnp.inf, value + rest), error + 1e-6 * rest

    return over_batch(single, p, q, (p_ladder, q_ladder), event_ndim=2)


@jax.jit
def _by_functions(p: Any, q: Any, p_ladder: Any, q_ladder: Any) -> tuple[jax.Array, jax.Array]:
    """2 ∫ (F − G)² over the line, in the tails by the other side's functions."""

    def single(p: Any, q: Any, p_ladder: jax.Array, q_ladder: jax.Array) -> tuple[jax.Array, jax.Array]:
        x, log_length = line_panels(p, q, p_ladder, q_ladder)
        left = x < p_ladder[0, 0]
        gap = jnp.where(left, p.cdf(x) - q.cdf(x), p.sf(x) - q.sf(x))
        terms = jnp.where(log_length > -jnp.inf, 2.0 * gap**2 * jnp.exp(log_length), 0.0)
        value, error = panel_sum(terms)
        rungs = jnp.stack([p_ladder, q_ladder])[..., -4:-2]  # (laws, sides, 2): deeper ones overflow
        apart = jnp.stack([p.cdf(rungs[:, 0]) - q.cdf(rungs[:, 0]), p.sf(rungs[:, 1]) - q.sf(rungs[:, 1])], axis=1)
        tail = 2.0 * jnp.log(jnp.abs(apart)) + jnp.log(jnp.abs(rungs))
        grows = jnp.isfinite(tail[..., 1]) & (tail[..., 1] >= tail[..., 0]) & (rungs[..., 1] != rungs[..., 0])
        diverges = grows.any()
        return jnp.where(diverges, jnp.inf, value), jnp.where(diverges, 0.0, error)

    return over_batch(single, p, q, (p_ladder, q_ladder), event_ndim=2)


def _energy_of_draws(p: Any, q: Any, draws: int, rng: RNG) -> Estimate:
    """Averages over independent pairs of draws."""
    batch = np.broadcast_shapes(p.batch_shape, q.batch_shape)
    if draws < 100:
        raise ValueError(f"draws must be >= 100, got {draws}")
    keys = jax.random.split(as_key(rng), 4)
    laws = (p, p, q, q)
    x, x2, y, y2 = (
        law.sample((draws, *batch[: len(batch) - len(law.batch_shape)]), rng=k)
        for law, k in zip(laws, keys, strict=True)
    )
    axes = tuple(range(-p.event_ndim, 0))
    length = lambda v: jnp.sqrt((v**2).sum(axes))  # noqa: E731
    terms = length(x - y) + length(x2 - y2) - length(x - x2) - length(y - y2)
    value, error = terms.mean(0), terms.std(0, ddof=1) / np.sqrt(draws)
    return Estimate(value, error, MONTE_CARLO, None if is_traced(terms) else tail_shape(terms))
