"""Wasserstein and energy distances: closed forms, quadrature, SciPy on samples, exact assignment, bad input."""

import numpy as np
import pytest
import scipy.stats

import suffice as sf

RNG = np.random.default_rng(41)
X, Y = RNG.normal(size=60), RNG.gamma(2.0, size=85)
ROWS = RNG.normal(size=(40, 2)), RNG.normal(1.0, 2.0, size=(40, 2))


def test_samples_as_scipy():
    assert float(sf.wasserstein(X, Y)) == pytest.approx(scipy.stats.wasserstein_distance(X, Y), rel=1e-13)
    assert float(sf.energy_distance(X, Y)) == pytest.approx(scipy.stats.energy_distance(X, Y) ** 2, rel=1e-12)
    assert float(sf.energy_distance(X, Y)) == pytest.approx(sf.two_sample(X, Y, "energy").statistic, rel=1e-12)
    u, v = RNG.uniform(size=60), RNG.uniform(size=85)
    weighted = sf.Empirical(X, u), sf.Empirical(Y, v)
    assert float(sf.wasserstein(*weighted)) == pytest.approx(scipy.stats.wasserstein_distance(X, Y, u, v), rel=1e-12)
    assert float(sf.energy_distance(*weighted)) == pytest.approx(
        scipy.stats.energy_distance(X, Y, u, v) ** 2, rel=1e-11
    )
    # of order 2 and equally many the sorted values are paired
    z = RNG.normal(size=60)
    paired = np.sqrt(np.mean((np.sort(X) - np.sort(z)) ** 2))
    assert float(sf.wasserstein(X, z, 2)) == pytest.approx(paired, rel=1e-13)


def test_rows():
    """The exact assignment: no other pairing of a thousand random ones is cheaper; energy as its definition."""
    found = sf.wasserstein(*ROWS)
    assert found.how == "exact assignment"
    lengths = np.linalg.norm(ROWS[0][:, None] - ROWS[1][None], axis=-1)
    others = [lengths[np.arange(40), RNG.permutation(40)].mean() for _ in range(1000)]
    assert float(found) < min(others)
    assert float(sf.wasserstein(ROWS[0], ROWS[0][::-1] + np.array([3.0, 4.0]))) == pytest.approx(5.0, rel=1e-12)
    within = [np.linalg.norm(v[:, None] - v[None], axis=-1).mean() for v in ROWS]
    assert float(sf.energy_distance(*ROWS)) == pytest.approx(2.0 * lengths.mean() - sum(within), rel=1e-12)


def test_laws_with_known_distances():
    p, q = sf.Normal(0.3, 1.2), sf.Normal(-0.5, 2.0)
    assert float(sf.wasserstein(p, q, 2)) == pytest.approx(np.hypot(0.8, 0.8), rel=1e-14)
    folded = scipy.stats.foldnorm.mean(1.0, scale=0.8)
    assert float(sf.wasserstein(p, q)) == pytest.approx(folded, rel=1e-13)
    # that of distribution functions and of quantiles is the same; exponentials are stretched, uniforms moved
    slow = sf.wasserstein(sf.Exponential(2.0), sf.Exponential(0.5))
    assert slow.how == "quadrature"
    assert float(slow) == pytest.approx(1.5, rel=1e-12)
    assert float(sf.wasserstein(sf.Exponential(2.0), sf.Exponential(0.5), 2)) == pytest.approx(1.5 * 2**0.5, rel=1e-12)
    assert float(sf.wasserstein(sf.Gumbel(0.0, 1.0), sf.Gumbel(3.0, 1.0), 2)) == pytest.approx(3.0, rel=1e-13)
    for law in (sf.Logistic(0.1, 1.0), sf.Laplace(0.0, 1.0)):  # against the integral of |F − G|
        other, x = sf.Gumbel(-0.5, 2.0), np.linspace(-400.0, 400.0, 800_001)
        exact = 0.001 * np.abs(np.asarray(law.cdf(x) - other.cdf(x))).sum()
        found = sf.wasserstein(law, other)
        assert float(found) == pytest.approx(exact, rel=1e-5)
        assert float(found.standard_error) < 1e-10
    for a in (1.02, 1.5):  # tails that go on far beyond the last quantile
        heavy = sf.wasserstein(sf.Pareto(a, 1.0), sf.Pareto(a + 1.0, 1.0))
        assert abs(float(heavy) - (1.0 / (a - 1.0) - 1.0 / a)) <= float(heavy.standard_error) + 1e-12
    assert sf.wasserstein(sf.Cauchy(), sf.Gumbel(0.0, 1.0)).value == np.inf
    assert sf.wasserstein(sf.Pareto(2.0, 1.0), sf.Exponential(1.0), 2).value == np.inf
    assert float(sf.wasserstein(sf.Poisson(2.0), sf.Poisson(5.0))) == pytest.approx(3.0, rel=1e-13)


def test_energy_of_laws():
    """Of normals 2E|N(δ, σ² + τ²)| − …, each mean absolute deviation by the folded normal."""
    p, q = sf.Normal(0.3, 1.2), sf.Normal(-0.5, 2.0)
    mean = lambda d, s: scipy.stats.foldnorm.mean(abs(d) / s, scale=s)  # noqa: E731
    exact = 2.0 * mean(0.8, np.hypot(1.2, 2.0)) - mean(0.0, 1.2 * 2**0.5) - mean(0.0, 2.0 * 2**0.5)
    found = sf.energy_distance(p, q)
    assert float(found) == pytest.approx(exact, rel=1e-12)
    assert float(found.standard_error) < 1e-12
    batch = sf.energy_distance(sf.Normal(np.array([0.3, 1.0]), 1.2), q)
    assert batch.value.shape == (2,)
    assert float(batch.value[0]) == pytest.approx(exact, rel=1e-12)
    k = np.arange(200)
    gap = np.asarray(sf.Poisson(2.0).cdf(k) - sf.Geometric(0.3).cdf(k))
    assert float(sf.energy_distance(sf.Poisson(2.0), sf.Geometric(0.3))) == pytest.approx(
        2.0 * (gap**2).sum(), rel=1e-12
    )


def test_normal_vectors():
    """Bures' formula by matrix roots; energy of draws within 6 standard errors of that of one rotated coordinate."""
    a, b = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([[1.0, -0.3], [-0.3, 0.8]])
    p, q = sf.MultivariateNormal([0.0, 1.0], a), sf.MultivariateNormal([1.0, 1.0], b)
    root = scipy.linalg.sqrtm(a)
    exact = np.sqrt(1.0 + np.trace(a + b - 2.0 * scipy.linalg.sqrtm(root @ b @ root).real))
    assert float(sf.wasserstein(p, q, 2)) == pytest.approx(exact, rel=1e-12)
    # equal but for location: in the limit of one coordinate without spread it is the other's
    thin = [sf.MultivariateNormal([v, 0.0], np.diag([1.0, 1e-12])) for v in (0.0, 2.0)]
    found = sf.energy_distance(*thin, rng=3)
    line = float(sf.energy_distance(sf.Normal(0.0, 1.0), sf.Normal(2.0, 1.0)))
    assert abs(float(found) - line) < 6.0 * float(found.standard_error) < 0.3


def test_bad_input():
    with pytest.raises(ValueError, match="order must be 1 or 2, got 3"):
        sf.wasserstein(X, Y, 3)
    with pytest.raises(sf.DataError, match="equally many rows, at most 5,000, got 40 and 39"):
        sf.wasserstein(ROWS[0], ROWS[1][1:])
    with pytest.raises(sf.DataError, match="p has 1 missing or infinite values"):
        sf.energy_distance([1.0, np.nan], Y)
    with pytest.raises(sf.DataError, match="as many columns"):
        sf.energy_distance(ROWS[0], Y)
    vectors = sf.MultivariateNormal([0.0, 0.0], np.eye(2)), sf.MultivariateNormal([1.0, 0.0], np.eye(2))
    with pytest.raises(ValueError, match="that of draws overstates it"):
        sf.wasserstein(*vectors, 1)
