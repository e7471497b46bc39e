"""L27: densities above one, and the thin shell on which high-dimensional normals live."""

import numpy as np
import pytest

import suffice as sf


def test_a_density_may_exceed_one():
    """A narrow normal's density is 40 at its mean; its integral is 1 all the same."""
    p = sf.Normal(0.0, 0.01)
    assert float(p.prob(0.0)) == pytest.approx(39.894228040143, rel=1e-12)
    assert float(p.cdf(1.0) - p.cdf(-1.0)) == 1.0


@pytest.mark.parametrize("d", [1, 10, 100, 10_000])
def test_norms_gather_at_the_root_of_the_dimension(d):
    """|x| of x ~ N(0, I) has the chi distribution: mean √d − O(1/√d), deviation below 0.71 for every d."""
    p = sf.Chi(float(d))
    assert abs(float(p.mean()) - np.sqrt(d)) < 0.26 / np.sqrt(d)
    assert float(p.stddev()) < 0.7072
    x = np.asarray(sf.Independent(sf.Normal(np.zeros(d), 1.0)).sample((2_000,), rng=d))
    z = (np.linalg.norm(x, axis=1).mean() - float(p.mean())) / (float(p.stddev()) / np.sqrt(2_000.0))
    assert abs(z) < 6.2  # false alarm 6e-10
    # the densest point is the centre, near which there is next to nothing
    if d >= 100:
        assert float(p.cdf(0.5 * np.sqrt(d))) < 1e-8


def test_the_maximum_likelihood_variance_is_too_small():
    """E[s²] = (n − 1)/n σ² with divisor n: over 20,000 samples of 5 (|z| < 6.2)."""
    x = np.asarray(sf.Normal(3.0, 2.0).sample((20_000, 5), rng=1))
    s = x.var(axis=1)
    assert abs(s.mean() - 0.8 * 4.0) < 6.2 * s.std() / np.sqrt(len(s))


def test_uncorrelated_is_not_independent():
    """x and x² of a standard normal have correlation 0, and each tells the other but for a sign."""
    x = np.asarray(sf.Normal().sample(100_000, rng=2))
    assert abs((x * (x**2 - 1.0)).mean()) < 6.2 * (x * (x**2 - 1.0)).std() / np.sqrt(len(x))
    assert np.corrcoef(np.abs(x), x**2)[0, 1] > 0.9
