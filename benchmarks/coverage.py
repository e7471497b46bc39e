"""How often intervals hold the truth, method by method: `python benchmarks/coverage.py [replicates]`, in minutes.

2,000 samples of 10, 30 and 200 from five families, every method at level .95; writes docs/coverage.md.
"""

import json
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
METHODS = (
    "wald", "wald-natural", "wald-expected", "profile", "score", "exact", "jeffreys", "percentile", "bootstrap", "parametric",
)  # fmt: skip
OF_SOME = ("exact", "jeffreys")
STORE = Path(__file__).parents[1] / "build" / "coverage.json"  # what was found so far: a second run goes on from it
PAGE = Path(__file__).parents[1] / "docs" / "coverage.md"
HEAD = """# How often intervals hold the truth

Written by `python benchmarks/coverage.py`: {replicates:,} samples of each size, every interval at level .95; bootstraps of
499 resamples. The standard error of each figure is {error:.4f}; figures outside .95 ± 2.58 of them, which happens by chance
once in a hundred, are set in **bold**. In brackets the median width, and after a stroke the share of samples in which
there was no interval, where there were any.

- `wald`: on the unconstrained scale, from the observed information; `wald-natural` on the parameter's own scale;
  `wald-expected` from the expected information.
- `bootstrap` and `parametric` are BCa, of resampled rows and of samples drawn from the fit.
- What is not listed was not run yet: the benchmark goes on from where it was left.
"""


def cell(row: dict) -> str:
    share = f"{row['coverage']:.3f}"
    share = share if row["within"] else f"**{share}**"
    none = f" / {row['none']:.3f}" if row["none"] > 0 else ""
    return f"{share} ({row['width']:.3g}{none})"


def main(replicates: int = 2000) -> None:
    STORE.parent.mkdir(exist_ok=True)
    found = json.loads(STORE.read_text()) if STORE.exists() else {}
    for method in METHODS:  # one by one: together they take long to compile; the slow ones last
        for name, family, truth, more in CASES:
            key = f"{name}, {method}, {replicates}"
            if key in found or (method in OF_SOME and method not in more):
                continue
            start = time.perf_counter()
            study = sf.simulate(family, truth, sizes=SIZES, replicates=replicates, intervals=method, bootstrap=499)
            found[key] = study.coverage
            print(f"{key}: {time.perf_counter() - start:.0f} s", flush=True)
            STORE.write_text(json.dumps(found))
            PAGE.write_text(page(found, replicates))


def page(found: dict, replicates: int) -> str:
    """A table for each family, of the methods that were run."""
    lines = [HEAD.format(replicates=replicates, error=np.sqrt(0.95 * 0.05 / replicates))]
    for name, _, truth, _ in CASES:
        lines += [f"\n## {name}: {truth!r}\n", "| method | parameter | " + " | ".join(f"n = {n}" for n in SIZES) + " |"]
        lines.append("|---|---|" + "---|" * len(SIZES))
        for method in METHODS:
            rows = {(r["estimate"], r["size"]): r for r in found.get(f"{name}, {method}, {replicates}", ())}
            for estimate in dict.fromkeys(e for e, _ in rows):
                lines.append(f"| {method} | {estimate} | " + " | ".join(cell(rows[estimate, n]) for n in SIZES) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
