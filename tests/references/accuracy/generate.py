"""Writes one NAME.npz for each family of ``laws.py``: log density and tails at doubles from deep tail to deep tail.

python tests/references/accuracy/generate.py [NAME …]          (all families: a few minutes on two cores)
"""

import dataclasses
import sys
import zlib
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from laws import LAWS
from mpmath import log, log1p, mp, mpf

import suffice as sf

HERE = Path(__file__).parent
DIGITS = 400  # so that complements keep 50 digits down to 1e-300, and differences of a step of 1e-24, too
MORE = 460  # the second precision
SMALLEST = mpf(10) ** -300
STEP = mpf(2) ** -80
LEVELS = np.array([1e-290, 1e-150, 1e-60, 1e-25, 1e-12, 1e-6, 1e-3, 0.02, 0.1, 0.25, 0.4])


def parameters(name):
    """Public names of a family's parameters, in order."""
    return [f.metadata["alias"] or f.name for f in dataclasses.fields(getattr(sf, name))]


def places(name):
    """Doubles near quantiles of both sides, found with the library; any double would do."""
    law = LAWS[name]
    columns = np.array(law.grid).T[:, :, None]
    p = getattr(sf, name)(**dict(zip(parameters(name), columns, strict=True)))
    found = np.concatenate([np.asarray(p.icdf(LEVELS)), np.asarray(p.isf(LEVELS))], axis=1)
    for theta, row in zip(law.grid, found, strict=True):
        for x in np.unique(row[np.isfinite(row) & (law.discrete | (row != 0.0))]):
            yield theta, float(x)


def log_tails(lower, upper):
    return (log(lower) if lower < 0.5 else log1p(-upper)), (log(upper) if upper < 0.5 else log1p(-lower))


def row(task):
    """x, log density, tails and their logarithms, rounded to double, and condition numbers; None beyond 1e-300."""
    name, theta, x = task
    law = LAWS[name]
    mp.dps = DIGITS
    point = (int(x) if law.discrete else mpf(x), *map(mpf, theta))
    try:
        log_density, lower, upper = law.formula(*point)
    except (ValueError, ZeroDivisionError):  # x was rounded to an end of the support
        return None
    if not isinstance(upper, mpf) or min(lower, upper) < SMALLEST:  # or beyond it
        return None
    tail = min(lower, upper)
    moved = []  # |dF| and |d log f| as each input moves by its own size
    for i, value in enumerate(point):
        if value == 0 or (law.discrete and i <= law.integers):
            moved.append((0.0, 0.0))
            continue
        there = law.formula(*point[:i], value * (1 + STEP), *point[i + 1 :])
        moved.append((abs(there[1] - lower) / STEP / tail, abs(there[0] - log_density) / STEP))
    if zlib.crc32(repr(task).encode()) % 8 == 0:
        mp.dps = MORE
        again = law.formula(*point)
        for a, b in zip(again, (log_density, lower, upper), strict=True):
            assert abs(a - b) <= mpf(10) ** -40 * abs(b) + SMALLEST * (a == 0), (task, a, b)
        mp.dps = DIGITS
    conditions = moved[0][0], sum(m[0] for m in moved[1:]), sum(m[1] for m in moved)
    return [float(v) for v in (*theta, x, log_density, lower, upper, *log_tails(lower, upper), *conditions)]


def write(name, pool):
    tasks = [(name, theta, x) for theta, x in places(name)]
    rows = np.array([r for r in pool.map(row, tasks, chunksize=1) if r is not None])
    results = ("x", "log_prob", "cdf", "sf", "log_cdf", "log_sf", "kappa_x", "kappa_parameters", "kappa_log_prob")
    columns = dict(zip((*parameters(name), *results), rows.T, strict=True))
    columns = {k: v.astype(np.float32) if k.startswith("kappa") else v for k, v in columns.items()}
    np.savez_compressed(HERE / f"{name}.npz", **columns)
    print(f"{name:<30}{len(rows):6} points of {len(tasks)}", flush=True)


if __name__ == "__main__":
    with Pool(2) as workers:
        for each in sys.argv[1:] or LAWS:
            write(each, workers)
