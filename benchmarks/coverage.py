"""How often intervals hold the truth, method by method: `python benchmarks/coverage.py [replicates]`, in minutes.

2,000 samples of 10, 30 and 200 from five families, every method at level .95; writes docs/coverage.md.
"""

import sys
import time
from pathlib import Path

import numpy as np

import suffice as sf

CASES = (
    ("normal", sf.Normal, sf.Normal(1.0, 2.0), ("exact",)),
    ("exponential", sf.Exponential, sf.Exponential(2.0), ("exact",)),
    ("gamma", sf.Gamma, sf.Gamma(2.0, 1.0), ()),
    ("Weibull", sf.Weibull, sf.Weibull(1.5, 2.0), ()),
    ("Poisson", sf.Poisson, sf.Poisson(2.0), ("exact", "jeffreys")),
)
SIZES = (10, 30, 200)
METHODS = ("wald", "wald-natural", "wald-expected", "profile", "score", "bootstrap", "percentile", "parametric")
PAGE = Path(__file__).parents[1] / "docs" / "coverage.md"
HEAD = """# How often intervals hold the truth

Written by `python benchmarks/coverage.py`: {replicates:,} samples of each size, every interval at level .95; bootstraps of
499 resamples. The standard error of each figure is {error:.4f}; figures outside .95 ± 2.58 of them, which happens by chance
once in a hundred, are set in **bold**. In brackets the median width, and after a stroke the share of samples in which
there was no interval, where there were any.

- `wald`: on the unconstrained scale, from the observed information; `wald-natural` on the parameter's own scale;
  `wald-expected` from the expected information.
- `bootstrap` and `parametric` are BCa, of resampled rows and of samples drawn from the fit.
"""


def cell(row: dict) -> str:
    share = f"{row['coverage']:.3f}"
    share = share if row["within"] else f"**{share}**"
    none = f" / {row['none']:.3f}" if row["none"] > 0 else ""
    return f"{share} ({row['width']:.3g}{none})"


def main(replicates: int = 2000) -> None:
    lines = [HEAD.format(replicates=replicates, error=np.sqrt(0.95 * 0.05 / replicates))]
    for name, family, truth, more in CASES:
        rows = {}
        for method in (*METHODS, *more):  # one by one: together they take long to compile
            start = time.perf_counter()
            study = sf.simulate(family, truth, sizes=SIZES, replicates=replicates, intervals=method, bootstrap=499)
            rows |= {(method, r["estimate"], r["size"]): r for r in study.coverage}
            print(f"{name}, {method}: {time.perf_counter() - start:.0f} s", flush=True)
        lines += [f"\n## {name}: {truth!r}\n", "| method | parameter | " + " | ".join(f"n = {n}" for n in SIZES) + " |"]
        lines.append("|---|---|" + "---|" * len(SIZES))
        for method in (*METHODS, *more):
            for estimate in study.names:
                cells = [cell(rows[method, estimate, n]) for n in SIZES]
                lines.append(f"| {method} | {estimate} | " + " | ".join(cells) + " |")
    PAGE.write_text("\n".join(lines) + "\n")
    print(f"wrote {PAGE.name}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
