"""L11: moment and cumulant generating functions, characteristic functions, and where they fail to exist."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf

LIGHT = {
    "normal": sf.Normal(1.0, 2.0),
    "exponential": sf.Exponential(2.0),
    "gamma": sf.Gamma(2.5, 0.5),
    "Weibull": sf.Weibull(1.7, 3.0),
    "Rayleigh": sf.Rayleigh(2.0),
    "beta": sf.Beta(2.0, 0.5),
    "logistic": sf.Logistic(-1.0, 0.5),
    "Laplace": sf.Laplace(1.0, 0.5),
    "Gumbel": sf.Gumbel(1.0, 2.0),
    "uniform": sf.Uniform(-1.0, 3.0),
    "Bernoulli": sf.Bernoulli.from_probs(0.3),
    "Poisson": sf.Poisson(4.0),
    "geometric": sf.Geometric(0.3),
    "negative binomial": sf.NegativeBinomial(5.0, 1.5),
    "categorical": sf.Categorical.from_probs([0.2, 0.5, 0.3]),
}
HEAVY = {"log-normal": sf.LogNormal(0.0, 1.0), "Pareto": sf.Pareto(2.5), "inverse gamma": sf.InverseGamma(3.0)}
ALL = {**LIGHT, **HEAVY, "Student t": sf.StudentT(2.5), "Cauchy": sf.Cauchy(1.0, 2.0)}


@pytest.mark.parametrize("name", LIGHT)
def test_derivatives_at_0_are_moments(name):
    """Row L11: M(0) = 1, M'(0) = E X, M''(0) = E X²; K'(0) and K''(0) are mean and variance: exact to rounding."""
    p = LIGHT[name]
    mean, variance = float(p.mean()), float(p.variance())
    for f, second in ((p.mgf, variance + mean**2), (p.cumulant, variance)):
        slope, bend = jax.grad(f), jax.grad(jax.grad(f))
        assert float(slope(0.0)) == pytest.approx(mean, rel=1e-12, abs=1e-12)
        assert float(bend(0.0)) == pytest.approx(second, rel=1e-11)
    assert float(p.mgf(0.0)) == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize("name", HEAVY)
def test_heavy_tails_have_no_mgf(name):
    """Row L11: E exp(tX) is infinite for every t > 0, though all of t <= 0 is finite."""
    p = HEAVY[name]
    assert np.all(np.asarray(p.mgf(np.array([1e-6, 0.1, 10.0]))) == np.inf)
    below = np.asarray(p.mgf(np.array([-10.0, -0.1, -1e-6, 0.0])))
    assert np.all(np.diff(below) > 0)
    assert below[-1] == 1.0


def test_cauchy_has_no_mgf():
    """Row L11: a clear error for the missing MGF; the characteristic function exists, and a mean is Cauchy again."""
    p = sf.Cauchy(1.0, 2.0)
    with pytest.raises(sf.DoesNotExistError, match=r"Cauchy: E\[exp\(t X\)\] is infinite .* characteristic function"):
        p.mgf(0.5)
    t = np.linspace(-3.0, 3.0, 31)
    np.testing.assert_allclose(np.asarray(p.cf(t / 10)) ** 10, p.cf(t), rtol=1e-14)


def test_sums_multiply():
    """Row L11: the MGF and characteristic function of an independent sum are products: exact to rounding."""
    t = np.linspace(-1.0, 0.4, 15)
    pairs = [
        (sf.Normal(1.0, 3.0), sf.Normal(2.0, 4.0), sf.Normal(3.0, 5.0)),
        (sf.Gamma(2.0, 0.5), sf.Gamma(0.3, 0.5), sf.Gamma(2.3, 0.5)),
        (sf.Poisson(2.0), sf.Poisson(5.0), sf.Poisson(7.0)),
        (sf.Geometric(0.4), sf.Geometric(0.4), sf.NegativeBinomial.from_probs(2.0, 0.4)),
    ]
    for a, b, total in pairs:
        np.testing.assert_allclose(np.asarray(a.mgf(t)) * np.asarray(b.mgf(t)), total.mgf(t), rtol=1e-13)
        np.testing.assert_allclose(np.asarray(a.cf(t)) * np.asarray(b.cf(t)), total.cf(t), rtol=1e-13)


@pytest.mark.parametrize("name", ALL)
def test_characteristic_function_of_draws(name):
    """Row L11: the mean of exp(itX) over 20,000 draws is near cf(t) for every family.

    Real and imaginary parts lie in [−1, 1]: Hoeffding's bound 2 exp(−n e²/2) for 12 numbers, false alarm 1e-9 in all.
    """
    p, n = ALL[name], 20_000
    x = np.asarray(p.sample((n,), rng=3)).astype(float)
    width = float(p.isf(0.25) - p.icdf(0.25)) or 1.0
    t = np.array([-2.0, -0.3, 0.1, 0.7, 1.5, 4.0]) / width
    error = np.exp(1j * t[:, None] * x).mean(1) - np.asarray(p.cf(t))
    bound = np.sqrt(2.0 * np.log(2.0 * 12.0 / 1e-9) / n)
    assert np.all(np.abs(error.real) <= bound)
    assert np.all(np.abs(error.imag) <= bound)


def test_derivatives_of_the_characteristic_function():
    """Row L11: φ'(0) = i E X, where the mean exists: differences of a function known to 1e-15, step 1e-4."""
    p = sf.Gamma(3.0, 2.0)
    step = 1e-4
    slope = (complex(p.cf(step)) - complex(p.cf(-step))) / (2 * step)
    assert slope == pytest.approx(1.5j, abs=step**2 * 7.5 / 6 + 1e-15 / step)
    assert jnp.iscomplexobj(p.cf(step))
