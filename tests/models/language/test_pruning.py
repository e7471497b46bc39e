"""Entropy pruning: sums, the loss of one n-gram by brute force, nested models, files, and what it costs on Alice."""

import itertools
from pathlib import Path

import numpy as np
import pytest

import suffice as sf
from suffice.models.language import pruning
from suffice.models.language.counts import NgramCounts
from suffice.models.language.ngram import NgramModel
from suffice.models.language.smoothing import spelled

TRAIN, TEST = Path("examples/alice_train.txt"), Path("examples/alice_test.txt")
TEXT = ["a b a c", "a b b", "c a b a", "b a b a c", "c c", "a b a"]


def sizes(model):
    return [len(level) for level in model.ngrams.levels]


def cut(model, order):
    """The model of the lower orders alone."""
    counts = NgramCounts(model.vocabulary, model.ngrams.levels[:order], model.ngrams.unit)
    return NgramModel(counts, model.log_probs[:order], model.log_backoffs[: order - 1], model.smoothing)


def spelled_out(model):
    """Words of each n-gram of the highest order."""
    rows = [(i,) for i in range(len(model.vocabulary))]
    for level in model.ngrams.levels[1:]:
        rows = [(*rows[p], int(w)) for p, w in zip(level.prefix, level.word, strict=True)]
    return rows


@pytest.mark.parametrize("threshold", [0.0, 1e-3, 1e-2, 3e-2, 1.0])
@pytest.mark.parametrize("name", [n for n in spelled.NAMES if n != "pitman-yor"])
def test_all_sums_to_one(name, threshold):
    """After every context of up to three tokens, seen or not, whatever was pruned; score and conditional agree."""
    model = sf.ngram(TEXT, 4, spelled.smoothing(name)).pruned(threshold)
    tokens = ["<unk>", "<s>", "a", "b", "c"]
    contexts = [c for n in range(4) for c in itertools.product(tokens, repeat=n)]
    rows = np.full((len(contexts), 3), -1)
    for row, context in zip(rows, contexts, strict=True):
        row[3 - len(context) :] = model.vocabulary.ids(list(context)) if context else []
    np.testing.assert_allclose(np.exp(model.log_conditional(rows)).sum(1), 1.0, rtol=1e-13)
    line = ["a", "b", "zzz", "b", "a", "c"]
    padded = ["<s>", *line, "</s>"]
    each = [float(model.conditional(padded[:i]).logits[model.vocabulary.ids([padded[i]])[0]]) for i in range(1, 8)]
    np.testing.assert_allclose(model.token_log_probs(line), each, rtol=1e-13)


@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize("name", ["mle", "additive", "jelinek-mercer", "katz", "kneser-ney"])
def test_loss_by_brute_force(name, order, tmp_path):
    """The mean over all places of the text, or all histories that there are, of the relative entropy between conditionals."""
    model = cut(sf.ngram(TEXT, 3, spelled.smoothing(name)), order)
    width, size = order - 1, len(model.vocabulary)
    lines = [model.vocabulary.ids(["<s>", *line.split(), "</s>"]) for line in TEXT]
    seen = [line[max(i - width, 0) : i] for line in lines for i in range(1, len(line))]
    model.write_arpa(tmp_path / "a.arpa")
    bare = sf.read_arpa(tmp_path / "a.arpa")  # has no counts
    every = [np.array(h) for h in itertools.product(range(size), repeat=width) if 2 not in h and 1 not in h[1:]]
    unigram = np.exp(bare.log_probs[0])
    first = np.where(np.arange(size) == 1, unigram[2], unigram)

    def probability(history):
        found = first[history[0]]
        for i in range(1, len(history)):
            found *= np.exp(bare.log_conditional(history[None, :i])[0, history[i]])
        return found

    def divergence(full, less, histories, weights):
        def padded(h):
            return np.concatenate([np.full(width - len(h), -1), h])

        rows = np.stack([padded(h) for h in histories])
        p, q = full.log_conditional(rows), less.log_conditional(rows)
        with np.errstate(invalid="ignore"):
            each = np.where(np.isneginf(p), 0.0, np.exp(p) * (p - q)).sum(1)
        return (weights * each).sum()

    for given, histories, weights in (
        (model, seen, np.full(len(seen), 1.0 / len(seen))),
        (bare, every, np.array([probability(h) for h in every])),
    ):
        losses = pruning.losses(given, order)
        for i, words in enumerate(spelled_out(given)):
            kept = [np.ones(len(level), bool) for level in given.ngrams.levels]
            kept[-1][i] = False
            less = pruning.without(given, kept)
            assert less.ngrams.locate(np.array(words)) < 0
            expected = divergence(given, less, histories, weights)
            assert losses[i] == pytest.approx(expected, rel=1e-11, abs=1e-15)


def test_zero_changes_nothing():
    model = sf.ngram(TRAIN, 3)
    same = model.pruned(0.0)
    assert sizes(same) == sizes(model)
    for a, b in zip(model.log_probs + model.log_backoffs, same.log_probs + same.log_backoffs, strict=True):
        np.testing.assert_array_equal(a, b)
    for bad in (-1e-9, np.nan):
        with pytest.raises(ValueError, match="threshold must be >= 0, got"):
            model.pruned(bad)


@pytest.mark.parametrize("order", [3, 5])
def test_alice(order):
    """Perplexity of unseen text rises, n-grams grow fewer, and what a higher threshold keeps a lower one keeps too."""
    model = sf.ngram(TRAIN, order)
    thresholds = (0.0, 1e-7, 1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 1e-3)
    told, last = [], None
    for threshold in thresholds:
        found = model.pruned(threshold)
        told.append((threshold, sum(sizes(found)), float(found.score(TEST).perplexity)))
        if last is not None and order == 3:
            assert set(spelled_out(found)) <= set(spelled_out(last))
        last = found
    print("\nthreshold  n-grams  perplexity")
    print("\n".join(f"{t:9.0e}  {n:7,}  {p:10.3f}" for t, n, p in told))
    _, ngrams, perplexity = zip(*told, strict=True)
    assert (np.diff(ngrams) < 0).all()
    assert (np.diff(perplexity) > 0).all()
    contexts = ((), ("<s>",), ("said", "the"), ("mock", "turtle"), ("zzz", "the"), ("of", "the", "mock", "turtle"))
    for context in contexts:
        assert np.exp(np.asarray(last.conditional(context).logits)).sum() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("threshold", [1e-5, 1.0])
def test_files_and_decoding(threshold, tmp_path):
    """A pruned model is a model: written, read back, pruned again, decoded; orders may be empty."""
    model = sf.ngram(TRAIN, 3).pruned(threshold)
    model.write_arpa(tmp_path / "a.arpa")
    again = sf.read_arpa(tmp_path / "a.arpa")
    assert sizes(again) == sizes(model)
    assert threshold < 1.0 or sizes(model)[1:] == [0, 0]
    np.testing.assert_allclose(again.score(TEST).log_prob, model.score(TEST).log_prob, rtol=1e-12)
    start, state = model.start([[], ["said", "the"]])
    found = sf.beam_search(model.step, start, state, 8, beams=3, end=2)
    words = model.vocabulary.text(np.asarray(found.tokens[1, 0])[: int(found.lengths[1, 0])])
    each = model.token_log_probs(["said", "the", *words])[2 : 2 + int(found.lengths[1, 0])]
    assert float(found.log_prob[1, 0]) == pytest.approx(each.sum(), rel=1e-12)
