"""The ways in that are no files, and paths that cannot be files of data."""

import decimal
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from suffice.runtime.errors import DataError
from suffice.streams import chunks, from_array, scan
from suffice.streams.source import BATCH_ROWS


def read(source) -> np.ndarray:
    return np.concatenate([chunk.values for chunk in source.chunks()])


def test_paths(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        scan(tmp_path / "nothing.csv")
    with pytest.raises(DataError, match="is a directory, not a file"):
        scan(tmp_path)
    other = tmp_path / "data.xlsx"
    other.write_bytes(b"x")
    with pytest.raises(DataError, match=r"not known by its ending; known are \.csv, \.tsv"):
        scan(other)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ([1, 2.5], "x"),
        ((1, 2.5), "x"),
        (np.array([1, 2.5]), "x"),
        (np.array([1, 2.5], ">f8"), "x"),
        (np.array([1, 9, 2.5, 9])[::2], "x"),
        (np.ma.array([1, 2.5]), "x"),
        (jnp.asarray([1, 2.5]), "x"),
        (pd.Series([1, 2.5], name="loss"), "loss"),
        (pd.Series([1, 2.5], name="loss", dtype="Float64"), "loss"),
        (pd.Series([1, 2.5], name="loss", dtype="float64[pyarrow]"), "loss"),
        (pd.Series([1, 2.5], name=3), "x"),
        (pd.DataFrame({"a": [1, 2.5], "b": [0, 0]})["a"], "a"),
        (pd.Series([1, 2.5], dtype="category"), "x"),
        (pd.Series([decimal.Decimal(1), 2.5], dtype=object).astype(float), "x"),
        (pl.Series("loss", [1.0, 2.5]), "loss"),
        (pl.Series([1.0, 2.5]), "x"),
        (pa.array([1, 2.5]), "x"),
        (pa.chunked_array([[1.0], [2.5]]), "x"),
    ],
)
def test_array_likes(data, name):
    source = from_array(data)
    found = read(source)
    np.testing.assert_array_equal(found, [1, 2.5])
    assert found.dtype == np.float64
    assert (source.name, source.origin, source.rows) == (name, "array", 2)


@pytest.mark.parametrize(
    "data",
    [
        [1, None, 4],
        [1, np.nan, 4],
        np.ma.array([1, 2, 4], mask=[0, 1, 0]),
        pd.Series([1, None, 4]),
        pd.Series([1, None, 4], dtype="Int64"),
        pd.Series([1, None, 4], dtype=object),
        pl.Series([1, None, 4]),
        pl.Series([1.0, None, 4.0]),
        pa.array([1, None, 4]),
    ],
)
def test_missing_in_memory(data):
    np.testing.assert_array_equal(read(from_array(data, missing="drop")), [1, 4])
    with pytest.raises(DataError, match=r"^data has 1 missing value, the first at row 2 \(counting from 1\)"):
        read(from_array(data))


def test_memory_is_shared():
    for array in (np.arange(5.0), np.arange(5, dtype=np.float32)):
        (chunk,) = from_array(array).chunks()
        assert np.shares_memory(chunk.values, array)
        assert chunk.values.dtype == array.dtype
    (chunk,) = from_array(series := pd.Series(np.arange(5.0))).chunks()
    assert np.shares_memory(chunk.values, series.to_numpy())
    (chunk,) = from_array(column := pa.array(np.arange(5.0))).chunks()
    assert np.shares_memory(chunk.values, column.to_numpy())
    column = pl.Series(np.arange(5.0))
    (chunk,) = from_array(column).chunks()
    assert np.shares_memory(chunk.values, column.to_numpy())


def test_parts_of_an_array():
    array = np.arange(2 * BATCH_ROWS + 3, dtype=np.int32)
    pieces = pa.chunked_array([array[:100], array[100 : BATCH_ROWS + 7], array[BATCH_ROWS + 7 :]])
    for data in (array, pieces):
        source = from_array(data, weights=pieces.cast(pa.int64()) if data is array else array)
        parts = source.parts()
        assert [part.start for part in parts] == [0, BATCH_ROWS, 2 * BATCH_ROWS]
        (chunk,) = parts[1].chunks()
        np.testing.assert_array_equal(chunk.values, array[BATCH_ROWS : 2 * BATCH_ROWS])
        np.testing.assert_array_equal(chunk.weights, array[BATCH_ROWS : 2 * BATCH_ROWS])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "data has no rows"),
        (["a", "b"], "data holds text, not numbers"),
        ([1, "b", None], "data must hold numbers"),
        ([1j], "data holds complex numbers"),
        (np.array(["2020-01-01"], "M8[D]"), "data holds dates"),
        ([decimal.Decimal("1.5")], "decimal128"),
        ([2**70], "data must hold numbers"),
        (np.array([1, 2**53 + 1]), "the integer 9007199254740993 at row 2"),
        ([1, np.inf], "1 infinite value, the first at row 2"),
        (3.0, r"must be one-dimensional, got shape \(\)"),
        (np.ones((2, 3)), r"must be one-dimensional, got shape \(2, 3\)"),
        ((i for i in range(3)), "a stream of arrays goes through sf.chunks"),
        ([[1], [1, 2]], "must be one column of numbers"),
        (pd.Series(["a"], name="city"), "column 'city' holds large_string, not numbers"),
        (pl.Series("city", ["a"]), "column 'city' holds string_view, not numbers"),
        (pd.DataFrame({"a": [1.0], "b": [2.0]}), "is a table with the columns 'a', 'b': pass one of them"),
        (pl.DataFrame({"a": [1.0]}), "is a table with the columns 'a'"),
        (pa.table({"a": [1.0]}), "is a table with the columns 'a'"),
    ],
)
def test_refuses(data, message):
    with pytest.raises(DataError, match=message):
        read(from_array(data))


def test_array_weights():
    (chunk,) = from_array([1, 2, np.nan], [3, 0, 1], missing="drop").chunks()
    np.testing.assert_array_equal(chunk.values, [1])
    np.testing.assert_array_equal(chunk.weights, [3])
    assert (chunk.rows, chunk.missing) == (3, 1)
    with pytest.raises(ValueError, match="weights must have as many rows as the data, 2, got 1"):
        from_array([1, 2], [1])
    with pytest.raises(DataError, match="weights must be finite and >= 0, got -1 at row 2"):
        read(from_array([1, 2], [1, -1]))
    with pytest.raises(DataError, match="at least one weight must be > 0"):
        read(from_array([1, 2], [0, 0]))


def test_sums_that_overflow_are_no_infinities():
    np.testing.assert_array_equal(read(from_array([1.7e308, 1.7e308])), [1.7e308, 1.7e308])
    np.testing.assert_array_equal(read(from_array(np.full(2, 3e38, np.float32))), np.full(2, 3e38, np.float32))


def test_chunks():
    source = chunks(lambda: (np.arange(first, first + 3) for first in range(0, 9, 3)))
    for _ in range(2):
        np.testing.assert_array_equal(read(source), np.arange(9))
    assert (source.name, source.rows) == ("x", None)
    np.testing.assert_array_equal(read(chunks(lambda: [[1], [], pd.Series([2.5]), pl.Series([3])])), [1, 2.5, 3])
    with pytest.raises(DataError, match="chunks has 1 missing value, the first at row 3"):
        read(chunks(lambda: [[1, 2], [np.nan]]))
    with pytest.raises(DataError, match="chunks has no rows"):
        read(chunks(list))
    with pytest.raises(DataError, match="the integer 9007199254740993 at row 2"):
        read(chunks(lambda: [[1], [2**53 + 1]]))
    with pytest.raises(TypeError, match="needs a callable that returns an iterable of arrays, got list"):
        chunks([[1, 2]])


def test_chunks_must_be_fresh():
    used = iter([[1, 2]])
    source = chunks(lambda: used)
    assert len(read(source)) == 2
    with pytest.raises(DataError, match="must return a fresh one"):
        read(source)


def test_identity():
    assert from_array([1]).identity == from_array([2]).identity
    assert from_array([1]).identity != from_array(pd.Series([1], name="a")).identity


def test_arrow_is_imported_where_it_is_used():
    code = "import sys, suffice.streams; assert not {'pyarrow', 'pandas', 'rich'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
