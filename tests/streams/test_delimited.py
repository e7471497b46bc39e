"""Delimited text: what is read, and what every kind of bad file gets."""

import gzip

import numpy as np
import pytest

from suffice.runtime.errors import DataError
from suffice.streams import scan


@pytest.fixture
def write(tmp_path):
    def write(content: bytes | str, name: str = "data.csv") -> str:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def read(*args, **kwargs) -> np.ndarray:
    return np.concatenate([chunk.values for chunk in scan(*args, **kwargs).chunks()])


def refusal(*args, **kwargs) -> str:
    with pytest.raises(DataError) as caught:
        read(*args, **kwargs)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("x,label\n1,a\n2.5,b\n", "data.csv"),
        ("x\tlabel\n1\ta\n2.5\tb\n", "data.tsv"),
        ("\ufeffx,label\r\n1,a\r\n\r\n2.5,b\r\n", "data.csv"),
        ("\n\nx\n1\n\n2.5", "DATA.CSV"),
        ('"x","label"\n"1","two\nlines"\n" 2.5 ","b"\n', "data.csv"),
        (gzip.compress(b"x\n1\n2.5\n", mtime=0), "data.csv.gz"),
        (gzip.compress(b"x\n1\n", mtime=0) + gzip.compress(b"2.5\n", mtime=0), "data.csv.gz"),
        (gzip.compress(b"x\ty\n1\ta\n2.5\tb\n", mtime=0), "data.tsv.gz"),
    ],
)
def test_reads(write, content, name):
    source = scan(write(content, name))
    assert source.name == "x"
    assert source.origin.endswith(name)
    assert source.rows is None
    for _ in range(2):  # a source can be read again
        (chunk,) = source.chunks()
        assert chunk.values.dtype == np.float64
        np.testing.assert_array_equal(chunk.values, [1, 2.5])
        assert (chunk.start, chunk.rows, chunk.missing, chunk.index, chunk.weights) == (0, 2, 0, None, None)


def test_named_column(write):
    path = write("2019,2020,flag\n1,3,true\n2,4,false\n")
    np.testing.assert_array_equal(read(path, "2020"), [3, 4])
    np.testing.assert_array_equal(read(path, "flag"), [1, 0])


def test_integers_first_then_fractions(write):
    np.testing.assert_array_equal(read(write("x\n" + "1\n" * 600_000 + "0.5\n"))[-2:], [1, 0.5])


def test_chunks_are_bounded_and_placed(write):
    path = write("x\n" + "".join(f"{i}\n" for i in range(10)))
    chunks = list(scan(path, batch_rows=4).chunks())
    assert [(chunk.start, chunk.rows) for chunk in chunks] == [(0, 4), (4, 4), (8, 2)]
    np.testing.assert_array_equal(np.concatenate([chunk.values for chunk in chunks]), np.arange(10))
    with pytest.raises(ValueError, match="batch_rows must be >= 1, got 0"):
        scan(path, batch_rows=0)


def test_weights(write):
    path = write("x,w\n1,2\n3,0\n4,0.5\n")
    (chunk,) = scan(path, "x", weights="w").chunks()
    np.testing.assert_array_equal(chunk.values, [1, 4])
    np.testing.assert_array_equal(chunk.weights, [2, 0.5])
    np.testing.assert_array_equal(chunk.index, [0, 2])
    assert (chunk.rows, chunk.missing) == (3, 0)
    assert scan(path, weights="w").name == "x"


def test_missing(write):
    path = write("x,n\n1,0\n,0\nnan,0\nNA,0\n7,0\n")
    message = refusal(path, "x")
    assert "column 'x' has 3 missing values, the first at row 2 (counting from 1)" in message
    (chunk,) = scan(path, "x", missing="drop").chunks()
    np.testing.assert_array_equal(chunk.values, [1, 7])
    np.testing.assert_array_equal(chunk.index, [0, 4])
    assert (chunk.rows, chunk.missing) == (5, 3)
    with pytest.raises(ValueError, match="missing must be 'error' or 'drop', got 'ignore'"):
        scan(path, "x", missing="ignore")


def test_missing_counted_over_the_whole_file(write):
    path = write("x,n\n" + "1,0\n" * 9 + ",0\n" + "1,0\n" * 9 + ",0\n")
    assert "has 2 missing values, the first at row 10" in refusal(path, "x", batch_rows=4)


@pytest.mark.parametrize(
    ("content", "column", "parts"),
    [
        ("x,y\n1,2\n\n3,abc\n", "y", ["column 'y' has 'abc' at row 2 (counting from 1), not a number"]),
        ("x\n" + "1\n" * 300_000 + "z\n", None, ["column 'x' has 'z' at row 300001"]),
        ("x,y\n1,2\n,z\n", "y", ["has 'z' at row 2"]),
        ("city,x\nRome,1\n", "city", ["column 'city' has 'Rome' at row 1"]),
        ("day\n2024-01-01\n", None, ["'2024-01-01' at row 1", "not a number"]),
        ("flag,x\n" + "true,1\n" * 300_000 + "maybe,1\n", "flag", ["'maybe' at row 300001", "not a truth value"]),
        ('x\n"1,5"\n', None, ["'1,5' at row 1", "decimal point"]),
        ("x;y\n1,5;2\n", None, ["row 1", "';'"]),
        ("x;y\n1.5;2\n", None, ["row 1", "';'"]),
        ("x\n1\ninf\n-inf\n", None, ["2 infinite values, the first at row 2 (counting from 1): inf"]),
        ("x\n1\n1e400\n", None, ["1 infinite value, the first at row 2"]),
        ("x,y\n1,2\n", None, ["more than one numeric column", "'x' (int64)", "'y' (int64)"]),
        ("a,b\nu,v\n", None, ["no numeric column", "'a' (string)"]),
        ("x,x\n1,2\n", None, ["2 columns named 'x'"]),
        ("x,x,y\n1,2,3\n", "x", ["2 columns named 'x'"]),
        ("loss,y\n1,2\n", "los", ["no column 'los'", "did you mean 'loss'?"]),
        ("79\n54\n", None, ["the first line looks like data", "79"]),
        ("", None, ["is an empty file"]),
        ("\r\n\r\n", None, ["has no rows"]),
        ("x,y", None, ["has no rows"]),
        ("x,y\n", None, ["has no rows"]),
        ("x,y\n1,2\n3,4\n5", "x", ["row 3 (counting from 1) has 1 field, the header 2: '5'"]),
        ("x,y\n1,2\n3,4,5\n", "x", ["row 2 (counting from 1) has 3 fields, the header 2"]),
        ("x,y\n" + "1,2\n" * 300_000 + "5\n", "x", ["row 300001 (counting from 1) has 1 field"]),
        ("x,y\n,1\n,2\n", "x", ["2 missing values, the first at row 1"]),
        ("x,é\n1,2\n".encode("latin-1"), "x", ["is not UTF-8 text"]),
        ("x\n1\n".encode("utf-16"), "x", ["is not UTF-8 text"]),
    ],
)
def test_refuses(write, content, column, parts):
    message = refusal(write(content), column)
    for part in parts:
        assert part in message


def test_nothing_left(write):
    assert "all 2 values are missing" in refusal(write("x,y\n,1\n,2\n"), "x", missing="drop")


@pytest.mark.parametrize(
    ("weights", "part"),
    [
        ("1\n-1", "weights must be finite and >= 0, got -1 at row 2"),
        ("1\n\n", None),
        ("1\nnan", "got nan at row 2"),
        ("inf\n1", "got inf at row 1"),
        ("0\n0", "at least one weight must be > 0"),
        ("1\nz", "column 'w' has 'z' at row 2"),
    ],
)
def test_refuses_weights(write, weights, part):
    path = write("x,w\n" + "".join(f"5,{weight}\n" for weight in weights.split("\n")))
    assert (part or "got nan at row 2") in refusal(path, "x", weights="w")


def test_refuses_weights_by_name(write):
    path = write("x,w\n1,1\n")
    assert "no column 'v'" in refusal(path, "x", weights="v")
    assert "cannot be its own weights" in refusal(path, "x", weights="x")


def test_compressed_file_cut_short(write):
    whole = gzip.compress(b"x\n" + b"".join(b"%d\n" % i for i in range(100_000)))
    message = refusal(write(whole[: len(whole) // 2], "data.csv.gz"))
    assert "cannot be read beyond line" in message
    assert 25_000 < int(message.split("beyond line ")[1].split(":")[0]) < 75_000
    assert "cannot be read beyond line" in refusal(write(whole[:-8] + b"\0" * 8, "data.csv.gz"))
    assert "cannot be read beyond line 0" in refusal(write(b"x\n1\n", "data.csv.gz"))
    assert "has no rows" in refusal(write(gzip.compress(b"", mtime=0), "data.csv.gz"))
