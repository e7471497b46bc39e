"""A normal fit of 1e8 float64 in memory beside ``numpy.sum`` in the same process: bytes per second, and their ratio.

Run: python benchmarks/memory.py [--n 100000000] [--repeats 7]
"""

import argparse
import statistics
import time

import numpy as np

import suffice as sf


def seconds(work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100_000_000)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    x = np.random.default_rng(0).standard_normal(options.n)
    first = seconds(lambda: sf.fit(sf.Normal, x))
    rows = [(seconds(lambda: np.sum(x)), seconds(lambda: sf.fit(sf.Normal, x))) for _ in range(options.repeats)]
    plain, ours = (statistics.median(column) for column in zip(*rows, strict=True))
    ratio = statistics.median(a / b for a, b in rows)
    size = x.nbytes / 1e9
    print(
        f"{options.n:.0e} float64 ({size:.2f} GB), medians of {options.repeats}; first fit with compilation {first:.2f} s"
    )
    print(f"numpy.sum          {plain:7.4f} s  {size / plain:6.1f} GB/s")
    print(f"suffice Normal fit {ours:7.4f} s  {size / ours:6.1f} GB/s")
    print(f"ratio of bytes/s   {ratio:7.2f}")


if __name__ == "__main__":
    main()
