"""A prior holds components of every kind, and no option passes without effect or a word."""

import numpy as np
import pytest
from scipy import optimize, stats
from scipy.special import log_softmax, logsumexp

import suffice as sf

LINE = np.concatenate([np.zeros(5), np.linspace(5.0, 9.0, 30)])
POSITIVE = np.concatenate([np.full(5, 2.0), np.linspace(4.0, 20.0, 30)])
LINE_FAMILIES = [sf.Logistic, sf.Gumbel, sf.Cauchy, sf.family(sf.SkewNormal, shape=0.5)]


@pytest.mark.parametrize("family", LINE_FAMILIES, ids=lambda f: getattr(f, "name", None) or f.__name__)
def test_a_scale_on_the_line_is_held_by_the_spread_of_the_data(family):
    """Five equal values draw a component onto themselves: the prior's scale is left to it, and the climb ends."""
    start = [0] * 5 + [1] * 30
    bare = sf.fit_mixture(family, 2, LINE, start=start)
    assert not bare.converged
    assert "collapses" in bare.message
    held = sf.fit_mixture(family, 2, LINE, start=start, prior=1.0)
    assert held.converged
    assert np.all(np.diff(held.trace) >= -1e-12 * (np.abs(held.trace[1:]) + 35.0))
    share = np.std(LINE) / 2.0
    scale = min(float(p.scale) for p in held.components)
    # with n values at loc its scale s is highest at n log s + log s + (share/s)²/2, as few others come near
    assert scale == pytest.approx(share / np.sqrt(6.0), rel=0.05)


CASES = {
    "Logistic": (sf.Logistic, LINE, lambda u: stats.logistic(u[0], np.exp(u[1])), lambda p: [p.loc, np.log(p.scale)]),
    "Weibull": (
        sf.Weibull,
        POSITIVE,
        lambda u: stats.weibull_min(np.exp(u[0]), scale=np.exp(u[1])),
        lambda p: [np.log(p.concentration), np.log(p.scale)],
    ),
}


@pytest.mark.parametrize("name", list(CASES))
def test_the_maximum_is_that_of_an_independent_optimiser(name):
    family, x, make, coordinates = CASES[name]
    fit = sf.fit_mixture(family, 2, x, start=[0] * 5 + [1] * 30, prior=2.0)
    assert fit.converged
    share = np.std(x) / 2.0

    def log_prior(u):
        if name == "Weibull":
            return 2.0 * make(u).logpdf(x).mean()
        return -2.0 * (u[1] + 0.5 * (share / np.exp(u[1])) ** 2)

    def objective(u):
        logs = log_softmax([u[0], 0.0])
        parts = np.split(u[1:], 2)
        each = [make(v).logpdf(x) for v in parts]
        return -float(logsumexp(np.array(each) + logs[:, None], axis=0).sum()) - sum(map(log_prior, parts))

    mine = np.concatenate(
        [[np.log(fit.weights[0] / fit.weights[1])], *(np.asarray(coordinates(p), float) for p in fit.components)]
    )
    assert -objective(mine) == pytest.approx(fit.trace[-1], rel=1e-10)
    options = {"xatol": 1e-8, "fatol": 1e-12, "maxiter": 20_000, "maxfev": 20_000}
    other = optimize.minimize(objective, mine + 0.05, method="Nelder-Mead", options=options)
    assert -other.fun == pytest.approx(fit.trace[-1], rel=1e-9)
    assert mine == pytest.approx(other.x, abs=1e-4)


def test_many_rows_are_stood_for_by_some():
    """A prior of n observations that look like 5000 of them: the fit of one component is that of the sample alone."""
    x = np.asarray(sf.Weibull(2.0, 3.0).sample(5000, rng=1))
    bare, held = (sf.fit_mixture(sf.Weibull, 1, x, prior=prior) for prior in (0.0, 1000.0))
    for key, value in bare.parameters.items():
        assert held.parameters[key] == pytest.approx(value, abs=0.5 * max(bare.standard_errors[key], 1e-12))


def test_censored_values():
    """The prior's rows are censored as the sample's are; on the line it holds a scale that would vanish."""
    x = np.array([-1.3, -0.8, -0.5, -0.2, 0.0, 0.1, 0.4, 0.7, 1.1, 5.0, 5.0, 5.0])
    data = sf.Data(left=x, right=np.where(x == -1.3, np.inf, x))
    held = sf.fit_mixture(sf.Normal, 2, data, starts=4, prior=1.0)
    assert held.converged
    assert float(held.components[1].scale) > 0.1
    sample = sf.Mixture([sf.Weibull(2.0, 1.0), sf.Weibull(3.0, 6.0)], [0.4, 0.6]).sample(200, rng=1)
    x = np.asarray(sample)
    seen = sf.Data(left=np.minimum(x, 6.0), right=np.where(x > 6.0, np.inf, x))
    fit = sf.fit_mixture(sf.Weibull, 1, seen, prior=3.0)  # of one component it looks like, a prior changes nothing
    bare = sf.fit_mixture(sf.Weibull, 1, seen)
    assert list(fit.parameters.values()) == pytest.approx(list(bare.parameters.values()), rel=1e-7)
    assert fit.trace[-1] == pytest.approx(bare.log_likelihood * (1.0 + 3.0 / 200.0), rel=1e-10)


@pytest.mark.parametrize(("family", "prior"), [(sf.Normal, 2.0), (sf.Poisson, 5.0)])
def test_a_stream_keeps_its_prior(family, prior):
    """The same rows once more double the count beside the prior, whose own mean or variance is known."""
    x = np.asarray(sf.Mixture([sf.Poisson(2.0), sf.Poisson(12.0)], [0.4, 0.6]).sample(60, rng=1), float)
    fit = sf.fit_mixture(family, 2, x, starts=4, prior=prior)
    online = sf.OnlineMixture(fit)
    online.update(x)
    (group,) = online.distribution.components
    for k, p in enumerate(fit.components):
        n = fit.weights[k] * 60.0
        drawn_to = x.var() / 4.0 if family is sf.Normal else x.mean()
        before = float(p.scale) ** 2 if family is sf.Normal else float(p.rate)
        own = (before * (n + prior) - prior * drawn_to) / n
        now = float(group.scale[k]) ** 2 if family is sf.Normal else float(group.rate[k])
        assert now == pytest.approx((2.0 * n * own + prior * drawn_to) / (2.0 * n + prior), rel=1e-8)


X = np.arange(1.0, 21.0)


@pytest.mark.parametrize(
    ("target", "covariance", "message"),
    [
        (sf.Poisson, "tied", "for normal and t components with no parameter held, not for Poisson"),
        (sf.family(sf.Normal, loc=0.0), "diag", r"not for Normal\(loc=0\)"),
        ([sf.Normal, sf.Gamma, sf.Normal], "tied", "makes components alike, and these are of several kinds"),
    ],
)
def test_a_structure_without_effect_is_refused(target, covariance, message):
    count = None if isinstance(target, list) else 2
    with pytest.raises(ValueError, match=message):
        sf.fit_mixture(target, count, X, covariance=covariance)


def test_automatic_structures_of_families_without_any_are_one():
    found = sf.select_mixture(sf.Poisson, [1, 2], X, covariance="auto", starts=2)
    assert [row["covariance"] for row in found.table] == ["full", "full"]


def test_bad_starts_and_settings():
    for start, message in [
        (np.full((20, 2), np.nan), "finite and >= 0"),
        (np.full((20, 2), -1.0), "finite and >= 0"),
        (np.repeat([[1.0, 0.0]], 20, axis=0), "component 1 has none"),
    ]:
        with pytest.raises(ValueError, match=message):
            sf.fit_mixture(sf.Normal, 2, X, start=start)
    two = np.random.default_rng(0).normal(0.0, 1.0, (20, 2))
    for options, message in [
        ({"starts": 0}, "starts must be >= 1, got 0"),
        ({"max_iterations": 0}, "max_iterations must be >= 1, got 0"),
        ({"tolerance": -1.0}, "tolerance must be > 0"),
        ({"scale": [[1.0]]}, r"scale must be a positive definite matrix \(2, 2\)"),
        ({"scale": [[1.0, 2.0], [2.0, 1.0]]}, "positive definite"),
        ({"truncation": 2.5}, "truncation must be a whole number"),
        ({"concentration": np.inf}, "concentration and strength must be > 0 and finite"),
    ]:
        with pytest.raises(ValueError, match=message):
            sf.dirichlet_process_mixture(two, **options)
    with pytest.raises(ValueError, match="starts must be >= 1"):
        sf.fit_regression_mixture(2, two[:, 0], two[:, 1], starts=0)
    online = sf.OnlineMixture(sf.fit_mixture(sf.Normal, 2, X, prior=1.0))
    with pytest.raises(sf.DataError, match="rows must have 1 columns, got 2"):
        online.update(two)
