"""Every closed form of the table of pairs against quadrature of the densities, and near equal laws against mpmath.

A pair that is entered in the table is tested here: it needs an example of each of its families in ``LAWS``.
"""

import functools

import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import suffice as sf
from suffice.inference.divergence import closed
from suffice.inference.divergence.exponential import bregman, share_base
from suffice.inference.divergence.pairs import KIN, KL, find

LAWS = {
    sf.Normal: (sf.Normal(0.3, 1.2), sf.Normal(-0.5, 2.0)),
    sf.LogNormal: (sf.LogNormal(0.3, 0.8), sf.LogNormal(-0.2, 1.1)),
    sf.Gamma: (sf.Gamma(2.5, 1.5), sf.Gamma(3.5, 0.8)),
    sf.Exponential: (sf.Exponential(1.5), sf.Exponential(0.7)),
    sf.ChiSquared: (sf.ChiSquared(3.0), sf.ChiSquared(5.0)),
    sf.Chi: (sf.Chi(3.0), sf.Chi(4.5)),
    sf.InverseGamma: (sf.InverseGamma(6.5, 2.0), sf.InverseGamma(4.0, 1.0)),
    sf.Weibull: (sf.Weibull(1.7, 1.3), sf.Weibull(1.2, 2.0)),
    sf.Rayleigh: (sf.Rayleigh(1.2), sf.Rayleigh(0.7)),
    sf.HalfNormal: (sf.HalfNormal(1.2), sf.HalfNormal(0.7)),
    sf.HalfCauchy: (sf.HalfCauchy(1.2), sf.HalfCauchy(0.7)),
    sf.Maxwell: (sf.Maxwell(1.2), sf.Maxwell(0.7)),
    sf.InverseGaussian: (sf.InverseGaussian(1.2, 2.0), sf.InverseGaussian(0.7, 1.0)),
    sf.Pareto: (sf.Pareto(7.5, 1.4), sf.Pareto(2.0, 1.1)),
    sf.Beta: (sf.Beta(2.5, 1.7), sf.Beta(1.3, 3.0)),
    sf.BetaPrime: (sf.BetaPrime(2.5, 3.7), sf.BetaPrime(1.3, 3.0)),
    sf.Uniform: (sf.Uniform(0.2, 1.1), sf.Uniform(-0.5, 1.5)),
    sf.LogUniform: (sf.LogUniform(0.5, 2.0), sf.LogUniform(0.3, 4.0)),
    sf.Triangular: (sf.Triangular(0.2, 1.1, 0.5), None),
    sf.Laplace: (sf.Laplace(0.3, 1.2), sf.Laplace(-0.5, 2.0)),
    sf.Logistic: (sf.Logistic(0.3, 0.6), None),
    sf.Gumbel: (sf.Gumbel(0.3, 0.8), sf.Gumbel(-0.5, 1.5)),
    sf.Cauchy: (sf.Cauchy(0.3, 1.2), sf.Cauchy(-0.5, 2.0)),
    sf.VonMises: (sf.VonMises(0.3, 1.2), sf.VonMises(-0.5, 2.5)),
    sf.Bernoulli: (sf.Bernoulli.from_probs(0.2), sf.Bernoulli.from_probs(0.7)),
    sf.Categorical: (sf.Categorical.from_probs([0.2, 0.5, 0.3]), sf.Categorical.from_probs([0.5, 0.1, 0.4])),
    sf.Binomial: (sf.Binomial(7, 0.3), sf.Binomial(7, 0.6)),
    sf.Poisson: (sf.Poisson(2.5), sf.Poisson(4.0)),
    sf.Geometric: (sf.Geometric(0.3), sf.Geometric(0.5)),
    sf.NegativeBinomial: (sf.NegativeBinomial(2.5, 3.0), sf.NegativeBinomial(4.0, 3.0)),
    sf.DiscreteUniform: (sf.DiscreteUniform(2, 5), sf.DiscreteUniform(0, 8)),
}
COVARIANCES = np.array([[[2.0, 0.5], [0.5, 1.0]], [[1.0, -0.3], [-0.3, 0.8]]])
ARRAYS = {
    sf.MultivariateNormal: [sf.MultivariateNormal([0.3, v], c) for v, c in zip((1.0, -0.5), COVARIANCES, strict=True)],
    sf.MatrixNormal: [
        sf.MatrixNormal(np.full((2, 2), v), c, d)
        for v, c, d in zip((1.0, -0.5), COVARIANCES, COVARIANCES[::-1], strict=True)
    ],
    sf.Dirichlet: [sf.Dirichlet([2.0, 0.5, 3.0]), sf.Dirichlet([1.0, 4.0, 2.0])],
    sf.Multinomial: [sf.Multinomial.from_probs(5, p) for p in ([0.2, 0.5, 0.3], [0.5, 0.1, 0.4])],
    sf.Wishart: [sf.Wishart(v, c) for v, c in zip((4.0, 6.5), COVARIANCES, strict=True)],
    sf.InverseWishart: [sf.InverseWishart(v, c) for v, c in zip((4.0, 6.5), COVARIANCES, strict=True)],
}
FAMILIES = {*LAWS, *KIN}
PAIRS = sorted(
    {(p, q) for p in FAMILIES for q in FAMILIES if find(p, q) is not None},
    key=lambda pair: (pair[0].__name__, pair[1].__name__),
)
NUMBERS = [pair for pair in PAIRS if not LAWS[pair[0]][0].discrete]
COUNTS = [pair for pair in PAIRS if LAWS[pair[0]][0].discrete]


def test_every_family_of_the_table_has_an_example():
    assert {family for pair in KL for family in pair} <= {*LAWS, *ARRAYS}


def members(p, q):
    """The first of one family and the second of the other, which hold the same where they are one."""
    return LAWS[p][0], LAWS[q][1] or LAWS[q][0]


STEPS = np.linspace(-110.0, 40.0, 12_001)


def pieces(p, q):
    """Where the densities are smooth: between the ends of p's support, and places of kinks."""
    ends = [float(v) for law in (p, q) for v in (law.support().lower, law.support().upper)]
    kinks = [float(law.loc) for law in (p, q) if isinstance(law, sf.Laplace)]
    kinks += [float(law.mode()) for law in (p, q) if isinstance(law, sf.Triangular)] or [_inside(*ends[:2])]
    low, high = ends[:2]
    inner = sorted({v for v in [*ends[2:], *kinks] if low < v < high})
    return list(zip([low, *inner], [*inner, high], strict=True))


def _inside(low, high):
    """A point between the ends, not far from where the laws above are."""
    if np.isfinite(low) and np.isfinite(high):
        return 0.5 * (low + high)
    return low + 1.0 if np.isfinite(low) else 0.0


def nodes(low, high):
    """Points of the trapezoidal rule after x = end ± exp(y), or a logistic map, and the lengths they stand for."""
    h = STEPS[1] - STEPS[0]
    if np.isfinite(low) and np.isfinite(high):
        share = 1.0 / (1.0 + np.exp(-STEPS))
        return low + (high - low) * share, h * (high - low) * share / (1.0 + np.exp(STEPS))
    step = np.exp(STEPS)
    return (low + step, h * step) if np.isfinite(low) else (high - step, h * step)


@functools.cache
def log_prob(p, low, high):
    return np.asarray(p.log_prob(nodes(low, high)[0]))


def integral(p, q, function, begin=-np.inf):
    """∫ function(log p, log q) over p's support, on demand only so near its ends as exp(begin)."""
    total = 0.0
    for low, high in pieces(p, q):
        a, b = log_prob(p, low, high), log_prob(q, low, high)
        seen = np.isfinite(a) & (a > -700.0) & (begin < STEPS)
        total += nodes(low, high)[1][seen] @ function(a[seen], b[seen])
    return total


@pytest.mark.parametrize(("p", "q"), NUMBERS, ids=lambda f: f.__name__)
def test_numbers(p, q):
    p, q = members(p, q)
    terms = lambda a, b: np.exp(a) * (a - b)  # noqa: E731
    exact = float(integral(p, q, terms))
    found = sf.kl(p, q)
    assert found.how == "closed form"
    if np.isinf(found.value):  # the nearer to the end of the support, the more
        assert exact > 1.5 * float(integral(p, q, terms, begin=0.5 * STEPS[0]))
        return
    np.testing.assert_allclose(found.value, exact, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize(("p", "q"), COUNTS, ids=lambda f: f.__name__)
def test_counts(p, q):
    p, q = members(p, q)
    k = np.arange(600.0)
    a, b = (np.asarray(v.log_prob(k)) for v in (p, q))
    seen = a > -700.0
    np.testing.assert_allclose(sf.kl(p, q).value, np.exp(a[seen]) @ (a[seen] - b[seen]), rtol=1e-12)


@pytest.mark.parametrize("family", ARRAYS, ids=lambda f: f.__name__)
def test_arrays(family):
    """Against A alone for exponential families, else an average over 200,000 draws (|z| < 6: false alarm 2e-9)."""
    p, q = ARRAYS[family]
    if share_base(p, q):
        np.testing.assert_allclose(sf.kl(p, q).value, bregman(p, q), rtol=1e-12)
        return
    x = p.sample(200_000, rng=3)
    terms = np.asarray(p.log_prob(x) - q.log_prob(x))
    error = terms.std() / np.sqrt(len(terms))
    assert abs(terms.mean() - float(sf.kl(p, q))) < 6.0 * error


# -- near equal laws: what cancels is seen ---------------------------------------------------------------------------

M = mpmath.mpf


def of_gamma(a, b, c, d):
    return (
        (a - c) * mpmath.digamma(a) - mpmath.loggamma(a) + mpmath.loggamma(c) + c * mpmath.log(b / d) + a * (d / b - 1)
    )


def of_dirichlet(a, b):
    a0, b0 = sum(a), sum(b)
    total = mpmath.loggamma(a0) - mpmath.loggamma(b0)
    for u, v in zip(a, b, strict=True):
        total += mpmath.loggamma(v) - mpmath.loggamma(u) + (u - v) * (mpmath.digamma(u) - mpmath.digamma(a0))
    return total


def of_gumbel(m, s, n, t):
    r = s / t
    return mpmath.log(t / s) + mpmath.euler * (r - 1) + mpmath.exp((n - m) / t) * mpmath.gamma(r + 1) - 1 + (m - n) / t


def of_weibull(k, l, c, d):
    return of_gumbel(-mpmath.log(l), 1 / k, -mpmath.log(d), 1 / c)


def of_bernoulli(p, q):
    return p * mpmath.log(p / q) + (1 - p) * mpmath.log((1 - p) / (1 - q))


def of_logits(a, b):
    p, q = (1 / (1 + mpmath.exp(-v)) for v in (a, b))
    return of_bernoulli(p, q)


def of_von_mises(m, k, n, l):
    ratio = mpmath.besseli(1, k) / mpmath.besseli(0, k)
    return mpmath.log(mpmath.besseli(0, l) / mpmath.besseli(0, k)) + ratio * (k - l * mpmath.cos(m - n))


EXACT = {
    sf.Normal: lambda m, s, n, t: mpmath.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - M(1) / 2,
    sf.Exponential: lambda a, b: b / a - 1 - mpmath.log(b / a),
    sf.Gamma: of_gamma,
    sf.InverseGamma: of_gamma,
    sf.Beta: lambda a, b, c, d: of_dirichlet((a, b), (c, d)),
    sf.Gumbel: of_gumbel,
    sf.Weibull: of_weibull,
    sf.Laplace: lambda m, s, n, t: mpmath.log(t / s) + abs(m - n) / t + s / t * mpmath.exp(-abs(m - n) / s) - 1,
    sf.Cauchy: lambda m, s, n, t: mpmath.log(((s + t) ** 2 + (m - n) ** 2) / (4 * s * t)),
    sf.Rayleigh: lambda s, t: s**2 / t**2 - 1 - mpmath.log(s**2 / t**2),
    sf.InverseGaussian: lambda m, l, n, k: (k / l - 1 - mpmath.log(k / l)) / 2 + k * (m - n) ** 2 / (2 * m * n**2),
    sf.VonMises: of_von_mises,
    sf.Bernoulli: of_logits,
    sf.Poisson: lambda a, b: b - a - a * mpmath.log(b / a),
    sf.Geometric: lambda p, q: of_bernoulli(p, q) / p,
}
PLACES = {  # parameters of the first
    sf.Normal: [(0.3, 1.2), (1000.0, 0.01)],
    sf.Exponential: [(1.5,), (1e-6,)],
    sf.Gamma: [(2.5, 1.5), (0.02, 3.0), (5e5, 2.0)],
    sf.InverseGamma: [(2.5, 1.5)],
    sf.Beta: [(2.5, 1.7), (3e4, 1e5), (0.1, 0.03)],
    sf.Gumbel: [(0.3, 0.8)],
    sf.Weibull: [(1.7, 1.3)],
    sf.Laplace: [(0.3, 1.2)],
    sf.Cauchy: [(0.3, 1.2)],
    sf.Rayleigh: [(1.2,)],
    sf.InverseGaussian: [(1.2, 2.0)],
    sf.VonMises: [(0.3, 1.2), (0.3, 80.0)],
    sf.Bernoulli: [(0.7,), (-30.0,), (25.0,)],
    sf.Poisson: [(2.5,), (1e6,)],
    sf.Geometric: [(0.3,), (1e-5,)],
}


@pytest.mark.parametrize("family", EXACT, ids=lambda f: f.__name__)
def test_near_equal_laws_keep_their_digits(family):
    """Relative steps from 1e-8 to all but everything, of all parameters at once, in one call; at 250 digits."""
    steps = np.array([1e-8, -1e-8, 3e-6, 1e-3, 0.1, -0.3, -1.0 + 1e-7, 9.0])
    first = np.repeat(np.array(PLACES[family]), len(steps), axis=0)
    steps = np.tile(steps, len(PLACES[family]))[:, None]
    share = np.array([1.0, 0.6 if family is sf.Normal else 1.0])[: first.shape[1]]
    second = first * (1.0 + steps * np.where(np.abs(steps) < 0.2, np.array([1.0, -0.6])[: first.shape[1]], share))
    if family in (sf.Geometric, sf.VonMises):
        second[:, 0] = np.minimum(second[:, 0], 0.9)
    found = np.asarray(sf.kl(family(*first.T), family(*second.T)).value)
    with mpmath.workdps(250):
        exact = [EXACT[family](*(M(v) for v in (*a, *b))) for a, b in zip(first, second, strict=True)]
        finite = [v < M("1e308") for v in exact]
        errors = [float(abs(M(float(v)) / e - 1)) for v, e, f in zip(found, exact, finite, strict=True) if f]
    assert np.all(found[np.logical_not(finite)] == np.inf)
    # the step of Weibull's 1/concentration and log scale, and of log-odds to probabilities, costs two digits
    assert max(errors) < 1e-10, errors


def test_categorical_and_normal_vectors_near_equal():
    p = sf.Categorical(np.array([0.3, -1.0, 2.0]))
    for step in (1e-8, 1e-3):
        q = sf.Categorical(np.array([0.3 + step, -1.0, 2.0]))
        with mpmath.workdps(60):
            a, b = ([M(float(v)) for v in law.logits] for law in (p, q))
            weights = [mpmath.exp(v) for v in a]
            drop = [u - v for u, v in zip(a, b, strict=True)]
            ratio = mpmath.log(sum(mpmath.exp(v) for v in b) / sum(weights))
            exact = sum(w * d for w, d in zip(weights, drop, strict=True)) / sum(weights) + ratio
            assert abs(M(float(sf.kl(p, q))) / exact - 1) < 1e-10
        # diagonal normal vectors are sums of normals
        scale = np.array([1.0, 0.01])
        normals = sf.Normal(np.array([1.0, 1000.0]), scale), sf.Normal(np.array([1.0, 1000.0]), scale + step)
        vectors = [sf.MultivariateNormal.from_cholesky(v.loc, np.diag(v.scale)) for v in normals]
        np.testing.assert_allclose(sf.kl(*vectors).value, sf.kl(*normals).value.sum(), rtol=1e-12)


ORDERS = (0.3, 0.5, 1.4)
RENYI = [pair for pair in NUMBERS if pair[0] is pair[1] and closed.has_renyi(*members(*pair))]


@pytest.mark.parametrize(("p", "q"), RENYI, ids=lambda f: f.__name__)
def test_renyi(p, q):
    """Against ∫ p^α q^(1−α); infinite exactly where the mixed natural parameter is none."""
    p, q = members(p, q)
    found = np.asarray(sf.renyi(p, q, np.array([*ORDERS, 1.0])).value)
    assert found[-1] == pytest.approx(float(sf.kl(p, q)), rel=1e-13)
    for value, order in zip(found, ORDERS, strict=False):
        if np.isfinite(value):
            exact = np.log(integral(p, q, lambda a, b, o=order: np.exp(o * a + (1.0 - o) * b))) / (order - 1.0)
            assert value == pytest.approx(exact, rel=1e-10)
        else:
            eta = order * p.natural() + (1.0 - order) * q.natural()
            assert not jnp.isfinite(p.log_partition(eta))
