"""The log-likelihood of a family, with gradient and Hessian, from blocks of data or from sufficient statistics."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from suffice.distributions.exponential import log_base_measure
from suffice.distributions.family import Family
from suffice.distributions.generic import log_interval, log_mass, own
from suffice.distributions.statistics import Expansion, Sufficient
from suffice.numerics import linalg
from suffice.numerics.moments import namespace
from suffice.numerics.newton import second_order
from suffice.numerics.quadrature import unit_legendre
from suffice.runtime.blocks import SMALL, Block, Wide

_LARGEST_ERROR = 1e-11  # of a log-likelihood by quadrature, relative to it

# On few values the machine code matters less than the time it takes to make it.
QUICKLY_COMPILED: Any = {"xla_backend_optimization_level": 0}


def log_likelihoods(p: Any, columns: tuple[jax.Array, ...], exact: bool = False) -> jax.Array:
    """Log-likelihood of each observation: a value, or an interval when there are two columns."""
    if p.event_ndim:
        return p._ranked(1, columns[0].dtype)._log_prob(columns[0])
    if len(columns) == 1:
        return p._log_prob(columns[0].astype(float))
    return log_mass(p, *columns) if exact else log_masses(p, *columns)


_NODES, _WEIGHTS = (np.asarray(v) for v in unit_legendre(24))


def log_masses(p: Any, lower: Float[Array, " n"], upper: Float[Array, " n"]) -> Float[Array, " n"]:
    """log P(lower < X < upper) of short intervals, by Gauss–Legendre quadrature of the density with 24 nodes.

    For intervals no longer than a few times the scale of the density, as roundings are. It compiles and differentiates
    like the density itself, where a difference of distribution functions would cost ten times as much of both.
    Intervals that touch the end of the support are integrated in the fourth root of the distance from it, so that a
    density that is infinite or vanishes there is integrated as well. A density with a kink is left to its distribution
    function.
    """
    if own(p, "_from_sides") is not None:
        return log_interval(p, lower, upper)
    at, log_weight, _ = _nodes(p._support(), lower, upper)
    return jax.nn.logsumexp(p._log_prob(at) + log_weight, axis=-1)


def _nodes(
    support: Any, lower: Float[Array, " n"], upper: Float[Array, " n"]
) -> tuple[Float[Array, "n k"], Float[Array, "n k"], Bool[Array, " n"]]:
    """Points inside the part of each interval that lies in the support, the logarithms of their weights, and whether
    the interval touches its end."""
    start = jnp.maximum(lower, support.lower)
    length = jnp.minimum(upper, support.upper) - start
    touches = start <= support.lower
    share = jnp.where(touches[:, None], _NODES**4, _NODES)
    weight = jnp.where(touches[:, None], 4.0 * _NODES**3 * _WEIGHTS, _WEIGHTS)
    inside = (length > 0)[:, None]
    at = jnp.where(inside, start[:, None] + length[:, None] * share, support.interior())
    return at, jnp.where(inside, jnp.log(jnp.where(inside, length[:, None] * weight, 1.0)), -jnp.inf), touches


# the two highest Legendre coefficients that the nodes can tell, relative to the lowest, from shares of the integral
_HIGHEST = np.stack([(2 * k + 1) * np.polynomial.legendre.Legendre.basis(k)(2.0 * _NODES - 1.0) for k in (22, 23)], 1)


def _quadrature_error(share: Float[Array, "n k"], touches: Bool[Array, " n"]) -> Float[Array, " n"]:
    """Error of each logarithm of a mass from the share of each node in it.

    Legendre coefficients of a smooth density fall like ρ⁻ᵏ and the error of Gauss's rule like ρ⁻⁴⁸: like the square of
    the last. Where an interval touches the end of the support they may fall more slowly: there the last itself is told.
    """
    last = jnp.max(jnp.abs(share @ _HIGHEST), axis=-1)
    return jnp.where(touches, last, last**2)


def expand(
    family: Family,
    v: Float[Array, " d"],
    columns: tuple[jax.Array, ...],
    weights: Float[Array, " n"],
    exact: bool = False,
) -> tuple[Float[Array, ""], Float[Array, " d"], Float[Array, "d d"], Float[Array, ""]]:
    """Log-likelihood at an unconstrained point, gradient, Hessian, and how far quadrature may have put the value off.

    ``exact`` takes intervals from the distribution function, which compiles more slowly than quadrature by far.
    """
    if len(columns) == 2 and not exact and own(family.member, "_from_sides") is None:
        return _expand_masses(family, v, *columns, weights)
    value = second_order(lambda v: weights @ log_likelihoods(family.build(v), columns, exact), v)
    return *value, jnp.zeros(())


def _expand(family: Family, v: jax.Array, block: Block, exact: bool) -> tuple[tuple[jax.Array, ...], jax.Array]:
    """What adds up over blocks, count and expansion; and the Jacobian of what is reported."""
    columns, weights = block
    weights = jnp.ones(columns[0].shape[0]) if weights is None else weights
    exact = exact or isinstance(block, Wide)
    count = jnp.maximum(weights, 0.0).sum()
    return (count, *expand(family, v, columns, weights, exact)), reported_jacobian(family, v)


def _expand_masses(
    family: Family,
    v: Float[Array, " d"],
    lower: Float[Array, " n"],
    upper: Float[Array, " n"],
    weights: Float[Array, " n"],
) -> tuple[Float[Array, ""], Float[Array, " d"], Float[Array, "d d"], Float[Array, ""]]:
    """Expansion of Σ w log ∫ p by that of log p at the nodes: only the density is differentiated.

    With r the share of a node in its interval, l' and l'' the derivatives of log p there: the gradient of log ∫ p is
    Σ r l', its Hessian Σ r (l'' + l' l'ᵀ) − (Σ r l')(Σ r l')ᵀ.
    """
    at, log_weight, touches = _nodes(family.build(v)._support(), lower, upper)
    value, score, curvature = second_order(lambda v: family.build(v)._log_prob(at), v)
    masses = jax.nn.logsumexp(value + log_weight, axis=-1)
    share = jnp.exp(value + log_weight - masses[:, None])
    error = weights @ _quadrature_error(share, touches)
    mean_score = jnp.einsum("nk,nkd->nd", share, score)
    share = share * weights[:, None]
    hessian = (
        jnp.einsum("nk,nkde->de", share, curvature)
        + jnp.einsum("nk,nkd,nke->de", share, score, score)
        - jnp.einsum("n,nd,ne->de", weights, mean_score, mean_score)
    )
    return weights @ masses, weights @ mean_score, hessian, error


_expand_large = jax.jit(_expand, static_argnames="exact")
_expand_small = jax.jit(_expand, static_argnames="exact", compiler_options=QUICKLY_COMPILED)


def expansions(
    families: Sequence[Family],
    points: Sequence[np.ndarray],
    data: Iterable[Block],
    share: Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]] = map,
) -> list[Expansion]:
    """Log-likelihood, gradient and Hessian of each family at its unconstrained point, summed over blocks.

    All are set to work before any is waited for. ``share`` is how they are started: ``map``, or that of a pool of
    threads, which halves the time compilation takes. Intervals in which quadrature of the density is not enough, as
    where it rises to infinity or is much narrower than they are, are taken from the distribution function.
    """
    blocks = list(data)

    def begin(i: int, exact: bool = False) -> list[Any]:
        return [
            (_expand_small if block.columns[0].size <= SMALL else _expand_large)(families[i], points[i], block, exact)
            for block in blocks
        ]

    found = jax.device_get(list(share(begin, range(len(families)))))
    rough = [i for i, parts in enumerate(found) if not _is_accurate(parts)]
    for i, parts in zip(rough, share(lambda i: begin(i, True), rough), strict=True):
        found[i] = jax.device_get(parts)
    return [
        Expansion(f, v, *_add_up([sums for sums, _ in parts])[:-1], jacobian=parts[0][1])
        for f, v, parts in zip(families, points, found, strict=True)
    ]


def _is_accurate(parts: list[Any]) -> bool:
    _, value, *_, error = _add_up([sums for sums, _ in parts])
    return not error > _LARGEST_ERROR * (abs(value) + 1.0)


def _add_up(parts: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """The sum of tuples, pairwise, so that rounding does not grow with the number of blocks."""
    while len(parts) > 1:
        pairs = [parts[i : i + 2] for i in range(0, len(parts), 2)]
        parts = [tuple(sum(terms) for terms in zip(*pair, strict=True)) for pair in pairs]
    return parts[0]


def expansion(family: Family, v: Float[np.ndarray, " d"], data: Iterable[Block]) -> Expansion:
    """Log-likelihood, gradient and Hessian at the unconstrained point ``v``, summed over blocks."""
    return expansions([family], [v], data)[0]


def log_likelihood(p: Any, data: Iterable[Block]) -> jax.Array:
    """Log-likelihood of one distribution, summed over blocks."""
    return sum((_log_likelihood(p, block) for block in data), jnp.zeros(()))


@jax.jit
def _log_likelihood(p: Any, block: Block) -> jax.Array:
    values = log_likelihoods(p, block.columns, exact=True)
    return values.sum() if block.weights is None else block.weights @ values


def mean_log_likelihood(p: Any, s: Sufficient) -> jax.Array:
    """Mean log-likelihood of a sample known by its sufficient statistic.

    The log-density is affine in (y, phi(y)) with slope eta_phi for phi, up to the base measure. So its mean is its
    value at the mean coordinate plus slope times Jensen gap: no large numbers cancel.
    """
    hook = own(p, "_mean_log_prob")
    if hook is not None:
        return hook(s)
    x = p._from_coordinate(s.mean)
    value = p._log_prob(x)
    if own(p, "_log_base_measure") is not None:
        value = value - log_base_measure(p, x) + s.log_base
    slope = own(p, "_slope")
    return value if slope is None else value + slope() * s.gap


def reported_jacobian(family: Family, v: Float[Array, " d"]) -> Float[Array, "p d"]:
    """Derivatives of the reported parameters in the unconstrained ones."""
    return jax.jacfwd(lambda v: family.report(family.build(v)))(v)


def covariance(
    jacobian: Float[Array | np.ndarray, "p d"], hessian: Float[Array | np.ndarray, "d d"]
) -> Float[Array | np.ndarray, "p p"]:
    """Covariance of the reported parameters from the Hessian of the log-likelihood at its maximum: J (−H)⁻¹ J'.

    NaN where the Hessian is not negative definite.
    """
    return jacobian @ inverse(-hessian) @ jacobian.T


def inverse(m: Float[Array | np.ndarray, "d d"]) -> Float[Array | np.ndarray, "d d"]:
    """Inverse of a small symmetric positive definite matrix, scaled to unit diagonal first; NaN if it is not."""
    xp = namespace(m)
    size = xp.diagonal(m)
    unit = 1.0 / xp.sqrt(xp.where(size > 0, size, 1.0))
    curvature, directions = linalg.eigh(m * xp.outer(unit, unit))
    half = xp.outer(unit, 1.0 / xp.sqrt(xp.where(curvature > 0, curvature, xp.nan))) * directions
    return half @ half.T
