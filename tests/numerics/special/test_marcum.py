"""Marcum's Q against its integral and its closed forms."""

import jax
import mpmath as mp
import numpy as np

from suffice.numerics.special import log_marcum_p, log_marcum_q, marcum_p, marcum_q

EPS = 2.0**-52


def test_against_sums(exact):
    """Both tails, as a mean of incomplete gamma functions over Poisson counts; 64 eps (1 + b² + |log|) in each."""
    m = np.array([0.5, 1.0, 1.0, 2.5, 10.0, 1.0, 3.0])
    a = np.array([0.3, 1.0, 5.0, 4.0, 2.0, 0.0, 9.0])
    b = np.array([0.1, 2.0, 14.0, 0.5, 9.0, 1.5, 1.0])

    def mixture(m, a, b, upper):
        weights = [mp.exp(-a * a / 2)]
        for j in range(1, 400):
            weights.append(weights[-1] * a * a / 2 / j)
        ends = (b * b / 2, mp.inf) if upper else (0, b * b / 2)
        return mp.fsum(w * mp.gammainc(m + j, *ends, regularized=True) for j, w in enumerate(weights))

    for tail, log_tail, upper in ((marcum_q, log_marcum_q, True), (marcum_p, log_marcum_p, False)):
        expected = exact(lambda m, a, b, upper=upper: mixture(m, a, b, upper), m, a, b)
        allowed = 64 * EPS * (1.0 + b * b + np.abs(np.log(expected)))
        assert np.all(np.abs(tail(m, a, b) / expected - 1.0) <= allowed)
        assert np.all(np.abs(log_tail(m, a, b) - np.log(expected)) <= allowed * np.maximum(1.0, 1.0 - np.log(expected)))


def test_limits_and_derivatives():
    np.testing.assert_array_equal(marcum_q(1.0, 2.0, np.array([0.0, np.inf, -1.0, np.nan])), [1.0, 0.0, np.nan, np.nan])
    np.testing.assert_array_equal(log_marcum_p(1.0, 2.0, np.array([0.0, np.inf])), [-np.inf, 0.0])
    # Q₁(0, b) = exp(−b²/2); dQ₁/db = −b exp(−(a² + b²)/2) I₀(ab)
    np.testing.assert_allclose(marcum_q(1.0, 0.0, 3.0), np.exp(-4.5), rtol=64 * EPS)
    slope = jax.grad(marcum_q, 2)(1.0, 2.0, 1.5)
    np.testing.assert_allclose(slope, -1.5 * float(mp.exp(-3.125) * mp.besseli(0, 3)), rtol=64 * EPS)
