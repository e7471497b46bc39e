"""Tests of fit with estimated parameters: size under the hypothesis, power against others, beside SciPy's bootstrap.

Size: the share of samples from the family that are rejected at 1, 5 and 10 %, which should lie in the binomial band of
2.58 standard errors; for the normal also by Kolmogorov's table, as if its parameters had been known. Power: the share of
samples from other distributions that are rejected at 5 %; scipy.stats.goodness_of_fit does the same work on fewer samples.
Seconds are those of Anderson–Darling alone, with compilation and without. Hidden: of censored and truncated samples.

Run: python benchmarks/tests_of_fit.py [outer replicates, default 1000] [size, power or hidden, default all]
"""

import sys
import time
from functools import partial

import jax
import numpy as np
import scipy.stats

import suffice as sf

N, INNER, SCIPY_OUTER = 50, 199, 40
LEVELS = (0.01, 0.05, 0.1)
CONTINUOUS = ("anderson-darling", "kolmogorov-smirnov", "cramer-von-mises", "watson")
OF_COUNTS = ("chi-square", "anderson-darling")
HYPOTHESES = {
    sf.Normal: (sf.Normal(3.0, 2.0), CONTINUOUS),
    sf.Exponential: (sf.Exponential(2.0), CONTINUOUS),
    sf.Weibull: (sf.Weibull(1.7, 3.0), CONTINUOUS),
    sf.Poisson: (sf.Poisson(5.0), OF_COUNTS),
}
ALTERNATIVES = {
    sf.Normal: (sf.StudentT(3.0), sf.Laplace(0.0, 1.0), sf.Uniform(0.0, 1.0)),
    sf.Exponential: (sf.Weibull(1.5, 1.0), sf.Gamma(2.0, 1.0), sf.LogNormal(0.0, 1.0)),
}
SCIPY = {sf.Normal: (scipy.stats.norm, {}), sf.Exponential: (scipy.stats.expon, {"loc": 0.0})}


def p_values(family, truth, statistics, outer, seed):
    test = sf.bootstrap_test(family, statistics, INNER)
    study = sf.simulate(test, truth, truth=np.zeros(len(statistics)), sizes=[N], replicates=outer, rng=seed)
    return study.estimates[0]


def band(level, outer):
    error = 2.58 * np.sqrt(level * (1.0 - level) / outer)
    return f"{100 * max(0.0, level - error):.1f}–{100 * (level + error):.1f}"


def known_parameters(outer):
    """Kolmogorov's table with the normal's estimates in place of its parameters."""
    x = np.sort(np.random.default_rng(1).normal(3.0, 2.0, (4 * outer, N)))
    f = scipy.stats.norm.cdf(x, x.mean(1, keepdims=True), x.std(1, keepdims=True))
    i = np.arange(N)
    distance = np.maximum((i + 1) / N - f, f - i / N).max(1)
    return scipy.stats.kstwo.sf(distance, N)


def by_scipy(family, truth, outer):
    x = np.asarray(truth.sample((outer, N), rng=5))
    kind, known = SCIPY[family]
    began = time.perf_counter()
    found = [
        scipy.stats.goodness_of_fit(
            kind, row, known_params=known, statistic="ad", n_mc_samples=INNER, rng=np.random.default_rng(i)
        ).pvalue
        for i, row in enumerate(x)
    ]
    return np.array(found), time.perf_counter() - began


def seconds(family, truth, outer):
    """Of Anderson–Darling alone, for the first time and again."""
    test = sf.bootstrap_test(family, "anderson-darling", INNER)

    def one(key):
        return test(truth.sample((N,), rng=key).astype(float), jax.random.fold_in(key, 1))

    run, keys, spent = jax.jit(jax.vmap(one)), jax.random.split(jax.random.key(3), outer), []
    for _ in range(2):
        began = time.perf_counter()
        for i in range(0, outer, 250):
            jax.block_until_ready(run(keys[i : i + 250]))
        spent.append(time.perf_counter() - began)
    return spent


def size(outer) -> None:
    print(f"size in %, n = {N}, {outer} samples, {INNER} bootstrap samples each")
    print(
        f"{'family':12} {'statistic':20}" + "".join(f"{100 * a:>6.0f} % ({band(a, outer)})" for a in LEVELS), flush=True
    )
    for family, (truth, statistics) in HYPOTHESES.items():
        began = time.perf_counter()
        found = p_values(family, truth, statistics, outer, 1)
        spent = time.perf_counter() - began
        for name, p in zip(statistics, found.T, strict=True):
            told = "".join(f"{100 * np.mean(p <= a):18.1f}" for a in LEVELS)
            print(f"{family.__name__:12} {name:20}{told}   {np.isnan(p).sum()} without", flush=True)
        print(f"{'':12} {spent:.1f} s for {len(statistics)} statistics")
    table = known_parameters(outer)
    told = "".join(f"{100 * np.mean(table <= a):18.2f}" for a in LEVELS)
    print(f"{'Normal':12} {'table of Kolmogorov':20}{told}   {len(table)} samples")


def power(outer) -> None:
    print(f"power in % at 5 %, n = {N}; SciPy: Anderson–Darling of {SCIPY_OUTER} samples, seconds scaled to {outer}")
    print(
        f"{'family':12} {'samples from':14}"
        + "".join(f"{name:>20}" for name in CONTINUOUS)
        + "   seconds, again   SciPy"
    )
    for family, others in ALTERNATIVES.items():
        for truth in others:
            found = p_values(family, truth, CONTINUOUS, outer, 2)
            first, again = seconds(family, truth, outer)
            theirs, spent = by_scipy(family, truth, SCIPY_OUTER)
            share = np.mean(theirs <= 0.05)
            error = 100 * np.sqrt(share * (1 - share) / SCIPY_OUTER)
            told = "".join(f"{100 * np.mean(p <= 0.05):20.1f}" for p in found.T)
            print(
                f"{family.__name__:12} {type(truth).__name__:14}{told}{first:10.1f}, {again:5.1f}   "
                f"{100 * share:.0f} ± {error:.0f}, {spent * outer / SCIPY_OUTER:.0f} s",
                flush=True,
            )


def hidden_exponential(random, draw):
    """Right-censored at random: about a third of the values."""
    x, c = draw(N), random.exponential(2.0, N)
    return sf.Exponential, sf.Data(left=np.minimum(x, c), right=np.where(x <= c, x, np.nan))


def late_exponential(random, draw):
    """Left-truncated and right-censored, each at random."""
    x, lower = draw(4 * N), random.uniform(0.0, 0.7, 4 * N)
    kept = np.flatnonzero(x > lower)[:N]
    x, lower = x[kept], lower[kept]
    c = lower + random.exponential(2.0, N)
    return sf.Exponential, sf.Data(left=np.minimum(x, c), right=np.where(x <= c, x, np.nan), lower=lower)


def visited_weibull(random, draw):
    """Known only to lie before or after one visit at a random time."""
    x, visit = draw(4 * N), random.exponential(1.2, 4 * N)
    return sf.Weibull, sf.Data(left=np.where(x > visit, visit, np.nan), right=np.where(x > visit, np.nan, visit))


def grouped_weibull(random, draw):
    """Known only to lie between two of six times."""
    x, edges = draw(4 * N), np.array([np.nan, 0.2, 0.5, 0.8, 1.2, 1.7, 2.5, np.nan])
    place = (edges[1:-1] < x[:, None]).sum(1)
    return sf.Weibull, sf.Data(left=edges[place], right=edges[place + 1])


def hidden(outer) -> None:
    outer //= 2
    print(f"censored and truncated, n = {N}, {outer} samples, Anderson–Darling, {INNER} refits: rejected in %")
    print(
        f"{'':22}"
        + "".join(f"{f'at {100 * level:g} % ({band(level, outer)})':>22}" for level in LEVELS)
        + "   power at 5 %"
    )
    for make in (hidden_exponential, late_exponential, visited_weibull, grouped_weibull):
        random, found = np.random.default_rng(11), {}
        laws = {"size": partial(random.exponential, 1.0), "power": partial(random.lognormal, 0.0, 1.0)}
        for name, draw in laws.items():
            fits = [sf.fit(*make(random, draw)) for _ in range(outer)]
            found[name] = np.array([sf.goodness_of_fit(f, replicates=INNER, rng=i).p_value for i, f in enumerate(fits)])
        told = "".join(f"{100 * np.mean(found['size'] <= level):22.1f}" for level in LEVELS)
        print(f"{make.__name__:22}{told}{100 * np.mean(found['power'] <= 0.05):15.1f}", flush=True)


if __name__ == "__main__":
    outer = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    for part in (size, power, hidden):
        if len(sys.argv) < 3 or sys.argv[2] == part.__name__:
            part(outer)
