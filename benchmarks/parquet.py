"""Six statistics of a 1.6 GB Parquet column against `pyarrow.parquet.read_table` doing nothing else.

    python benchmarks/parquet.py [--rows 200000000] [--repeats 5]

Writes the file to a temporary folder, runs both sides in turn, each in a fresh process, and prints medians. Imports are
timed apart: the seconds are those of the call. The peak is the whole process's resident memory.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

SIDES = {
    "pyarrow.parquet.read_table": ("import pyarrow.parquet", "pyarrow.parquet.read_table(path)"),
    "suffice describe(scan(...))": ("from suffice.streams import describe, scan", "describe(scan(path))"),
}
RUN = """
import json, resource, sys, time
path = sys.argv[1]
start = time.perf_counter()
{setup}
cpu, ready = time.process_time(), time.perf_counter()
{call}
done, cpu = time.perf_counter(), time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([ready - start, done - ready, cpu, peak * 1024 / 1e9]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "column.parquet"
        write(path, options.rows)
        print(f"{options.rows} rows, {path.stat().st_size / 1e9:.2f} GB, {options.repeats} runs of each in turn")
        runs: dict[str, list[list[float]]] = {side: [] for side in SIDES}
        for _ in range(options.repeats):
            for side in SIDES:
                runs[side].append(measure(side, path))

    print(f"{'':29}{'seconds':>9}{'fastest':>9}{'cpu':>9}{'peak GB':>9}{'import':>9}")
    medians = {}
    for side, found in runs.items():
        columns = list(zip(*found, strict=True))
        medians[side] = [statistics.median(column) for column in columns[:3]] + [max(columns[3])]
        imports, seconds, cpu, peak = medians[side]
        print(f"{side:29}{seconds:9.2f}{min(columns[1]):9.2f}{cpu:9.2f}{peak:9.2f}{imports:9.2f}")
    (_, theirs, *_), (_, ours, _, peak) = medians.values()
    print(f"ratio of medians {ours / theirs:.2f} (must be <= 1.0), peak {peak:.2f} GB (< 0.6)")


def write(path: Path, rows: int) -> None:
    """Gamma draws, one row group of 2^20 rows at a time."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    rng = np.random.default_rng(0)
    with parquet.ParquetWriter(path, pa.schema([("x", pa.float64())])) as writer:
        for start in range(0, rows, 2**20):
            writer.write_table(pa.table({"x": rng.gamma(2.0, 3.0, min(2**20, rows - start))}))


def measure(side: str, path: Path) -> list[float]:
    """Import seconds, call seconds, their CPU seconds and peak memory in GB of one run in a process of its own."""
    setup, call = SIDES[side]
    code = RUN.format(setup=setup, call=call)
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
