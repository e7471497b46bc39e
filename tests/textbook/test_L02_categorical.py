"""L2: the categorical distribution: relative counts, stable logarithms, entropy between 0 and log K."""

import jax
import numpy as np
import pytest

import suffice as sf


def test_the_estimate_is_relative_counts():
    x = np.random.default_rng(0).choice(4, size=1000, p=[0.1, 0.2, 0.3, 0.4])
    fit = sf.fit(sf.Categorical, x)
    expected = np.bincount(x) / 1000
    np.testing.assert_allclose(list(fit.parameters.values()), expected, rtol=1e-14)
    np.testing.assert_allclose(float(fit.log_likelihood), (1000 * expected * np.log(expected)).sum(), rtol=1e-14)


def test_logits_of_ten_thousand_give_finite_logarithms():
    p = sf.Categorical(np.array([1e4, 0.0, -1e4]))
    np.testing.assert_array_equal(p.log_prob(np.arange(3)), [0.0, -1e4, -2e4])
    assert p.entropy() == 0.0
    gradient = jax.grad(lambda logits: sf.Categorical(logits).log_prob(1))(np.array([1e4, 0.0, -1e4]))
    np.testing.assert_array_equal(gradient, [-1.0, 1.0, 0.0])


@pytest.mark.parametrize("classes", [1, 2, 10, 1000])
def test_entropy_lies_between_one_certain_class_and_the_uniform(classes):
    uniform = sf.Categorical(np.zeros(classes))
    assert float(uniform.entropy()) == pytest.approx(np.log(classes), rel=1e-14, abs=1e-15)
    certain = np.full(classes, -np.inf)
    certain[0] = 0.0
    assert sf.Categorical(certain).entropy() == 0.0
    other = sf.Categorical(np.random.default_rng(1).normal(size=classes))
    assert 0.0 <= other.entropy() <= uniform.entropy() * (1 + 1e-15)


def test_natural_parameters_are_logits_and_mean_parameters_are_probabilities():
    logits = np.array([0.3, -1.0, 2.0])
    p = sf.Categorical(logits)
    np.testing.assert_array_equal(p.natural(), logits)
    np.testing.assert_allclose(p.mean_parameters(), p.probs, rtol=1e-14)
