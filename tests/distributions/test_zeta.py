"""The zeta law against mpmath in 60 digits."""

import jax
import mpmath as mp
import numpy as np
import pytest

import suffice as sf

EPS = 2.0**-52
EXPONENTS = (1.0 + 2.0**-30, 1.03, 1.5, 2.0, 3.7, 7.0, 25.0, 130.0)


def hurwitz(s, q):
    """ζ(s, q): two hundred terms and sixty corrections."""
    end = q + 200
    corrections = [
        mp.bernoulli(2 * j) / mp.factorial(2 * j) * mp.rf(s, 2 * j - 1) * end ** (1 - 2 * j) for j in range(1, 40)
    ]
    return mp.fsum((q + k) ** -s for k in range(200)) + end**-s * (end / (s - 1) + mp.mpf(1) / 2 + mp.fsum(corrections))


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_values(exponent):
    """Probabilities and both tails to 16 eps of what they are made of: the exponent is rounded before log k sees it."""
    p = sf.Zeta(exponent)
    with mp.workdps(60):
        s = mp.mpf(exponent)
        whole = hurwitz(s, mp.mpf(1))
        for k in (1.0, 2.0, 3.0, 10.0, 11.0, 137.0, 1e5, 2.0**52, 1e100):
            upper = hurwitz(s, mp.mpf(k) + 1) / whole
            lower = 1 - upper
            log_mass = -s * mp.log(k) - mp.log(whole)
            size = 1.0 + exponent * np.log(k) + float(mp.log(whole))
            assert abs(p.log_prob(k) - float(log_mass)) <= 4 * EPS * size
            for tail, value, rest in (("cdf", lower, upper), ("sf", upper, lower)):
                log_value = float(mp.log(value) if value < 0.5 else mp.log1p(-rest))
                if value > 1e-290:
                    assert abs(getattr(p, tail)(k) / float(value) - 1) <= 16 * EPS, (tail, k)
                assert abs(getattr(p, "log_" + tail)(k) - log_value) <= 8 * EPS * (size if value < 0.5 else -log_value)


def test_quantiles():
    """The smallest integer, exactly, as long as there are integers; beyond, the nearest number; then infinity."""
    p = sf.Zeta(1.5)
    k = np.array([1.0, 2.0, 17.0, 1000.0, 1e6 + 3.0])
    for tail, quantile in (("sf", "isf"), ("cdf", "icdf")):
        level = np.asarray(getattr(p, tail)(k))
        np.testing.assert_array_equal(getattr(p, quantile)(level), k)
        inward = level * (1.0 + (1.0 if tail == "cdf" else -1.0) * 1e-10)
        np.testing.assert_array_equal(getattr(p, quantile)(inward), k + 1)
    far = np.asarray(sf.Zeta(3.0).isf(np.array([1e-40, 1e-150, 1e-290])))
    np.testing.assert_allclose(
        far, np.sqrt(0.5 / 1.2020569031595942 / np.array([1e-40, 1e-150, 1e-290])), rtol=16 * EPS
    )
    heavy = np.asarray(sf.Zeta(1.03).isf(np.array([1e-9, 1e-20])))
    with mp.workdps(40):
        s = mp.mpf(1.03)
        expected = (mp.mpf(1e-9) * (s - 1) * mp.zeta(s)) ** (1 / (1 - s))
    assert abs(heavy[0] / float(expected) - 1) <= 16 * EPS / 0.03
    assert heavy[1] == np.inf


def test_moments():
    """Quotients of zeta functions; infinite where the exponent is too small."""
    with mp.workdps(60):
        for exponent in (5.01, 6.5, 12.0, 60.0, 150.0):
            raw = [mp.zeta(mp.mpf(exponent) - m) / mp.zeta(mp.mpf(exponent)) for m in range(5)]
            mean, second = raw[1], raw[2] - raw[1] ** 2
            third = raw[3] - 3 * mean * raw[2] + 2 * mean**3
            fourth = raw[4] - 4 * mean * raw[3] + 6 * mean**2 * raw[2] - 3 * mean**4
            expected = [mean, second, third / second**1.5, fourth / second**2 - 3]
            p = sf.Zeta(exponent)
            found = [p.mean(), p.variance(), p.skewness(), p.kurtosis()]
            # (2 + 1)^4 terms cancel to one; the exponent meets log 2
            np.testing.assert_allclose(np.array(found, float), np.array(expected, float), rtol=EPS * (81 + exponent))
    p = sf.Zeta(np.array([1.5, 2.5, 3.5, 4.5]))
    inf, nan = np.inf, np.nan
    np.testing.assert_array_equal(np.isinf(p.mean()), [True, False, False, False])
    np.testing.assert_array_equal(np.isinf(p.variance()), [True, True, False, False])
    np.testing.assert_array_equal(np.asarray(p.skewness())[:3], [nan, nan, inf])
    np.testing.assert_array_equal(p.kurtosis(), [nan, nan, inf, inf])


@pytest.mark.parametrize("exponent", [1.03, 2.0, 4.5, 11.9, 12.1, 80.0])
def test_transforms(exponent):
    """E[exp(tX)] and E[exp(itX)] are polylogarithms; to 64 eps, the sum of two hundred nodes."""
    p = sf.Zeta(exponent)
    with mp.workdps(40):
        whole = mp.zeta(mp.mpf(exponent))
        for t in (1e-6, 0.01, 0.5, 3.0, 40.0):
            value = mp.log(mp.polylog(mp.mpf(exponent), mp.exp(-mp.mpf(t))) / whole)
            assert abs(p.cumulant(-t) - float(value)) <= 64 * EPS * (1.0 + abs(float(value)))
            wave = complex(mp.polylog(mp.mpf(exponent), mp.expj(mp.mpf(t))) / whole)
            assert abs(p.cf(t) - wave) <= EPS * (64 + 4 * t * abs(p.cf(t)))
    assert p.cumulant(0.0) == 0.0
    assert p.cumulant(1e-9) == np.inf
    assert p.cf(0.0) == 1.0


def test_derivatives():
    """In the exponent, to second order, of log P and of the logarithms of both tails; close to the pole as well.

    There the second derivative of 1/ζ(s) is a difference of terms of the size of 2/(s − 1).
    """
    for exponent in (1.0 + 1e-6, 1.4, 3.0, 20.0):
        with mp.workdps(60):
            s, h = mp.mpf(exponent), mp.mpf(10) ** -18
            for k in (1.0, 5.0):
                exact = {
                    "log_prob": lambda s, k=k: -s * mp.log(k) - mp.log(hurwitz(s, 1)),
                    "log_sf": lambda s, k=k: mp.log(hurwitz(s, mp.mpf(k) + 1) / hurwitz(s, 1)),
                    "log_cdf": lambda s, k=k: mp.log1p(-hurwitz(s, mp.mpf(k) + 1) / hurwitz(s, 1)),
                }
                for name, reference in exact.items():
                    f = lambda s, k=k, name=name: getattr(sf.Zeta(s), name)(k)  # noqa: E731
                    first, second = jax.grad(f)(exponent), jax.grad(jax.grad(f))(exponent)
                    low, here, high = reference(s - h), reference(s), reference(s + h)
                    np.testing.assert_allclose(first, float((high - low) / (2 * h)), rtol=2e-14)
                    expected = float((high - 2 * here + low) / h**2)
                    np.testing.assert_allclose(second, expected, rtol=1e-12, atol=8 * EPS / (exponent - 1.0))


def test_fit():
    """Within six standard errors: a false alarm of 2e-9 each; the mean of log X is matched."""
    for truth in (1.05, 2.5, 9.0):
        x = np.asarray(sf.Zeta(truth).sample((4000,), rng=5))
        fit = sf.fit(sf.Zeta, x)
        assert fit.converged
        assert abs(fit.parameters["exponent"] - truth) <= 6 * fit.standard_errors["exponent"]
        expected = jax.grad(lambda s, x=x: sf.Zeta(s).log_prob(x).sum())(fit.parameters["exponent"])
        assert abs(expected) <= 1e-10 * np.log(x).sum()
