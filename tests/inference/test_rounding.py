"""Integers as intervals x ± ½: maxima of the likelihood that the distribution function gives, found independently."""

import numpy as np
import pytest
import scipy.optimize
import scipy.stats

import suffice as sf

RNG = np.random.default_rng(20)


def interval_log_likelihood(law, x):
    """Σ log P(x − ½ < X < x + ½), each from the tail in which nothing cancels."""
    values, counts = np.unique(x, return_counts=True)
    low, high = values - 0.5, values + 0.5
    from_left = law.cdf(high) < 0.5
    masses = np.where(from_left, law.cdf(high) - law.cdf(low), law.sf(low) - law.sf(high))
    with np.errstate(divide="ignore"):
        return float(counts @ np.log(masses))


def with_zeros(share, mean, n=1000):
    zeros = int(share * n)
    return np.concatenate([np.zeros(zeros), np.round(RNG.exponential(mean, n - zeros))])


GAMMA = sf.Gamma, lambda a, b: scipy.stats.gamma(a, scale=1 / b)
WEIBULL = sf.Weibull, lambda a, s: scipy.stats.weibull_min(a, scale=s)
CAUCHY = sf.Cauchy, lambda loc, s: scipy.stats.cauchy(loc, s)
NORMAL = sf.Normal, lambda loc, s: scipy.stats.norm(loc, s)
NEEDLE = np.array([5.0] * 50 + [4, 6, 6, 100, -300])

CASES = {
    "Gamma, 30 % zeros": (*GAMMA, with_zeros(0.3, 30.0)),
    "Gamma, 80 % zeros": (*GAMMA, with_zeros(0.8, 30.0)),
    "Gamma, 90 % zeros": (*GAMMA, with_zeros(0.9, 300.0)),
    "Weibull, 90 % zeros": (*WEIBULL, with_zeros(0.9, 300.0)),
    "Cauchy, narrow": (*CAUCHY, np.round(0.1 * RNG.standard_cauchy(500))),
    "Cauchy, a needle": (*CAUCHY, NEEDLE),
    "Normal, narrow": (*NORMAL, np.round(5.1 + 0.3 * RNG.standard_normal(300))),
}


@pytest.mark.parametrize("case", CASES)
def test_maximum_of_the_likelihood_of_intervals(case):
    """The reported likelihood is SciPy's at the estimate to 1e-9, and no step of 1 % of a standard error beats it."""
    family, law, x = CASES[case]
    fit = sf.rank(x, [family]).best
    assert fit.converged
    theta, errors = (np.array(list(v.values())) for v in (fit.parameters, fit.standard_errors))
    best = interval_log_likelihood(law(*theta), x)
    assert float(fit.log_likelihood) == pytest.approx(best, rel=1e-9)
    for step in 0.01 * errors * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]]):
        assert interval_log_likelihood(law(*(theta + step)), x) <= best + 1e-9 * abs(best)


def test_standard_errors_follow_from_the_curvature_of_the_intervals():
    """Against a Hessian by differences of SciPy's likelihood, whose own error is about 1e-4."""
    family, law, x = CASES["Gamma, 80 % zeros"]
    fit = sf.rank(x, [family]).best
    theta = np.array(list(fit.parameters.values()))
    h = 1e-3 * theta

    def at(i, j):
        return interval_log_likelihood(law(*(theta + np.array([i, j]) * h)), x)

    mixed = (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / 4
    hessian = np.array([[at(1, 0) - 2 * at(0, 0) + at(-1, 0), mixed], [mixed, at(0, 1) - 2 * at(0, 0) + at(0, -1)]])
    expected = np.linalg.inv(-hessian / np.outer(h, h))
    np.testing.assert_allclose(fit.covariance, expected, rtol=1e-3)


def test_families_are_compared_by_true_likelihoods():
    x = with_zeros(0.9, 300.0)
    assert sf.rank(x, [sf.Gamma, sf.Weibull]).best.family.name == "Gamma"


def test_held_parameters_of_an_estimated_support_stay():
    x = np.round(3.0 + RNG.pareto(2.0, 200))
    pareto = sf.rank(x, [sf.family(sf.Pareto, concentration=1.5)]).best
    assert pareto.family.name == "Pareto(concentration=1.5)"
    assert pareto.parameters == {"scale": 2.5}
    uniform = sf.rank(x, [sf.family(sf.Uniform, low=0.0)]).best
    assert uniform.parameters == {"high": x.max() + 0.5}


def test_two_values_far_apart_determine_two_parameters_and_neighbours_do_not():
    assert sf.rank([0, 10] * 20, [sf.Normal]).best.converged
    assert "neighbouring" in sf.rank([0, 1] * 20, [sf.Normal]).impossible[0].reason
