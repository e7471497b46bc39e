"""Densities, tails and quantiles of the continuous families in closed form, against mpmath.

The points are quantiles from 1e-290 to the middle, from both sides, where they are numbers. The error of a logarithm
log F is held to 16 eps times its condition number 1 + |log F| + |x ∂log F/∂x| + Σ |θ ∂log F/∂θ|: what rounding the
arguments once costs, for the few roundings of a formula.
"""

import functools

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

import suffice as sf

EPS = 2.0**-52
LEVELS = np.array([1e-290, 1e-60, 1e-9, 1e-2, 0.3])
METHODS = ("log_prob", "log_cdf", "log_sf")


def gamma_law(a, x):
    """(log-density, cdf, sf) of the standard gamma."""
    density = (a - 1) * mp.log(x) - x - mp.loggamma(a)
    return density, mp.gammainc(a, 0, x, regularized=True), mp.gammainc(a, x, mp.inf, regularized=True)


def chi_squared(x, df):
    density, cdf, sf_ = gamma_law(df / 2, x / 2)
    return density - mp.log(2), cdf, sf_


def chi(x, df):
    density, cdf, sf_ = gamma_law(df / 2, x * x / 2)
    return density + mp.log(x), cdf, sf_


def maxwell(x, scale):
    density, cdf, sf_ = chi(x / scale, mp.mpf(3))
    return density - mp.log(scale), cdf, sf_


def half_normal(x, scale):
    density, cdf, sf_ = chi(x / scale, mp.mpf(1))
    return density - mp.log(scale), cdf, sf_


def half_cauchy(x, scale):
    z = x / scale
    return mp.log(2 / (mp.pi * scale)) - mp.log1p(z * z), 2 * mp.atan(z) / mp.pi, 2 * mp.atan(1 / z) / mp.pi


def normal_cdf(z):
    return mp.erfc(-z / mp.sqrt(2)) / 2


def inverse_gaussian(x, loc, concentration):
    root = mp.sqrt(concentration / x)
    a, b = root * (x / loc - 1), root * (x / loc + 1)
    term = mp.exp(2 * concentration / loc) * normal_cdf(-b)
    density = mp.log(concentration / (2 * mp.pi * x**3)) / 2 - a * a / 2
    return density, normal_cdf(a) + term, normal_cdf(-a) - term


def modified_normal(x, loc, scale, rate):
    z, b = (x - loc) / scale, rate * scale
    term = mp.exp(b * b / 2 - b * z) * normal_cdf(z - b)
    return mp.log(rate * term), normal_cdf(z) - term, normal_cdf(-z) + term


def by_hazard(hazard, x, *parameters):
    """From the cumulative hazard H: sf = exp(−H), density H' exp(−H)."""
    h = hazard(x, *parameters)
    with mp.workdps(2 * mp.mp.dps):
        slope = mp.diff(lambda s: hazard(x * (1 + s), *parameters), 0, h=mp.mpf(10) ** (-mp.mp.dps // 3)) / x
    return mp.log(slope) - h, -mp.expm1(-h), mp.exp(-h)


def lomax(x, a, scale):
    return a * mp.log1p(x / scale)


def burr(x, alpha, beta, scale):
    return beta * mp.log1p((x / scale) ** alpha)


def log_logistic(x, k, scale):
    return burr(x, k, mp.mpf(1), scale)


def kumaraswamy(x, alpha, beta):
    return -beta * mp.log1p(-(x**alpha))


def generalized_pareto(x, scale, shape):
    return mp.log1p(shape * x / scale) / shape if shape else x / scale


def generalized_extreme(x, loc, scale, shape):
    z = (x - loc) / scale
    y = mp.log1p(shape * z) / shape if shape else z
    e = mp.exp(-y)
    return -mp.log(scale) - (1 + shape) * y - e, mp.exp(-e), -mp.expm1(-e)


def log_uniform(x, low, high):
    width = mp.log(high / low)
    return -mp.log(x * width), mp.log(x / low) / width, mp.log(high / x) / width


def beta_prime(x, alpha, beta):
    density = (alpha - 1) * mp.log(x) - (alpha + beta) * mp.log1p(x) - mp.log(mp.beta(alpha, beta))
    cdf = mp.betainc(alpha, beta, 0, x / (1 + x), regularized=True)
    return density, cdf, mp.betainc(beta, alpha, 0, 1 / (1 + x), regularized=True)


def f_ratio(x, df1, df2):
    density, cdf, sf_ = beta_prime(x * df1 / df2, df1 / 2, df2 / 2)
    return density + mp.log(df1 / df2), cdf, sf_


def asymmetric_laplace(x, loc, scale, kappa):
    z = (x - loc) / scale
    above, below = 1 / (1 + kappa**2), 1 / (1 + kappa**-2)
    cdf = below * mp.exp(z / kappa) if z < 0 else 1 - above * mp.exp(-kappa * z)
    density = (z / kappa if z < 0 else -kappa * z) - mp.log(scale * (kappa + 1 / kappa))
    return density, cdf, above * mp.exp(-kappa * z) if z >= 0 else 1 - cdf


def triangular(x, low, high, peak):
    width = high - low
    cdf = (x - low) ** 2 / (width * (peak - low)) if x < peak else 1 - (high - x) ** 2 / (width * (high - peak))
    density = (x - low) / (peak - low) if x < peak else (high - x) / (high - peak)
    return mp.log(2 * density / width), cdf, 1 - cdf


def skew_normal(x, loc, scale, shape):
    """By the light tail ∫ 2 φ(t) Φ(−|shape| t) dt over t > |z|, in units of its own length."""
    z, a = (x - loc) / scale, abs(shape)
    z, h = (z, abs(z)) if shape >= 0 else (-z, abs(z))
    rate = (1 + a * a) * h + mp.sqrt(1 + a * a)

    def integrand(u):
        t = u / rate
        m = a * (h + t)
        return mp.exp(-t * (h + t / 2) - a * a * t * (h + t / 2)) * mp.exp(m * m / 2) * mp.erfc(m / mp.sqrt(2))

    total = mp.quad(integrand, [0, 2, 6, 15, 40, 150]) / rate
    light = total * mp.exp(-(1 + a * a) * h * h / 2) / mp.sqrt(2 * mp.pi)
    density = mp.log(2 / scale) - z * z / 2 - mp.log(2 * mp.pi) / 2 + mp.log(normal_cdf(a * z))
    below, above = (light, 1 - light) if z < 0 else (mp.erf(z / mp.sqrt(2)) + light, 2 * normal_cdf(-z) - light)
    return (density, below, above) if shape >= 0 else (density, above, below)


def hazard(function):
    return functools.partial(by_hazard, function)


# family, reference, parameters, decimal digits the reference's cancellations take
CASES = [
    (sf.ChiSquared, chi_squared, [(0.02,), (1.0,), (7.5,), (300.0,)], 60),
    (sf.Chi, chi, [(0.02,), (1.0,), (7.5,), (300.0,)], 60),
    (sf.Maxwell, maxwell, [(1e-3,), (2.5,), (1e10,)], 60),
    (sf.HalfNormal, half_normal, [(1e-3,), (2.5,), (1e10,)], 60),
    (sf.HalfCauchy, half_cauchy, [(1e-3,), (2.5,), (1e10,)], 60),
    (sf.InverseGaussian, inverse_gaussian, [(1.0, 1e-3), (2.0, 3.0), (1e-3, 0.05), (1e5, 2e6)], 700),
    (sf.ExponentiallyModifiedNormal, modified_normal, [(0.0, 1.0, 1e-3), (1.0, 2.0, 0.4), (-3.0, 0.5, 30.0)], 800),
    (sf.Lomax, hazard(lomax), [(0.2, 1.0), (3.0, 1e-3), (1e6, 2.0)], 320),
    (sf.Burr12, hazard(burr), [(0.3, 5.0, 1.0), (3.0, 0.2, 1e-3), (20.0, 2.0, 1e6)], 320),
    (sf.LogLogistic, hazard(log_logistic), [(2.0, 1.0), (30.0, 1e-3), (0.9, 1e6)], 320),
    (sf.Kumaraswamy, hazard(kumaraswamy), [(0.5, 0.7), (3.0, 200.0), (50.0, 0.3)], 320),
    (sf.GeneralizedPareto, hazard(generalized_pareto), [(1.0, 0.0), (2.0, 1e-9), (1e-3, 0.4), (5.0, -0.3)], 320),
    (sf.GeneralizedExtremeValue, generalized_extreme, [(0.0, 1.0, 0.0), (1.0, 2.0, 1e-9), (-3.0, 0.5, 0.3)], 60),
    (sf.BetaPrime, beta_prime, [(0.3, 5.0), (20.0, 0.4)], 40),
    (sf.F, f_ratio, [(3.0, 12.0)], 40),
    (sf.SkewNormal, skew_normal, [(1.0, 2.0, 3.0), (0.0, 1e-3, -50.0), (5.0, 1.0, 1e6)], 40),
    (sf.AsymmetricLaplace, asymmetric_laplace, [(0.0, 1.0, 1.0), (1.0, 1e-3, 0.02), (-5.0, 30.0, 7.0)], 320),
    (sf.Triangular, triangular, [(0.0, 1.0, 0.0), (-1.0, 3.0, 0.5), (0.0, 1e-3, 1e-3)], 620),
    (sf.LogUniform, log_uniform, [(1e-3, 1e5), (1.0, 1.001)], 60),
]


def condition(method, p, x):
    """1 + |v| + |x ∂v/∂x| + Σ |θ ∂v/∂θ| of v = method(p, x)."""
    leaves, structure = jax.tree.flatten(p)

    def value(*arguments):
        return getattr(jax.tree.unflatten(structure, arguments[:-1]), method)(arguments[-1])

    arguments = (*leaves, x)
    total = 1.0 + jnp.abs(value(*arguments))
    for i, argument in enumerate(arguments):
        moved = tuple(argument if j == i else jnp.zeros_like(a) for j, a in enumerate(arguments))
        total = total + jnp.abs(jax.jvp(value, arguments, moved)[1])
    return total


@pytest.mark.parametrize(("kind", "reference", "sets", "digits"), CASES, ids=lambda v: getattr(v, "__name__", ""))
def test_against_mpmath(kind, reference, sets, digits):
    p = kind(*(np.array(column) for column in zip(*sets, strict=True)))
    levels = LEVELS[:, None] + np.zeros(len(sets))
    x = np.concatenate([p.icdf(levels), p.isf(levels)])
    low, high = (np.asarray(end) for end in (p.support().lower, p.support().upper))
    usable = (np.asarray(x) > low) & (np.asarray(x) < high) & (np.abs(x) > 1e-150) & (np.abs(x) < 1e150)
    x = np.where(usable, x, np.asarray(p.median()))
    expected = np.empty((3, *x.shape))
    with mp.workdps(digits):
        for i, j in np.ndindex(*x.shape):
            density, cdf, survival = reference(mp.mpf(x[i, j]), *map(mp.mpf, sets[j]))
            log_cdf = mp.log(cdf) if cdf < 0.5 else mp.log1p(-survival)
            log_sf = mp.log(survival) if survival < 0.5 else mp.log1p(-cdf)
            expected[:, i, j] = [float(density), float(log_cdf), float(log_sf)]
    for name, value in zip(METHODS, expected, strict=True):
        found = np.asarray(getattr(p, name)(x))
        allowed = 16.0 * EPS * np.asarray(jax.jit(condition, static_argnums=0)(name, p, jnp.asarray(x)))
        # near certainty the logarithm is minus the other tail, to its own relative accuracy
        error = np.abs(found - value)
        assert np.all(error <= allowed), (name, float((error / allowed).max() * 16.0))
    for name, value in (("cdf", expected[1]), ("sf", expected[2])):
        found = np.asarray(getattr(p, name)(x))
        allowed = 16.0 * EPS * np.asarray(jax.jit(condition, static_argnums=0)("log_" + name, p, jnp.asarray(x)))
        np.testing.assert_array_less(np.abs(found / np.exp(value) - 1.0), allowed + 4.0 * EPS * (1.0 + np.abs(value)))


@pytest.mark.parametrize(("kind", "reference", "sets", "digits"), CASES, ids=lambda v: getattr(v, "__name__", ""))
def test_quantiles_invert(kind, reference, sets, digits):
    """Back from x to its level, as far as rounding of x allows."""
    del reference, digits
    p = kind(*(np.array(column) for column in zip(*sets, strict=True)))
    levels = LEVELS[:, None] + np.zeros(len(sets))
    for quantile, tail in (("icdf", "log_cdf"), ("isf", "log_sf")):
        x = getattr(p, quantile)(levels)
        low, high = (np.asarray(end) for end in (p.support().lower, p.support().upper))
        usable = (np.asarray(x) > low) & (np.asarray(x) < high) & (np.abs(x) > 1e-300) & (np.abs(x) < 1e300)
        x = jnp.asarray(np.where(usable, x, np.asarray(p.median())))
        allowed = 32.0 * EPS * jax.jit(condition, static_argnums=0)(tail, p, x)
        error = jnp.abs(getattr(p, tail)(x) - np.log(levels))
        assert np.all(np.asarray(jnp.where(usable, error <= allowed, True)))
