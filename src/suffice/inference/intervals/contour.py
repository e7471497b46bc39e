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
_FAR = 12.0  # distance from the estimate, in z standard errors, at which a direction counts as open
_EXACT = 1e-10  # of the statistic, relative to its target


class Curve(NamedTuple):
    """Where the search for an end stands.

    Attributes:
        point, tilt: v and t.
        origin, error: ψ at the estimate, and its standard error.
        before: ψ and the score statistic one step ago, from which the next step of the score learns how it grows.
    """

    point: Any
    tilt: Any
    origin: Any
    error: Any
    before: Any
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


def start(target: Target, quantity: tuple[Any, Any, Any], xp: Any = np) -> Curve:
    """Wald's end, v̂ + z s Σ∇ψ/√(∇ψ'Σ∇ψ), with the tilt that the quadratic has there, from ψ at the estimate."""
    value, slope, _ = quantity
    across = xp.linalg.solve(target.metric, slope)
    error = xp.sqrt(xp.sum(slope * across))
    point = target.estimate + target.side * target.z * across / error
    before = xp.stack([xp.asarray(value), xp.zeros_like(error)])
    return Curve(point, target.z / error, xp.asarray(value), error, before, xp.asarray(0), xp.asarray(RUNNING))


def update(
    curve: Curve,
    target: Target,
    likelihood: tuple[Any, Any, Any],
    quantity: tuple[Any, Any, Any],
    information: Any,
    xp: Any = np,
) -> Curve:
    """Take in log-likelihood and ψ, each with gradient and Hessian, at ``curve.point`` and choose the next point.

    Newton's step on the curve's equation bordered by a second one: for the profile that the log-likelihood has its
    value, for the score that ψ has the value at which the statistic, by the secant through the last two, reaches z.

    Args:
        information: for the score statistic, the information in v at this point; None for the profile.
    """
    (value, gradient, hessian), (psi, slope, bend) = likelihood, quantity
    push, before = target.side * slope, curve.before
    if information is None:
        across = gradient
        excess = target.value - target.z**2 / 2.0 - value
        missing = xp.abs(excess) / (target.z**2 + 1e-3 * xp.abs(target.value))
        reached = missing <= _EXACT
    else:
        across = slope
        statistic = curve.tilt * xp.sqrt(xp.sum(slope * xp.linalg.solve(information, slope)))
        growth = target.side * (statistic - before[1]) / (psi - before[0]) * curve.error  # 1 for a quadratic
        growth = xp.clip(xp.where(xp.isfinite(growth), growth, 1.0), 0.1, 10.0)
        excess = target.side * (target.z - statistic) * curve.error / growth
        before = xp.stack([psi, statistic])
        missing = xp.abs(target.z - statistic) / target.z
        reached = missing <= 1e2 * _EXACT
    curved = hessian + curve.tilt * target.side * bend
    unit = 1.0 / xp.sqrt(xp.abs(xp.diagonal(target.metric)))
    scale = xp.concatenate([unit, curve.tilt[None]])
    top = xp.concatenate([curved, push[:, None]], axis=1)
    bottom = xp.concatenate([across, xp.zeros(1)])
    size = 1.0 / xp.maximum(xp.sqrt(xp.sum((bottom * scale) ** 2)), 1e-300)
    bordered = xp.concatenate([top * unit[:, None], bottom[None] * size], axis=0) * scale[None, :]
    wanted = xp.concatenate([-(gradient + curve.tilt * push) * unit, excess[None] * size])
    move = scale * xp.linalg.solve(bordered, wanted)
    step, change = move[:-1], move[-1]
    length = xp.sqrt(xp.abs(step @ target.metric @ step))
    share = xp.minimum(1.0, _LONGEST / xp.maximum(length, 1e-300))
    away = curve.point - target.estimate
    far = xp.abs(away @ target.metric @ away) > (_FAR * target.z) ** 2
    open_end = xp.abs(psi - curve.origin) > 0.5 * _FAR * target.z * curve.error
    finite = xp.isfinite(length) & xp.isfinite(change)
    iterations = curve.iterations + 1
    settled = (length <= 1e-6 * target.z) & (xp.abs(change) <= 1e-6 * curve.tilt)
    # where other parameters run to a limit of the family the end is that of the limit
    done = reached & settled | far & ~open_end & (missing <= 1e-7)
    status = xp.where(
        done,
        CONVERGED,
        xp.where(
            far & open_end,
            UNBOUNDED,
            xp.where((iterations >= MOST_STEPS) | ~finite | far, EXHAUSTED, RUNNING),
        ),
    )
    point = xp.where(finite, curve.point + share * step, curve.point)
    tilt = xp.where(finite, xp.clip(curve.tilt + share * change, 0.2 * curve.tilt, 5.0 * curve.tilt), curve.tilt)
    return Curve(point, tilt, curve.origin, curve.error, before, iterations, status)


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

    first = start(target, quantity(target.estimate), jnp)
    return jax.lax.while_loop(lambda c: c.status == RUNNING, body, first)
