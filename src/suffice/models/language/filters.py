"""What decoding does to a distribution of the next token: functions of logits and of the tokens so far, that compose.

A filter takes logits (..., V) and the history (..., L), tokens with −1 where none is yet, and returns logits; −inf
means removed. Any function of this form is one.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.bernoulli import Categorical
from suffice.numerics.checks import is_traced

Filter = Callable[[jax.Array, jax.Array], jax.Array]


class Setting(ABC):
    """A filter with a number that may be traced; invalid numbers are refused where they are known.

    It may be an array that broadcasts against (..., 1), as (B, 1) for one number of each distribution.
    """

    @abstractmethod
    def __call__(self, logits: jax.Array, history: jax.Array) -> jax.Array:
        """Logits after the filter."""

    def _require(self, name: str, fine: Callable[[np.ndarray], Any], condition: str) -> None:
        value = getattr(self, name)
        if is_traced(value) or not isinstance(value, str | int | float | np.generic | np.ndarray | jax.Array):
            return
        numbers = np.asarray(value)
        if numbers.dtype.kind not in "biuf" or not np.all(fine(numbers)):
            raise ValueError(f"{type(self).__name__}.{name} must be {condition}, got {value}")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class RepetitionPenalty(Setting):
    """Logits of tokens in the history: divided by ``penalty`` where > 0, times it where < 0 (Keskar et al., 2019).

    It depends on the level of the logits, which the distribution does not: give those of the model as they are.

    Args:
        penalty: > 0; above 1 it makes repetitions rarer.

    Example:
        >>> import suffice as sf
        >>> sf.filtered([1.0, -1.0, 2.0], [sf.RepetitionPenalty(2.0)], history=[0, 1]).logits.tolist()
        [0.5, -2.0, 2.0]
    """

    penalty: Any

    def __post_init__(self) -> None:
        self._require("penalty", lambda v: (v > 0.0) & (v < np.inf), "> 0")

    def __call__(self, logits: jax.Array, history: jax.Array) -> jax.Array:
        classes = logits.shape[-1]
        rows = logits.reshape(-1, classes)
        tokens = history.reshape(len(rows), history.shape[-1])
        place = jnp.where((tokens >= 0) & (tokens < classes), tokens, classes)
        seen = jax.vmap(lambda t: jnp.zeros(classes, bool).at[t].set(True, mode="drop"))(place)
        changed = jnp.where(rows < 0, rows * self.penalty, rows / self.penalty)
        return jnp.where(seen, changed, rows).reshape(logits.shape)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Temperature(Setting):
    """softmax(logits/temperature); at 0 its limit, the most probable token, or several alike where they tie.

    Args:
        temperature: >= 0.

    Example:
        >>> import suffice as sf
        >>> sf.filtered(sf.Categorical([1.0, 3.0, 2.0]), [sf.Temperature(0.0)]).probs.tolist()
        [0.0, 1.0, 0.0]
    """

    temperature: Any

    def __post_init__(self) -> None:
        self._require("temperature", lambda v: (v >= 0.0) & (v < np.inf), ">= 0")

    def __call__(self, logits: jax.Array, history: jax.Array) -> jax.Array:
        below = logits - logits.max(-1, keepdims=True)
        t = jnp.asarray(self.temperature, dtype=logits.dtype)
        warm = below / jnp.where(t > 0, t, 1.0)
        return jnp.where(below == 0, 0.0, jnp.where(t > 0, warm, -jnp.inf))


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class TopK(Setting):
    """Only the ``k`` most probable tokens, and those as probable as the last of them.

    Args:
        k: >= 1; fixed when code is compiled.

    Example:
        >>> import suffice as sf
        >>> sf.filtered([1.0, 3.0, 2.0], [sf.TopK(2)]).logits.tolist()
        [-inf, 3.0, 2.0]
    """

    k: int = field(metadata={"static": True})

    def __post_init__(self) -> None:
        if not isinstance(self.k, int | np.integer) or isinstance(self.k, bool) or self.k < 1:
            raise ValueError(f"TopK.k must be an integer >= 1, got {self.k}")

    def __call__(self, logits: jax.Array, history: jax.Array) -> jax.Array:
        least = jax.lax.top_k(logits, min(self.k, logits.shape[-1]))[0][..., -1:]
        return jnp.where(logits < least, -jnp.inf, logits)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class TopP(Setting):
    """Nucleus: the fewest of the most probable tokens that hold at least ``p`` (Holtzman et al., 2020).

    A token stays if those more probable hold less than p together; of tokens alike the first in the vocabulary go first.

    Args:
        p: in (0, 1].

    Example:
        >>> import suffice as sf
        >>> q = sf.filtered(sf.Categorical.from_probs([0.5, 0.3, 0.15, 0.05]), [sf.TopP(0.7)])
        >>> q.probs.tolist()
        [0.625, 0.375, 0.0, 0.0]
    """

    p: Any

    def __post_init__(self) -> None:
        self._require("p", lambda v: (v > 0.0) & (v <= 1.0), "in (0, 1]")

    def __call__(self, logits: jax.Array, history: jax.Array) -> jax.Array:
        return _first_to_hold(logits, -logits, self.p, ties=False)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class MinP(Setting):
    """Tokens at least ``p`` times as probable as the most probable one (Nguyen et al., 2024).

    Args:
        p: in [0, 1].

    Example:
        >>> import suffice as sf
        >>> sf.filtered(sf.Categorical.from_probs([0.5, 0.3, 0.2]), [sf.MinP(0.5)]).probs.tolist()
        [0.625, 0.375, 0.0]
    """

    p: Any

    def __post_init__(self) -> None:
        self._require("p", lambda v: (v >= 0.0) & (v <= 1.0), "in [0, 1]")

    def __call__(self, logits: jax.Array, history: jax.Array) -> jax.Array:
        least = logits.max(-1, keepdims=True) + jnp.log(jnp.asarray(self.p, dtype=logits.dtype))
        return jnp.where(logits < least, -jnp.inf, logits)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Typical(Setting):
    """Tokens whose information −log p is nearest to the entropy, the fewest that hold ``p`` (Meister et al., 2023).

    Args:
        p: in (0, 1].

    Example:
        >>> import suffice as sf                # the entropy is 1.06 nats: 0.3 is nearest, with 1.2
        >>> sf.filtered(sf.Categorical.from_probs([0.48, 0.3, 0.22]), [sf.Typical(0.2)]).probs.tolist()
        [0.0, 1.0, 0.0]
    """

    p: Any

    def __post_init__(self) -> None:
        self._require("p", lambda v: (v > 0.0) & (v <= 1.0), "in (0, 1]")

    def __call__(self, logits: jax.Array, history: jax.Array) -> jax.Array:
        log_p = jax.nn.log_softmax(logits, axis=-1)
        entropy = -jnp.where(jnp.isneginf(log_p), 0.0, jnp.exp(log_p) * log_p).sum(-1, keepdims=True)
        return _first_to_hold(logits, jnp.abs(-log_p - entropy), self.p, ties=True)


def _first_to_hold(logits: jax.Array, rank: jax.Array, p: Any, ties: bool) -> jax.Array:
    """Tokens in the order of rank until they hold p together; with ``ties`` all that rank as the last of them."""
    order = jnp.argsort(rank, axis=-1, stable=True)
    ranked = jnp.take_along_axis(logits, order, axis=-1)
    probs = jax.nn.softmax(ranked.astype(float), axis=-1)
    before = jnp.pad(jnp.cumsum(probs, axis=-1)[..., :-1], [(0, 0)] * (probs.ndim - 1) + [(1, 0)])
    # what rounds away beside the rest is still needed to hold all
    inside = ((before < p) | (jnp.asarray(p) >= 1.0)).at[..., 0].set(True)
    if ties:
        last = inside.sum(-1, keepdims=True) - 1
        edge = jnp.take_along_axis(jnp.take_along_axis(rank, order, axis=-1), last, axis=-1)
        return jnp.where(rank > edge, -jnp.inf, logits)
    back = jnp.argsort(order, axis=-1, stable=True)
    return jnp.where(jnp.take_along_axis(inside, back, axis=-1), logits, -jnp.inf)


def standard_filters(
    repetition_penalty: Any = None,
    temperature: Any = None,
    top_k: int | None = None,
    top_p: Any = None,
    min_p: Any = None,
    typical_p: Any = None,
) -> tuple[Filter, ...]:
    """Filters in the usual order, that of HuggingFace's ``generate``: penalty, temperature, top-k, top-p, min-p, typical.

    Each sees what those before it left. What is None is left out.

    Example:
        >>> import suffice as sf
        >>> sf.standard_filters(top_p=0.9, temperature=0.7)
        (Temperature(temperature=0.7), TopP(p=0.9))
    """
    given = (
        (RepetitionPenalty, repetition_penalty), (Temperature, temperature), (TopK, top_k), (TopP, top_p), (MinP, min_p),
        (Typical, typical_p),
    )  # fmt: skip
    return tuple(make(value) for make, value in given if value is not None)


def filtered(p: Categorical | Any, filters: Sequence[Filter], history: Any = None) -> Categorical:
    """The distribution that filters, one after the other, make of another.

    Args:
        p: a ``Categorical`` or its logits, (..., V).
        filters: in the order in which they are applied; see ``standard_filters``.
        history: tokens so far, (..., L), −1 where none is; for filters that look at it.

    Raises:
        ValueError: a logit is NaN or +inf, or none is possible; the history does not fit.

    Example:
        >>> import suffice as sf
        >>> sf.filtered([0.0, 1.0, 1.0], sf.standard_filters(top_k=2)).probs.tolist()
        [0.0, 0.5, 0.5]
    """
    logits = p.logits if isinstance(p, Categorical) else Categorical(p).logits
    past = jnp.full((*logits.shape[:-1], 1), -1) if history is None else jnp.asarray(history)
    if past.ndim != logits.ndim or past.shape[:-1] != logits.shape[:-1]:
        wanted = ", ".join([*map(str, logits.shape[:-1]), "L"])
        raise ValueError(f"history must have shape ({wanted}), got {past.shape}")
    if not jnp.issubdtype(past.dtype, jnp.integer) and past.size:
        raise TypeError(f"history must be integers, got {past.dtype}")
    return Categorical(_applied(as_arguments(filters), logits, past.astype(int)))


def as_arguments(filters: Sequence[Filter]) -> tuple[Filter, ...]:
    """Filters as compiled code takes them: plain functions are fixed, numbers of settings are not."""
    if callable(filters):
        raise TypeError(f"filters must be a list of filters, got {filters!r} alone")
    for f in filters:
        if not callable(f):
            raise TypeError(f"filters must be functions of logits and history, got {f!r}")
    return tuple(f if isinstance(f, Setting | jax.tree_util.Partial) else jax.tree_util.Partial(f) for f in filters)


def apply(filters: Sequence[Filter], logits: jax.Array, history: jax.Array) -> jax.Array:
    """Logits after all filters."""
    for f in filters:
        logits = f(logits, history)
    return logits


_applied = jax.jit(apply)
