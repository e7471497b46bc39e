"""Bootstrap refits and profile intervals: `python benchmarks/intervals.py`.

1,000 bootstrap refits of a gamma at n = 1,000, beside SciPy's `bootstrap` of its own fit (fewer resamples, scaled) and
its `goodness_of_fit`; profile intervals of 20 families at n = 1e5, which no other Python library has.
"""

import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from scipy import stats

import suffice as sf
from suffice.inference.intervals.bootstrap import resampled

ROUNDS = 5


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    jax.block_until_ready(work())
    return time.perf_counter() - start


def median(work: Callable[[], Any], rounds: int = ROUNDS) -> float:
    work()
    return statistics.median(seconds(work) for _ in range(rounds))


def refits() -> None:
    x = np.random.default_rng(0).gamma(2.5, 1.5, 1000)
    fit = sf.fit(sf.Gamma, x)
    ours = median(lambda: resampled(fit, fit.evidence.observations, 1000))
    few = 20
    rng = np.random.default_rng(1)
    theirs = seconds(lambda: [stats.gamma.fit(rng.choice(x, 1000), floc=0) for _ in range(few)]) * 1000 / few
    print(
        f"1,000 bootstrap refits of a gamma, n = 1,000: {ours:.3f} s; scipy gamma.fit {theirs:.2f} s, {theirs / ours:.0f} x"
    )
    ours = median(lambda: fit.interval(method="bootstrap", replicates=1000))
    print(f"BCa interval from as many: {ours:.3f} s")
    ours = median(lambda: sf.rank(x, [sf.Gamma]).goodness_of_fit(top=1, replicates=200)[0].p_value)
    known = {"loc": 0.0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = (
            seconds(
                lambda: stats.goodness_of_fit(
                    stats.gamma, x, known_params=known, statistic="ad", n_mc_samples=20, rng=1
                )
            )
            * 10
        )
    print(
        f"Anderson–Darling by 200 refitted samples: {ours:.3f} s; scipy goodness_of_fit {theirs:.1f} s, {theirs / ours:.0f} x"
    )


def profiles() -> None:
    random = np.random.default_rng(0)
    x = random.gamma(2.5, 1.5, 100_000)
    unit = random.beta(2.0, 3.0, 100_000)
    real = random.standard_t(5, 100_000)
    counts = random.poisson(4.0, 100_000).astype(float)
    cases = {
        "positive": (x, [sf.Exponential, sf.Gamma, sf.LogNormal, sf.Weibull, sf.InverseGamma, sf.Rayleigh, sf.InverseGaussian,
                         sf.LogLogistic, sf.Lomax]),
        "real": (real, [sf.Normal, sf.StudentT, sf.Logistic, sf.Gumbel, sf.Cauchy, sf.SkewNormal]),
        "unit": (unit, [sf.Beta, sf.Kumaraswamy]),
        "counts": (counts, [sf.Poisson, sf.Geometric, sf.NegativeBinomial]),
    }  # fmt: skip
    total, number = 0.0, 0
    for name, (values, families) in cases.items():
        fits = [sf.fit(f, values) for f in families]
        each = [median(lambda f=f: f.interval(method="profile"), 3) for f in fits]
        total, number = total + sum(each), number + len(fits)
        told = ", ".join(f"{f.family.name} {s:.3f}" for f, s in zip(fits, each, strict=True))
        print(f"  {name}: {told}", flush=True)
    print(f"profile intervals of {number} families, n = 1e5: {total:.2f} s")


if __name__ == "__main__":
    refits()
    profiles()
