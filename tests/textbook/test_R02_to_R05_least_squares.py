"""R2 to R5: maximum likelihood is least squares; what the bias does; beta_ML; the fit is a projection (Bishop 3.10 to 3.21)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf

RNG = np.random.default_rng(21)


def sample(n=25):
    x = RNG.uniform(0.0, 1.0, n)
    return x, np.sin(2 * np.pi * x) + 0.3 * RNG.normal(size=n)


def test_the_likelihood_is_flat_at_the_fit():
    """3.12, 3.14: the gradient of Σ log Normal(t | w'phi, 1/beta) in w and beta is 0, and the fit's likelihood is that sum."""
    x, t = sample()
    fit = sf.LinearBasisModel(sf.Gaussian(4)).fit(x, t)
    phi = jnp.asarray(np.column_stack([np.ones(25), fit.design.basis.columns(fit.design.inputs(x)).hi]))

    def log_likelihood(w, beta):
        return sf.Normal(phi @ w, beta**-0.5).log_prob(t).sum()

    at = jnp.asarray(fit.weights), jnp.asarray(fit.noise_precision)
    slopes = jax.grad(log_likelihood, argnums=(0, 1))(*at)
    assert np.abs(np.asarray(slopes[0])).max() < 1e-8
    assert abs(float(slopes[1])) < 1e-9
    assert fit.log_likelihood == pytest.approx(float(log_likelihood(*at)), rel=1e-12)


def test_the_bias_compensates_the_means():
    """3.19: w_0 = mean of t − Σ w_j mean of phi_j; shifts of inputs and targets change nothing else."""
    x, t = sample()
    basis = sf.Polynomial(3)
    fit = sf.LinearBasisModel(basis).fit(x, t)
    assert fit.weights[0] == pytest.approx(t.mean() - fit.weights[1:] @ basis(x).mean(0), rel=1e-12)
    line, far = sf.LinearBasisModel().fit(x, t), sf.LinearBasisModel().fit(x - 0.5, t + 1024.0)
    assert far.weights[1] == pytest.approx(line.weights[1], rel=1e-12)
    assert far.weights[0] == pytest.approx(1024.0 + line.predict(np.array([0.5]))[0], rel=1e-14)


def test_noise_precision():
    """3.21, and its bias: over 4,000 samples of 10 rows the unbiased variance has mean 1, beta_ML's has 8/10; 6 errors."""
    x, t = sample()
    fit = sf.LinearBasisModel().fit(x, t)
    assert 1 / fit.noise_precision == pytest.approx(((t - fit.predict(x)) ** 2).mean(), rel=1e-12)
    many = sf.LinearBasisModel().fit(x[:10], RNG.normal(size=(10, 4000)))
    error = np.sqrt(2 / 8 / 4000)
    assert abs(many.residual_variance.mean() - 1.0) < 6 * error
    assert abs((1 / many.noise_precision).mean() - 0.8) < 6 * 0.8 * error


def test_the_fit_is_a_projection():
    x, t = sample()
    fit = sf.LinearBasisModel(sf.Chebyshev(4)).fit(x, t)
    hat, rows = fit.hat_matrix(x), fit.diagnostics(x, t)
    assert np.allclose(hat, hat.T)
    assert np.allclose(hat @ hat, hat)
    assert np.trace(hat) == pytest.approx(5.0)
    assert np.allclose(hat @ t, fit.predict(x))
    assert abs(rows.residuals @ rows.fitted) < 1e-12
    assert (rows.leverage >= 1 / 25 - 1e-12).all()
