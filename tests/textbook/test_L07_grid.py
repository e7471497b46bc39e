"""L7: the grid posterior: Beta–Bernoulli, its cost, and what it is refused for."""

import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf

X = [1, 1, 1, 0, 1, 0, 1]
PRIOR = sf.Beta(1.5, 2.0)


def test_beta_bernoulli_agrees_with_the_exact_posterior():
    exact = sf.update(PRIOR, sf.Bernoulli, X)
    grid = sf.grid_posterior(sf.Bernoulli, X, prior={"probs": PRIOR})
    p = exact.distribution
    assert grid.log_evidence == pytest.approx(float(exact.log_evidence), abs=1e-12)
    assert grid.evidence_error < 1e-12
    assert grid.mean["probs"] == pytest.approx(float(p.mean()), abs=1e-13)
    assert grid.stddev["probs"] == pytest.approx(float(p.stddev()), abs=1e-12)
    assert grid.map["probs"] == pytest.approx(float(p.mode()), abs=2e-2)  # a point of the grid
    low, high = grid.interval(0.95)["probs"]
    np.testing.assert_allclose([low, high], exact.interval(0.95)["probs"], atol=1e-8)
    values, density = grid.marginal("probs")
    middle = slice(400, -400)
    np.testing.assert_allclose(density[middle], p.prob(values[middle]), rtol=1e-9)


def test_error_falls_with_the_spacing():
    exact = float(sf.update(PRIOR, sf.Bernoulli, X).log_evidence)
    errors, told = [], []
    for points in (15, 25, 45):
        grid = sf.grid_posterior(sf.Bernoulli, X, prior={"probs": PRIOR}, points=points)
        errors.append(abs(grid.log_evidence - exact))
        told.append(grid.evidence_error)
    assert errors[0] > errors[1] > errors[2]
    assert all(error <= bound for error, bound in zip(errors, told, strict=True))
    assert errors[2] < 1e-8


@pytest.mark.parametrize("d", [1, 2, 3])
def test_normal_targets(d):
    """Any correlation: evidence and moments of a normal density, far from the origin and on an odd scale."""
    rng = np.random.default_rng(d)
    a = rng.normal(size=(d, d))
    covariance, mean = 100.0 * (a @ a.T + 0.3 * np.eye(d)), 1e4 * rng.normal(size=d)
    p = sf.MultivariateNormal(mean, covariance)
    grid = sf.grid_posterior(lambda v: p.log_prob(v) + 2.0, start=mean + 1.0)
    assert grid.log_evidence == pytest.approx(2.0, abs=1e-9)
    np.testing.assert_allclose(list(grid.mean.values()), mean, rtol=1e-9)
    np.testing.assert_allclose(list(grid.stddev.values()), np.sqrt(np.diagonal(covariance)), rtol=1e-7)


def test_the_cost_grows_as_points_to_the_dimensions():
    def density(v):
        return -0.5 * (v**2).sum()

    for d, expected in ((1, 31), (2, 31**2), (3, 31**3)):
        assert sf.grid_posterior(density, start=np.zeros(d), points=31).evaluations == expected
    with pytest.raises(ValueError, match=r"125,000,000 evaluations.*203 of each"):
        sf.grid_posterior(density, start=np.zeros(3), points=500)
    with pytest.raises(ValueError, match=r"up to 3 numbers, got 4.*1\.6e\+13"):
        sf.grid_posterior(density, start=np.zeros(4))


def test_improper_and_given_ranges():
    with pytest.raises(ValueError, match="is it proper"):
        sf.grid_posterior(lambda v: 0.0 * v[0], start=np.zeros(1))
    inside = sf.grid_posterior(lambda v: 0.0 * v[0], start=np.zeros(1), ranges=[(1.0, 3.0)])
    assert inside.log_evidence == pytest.approx(np.log(2.0), abs=1e-12)
    positive = sf.grid_posterior(lambda r: 2.0 * jnp.log(r) - r, start=1.0, domains="positive")
    assert positive.log_evidence == pytest.approx(np.log(2.0), abs=1e-12)  # Γ(3)
    with pytest.raises(ValueError, match="needs a start"):
        sf.grid_posterior(lambda v: v)
    with pytest.raises(ValueError, match="pairs of a lower and an upper end"):
        sf.grid_posterior(lambda v: 0.0 * v[0], start=np.zeros(1), ranges=[(3.0, 1.0)])


def test_a_range_that_cuts_the_density_counts_its_ends_half():
    flat = sf.grid_posterior(lambda x: 0.0 * x, start=0.5, ranges=[(0.0, 1.0)], points=5)
    assert flat.mass.sum() == pytest.approx(1.0)
    assert flat.mean["x"] == pytest.approx(0.5)
    assert flat.quantile(0.3) == pytest.approx(0.3)
    np.testing.assert_allclose(flat.marginal()[1], 1.0)
