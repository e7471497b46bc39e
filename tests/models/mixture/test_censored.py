"""Mixtures from censored values: the maximum that an independent optimiser finds, the truth, and what is refused."""

import numpy as np
import pytest
from scipy import optimize, stats
from scipy.special import log_softmax, logsumexp

import suffice as sf
from suffice.models.mixture import rows as mixture_rows

TRUTHS = {
    "Weibull": (sf.Weibull, sf.Mixture([sf.Weibull(2.0, 1.0), sf.Weibull(3.0, 6.0)], [0.4, 0.6])),
    "Exponential": (sf.Exponential, sf.Mixture([sf.Exponential(0.3), sf.Exponential(6.0)], [0.6, 0.4])),
    "Normal": (sf.Normal, sf.Mixture([sf.Normal(-2.0, 0.8), sf.Normal(3.0, 1.2)], [0.4, 0.6])),
}
# of SciPy, a component from coordinates that may be any number, and these from ours
OTHERS = {
    "Weibull": (
        lambda u: stats.weibull_min(np.exp(u[0]), scale=np.exp(u[1])),
        lambda p: np.log([p.concentration, p.scale]),
    ),
    "Exponential": (lambda u: stats.expon(scale=np.exp(-u[0])), lambda p: np.log([p.rate])),
    "Normal": (lambda u: stats.norm(u[0], np.exp(u[1])), lambda p: np.array([p.loc, np.log(p.scale)])),
}


def _seen(truth, how, n=800, seed=1):
    """A sample as it is seen: some of it too late, only from some value on, or in bins."""
    x = np.asarray(truth.sample(n, rng=seed), float)
    low, high = np.quantile(x, [0.1, 0.7])
    if how == "right":
        end = high + np.random.default_rng(seed).exponential(high - low, n)
        return sf.Data(left=np.minimum(x, end), right=np.where(x <= end, x, np.inf))
    if how == "left":
        return sf.Data(left=np.where(x > low, x, -np.inf), right=np.maximum(x, low))
    edges = np.quantile(x, np.linspace(0.05, 0.95, 13))
    edges = np.array([-np.inf, *edges, np.inf])
    return sf.Data.binned(edges, np.histogram(x, edges)[0])


def _log_likelihood(u, make, rows, w):
    """By SciPy alone: logits of the weights (the last 0), then the components' coordinates."""
    logs = log_softmax([u[0], 0.0])
    left, right = rows[:, 0], rows[:, 1]
    exact, each = left == right, []
    for v in np.split(u[1:], 2):
        p = make(v)
        with np.errstate(all="ignore"):
            below = p.logcdf(right) + np.log1p(-np.exp(p.logcdf(left) - p.logcdf(right)))
            above = p.logsf(left) + np.log1p(-np.exp(p.logsf(right) - p.logsf(left)))
            mass = np.where(p.cdf(left) < 0.5, below, above)
        each.append(np.where(exact, p.logpdf(left), mass))
    return float(w @ logsumexp(np.array(each) + logs[:, None], axis=0))


@pytest.mark.parametrize("how", ["right", "left", "grouped"])
@pytest.mark.parametrize("name", list(TRUTHS))
def test_the_maximum_is_that_of_an_independent_optimiser(name, how):
    (family, truth), (make, coordinates) = TRUTHS[name], OTHERS[name]
    data = _seen(truth, how)
    fit = sf.fit_mixture(family, 2, data, start=truth)
    assert fit.converged
    assert np.all(np.diff(fit.trace) >= -1e-12 * (np.abs(fit.trace[1:]) + fit.count))
    assert len(fit.trace) > 3
    weights = np.ones(len(data)) if data.weights is None else data.weights

    def objective(u):
        return -_log_likelihood(u, make, data.rows, weights)

    logit = [np.log(truth.weights[0] / truth.weights[1])]
    members = [truth.components[0]._member(np.asarray(i)) for i in range(2)]
    begin = np.concatenate([logit, *(coordinates(p) for p in members)])
    other = optimize.minimize(objective, begin, method="BFGS", options={"gtol": 1e-5})
    polished = optimize.minimize(objective, other.x, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-11})
    assert fit.log_likelihood == pytest.approx(-polished.fun, rel=1e-8)
    mine = np.concatenate([[np.log(fit.weights[0] / fit.weights[1])], *(coordinates(p) for p in fit.components)])
    swapped = np.concatenate([[-mine[0]], *np.split(mine[1:], 2)[::-1]])
    near = min((mine, swapped), key=lambda u: np.abs(u - polished.x).max())
    assert -objective(near) == pytest.approx(fit.log_likelihood, rel=1e-10)
    assert near == pytest.approx(polished.x, abs=2e-4)


@pytest.mark.parametrize("how", ["right", "grouped"])
@pytest.mark.parametrize("name", list(TRUTHS))
def test_the_truth_is_found_and_starts_are_found_for_it(name, how):
    """Within 4 standard errors: a false alarm in 1.6e4 for each of at most 6 parameters in 6 cases, 0.2% in all."""
    family, truth = TRUTHS[name]
    fit = sf.fit_mixture(family, 2, _seen(truth, how, n=3000, seed=5), starts=4)
    assert fit.converged
    members = [truth.components[0]._member(np.asarray(i)) for i in range(2)]
    order = np.argsort([float(p.mean()) for p in members])
    expected = {f"weights[{k}]": float(truth.weights[i]) for k, i in enumerate(order)}
    for k, i in enumerate(order):
        expected |= {f"components[{k}].{n}": float(getattr(members[i], n)) for n in family.field_names()}
    assert expected.keys() == fit.parameters.keys()
    for key, value in expected.items():
        assert abs(fit.parameters[key] - value) < 4.0 * fit.standard_errors[key], key


@pytest.mark.parametrize("how", ["right", "grouped"])
def test_errors_are_those_of_the_curvature(how):
    """The information by differences of the log-likelihood that SciPy computes."""
    (family, truth), (make, coordinates) = TRUTHS["Weibull"], OTHERS["Weibull"]
    data = _seen(truth, how)
    fit = sf.fit_mixture(family, 2, data, start=truth)
    w = np.ones(len(data)) if data.weights is None else data.weights
    at = np.concatenate([[np.log(fit.weights[0] / fit.weights[1])], *(coordinates(p) for p in fit.components)])
    step = 1e-3 * np.eye(len(at))

    def value(u):
        return _log_likelihood(u, make, data.rows, w)

    h = np.array(
        [[value(at + a + b) - value(at + a - b) - value(at - a + b) + value(at - a - b) for a in step] for b in step]
    )
    covariance = np.linalg.inv(-h / 4e-6)
    told = np.sqrt(np.diagonal(covariance))
    scale = [fit.weights[0] * fit.weights[1], *(fit.parameters[n] for n in fit.parameter_names[2:])]
    mine = [fit.standard_errors[n] for n in (fit.parameter_names[0], *fit.parameter_names[2:])]
    assert mine == pytest.approx(told * scale, rel=1e-4)


def test_known_values_as_intervals_are_fitted_as_known_ones():
    family, truth = TRUTHS["Weibull"]
    x = np.asarray(truth.sample(500, rng=3), float)
    plain = sf.fit_mixture(family, 2, x, starts=4)
    ends = sf.fit_mixture(family, 2, sf.Data(left=x, right=x), starts=4)
    assert ends.log_likelihood == plain.log_likelihood
    assert ends.parameters == plain.parameters
    # rows kept as intervals: the same maximum by the programs of censored rows
    kept = sf.fit_mixture(family, 2, sf.Data(left=x, right=x).source, starts=4)
    assert kept.model.censored
    assert kept.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-12)
    assert list(kept.parameters.values()) == pytest.approx(list(plain.parameters.values()), rel=1e-7)
    assert list(kept.standard_errors.values()) == pytest.approx(list(plain.standard_errors.values()), rel=1e-6)
    assert kept.bic == pytest.approx(plain.bic, rel=1e-12)
    assert kept.icl == pytest.approx(plain.icl, rel=1e-9)
    assert kept.responsibilities(x) == pytest.approx(plain.responsibilities(x), abs=1e-7)


def test_responsibilities_of_intervals():
    family, truth = TRUTHS["Weibull"]
    data = _seen(truth, "right")
    fit = sf.fit_mixture(family, 2, data, start=truth)
    rows = sf.Data(left=[1.0, 2.0, np.nan, 2.0], right=[1.0, np.nan, 3.0, 4.0])
    masses = (
        np.array([[p.prob(1.0), p.sf(2.0), p.cdf(3.0), p.cdf(4.0) - p.cdf(2.0)] for p in fit.components], float)
        * fit.weights[:, None]
    )
    assert fit.responsibilities(rows) == pytest.approx((masses / masses.sum(0)).T, rel=1e-9)
    assert fit.log_densities(rows) == pytest.approx(np.log(masses.sum(0)), rel=1e-9)
    assert fit.responsibilities([1.0]) == pytest.approx(fit.responsibilities(rows)[:1], rel=1e-12)
    assert float(fit.log_densities(data).sum()) == pytest.approx(fit.log_likelihood, rel=1e-12)


def test_frequencies_count_as_observations():
    family, truth = TRUTHS["Normal"]
    data = _seen(truth, "grouped")
    long = np.repeat(data.rows, data.weights.astype(int), axis=0)
    short = sf.fit_mixture(family, 2, data, start=truth)
    repeated = sf.fit_mixture(family, 2, sf.Data(left=long[:, 0], right=long[:, 1]), start=truth)
    assert repeated.log_likelihood == pytest.approx(short.log_likelihood, rel=1e-12)
    assert list(repeated.parameters.values()) == pytest.approx(list(short.parameters.values()), rel=1e-8)


def test_files_are_read_once_for_each_step(tmp_path, monkeypatch):
    family, truth = TRUTHS["Normal"]
    data = _seen(truth, "right", n=5000)
    rows = "\n".join(f"{a!r},{'' if b == np.inf else repr(b)}" for a, b in data.rows[:, :2].tolist())
    (tmp_path / "seen.csv").write_text("from,to\n" + rows + "\n")
    source = sf.scan(tmp_path / "seen.csv", left="from", right="to", batch_rows=1000)
    whole = sf.fit_mixture(family, 2, source, start=truth)
    monkeypatch.setattr(mixture_rows, "HELD", 3000)
    streamed = sf.fit_mixture(family, 2, source, starts=2)  # tried on a sample of the rows
    assert not streamed.rows.in_memory
    assert streamed.rows.passes > 3
    assert streamed.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-12)
    assert list(streamed.parameters.values()) == pytest.approx(list(whole.parameters.values()), rel=1e-7)
    assert list(streamed.standard_errors.values()) == pytest.approx(list(whole.standard_errors.values()), rel=1e-6)


def test_the_number_of_components_and_the_bootstrap():
    family, truth = TRUTHS["Normal"]
    data = _seen(truth, "right", n=200)
    found = sf.select_mixture(family, range(1, 3), data, criterion="cv", folds=2, starts=2)
    assert [row["components"] for row in found.table] == [2, 1]
    errors = found.best.bootstrap(50, rng=1).standard_errors
    # of 50 replicates a standard error has a coefficient of variation of 10%: 4 of them either way, a false alarm in 1e4
    for key, value in found.best.standard_errors.items():
        assert 0.6 < errors[key] / value < 1.6, key


def test_counts_and_a_known_component():
    truth = sf.Mixture([sf.Poisson(2.0), sf.Poisson(11.0)], [0.5, 0.5])
    x = np.asarray(truth.sample(500, rng=2), float)
    data = sf.Data(left=np.where(x > 14, 14.0, x), right=np.where(x > 14, np.inf, x))
    fit = sf.fit_mixture([sf.Poisson, sf.Poisson(11.0)], data, starts=2)
    assert fit.converged
    # three of 4 standard errors: a false alarm in 5e3
    assert abs(fit.parameters["components[0].rate"] - 2.0) < 4.0 * fit.standard_errors["components[0].rate"]
    bins = sf.Data.binned([-1, 1, 3, 6, 9, 12, 15, 40], np.histogram(x, [-0.5, 1.5, 3.5, 6.5, 9.5, 12.5, 15.5, 40])[0])
    grouped = sf.fit_mixture(sf.Poisson, 2, bins, starts=2)
    for k, rate in enumerate((2.0, 11.0)):
        name = f"components[{k}].rate"
        assert abs(grouped.parameters[name] - rate) < 4.0 * grouped.standard_errors[name]


def test_collapse_is_told():
    x = np.array([-1.3, -0.8, -0.5, -0.2, 0.0, 0.1, 0.4, 0.7, 1.1, 5.0, 5.0, 5.0])
    fit = sf.fit_mixture(sf.Normal, 2, sf.Data(left=x, right=np.where(x == -1.3, np.inf, x)), starts=4)
    assert not fit.converged
    assert "collapses" in fit.message
    assert "prior" not in fit.message
    assert np.isnan(list(fit.standard_errors.values())).all()


X = np.arange(1.0, 21.0)
DATA = sf.Data(left=X, right=np.where(X > 15, np.inf, X))


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((sf.MultivariateNormal, 2, DATA), {}, "MultivariateNormal is of vectors"),
        (((sf.Normal, sf.Gamma), 2, DATA), {}, "of one column"),
        ((sf.Uniform, 2, DATA), {}, "Uniform: its support is estimated"),
        ((sf.Laplace, 2, DATA), {}, "Laplace: its likelihood has a kink"),
        ((sf.Normal, 2, DATA), {"covariance": "tied"}, "shares variances"),
        ((sf.Normal, 2, sf.Data(X, lower=0.0)), {}, "not to truncated ones"),
        ((sf.Normal, 2, sf.Data.lifetimes(X, X < 15, entry=X - 1.0)), {}, "not to truncated ones"),
        ((sf.Exponential, 2, sf.Data(left=X)), {}, "all 20 observations are right-censored"),
        ((sf.Normal, 0, DATA), {}, "components must be >= 1, got 0"),
        ((sf.Normal, 21, DATA), {}, "21 components need at least as many rows, got 20"),
        ((sf.Beta, 2, DATA), {}, "Beta needs values"),
        ((sf.Exponential, 2, sf.Data(left=[-3.0, *X], right=[-2.0, *X])), {}, "values from -3 to -2, in row 1"),
        ((sf.Normal, 2, sf.Data(left=[1, 1, 1], right=[1, np.inf, 1])), {}, "all rows are about the same value, 1"),
        (
            (sf.Normal, 3, sf.Data.binned(np.arange(7), [2, 14, 34, 34, 14, 50])),
            {},
            "7 different ends do not determine 8",
        ),
    ],
)
def test_bad_input(arguments, options, message):
    with pytest.raises((ValueError, sf.DataError), match=message):
        sf.fit_mixture(*arguments, **options)


def test_what_needs_known_values_says_so():
    known = sf.fit_mixture(sf.Exponential, 1, X)
    with pytest.raises(sf.DataError, match="which of their values would have been censored is not known"):
        sf.one_more_component(sf.Exponential, 1, DATA)
    for ask in (
        lambda: sf.dirichlet_process_mixture(DATA),
        lambda: sf.OnlineMixture(known).update(DATA),
        lambda: known.responsibilities(DATA),
    ):
        with pytest.raises(sf.DataError, match="these are censored or truncated"):
            ask()
    censored = sf.fit_mixture(sf.Exponential, 1, DATA)
    with pytest.raises(ValueError, match="online steps need"):
        sf.OnlineMixture(censored)


def test_a_page_shows_the_components_without_bars(tmp_path):
    """The table under the figure has the probabilities of the mixture, which add up to that of the range."""
    from suffice.report import mixture

    family, truth = TRUTHS["Weibull"]
    found = sf.select_mixture(family, [1, 2], _seen(truth, "right", n=300), starts=2)
    sf.report(found, tmp_path / "page.html")
    assert "No bars, as values are known as intervals" in (tmp_path / "page.html").read_text()
    (first, *_), *_ = mixture.figures(found)
    rows = [(float(a), float(b), float(c.removesuffix(" %"))) for a, b, c in first.table.rows]
    p = found.best.distribution
    assert sum(row[2] for row in rows) == pytest.approx(100.0 * float(p.cdf(rows[-1][1]) - p.cdf(rows[0][0])), abs=1.0)
