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

    class Nothing:
        def __add__(self, other: "Nothing") -> "Nothing":
            return self

    read = timed(lambda: sf.streams.fold(table.source, lambda chunk: Nothing()), 2)
    fit = timed(lambda: model.fit(table, "t"), 2)
    print(
        f"{rows:,} rows x 8 columns of Parquet: read {read[0]:.2f} s, fit {fit[0]:.2f} s, {read[0] / fit[0]:.0%} of its speed"
    )
    print(f"{'':>20}  processors {read[1]:.2f} s, {fit[1]:.2f} s; memory {peak(lambda: model.fit(table, 't')):.0f} MB")


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
    from_parquet(options.parquet, options.folder)


if __name__ == "__main__":
    main()
