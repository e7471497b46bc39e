"""The fold: order, workers, memory, errors, interrupts."""

import signal
import threading
import time
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from suffice.runtime.errors import DataError
from suffice.streams import chunks, fold, from_array, scan


@dataclass(frozen=True)
class Shape:
    """A sum that remembers how it was made."""

    text: str

    def __add__(self, other):
        return Shape(f"({self.text} {other.text})")


@pytest.fixture
def source(tmp_path):
    """Nine row groups, one part each."""
    path = tmp_path / "data.parquet"
    pq.write_table(pa.table({"x": np.arange(90.0)}), path, row_group_size=10)
    return scan(path, batch_rows=10)


def test_pairwise_in_order(source):
    found = fold(source, lambda chunk: Shape(str(chunk.start // 10)))
    assert found.text == "((((0 1) (2 3)) ((4 5) (6 7))) 8)"


@pytest.mark.parametrize("workers", [1, 2, 3, 8, 20])
def test_any_number_of_workers_gives_the_same(source, workers):
    pauses = np.random.default_rng(workers).uniform(0, 0.01, 9)

    def reduce(chunk):
        time.sleep(pauses[chunk.start // 10])
        return Shape(str(chunk.start // 10))

    assert fold(source, reduce, workers=workers).text == "((((0 1) (2 3)) ((4 5) (6 7))) 8)"


def test_bits_do_not_depend_on_workers():
    source = from_array(np.random.default_rng(0).standard_cauchy(3_000_000))
    sums = {fold(source, lambda chunk: float(chunk.values.sum()), workers=workers) for workers in (1, 2, 3)}
    assert len(sums) == 1


def test_few_sums_are_held():
    living = []

    class Counted:
        count = 0

        def __init__(self):
            Counted.count += 1
            living.append(Counted.count)

        def __del__(self):
            Counted.count -= 1

        def __add__(self, other):
            return Counted()

    fold(chunks(lambda: (np.ones(2**20) for _ in range(64))), lambda chunk: Counted())
    assert max(living) <= 10  # one for each level of the tree, and those being added


def test_progress_is_told_of_every_row(source):
    class Counter:
        rows = 0

        def update(self, rows):
            self.rows += rows

    counter = Counter()
    fold(source, lambda chunk: 0, progress=counter, workers=1)
    assert counter.rows == 90


def test_nothing_to_fold(tmp_path):
    with pytest.raises(DataError, match="has no rows"):
        fold(from_array([]), lambda chunk: 0)
    with pytest.raises(DataError, match="all 2 values are missing"):
        fold(from_array([np.nan, np.nan], missing="drop"), lambda chunk: 0)
    path = tmp_path / "data.parquet"
    pq.write_table(pa.table({"x": pa.array([], pa.float64())}), path)
    with pytest.raises(DataError, match="has no rows"):
        fold(scan(path), lambda chunk: 0)


@pytest.mark.parametrize("workers", [1, 2])
def test_flaws_are_counted_over_all_parts(tmp_path, workers):
    values = np.arange(90.0)
    values[[33, 5, 77]] = np.nan
    path = tmp_path / "data.parquet"
    pq.write_table(pa.table({"x": values}), path, row_group_size=10)
    with pytest.raises(DataError, match="3 missing values, the first at row 6"):
        fold(scan(path, batch_rows=10), lambda chunk: 0, workers=workers)


@pytest.fixture
def long(tmp_path):
    """Two thousand parts: at 5 ms each, far more than are done before a stop takes hold."""
    path = tmp_path / "long.parquet"
    pq.write_table(pa.table({"x": np.arange(2000.0)}), path, row_group_size=1)
    return scan(path, batch_rows=1)


def all_stopped() -> bool:
    """Whether the workers are gone; one that was just being started when the stop came may need a moment."""
    workers = [thread for thread in threading.enumerate() if thread.name.startswith("suffice-fold")]
    for worker in workers:
        worker.join(10)
    return not any(worker.is_alive() for worker in workers)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_stops_the_workers(long, workers):
    seen = []

    def reduce(chunk):
        seen.append(chunk.start)
        if chunk.start == 1:
            raise RuntimeError("no more")
        time.sleep(0.005)
        return 0

    with pytest.raises(RuntimeError, match="no more"):
        fold(long, reduce, workers=workers)
    assert len(seen) < 2000
    assert all_stopped()


@pytest.mark.usefixtures("interrupts")
@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_stops_the_workers(long, workers):
    seen = []

    def reduce(chunk):
        seen.append(chunk.start)
        if chunk.start == 1:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        time.sleep(0.005)
        return 0

    with pytest.raises(KeyboardInterrupt):
        fold(long, reduce, workers=workers)
    assert len(seen) < 2000
    assert all_stopped()
