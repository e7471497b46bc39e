"""Nested R-hat beside its definition, at stationarity and away from it."""

import jax
import numpy as np
import pytest
import scipy.stats

import suffice as sf

X = np.random.default_rng(0).normal(size=(64, 6, 3))


def by_definition(x, k):
    """Margossian and others (2024), definition 2, term by term."""
    groups = np.split(x, k)
    centres = [np.mean([chain.mean() for chain in group]) for group in groups]
    within = []
    for group, centre in zip(groups, centres, strict=True):
        m = len(group)
        between = sum((chain.mean() - centre) ** 2 for chain in group) / (m - 1) if m > 1 else 0.0
        inner = np.mean([chain.var(ddof=1) if len(chain) > 1 else 0.0 for chain in group])
        within.append(between + inner)
    return np.sqrt(1.0 + np.var(centres, ddof=1) / np.mean(within))


@pytest.mark.parametrize(("k", "draws"), [(4, 6), (64, 6), (8, 1)])
def test_nested_rhat_is_its_definition(k, draws):
    x = X[:, :draws]
    expected = [by_definition(x[..., j], k) for j in range(3)]
    np.testing.assert_allclose(sf.nested_rhat(x, k), expected, rtol=1e-12)
    np.testing.assert_allclose(jax.jit(sf.nested_rhat, static_argnums=1)(x, k), expected, rtol=1e-12)


def test_nested_rhat_sees_superchains_that_disagree():
    """One draw for each of 64 chains: those that share a start which they have not left are told from those that mix."""
    start = np.repeat(np.random.default_rng(1).normal(scale=3.0, size=4), 16)[:, None]
    bound = np.sqrt(1.0 + scipy.stats.f.isf(1e-6, 3, 60) / 16.0)  # B/W is F/16 where the draws are independent
    assert sf.nested_rhat(X[:, :1, 0], 4) < bound
    assert sf.nested_rhat(X[:, :1, 0] + start, 4) > bound
    assert np.isnan(sf.nested_rhat(np.ones((4, 5)), 2))


@pytest.mark.parametrize("k", [1, 3])
def test_nested_rhat_refuses(k):
    with pytest.raises(
        ValueError, match=f"superchains must be at least 2 and divide the number of chains, got {k} and 64"
    ):
        sf.nested_rhat(X, k)
