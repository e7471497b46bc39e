"""Components of every kind: recovered from their own draws, and special cases that other parts of the library fit."""

import numpy as np
import pytest

import suffice as sf
from suffice.inference.estimate import has_sufficient
from suffice.inference.kinked import has_kink

# each far enough from the next that 600 draws tell; one that has a statistic, one that needs Newton's method, and vectors
PAIRS = [
    (sf.Poisson, [sf.Poisson(2.0), sf.Poisson(9.0)]),
    (sf.Gamma, [sf.Gamma(2.0, 2.0), sf.Gamma(30.0, 3.0)]),
    (sf.Weibull, [sf.Weibull(2.0, 1.0), sf.Weibull(8.0, 10.0)]),
    (sf.VonMises, [sf.VonMises(-1.0, 8.0), sf.VonMises(1.5, 8.0)]),
    (sf.StudentT, [sf.StudentT(3.0, -6.0), sf.StudentT(6.0, 6.0, scale=2.0)]),
    (sf.Dirichlet, [sf.Dirichlet([2.0, 5.0, 9.0]), sf.Dirichlet([9.0, 3.0, 1.0])]),
    (sf.family(sf.Binomial, total_count=10), [sf.Binomial(10, 0.2), sf.Binomial(10, 0.8)]),
]


@pytest.mark.parametrize(("target", "truth"), PAIRS, ids=lambda v: getattr(v, "__name__", None))
def test_recovered(target, truth):
    """Within 4 standard errors of the truth in each parameter: false alarm at most 7 · 6e-5 in each case."""
    mixture = sf.Mixture(truth, [0.4, 0.6])
    x = np.asarray(mixture.sample(600, rng=7), float)
    fit = sf.fit_mixture(target, 2, x, starts=4)
    assert fit.converged
    assert np.all(np.diff(fit.trace) >= -1e-12 * (np.abs(fit.trace[1:]) + fit.count))
    assert fit.log_likelihood == pytest.approx(float(np.sum(fit.distribution.log_prob(x))), rel=1e-11)
    assert fit.log_likelihood > float(np.sum(mixture.log_prob(x)))
    reported = [fit.model.groups[0].reported.report(p, np) for p in truth]
    values = np.concatenate([[0.4, 0.6], *reported])
    errors = np.array(list(fit.standard_errors.values()))
    assert np.all(np.isfinite(errors))
    assert np.all(np.abs(np.array(list(fit.parameters.values())) - values) < 4.0 * errors)
    np.testing.assert_allclose(fit.responsibilities(x[:50]), fit.distribution.responsibilities(x[:50]), atol=1e-12)


def test_the_m_step_of_each_kind_is_in_the_table():
    """What the table above has is what it says it has."""
    from suffice.distributions.family import as_family

    assert has_sufficient(as_family(sf.Gamma))
    assert not has_sufficient(as_family(sf.Weibull))
    assert has_kink(as_family(sf.Laplace))


def test_zero_inflation_is_a_mixture():
    """A known component at 0 beside a Poisson one: the fit of sf.ZeroInflated, to the last digits."""
    x = sf.ZeroInflated(sf.Poisson(3.0), zeros=0.3).sample(400, rng=1)
    mixed = sf.fit_mixture([sf.Poisson, sf.DiscreteUniform(0, 0)], x, starts=4)
    direct = sf.fit(sf.family(sf.ZeroInflated, base=sf.Poisson), x)
    assert mixed.log_likelihood == pytest.approx(float(direct.log_likelihood), rel=1e-12)
    assert mixed.weights[1] == pytest.approx(direct.parameters["zeros"], rel=1e-8)
    for ours, theirs in (("components[0].rate", "rate"), ("weights[1]", "zeros")):
        assert mixed.standard_errors[ours] == pytest.approx(direct.standard_errors[theirs], rel=1e-6)
    assert mixed.dimension == 2


def test_contamination():
    """Outliers over a known range do not move the normal component, which is what a lone normal would suffer."""
    x = sf.Mixture([sf.Normal(0.0, 1.0), sf.Uniform(-50.0, 50.0)], [0.9, 0.1]).sample(800, rng=2)
    fit = sf.fit_mixture([sf.Normal, sf.Uniform(-50.0, 50.0)], x, starts=4)
    assert abs(fit.parameters["components[0].scale"] - 1.0) < 4.0 * fit.standard_errors["components[0].scale"]
    assert float(np.std(np.asarray(x))) > 5.0


def test_columns_of_different_kinds():
    """Latent class analysis: independent columns given the class; the likelihood is that of the product."""
    rng = np.random.default_rng(3)
    z = rng.random(500) < 0.4
    x = np.stack([np.where(z, rng.normal(0, 1, 500), rng.normal(3, 1, 500)),
                  np.where(z, rng.poisson(2, 500), rng.poisson(6, 500)),
                  np.where(z, rng.integers(0, 3, 500), rng.integers(1, 4, 500))], 1)  # fmt: skip
    fit = sf.fit_mixture((sf.Normal, sf.Poisson, sf.Categorical), 2, x, starts=4, tolerance=1e-7)
    assert fit.converged
    assert (fit.predict(x) == ~z).mean() > 0.93
    assert fit.dimension == 1 + 2 * (2 + 1 + 3)
    assert fit.log_likelihood == pytest.approx(float(np.sum(fit.distribution.log_prob(x))), rel=1e-11)


def test_parameters_held():
    x = sf.Mixture([sf.Normal(0.0, 1.0), sf.Normal(0.0, 8.0)], [0.7, 0.3]).sample(600, rng=5)
    fit = sf.fit_mixture([sf.family(sf.Normal, loc=0.0)] * 2, x, starts=4)
    assert sorted(fit.parameters) == ["components[0].scale", "components[1].scale", "weights[0]", "weights[1]"]
    assert fit.dimension == 3


def test_a_prior_keeps_components_from_collapse():
    """Five equal values draw a component onto themselves; a pseudo-observation of the data's spread holds it."""
    x = np.concatenate([np.zeros(5), np.linspace(5.0, 9.0, 30)])
    bare = sf.fit_mixture(sf.Normal, 2, x, starts=4)
    assert not bare.converged
    assert "collapses" in bare.message
    assert all(np.isnan(v) for v in bare.standard_errors.values())
    held = sf.fit_mixture(sf.Normal, 2, x, starts=4, prior=1.0)
    assert held.converged
    assert np.all(np.diff(held.trace) >= -1e-12 * (np.abs(held.trace[1:]) + 35.0))
    k, n = 0, 5.0
    scatter = np.var(x) / 2.0**2  # of one pseudo-observation: the data's, shared out among two
    assert held.components[k].scale == pytest.approx(np.sqrt(scatter / (n + 1.0)), rel=1e-6)


def test_frequencies_count_as_observations():
    rng = np.random.default_rng(9)
    x, w = rng.normal(rng.choice([0.0, 4.0], 150), 1.0), rng.integers(1, 4, 150)
    start = sf.Mixture([sf.Normal(0.0, 1.0), sf.Normal(4.0, 1.0)], [0.5, 0.5])
    weighted = sf.fit_mixture(sf.Normal, 2, x, w, start=start)
    repeated = sf.fit_mixture(sf.Normal, 2, np.repeat(x, w), start=start)
    assert weighted.count == w.sum()
    for name, value in repeated.parameters.items():
        assert weighted.parameters[name] == pytest.approx(value, rel=1e-9)
        assert weighted.standard_errors[name] == pytest.approx(repeated.standard_errors[name], rel=1e-7)


def test_it_is_a_distribution_like_any_other():
    x = sf.Mixture([sf.Normal(-2.0, 0.8), sf.Normal(3.0, 1.2)], [0.4, 0.6]).sample(300, rng=1)
    p = sf.fit_mixture(sf.Normal, 2, x, starts=2).distribution
    assert float(p.mean()) == pytest.approx(float(np.mean(np.asarray(x))), rel=1e-9)
    assert float(p.cdf(p.icdf(0.3))) == pytest.approx(0.3, abs=1e-12)
    assert float(sf.kl(p, p)) == pytest.approx(0.0, abs=1e-12)


BAD = [
    ((sf.Normal, 0, [1.0, 2.0]), "components must be >= 1, got 0"),
    ((sf.Normal, 2.5, [1.0, 2.0]), "components must be a whole number"),
    ((sf.Normal, 2, [1.0]), "2 components need at least as many rows, got 1"),
    ((sf.Normal, 1, [1.0]), "constant"),
    ((sf.Normal, 3, [1.0, 1.0, 1.0, 2.0, 2.0]), "at least as many different rows, got 2"),
    ((sf.Normal, 2, [1.0] * 5), "different rows, got 1"),
    ((sf.Normal, 2, [1.0, 2.0, np.nan]), "1 missing value, the first at row 3"),
    ((sf.Normal, 2, [1.0, 2.0, np.inf]), "1 infinite value, the first at row 3"),
    ((sf.Normal, 2, []), "no rows"),
    ((sf.Normal, 2, np.zeros((4, 2))), "different rows"),
    ((sf.Normal, 1, np.arange(8.0).reshape(4, 2)), "for one column, and the data have 2"),
    ((sf.MultivariateNormal, 2, np.c_[np.arange(9.0), np.ones(9)]), "column 2 is constant, 1 in every row"),
    ((sf.MultivariateNormal, 2, np.c_[np.arange(9.0), np.arange(9.0)]), "singular"),
    ((sf.Gamma, 1, [2.0, 3.0, -1.0]), "no component can make -1 in row 3"),
    ((sf.Uniform, 2, [1.0, 2.0, 3.0]), "its support is estimated"),
    ((sf.Laplace, 2, [1.0, 2.0, 3.0, 4.0]), "has a kink"),
    (([sf.Normal, sf.Normal], 3, [1.0, 2.0, 3.0]), "as many as the families listed, 2, got 3"),
    (((sf.Normal, sf.Poisson), 2, np.zeros((3, 3)) + np.arange(3.0)[:, None]), "2 families for 2 columns"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_input(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        sf.fit_mixture(*arguments)


def test_bad_options():
    x = [1.0, 2.0, 3.0, 4.0]
    for options, message in [
        ({"covariance": "round"}, "covariance must be one of"),
        ({"prior": -1.0}, "prior must be"),
        ({"starts": 0}, "starts must be >= 1"),
        ({"tolerance": 0.0}, "tolerance must be > 0"),
        ({"max_iterations": 0}, "max_iterations must be >= 1"),
        ({"start": [0, 1]}, "start must be labels"),
        ({"start": [0, 1, 2, 0]}, "labels from 0 to 1"),
        ({"start": sf.Mixture([sf.Normal()] * 3, [0.2, 0.3, 0.5])}, "start must have 2 components, got 3"),
        ({"weights": [1.0, 1.0]}, "weights must have as many rows"),
    ]:
        with pytest.raises((ValueError, TypeError), match=message):
            sf.fit_mixture(sf.Normal, 2, x, **options)
