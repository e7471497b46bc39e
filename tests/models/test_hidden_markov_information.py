"""Standard errors of hidden Markov fits: the exact likelihood's curvature by other ways, and coverage."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import suffice as sf

TRUTH = sf.HiddenMarkov([0.6, 0.4], [[0.9, 0.1], [0.2, 0.8]], sf.Normal(np.array([0.0, 2.5]), np.array([1.0, 0.5])))
FREE = ("initial[0]", "transition[0,0]", "transition[1,0]", "emissions[0].loc", "emissions[1].loc",
        "emissions[0].scale", "emissions[1].scale")  # fmt: skip


def likelihood_of(x):
    """The log-likelihood in the reported parameters themselves."""

    def value(u):
        rows = jnp.stack([jnp.stack([q, 1.0 - q]) for q in u[:3]])
        return sf.HiddenMarkov(rows[0], rows[1:], sf.Normal(u[3:5], u[5:7])).log_prob(x)

    return value


def errors_of(fit, names):
    return np.array([fit.standard_errors[name] for name in names])


def estimates_of(fit, names):
    return np.array([fit.parameters[name] for name in names])


def test_several_sequences_against_derivatives_of_the_likelihood():
    """At a maximum inside, the inverse of −∇² is the covariance in any coordinates; the gradient left, 1e-3 of an error
    in each direction, moves it by as much."""
    xs = [np.array(TRUTH.sample(25, rng=i)) for i in range(60)]
    xs[3][4:7] = np.nan
    fit = sf.fit_hidden_markov(sf.Normal, 2, xs, starts=3)
    hessian = jax.hessian(likelihood_of(xs))(jnp.asarray(estimates_of(fit, FREE)))
    at = [fit.parameter_names.index(name) for name in FREE]
    expected = np.linalg.inv(-np.asarray(hessian))
    size = np.sqrt(np.diag(expected))
    np.testing.assert_allclose(fit.covariance[np.ix_(at, at)] / np.outer(size, size), expected / np.outer(size, size),
                               atol=1e-3)  # fmt: skip
    twice = fit.standard_errors["transition[0,1]"], fit.standard_errors["transition[0,0]"]
    assert twice[0] == pytest.approx(twice[1], rel=1e-12)


def test_a_long_sequence_against_differences():
    """Of 5,000 times, in several stretches; differences of step 1e-3 are off by h² and by rounding, 1e-16 7e3 / h²."""
    x = np.array(TRUTH.sample(5000, rng=1))
    fit = sf.fit_hidden_markov(sf.Normal, 2, x, starts=3)
    assert np.isnan(fit.standard_errors["initial[0]"])
    first = jnp.asarray(fit.distribution.initial[:1])
    of_all = likelihood_of(x)
    value = jax.jit(lambda u: of_all(jnp.concatenate([first, u])))
    here, h = estimates_of(fit, FREE[1:]), 1e-3
    steps = h * np.eye(6)
    hessian = [
        [sum(s * r * value(here + s * a + r * b) for s in (1, -1) for r in (1, -1)) / (4.0 * h * h) for a in steps]
        for b in steps
    ]
    expected = np.sqrt(np.diag(np.linalg.inv(-np.array(hessian))))
    np.testing.assert_allclose(errors_of(fit, FREE[1:]), expected, rtol=1e-3)


def test_what_is_shared_and_what_is_on_the_boundary():
    """A move that never happens has no error; one covariance for all states has one."""
    truth = sf.HiddenMarkov(
        [1.0, 0.0, 0.0],
        [[0.8, 0.2, 0.0], [0.0, 0.7, 0.3], [0.4, 0.0, 0.6]],
        sf.Normal(np.array([0.0, 10.0, 20.0]), 1.0),
    )
    x = np.asarray(truth.sample(600, rng=0))
    fit = sf.fit_hidden_markov(sf.Normal, 3, x, covariance="tied", starts=2)
    told = fit.standard_errors
    assert np.isnan(told["transition[0,2]"])
    assert told["emissions[0].scale"] == pytest.approx(told["emissions[2].scale"], rel=1e-9)
    # states are as good as seen: the errors are those of a binomial and of a normal sample
    path = fit.distribution.viterbi(x)[0]
    n = (np.asarray(path[:-1]) == 0).sum()
    p = fit.parameters["transition[0,1]"]
    assert told["transition[0,1]"] == pytest.approx(np.sqrt(p * (1.0 - p) / n), rel=1e-4)
    assert told["emissions[1].scale"] == pytest.approx(fit.parameters["emissions[1].scale"] / np.sqrt(1200), rel=1e-4)


def test_coverage():
    """95 % intervals over 200 series of 1,000 times: each of six counts outside the binomial's range with probability
    1e-6, each mean of z² outside that of the chi-square with 200 degrees with 1e-6."""
    names = FREE[1:]
    truth = np.array([0.9, 0.2, 0.0, 2.5, 1.0, 0.5])
    z = []
    for seed in range(200):
        fit = sf.fit_hidden_markov(sf.Normal, 2, TRUTH.sample(1000, rng=1000 + seed), starts=1, rng=seed)
        assert fit.converged
        z.append((estimates_of(fit, names) - truth) / errors_of(fit, names))
    inside = (np.abs(z) < stats.norm.isf(0.025)).sum(0)
    assert (inside >= stats.binom.ppf(1e-6, 200, 0.95)).all()
    squares = (np.array(z) ** 2).sum(0)
    assert (squares < stats.chi2.isf(5e-7, 200)).all()
    assert (squares > stats.chi2.ppf(5e-7, 200)).all()


def test_of_a_known_state_there_is_no_error_and_the_others_are_given_it():
    """Held at the estimate, the first state leaves the inverse of the information of the rest."""
    rng = np.random.default_rng(0)
    x = rng.poisson(np.where(np.arange(600) // 20 % 2, 9, 2))
    whole = sf.fit_hidden_markov(sf.Poisson, 2, x, starts=3)
    held = sf.fit_hidden_markov([sf.Poisson(whole.parameters["emissions[0].rate"]), sf.Poisson], x, starts=3)
    names = ["transition[0,1]", "transition[1,0]", "emissions[1].rate", "emissions[0].rate"]
    at = [whole.parameter_names.index(name) for name in names]
    information = np.linalg.inv(whole.covariance[np.ix_(at, at)])
    assert "emissions[0].rate" not in held.parameters
    for name, square in zip(names, np.diagonal(np.linalg.inv(information[:3, :3])), strict=False):
        assert held.parameters[name] == pytest.approx(whole.parameters[name], rel=1e-6)
        assert held.standard_errors[name] == pytest.approx(np.sqrt(square), rel=1e-5)
