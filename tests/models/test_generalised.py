"""Generalised linear models beside direct maximisation of the library's own densities; separation proved."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf
from suffice.runtime.errors import DataError

RNG = np.random.default_rng(21)
N = 150


def targets(name, mean):
    return {
        "Bernoulli": lambda: (RNG.uniform(size=N) < 1 / (1 + 1 / mean)).astype(float),
        "Poisson": lambda: RNG.poisson(mean).astype(float),
        "Gamma": lambda: RNG.gamma(2.0, mean / 2.0),
        "Exponential": lambda: RNG.exponential(mean),
        "InverseGaussian": lambda: RNG.wald(mean, 2.0),
        "Normal": lambda: np.log(mean) + RNG.normal(size=N),
        "NegativeBinomial": lambda: RNG.poisson(mean * RNG.gamma(2.0, 0.5, N)).astype(float),
    }[name]()


FAMILIES = {
    "Bernoulli": (sf.Bernoulli, lambda eta: sf.Bernoulli(eta)),
    "Poisson": (sf.Poisson, lambda eta: sf.Poisson(jnp.exp(eta))),
    "Gamma": (sf.Gamma, lambda eta: sf.Gamma(jnp.full_like(eta, 2.0), 2.0 * jnp.exp(-eta))),
    "Exponential": (sf.Exponential, lambda eta: sf.Exponential(jnp.exp(-eta))),
    "InverseGaussian": (sf.InverseGaussian, lambda eta: sf.InverseGaussian(jnp.exp(eta), jnp.full_like(eta, 2.0))),
    "Normal": (sf.Normal, lambda eta: sf.Normal(eta, jnp.ones_like(eta))),
    "NegativeBinomial": (
        sf.family(sf.NegativeBinomial, concentration=2.0),
        lambda eta: sf.NegativeBinomial(jnp.exp(eta), jnp.full_like(eta, 2.0)),
    ),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_maximum(name):
    """At the fit the score of the library's density is 0, and the errors are those of its expected information."""
    x = RNG.normal(size=(N, 2))
    eta = 0.3 + x @ [0.8, -0.5]
    t, offset = targets(name, np.exp(eta)), 0.1 * RNG.normal(size=N)
    family, law = FAMILIES[name]
    fit = sf.GeneralizedLinearModel(family).fit(x, t, offset=offset)
    assert fit.converged
    phi = jnp.asarray(np.column_stack([np.ones(N), x]))

    def log_likelihood(w):
        return law(phi @ w + offset).log_prob(t).sum()

    score = jax.grad(log_likelihood)(jnp.asarray(fit.weights))
    unit = fit.solution.weights_root @ fit.solution.weights_root.T
    assert np.abs(np.asarray(score)).max() * np.sqrt(np.diag(unit)).max() < 1e-7
    mu = np.asarray(fit.response.mean(np.asarray(phi) @ fit.weights + offset))
    height = fit.response.slope(np.asarray(phi) @ fit.weights + offset) ** 2 / fit.response.variance(mu)
    assert np.allclose(np.linalg.inv(np.asarray(phi).T @ (height[:, None] * np.asarray(phi))), unit, rtol=1e-6)
    best = fit.response.law(jnp.asarray(mu), fit.dispersion)
    assert fit.log_likelihood == pytest.approx(float(best.log_prob(t).sum()), rel=1e-12)
    assert np.allclose(best.mean(), mu, rtol=1e-12)
    assert np.allclose(best.variance(), fit.dispersion * fit.response.variance(mu), rtol=1e-10)
    assert np.allclose(fit.predict(x), fit.predictive(x).mean())
    low, high = fit.interval(0.95)
    assert np.allclose(high - low, 2 * 1.959963984540054 * fit.standard_errors)


def test_deviance_is_twice_the_likelihood_lost():
    x = RNG.normal(size=N)
    for family in (sf.Poisson, sf.Exponential):
        t = targets(family.__name__, np.exp(0.3 + 0.5 * x)) + (family is sf.Poisson)
        fit = sf.GeneralizedLinearModel(family).fit(x, t)
        whole = float(fit.response.law(jnp.asarray(t), 1.0).log_prob(t).sum())
        assert fit.deviance == pytest.approx(2 * (whole - fit.log_likelihood), rel=1e-9)


def test_normal_is_least_squares_and_shares_are_trials():
    x, often = RNG.normal(size=N), RNG.integers(1, 9, N)
    t = x + RNG.normal(size=N)
    fit, direct = sf.GeneralizedLinearModel(sf.Normal).fit(x, t, often), sf.LinearBasisModel().fit(x, t, often)
    assert np.allclose(fit.weights, direct.weights, rtol=1e-13)
    assert np.allclose(fit.standard_errors, direct.standard_errors, rtol=1e-12)
    wins = RNG.binomial(often, 0.4)
    shares = sf.GeneralizedLinearModel(sf.Bernoulli).fit(x, wins / often, often)
    rows = np.repeat(x, often), np.concatenate([[1] * w + [0] * (o - w) for w, o in zip(wins, often, strict=True)])
    single = sf.GeneralizedLinearModel(sf.Bernoulli).fit(*rows)
    assert np.allclose(shares.weights, single.weights, rtol=1e-9)
    assert np.allclose(shares.standard_errors, single.standard_errors, rtol=1e-9)
    assert shares.log_likelihood == pytest.approx(single.log_likelihood, rel=1e-12)


@pytest.mark.parametrize(
    ("family", "x", "t"),
    [
        (sf.Bernoulli, [1.0, 2.0, 3.0, 4.0], [0, 0, 1, 1]),  # complete
        (sf.Bernoulli, [1.0, 2.0, 2.0, 3.0], [0, 0, 1, 1]),  # but for a tie
        (sf.Bernoulli, [[1.0, 0.0], [2.0, 1.0], [3.0, 0.0], [3.0, 1.0], [4.0, 1.0]], [0, 0, 1, 0, 1]),
        (sf.Poisson, [0.0, 0.0, 1.0, 1.0], [0, 0, 1, 3]),
    ],
)
def test_separation_is_told(family, x, t):
    fit = sf.GeneralizedLinearModel(family).fit(x, t)
    assert not fit.converged
    assert fit.message.startswith("separated: the likelihood has no maximum, it rises for ever along the weights of")
    assert "x" in fit.message
    assert fit.message in repr(fit)


def test_overlap_is_not_separation():
    """Nearly separated data of large weights converge."""
    x = np.array([1.0, 2.0, 3.0, 3.01, 4.0, 5.0])
    fit = sf.GeneralizedLinearModel(sf.Bernoulli).fit(x, [0, 0, 1, 0, 1, 1])
    assert fit.converged
    assert fit.weights[1] > 2.0


def test_bad_data():
    model = sf.GeneralizedLinearModel
    with pytest.raises(DataError, match=r"whole numbers >= 0, got 1\.5 at row 2"):
        model(sf.Poisson).fit([1.0, 2.0], [1.0, 1.5])
    with pytest.raises(DataError, match="between 0 and 1, got 2 at row 1"):
        model(sf.Bernoulli).fit([1.0, 2.0], [2.0, 1.0])
    with pytest.raises(DataError, match="> 0, got 0"):
        model(sf.Gamma).fit([1.0, 2.0], [0.0, 1.0])
    with pytest.raises(ValueError, match="family must be one of Bernoulli, Poisson"):
        model(sf.Beta).fit([1.0, 2.0], [0.5, 0.6])
    with pytest.raises(ValueError, match="needs its concentration"):
        model(sf.NegativeBinomial).fit([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(DataError, match="depend on each other"):
        model(sf.Poisson).fit([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]], [1.0, 2.0, 3.0])
