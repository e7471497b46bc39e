"""Probabilities of the states of a hidden chain, summed over all paths to full precision.

Likelihoods are divided by the largest of their time and laws by their sums, so that nothing ends where numbers do; where
something does all the same (a value that only improbable states can make), everything is done again with logarithms.

Arrays are laid out in stretches of time, (L, K, C), see ``stretches``. Several sequences are one line of times with fresh
starts.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from suffice.models.hidden_markov import stretches

_alone = jax.lax.optimization_barrier  # one pass of the machine's vectors, that is not done again where it is used
_UNROLLED = 32  # states up to which a move is written as a sum of columns
_AGREE = 8  # roundings for each state by which laws may differ


class Chain(NamedTuple):
    """What is known of a hidden chain through its values.

    Attributes:
        log_likelihood: log b, of each value under each state, (L, K, C); 0 where nothing was observed.
        transition: A, (K, K).
        initial: (K,).
        fresh: whether a sequence starts, (L, C).
        inside: whether the time is one of the sequences', (L, C).
    """

    log_likelihood: jax.Array
    transition: jax.Array
    initial: jax.Array
    fresh: jax.Array
    inside: jax.Array

    @property
    def last(self) -> jax.Array:
        """Whether a sequence ends."""
        return stretches.ahead(self.fresh, True)


class Expected(NamedTuple):
    """What is expected of the path given all values.

    Attributes:
        log_likelihood: log p(x).
        states: probabilities, (L, K, C).
        starts: derivatives of log p(x) by the initial probabilities; times those, expected numbers of starts, (K,).
        moves: the same by the transition probabilities, (K, K).
    """

    log_likelihood: jax.Array
    states: jax.Array
    starts: jax.Array
    moves: jax.Array


def filtered(chain: Chain) -> jax.Array:
    """Laws of the state given the values up to each time, (L, K, C)."""
    laws, sizes = _forward(chain, _held(chain, _NUMBERS), _NUMBERS)
    return jax.lax.cond(
        _safe(sizes), lambda: laws, lambda: jnp.exp(_forward(chain, _held(chain, _LOGARITHMS), _LOGARITHMS)[0])
    )


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def log_likelihood(chain: Chain, again: bool = True) -> jax.Array:
    """log p(x), summed over sequences. Of its derivatives only the last may be taken backwards.

    Args:
        chain: with values.
        again: whether logarithms are tried where numbers lose digits. Without them the program is half as long, and
            the result is NaN there.
    """
    sizes = _forward(chain, _held(chain, _NUMBERS), _NUMBERS)[1]

    def by_logarithms() -> jax.Array:
        return _forward(chain, _held(chain, _LOGARITHMS), _LOGARITHMS)[1]

    found, safe = _total(chain, sizes), _safe(sizes)
    if not again:
        return jnp.where(safe, found, jnp.nan)
    return jax.lax.cond(safe, lambda: found, lambda: _total(chain, by_logarithms()))


@log_likelihood.defjvp
def _by_fisher(again: bool, primals: tuple[Chain], tangents: tuple[Chain]) -> tuple[jax.Array, jax.Array]:
    """Fisher's identity: the derivative of log p(x) is that of log p(x, z) expected over the paths z given x."""
    e, d = expected(primals[0], again), tangents[0]
    return e.log_likelihood, (
        (e.states * d.log_likelihood).sum() + (e.moves * d.transition).sum() + (e.starts * d.initial).sum()
    )


def expected(chain: Chain, again: bool = True) -> Expected:
    """What all values say of the path: the recursion forward and backward. ``again`` as in ``log_likelihood``."""
    found, safe = _expected(chain, _NUMBERS)
    if not again:
        return found._replace(log_likelihood=jnp.where(safe, found.log_likelihood, jnp.nan))
    return jax.lax.cond(safe, lambda: found, lambda: _expected(chain, _LOGARITHMS)[0])


def _top(chain: Chain) -> jax.Array:
    """The largest log-likelihood of each time, (L, C), by which likelihoods are divided."""
    top = chain.log_likelihood.max(1)
    return jnp.where(jnp.isfinite(top), top, 0.0)


def _safe(log_sizes: jax.Array) -> jax.Array:
    """Whether no digits were lost in numbers near the smallest."""
    limits = jnp.finfo(log_sizes.dtype)
    return (log_sizes > jnp.log(limits.tiny / limits.eps**2)).all()


def _total(chain: Chain, log_sizes: jax.Array) -> jax.Array:
    return jnp.where(chain.inside, log_sizes + _top(chain), 0.0).sum()


class _Arithmetic(NamedTuple):
    """How probabilities are held, and what is done with them."""

    hold: Callable[[jax.Array], jax.Array]
    from_logarithms: Callable[[jax.Array], jax.Array]
    multiply: Callable[[jax.Array, jax.Array], jax.Array]
    divide: Callable[[jax.Array, jax.Array], jax.Array]
    add: Callable[[jax.Array], jax.Array]  # over states, (K, C)
    move: Callable[[jax.Array, jax.Array], jax.Array]  # a law (K, C) by a matrix (K, K)
    release: Callable[[jax.Array], jax.Array]  # as numbers
    pairs: Callable[[jax.Array, jax.Array], jax.Array]  # sum over L and C of products, (K, K)
    log: Callable[[jax.Array], jax.Array]
    differ: Callable[[jax.Array, jax.Array], jax.Array]


def _moved(law: jax.Array, matrix: jax.Array) -> jax.Array:
    if len(law) > _UNROLLED:
        return matrix.T @ law
    return sum((matrix[k][:, None] * law[k][None] for k in range(1, len(law))), matrix[0][:, None] * law[0][None])


def _far(a: jax.Array, b: jax.Array) -> jax.Array:
    """Whether laws differ by more than roundings of each probability, which no later step can make larger."""
    return (jnp.abs(a - b) > _AGREE * len(a) * jnp.finfo(a.dtype).eps * b).any()


def _far_logarithms(a: jax.Array, b: jax.Array) -> jax.Array:
    return (jnp.where(a == b, 0.0, jnp.abs(a - b)) > _AGREE * len(a) * jnp.finfo(a.dtype).eps).any()


def _released(a: jax.Array) -> jax.Array:
    return jnp.exp(jnp.minimum(a, jnp.log(jnp.finfo(a.dtype).max) - 10.0))


_NUMBERS = _Arithmetic(
    hold=lambda a: a,
    from_logarithms=jnp.exp,
    multiply=jnp.multiply,
    divide=jnp.divide,
    add=lambda a: a.sum(0),
    move=_moved,
    release=lambda a: a,
    pairs=lambda a, b: jnp.einsum("lic,ljc->lij", a, b).sum(0),
    log=jnp.log,
    differ=_far,
)
_LOGARITHMS = _Arithmetic(
    hold=jnp.log,
    from_logarithms=lambda a: a,
    multiply=jnp.add,
    divide=lambda a, b: a - jnp.where(jnp.isfinite(b), b, 0.0),
    add=lambda a: jax.nn.logsumexp(a, axis=0),
    move=lambda law, matrix: jax.nn.logsumexp(law[:, None] + matrix[:, :, None], axis=0),
    release=_released,
    pairs=lambda a, b: jax.lax.map(lambda v: _released(v[0][:, None] + v[1][None]).sum(-1), (a, b)).sum(0),
    log=lambda a: a,
    differ=_far_logarithms,
)


def _held(chain: Chain, by: _Arithmetic) -> jax.Array:
    """Likelihoods of each time over their largest, (L, K, C)."""
    return by.from_logarithms(chain.log_likelihood - _top(chain)[:, None])


def _forward(chain: Chain, b: jax.Array, by: _Arithmetic) -> tuple[jax.Array, jax.Array]:
    """Laws a_t ∝ (a_{t−1} A) ∘ b_t, initial ∘ b_t at a start, (L, K, C), and logarithms of what they are divided by."""
    transition, initial = by.hold(chain.transition), by.hold(chain.initial)[:, None]

    def step(law: jax.Array, now: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        b, fresh = now
        law, size = _seen(jnp.where(fresh[None], initial, _alone(by.move(law, transition))), b, by)
        return law, (law, size)

    laws, sizes = stretches.scan(step, (b, chain.fresh), initial, _anywhere(chain, by), by.differ)
    return laws, by.log(sizes)


def _expected(chain: Chain, by: _Arithmetic) -> tuple[Expected, jax.Array]:
    """With g_t ∝ b_t ∘ β_t and β_t = A g_{t+1}, 1 at the end of a sequence: states a_t ∘ β_t and moves a_{t,i} A_ij g_{t+1,j},
    both over their sum, which is the same. And whether no digits were lost."""
    b = _held(chain, by)
    laws, log_sizes = _forward(chain, b, by)
    back, initial = by.hold(chain.transition.T), by.hold(chain.initial)[:, None]
    one = by.hold(jnp.ones((), laws.dtype))

    def step(after: jax.Array, now: tuple[jax.Array, ...]) -> tuple[jax.Array, tuple[jax.Array, ...]]:
        b, law, last, inside = now
        says = jnp.where(last[None], one, _alone(by.move(after, back)))
        both = _alone(by.multiply(law, says))
        total = by.add(both)
        states = jnp.where(inside[None], by.release(by.divide(both, total[None])), 0.0)
        here, size = _seen(says, b, by)
        return here, (states, after, total, size)

    xs = (b, laws, chain.last, chain.inside)
    ends = jnp.full_like(initial, one)
    states, after, total, sizes = stretches.scan(step, xs, ends, _anywhere(chain, by), by.differ, reverse=True)
    safe = _safe(log_sizes) & _safe(by.log(sizes))
    follows, begins = (chain.inside & ~chain.last)[:, None], (chain.inside & chain.fresh)[:, None]
    moves = by.pairs(jnp.where(follows, by.divide(laws, total[:, None]), by.hold(jnp.zeros(()))), after)

    def begun(now: tuple[jax.Array, ...]) -> jax.Array:
        after, b, last = now
        here = _seen(jnp.where(last[None], one, by.move(after, back)), b, by)[0]
        return by.release(by.divide(here, by.add(by.multiply(initial, here))[None]))

    starts = jnp.where(begins, jax.lax.map(begun, (after, b, chain.last)), 0.0).sum((0, 2))
    return Expected(_total(chain, log_sizes), states, starts, moves), safe


def _seen(law: jax.Array, b: jax.Array, by: _Arithmetic) -> tuple[jax.Array, jax.Array]:
    """The law once a value was seen, (K, C), and what it was divided by."""
    law = _alone(by.multiply(law, b))
    size = by.add(law)
    return by.divide(law, size[None]), size


def _anywhere(chain: Chain, by: _Arithmetic) -> jax.Array:
    k = len(chain.initial)
    return by.hold(jnp.full((k, 1), 1.0 / k, chain.log_likelihood.dtype))
