"""Methods other than maximum likelihood: closed forms, weights as copies, direct optimisation, standard errors, refusals."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
import scipy.stats

import suffice as sf
from suffice.inference.methods.moments import l_moments, sample_l_moments

X = np.random.default_rng(31).gamma(3.0, 2.0, 60)
CLOSE = 1e-9  # the search ends where the next step is below 1e-11 of the deviation of one observation
OTHERS = ["moments", "lmoments", "quantiles", "spacings", "cvm", "anderson-darling"]


def l_moments_by_definition(x):
    """λ₁, λ₂, λ₃ as means over all pairs and triples: E[X], E[X₂:₂ − X₁:₂]/2, E[X₃:₃ − 2 X₂:₃ + X₁:₃]/3."""
    pairs, triples = (np.sort(list(itertools.combinations(x, k)), axis=1) for k in (2, 3))
    return [x.mean(), (pairs[:, 1] - pairs[:, 0]).mean() / 2.0, (triples @ [1.0, -2.0, 1.0]).mean() / 3.0]


# -- closed forms --------------------------------------------------------------------------------------------------


def test_sample_l_moments_are_means_over_subsets():
    """The unbiased estimates are the definition, averaged over all subsets; with frequencies as with copies."""
    x, w = np.sort(X[:12]), np.arange(12) % 3 + 1.0
    np.testing.assert_allclose(sample_l_moments(x, np.ones(12))[:3], l_moments_by_definition(x), rtol=1e-13)
    np.testing.assert_allclose(
        sample_l_moments(x, w)[:3], l_moments_by_definition(np.repeat(x, w.astype(int))), rtol=1e-12
    )


@pytest.mark.parametrize(
    ("p", "known"),
    [
        (sf.Normal(1.0, 2.0), [1.0, 2.0 / np.sqrt(np.pi), 0.0, 0.122601719540891]),
        (sf.Exponential(0.5), [2.0, 1.0, 1.0 / 3.0, 1.0 / 6.0]),
        (sf.Gumbel(1.0, 2.0), [1.0 + 2.0 * np.euler_gamma, 2.0 * np.log(2.0), 0.169925001442312, 0.150374992788438]),
        (sf.Uniform(1.0, 5.0), [3.0, 4.0 / 6.0, 0.0, 0.0]),
    ],
)
def test_l_moments_of_families(p, known):
    """Quadrature gives the closed forms of Hosking (1990), table 1; the third and fourth are ratios to the second."""
    found = np.array(l_moments(p))
    found[2:] /= found[1]
    np.testing.assert_allclose(found, known, rtol=1e-12, atol=1e-12)


S, MEAN = X.std(), X.mean()
L1, L2, L3 = l_moments_by_definition(X)
Q1, Q2, Q3 = np.quantile(X, [0.25, 0.5, 0.75], method="hazen")
G = np.euler_gamma


@pytest.mark.parametrize(
    ("family", "method", "known"),
    [
        (sf.Normal, "moments", {"loc": MEAN, "scale": S}),
        (sf.Normal, "lmoments", {"loc": L1, "scale": np.sqrt(np.pi) * L2}),
        (sf.Normal, "quantiles", {"loc": (Q1 + Q3) / 2, "scale": (Q3 - Q1) / (2 * scipy.stats.norm.ppf(0.75))}),
        (sf.Exponential, "moments", {"rate": 1 / MEAN}),
        (sf.Exponential, "lmoments", {"rate": 1 / L1}),
        (sf.Exponential, "quantiles", {"rate": np.log(2.0) / Q2}),
        (sf.Gumbel, "moments", {"loc": MEAN - G * S * np.sqrt(6) / np.pi, "scale": S * np.sqrt(6) / np.pi}),
        (sf.Gumbel, "lmoments", {"loc": L1 - G * L2 / np.log(2.0), "scale": L2 / np.log(2.0)}),
        (sf.Uniform, "moments", {"low": MEAN - np.sqrt(3.0) * S, "high": MEAN + np.sqrt(3.0) * S}),
        (sf.Uniform, "lmoments", {"low": L1 - 3 * L2, "high": L1 + 3 * L2}),
        (sf.family(sf.Normal, loc=0.0), "moments", {"scale": S}),
        (sf.family(sf.Normal, loc=0.0), "lmoments", {"scale": np.sqrt(np.pi) * L2}),
        (sf.Gamma, "moments", {"concentration": (MEAN / S) ** 2, "rate": MEAN / S**2}),
        (sf.Poisson, "moments", {"rate": MEAN}),
    ],
)
def test_closed_forms(family, method, known):
    x = X if family is not sf.Poisson else np.floor(X)
    fit = sf.fit(family, x, method=method)
    known = known if family is not sf.Poisson else {"rate": x.mean()}
    assert fit.converged
    assert fit.method == method
    assert fit.parameters == pytest.approx(known, rel=CLOSE)


def test_moments_pass_over_what_tells_nothing():
    """A t distribution's skewness is always 0, so the kurtosis 6/(df − 4) gives df; below 0 there is none."""
    x = scipy.stats.t.ppf((np.arange(200) + 0.5) / 200, 6.0)
    kurtosis = scipy.stats.kurtosis(x)
    fit = sf.fit(sf.StudentT, x, method="moments")
    df = 4.0 + 6.0 / kurtosis
    assert fit.converged
    assert fit.parameters == pytest.approx(
        {"df": df, "loc": x.mean(), "scale": x.std() * np.sqrt((df - 2) / df)}, rel=CLOSE, abs=1e-12
    )
    flat = sf.fit(sf.StudentT, np.linspace(-1.0, 1.0, 50), method="moments")
    assert not flat.converged
    assert np.isnan(flat.standard_errors["df"])


@pytest.mark.parametrize("low", [0.0, 100.0])
def test_spacings_of_the_uniform(low):
    """The largest product has equal spacings at the ends: low = (n x_(1) − x_(n))/(n − 1), and high alike."""
    x = low + np.sort(X)
    n = len(x)
    fit = sf.fit(sf.Uniform, x, method="spacings")
    assert fit.converged
    assert fit.parameters == pytest.approx(
        {"low": (n * x[0] - x[-1]) / (n - 1), "high": (n * x[-1] - x[0]) / (n - 1)}, rel=CLOSE
    )
    assert np.isnan(fit.standard_errors["low"])


# -- direct optimisation -------------------------------------------------------------------------------------------


def spacings(theta, x):
    f = scipy.stats.weibull_min.cdf(np.sort(x), np.exp(theta[0]), scale=np.exp(theta[1]))
    return -np.log(np.diff(np.concatenate([[0.0], f, [1.0]]))).sum()


def cvm(theta, x):
    return scipy.stats.cramervonmises(x, "weibull_min", (np.exp(theta[0]), 0.0, np.exp(theta[1]))).statistic


def anderson_darling(theta, x):
    n, x = len(x), np.sort(x)
    p = scipy.stats.weibull_min(np.exp(theta[0]), scale=np.exp(theta[1]))
    return -n - ((2 * np.arange(1, n + 1) - 1) * (p.logcdf(x) + p.logsf(x[::-1]))).sum() / n


@pytest.mark.parametrize(
    ("method", "criterion"), [("spacings", spacings), ("cvm", cvm), ("anderson-darling", anderson_darling)]
)
def test_against_direct_optimisation(method, criterion):
    """SciPy's simplex finds the same minimum of the criterion, written with SciPy's Weibull; to the root of eps."""
    fit = sf.fit(sf.Weibull, X, method=method)
    found = scipy.optimize.minimize(
        criterion, np.log([2.0, 5.0]), (X,), "Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-13, "maxiter": 2000}
    )
    assert fit.converged
    np.testing.assert_allclose(list(fit.parameters.values()), np.exp(found.x), rtol=1e-6)
    assert float(fit.criterion) == pytest.approx(found.fun, rel=1e-11)


# -- weights, containers, compiled code ----------------------------------------------------------------------------


@pytest.mark.parametrize("method", OTHERS)
def test_weights_are_copies(method):
    """A value of weight 3 is three values: the same estimates, standard errors, criterion."""
    x, w = X[:20], np.arange(20) % 3 + 0.0
    copies, weighted = (
        sf.fit(sf.Weibull, np.repeat(x, w.astype(int)), method=method),
        sf.fit(sf.Weibull, x, w, method=method),
    )
    assert weighted.converged
    assert weighted.parameters == pytest.approx(copies.parameters, rel=CLOSE)
    assert weighted.standard_errors == pytest.approx(copies.standard_errors, rel=1e-6)
    assert float(weighted.criterion) == pytest.approx(float(copies.criterion), rel=1e-9, abs=1e-12)
    assert float(weighted.log_likelihood) == pytest.approx(float(copies.log_likelihood), rel=1e-9)


@pytest.mark.parametrize("method", OTHERS)
def test_inside_compiled_code(method):
    eager = sf.fit(sf.Weibull, X, method=method)
    traced = jax.jit(lambda x: sf.fit(sf.Weibull, x, method=method))(X[::-1])
    assert traced.converged
    assert traced.parameters == pytest.approx(eager.parameters, rel=CLOSE)
    assert traced.standard_errors == pytest.approx(eager.standard_errors, rel=1e-6)


# -- standard errors -----------------------------------------------------------------------------------------------


def test_standard_errors_of_moments():
    """The delta method by hand: s/√n for a mean, √((m₄ − s⁴)/(4 s² n)) for a deviation, s/(√n mean²) for a rate."""
    n, fourth = len(X), ((X - MEAN) ** 4).mean()
    errors = sf.fit(sf.Normal, X, method="moments").standard_errors
    assert errors == pytest.approx(
        {"loc": S / np.sqrt(n), "scale": np.sqrt((fourth - S**4) / (4 * S**2 * n))}, rel=CLOSE
    )
    assert sf.fit(sf.Exponential, X, method="moments").standard_errors["rate"] == pytest.approx(
        S / (MEAN**2 * np.sqrt(n)), rel=CLOSE
    )


def test_standard_error_of_the_median():
    """√(u (1 − u)/n)/p(q): for the normal at its median scale √(π/2)/√n."""
    fit = sf.fit(sf.family(sf.Normal, scale=3.0), X, method="quantiles")
    assert fit.standard_errors["loc"] == pytest.approx(3.0 * np.sqrt(np.pi / 2.0 / len(X)), rel=CLOSE)


@pytest.mark.parametrize("method", ["moments", "lmoments", "cvm", "anderson-darling"])
def test_standard_errors_are_those_of_the_jackknife(method):
    """Σ w (dθ/dw)², the derivatives by refitting with frequencies moved by ±h; central differences err by h²."""
    x, h = X[:10], 1e-4
    moved = [
        [
            list(sf.fit(sf.Weibull, x, np.ones(10) + s * h * np.eye(10)[i], method=method).parameters.values())
            for s in (1, -1)
        ]
        for i in range(10)
    ]
    slopes = np.array([(up - down) / (2 * h) for up, down in np.array(moved)])
    errors = list(sf.fit(sf.Weibull, x, method=method).standard_errors.values())
    np.testing.assert_allclose(errors, np.sqrt((slopes**2).sum(0)), rtol=1e-5)


@pytest.mark.parametrize("method", ["spacings", "cvm"])
def test_standard_errors_tell_the_spread(method):
    """Over 400 samples of 200 the spread of estimates is the mean standard error, to 25 %.

    The error of a deviation from 400 is 3.5 % and that of the theory a few per cent at n = 200: false alarm below 1e-7.
    """
    x = sf.Logistic(2.0, 3.0).sample((400, 200), rng=5)

    def one(x):
        fit = sf.fit(sf.Logistic, x, method=method)
        return fit.family.report(fit.distribution), jnp.sqrt(jnp.diagonal(fit.covariance)), fit.result

    estimates, errors, result = jax.jit(jax.vmap(one))(x)
    assert np.all(result == 1)
    np.testing.assert_allclose(np.std(estimates, axis=0), np.mean(errors, axis=0), rtol=0.25)
    off = (np.mean(estimates, axis=0) - np.array([2.0, 3.0])) / (np.std(estimates, axis=0) / 20.0)
    assert abs(off[0]) < 6.2  # the location is unbiased by symmetry: false alarm 6e-10


# -- Moran's test --------------------------------------------------------------------------------------------------


def test_moran_of_the_truth():
    """The mean of M over 200 samples of 20 is m (ψ(m) + γ), m = 21, within 6.2 errors; p-values have mean 1/2 alike.

    False alarm 6e-10 for either, the approximation of the p-value being good to 0.01 in the mean.
    """
    x = np.random.default_rng(8).uniform(size=(200, 20))
    tests = [sf.moran(sf.Uniform(), row) for row in x]
    statistics, p_values = np.array([t.statistic for t in tests]), np.array([t.p_value for t in tests])
    mean = 21.0 * (scipy.special.digamma(21.0) + np.euler_gamma)
    assert abs(statistics.mean() - mean) < 6.2 * statistics.std() / np.sqrt(200)
    assert abs(p_values.mean() - 0.5) < 6.2 * np.sqrt(1.0 / 12.0 / 200) + 0.01


def test_moran_is_the_criterion_of_spacings():
    fit = sf.fit(sf.Weibull, X, method="spacings")
    test = sf.moran(fit.distribution, X, estimated=2)
    assert test.statistic == pytest.approx(float(fit.criterion), rel=1e-12)
    assert test.p_value > 1e-7  # false alarm
    with pytest.raises(sf.DataError, match="got 1 twice"):
        sf.moran(sf.Uniform(0.0, 3.0), [1.0, 2.0, 1.0])


# -- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "arguments", "message"),
    [
        (sf.Gamma, {"method": "best"}, "method must be one of 'mle', 'moments'"),
        (sf.Poisson, {"method": "cvm"}, "for continuous families; Poisson is fitted by 'mle' or 'moments'"),
        (sf.MultivariateNormal, {"method": "moments"}, "for distributions of numbers"),
        (sf.Gamma, {"method": "quantiles", "levels": [0.5]}, "2 parameters, which 1 quantiles do not determine"),
        (sf.Gamma, {"method": "quantiles", "levels": [0.5, 1.5]}, "lie between 0 and 1"),
        (sf.Gamma, {"levels": [0.5]}, "levels are for method='quantiles'"),
        (sf.Gamma, {"method": "cvm", "penalty": lambda p: 0.0}, "penalty and prior are for method='mle'"),
    ],
)
def test_what_is_asked_wrongly(family, arguments, message):
    with pytest.raises(ValueError, match=message):
        sf.fit(family, X, **arguments)


def test_data_that_a_method_cannot_take():
    with pytest.raises(sf.DataError, match="are fitted by 'mle'"):
        sf.fit(sf.Gamma, sf.Data(left=[1.0, 2.0], right=[None, 3.0]), method="lmoments")
    with pytest.raises(sf.DataError, match="weights must be whole"):
        sf.fit(sf.Gamma, [1.0, 2.0, 4.0], [1.0, 0.5, 2.0], method="spacings")
    with pytest.raises(sf.DataError, match="all equal"):
        sf.fit(sf.Exponential, [2.0, 2.0], method="cvm")
    with pytest.raises(sf.DataError, match="Gamma needs values"):
        sf.fit(sf.Gamma, [1.0, -2.0, 3.0], method="cvm")
    with pytest.raises(TypeError, match="statistics are fitted by method='mle'"):
        sf.fit(sf.Gamma, sf.statistics(sf.Gamma, X), method="moments")
    with pytest.raises(sf.DoesNotExistError):
        sf.fit(sf.Cauchy, X, method="moments")
    plain = sf.Data(values=X)
    assert sf.fit(sf.Weibull, plain, method="cvm").parameters == sf.fit(sf.Weibull, X, method="cvm").parameters


def test_more_quantiles_than_parameters():
    """Least squares over quantiles, against SciPy's."""
    levels = [0.1, 0.3, 0.5, 0.7, 0.9]
    fit = sf.fit(sf.Weibull, X, method="quantiles", levels=levels)
    q = np.quantile(X, levels, method="hazen")
    found = scipy.optimize.least_squares(
        lambda t: scipy.stats.weibull_min.ppf(levels, np.exp(t[0]), scale=np.exp(t[1])) - q,
        [0.0, 1.0],
        xtol=1e-12,
        ftol=1e-15,
    )
    assert fit.converged
    assert list(fit.parameters.values()) == pytest.approx(np.exp(found.x).tolist(), rel=1e-6)
