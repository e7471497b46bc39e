"""L24: extended likelihood: in a normal mixed model the random unknowns are predicted by the BLUP."""

import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf


def mixed_model(seed=0, groups=6, each=5):
    rng = np.random.default_rng(seed)
    z = np.kron(np.eye(groups), np.ones((each, 1)))
    x = np.stack([np.ones(groups * each), rng.normal(size=groups * each)], axis=1)
    y = x @ [1.0, -2.0] + z @ rng.normal(0.0, 1.5, groups) + rng.normal(0.0, 0.7, groups * each)
    return x, y, z


def test_known_variances_give_the_blup_with_its_errors():
    """Henderson's equations: estimates, predictions and the covariance of prediction minus truth."""
    x, y, z = mixed_model()
    a, e = 1.5, 0.7

    def log_joint(beta, v):
        noise = y - jnp.asarray(x) @ beta - jnp.asarray(z) @ v
        return sf.Normal(0.0, e).log_prob(noise).sum() + sf.Normal(0.0, a).log_prob(v).sum()

    found = sf.extended_likelihood(log_joint, np.zeros(2), np.zeros(6))
    w = np.concatenate([x, z], axis=1)
    system = w.T @ w / e**2 + np.diag([0, 0, *[1 / a**2] * 6])
    solution = np.linalg.solve(system, w.T @ y / e**2)
    errors = np.linalg.inv(system)
    assert found.converged
    np.testing.assert_allclose(found.fixed, solution[:2], rtol=1e-10)
    np.testing.assert_allclose(found.random, solution[2:], rtol=1e-10)
    np.testing.assert_allclose(found.fixed_covariance, errors[:2, :2], rtol=1e-8)
    np.testing.assert_allclose(found.random_covariance, errors[2:, 2:], rtol=1e-8)
    v = a**2 * z @ z.T + e**2 * np.eye(len(y))
    exact = sf.MultivariateNormal(x @ solution[:2], v).log_prob(y)
    assert found.log_likelihood == pytest.approx(float(exact), rel=1e-12)


def test_unknown_variances_are_those_of_maximum_likelihood():
    """The joint maximum of the h-likelihood is where the marginal likelihood's gradient vanishes."""
    x, y, z = mixed_model(1, 8, 6)

    def log_joint(theta, v):
        noise = y - jnp.asarray(x) @ theta["beta"] - jnp.asarray(z) @ v
        return sf.Normal(0.0, theta["noise"]).log_prob(noise).sum() + sf.Normal(0.0, theta["spread"]).log_prob(v).sum()

    begin = {"beta": np.zeros(2), "noise": 1.0, "spread": 1.0}
    found = sf.extended_likelihood(log_joint, begin, np.zeros(8), {"noise": "positive", "spread": "positive"})
    assert found.converged

    def marginal(spread, noise):
        v = spread**2 * z @ z.T + noise**2 * np.eye(len(y))
        beta = np.linalg.solve(x.T @ np.linalg.solve(v, x), x.T @ np.linalg.solve(v, y))
        r = y - x @ beta
        return -0.5 * (np.linalg.slogdet(2 * np.pi * v)[1] + r @ np.linalg.solve(v, r))

    s, e = float(found.fixed["spread"]), float(found.fixed["noise"])
    best = marginal(s, e)
    assert found.log_likelihood == pytest.approx(best, rel=1e-11)
    for step in (1e-3, -1e-3):
        assert marginal(s * (1 + step), e) < best
        assert marginal(s, e * (1 + step)) < best
