"""The distribution of largest entropy with given moments: a member of the exponential family of the statistic."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.empirical import Empirical
from suffice.distributions.from_density import from_density
from suffice.numerics import newton
from suffice.numerics.quadrature import unit_legendre

_SCALES = [10.0**k for k in sorted(range(-6, 7), key=lambda k: (abs(k), -k))]
_REACH = (2.5, 5.0, 10.0, 20.0, 40.0)  # of the grid on an infinite line, x = unit · sinh(y)
_POINTS = 4000
_NOTHING = 1e-10  # share of the law at the end of a grid
_EXACT = 1e-10  # of moments, in standard deviations of their statistics
_RULE = unit_legendre(16)


@dataclass(frozen=True)
class MaxEntropy:
    """The law of largest entropy under moment constraints, p(x) = exp(η · T(x) − A(η)).

    Attributes:
        distribution: the law itself.
        natural: η, the Lagrange multipliers, (k,).
        log_partition: A(η).
        entropy: A(η) − η · moments, in nats; on an interval differential.
        converged: whether Newton's method found moments that agree with those asked for.
        message: what happened.
    """

    distribution: Any
    natural: np.ndarray
    log_partition: float
    entropy: float
    converged: bool
    message: str


def max_entropy(statistic: Callable[[jax.Array], Any], moments: Any, support: Any = (-np.inf, np.inf)) -> MaxEntropy:
    """The distribution of largest entropy among those with E[T(X)] = moments: minimise A(η) − η · moments.

    A(η) = log ∫ exp(η · T(x)) dx, or the sum over a finite support; its gradient is E[T], its Hessian the covariance of T, so
    that Newton's method finds η.

    Args:
        statistic: T, a function of a number that gives a number or a tuple of k, in JAX.
        moments: what E[T(X)] must be, a number or (k,).
        support: ends (lower, upper) of an interval, or an array of points for a discrete law.

    Returns:
        A ``MaxEntropy``. ``converged`` is False where no law has these moments, or none of largest entropy exists.

    Raises:
        ValueError: as many moments as statistics are needed, and a support with at least two points.

    Source: Jaynes (1957); Cover and Thomas (2006), chapter 12.

    Example:
        >>> import numpy as np, suffice as sf
        >>> die = sf.max_entropy(lambda x: x, 4.5, support=np.arange(1.0, 7.0))
        >>> [round(float(v), 4) for v in die.distribution.prob(np.arange(1.0, 7.0))]
        [0.0544, 0.0788, 0.1142, 0.1654, 0.2398, 0.3475]
    """
    target = np.atleast_1d(np.asarray(moments, float))
    if not np.all(np.isfinite(target)):
        raise ValueError(f"moments must be finite, got {target.tolist()}")
    if not isinstance(support, tuple) or len(support) != 2:
        x = np.asarray(support, float)
        if not np.all(np.isfinite(x)):
            raise ValueError(f"support must hold finite points, got {x[~np.isfinite(x)][0]:g}")
        if x.ndim != 1 or len(x) < 2:
            raise ValueError(f"support must be (lower, upper) or an array of at least two points, got shape {x.shape}")
        t = _stacked(statistic, x, target)
        eta, entropy, good = _solve(t, np.zeros(len(x)), target, np.zeros(target.size))
        logs = (t - target) @ eta
        return _told(Empirical(x, np.exp(logs - logs.max())) if good else None, eta, entropy, target)
    lower, upper = map(float, support)
    if not lower < upper:
        raise ValueError(f"support must have lower < upper, got ({lower:g}, {upper:g})")
    eta = _rough(statistic, lower, upper, target)
    if eta is None:
        return _told(None, np.full(target.size, np.nan), np.nan, target)
    centre = _peak(statistic, eta, lower, upper, target)
    law, entropy, good = None, np.nan, False
    for _ in range(4):  # the cells of a law are nodes for a better one
        try:
            law = from_density(_density(statistic, eta), lower, upper, centre=centre)
        except ValueError:  # it has no integral
            return _told(None, eta, np.nan, target)
        nodes, log_weights = _nodes_of(law)
        before = eta
        eta, entropy, good = _solve(_stacked(statistic, nodes, target), log_weights, target, eta)
        if np.all(np.abs(eta - before) <= 1e-13 * np.abs(eta)):
            break
    return _told(law if good else None, eta, entropy, target)


def _told(law: Any, eta: np.ndarray, entropy: float, target: np.ndarray) -> MaxEntropy:
    found = law is not None
    message = "converged" if found else "no law of largest entropy with these moments was found"
    return MaxEntropy(law, eta, float(entropy + eta @ target), float(entropy), found, message)


def _parts(statistic: Callable[[Any], Any], x: Any) -> tuple[Any, ...]:
    value = statistic(x)
    return value if isinstance(value, tuple) else (value,)


def _stacked(statistic: Callable[[Any], Any], x: np.ndarray, target: np.ndarray) -> np.ndarray:
    """T of many points, (n, k)."""
    parts = [np.broadcast_to(np.asarray(v, float), x.shape) for v in _parts(statistic, jnp.asarray(x))]
    if len(parts) != target.size:
        raise ValueError(f"moments must be as many as statistics, {len(parts)}, got {target.size}")
    return np.stack(parts, -1)


def _density(statistic: Callable[[Any], Any], eta: np.ndarray) -> Callable[[jax.Array], jax.Array]:
    def log_density(x: jax.Array) -> jax.Array:
        return sum((float(e) * v for e, v in zip(eta, _parts(statistic, x), strict=True)), start=0.0 * x)

    return log_density


def _log_sum(logs: np.ndarray) -> float:
    return float(logs.max() + np.log(np.exp(logs - logs.max()).sum()))


def _solve(
    t: np.ndarray, log_weights: np.ndarray, target: np.ndarray, eta: np.ndarray
) -> tuple[np.ndarray, float, bool]:
    """η with E[T] = target over weighted points by Newton's method, log ∫ exp(η · (T − target)), and whether it was found."""
    known = np.isfinite(t).all(1) & np.isfinite(log_weights)
    steps, log_weights = (t - target)[known], log_weights[known]
    state = newton.start(eta)
    with np.errstate(all="ignore"):
        while state.status == newton.RUNNING:
            logs = steps @ state.trial + log_weights
            share = _shares(logs)
            mean = share @ steps
            inner = steps - mean
            hessian = -(share[:, None] * inner).T @ inner
            state = newton.update(state, -_log_sum(logs), -mean, hessian, 1.0, lambda _: np.asarray(False))
        logs = steps @ state.point + log_weights
        share = _shares(logs)
        gap, spread = np.abs(share @ steps), np.sqrt(share @ steps**2)
    return np.asarray(state.point), _log_sum(logs), bool(np.all(gap <= _EXACT * spread) and np.all(spread > 0.0))


def _shares(logs: np.ndarray) -> np.ndarray:
    weights = np.exp(logs - logs.max())
    return weights / weights.sum()


def _grid(lower: float, upper: float, unit: float, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Points that are dense near ends and centre, and logarithms of the lengths they stand for."""
    y = np.linspace(-reach, reach, _POINTS)
    if np.isfinite(lower) and np.isfinite(upper):
        y = np.linspace(-35.0, 35.0, _POINTS)
        share = 1.0 / (1.0 + np.exp(-y))
        return lower + (upper - lower) * share, np.log(upper - lower) - 2.0 * np.logaddexp(0.0, y) + y
    if np.isfinite(lower) or np.isfinite(upper):
        x = unit * np.exp(np.linspace(-3.0 * reach, reach, _POINTS))
        return (lower + x if np.isfinite(lower) else upper - x), np.log(x)
    return unit * np.sinh(y), np.log(unit * np.cosh(y))


def _rough(statistic: Callable[[Any], Any], lower: float, upper: float, target: np.ndarray) -> np.ndarray | None:
    """η on a grid of some unit in which it can be found, followed as the grid reaches further."""
    endless = [np.isinf(lower), np.isinf(upper)]
    for unit in _SCALES:
        eta, leans = np.zeros(target.size), True
        for reach in _REACH:
            x, log_weights = _grid(lower, upper, unit, reach)
            t = _stacked(statistic, x, target)
            following, _, good = _solve(t, log_weights, target, eta)
            if not good:  # or, where a narrow law was found before, too coarse
                break
            eta, known = following, np.isfinite(t).all(1)
            ends = _shares(t[known] @ eta + log_weights[known])[np.argsort(x[known])[[0, -1]]]
            leans = bool(np.any((ends > _NOTHING) & endless))  # on an end of the grid that is none of the support
        if not leans:
            return eta
    return None


def _peak(statistic: Callable[[Any], Any], eta: np.ndarray, lower: float, upper: float, target: np.ndarray) -> float:
    """Where the density is highest on a grid."""
    grids = [_grid(lower, upper, unit, 5.0)[0] for unit in _SCALES]
    x = np.concatenate(grids)
    logs = _stacked(statistic, x, target) @ eta
    inside = (x > lower) & (x < upper)
    return float(x[np.argmax(np.where(inside & np.isfinite(logs), logs, -np.inf))])


def _nodes_of(law: Any) -> tuple[np.ndarray, np.ndarray]:
    edges = np.asarray(law.edges)
    width = np.diff(edges)[:, None]
    x, w = edges[:-1, None] + width * _RULE[0], width * _RULE[1]
    return x.ravel(), np.log(w).ravel()
