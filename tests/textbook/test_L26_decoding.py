"""L26: temperature, top-k, top-p, min-p; tau → 0 is argmax; greedy; beam search."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf

P = [0.45, 0.25, 0.15, 0.1, 0.05]


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({"top_k": 2}, [0, 1]),
        ({"top_p": 0.7}, [0, 1]),
        ({"top_p": 0.71}, [0, 1, 2]),
        ({"min_p": 0.3}, [0, 1, 2]),
        ({"temperature": 0.0}, [0]),
        ({"top_k": 4, "top_p": 0.8}, [0, 1, 2]),  # 0.85 of 0.95 that are left
        ({"temperature": 2.0, "min_p": 0.5}, [0, 1, 2]),
        ({}, [0, 1, 2, 3, 4]),
    ],
)
def test_exact_sets_and_probabilities(settings, kept):
    p = np.asarray(sf.filtered(sf.Categorical.from_probs(P), sf.standard_filters(**settings)).probs)
    expected = np.zeros(5)
    warm = np.array(P) ** (1.0 / (settings.get("temperature", 1.0) or 1.0))
    expected[kept] = warm[kept] / warm[kept].sum()
    np.testing.assert_allclose(p, expected, rtol=1e-12)


def test_temperature_to_zero_tends_to_argmax():
    """The mass outside the most probable token falls to 0 with tau, and entropy with it."""
    logits = np.random.default_rng(0).normal(size=(100, 20))
    taus = (1.0, 0.3, 0.1, 0.03, 0.0)
    entropies = np.array([sf.filtered(logits, [sf.Temperature(t)]).entropy() for t in taus])
    assert (np.diff(entropies, axis=0) <= 0.0).all()
    assert (entropies[-1] == 0.0).all()


def test_frequencies_of_draws():
    """1e6 draws of a nucleus against its probabilities by chi-square, false alarm 1e-9 (df 2: 41.4)."""
    p = sf.filtered(sf.Categorical.from_probs(P), [sf.TopP(0.8)])
    n = np.bincount(np.asarray(p.sample(1_000_000, rng=0)), minlength=5)
    expected = 1e6 * np.array(P[:3]) / sum(P[:3])
    assert n[3:].sum() == 0
    assert ((n[:3] - expected) ** 2 / expected).sum() < -2.0 * np.log(1e-9)


def test_greedy_and_beam_search():
    """Where greed fails: the best first token leads away from the best sequence; a beam of two finds it."""
    first, then = np.log([0.6, 0.4]), np.log([[0.5, 0.5], [0.05, 0.95]])

    def step(token, place):
        return jnp.where(place[:, None] == 0, jnp.asarray(first)[None], jnp.asarray(then)[token]), place + 1

    start, state = jnp.array([0]), jnp.array([0])
    best = max(itertools.product(range(2), repeat=2), key=lambda s: first[s[0]] + then[s[0], s[1]])
    assert best == (1, 1)
    assert sf.greedy(step, start, state, 2).tokens[0].tolist() == [0, 0]
    found = jax.jit(lambda: sf.beam_search(step, start, state, 2, beams=2))()
    assert tuple(found.tokens[0, 0].tolist()) == best
    assert float(found.log_prob[0, 0]) == pytest.approx(np.log(0.38), rel=1e-12)
