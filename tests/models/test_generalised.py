"""Generalised linear models beside direct maximisation of the library's own densities; separation proved."""

import pickle

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pandas as pd
import pytest

import suffice as sf
from suffice.models.regression.generalised.link import LINKS
from suffice.models.regression.generalised.response import response_of
from suffice.runtime.errors import DataError

RNG = np.random.default_rng(21)
N = 150


def targets(name, mean):
    return {
        "Bernoulli": lambda: (RNG.uniform(size=N) < 1 / (1 + 1 / mean)).astype(float),
        "Poisson": lambda: RNG.poisson(mean).astype(float),
        "Gamma": lambda: RNG.gamma(2.0, mean / 2.0),
        "Exponential": lambda: RNG.exponential(mean),
        "InverseGaussian": lambda: RNG.wald(mean, 2.0),
        "Normal": lambda: np.log(mean) + RNG.normal(size=N),
        "NegativeBinomial": lambda: RNG.poisson(mean * RNG.gamma(2.0, 0.5, N)).astype(float),
    }[name]()


FAMILIES = {
    "Bernoulli": (sf.Bernoulli, lambda eta: sf.Bernoulli(eta)),
    "Poisson": (sf.Poisson, lambda eta: sf.Poisson(jnp.exp(eta))),
    "Gamma": (sf.Gamma, lambda eta: sf.Gamma(jnp.full_like(eta, 2.0), 2.0 * jnp.exp(-eta))),
    "Exponential": (sf.Exponential, lambda eta: sf.Exponential(jnp.exp(-eta))),
    "InverseGaussian": (sf.InverseGaussian, lambda eta: sf.InverseGaussian(jnp.exp(eta), jnp.full_like(eta, 2.0))),
    "Normal": (sf.Normal, lambda eta: sf.Normal(eta, jnp.ones_like(eta))),
    "NegativeBinomial": (
        sf.family(sf.NegativeBinomial, concentration=2.0),
        lambda eta: sf.NegativeBinomial(jnp.exp(eta), jnp.full_like(eta, 2.0)),
    ),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_maximum(name):
    """At the fit the score of the library's density is 0, and the errors are those of its expected information."""
    x = RNG.normal(size=(N, 2))
    eta = 0.3 + x @ [0.8, -0.5]
    t, offset = targets(name, np.exp(eta)), 0.1 * RNG.normal(size=N)
    family, law = FAMILIES[name]
    fit = sf.GeneralizedLinearModel(family).fit(x, t, offset=offset)
    assert fit.converged
    phi = jnp.asarray(np.column_stack([np.ones(N), x]))

    def log_likelihood(w):
        return law(phi @ w + offset).log_prob(t).sum()

    score = jax.grad(log_likelihood)(jnp.asarray(fit.weights))
    unit = fit.solution.weights_root @ fit.solution.weights_root.T
    assert np.abs(np.asarray(score)).max() * np.sqrt(np.diag(unit)).max() < 1e-7
    mu = np.asarray(fit.link.mean(np.asarray(phi) @ fit.weights + offset))
    height = fit.response.scaled(fit.link.slope(np.asarray(phi) @ fit.weights + offset), mu) ** 2
    assert np.allclose(np.linalg.inv(np.asarray(phi).T @ (height[:, None] * np.asarray(phi))), unit, rtol=1e-6)
    best = fit.response.law(jnp.asarray(mu), fit.dispersion)
    assert fit.log_likelihood == pytest.approx(float(best.log_prob(t).sum()), rel=1e-12)
    assert np.allclose(best.mean(), mu, rtol=1e-12)
    assert np.allclose(best.variance(), fit.dispersion / fit.response.scaled(np.ones(N), mu) ** 2, rtol=1e-10)
    assert np.allclose(fit.predict(x), fit.predictive(x).mean())
    low, high = fit.interval(0.95)
    assert np.allclose(high - low, 2 * 1.959963984540054 * fit.standard_errors)


def test_deviance_is_twice_the_likelihood_lost():
    x = RNG.normal(size=N)
    for family in (sf.Poisson, sf.Exponential):
        t = targets(family.__name__, np.exp(0.3 + 0.5 * x)) + (family is sf.Poisson)
        fit = sf.GeneralizedLinearModel(family).fit(x, t)
        whole = float(fit.response.law(jnp.asarray(t), 1.0).log_prob(t).sum())
        assert fit.deviance == pytest.approx(2 * (whole - fit.log_likelihood), rel=1e-9)


def test_normal_is_least_squares_and_shares_are_trials():
    x, often = RNG.normal(size=N), RNG.integers(1, 9, N)
    t = x + RNG.normal(size=N)
    fit, direct = sf.GeneralizedLinearModel(sf.Normal).fit(x, t, often), sf.LinearBasisModel().fit(x, t, often)
    assert np.allclose(fit.weights, direct.weights, rtol=1e-13)
    assert np.allclose(fit.standard_errors, direct.standard_errors, rtol=1e-12)
    wins = RNG.binomial(often, 0.4)
    shares = sf.GeneralizedLinearModel(sf.Bernoulli).fit(x, wins / often, often)
    rows = np.repeat(x, often), np.concatenate([[1] * w + [0] * (o - w) for w, o in zip(wins, often, strict=True)])
    single = sf.GeneralizedLinearModel(sf.Bernoulli).fit(*rows)
    assert np.allclose(shares.weights, single.weights, rtol=1e-9)
    assert np.allclose(shares.standard_errors, single.standard_errors, rtol=1e-9)
    assert shares.log_likelihood == pytest.approx(single.log_likelihood, rel=1e-12)


@pytest.mark.parametrize(
    ("family", "x", "t"),
    [
        (sf.Bernoulli, [1.0, 2.0, 3.0, 4.0], [0, 0, 1, 1]),  # complete
        (sf.Bernoulli, [1.0, 2.0, 2.0, 3.0], [0, 0, 1, 1]),  # but for a tie
        (sf.Bernoulli, [[1.0, 0.0], [2.0, 1.0], [3.0, 0.0], [3.0, 1.0], [4.0, 1.0]], [0, 0, 1, 0, 1]),
        (sf.Poisson, [0.0, 0.0, 1.0, 1.0], [0, 0, 1, 3]),
    ],
)
def test_separation_is_told(family, x, t):
    fit = sf.GeneralizedLinearModel(family).fit(x, t)
    assert not fit.converged
    assert fit.message.startswith("separated: the likelihood has no maximum, it rises for ever along the weights of")
    assert "x" in fit.message
    assert fit.message in repr(fit)


def test_overlap_is_not_separation():
    """Nearly separated data of large weights converge."""
    x = np.array([1.0, 2.0, 3.0, 3.01, 4.0, 5.0])
    fit = sf.GeneralizedLinearModel(sf.Bernoulli).fit(x, [0, 0, 1, 0, 1, 1])
    assert fit.converged
    assert fit.weights[1] > 2.0


PAIRS = [(name, link) for name in FAMILIES for link in response_of(FAMILIES[name][0])[0].links]


@pytest.mark.parametrize(("name", "link"), PAIRS, ids=lambda v: v)
def test_every_link(name, link):
    """At the fit the likelihood of the library's density is flat, and lower a little beside it in each direction."""
    x = RNG.uniform(0.1, 1.0, size=(N, 2))
    of = LINKS[link].of
    mean = 0.2 + 0.3 * x[:, 0] + 0.2 * x[:, 1] if name == "Bernoulli" else 1.0 + x[:, 0] + 0.5 * x[:, 1]
    t = {
        "Bernoulli": lambda: (RNG.uniform(size=N) < mean).astype(float),
        "Normal": lambda: mean + 0.1 * RNG.normal(size=N),
        "Poisson": lambda: RNG.poisson(mean).astype(float),
        "Exponential": lambda: RNG.exponential(mean),
        "Gamma": lambda: RNG.gamma(9.0, mean / 9.0),
        "InverseGaussian": lambda: RNG.wald(mean, 20.0),
        "NegativeBinomial": lambda: RNG.poisson(mean * RNG.gamma(2.0, 0.5, N)).astype(float),
    }[name]()
    fit = sf.GeneralizedLinearModel(FAMILIES[name][0], link=link).fit(x, t)
    assert fit.converged, fit.message
    phi = np.column_stack([np.ones(N), x])

    def likelihood(w):
        mu = fit.link.mean(phi @ w)
        return float(np.sum(fit.response.law(jnp.asarray(mu), fit.dispersion).log_prob(t)))

    best = likelihood(fit.weights)
    assert best == pytest.approx(fit.log_likelihood, rel=1e-12)
    for e in 1e-4 * np.eye(3):
        up, down = likelihood(fit.weights + e), likelihood(fit.weights - e)
        curve = 2.0 * best - up - down  # 1e-8 times the information
        assert curve > 0.0
        assert abs(up - down) < 1e-3 * curve + 1e-12 * abs(best)
    low, high = fit.mean_interval(x)
    assert ((low < fit.predict(x)) & (fit.predict(x) < high)).all()
    assert np.allclose(fit.link.mean(of(mean)), mean, rtol=1e-13)


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog", "loglog", "cauchit", "log"])
def test_tails_of_links(link):
    """log mu and log(1 − mu) beside mpmath at 300 digits."""
    eta = np.concatenate([-np.geomspace(1e-8, 30.0, 25), np.geomspace(1e-8, 6.0 if link != "log" else 1e-8, 25)])
    eta = eta[eta < 0] if link == "log" else eta
    with mp.workdps(300):
        exact = {
            "logit": lambda e: 1 / (1 + mp.exp(-e)), "probit": mp.ncdf, "cloglog": lambda e: 1 - mp.exp(-mp.exp(e)),
            "loglog": lambda e: mp.exp(-mp.exp(-e)), "cauchit": lambda e: mp.mpf(1) / 2 + mp.atan(e) / mp.pi, "log": mp.exp,
        }[link]  # fmt: skip
        means = [exact(mp.mpf(float(e))) for e in eta]
        want = np.array([[float(mp.log(m)), float(mp.log1p(-m))] for m in means]).T
    for found, wanted in zip(LINKS[link].logs(eta), want, strict=True):
        assert np.allclose(found, wanted, rtol=2e-13, atol=0.0)
        assert np.allclose(np.asarray(LINKS[link].logs(jnp.asarray(eta))), want, rtol=2e-13, atol=0.0)


@pytest.mark.parametrize("family", [sf.Bernoulli, sf.Poisson, sf.Gamma])
def test_files_however_they_are_cut(family, tmp_path):
    x = RNG.normal(size=(N, 2)) + np.array([50.0, 0.0])
    t = targets(family.__name__, np.exp(0.3 + 0.2 * (x @ [1.0, -1.0] - 50.0)))
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "t": t, "w": RNG.integers(0, 3, N)})
    frame.to_parquet(tmp_path / "data.parquet", row_group_size=40)
    for link in (None, "probit" if family is sf.Bernoulli else "sqrt"):
        model = sf.GeneralizedLinearModel(family, sf.Polynomial(2, "a") + sf.Linear("b"), link=link)
        want = model.fit(frame[["a", "b"]], frame["t"], frame["w"])
        assert want.converged
        for rows in (7, 64, 10_000):
            table = sf.scan_table(tmp_path / "data.parquet", weights="w", batch_rows=rows)
            fit = model.fit(table, "t")
            scale = np.maximum(np.abs(want.weights), want.standard_errors)
            assert (np.abs(fit.weights - want.weights) <= 1e-12 * scale).all()
            assert np.allclose(fit.standard_errors, want.standard_errors, rtol=1e-11)
            assert fit.log_likelihood == pytest.approx(want.log_likelihood, rel=1e-12)
            assert fit.count == want.count


def test_bad_data():
    model = sf.GeneralizedLinearModel
    with pytest.raises(DataError, match=r"whole numbers >= 0, got 1\.5 at row 2"):
        model(sf.Poisson).fit([1.0, 2.0], [1.0, 1.5])
    with pytest.raises(DataError, match="between 0 and 1, got 2 at row 1"):
        model(sf.Bernoulli).fit([1.0, 2.0], [2.0, 1.0])
    with pytest.raises(DataError, match="> 0, got 0"):
        model(sf.Gamma).fit([1.0, 2.0], [0.0, 1.0])
    with pytest.raises(ValueError, match="family must be one of Bernoulli, Poisson"):
        model(sf.Beta).fit([1.0, 2.0], [0.5, 0.6])
    with pytest.raises(
        ValueError, match="link of Poisson must be one of log, identity, inverse, inverse_square, sqrt, got 'logit'"
    ):
        model(sf.Poisson, link="logit").fit([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="needs its concentration"):
        model(sf.NegativeBinomial).fit([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(DataError, match="depend on each other"):
        model(sf.Poisson).fit([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]], [1.0, 2.0, 3.0])


def test_successes_of_trials(tmp_path):
    """The same as shares with weights, in memory and from files; rows without trials say nothing."""
    x, trials = RNG.normal(size=N), RNG.integers(0, 9, N)
    often, wins = RNG.integers(1, 3, N), RNG.binomial(trials, 0.4)
    model = sf.GeneralizedLinearModel(sf.Bernoulli, link="probit")
    kept = trials > 0
    want = model.fit(x[kept], (wins / np.maximum(trials, 1))[kept], (often * trials)[kept])
    frame = pd.DataFrame({"x": x, "n": trials, "wins": wins, "w": often})
    frame.to_csv(tmp_path / "data.csv", index=False)
    table = sf.scan_table(tmp_path / "data.csv", weights="w", batch_rows=40)
    for fit in (
        model.fit(x, wins, often, trials=trials),
        model.fit(frame, "wins", "w", trials="n"),
        model.fit(table, "wins", trials="n"),
    ):
        assert fit.count == want.count == (often * trials).sum()
        assert np.allclose(fit.weights, want.weights, rtol=1e-10)
        assert np.allclose(fit.standard_errors, want.standard_errors, rtol=1e-10)
        assert fit.log_likelihood == pytest.approx(want.log_likelihood, rel=1e-12)


def test_residuals_of_successes_are_those_of_their_trials(tmp_path):
    """Over deviations of shares of n trials, √(p (1 − p)/n); the degrees of freedom of the deviance are of rows."""
    x, trials = RNG.normal(size=N), RNG.integers(1, 30, N)
    wins = RNG.binomial(trials, 1.0 / (1.0 + np.exp(-x)))
    pd.DataFrame({"x": x, "n": trials, "wins": wins}).to_csv(tmp_path / "data.csv", index=False)
    model = sf.GeneralizedLinearModel(sf.Bernoulli)
    for fit in (
        model.fit(x, wins, trials=trials),
        model.fit(sf.scan_table(tmp_path / "data.csv", batch_rows=40), "wins", trials="n"),
    ):
        assert fit.residual_degrees_of_freedom == N - 2
        rows = fit.data.sample(N)
        found, p = fit.diagnosed(rows), fit.predict(rows.inputs)
        height = rows.trials * p * (1.0 - p)
        phi = np.column_stack([np.ones(N), rows.inputs.columns[0]])
        h = height * np.einsum("ij,jk,ik->i", phi, np.linalg.inv(phi.T @ (height[:, None] * phi)), phi)
        assert np.allclose(found.leverage, h, rtol=1e-8)
        pearson = (rows.targets[:, 0] * rows.trials - rows.trials * p) / np.sqrt(height * (1.0 - h))
        assert np.allclose(found.standardised[:, 0], pearson, rtol=1e-8)
        assert np.sum(found.studentised[:, 0] ** 2 * (1.0 - h)) == pytest.approx(fit.deviance, rel=1e-9)
        assert np.allclose(found.cooks_distance[:, 0], pearson**2 * h / (1.0 - h) / 2.0, rtol=1e-8)
    weighted = model.fit(x, wins, np.full(N, 3.0), trials=trials)
    assert weighted.residual_degrees_of_freedom == 3.0 * N - 2


def test_bad_trials(tmp_path):
    model = sf.GeneralizedLinearModel(sf.Bernoulli)
    with pytest.raises(DataError, match=r"successes must be >= 0 and <= trials, 2, got 3 at row 2 \(counting from 1\)"):
        model.fit([1.0, 2.0, 3.0], [1, 3, 0], trials=[2, 2, 2])
    with pytest.raises(DataError, match="at least one row must have trials"):
        model.fit([1.0, 2.0], [0, 0], trials=[0, 0])
    with pytest.raises(ValueError, match="trials are for Bernoulli, got family Poisson"):
        sf.GeneralizedLinearModel(sf.Poisson).fit([1.0, 2.0], [0, 0], trials=[1, 1])
    pd.DataFrame({"x": range(9), "n": 2, "t": [1] * 7 + [5, 1]}).to_csv(tmp_path / "data.csv", index=False)
    with pytest.raises(DataError, match=r"got 5 at row 8 \(counting from 1\)"):
        model.fit(sf.scan_table(tmp_path / "data.csv", batch_rows=4), "t", trials="n")
    with pytest.raises(DataError, match=r"targets must be between 0 and 1, got 5 at row 8 \(counting from 1\)"):
        model.fit(sf.scan_table(tmp_path / "data.csv", ["x", "t"], batch_rows=4), "t")


@pytest.mark.parametrize(
    ("family", "link"),
    [(sf.Gamma, None), (sf.InverseGaussian, None), (sf.Normal, "log"), (sf.Gamma, "inverse"), (sf.Normal, "inverse")],
)
@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_the_unit_of_the_targets_is_the_users(family, link, scale):
    """Weights and errors move with it as the link says, to rounding; so do the steps."""
    x = np.random.default_rng(3).normal(size=(N, 2))
    t = np.exp(0.4 * x[:, 0]) * np.random.default_rng(4).gamma(9.0, 1.0 / 9.0, N) + 1.0
    want, fit = (sf.GeneralizedLinearModel(family, link=link).fit(x, v) for v in (t, scale * t))
    unit = 1.0 / scale if link == "inverse" else 1.0
    assert (fit.converged, fit.iterations) == (True, want.iterations)
    assert np.allclose(fit.weights[1:], unit * want.weights[1:], rtol=1e-10, atol=0.0)
    assert np.allclose(fit.standard_errors, unit * want.standard_errors, rtol=1e-10, atol=0.0)


@pytest.mark.parametrize("family", [sf.Gamma, sf.InverseGaussian, sf.Exponential])
def test_targets_beyond_the_squares_of_floats(family):
    x = np.random.default_rng(5).normal(size=N)
    t = np.exp(0.5 * x) * np.random.default_rng(6).gamma(4.0, 0.25, N)
    want, fit = (sf.GeneralizedLinearModel(family).fit(x, v) for v in (t, 1e-200 * t))
    assert fit.converged
    assert fit.weights[1] == pytest.approx(want.weights[1], rel=1e-9)
    assert np.allclose(fit.standard_errors, want.standard_errors, rtol=1e-9)


def test_a_start_from_which_some_means_are_impossible():
    """Weighted least squares of 1/t gives negative means; the search then begins at one mean for all, and ends with score 0."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2))
    t = rng.gamma(2.0, np.exp(0.5 * x[:, 0]))
    phi = np.column_stack([np.ones(200), x])
    assert (phi @ np.linalg.lstsq(t[:, None] * phi, np.ones(200))[0] < 0).any()
    fit = sf.GeneralizedLinearModel(sf.Gamma, link="inverse").fit(x, t)
    assert fit.converged
    score = phi.T @ (t - fit.predict(x))
    assert np.abs(score * fit.standard_errors).max() < 1e-7


def test_a_maximum_at_the_edge_is_not_told_as_one_inside():
    """A straight line of probabilities whose best ends are 0 and 1: it is approached, and never left for the impossible."""
    x, t = np.repeat([0.0, 0.5, 1.0], 10), np.r_[np.zeros(10), np.tile([0.0, 1.0], 5), np.ones(10)]
    fit = sf.GeneralizedLinearModel(sf.Bernoulli, link="identity").fit(x, t)
    assert not fit.converged
    assert fit.message
    assert fit.deviance == pytest.approx(20.0 * np.log(2.0), rel=1e-3)


def test_dependent_columns_offer_no_choice_that_is_not_there():
    x = RNG.normal(size=N)
    with pytest.raises(DataError, match=r"x2 = 2 x1 to within .* of its size$"):
        sf.GeneralizedLinearModel(sf.Poisson).fit(np.column_stack([x, 2.0 * x]), np.ones(N))


@pytest.mark.parametrize("family", [sf.Bernoulli, sf.Gamma, sf.family(sf.NegativeBinomial, concentration=2.0)])
def test_fits_travel_between_processes(family):
    x = RNG.normal(size=N)
    fit = sf.GeneralizedLinearModel(family).fit(x, np.ones(N) - 0.5 * (family is sf.Bernoulli) * (x > 0.3))
    again = pickle.loads(pickle.dumps(fit))
    assert again.response is fit.response
    assert again.link is fit.link
    assert np.array_equal(again.predict(x), fit.predict(x))
    assert np.array_equal(again.mean_interval(x), fit.mean_interval(x))
