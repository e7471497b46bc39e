"""n-gram models: a categorical distribution for each context, longer contexts backing off to shorter ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.bernoulli import Categorical
from suffice.models.language.counts import NgramCounts, framed, ngram_counts
from suffice.models.language.score import SequenceScore
from suffice.models.language.smoothing.kneser_ney import KneserNey
from suffice.models.language.smoothing.tables import Smoothing, Tables
from suffice.models.language.text import Text, Unit, lines
from suffice.models.language.vocabulary import END_ID, START_ID, UNKNOWN_ID, Vocabulary
from suffice.runtime.errors import DataError
from suffice.runtime.progress import Progress


@dataclass(frozen=True, eq=False)
class NgramModel:
    """p(w1 … wm </s>) = Π p(w_t | the last n − 1 tokens before it), with <s> before the first.

    A line is a document: its probability is that of its tokens and of its end. Words that training lacks are <unk>.

    Attributes:
        ngrams: the n-grams that have a probability of their own, with their counts where these are known.
        log_probs: log p of each, by order, nats.
        log_backoffs: log of what a context leaves to the order below, by order, one fewer.
        smoothing: what made the tables; None where they were read from a file.

    Example:
        >>> import suffice as sf
        >>> model = sf.ngram(["the cat sat", "the dog sat", "a dog ran"], order=3)
        >>> score = model.score(["the dog ran"])
        >>> round(float(score.perplexity), 3), int(score.tokens.sum())
        (2.673, 4)
        >>> model.conditional(["the"]).logits.shape
        (9,)
    """

    ngrams: NgramCounts
    log_probs: tuple[np.ndarray, ...]
    log_backoffs: tuple[np.ndarray, ...]
    smoothing: Smoothing | None = None

    @property
    def vocabulary(self) -> Vocabulary:
        """The tokens and their numbers."""
        return self.ngrams.vocabulary

    @property
    def order(self) -> int:
        """n: a token depends on n − 1 before it."""
        return self.ngrams.order

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(level):,}" for level in self.ngrams.levels)
        return (
            f"NgramModel(order={self.order}, unit={self.ngrams.unit!r}, ngrams=({sizes}), smoothing={self.smoothing})"
        )

    # -- how well text is predicted ----------------------------------------------------------------------------------

    def score(self, text: Text, quiet: bool = True) -> SequenceScore:
        """Log-probability, tokens, bytes and unknown words of each line, ends of lines among the tokens.

        Args:
            text: path of a file of lines, read in blocks, or an iterable of lines.

        Raises:
            DataError: the text has no tokens.
        """
        parts = []
        with Progress("scoring", quiet=quiet, unit="lines") as progress:
            for block in lines(text, self.ngrams.unit):
                if not len(block.lengths):
                    continue
                tokens, left = framed(block, self.vocabulary)
                log_prob = self._of_positions(tokens, left)
                starts = np.flatnonzero(tokens == START_ID)
                unknown = np.add.reduceat(tokens == UNKNOWN_ID, starts, dtype=np.int64)
                parts.append((np.add.reduceat(log_prob, starts), block.lengths + 1, block.sizes, unknown))
                progress.update(len(block.lengths))
        if not parts:
            raise DataError("the text has no tokens")
        return SequenceScore(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def token_log_probs(self, tokens: Sequence[str]) -> np.ndarray:
        """log p of each token of one line and of its end, (m + 1,), nats."""
        ids = np.concatenate([[START_ID], self.ngrams.ids(tokens), [END_ID]])
        return self._of_positions(ids, np.arange(len(ids), 0, -1))[1:]

    def _of_positions(self, tokens: np.ndarray, left: np.ndarray) -> np.ndarray:
        """log p of the token at each place given those before it in its line; 0 for <s>."""
        n = len(tokens)
        number = tokens  # of the n-gram that starts at each place, of order k
        value = self.log_probs[0][tokens]  # of the token that ends the n-gram
        for k in range(2, self.order + 1):
            if not len(self.log_backoffs[k - 2]):
                break  # there are no longer contexts
            context = number[: n - k + 1]
            inside = left[: n - k + 1] >= k
            found = self.ngrams.find(k, np.where(inside, context, -1), tokens[k - 1 :])
            backed = value[k - 1 :] + np.where(inside & (context >= 0), self.log_backoffs[k - 2][context], 0.0)
            value = value.copy()
            if len(self.log_probs[k - 1]):
                backed = np.where(found >= 0, self.log_probs[k - 1][found], backed)
            value[k - 1 :] = backed
            number = np.full(n, -1, np.int64)
            number[: n - k + 1] = found
        return np.where(tokens == START_ID, 0.0, value)

    # -- what comes next ---------------------------------------------------------------------------------------------

    def conditional(self, context: Sequence[str] = ()) -> Categorical:
        """The distribution of the token after a context: logits are log p, (V,), −inf for <s>.

        Args:
            context: tokens before it; those beyond the last n − 1 are not looked at. A line begins with "<s>".
        """
        return Categorical(self.log_conditional(self.ngrams.ids(context)[None])[0])

    def log_conditional(self, contexts: np.ndarray) -> np.ndarray:
        """log p of every token after each context, (B, V); contexts (B, L) are numbers of tokens, −1 where none is."""
        contexts = np.atleast_2d(contexts)
        value = np.tile(self.log_probs[0], (len(contexts), 1))
        for row, context in zip(value, contexts, strict=True):
            ids = context[context >= 0][-(self.order - 1) :] if self.order > 1 else context[:0]
            for length in range(1, len(ids) + 1):
                at = self.ngrams.locate(ids[len(ids) - length :])
                if at < 0:
                    break  # no longer context was seen either
                row += self.log_backoffs[length - 1][at]
                span = slice(*self._starts[length - 1][at : at + 2])
                row[self.ngrams.levels[length].word[span]] = self.log_probs[length][span]
        return value

    @cached_property
    def _starts(self) -> tuple[np.ndarray, ...]:
        """Where the n-grams that go on from each context begin in the next level."""
        levels = self.ngrams.levels
        return tuple(np.searchsorted(above.prefix, np.arange(len(level) + 1)) for level, above in pairwise(levels))

    def start(self, prompts: Iterable[Sequence[str]] = ((),)) -> tuple[jax.Array, jax.Array]:
        """First tokens and states of lines to be generated, for ``generate`` and ``beam_search``: (B,) and (B, n − 1).

        Args:
            prompts: tokens that each line begins with.
        """
        rows = [np.concatenate([[START_ID], self.ngrams.ids(p)]).astype(np.int64) for p in prompts]
        width = max(self.order - 1, 1)
        state = np.full((len(rows), width), -1)
        for held, row in zip(state, rows, strict=True):
            before = row[:-1][-width:]
            held[width - len(before) :] = before
        return jnp.array([row[-1] for row in rows]), jnp.asarray(state)

    def step(self, token: jax.Array, state: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Logits of what follows a token, (B, V), and the next state; the look-up runs outside compiled code."""
        state = jnp.concatenate([state[:, 1:], token.astype(state.dtype)[:, None]], axis=1)
        shape = jax.ShapeDtypeStruct((state.shape[0], len(self.vocabulary)), float)
        return jax.pure_callback(lambda s: self.log_conditional(np.asarray(s)), shape, state), state

    # -- fewer n-grams -----------------------------------------------------------------------------------------------

    def pruned(self, threshold: float) -> "NgramModel":
        """The model without the n-grams whose loss is below a threshold: contexts become as long as they are worth.

            D = Σ_{h, w} P(h) p(w|h) log p(w|h)/p'(w|h),

        the relative entropy of the model to itself without one n-gram, each for itself; e^D − 1 is the relative growth of
        its perplexity. P(h) is how often h was seen for each token; in a model without counts, as from a file, the product
        of the probabilities of its words, which after Kneser and Ney is a poorer guess. What stays keeps its probability,
        what a context leaves to the order below is made anew, so that all sums to 1. Prefixes and suffixes of what stays
        stay, and every token by itself.

        Args:
            threshold: >= 0, nats per token; 0 leaves the model as it is; usual are 1e-9 to 1e-6.

        Raises:
            ValueError: the threshold is negative or NaN.

        Stolcke, *Entropy-based pruning of backoff language models* (1998), whose threshold is on e^D − 1; P(h) after Chelba,
        Brants, Neveitt and Xu, *Study on interaction between entropy pruning and Kneser–Ney smoothing* (2010).

        Example:
            >>> import suffice as sf
            >>> model = sf.ngram(["the cat sat", "the dog sat", "a dog ran"], order=3)
            >>> [len(level) for level in model.ngrams.levels], [len(level) for level in model.pruned(0.01).ngrams.levels]
            ([9, 10, 9], [9, 10, 3])
        """
        from suffice.models.language.pruning import prune

        return prune(self, threshold)

    # -- exchange ----------------------------------------------------------------------------------------------------

    def write_arpa(self, path: Any) -> None:
        """Write the model as an ARPA file, which KenLM, SRILM and others read."""
        from suffice.models.language.arpa import write

        write(self, path)


def ngram(
    text: Text | NgramCounts,
    order: int | None = None,
    smoothing: Smoothing | None = None,
    unit: Unit | None = None,
    quiet: bool = True,
) -> NgramModel:
    """Estimate an n-gram model from text or from counts.

    Args:
        text: path of a file of lines (also .gz), an iterable of lines, or ``ngram_counts``.
        order: n; 3 where none is given, and that of counts.
        smoothing: ``KneserNey()`` where none is given; ``Additive(0.0)`` is maximum likelihood.
        unit: "word", as where none is given, or "char"; that of counts.
        quiet: show no progress.

    Raises:
        DataError: the text has no tokens, or the counts are none, as those of a model from a file.
        ValueError: another order or unit than that of counts.

    Example:
        >>> import suffice as sf
        >>> sf.ngram(["a b", "a c"], order=2)
        NgramModel(order=2, unit='word', ngrams=(6, 5), smoothing=KneserNey(modified=True))
    """
    smoothing = KneserNey() if smoothing is None else smoothing
    if not isinstance(smoothing, Smoothing):
        raise TypeError(f"smoothing must be one such as sf.KneserNey(), got {smoothing!r}")
    if isinstance(text, NgramCounts):
        counts = text
        for name, wanted, own in (("order", order, counts.order), ("unit", unit, counts.unit)):
            if wanted is not None and wanted != own:
                raise ValueError(f"{name} must be that of the counts, {own!r}, or left out, got {wanted!r}")
        if counts.tokens <= 0:
            raise DataError("the counts have no tokens")
    else:
        counts = ngram_counts(text, 3 if order is None else order, "word" if unit is None else unit, quiet)
    return with_tables(counts, smoothing.tables(counts), smoothing)


def with_tables(counts: NgramCounts, tables: Tables, smoothing: Smoothing) -> NgramModel:
    """The model of given tables."""
    with np.errstate(divide="ignore"):
        return NgramModel(counts, tuple(map(np.log, tables.probs)), tuple(map(np.log, tables.backoffs)), smoothing)
