"""Quantiles of integer-valued laws from their tails."""

from collections.abc import Callable

import jax
import jax.numpy as jnp


def around(q: jax.Array) -> tuple[jax.Array, jax.Array]:
    """A little below the tail q and a little above it, so that the quantile of cdf(k) is k.

    A small tail may be off by a few units of rounding, one near 1 by one; what is above stays below 1.
    """
    eps = jnp.finfo(q.dtype).eps
    slack = eps * (2.0 * q + 14.0 * jnp.minimum(q, 1.0 - q))
    return q - slack, jnp.minimum(q + slack, 1.0 - 0.5 * eps)


def smallest_integer(
    reached: Callable[[jax.Array], jax.Array], guess: jax.Array, lower: jax.Array | float
) -> jax.Array:
    """The smallest integer k >= lower for which ``reached(k)``, a predicate that is monotone in k, holds.

    Gallops from the guess with doubling steps until the answer is bracketed, then bisects; a good guess costs three
    evaluations.
    """
    guess = jnp.maximum(jnp.round(guess), lower)
    eps = jnp.finfo(guess.dtype).eps

    def is_closed(low: jax.Array, high: jax.Array) -> jax.Array:
        """Whether no other number lies between: beyond 2⁵³ neighbours are more than 1 apart."""
        gap = high - low
        return ~(gap > 1.0) | (jnp.isfinite(gap) & (gap <= 2.0 * eps * jnp.abs(high)))

    # high is always reached, low never; an end not known yet is marked by an open bracket
    low, high = jnp.full_like(guess, -jnp.inf), jnp.full_like(guess, jnp.inf)

    def open_bracket(state: tuple[jax.Array, ...]) -> jax.Array:
        low, high, _ = state
        return jnp.any(~is_closed(low, high))

    def narrow(state: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        low, high, step = state
        below, above = jnp.isinf(low), jnp.isinf(high)
        first = below & above  # here and not before the loop, for ``reached`` would be compiled twice
        middle = jnp.floor((jnp.where(below, 0.0, low) + jnp.where(above, 0.0, high)) / 2.0)
        trial = jnp.where(first, guess, jnp.where(below, high - step, jnp.where(above, low + step, middle)))
        under = trial < lower
        holds = reached(jnp.maximum(trial, lower)) & ~under
        done = is_closed(low, high)
        return (
            jnp.where(done | holds, low, jnp.where(under, lower - 1.0, trial)),
            jnp.where(done | ~holds, high, trial),
            jnp.where(first, step, 2.0 * step),
        )

    _, high, _ = jax.lax.while_loop(open_bracket, narrow, (low, high, jnp.ones_like(low)))
    return high


def increasing_root(
    f: Callable[[jax.Array], jax.Array],
    start: jax.Array,
    lower: jax.Array | float,
    upper: jax.Array | float,
    derivative: Callable[[jax.Array, jax.Array], jax.Array] | None = None,
) -> jax.Array:
    """The root of an increasing ``f`` elementwise, by Newton's method within a bracket that closes in.

    A step out of the bracket, or from a point at which f is not half of what it was, is replaced by a bisection. The
    last step is taken where abs(f) < √eps: f is a difference of logarithms, of which that leaves nothing. Differentiable
    to every order in what ``f`` closes over, by the implicit function theorem.

    Args:
        f: elementwise on arrays of the shape of ``start``.
        start: a guess; it is clipped to the bracket.
        lower, upper: bracket of the root.
        derivative: of f, from x and f(x), where that compiles faster than what differentiates f.
    """
    enough = float(jnp.finfo(start.dtype).eps) ** 0.5

    def step(state: tuple[jax.Array, ...], f: Callable[[jax.Array], jax.Array]) -> tuple[jax.Array, ...]:
        x, low, high, before, done, count = state
        if derivative is None:
            value, slope = jax.jvp(f, (x,), (jnp.ones_like(x),))
        else:
            value = f(x)
            slope = derivative(x, value)
        size = jnp.abs(value)
        low, high = jnp.where(value < 0, x, low), jnp.where(value > 0, x, high)
        newton = x - value / slope
        near, slow, middle = size < enough, size > 0.5 * before, 0.5 * (low + high)
        trial = jnp.where(near | ((newton > low) & (newton < high) & ~slow), newton, middle)
        stays = done | (value == 0) | jnp.isnan(value)
        finished = stays | near | (middle == low) | (middle == high)
        return jnp.where(stays, x, trial), low, high, jnp.where(slow, jnp.inf, size), finished, count + 1

    def solve(f: Callable[[jax.Array], jax.Array], start: jax.Array) -> jax.Array:
        low, high = (jnp.zeros_like(start) + end for end in (lower, upper))
        begin = jnp.clip(start, low, high)
        state = (begin, low, high, jnp.full_like(begin, jnp.inf), jnp.zeros(begin.shape, bool), jnp.asarray(0))
        unfinished = lambda s: (s[-1] < 100) & ~jnp.all(s[-2])  # noqa: E731
        return jax.lax.while_loop(unfinished, lambda s: step(s, f), state)[0]

    return jax.lax.custom_root(f, start, solve, lambda g, y: y / g(jnp.ones_like(y)))
