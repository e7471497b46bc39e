"""Noise of its own law: maxima of the library's own densities, errors beside simulation, files however they are cut."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import scipy.integrate
import scipy.stats

import suffice as sf
from suffice.runtime.errors import DataError

RNG = np.random.default_rng(17)
N = 300
X = RNG.uniform(-1.0, 1.0, size=(N, 2))
PHI = np.column_stack([np.ones(N), X])
TAILS = 1.0 + X @ [2.0, -1.0] + 0.3 * RNG.standard_t(3.0, N)
SPREAD = 1.0 + X @ [2.0, -1.0] + np.exp(0.5 * (-1.0 + 1.5 * X[:, 0])) * RNG.normal(size=N)
MODELS = {
    "student": (sf.LinearBasisModel(noise="student_t"), TAILS),
    "df held": (sf.LinearBasisModel(noise=sf.StudentTNoise(4.0)), TAILS),
    "variance": (sf.LinearBasisModel(noise=sf.LogVariance(sf.Linear(0))), SPREAD),
}


def likelihood(name, t, g):
    def student(p):
        df = 4.0 if name == "df held" else p[4]
        zero = jnp.zeros(N)
        return (g * sf.StudentT(zero + df, PHI @ p[:3], scale=zero + p[3]).log_prob(t)).sum()

    def variance(p):
        return (g * sf.Normal(PHI @ p[:3], jnp.exp(0.5 * (p[3] + p[4] * X[:, 0]))).log_prob(t)).sum()

    return variance if name == "variance" else student


@pytest.mark.parametrize("name", MODELS)
def test_maximum(name):
    """The score of the library's density is 0, and the noise's errors are those of the information beside the weights."""
    model, t = MODELS[name]
    g = RNG.integers(0, 3, N)
    fit = model.fit(X, t, g)
    assert fit.converged, fit.message
    p = jnp.asarray(np.concatenate([fit.weights, fit.noise_parameters])[: 4 if name == "df held" else 5])
    value = likelihood(name, t, g)
    score, hessian = np.asarray(jax.grad(value)(p)), np.asarray(jax.hessian(value)(p))
    assert float(value(p)) == pytest.approx(fit.log_likelihood, rel=1e-12)
    errors = np.sqrt(np.diag(np.linalg.inv(-hessian)))
    assert np.abs(score * errors).max() < 1e-7
    if name == "variance":
        psi = np.column_stack([np.ones(N), X[:, 0]])
        assert np.allclose(
            fit.noise_errors, np.sqrt(np.diag(2.0 * np.linalg.inv(psi.T @ (g[:, None] * psi)))), rtol=1e-9
        )
        height = g * np.exp(-psi @ fit.noise_parameters)
        assert np.allclose(fit.covariance, np.linalg.inv(PHI.T @ (height[:, None] * PHI)), rtol=1e-9)
    else:
        own = np.sqrt(np.diag(np.linalg.inv(-hessian[3:, 3:])))
        assert np.allclose(fit.noise_errors[: len(own)], own, rtol=1e-6)
        s, df = fit.noise_parameters
        unit = np.linalg.inv(PHI.T @ (g[:, None] * PHI))
        assert np.allclose(fit.covariance, s**2 * (df + 3.0) / (df + 1.0) * unit, rtol=1e-9)
    assert np.allclose(fit.predictive(X).mean(), PHI @ fit.weights)
    assert fit.aic == pytest.approx(2.0 * len(p) - 2.0 * fit.log_likelihood)


def test_errors_of_student_weights_are_those_of_its_information():
    """The information of a location under Student's t by quadrature: (df + 1)/((df + 3) scale²)."""
    law = scipy.stats.t(4.0, 0.0, 2.0)
    value = scipy.integrate.quad(lambda r: (5.0 * r / (4.0 * 4.0 + r**2)) ** 2 * law.pdf(r), -np.inf, np.inf)[0]
    assert value == pytest.approx(5.0 / 7.0 / 4.0, rel=1e-8)


@pytest.mark.parametrize("name", ["student", "variance"])
def test_files_however_they_are_cut(name, tmp_path):
    model, t = MODELS[name]
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "t": t})
    frame.to_parquet(tmp_path / "data.parquet", row_group_size=70)
    want = model.fit(X, t)
    for rows in (50, 10_000):
        fit = model.fit(sf.scan_table(tmp_path / "data.parquet", batch_rows=rows), "t")
        assert (
            np.abs(fit.weights - want.weights) <= 1e-12 * np.maximum(np.abs(want.weights), want.standard_errors)
        ).all()
        assert np.allclose(fit.noise_parameters, want.noise_parameters, rtol=1e-9)
        assert np.allclose(fit.standard_errors, want.standard_errors, rtol=1e-9)


def test_outliers_count_little():
    t = 1.0 + X @ [2.0, -1.0] + 0.1 * RNG.normal(size=N)
    spoiled = t.copy()
    spoiled[:9] += 100.0
    fit = sf.LinearBasisModel(noise="student_t").fit(X, spoiled)
    clean = sf.LinearBasisModel().fit(X, t)
    assert fit.converged
    assert (np.abs(fit.weights - clean.weights) < 4.0 * clean.standard_errors).all()


def test_no_maximum_is_told():
    x = np.linspace(-1.0, 1.0, 50)
    even = np.sqrt(2.0) * np.cos(np.arange(50))  # bounded noise: no tails at all
    fit = sf.LinearBasisModel(noise="student_t").fit(x, x + even)
    assert not fit.converged
    assert "df tends to infinity" in fit.message
    assert np.allclose(fit.weights, sf.LinearBasisModel().fit(x, x + even).weights, rtol=1e-2)


def test_bad_noise():
    with pytest.raises(ValueError, match='noise must be "gaussian", "student_t"'):
        sf.LinearBasisModel(noise="cauchy")
    with pytest.raises(ValueError, match=r"StudentTNoise\.df must be > 0, got 0"):
        sf.StudentTNoise(0.0)
    with pytest.raises(ValueError, match="covariance is for Gaussian noise"):
        sf.LinearBasisModel(noise="student_t").fit(X, TAILS, covariance="HC3")
    with pytest.raises(ValueError, match="precisions is for Gaussian noise with one variance"):
        sf.LinearBasisModel(noise="student_t").fit([1.0, 2.0, 4.0], [1.0, 3.0, 2.0], precisions=np.ones(3))
    with pytest.raises(ValueError, match="of one target"):
        sf.LinearBasisModel(noise="student_t").fit(X, np.stack([TAILS, SPREAD], axis=1))


@pytest.mark.parametrize("noise", ["student_t", sf.LogVariance()])
def test_exact_fits_have_no_noise(noise):
    with pytest.raises(
        DataError, match="the model fits all 9 targets exactly: the likelihood has no maximum in the noise"
    ):
        sf.LinearBasisModel(noise=noise).fit(np.arange(9.0), 0.1 + 0.3 * np.arange(9.0))
