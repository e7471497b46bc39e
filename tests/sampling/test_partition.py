"""log Z by bridge, annealing and thermodynamic integration: within errors, and the errors are what errors are.

Standardised errors of 60 runs: their squares sum to a chi-square within 1e-9 a side.
"""

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
import scipy.stats

import suffice as sf

TRUE = 2.0 * np.log(scipy.special.gamma(0.25) / np.sqrt(2.0)) + 3.0
BASE = sf.Independent(sf.Normal(np.zeros(2), 1.2))
KERNEL = sf.RandomWalk(step_size=1.0)


def quartic(x):
    return 3.0 - 0.25 * jnp.sum(x**4)


def exact(shape, seed):
    return np.asarray(sf.from_density(lambda x: -0.25 * x**4).sample((*shape, 2), rng=seed))


DRAWS = exact((60, 2, 500), 0)


def bridge(i):
    return sf.bridge_sampling(quartic, DRAWS[i], BASE, rng=i)


def fitted_bridge(i):
    return sf.bridge_sampling(quartic, DRAWS[i], rng=i)


def annealed(i):
    return sf.annealed_importance(quartic, BASE, KERNEL, n=300, temperatures=20, rng=i)


def both_ways(i):
    return sf.annealed_importance(
        quartic, BASE, KERNEL, n=300, temperatures=20, draws=DRAWS[i].reshape(-1, 2)[:300], rng=i
    )


def thermodynamic(i):
    return sf.thermodynamic_integration(quartic, BASE, KERNEL, n=300, temperatures=20, rng=i)


@pytest.mark.parametrize("method", [bridge, fitted_bridge, annealed, both_ways, thermodynamic])
def test_errors_are_calibrated(method):
    found = [method(i) for i in range(60)]
    z = np.array([(e.value - TRUE) / e.standard_error for e in found])
    assert scipy.stats.chi2.ppf(1e-9, 60) <= np.square(z).sum() <= scipy.stats.chi2.isf(1e-9, 60)
    assert np.mean([e.standard_error for e in found]) < 0.1


def test_the_way_back_helps():
    """Both ways have less error than one."""
    assert both_ways(0).standard_error < annealed(0).standard_error


WIDE = sf.Independent(sf.Normal(np.zeros(2), 4.0))
SLOW = sf.RandomWalk(step_size=0.1)


def test_particles_that_lag_behind_are_weighted():
    """One small step at each β: plain means of U would be off by more than 0.3; weighted, 60 errors are calibrated."""
    found = [sf.thermodynamic_integration(quartic, WIDE, SLOW, n=300, steps=1, rng=i) for i in range(60)]
    z = np.array([(e.value - TRUE) / e.standard_error for e in found])
    assert scipy.stats.chi2.ppf(1e-9, 60) <= np.square(z).sum() <= scipy.stats.chi2.isf(1e-9, 60)
    assert np.median([e.standard_error for e in found]) < 0.3


def test_weights_that_are_few_are_told():
    """From a base far too narrow the last weights have a tail with a Pareto k above 0.7, and both ways of using them say so."""
    narrow = sf.Independent(sf.Normal(np.zeros(2), 0.1))
    for estimate in (sf.annealed_importance, sf.thermodynamic_integration):
        assert estimate(quartic, narrow, SLOW, temperatures=10, steps=1, rng=0).pareto_k > 0.7


def test_correlated_draws_have_larger_errors():
    """A first-order autoregression of correlation 0.95: errors of the bridge are calibrated still, those without are not."""
    rng = np.random.default_rng(3)
    z = []
    for i in range(40):
        noise = rng.normal(size=(4, 1000, 1))
        x = np.empty_like(noise)
        x[:, 0] = noise[:, 0]
        for t in range(1, 1000):
            x[:, t] = 0.95 * x[:, t - 1] + np.sqrt(1 - 0.95**2) * noise[:, t]
        e = sf.bridge_sampling(standard, x, sf.Independent(sf.Normal(np.zeros(1), 1.5)), n=20_000, rng=i)
        z.append((e.value - 0.5 * np.log(2 * np.pi)) / e.standard_error)
    assert scipy.stats.chi2.ppf(1e-9, 40) <= np.square(z).sum() <= scipy.stats.chi2.isf(1e-9, 40)


def standard(x):
    return -0.5 * jnp.sum(x**2)


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"draws must have shape \(chains, draws, …\) with at least 8"):
        sf.bridge_sampling(quartic, np.zeros((2, 3, 2)), BASE, rng=0)
    with pytest.raises(ValueError, match="covariance of the draws is singular"):
        sf.bridge_sampling(quartic, np.zeros((2, 30, 2)), rng=0)
    with pytest.raises(ValueError, match="do not overlap"):
        sf.bridge_sampling(
            lambda x: jnp.where(x[0] > 0, standard(x), -jnp.inf),
            np.abs(exact((2, 50), 1)),
            sf.Independent(sf.Normal(np.full(2, -50.0), 1.0)),
            rng=0,
        )
    with pytest.raises(ValueError, match="temperatures must rise from 0 to 1"):
        sf.annealed_importance(quartic, BASE, KERNEL, temperatures=[0.0, 0.5], rng=0)
    for estimate in (sf.annealed_importance, sf.thermodynamic_integration):
        with pytest.raises(TypeError, match=r"kernel must be settings of one kernel .* got Gibbs"):
            estimate(lambda x: -(x**2), sf.Normal(), sf.Gibbs({"x": sf.Slice()}), rng=0)
    with pytest.raises(ValueError, match="n must be an integer of at least 25, got 2"):
        sf.thermodynamic_integration(quartic, BASE, KERNEL, n=2, rng=0)
    with pytest.raises(ValueError, match=r"draws must have shape \(m, …\)"):
        sf.annealed_importance(quartic, BASE, KERNEL, draws=np.zeros((5, 3)), rng=0)
    x = np.random.default_rng(0).normal(size=(2, 50, 2))
    with pytest.raises(ValueError, match="n must be an integer of at least 8, got 0"):
        sf.bridge_sampling(quartic, x, n=0, rng=0)
    with pytest.raises(ValueError, match=r"proposal must have draws like those of p, \(2,\), got \(\)"):
        sf.bridge_sampling(quartic, x, sf.Normal(), rng=0)
    for estimate in (sf.annealed_importance, sf.thermodynamic_integration):
        with pytest.raises(ValueError, match="n must be an integer of at least 25, got 1000"):
            estimate(quartic, BASE, KERNEL, n=1e3, rng=0)
        with pytest.raises(ValueError, match=r"base must have real draws, .* got int64"):
            estimate(lambda k: -1.0 * k, sf.Poisson(3.0), KERNEL, rng=0)
    with pytest.raises(ValueError, match="n must be an integer of at least 10, got 1000"):
        sf.sequential_monte_carlo(quartic, BASE, n=1e3, rng=0)
    with pytest.raises(ValueError, match=r"base must have real draws, .* got int64"):
        sf.sequential_monte_carlo(lambda k: -1.0 * k, sf.Poisson(3.0), rng=0)
