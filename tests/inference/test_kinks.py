"""Estimates at observations: locations where the density has a kink, peaks; against searches that know nothing of it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import suffice as sf
from suffice.inference.kinked import expected_covariance
from suffice.numerics.newton import AT_LIMIT

RNG = np.random.default_rng(60)
TRUTH = sf.AsymmetricLaplace(1.0, 2.0, 0.6)
X = np.asarray(TRUTH.sample((200,), rng=1))
W = RNG.integers(0, 4, 200).astype(float)


def searched(log_likelihood, starts):
    """The highest value that a simplex finds from several points."""
    options = {"maxiter": 4000, "xatol": 1e-10, "fatol": 1e-12}
    cost = lambda v: -log_likelihood(v)  # noqa: E731
    return max(-scipy.optimize.minimize(cost, v, method="Nelder-Mead", options=options).fun for v in starts)


def asymmetric_laplace(x, loc, scale, asymmetry):
    z = (x - loc) / scale
    fall = np.where(z > 0, asymmetry * z, -z / asymmetry)
    return -fall - np.log(scale * (asymmetry + 1.0 / asymmetry))


@pytest.mark.parametrize(
    "held",
    [
        {},
        {"asymmetry": 0.6},
        {"scale": 2.0},
        {"loc": 1.0},
        {"scale": 2.0, "loc": 1.0},
        {"scale": 2.0, "asymmetry": 0.6},
    ],
    ids=lambda held: " ".join(held) or "all free",
)
@pytest.mark.parametrize("weighted", [False, True])
def test_asymmetric_laplace(held, weighted):
    """No lower than a search finds; weights are repetitions; compiled code agrees."""
    target = sf.family(sf.AsymmetricLaplace, **held)
    w = W if weighted else np.ones(len(X))
    fit = sf.fit(target, X, W if weighted else None)
    names = [name for name in ("loc", "scale", "asymmetry") if name not in held]

    def log_likelihood(v):
        values = {n: u if n == "loc" else np.exp(u) for n, u in zip(names, v, strict=True)}
        return w @ asymmetric_laplace(X, **held, **values)

    starts = [
        [{"loc": q, "scale": np.log(2.0), "asymmetry": np.log(0.6)}[n] for n in names]
        for q in np.quantile(X, [0.1, 0.3, 0.5, 0.7])
    ]
    assert fit.converged
    assert float(fit.log_likelihood) == pytest.approx(w @ np.asarray(fit.distribution.log_prob(X)), rel=1e-13)
    assert float(fit.log_likelihood) == pytest.approx(searched(log_likelihood, starts), rel=1e-9)
    compiled = jax.jit(lambda x, w: sf.fit(target, x, w))(X, w)
    repeated = sf.fit(target, np.repeat(X, w.astype(int)))
    for other in (compiled, repeated):
        np.testing.assert_allclose(list(other.parameters.values()), list(fit.parameters.values()), rtol=1e-12)
        np.testing.assert_allclose(other.covariance, fit.covariance, rtol=1e-10)


def test_information_is_that_of_the_score():
    for p in (TRUTH, sf.AsymmetricLaplace(-3.0, 0.2, 4.0), sf.Laplace(1.0, 3.0)):
        np.testing.assert_allclose(p._information(), sf.fisher_information(p), rtol=1e-9, atol=1e-12)


def test_covariance_of_the_estimates():
    """(θ̂ − θ)' C⁻¹ (θ̂ − θ) is chi-squared with 3 degrees of freedom as n grows.

    The mean of 2000 is 3 with standard deviation √(6/2000): false alarms 1e-9, with 0.1 for terms of order 1/√n.
    """
    replicates, n = 2000, 4000
    x = TRUTH.sample((replicates, n), rng=7)
    fits = jax.jit(jax.vmap(lambda x: sf.fit(sf.AsymmetricLaplace, x).distribution))(x)
    error = jnp.stack([fits.loc - TRUTH.loc, fits.scale - TRUTH.scale, fits.asymmetry - TRUTH.asymmetry], -1)
    information = np.linalg.inv(expected_covariance(sf.family(sf.AsymmetricLaplace), TRUTH, np.asarray(float(n))))
    distances = np.einsum("ni,ij,nj->n", error, information, error)
    assert abs(distances.mean() - 3.0) < 6.2 * np.sqrt(6.0 / replicates) + 0.1


def test_all_observations_on_one_side():
    """The supremum is an exponential distribution from the smallest observation on, and is named."""
    x = RNG.exponential(2.0, 100)
    fit = sf.fit(sf.AsymmetricLaplace, x)
    assert not fit.converged
    assert np.isnan(fit.standard_errors["loc"])
    assert float(fit.log_likelihood) == pytest.approx(float(fit.limit.log_likelihood), rel=1e-12)
    assert "Exponential" in fit.message
    mirrored = sf.fit(sf.AsymmetricLaplace, -x)
    assert not mirrored.converged
    assert "exponential distribution below loc" in mirrored.message
    assert float(mirrored.log_likelihood) == pytest.approx(float(fit.log_likelihood), rel=1e-12)
    with pytest.raises(sf.DataError, match="all equal"):
        sf.fit(sf.AsymmetricLaplace, [2.0, 2.0])


@pytest.mark.parametrize("limit", [1.5, 4.0])
@pytest.mark.parametrize("kind", [sf.Laplace, sf.AsymmetricLaplace])
def test_censored(kind, limit):
    """Right-censored at a limit, with kinks at the values below it: no lower than a search finds."""
    data = sf.Data(left=np.minimum(X, limit), right=np.where(limit > X, X, np.inf))
    fit = sf.fit(kind, data)
    known, missed = X[limit > X], np.sum(limit <= X)

    def log_likelihood(v):
        loc, scale, asymmetry = v[0], np.exp(v[1]), np.exp(v[2]) if len(v) > 2 else 1.0
        z = (limit - loc) / scale
        below = np.log1p(-np.exp(min(z, 0.0) / asymmetry) * asymmetry**2 / (1.0 + asymmetry**2))
        log_sf = np.where(z < 0, below, -z * asymmetry - np.log1p(asymmetry**2))
        return asymmetric_laplace(known, loc, scale, asymmetry).sum() + missed * log_sf

    rest = [np.log(2.0), np.log(0.6)][: 1 if kind is sf.Laplace else 2]
    assert fit.converged or fit.result == AT_LIMIT
    best = searched(log_likelihood, [[q, *rest] for q in (-1.0, 0.4, 1.0, 1.5)])
    assert float(fit.log_likelihood) >= best - 1e-6
    assert all(error > 0.0 for error in fit.standard_errors.values()) == fit.converged


def test_limits_of_f():
    """Chi-squared over its degrees of freedom, as of a denominator without noise: the supremum is a limit."""
    x = np.asarray(sf.F(4.0, 1e6).sample((100,), rng=1))
    fit = sf.fit(sf.F, x)
    assert not fit.converged
    assert np.isnan(fit.standard_errors["df1"])
    assert "the limit is Gamma(df1/2, df1/2)" in fit.message
    half = fit.parameters["df1"] / 2.0
    assert float(fit.log_likelihood) == pytest.approx(float(sf.Gamma(half, half).log_prob(x).sum()), abs=1e-4)


# -- the peak of a triangle ------------------------------------------------------------------------------------------


def triangular(x, low, high, peak):
    if not low <= peak <= high or low > x.min() or high < x.max():
        return -1e9
    with np.errstate(divide="ignore", invalid="ignore"):
        height = np.where(x < peak, (x - low) / (peak - low), np.where(x > peak, (high - x) / (high - peak), 1.0))
        return np.log(2.0 * height / (high - low)).sum()


@pytest.mark.parametrize(
    ("truth", "n"), [((-1.0, 3.0, 0.5), 300), ((0.0, 1.0, 0.0), 50), ((0.0, 1.0, 1.0), 100), ((10.0, 20.0, 12.0), 6)]
)
def test_triangular(truth, n):
    """Peak at an observation, ends beyond all: no lower than a search finds; no standard errors."""
    x = np.asarray(sf.Triangular(*truth).sample((n,), rng=5))
    fit = sf.fit(sf.Triangular, x)

    def log_likelihood(v):
        return triangular(x, x.min() - np.exp(v[0]), x.max() + np.exp(v[1]), v[2])

    best = searched(log_likelihood, [[-2.0, -2.0, q] for q in np.quantile(x, np.linspace(0.0, 1.0, 9))])
    assert fit.converged
    assert not fit.regular
    assert fit.parameters["peak"] in x
    assert float(fit.log_likelihood) >= best - 1e-6
    assert np.isnan(fit.standard_errors["peak"])
    given = sf.fit(sf.family(sf.Triangular, low=truth[0], high=truth[1]), x)
    assert float(given.log_likelihood) == pytest.approx(max(triangular(x, *truth[:2], m) for m in x), rel=1e-12)


def test_triangular_needs_values_in_memory(monkeypatch):
    with pytest.raises(sf.DataError, match="the maximum of the likelihood is not inside"):
        sf.fit(sf.family(sf.Triangular, low=0.0, high=1.0), [0.5, 2.0])
    with pytest.raises(ValueError, match="not fitted inside compiled code"):
        jax.jit(lambda x: sf.fit(sf.Triangular, x).log_likelihood)(X)
    (tested,) = sf.rank(X, [sf.Triangular]).goodness_of_fit(top=1)
    assert "not refitted" in tested.reason
    monkeypatch.setattr("suffice.inference.observations.SMALL_SOURCE", 0)
    with pytest.raises(sf.DataError, match="known values in memory only"):
        sf.fit(sf.Triangular, sf.chunks(lambda: [X]))
