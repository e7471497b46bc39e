"""Sums of independent variables: their characteristic functions multiply."""

import numpy as np
import pytest

import suffice as sf

T = np.linspace(-2.0, 2.0, 9)
PAIRS = [
    (sf.Normal(1.0, 2.0), sf.Normal(-3.0, 0.5)),
    (sf.Cauchy(1.0, 2.0), sf.Cauchy(-3.0, 0.5)),
    (sf.Gamma(1.5, 2.0), sf.Exponential(2.0)),
    (sf.ChiSquared(3.0), sf.ChiSquared(0.5)),
    (sf.NoncentralChiSquared(3.0, 1.0), sf.NoncentralChiSquared(0.5, 2.0)),
    (sf.InverseGaussian(1.0, 2.0), sf.InverseGaussian(3.0, 18.0)),
    (sf.Poisson(1.5), sf.Poisson(4.0)),
    (sf.Skellam(1.0, 2.0), sf.Skellam(0.5, 3.0)),
    (sf.Binomial(4, 0.3), sf.Bernoulli.from_probs(0.3)),
    (sf.NegativeBinomial(4.0, concentration=2.0), sf.Geometric(1.0 / 3.0)),
]


@pytest.mark.parametrize(("p", "q"), PAIRS, ids=[type(p).__name__ for p, _ in PAIRS])
def test_characteristic_functions_multiply(p, q):
    """To 1e-12: three transforms, each rounded."""
    np.testing.assert_allclose(sf.convolve(p, q).cf(T), np.asarray(p.cf(T)) * np.asarray(q.cf(T)), rtol=0, atol=1e-12)


def test_vectors():
    """Means and covariances add."""
    p = sf.MultivariateNormal([1.0, 2.0], [[2.0, 0.5], [0.5, 1.0]])
    total = sf.convolve(p, sf.MultivariateNormal([0.0, -1.0], [[1.0, 0.0], [0.0, 3.0]]))
    np.testing.assert_allclose(total.mean(), [1.0, 1.0])
    np.testing.assert_allclose(total.covariance(), [[3.0, 0.5], [0.5, 4.0]], rtol=1e-14)
    counts = sf.convolve(*[sf.Multinomial.from_probs(n, [0.2, 0.8]) for n in (3, 4)])
    np.testing.assert_allclose(counts.mean(), [1.4, 5.6], rtol=1e-14)


def test_refusals():
    """No name, or parameters that differ: errors say which."""
    with pytest.raises(TypeError, match="a Normal and a Poisson"):
        sf.convolve(sf.Normal(), sf.Poisson(1.0))
    with pytest.raises(ValueError, match="equal rate, got 1 and 2"):
        sf.convolve(sf.Exponential(1.0), sf.Exponential(2.0))
    with pytest.raises(TypeError, match="two or more"):
        sf.convolve(sf.Normal())
