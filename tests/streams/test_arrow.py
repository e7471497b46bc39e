"""Parquet and Arrow files: parts, types, and what every kind of bad file gets."""

import datetime
import decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from suffice.runtime.errors import DataError
from suffice.streams import scan


def write_parquet(path, table, **options):
    pq.write_table(table, path, **options)


def write_file(path, table, **options):
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table, **options)


def write_stream(path, table, **options):
    with pa.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table, **options)


WRITERS = {
    "data.parquet": write_parquet,
    "data.pq": write_parquet,
    "data.arrow": write_file,
    "data.feather": write_file,
    "data.ipc": write_stream,
    "data.arrows": write_stream,
}


@pytest.fixture(params=WRITERS)
def write(request, tmp_path):
    def write(columns, **options):
        path = str(tmp_path / request.param)
        WRITERS[request.param](path, columns if isinstance(columns, pa.Table) else pa.table(columns), **options)
        return path

    return write


def read(*args, **kwargs) -> np.ndarray:
    return np.concatenate([chunk.values for chunk in scan(*args, **kwargs).chunks()])


def refusal(*args, **kwargs) -> str:
    with pytest.raises(DataError) as caught:
        read(*args, **kwargs)
    return str(caught.value)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1.5, 2]), np.array([1.5, 2])),
        (pa.array([1.5, 2], pa.float32()), np.array([1.5, 2], np.float32)),
        (pa.array([1, 2**53]), np.array([1, 2.0**53])),
        (pa.array([1, 255], pa.uint8()), np.array([1.0, 255])),
        (pa.array([True, False]), np.array([1.0, 0])),
        (pa.array([1.5, 1.5]).dictionary_encode(), np.array([1.5, 1.5])),
    ],
)
def test_types(write, array, expected):
    path = write({"x": array, "label": ["a", "b"]})
    found = read(path, "x")
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype


@pytest.mark.parametrize("array", [[1.5, None, 4.0, np.nan], [1, None, 4, None], [True, None, False, None]])
def test_missing(write, array):
    path = write({"x": array})
    assert "column 'x' has 2 missing values, the first at row 2 (counting from 1)" in refusal(path)
    (chunk,) = scan(path, "x", missing="drop").chunks()
    np.testing.assert_array_equal(chunk.values, [float(array[0]), float(array[2])])
    assert chunk.missing == 2


@pytest.mark.parametrize(
    ("array", "part"),
    [
        (pa.array(["a"]), "column 'x' holds string, not numbers"),
        (pa.array(["a"]).dictionary_encode(), "not numbers"),
        (pa.array([decimal.Decimal("1.5")]), "holds decimal128(2, 1), not numbers; cast it"),
        (pa.array([datetime.date(2020, 1, 1)]), "holds date32[day], not numbers"),
        (pa.array([[1.0]]), "not numbers"),
        (pa.array([{"a": 1.0}]), "is a table with the columns 'a'"),
        (pa.array([2**53 + 1]), "the integer 9007199254740993 at row 1 (counting from 1): beyond 2^53"),
        (pa.array([None]), "1 missing value, the first at row 1"),
        (pa.array([], pa.float64()), "has no rows"),
        (pa.array([0.0, -np.inf]), "1 infinite value, the first at row 2 (counting from 1): -inf"),
    ],
)
def test_refuses(write, array, part):
    assert part in refusal(write({"x": array}), "x")


def test_choice(write):
    assert "more than one numeric column" in refusal(write({"x": [1.0], "y": [2]}))
    assert "did you mean 'loss'" in refusal(write({"loss": [1.0]}), "losses")
    assert "2 columns named 'x'" in refusal(write(pa.table([[1.0], [2.0]], names=["x", "x"])), "x")
    np.testing.assert_array_equal(read(write({"a.b": [1.0], "a": [2.0]}), "a.b"), [1])
    np.testing.assert_array_equal(read(write({"x": [1.0], "__index_level_0__": [2]})), [1])
    assert "has no columns" in refusal(write({}))


def test_weights(write):
    path = write({"x": [1.0, 2.0, 3.0], "w": [1, 0, 5]})
    (chunk,) = scan(path, weights="w").chunks()
    np.testing.assert_array_equal(chunk.values, [1, 3])
    np.testing.assert_array_equal(chunk.weights, [1.0, 5])


def test_parts_are_independent(tmp_path):
    path = str(tmp_path / "data.parquet")
    write_parquet(path, pa.table({"x": np.arange(100.0)}), row_group_size=10)
    source = scan(path, batch_rows=25)
    assert source.rows == 100
    parts = source.parts()
    assert [part.start for part in parts] == [0, 20, 40, 60, 80]  # small row groups together, up to a batch
    (chunk,) = parts[3].chunks()
    assert chunk.start == 60
    np.testing.assert_array_equal(chunk.values, np.arange(60.0, 80))


def test_row_group_larger_than_a_batch(tmp_path):
    path = str(tmp_path / "data.parquet")
    write_parquet(path, pa.table({"x": np.arange(1000.0)}), row_group_size=700)
    chunks = list(scan(path, batch_rows=300).chunks())
    assert [(chunk.start, chunk.rows) for chunk in chunks] == [(0, 300), (300, 300), (600, 100), (700, 300)]
    np.testing.assert_array_equal(np.concatenate([chunk.values for chunk in chunks]), np.arange(1000.0))


def test_parquet_cut_short(tmp_path):
    path = tmp_path / "data.parquet"
    write_parquet(path, pa.table({"x": np.random.default_rng(0).normal(size=100_000)}), row_group_size=50_000)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "cannot be read: " in refusal(path)
    # The second row group is overwritten, the footer is intact.
    middle = len(whole) // 2 + 1000
    path.write_bytes(whole[:middle] + b"\xff" * (len(whole) // 4) + whole[middle + len(whole) // 4 :])
    assert "cannot be read beyond row 50000 (counting from 1): " in refusal(path, batch_rows=50_000)
    path.write_bytes(b"hello")
    assert "cannot be read: " in refusal(path)


def test_arrow_cut_short(tmp_path):
    path = tmp_path / "data.arrow"
    for writer, part in ((write_file, "cannot be read: "), (write_stream, "cannot be read beyond row 10000 ")):
        writer(path, pa.table({"x": np.arange(20_000.0)}), max_chunksize=10_000)
        path.write_bytes(path.read_bytes()[:120_000])
        assert part in refusal(path)
    path.write_bytes(b"neither" * 10)
    assert "cannot be read: " in refusal(path)


def test_arrow_batch_larger_than_a_chunk(tmp_path):
    path = tmp_path / "data.arrow"
    write_file(path, pa.table({"x": np.arange(10_000.0)}))
    chunks = list(scan(path, batch_rows=3000).chunks())
    assert [chunk.rows for chunk in chunks] == [3000, 3000, 3000, 1000]
    np.testing.assert_array_equal(np.concatenate([chunk.values for chunk in chunks]), np.arange(10_000.0))
