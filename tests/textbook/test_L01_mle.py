"""L1: every distribution gives density, cdf, sampling and MLE; the normal's MLE is the mean and the ddof=0 deviation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf

FAMILIES = {
    "normal": sf.Normal(3.0, 2.0),
    "log-normal": sf.LogNormal(0.5, 0.7),
    "exponential": sf.Exponential(2.0),
    "gamma": sf.Gamma(2.5, 0.5),
    "Weibull": sf.Weibull(1.7, 3.0),
    "beta": sf.Beta(2.0, 5.0),
    "logistic": sf.Logistic(-1.0, 0.5),
    "Gumbel": sf.Gumbel(1.0, 2.0),
    "Poisson": sf.Poisson(4.0),
    "geometric": sf.Geometric(0.3),
    "negative binomial": sf.NegativeBinomial(5.0, 1.5),
}


def test_normal_closed_form():
    """Row L1: the estimates are the mean and the deviation with divisor n, to rounding: eps times a sum's length."""
    x = np.random.default_rng(1).normal(5.0, 2.0, 1000)
    fit = sf.fit(sf.Normal, x)
    assert fit.parameters["loc"] == pytest.approx(x.mean(), rel=1000 * 2.0**-52)
    assert fit.parameters["scale"] == pytest.approx(x.std(ddof=0), rel=1000 * 2.0**-52)
    assert float(fit.log_likelihood) == pytest.approx(float(fit.distribution.log_prob(x).sum()), rel=1000 * 2.0**-52)


@pytest.mark.parametrize("name", FAMILIES)
def test_nothing_beats_the_estimate(name):
    """Row L1: at the estimate the likelihood is larger than at the truth and at 200 perturbations of any size.

    The slack is the rounding of a sum of 300 terms. No alarm is false: the maximum is a maximum for every sample.
    """
    truth = FAMILIES[name]
    x = np.asarray(truth.sample((300,), rng=4)).astype(float)
    fit = sf.fit(type(truth), x)
    assert fit.converged
    best = float(fit.distribution.log_prob(x).sum())
    slack = 300 * 2.0**-52 * (abs(best) + 300)
    assert best >= float(truth.log_prob(x).sum()) - slack

    rng = np.random.default_rng(2)
    point = fit.family.vector(fit.distribution)
    moves = rng.normal(size=(200, point.size)) * 10.0 ** rng.uniform(-5, 0, (200, 1))
    at = jax.jit(jax.vmap(lambda v: fit.family.build(v).log_prob(x).sum()))(np.asarray(point) + moves)
    assert np.all(np.asarray(at) <= best + slack)


@pytest.mark.parametrize("name", FAMILIES)
def test_draws_follow_the_cdf(name):
    """Row L1: the empirical distribution of 10,000 draws keeps within the band of Dvoretzky, Kiefer, Wolfowitz, Massart.

    P(sup |F_n − F| > e) <= 2 exp(−2 n e²), set to a false alarm of 1e-9.
    """
    p = FAMILIES[name]
    x = np.sort(np.asarray(p.sample((10_000,), rng=5)).astype(float))
    band = np.sqrt(np.log(2.0 / 1e-9) / (2.0 * len(x)))
    share = np.searchsorted(x, x, side="right") / len(x)
    assert np.max(np.abs(share - np.asarray(p.cdf(x)))) <= band


def test_density_is_the_slope_of_the_cdf():
    """Row L1: d cdf/dx = p, by automatic differentiation; the rounding is that of a few operations."""
    p, x = sf.Gamma(2.5, 0.5), jnp.linspace(0.1, 30.0, 50)
    slope = jax.vmap(jax.grad(lambda x: p.cdf(x)))(x)
    np.testing.assert_allclose(slope, p.prob(x), rtol=1e-13)
