"""P1: the Monte Carlo mean is unbiased, and its variance is var[f]/L (Bishop, exercise 11.1)."""

import jax.numpy as jnp
import numpy as np
import scipy.stats

import suffice as sf


def test_the_mean_of_f_has_variance_var_f_over_L():
    """E x² of a standard normal: 1,000 means of L = 256 are unbiased within 6.2 errors (5.6e-10), and their variance is 2/L.

    The variance of means that are nearly normal: chi-square within 1e-9 a side, widened by their excess kurtosis 12/L.
    """
    L, runs = 256, 1000
    x = sf.Normal().sample((L, runs), rng=1)
    means = np.asarray(jnp.mean(x**2, axis=0))
    assert abs(means.mean() - 1.0) <= 6.2 * np.sqrt(2.0 / L / runs)
    ratio = means.var(ddof=1) / (2.0 / L)
    assert abs(ratio - 1.0) <= 6.2 * np.sqrt((2.0 + 12.0 / L) / runs)


def test_expectation_carries_its_error():
    """The error falls like 1/√n, and is the deviation of f over √n: var(x²) = 2, within 6.2 deviations of its estimate."""
    for n in (1000, 100_000):
        found = sf.expectation(lambda x: x**2, sf.Normal(), n=n, rng=2)
        assert abs(found.value - 1.0) <= 6.2 * found.standard_error
        # the variance of f² − … : kurtosis of x² is 15, so var(s²)/σ⁴ = 14/n
        assert abs(found.standard_error**2 * n / 2.0 - 1.0) <= 6.2 * np.sqrt(14.0 / n)


def test_two_independent_estimates_differ_as_their_errors_say():
    """Plain, antithetic, stratified and Sobol' estimates of one integral agree: 4 methods, chi-square of z² at 1e-9."""
    truth = scipy.stats.norm.expect(np.tanh, loc=0.5)
    for method, limit in (("plain", 6.2), ("antithetic", 6.2), ("stratified", 13.0), ("sobol", 13.0)):
        found = sf.expectation(jnp.tanh, sf.Normal(0.5), n=8192, method=method, rng=3)
        assert abs(found.value - truth) <= limit * found.standard_error
