"""The noncentral chi-squared law against Boost's table, and against sums in 50 digits."""

from pathlib import Path

import mpmath as mp
import numpy as np
import pytest

import suffice as sf

EPS = 2.0**-52
TABLE = Path(__file__).parents[1] / "references" / "boost" / "nccs.csv"


def test_table():
    """Both tails to 16 eps times their condition number 1 + |x f/F| + |log F|."""
    df, noncentrality, x, cdf, survival = np.loadtxt(TABLE, delimiter=",", skiprows=1, unpack=True)
    p = sf.NoncentralChiSquared(df, noncentrality)
    density = np.asarray(p.prob(x))
    for name, expected in (("cdf", cdf), ("sf", survival)):
        allowed = 16 * EPS * (1.0 + x * density / expected - np.log(expected))
        np.testing.assert_array_less(np.abs(getattr(p, name)(x) / expected - 1.0), allowed)
        smaller = expected < 0.5
        found = np.asarray(getattr(p, "log_" + name)(x))
        np.testing.assert_array_less(np.abs(found - np.log(expected))[smaller], allowed[smaller])


def exact(df, noncentrality, x):
    """(log-density, cdf, sf) by Poisson's mixture."""
    a, m, y = mp.mpf(df) / 2, mp.mpf(noncentrality) / 2, mp.mpf(x) / 2
    largest = int(m + y + 30 * mp.sqrt(m + y) + 200)
    weight, term = mp.exp(-m), mp.exp(a * mp.log(y) - y - mp.loggamma(a + 1))  # of y in the series of P
    upper = mp.gammainc(a, y, mp.inf, regularized=True)
    density = above = total = mp.mpf(0)
    for j in range(largest):
        density += weight * term * (a + j) / y / 2
        above += weight * upper
        total += weight
        upper += term
        term *= y / (a + j + 1)
        weight *= m / (j + 1)
    return mp.log(density), total - above, above


@pytest.mark.parametrize(
    ("df", "noncentrality"),
    [(1e-3, 0.5), (0.7, 1e-8), (3.0, 0.0), (3.0, 40.0), (1.0, 3000.0), (400.0, 1.0), (1e4, 500.0)],
)
def test_against_sums(df, noncentrality):
    """Quantiles of levels from 1e-290 on, and density and tails there, to 64 eps (1 + |x f/F| + |log F|)."""
    p = sf.NoncentralChiSquared(df, noncentrality)
    levels = np.array([1e-290, 1e-30, 1e-3, 0.3])
    for quantile, side in (("icdf", 1), ("isf", 2)):
        for level in levels:
            x = float(getattr(p, quantile)(level))
            if x < 1e-300:
                continue
            with mp.workdps(360):
                values = exact(df, noncentrality, x)
                density, tail = float(values[0]), values[side]
                slope = x * float(mp.exp(values[0]) / tail)
                allowed = 64 * EPS * (1.0 + slope + abs(float(mp.log(tail))))
                assert abs(float(tail) / level - 1.0) <= allowed
                assert float(p.log_prob(x)) == pytest.approx(density, abs=64 * EPS * (1.0 + slope + abs(density)))
                found = float(getattr(p, "cdf" if side == 1 else "sf")(x))
                assert abs(found / float(tail) - 1.0) <= allowed
