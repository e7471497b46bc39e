"""Distributions made of others: affine images, functions, mixtures, products."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import scipy.stats

import suffice as sf
from suffice.distributions import generic

X = np.array([-12.0, -3.0, -0.2, 0.0, 0.4, 2.0, 9.0])
Q = np.array([1e-290, 1e-30, 1e-3, 0.2, 0.5, 0.8])
AT_POINTS = ("log_prob", "cdf", "sf", "log_cdf", "log_sf")
SUMMARIES = ("mean", "variance", "skewness", "kurtosis", "mode", "median", "entropy")


def same(p, q, x, rtol=2e-14):
    for name in AT_POINTS:
        np.testing.assert_allclose(getattr(p, name)(x), getattr(q, name)(x), rtol=rtol, atol=1e-300, err_msg=name)
    for name in ("icdf", "isf"):
        np.testing.assert_allclose(getattr(p, name)(Q), getattr(q, name)(Q), rtol=rtol, err_msg=name)
    for name in SUMMARIES:
        rough = 1e-7 if name == "mode" else 1e-9  # a density is flat at its top
        np.testing.assert_allclose(getattr(p, name)(), getattr(q, name)(), rtol=rough, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("scale", [0.5, -0.5])
def test_affine_image_of_a_normal(scale):
    """An affine image of a normal is a normal, with exact tails on both sides, turned around or not."""
    p, q = sf.Affine(sf.Normal(1.0, 2.0), loc=-3.0, scale=scale), sf.Normal(-3.0 + scale, 1.0)
    same(p, q, X)
    np.testing.assert_allclose(p.cumulant(X / 4), q.cumulant(X / 4), rtol=1e-14)
    np.testing.assert_allclose(p.cf(X / 4), q.cf(X / 4), rtol=1e-14)
    draws = np.asarray(p.sample(20_000, rng=1))
    assert scipy.stats.kstest(draws, lambda x: np.asarray(q.cdf(x))).pvalue > 1e-9


def test_affine_ends_of_the_support():
    """The end that belongs to the base's support belongs to its image, on whichever side it comes to lie."""
    moved, turned = (sf.Affine(sf.Exponential(1.0), loc=3.0, scale=s) for s in (2.0, -2.0))
    at = np.array([2.9, 3.0, 3.1])
    np.testing.assert_allclose(moved.log_prob(at), [-np.inf, -np.log(2), -np.log(2) - 0.05], rtol=1e-14)
    np.testing.assert_allclose(turned.log_prob(at), [-np.log(2) - 0.05, -np.log(2), -np.inf], rtol=1e-14)
    assert (float(turned.icdf(0.0)), float(turned.icdf(1.0))) == (-np.inf, 3.0)
    with pytest.raises(ValueError, match="finite and not 0, got 0"):
        sf.Affine(sf.Normal(), loc=0.0, scale=0.0)
    with pytest.raises(ValueError, match="continuous distribution of numbers, got Poisson"):
        sf.Affine(sf.Poisson(1.0))


def test_transformed():
    """Functions of a distribution have the tails of its image: kinships of the catalogue."""
    positive = np.abs(X) + 0.01
    same(sf.Transformed(sf.Normal(0.3, 0.5), sf.Bijector(jnp.exp, jnp.log)), sf.LogNormal(0.3, 0.5), positive)
    upside_down = sf.Bijector(jnp.reciprocal, jnp.reciprocal, increasing=False)
    p, q = sf.Transformed(sf.Gamma(7.0, 2.0), upside_down), sf.InverseGamma(7.0, 2.0)
    same(p, q, positive, rtol=1e-13)
    assert np.all(np.asarray(p.log_prob([-1.0, 0.0])) == -np.inf)
    slope = jax.grad(lambda a: sf.Transformed(sf.Gamma(a, 2.0), upside_down).log_prob(0.7))(3.0)
    assert float(slope) == pytest.approx(float(jax.grad(lambda a: sf.InverseGamma(a, 2.0).log_prob(0.7))(3.0)), 1e-12)
    with pytest.raises(ValueError, match=r"sf.Bijector, got function|sf.Bijector, got"):
        sf.Transformed(sf.Normal(), jnp.exp)


MIXTURES = [
    pytest.param(lambda: sf.Mixture([sf.Normal(-2.0, 1.0), sf.Normal(3.0, 0.5)], [0.25, 0.75]), id="normals"),
    pytest.param(
        lambda: sf.Mixture([sf.Normal(0.0, 1.0), sf.Gamma(20.0, 4.0), sf.Laplace(9.0, 0.5)], [0.2, 0.5, 0.3]),
        id="kinds",
    ),
    pytest.param(lambda: sf.Mixture([sf.Normal(0.0, 1.0), sf.Normal(1e6, 2.0)], [0.999, 0.001]), id="far"),
    pytest.param(lambda: sf.Mixture([sf.Poisson(2.0), sf.Poisson(40.0)], [0.5, 0.5]), id="counts"),
    pytest.param(lambda: sf.Mixture([sf.Geometric(0.2), sf.Poisson(9.0)], [0.3, 0.7]), id="kinds of counts"),
]


@pytest.mark.parametrize("make", MIXTURES)
def test_mixture(make):
    """Quantiles invert both tails, moments and entropy are those of quadrature and of draws."""
    p = make()
    levels = np.array([1e-200, 1e-9, 0.01, 0.2, 0.2499, 0.2501, 0.5, 0.7])
    below, above = np.asarray(p.icdf(levels)), np.asarray(p.isf(levels))
    if p.discrete:
        assert np.all(np.asarray(p.cdf(below)) >= levels * (1 - 1e-13))
        assert np.all(np.asarray(p.cdf(below - 1)) < levels * (1 + 1e-13))
        assert np.all(np.asarray(p.sf(above)) <= levels * (1 + 1e-13))
        assert np.all(np.asarray(p.sf(above - 1)) > levels * (1 - 1e-13))
    else:
        steep = np.abs(np.concatenate([below, above])) * np.exp(
            np.concatenate([p.log_prob(below) - p.log_cdf(below), p.log_prob(above) - p.log_sf(above)])
        )
        found = np.concatenate([p.cdf(below), p.sf(above)]) / np.tile(levels, 2)
        assert np.all(np.abs(found - 1.0) <= 1e-13 + 8 * 2.0**-52 * steep)
    draws = np.asarray(p.sample(50_000, rng=3)).astype(float)
    logs = np.asarray(p.log_prob(draws))
    for value, expected in ((draws, p.mean()), ((draws - float(p.mean())) ** 2, p.variance()), (-logs, p.entropy())):
        assert abs(value.mean() - float(expected)) <= 6.2 * value.std() / np.sqrt(len(value))
    z = lambda k: lambda x: ((x - float(p.mean())) / float(p.stddev())) ** k  # noqa: E731
    assert float(generic.expectation(p, z(3))) == pytest.approx(float(p.skewness()), rel=1e-9, abs=1e-9)
    assert float(generic.expectation(p, z(4))) - 3.0 == pytest.approx(float(p.kurtosis()), rel=1e-9, abs=1e-8)
    grid = np.unique(np.round(draws)) if p.discrete else np.linspace(*np.quantile(draws, [0.0, 1.0]), 5_001)
    assert float(p.log_prob(p.mode())) >= np.asarray(p.log_prob(grid)).max() - 1e-12
    assert np.all(np.isnan(np.asarray(p.icdf([np.nan, -0.1, 1.1]))))


def test_mixture_tails():
    """Deep tails of a mixture are those of its widest component, to full precision."""
    p = sf.Mixture([sf.Normal(0.0, 1.0), sf.Normal(1.0, 2.0)], [0.7, 0.3])
    with mpmath.workdps(50):
        below = lambda x: (  # noqa: E731
            mpmath.mpf(0.7) * mpmath.ncdf(x) + mpmath.mpf(0.3) * mpmath.ncdf((mpmath.mpf(x) - 1) / 2)
        )
        for x in (-60.0, -8.0, 0.5):
            assert float(p.log_cdf(x)) == pytest.approx(float(mpmath.log(below(x))), rel=1e-14)
            above = mpmath.mpf(0.7) * mpmath.ncdf(x) + mpmath.mpf(0.3) * mpmath.ncdf((mpmath.mpf(x) + 1) / 2)
            assert float(p.log_sf(-x)) == pytest.approx(float(mpmath.log(above)), rel=1e-14)
    assert float(p.log_cdf(12.0)) == pytest.approx(-0.3 * float(sf.Normal(1.0, 2.0).sf(12.0)), rel=1e-12)


def test_mixture_in_batches():
    """Weights and components in batches; weights of 0 leave a component out; gradients pass."""
    weights = np.array([[0.1, 0.9], [0.0, 1.0], [0.5, 0.5]])
    p = sf.Mixture(sf.Normal(np.array([0.0, 4.0]), 1.0), weights)
    assert p.batch_shape == (3,)
    x = np.linspace(-2.0, 6.0, 5)[:, None]
    np.testing.assert_allclose(p.log_prob(x)[:, 1], sf.Normal(4.0, 1.0).log_prob(x)[:, 0], rtol=1e-14)
    np.testing.assert_allclose(p.mean(), weights @ [0.0, 4.0], rtol=1e-14)
    assert p.sample((7,), rng=0).shape == (7, 3)
    assert p.entropy().shape == p.mode().shape == (3,)
    again = jax.vmap(lambda w: sf.Mixture(sf.Normal(jnp.array([0.0, 4.0]), 1.0), w).icdf(0.3))(weights)
    np.testing.assert_allclose(again, p.icdf(0.3), rtol=1e-13)
    slope = jax.grad(lambda w: sf.Mixture(sf.Normal(jnp.array([0.0, 4.0]), 1.0), jax.nn.softmax(w)).log_prob(1.0))
    assert np.all(np.isfinite(slope(jnp.zeros(2))))


def test_mixture_of_vectors():
    """A mixture of multivariate normals: moments of draws, responsibilities, no order."""
    p = sf.Mixture(
        [sf.MultivariateNormal([0.0, 0.0], np.eye(2)), sf.MultivariateNormal([3.0, 1.0], 0.5 * np.eye(2))], [0.4, 0.6]
    )
    draws = np.asarray(p.sample(40_000, rng=2))
    assert np.all(np.abs(draws.mean(0) - p.mean()) <= 6.2 * np.asarray(p.stddev()) / 200)
    np.testing.assert_allclose(np.cov(draws.T), p.covariance(), atol=0.1)
    each = np.stack(
        [scipy.stats.multivariate_normal(m, s).pdf(draws[:9]) for m, s in (([0, 0], 1.0), ([3, 1], 0.5))], 1
    )
    joint = each * [0.4, 0.6]
    np.testing.assert_allclose(p.prob(draws[:9]), joint.sum(1), rtol=1e-12)
    np.testing.assert_allclose(p.responsibilities(draws[:9]), joint / joint.sum(1, keepdims=True), rtol=1e-11)
    with pytest.raises(sf.DoesNotExistError, match="not ordered"):
        p.cdf(0.0)


@pytest.mark.parametrize(
    ("components", "weights", "message"),
    [
        ([sf.Normal(), sf.Poisson(1.0)], [0.5, 0.5], "must all be continuous or all discrete"),
        ([sf.Normal()], [0.5, 0.5], "as many as the components, 1, got 2"),
        (sf.Normal(), [1.0], "or one with a batch axis"),
        ([sf.Normal(), sf.Normal()], [0.5, 0.6], "summing to 1"),
    ],
)
def test_mixture_refuses(components, weights, message):
    """Errors say what does not go together."""
    with pytest.raises(ValueError, match=message):
        sf.Mixture(components, weights)


def test_independent():
    """Members along the last batch axis become one vector; again, a matrix."""
    p = sf.Independent(sf.Normal(loc=np.arange(3.0), scale=2.0))
    x = np.asarray(p.sample((50_000,), rng=0))
    expected = scipy.stats.norm(np.arange(3.0), 2.0)
    np.testing.assert_allclose(p.log_prob(x[:20]), expected.logpdf(x[:20]).sum(-1), rtol=1e-13)
    np.testing.assert_allclose(p.covariance(), 4.0 * np.eye(3))
    assert float(p.entropy()) == pytest.approx(expected.entropy().sum(), rel=1e-14)
    assert np.all(np.abs(x.mean(0) - np.arange(3.0)) <= 6.2 * 2.0 / np.sqrt(len(x)))
    batch = sf.Independent(sf.Gamma(np.ones((5, 3)), 2.0))
    assert (batch.batch_shape, batch.event_shape, batch.log_prob(np.ones((4, 1, 3))).shape) == ((5,), (3,), (4, 5))
    assert float(batch.log_prob(np.array([1.0, -1.0, 1.0]))[0]) == -np.inf
    matrix = sf.Independent(sf.Independent(sf.Normal(np.zeros((2, 3)), 1.0)))
    assert (matrix.event_shape, matrix.log_prob(np.zeros((7, 2, 3))).shape) == ((2, 3), (7,))
    with pytest.raises(ValueError, match="batch axis"):
        sf.Independent(sf.Normal())


def test_product():
    """Parts of different kinds side by side: densities, moments and entropies add up as independence says."""
    normal = sf.MultivariateNormal([1.0, 2.0], [[2.0, 0.5], [0.5, 1.0]])
    p = sf.Product([sf.Gamma(2.0, 1.0), normal, sf.Poisson(3.0)])
    x = np.asarray(p.sample((9,), rng=4))
    assert p.event_shape == (4,)
    joint = sf.Gamma(2.0, 1.0).log_prob(x[:, 0]) + normal.log_prob(x[:, 1:3]) + sf.Poisson(3.0).log_prob(x[:, 3])
    np.testing.assert_allclose(p.log_prob(x), joint, rtol=1e-14)
    np.testing.assert_allclose(p.mean(), [2.0, 1.0, 2.0, 3.0], rtol=1e-15)
    expected = scipy.linalg.block_diag([[2.0]], [[2.0, 0.5], [0.5, 1.0]], [[3.0]])
    np.testing.assert_allclose(p.covariance(), expected, rtol=1e-14, atol=1e-15)
    parts = (sf.Gamma(2.0, 1.0), normal, sf.Poisson(3.0))
    assert float(p.entropy()) == pytest.approx(sum(float(part.entropy()) for part in parts), rel=1e-13)
    assert float(p.log_prob([1.0, 0.0, 0.0, 0.5])) == -np.inf
    with pytest.raises(TypeError, match="list of distributions"):
        sf.Product(sf.Normal())
