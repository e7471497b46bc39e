"""Fits of hidden Markov models: a climb that never falls, to a maximum."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf
from suffice.runtime.errors import DataError

TRUTH = sf.HiddenMarkov(
    [0.5, 0.3, 0.2],
    [[0.9, 0.08, 0.02], [0.1, 0.8, 0.1], [0.05, 0.15, 0.8]],
    sf.Normal(np.array([0.0, 3.0, 7.0]), np.array([1.0, 0.5, 1.5])),
)


def distance(value, at):
    """How far the maximum is by Newton's step: the climb ends where its steps tell of 1e-7, an estimate good to a factor."""
    at = jnp.asarray(at)
    return np.abs(np.linalg.solve(jax.hessian(value)(at), jax.grad(value)(at))).max()


@pytest.fixture(scope="module")
def series():
    x = np.array(TRUTH.sample(1500, rng=0))
    x[100:110] = np.nan
    return x


@pytest.fixture(scope="module")
def fit(series):
    return sf.fit_hidden_markov(sf.Normal, 3, series, starts=4)


def test_the_climb_never_falls_and_ends_at_a_maximum(fit, series):
    assert fit.converged
    assert (np.diff(fit.trace) > -1e-9).all()
    p = fit.distribution
    np.testing.assert_allclose(p.log_prob(series), fit.log_likelihood, rtol=1e-12)
    group, spread = p.emissions.components[0], np.nanstd(series)

    def value(u):
        moves = jax.nn.softmax(jnp.concatenate([jnp.zeros((3, 1)), u[6:].reshape(3, 2)], axis=1))
        return sf.HiddenMarkov(p.initial, moves, sf.Normal(spread * u[:3], jnp.exp(u[3:6]))).log_prob(series)

    odds = np.log(p.transition[:, 1:] / p.transition[:, :1])
    here = np.concatenate([np.asarray(group.loc) / spread, np.log(group.scale), odds.ravel()])
    assert distance(value, here) < 1e-6


def test_the_truth_is_recovered(fit, series):
    """Twice the gain over the truth is chi-square with 14 degrees of freedom: beyond 60 with probability 1e-7."""
    gain = 2.0 * (fit.log_likelihood - float(TRUTH.log_prob(series)))
    assert 0.0 < gain < 60.0
    assert fit.dimension == 14
    assert fit.bic == pytest.approx(14 * np.log(1490) - 2 * fit.log_likelihood)


def test_several_sequences_and_counts():
    truth = sf.HiddenMarkov([0.5, 0.5], [[0.9, 0.1], [0.2, 0.8]], sf.Poisson(np.array([1.0, 8.0])))
    xs = [np.asarray(truth.sample(n, rng=n)) for n in (50, 200, 7)]
    fit = sf.fit_hidden_markov(sf.Poisson, 2, xs, starts=3)
    assert fit.converged
    p = fit.distribution

    def value(u):
        moves = jax.nn.softmax(jnp.stack([jnp.zeros(2), u[2:]], axis=1))
        return sf.HiddenMarkov(p.initial, moves, sf.Poisson(jnp.exp(u[:2]))).log_prob(xs)

    odds = np.log(p.transition[:, 1] / p.transition[:, 0])
    assert distance(value, np.concatenate([np.log(p.emissions.components[0].rate), odds])) < 1e-6
    # the start's share is the mean of the first posteriors, as at every fixed point
    first = np.mean([np.asarray(q)[0] for q in p.posterior(xs)], axis=0)
    np.testing.assert_allclose(p.initial, first, atol=1e-6)


def test_bad_input():
    with pytest.raises(TypeError, match="data are missing"):
        sf.fit_hidden_markov(sf.Normal, 2)
    with pytest.raises(ValueError, match=">= 1"):
        sf.fit_hidden_markov(sf.Normal, 0, [1.0, 2.0])
    for settings, message in (
        ({"starts": 0}, "starts must be >= 1, got 0"), ({"max_iterations": 0}, "max_iterations must be >= 1, got 0"),
        ({"prior": -1.0}, "prior must be a number of pseudo-observations >= 0, got -1.0"),
        ({"tolerance": 0.0}, "tolerance must be > 0, got 0.0"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            sf.fit_hidden_markov(sf.Normal, 2, np.arange(9.0), **settings)
    with pytest.raises(DataError, match="at least as many"):
        sf.fit_hidden_markov(sf.Normal, 3, [1.0, 2.0])
    with pytest.raises(DataError, match="all values are NaN"):
        sf.fit_hidden_markov(sf.Normal, 2, [np.nan, np.nan])
    with pytest.raises(DataError, match="time 1"):
        sf.fit_hidden_markov(sf.Normal, 2, [1.0, np.inf, 2.0])


def test_values_of_32_bits(series):
    """Fitted and then asked: the model of values of 32 bits is that of the same values in 64."""
    x = np.asarray(series[0] if isinstance(series, list) else series).astype(np.float32)
    narrow, wide = (sf.fit_hidden_markov(sf.Normal, 2, v, starts=2) for v in (x, x.astype(float)))
    assert narrow.log_likelihood == pytest.approx(wide.log_likelihood, rel=1e-6)
    assert float(narrow.distribution.log_prob(x)) == pytest.approx(narrow.log_likelihood, rel=1e-6)


def test_runs_that_collapse_are_not_evaluated_there(monkeypatch):
    """Where equal values make every run collapse, none is done again with logarithms."""
    from suffice.models.hidden_markov import chain

    told, of_runs = [], chain.of_runs
    monkeypatch.setattr(chain, "of_runs", lambda *given, **how: told.append(how["again"]) or of_runs(*given, **how))
    x = np.random.default_rng(1).normal(0.0, 1.0, 300)
    x[100:140], x[200:203] = 0.25, 30.0
    assert not sf.fit_hidden_markov(sf.Normal, 3, x).converged
    assert told.count(False) > 5
    assert True not in told


def test_a_start_that_collapses_on_all_values_gives_way_to_the_next(monkeypatch):
    """The first state of the best start is given no spread, and the climb ends where it does from the others."""
    from suffice.models.hidden_markov import fit as fitting

    def climb(model, evaluate, begin, *given, **how):
        if how["most"] == 700 and not seen:
            seen.append(begin.groups[0]["root"])
            begin.groups[0]["root"][0, 0] = 1e-300
        return of(model, evaluate, begin, *given, **how)

    seen, of = [], fitting.climb
    x = sf.HiddenMarkov([0.5, 0.5], [[0.9, 0.1], [0.2, 0.8]], sf.Normal([0.0, 6.0], 1.0)).sample(500, rng=3)
    usual = sf.fit_hidden_markov(sf.Normal, 2, x, starts=3)
    monkeypatch.setattr(fitting, "climb", climb)
    found = sf.fit_hidden_markov(sf.Normal, 2, x, starts=3, max_iterations=700)
    assert seen
    assert found.converged
    assert found.log_likelihood == pytest.approx(usual.log_likelihood, rel=1e-9)


def test_states_at_a_limit_of_their_family():
    """Where t is best as a normal, the likelihood and the errors are those of normal states."""
    x = sf.HiddenMarkov([0.5, 0.5], [[0.95, 0.05], [0.1, 0.9]], sf.Normal([0.0, 6.0], 1.0)).sample(800, rng=6)
    x = np.where(np.abs(x - 6.0 * (x > 3.0)) > 2.2, 6.0 * (x > 3.0), x)  # tails lighter than a normal's
    fit, normal = (sf.fit_hidden_markov(family, 2, x, starts=3) for family in (sf.StudentT, sf.Normal))
    assert not fit.converged
    assert fit.message.startswith("the likelihood rises towards a limit of the family; state 0 becomes Normal as df")
    assert "state 1 becomes Normal" in fit.message
    assert fit.log_likelihood == pytest.approx(normal.log_likelihood, rel=1e-6)  # at 10⁶ degrees of freedom, not beyond
    assert np.isnan(fit.standard_errors["emissions[0].df"])
    for name, value in normal.standard_errors.items():
        assert fit.standard_errors[name] == pytest.approx(value, rel=1e-3, nan_ok=True)


def test_states_without_a_mean():
    """They are in the order of their medians."""
    rng = np.random.default_rng(0)
    x = rng.standard_cauchy(400) + 14.0 * (np.arange(400) // 20 % 2)
    fit = sf.fit_hidden_markov(sf.Cauchy, 2, x, starts=3)
    assert fit.converged
    for k, truth in enumerate((0.0, 14.0)):  # false alarm 2 · 6e-5
        name = f"emissions[{k}].loc"
        assert abs(fit.parameters[name] - truth) < 4.0 * fit.standard_errors[name]
