"""Transforms along a raised line, against closed forms at 30 digits.

The trapezoidal rule of 384 terms is exact to rounding: eps times the condition of the log-density, whose terms are of
the size of the concentration's square root at most; 1e-12 leaves it two digits.
"""

import jax
import mpmath as mp
import numpy as np
import pytest

import suffice as sf

T = np.array([1e-3, 0.03, 0.5, 3.0, 40.0, 1e3])


def beta(a, b, t):
    return mp.hyp1f1(a, a + b, 1j * t)


def inverse_gamma(a, t):
    z = mp.mpc(0, -t)
    return 2 * z ** (mp.mpf(a) / 2) / mp.gamma(a) * mp.besselk(a, 2 * mp.sqrt(z))


def pareto(a, t):
    return a * mp.mpc(0, -t) ** a * mp.gammainc(-a, mp.mpc(0, -t))


def rayleigh(t):
    u = t / mp.sqrt(2)
    return 1 - mp.sqrt(mp.pi) * u * mp.exp(-u * u) * (mp.erfi(u) - 1j)


CASES = [
    *[
        (sf.Beta(a, b), lambda t, a=a, b=b: beta(a, b, t))
        for a, b in [(0.03, 0.03), (2.0, 3.0), (0.1, 30.0), (300.0, 200.0)]
    ],
    *[(sf.InverseGamma(a), lambda t, a=a: inverse_gamma(a, t)) for a in (0.03, 1.0, 3.0, 50.0)],
    *[(sf.Pareto(a), lambda t, a=a: pareto(a, t)) for a in (0.03, 1.5, 50.0)],
    (sf.Rayleigh(1.0), rayleigh),
    (sf.Weibull(2.0, np.sqrt(2.0)), rayleigh),
    (sf.Weibull(1.0), lambda t: 1 / (1 - 1j * t)),
    (sf.StudentT(1.0), lambda t: mp.exp(-t)),
    (sf.StudentT(3.0), lambda t: (1 + mp.sqrt(3) * t) * mp.exp(-mp.sqrt(3) * t)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: repr(case[0]))
def test_characteristic_function(case):
    p, reference = case
    with mp.workdps(30):
        expected = np.array([complex(reference(mp.mpf(t))) for t in T.tolist()])
    found = np.asarray(p.cf(np.stack([T, -T])))
    np.testing.assert_allclose(found[0], expected, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(found[1], np.conj(found[0]))


def test_laplace_transform():
    t = np.array([-50.0, -1.0, -1e-3, 0.0])
    np.testing.assert_allclose(sf.Weibull(1.0).cumulant(t), -np.log1p(-t), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(
        sf.Weibull(2.0, np.sqrt(2.0)).cumulant(-t), sf.Rayleigh(1.0).cumulant(-t), rtol=1e-13, atol=1e-15
    )
    with mp.workdps(30):
        expected = [float(mp.log(mp.hyp1f1(2, 5, mp.mpf(s)))) for s in (-1e3, -1.0, 0.5, 1e3)]
    np.testing.assert_allclose(sf.Beta(2.0, 3.0).cumulant(np.array([-1e3, -1.0, 0.5, 1e3])), expected, rtol=1e-13)


def test_divergence():
    """E exp(tX) is infinite for t > 0 where the tail is heavier than exponential, and from the rate on where it is not."""
    for p in (sf.LogNormal(0.0, 1.0), sf.InverseGamma(3.0), sf.Pareto(2.5), sf.Weibull(0.5)):
        assert np.all(np.asarray(p.cumulant(np.array([1e-8, 1.0, 1e3]))) == np.inf)
        assert np.all(np.isfinite(np.asarray(p.cumulant(np.array([-1e3, -1e-8, 0.0])))))
    assert np.isfinite(float(sf.Weibull(1.0).cumulant(0.999)))
    assert float(sf.Weibull(1.0).cumulant(1.0)) == np.inf


def test_derivative_in_parameters():
    """A scale s and an argument t enter as s·t only: the derivative in s at 1 is t times the one in t."""
    at = 0.7
    by_scale = jax.jacfwd(lambda s: sf.Weibull(1.5, s).cf(at))(1.0)
    by_argument = jax.jacfwd(lambda t: sf.Weibull(1.5, 1.0).cf(t))(at)
    np.testing.assert_allclose(by_scale, at * by_argument, rtol=1e-12)


def test_at_infinity():
    """The characteristic function of a density vanishes at infinity, that of counts keeps turning."""
    ends = np.array([-np.inf, np.inf])
    for p in (sf.Normal(), sf.Gamma(2.0, 1.0), sf.Cauchy(), sf.Mixture([sf.Normal(), sf.Gumbel()], [0.5, 0.5])):
        np.testing.assert_array_equal(p.cf(ends), 0.0)
    assert np.all(np.isnan(np.asarray(sf.Poisson(2.0).cf(ends))))
