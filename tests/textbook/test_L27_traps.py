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


@pytest.mark.parametrize("towards", [0.0, "mean"])
@pytest.mark.parametrize("length", [0.0, 2.0, 10.0])
def test_james_stein_dominates_the_maximum_likelihood(towards, length):
    """For d = 5 the risk E|μ̂ − μ|² of x itself is 5, wherever μ lies; the shrunken means have a lower one.

    Paired over 50,000 draws: the mean gain is more than 6.2 of its errors above 0 (missed with probability below 6e-10
    where the gain is 12.4 errors, as it is here), and at μ = 0 the risk of the rule without the positive part is 2.
    """
    mu = length * np.array([1.0, -1.0, 1.0, 0.0, 2.0]) / np.sqrt(7.0)
    x = mu + np.asarray(sf.Normal().sample((50_000, 5), rng=27))
    shrunken = np.asarray(sf.james_stein(x, variance=1.0, towards=towards))
    gain = ((x - mu) ** 2).sum(1) - ((shrunken - mu) ** 2).sum(1)
    assert gain.mean() > 6.2 * gain.std() / np.sqrt(len(gain))
    if length == 0.0 and towards == 0.0:
        risk = ((shrunken - mu) ** 2).sum(1)
        assert risk.mean() < 2.0  # what is cut off only helps


def test_james_stein_with_an_estimated_variance():
    """The same with σ² from 6 observations of each of 8 means, over 400 data sets (|z| > 6.2 for the gain)."""
    data = np.asarray(sf.Normal(0.3, 2.0).sample((400, 6, 8), rng=28))
    gain = [((x.mean(0) - 0.3) ** 2).sum() - ((np.asarray(sf.james_stein(x)) - 0.3) ** 2).sum() for x in data]
    assert np.mean(gain) > 6.2 * np.std(gain) / np.sqrt(400)


def test_james_stein_by_hand():
    """m + (1 − (d − 2) σ²/|x − m|²)₊ (x − m), cut off at the point; the pooled variance has ν/(ν + 2) in front."""
    x = np.array([[3.0, 4.0, 0.0], [0.1, 0.2, 0.3]])
    np.testing.assert_allclose(sf.james_stein(x, variance=1.0), [[2.88, 3.84, 0.0], [0.0, 0.0, 0.0]], atol=1e-15)
    rows = np.array([[1.0, 2.0, 3.0, 6.0], [3.0, 2.0, 5.0, 8.0]])
    mean, squares = rows.mean(0), ((rows - rows.mean(0)) ** 2).sum()
    step = mean - mean.mean()
    known = mean.mean() + (1.0 - squares / 6.0 / 2.0 / (step**2).sum()) * step
    np.testing.assert_allclose(sf.james_stein(rows, towards="mean"), known, rtol=1e-14)
    for bad, message in [
        ({"data": [1.0, 2.0], "variance": 1.0}, "3 means or more"),
        ({"data": [1.0, 2.0, 3.0], "variance": 1.0, "towards": "mean"}, "4 means or more"),
        ({"data": [1.0, 2.0, 3.0]}, "two or more observations"),
        ({"data": [1.0, 2.0, 3.0], "variance": 0.0}, "variance must be > 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            sf.james_stein(**bad)
