"""Rankings: which families take part, how integers are scored, what the order rests on, what a second rank costs."""

import jax.monitoring
import numpy as np
import pandas as pd
import pytest

import suffice as sf
from suffice.distributions.catalogue import CATALOGUE
from suffice.inference import observations

RNG = np.random.default_rng(50)
POSITIVE = RNG.gamma(3.0, 2.0, size=400)
COUNTS = RNG.negative_binomial(5, 0.4, size=400)
FEW = [sf.Normal, sf.Gamma, sf.Exponential]
CONTINUOUS = {e.name for e in CATALOGUE if not e.kind.discrete and e.ranked}
DISCRETE = {e.name for e in CATALOGUE if e.kind.discrete and e.ranked}


@pytest.fixture(scope="module")
def of_floats():
    return sf.rank(POSITIVE)


@pytest.fixture(scope="module")
def of_integers():
    return sf.rank(COUNTS)


def names(ranking):
    return {c.name for c in ranking.candidates} | {i.name for i in ranking.impossible}


# -- who takes part --------------------------------------------------------------------------------------------------


def test_kind_auto(of_floats, of_integers):
    assert names(of_floats) == CONTINUOUS
    assert names(of_integers) == CONTINUOUS | DISCRETE
    assert not of_floats.rounding
    assert of_integers.rounding


def test_kind_by_hand():
    assert names(sf.rank(COUNTS, kind="discrete")) == DISCRETE
    densities = sf.rank(COUNTS, kind="continuous")
    assert names(densities) == CONTINUOUS
    assert not densities.rounding
    fit = next(c.fit for c in densities.candidates if c.name == "Normal")
    assert float(fit.log_likelihood) == pytest.approx(float(sf.fit(sf.Normal, COUNTS).log_likelihood), rel=1e-12)


def test_the_saturated_categorical_only_on_request(of_integers):
    assert "Categorical" not in names(of_integers)
    asked = sf.rank(COUNTS, [sf.Categorical, sf.Poisson])
    assert {c.name for c in asked.candidates} == {"Categorical", "Poisson"}
    assert asked.candidates[0].fit.dimension == COUNTS.max()


def test_families_may_hold_parameters_and_come_in_any_order():
    held = sf.family(sf.Gamma, concentration=3.0)
    ranking = sf.rank(POSITIVE, [sf.Normal, held, sf.Gamma])
    assert ranking.candidates[2].name == "Normal"
    assert {c.name for c in ranking.candidates[:2]} == {"Gamma", "Gamma(concentration=3)"}
    again = sf.rank(POSITIVE, [sf.Gamma, sf.Normal, held])
    assert [c.name for c in again.candidates] == [c.name for c in ranking.candidates]


def test_impossible_families_name_the_first_offending_value():
    x = np.array([0.5, 2.0, -3.25, -9.0, 1.0])
    reasons = {i.name: i.reason for i in sf.rank(x).impossible}
    for name in ("Gamma", "LogNormal", "Weibull", "InverseGamma", "Pareto", "Rayleigh"):
        assert reasons[name] == f"{name} needs values > 0, got -3.25 in row 3"
    assert reasons["Exponential"] == "Exponential needs values >= 0, got -3.25 in row 3"
    assert reasons["Beta"] == "Beta needs values in (0, 1), got 2 in row 2"
    reasons = {i.name: i.reason for i in sf.rank(POSITIVE, kind="discrete").impossible}
    assert reasons["Poisson"] == f"Poisson needs values an integer >= 0, got {POSITIVE[0]:.6g} in row 1"
    reasons = {i.name: i.reason for i in sf.rank([3, 1, -2]).impossible}
    assert reasons["Poisson"] == "Poisson needs values an integer >= 0, got -2 in row 3"
    assert reasons["Gamma"] == "Gamma needs values > 0, got -2 in row 3"


def test_constant_columns_leave_what_has_no_spread():
    ranking = sf.rank([1.5, 1.5, 1.5])
    assert {c.name for c in ranking.candidates} == {"Exponential", "Rayleigh"}
    assert all("all equal, to within rounding (n = 3)" in i.reason for i in ranking.impossible if i.name != "Beta")
    ranking = sf.rank([2, 2, 2], [sf.Poisson, sf.Normal, sf.Exponential])
    assert {c.name for c in ranking.candidates} == {"Poisson", "Exponential"}
    ranking = sf.rank(np.zeros(9), [sf.Poisson, sf.NegativeBinomial, sf.Geometric, sf.Bernoulli])
    assert {c.name for c in ranking.candidates} == {"Geometric", "Bernoulli"}


def test_no_family_is_possible():
    ranking = sf.rank([-1.5, -2.5], [sf.Gamma, sf.Weibull])
    assert ranking.candidates == ()
    assert len(ranking.impossible) == 2
    assert "impossible" in repr(ranking)


# -- how integers are scored -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(CONTINUOUS - {"Beta", "Pareto"}))
def test_integers_are_scored_by_the_probability_of_rounding(of_integers, name):
    """Σ log(F(x + ½) − F(x − ½)), within 1e-10 of its size: the differences of cdfs cancel to about 1e-12 here."""
    fit = next(c.fit for c in of_integers.candidates if c.name == name)
    p, k = fit.distribution, COUNTS.astype(float)
    lower_tail, upper_tail = p.cdf(k + 0.5) - p.cdf(k - 0.5), p.sf(k - 0.5) - p.sf(k + 0.5)
    mass = np.where(p.cdf(k) < 0.5, lower_tail, upper_tail)
    assert float(fit.log_likelihood) == pytest.approx(float(np.log(mass).sum()), rel=1e-10)
    assert float(fit.count) == 400


@pytest.mark.parametrize("name", ["Normal", "Gamma", "Weibull", "StudentT", "Laplace", "InverseGamma", "Rayleigh"])
def test_and_fitted_to_maximise_it(of_integers, name):
    """A thousandth of a unit on either side in any unconstrained coordinate the likelihood is lower, by a parabola."""
    fit = next(c.fit for c in of_integers.candidates if c.name == name)
    assert fit.converged
    k = COUNTS.astype(float)

    def total(p):
        low, high = p.cdf(k - 0.5), p.cdf(k + 0.5)
        return float(np.log(np.where(low < 0.5, high - low, p.sf(k - 0.5) - p.sf(k + 0.5))).sum())

    v, top = np.asarray(fit.family.vector(fit.distribution)), total(fit.distribution)
    for unit in np.eye(len(v)):
        down, up = (total(fit.family.build(v + h * unit)) for h in (-1e-3, 1e-3))
        assert max(down, up) < top
        assert abs(up - down) < 0.02 * (2 * top - up - down)  # the top is within 1 % of the step of the parabola's


def test_standard_errors_of_rounded_values_are_larger(of_integers):
    """Rounding loses a little information: Sheppard's correction is 1/12 of the variance in the scale."""
    rounded = next(c.fit for c in of_integers.candidates if c.name == "Normal")
    exact = sf.fit(sf.Normal, COUNTS)
    corrected = np.sqrt(exact.parameters["scale"] ** 2 - 1 / 12)
    assert rounded.parameters["scale"] == pytest.approx(corrected, rel=1e-3)
    assert rounded.standard_errors["scale"] > exact.standard_errors["scale"] * corrected / exact.parameters["scale"]


def test_integers_too_large_to_have_halves():
    """Beyond 2^52 there is no x ± ½; nor is it needed: the density is the probability."""
    x = 2.0**52 + RNG.integers(0, 10**6, size=200) * 1000.0
    ranking = sf.rank(x, [sf.Normal, sf.Uniform])
    assert not ranking.rounding
    assert [c.name for c in ranking.candidates] == ["Uniform", "Normal"]
    below = sf.rank(x - 2.0**52 + 2.0**40, [sf.Normal])
    assert below.rounding
    normal = ranking.candidates[1].fit
    assert float(below.best.log_likelihood) == pytest.approx(float(normal.log_likelihood), rel=1e-9)


# -- order -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("criterion", ["aic", "aicc", "bic"])
def test_criteria_order_and_weigh(criterion):
    ranking = sf.rank(POSITIVE[:30], FEW, criterion)
    scores = [getattr(sf.fit(c.fit.family, POSITIVE[:30]), criterion) for c in ranking.candidates]
    assert scores == sorted(scores)
    assert [c.score for c in ranking.candidates] == pytest.approx(scores, rel=1e-12)
    assert [c.difference for c in ranking.candidates] == pytest.approx(np.array(scores) - scores[0], abs=1e-9)
    weights = np.exp(-(np.array(scores) - scores[0]) / 2)
    assert [c.weight for c in ranking.candidates] == pytest.approx(weights / weights.sum(), rel=1e-9)
    assert ranking.best is ranking.candidates[0].fit


def test_criteria_disagree_where_they_should():
    """On exponential data of n = 1000, BIC punishes the gamma's second parameter three times as hard as AIC does."""
    x = RNG.exponential(size=1000)
    aic, bic = ({c.name: c.score for c in sf.rank(x, FEW, criterion).candidates} for criterion in ("aic", "bic"))
    excess = (bic["Gamma"] - bic["Exponential"]) - (aic["Gamma"] - aic["Exponential"])
    assert excess == pytest.approx(np.log(1000) - 2, rel=1e-9)


def test_a_ranking_fits_like_fit(of_floats):
    for c in of_floats.candidates:
        alone = sf.fit(c.fit.family, POSITIVE)
        assert c.fit.parameters == pytest.approx(alone.parameters, rel=1e-12)
        assert float(c.fit.log_likelihood) == pytest.approx(float(alone.log_likelihood), rel=1e-12)


def test_weights_are_frequencies():
    values, counts = np.unique(COUNTS, return_counts=True)
    families = [sf.Normal, sf.Poisson, sf.Gumbel]
    by_weight, repeated = sf.rank(values, families, weights=counts), sf.rank(COUNTS, families)
    assert [c.name for c in by_weight.candidates] == [c.name for c in repeated.candidates]
    for a, b in zip(by_weight.candidates, repeated.candidates, strict=True):
        assert a.score == pytest.approx(b.score, rel=1e-12)
        assert a.fit.parameters == pytest.approx(b.fit.parameters, rel=1e-12)


def test_what_a_ranking_tells(of_floats):
    rows = of_floats.table()
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert rows[0]["family"] == of_floats.best.family.name == of_floats.candidates[0].name
    irregular = {row["family"] for row in rows if not row["regular"]}
    assert irregular == {"Uniform", "Pareto"}
    text = repr(of_floats)
    assert text.startswith("Ranking of x (n = 400) by aic")
    assert "Beta" in text
    assert sf.rank(pd.Series(POSITIVE, name="loss"), FEW).name == "loss"


# -- files -------------------------------------------------------------------------------------------------------------


def assert_same_ranking(a, b):
    assert [c.name for c in a.candidates] == [c.name for c in b.candidates]
    for x, y in zip(a.candidates, b.candidates, strict=True):
        assert x.score == pytest.approx(y.score, rel=1e-11)
        assert x.fit.converged == y.fit.converged
        if x.fit.converged:
            assert x.fit.parameters == pytest.approx(y.fit.parameters, rel=1e-11)
    assert {i.name for i in a.impossible} == {i.name for i in b.impossible}


def test_a_file_ranks_like_an_array(tmp_path, of_floats, of_integers):
    path = tmp_path / "x.csv"
    pd.DataFrame({"x": POSITIVE, "k": COUNTS}).to_csv(path, index=False)
    ranking = sf.rank(sf.scan(path, "x"))
    assert_same_ranking(ranking, of_floats)
    assert (ranking.passes, ranking.origin, ranking.name) == (1, str(path), "x")
    assert_same_ranking(sf.rank(sf.scan(path, "k")), of_integers)


def test_a_stream_counts_its_passes(monkeypatch, of_floats, of_integers):
    """All families share passes: one for the survey, one for sufficient statistics, one for each Newton step."""
    monkeypatch.setattr(observations, "SMALL_SOURCE", 0)
    reads = []

    def pieces(x):
        reads.append(1)
        return np.array_split(x, 5)

    ranking = sf.rank(sf.chunks(lambda: pieces(POSITIVE)))
    assert_same_ranking(ranking, of_floats)
    assert ranking.passes == len(reads) - 1  # the first look was whether the source is small enough to be kept
    assert ranking.passes <= 6
    reads.clear()
    ranking = sf.rank(sf.chunks(lambda: pieces(COUNTS)))
    assert_same_ranking(ranking, of_integers)
    assert ranking.passes == len(reads) - 1
    assert ranking.passes == 2  # the table of integers is all that is needed, and the rows of impossible values


def test_a_second_n_compiles_nothing():
    """Blocks have fixed sizes, and what is compiled for one n serves any other."""
    x = RNG.gamma(3.0, 2.0, size=70_000)
    compiled = []

    def listen(event, duration, **_):
        if event == "/jax/core/compile/backend_compile_duration":
            compiled.append(event)

    families = [sf.Normal, sf.Gamma, sf.Weibull, sf.Laplace, sf.Uniform, sf.Logistic]
    sf.rank(x, families)
    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        sf.rank(x[:69_000], families)
        sf.fit(sf.Weibull, x[5_000:])
        assert compiled == []
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "data has no rows"),
        ([1.0, np.nan], r"data has 1 missing value, the first at row 2 \(counting from 1\)"),
        (np.array([np.inf, 1.0]), "data has 1 infinite value, the first at row 1"),
        (["a"], "data holds text, not numbers"),
        (np.ones((2, 2)), r"data must be one-dimensional, got shape \(2, 2\)"),
    ],
)
def test_bad_data(data, message):
    with pytest.raises(sf.DataError, match=message):
        sf.rank(data, FEW)


def test_missing_values_are_dropped_and_counted():
    ranking = sf.rank(np.append(POSITIVE, [np.nan, np.nan]), FEW, missing="drop")
    assert ranking.summary.missing == 2
    assert ranking.best.parameters == pytest.approx(sf.fit(ranking.best.family, POSITIVE).parameters, rel=1e-12)


def test_wrong_calls():
    with pytest.raises(ValueError, match='criterion must be "aic", "aicc" or "bic", got \'likelihood\''):
        sf.rank(POSITIVE, criterion="likelihood")
    with pytest.raises(ValueError, match='kind must be "auto", "continuous" or "discrete", got \'integers\''):
        sf.rank(POSITIVE, kind="integers")
    with pytest.raises(TypeError, match=r"a family must be a class of distributions or sf.family\(...\), got 'gamma'"):
        sf.rank(POSITIVE, ["gamma"])


def test_too_few_observations_for_the_corrected_criterion():
    ranking = sf.rank([1.5, 2.7], [sf.Normal, sf.Exponential], criterion="aicc")
    assert [i.reason for i in ranking.impossible] == [
        "aicc of Normal needs more than 3 observations, got 2",
        "aicc of Exponential needs more than 2 observations, got 2",
    ]
    with pytest.raises(sf.DataError, match="no family could be fitted to x: Normal: aicc of Normal"):
        _ = ranking.best


def test_families_count_once_and_must_be_of_the_kind():
    assert len(sf.rank([1.0, 2.5], [sf.Normal, sf.Normal]).candidates) == 1
    with pytest.raises(ValueError, match="kind is 'discrete', but Normal is continuous"):
        sf.rank([1, 2, 4], [sf.Normal, sf.Poisson], kind="discrete")
    with pytest.raises(ValueError, match="families must name at least one family"):
        sf.rank([1.0, 2.0], [])
