"""L19: Louis' identity and the ideal likelihood of models with latent classes, from their complete likelihood."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf

X = np.concatenate([np.random.default_rng(19).normal(m, s, k) for m, s, k in [(-1.0, 1.0, 40), (2.0, 0.7, 60)]])
THETA = np.array([0.3, -0.8, 1.9, 0.1, -0.2])  # logit of the second weight, means, logarithms of deviations


def log_joint(theta, x, z):
    """log p(x, z) of two normals."""
    log_weight = jax.nn.log_softmax(jnp.stack([jnp.zeros(()), theta[0]]))[z]
    return log_weight + sf.Normal(theta[1 + z], jnp.exp(theta[3 + z])).log_prob(x)


def marginal(theta, w):
    """Σ w log Σ_z p(x, z)."""
    each = jax.vmap(lambda x: jax.nn.logsumexp(jnp.stack([log_joint(theta, x, z) for z in (0, 1)])))(jnp.asarray(X))
    return w @ each


@pytest.mark.parametrize("w", [np.ones(100), np.arange(100) % 4 + 0.0], ids=["plain", "weighted"])
def test_louis_identity(w):
    """The information is minus the second differences of the marginal log-likelihood.

    Central differences of its gradient with step h err by h² l⁗/6 + eps |l'|/h: 1e-8 of the largest entry at h = 1e-5.
    """
    information = np.asarray(sf.louis_information(log_joint, THETA, X, classes=2, weights=w))
    slope = jax.jit(jax.grad(lambda theta: marginal(theta, jnp.asarray(w))))
    h = 1e-5
    differences = np.array([np.asarray(slope(THETA + h * e) - slope(THETA - h * e)) / (2 * h) for e in np.eye(5)])
    np.testing.assert_allclose(information, -differences, rtol=0, atol=1e-8 * np.abs(information).max())


def test_missing_information_is_positive():
    """The complete information exceeds the observed one by a variance: of a sample with known classes by nothing."""
    apart = np.array([-80.0, -81.0, 90.0])
    theta = np.array([0.0, -80.5, 90.0, 0.0, 0.0])
    information = np.asarray(sf.louis_information(log_joint, theta, apart, classes=2))
    np.testing.assert_allclose(information[1:3, 1:3], np.diag([2.0, 1.0]), atol=1e-12)


def two_unit_normals(theta, x, z):
    return sf.Normal(theta[z], 1.0).log_prob(x) - jnp.log(2.0)


@pytest.mark.parametrize("w", [np.ones(100), np.arange(100) % 4 + 0.0], ids=["plain", "weighted"])
def test_the_ideal_likelihood_of_equal_normals_is_k_means(w):
    """With equal weights and deviations the ascent in blocks is Lloyd's: classes by distance, means of classes."""
    means = np.array([-1.0, 1.0])
    for _ in range(50):
        z = np.abs(X[:, None] - means).argmin(1)
        means = np.array([np.average(X[z == k], weights=w[z == k]) for k in (0, 1)])
    found = sf.ideal_likelihood(two_unit_normals, [-1.0, 1.0], X, classes=2, weights=w)
    assert found.converged
    assert np.all(found.classes == z)
    np.testing.assert_allclose(found.theta, means, rtol=1e-12)
    np.testing.assert_allclose(found.covariance, np.diag([1.0 / w[z == k].sum() for k in (0, 1)]), rtol=1e-12)
    value = (w * (sf.Normal().log_prob(X - means[z]) - np.log(2.0))).sum()
    assert float(found.log_likelihood) == pytest.approx(float(value), rel=1e-12)


def test_the_ideal_likelihood_without_a_maximum():
    """A class of one value with a free deviation has no largest likelihood: the search does not claim one."""
    found = sf.ideal_likelihood(log_joint, [0.0, 0.0, 50.0, 0.0, 0.0], np.append(X, 50.0), classes=2)
    assert not found.converged
    assert np.all(np.isnan(found.covariance))


def test_refusals():
    with pytest.raises(ValueError, match="theta must be a vector"):
        sf.louis_information(log_joint, 1.0, X, classes=2)
    with pytest.raises(ValueError, match="classes must be >= 1"):
        sf.louis_information(log_joint, THETA, X, classes=0)
    with pytest.raises(ValueError, match="one entry for each observation"):
        sf.louis_information(log_joint, THETA, X, classes=2, weights=[1.0])


def test_standard_errors_of_a_fitted_mixture():
    """What sf.fit_mixture tells is the inverse of the information above, taken to deviations by the delta method."""
    fit = sf.fit_mixture(sf.Normal, 2, X, starts=4)
    theta = np.array(
        [np.log(fit.weights[1] / fit.weights[0])]
        + [float(p.loc) for p in fit.components]
        + [float(np.log(p.scale)) for p in fit.components]
    )
    spread = np.linalg.inv(np.asarray(sf.louis_information(log_joint, theta, X, classes=2)))
    errors = np.sqrt(np.diagonal(spread))
    assert fit.standard_errors["weights[0]"] == pytest.approx(errors[0] * fit.weights[0] * fit.weights[1], rel=1e-7)
    for k in (0, 1):
        assert fit.standard_errors[f"components[{k}].loc"] == pytest.approx(errors[1 + k], rel=1e-7)
        scale = float(fit.components[k].scale)
        assert fit.standard_errors[f"components[{k}].scale"] == pytest.approx(errors[3 + k] * scale, rel=1e-7)
