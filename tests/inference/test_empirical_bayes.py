"""Empirical Bayes: hyperparameters by maximum evidence, James–Stein again."""

import numpy as np
import pytest

import suffice as sf

RNG = np.random.default_rng(21)


def test_normal_normal_is_james_stein_with_another_constant():
    """With its centre held at 0 the prior's variance is |x|²/d − σ²: the factor is 1 − dσ²/|x|², where James–Stein has d − 2."""
    x = RNG.normal(0.0, 2.0, 15)
    found = sf.empirical_bayes(sf.family(sf.Normal, loc=0.0), sf.family(sf.Normal, scale=1.0), x[:, None])
    assert found.converged
    assert found.parameters["scale"] ** 2 == pytest.approx((x**2).mean() - 1.0, rel=1e-9)
    shrunk = np.array([float(p.mean) for p in found.posteriors.values()])
    np.testing.assert_allclose(shrunk, (1.0 - 15.0 / (x**2).sum()) * x, rtol=1e-9)
    np.testing.assert_allclose(sf.james_stein(x, variance=1.0), (1.0 - 13.0 / (x**2).sum()) * x, rtol=1e-12)


@pytest.mark.parametrize(
    ("prior", "family", "draw"),
    [
        (sf.Gamma(3.0, 2.0), sf.Poisson, lambda t: RNG.poisson(t, 4)),
        (sf.Normal(1.0, 2.0), sf.family(sf.Normal, scale=1.5), lambda t: RNG.normal(t, 1.5, 3)),
    ],
)
def test_hyperparameters_are_found_within_their_errors(prior, family, draw):
    """Of 200 groups: the truth lies within 6 standard errors, false alarm 2e-9 of each; each group's posterior is its own update."""
    theta = np.asarray(prior.sample(200, rng=5))
    groups = [draw(t) for t in theta]
    found = sf.empirical_bayes(type(prior), family, groups)
    assert found.converged
    for name, value in found.parameters.items():
        assert abs(value - float(getattr(prior, name))) < 6.0 * found.standard_errors[name]
    at_fit = [float(p.log_evidence) for p in found.posteriors.values()]
    assert sum(at_fit) == pytest.approx(found.log_evidence, rel=1e-12)
    alone = sf.update(found.prior, family, groups[7])
    assert float(alone.log_evidence) == pytest.approx(at_fit[7], rel=1e-10)


def test_groups_that_agree_leave_no_prior():
    found = sf.empirical_bayes(sf.Normal, sf.family(sf.Normal, scale=1.0), [[0.1], [0.2], [-0.1]])
    assert not found.converged
    assert "no more than by chance" in found.message
    assert np.isnan(found.standard_errors["scale"])


def test_unequal_totals_and_names():
    groups = {"a": (3, 10), "b": (12, 18), "c": (1, 25), "d": (9, 11)}
    data = {g: sf.statistics(sf.Bernoulli, [1, 0], weights=[k, n - k]) for g, (k, n) in groups.items()}
    found = sf.empirical_bayes(sf.Beta, sf.Bernoulli, data)
    assert found.converged
    for g, (k, n) in groups.items():
        own, shrunk = k / n, float(found.posteriors[g].mean)
        centre = float(found.prior.mean())
        assert min(own, centre) < shrunk < max(own, centre)
        assert shrunk == pytest.approx((found.parameters["alpha"] + k) / (sum(found.parameters.values()) + n))
    with pytest.raises(ValueError, match="support of the prior moves"):
        sf.empirical_bayes(sf.Pareto, sf.family(sf.Uniform, low=0.0), [[1.0, 2.0], [3.0]])
    with pytest.raises(ValueError, match="two groups"):
        sf.empirical_bayes(sf.Beta, sf.Bernoulli, [[1, 0]])
    with pytest.raises(ValueError, match="not conjugate"):
        sf.empirical_bayes(sf.Gamma, sf.Bernoulli, [[1, 0], [1]])
