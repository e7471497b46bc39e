"""Alias tables draw exactly what they say; draws beside their law by a chi-squared test, false alarm 1e-9."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import suffice as sf

COUNT = 1_000_000


@pytest.mark.parametrize("k", [1, 2, 7, 1000])
def test_the_table_holds_the_law(k):
    """Shares of the columns add up to the probabilities, for logits and probabilities; one is zero."""
    p = np.random.default_rng(k).gamma(0.3, size=k)
    p[0] = 0.0 if k > 1 else 1.0
    with np.errstate(divide="ignore"):
        tables = sf.alias_table(probs=p), sf.alias_table(np.log(p) - 3e4)
    for table in tables:
        np.testing.assert_allclose(table.probs, p / p.sum(), rtol=1e-9, atol=4e-16)
    seen = np.bincount(np.asarray(tables[0].sample(COUNT, rng=0)), minlength=k)
    assert len(seen) == k
    assert seen[0] == 0 or k == 1
    expected = COUNT * p / p.sum()
    some = expected >= 10.0
    pooled = [np.append(v[some], v[~some].sum()) for v in (seen, expected)]
    statistic = ((pooled[0] - pooled[1]) ** 2 / np.maximum(pooled[1], 1e-300)).sum()
    assert k == 1 or scipy.stats.chi2.sf(statistic, some.sum()) > 1e-9


def test_tables_under_vmap_and_jit():
    """A thousand tables at once; logits that are no numbers give −1."""
    logits = np.random.default_rng(0).normal(size=(1000, 5))
    logits[3] = np.nan

    @jax.jit
    @jax.vmap
    def draws(key, row):
        return sf.alias_table(row).sample(400, rng=key)

    x = np.asarray(draws(jax.random.split(jax.random.key(1), 1000), logits))
    assert np.all(x[3] == -1)
    good = np.arange(1000) != 3
    p = np.asarray(jax.nn.softmax(jnp.asarray(logits), -1))
    for j in range(5):
        seen, mean = (x[good] == j).sum(), 400.0 * p[good, j].sum()
        assert abs(seen - mean) <= 6.2 * np.sqrt(400.0 * (p[good, j] * (1.0 - p[good, j])).sum())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "exactly one of logits and probs"),
        ({"logits": [0.0], "probs": [1.0]}, "exactly one of logits and probs"),
        ({"probs": 0.5}, r"probs must be a vector, got shape \(\)"),
        ({"probs": [0.5, -1.0]}, "probs must be at least 0 and finite, got -1 at 1"),
        ({"logits": [0.0, np.nan]}, "logits must be below infinity, got nan at 1"),
        ({"probs": [0.0, 0.0]}, "probs must hold one class that is possible"),
        ({"logits": [-np.inf]}, "logits must hold one class that is possible"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        sf.alias_table(**arguments)
