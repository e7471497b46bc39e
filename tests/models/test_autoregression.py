"""Autoregressions by name against the joint normal of all values."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf
from suffice.runtime.errors import DataError


def joint(x):
    """log p(x) of what was seen, from mean, coefficients and variance: the covariance by the linear equation of Lyapunov."""
    seen = np.flatnonzero(np.isfinite(x))

    def value(u):
        p = len(u) - 2
        f = jnp.asarray(np.eye(p, k=-1)).at[0].set(u[1:-1])
        q = jnp.zeros((p, p)).at[0, 0].set(u[-1])
        state = jnp.linalg.solve(jnp.eye(p * p) - jnp.kron(f, f), q.ravel()).reshape(p, p)
        lags = [state[0, 0]]
        for _ in range(len(x) - 1):
            state = f @ state
            lags.append(state[0, 0])
        covariance = jnp.stack(lags)[np.abs(seen[:, None] - seen[None])]
        return sf.MultivariateNormal(jnp.full(len(seen), u[0]), covariance).log_prob(x[seen])

    return jax.jit(value)


@pytest.mark.parametrize("order", [1, 3])
def test_estimates_are_those_of_the_joint_normal(order):
    """Its gradient is 0 there to 1e-5 of a standard error, and its curvature gives the covariance to as much."""
    rng = np.random.default_rng(order)
    x = np.zeros(120)
    for t in range(1, 120):
        x[t] = 0.6 * x[t - 1] + rng.normal()
    x = 40.0 + 3.0 * x
    x[10:13] = np.nan
    fit = sf.fit_autoregression(x, order)
    assert fit.converged
    value, u = joint(x), jnp.array(list(fit.parameters.values()))
    np.testing.assert_allclose(fit.log_likelihood, value(u), rtol=1e-11)
    size = np.sqrt(np.diag(fit.covariance))
    assert np.abs(np.asarray(jax.grad(value)(u)) * size).max() < 1e-5
    expected = np.linalg.inv(-np.asarray(jax.hessian(value)(u)))
    np.testing.assert_allclose(fit.covariance / np.outer(size, size), expected / np.outer(size, size), atol=1e-5)
    np.testing.assert_allclose(fit.aic, -2.0 * float(value(u)) + 2.0 * (order + 2), rtol=1e-11)


def test_forecast_and_errors_by_hand():
    x = 5.0 + np.asarray(sf.StateSpaceModel([[0.8]], [[1.0]], [1.0], 0.0).sample(200, rng=0))
    fit = sf.fit_autoregression(x, 1)
    mean, phi, variance = fit.parameters.values()
    np.testing.assert_allclose(fit.coefficients, [phi])
    ahead = fit.forecast(3)
    np.testing.assert_allclose(ahead.loc, mean + phi ** np.arange(1, 4) * (x[-1] - mean), rtol=1e-12)
    spread = variance * np.array([1.0, 1.0 + phi**2, 1.0 + phi**2 + phi**4])
    np.testing.assert_allclose(np.asarray(ahead.scale) ** 2, spread, rtol=1e-11)
    errors = (x[1:] - mean - phi * (x[:-1] - mean)) / np.sqrt(variance)
    np.testing.assert_allclose(fit.residuals()[1:], errors, atol=1e-11)
    low, high = fit.interval(0.5)["variance"]
    assert low * high == pytest.approx(variance**2, rel=1e-12)


def test_bad_input():
    with pytest.raises(ValueError, match="order must be an integer >= 1, got 0"):
        sf.fit_autoregression([1.0, 2.0, 3.0], 0)
    with pytest.raises(DataError, match="too few"):
        sf.fit_autoregression([1.0, 2.0, 3.0], 2)
    with pytest.raises(DataError, match="constant"):
        sf.fit_autoregression(np.ones(20), 1)
    with pytest.raises(DataError, match="follows an autoregression of order 2 without noise"):
        sf.fit_autoregression(np.sin(np.arange(60.0)), 2)
    with pytest.raises(DataError, match="at time 1"):
        sf.fit_autoregression([1.0, np.inf, 2.0, 3.0, 4.0], 1)
    with pytest.raises(ValueError, match="level"):
        sf.fit_autoregression(np.random.default_rng(0).normal(size=20), 1).interval(1.0)
