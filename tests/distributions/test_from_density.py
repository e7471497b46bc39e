"""Distributions known by their density alone."""

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import suffice as sf

Q = np.array([1e-200, 1e-100, 1e-10, 0.02, 0.3, 0.49])
CASES = [
    pytest.param(lambda x: -0.5 * x**2, {}, sf.Normal(), id="normal"),
    pytest.param(lambda x: -0.5 * ((x - 1000.0) / 0.01) ** 2, {"centre": 1000.0}, sf.Normal(1000.0, 0.01), id="narrow"),
    pytest.param(lambda x: -2.0 * jnp.log(jnp.hypot(1.0, x)), {}, sf.Cauchy(), id="heavy"),
    pytest.param(lambda x: -0.7 * jnp.log(x) - x, {"lower": 0.0}, sf.Gamma(0.3, 1.0), id="infinite at 0"),
    pytest.param(
        lambda x: 2.0 * jnp.log(x) + 0.5 * jnp.log1p(-x), {"lower": 0.0, "upper": 1.0}, sf.Beta(3.0, 1.5), id="unit"
    ),
]


@pytest.mark.parametrize(("log_density", "ends", "truth"), CASES)
def test_tails_and_quantiles(log_density, ends, truth):
    """As exact as rounding of x lets the density be, in both tails."""
    p = sf.from_density(log_density, **ends)
    for quantile, tail in (("icdf", "cdf"), ("isf", "sf")):
        x = np.asarray(getattr(truth, quantile)(Q))
        usable = (np.abs(x) < 1e250) & (np.asarray(getattr(truth, tail)(x)) > 0.0)  # quantiles that are numbers inside
        usable &= (np.abs(x) > 1e-250) if ends.get("lower") == 0.0 else True
        assert usable.sum() >= 3
        x, level = x[usable], Q[usable]
        kappa = 1.0 + np.abs(x) * np.exp(np.asarray(truth.log_prob(x) - getattr(truth, f"log_{tail}")(x)))
        error = np.abs(np.asarray(getattr(p, tail)(x)) / level - 1.0)
        assert np.all(error <= 2e-13 + 64 * 2.0**-52 * kappa)
        found = np.asarray(getattr(p, quantile)(Q))[usable]
        assert np.all(np.abs(found - x) <= 1e-12 * np.abs(x) * (1.0 + 1.0 / kappa))
    middle = float(truth.icdf(0.4))
    assert float(p.log_prob(middle)) == pytest.approx(float(truth.log_prob(middle)), abs=1e-11)
    draws = np.asarray(p.sample(20_000, rng=1))
    assert scipy.stats.kstest(draws, lambda x: np.asarray(truth.cdf(x))).pvalue > 1e-9


def test_two_peaks_and_a_normaliser():
    """The integral of an unnormalised density with two peaks, and moments from it."""
    p = sf.from_density(lambda x: jnp.logaddexp(-0.5 * (x + 3.0) ** 2, -0.5 * (x - 3.0) ** 2))
    assert float(p.log_normaliser) == pytest.approx(np.log(2.0 * np.sqrt(2.0 * np.pi)), abs=1e-12)
    assert float(p.mean()) == pytest.approx(0.0, abs=1e-9)
    assert float(p.variance()) == pytest.approx(10.0, rel=1e-9)


@pytest.mark.parametrize(
    ("log_density", "message"),
    [
        (lambda x: jnp.nan * x, "must be a number below infinity"),
        (lambda x: -jnp.inf + 0.0 * x, "wherever it was looked at"),
        (lambda x: 0.0 * x, "does not fall"),
        (lambda x: -jnp.abs(jnp.sin(1e9 * x)) * 30.0 - x**2, "too rough"),
    ],
)
def test_refusals(log_density, message):
    """What cannot be integrated is refused with a reason."""
    with pytest.raises(ValueError, match=message):
        sf.from_density(log_density)
