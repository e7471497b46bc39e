"""The Gaussian copula against the multivariate normal, the product of independent parts, and its own draws."""

import jax
import numpy as np
import pytest
import scipy.stats

import suffice as sf

CORRELATION = np.array([[1.0, 0.6, -0.2], [0.6, 1.0, 0.3], [-0.2, 0.3, 1.0]])
POINTS = np.random.default_rng(5).normal(size=(20, 3)) * [3.0, 30.0, 1.0]


def normal_marginals():
    loc, scale = np.array([0.5, -1.0, 2.0]), np.array([1.0, 3.0, 0.1])
    marginals = [sf.Normal(m, s) for m, s in zip(loc, scale, strict=True)]
    covariance = CORRELATION * scale[:, None] * scale
    return sf.GaussianCopula(CORRELATION, marginals), sf.MultivariateNormal(loc, covariance)


def test_normal_marginals():
    """Points up to thirty deviations out; the quadratic form's rounding grows with z²."""
    p, normal = normal_marginals()
    np.testing.assert_allclose(p.log_prob(POINTS), normal.log_prob(POINTS), rtol=1e-12)
    np.testing.assert_allclose(p.mean(), normal.mean(), rtol=1e-14)
    np.testing.assert_allclose(p.variance(), normal.variance(), rtol=1e-14)
    np.testing.assert_allclose(p.entropy(), normal.entropy(), rtol=1e-13)
    part = p.marginal([2, 0])
    np.testing.assert_allclose(part.log_prob(POINTS[:, [2, 0]]), normal.marginal([2, 0]).log_prob(POINTS[:, [2, 0]]))
    slope = jax.jit(jax.grad(lambda x: p.log_prob(x)))(POINTS[0])
    np.testing.assert_allclose(slope, jax.grad(lambda x: normal.log_prob(x))(POINTS[0]), rtol=1e-10)


def test_without_correlation_it_is_the_product():
    marginals = [sf.Exponential(2.0), sf.Normal(1.0, 3.0)]
    p, product = sf.GaussianCopula(np.eye(2), marginals), sf.Product(marginals)
    x = np.array([[1e-9, 0.0], [400.0, 2.0], [0.3, -90.0], [-1.0, 0.0]])
    np.testing.assert_allclose(p.log_prob(x), product.log_prob(x), rtol=1e-13)


def test_draws_have_the_marginals_and_the_dependence():
    """Kolmogorov's test of each marginal, false alarm 1e-9; the normal scores' correlation within six deviations."""
    p = sf.GaussianCopula([[1.0, -0.7], [-0.7, 1.0]], [sf.Exponential(2.0), sf.Logistic(1.0, 3.0)])
    draws = np.asarray(p.sample(10_000, rng=1))
    cdf = np.stack([np.asarray(m.cdf(draws[:, k])) for k, m in enumerate(p.marginals)])
    assert all(scipy.stats.kstest(u, "uniform").pvalue > 1e-9 for u in cdf)
    found = np.corrcoef(scipy.stats.norm.ppf(cdf))[0, 1]
    assert abs(np.arctanh(found) - np.arctanh(-0.7)) < 6.0 / np.sqrt(10_000)


def test_batches():
    p = sf.GaussianCopula(np.stack([CORRELATION, np.eye(3)]), [sf.Normal(np.array([0.0, 1.0]), 1.0)] * 3)
    assert p.batch_shape == (2,)
    assert p.sample(4, rng=1).shape == (4, 2, 3)
    one = sf.GaussianCopula(CORRELATION, [sf.Normal()] * 3)
    np.testing.assert_allclose(p.log_prob(POINTS[0])[0], one.log_prob(POINTS[0]), rtol=1e-13)


@pytest.mark.parametrize(
    ("correlation", "marginals", "message"),
    [
        (np.eye(2), [sf.Normal(), sf.Poisson(1.0)], "continuous distributions of numbers, got Poisson"),
        (np.eye(3), [sf.Normal(), sf.Normal()], "as many as the rows"),
        (2.0 * np.eye(2), [sf.Normal(), sf.Normal()], r"GaussianCopula\.correlation must be symmetric"),
    ],
)
def test_refusals(correlation, marginals, message):
    with pytest.raises(ValueError, match=message):
        sf.GaussianCopula(correlation, marginals)
