"""Sequential Monte Carlo: evidence within 4 of its errors, both of two modes, errors that are calibrated."""

import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf

BASE = sf.MultivariateNormal(np.zeros(2), 25.0 * np.eye(2))


def two_modes(x):
    """Two normal laws, 12 deviations apart, of weights 1 and 3: Z = 4 · 2π."""
    left = -0.5 * ((x + jnp.array([6.0, 0.0])) ** 2).sum()
    right = -0.5 * ((x - jnp.array([6.0, 0.0])) ** 2).sum() + jnp.log(3.0)
    return jnp.logaddexp(left, right)


def test_two_modes():
    found = sf.sequential_monte_carlo(two_modes, BASE, n=2000, rng=0)
    assert abs(found.log_z.value - np.log(8 * np.pi)) < 4 * found.log_z.standard_error
    side = found.mean(lambda x: jnp.where(x[0] > 0, 1.0, 0.0))
    assert abs(side.value - 0.75) < 5 * side.standard_error
    assert side.standard_error < 0.05
    assert "10 runs of 2000" in repr(found)


def test_errors_are_calibrated():
    """Of 40 estimates the squared errors in units of the reported ones: squares of t variates with 9 degrees of freedom,
    whose mean lies within (0.34, 6.2) but for 2e-5 of cases, by 4,000,000 simulated means; errors reported a third of
    their size would make it 11.6."""

    def log_density(x):
        return -0.5 * (x**2).sum() - 0.1 * (x**4).sum()

    grid = np.linspace(-8, 8, 4001)
    exact = 2 * np.log(np.trapezoid(np.exp(-0.5 * grid**2 - 0.1 * grid**4), grid))
    found = [sf.sequential_monte_carlo(log_density, BASE, n=300, rng=seed).log_z for seed in range(40)]
    z = np.array([(e.value - exact) / e.standard_error for e in found])
    assert 0.34 < np.mean(z**2) < 6.2


def test_hamiltonian_moves():
    found = sf.sequential_monte_carlo(two_modes, BASE, sf.HMC(step_size=0.3), n=500, steps=3, rng=1)
    assert abs(found.log_z.value - np.log(8 * np.pi)) < 4 * found.log_z.standard_error


def test_a_box():
    """A density that rules most of the base out: the volume of a square."""
    found = sf.sequential_monte_carlo(lambda x: jnp.where(jnp.all(abs(x) < 1.0), 0.0, -jnp.inf), BASE, n=4000, rng=2)
    assert abs(found.log_z.value - np.log(4.0)) < 4 * found.log_z.standard_error


def test_what_is_refused():
    with pytest.raises(ValueError, match="runs must be an integer of at least 4, got 1"):
        sf.sequential_monte_carlo(two_modes, BASE, runs=1, rng=0)
    with pytest.raises(ValueError, match="log_density is −inf or no number at all of 50 particles"):
        sf.sequential_monte_carlo(lambda x: jnp.nan * x, sf.Normal(), n=50, rng=0)
    with pytest.raises(TypeError, match=r"kernel must be settings of one kernel .* got the class HMC"):
        sf.sequential_monte_carlo(lambda x: -(x**2), sf.Normal(), sf.HMC, rng=0)
    with pytest.raises(ValueError, match=r"keep must be in \(0, 1\), got 1"):
        sf.sequential_monte_carlo(two_modes, BASE, keep=1.0, rng=0)
