"""What a user waits for: ``suffice --help`` and ``suffice fit`` with a cold and a warm compilation cache.

Run: python benchmarks/startup.py [--repeats 5]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = Path(sys.executable).parent / "suffice"
EXAMPLE = Path(__file__).parent.parent / "examples" / "old_faithful.csv"


def seconds(arguments: list[str], cache: str) -> tuple[float, str]:
    environment = {**os.environ, "XDG_CACHE_HOME": cache}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    began = time.perf_counter()
    done = subprocess.run([COMMAND, *arguments], env=environment, capture_output=True, text=True, check=True)
    return time.perf_counter() - began, done.stdout.strip().splitlines()[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    fit = ["fit", str(EXAMPLE), "--timing"]
    with tempfile.TemporaryDirectory() as cache:
        help_time = statistics.median(seconds(["--help"], cache)[0] for _ in range(repeats))
        cold, cold_phases = seconds(fit, cache)
        warm, warm_phases = min(seconds(fit, cache) for _ in range(repeats))
    print(f"suffice --help                     {help_time:6.2f} s (median of {repeats})")
    print(f"suffice fit, cold compilation cache {cold:5.1f} s   {cold_phases}")
    print(f"suffice fit, warm compilation cache {warm:5.1f} s   {warm_phases} (best of {repeats})")


if __name__ == "__main__":
    main()
