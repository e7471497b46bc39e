"""Files larger than memory: the same fits as in memory, in few passes, whichever way the data are cut."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

import suffice as sf
from suffice.distributions.family import as_family
from suffice.inference import observations
from suffice.inference.estimate import fit_observations
from suffice.inference.kink import at_quantile
from suffice.inference.observations import Memory, Stream, Table, tabulated
from suffice.inference.observe import observe
from suffice.numerics.domain import count, positive, real

RNG = np.random.default_rng(40)
POSITIVE = RNG.gamma(3.0, 2.0, size=5000)
HEAVY = RNG.standard_t(4.0, size=5000) + 10.0
COUNTS = RNG.negative_binomial(3, 0.4, size=5000).astype(float)
MOST_PASSES = 6


@pytest.fixture
def streaming(monkeypatch):
    """No source is small enough to be kept in memory."""
    monkeypatch.setattr(observations, "SMALL_SOURCE", 0)


def cut(x, pieces):
    return sf.chunks(lambda: np.array_split(x, pieces))


def assert_same(fit, reference):
    """Within 1e-12 of max(abs(theta), its standard error)."""
    assert fit.converged == reference.converged
    for name, theta in reference.parameters.items():
        error = np.nan_to_num(reference.standard_errors[name])
        assert abs(fit.parameters[name] - theta) <= 1e-12 * max(abs(theta), error), name
    np.testing.assert_allclose(list(fit.standard_errors.values()), list(reference.standard_errors.values()), rtol=1e-10)
    assert float(fit.log_likelihood) == pytest.approx(float(reference.log_likelihood), rel=1e-12)
    assert float(fit.count) == float(reference.count)


@pytest.mark.parametrize(
    ("family", "x"),
    [
        (sf.Gamma, POSITIVE),
        (sf.Weibull, POSITIVE),
        (sf.StudentT, HEAVY),
        (sf.Laplace, HEAVY),
        (sf.NegativeBinomial, COUNTS),
        (sf.Uniform, POSITIVE),
        (sf.family(sf.Weibull, concentration=2.0), POSITIVE),
    ],
    ids=["Gamma", "Weibull", "StudentT", "Laplace", "NegativeBinomial", "Uniform", "Weibull held"],
)
def test_a_stream_is_fitted_like_an_array(streaming, family, x):
    reference = sf.fit(family, x)
    for source in (cut(x, 1), cut(x, 13), cut(x[::-1], 3)):
        data = observe(source)
        assert isinstance(data, Stream)
        assert_same(fit_observations(as_family(family), data), reference)
        assert data.passes <= MOST_PASSES


def test_large_parts_are_read_in_parallel_and_cut_into_blocks(streaming, tmp_path):
    """More than a block of 2^16 rows in each of several row groups, with weights."""
    x = RNG.weibull(1.7, size=200_000)
    w = RNG.integers(0, 4, size=len(x))
    path = tmp_path / "x.parquet"
    pyarrow.parquet.write_table(pa.table({"x": x, "w": w}), path, row_group_size=70_000)
    for family in (sf.Weibull, sf.Gamma, sf.Laplace):
        assert_same(sf.fit(family, sf.scan(path, "x", weights="w")), sf.fit(family, x, weights=w))


def test_a_small_source_is_read_once():
    reads = []

    def pieces():
        reads.append(1)
        return np.array_split(POSITIVE, 4)

    data = observe(sf.chunks(pieces))
    assert isinstance(data, Memory)
    fit_observations(as_family(sf.Weibull), data)
    assert data.passes == len(reads) == 1


def test_errors_of_a_stream_name_the_row(streaming):
    with pytest.raises(sf.DataError, match="Weibull needs values > 0, got -1 in row 5001"):
        sf.fit(sf.Weibull, cut(np.append(POSITIVE, -1.0), 3))
    with pytest.raises(sf.DataError, match="Gamma needs values > 0, got 0 in row 1"):
        sf.fit(sf.Gamma, cut(np.insert(POSITIVE, 0, 0.0), 3))
    for family in (sf.Gamma, sf.Weibull):
        with pytest.raises(sf.DataError, match="chunks has 1 missing value, the first at row 5001"):
            sf.fit(family, cut(np.append(POSITIVE, np.nan), 3))
        with pytest.raises(sf.DataError, match="chunks has no rows"):
            sf.fit(family, sf.chunks(list))
    dropped = sf.chunks(lambda: [POSITIVE, [np.nan], [], HEAVY[:0]], missing="drop")
    for family in (sf.Gamma, sf.Weibull, sf.Laplace):
        assert_same(sf.fit(family, dropped), sf.fit(family, POSITIVE))


def test_a_constant_stretch_before_the_rest(streaming):
    """The pilot for iterations is a uniform sample of all rows, not the head of the file."""
    x = np.concatenate([np.full(3000, 2.0), POSITIVE])
    assert_same(sf.fit(sf.Weibull, cut(x, 8)), sf.fit(sf.Weibull, x))


def test_sorted_data_of_a_stream(streaming, monkeypatch):
    """With a pilot much smaller than the data, sorted values are the worst case for its choice."""
    monkeypatch.setattr(observations, "PILOT", 64)
    monkeypatch.setattr(observations, "SAMPLE", 64)
    for family, x in ((sf.Weibull, POSITIVE), (sf.StudentT, HEAVY), (sf.Laplace, HEAVY)):
        data = observe(cut(np.sort(x), 5))
        assert_same(fit_observations(as_family(family), data), sf.fit(family, x))
        assert data.passes <= MOST_PASSES + 2


# -- the exact median ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 10, 4001, 5000])
def test_median_of_a_stream(streaming, monkeypatch, n):
    """Exact whatever the sample that brackets it; with an even number halfway between the middle values."""
    monkeypatch.setattr(observations, "SAMPLE", 50)
    x = HEAVY[:n]
    for pieces in (1, 7):
        middle, below, above, total = at_quantile(observe(cut(x, pieces)), 0.5)
        assert middle == pytest.approx(np.median(x), rel=1e-15)
        assert below + above == pytest.approx(np.abs(x - np.median(x)).mean(), rel=1e-13)
        assert above - below == pytest.approx(x.mean() - np.median(x), rel=1e-9, abs=1e-13)
        assert total == n


def test_weighted_median():
    """Weights of 0.1 do not add to half exactly, however they are ordered: rounding must not decide."""
    x = HEAVY[:1000]
    for w in (np.full(1000, 0.1), np.full(1000, 1 / 3)):
        for order in (slice(None), slice(None, None, -1), RNG.permutation(1000)):
            middle, below, above, _ = at_quantile(observe(x[order], w), 0.5)
            assert middle == pytest.approx(np.median(x), rel=1e-15)
            assert below + above == pytest.approx(np.abs(x - np.median(x)).mean(), rel=1e-13)
    assert at_quantile(observe([1.0, 2.0, 9.0], [1, 1, 3]), 0.5) == pytest.approx((9.0, 3.0, 0.0, 5.0))


@pytest.mark.parametrize("level", [1e-9, 0.01, 0.3, 0.999, 1.0 - 1e-9])
def test_quantile_of_a_stream(streaming, monkeypatch, level):
    monkeypatch.setattr(observations, "SAMPLE", 50)
    found = at_quantile(observe(cut(HEAVY, 7)), level)
    assert found.loc == np.quantile(HEAVY, level, method="averaged_inverted_cdf")
    assert found.above == pytest.approx(np.maximum(HEAVY - found.loc, 0.0).mean(), rel=1e-13)


# -- a kink at the location ------------------------------------------------------------------------------------------


def test_best_location_of_a_stream(streaming, monkeypatch):
    """Exact whatever the sample that cuts the line into cells, also with many ties, and in few passes."""
    monkeypatch.setattr(observations, "PILOT", 300)
    monkeypatch.setattr(observations, "SAMPLE", 300)
    for x in (HEAVY, np.round(HEAVY, 1), np.where(RNG.random(len(HEAVY)) < 0.3, 0.25, HEAVY)):
        data = observe(cut(x, 7))
        a, b = fit_observations(as_family(sf.AsymmetricLaplace), data), sf.fit(sf.AsymmetricLaplace, x)
        assert_same(a, b)
        assert data.passes == 3


def test_a_bracket_that_misses_is_opened(streaming, monkeypatch):
    """A sample that lies on one side of the median costs a pass, not the answer."""
    monkeypatch.setattr(observations, "SAMPLE", 20)
    data = observe(cut(HEAVY, 4))
    sample = data.survey.sample
    for shift in (-100.0, 100.0):
        object.__setattr__(sample, "_values", sample._values + shift)
        middle = at_quantile(data, 0.5).loc
        assert middle == np.median(HEAVY)
        object.__setattr__(sample, "_values", sample._values - shift)


# -- surveys, tables, places -----------------------------------------------------------------------------------------


def test_survey_takes_one_pass(streaming):
    data = observe(cut(COUNTS, 6))
    survey = data.survey
    assert data.survey is survey
    assert data.passes == 1
    assert survey.summary.count == len(COUNTS)
    assert survey.summary.all_integer
    assert len(survey.sample.values) == len(COUNTS)
    np.testing.assert_array_equal(survey.table.values, np.unique(COUNTS))
    np.testing.assert_array_equal(survey.table.counts, np.unique(COUNTS, return_counts=True)[1])


def test_tables():
    assert Table.of(np.array([1.0, 2.5]), None).values is None
    table = Table.of(np.array([3.0, 1.0, 3.0]), np.array([1.0, 2.0, 0.5])) + Table.of(np.array([2.0, 3.0]), None)
    np.testing.assert_array_equal(table.values, [1, 2, 3])
    np.testing.assert_array_equal(table.counts, [2, 1, 2.5])
    assert (table + Table(None, None)).values is None
    assert Table.of(np.arange(observations.MOST_LEVELS + 1.0), None).values is None
    assert tabulated(observe([1.5, 2.0]), 1.0) is None
    seen = tabulated(observe([2, 1, 2]), 1.0)
    assert (seen.width, list(seen.values), list(seen.weights)) == (1.0, [1, 2], [1, 2])


def test_one_pass_finds_the_outsiders_of_many_spaces(streaming):
    data = observe(cut(np.append(COUNTS + 0.5, -1.0), 4))
    data.look_outside([positive, count, real])
    assert data.passes == 2
    assert data.outside(positive) == (5001, -1.0)
    assert data.outside(count) == (1, COUNTS[0] + 0.5)
    assert data.outside(real) is None
    assert data.passes == 2


def test_first_observation_outside(streaming):
    x = np.array([3.0, 1.0, -2.0, 0.5, -7.0])
    for data in (observe(x), observe(cut(x, 1)), observe(cut(x, 5)), observe(x.tolist(), np.ones(5))):
        assert data.outside(positive) == (3, -2.0)
        assert data.outside(count) == (3, -2.0)
        assert observe(np.abs(x)).outside(positive) is None
    assert observe([4.0, 2.0, 2.5]).outside(count) == (3, 2.5)
    weighted = observe([1.0, -2.0, -3.0], [1, 0, 1])
    assert weighted.outside(positive) == (3, -3.0)  # a row of weight 0 is not there, but is counted
