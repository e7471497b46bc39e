"""Entropy pruning: n-grams that change the model least are left to the order below."""

import numpy as np

from suffice.models.language.counts import Level, NgramCounts
from suffice.models.language.ngram import NgramModel
from suffice.models.language.smoothing.tables import totals
from suffice.models.language.vocabulary import END_ID, START_ID


def prune(model: NgramModel, threshold: float) -> NgramModel:
    """The model without n-grams whose loss is below the threshold: what ``NgramModel.pruned`` gives."""
    if not threshold >= 0.0:
        raise ValueError(f"threshold must be >= 0, got {threshold}")
    kept = [np.ones(len(level), bool) for level in model.ngrams.levels]
    for k in range(model.order, 1, -1):
        kept[k - 1] = losses(model, k) >= threshold
        if k < model.order:  # prefixes and suffixes of what stays
            above = model.ngrams.levels[k]
            kept[k - 1][above.prefix[kept[k]]] = kept[k - 1][above.suffix[kept[k]]] = True
    return without(model, kept)


def losses(model: NgramModel, order: int) -> np.ndarray:
    """Relative entropy of the model of this order to itself without each of its n-grams h w, nats per token.

        D = P(h) {p(w|h) log p(w|h)/p'(w|h) + (1 − Σ_v p(v|h)) log b(h)/b'(h)}, sum over v listed after h,

    b and b' what h leaves to the order below, p'(w|h) = b'(h) p(w|h'), P(h) the share of h among the tokens.
    """
    level, log_p = model.ngrams.levels[order - 1], model.log_probs[order - 1]
    log_q, log_b = model.log_probs[order - 2][level.suffix], model.log_backoffs[order - 2][level.prefix]
    p, q = np.exp(log_p), np.exp(log_q)
    left, free = (v[level.prefix] for v in _left(model, order))
    with np.errstate(divide="ignore", invalid="ignore"):
        log_b_new = np.log(left + p) - np.log(free + q)
        own = np.where(p > 0.0, p * (log_p - log_q - log_b_new), 0.0)
        others = np.where(left > 0.0, left * (log_b - log_b_new), 0.0)
    return np.maximum(np.exp(_log_share(model, order - 1))[level.prefix] * (own + others), 0.0)


def without(model: NgramModel, kept: list[np.ndarray]) -> NgramModel:
    """The model of the n-grams that are kept, by order, with every prefix and suffix of one among them.

    A kept n-gram keeps its probability; a context that loses some leaves more to the order below, so that all sums to 1.
    """
    levels, log_backoffs = [model.ngrams.levels[0]], []
    for k in range(2, model.order + 1):
        level, stays = model.ngrams.levels[k - 1], kept[k - 1]
        below = np.cumsum(kept[k - 2]) - 1  # new numbers
        levels.append(
            Level(below[level.prefix[stays]], level.word[stays], below[level.suffix[stays]], level.count[stays])
        )
        log_backoffs.append(_log_backoffs(model, k, stays)[kept[k - 2]])
    log_probs = tuple(log_p[stays] for log_p, stays in zip(model.log_probs, kept, strict=True))
    ngrams = NgramCounts(model.vocabulary, tuple(levels), model.ngrams.unit)
    return NgramModel(ngrams, log_probs, tuple(log_backoffs), model.smoothing)


def _log_backoffs(model: NgramModel, order: int, stays: np.ndarray) -> np.ndarray:
    """Log of what each context leaves to the order below."""
    level, was = model.ngrams.levels[order - 1], model.log_backoffs[order - 2]
    gone, contexts = ~stays, len(was)
    prefix = level.prefix[gone]
    p = totals(np.exp(model.log_probs[order - 1][gone]), prefix, contexts)
    q = totals(np.exp(model.log_probs[order - 2][level.suffix[gone]]), prefix, contexts)
    left, free = _left(model, order)
    loses = np.bincount(prefix, minlength=contexts) > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(loses, np.log(left + p) - np.log(free + q), was)


def _left(model: NgramModel, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Probability that each context leaves to words not listed after it, and theirs in the order below."""
    level, log_b = model.ngrams.levels[order - 1], model.log_backoffs[order - 2]
    q = np.exp(model.log_probs[order - 2][level.suffix])
    free = np.maximum(1.0 - totals(q, level.prefix, len(log_b)), 0.0)
    return np.exp(log_b) * free, free


def _log_share(model: NgramModel, order: int) -> np.ndarray:
    """log P of each n-gram of an order: its share of the tokens, or where no counts are known the product of its words'."""
    if model.ngrams.tokens:
        with np.errstate(divide="ignore"):
            return np.log(model.ngrams.levels[order - 1].count / model.ngrams.tokens)
    found = model.log_probs[0].copy()
    found[START_ID] = found[END_ID]  # a line begins as often as one ends
    for level, log_p in zip(model.ngrams.levels[1:order], model.log_probs[1:order], strict=True):
        found = found[level.prefix] + log_p
    return found
