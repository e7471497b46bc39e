"""Rejection: accepted draws follow the density, rate and normaliser are within 6.2 standard errors (5.6e-10)."""

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import suffice as sf

COUNT = 100_000
SIGMAS = 6.2


def follows(draws, cdf):
    x = np.sort(np.asarray(draws))
    f, steps = np.asarray(cdf(x)), np.arange(len(x) + 1) / len(x)
    return max(np.max(steps[1:] - f), np.max(f - steps[:-1])) <= np.sqrt(np.log(2.0 / 1e-9) / (2.0 * len(x)))


def close(estimate, truth):
    return abs(float(estimate) - truth) <= SIGMAS * float(estimate.standard_error)


def beta(x):
    return jnp.log(x) + 2.0 * jnp.log1p(-x)


def test_given_and_found_bounds():
    """beta(2, 3) under a uniform law: k = 4/27, Z = 1/12; the found bound is the given one."""
    k = 4.0 / 27.0
    for bound in (np.log(k), None):
        found = sf.rejection(beta, sf.Uniform(0.0, 1.0), COUNT, log_bound=bound, rng=1)
        assert found.log_bound == pytest.approx(np.log(k), abs=1e-9)
        assert found.draws.shape == (COUNT,)
        assert follows(found.draws, scipy.stats.beta(2, 3).cdf)
        assert close(found.acceptance, 1.0 / 12.0 / k)
        assert close(found.log_normaliser, np.log(1.0 / 12.0))
        assert found.violations == 0
    assert "acceptance=Estimate(" in repr(found)


def test_vectors():
    """Correlated normals under independent ones: the bound is found in two dimensions, the covariance is right."""
    covariance = np.array([[1.0, 0.6], [0.6, 1.0]])
    target = sf.MultivariateNormal(np.zeros(2), covariance)
    found = sf.rejection(lambda x: target.log_prob(x) + 3.0, sf.Independent(sf.Normal(np.zeros(2), 1.5)), COUNT, rng=2)
    assert close(found.log_normaliser, 3.0)
    assert follows(found.draws @ [1.0, 1.0], scipy.stats.norm(0.0, np.sqrt(3.2)).cdf)
    assert follows(found.draws @ [1.0, -1.0], scipy.stats.norm(0.0, np.sqrt(0.8)).cdf)


@pytest.mark.parametrize("constant", [-1000.0, 1000.0])
def test_constants_beyond_the_exponent_range(constant):
    """Z of exp(−x²/2 + c) is far outside of the floating-point numbers; its logarithm is not."""
    f = lambda x: constant - 0.5 * x**2  # noqa: E731
    for found in (sf.rejection(f, sf.Normal(0.0, 1.5), 1000, rng=1), sf.ratio_of_uniforms(f, 1000, rng=1)):
        assert close(found.log_normaliser, constant + 0.5 * np.log(2.0 * np.pi))
        assert 0.0 < found.log_normaliser.standard_error < 0.1


def test_a_bound_that_is_too_small_is_never_silent():
    """Raised with its place and size, or counted, and then the draws are wrong indeed."""
    low = np.log(4.0 / 27.0) - 0.7
    with pytest.raises(
        ValueError, match=r"log_bound is too small: .* exceeds -2\.6\d* by 0\.\d+ at 0\.\d+, and at \d+ of"
    ):
        sf.rejection(beta, sf.Uniform(0.0, 1.0), 1000, log_bound=low, rng=3)
    found = sf.rejection(beta, sf.Uniform(0.0, 1.0), COUNT, log_bound=low, rng=3, strict=False)
    assert found.excess == pytest.approx(0.7, abs=1e-4)
    assert float(found.worst) == pytest.approx(1.0 / 3.0, abs=0.01)
    assert "above the bound: not exact" in repr(found)
    assert not follows(found.draws, scipy.stats.beta(2, 3).cdf)


@pytest.mark.parametrize(
    ("log_density", "proposal", "arguments", "message"),
    [
        (lambda x: -jnp.log1p(x**2), sf.Normal(), {}, "no bound found|log_bound is too small"),
        (lambda x: x * jnp.nan, sf.Normal(), {}, "must be a number or −inf, got nan at"),
        (lambda x: jnp.where(x > 1e6, 0.0, -jnp.inf), sf.Normal(), {}, "is -inf at all of 4096 proposals"),
        (beta, sf.Uniform(0.0, 1.0), {"log_bound": np.inf}, "log_bound must be finite, got inf"),
        (beta, sf.Uniform(0.0, 1.0), {"n": 0}, "n must be at least 1, got 0"),
    ],
)
def test_bad_arguments(log_density, proposal, arguments, message):
    with pytest.raises(ValueError, match=message):
        sf.rejection(log_density, proposal, **{"n": 10, "rng": 0, **arguments})


@pytest.mark.parametrize(
    ("log_density", "limits", "law", "normaliser"),
    [
        (lambda x: 1.5 * jnp.log(x) - x, {"lower": 0.0, "centre": 1.0}, scipy.stats.gamma(2.5), 1.3293403881791370),
        (lambda x: -2.0 * jnp.log1p((x - 50.0) ** 2 / 3.0), {}, scipy.stats.t(3, 50.0), np.sqrt(3) * np.pi / 2),
        (lambda x: -x, {"lower": 0.0, "centre": 3.0}, scipy.stats.expon, 1.0),
        (lambda x: -jnp.log1p(x**2), {"centre": 1e-3}, scipy.stats.cauchy, np.pi),
    ],
)
def test_ratio_of_uniforms(log_density, limits, law, normaliser):
    """Draws follow gamma, shifted t, exponential and Cauchy laws; half of Z over the rectangle is the rate."""
    found = sf.ratio_of_uniforms(log_density, COUNT, rng=4, **limits)
    assert follows(found.draws, law.cdf)
    assert close(found.log_normaliser, np.log(normaliser))
    left, right, log_height = found.rectangle
    assert close(found.acceptance, normaliser / (2.0 * (right - left) * np.exp(2.0 * log_height)))


def test_ratio_of_uniforms_refuses_heavy_tails():
    with pytest.raises(ValueError, match="falls too slowly towards inf: its tail must be lighter"):
        sf.ratio_of_uniforms(lambda x: -0.8 * jnp.log1p(jnp.abs(x)), rng=0, lower=0.0, centre=1.0)
    with pytest.raises(ValueError, match="must be finite at centre, got -inf"):
        sf.ratio_of_uniforms(lambda x: jnp.where(x > 0, -x, -jnp.inf), rng=0, centre=-1.0)
