"""Statistics of data: values with ``+`` from which a fit gives the same answer as from the data."""

import functools
import operator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf
from suffice.distributions.family import as_family

RNG = np.random.default_rng(30)
POSITIVE = RNG.gamma(2.0, 3.0, size=600)
UNIT = RNG.beta(2.0, 3.0, size=600)
COUNTS = RNG.poisson(4.0, size=600)
FAMILIES = [
    (sf.Normal, POSITIVE),
    (sf.LogNormal, POSITIVE),
    (sf.Exponential, POSITIVE),
    (sf.Gamma, POSITIVE),
    (sf.InverseGamma, POSITIVE),
    (sf.Beta, UNIT),
    (sf.Pareto, POSITIVE),
    (sf.Uniform, POSITIVE),
    (sf.Rayleigh, POSITIVE),
    (sf.Bernoulli, COUNTS % 2),
    (sf.Poisson, COUNTS),
    (sf.Geometric, COUNTS),
]


def assert_same(fit, reference):
    """Within 1e-12 of max(abs(theta), its standard error)."""
    for name, theta in reference.parameters.items():
        error = np.nan_to_num(reference.standard_errors[name])
        assert abs(fit.parameters[name] - theta) <= 1e-12 * max(abs(theta), error), name
    assert float(fit.log_likelihood) == pytest.approx(float(reference.log_likelihood), rel=1e-12)
    assert float(fit.count) == float(reference.count)


@pytest.mark.parametrize(("family", "x"), FAMILIES, ids=lambda case: getattr(case, "__name__", ""))
def test_statistics_add_up_to_the_fit(family, x):
    """Pieces of one and of many values, from left, from right and as a tree."""
    whole = sf.fit(family, x)
    assert_same(sf.fit(family, sf.statistics(family, x)), whole)
    parts = [sf.statistics(family, piece) for piece in np.split(x, [1, 2, 5, 100, 350])]
    assert_same(sf.fit(family, functools.reduce(operator.add, parts)), whole)
    assert_same(sf.fit(family, functools.reduce(operator.add, parts[::-1])), whole)
    assert_same(sf.fit(family, (parts[0] + parts[5]) + ((parts[1] + parts[4]) + (parts[2] + parts[3]))), whole)
    assert_same(sf.fit(family, sf.statistics(family, np.repeat(x[:300], 2))), sf.fit(family, x[:300], np.full(300, 2)))


def test_categories_add():
    """Where the second part has fewer categories than the first, both are given the same family."""
    family = sf.family(sf.Categorical)
    x = COUNTS % 3
    fit = sf.fit(family, sf.statistics(family, x[:200]) + sf.statistics(family, x[200:]))
    np.testing.assert_allclose(list(fit.parameters.values()), np.bincount(x) / len(x), rtol=1e-13)


def test_what_a_statistic_holds():
    s = sf.statistics(sf.Normal, [1.0, 2.0, 6.0], weights=[1, 2, 1])
    assert float(s.count) == 4.0
    assert float(s.mean) == pytest.approx(2.75)
    assert float(s.gap) == pytest.approx(np.mean(np.array([1, 2, 2, 6]) ** 2.0) - 2.75**2)
    gamma = sf.statistics(sf.Gamma, POSITIVE)
    assert float(gamma.gap) == pytest.approx(np.log(POSITIVE.mean()) - np.log(POSITIVE).mean(), rel=1e-12)


def test_a_single_or_constant_value_is_a_statistic_but_no_fit():
    one = sf.statistics(sf.Normal, [2.0])
    with pytest.raises(sf.DataError, match="Normal cannot be fitted"):
        sf.fit(sf.Normal, one)
    with pytest.raises(sf.DataError, match="Normal cannot be fitted"):
        sf.fit(sf.Normal, one + sf.statistics(sf.Normal, [2.0, 2.0]))
    fit = sf.fit(sf.Normal, one + sf.statistics(sf.Normal, [4.0]))
    assert fit.parameters == {"loc": 3.0, "scale": 1.0}


def test_held_parameters():
    """The statistic does not depend on what is held: the fit is told."""
    s = sf.statistics(sf.Gamma, POSITIVE)
    held = sf.family(sf.Gamma, rate=0.5)
    assert_same(sf.fit(held, s), sf.fit(held, POSITIVE))


def test_statistics_are_values_of_any_source():
    reference = sf.fit(sf.Gamma, POSITIVE)
    pieces = sf.chunks(lambda: np.array_split(POSITIVE, 9))
    assert_same(sf.fit(sf.Gamma, sf.statistics(sf.Gamma, pieces)), reference)
    holes = np.insert(POSITIVE, 3, np.nan)
    assert_same(sf.fit(sf.Gamma, sf.statistics(sf.Gamma, holes, missing="drop")), reference)
    leaves, structure = jax.tree.flatten(sf.statistics(sf.Gamma, POSITIVE))
    assert_same(sf.fit(sf.Gamma, jax.tree.unflatten(structure, leaves)), reference)


@pytest.mark.parametrize(
    ("family", "p", "x"),
    [
        (sf.Weibull, sf.Weibull(1.5, 4.0), POSITIVE),
        (sf.StudentT, sf.StudentT(5.0, loc=1.0, scale=2.0), POSITIVE),
        (sf.Gamma, sf.Gamma(2.0, 0.5), POSITIVE),
        (sf.NegativeBinomial, sf.NegativeBinomial(4.0, 8.0), COUNTS),
    ],
    ids=["Weibull", "StudentT", "Gamma", "NegativeBinomial"],
)
def test_an_expansion_is_the_likelihood_with_derivatives(family, p, x):
    """The sum of log-densities, with central differences of value and gradient on the unconstrained scale.

    Their error: h² = 1e-10 times third derivatives of about n, and rounding of eps · 2,000/h = 5e-8.
    """
    family, h = as_family(family), 1e-5
    v = np.asarray(family.vector(p))
    pairs = [
        [sf.statistics(family, x, at=family.build(jnp.asarray(v + side * e))) for side in (-h, h)]
        for e in np.eye(len(v))
    ]

    whole = sf.statistics(family, x, at=p)
    assert float(whole.count) == len(x)
    np.testing.assert_allclose(whole.log_likelihood, p.log_prob(x).sum(), rtol=1e-13)
    differences = [(up.log_likelihood - down.log_likelihood) / (2 * h) for down, up in pairs]
    np.testing.assert_allclose(whole.gradient, differences, atol=5e-7)
    differences = [(up.gradient - down.gradient) / (2 * h) for down, up in pairs]
    np.testing.assert_allclose(whole.hessian, differences, atol=5e-7)
    parts = sf.statistics(family, x[:100], at=p) + sf.statistics(family, x[100:], at=p)
    for name in ("count", "log_likelihood", "gradient", "hessian"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-12)


def test_newton_by_hand():
    """A user's own loop of expansions over parts reaches the fit."""
    family, p = as_family(sf.Weibull), sf.Weibull(1.0, 5.0)
    for _ in range(8):
        e = functools.reduce(operator.add, (sf.statistics(sf.Weibull, x, at=p) for x in np.split(POSITIVE, 3)))
        p = family.build(jnp.asarray(e.point - np.linalg.solve(e.hessian, e.gradient)))
    fit = sf.fit(sf.Weibull, POSITIVE)
    assert float(p.concentration) == pytest.approx(fit.parameters["concentration"], rel=1e-12)
    assert float(p.scale) == pytest.approx(fit.parameters["scale"], rel=1e-12)


def test_wrong_calls():
    with pytest.raises(ValueError, match=r"StudentT has no sufficient statistic of fixed size.*With at=p"):
        sf.statistics(sf.StudentT, POSITIVE)
    with pytest.raises(TypeError, match="at must be a Weibull, got Gamma"):
        sf.statistics(sf.Weibull, POSITIVE, at=sf.Gamma(1.0, 1.0))
    normal, gamma = sf.statistics(sf.Normal, POSITIVE), sf.statistics(sf.Gamma, POSITIVE)
    with pytest.raises(TypeError, match="statistics of Normal and Gamma do not add"):
        _ = normal + gamma
    with pytest.raises(TypeError, match="do not add"):
        _ = normal + 3.0
    with pytest.raises(TypeError, match="these are not statistics of Normal"):
        sf.fit(sf.Normal, gamma)
    here, there = (sf.statistics(sf.Weibull, POSITIVE, at=sf.Weibull(1.0, s)) for s in (2.0, 3.0))
    with pytest.raises(ValueError, match="statistics taken at different parameters do not add"):
        _ = here + there
    with pytest.raises(TypeError, match="an expansion at one point is not enough for a fit"):
        sf.fit(sf.Weibull, here)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "data has no rows"),
        ([1.0, np.nan], "data has 1 missing value, the first at row 2"),
        ([1.0, np.inf], "data has 1 infinite value, the first at row 2"),
        ([1.0, -2.0], "needs values > 0, got -2 in row 2"),
    ],
)
def test_bad_data(data, message):
    for family, at in ((sf.Gamma, None), (sf.Weibull, sf.Weibull(1.0, 1.0))):
        with pytest.raises(sf.DataError, match=message):
            sf.statistics(family, data, at=at)


def test_statistics_of_different_numbers_of_trials_stay_apart():
    ten, twenty = (sf.family(sf.Binomial, total_count=n) for n in (10, 20))
    k = np.array([3, 5, 6, 2])
    with pytest.raises(ValueError, match="what is held differs"):
        sf.statistics(ten, k) + sf.statistics(twenty, k)
    with pytest.raises(ValueError, match="these are statistics of Binomial"):
        sf.fit(twenty, sf.statistics(ten, k))
