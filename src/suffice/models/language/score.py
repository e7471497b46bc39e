"""How well a model predicts a corpus: cross-entropy, perplexity, bits, each with its error between documents."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.numerics.checks import is_traced
from suffice.numerics.estimate import Estimate

_LOG2 = float(np.log(2.0))
HOW = "mean over tokens, error between documents"


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class SequenceScore:
    """Log-probabilities of documents under a model; a pytree that adds: ``a + b`` is the score of both corpora.

    The cross-entropy is a ratio of sums, H = −Σ_d log p_d / Σ_d n_d, and documents d are independent, tokens inside
    them are not: so its standard error is that of a ratio, √(D/(D − 1) Σ_d (−log p_d − H n_d)²) / Σ_d n_d (Cochran,
    *Sampling techniques*, 1977, 2.39), NaN for one document, or where a token is impossible.

    Attributes:
        log_prob: log-probability of each document, (D,), nats.
        tokens: tokens counted in each, (D,).
        bytes: bytes of text of each, (D,); None where the text is not known.
        unknown: tokens of each that the vocabulary lacks, (D,); None where that is not known.

    Example:
        >>> import suffice as sf
        >>> score = sf.SequenceScore([-6.0, -2.0], [3, 1])
        >>> score.cross_entropy, round(float(score.bits_per_token), 4)
        (Estimate(2, mean over tokens, error between documents), 2.8854)
    """

    log_prob: Any
    tokens: Any
    bytes: Any = None
    unknown: Any = None

    @property
    def cross_entropy(self) -> Estimate:
        """−log p per token, nats."""
        return self._per(self.tokens)

    @property
    def perplexity(self) -> Estimate:
        """exp(cross-entropy), >= 1; its error by the delta method."""
        h = self.cross_entropy
        value = jnp.exp(h.value)
        return Estimate(value, value * h.standard_error, h.how)

    @property
    def bits_per_token(self) -> Estimate:
        """The cross-entropy in bits."""
        return _in_bits(self.cross_entropy)

    @property
    def bits_per_byte(self) -> Estimate:
        """−log2 p per byte of text: comparable between models of different tokens.

        Raises:
            ValueError: the bytes of the documents are not known.
        """
        if self.bytes is None:
            raise ValueError("bits per byte need the bytes of the documents: give bytes=")
        return _in_bits(self._per(self.bytes))

    def _per(self, size: Any) -> Estimate:
        loss, size = -jnp.asarray(self.log_prob), jnp.asarray(size, dtype=float)
        total = size.sum()
        rate = loss.sum() / total
        documents = loss.size
        if documents < 2:
            error: Any = jnp.nan
        else:
            off = jnp.where(jnp.isfinite(rate), loss - rate * size, jnp.nan)
            error = jnp.sqrt(documents / (documents - 1) * (off**2).sum()) / total
        return Estimate(rate, error, HOW)

    def __add__(self, other: "SequenceScore") -> "SequenceScore":
        def both(a: Any, b: Any) -> Any:
            if a is None or b is None:
                return None
            joined = jnp if is_traced(a, b) else np
            return joined.concatenate([joined.atleast_1d(a), joined.atleast_1d(b)])

        mine = (self.log_prob, self.tokens, self.bytes, self.unknown)
        return SequenceScore(*map(both, mine, (other.log_prob, other.tokens, other.bytes, other.unknown)))

    def by(self, labels: Any) -> "SequenceScore":
        """The same with documents of one label taken together, such as lines of one book.

        Args:
            labels: one of each document, (D,).
        """
        names, where = np.unique(np.asarray(labels), return_inverse=True)
        if where.shape != np.shape(self.log_prob):
            raise ValueError(f"labels must have shape {np.shape(self.log_prob)}, got {where.shape}")

        def summed(x: Any) -> Any:
            return None if x is None else np.bincount(where, weights=np.asarray(x, dtype=float), minlength=len(names))

        return SequenceScore(*map(summed, (self.log_prob, self.tokens, self.bytes, self.unknown)))


def _in_bits(e: Estimate) -> Estimate:
    return Estimate(e.value / _LOG2, e.standard_error / _LOG2, e.how)
