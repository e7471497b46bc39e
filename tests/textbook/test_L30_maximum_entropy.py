"""L30: of all laws with the same moments, one has the largest entropy."""

import numpy as np
import pytest

import suffice as sf

ROOT3 = np.sqrt(3.0)
STANDARD = [  # mean 0, variance 1
    sf.Uniform(-ROOT3, ROOT3),
    sf.Laplace(scale=np.sqrt(0.5)),
    sf.Logistic(scale=ROOT3 / np.pi),
    sf.StudentT(5.0, scale=np.sqrt(0.6)),
    sf.Gumbel(loc=-np.euler_gamma * np.sqrt(6.0) / np.pi, scale=np.sqrt(6.0) / np.pi),
]
MEAN_TWO = [  # positive, mean 2
    sf.Gamma(2.0, rate=1.0),
    sf.Gamma(0.5, rate=0.25),
    sf.Uniform(0.0, 4.0),
    sf.HalfNormal(2.0 * np.sqrt(np.pi / 2.0)),
    sf.LogNormal(np.log(2.0) - 0.5, 1.0),
    sf.Lomax(3.0, scale=4.0),
]


@pytest.mark.parametrize("other", STANDARD, ids=lambda p: type(p).__name__)
def test_the_normal_has_most_given_mean_and_variance(other):
    np.testing.assert_allclose([other.mean(), other.variance()], [0.0, 1.0], rtol=1e-12, atol=1e-12)
    assert other.entropy() < sf.Normal().entropy()


@pytest.mark.parametrize("other", MEAN_TWO, ids=repr)
def test_the_exponential_has_most_given_a_mean_on_the_half_line(other):
    np.testing.assert_allclose(other.mean(), 2.0, rtol=1e-12)
    assert other.entropy() < sf.Exponential(0.5).entropy()


def test_the_uniform_has_most_on_a_finite_set():
    """A thousand random laws on six points: each has less."""
    logits = np.random.default_rng(0).normal(size=(1000, 6))
    assert np.all(np.asarray(sf.Categorical(logits).entropy()) < np.log(6.0))


def test_tilting_the_winner_keeps_moments_and_loses_entropy():
    """The gradient of entropy vanishes at the winner: a member ε away in shape loses of the order of ε²."""
    for shape in (0.9, 0.99, 1.01, 1.1):
        loss = float(sf.Exponential(0.5).entropy() - sf.Gamma(shape, rate=shape / 2.0).entropy())
        assert 0.0 < loss < (shape - 1.0) ** 2
