"""The Pitman–Yor model: its Gibbs sampler against the exact posterior of all tables, its books, its perplexity."""

import itertools
import random
from functools import cache

import numpy as np
import pytest

import suffice as sf
from suffice.models.language.smoothing.seating import Seating

TEXT = ["a b", "a a", "b a b"]
D, THETA = (0.4, 0.6), (0.7, 1.3)


@cache
def stirling(n, t, d):
    """Sum over all ways to seat n at t tables of ∏ (1 − d)(2 − d)…(size − 1 − d)."""
    if n == 0 or t == 0:
        return float(n == t)
    return stirling(n - 1, t - 1, d) + (n - 1 - t * d) * stirling(n - 1, t, d)


def rise(theta, d, t):
    """(theta + d)(theta + 2 d) … (theta + (t − 1) d): the later tables of a restaurant."""
    return np.prod([theta + d * i for i in range(1, t)])


def exact(counts):
    """Posterior mean of own weights and of tables of each bigram, by all numbers of tables on both floors."""
    two = counts.levels[1]
    sizes, prefix, word = two.count.tolist(), two.prefix.tolist(), two.word.tolist()
    total, mean = 0.0, np.zeros(len(sizes))
    base = 1.0 / (len(counts.vocabulary) - 1)
    for t in itertools.product(*(range(1, c + 1) for c in sizes)):
        upper = np.prod([stirling(c, k, D[1]) for c, k in zip(sizes, t, strict=True)])
        for house in set(prefix):
            laid = sum(k for k, p in zip(t, prefix, strict=True) if p == house)
            upper *= rise(THETA[1], D[1], laid)
        words = sorted(set(word))
        below = [sum(k for k, w in zip(t, word, strict=True) if w == v) for v in words]
        guests = sum(below)
        lower = 0.0
        for s in itertools.product(*(range(1, c + 1) for c in below)):
            lower += np.prod([stirling(c, k, D[0]) * base**k for c, k in zip(below, s, strict=True)]) * rise(
                THETA[0], D[0], sum(s)
            )
        lower /= np.prod([THETA[0] + i for i in range(1, guests)])
        total += upper * lower
        mean += upper * lower * np.array(t)
    return mean / total


def test_the_sampler_has_the_exact_posterior():
    """Mean tables of each bigram over 20,000 sweeps against enumeration; errors by batch means of 200 sweeps, z below
    5.3 for each of 7 (false alarm 1e-6 in all, by the t distribution with 99 degrees of freedom)."""
    counts = sf.ngram_counts(TEXT, 2)
    seating = Seating(counts, random.Random(0), list(D), list(THETA))
    tables = np.array([
        [len(t) for t in seating.tables[1]] for _ in range(20_000) if seating.sweep() is None
    ])  # fmt: skip
    assert seating.check()
    batches = tables.reshape(100, 200, -1).mean(1)
    error = batches.std(0, ddof=1) / 10.0
    expected = exact(counts)
    free = counts.levels[1].count > 1
    assert (tables[:, ~free] == 1).all()
    assert (expected[free] > 1.0).all()
    assert (np.abs(batches.mean(0) - expected)[free] < 5.3 * error[free]).all()


def test_settings_follow_their_posterior():
    """d and theta of one restaurant with 3,000 guests drawn from d = 0.5, theta = 10: within five deviations of truth."""
    rng = np.random.default_rng(0)
    sizes: list = []
    for n in range(3000):
        p = np.array([*(s - 0.5 for s in sizes), 10.0 + 0.5 * len(sizes)]) / (n + 10.0)
        at = rng.choice(len(p), p=p)
        sizes = [*sizes, 1] if at == len(sizes) else [*sizes[:at], sizes[at] + 1, *sizes[at + 1 :]]
    seating = Seating(sf.ngram_counts(["a"], 1), random.Random(0), [0.2], [1.0])
    seating.tables = [[[s] for s in sizes]]
    seating.customers, seating.laid = [[3000]], [[len(sizes)]]
    drawn = []
    for _ in range(500):
        seating.settings(rng)
        drawn.append((seating.discount[0], seating.strength[0]))
    d, theta = np.array(drawn[50:]).T
    assert abs(d.mean() - 0.5) < 5 * d.std()
    assert abs(theta.mean() - 10.0) < 5 * theta.std()
    assert d.std() < 0.1
    assert theta.std() < 8.0


def test_the_model():
    """It sums to one and, on a real text, is better than Kneser–Ney, as Teh (2006) found."""
    model = sf.ngram("examples/alice_train.txt", 2, sf.PitmanYor(sweeps=3, burn=3))
    for context in ((), ("<s>",), ("alice",), ("zzz",)):
        assert float(model.conditional(context).probs.sum()) == pytest.approx(1.0, abs=1e-12)
    own = model.score("examples/alice_test.txt")
    other = sf.ngram("examples/alice_train.txt", 2).score("examples/alice_test.txt")
    assert own.log_prob.sum() > other.log_prob.sum()
    again = sf.ngram("examples/alice_train.txt", 2, sf.PitmanYor(sweeps=3, burn=3))
    np.testing.assert_array_equal(model.log_probs[1], again.log_probs[1])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sf.PitmanYor(sweeps=0), "sweeps >= 1"),
        (lambda: sf.PitmanYor(discount=0.5), "give both discount and strength"),
        (lambda: sf.ngram(["a"], 2, sf.PitmanYor(discount=1.5, strength=1.0)), r"discount must be in \(0, 1\)"),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises(ValueError, match=message):
        make()
