"""Speed and memory of least squares in one pass, beside LAPACK's QR and what else is installed.

    python benchmarks/regression.py [--rows 1000000] [--columns 50] [--parquet 10000000] [--folder build]

Seconds of the clock, and of all processors together, which other work on the machine disturbs less.
"""

import argparse
import importlib.util
import resource
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import suffice as sf


def timed(work: Callable[[], Any], runs: int = 3) -> tuple[float, float]:
    """The least of several runs: of the clock, of the processors."""
    found = []
    for _ in range(runs):
        clock, cpu = time.perf_counter(), time.process_time()
        work()
        found.append((time.perf_counter() - clock, time.process_time() - cpu))
    return min(a for a, _ in found), min(b for _, b in found)


def resident() -> float:
    """Megabytes this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def peak(work: Callable[[], Any]) -> float:
    """Megabytes that work needs beyond those held before, looked at each millisecond."""
    before, most, done = resident(), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.001):
            most[0] = max(most[0], resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    work()
    done.set()
    watcher.join()
    return most[0] - before


def in_memory(rows: int, columns: int) -> None:
    """The one-pass fit, LAPACK's QR, and others."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, columns))
    t = x @ rng.normal(size=columns) + rng.normal(size=rows)
    model = sf.LinearBasisModel()
    first = time.perf_counter()
    model.fit(x[:50_000], t[:50_000])
    print(f"compilation and a first fit: {time.perf_counter() - first:.2f} s")
    runs = {
        "suffice": lambda: model.fit(x, t),
        "numpy QR": lambda: np.linalg.qr(x),
        "numpy QR, R alone": lambda: np.linalg.qr(x, mode="r"),
        "numpy XᵀX alone": lambda: x.T @ x,
    }
    if importlib.util.find_spec("sklearn"):
        from sklearn.linear_model import LinearRegression

        runs["sklearn"] = lambda: LinearRegression().fit(x, t)
    if importlib.util.find_spec("statsmodels"):
        import statsmodels.api

        runs["statsmodels"] = lambda: statsmodels.api.OLS(t, statsmodels.api.add_constant(x)).fit()
    print(f"memory beyond the data: {peak(lambda: model.fit(x, t)):.0f} MB of {x.nbytes / 1e6:.0f} MB")
    print(f"{rows:,} rows x {columns} columns")
    for name, work in runs.items():
        clock, cpu = timed(work, 3 if name == "suffice" else 1)
        print(f"{name:>20}  {clock:7.2f} s  {cpu:7.2f} s of processors")


def variants(rows: int) -> None:
    """Weighted rows, polynomials and many targets, beside least squares of NumPy's on ready columns; medians in turn."""
    rng = np.random.default_rng(1)
    x, many = rng.normal(size=(rows, 7)), rng.normal(size=(rows // 10, 20))
    t, targets = x.sum(1) + rng.normal(size=rows), many[:, :1] + rng.normal(size=(rows // 10, 300))
    precisions, u = rng.uniform(0.5, 2.0, rows), x[:, 0].copy()
    phi, wide = np.column_stack([np.ones(rows), x]), np.column_stack([np.ones(rows // 10), many])
    linear, polynomial, root = sf.LinearBasisModel(), sf.LinearBasisModel(sf.Polynomial(5)), np.sqrt(precisions)
    pairs = {
        f"{rows:,} x 7": (lambda: linear.fit(x, t), lambda: np.linalg.lstsq(phi, t)),
        "the same with precisions": (
            lambda: linear.fit(x, t, precisions=precisions),
            lambda: np.linalg.lstsq(phi * root[:, None], t * root),
        ),
        "polynomial of degree 5": (
            lambda: polynomial.fit(u, t),
            lambda: np.linalg.lstsq(np.polynomial.chebyshev.chebvander(u / 6.0, 5), t),
        ),
        f"{rows // 10:,} x 20, 300 targets": (
            lambda: linear.fit(many, targets),
            lambda: np.linalg.lstsq(wide, targets),
        ),
    }
    print("variants, beside numpy.linalg.lstsq")
    for name, (own, other) in pairs.items():
        own()
        found = [(timed(own, 1), timed(other, 1)) for _ in range(5)]
        (clock, cpu), (clock_other, cpu_other) = np.median(np.array(found), axis=0)
        print(
            f"{name:>28}  {clock:6.2f} s beside {clock_other:6.2f} s: {clock / clock_other:.2f}; of processors "
            f"{cpu:6.2f} beside {cpu_other:6.2f}: {cpu / cpu_other:.2f}"
        )


def from_parquet(rows: int, folder: Path) -> None:
    """The fit from a file, beside reading it."""
    import pyarrow as pa
    from pyarrow import parquet

    path, rng = folder / f"regression-{rows}.parquet", np.random.default_rng(0)
    names = [f"x{j}" for j in range(7)] + ["t"]
    if not path.exists():
        schema = pa.schema([(n, pa.float64()) for n in names])
        with parquet.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
            for at in range(0, rows, 2**20):
                block = rng.normal(size=(8, min(2**20, rows - at)))
                writer.write_table(pa.table(dict(zip(names, block, strict=True))))
    table, model = sf.scan_table(path), sf.LinearBasisModel()

    def batches() -> None:
        with parquet.ParquetFile(path) as file:
            for _ in file.iter_batches(2**20):
                pass

    class Nothing:
        def __add__(self, other: "Nothing") -> "Nothing":
            return self

    runs = {
        "pyarrow iter_batches": batches,
        "reading alone": lambda: sf.streams.fold(table.source, lambda chunk: Nothing()),
        "suffice fit": lambda: model.fit(table, "t"),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(3):  # in turn, as others may work on the machine
        for name, work in runs.items():
            found[name].append(timed(work, 1))
    print(f"{rows:,} rows x 8 columns of Parquet, medians of three runs in turn")
    middle = {name: [sorted(v)[1] for v in zip(*times, strict=True)] for name, times in found.items()}
    for name, (clock, cpu) in middle.items():
        print(f"{name:>20}  {clock:7.2f} s  {cpu:7.2f} s of processors")
    fit = middle["suffice fit"]
    for name in ("pyarrow iter_batches", "reading alone"):
        clock, cpu = (a / b for a, b in zip(middle[name], fit, strict=True))
        print(f"{'':>20}  the fit runs at {clock:.0%} of the speed of {name}, by processors {cpu:.0%}")
    print(f"{'':>20}  memory beyond that held before {peak(runs['suffice fit']):.0f} MB")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--parquet", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, default=Path("build"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    in_memory(options.rows, options.columns)
    variants(options.rows)
    from_parquet(options.parquet, options.folder)


if __name__ == "__main__":
    main()
