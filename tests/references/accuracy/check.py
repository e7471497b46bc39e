"""Compares tails with integrals of densities and sums of probabilities, at three points of each set of parameters.

python tests/references/accuracy/check.py [NAME …]
"""

import sys
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from laws import LAWS
from mpmath import exp, fsum, log, mp, mpf, quad

HERE = Path(__file__).parent


def points(name):
    """Parameters and pairs of neighbouring places: three pairs of each set, nowhere below 1e-30."""
    table = np.load(HERE / f"{name}.npz")
    kept = (table["cdf"] > 1e-30) & (table["sf"] > 1e-30)
    for theta in LAWS[name].grid:
        here = kept & np.all([table[n] == v for n, v in zip(list(table)[: len(theta)], theta, strict=True)], axis=0)
        x = table["x"][here]
        for i in {0, len(x) // 2 - 1, len(x) - 2} if len(x) > 3 else ():
            yield name, theta, float(x[i]), float(x[i + 1])


def change(first, second):
    """How much the density, or a tail, changes from one place to the other, in logarithms."""
    (log_density, *tails), (other, *others) = first, second
    return max(abs(other - log_density), *(abs(log(v / u)) for u, v in zip(tails, others, strict=True)))


def disagreement(task):
    """P(a < X <= b) from the tails and from the density, and their relative difference; b is moved to near a."""
    name, theta, a, b = task
    law = LAWS[name]
    mp.dps = 400
    theta = [mpf(v) for v in theta]
    if law.discrete:
        a, b = int(a), min(int(b), int(a) + 12)
    else:
        a, b = mpf(a), mpf(b)
        b = min(b, a + abs(a) / 2) if a else b
        while change(law.formula(a, *theta), law.formula(b, *theta)) > 3:
            b = (a + b) / 2
    first, second = law.formula(a, *theta), law.formula(b, *theta)
    top = max(first[0], second[0])  # the tolerance of quad is absolute
    if law.discrete:
        mass = fsum(exp(law.formula(k, *theta)[0] - top) for k in range(a + 1, b + 1))
    else:
        mp.dps, degree = (60, 3) if name == "SkewNormal" else (40, 6)  # whose tails are integrals themselves
        density = lambda t: exp(law.formula(a + (b - a) * t, *theta)[0] - top)  # noqa: E731
        unit = quad(density, [0, 0.5, 1], method="gauss-legendre", maxdegree=degree)
        mass = (b - a) * unit
        mp.dps = 400
    by_tails = second[1] - first[1] if second[1] < 0.5 else first[2] - second[2]
    return float(abs(mass * exp(top) / by_tails - 1)), task


if __name__ == "__main__":
    with Pool(2) as workers:
        for each in sys.argv[1:] or LAWS:
            found = workers.map(disagreement, list(points(each)), chunksize=1)
            print(f"{each:<30}{len(found):4} stretches, {max(found, default=(0.0, ''))[0]:.1e}", flush=True)
