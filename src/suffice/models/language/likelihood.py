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

_ROWS = 64  # of a sequence in a list that go at a time


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
    if _is_ragged(logits):
        return jnp.stack([found.sum() for found, _ in _ragged(logits, tokens, mask)])
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
    if _is_ragged(logits):
        rows = _ragged(logits, tokens, mask)
        log_prob, counts = jnp.stack([found.sum() for found, _ in rows]), np.array([count for _, count in rows])
    else:
        log_prob = sequence_log_prob(logits, tokens, mask)
        shape = np.shape(tokens)
        counts: Any = np.full(shape[:-1], shape[-1]) if mask is None else jnp.asarray(mask, dtype=bool).sum(-1)
    if bytes is not None and np.shape(bytes) != log_prob.shape:
        raise ValueError(f"bytes must be one number for each sequence, shape {log_prob.shape}, got {np.shape(bytes)}")
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


def _is_ragged(logits: Any) -> bool:
    """Whether there is a list of sequences, not one array written as lists."""
    return isinstance(logits, list | tuple) and (not logits or np.ndim(logits[0]) != 1)


def _ragged(logits: Any, tokens: Any, mask: Any) -> list[tuple[jax.Array, Any]]:
    """log p of the tokens of each sequence, and how many count."""
    if not logits:
        raise ValueError("logits must hold at least one sequence, got an empty list")
    masks = [None] * len(logits) if mask is None else mask
    for name, listed in (("tokens", tokens), ("mask", masks)):
        if not hasattr(listed, "__len__") or len(listed) != len(logits):
            raise ValueError(f"{name} must be a list as long as that of logits, {len(logits)}")
    found = []
    for i, (row, token, keep) in enumerate(zip(logits, tokens, masks, strict=True)):
        row, token = jnp.asarray(row), jnp.asarray(token)
        if row.ndim != 2:
            raise ValueError(f"logits of sequence {i} must have shape (T, V), got {row.shape}")
        count = len(token) if keep is None else jnp.asarray(keep, dtype=bool).sum()
        found.append((_token_log_probs(row, token, keep, (i,)), count))
    return found


def _token_log_probs(logits: Any, tokens: Any, mask: Any, which: tuple[int, ...] = ()) -> jax.Array:
    """log p of each token, 0 where the mask hides it, (..., T); ``which`` is the place in a list, for errors."""
    logits, tokens = jnp.asarray(logits), jnp.asarray(tokens)
    _check_shapes(logits, tokens, mask)
    keep = None if mask is None else _as_mask(mask)
    if not is_traced(tokens, keep):
        _check_tokens(np.asarray(tokens), keep, logits.shape[-1], which)
    if is_traced(logits, tokens, keep):
        find: Any = _log_probs
    else:
        find = _in_blocks if which and jax.default_backend() == "cpu" else _fast()
    found = find(logits, tokens.astype(int), keep)
    if not is_traced(found) and bool(jnp.isnan(found).any()):
        _blame(logits, found, which)
    return found


def _as_mask(mask: Any) -> jax.Array:
    """True and False, or 1 and 0; other numbers would be weights, which there are none of."""
    mask = jnp.asarray(mask)
    if mask.dtype != bool and not is_traced(mask):
        odd = np.asarray((mask != 0) & (mask != 1))
        if odd.any():
            raise ValueError(
                f"mask must be True or False, got {format_value(np.asarray(mask)[odd][0])} at position {_place(odd)}"
            )
    return mask.astype(bool)


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
    if not logits.size:
        raise ValueError(f"logits must hold at least one sequence and one class, got shape {logits.shape}")


def _check_tokens(tokens: np.ndarray, keep: Any, classes: int, which: tuple[int, ...]) -> None:
    bad = (tokens < 0) | (tokens >= classes)
    if keep is not None:
        bad &= np.asarray(keep)
        empty = ~np.asarray(keep).any(-1)
        if empty.any():
            told = f"sequence {_place(empty, which)} is" if empty.ndim or which else "the sequence is"
            raise ValueError(f"mask must keep at least one token of each sequence: {told} empty")
    if bad.any():
        raise ValueError(
            f"tokens must be in 0, …, {classes - 1}, got {tokens[np.unravel_index(bad.argmax(), bad.shape)]} "
            f"at position {_place(bad, which)}"
        )


def _blame(logits: jax.Array, found: jax.Array, which: tuple[int, ...]) -> None:
    """Say which logit made the result NaN."""
    place = np.unravel_index(int(np.asarray(jnp.isnan(found)).argmax()), found.shape)
    row = np.asarray(logits[place], dtype=float)
    wrong = np.isnan(row) | (row == np.inf)
    if not wrong.any():
        raise ValueError(f"logits must leave some token possible: all are -inf at position {_told((*which, *place))}")
    v = int(wrong.argmax())
    raise ValueError(
        f"logits must be < inf and not NaN, got {format_value(row[v])} at index {_told((*which, *place, v))}"
    )


def _place(bad: np.ndarray, which: tuple[int, ...] = ()) -> str:
    return _told((*which, *np.unravel_index(int(bad.argmax()), bad.shape)))


def _told(place: Sequence[Any]) -> str:
    return str(int(place[0])) if len(place) == 1 else str(tuple(map(int, place)))


def _found(logits: jax.Array, tokens: jax.Array, keep: jax.Array | None) -> jax.Array:
    rows = logits.reshape(-1, logits.shape[-1])
    wanted = tokens if keep is None else jnp.where(keep, tokens, -1)
    at = wanted.reshape(-1)
    at = jnp.where((at >= 0) & (at < rows.shape[1]), at, rows.shape[1])
    value = jnp.where(at < rows.shape[1], _pick(rows, at), jnp.nan).reshape(tokens.shape)
    return value if keep is None else jnp.where(keep, value, 0.0)


_log_probs = jax.jit(_found)


@cache
def _fast() -> Any:
    """The same compiled for the widest vectors, which only what is not part of another compiled function may ask for."""
    options: Any = {"xla_cpu_prefer_vector_width": 512} if jax.default_backend() == "cpu" else None
    return jax.jit(_found, compiler_options=options)


def _in_blocks(logits: jax.Array, tokens: jax.Array, keep: jax.Array | None) -> jax.Array:
    """The same for one sequence of any length, some rows at a time, so that a new length compiles nothing."""
    rows, at = np.asarray(logits), np.asarray(tokens)
    kept = np.ones(len(at), bool) if keep is None else np.asarray(keep)
    found = []
    for start in range(0, len(at), _ROWS):
        piece = [v[start : start + _ROWS] for v in (rows, at, kept)]
        more = _ROWS - len(piece[1])
        if more:
            piece = [np.concatenate([v, np.zeros((more, *v.shape[1:]), v.dtype)]) for v in piece]
        found.append(np.asarray(_fast()(*piece))[: _ROWS - more])
    return jnp.asarray(np.concatenate(found))


@jax.custom_jvp
def _pick(rows: jax.Array, at: jax.Array) -> jax.Array:
    """log softmax(rows)[at], for rows (N, V) and class numbers (N,); where at is V the row is not wanted."""
    x = _chosen(rows, at)
    total = sum_of_exp(rows, x)
    fine = total < limit(rows.dtype)

    def again() -> jax.Array:
        top = rows.max(1).astype(x.dtype)
        safe = jnp.where(top == -jnp.inf, jnp.nan, top)
        return (x.astype(total.dtype) - safe.astype(total.dtype)) - jnp.log(sum_of_exp(rows, safe))

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
    # log Σ exp, from which each probability follows, in two parts: of large logits the first has few digits left
    whole = x.astype(value.dtype) - value
    whole = jnp.where(jnp.isfinite(whole), whole, rows.max(1).astype(value.dtype))
    level = whole.astype(x.dtype)
    rest = (whole - level.astype(value.dtype)).astype(x.dtype)
    share = jnp.exp((rows.astype(x.dtype) - level[:, None]) - rest[:, None])
    share = jnp.where((at < rows.shape[1])[:, None], share, 0.0)
    change = _chosen(moved, at) - (share * moved).sum(1)
    return value, change.astype(value.dtype)
