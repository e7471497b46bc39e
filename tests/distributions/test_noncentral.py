"""The noncentral chi-squared and t laws against Boost's tables, and against sums in many digits."""

from pathlib import Path

import jax
import mpmath as mp
import numpy as np
import pytest

import suffice as sf

EPS = 2.0**-52
BOOST = Path(__file__).parents[1] / "references" / "boost"


def table(name):
    return np.loadtxt(BOOST / f"{name}.csv", delimiter=",", skiprows=1, unpack=True)


@pytest.mark.parametrize("name", ["nccs", "nccs_big"])
def test_table(name):
    """Both tails to 16 eps times their condition number 1 + |x f/F| + |log F|."""
    df, noncentrality, x, *tails = table(name)
    p = sf.NoncentralChiSquared(df, noncentrality)
    density = np.asarray(p.prob(x))
    for tail, value in zip(("cdf", "sf"), tails, strict=True):
        inside = value > 1e-290
        expected = np.where(inside, value, 1.0)
        allowed = 16 * EPS * (1.0 + x * density / expected - np.log(expected))
        np.testing.assert_array_less(np.abs(getattr(p, tail)(x) / expected - 1.0)[inside], allowed[inside])
        smaller = inside & (expected < 0.5)
        found = np.asarray(getattr(p, "log_" + tail)(x))
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


@pytest.mark.parametrize("name", ["nct", "nct_asym", "nct_small_delta"])
def test_tables_of_t(name):
    """Both tails to 16 eps times their condition number 1 + |x f/F| + |δ f/F| + |log F|."""
    df, noncentrality, x, cdf, survival = table(name)
    p = sf.NoncentralT(df, noncentrality)
    density = np.asarray(p.prob(x))
    for tail, expected in (("cdf", cdf), ("sf", survival)):
        allowed = 16 * EPS * (1.0 + (np.abs(x) + np.abs(noncentrality)) * density / expected - np.log(expected))
        np.testing.assert_array_less(np.abs(getattr(p, tail)(x) / expected - 1.0), allowed)


def test_table_of_density_of_t():
    """To 8 eps of 1 + |log p|, which is its exponent."""
    df, noncentrality, x, density = table("nc_t_pdf_data")
    found = np.asarray(sf.NoncentralT(df, noncentrality).prob(x))
    np.testing.assert_array_less(np.abs(found / density - 1.0), 8 * EPS * (1.0 + np.abs(np.log(density))))


def exact_t(df, delta, t):
    """(cdf, sf) at t > 0, by a sum over incomplete beta functions, which alternates where δ < 0."""
    df, delta, t = mp.mpf(df), mp.mpf(delta), mp.mpf(t)
    x, y, b = t * t / (df + t * t), df / (df + t * t), df / 2
    shape = [mp.mpf(1) / 2, mp.mpf(1)]
    beta = [mp.betainc(a, b, 0, x, regularized=True) for a in shape]
    step = [x**a * y**b / (a * mp.beta(a, b)) for a in shape]
    weight = [mp.exp(-(delta**2) / 2), delta * mp.sqrt(2 / mp.pi) * mp.exp(-(delta**2) / 2)]
    total, k = mp.mpf(0), 0
    while k < delta**2 + 2 or abs(weight[(k - 1) % 2]) > mp.mpf(10) ** -mp.mp.dps:
        i = k % 2
        total += weight[i] * beta[i]
        beta[i] -= step[i]
        step[i] *= x * (shape[i] + b) / (shape[i] + 1)
        shape[i] += 1
        weight[i] *= delta**2 / (k + 2)
        k += 1
    lower = mp.ncdf(-delta) + total / 2
    return lower, 1 - lower


@pytest.mark.parametrize(
    ("df", "noncentrality"),
    [(1e-3, 0.5), (0.03, 7.0), (0.5, -3.0), (1.0, 20.0), (3.0, 1e-8), (2.0, 0.0), (30.0, -12.0), (1e4, 7.0)],
)
def test_t_against_sums(df, noncentrality):
    """Quantiles of levels from 1e-290 on, and the tails there, to 64 eps (1 + |x f/F| + |log F|)."""
    p = sf.NoncentralT(df, noncentrality)
    for side, (quantile, tail) in enumerate((("icdf", "cdf"), ("isf", "sf"))):
        levels = np.array([1e-290, 1e-100, 1e-8, 1e-3, 0.3, 0.48])
        x = np.asarray(getattr(p, quantile)(levels))
        found, density = np.asarray(getattr(p, tail)(x)), np.asarray(p.prob(x))
        for i in np.flatnonzero((np.abs(x) < 1e150) & (x != 0.0)):
            with mp.workdps(400):
                both = exact_t(df, noncentrality, x[i]) if x[i] > 0 else exact_t(df, -noncentrality, -x[i])[::-1]
                value = both[side]
                allowed = 64 * EPS * (1.0 + abs(x[i]) * density[i] / float(value) - float(mp.log(value)))
                assert abs(float(value / mp.mpf(levels[i])) - 1.0) <= allowed
                assert abs(float(mp.mpf(found[i]) / value) - 1.0) <= allowed


def test_student_is_central():
    """Without noncentrality it is Student's: tails, density, moments."""
    x, central, student = np.array([-30.0, -1.0, 0.0, 0.3, 8.0]), sf.NoncentralT(4.5), sf.StudentT(4.5)
    for name in ("log_prob", "log_cdf", "log_sf"):
        np.testing.assert_allclose(getattr(central, name)(x), getattr(student, name)(x), rtol=32 * EPS)
    for name in ("mean", "variance", "skewness", "kurtosis", "mode", "median"):
        expected = getattr(student, name)()
        np.testing.assert_allclose(getattr(central, name)(), expected, rtol=64 * EPS, atol=1e-12)


def test_characteristic_function_of_t():
    """Cauchy's is exp(−|t|); that of T with two moments starts as theirs do."""
    t = np.array([-4.0, -1e-3, 0.5, 30.0])
    np.testing.assert_allclose(sf.NoncentralT(1.0).cf(t), np.exp(-np.abs(t)), rtol=0, atol=32 * EPS)
    for df, noncentrality in ((7.0, 2.0), (50.0, -5.0), (1e4, -300.0)):
        p = sf.NoncentralT(df, noncentrality)
        s = 1e-4 / (1.0 + abs(noncentrality))
        expected = 1.0 + 1j * s * float(p.mean()) - 0.5 * s**2 * float(p.variance() + p.mean() ** 2)
        assert abs(complex(p.cf(s)) - expected) <= 1e-12  # the next term is of size (1e-4)³


def test_derivatives_of_t():
    """In every parameter, to second order: against differences of the tails and the density at steps h and 2h."""

    def value(v, name):
        return getattr(sf.NoncentralT(v[0], v[1]), name)(v[2])

    for name in ("log_prob", "log_cdf", "log_sf"):
        gradient = jax.jit(jax.grad(lambda v, name=name: value(v, name)))
        curvature = jax.jit(jax.jacfwd(gradient))
        for v in ([3.0, 1.5, 2.0], [0.7, -2.0, 1.0], [40.0, 6.0, 4.0]):
            v, h = np.array(v), 1e-3
            for i in range(3):
                move = h * np.eye(3)[i]
                near, far = ((value(v + k * move, name) - value(v - k * move, name)) / (2 * k * h) for k in (1, 2))
                assert abs(gradient(v)[i] - (4 * near - far) / 3) <= abs(near - far) * 1e-2 + 1e-11
                near, far = ((gradient(v + k * move) - gradient(v - k * move)) / (2 * k * h) for k in (1, 2))
                np.testing.assert_array_less(
                    np.abs(curvature(v)[i] - (4 * near - far) / 3), np.abs(near - far) * 1e-2 + 1e-10
                )
