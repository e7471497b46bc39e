"""L22: α-, Rényi, Hellinger and Jensen–Shannon divergences, their limits, and the bound that links JS and KL."""

import numpy as np
import pytest

import suffice as sf

P, Q = sf.Gamma(2.0, 1.0), sf.Gamma(3.0, 2.0)


def test_alpha_to_one_and_zero():
    step = np.array([1e-3, 1e-5, 1e-7])
    forward, backward = float(sf.kl(P, Q)), float(sf.kl(Q, P))
    for near, limit in ((1.0 - step, forward), (1.0 + step, forward), (step, backward)):
        gap = np.abs(np.asarray(sf.alpha_divergence(P, Q, near).value) - limit)
        assert np.all(gap < 3.0 * step * limit)
    gap = np.abs(np.asarray(sf.renyi(P, Q, 1.0 - step).value) - forward)
    assert np.all(gap < 3.0 * step * forward)


def test_how_they_follow_from_each_other():
    half = float(sf.alpha_divergence(P, Q, 0.5))
    assert float(sf.hellinger(P, Q)) == pytest.approx(np.sqrt(half / 4.0), rel=1e-13)
    assert float(sf.bhattacharyya(P, Q)) == pytest.approx(-np.log1p(-half / 4.0), rel=1e-13)
    m = sf.Categorical.from_probs([0.3, 0.7]), sf.Categorical.from_probs([0.6, 0.4])
    middle = sf.Categorical.from_probs([0.45, 0.55])
    js = 0.5 * float(sf.kl(m[0], middle)) + 0.5 * float(sf.kl(m[1], middle))
    assert float(sf.jensen_shannon(*m)) == pytest.approx(js, rel=1e-12)
    chi_square = ((np.array([0.3, 0.7]) - np.array([0.6, 0.4])) ** 2 / np.array([0.6, 0.4])).sum()
    assert float(sf.alpha_divergence(*m, 2.0)) == pytest.approx(0.5 * chi_square, rel=1e-12)


def test_the_bound_on_random_pairs():
    """KL >= Ξ(JS) on 5,000 random pairs of laws on four points, and nearly reached by some."""
    logits = 2.0 * np.random.default_rng(0).normal(size=(2, 5000, 4))
    p, q = (sf.Categorical(v) for v in logits)
    kl, bound = np.asarray(sf.kl(p, q).value), np.asarray(sf.kl_lower_bound(sf.jensen_shannon(p, q).value))
    assert np.all(bound <= kl * (1.0 + 1e-9))
    assert np.max(bound / kl) > 0.85
