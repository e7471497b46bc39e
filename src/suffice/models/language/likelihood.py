"""Log-probability, cross-entropy and perplexity of sequences of tokens from logits."""

from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.models.language.normaliser import limit, sum_of_exp
from suffice.models.language.score import SequenceScore
from suffice.numerics.checks import format_value, is_traced
from suffice.numerics.estimate import Estimate


def sequence_log_prob(logits: Any, tokens: Any, mask: Any = None) -> jax.Array:
    """Log-probability of sequences: Σ_t log softmax(logits_t)[token_t], over the positions that the mask keeps.

    ``logits[..., t, :]`` must be the prediction *of* ``tokens[..., t]``, made from the tokens before it. One pass over
    the logits: with x the logit of the token, log p = −log Σ_v exp(x_v − x), computed anew around the largest logit
    where that overflows. Sums over pieces of a row and over positions are in float64 where 64-bit numbers are on.

    Args:
        logits: unnormalised log-probabilities, (..., T, V), of any floating type; −inf means impossible. Or a list of
            arrays (T_i, V), with a list of tokens (T_i,): sequences of several lengths.
        tokens: integers in 0, …, V − 1, (..., T).
        mask: True where a position counts, (..., T); what stands elsewhere is not looked at.

    Returns:
        One number for each sequence, nats, (...); −inf where a token is impossible.

    Raises:
        TypeError: tokens are no integers.
        ValueError: shapes do not fit, a sequence is empty, a token is out of range (with its position and value),
            a logit is NaN or +inf. Traced values give NaN.

    Example:
        >>> import numpy as np, suffice as sf
        >>> logits = np.log([[0.5, 0.5], [0.25, 0.75]])
        >>> round(float(np.exp(sf.sequence_log_prob(logits, [0, 1]))), 12)
        0.375
    """
    if isinstance(logits, list | tuple):
        return jnp.stack([sequence_log_prob(*one) for one in _ragged(logits, tokens, mask)])
    return _token_log_probs(logits, tokens, mask).sum(-1)


def score_sequences(logits: Any, tokens: Any, mask: Any = None, bytes: Any = None) -> SequenceScore:
    """Log-probability and number of tokens of each sequence, from which perplexity and bits follow with their errors.

    Args:
        logits, tokens, mask: as of ``sequence_log_prob``; each sequence is a document.
        bytes: bytes of text of each sequence, for ``bits_per_byte``.

    Example:
        >>> import numpy as np, suffice as sf
        >>> score = sf.score_sequences(np.zeros((2, 5, 8)), np.ones((2, 5), int), bytes=[10, 10])
        >>> float(score.bits_per_token), float(score.bits_per_byte)
        (3.0, 1.5)
    """
    if isinstance(logits, list | tuple):
        rows = _ragged(logits, tokens, mask)
        log_prob = jnp.stack([sequence_log_prob(*one) for one in rows])
        counts: Any = np.array([len(t) if m is None else np.sum(m) for _, t, m in rows])
    else:
        log_prob = sequence_log_prob(logits, tokens, mask)
        shape = np.shape(tokens)
        counts = np.full(shape[:-1], shape[-1]) if mask is None else jnp.asarray(mask, dtype=bool).sum(-1)
    return SequenceScore(log_prob.reshape(-1), counts.reshape(-1), None if bytes is None else np.ravel(bytes))


def token_cross_entropy(logits: Any, tokens: Any, mask: Any = None) -> Estimate:
    """−log p per token, nats: the loss of a language model, with its standard error between sequences.

    Arguments and errors as of ``sequence_log_prob``; ``sf.cross_entropy`` is that of two distributions.

    Example:
        >>> import numpy as np, suffice as sf
        >>> round(float(sf.token_cross_entropy(np.zeros((4, 10)), [1, 2, 3, 4])), 6)
        2.302585
    """
    return score_sequences(logits, tokens, mask).cross_entropy


def perplexity(logits: Any, tokens: Any, mask: Any = None) -> Estimate:
    """exp of the cross-entropy per token: 1 for certainty, V for uniform logits, with its standard error.

    Arguments and errors as of ``sequence_log_prob``.

    Example:
        >>> import numpy as np, suffice as sf
        >>> round(float(sf.perplexity(np.zeros((4, 10)), [1, 2, 3, 4])), 12)
        10.0
    """
    return score_sequences(logits, tokens, mask).perplexity


def _ragged(logits: Any, tokens: Any, mask: Any) -> list[tuple[Any, Any, Any]]:
    masks = [None] * len(logits) if mask is None else mask
    for name, listed in (("tokens", tokens), ("mask", masks)):
        if not isinstance(listed, Sequence) or len(listed) != len(logits):
            raise ValueError(f"{name} must be a list as long as that of logits, {len(logits)}")
    if not logits:
        raise ValueError("logits must hold at least one sequence, got an empty list")
    return list(zip(logits, tokens, masks, strict=True))


def _token_log_probs(logits: Any, tokens: Any, mask: Any) -> jax.Array:
    """log p of each token, 0 where the mask hides it, (..., T)."""
    logits, tokens = jnp.asarray(logits), jnp.asarray(tokens)
    _check_shapes(logits, tokens, mask)
    keep = None if mask is None else jnp.asarray(mask, dtype=bool)
    if not is_traced(tokens, keep):
        _check_tokens(np.asarray(tokens), keep, logits.shape[-1])
    found = (_log_probs if is_traced(logits, tokens, keep) else _fast())(logits, tokens, keep)
    if not is_traced(found) and bool(jnp.isnan(found).any()):
        _blame(logits, found)
    return found


def _check_shapes(logits: jax.Array, tokens: jax.Array, mask: Any) -> None:
    if not jnp.issubdtype(logits.dtype, jnp.floating):
        raise TypeError(f"logits must be floating-point numbers, got {logits.dtype}")
    if not jnp.issubdtype(tokens.dtype, jnp.integer) and tokens.size:
        raise TypeError(f"tokens must be integers, got {tokens.dtype}")
    if logits.ndim < 2 or logits.shape[:-1] != tokens.shape:
        raise ValueError(
            f"logits must have the shape of tokens and the vocabulary last, (..., T, V): got {logits.shape} "
            f"with tokens {tokens.shape}"
        )
    if mask is not None and np.shape(mask) != tokens.shape:
        raise ValueError(f"mask must have the shape of tokens, {tokens.shape}, got {np.shape(mask)}")
    if tokens.shape[-1] == 0:
        raise ValueError(f"tokens must hold at least one token of each sequence, got shape {tokens.shape}")


def _check_tokens(tokens: np.ndarray, keep: Any, classes: int) -> None:
    bad = (tokens < 0) | (tokens >= classes)
    if keep is not None:
        bad &= np.asarray(keep)
        empty = ~np.asarray(keep).any(-1)
        if empty.any():
            which = f"sequence {_place(empty)} is" if empty.ndim else "the sequence is"
            raise ValueError(f"mask must keep at least one token of each sequence: {which} empty")
    if bad.any():
        raise ValueError(
            f"tokens must be in 0, …, {classes - 1}, got {tokens[np.unravel_index(bad.argmax(), bad.shape)]} "
            f"at position {_place(bad)}"
        )


def _blame(logits: jax.Array, found: jax.Array) -> None:
    """Say which logit made the result NaN."""
    place = np.unravel_index(int(np.asarray(jnp.isnan(found)).argmax()), found.shape)
    row = np.asarray(logits[place], dtype=float)
    wrong = np.isnan(row) | (row == np.inf)
    if not wrong.any():
        raise ValueError(f"logits must leave some token possible: all are -inf at position {_told(place)}")
    v = int(wrong.argmax())
    raise ValueError(f"logits must be < inf and not NaN, got {format_value(row[v])} at index {_told((*place, v))}")


def _place(bad: np.ndarray) -> str:
    return _told(np.unravel_index(int(bad.argmax()), bad.shape))


def _told(place: Sequence[Any]) -> str:
    return str(int(place[0])) if len(place) == 1 else str(tuple(map(int, place)))


def _found(logits: jax.Array, tokens: jax.Array, keep: jax.Array | None) -> jax.Array:
    rows = logits.reshape(-1, logits.shape[-1])
    at = tokens.reshape(-1)
    at = jnp.where((at >= 0) & (at < rows.shape[1]), at, rows.shape[1])
    value = jnp.where(at < rows.shape[1], _pick(rows, at), jnp.nan).reshape(tokens.shape)
    return value if keep is None else jnp.where(keep, value, 0.0)


_log_probs = jax.jit(_found)


@cache
def _fast() -> Any:
    """The same compiled for the widest vectors, which only what is not part of another compiled function may ask for."""
    options: Any = {"xla_cpu_prefer_vector_width": 512} if jax.default_backend() == "cpu" else None
    return jax.jit(_found, compiler_options=options)


@jax.custom_jvp
def _pick(rows: jax.Array, at: jax.Array) -> jax.Array:
    """log softmax(rows)[at], for rows (N, V) and class numbers (N,)."""
    x = _chosen(rows, at)
    total = sum_of_exp(rows, x)
    fine = total < limit(rows.dtype)

    def again() -> jax.Array:
        top = rows.max(1).astype(x.dtype)
        safe = jnp.where(top == -jnp.inf, jnp.nan, top)
        return (x - safe).astype(total.dtype) - jnp.log(sum_of_exp(rows, safe))

    return jax.lax.cond(fine.all(), lambda: -jnp.log(total), lambda: jnp.where(fine, -jnp.log(total), again()))


def _chosen(rows: jax.Array, at: jax.Array) -> jax.Array:
    found = jnp.take_along_axis(rows, jnp.minimum(at, rows.shape[1] - 1)[:, None], axis=1)[:, 0]
    return found.astype(jnp.promote_types(rows.dtype, jnp.float32))


@partial(_pick.defjvp, symbolic_zeros=False)
def _pick_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    rows, at = primals
    moved = tangents[0]
    value = _pick(rows, at)
    x = _chosen(rows, at)
    level = (x.astype(value.dtype) - value).astype(x.dtype)  # log Σ exp, from which each probability follows
    share = jnp.exp(rows.astype(x.dtype) - jnp.where(jnp.isfinite(level), level, rows.max(1).astype(x.dtype))[:, None])
    change = _chosen(moved, at) - (share * moved).sum(1)
    return value, change.astype(value.dtype)
