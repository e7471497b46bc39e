"""Sequences token by token from any function that predicts the next one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.models.language.filters import Filter, apply, as_arguments
from suffice.numerics.checks import is_traced
from suffice.runtime.rng import RNG, as_key

Step = Callable[[jax.Array, Any], tuple[jax.Array, Any]]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Decoded:
    """Sequences that were decoded.

    Attributes:
        tokens: (B, length), or (B, beams, length); −1 after the end.
        log_prob: log-probability of each under the model itself, whatever the filters did, its end included.
        lengths: tokens of each, its end included.
        ended: whether each came to its end token.
        score: what beams were ordered by, best first; equal to log_prob elsewhere.
    """

    tokens: jax.Array
    log_prob: jax.Array
    lengths: jax.Array
    ended: jax.Array
    score: jax.Array


def generate(
    step: Step,
    start: Any,
    state: Any,
    length: int,
    *,
    rng: RNG,
    filters: Sequence[Filter] = (),
    end: int | None = None,
) -> Decoded:
    """Draw sequences, each token from the filtered distribution after those before it.

    ``step(token, state)`` takes tokens (B,) and a pytree whose arrays have B first; it returns logits (B, V) of the next
    tokens and the next state. It is compiled once for each ``step`` and shape: give the same function again. Works
    under ``jit``, where ``rng`` must be a key.

    Args:
        step: the model.
        start: what comes before the first token: (B,), or (B, P) of which all go through ``step`` first.
        state: of the model before ``start``.
        length: most tokens of each sequence, >= 1.
        rng: int, ``numpy.random.Generator`` or JAX key.
        filters: functions of logits and history; see ``standard_filters``. The history begins with ``start``.
        end: token after which a sequence has ended; None: each has ``length``.

    Raises:
        ValueError: shapes do not fit, logits of the model are NaN, filters leave no token, ``end`` is none.

    Example:
        >>> import jax.numpy as jnp, suffice as sf
        >>> def step(token, state):             # counts upward modulo 4, whatever was drawn
        ...     return jnp.where(jnp.arange(4) == (state[:, None] % 4), 0.0, -jnp.inf), state + 1
        >>> sf.generate(step, jnp.array([0]), jnp.array([2]), 5, rng=0).tokens.tolist()
        [[2, 3, 0, 1, 2]]
    """
    prompt = prompts(start, length, end)
    out = _run(step, prompt, state, as_key(rng), as_arguments(filters), length, -1 if end is None else int(end), False)
    return _sound(out)


def greedy(
    step: Step, start: Any, state: Any, length: int, *, filters: Sequence[Filter] = (), end: int | None = None
) -> Decoded:
    """The most probable token at each place, the first of several; arguments as of ``generate``.

    Example:
        >>> import jax.numpy as jnp, suffice as sf
        >>> logits = jnp.log(jnp.array([[0.1, 0.9], [0.6, 0.4]]))
        >>> sf.greedy(lambda token, state: (logits[token], state), jnp.array([0]), None, 4).tokens.tolist()
        [[1, 0, 1, 0]]
    """
    prompt = prompts(start, length, end)
    key = jax.random.key(0)  # of which nothing is drawn
    return _sound(_run(step, prompt, state, key, as_arguments(filters), length, -1 if end is None else int(end), True))


def prompts(start: Any, length: int, end: int | None) -> jax.Array:
    """Starts as (B, P), with what can be known to be wrong refused."""
    start = jnp.asarray(start)
    if not jnp.issubdtype(start.dtype, jnp.integer):
        raise TypeError(f"start must be integers, got {start.dtype}")
    if start.ndim not in (1, 2) or 0 in start.shape:
        raise ValueError(f"start must have shape (B,) or (B, P) with B and P >= 1, got {start.shape}")
    whole("length", length)
    if end is not None and end < 0:
        raise ValueError(f"end must be a token, >= 0, got {end}")
    start = start.astype(jnp.promote_types(start.dtype, jnp.int32))  # −1 and every token have a place in it
    return start[:, None] if start.ndim == 1 else start


def whole(name: str, value: Any) -> None:
    """Refuse what is no number of things."""
    if not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} must be an integer >= 1, got {value}")


def read(step: Step, prompt: jax.Array, state: Any, end: int) -> tuple[jax.Array, Any]:
    """Logits after a whole prompt, and the state then.

    Raises:
        ValueError: the logits are not one row for each sequence, or the end is none of their tokens.
    """
    state, _ = jax.lax.scan(lambda s, token: (step(token, s)[1], None), state, prompt[:, :-1].T)
    logits, state = step(prompt[:, -1], state)
    shape = jnp.shape(logits)
    if len(shape) != 2 or shape[0] != len(prompt) or not shape[1]:
        raise ValueError(f"step must return logits of shape ({len(prompt)}, V), got {shape}")
    if end >= shape[1]:
        raise ValueError(f"end must be a token, in 0, …, {shape[1] - 1}, got {end}")
    return logits, state


def _sound(out: Decoded) -> Decoded:
    if not is_traced(out) and bool(jnp.isnan(out.log_prob).any()):
        at = int(np.asarray(jnp.isnan(out.log_prob)).argmax())
        raise ValueError(
            f"step must return logits < inf, not NaN, some above -inf, and filters leave such: sequence {at} met others"
        )
    return out


@partial(jax.jit, static_argnums=(0, 5, 6, 7))
def _run(
    step: Step, prompt: jax.Array, state: Any, key: jax.Array, filters: Any, length: int, end: int, best: bool
) -> Decoded:
    batch, width = prompt.shape
    logits, state = read(step, prompt, state, end)
    history = jnp.concatenate([prompt, jnp.full((batch, length), -1, prompt.dtype)], axis=1)

    def going(carry: Any) -> jax.Array:
        at, _, _, _, _, done, _ = carry
        return (at < length) & ~done.all()

    def body(carry: Any) -> Any:
        at, history, logits, state, log_prob, done, size = carry
        left = apply(filters, logits, history)
        if best:
            token = jnp.argmax(left, axis=-1)
        else:
            token = jax.random.categorical(jax.random.fold_in(key, at), left, axis=-1)
        token = token.astype(prompt.dtype)
        each = jnp.take_along_axis(jax.nn.log_softmax(logits.astype(float), axis=-1), token[:, None], axis=1)[:, 0]
        each = jnp.where(jnp.isfinite(left.max(-1)), each, jnp.nan)  # no token is left
        log_prob = log_prob + jnp.where(done, 0.0, each)
        history = history.at[:, width + at].set(jnp.where(done, -1, token))
        size = size + ~done
        done = done | (token == end)
        logits, state = step(token, state)
        return at + 1, history, logits, state, log_prob, done, size

    zero = jnp.zeros(batch)
    first = (0, history, logits, state, zero, jnp.zeros(batch, bool), jnp.zeros(batch, int))
    _, history, _, _, log_prob, done, size = jax.lax.while_loop(going, body, first)
    return Decoded(history[:, width:], log_prob, size, done, log_prob)
