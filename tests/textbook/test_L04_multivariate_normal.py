"""L4: the multivariate normal: densities, marginals and conditionals, estimates."""

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import suffice as sf

RNG = np.random.default_rng(4)


def random_normal(d, rng=None):
    rng = rng or RNG
    root = rng.normal(size=(d, d))
    return sf.MultivariateNormal(rng.normal(size=d), root @ root.T)


@pytest.mark.parametrize("d", [1, 2, 5, 20])
def test_density_and_mahalanobis_distance(d):
    """Against SciPy; the distance is the root of the quadratic form."""
    p = random_normal(d)
    x = RNG.normal(size=(50, d))
    np.testing.assert_allclose(p.log_prob(x), scipy.stats.multivariate_normal(p.loc, p.covariance()).logpdf(x), 1e-8)
    step = x - np.asarray(p.loc)
    square = np.einsum("ni,ij,nj->n", step, np.linalg.inv(p.covariance()), step)
    np.testing.assert_allclose(p.mahalanobis(x), np.sqrt(square), rtol=1e-8)


def test_a_factor_has_twice_the_range_of_conditions():
    """With condition number 1e20 the density from the Cholesky factor keeps its digits; the covariance has none left."""
    factor = np.array([[1.0, 0.0], [1.0, 1e-10]])
    p = sf.MultivariateNormal.from_cholesky([0.0, 0.0], factor)
    x = factor @ np.array([0.5, -2.0])
    expected = -0.5 * (0.25 + 4.0) - np.log(2.0 * np.pi) - np.log(1e-10)
    assert float(p.log_prob(x)) == pytest.approx(expected, rel=1e-6)  # x itself is rounded to 1e-16 of 1e-10


@pytest.mark.parametrize("seed", range(10))
def test_conditioning_never_increases_covariance(seed):
    """Schur complement against the formula; the difference to the marginal covariance is positive semidefinite."""
    rng = np.random.default_rng(seed)
    p = random_normal(6, rng)
    given, rest = [4, 1], [0, 2, 3, 5]
    values = rng.normal(size=2)
    conditional, covariance = p.conditional(given, values), np.asarray(p.covariance())
    a, b, c = covariance[np.ix_(rest, rest)], covariance[np.ix_(rest, given)], covariance[np.ix_(given, given)]
    np.testing.assert_allclose(conditional.covariance(), a - b @ np.linalg.solve(c, b.T), atol=1e-11)
    shift = b @ np.linalg.solve(c, values - np.asarray(p.loc)[given])
    np.testing.assert_allclose(conditional.loc, np.asarray(p.loc)[rest] + shift, atol=1e-9)
    marginal = p.marginal(rest)
    np.testing.assert_allclose(marginal.covariance(), a, atol=1e-12)
    gap = np.asarray(marginal.covariance()) - np.asarray(conditional.covariance())
    assert np.linalg.eigvalsh(gap).min() >= -1e-12
    # density = marginal times conditional
    x = rng.normal(size=6)
    whole = p.marginal(given).log_prob(x[given]) + p.conditional(given, x[given]).log_prob(x[rest])
    assert float(p.log_prob(x)) == pytest.approx(float(whole), abs=1e-8)


def test_maximum_likelihood():
    """Mean and covariance with divisor n; standard errors from the Wishart law; weights are repetitions."""
    x = np.asarray(random_normal(3).sample(500, rng=1))
    fit = sf.fit(sf.MultivariateNormal, x)
    np.testing.assert_allclose(fit.distribution.loc, x.mean(0), rtol=1e-13)
    np.testing.assert_allclose(fit.distribution.covariance(), np.cov(x.T, bias=True), rtol=1e-12)
    variance = fit.parameters["covariance[1,1]"]
    assert fit.standard_errors["covariance[1,1]"] == pytest.approx(variance * np.sqrt(2.0 / 500.0), rel=1e-12)
    weights = RNG.integers(1, 4, 500)
    doubled, repeated = (
        sf.fit(sf.MultivariateNormal, x, weights),
        sf.fit(sf.MultivariateNormal, np.repeat(x, weights, 0)),
    )
    np.testing.assert_allclose(doubled.distribution.covariance(), repeated.distribution.covariance(), rtol=1e-12)


def test_too_few_observations():
    """n <= d: the estimate is singular, which is said, and a shrunk estimate is offered, as good as it is told to be."""
    x = RNG.normal(size=(5, 8))
    with pytest.raises(sf.DataError, match=r"covariance of 8 numbers with rank 4.*sf.ledoit_wolf"):
        sf.fit(sf.MultivariateNormal, x)
    shrunk = sf.ledoit_wolf(x)
    assert np.linalg.cond(shrunk.covariance()) < 1e3
    error = lambda s: ((np.asarray(s) - np.eye(8)) ** 2).sum()  # noqa: E731
    assert error(shrunk.covariance()) < error(np.cov(x.T, bias=True))


def test_condition_number_is_reported():
    """A covariance of condition number over 1e10 says so."""
    z = RNG.normal(size=(400, 2))
    fit = sf.fit(sf.MultivariateNormal, np.column_stack([z[:, 0], z[:, 0] + 1e-6 * z[:, 1]]))
    assert fit.converged
    assert "the covariance has condition number" in fit.message
    assert "condition" not in sf.fit(sf.MultivariateNormal, z).message


def test_precision_and_images():
    """Built from a precision, seen through a matrix."""
    p = random_normal(4)
    again = sf.MultivariateNormal.from_precision(p.loc, p.precision())
    np.testing.assert_allclose(again.covariance(), p.covariance(), rtol=1e-7)
    a = RNG.normal(size=(2, 4))
    image = p.affine(a, [1.0, -1.0])
    np.testing.assert_allclose(image.covariance(), a @ np.asarray(p.covariance()) @ a.T, rtol=1e-12)
    np.testing.assert_allclose(image.loc, a @ np.asarray(p.loc) + np.array([1.0, -1.0]), rtol=1e-12)
    assert jnp.isnan(p.affine(np.ones((6, 4))).log_prob(np.zeros(6)))  # singular: there is no density
