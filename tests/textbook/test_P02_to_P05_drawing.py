"""P2 to P5: inversion, the tangent of a uniform angle and rejection under it, polar Box–Muller, y = mu + L z.

Exactness by the band of Dvoretzky, Kiefer, Wolfowitz and Massart: P(sup |F_n − F| > e) <= 2 exp(−2 n e²), 1e-9 here.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import suffice as sf
from suffice.numerics import variates

COUNT = 1_000_000


def follows(draws, p):
    """Whether the empirical distribution function stays inside the band around that of p."""
    x = np.sort(np.asarray(draws))
    f = np.asarray(p.cdf(x))
    steps = np.arange(len(x) + 1) / len(x)
    gap = max(np.max(steps[1:] - f), np.max(f - steps[:-1]))
    return gap <= np.sqrt(np.log(2.0 / 1e-9) / (2.0 * len(x)))


@pytest.mark.parametrize("p", [sf.Exponential(2.0), sf.Gumbel(), sf.Weibull(0.7, 2.0)], ids=lambda p: type(p).__name__)
def test_p2_inversion_of_a_quantile_function(p):
    """F⁻¹ of uniform variates follows F: the formula itself, and its table."""
    assert follows(p.icdf(variates.uniform(jax.random.key(1), (COUNT,))), p)
    assert follows(sf.inverse_transform(p).sample(COUNT, rng=1), p)


def test_p2_inversion_of_a_density_alone():
    """From an unnormalised density, normalised and inverted numerically."""
    p = sf.from_density(lambda x: -jnp.cosh(x))  # no distribution function in closed form
    assert follows(p.sample(COUNT, rng=2), p)
    assert follows(sf.inverse_transform(p).sample(COUNT, rng=3), p)
    inner = scipy.integrate.quad(lambda x: np.exp(-np.cosh(x)), -7.0, 0.7)[0]
    whole = scipy.integrate.quad(lambda x: np.exp(-np.cosh(x)), -7.0, 7.0)[0]
    assert float(p.cdf(0.7)) == pytest.approx(inner / whole, rel=1e-9)


def test_p3_the_tangent_is_cauchy_and_an_envelope_of_the_gamma():
    """tan of a uniform angle is Cauchy; scaled and shifted, b tan + c, it covers the gamma of shape a (Bishop 11.1.2).

    With b² = 2a − 1, c = a − 1 the acceptance rate is Z/k; the accepted draws follow the gamma.
    """
    key = jax.random.key(3)
    angle = jnp.pi * (variates.uniform(key, (COUNT,)) - 0.5)
    assert follows(jnp.tan(angle), sf.Cauchy())
    a = 3.7
    envelope = sf.Cauchy(a - 1.0, np.sqrt(2.0 * a - 1.0))
    found = sf.rejection(sf.Gamma(a, 1.0).log_prob, envelope, COUNT, rng=4)
    assert follows(found.draws, sf.Gamma(a, 1.0))
    rate = np.exp(-found.log_bound)
    assert abs(found.acceptance.value - rate) <= 6.2 * np.sqrt(rate * (1 - rate) / found.proposals)
    assert abs(found.log_normaliser.value) <= 6.2 * found.log_normaliser.standard_error


def test_p4_polar_box_muller():
    """Both of each pair are standard normal, and independent: the cells of a 16 x 16 grid of equal mass are even."""
    pairs = np.asarray(sf.box_muller(COUNT, rng=4))
    assert follows(pairs[:, 0], sf.Normal())
    assert follows(pairs[:, 1], sf.Normal())
    cells = np.floor(16.0 * np.asarray(sf.Normal().cdf(pairs))).astype(int)
    seen = np.bincount(16 * cells[:, 0] + cells[:, 1], minlength=256)
    statistic = ((seen - COUNT / 256.0) ** 2 / (COUNT / 256.0)).sum()
    assert scipy.stats.chi2.sf(statistic, 255) > 1e-9


def test_p5_mean_and_factor():
    """mu + L z has the mean and covariance it should, also where the covariance is singular."""
    rng = np.random.default_rng(5)
    root = rng.normal(size=(4, 2))
    for covariance in (root @ root.T + np.eye(4), root @ root.T):
        p = sf.MultivariateNormal(rng.normal(size=4), covariance)
        x = np.asarray(p.sample(200_000, rng=6))
        direction = rng.normal(size=4)
        along = sf.Normal(direction @ np.asarray(p.loc), np.sqrt(direction @ covariance @ direction))
        assert follows(x @ direction, along)
        deviation = np.sqrt((covariance**2 + np.outer(np.diag(covariance), np.diag(covariance))) / len(x))
        assert np.all(np.abs(np.cov(x.T) - covariance) <= 6.2 * deviation)  # false alarm 6e-10 each
    # draws of the singular one stay on its plane
    null = np.linalg.svd(root.T)[2][2:]
    assert np.abs(null @ (x - np.asarray(p.loc)).T).max() < 1e-12
