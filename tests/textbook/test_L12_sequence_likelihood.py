"""L12: log-likelihood of a token sequence from logits, cross-entropy, perplexity >= 1, padded and batched sequences."""

import numpy as np
import pytest

import suffice as sf


@pytest.mark.parametrize("classes", [1, 2, 7, 1000])
def test_perplexity_of_uniform_logits_is_the_size_of_the_vocabulary(classes):
    tokens = np.random.default_rng(0).integers(0, classes, 50)
    for level in (0.0, 1e4, -1e4):
        p = sf.perplexity(np.full((50, classes), level), tokens)
        assert float(p) == pytest.approx(classes, rel=1e-13)
    assert float(sf.token_cross_entropy(np.zeros((50, classes)), tokens)) == pytest.approx(np.log(classes), rel=1e-13)


def test_perplexity_of_certain_truth_is_one_and_never_less():
    rng = np.random.default_rng(1)
    tokens = rng.integers(0, 5, 20)
    certain = np.where(np.arange(5) == tokens[:, None], 0.0, -np.inf)
    assert float(sf.perplexity(certain, tokens)) == 1.0
    assert float(sf.perplexity(1e4 * (np.arange(5) == tokens[:, None]), tokens)) == 1.0
    logits = 3.0 * rng.normal(size=(10_000, 4, 3))
    scores = sf.score_sequences(logits, rng.integers(0, 3, (10_000, 4)))
    assert (np.asarray(scores.log_prob) <= 0.0).all()
    assert float(scores.perplexity) >= 1.0


def test_logits_of_ten_thousand():
    logits = np.array([[1e4, 0.0, -1e4], [-1e4, 1e4, 0.0]])
    assert float(sf.sequence_log_prob(logits, [0, 1])) == 0.0
    assert float(sf.sequence_log_prob(logits, [1, 0])) == -3e4
    assert float(sf.sequence_log_prob(logits.astype(np.float32), [1, 0])) == -3e4


def test_padded_and_batched_sequences_are_as_single_ones():
    rng = np.random.default_rng(2)
    lengths = [3, 1, 6]
    logits, tokens = rng.normal(size=(3, 6, 9)), rng.integers(0, 9, (3, 6))
    mask = np.arange(6) < np.array(lengths)[:, None]
    batch = sf.sequence_log_prob(logits, tokens, mask)
    total = 0.0
    for i, n in enumerate(lengths):
        alone = sf.sequence_log_prob(logits[i, :n], tokens[i, :n])
        by_categorical = sf.Categorical(logits[i, :n]).log_prob(tokens[i, :n]).sum()
        assert float(batch[i]) == pytest.approx(float(alone), rel=1e-14)
        assert float(alone) == pytest.approx(float(by_categorical), rel=1e-13)
        total += float(alone)
    assert float(sf.perplexity(logits, tokens, mask)) == pytest.approx(np.exp(-total / sum(lengths)), rel=1e-13)
