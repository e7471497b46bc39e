"""Tails and quantiles of a million points, and calls for a single number, beside SciPy: `python benchmarks/tails.py [name …]`.

Both are timed in turn and the medians compared, so other work on the machine touches both. Points and levels are spread
over the law itself; parameters are numbers, or arrays as long as the points. SciPy's frozen distributions run on one core.
"""

import statistics
import sys
import time

import jax
import numpy as np
from scipy import stats

import suffice as sf

N = 1_000_000
METHODS = {"cdf": "cdf", "sf": "sf", "icdf": "ppf", "isf": "isf"}
random = np.random.default_rng(0)


def around(value: float) -> np.ndarray:
    return value * random.uniform(0.8, 1.25, N)


def laws(wide) -> dict[str, tuple]:
    """Name: (our distribution, SciPy's), with parameters that ``wide`` leaves as numbers or makes arrays of."""
    gammas, betas, ts = (0.3, 2.5, 50.0), ((2.0, 3.0), (50.0, 0.7), (0.5, 0.5)), (2.5, 4.0, 30.0)
    pairs = {}
    for a in gammas:
        a_value = wide(a)
        pairs[f"gamma({a:g})"] = sf.Gamma(a_value), stats.gamma(a_value)
    for a, b in betas:
        values = wide(a), wide(b)
        pairs[f"beta({a:g}, {b:g})"] = sf.Beta(*values), stats.beta(*values)
    for df in ts:
        value = wide(df)
        pairs[f"t({df:g})"] = sf.StudentT(value), stats.t(value)
    return pairs


def seconds(call) -> float:
    start = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - start


def compare(name: str, ours, theirs, rounds: int, first: float) -> None:
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    mine, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{name:26s}{mine:10.3f}{other:10.3f}{mine / other:8.2f}{first:14.2f}", flush=True)


def arrays(names: list[str]) -> None:
    print(f"{'seconds for 1e6 points':26s}{'ours':>10s}{'SciPy':>10s}{'ratio':>8s}{'first call':>14s}")
    levels = random.uniform(0, 1, N)
    for kind, wide in (("", lambda value: value), (" array", around)):
        for name, (ours, theirs) in laws(wide).items():
            if names and not any(part in name + kind for part in names):
                continue
            points = np.asarray(ours.icdf(random.permutation(levels)))
            for method, scipy_method in METHODS.items():
                x = jax.numpy.asarray(levels if "i" in method else points)
                y = np.asarray(x)
                mine, other = getattr(ours, method), getattr(theirs, scipy_method)
                first = seconds(lambda mine=mine, x=x: mine(x))
                compare(
                    f"{name}{kind} {method}",
                    lambda mine=mine, x=x: mine(x),
                    lambda other=other, y=y: other(y),
                    5,
                    first,
                )


def scalars() -> None:
    print(f"{'microseconds for a number':26s}{'ours':>10s}{'SciPy':>10s}{'ratio':>8s}")
    pairs = laws(lambda value: value)
    chosen = {
        "normal": (sf.Normal(0.0, 1.0), stats.norm(0, 1)),
        **{k: pairs[k] for k in ("gamma(2.5)", "beta(2, 3)", "t(4)")},
    }
    for name, (ours, theirs) in chosen.items():
        for method, scipy_method in (("log_prob", "logpdf"), ("cdf", "cdf")):
            mine, other = getattr(ours, method), getattr(theirs, scipy_method)

            def per_call(call) -> float:
                return 1e6 * seconds(lambda: [jax.block_until_ready(call(0.4)) for _ in range(200)]) / 200

            per_call(mine)
            times = [(per_call(mine), per_call(other)) for _ in range(9)]
            a, b = (statistics.median(column) for column in zip(*times, strict=True))
            print(f"{name + ' ' + method:26s}{a:10.1f}{b:10.1f}{a / b:8.2f}", flush=True)


def main(names: list[str]) -> None:
    arrays(names)
    scalars()


if __name__ == "__main__":
    main(sys.argv[1:])
