"""L23: entropy and divergence that know how similar points are (GAIT)."""

import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf


def kernel(x, y):
    return jnp.exp(-jnp.abs(x - y).sum())


def test_two_points():
    """Between point masses at a distance x, D = 1 + x − exp(−x): finite where Kullback and Leibler's is infinite."""
    for x in (0.0, 0.5, 2.0):
        assert float(sf.gait_divergence([[0.0]], [[x]], kernel)) == pytest.approx(1.0 + x - np.exp(-x), abs=1e-14)
    assert sf.kl(sf.Empirical([0.0]), sf.Empirical([0.5])).value == np.inf


def test_identical_symbols_count_once():
    """Splitting a symbol into copies that are all alike changes nothing; the identity gives Shannon's entropy back."""
    p = np.array([0.5, 0.25, 0.25])
    copies = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    assert float(sf.gait_entropy(p, copies)) == pytest.approx(np.log(2.0), rel=1e-14)
    assert float(sf.gait_entropy(p, np.eye(3))) == pytest.approx(1.5 * np.log(2.0), rel=1e-14)


def test_entropy_of_a_sample_is_that_of_its_points():
    x = np.array([[0.0], [1.0], [1.0]])
    k = np.exp(-np.abs(x - x.T))
    assert float(sf.gait_entropy(x, kernel)) == pytest.approx(float(sf.gait_entropy(np.full(3, 1 / 3), k)), rel=1e-14)


def test_nearer_samples_are_nearer():
    x = np.random.default_rng(0).normal(size=(50, 1))
    apart = [float(sf.gait_divergence(x, x + shift, kernel)) for shift in (0.0, 0.2, 1.0, 3.0)]
    assert apart[0] == pytest.approx(0.0, abs=1e-12)
    assert np.all(np.diff(apart) > 0.0)
