"""L16: any joint over sequences factors by the chain rule; an n-gram model is the MLE of a conditional categorical."""

import itertools

import numpy as np
import pytest

import suffice as sf

K, T = 3, 4


def test_any_joint_factors_by_the_chain_rule():
    """A random joint over all 81 sequences: its conditionals, as logits, give its log-probabilities back."""
    joint = np.random.default_rng(0).dirichlet(np.ones(K**T)).reshape((K,) * T)
    sequences = np.array(list(itertools.product(range(K), repeat=T)))
    logits = np.empty((len(sequences), T, K))
    for i, s in enumerate(sequences):
        for t in range(T):
            logits[i, t] = np.log(joint[tuple(s[:t])].reshape(K, -1).sum(1))  # unnormalised, as logits may be
    log_p = np.asarray(sf.sequence_log_prob(logits, sequences))
    np.testing.assert_allclose(log_p, np.log(joint.reshape(-1)), rtol=1e-12)
    assert np.exp(log_p).sum() == pytest.approx(1.0, abs=1e-13)


def test_an_ngram_model_is_the_estimate_of_conditional_categoricals():
    """The tables of a maximum-likelihood bigram model are ``fit(Categorical)`` of what follows each context."""
    rng = np.random.default_rng(1)
    lines = ["".join(rng.choice(list("abc"), rng.integers(1, 9))) for _ in range(300)]
    model = sf.ngram(lines, order=2, smoothing=sf.Additive(0.0), unit="char")
    for context in ("<s>", "a", "b", "c"):
        after = [w for line in lines for v, w in itertools.pairwise(["<s>", *line, "</s>"]) if v == context]
        ids = model.vocabulary.ids(after)
        seen, where = np.unique(ids, return_inverse=True)
        fit = sf.fit(sf.Categorical, where)
        told = np.asarray(model.conditional([context]).probs)
        np.testing.assert_allclose(told[seen], list(fit.parameters.values()), rtol=1e-13)
        assert told.sum() == pytest.approx(told[seen].sum(), rel=1e-14)
    best = model.score(lines).log_prob.sum()
    for smoothing in (sf.Additive(0.01), sf.KneserNey(), sf.JelinekMercer(0.99)):
        assert sf.ngram(lines, 2, smoothing, "char").score(lines).log_prob.sum() < best


@pytest.mark.parametrize("smoothing", [sf.KneserNey(), sf.Katz(), sf.Additive(0.3)])
def test_probabilities_of_all_lines_sum_to_one(smoothing):
    """A joint over lines of at most 7 tokens of a small alphabet, and what is left for longer ones, by enumeration."""
    model = sf.ngram(["aab", "ab", "b", "abab", "aa"], order=3, smoothing=smoothing, unit="char")
    letters = ["a", "b", "<unk>"]

    def mass(context, depth):
        p = np.asarray(model.conditional(["<s>", *context]).probs)
        ids = model.vocabulary.ids([*letters, "</s>"])
        if depth == 0:
            return p[ids].sum()
        return p[ids[-1]] + sum(p[i] * mass([*context, w], depth - 1) for i, w in zip(ids, letters, strict=False))

    assert mass([], 4) == pytest.approx(1.0, abs=1e-12)
    lines = ["".join(s) for n in range(1, 4) for s in itertools.product("ab", repeat=n)]
    for line, log_p in zip(lines, model.score(lines).log_prob, strict=True):
        steps = [model.conditional(["<s>", *line[:i]]) for i in range(len(line) + 1)]
        chained = sum(
            float(c.log_prob(model.vocabulary.ids([w])[0])) for c, w in zip(steps, [*line, "</s>"], strict=True)
        )
        assert log_p == pytest.approx(chained, rel=1e-12)
