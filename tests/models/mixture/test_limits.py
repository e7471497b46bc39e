"""Components whose likelihood rises towards a limit of their family: they stay there, and what they become is told."""

import numpy as np
import pytest

import suffice as sf

X = np.asarray(sf.Mixture([sf.Normal(-6.0, 1.0), sf.Normal(6.0, 2.0)], [0.4, 0.6]).sample(600, rng=7))
CENSORED = sf.Data(left=np.minimum(X, 8.0), right=np.where(X > 8.0, np.inf, X))


@pytest.mark.parametrize("data", [X, CENSORED], ids=["known", "censored"])
def test_degrees_of_freedom_without_end(data):
    """The first component's t is best as a normal: its likelihood and errors are those of a normal in its place."""
    fit = sf.fit_mixture(sf.StudentT, 2, data, starts=4)
    assert not fit.converged
    assert fit.usable
    assert "a limit of the family; component 0 becomes Normal as df runs to its end" in fit.message
    assert "component 1" not in fit.message
    assert fit.passes < 300
    assert np.all(np.diff(fit.trace) >= -1e-12 * (np.abs(fit.trace[1:]) + 600.0))
    named = sf.fit_mixture([sf.Normal, sf.StudentT], data, start=sf.Mixture(
        [sf.Normal(-6.0, 1.0), sf.StudentT(8.0, 6.0, scale=2.0)], [0.4, 0.6]))  # fmt: skip
    assert named.converged
    assert fit.log_likelihood == pytest.approx(named.log_likelihood, rel=1e-7)  # at 10⁶ degrees of freedom, not beyond
    assert np.isnan(fit.standard_errors["components[0].df"])
    for key, value in named.standard_errors.items():
        assert fit.parameters[key] == pytest.approx(named.parameters[key], rel=1e-3)
        assert fit.standard_errors[key] == pytest.approx(value, rel=1e-3)


def test_steps_in_degrees_of_freedom_end_at_the_maximum():
    """A t of many degrees of freedom, at an interior maximum, in few passes: the slope there is 0 by differences."""
    x = np.asarray(sf.Mixture([sf.StudentT(4.0, -8.0), sf.StudentT(12.0, 8.0)], [0.5, 0.5]).sample(4000, rng=2))
    fit = sf.fit_mixture(sf.StudentT, 2, x, starts=4)
    assert fit.converged
    assert fit.passes < 100

    def value(k, factor):
        parts = [
            p if i != k else sf.StudentT(p.df * factor, p.loc, scale=p.scale) for i, p in enumerate(fit.components)
        ]
        return float(np.sum(sf.Mixture(parts, fit.weights).log_prob(x)))

    for k in (0, 1):
        up, here, down = (value(k, factor) for factor in (1.01, 1.0, 1.0 / 1.01))
        curvature = (up + down - 2.0 * here) / np.log(1.01) ** 2
        assert curvature < 0.0
        assert abs((up - down) / (2.0 * np.log(1.01)) / curvature) < 1e-3  # distance from the maximum, in log df


def test_vectors_of_many_degrees_of_freedom():
    x = np.random.default_rng(1).uniform(0.0, 1.0, (400, 3))  # of tails lighter than a normal's
    fit = sf.fit_mixture(sf.MultivariateT, 1, x)
    assert "component 0 becomes MultivariateNormal as df runs to its end" in fit.message
    normal = sf.fit(sf.MultivariateNormal, x)
    centred = x - np.asarray(normal.distribution.loc)
    square = np.einsum("ni,ij,nj->n", centred, np.linalg.inv(np.asarray(normal.distribution.covariance())), centred)
    # log t = log N + (s² − 2 (d + 2) s + d (d + 2)) / 4 df, s the squared distance, up to 1/df²
    apart = (square**2 - 10.0 * square + 15.0).sum() / (4.0 * float(fit.components[0].df))
    assert abs(apart) > 1e-4
    assert fit.log_likelihood == pytest.approx(float(normal.log_likelihood) + apart, rel=1e-9)


def test_counts_that_are_poisson():
    x = np.asarray(sf.Mixture([sf.Poisson(2.0), sf.Poisson(15.0)], [0.4, 0.6]).sample(500, rng=1), float)
    fit = sf.fit_mixture(sf.NegativeBinomial, 2, x, starts=4)
    plain = sf.fit_mixture(sf.Poisson, 2, x, starts=4)
    assert "component 1 becomes Poisson as concentration runs to its end" in fit.message
    assert fit.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-9)
    assert fit.standard_errors["components[0].mean"] == pytest.approx(
        plain.standard_errors["components[0].rate"], rel=1e-5
    )
    found = sf.select_mixture(sf.NegativeBinomial, [1, 2], x, starts=2)
    assert found.table[0]["components"] == 2  # a limit is no reason against a number of components


def test_a_collapse_despite_a_prior_says_so():
    x = np.concatenate([np.zeros(5), np.linspace(5.0, 9.0, 30)])
    bare, held = (sf.fit_mixture(sf.Normal, 2, x, start=[0] * 5 + [1] * 30, prior=prior) for prior in (0.0, 1e-16))
    assert "prior=1 keeps it from that" in bare.message
    assert "a component collapses although there is a prior of 1e-16: more may hold it" in held.message
