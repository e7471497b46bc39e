"""The distribution of a sample against what NumPy and SciPy say of the sample itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import suffice as sf

RNG = np.random.default_rng(4)
POINTS = np.array([-np.inf, -9.0, -1.0, 0.0, 0.25, 0.5, 1.0, 2.0, 99.0, np.inf])


def sample():
    return np.round(RNG.normal(size=101), 1)


def test_tails_count():
    """cdf and sf are counts over n, to the bit; so is the probability of a value."""
    x = sample()
    p = sf.Empirical(x)
    at = np.concatenate([POINTS, x, x + 0.01])
    n = len(x)
    np.testing.assert_array_equal(p.cdf(at), [(x <= v).sum() / n for v in at])
    np.testing.assert_array_equal(p.sf(at), [(x > v).sum() / n for v in at])
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(p.log_prob(at), np.log([(x == v).sum() / n for v in at]), rtol=1e-14)
    assert np.isnan(p.cdf(np.nan))


def test_quantiles():
    """The smallest value with cdf >= q, and with sf <= q; at the levels k/n too."""
    x = np.sort(sample())
    p = sf.Empirical(RNG.permutation(x))
    n = len(x)
    k = np.arange(1, n + 1)
    np.testing.assert_array_equal(p.icdf(k / n), x)
    np.testing.assert_array_equal(p.icdf((k - 0.5) / n), x)
    np.testing.assert_array_equal(p.isf((n - k) / n), x)
    np.testing.assert_array_equal(p.isf((n - k + 0.5) / n), x)
    np.testing.assert_array_equal(p.icdf([0.0, 1.0, 1e-300]), x[[0, -1, 0]])
    assert np.isnan(p.icdf(1.5))


def test_summaries():
    x = sample()
    p = sf.Empirical(x)
    values, counts = np.unique(x, return_counts=True)
    for got, expected in (
        (p.mean(), x.mean()),
        (p.variance(), x.var()),
        (p.skewness(), scipy.stats.skew(x)),
        (p.kurtosis(), scipy.stats.kurtosis(x)),
        (p.entropy(), scipy.stats.entropy(counts)),
        (p.median(), np.median(x)),
        (p.mode(), values[counts.argmax()]),
        (p.cumulant(0.7), np.log(np.mean(np.exp(0.7 * x)))),
        (p.cf(0.7), np.mean(np.exp(0.7j * x))),
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


def test_a_weight_is_a_repetition():
    x = sample()
    w = RNG.integers(0, 4, len(x))
    p, repeated = sf.Empirical(x, w), sf.Empirical(np.repeat(x, w))
    at, q = np.concatenate([POINTS, x]), RNG.uniform(size=50)
    for method, argument in (("cdf", at), ("sf", at), ("log_prob", at), ("icdf", q), ("isf", q)):
        np.testing.assert_array_equal(getattr(p, method)(argument), getattr(repeated, method)(argument))
    # values without weight do not count, at the ends either
    p = sf.Empirical([0.0, 1.0, 2.0, 3.0], [0.0, 0.3, 0.6, 0.0])
    assert [float(p.icdf(q)) for q in (0.0, 1e-9, 1.0)] == [1.0, 1.0, 2.0]
    assert float(p.log_prob(3.0)) == -np.inf


def test_draws_are_values_as_often_as_they_weigh():
    """Frequencies of three values in 1e5 draws: chi-square, false alarm 1e-9."""
    draws = np.asarray(sf.Empirical([3.0, 1.0, 2.0], [1.0, 5.0, 4.0]).sample(100_000, rng=1))
    seen = [(draws == v).sum() for v in (1.0, 2.0, 3.0)]
    assert sum(seen) == 100_000
    assert scipy.stats.chisquare(seen, [50_000, 40_000, 10_000]).pvalue > 1e-9


def test_batches_and_compiled_code():
    x = np.stack([sample(), sample()])
    p = sf.Empirical(x)
    assert p.batch_shape == (2,)
    each = [sf.Empirical(v) for v in x]
    np.testing.assert_array_equal(p.cdf(0.3), [float(e.cdf(0.3)) for e in each])
    np.testing.assert_array_equal(p.cdf(POINTS[:, None])[:, 1], each[1].cdf(POINTS))
    np.testing.assert_array_equal(p.icdf(np.full((3, 2), 0.4))[0], [float(e.icdf(0.4)) for e in each])
    assert p.sample(5, rng=1).shape == (5, 2)
    np.testing.assert_allclose(p.cumulant(np.array([[0.5, 0.5]]))[0, 1], each[1].cumulant(0.5), rtol=1e-14)
    inside = jax.jit(jax.vmap(lambda v: sf.Empirical(v).cdf(0.3)))(jnp.asarray(x))
    np.testing.assert_array_equal(inside, p.cdf(0.3))
    assert sf.Empirical(np.float32([1.0, 2.0])).cdf(np.float32(1.5)).dtype == np.float32


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: sf.Empirical([1.0, 2.0], [0.0, 0.0]), "weight above 0"),
        (lambda: sf.Empirical([1.0, 2.0], [1.0]), "as many as values"),
        (lambda: sf.Empirical([1.0, np.nan]), r"Empirical\.values"),
        (lambda: sf.Empirical([]), "weight above 0"),
        (lambda: sf.Truncated(sf.Empirical([1.5, 2.0]), lower=1.0), "must be of integers"),
        (lambda: sf.Mixture([sf.Empirical([1.5, 2.0]), sf.Empirical([1.0, 2.0])], [0.5, 0.5]), "must be of integers"),
    ],
)
def test_refusals(act, message):
    with pytest.raises(ValueError, match=message):
        act()
