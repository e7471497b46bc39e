"""Conjugate priors as pseudo-data: the same posterior and evidence as the named pairs."""

import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf

RNG = np.random.default_rng(21)


@pytest.mark.parametrize(
    ("family", "chi", "nu", "prior", "x"),
    [
        (sf.Poisson, [2.5], 1.5, sf.Gamma(2.5, 1.5), [3.0, 0.0, 5.0]),
        (sf.Exponential, [1.5], 1.7, sf.Gamma(2.7, 1.5), [0.3, 2.0, 0.9]),
        (sf.Bernoulli, [1.2], 3.1, sf.Beta(1.2, 1.9), [1.0, 0.0, 1.0, 1.0]),
        (sf.family(sf.Binomial, total_count=4), [1.2], 1.0, sf.Beta(1.2, 2.8), [1.0, 0.0, 3.0]),
    ],
)
def test_the_same_evidence_as_the_named_pair(family, chi, nu, prior, x):
    """The density of eta is that of the usual parameter times dtheta/deta, which the evidence does not see."""
    pseudo = sf.ConjugatePrior(family, chi, nu)
    expected = sf.update(prior, family, x)
    assert float(pseudo.log_evidence(x)) == pytest.approx(float(expected.log_evidence), abs=1e-10)
    one = sf.update(expected, family, x[:1]).log_evidence
    assert float(pseudo.update(x).log_evidence(x[:1])) == pytest.approx(float(one), abs=1e-10)


def test_mode_and_mean_match_moments():
    x = RNG.normal(2.0, 3.0, 50)
    posterior = sf.ConjugatePrior(sf.Normal, [0.0, 1.0], 1.0).update(x[:20]).update(x[20:])
    at = sf.Normal.from_natural(posterior.mode())
    np.testing.assert_allclose(at.mean_parameters(), posterior.mean(), rtol=1e-9)
    np.testing.assert_allclose(posterior.mean(), [x.sum() / 51, (1.0 + (x**2).sum()) / 51], rtol=1e-12)
    assert float(posterior.log_density(posterior.mode())) > float(posterior.log_density(posterior.mode() * 1.01))
    assert posterior.log_density(jnp.asarray([1.0, 1.0])) == -jnp.inf  # no normal has a precision below 0


def test_errors():
    with pytest.raises(TypeError, match="no exponential family"):
        sf.ConjugatePrior(sf.Logistic, [1.0], 1.0)
    with pytest.raises(ValueError, match="2 natural parameters"):
        sf.ConjugatePrior(sf.Normal, [0.0, 1.0], 1.0).log_normaliser()
    with pytest.raises(sf.DataError, match="in row 2"):
        sf.ConjugatePrior(sf.Poisson, [1.0], 1.0).update([1.0, -1.0])
