"""One-pass summaries against exact sums."""

import math
from fractions import Fraction

import numpy as np
import pytest

from suffice.runtime.errors import DataError
from suffice.streams import chunks, describe, from_array, scan

RNG = np.random.default_rng(20)
COLUMNS = {
    "far from zero": RNG.normal(1e8, 1.0, 50_000),
    "gamma": RNG.gamma(2.0, 3.0, 200_000),
    "wide": np.exp(RNG.normal(0, 30, 50_000)),
    "one outlier first": np.concatenate([[1e6], RNG.normal(0, 1, 50_000)]),
    "subnormal": np.array([5e-324, 1e-310, 2.0]),
    "single": np.array([3.5]),
}


def exact(values: np.ndarray) -> tuple[float, float]:
    """Mean and population variance by rational arithmetic."""
    terms = [Fraction(float(value)) for value in values]
    mean = sum(terms) / len(terms)
    return float(mean), float(sum((term - mean) ** 2 for term in terms) / len(terms))


@pytest.mark.parametrize("name", COLUMNS)
def test_against_exact_sums(name):
    values = COLUMNS[name][:20_000]
    found = describe(from_array(values))
    mean, variance = exact(values)
    assert found.count == found.rows == len(values)
    assert (found.minimum, found.maximum) == (values.min(), values.max())
    # 1e-12 of the larger of the mean and its standard error, as everywhere for streams; variances relatively.
    assert abs(found.mean - mean) <= 1e-12 * max(abs(mean), math.sqrt(variance / len(values)))
    assert found.variance == pytest.approx(variance, rel=1e-12, abs=0)
    if found.minimum > 0:
        logs = math.fsum(map(math.log, values.tolist()))
        size = math.fsum(abs(math.log(value)) for value in values.tolist())
        assert abs(found.log_sum - logs) <= 1e-13 * size
        assert found.mean_log == found.log_sum / len(values)


@pytest.mark.parametrize("name", ["far from zero", "gamma"])
@pytest.mark.parametrize("size", [7, 1000, 65_537, 10**6])
def test_cuts_and_order_change_nothing(name, size):
    values = COLUMNS[name]
    whole = describe(from_array(values))
    shuffled = np.random.default_rng(size).permutation(values)
    cut = describe(chunks(lambda: (shuffled[at : at + size] for at in range(0, len(values), size))))
    parts = [describe(from_array(shuffled[at : at + size])) for at in range(0, len(values), max(size, 1000))]
    added = parts[0]
    for part in parts[1:]:
        added = added + part
    for other in (cut, added) if size >= 1000 else (cut,):
        assert other.count == whole.count
        assert other.mean == pytest.approx(whole.mean, rel=1e-12, abs=0)
        assert other.variance == pytest.approx(whole.variance, rel=1e-12, abs=0)
        assert other.log_sum == pytest.approx(whole.log_sum, rel=1e-12, abs=0)
        assert (other.minimum, other.maximum) == (whole.minimum, whole.maximum)


def test_workers_change_no_bit():
    source = from_array(RNG.gamma(2.0, 3.0, 3_000_000))
    assert len({describe(source, workers=workers) for workers in (1, 2, 3)}) == 1


def test_weights_are_repetitions():
    values = RNG.gamma(2.0, 3.0, 1000)
    weights = RNG.integers(0, 5, 1000)
    weighted, repeated = describe(from_array(values, weights)), describe(from_array(np.repeat(values, weights)))
    assert weighted.rows == 1000
    assert weighted.count == repeated.count == weights.sum()
    for field in ("mean", "variance", "log_sum", "minimum", "maximum"):
        assert getattr(weighted, field) == pytest.approx(getattr(repeated, field), rel=1e-13, abs=0)


def test_kinds_of_values():
    found = describe(from_array([0, 3, 0, 7]))
    assert (found.all_integer, found.zeros, found.negatives) == (True, 2, 0)
    assert math.isnan(found.log_sum)
    found = describe(from_array([-1, 0, -3, 2.5], [1, 2, 0.5, 4]))
    assert (found.all_integer, found.zeros, found.negatives) == (False, 2, 1.5)
    late = np.arange(100_000.0)
    late[-1] += 0.5
    assert not describe(from_array(late)).all_integer
    assert describe(from_array(np.array([1, 2, 4], np.float32))).mean == 7 / 3


def test_takes_what_a_fit_takes(tmp_path):
    found = describe([1, 2.0, 6], [1, 2, 1])
    assert (found.count, found.mean) == (4, 2.75)
    assert describe([1.0, np.nan], missing="drop").missing == 1
    source = from_array([1.0, np.nan])
    assert describe(source, missing="drop").missing == 1
    with pytest.raises(TypeError, match="weights of a source are named when it is made"):
        describe(source, [1, 2])
    with pytest.raises(DataError, match="data holds text, not numbers"):
        describe(["a"])


def test_what_was_dropped(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("x,y\n1,0\n,0\n4,0\n,0\n,0\n")
    found = describe(scan(path, "x", missing="drop", batch_rows=2))
    assert (found.rows, found.missing, found.count, found.mean) == (5, 3, 2, 2.5)
    with pytest.raises(DataError, match="3 missing values"):
        describe(scan(path, "x"))


def test_overflow_is_infinite_and_silent():
    found = describe(from_array([-1e200, 1e200]))
    assert (found.mean, found.variance) == (0.0, math.inf)
