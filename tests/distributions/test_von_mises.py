"""The von Mises law against quadrature of its density in 30 digits, and against what is known of it in closed form."""

import itertools
import math

import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import suffice as sf
from suffice.numerics.special.von_mises import log_circle_mass, resultant_gap

LEVELS = np.array([1e-290, 1e-9, 0.3])
MEMBERS = [(0.0, 0.03), (0.5, 100.0), (3.0, 20.0), (-3.1, 1e4), (math.pi, 2.0), (1.0, 1e8)]


def mass(kappa, loc, low, high):
    """log ∫ exp(κ (cos(t − loc) − 1)) dt: between turning points, from the larger end to where it is exp(−60) of that."""
    exponent = lambda t: -2 * kappa * mp.sin((t - loc) / 2) ** 2  # noqa: E731
    ends = [low, *(t for t in (loc + k * mp.pi for k in range(-2, 3)) if low < t < high), high]
    logs = []
    for a, b in itertools.pairwise(ends):
        start, end = (a, b) if exponent(a) > exponent(b) else (b, a)
        near, far = start, end
        for _ in range(60 if exponent(end) < exponent(start) - 60 else 0):
            middle = (near + far) / 2
            near, far = (middle, far) if exponent(middle) > exponent(start) - 60 else (near, middle)
        edges = [start + (far - start) * k / 5 for k in range(6)]
        unit = exponent(start)
        total = mp.quad(lambda t, unit=unit: mp.exp(exponent(t) - unit), edges, method="gauss-legendre", maxdegree=4)
        logs.append((unit, mp.log(abs(total))))
    top = max(sum(v) for v in logs)
    return top + mp.log(mp.fsum(mp.exp(sum(v) - top) for v in logs))


@pytest.mark.parametrize(("loc", "kappa"), MEMBERS)
def test_tails(loc, kappa):
    """Each tail, as far as rounding x and κ once allows: 48 eps (1 + |x f/F| + |log F|), 32 of them the Bessel function's."""
    p = sf.VonMises(loc, kappa)
    x = np.concatenate([p.icdf(LEVELS), p.isf(LEVELS)])
    x = x[np.abs(x) < math.pi]
    with mp.workdps(30):
        k, m, end = mp.mpf(kappa), mp.mpf(loc), mp.mpf(math.pi)
        whole = mp.log(2 * mp.pi * mp.besseli(0, k) * mp.exp(-k))
        for v in x:
            lower, upper = (mass(k, m, *ends) - whole for ends in ((-end, mp.mpf(v)), (mp.mpf(v), end)))
            density = -2 * k * mp.sin((mp.mpf(v) - m) / 2) ** 2 - whole
            slope = float(abs(v) * k * abs(mp.sin(mp.mpf(v) - m)))
            assert abs(float(p.log_prob(v)) - float(density)) <= 48 * 2.0**-52 * (1.0 + abs(float(density)) + slope)
            for name, value, rest in (("cdf", lower, upper), ("sf", upper, lower)):
                log_value = value if value < rest else mp.log1p(-mp.exp(rest))
                condition = float(1 + abs(v) * mp.exp(density - value) + abs(value))
                allowed = 48 * 2.0**-52 * condition
                assert abs(float(getattr(p, name)(v)) / float(mp.exp(value)) - 1.0) <= allowed
                slack = 48 * 2.0**-52 * float(1 + abs(v) * mp.exp(density - min(value, rest)) + abs(log_value))
                assert abs(float(getattr(p, "log_" + name)(v) / float(log_value)) - 1.0) <= slack


@pytest.mark.parametrize("kappa", [1e-3, 0.7, 39.0, 41.0, 1e4, 1e12])
def test_normaliser_and_resultant(kappa):
    with mp.workdps(60):
        k = mp.mpf(kappa)
        scaled = [mp.besseli(n, k) * mp.exp(-k) for n in (0, 1)]
        assert float(log_circle_mass(kappa)) == pytest.approx(float(mp.log(2 * mp.pi * scaled[0])), rel=2e-14)
        assert float(resultant_gap(kappa)) == pytest.approx(float(1 - scaled[1] / scaled[0]), rel=2e-14)


def test_same_law_as_scipy_about_its_mode():
    p = sf.VonMises(0.0, 3.0)
    x = np.linspace(-3.0, 3.0, 25)
    np.testing.assert_allclose(p.log_prob(x), scipy.stats.vonmises.logpdf(x, 3.0), rtol=1e-13)
    np.testing.assert_allclose(p.cdf(x), scipy.stats.vonmises.cdf(x, 3.0), rtol=1e-10)


def test_turning_the_circle_turns_the_fit():
    """Angles about ±π are neighbours: the estimate is that of the same angles about 0, turned; and close to the truth."""
    x = np.asarray(sf.VonMises(0.0, 5.0).sample((4000,), rng=3))
    turned = np.where(x > 0.0, x - math.pi, x + math.pi)
    here, there = sf.fit(sf.VonMises, x), sf.fit(sf.VonMises, turned)
    assert there.parameters["concentration"] == pytest.approx(here.parameters["concentration"], rel=1e-12)
    assert abs(there.parameters["loc"]) == pytest.approx(math.pi - abs(here.parameters["loc"]), rel=1e-12)
    assert float(there.log_likelihood) == pytest.approx(float(here.log_likelihood), rel=1e-12)
    # six standard errors: a false alarm of 2e-9
    assert abs(here.parameters["concentration"] - 5.0) < 6.0 * here.standard_errors["concentration"]


def test_narrow_samples_keep_their_digits():
    """1 − R of a narrow sample is lost in R: the estimate of 1e10 comes from the spread about the mean."""
    x = 1.0 + 1e-5 * np.linspace(-1.0, 1.0, 101)
    with mp.workdps(40):
        angles = [mp.mpf(v) for v in x]
        length = mp.hypot(mp.fsum(map(mp.cos, angles)), mp.fsum(map(mp.sin, angles))) / len(angles)
        guess = 1 / (2 * (1 - length))
        expected = mp.findroot(lambda k: mp.besseli(1, k) / mp.besseli(0, k) - length, (guess, guess * 1.001))
    # rounding of cos and sin is eps/1e-5 of the spread
    assert sf.fit(sf.VonMises, x).parameters["concentration"] == pytest.approx(float(expected), rel=1e-9)
