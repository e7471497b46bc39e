"""The families by their defining formulae: log density (or probability), lower and upper tail at x, in mpmath.

Parameters come in the order of the library's constructors. Tails that are written as complements are exact to all
digits above 1e-300 at the precision of ``generate.py``.
"""

from collections.abc import Callable
from typing import NamedTuple

from mpmath import atan, binomial, exp, expm1, log, log1p, loggamma, mpf, pi, sqrt, zeta
from sums import (
    beta_tails,
    exponentially_modified,
    gamma_tails,
    inverse_gaussian,
    log_beta,
    log_normal_density,
    logarithmic,
    noncentral_chi_squared,
    noncentral_t,
    normal_tails,
    ratio_sums,
    skellam,
    skew_normal,
    von_mises,
)


class Law(NamedTuple):
    """A family: its formula, the parameters looked at, whether x is an integer, and how many parameters are."""

    formula: Callable
    grid: list[tuple[float, ...]]
    discrete: bool = False
    integers: int = 0


def complement(log_density, upper):
    return log_density, 1 - upper, upper


def normal(x, loc, scale):
    z = (x - loc) / scale
    return log_normal_density(z) - log(scale), *normal_tails(z)


def log_normal(x, loc, scale):
    log_density, *tails = normal(log(x), loc, scale)
    return log_density - log(x), *tails


def weibull(x, concentration, scale):
    h = (x / scale) ** concentration
    return log(concentration * h / x) - h, -expm1(-h), exp(-h)


def gamma(x, concentration, rate):
    log_density = concentration * log(rate) + (concentration - 1) * log(x) - rate * x - loggamma(concentration)
    return log_density, *gamma_tails(concentration, rate * x)


def inverse_gamma(x, concentration, scale):
    log_density, lower, upper = gamma(1 / x, concentration, scale)
    return log_density - 2 * log(x), upper, lower


def chi(x, df):
    log_density, *tails = gamma(x * x, df / 2, mpf(1) / 2)
    return log_density + log(2 * x), *tails


def beta(x, alpha, beta):
    log_density = (alpha - 1) * log(x) + (beta - 1) * log1p(-x) - log_beta(alpha, beta)
    return log_density, *beta_tails(alpha, beta, x)


def beta_prime(x, alpha, beta):
    log_density = (alpha - 1) * log(x) - (alpha + beta) * log1p(x) - log_beta(alpha, beta)
    return log_density, *beta_tails(alpha, beta, x / (1 + x), 1 / (1 + x))


def f(x, df1, df2):
    log_density, *tails = beta_prime(x * df1 / df2, df1 / 2, df2 / 2)
    return log_density + log(df1 / df2), *tails


def student_t(x, df, loc, scale):
    z = (x - loc) / scale
    half = beta_tails(df / 2, mpf(1) / 2, df / (df + z * z), z * z / (df + z * z))[0] / 2
    log_density = -(df + 1) / 2 * log1p(z * z / df) - log_beta(df / 2, mpf(1) / 2) - log(df) / 2 - log(scale)
    return log_density, *((half, 1 - half) if z < 0 else (1 - half, half))


def logistic(x, loc, scale):
    z = (x - loc) / scale
    lower, upper = 1 / (1 + exp(-z)), 1 / (1 + exp(z))
    return log(lower * upper / scale), lower, upper


def asymmetric_laplace(x, loc, scale, asymmetry):
    z, k = (x - loc) / scale, asymmetry
    log_density = (-k * z if z > 0 else z / k) - log(scale * (k + 1 / k))
    upper = exp(-k * z) / (1 + k * k) if z > 0 else 1 - exp(z / k) * k * k / (1 + k * k)
    return complement(log_density, upper)


def laplace(x, loc, scale):
    return asymmetric_laplace(x, loc, scale, mpf(1))


def cauchy(x, loc, scale):
    z = (x - loc) / scale
    return complement(-log(pi * scale * (1 + z * z)), mpf(1) / 2 - atan(z) / pi)


def half_cauchy(x, scale):
    log_density, _, upper = cauchy(x, mpf(0), scale)
    return complement(log_density + log(2), 2 * upper)


def half_normal(x, scale):
    log_density, _, upper = normal(x, mpf(0), scale)
    return complement(log_density + log(2), 2 * upper)


def generalized_extreme(x, loc, scale, shape):
    z = (x - loc) / scale
    exponent = z if shape == 0 else log1p(shape * z) / shape
    lower = exp(-exp(-exponent))
    return -log(scale) - (1 + shape) * exponent - exp(-exponent), lower, -expm1(-exp(-exponent))


def generalized_pareto(x, scale, shape):
    exponent = x / scale if shape == 0 else log1p(shape * x / scale) / shape
    return complement(-log(scale) - (1 + shape) * exponent, exp(-exponent))


def pareto(x, concentration, scale):
    return complement(log(concentration / x) - concentration * log(x / scale), (scale / x) ** concentration)


def lomax(x, concentration, scale):
    return burr(x, mpf(1), concentration, scale)


def burr(x, alpha, beta, scale):
    t = (x / scale) ** alpha
    return complement(log(alpha * beta * t / x) - (beta + 1) * log1p(t), (1 + t) ** -beta)


def kumaraswamy(x, alpha, beta):
    t = x**alpha
    return complement(log(alpha * beta * t / x) + (beta - 1) * log1p(-t), (1 - t) ** beta)


def uniform(x, low, high):
    return complement(-log(high - low), (high - x) / (high - low))


def log_uniform(x, low, high):
    return complement(-log(x * log(high / low)), log(high / x) / log(high / low))


def triangular(x, low, high, peak):
    if x < peak:
        log_density, lower, upper = triangular(low + high - x, low, high, low + high - peak)
        return log_density, upper, lower
    return complement(
        log(2 * (high - x) / ((high - low) * (high - peak))), (high - x) ** 2 / ((high - low) * (high - peak))
    )


def poisson(k, rate):
    return k * log(rate) - rate - loggamma(k + 1), *gamma_tails(k + 1, rate)[::-1]


def binomial_law(k, n, p):
    tails = (mpf(1), mpf(0)) if k == n else beta_tails(n - k, k + 1, 1 - p, p)
    return log(binomial(n, k)) + k * log(p) + (n - k) * log1p(-p), *tails


def negative_binomial(k, mean, r):
    p, q = r / (r + mean), mean / (r + mean)
    log_mass = loggamma(k + r) - loggamma(r) - loggamma(k + 1) + r * log(p) + k * log(q)
    return log_mass, *beta_tails(r, k + 1, p, q)


def geometric(k, p):
    return complement(log(p) + k * log1p(-p), (1 - p) ** (k + 1))


def bernoulli(k, logits):
    p, q = 1 / (1 + exp(-logits)), 1 / (1 + exp(logits))
    return (log(p), mpf(1), mpf(0)) if k else (log(q), q, p)


def beta_binomial(k, n, a, b):
    k, n = int(k), int(n)
    log_mass = log(binomial(n, k)) + log_beta(a + k, b + n - k) - log_beta(a, b)
    one = mpf(2) ** 200
    a_, b_, unit = int(a * one), int(b * one), int(one)
    sums = ratio_sums(k, 0, n, lambda j: ((n - j) * (j * unit + a_), (j + 1) * ((n - j - 1) * unit + b_)))
    return log_mass, *(exp(log_mass) * s for s in sums)


def hypergeometric(k, population, successes, draws):
    k, population, successes, draws = (int(v) for v in (k, population, successes, draws))
    log_mass = log(binomial(successes, k)) + log(binomial(population - successes, draws - k))
    log_mass -= log(binomial(population, draws))
    low, high = max(0, draws + successes - population), min(draws, successes)
    rest = population - successes - draws
    sums = ratio_sums(k, low, high, lambda j: ((successes - j) * (draws - j), (j + 1) * (rest + j + 1)))
    return log_mass, *(exp(log_mass) * s for s in sums)


def noncentral_t_law(x, df, noncentrality, loc, scale):
    log_density, *tails = noncentral_t((x - loc) / scale, df, noncentrality)
    return log_density - log(scale), *tails


def zeta_law(k, exponent):
    return complement(-exponent * log(k) - log(zeta(exponent)), zeta(exponent, k + 1) / zeta(exponent))


def discrete_uniform(k, low, high):
    n = high - low + 1
    return -log(n), (k - low + 1) / n, (high - k) / n


LAWS = {
    "Normal": Law(normal, [(0.0, 1.0), (3.0, 0.7), (-1e4, 10.0)]),
    "LogNormal": Law(log_normal, [(0.0, 1.0), (1.0, 0.25), (-3.0, 5.0), (10.0, 1e-3)]),
    "Exponential": Law(lambda x, rate: weibull(x, mpf(1), 1 / rate), [(1.0,), (1e-6,), (3e4,)]),
    "Gamma": Law(
        gamma,
        [(a, 1.0) for a in (1e-5, 1e-3, 0.1, 0.5, 1.0, 2.5, 10.0, 30.0, 100.0, 1e3, 1e4, 1e6)] + [(7.0, 0.3), (2e5, 40.0)],
    ),
    "InverseGamma": Law(inverse_gamma, [(0.1, 1.0), (1.0, 2.0), (3.5, 0.7), (200.0, 1.0), (1e5, 1e5)]),
    "Weibull": Law(weibull, [(0.1, 1.0), (1.0, 2.0), (1.7, 3.0), (30.0, 0.1), (1e4, 1.0)]),
    "Beta": Law(
        beta,
        [(1e-3, 1e-3), (0.1, 0.3), (0.5, 0.5), (1.0, 1.0), (2.0, 3.0), (5.0, 0.2), (1e-3, 10.0), (30.0, 70.0),
         (1e3, 2.0), (500.0, 800.0), (1e4, 1e4), (1e5, 10.0), (2.0, 1e6), (1e6, 1e3), (3e5, 1e6), (1e6, 1e6)],
    ),
    "StudentT": Law(
        student_t,
        [(df, 0.0, 1.0) for df in (0.1, 0.3, 1.0, 2.0, 2.5, 5.0, 30.0, 200.0, 1e4, 1e6)] + [(4.0, 2.0, 0.3)],
    ),
    "Logistic": Law(logistic, [(0.0, 1.0), (5.0, 0.3)]),
    "Laplace": Law(laplace, [(0.0, 1.0), (5.0, 0.3)]),
    "Cauchy": Law(cauchy, [(0.0, 1.0), (5.0, 0.3)]),
    "Gumbel": Law(lambda x, loc, scale: generalized_extreme(x, loc, scale, mpf(0)), [(0.0, 1.0), (5.0, 0.3)]),
    "Pareto": Law(pareto, [(1.0, 1.0), (0.05, 2.0), (3.0, 10.0), (1e4, 1.0)]),
    "Uniform": Law(uniform, [(0.0, 1.0), (-1.0, 3.0), (100.0, 101.0)]),
    "Rayleigh": Law(lambda x, scale: weibull(x, mpf(2), scale * sqrt(2)), [(1.0,), (1e-4,), (70.0,)]),
    "Bernoulli": Law(bernoulli, [(-600.0,), (-3.0,), (1e-5,), (1.5,), (30.0,)], discrete=True),
    "Poisson": Law(poisson, [(m,) for m in (1e-3, 0.1, 1.0, 4.0, 30.0, 400.0, 1e4, 1e5, 1e6)], discrete=True),
    "Geometric": Law(geometric, [(p,) for p in (1e-5, 0.01, 0.3, 0.999)], discrete=True),
    "NegativeBinomial": Law(
        negative_binomial,
        [(r * (1 - p) / p, r) for r in (0.01, 0.5, 1.0, 7.0, 100.0, 1e4) for p in (1e-3, 0.03, 0.5, 0.99)],
        discrete=True,
    ),
    "ChiSquared": Law(lambda x, df: gamma(x, df / 2, mpf(1) / 2), [(v,) for v in (0.03, 1.0, 5.0, 100.0, 1e5)]),
    "Chi": Law(chi, [(v,) for v in (0.03, 1.0, 5.0, 100.0, 1e5)]),
    "HalfNormal": Law(half_normal, [(1.0,), (1e-4,), (70.0,)]),
    "Maxwell": Law(lambda x, scale: tuple(v - log(scale) if i == 0 else v for i, v in enumerate(chi(x / scale, mpf(3)))),
                   [(1.0,), (1e-4,), (70.0,)]),
    "HalfCauchy": Law(half_cauchy, [(1.0,), (1e-4,), (70.0,)]),
    "InverseGaussian": Law(inverse_gaussian, [(1.0, 1.0), (1.0, 0.01), (3.0, 100.0), (0.1, 1e4), (50.0, 0.1)]),
    "Lomax": Law(lomax, [(0.1, 1.0), (1.0, 1.0), (3.0, 20.0), (1e4, 1.0)]),
    "Burr12": Law(burr, [(1.0, 1.0, 1.0), (0.2, 3.0, 1.0), (5.0, 0.1, 2.0), (30.0, 40.0, 0.5), (2.0, 1e4, 1.0)]),
    "Kumaraswamy": Law(kumaraswamy, [(1.0, 1.0), (0.1, 0.3), (2.0, 5.0), (30.0, 0.2), (0.01, 1e3), (50.0, 1e4)]),
    "LogLogistic": Law(lambda x, c, scale: burr(x, c, mpf(1), scale), [(1.0, 1.0), (0.1, 2.0), (5.0, 3.0), (1e3, 1.0)]),
    "GeneralizedPareto": Law(
        generalized_pareto, [(1.0, s) for s in (-0.9, -0.3, -1e-6, 0.0, 1e-9, 1e-3, 0.4, 1.5)] + [(30.0, 0.2)]
    ),
    "GeneralizedExtremeValue": Law(
        generalized_extreme, [(0.0, 1.0, s) for s in (-0.9, -0.3, -1e-6, 0.0, 1e-9, 1e-3, 0.4, 1.5)] + [(5.0, 3.0, 0.2)]
    ),
    "ExponentiallyModifiedNormal": Law(
        exponentially_modified, [(0.0, 1.0, 1.0), (0.0, 1.0, 0.01), (0.0, 1.0, 30.0), (2.0, 0.3, 5.0), (-1.0, 4.0, 1e-4)]
    ),
    "BetaPrime": Law(
        beta_prime, [(0.1, 0.3), (1.0, 1.0), (2.0, 3.0), (30.0, 0.5), (0.2, 50.0), (1e3, 400.0), (1e6, 1e6), (3.0, 1e5)]
    ),
    "F": Law(f, [(0.3, 1.0), (1.0, 1.0), (5.0, 2.0), (3.0, 100.0), (200.0, 7.0), (1e3, 1e3), (1e6, 1e5)]),
    "LogUniform": Law(log_uniform, [(1.0, 10.0), (1e-10, 1e10), (99.0, 100.0)]),
    "SkewNormal": Law(skew_normal, [(0.0, 1.0, a) for a in (0.0, 0.1, 1.0, -3.0, 30.0, 1e3)] + [(2.0, 0.3, -1.5)]),
    "AsymmetricLaplace": Law(asymmetric_laplace, [(0.0, 1.0, 1.0), (0.0, 1.0, 0.1), (5.0, 0.3, 7.0)]),
    "Triangular": Law(triangular, [(0.0, 1.0, 0.5), (0.0, 1.0, 0.0), (-1.0, 3.0, 3.0), (10.0, 20.0, 12.0)]),
    "NoncentralChiSquared": Law(
        noncentral_chi_squared,
        [(1.0, 0.5), (3.0, 2.0), (0.1, 10.0), (5.0, 300.0), (100.0, 40.0), (2.0, 1e-3), (4.0, 1e4), (1e4, 5.0)],
    ),
    "NoncentralT": Law(
        noncentral_t_law,
        [(v, d, 0.0, 1.0) for v, d in ((0.5, 1.0), (3.0, 0.1), (5.0, 2.0), (30.0, -4.0), (1e3, 10.0), (4.0, 30.0))],
    ),
    "VonMises": Law(
        von_mises, [(0.0, k) for k in (1e-3, 0.1, 1.0, 5.0, 50.0, 1e3, 1e4, 1e5)] + [(0.5, 3.0), (-2.0, 200.0), (3.0, 20.0)]
    ),
    "Binomial": Law(
        binomial_law,
        [(1.0, 0.3), (10.0, 0.5), (100.0, 0.01), (1e3, 0.3), (1e4, 1e-4), (1e5, 0.5), (1e6, 1e-6), (1e6, 1e-3), (1e6, 0.3),
         (1e6, 0.999)],
        discrete=True,
        integers=1,
    ),
    "BetaBinomial": Law(
        beta_binomial,
        [(5.0, 0.5, 0.5), (30.0, 2.0, 3.0), (300.0, 0.1, 4.0), (1e3, 1e3, 2e3), (1e4, 3.0, 2.0), (1e4, 1e5, 3e5),
         (1e4, 0.2, 0.3)],
        discrete=True,
        integers=1,
    ),
    "Hypergeometric": Law(
        hypergeometric,
        [(10.0, 3.0, 4.0), (100.0, 90.0, 70.0), (1e3, 300.0, 500.0), (1e6, 300.0, 5e3), (1e6, 4e5, 1e4), (1e9, 3e4, 1e6)],
        discrete=True,
        integers=3,
    ),
    "Logarithmic": Law(logarithmic, [(p,) for p in (1e-8, 0.1, 0.5, 0.9, 0.999)], discrete=True),
    "Zeta": Law(zeta_law, [(s,) for s in (1.05, 1.5, 2.0, 4.0, 20.0)], discrete=True),
    "Skellam": Law(
        skellam,
        [(1e-3, 1e-3), (0.5, 3.0), (2.0, 2.0), (30.0, 40.0), (1e3, 2.0), (1e3, 1.1e3), (1e4, 1e4)],
        discrete=True,
    ),
    "DiscreteUniform": Law(discrete_uniform, [(0.0, 1.0), (-3.0, 7.0), (0.0, 1e6)], discrete=True, integers=2),
}  # fmt: skip
