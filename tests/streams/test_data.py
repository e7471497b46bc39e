"""Data with censoring, truncation, counts: what is taken, and what is refused with which words."""

import numpy as np
import pytest

import suffice as sf


def test_kinds_and_rows():
    data = sf.Data(left=[1.0, 2.0, None, 4.0], right=[1.0, None, 3.0, 5.0], weights=[1, 2, 1, 1])
    assert repr(data) == "Data(5 observations: 1 exact, 1 left-censored, 2 right-censored, 1 interval-censored)"
    np.testing.assert_array_equal(data.rows[:, 0], [1.0, 2.0, -np.inf, 4.0])
    np.testing.assert_array_equal(data.rows[:, 1], [1.0, np.inf, 3.0, 5.0])
    assert len(data) == 4
    assert data.count == 5.0
    assert not data.is_plain


def test_plain_data_are_like_an_array():
    x = [1.0, 2.0, 6.0]
    assert sf.Data(x).is_plain
    assert sf.fit(sf.Gamma, sf.Data(x)).parameters == sf.fit(sf.Gamma, x).parameters
    weighted = sf.fit(sf.Gamma, sf.Data(x, counts=[1, 2, 1]))
    assert weighted.parameters == pytest.approx(sf.fit(sf.Gamma, [1.0, 2.0, 2.0, 6.0]).parameters, rel=1e-13)


def test_intervals_are_cut_to_the_truncation_limits():
    data = sf.Data(left=[0.0, 2.0], right=[3.0, None], lower=1.0, upper=[2.5, 4.0])
    np.testing.assert_array_equal(data.rows[:, :2], [[1.0, 2.5], [2.0, 4.0]])
    assert data.kinds.truncated == 2.0


def test_missing_rows():
    with pytest.raises(sf.DataError, match="1 missing value, the first at row 2"):
        sf.Data(left=[1.0, None], right=[2.0, None])
    assert len(sf.Data(left=[1.0, None], right=[2.0, None], missing="drop")) == 1
    with pytest.raises(sf.DataError, match="missing value"):
        sf.Data([1.0, float("nan")])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"left": [2.0, 3.0], "right": [3.0, 1.0]}, "left must be <= right, got left = 3 and right = 1 at row 2"),
        ({"values": [1.0], "weights": [-1.0]}, "weights must be finite and >= 0, got -1 at row 1"),
        ({"values": [1.0, 2.0], "counts": [1, 0.5]}, "counts must be whole numbers >= 0, got 0.5 at row 2"),
        ({"values": [1.0], "counts": [-1]}, "counts must be whole numbers >= 0, got -1"),
        ({"values": [1.0], "lower": 3.0, "upper": 2.0}, "lower must be < upper, got lower = 3 and upper = 2"),
        ({"values": [1.0, 2.0], "lower": 1.5}, "must lie above lower and not above upper, got left = 1"),
        ({"left": [5.0], "right": [6.0], "upper": 4.0}, "must lie above lower and not above upper"),
        ({"values": [np.inf]}, "values must be finite, got inf"),
        ({"values": []}, "no rows"),
        ({"values": ["a"]}, "text"),
        ({"values": [1.0, 2.0], "weights": [1.0]}, "equally long, got values 2, weights 1"),
        ({"values": [1.0], "weights": [0.0]}, "every row has weight 0"),
        ({"left": 1.0, "right": 2.0}, "one-dimensional"),
    ],
)
def test_bad_data(arguments, message):
    with pytest.raises(sf.DataError, match=message):
        sf.Data(**arguments)


def test_bad_calls():
    with pytest.raises(TypeError, match="values, or left and right"):
        sf.Data()
    with pytest.raises(TypeError, match="values, or left and right"):
        sf.Data([1.0], left=[1.0])
    with pytest.raises(TypeError, match="weights or counts"):
        sf.Data([1.0], [1.0], counts=[1])
    with pytest.raises(TypeError, match=r"part of sf\.Data"):
        sf.fit(sf.Normal, sf.Data([1.0, 2.0]), [1.0, 1.0])


def test_binned():
    data = sf.Data.binned([-np.inf, 0.0, 1.0, np.inf], [2, 3, 4])
    assert data.count == 9.0
    assert (data.kinds.left, data.kinds.interval, data.kinds.right) == (2.0, 3.0, 4.0)
    with pytest.raises(sf.DataError, match="increasing"):
        sf.Data.binned([0.0, 0.0, 1.0], [1, 1])
    with pytest.raises(sf.DataError, match="one fewer than edges"):
        sf.Data.binned([0.0, 1.0], [1, 1])


def test_lifetimes():
    data = sf.Data.lifetimes([2.0, 3.0], [1, 0], entry=[0.5, 1.0])
    np.testing.assert_array_equal(data.rows, [[2.0, 2.0, 0.5, np.inf], [3.0, np.inf, 1.0, np.inf]])
    with pytest.raises(sf.DataError, match="event must be 0 or 1, got 2 at row 2"):
        sf.Data.lifetimes([2.0, 3.0], [1, 2])


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_files(tmp_path, suffix):
    """The same rows from a file as from arrays; empty cells are open ends."""
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({
        "from": [1.0, 2.0, np.nan, 4.0], "to": [1.0, np.nan, 3.0, 5.0], "n": [1, 2, 1, 1], "entry": [0.5, np.nan, 0.0, 1.0],
    })  # fmt: skip
    path = tmp_path / f"data.{suffix}"
    table.to_csv(path, index=False) if suffix == "csv" else table.to_parquet(path)
    source = sf.scan(path, left="from", right="to", counts="n", lower="entry", upper=6.0)
    (chunk,) = source.chunks()
    same = sf.Data(left=table["from"], right=table["to"], counts=table["n"], lower=table["entry"], upper=6.0)
    np.testing.assert_array_equal(chunk.values, same.rows)
    np.testing.assert_array_equal(chunk.weights, same.weights)


def test_bad_files(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("a,b,n\n1,2,1\n3,2,0.5\n")
    with pytest.raises(
        sf.DataError, match="columns 'a', 'b': left must be <= right, got left = 3 and right = 2 at row 2"
    ):
        list(sf.scan(path, left="a", right="b").chunks())
    with pytest.raises(sf.DataError, match=r"'n': counts must be whole numbers >= 0, got 0\.5 at row 2"):
        list(sf.scan(path, "a", counts="n").chunks())
    with pytest.raises(sf.DataError, match="no column 'c'"):
        sf.scan(path, left="a", right="c")
    with pytest.raises(TypeError, match="give one or the other"):
        sf.scan(path, "a", left="a", right="b")
