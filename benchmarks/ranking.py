"""Ranking 20 families on n = 1e5, warm, beside a loop over SciPy's fits and beside fitter: seconds and log-likelihoods.

Run: python benchmarks/ranking.py [--n 100000] [--repeats 3]     (fitter: pip install -e '.[bench]')
"""

import argparse
import statistics
import time
import warnings

import jax
import numpy as np
import scipy.stats

import suffice as sf

# families here and there; positive families keep their origin at 0, as ours do
SCIPY = {
    "Normal": ("norm", {}),
    "LogNormal": ("lognorm", {"floc": 0}),
    "Exponential": ("expon", {"floc": 0}),
    "Gamma": ("gamma", {"floc": 0}),
    "InverseGamma": ("invgamma", {"floc": 0}),
    "Weibull": ("weibull_min", {"floc": 0}),
    "StudentT": ("t", {}),
    "Logistic": ("logistic", {}),
    "Laplace": ("laplace", {}),
    "Cauchy": ("cauchy", {}),
    "Gumbel": ("gumbel_r", {}),
    "Pareto": ("pareto", {"floc": 0}),
    "Uniform": ("uniform", {}),
    "Rayleigh": ("rayleigh", {"floc": 0}),
}
# to twenty, with parameters held and origins free
HELD = {
    "Normal(loc=6)": (sf.family(sf.Normal, loc=6.0), "norm", {"floc": 6}),
    "Gamma(rate=0.5)": (sf.family(sf.Gamma, rate=0.5), "gamma", {"floc": 0, "fscale": 2}),
    "Weibull(concentration=2)": (sf.family(sf.Weibull, concentration=2.0), "weibull_min", {"floc": 0, "fc": 2}),
    "StudentT(df=4)": (sf.family(sf.StudentT, df=4.0), "t", {"fdf": 4}),
    "Logistic(loc=6)": (sf.family(sf.Logistic, loc=6.0), "logistic", {"floc": 6}),
    "Gumbel(loc=5)": (sf.family(sf.Gumbel, loc=5.0), "gumbel_r", {"floc": 5}),
}


def seconds(work):
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def by_scipy(x):
    found = {}
    for ours, (name, fixed) in {**SCIPY, **{k: v[1:] for k, v in HELD.items()}}.items():
        law = getattr(scipy.stats, name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parameters = law.fit(x, **fixed)
        found[ours] = float(law.logpdf(x, *parameters).sum())
    return found


def by_fitter(x):
    from fitter import Fitter

    f = Fitter(x, distributions=[name for name, _ in SCIPY.values()], timeout=120)
    f.fit(progress=False)
    return {name: float(getattr(scipy.stats, name).logpdf(x, *p).sum()) for name, p in f.fitted_param.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--without-fitter", action="store_true")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    x, other = rng.gamma(3.0, 2.0, options.n), rng.gamma(3.0, 2.0, int(0.9 * options.n))
    families = [getattr(sf, name) for name in SCIPY] + [family for family, *_ in HELD.values()]

    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, _, **__: compiled.append(event) if event.endswith("backend_compile_duration") else None
    )
    cold, _ = seconds(lambda: sf.rank(other, families))
    before = len(compiled)
    ours, theirs, fitters = [], [], []
    for _ in range(options.repeats):
        t, ranking = seconds(lambda: sf.rank(x, families))
        ours.append(t)
        t, reference = seconds(lambda: by_scipy(x))
        theirs.append(t)
        if not options.without_fitter:
            t, _ = seconds(lambda: by_fitter(x))
            fitters.append(t)
    print(f"{len(families)} families, n = {options.n}; first call (another n, with compilation) {cold:.1f} s;")
    print(f"compilations at the second n: {len(compiled) - before}")
    mine = statistics.median(ours)
    print(f"suffice.rank   {mine:8.3f} s")
    print(f"scipy loop     {statistics.median(theirs):8.3f} s   {statistics.median(theirs) / mine:6.1f} x")
    if fitters:
        print(f"fitter (14)    {statistics.median(fitters):8.3f} s   {statistics.median(fitters) / mine:6.1f} x")
    print(f"{'family':<26}{'log-likelihood':>18}{'minus scipy':>14}")
    for c in ranking.candidates:
        value = float(c.fit.log_likelihood)
        print(f"{c.name:<26}{value:18.4f}{value - reference[c.name]:14.2e}")


if __name__ == "__main__":
    main()
