"""Ends of intervals from the likelihood: how far a quantity moves along the curve of constrained maxima.

For a quantity ψ(v) of the unconstrained parameters the points where ψ is highest (side +1) or lowest (−1) at a given
log-likelihood obey ∇l + t s ∇ψ = 0 with t > 0: the maxima of l under ψ = c, one for each t. An end is where on this
curve a statistic reaches the normal quantile z:

    profile   √(2 (l̂ − l)) = z                        the signed root of the likelihood ratio
    score     t √(∇ψ' I⁻¹ ∇ψ) = z                      the score in ψ over its standard error

Both are solved with the curve at once, one evaluation of l, ∇l and ∇²l a step, in pure updates as in ``newton``: so one
search serves arrays, files and compiled code. Source: Venzon and Moolgavkar (1988), for a general ψ; Rao (1948).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.newton import CONVERGED, EXHAUSTED, RUNNING, UNBOUNDED

MOST_STEPS = 60
_LONGEST = 2.0  # step, in standard errors
_FAR = 60.0  # distance from the estimate, in standard errors, at which an end counts as open
_EXACT = 1e-10  # of the statistic, relative to its target


class Curve(NamedTuple):
    """Where the search for an end stands."""

    point: Any
    tilt: Any
    before: Any  # tilt and the wish for it, one step ago: how the score's information changes along the curve
    iterations: Any
    status: Any


class Target(NamedTuple):
    """What an end must reach: the statistic, seen from the estimate.

    Attributes:
        estimate: unconstrained, (d,).
        metric: the observed information there, (d, d).
        value: the log-likelihood there.
        side: +1 for an upper end, −1 for a lower.
        z: normal quantile.
    """

    estimate: Any
    metric: Any
    value: Any
    side: Any
    z: Any


def start(target: Target, slope: Any, xp: Any = np) -> Curve:
    """Wald's end: v̂ + z s Σ∇ψ/√(∇ψ'Σ∇ψ), with the tilt that the quadratic has there."""
    across = xp.linalg.solve(target.metric, slope)
    error = xp.sqrt(xp.sum(slope * across))
    point = target.estimate + target.side * target.z * across / error
    before = xp.asarray([xp.nan, xp.nan])
    return Curve(point, target.z / error, before, xp.asarray(0), xp.asarray(RUNNING))


def update(
    curve: Curve,
    target: Target,
    likelihood: tuple[Any, Any, Any],
    quantity: tuple[Any, Any, Any],
    information: Any,
    xp: Any = np,
) -> Curve:
    """Take in log-likelihood and ψ, each with gradient and Hessian, at ``curve.point`` and choose the next point.

    Args:
        information: for the score statistic, the information in v at this point; None for the profile.
    """
    (value, gradient, hessian), (_, slope, bend) = likelihood, quantity
    push, before = target.side * slope, curve.before
    k = hessian + curve.tilt * target.side * bend
    scale = 1.0 / xp.sqrt(xp.abs(xp.diagonal(target.metric)))
    curvature, directions = xp.linalg.eigh(-k * xp.outer(scale, scale))
    downwards = xp.maximum(xp.abs(curvature), 1e-8 * xp.max(xp.abs(curvature)) + 1e-300)

    def solve(b: Any) -> Any:
        """(−k)⁻¹ b, with every direction taken to curve downwards."""
        return scale * (directions @ ((directions.T @ (scale * b)) / downwards))

    back = solve(gradient + curve.tilt * push)  # to the curve
    along = solve(push)  # the way of the curve, per tilt
    if information is None:
        excess = target.value - value - target.z**2 / 2.0
        fall = -xp.sum(gradient * along)
        change = -(excess - xp.sum(gradient * back)) / xp.where(fall > 0, fall, xp.inf)
        change = xp.clip(change, -0.7 * curve.tilt, 2.0 * curve.tilt)
        reached = xp.abs(excess) <= _EXACT * (target.z**2 + xp.abs(target.value) * 1e-3)
    else:
        wish = target.z / xp.sqrt(xp.sum(slope * xp.linalg.solve(information, slope)))
        trend = (wish - curve.before[1]) / (curve.tilt - curve.before[0])
        trend = xp.clip(xp.where(xp.isfinite(trend), trend, -1.0), -5.0, 0.9)
        reached = xp.abs(wish - curve.tilt) <= 1e2 * _EXACT * curve.tilt
        change = xp.clip((wish - curve.tilt) / (1.0 - trend), -0.7 * curve.tilt, 2.0 * curve.tilt)
        before = xp.stack([curve.tilt, wish])
    step = back + change * along
    length = xp.sqrt(xp.abs(step @ target.metric @ step))
    share = xp.minimum(1.0, _LONGEST / xp.maximum(length, 1e-300))
    away = curve.point - target.estimate
    far = xp.abs(away @ target.metric @ away) > (_FAR * target.z) ** 2
    finite = xp.isfinite(length) & xp.isfinite(change)
    iterations = curve.iterations + 1
    done = reached & (length <= 1e-6 * target.z)
    status = xp.where(
        done,
        CONVERGED,
        xp.where(far, UNBOUNDED, xp.where((iterations >= MOST_STEPS) | ~finite, EXHAUSTED, RUNNING)),
    )
    point = xp.where(finite, curve.point + share * step, curve.point)
    return Curve(point, xp.where(finite, curve.tilt + share * change, curve.tilt), before, iterations, status)


def follow(
    target: Target,
    likelihood: Callable[[jax.Array], tuple[Any, Any, Any]],
    quantity: Callable[[jax.Array], tuple[Any, Any, Any]],
    information: Callable[[jax.Array], Any] | None = None,
) -> Curve:
    """The whole search inside compiled code."""

    def body(curve: Curve) -> Curve:
        at = curve.point
        info = None if information is None else information(at)
        return update(curve, target, likelihood(at), quantity(at), info, jnp)

    first = start(target, quantity(target.estimate)[1], jnp)
    return jax.lax.while_loop(lambda c: c.status == RUNNING, body, first)
